/* SPDX-License-Identifier: MIT
 * The HTTP client against a scripted far end, and against openssl's TLS server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <zlib.h>

#include "http/http.h"

#include "support/http_peer.c"
#include "support/tls_peer.c"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static char dir[] = "/tmp/mmlag-test-http-XXXXXX";

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

/* A file of mode 0600 with that content. */
static char *secret_file(const char *name, const char *content)
{
	char *path = in_dir(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static struct http *opened(const struct http_options *o, struct wake *wake)
{
	struct err err = ERR_INIT;
	struct http *h = NULL;

	if (http_open(&h, o, wake, &err) != 0)
		fail_msg("http_open: %s", err.text);
	return h;
}

/* One exchange with a client of its own. */
static int ask(const struct http_options *o, const struct http_request *r,
	       struct http_answer *a, struct err *err)
{
	struct http *h = opened(o, NULL);
	int rc;

	*err = (struct err)ERR_INIT;
	rc = http_exchange(h, r, a, err);
	http_close(h);
	return rc;
}

/* GET from a peer that plays one step. */
static int get_raw(const struct peer_step *step, size_t answer_max,
		   struct http_answer *a, struct err *err)
{
	struct peer *p = peer_start(step, 1);
	struct http_options o = {.timeout_ms = 20000};
	struct http_request r = {.method = "GET",
				 .url = p->url,
				 .answer_max = answer_max};
	int rc = ask(&o, &r, a, err);

	peer_free(p);
	return rc;
}

static void a_get_brings_status_body_and_type(void **state)
{
	const struct peer_step step = {.raw = "HTTP/1.1 404 Not Found\r\ncontent-type: "
					      "application/json; x=y\r\n"
					      "Content-Length: 4\r\n\r\nabcd"};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(get_raw(&step, 0, &a, &err), 0);
	assert_int_equal(a.status, 404);
	assert_string_equal(buf_str(&a.body), "abcd");
	assert_string_equal(a.content_type, "application/json; x=y");
	assert_int_equal(a.retry_after_s, -1);
	http_answer_fini(&a);
}

static void a_chunked_answer_is_put_together(void **state)
{
	const struct peer_step step = {
		.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		       "\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(get_raw(&step, 0, &a, &err), 0);
	assert_string_equal(buf_str(&a.body), "abcde");
	http_answer_fini(&a);
}

static void a_post_has_a_length_one_type_and_nothing_to_wait_for(void **state)
{
	const struct peer_step step = {.raw = OK_EMPTY};
	struct peer *p = peer_start(&step, 1);
	char *body = mem_calloc(1, 5000), *url = mem_printf("%s/_bulk?x=y", p->url);
	struct http_options o = {.gzip = false};
	struct http_request r = {.method = "POST",
				 .url = url,
				 .content_type = "application/x-ndjson",
				 .body = body,
				 .body_len = 4999};
	struct http_answer a;
	struct err err;

	(void)state;
	memset(body, 'x', 4999);
	assert_int_equal(ask(&o, &r, &a, &err), 0);
	peer_end(p);
	assert_string_equal(p->requests[0].method, "POST");
	assert_string_equal(p->requests[0].path, "/_bulk?x=y");
	assert_string_equal(peer_header(&p->requests[0], "Content-Length"), "4999");
	assert_string_equal(peer_header(&p->requests[0], "Content-Type"),
			    "application/x-ndjson");
	assert_int_equal(peer_header_count(&p->requests[0], "Content-Type"), 1);
	assert_null(peer_header(&p->requests[0], "Expect"));
	assert_null(peer_header(&p->requests[0], "Transfer-Encoding"));
	assert_null(peer_header(&p->requests[0], "Content-Encoding"));
	assert_null(peer_header(&p->requests[0], "Authorization"));
	assert_int_equal(p->requests[0].body.len, 4999);
	assert_memory_equal(p->requests[0].body.data, body, 4999);
	http_answer_fini(&a);
	peer_free(p);
	free(body);
	free(url);
}

static void further_headers_are_sent_as_they_stand(void **state)
{
	const struct peer_step step = {.raw = OK_EMPTY};
	struct peer *p = peer_start(&step, 1);
	struct http_options o = {.gzip = false};
	struct http_request r = {.method = "POST",
				 .url = p->url,
				 .headers = {"kbn-xsrf: true", "securitytenant: a b"}};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(ask(&o, &r, &a, &err), 0);
	peer_end(p);
	assert_string_equal(peer_header(&p->requests[0], "kbn-xsrf"), "true");
	assert_string_equal(peer_header(&p->requests[0], "securitytenant"), "a b");
	http_answer_fini(&a);
	peer_free(p);
}

static size_t unpacked(const struct buf *in, char *out, size_t size)
{
	z_stream z = {.next_in = (Bytef *)in->data, .avail_in = (uInt)in->len};
	size_t n;

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)size;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out;
	inflateEnd(&z);
	return n;
}

static void large_bodies_are_packed_when_asked_for_and_small_ones_are_not(void **state)
{
	const struct peer_step steps[] = {{.raw = OK_EMPTY}, {.raw = OK_EMPTY}};
	struct peer *p = peer_start(steps, 2);
	struct http *h = opened(&(struct http_options){.gzip = true}, NULL);
	char body[8000], back[8000];
	struct http_request r = {.method = "POST",
				 .url = p->url,
				 .body = body,
				 .body_len = sizeof(body)};
	struct http_answer a;
	struct err err = ERR_INIT;

	(void)state;
	srandom(3);
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)("{}0123456789,:\n"[random() % 15]);
	assert_int_equal(http_exchange(h, &r, &a, &err), 0);
	http_answer_fini(&a);
	r.body_len = 1024;
	assert_int_equal(http_exchange(h, &r, &a, &err), 0);
	http_answer_fini(&a);
	http_close(h);
	peer_end(p);
	assert_string_equal(peer_header(&p->requests[0], "Content-Encoding"), "gzip");
	assert_true(p->requests[0].body.len < sizeof(body));
	assert_int_equal(unpacked(&p->requests[0].body, back, sizeof(back)),
			 sizeof(body));
	assert_memory_equal(back, body, sizeof(body));
	assert_null(peer_header(&p->requests[1], "Content-Encoding"));
	assert_int_equal(p->requests[1].body.len, 1024);
	peer_free(p);
}

static void every_method_is_sent_as_named(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
	const struct peer_step steps[] = {
		{.raw = OK_EMPTY},
		{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
		{.raw = OK_EMPTY},
		{.raw = OK_EMPTY},
		{.raw = OK_EMPTY}};
	struct peer *p = peer_start(steps, 5);
	struct http *h = opened(&(struct http_options){.timeout_ms = 20000}, NULL);
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct http_request r = {.method = methods[i], .url = p->url};
		struct http_answer a;

		assert_int_equal(http_exchange(h, &r, &a, &err), 0);
		assert_int_equal(a.status, 200);
		assert_int_equal(a.body.len, 0);
		http_answer_fini(&a);
	}
	http_close(h);
	peer_end(p);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		assert_string_equal(p->requests[i].method, methods[i]);
	assert_int_equal(p->connections, 1); /* kept alive */
	peer_free(p);
}

static void a_connection_that_went_stale_is_replaced(void **state)
{
	char *ok = peer_answer(200, "", "x");
	const struct peer_step steps[] = {{.raw = ok}, {.silent = true}, {.raw = ok}};
	struct peer *p = peer_start(steps, 3);
	struct http *h = opened(&(struct http_options){.timeout_ms = 20000}, NULL);
	struct http_request r = {.method = "GET", .url = p->url};
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct http_answer a;

		assert_int_equal(http_exchange(h, &r, &a, &err), 0);
		assert_int_equal(a.status, 200);
		http_answer_fini(&a);
	}
	http_close(h);
	peer_free(p);
	free(ok);
}

static void a_redirection_is_an_answer_and_not_followed(void **state)
{
	const struct peer_step step = {
		.raw = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/"
		       "\r\nContent-Length: 0\r\n\r\n"};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(get_raw(&step, 0, &a, &err), 0);
	assert_int_equal(a.status, 302);
	http_answer_fini(&a);
}

static void the_wish_to_wait_is_read_as_seconds_or_date(void **state)
{
	static const struct {
		const char *header;
		long min, max;
	} rows[] = {
		{"Retry-After: 7\r\n", 7, 7},
		{"retry-after:   0  \r\n", 0, 0},
		{"Retry-After: 99999999999999999999\r\n", 3600, 3600},
		{"Retry-After: -5\r\n", 0, 0},
		{"Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n", 3600, 3600},
		{"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 0, 0},
		{"Retry-After: soon\r\n", -1, -1},
		{"Retry-After:\r\n", -1, -1},
		{"", -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *raw = peer_answer(429, rows[i].header, "");
		const struct peer_step step = {.raw = raw};
		struct http_answer a;
		struct err err;

		assert_int_equal(get_raw(&step, 0, &a, &err), 0);
		if (a.retry_after_s < rows[i].min || a.retry_after_s > rows[i].max)
			fail_msg("%s: %ld", rows[i].header, a.retry_after_s);
		http_answer_fini(&a);
		free(raw);
	}
}

static void an_answer_up_to_its_bound_is_taken_and_one_byte_more_is_not(void **state)
{
	char *raw = peer_answer(200, "", "0123456789");
	const struct peer_step step = {.raw = raw};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(get_raw(&step, 10, &a, &err), 0);
	assert_int_equal(a.body.len, 10);
	http_answer_fini(&a);
	assert_int_equal(get_raw(&step, 9, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_TOO_LARGE);
	http_answer_fini(&a);
	free(raw);
}

static void a_packed_answer_is_bounded_unpacked(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
				   "Connection: close\r\n\r\n";
	z_stream z = {0};
	static char zeros[1 << 20];
	struct buf raw = BUF_INIT(4 << 20);
	struct peer_step step;
	struct http_answer a;
	struct err err;

	(void)state;
	buf_add(&raw, head, strlen(head));
	assert_int_equal(buf_reserve(&raw, 3 << 20), 0);
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_out = (Bytef *)raw.data + raw.len;
	z.avail_out = 3 << 20;
	for (int mib = 0; mib < 200; mib++) {
		z.next_in = (Bytef *)zeros;
		z.avail_in = sizeof(zeros);
		assert_int_equal(deflate(&z, mib == 199 ? Z_FINISH : Z_NO_FLUSH),
				 mib == 199 ? Z_STREAM_END : Z_OK);
	}
	step = (struct peer_step){.raw = raw.data, .len = raw.len + z.total_out};
	deflateEnd(&z);
	assert_int_equal(get_raw(&step, 1 << 20, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_TOO_LARGE);
	assert_true(a.body.len <= 1 << 20);
	http_answer_fini(&a);
	buf_free(&raw);
}

static int take_all(void *arg, const char *data, size_t len)
{
	return buf_add(arg, data, len);
}

static void a_large_answer_may_be_taken_in_pieces(void **state)
{
	static const struct {
		const char *raw;
		size_t max, room;
		int code;
		const char *taken, *body;
		bool delimited;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", 5, 5, 0, "abcde",
		 "", true},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde.", 5, 5, 0, "abcde",
		 "", false},
		{"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nwords", 5, 5, 0, "",
		 "words", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", 4, 5,
		 HTTP_TOO_LARGE, NULL, "", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", 5, 4,
		 HTTP_REFUSED, NULL, "", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct peer_step step = {
			.raw = rows[i].raw,
			.cut = rows[i].delimited ? 0 : strlen(rows[i].raw) - 1};
		struct peer *p = peer_start(&step, 1);
		struct http_options o = {.timeout_ms = 20000};
		struct buf got;
		struct http_request r = {.method = "GET",
					 .url = p->url,
					 .answer_max = rows[i].max,
					 .take = take_all,
					 .take_arg = &got};
		struct http_answer a;
		struct err err;

		buf_init(&got, rows[i].room);
		if ((ask(&o, &r, &a, &err) == 0) != (rows[i].code == 0) ||
		    err.code != rows[i].code)
			fail_msg("row %zu: %s", i, err.text);
		if (rows[i].taken != NULL)
			assert_string_equal(buf_str(&got), rows[i].taken);
		assert_string_equal(buf_str(&a.body), rows[i].body);
		assert_int_equal(a.delimited, rows[i].delimited);
		buf_free(&got);
		http_answer_fini(&a);
		peer_free(p);
	}
}

static void the_words_of_a_refusal_are_one_line(void **state)
{
	static const struct {
		const char *body;
		size_t size;
		const char *words;
	} rows[] = {
		{"", 10, ""},
		{" \r\n\t", 10, ""},
		{"nope\n", 10, "nope"},
		{"\n a\r\n\r\nb  c ", 10, "a b c"},
		{"0123456789", 10, "012345678"},
		{"01234567 9", 10, "01234567 "},
		{"0123456\xc3\xa4"
		 "9",
		 10, "0123456\xc3\xa4"},
		{"01234567\xc3\xa4", 10, "01234567"},
		{"\xff\xfe", 10, "\xff\xfe"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_answer a = {.body = BUF_INIT(100)};
		char out[10];

		buf_addstr(&a.body, rows[i].body);
		http_answer_words(&a, out, rows[i].size);
		assert_string_equal(out, rows[i].words);
		http_answer_fini(&a);
	}
}

static void endless_headers_are_given_up(void **state)
{
	struct buf raw = BUF_INIT(1 << 20);
	struct peer_step step;
	struct http_answer a;
	struct err err;

	(void)state;
	buf_addstr(&raw, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 5000; i++)
		buf_printf(&raw, "X-Header-%d: something to fill the line\r\n", i);
	step = (struct peer_step){.raw = raw.data, .len = raw.len};
	assert_int_equal(get_raw(&step, 0, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_TOO_LARGE);
	http_answer_fini(&a);
	buf_free(&raw);
}

static void an_answer_cut_anywhere_is_an_unknown_outcome(void **state)
{
	char *raw = peer_answer(200, "Content-Type: text/plain\r\n", "0123456789");
	size_t len = strlen(raw);

	(void)state;
	for (size_t cut = 0; cut < len; cut += cut < len - 12 ? 9 : 1) {
		const struct peer_step step = {.raw = raw,
					       .cut = cut,
					       .silent = cut == 0};
		struct http_answer a;
		struct err err;

		if (get_raw(&step, 0, &a, &err) != ERR_RETRY ||
		    err.code != HTTP_UNKNOWN)
			fail_msg("cut at %zu of %zu: %d %s", cut, len, err.code,
				 err.text);
		http_answer_fini(&a);
	}
	free(raw);
}

static void garbage_is_an_unknown_outcome_with_a_hint(void **state)
{
	const struct peer_step step = {.raw = "SSH-2.0-OpenSSH_9.2\r\n", .cut = 20};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(get_raw(&step, 0, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_UNKNOWN);
	assert_non_null(strstr(err.text, "is this port for TLS"));
	http_answer_fini(&a);
}

static void a_closed_port_saw_nothing_and_the_words_hold_no_secret(void **state)
{
	int port, fd = peer_listen(&port);
	char *url =
		mem_printf("http://127.0.0.1:%d/services/T000/SECRET?key=SECRET", port);
	struct http_request r = {.method = "POST",
				 .url = url,
				 .body = "SECRET",
				 .body_len = 6};
	struct http_options o = {.timeout_ms = 20000};
	struct http_answer a;
	struct err err;

	(void)state;
	close(fd);
	assert_int_equal(ask(&o, &r, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_NOT_SENT);
	assert_non_null(strstr(err.text, "http://127.0.0.1:"));
	assert_non_null(strstr(err.text, "is the server up"));
	assert_null(strstr(err.text, "SECRET"));
	http_answer_fini(&a);
	free(url);
}

static void a_name_that_cannot_be_resolved_saw_nothing(void **state)
{
	struct http_request r = {.method = "GET",
				 .url = "http://no-such-host.invalid/"};
	struct http_options o = {.timeout_ms = 20000};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(ask(&o, &r, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_NOT_SENT);
	assert_non_null(strstr(err.text, "no-such-host.invalid"));
	http_answer_fini(&a);
}

static void a_url_with_a_password_or_of_another_kind_is_refused(void **state)
{
	static const char *const urls[] = {"http://u:SECRET@127.0.0.1:1/",
					   "file:///etc/passwd",
					   "gopher://127.0.0.1:1/", "http://[::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct http_request r = {.method = "GET", .url = urls[i]};
		struct http_options o = {.timeout_ms = 20000};
		struct http_answer a;
		struct err err;

		assert_int_not_equal(ask(&o, &r, &a, &err), 0);
		assert_int_equal(err.code, HTTP_NOT_SENT);
		assert_null(strstr(err.text, "SECRET"));
		http_answer_fini(&a);
	}
}

static void a_silent_peer_runs_into_the_timeout(void **state)
{
	const struct peer_step step = {.hang = true};
	struct peer *p = peer_start(&step, 1);
	struct http_request r = {.method = "GET", .url = p->url, .timeout_ms = 30};
	struct http_options o = {.timeout_ms = 600000};
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(ask(&o, &r, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_UNKNOWN);
	http_answer_fini(&a);
	peer_free(p);
}

static void a_stop_ends_an_exchange_at_once(void **state)
{
	struct wake wake;
	struct peer_step step = {.hang = true, .stop = &wake};
	struct peer *p;
	struct http *h;
	struct http_request r = {.method = "GET"};
	struct http_options o = {.timeout_ms = 600000};
	struct http_answer a;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(wake_init(&wake), 0);
	p = peer_start(&step, 1);
	h = opened(&o, &wake);
	r.url = p->url;
	assert_int_equal(http_exchange(h, &r, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_STOPPED);
	http_answer_fini(&a);
	/* and a stopped one does not begin another */
	assert_int_equal(http_exchange(h, &r, &a, &err), ERR_RETRY);
	assert_int_equal(err.code, HTTP_STOPPED);
	http_answer_fini(&a);
	http_close(h);
	peer_end(p);
	assert_int_equal(p->n, 1);
	peer_free(p);
	wake_fini(&wake);
}

static void a_signal_neither_ends_an_exchange_nor_gets_lost(void **state)
{
	struct wake wake;
	char *ok = peer_answer(200, "", "x");
	struct peer_step steps[] = {{.raw = ok, .signal = &wake}, {.raw = ok}};
	struct peer *p;
	struct http *h;
	struct http_request r = {.method = "GET"};
	struct http_options o = {.timeout_ms = 20000};
	struct err err = ERR_INIT;
	struct pollfd fd;

	(void)state;
	assert_int_equal(wake_init(&wake), 0);
	p = peer_start(steps, 2);
	h = opened(&o, &wake);
	r.url = p->url;
	for (int i = 0; i < 2; i++) {
		struct http_answer a;

		assert_int_equal(http_exchange(h, &r, &a, &err), 0);
		assert_int_equal(a.status, 200);
		http_answer_fini(&a);
	}
	fd = (struct pollfd){wake.fd, POLLIN, 0};
	assert_int_equal(poll(&fd, 1, 0), 1);
	http_close(h);
	peer_free(p);
	wake_fini(&wake);
	free(ok);
}

static void expect_authorization(const struct http_options *o, const char *want)
{
	const struct peer_step step = {.raw = OK_EMPTY};
	struct peer *p = peer_start(&step, 1);
	struct http_request r = {.method = "GET", .url = p->url};
	struct http_answer a;
	struct err err;

	assert_int_equal(ask(o, &r, &a, &err), 0);
	http_answer_fini(&a);
	peer_end(p);
	assert_int_equal(peer_header_count(&p->requests[0], "Authorization"), 1);
	assert_string_equal(peer_header(&p->requests[0], "Authorization"), want);
	peer_free(p);
}

static void credentials_come_from_files(void **state)
{
	static const struct {
		const char *content, *want;
	} keys[] = {
		{"VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw\n",
		 "ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="},
		{"VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==",
		 "ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="},
		{"essu_ABC123==\n", "ApiKey essu_ABC123=="},
	};
	char *file = secret_file("password", "p\xc3\xa4ss: word\n");

	(void)state;
	expect_authorization(&(struct http_options){.username = "mmlag",
						    .password_file = file},
			     "Basic bW1sYWc6cMOkc3M6IHdvcmQ=");
	free(file);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		file = secret_file("key", keys[i].content);
		expect_authorization(&(struct http_options){.api_key_file = file},
				     keys[i].want);
		free(file);
	}
	file = secret_file("token", "abc.def-ghi\n");
	expect_authorization(&(struct http_options){.token_file = file},
			     "Bearer abc.def-ghi");
	free(file);
}

static void expect_refused(const struct http_options *o, const char *words)
{
	struct http *h = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(http_open(&h, o, NULL, &err), ERR_PERMANENT);
	assert_null(h);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, err.text);
	assert_null(strstr(err.text, "SECRET"));
}

static void contradicting_or_misshapen_credentials_are_refused(void **state)
{
	static const char *const keys[] = {
		"SECRET", "U0VDUkVU" /* no colon in it */, "SECRET key", "a:b\nSECRET",
		/* encoded twice */
		"Vm5WaFEyWkhZMEpEWkdKclVXMHRaVFZoVDNnNmRXa3liSEF5WVhoVVRtMXplV0ZyZHpsMGRrNXVkdz09"};
	char *password = secret_file("password", "SECRET");
	char *token = secret_file("token", "SEC RET");
	char *shown = secret_file("shown", "SECRET");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char *key = secret_file("key", keys[i]);

		expect_refused(&(struct http_options){.api_key_file = key},
			       "api_key_file");
		free(key);
	}
	expect_refused(&(struct http_options){.username = "u",
					      .password_file = password,
					      .token_file = token},
		       "two ways to log in");
	expect_refused(&(struct http_options){.username = "u"},
		       "password_file is missing");
	expect_refused(&(struct http_options){.password_file = password},
		       "username is missing");
	expect_refused(&(struct http_options){.username = "a:b",
					      .password_file = password},
		       "colon");
	expect_refused(&(struct http_options){.token_file = token}, "blank");
	assert_int_equal(chmod(shown, 0644), 0);
	expect_refused(&(struct http_options){.username = "u", .password_file = shown},
		       "chmod 600");
	expect_refused(&(struct http_options){.username = "u",
					      .password_file = "/nonexistent"},
		       "/nonexistent");
	expect_refused(&(struct http_options){.ca_file = "/nonexistent"}, "ca_file");
	expect_refused(&(struct http_options){.ca_fingerprint = "AB:CD"},
		       "64 hex digits");
	expect_refused(&(struct http_options){.client_key_file = "x"},
		       "client_cert_file");
	free(password);
	free(token);
	free(shown);
}

static void credentials_are_read_again_and_a_bad_file_changes_nothing(void **state)
{
	const struct peer_step steps[] = {{.raw = OK_EMPTY}, {.raw = OK_EMPTY}};
	static const char *const want[] = {"Bearer new", "Bearer new"};
	struct peer *p = peer_start(steps, 2);
	char *file = secret_file("token", "old");
	struct http *h = opened(&(struct http_options){.token_file = file}, NULL);
	struct http_request r = {.method = "GET", .url = p->url};
	struct http_answer a;
	struct err err = ERR_INIT;

	(void)state;
	free(secret_file("token", "new"));
	assert_int_equal(http_reread(h, &err), 0);
	assert_int_equal(http_exchange(h, &r, &a, &err), 0);
	http_answer_fini(&a);
	free(secret_file("token", ""));
	assert_int_equal(http_reread(h, &err), ERR_PERMANENT);
	assert_int_equal(http_exchange(h, &r, &a, &err), 0);
	http_answer_fini(&a);
	http_close(h);
	peer_end(p);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(peer_header(&p->requests[i], "Authorization"),
				    want[i]);
	peer_free(p);
	free(file);
}

/* --- TLS --- */

static void expect_tls(const char *label, const char *server, struct http_options o,
		       const char *words)
{
	struct tls_peer p = tls_start(dir, server);
	struct http_request r = {.method = "GET", .url = p.url};
	struct http_answer a;
	struct err err;
	int rc;

	o.timeout_ms = 20000;
	rc = ask(&o, &r, &a, &err);
	if (words == NULL) {
		if (rc != 0 || a.status != 200)
			fail_msg("%s: %s", label, err.text);
	} else if (rc == 0 || err.code != HTTP_TLS || strstr(err.text, words) == NULL) {
		fail_msg("%s: %d, code %d: %s", label, rc, err.code, err.text);
	}
	http_answer_fini(&a);
	tls_end(&p);
}

/* SHA-256 of a certificate in `dir`, as openssl prints it. */
static char *fingerprint(const char *name)
{
	char *line = mem_printf(
		"cd '%s' && openssl x509 -in %s -noout -fingerprint -sha256 | "
		"sed 's/.*=//' | tr -d '\\n' > fp",
		dir, name);
	char *path = in_dir("fp"), *out;
	struct buf text = BUF_INIT(256);
	FILE *f;
	int c;

	assert_int_equal(tls_shell(line), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		buf_addch(&text, (char)c);
	fclose(f);
	out = buf_take(&text);
	assert_int_equal(strlen(out), 95);
	free(line);
	free(path);
	return out;
}

static void a_certificate_is_believed_only_for_a_reason(void **state)
{
	char *ca = in_dir("ca.crt"), *other = in_dir("other.crt"),
	     *alone = in_dir("alone.crt");
	struct http_options none = {.insecure_skip_verify = false};
	struct http_options with_ca = {.ca_file = ca};

	(void)state;
	expect_tls("authority not known", "-cert good.crt -key good.key", none,
		   "ca_file");
	expect_tls("signed by itself", "-cert alone.crt -key alone.key", none,
		   "ca_fingerprint");
	expect_tls("insecure", "-cert expired.crt -key expired.key",
		   (struct http_options){.insecure_skip_verify = true}, NULL);
	expect_tls("authority named", "-cert good.crt -key good.key", with_ca, NULL);
	expect_tls("itself named", "-cert alone.crt -key alone.key",
		   (struct http_options){.ca_file = alone}, NULL);
	expect_tls("another authority", "-cert good.crt -key good.key",
		   (struct http_options){.ca_file = other}, "ca_file");
	expect_tls("expired", "-cert expired.crt -key expired.key", with_ca, "renew");
	expect_tls("another name", "-cert named.crt -key named.key", with_ca,
		   "a name that stands in its certificate");
	free(ca);
	free(other);
	free(alone);
}

static void a_pinned_authority_is_the_only_one_believed(void **state)
{
	static const char chain[] =
		"-cert good.crt -key good.key -cert_chain chain.pem";
	char *ca = fingerprint("ca.crt"), *good = fingerprint("good.crt");
	char *other = fingerprint("other.crt"), *plain = mem_calloc(1, 65);
	size_t n = 0;

	(void)state;
	for (const char *p = ca; *p != '\0'; p++)
		if (*p != ':')
			plain[n++] = (char)(*p >= 'A' ? *p + 32 : *p);
	expect_tls("pin with colons", chain,
		   (struct http_options){.ca_fingerprint = ca}, NULL);
	expect_tls("pin in small letters", chain,
		   (struct http_options){.ca_fingerprint = plain}, NULL);
	expect_tls("another pin", chain, (struct http_options){.ca_fingerprint = other},
		   "must be in the chain");
	expect_tls("chain without the authority", "-cert good.crt -key good.key",
		   (struct http_options){.ca_fingerprint = ca}, "must be in the chain");
	expect_tls("pin of the leaf", chain,
		   (struct http_options){.ca_fingerprint = good},
		   "server's own certificate");
	expect_tls("the name is still checked",
		   "-cert named.crt -key named.key -cert_chain chain.pem",
		   (struct http_options){.ca_fingerprint = ca},
		   "a name that stands in its certificate");
	expect_tls("the date is still checked",
		   "-cert expired.crt -key expired.key -cert_chain chain.pem",
		   (struct http_options){.ca_fingerprint = ca}, "renew");
	/* Presenting the pinned certificate is not enough: it must have signed the
	 * leaf. */
	expect_tls("a stranger who presents the authority",
		   "-cert alone.crt -key alone.key -cert_chain chain.pem",
		   (struct http_options){.ca_fingerprint = ca}, "ca_file");
	free(ca);
	free(good);
	free(other);
	free(plain);
}

static void a_pinned_authority_is_to_be_presented_each_time(void **state)
{
	static const char *const servers[] = {
		"-cert good.crt -key good.key -cert_chain chain.pem",
		"-cert good.crt -key good.key"};
	char *ca = fingerprint("ca.crt");
	struct http *h = opened(&(struct http_options){.ca_fingerprint = ca,
						       .timeout_ms = 20000},
				NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		struct tls_peer p = tls_start(dir, servers[i]);
		struct http_request r = {.method = "GET", .url = p.url};
		struct http_answer a;
		struct err err = ERR_INIT;
		int rc = http_exchange(h, &r, &a, &err);

		assert_int_equal(rc, i == 0 ? 0 : ERR_PERMANENT);
		if (i == 1)
			assert_non_null(strstr(err.text, "must be in the chain"));
		http_answer_fini(&a);
		tls_end(&p);
	}
	http_close(h);
	free(ca);
}

static void a_client_certificate_is_shown_where_it_is_wanted(void **state)
{
	static const char server[] =
		"-cert good.crt -key good.key -CAfile ca.crt -Verify 1 "
		"-verify_return_error";
	char *ca = in_dir("ca.crt"), *both = in_dir("client.pem");
	char *cert = in_dir("client.crt"), *key = in_dir("client.key");

	(void)state;
	expect_tls("none", server, (struct http_options){.ca_file = ca},
		   "client_cert_file");
	expect_tls("two files", server,
		   (struct http_options){.ca_file = ca,
					 .client_cert_file = cert,
					 .client_key_file = key},
		   NULL);
	expect_tls("one file", server,
		   (struct http_options){.ca_file = ca, .client_cert_file = both},
		   NULL);
	free(ca);
	free(both);
	free(cert);
	free(key);
}

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL || tls_make_certificates(dir) != 0)
		return -1;
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	return http_global_init(NULL);
}

static int remove_dir(void **state)
{
	char *line = mem_printf("rm -rf '%s'", dir);

	(void)state;
	http_global_fini();
	tls_shell(line);
	free(line);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_brings_status_body_and_type),
		cmocka_unit_test(a_chunked_answer_is_put_together),
		cmocka_unit_test(a_post_has_a_length_one_type_and_nothing_to_wait_for),
		cmocka_unit_test(further_headers_are_sent_as_they_stand),
		cmocka_unit_test(
			large_bodies_are_packed_when_asked_for_and_small_ones_are_not),
		cmocka_unit_test(every_method_is_sent_as_named),
		cmocka_unit_test(a_connection_that_went_stale_is_replaced),
		cmocka_unit_test(a_redirection_is_an_answer_and_not_followed),
		cmocka_unit_test(the_wish_to_wait_is_read_as_seconds_or_date),
		cmocka_unit_test(
			an_answer_up_to_its_bound_is_taken_and_one_byte_more_is_not),
		cmocka_unit_test(a_packed_answer_is_bounded_unpacked),
		cmocka_unit_test(a_large_answer_may_be_taken_in_pieces),
		cmocka_unit_test(the_words_of_a_refusal_are_one_line),
		cmocka_unit_test(endless_headers_are_given_up),
		cmocka_unit_test(an_answer_cut_anywhere_is_an_unknown_outcome),
		cmocka_unit_test(garbage_is_an_unknown_outcome_with_a_hint),
		cmocka_unit_test(
			a_closed_port_saw_nothing_and_the_words_hold_no_secret),
		cmocka_unit_test(a_name_that_cannot_be_resolved_saw_nothing),
		cmocka_unit_test(a_url_with_a_password_or_of_another_kind_is_refused),
		cmocka_unit_test(a_silent_peer_runs_into_the_timeout),
		cmocka_unit_test(a_stop_ends_an_exchange_at_once),
		cmocka_unit_test(a_signal_neither_ends_an_exchange_nor_gets_lost),
		cmocka_unit_test(credentials_come_from_files),
		cmocka_unit_test(contradicting_or_misshapen_credentials_are_refused),
		cmocka_unit_test(
			credentials_are_read_again_and_a_bad_file_changes_nothing),
		cmocka_unit_test(a_certificate_is_believed_only_for_a_reason),
		cmocka_unit_test(a_pinned_authority_is_the_only_one_believed),
		cmocka_unit_test(a_pinned_authority_is_to_be_presented_each_time),
		cmocka_unit_test(a_client_certificate_is_shown_where_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
