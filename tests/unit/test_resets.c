/* SPDX-License-Identifier: MIT
 * A connection that is reset at every byte of a bulk request, and at every byte of its
 * answer: nothing may count as stored that is not known to be, and the same documents,
 * sent again each time, are stored once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "elastic/elastic.h"
#include "http/http.h"

#include "banned.h"

#define DOCUMENTS 2

/* The far end: what it does with the next bulk, and what it has. */
static struct {
	int listener;
	pthread_t thread;
	atomic_size_t take; /* bytes of the request, then a reset */
	atomic_size_t give; /* bytes of the answer, then a reset */
	atomic_size_t request_len, answer_len;
	atomic_int stored[DOCUMENTS], conflicts;
} far;

static void reset(int fd)
{
	const struct linger hard = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

/* One request with its body, up to `max` bytes; "" at the end. */
static void take(int fd, size_t max, struct buf *in)
{
	size_t want = SIZE_MAX;
	char byte[1];

	buf_reset(in);
	while (in->len < want && in->len < max && read(fd, byte, 1) == 1) {
		const char *end, *length;

		buf_add(in, byte, 1);
		if (want != SIZE_MAX || (end = strstr(in->data, "\r\n\r\n")) == NULL)
			continue;
		length = strcasestr(in->data, "\r\nContent-Length: ");
		want = (size_t)(end + 4 - in->data) +
		       (length != NULL ? strtoull(length + 18, NULL, 10) : 0);
		if (strncmp(in->data, "POST", 4) == 0)
			atomic_store(&far.request_len, want);
	}
}

static void store(const struct buf *in, struct buf *out)
{
	buf_addstr(out, "{\"errors\":true,\"items\":[");
	for (int i = 0; i < DOCUMENTS; i++) {
		char *field = mem_printf("{\"p0\":%d}", i);

		if (strstr(in->data, field) == NULL)
			abort();
		free(field);
		if (atomic_fetch_add(&far.stored[i], 0) == 0) {
			atomic_store(&far.stored[i], 1);
			buf_printf(out, "%s{\"create\":{\"status\":201}}",
				   i > 0 ? "," : "");
		} else {
			atomic_fetch_add(&far.conflicts, 1);
			buf_printf(out,
				   "%s{\"create\":{\"status\":409,\"error\":{\"type\":"
				   "\"version_conflict_engine_exception\"}}}",
				   i > 0 ? "," : "");
		}
	}
	buf_addstr(out, "]}");
}

static void answer(int fd, const struct buf *in)
{
	struct buf body = BUF_INIT(65536), out = BUF_INIT(65536);
	size_t give = atomic_load(&far.give);

	store(in, &body);
	buf_printf(&out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", body.len,
		   buf_str(&body));
	atomic_store(&far.answer_len, out.len);
	if (give < out.len)
		reset(fd);
	if (write(fd, out.data, give < out.len ? give : out.len) < 0)
		reset(fd);
	buf_free(&body);
	buf_free(&out);
}

static void serve(int fd)
{
	static const char there[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct buf in = BUF_INIT(65536);

	for (;;) {
		char method[1];
		bool bulk;

		/* a look, so that what is not to be taken stays unread */
		if (recv(fd, method, 1, MSG_PEEK) != 1)
			break;
		bulk = method[0] == 'P';
		take(fd, bulk ? atomic_load(&far.take) : SIZE_MAX, &in);
		if (!bulk) {
			if (write(fd, there, sizeof(there) - 1) < 0)
				break;
			continue;
		}
		if (in.len == 0 || in.len < atomic_load(&far.request_len) ||
		    atomic_load(&far.request_len) == 0) {
			reset(fd);
			break;
		}
		answer(fd, &in);
		if (atomic_load(&far.give) < atomic_load(&far.answer_len))
			break;
	}
	buf_free(&in);
}

static void *far_main(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept4(far.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve(fd);
		close(fd);
	}
	return NULL;
}

static char *far_start(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);

	far.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(far.listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(far.listener, 16), 0);
	assert_int_equal(getsockname(far.listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(pthread_create(&far.thread, NULL, far_main, NULL), 0);
	return mem_printf("http://127.0.0.1:%d", ntohs(a.sin_port));
}

static enum bulk_whole send_all(struct elastic *e, const struct document *d,
				struct bulk_item *v)
{
	struct err err = ERR_INIT;
	int64_t wish;
	/* the index was just looked at: one request only */
	enum bulk_whole whole = elastic_bulk(e, d, DOCUMENTS, v, &wish,
					     (struct mono){1000000000}, &err);

	if (whole != WHOLE_ITEMS)
		assert_int_equal(err.code, TROUBLE_UNREACHABLE);
	return whole;
}

static void a_reset_at_any_byte_settles_nothing_and_doubles_nothing(void **state)
{
	const struct origin o = {.cluster = "c", .group = "g", .topic = "t"};
	char *url = far_start(), index[] = "consumer_lag";
	char *hosts[] = {url};
	struct config_elastic config = {.hosts = {hosts, 1},
					.index = index,
					.timeout_ms = 20000};
	struct document d[DOCUMENTS];
	struct bulk_item v[DOCUMENTS];
	struct elastic *e = NULL;
	struct err err = ERR_INIT;
	size_t n;

	(void)state;
	for (int i = 0; i < DOCUMENTS; i++) {
		struct buf b = BUF_INIT(64);

		buf_printf(&b, "{\"p0\":%d}", i);
		d[i] = document_make((struct wall){1795232170123 + i}, &o, "sample",
				     "1", &b);
	}
	assert_int_equal(elastic_open(&e, &config, NULL, &err), 0);
	atomic_store(&far.give, SIZE_MAX);
	n = 0;
	do {
		atomic_store(&far.take, n);
		assert_int_equal(send_all(e, d, v), WHOLE_AGAIN);
		assert_int_equal(atomic_load(&far.stored[0]), 0);
	} while (++n < atomic_load(&far.request_len) ||
		 atomic_load(&far.request_len) == 0);
	assert_true(n > 300);
	atomic_store(&far.take, SIZE_MAX);
	n = 0;
	do {
		atomic_store(&far.give, n);
		assert_int_equal(send_all(e, d, v), WHOLE_AGAIN);
	} while (++n < atomic_load(&far.answer_len));
	assert_true(n > 100);
	atomic_store(&far.give, SIZE_MAX);
	assert_int_equal(send_all(e, d, v), WHOLE_ITEMS);
	for (int i = 0; i < DOCUMENTS; i++) {
		assert_int_equal(v[i].verdict, BULK_DUPLICATE);
		assert_int_equal(atomic_load(&far.stored[i]), 1);
		document_fini(&d[i]);
	}
	assert_int_equal(atomic_load(&far.conflicts), (int)n * DOCUMENTS);
	elastic_close(e);
	shutdown(far.listener, SHUT_RDWR);
	pthread_join(far.thread, NULL);
	close(far.listener);
	free(url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_reset_at_any_byte_settles_nothing_and_doubles_nothing),
	};
	struct err err = ERR_INIT;

	return http_global_init(&err) != 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
