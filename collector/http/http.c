/* SPDX-License-Identifier: MIT
 * http: see http.h. An easy handle is driven by a multi handle, so that the wait for
 * the peer is also a wait for the owner's wake; the multi handle keeps the connections.
 */
#include "http/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/http_int.h"

#include "banned.h"

#define CONNECT_TIMEOUT_MS 10000
#define TIMEOUT_MS 30000
#define ANSWER_MAX 65536
#define HEADERS_MAX 65536
#define ADDRESS_S 5L   /* for which the address of a name is remembered */
#define GZIP_FROM 1024 /* bytes of body that are worth it */
#define RETRY_AFTER_MAX 3600

/* One exchange under way. */
struct exchange {
	struct http_answer *answer;
	const struct http_request *request;
	CURL *easy;
	size_t header_bytes, taken;
	bool headers_end;         /* the blank line was seen; libcurl does without */
	char encoding[128];       /* Content-Encoding; "" for none */
	struct unpack *unpack;    /* NULL: the body comes as it is */
	bool body_begun, strange; /* it is packed otherwise than was asked for, */
	bool not_packed;          /* or not as it says */
	bool too_large, refused;
	char detail[CURL_ERROR_SIZE];
};

int http_global_init(struct err *err)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	if (code == CURLE_OK)
		return 0;
	return err_set(err, ERR_PERMANENT, "libcurl: %s", curl_easy_strerror(code));
}

void http_global_fini(void)
{
	curl_global_cleanup();
}

static char *copy(const char *s)
{
	return s == NULL || *s == '\0' ? NULL : mem_strdup(s);
}

/* The owner's eventfd is not ours to read, and stays readable until it is read. Seen
 * through an edge-triggered epoll it reports each signal once, and is left as it is. */
static int watch_wake(struct http *h, struct wake *wake, struct err *err)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};

	h->wake = wake;
	if (wake == NULL)
		return 0;
	h->wake_edges = epoll_create1(EPOLL_CLOEXEC);
	if (h->wake_edges < 0 ||
	    epoll_ctl(h->wake_edges, EPOLL_CTL_ADD, wake->fd, &ev) != 0)
		return err_set_errno(err, ERR_RETRY, errno,
				     "no descriptor (ulimit -n)");
	return 0;
}

int http_open(struct http **out, const struct http_options *o, struct wake *wake,
	      struct err *err)
{
	struct http *h = mem_calloc(1, sizeof(*h));
	int rc;

	h->wake_edges = -1;
	h->username = copy(o->username);
	h->password_file = copy(o->password_file);
	h->api_key_file = copy(o->api_key_file);
	h->token_file = copy(o->token_file);
	h->unix_socket = copy(o->unix_socket);
	h->gzip = o->gzip;
	h->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
	h->connect_timeout_ms =
		o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	rc = http_tls_open(h, o, err);
	if (rc == 0)
		rc = http_auth_make(h, &h->authorization, err);
	if (rc == 0)
		rc = watch_wake(h, wake, err);
	if (rc == 0) {
		h->multi = curl_multi_init();
		h->easy = curl_easy_init();
		if (h->multi == NULL || h->easy == NULL)
			rc = err_set(err, ERR_RETRY, "libcurl: out of memory");
	}
	if (rc != 0) {
		http_close(h);
		return rc;
	}
	*out = h;
	return 0;
}

void http_close(struct http *h)
{
	if (h == NULL)
		return;
	if (h->easy != NULL)
		curl_easy_cleanup(h->easy);
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	if (h->wake_edges >= 0)
		close(h->wake_edges);
	http_auth_free(h->authorization);
	free(h->username);
	free(h->password_file);
	free(h->api_key_file);
	free(h->token_file);
	free(h->cert_path);
	free(h->key_path);
	free(h->ca_file);
	free(h->unix_socket);
	free(h);
}

int http_reread(struct http *h, struct err *err)
{
	char *fresh = NULL;
	int rc = http_auth_make(h, &fresh, err);

	if (rc != 0)
		return rc;
	http_auth_free(h->authorization);
	h->authorization = fresh;
	return 0;
}

/* A piece for the caller's own hands. */
static bool pass_on(struct exchange *x, const char *data, size_t len)
{
	if (len > x->answer->body.max - x->taken) {
		x->too_large = true;
		return false;
	}
	x->taken += len;
	x->refused = x->request->take(x->request->take_arg, data, len) != 0;
	return !x->refused;
}

static bool give(void *arg, const char *data, size_t len)
{
	struct exchange *x = arg;
	long status = 0;

	if (x->request->take != NULL &&
	    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    status / 100 == 2)
		return pass_on(x, data, len);
	x->too_large = buf_add(&x->answer->body, data, len) != 0;
	return !x->too_large;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * n;

	if (!x->body_begun)
		x->strange = http_unpack_new(&x->unpack, x->encoding) != 0;
	x->body_begun = true;
	if (x->strange)
		return 0;
	if (x->unpack == NULL)
		return give(x, data, len) ? len : 0;
	switch (http_unpack_feed(x->unpack, data, len, give, x)) {
	case UNPACKED_GOOD:
		return len;
	case UNPACKED_NOT:
		x->not_packed = true;
		break;
	case UNPACKED_REFUSED:
		break;
	}
	return 0;
}

/* Seconds, or a date; -1 for neither. */
static long read_retry_after(const char *value)
{
	char *end;
	long long s;

	errno = 0;
	s = strtoll(value, &end, 10);
	if (end == value || *end != '\0') {
		time_t date = curl_getdate(value, NULL);

		if (date == (time_t)-1)
			return -1;
		s = (long long)date - clock_wall().ms / 1000;
	}
	return s < 0 ? 0 : s > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (long)s;
}

static struct wall read_date(const char *value)
{
	time_t date = curl_getdate(value, NULL);

	return (struct wall){date == (time_t)-1 ? 0 : (int64_t)date * 1000};
}

/* The value of header `name` in `line`, with the blanks around it cut off; false when
 * it is another header or the value is too long. */
static bool header_value(const char *line, size_t len, const char *name, char *out,
			 size_t size)
{
	size_t skip = strlen(name);

	if (len <= skip || line[skip] != ':' || strncasecmp(line, name, skip) != 0)
		return false;
	line += skip + 1;
	len -= skip + 1;
	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (len >= size)
		return false;
	memcpy(out, line, len);
	out[len] = '\0';
	return true;
}

static size_t take_header(char *line, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct http_answer *a = x->answer;
	size_t len = size * n;
	char value[128];

	x->header_bytes += len;
	if (x->header_bytes > HEADERS_MAX) {
		x->too_large = true;
		return 0;
	}
	if (len > 5 &&
	    memcmp(line, "HTTP/", 5) == 0) { /* after 1xx, or a proxy's own */
		a->content_type[0] = '\0';
		a->retry_after_s = -1;
		a->date = (struct wall){0};
		a->delimited = false;
		x->headers_end = false;
		x->encoding[0] = '\0';
	} else if (line[0] == '\r' || line[0] == '\n') {
		x->headers_end = true;
	} else if (header_value(line, len, "Content-Type", value, sizeof(value))) {
		snprintf(a->content_type, sizeof(a->content_type), "%s", value);
	} else if (header_value(line, len, "Content-Encoding", value, sizeof(value))) {
		snprintf(x->encoding, sizeof(x->encoding), "%s", value);
	} else if (header_value(line, len, "Retry-After", value, sizeof(value))) {
		a->retry_after_s = read_retry_after(value);
	} else if (header_value(line, len, "Date", value, sizeof(value))) {
		a->date = read_date(value);
	} else if (header_value(line, len, "Content-Length", value, sizeof(value)) ||
		   header_value(line, len, "Transfer-Encoding", value, sizeof(value))) {
		a->delimited = true;
	}
	return len;
}

static void add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more != NULL)
		*list = more;
}

/* libcurl copies the lines; the copies are wiped too. */
static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *s = list; s != NULL; s = s->next)
		mem_wipe(s->data, strlen(s->data));
	curl_slist_free_all(list);
}

static struct curl_slist *make_headers(const struct http *h,
				       const struct http_request *r, bool packed)
{
	struct curl_slist *list = NULL;
	char *type = mem_printf("Content-Type:%s%s", r->content_type != NULL ? " " : "",
				r->content_type != NULL ? r->content_type : "");

	add_header(&list, type); /* no value: libcurl is not to make one up */
	free(type);
	add_header(&list, "Expect:");
	add_header(&list, "Accept-Encoding: gzip");
	for (size_t i = 0; i < HTTP_HEADERS_MAX && r->headers[i] != NULL; i++)
		add_header(&list, r->headers[i]);
	if (packed)
		add_header(&list, "Content-Encoding: gzip");
	if (h->authorization != NULL)
		add_header(&list, h->authorization);
	return list;
}

/* What all requests have in common. */
static void setup(struct http *h, const struct http_request *r, struct exchange *x)
{
	CURL *easy = h->easy;

	curl_easy_reset(easy); /* connections are kept */
	curl_easy_setopt(easy, CURLOPT_URL, r->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (h->unix_socket != NULL) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, h->unix_socket);
		curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nobody stands between */
	}
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A resolver that hangs is left behind, not waited for. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	/* Connections are kept, so a name is looked up after a break, when it may well
	 * lead elsewhere; libcurl's minute would be lost. It bounds the look-ups where
	 * a server ends the connection after each answer. */
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, ADDRESS_S);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			 r->timeout_ms > 0 ? r->timeout_ms : h->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, h->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "mmlag/" MMLAG_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->detail);
	http_tls_setup(h, easy);
}

static void setup_request(struct http *h, const struct http_request *r,
			  struct exchange *x, const struct curl_slist *headers,
			  const char *body, size_t len)
{
	CURL *easy = h->easy;

	setup(h, r, x);
	if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (strcmp(r->method, "GET") != 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body != NULL ? body : "");
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
}

static bool stopping(const struct http *h)
{
	return h->wake != NULL && wake_stopping(h->wake);
}

/* Run the easy handle to its end. Returns false when the owner is to stop. */
static bool drive(const struct http *h, CURLcode *result)
{
	struct curl_waitfd extra = {h->wake_edges, CURL_WAIT_POLLIN, 0};
	struct epoll_event ev;
	int running = 1, left;
	CURLMsg *msg;

	*result = CURLE_FAILED_INIT;
	while (!stopping(h)) {
		if (curl_multi_perform(h->multi, &running) != CURLM_OK)
			return true;
		if (running == 0)
			break;
		if (curl_multi_poll(h->multi, &extra, h->wake_edges >= 0, 60000,
				    NULL) != CURLM_OK)
			return true;
		if (extra.revents != 0 && epoll_wait(h->wake_edges, &ev, 1, 0) < 0)
			return true;
	}
	while ((msg = curl_multi_info_read(h->multi, &left)) != NULL)
		if (msg->msg == CURLMSG_DONE)
			*result = msg->data.result;
	return running == 0;
}

/* What became of the packing, once all has arrived. */
static int check_packing(const struct exchange *x, CURLcode result, const char *origin,
			 struct err *err)
{
	if (x->strange)
		return err_set_code(err, ERR_RETRY, HTTP_UNKNOWN,
				    "%s: the answer is packed in a way that was not "
				    "asked for (%s)",
				    origin, x->encoding);
	if (x->not_packed)
		return err_set_code(err, ERR_RETRY, HTTP_UNKNOWN,
				    "%s: the answer is not packed as its headers say "
				    "(%s)",
				    origin, x->encoding);
	if (result != CURLE_OK || x->unpack == NULL)
		return 0;
	if (!http_unpack_whole(x->unpack))
		return err_set_code(err, ERR_RETRY, HTTP_UNKNOWN,
				    "%s: the packed answer is cut off", origin);
	x->answer->delimited = true; /* by itself */
	return 0;
}

/* As http_exchange, for an easy handle that is set up. */
static int perform(const struct http *h, const struct exchange *x, const char *origin,
		   struct err *err)
{
	CURLcode result = CURLE_OUT_OF_MEMORY;
	bool ended = true;

	if (curl_multi_add_handle(h->multi, h->easy) == CURLM_OK) {
		ended = drive(h, &result);
		curl_multi_remove_handle(h->multi, h->easy);
	}
	if (!ended)
		return err_set_code(err, ERR_RETRY, HTTP_STOPPED, "%s: stopped",
				    origin);
	if (x->too_large)
		return err_set_code(
			err, ERR_RETRY, HTTP_TOO_LARGE,
			"%s: the answer is larger than %zu bytes, unpacked; is this "
			"the right server?",
			origin, x->answer->body.max);
	if (x->refused)
		return err_set_code(err, ERR_REJECT, HTTP_REFUSED,
				    "%s: the answer is not understood; is this the "
				    "right server?",
				    origin);
	if (check_packing(x, result, origin, err) != 0)
		return err->class;
	if (result != CURLE_OK && h->pin_fault != PIN_GOOD)
		return http_tls_pin_error(h, origin, err);
	if (result != CURLE_OK)
		return http_error_map(h->easy, result, x->detail, origin, err);
	return 0;
}

int http_exchange(struct http *h, const struct http_request *r, struct http_answer *a,
		  struct err *err)
{
	struct exchange x = {.answer = a, .request = r, .easy = h->easy};
	struct curl_slist *headers;
	struct buf packed = BUF_INIT(0);
	char origin[HTTP_ORIGIN_MAX];
	bool gzip = h->gzip && r->body_len > GZIP_FROM &&
		    http_pack(r->body, r->body_len, &packed) == 0;
	long status = 0;
	int rc;

	*a = (struct http_answer){.retry_after_s = -1};
	buf_init(&a->body, r->answer_max > 0 ? r->answer_max : ANSWER_MAX);
	if (h->unix_socket != NULL)
		snprintf(origin, sizeof(origin), "%s", h->unix_socket);
	else
		http_origin(r->url, origin);
	headers = make_headers(h, r, gzip);
	setup_request(h, r, &x, headers, gzip ? packed.data : r->body,
		      gzip ? packed.len : r->body_len);
	rc = perform(h, &x, origin, err);
	if (rc == 0 && !x.headers_end)
		rc = err_set_code(err, ERR_RETRY, HTTP_UNKNOWN,
				  "%s: the answer was cut off in its headers", origin);
	if (rc == 0 &&
	    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
		a->status = (int)status;
	/* The handle must not point at what dies here. */
	curl_easy_reset(h->easy);
	free_headers(headers);
	http_unpack_free(x.unpack);
	buf_free(&packed);
	return rc;
}

void http_answer_fini(struct http_answer *a)
{
	buf_free(&a->body);
}
