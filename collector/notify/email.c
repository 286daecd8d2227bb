/* SPDX-License-Identifier: MIT
 * email: a message in plain text, UTF-8. */
#include "notify/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"

#include "banned.h"

#define SUBJECT_MAX 180 /* bytes, before it is encoded */
#define WORD_BYTES 45   /* that fit in one encoded word, three to four letters */

/* Base64 of `n` bytes. */
static void add_base64(struct buf *out, const unsigned char *p, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
				      "uvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16;

		v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		(void)buf_addch(out, letters[v >> 18]);
		(void)buf_addch(out, letters[v >> 12 & 63]);
		(void)buf_addch(out, i + 1 < n ? letters[v >> 6 & 63] : '=');
		(void)buf_addch(out, i + 2 < n ? letters[v & 63] : '=');
	}
}

/* In words that any letters may stand in, and no line break can hide in. */
static void add_subject(struct buf *out, const char *text)
{
	size_t left = utf8_cut(text, strlen(text), SUBJECT_MAX);

	(void)buf_addstr(out, "Subject:");
	while (left > 0) {
		size_t n = utf8_cut(text, left, WORD_BYTES);

		if (n == 0)
			n = left < WORD_BYTES ? left : WORD_BYTES;
		(void)buf_addstr(out, " =?UTF-8?B?");
		add_base64(out, (const unsigned char *)text, n);
		(void)buf_addstr(out, "?=\r\n");
		text += n;
		left -= n;
	}
}

static void add_date(struct buf *out, struct wall t)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
					   "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t s = (time_t)(t.ms / 1000);
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL)
		return;
	(void)buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n",
			 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
			 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The same message sent again is the same to a mailbox. */
static void add_id(struct buf *out, const struct message *m)
{
	uint64_t h = hash_fnv64(&m->now.ms, sizeof(m->now.ms), 0);

	for (size_t i = 0; i < m->n; i++)
		h = hash_fnv64(m->alerts[i]->incident, 16, h);
	(void)buf_printf(out, "Message-ID: <%016" PRIx64 ".%" PRId64 "@mmlag>\r\n", h,
			 m->now.ms);
}

/* In base64, whose lines are never too long. */
static void add_body(struct buf *out, const struct buf *text)
{
	const unsigned char *p = (const unsigned char *)buf_str(text);

	for (size_t i = 0; i < text->len; i += 57) {
		add_base64(out, p + i, text->len - i < 57 ? text->len - i : 57);
		(void)buf_addstr(out, "\r\n");
	}
}

void message_email(struct buf *out, const struct message *m, const char *from,
		   const char *const *to, size_t n)
{
	struct buf text = BUF_INIT(1 << 20);

	add_date(out, m->now);
	(void)buf_printf(out, "From: %s\r\nTo: ", from);
	for (size_t i = 0; i < n; i++)
		(void)buf_printf(out, "%s%s", i > 0 ? ", " : "", to[i]);
	(void)buf_addstr(out, "\r\n");
	add_id(out, m);
	message_title(m, &text);
	add_subject(out, buf_str(&text));
	(void)buf_addstr(out, "MIME-Version: 1.0\r\n"
			      "Content-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: base64\r\n"
			      "Auto-Submitted: auto-generated\r\n\r\n");
	buf_reset(&text);
	if (m->template != NULL)
		message_template(&text, m, false);
	else
		message_text(m, &text);
	add_body(out, &text);
	buf_free(&text);
}
