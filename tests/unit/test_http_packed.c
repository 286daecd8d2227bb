/* SPDX-License-Identifier: MIT
 * Answers that come packed, against a scripted far end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/compiler.h"
#include "http/http.h"

#include "support/http_peer.c"

#define TEXT "lag{partition=\"0\"} 12\nlag{partition=\"1\"} 1234567\n"

/* `text` packed: `bits` are 15 + 16 for gzip, 15 for zlib. */
static void pack(const char *text, size_t len, int bits, struct buf *out)
{
	unsigned char room[4096];
	z_stream z = {.next_in = (Bytef *)text, .avail_in = (uInt)len};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_out = room;
	z.avail_out = sizeof(room);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(buf_add(out, (char *)room, z.total_out), 0);
	deflateEnd(&z);
}

/* A GET of an answer with that body, and "Content-Encoding: ENCODING" unless NULL. Its
 * length is announced, or else its end is that of the connection. */
static int get(const char *encoding, const struct buf *body, bool announced,
	       struct http_answer *a, struct err *err)
{
	struct http_options o = {.timeout_ms = 20000};
	struct buf raw = BUF_INIT(1 << 16);
	struct peer_step step;
	struct http *h;
	struct peer *p;
	struct http_request r = {.method = "GET", .answer_max = 1 << 17};
	int rc;

	buf_addstr(&raw, "HTTP/1.1 200 OK\r\n");
	if (encoding != NULL)
		buf_printf(&raw, "Content-Encoding: %s\r\n", encoding);
	if (announced)
		buf_printf(&raw, "Content-Length: %zu\r\n\r\n", body->len);
	else
		buf_addstr(&raw, "Connection: close\r\n\r\n");
	buf_add(&raw, body->data, body->len);
	/* `cut` closes behind the last byte that is sent */
	buf_addch(&raw, '.');
	step = (struct peer_step){.raw = raw.data, .len = raw.len, .cut = raw.len - 1};
	p = peer_start(&step, 1);
	r.url = p->url;
	*err = (struct err)ERR_INIT;
	assert_int_equal(http_open(&h, &o, NULL, err), 0);
	rc = http_exchange(h, &r, a, err);
	http_close(h);
	peer_end(p);
	assert_string_equal(peer_header(&p->requests[0], "Accept-Encoding"), "gzip");
	peer_free(p);
	buf_free(&raw);
	return rc;
}

static void an_answer_is_unpacked_as_its_header_says(void **state)
{
	static const struct {
		const char *encoding;
		int bits; /* 0: plain */
		const char *said;
	} rows[] = {
		{NULL, 0, TEXT},
		{"identity", 0, TEXT},
		{"gzip", 15 + 16, TEXT},
		{"GZIP", 15 + 16, TEXT},
		{"x-gzip", 15 + 16, TEXT},
		{"deflate", 15, TEXT}, /* though nobody asked for it */
		{"deflate", 15 + 16, "!is not packed as its headers say (deflate)"},
		{"gzip", 0, "!is not packed as its headers say (gzip)"},
		{"br", 0, "!is packed in a way that was not asked for (br)"},
		{"gzip, gzip", 15 + 16, "!is packed in a way that was not asked for"},
		{NULL, 15 + 16, "\x1f\x8b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body = BUF_INIT(4096);
		struct http_answer a;
		struct err err;
		int rc;

		if (rows[i].bits != 0)
			pack(TEXT, strlen(TEXT), rows[i].bits, &body);
		else
			buf_addstr(&body, TEXT);
		rc = get(rows[i].encoding, &body, true, &a, &err);
		if (*rows[i].said == '!') {
			assert_int_equal(rc, ERR_RETRY);
			assert_int_equal(err.code, HTTP_UNKNOWN);
			if (strstr(err.text, rows[i].said + 1) == NULL)
				fail_msg("row %zu: %s", i, err.text);
		} else {
			assert_int_equal(rc, 0);
			assert_memory_equal(buf_str(&a.body), rows[i].said,
					    strlen(rows[i].said));
		}
		http_answer_fini(&a);
		buf_free(&body);
	}
}

static void
a_packed_answer_that_is_cut_off_is_none_whatever_its_length_says(void **state)
{
	struct buf whole = BUF_INIT(4096);
	struct http_answer a;
	struct err err;

	(void)state;
	pack(TEXT, strlen(TEXT), 15 + 16, &whole);
	for (size_t n = 1; n <= whole.len; n++)
		for (int announced = 0; announced < 2; announced++) {
			struct buf body = BUF_INIT(4096);

			buf_add(&body, whole.data, n);
			if (n == whole.len) {
				assert_int_equal(get("gzip", &body, announced, &a,
						     &err),
						 0);
				assert_string_equal(buf_str(&a.body), TEXT);
				/* it tells of its end by itself */
				assert_true(a.delimited);
			} else {
				assert_int_equal(get("gzip", &body, announced, &a,
						     &err),
						 ERR_RETRY);
				assert_int_equal(err.code, HTTP_UNKNOWN);
				assert_non_null(strstr(err.text, "cut off"));
			}
			http_answer_fini(&a);
			buf_free(&body);
		}
	buf_free(&whole);
}

static void members_follow_each_other_and_nothing_else_does(void **state)
{
	struct buf body = BUF_INIT(4096);
	struct http_answer a;
	struct err err;

	(void)state;
	pack("one ", 4, 15 + 16, &body);
	pack("two", 3, 15 + 16, &body);
	assert_int_equal(get("gzip", &body, true, &a, &err), 0);
	assert_string_equal(buf_str(&a.body), "one two");
	http_answer_fini(&a);
	buf_addstr(&body, "three");
	assert_int_equal(get("gzip", &body, true, &a, &err), ERR_RETRY);
	http_answer_fini(&a);
	buf_free(&body);
}

static void a_flipped_bit_is_found(void **state)
{
	struct buf body = BUF_INIT(4096);
	struct http_answer a;
	struct err err;

	(void)state;
	pack(TEXT, strlen(TEXT), 15 + 16, &body);
	body.data[body.len - 6] ^= 1; /* in the check sum */
	assert_int_equal(get("gzip", &body, true, &a, &err), ERR_RETRY);
	assert_non_null(strstr(err.text, "is not packed as its headers say"));
	http_answer_fini(&a);
	buf_free(&body);
}

/* Sizes around those in which it is unpacked and arrives. */
static void an_answer_of_any_size_is_whole(void **state)
{
	static char text[70000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 7);
	for (size_t n = 16383; n <= 65537; n += n % 16384 == 1 ? 16382 : 1) {
		struct buf body = BUF_INIT(1 << 17);
		struct http_answer a;
		struct err err;

		pack(text, n, 15 + 16, &body);
		if (get("gzip", &body, true, &a, &err) != 0)
			fail_msg("%zu bytes: %s", n, err.text);
		assert_int_equal(a.body.len, n);
		assert_memory_equal(a.body.data, text, n);
		http_answer_fini(&a);
		buf_free(&body);
	}
}

static void nothing_packed_is_nothing(void **state)
{
	struct buf body = BUF_INIT(16);
	struct http_answer a;
	struct err err;

	(void)state;
	assert_int_equal(get("gzip", &body, true, &a, &err), 0);
	assert_int_equal(a.body.len, 0);
	http_answer_fini(&a);
	buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_unpacked_as_its_header_says),
		cmocka_unit_test(
			a_packed_answer_that_is_cut_off_is_none_whatever_its_length_says),
		cmocka_unit_test(members_follow_each_other_and_nothing_else_does),
		cmocka_unit_test(a_flipped_bit_is_found),
		cmocka_unit_test(an_answer_of_any_size_is_whole),
		cmocka_unit_test(nothing_packed_is_nothing),
	};
	struct err err;

	if (http_global_init(&err) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
