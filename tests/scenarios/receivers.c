/* SPDX-License-Identifier: MIT */
#include "scenarios/receivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scenarios/words.h"
#include "scenarios/world.h"

#include "banned.h"

#define RECEIVERS_MAX 16
#define USUAL_MS 20
#define DOMAIN ".receiver"

static struct receiver {
	char name[64];
	int status; /* 0: refuses connections, -1: hangs */
	int times;  /* requests for which that lasts; 0: for good */
	int64_t retry_after_s;
	char says[128]; /* the body of its answers */
} receivers[RECEIVERS_MAX];
static size_t count;

static json_t *got; /* array */

static struct receiver *named(const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(receivers[i].name) == len &&
		    strncmp(receivers[i].name, name, len) == 0)
			return &receivers[i];
	if (count == RECEIVERS_MAX) {
		world_complain("more receivers than a scenario may have");
		count--;
	}
	receivers[count] = (struct receiver){.status = 200, .retry_after_s = -1};
	snprintf(receivers[count].name, sizeof(receivers[count].name), "%.*s", (int)len,
		 name);
	return &receivers[count++];
}

int receivers_command(char **words, size_t n)
{
	struct receiver *r;
	size_t used = 2;

	if (n < 2)
		return -1;
	r = named(words[0], strlen(words[0]));
	if (n == 3 && strcmp(words[1], "retry-after") == 0) {
		r->retry_after_s = words_duration(words[2]) / 1000;
		return 0;
	}
	if (n == 3 && strcmp(words[1], "says") == 0) {
		snprintf(r->says, sizeof(r->says), "%s", words[2]);
		return 0;
	}
	if (strcmp(words[1], "up") == 0) {
		r->status = 200;
	} else if (strcmp(words[1], "down") == 0) {
		r->status = 0;
	} else if (strcmp(words[1], "hang") == 0) {
		r->status = -1;
	} else if (strcmp(words[1], "reply") == 0 && n >= 3) {
		r->status = (int)words_number(words[2]);
		used = 3;
	} else {
		return -1;
	}
	r->times = 0;
	if (n == used)
		return 0;
	if (n != used + 2 || strcmp(words[used], "for") != 0)
		return -1;
	r->times = (int)words_number(words[used + 1]);
	return 0;
}

/* The name in http://NAME.receiver/…, with its length. */
static const char *name_in(const char *url, size_t *len)
{
	const char *host = strstr(url, "://"), *end;

	if (host == NULL)
		return NULL;
	host += 3;
	end = host + strcspn(host, ":/?");
	if ((size_t)(end - host) <= strlen(DOMAIN) ||
	    strncmp(end - strlen(DOMAIN), DOMAIN, strlen(DOMAIN)) != 0)
		return NULL;
	*len = (size_t)(end - host) - strlen(DOMAIN);
	return host;
}

bool receivers_have(const char *url)
{
	size_t len;

	return name_in(url, &len) != NULL;
}

/* Alerts of a body by state, in either shape; "" of PagerDuty and Slack count none. */
static void count_alerts(json_t *entry, const json_t *body)
{
	const json_t *list =
		json_is_array(body) ? body : json_object_get(body, "alerts");
	int firing = 0, resolved = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *ends = json_string_value(json_object_get(v, "endsAt"));
		struct wall t = {0};
		bool over = ends != NULL && wall_parse(ends, &t) == 0 && t.ms > 0 &&
			    t.ms <= clock_wall().ms;

		if (json_object_get(v, "labels") == NULL ||
		    json_object_get(v, "startsAt") == NULL)
			world_complain("an alert without labels or startsAt");
		resolved += over;
		firing += !over;
	}
	json_object_set_new(entry, "alerts_firing", json_integer(firing));
	json_object_set_new(entry, "alerts_resolved", json_integer(resolved));
}

static void keep(const struct receiver *to, const struct http_request *r, bool accepted)
{
	json_t *body = json_loadb(r->body, r->body_len, 0, NULL);
	json_t *entry = json_is_object(body) ? json_copy(body) : json_object();
	const char *path = strstr(r->url, "://");

	path = path != NULL ? strchr(path + 3, '/') : NULL;
	if (body == NULL && r->body_len > 0)
		world_complain("a message that is no JSON");
	count_alerts(entry, body);
	json_object_set_new(entry, "receiver", json_string(to->name));
	json_object_set_new(entry, "path", json_string(path != NULL ? path : "/"));
	json_object_set_new(entry, "accepted", json_string(accepted ? "yes" : "no"));
	json_object_set_new(entry, "text",
			    json_stringn(r->body != NULL ? r->body : "", r->body_len));
	if (got == NULL)
		got = json_array();
	json_array_append_new(got, entry);
	json_decref(body);
}

int receivers_exchange(const struct http_request *r, struct http_answer *a,
		       long timeout_ms, struct err *err)
{
	size_t len = 0;
	const char *name = name_in(r->url, &len);
	struct receiver *to = named(name, len);
	int status = to->status;

	if (to->times > 0 && --to->times == 0)
		to->status = 200;
	keep(to, r, status >= 200 && status < 300);
	if (status == 0) {
		world_charge(1);
		world_event("%s: refused", to->name);
		return err_set_code(err, ERR_RETRY, HTTP_NOT_SENT,
				    "connection refused");
	}
	if (status < 0) {
		world_charge(timeout_ms);
		world_event("%s: no answer", to->name);
		return err_set_code(err, ERR_RETRY, HTTP_UNKNOWN, "no answer");
	}
	world_charge(USUAL_MS);
	world_event("%s: %d: %.*s", to->name, status, (int)r->body_len, r->body);
	a->status = status;
	(void)buf_addstr(&a->body, to->says);
	if (status == 429 || status == 503)
		a->retry_after_s = to->retry_after_s;
	return 0;
}

size_t receivers_count(void)
{
	return json_array_size(got);
}

const json_t *receivers_at(size_t i)
{
	return json_array_get(got, i);
}

void receivers_fini(void)
{
	json_decref(got);
	got = NULL;
	count = 0;
}
