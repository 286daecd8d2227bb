/* SPDX-License-Identifier: MIT
 * link: from a name to an encrypted connection with the right host. libssh2 is used in
 * its blocking mode (its non-blocking set-up has bugs), but never waits itself: our
 * receive callback does, so that a stop or a deadline ends every wait at once. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lag/reason.h"
#include "ssh/hostkey_int.h"
#include "ssh/ssh_int.h"

#include "banned.h"

#define CONNECT_MS 10000
#define PHASE_MS 15000
#define PROXY_MS                                                                    \
	25000         /* for a proxy to reach the host: each bastion takes its time \
		       */
#define DEAD_MS 10000 /* unacknowledged data for so long ends the connection */
#define FIRST_BYTES 8192
#define TYPES_MAX 8 /* connections made in search of a pinned key */

static void keep_first_bytes(struct link *l, const void *p, size_t n)
{
	size_t room = l->first_bytes.max - l->first_bytes.len;

	if (room > 0)
		buf_add(&l->first_bytes, p, n < room ? n : room);
}

static ssize_t receive(libssh2_socket_t fd, void *out, size_t size, int flags,
		       void **abstract)
{
	struct link *l = *abstract;

	for (;;) {
		ssize_t n;

		if (!l->waits && l->budget == 0)
			return -EAGAIN;
		n = recv(fd, out, size, flags);
		if (n > 0) {
			l->heard = true;
			keep_first_bytes(l, out, (size_t)n);
			l->budget -= (size_t)n < l->budget ? (size_t)n : l->budget;
			return n;
		}
		if (n == 0) {
			l->closed = true;
			return 0;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN) {
			l->receive_errno = errno;
			return -errno;
		}
		if (!l->waits)
			return -EAGAIN;
		l->wait_failed = ssh_wait_fd(&l->wait, fd, POLLIN);
		if (l->wait_failed != 0)
			return -ECANCELED;
	}
}

void link_limit(struct link *l, int64_t ms)
{
	l->wait.deadline = mono_add_ms(clock_mono(), ms);
}

void link_close(struct link *l)
{
	/* After the shutdown nothing of the library waits for the peer. */
	if (l->fd >= 0)
		(void)shutdown(l->fd, SHUT_RDWR);
	if (l->session != NULL)
		(void)libssh2_session_free(l->session);
	l->session = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	proxy_close(&l->proxy);
	buf_free(&l->first_bytes);
}

void link_fingerprint(const struct link *l, char out[FINGERPRINT_TEXT])
{
	size_t len = 0;
	int type;
	const char *blob = l->session != NULL
				   ? libssh2_session_hostkey(l->session, &len, &type)
				   : NULL;

	out[0] = '\0';
	if (blob != NULL)
		wire_fingerprint(blob, len, out);
}

/* The next of a comma-separated list of names, empty at its end. */
static struct span take_name(struct span *list)
{
	const unsigned char *comma = memchr(list->p, ',', list->len);
	struct span one = {list->p,
			   comma == NULL ? list->len : (size_t)(comma - list->p)};

	list->p += one.len + (comma != NULL);
	list->len -= one.len + (comma != NULL);
	return one;
}

static bool has_name(struct span list, const char *name)
{
	while (list.len > 0)
		if (span_is(take_name(&list), name))
			return true;
	return false;
}

static struct span span_of(const struct buf *b)
{
	return (struct span){(const unsigned char *)buf_str(b), b->len};
}

/* The names of the list that this libssh2 knows, appended to `out`. */
static void keep_supported(LIBSSH2_SESSION *session, struct span list, struct buf *out)
{
	const char **ours = NULL;
	int n = libssh2_session_supported_algs(session, LIBSSH2_METHOD_HOSTKEY, &ours);

	while (list.len > 0) {
		struct span one = take_name(&list);

		for (int i = 0; i < n; i++)
			if (span_is(one, ours[i]))
				buf_printf(out, "%s%s", out->len > 0 ? "," : "",
					   ours[i]);
	}
	if (n > 0)
		libssh2_free(session, ours);
}

/* If nothing the server offers of a kind is known here: say so. */
static bool nothing_common(const struct link *l, const char *kind, int method,
			   struct span offered, struct err *err)
{
	const char **ours = NULL;
	int n = libssh2_session_supported_algs(l->session, method, &ours);
	bool common = n <= 0;

	for (int i = 0; i < n; i++)
		common = common || has_name(offered, ours[i]);
	if (n > 0)
		libssh2_free(l->session, ours);
	if (common)
		return false;
	err_set_code(
		err, ERR_PERMANENT, REASON_SSH_ALGORITHM,
		"%s: no %s in common with libssh2 %s: the server offers only %.*s%s",
		l->name, kind, libssh2_version(0), (int)offered.len,
		(const char *)offered.p,
		method != LIBSSH2_METHOD_HOSTKEY ? ""
						 : "; give it an ed25519 key too "
						   "(ssh-keygen -A, HostKey)");
	return true;
}

static int no_algorithm(const struct link *l, struct err *err)
{
	struct kexinit k;

	if (kexinit_read(&l->first_bytes, &k) == 0 &&
	    (nothing_common(l, "key exchange", LIBSSH2_METHOD_KEX, k.kex, err) ||
	     nothing_common(l, "host key type", LIBSSH2_METHOD_HOSTKEY, k.hostkey,
			    err) ||
	     nothing_common(l, "cipher", LIBSSH2_METHOD_CRYPT_CS, k.cipher, err) ||
	     nothing_common(l, "MAC", LIBSSH2_METHOD_MAC_CS, k.mac, err)))
		return ERR_PERMANENT;
	return err_set_code(err, ERR_PERMANENT, REASON_SSH_ALGORITHM,
			    "%s: no algorithm in common with libssh2 %s", l->name,
			    libssh2_version(0));
}

/* Has something answered that is no SSH server? */
static bool is_stranger(const struct link *l)
{
	return l->first_bytes.len > 0 &&
	       memmem(l->first_bytes.data, l->first_bytes.len, "SSH-", 4) == NULL;
}

static int stranger(const struct link *l, struct err *err)
{
	char words[41];
	size_t n = strcspn(buf_str(&l->first_bytes), "\r\n");

	snprintf(words, sizeof(words), "%.*s", n < 40 ? (int)n : 40,
		 buf_str(&l->first_bytes));
	return err_set_code(err, ERR_RETRY, REASON_SSH_UNREACHABLE,
			    "%s: what answers is no SSH server; it begins with '%s'",
			    l->name, words);
}

int link_error(const struct link *l, const char *phase, struct err *err)
{
	char *text = NULL;
	int code = libssh2_session_last_error(l->session, &text, NULL, 0);

	if (l->wait_failed == ERR_AGAIN)
		return err_set(err, ERR_AGAIN, "told to stop");
	if (is_stranger(l))
		return stranger(l, err);
	if (l->wait_failed != 0)
		return err_set_code(err, ERR_RETRY, REASON_SSH_UNREACHABLE,
				    "%s: no answer during %s within %d s", l->name,
				    phase, PHASE_MS / 1000);
	if (l->receive_errno != 0) {
		err_set_errno(err, ERR_RETRY, l->receive_errno,
			      "%s: the connection broke during %s", l->name, phase);
		if (err != NULL)
			err->code = REASON_SSH_LOST;
		return ERR_RETRY;
	}
	if (l->closed || code == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
	    code == LIBSSH2_ERROR_SOCKET_SEND)
		return err_set_code(err, ERR_RETRY, REASON_SSH_LOST,
				    "%s: the %s closed the connection during %s",
				    l->name,
				    l->proxy.child != NULL ? "proxy" : "server", phase);
	if (code == LIBSSH2_ERROR_KEX_FAILURE || code == LIBSSH2_ERROR_METHOD_NONE)
		return no_algorithm(l, err);
	if (code == LIBSSH2_ERROR_CHANNEL_FAILURE)
		return err_set_code(
			err, ERR_RETRY, REASON_SSH_SESSIONS,
			"%s: no session is granted (MaxSessions in sshd_config?): "
			"%s",
			l->name, text);
	if (code == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		return err_set_code(
			err, ERR_PERMANENT, REASON_SSH_SESSIONS,
			"%s: the server does not run commands for this user", l->name);
	return err_set_code(err, ERR_RETRY, REASON_SSH_LOST,
			    "%s: %s failed: %s (libssh2 %d)", l->name, phase,
			    text != NULL ? text : "?", code);
}

static int make_session(struct link *l, const struct buf *methods, struct err *err)
{
	struct buf known = BUF_INIT(1024);
	int rc = 0;

	l->session = libssh2_session_init_ex(NULL, NULL, NULL, l);
	if (l->session == NULL)
		return err_set(err, ERR_RETRY, "%s: out of memory for a session",
			       l->name);
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(l->session, LIBSSH2_CALLBACK_RECV,
				      (libssh2_cb_generic *)receive);
#else
	{
		ssize_t (*f)(libssh2_socket_t, void *, size_t, int, void **) = receive;
		void *p;

		memcpy(&p, &f, sizeof(p)); /* ISO C has no such conversion */
		libssh2_session_callback_set(l->session, LIBSSH2_CALLBACK_RECV, p);
	}
#endif
	libssh2_session_set_blocking(l->session, 1);
	libssh2_session_set_timeout(l->session, PHASE_MS);
	/* Names that it does not know make 1.10 copy over itself. */
	keep_supported(l->session, span_of(methods), &known);
	if (libssh2_session_method_pref(l->session, LIBSSH2_METHOD_HOSTKEY,
					buf_str(&known)) != 0)
		rc = link_error(l, "choosing algorithms", err);
	buf_free(&known);
	return rc;
}

static int reach_directly(struct link *l, const struct config_topic *t, struct err *err)
{
	int64_t dead_ms = t->watchdog_ms * 2 > DEAD_MS ? t->watchdog_ms * 2 : DEAD_MS;
	int rc;

	link_limit(l, CONNECT_MS);
	rc = connect_host(t->host, t->port, dead_ms, &l->wait, &l->fd, err);
	if (rc != 0)
		return rc;
	link_limit(l, PHASE_MS);
	return connect_greeting(l->name, l->fd, &l->wait, err);
}

static int reach_through_proxy(struct link *l, const struct route *r, struct err *err)
{
	int rc = proxy_open(&l->proxy, r, &l->fd, err);
	char byte;

	if (rc != 0)
		return rc;
	link_limit(l, PROXY_MS);
	rc = ssh_wait_fd(&l->wait, l->fd, POLLIN);
	if (rc == ERR_AGAIN)
		return err_set(err, ERR_AGAIN, "told to stop");
	if (rc != 0)
		return err_set_code(err, ERR_RETRY, REASON_SSH_UNREACHABLE,
				    "%s: nothing comes through the proxy within %d s",
				    l->name, PROXY_MS / 1000);
	if (recv(l->fd, &byte, 1, MSG_PEEK) <= 0)
		return proxy_failed(&l->proxy, l->name, &l->wait, err);
	return 0;
}

/* What the peer said before our own banner failed to reach it. */
static void hear_last_words(struct link *l)
{
	char words[256];
	ssize_t n = 0;

	if (l->first_bytes.len == 0)
		n = recv(l->fd, words, sizeof(words), MSG_DONTWAIT);
	if (n > 0)
		keep_first_bytes(l, words, (size_t)n);
}

/* A connection with its keys exchanged; the host key is not checked yet. */
static int exchange_keys(struct link *l, const struct route *r,
			 const struct buf *methods, struct err *err)
{
	int rc = proxy_wanted(r) ? reach_through_proxy(l, r, err)
				 : reach_directly(l, &r->t, err);

	if (rc == 0) {
		link_limit(l, PHASE_MS);
		rc = make_session(l, methods, err);
	}
	if (rc != 0)
		return rc;
	if (libssh2_session_handshake(l->session, l->fd) == 0)
		return 0;
	hear_last_words(l);
	return link_error(l, "key exchange", err);
}

static bool is_rsa(const char *method)
{
	return strncmp(method, "rsa-", 4) == 0 || strcmp(method, "ssh-rsa") == 0;
}

/* The next of the server's host key types that was not looked at, into `method`. */
static bool next_method(const struct link *l, struct buf *seen, struct buf *method)
{
	const char *last = libssh2_session_methods(l->session, LIBSSH2_METHOD_HOSTKEY);
	struct kexinit k;

	if (last == NULL || kexinit_read(&l->first_bytes, &k) != 0)
		return false;
	buf_printf(seen, ",%s%s", last,
		   is_rsa(last) ? ",rsa-sha2-512,rsa-sha2-256,ssh-rsa" : "");
	buf_reset(method);
	while (k.hostkey.len > 0 && method->len == 0) {
		keep_supported(l->session, take_name(&k.hostkey), method);
		if (has_name(span_of(seen), buf_str(method)))
			buf_reset(method);
	}
	return method->len > 0;
}

static int check_host_key(const struct link *l, struct hostkeys *known,
			  const struct config_topic *t, struct err *err)
{
	size_t len = 0;
	int type;
	const char *blob = libssh2_session_hostkey(l->session, &len, &type);

	if (blob == NULL)
		return err_set_code(err, ERR_RETRY, REASON_SSH_HOST_KEY,
				    "%s: the server showed no host key", l->name);
	return hostkeys_check(known, t, (struct span){(const unsigned char *)blob, len},
			      err);
}

static void link_init(struct link *l, const struct config_topic *t, struct wake *wake)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->proxy.words_fd = -1;
	l->waits = true;
	l->wait.wake = wake;
	buf_init(&l->first_bytes, FIRST_BYTES);
	snprintf(l->name, sizeof(l->name), "%.110s:%d", t->host, t->port);
}

/* The library's session is one block of 55 KiB and more, nearly all of it room for
 * packets that is written once, with zeros, and hardly used again. Its pages that hold
 * nothing but zeros go back to the system, where they are zeros still; which parts they
 * are of what is not asked. */
void link_slim(struct link *l)
{
	static const char zeros[4096];
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t p = (uintptr_t)l->session;
	uintptr_t end = p + malloc_usable_size(l->session);

	if (page != sizeof(zeros))
		return;
	for (p = (p + page - 1) / page * page; p + page <= end; p += page)
		if (memcmp((const void *)p, zeros, page) == 0)
			(void)madvise((void *)p, page, MADV_DONTNEED);
}

/* A pinned fingerprint does not tell of which type the key is, and a server with
 * several keys shows one for each connection. */
int link_open(struct link *l, const struct route *r, struct wake *wake, struct err *err)
{
	const struct config_topic *t = &r->t;
	struct buf methods = BUF_INIT(1024), seen = BUF_INIT(1024);
	struct hostkeys known;
	int rc;

	link_init(l, t, wake);
	hostkeys_init(&known, r->key_name != NULL ? r->key_name : t->host,
		      r->key_name != NULL ? 22 : t->port);
	hostkeys_add_files(&known, &t->known_hosts);
	hostkeys_methods(&known, &methods);
	for (int i = 0; i < TYPES_MAX; i++) {
		rc = exchange_keys(l, r, &methods, err);
		if (rc == 0)
			rc = check_host_key(l, &known, t, err);
		if (rc == 0 || t->host_key != HOST_KEY_PINNED ||
		    err->code != REASON_SSH_HOST_KEY ||
		    !next_method(l, &seen, &methods))
			break;
		link_close(l);
		link_init(l, t, wake);
	}
	buf_free(&l->first_bytes);
	l->first_bytes.max = 0;
	buf_free(&methods);
	buf_free(&seen);
	hostkeys_fini(&known);
	return rc;
}
