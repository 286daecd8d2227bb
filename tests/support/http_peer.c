/* SPDX-License-Identifier: MIT
 * http_peer: a far end for tests, included by them: a thread with a listener on a port
 * of the kernel's choice, that plays a script of answers and keeps the requests.
 * Nothing in it waits for time: an answer that is to come late waits for the client to
 * go away. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/wake.h"

#define PEER_MAX 64

struct peer_step {
	const char *raw;     /* the bytes of the answer; NULL: none, see hang */
	size_t len;          /* 0: strlen(raw) */
	size_t cut;          /* send so many of them and close; 0: all */
	bool silent;         /* send nothing and close */
	bool hang;           /* send nothing and wait until the client goes away */
	struct wake *stop;   /* stop the client's thread once the request is there */
	struct wake *signal; /* signal it */
};

struct peer_request {
	char method[16], path[512];
	char *head; /* request line and headers */
	struct buf body;
};

struct peer {
	int listener, quit[2];
	char url[64];
	const struct peer_step *steps;
	size_t step_count, at;
	struct peer_request requests[PEER_MAX];
	size_t n; /* of requests; read it after peer_end */
	size_t connections;
	pthread_t thread;
};

/* An answer that keeps the connection, with its length. The caller frees it. */
static inline char *peer_answer(int status, const char *headers, const char *body)
{
	return mem_printf("HTTP/1.1 %d Reason\r\nContent-Length: %zu\r\n%s\r\n%s",
			  status, strlen(body), headers, body);
}

static bool peer_wait(struct peer *p, int fd)
{
	struct pollfd fds[2] = {{fd, POLLIN, 0}, {p->quit[0], POLLIN, 0}};

	return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

static char *peer_header(const struct peer_request *r, const char *name)
{
	static char value[512];
	const char *line = strstr(r->head, "\r\n");

	for (; line != NULL; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, strlen(name)) == 0 &&
		    line[2 + strlen(name)] == ':') {
			const char *v = line + 3 + strlen(name);

			v += strspn(v, " ");
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(v, "\r"),
				 v);
			return value;
		}
	return NULL;
}

/* How many headers of that name there are. */
static inline size_t peer_header_count(const struct peer_request *r, const char *name)
{
	size_t n = 0;

	for (const char *line = strstr(r->head, "\r\n"); line != NULL;
	     line = strstr(line + 2, "\r\n"))
		n += strncasecmp(line + 2, name, strlen(name)) == 0 &&
		     line[2 + strlen(name)] == ':';
	return n;
}

/* Read one request; false at the end of the connection. */
static bool peer_read(struct peer *p, int fd, struct peer_request *r)
{
	struct buf in = BUF_INIT(64 << 20);
	char *end = NULL, chunk[65536];
	const char *length;
	size_t want;

	for (;;) {
		ssize_t got;

		if (end == NULL && in.len > 0 &&
		    (end = strstr(in.data, "\r\n\r\n")) != NULL) {
			r->head = mem_strndup(in.data, (size_t)(end + 2 - in.data));
			length = peer_header(r, "Content-Length");
			want = (size_t)(end + 4 - in.data) +
			       (length != NULL ? (size_t)strtoull(length, NULL, 10)
					       : 0);
		}
		if (end != NULL && in.len >= want)
			break;
		if (!peer_wait(p, fd) || (got = read(fd, chunk, sizeof(chunk))) <= 0) {
			buf_free(&in);
			free(r->head);
			r->head = NULL;
			return false;
		}
		buf_add(&in, chunk, (size_t)got);
	}
	snprintf(r->method, sizeof(r->method), "%.*s", (int)strcspn(r->head, " "),
		 r->head);
	length = r->head + strcspn(r->head, " ") + 1;
	snprintf(r->path, sizeof(r->path), "%.*s", (int)strcspn(length, " "), length);
	buf_consume(&in, strlen(r->head) + 2);
	r->body = in;
	return true;
}

static bool peer_send(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Answer as the script says; false when the connection is to be closed. */
static bool peer_reply(struct peer *p, int fd)
{
	static const struct peer_step end = {
		.raw = "HTTP/1.1 599 Script Ended\r\nContent-Length: 0\r\n\r\n"};
	const struct peer_step *s = p->at < p->step_count ? &p->steps[p->at] : &end;
	size_t len = s->raw == NULL ? 0 : s->len > 0 ? s->len : strlen(s->raw);
	char rest[256];

	p->at++;
	if (s->stop != NULL)
		wake_stop(s->stop);
	if (s->signal != NULL)
		wake_signal(s->signal);
	while (s->hang && peer_wait(p, fd) && read(fd, rest, sizeof(rest)) > 0)
		;
	if (s->hang || s->silent)
		return false;
	if (s->cut > 0 && s->cut < len) {
		peer_send(fd, s->raw, s->cut);
		return false;
	}
	return peer_send(fd, s->raw, len);
}

static void *peer_main(void *arg)
{
	struct peer *p = arg;

	while (peer_wait(p, p->listener)) {
		int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break;
		p->connections++;
		while (p->n < PEER_MAX && peer_read(p, fd, &p->requests[p->n])) {
			p->n++;
			if (!peer_reply(p, fd))
				break;
		}
		close(fd);
	}
	return NULL;
}

/* A listener on loopback; its port in *port. */
static int peer_listen(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 16) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	*port = ntohs(a.sin_port);
	return fd;
}

static struct peer *peer_start(const struct peer_step *steps, size_t n)
{
	struct peer *p = mem_calloc(1, sizeof(*p));
	int port;

	p->steps = steps;
	p->step_count = n;
	p->listener = peer_listen(&port);
	snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d", port);
	if (pipe(p->quit) != 0 || pthread_create(&p->thread, NULL, peer_main, p) != 0)
		abort();
	return p;
}

/* End the thread; what it recorded can be read now. */
static void peer_end(struct peer *p)
{
	if (p->listener < 0)
		return;
	close(p->quit[1]);
	pthread_join(p->thread, NULL);
	close(p->quit[0]);
	close(p->listener);
	p->listener = -1;
}

static void peer_free(struct peer *p)
{
	peer_end(p);
	for (size_t i = 0; i < p->n; i++) {
		free(p->requests[i].head);
		buf_free(&p->requests[i].body);
	}
	free(p);
}
