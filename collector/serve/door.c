/* SPDX-License-Identifier: MIT
 * door: see door_int.h. libmicrohttpd runs without a thread of its own: it gives an
 * epoll descriptor, and works in MHD_run. */
#include "serve/door_int.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/request_int.h"
#include "serve/serve_int.h"

#include "banned.h"

struct connection {
	struct door *door;
	struct connection *prev, *next; /* oldest first */
	int fd;
	struct mono since;
	bool waiting; /* for an answer of the store: not its fault */
	bool shut;
};

struct door {
	struct serve *serve;
	struct MHD_Daemon *daemon;
	int fd; /* the listening socket, MHD's; -1: retired */
	bool local, tls, asks_certificates;
	struct connection *first, *last;
	unsigned open; /* connections that are not shut */
	bool some_came, some_went;
};

static const struct {
	const char *name, *value;
} always[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	 "connect-src 'self'; base-uri 'none'; form-action 'none'; "
	 "frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Frame-Options", "DENY"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cache-Control", "no-cache"},
	{"Vary", "Accept-Encoding"},
};

/* ---- connections ---- */

static void shut(struct connection *c)
{
	if (c->shut)
		return;
	c->shut = true;
	c->door->open--;
	shutdown(c->fd, SHUT_RDWR);
	metrics_add(METRIC_HTTP_CUT, 1);
}

/* Somebody new is here and there is little room: who came first gives way. */
static void make_room(struct door *d)
{
	for (struct connection *c = d->first; c != NULL && d->open > DOOR_CROWDED;
	     c = c->next)
		if (!c->waiting)
			shut(c);
}

static void came(struct door *d, struct MHD_Connection *mhd, void **context)
{
	struct connection *c = mem_calloc(1, sizeof(*c));

	c->door = d;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
			->connect_fd;
	c->since = clock_mono();
	c->prev = d->last;
	*(d->last != NULL ? &d->last->next : &d->first) = c;
	d->last = c;
	d->open++;
	d->some_came = true;
	*context = c;
	make_room(d);
}

static void went(struct door *d, struct connection *c)
{
	*(c->prev != NULL ? &c->prev->next : &d->first) = c->next;
	*(c->next != NULL ? &c->next->prev : &d->last) = c->prev;
	if (!c->shut)
		d->open--;
	d->some_went = true;
	free(c);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		came(cls, mhd, context);
	else if (*context != NULL)
		went(cls, *context);
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* ---- who asks ---- */

static bool is_certified(const struct door *d, struct MHD_Connection *mhd)
{
	static gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
						(void *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
	const union MHD_ConnectionInfo *info;
	unsigned status = 0;

	if (!d->asks_certificates)
		return false;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info != NULL &&
	       gnutls_certificate_verify_peers(info->tls_session, &purpose, 1,
					       &status) == 0 &&
	       status == 0;
}

static struct caller caller_of(const struct door *d, struct MHD_Connection *mhd,
			       const char *version)
{
	struct caller c = {.local = d->local};
	struct sockaddr_storage ours;
	socklen_t len = sizeof(ours);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (!d->local && info != NULL)
		(void)address_of(info->client_addr, &c.peer);
	if (!d->local &&
	    getsockname(connection_of(mhd)->fd, (struct sockaddr *)&ours, &len) == 0)
		(void)address_of((struct sockaddr *)&ours, &c.ours);
	c.certified = is_certified(d, mhd);
	c.host =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
	c.nameless = c.host == NULL && strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
	c.authorization = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
						      MHD_HTTP_HEADER_AUTHORIZATION);
	return c;
}

/* ---- answers ---- */

static void let_go(void *content)
{
	content_unref(content);
}

static struct MHD_Response *response_of(struct request *r, bool *gzipped)
{
	struct reply *reply = &r->reply;
	const char *accepts =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
					    MHD_HTTP_HEADER_ACCEPT_ENCODING);
	bool gzip = content_accepts_gzip(accepts);
	const void *data;
	size_t len;

	if (reply->file != NULL) {
		*gzipped = gzip;
		data = gzip ? reply->file->gzip : reply->file->data;
		len = gzip ? reply->file->gzip_len : reply->file->len;
		return MHD_create_response_from_buffer(len, (void *)(uintptr_t)data,
						       MHD_RESPMEM_PERSISTENT);
	}
	*gzipped = gzip && content_compress(reply->content);
	data = *gzipped ? reply->content->gzip : reply->content->data;
	len = *gzipped ? reply->content->gzip_len : reply->content->len;
	return MHD_create_response_from_buffer_with_free_callback_cls(
		len, (void *)(uintptr_t)data, let_go, content_ref(reply->content));
}

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	(void)MHD_add_response_header(m, name, value);
}

static void add_headers(struct request *r, struct MHD_Response *m, const char *etag)
{
	const struct connection *c = connection_of(r->connection);

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		add(m, always[i].name, always[i].value);
	if (r->reply.status == MHD_HTTP_OK)
		add(m, MHD_HTTP_HEADER_ETAG, etag);
	if (r->reply.allow != NULL)
		add(m, MHD_HTTP_HEADER_ALLOW, r->reply.allow);
	if (r->reply.ask_for_token) {
		add(m, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"mmlag\"");
		add(m, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"mmlag\"");
	}
	if (c->door->fd < 0 ||
	    mono_diff_ms(clock_mono(), c->since) > DOOR_LAST_ANSWER_MS)
		add(m, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result send_reply(struct request *r)
{
	const char *etag =
		r->reply.file != NULL ? r->reply.file->etag : r->reply.content->etag;
	bool known = r->reply.status == MHD_HTTP_OK && !r->post &&
		     content_is_known(
			     MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_IF_NONE_MATCH),
			     etag);
	bool gzipped = false;
	struct MHD_Response *m;
	enum MHD_Result rc;

	m = known ? MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
						    MHD_RESPMEM_PERSISTENT)
		  : response_of(r, &gzipped);
	if (m == NULL)
		return MHD_NO;
	add_headers(r, m, etag);
	if (!known)
		add(m, MHD_HTTP_HEADER_CONTENT_TYPE, r->reply.type);
	if (gzipped)
		add(m, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	rc = MHD_queue_response(r->connection,
				known ? MHD_HTTP_NOT_MODIFIED : r->reply.status, m);
	MHD_destroy_response(m);
	return rc;
}

static bool has_reply(const struct request *r)
{
	return r->reply.content != NULL || r->reply.file != NULL;
}

/* ---- what libmicrohttpd calls ---- */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	(void)mhd;
	return request_new(cls, uri);
}

static size_t leave_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd,
				  const char *url, const char *method,
				  const char *version, const char *upload, size_t *n,
				  void **context)
{
	struct door *d = cls;
	struct request *r = *context;
	struct caller c = caller_of(d, mhd, version);

	(void)url;
	if (r == NULL)
		return MHD_NO;
	if (!r->begun) {
		r->begun = true;
		r->connection = mhd;
		metrics_add(METRIC_HTTP_REQUESTS, 1);
		request_begin(d->serve, r, &c, method);
		return has_reply(r) ? send_reply(r) : MHD_YES;
	}
	if (*n > 0) {
		request_add(r, upload, *n);
		*n = 0;
		return MHD_YES;
	}
	if (!has_reply(r))
		request_answer(d->serve, r, &c);
	if (r->waiting) {
		connection_of(mhd)->waiting = true;
		MHD_suspend_connection(mhd);
		return MHD_YES;
	}
	return send_reply(r);
}

void door_resume(struct request *r)
{
	r->waiting = false;
	connection_of(r->connection)->waiting = false;
	MHD_resume_connection(r->connection);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode how)
{
	(void)cls;
	(void)mhd;
	(void)how;
	request_free(*context);
	*context = NULL;
}

__attribute__((format(printf, 2, 0))) static void on_message(void *cls, const char *fmt,
							     va_list args)
{
	char text[256];

	(void)cls;
	if (!log_wants(LOG_DEBUG))
		return;
	(void)vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http", "%s", text);
}

/* ---- open, run, close ---- */

int door_open(struct door **out, struct serve *s, int fd, bool local,
	      const struct door_tls *tls, struct err *err)
{
	struct door *d = mem_calloc(1, sizeof(*d));
	bool https = tls != NULL && tls->cert != NULL;
	bool asks = https && tls->client_ca != NULL;
	struct MHD_OptionItem secure[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0,
		 (void *)(uintptr_t)(https ? tls->cert : NULL)},
		{MHD_OPTION_HTTPS_MEM_KEY, 0,
		 (void *)(uintptr_t)(https ? tls->key : NULL)},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
		 (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
		{asks ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		 (void *)(uintptr_t)(asks ? tls->client_ca : NULL)},
		{MHD_OPTION_END, 0, NULL}};
	const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	*d = (struct door){.serve = s, .fd = fd, .local = local, .tls = https};
	d->asks_certificates = asks;
	d->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			(https ? MHD_USE_TLS : 0),
		0, NULL, NULL, on_request, d, MHD_OPTION_EXTERNAL_LOGGER, on_message,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)DOOR_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)DOOR_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)DOOR_IDLE_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection, d,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, d,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, d, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escapes, d, MHD_OPTION_ARRAY, https ? secure : none,
		MHD_OPTION_END);
	if (d->daemon == NULL) {
		free(d);
		return err_set(err, ERR_RETRY,
			       https ? "the certificate and its key cannot be used"
				     : "no listener (out of descriptors or memory)");
	}
	*out = d;
	return 0;
}

void door_close(struct door *d)
{
	if (d == NULL)
		return;
	MHD_stop_daemon(d->daemon); /* closes the socket and all connections */
	free(d);
}

void door_retire(struct door *d)
{
	close(MHD_quiesce_daemon(d->daemon));
	d->fd = -1;
}

bool door_is_empty(const struct door *d)
{
	return d->first == NULL;
}

int door_socket(const struct door *d)
{
	return fcntl(d->fd, F_DUPFD_CLOEXEC, 0);
}

int door_fd(const struct door *d)
{
	return MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static struct mono shut_the_old(struct door *d, struct mono now)
{
	struct mono next = MONO_NEVER;

	for (struct connection *c = d->first; c != NULL; c = c->next) {
		struct mono end = mono_add_ms(c->since, DOOR_AGE_MS);

		if (c->shut || c->waiting)
			continue;
		if (mono_before(now, end))
			return mono_min(next, end); /* the others are younger */
		shut(c);
	}
	return next;
}

struct mono door_run(struct door *d, struct mono now)
{
	MHD_UNSIGNED_LONG_LONG ms;
	struct mono next = shut_the_old(d, now);

	d->some_went = d->some_came = false;
	(void)MHD_run(d->daemon);
	/* At its limit it listens again only in the run after one that made room. */
	if (d->some_went)
		next = now;
	if (MHD_get_timeout(d->daemon, &ms) == MHD_YES)
		next = mono_min(next, mono_add_ms(now, (int64_t)ms));
	return next;
}

bool door_is_stuck(const struct door *d)
{
	struct pollfd knock = {d->fd, POLLIN, 0};

	/* With connections open libmicrohttpd waits for one of them to end. */
	return d->first == NULL && !d->some_came && !d->some_went &&
	       poll(&knock, 1, 0) == 1;
}
