/* SPDX-License-Identifier: MIT */
#include "scenarios/house.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "alarm/alerting.h"
#include "run/daemon.h"
#include "follow/hostlog.h"
#include "follow/plan.h"
#include "ship/shipper.h"
#include "follow/tailer.h"
#include "scenarios/hosts.h"
#include "scenarios/world.h"

#include "banned.h"

#define ACTORS 64
#define SPIN_MAX 200000 /* steps of one actor without time passing */

struct player { /* an actor without a thread */
	const char *name;
	struct step (*step)(void *);
	void *self;
	struct wake *wake;
	struct step next;
	struct mono busy_until; /* charged for what blocks */
	uint64_t turn;          /* its last one */
	struct mono spin_since;
	int spins;
	bool done;
};

static struct {
	char dir[4096];
	int life; /* state directories so far */
	char *yaml;
	struct config *config;
	struct plan plan;
	struct store *store;
	struct board *board;
	struct shipper *shipper;
	struct alerting alerting;
	struct tailer **tailers;
	struct player players[ACTORS];
	size_t n;
	uint64_t turns;
	bool running;
	struct records windows;
	struct store_status last_status;
	int64_t stop_took;
} house;

/* The scheduler */

static struct mono due(const struct player *p)
{
	struct mono t = p->next.until;

	if (p->next.fd >= 0)
		t = mono_min(t, hosts_readable(p->next.fd));
	if (world_signalled(p->wake))
		t = clock_mono();
	if (mono_before(t, p->busy_until))
		t = p->busy_until;
	return mono_before(t, clock_mono()) ? clock_mono() : t;
}

static struct player *who_is_next(struct mono *when)
{
	struct player *best = NULL;

	*when = MONO_NEVER;
	for (size_t i = 0; i < house.n; i++) {
		struct player *p = &house.players[i];
		struct mono t = p->done ? MONO_NEVER : due(p);

		if (p->done || t.ns > when->ns ||
		    (best != NULL && t.ns == when->ns && p->turn > best->turn))
			continue;
		best = p;
		*when = t;
	}
	return best;
}

static void step(struct player *p)
{
	struct mono now = clock_mono();

	p->spins = now.ns == p->spin_since.ns ? p->spins + 1 : 0;
	p->spin_since = now;
	if (p->spins > SPIN_MAX)
		world_complain("%s spins: it steps on and on while no time passes",
			       p->name);
	p->turn = ++house.turns;
	(void)world_take_signal(p->wake);
	world_begin_step();
	p->next = p->step(p->self);
	p->done = p->next.done;
	p->busy_until = clock_mono();
	world_begin_step();
}

/* The next thing that happens until `limit`; false when nothing does. */
static bool turn(struct mono limit)
{
	struct mono t, host = hosts_next();
	struct player *p = who_is_next(&t);

	if (*world_complaint() != '\0' ||
	    (!mono_before(t, limit) && !mono_before(host, limit)))
		return false;
	world_set(mono_min(t, host));
	if (p == NULL || !mono_before(t, host))
		hosts_run();
	else
		step(p);
	return true;
}

void house_advance(int64_t ms)
{
	struct mono end = mono_add_ms(clock_mono(), ms);

	while (turn(end))
		;
	world_set(end);
}

/* Let the players work until this one has ended. */
static void run_until_done(const struct player *p, struct mono limit)
{
	while (!p->done && turn(limit))
		;
	if (!p->done)
		world_set(limit);
}

/* Start */

static struct player *play(const char *name, struct step (*fn)(void *), void *self,
			   struct wake *wake)
{
	struct player *p;

	if (house.n == ACTORS) {
		world_complain("more actors than a scenario may have");
		house.n--;
	}
	p = &house.players[house.n++];
	*p = (struct player){
		.name = name, .step = fn, .self = self, .wake = wake, .next = STEP_NOW};
	return p;
}

static struct step step_store(void *store)
{
	return store_step(store);
}

static void write_secret(const char *name, const char *text)
{
	char path[4200];
	size_t len = strlen(text);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", house.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		world_complain("cannot write %s", path);
	if (fd >= 0)
		close(fd);
}

void house_init(const char *dir)
{
	snprintf(house.dir, sizeof(house.dir), "%s", dir);
	write_secret("key", "key\n");
	write_secret("url", "http://beat.receiver/secret\n");
}

static void state_dir(char *out, size_t size)
{
	snprintf(out, size, "%s/state%d", house.dir, house.life);
	if (mkdir(out, 0700) != 0 && errno != EEXIST)
		world_complain("cannot make %s", out);
}

void house_configure(const char *yaml)
{
	free(house.yaml);
	house.yaml = mem_strdup(yaml);
}

static void write_configuration(const char *path)
{
	char dir[4200];
	const char *p = house.yaml != NULL ? house.yaml : "", *at;
	FILE *f = fopen(path, "we");

	if (f == NULL) {
		world_complain("cannot write %s", path);
		return;
	}
	for (; (at = strstr(p, "%dir")) != NULL; p = at + 4)
		fprintf(f, "%.*s%s", (int)(at - p), p, house.dir);
	state_dir(dir, sizeof(dir));
	fprintf(f, "%sstate_dir: %s\n", p, dir);
	if (fclose(f) != 0)
		world_complain("cannot write %s", path);
}

static int load(void)
{
	struct config_findings findings = {NULL, 0};
	struct err err = ERR_INIT;
	char path[4200];
	int rc;

	snprintf(path, sizeof(path), "%s/mmlag.yaml", house.dir);
	write_configuration(path);
	rc = config_load(path, &house.config, &findings, &err);
	for (size_t i = 0; i < findings.n; i++)
		if (!findings.v[i].warning)
			world_complain("configuration, line %d: %s", findings.v[i].line,
				       findings.v[i].text);
	config_findings_free(&findings);
	if (rc != 0)
		world_complain("configuration: %s", err.text);
	return rc;
}

static void keep_window(void *windows, const char *key, const void *bytes, size_t len)
{
	records_put(windows, STORE_WINDOW, key, bytes, len);
}

static int start_store(struct err *err)
{
	struct store_limits l = STORE_LIMITS_DEFAULT;
	const struct config *c = house.config;

	l.max_bytes = c->spool.max_bytes;
	l.max_age_ms = c->spool.max_age_ms;
	l.min_free = c->spool.min_free;
	l.dead_bytes = c->dead_letters.bytes;
	l.dead_age_ms = c->dead_letters.age_ms;
	if (store_open(&house.store, c->state_dir, &l, err) != 0)
		return -1;
	store_each(house.store, STORE_WINDOW, keep_window, &house.windows);
	store_status(house.store, &house.last_status);
	if (*house.last_status.set_aside != '\0' || house.last_status.degraded)
		world_complain("the store is not well: %s %s",
			       house.last_status.set_aside, house.last_status.trouble);
	if (alerting_make(&house.alerting, c, house.store, house.board, err) != 0)
		return -1;
	play("store", step_store, house.store, store_wake(house.store));
	return 0;
}

static void start_alerting(void)
{
	for (size_t i = 0; i < house.alerting.n; i++) {
		const struct alerting_part *p = &house.alerting.parts[i];

		play(p->name, p->step, p->self, p->wake);
	}
}

static void start_tailers(void)
{
	house.plan = plan_make(house.config, PLAN_AS_CONFIGURED);
	house.tailers = mem_calloc(house.plan.n, sizeof(struct tailer *));
	for (size_t i = 0; i < house.plan.n; i++) {
		struct tailer *t =
			tailer_new(&house.plan.streams[i], house.store, house.board);

		house.tailers[i] = t;
	}
	tailers_restore(house.tailers, house.plan.n, house.store, &house.windows);
	records_fini(&house.windows);
	for (size_t i = 0; i < house.plan.n; i++) {
		struct tailer *t = house.tailers[i];

		play(tailer_name(t), tailer_step, t, tailer_wake(t));
		if (tailer_far(t) != NULL)
			play("target", far_step, tailer_far(t),
			     far_wake(tailer_far(t)));
	}
}

void house_start(void)
{
	struct err err = ERR_INIT;

	if (house.running || load() != 0)
		return;
	house.n = 0;
	house.board = board_new();
	if (start_store(&err) != 0) {
		world_complain("store: %s", err.text);
		return;
	}
	house.running = true;
	if (house.config->elastic.set) {
		if (shipper_new(&house.shipper, &house.config->elastic, house.store,
				house.board, &err) != 0)
			world_complain("shipper: %s", err.text);
		else
			play("shipper", shipper_step, house.shipper,
			     shipper_wake(house.shipper));
	}
	start_alerting();
	start_tailers();
	world_event("started: %zu topics, %zu streams", house.config->topic_count,
		    house.plan.n);
}

/* Stop */

static struct player *player_of(const void *self)
{
	for (size_t i = 0; i < house.n; i++)
		if (house.players[i].self == self)
			return &house.players[i];
	return NULL;
}

/* A stop ends what blocks. */
static struct player *tell_to_stop(const void *self, struct wake *wake)
{
	struct player *p = player_of(self);

	wake_stop(wake);
	p->busy_until = clock_mono();
	return p;
}

static void free_all(void)
{
	for (size_t i = 0; i < house.plan.n; i++)
		tailer_free(house.tailers[i]);
	free(house.tailers);
	alerting_fini(&house.alerting);
	shipper_free(house.shipper);
	house.shipper = NULL;
	store_status(house.store, &house.last_status);
	store_close(house.store, NULL);
	house.store = NULL;
	board_free(house.board);
	house.board = NULL;
	plan_free(&house.plan);
	hostlog_fini();
	config_unref(house.config);
	house.n = 0;
	house.running = false;
}

void house_stop(void)
{
	struct mono began = clock_mono(), limit = mono_add_ms(began, DRAIN_MS);

	if (!house.running)
		return;
	for (size_t i = 0; i < house.plan.n; i++)
		tell_to_stop(house.tailers[i], tailer_wake(house.tailers[i]));
	for (size_t i = 0; i < house.plan.n; i++) {
		struct far *far = tailer_far(house.tailers[i]);

		run_until_done(player_of(house.tailers[i]), limit);
		if (far != NULL)
			run_until_done(tell_to_stop(far, far_wake(far)), limit);
	}
	for (size_t i = 0; i < house.alerting.n; i++) {
		const struct alerting_part *p = &house.alerting.parts[i];

		run_until_done(tell_to_stop(p->self, p->wake), limit);
	}
	if (house.shipper != NULL) {
		shipper_drain(house.shipper);
		run_until_done(player_of(house.shipper), limit);
		run_until_done(tell_to_stop(house.shipper, shipper_wake(house.shipper)),
			       mono_add_ms(clock_mono(), 1000));
	}
	run_until_done(tell_to_stop(house.store, store_wake(house.store)),
		       mono_add_ms(clock_mono(), 1000));
	for (size_t i = 0; i < house.n; i++)
		if (!house.players[i].done)
			world_complain("%s does not end", house.players[i].name);
	house.stop_took = mono_diff_ms(clock_mono(), began);
	free_all();
	world_event("stopped, %lld documents wait",
		    (long long)house.last_status.documents);
}

static void copy_file(const char *from, const char *to)
{
	struct buf b = BUF_INIT(1 << 30);
	struct err err = ERR_INIT;
	FILE *f = fopen(to, "we");

	if (file_read(from, &b, &err) != 0 || f == NULL ||
	    fwrite(buf_str(&b), 1, b.len, f) != b.len)
		world_complain("cannot copy %s: %s", from, err.text);
	if (f != NULL && fclose(f) != 0)
		world_complain("cannot copy %s", from);
	buf_free(&b);
}

void house_kill(void)
{
	char from[4200], to[4200], a[4600], b[4600];
	const struct dirent *e;
	DIR *d;

	if (!house.running)
		return;
	state_dir(from, sizeof(from));
	house.life++;
	state_dir(to, sizeof(to));
	d = opendir(from);
	while (d != NULL && (e = readdir(d)) != NULL) {
		/* The shared memory of a write-ahead log is made anew from the log. */
		if (*e->d_name == '.' || strstr(e->d_name, "-shm") != NULL)
			continue;
		snprintf(a, sizeof(a), "%s/%s", from, e->d_name);
		snprintf(b, sizeof(b), "%s/%s", to, e->d_name);
		copy_file(a, b);
	}
	if (d != NULL)
		closedir(d);
	free_all();
	world_event("killed");
}

bool house_was_killed(void)
{
	return house.life > 0;
}

int house_silence(const char *json)
{
	if (!house.running)
		return -1;
	return board_ask(house.board, BOARD_ASK_SILENCE, json, strlen(json));
}

char *house_alerts(void)
{
	struct buf out = BUF_INIT(16 << 20);

	if (house.running)
		board_told(house.board, BOARD_ALERTS, &out);
	return buf_take(&out);
}

void house_store_status(struct store_status *out)
{
	if (house.running)
		store_status(house.store, out);
	else
		*out = house.last_status;
}

struct board_views house_views(void)
{
	return house.running ? board_look(house.board)
			     : (struct board_views){NULL, 0, 0};
}

int64_t house_stop_took(void)
{
	return house.stop_took;
}

void house_fini(void)
{
	if (house.running)
		free_all();
	free(house.yaml);
}
