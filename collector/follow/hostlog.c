/* SPDX-License-Identifier: MIT */
#include "follow/hostlog.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

#define NAME_MAX_LEN 160

_Static_assert(REASON_COUNT <= 64, "a reason is a bit");

struct host {
	struct host *next;
	char name[NAME_MAX_LEN];
	uint64_t told; /* reasons, since it last gave data */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct host *hosts; /* those of the configuration: few */

void hostlog_name(const struct config_topic *t, char *out, size_t size)
{
	snprintf(out, size, "%.40s@%.80s:%d", t->user != NULL ? t->user : "", t->host,
		 t->port);
}

static struct host *find(const struct config_topic *t)
{
	char name[NAME_MAX_LEN];
	struct host *h = hosts;

	hostlog_name(t, name, sizeof(name));
	while (h != NULL && strcmp(h->name, name) != 0)
		h = h->next;
	if (h != NULL)
		return h;
	h = mem_calloc(1, sizeof(*h));
	memcpy(h->name, name, sizeof(name));
	h->next = hosts;
	hosts = h;
	return h;
}

bool hostlog_down(const struct config_topic *t, enum reason r)
{
	uint64_t bit = UINT64_C(1) << r;
	struct host *h;
	bool first;

	pthread_mutex_lock(&lock);
	h = find(t);
	first = (h->told & bit) == 0;
	h->told |= bit;
	pthread_mutex_unlock(&lock);
	return first;
}

bool hostlog_up(const struct config_topic *t)
{
	struct host *h;
	bool first;

	pthread_mutex_lock(&lock);
	h = find(t);
	first = h->told != 0;
	h->told = 0;
	pthread_mutex_unlock(&lock);
	return first;
}

void hostlog_fini(void)
{
	while (hosts != NULL) {
		struct host *h = hosts;

		hosts = h->next;
		free(h);
	}
}
