/* SPDX-License-Identifier: MIT
 * slack: the body for an incoming webhook. */
#include "notify/message.h"

#include "banned.h"

#define TEXT_MAX 30000 /* of the service's 40000 */

/* The three characters that mean something there. */
static void escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			(void)buf_addstr(out, "&amp;");
		else if (*text == '<')
			(void)buf_addstr(out, "&lt;");
		else if (*text == '>')
			(void)buf_addstr(out, "&gt;");
		else
			(void)buf_addch(out, *text);
	}
}

static const char *colour(const struct message *m)
{
	if (!message_fires(m))
		return "#2eb886";
	switch (message_severity(m)) {
	case SEVERITY_CRITICAL:
		return "#d00000";
	case SEVERITY_WARNING:
		return "#e8a33d";
	case SEVERITY_INFO:
	case SEVERITIES:
		break;
	}
	return "#439fe0";
}

void message_slack(struct buf *out, const struct message *m)
{
	struct buf plain = BUF_INIT(1 << 20), text = BUF_INIT(6 << 20);
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	message_title(m, &plain);
	escape(&text, buf_str(&plain));
	jsonw_key_str(&w, "text", buf_str(&text));
	buf_reset(&plain);
	buf_reset(&text);
	if (m->template != NULL)
		message_template(&plain, m, false);
	else
		message_text(m, &plain);
	escape(&text, buf_str(&plain));
	jsonw_key(&w, "attachments");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_key_str(&w, "color", colour(m));
	jsonw_key(&w, "text");
	jsonw_strn(&w, buf_str(&text), utf8_cut(buf_str(&text), text.len, TEXT_MAX));
	jsonw_end(&w);
	jsonw_end(&w);
	jsonw_end(&w);
	buf_free(&plain);
	buf_free(&text);
}
