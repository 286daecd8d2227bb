/* SPDX-License-Identifier: MIT */
#include "scenarios/world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

#include "banned.h"

#define MONO_BEGIN_NS \
	(INT64_C(1000000) * 1000000)         /* a machine that is up for a while */
#define WALL_BEGIN_MS INT64_C(1795230000000) /* 2026-11-21T03:00:00Z */
#define WAKES 64
#define EVENTS 40
#define EVENT_LEN 200

static struct {
	bool verbose;
	int64_t now_ns, charged_ns, wall_jump_ms;
	uint64_t random;
	bool wake_used[WAKES], signalled[WAKES];
	char events[EVENTS][EVENT_LEN];
	size_t event_count;
	char complaint[EVENT_LEN];
} world;

void world_init(bool verbose)
{
	world.verbose = verbose;
	world.now_ns = MONO_BEGIN_NS;
	world_seed(1);
}

/* base/clock */

struct mono clock_mono(void)
{
	return (struct mono){world.now_ns + world.charged_ns};
}

struct wall world_true_time(void)
{
	return (struct wall){WALL_BEGIN_MS +
			     (clock_mono().ns - MONO_BEGIN_NS) / 1000000};
}

struct wall clock_wall(void)
{
	return (struct wall){world_true_time().ms + world.wall_jump_ms};
}

void world_set(struct mono now)
{
	world.charged_ns = 0;
	if (now.ns > world.now_ns)
		world.now_ns = now.ns;
}

void world_begin_step(void)
{
	world.charged_ns = 0;
}

void world_charge(int64_t ms)
{
	world.charged_ns += ms * 1000000;
}

int64_t world_charged(void)
{
	return world.charged_ns / 1000000;
}

void world_jump_wall(int64_t ms)
{
	world.wall_jump_ms += ms;
}

/* base/random: xorshift64*, the same numbers in every run */

void world_seed(uint64_t seed)
{
	world.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

static uint64_t next_random(void)
{
	world.random ^= world.random >> 12;
	world.random ^= world.random << 25;
	world.random ^= world.random >> 27;
	return world.random * UINT64_C(2685821657736338717);
}

void random_bytes(void *out, size_t n)
{
	unsigned char *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(next_random() >> 56);
}

uint64_t random_below(uint64_t bound)
{
	return bound == 0 ? 0 : (next_random() >> 8) % bound;
}

/* base/wake: a number instead of a descriptor, and a flag behind it */

int wake_init(struct wake *w)
{
	atomic_init(&w->stop, false);
	for (int i = 0; i < WAKES; i++)
		if (!world.wake_used[i]) {
			world.wake_used[i] = true;
			world.signalled[i] = false;
			w->fd = i;
			return 0;
		}
	fputs("more wakes than a scenario may have\n", stderr);
	abort();
}

void wake_fini(struct wake *w)
{
	if (w->fd >= 0)
		world.wake_used[w->fd] = false;
	w->fd = -1;
}

void wake_signal(struct wake *w)
{
	world.signalled[w->fd] = true;
}

void wake_stop(struct wake *w)
{
	atomic_store(&w->stop, true);
	wake_signal(w);
}

void wake_resume(struct wake *w)
{
	atomic_store(&w->stop, false);
}

bool wake_stopping(const struct wake *w)
{
	return atomic_load(&w->stop);
}

void wake_wait(struct wake *w, struct step s)
{
	(void)w;
	(void)s;
	fputs("an actor sleeps inside its step\n", stderr);
	abort();
}

bool world_signalled(const struct wake *w)
{
	return world.signalled[w->fd];
}

bool world_take_signal(const struct wake *w)
{
	bool was = world.signalled[w->fd];

	world.signalled[w->fd] = false;
	return was;
}

/* Events */

const char *world_stamp(void)
{
	static char text[32];
	int64_t ms = (clock_mono().ns - MONO_BEGIN_NS) / 1000000;

	snprintf(text, sizeof(text), "+%02lld:%02lld:%02lld.%03lld",
		 (long long)(ms / 3600000), (long long)(ms / 60000 % 60),
		 (long long)(ms / 1000 % 60), (long long)(ms % 1000));
	return text;
}

void world_event(const char *fmt, ...)
{
	char *line = world.events[world.event_count++ % EVENTS];
	va_list ap;
	int n = snprintf(line, EVENT_LEN, "%s ", world_stamp());

	va_start(ap, fmt);
	vsnprintf(line + n, EVENT_LEN - (size_t)n, fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	if (world.verbose)
		printf("# %s\n", line);
}

void world_print_events(FILE *f)
{
	size_t first = world.event_count > EVENTS ? world.event_count - EVENTS : 0;

	for (size_t i = first; i < world.event_count; i++)
		fprintf(f, "#   %s\n", world.events[i % EVENTS]);
}

void world_complain(const char *fmt, ...)
{
	va_list ap;

	if (*world.complaint != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(world.complaint, sizeof(world.complaint), fmt, ap);
	va_end(ap);
	world_event("COMPLAINT: %s", world.complaint);
}

const char *world_complaint(void)
{
	return world.complaint;
}
