/* SPDX-License-Identifier: MIT
 * notify: see notify.h. */
#include "notify/notify.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/proc.h"
#include "http/http.h"
#include "http/mail.h"
#include "notify/judge.h"

#include "banned.h"

#define BODY_MAX (4 << 20)
#define TEMPLATE_MAX (1 << 20)
#define ANSWER_MAX 65536
#define URL_MAX 8192
#define LASTS_MS 300000 /* an Alertmanager hears of it every minute */
#define PAGERDUTY "https://events.pagerduty.com/v2/enqueue"
#define AM_PATH "/api/v2/alerts"

struct notify {
	const struct config_receiver *r;
	struct wake *wake;
	struct http *http; /* of those that speak HTTP */
	char *template;    /* NULL: our own words */
};

static bool speaks_http(enum receiver_type t)
{
	return t != RECEIVER_EMAIL && t != RECEIVER_COMMAND;
}

int notify_open(struct notify **out, const struct config_receiver *r, struct wake *wake,
		struct err *err)
{
	const struct http_options o = {.timeout_ms = (long)r->timeout_ms};
	struct buf template = BUF_INIT(TEMPLATE_MAX);
	struct notify *n = mem_calloc(1, sizeof(*n));
	int rc = 0;

	n->r = r;
	n->wake = wake;
	if (r->template_file != NULL) {
		rc = file_read(r->template_file, &template, err);
		n->template = buf_take(&template);
	}
	if (rc == 0 && speaks_http(r->type))
		rc = http_open(&n->http, &o, wake, err);
	if (rc != 0) {
		notify_close(n);
		return rc;
	}
	*out = n;
	return 0;
}

void notify_close(struct notify *n)
{
	if (n == NULL)
		return;
	http_close(n->http);
	free(n->template);
	free(n);
}

size_t notify_places(const struct notify *n)
{
	return n->r->type == RECEIVER_ALERTMANAGER && n->r->urls.n > 0 ? n->r->urls.n
								       : 1;
}

bool notify_is_single(const struct notify *n)
{
	return n->r->type == RECEIVER_PAGERDUTY;
}

bool notify_is_steady(const struct notify *n)
{
	return n->r->type == RECEIVER_ALERTMANAGER;
}

static void set_text(struct notify_answer *a, const char *text, size_t len)
{
	size_t n;

	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	n = utf8_cut(text, len, sizeof(a->text) - 1);
	snprintf(a->text, sizeof(a->text), "%.*s", (int)n, text);
	utf8_plain(a->text);
}

/* HTTP */

/* The URL, whole, in `url`; what may be shown of it in the answer. */
static int find_url(const struct notify *n, size_t place, struct buf *url,
		    struct notify_answer *a, struct err *err)
{
	const struct config_receiver *r = n->r;
	bool secret = r->url_file != NULL;

	if (secret) {
		if (file_read_secret(r->url_file, url, err) != 0)
			return ERR_RETRY; /* somebody mends it */
	} else if (place < r->urls.n) {
		(void)buf_addstr(url, r->urls.v[place]);
	} else if (r->type == RECEIVER_PAGERDUTY) {
		(void)buf_addstr(url, PAGERDUTY);
	} else {
		return err_set(err, ERR_RETRY,
			       "receiver %s has no URL: give it urls or url_file",
			       r->name);
	}
	while (url->len > 0 && strchr(" \t\r\n/", url->data[url->len - 1]) != NULL &&
	       (r->type == RECEIVER_ALERTMANAGER || url->data[url->len - 1] != '/'))
		url->data[--url->len] = '\0';
	if (r->type == RECEIVER_ALERTMANAGER && strstr(buf_str(url), AM_PATH) == NULL)
		(void)buf_addstr(url, AM_PATH);
	if (secret) {
		const char *host = strstr(buf_str(url), "://");

		snprintf(a->request, sizeof(a->request), "POST %.*s… (from %.100s)",
			 host != NULL ? (int)(host + 3 - buf_str(url) +
					      (ptrdiff_t)strcspn(host + 3, "/?#@"))
				      : 0,
			 buf_str(url), r->url_file);
	} else {
		snprintf(a->request, sizeof(a->request), "POST %.240s", buf_str(url));
	}
	return url->failed ? err_set(err, ERR_RETRY,
				     "receiver %s: its URL is longer than %d bytes",
				     r->name, URL_MAX)
			   : 0;
}

static int make_body(const struct notify *n, const struct message *m, struct buf *body,
		     struct err *err)
{
	struct buf key = BUF_INIT(URL_MAX);
	int rc = 0;

	switch (n->r->type) {
	case RECEIVER_ALERTMANAGER:
		message_alertmanager(body, m, LASTS_MS);
		break;
	case RECEIVER_WEBHOOK:
	case RECEIVER_COMMAND:
		message_webhook(body, m);
		break;
	case RECEIVER_SLACK:
		message_slack(body, m);
		break;
	case RECEIVER_PAGERDUTY:
		if (n->r->routing_key_file == NULL)
			rc = err_set(err, ERR_RETRY,
				     "receiver %s needs routing_key_file", n->r->name);
		else if (file_read_secret(n->r->routing_key_file, &key, err) != 0)
			rc = ERR_RETRY;
		else
			message_pagerduty(body, m, buf_str(&key));
		mem_wipe(key.data, key.len);
		buf_free(&key);
		break;
	case RECEIVER_EMAIL:
		break;
	}
	if (rc == 0 && body->failed)
		rc = err_set(err, ERR_REJECT, "the message is larger than %d bytes",
			     BODY_MAX);
	return rc;
}

static int judge(const struct notify *n, const struct http_answer *got,
		 struct notify_answer *a, struct err *err)
{
	enum notify_verdict verdict = notify_judge(n->r->type, got->status,
						   buf_str(&got->body), got->body.len);

	a->status = got->status;
	a->retry_ms = got->retry_after_s >= 0 ? got->retry_after_s * 1000 : -1;
	set_text(a, buf_str(&got->body), got->body.len);
	if (verdict == NOTIFY_TAKEN)
		return 0;
	return err_set(err, verdict == NOTIFY_NEVER ? ERR_REJECT : ERR_RETRY,
		       "receiver %s answers %d%s%s%.200s", n->r->name, got->status,
		       verdict == NOTIFY_ODD
			       ? " without saying that it took the message (is it the "
				 "right URL?)"
			       : "",
		       *a->text != '\0' ? ": " : "", a->text);
}

static int send_http(struct notify *n, size_t place, const struct message *m,
		     struct notify_answer *a, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX), body = BUF_INIT(BODY_MAX);
	struct http_answer got = {.status = 0};
	struct http_request r = {.method = "POST",
				 .content_type = "application/json",
				 .answer_max = ANSWER_MAX};
	int rc = find_url(n, place, &url, a, err);

	if (rc == 0)
		rc = make_body(n, m, &body, err);
	if (rc == 0) {
		r.url = buf_str(&url);
		r.body = buf_str(&body);
		r.body_len = body.len;
		rc = http_exchange(n->http, &r, &got, err);
		rc = rc == 0 ? judge(n, &got, a, err) : ERR_RETRY;
		http_answer_fini(&got);
	}
	mem_wipe(url.data, url.len);
	mem_wipe(body.data, body.len);
	buf_free(&url);
	buf_free(&body);
	return rc;
}

/* The others */

static int send_command(const struct notify *n, const struct message *m,
			struct notify_answer *a, struct err *err)
{
	const struct config_strings *argv = &n->r->argv;
	const char **args = mem_calloc(argv->n + 1, sizeof(*args));
	const struct proc_spec spec = {.argv = args};
	struct buf body = BUF_INIT(BODY_MAX), out = BUF_INIT(ANSWER_MAX),
		   errout = BUF_INIT(ANSWER_MAX);
	struct proc_result result = {.exit_code = 0};
	int rc;

	for (size_t i = 0; i < argv->n; i++)
		args[i] = argv->v[i];
	snprintf(a->request, sizeof(a->request), "exec %.200s",
		 argv->n > 0 ? args[0] : "nothing");
	rc = make_body(n, m, &body, err);
	if (rc == 0) {
		struct mono limit = mono_add_ms(clock_mono(), n->r->timeout_ms);

		rc = proc_run(&spec, buf_str(&body), body.len, limit, n->wake, &out,
			      &errout, &result, err);
		rc = rc == 0 ? 0 : ERR_RETRY;
	}
	if (rc == 0) {
		const struct buf *said = errout.len > 0 ? &errout : &out;

		a->status = result.exit_code;
		set_text(a, buf_str(said), said->len);
		if (result.exit_code != 0)
			rc = err_set(err, ERR_RETRY,
				     "receiver %s: %s ended with %d%s%.200s",
				     n->r->name, args[0], result.exit_code,
				     *a->text != '\0' ? ": " : "", a->text);
	}
	free(args);
	buf_free(&body);
	buf_free(&out);
	buf_free(&errout);
	return rc;
}

/* With `m` NULL the server is only asked whether it would listen. */
static int send_email(const struct notify *n, const struct message *m,
		      struct notify_answer *a, struct err *err)
{
	const struct config_receiver *r = n->r;
	struct buf text = BUF_INIT(BODY_MAX), password = BUF_INIT(URL_MAX);
	struct mail mail = {.server = r->smtp,
			    .from = r->from,
			    .to = (const char *const *)r->to.v,
			    .to_count = r->to.n,
			    .username = r->username,
			    .timeout_ms = (long)r->timeout_ms};
	int rc = 0;

	if (r->smtp == NULL || r->from == NULL || r->to.n == 0)
		return err_set(err, ERR_RETRY, "receiver %s needs smtp, from and to",
			       r->name);
	snprintf(a->request, sizeof(a->request), "%s %.200s",
		 m != NULL ? "MAIL through" : "NOOP to", r->smtp);
	if (r->password_file != NULL) {
		if (file_read_secret(r->password_file, &password, err) != 0)
			rc = ERR_RETRY;
		mail.password = buf_str(&password);
	}
	if (rc == 0 && m != NULL) {
		message_email(&text, m, r->from, mail.to, mail.to_count);
		mail.text = buf_str(&text);
		mail.len = text.len;
	}
	if (rc == 0)
		rc = mail_send(&mail, n->wake, err);
	if (rc != 0)
		set_text(a, err->text, strlen(err->text));
	else
		snprintf(a->text, sizeof(a->text), "%s",
			 m != NULL ? "accepted" : "answers");
	mem_wipe(password.data, password.len);
	buf_free(&password);
	buf_free(&text);
	return rc;
}

int notify_send(struct notify *n, size_t place, const struct message *m,
		struct notify_answer *a, struct err *err)
{
	struct message own = *m;

	*a = (struct notify_answer){.retry_ms = -1};
	own.receiver = n->r->name;
	own.template = n->template;
	switch (n->r->type) {
	case RECEIVER_ALERTMANAGER:
	case RECEIVER_WEBHOOK:
	case RECEIVER_SLACK:
	case RECEIVER_PAGERDUTY:
		return send_http(n, place, &own, a, err);
	case RECEIVER_EMAIL:
		return send_email(n, &own, a, err);
	case RECEIVER_COMMAND:
		return send_command(n, &own, a, err);
	}
	return err_set(err, ERR_BUG, "a receiver of no type");
}

/* The root of the server: what stands behind it may be a secret, and acts. */
static int reach_http(struct notify *n, size_t place, struct notify_answer *a,
		      struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct http_answer got = {.status = 0};
	struct http_request r = {.method = "GET"};
	int rc = find_url(n, place, &url, a, err);

	if (rc == 0) {
		char *host = strstr(url.data, "://");

		host = host != NULL ? host + 3 : url.data;
		host[strcspn(host, "/?#")] = '\0';
		r.url = url.data;
		rc = http_exchange(n->http, &r, &got, err) == 0 ? 0 : ERR_RETRY;
		a->status = got.status;
		snprintf(a->text, sizeof(a->text), "answers");
		http_answer_fini(&got);
	}
	mem_wipe(url.data, url.len);
	buf_free(&url);
	return rc;
}

int notify_reach(struct notify *n, size_t place, struct notify_answer *a,
		 struct err *err)
{
	const char *program = n->r->argv.n > 0 ? n->r->argv.v[0] : "";

	*a = (struct notify_answer){.retry_ms = -1};
	if (speaks_http(n->r->type))
		return reach_http(n, place, a, err);
	if (n->r->type == RECEIVER_EMAIL)
		return send_email(n, NULL, a, err) == 0 ? 0 : ERR_RETRY;
	if (strchr(program, '/') != NULL && access(program, X_OK) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "cannot run %s", program);
	snprintf(a->text, sizeof(a->text), "%.400s may be run", program);
	return 0;
}

struct alert notify_test_alert(struct wall now)
{
	struct alert a = {.severity = SEVERITY_INFO,
			  .value = NAN,
			  .life = {.state = ALERT_FIRING, .since = now}};

	a.rule = mem_strdup("test");
	a.cluster = mem_strdup("");
	a.group = mem_strdup("");
	a.topic = mem_strdup("");
	a.host = mem_strdup("");
	a.at = mem_strdup("");
	a.message = mem_strdup("this is a test of mmlag: nothing is wrong");
	a.changed = mem_strdup("");
	a.partitions = mem_calloc(1, sizeof(*a.partitions));
	alert_name_incident(&a);
	return a;
}
