/* SPDX-License-Identifier: MIT
 * daemon: see daemon.h. Reads as the start and the stop of the program:
 *   start: config → log → state lock → metrics → board → store → http → shipper →
 *          brokers → alarm and notifiers → tailers → wait
 *   stop:  tailers → alarm and notifiers → brokers → shipper (drains) → http → store →
 *          board → state lock
 * At SIGHUP, with a configuration that is right, most of the column is walked once
 * more: alarm, notifiers, brokers and http end and begin anew, from what they keep in
 * the store, the shipper if its section changed, and those tailers that changed. The
 * store pauses meanwhile: documents wait in front of it. */
#include "run/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <poll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "board/board.h"
#include "http/http.h"
#include "base/actor.h"
#include "alarm/alarm.h"
#include "alarm/alerting.h"
#include "follow/brokers.h"
#include "follow/crew.h"
#include "follow/hostlog.h"
#include "run/reload.h"
#include "run/sdnotify.h"
#include "ship/shipper.h"
#include "ship/standing.h"
#include "run/statelock.h"
#include "run/storelog.h"
#include "serve/server.h"
#include "ssh/ssh.h"
#include "store/store.h"

#include "banned.h"

#define ABOUT "mmlag"
#define DESCRIPTORS_PER_STREAM 6 /* one that reads pages has 5 */
#define DESCRIPTORS_OF_PROXY 4   /* more: its pipe, and both ends of what it is given */
#define DESCRIPTORS_BESIDE 128   /* store, pages, receivers */
#define WATCH_MS 1000            /* between two looks at the store */

struct daemon {
	struct config *config; /* in force; a reference */
	struct wall started;
	struct wake wake;
	int lock_fd, signal_fd;
	bool lock_lost;       /* and told */
	int64_t watchdog_ms;  /* 0: nobody asks */
	struct mono alive_at; /* when to say again that we live */
	struct store *store;
	struct board *board;
	struct crew *crew;
	struct records windows;   /* until those tailers have them whose they are */
	struct store_status seen; /* what the log has told already */
	struct actor store_actor;
	struct serve *serve;
	struct actor serve_actor;
	struct shipper *shipper;       /* NULL without an elasticsearch section */
	struct config *shipper_config; /* a reference: it may outlive another one */
	struct actor shipper_actor;
	struct brokers *brokers; /* NULL without a brokers section */
	struct actor brokers_actor;
	struct alerting alerting;
	struct actor *alerting_actors; /* one per part of it */
};

static struct step step_store(void *store)
{
	return store_step(store);
}

uint64_t daemon_descriptors(const struct plan *p)
{
	uint64_t n = DESCRIPTORS_BESIDE;

	for (size_t i = 0; i < p->n; i++) {
		const struct config_topic *t = p->streams[i].topics[0];

		n += DESCRIPTORS_PER_STREAM;
		if (t->proxy_jump != NULL || t->ssh_config)
			n += DESCRIPTORS_OF_PROXY;
	}
	return n + (plan_sessions(p) - p->n) * DESCRIPTORS_PER_STREAM;
}

static void raise_descriptor_limit(const struct config *c)
{
	struct plan plan = plan_make(c, PLAN_AS_CONFIGURED);
	rlim_t need = daemon_descriptors(&plan);
	size_t sessions = plan_sessions(&plan);
	struct rlimit r;

	plan_free(&plan);
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= need)
		return;
	r.rlim_cur = r.rlim_max < need ? r.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur < need)
		log_warn(ABOUT,
			 "%zu sessions need about %llu open files and %llu are "
			 "allowed: raise LimitNOFILE= or ulimit -n",
			 sessions, (unsigned long long)need,
			 (unsigned long long)r.rlim_cur);
}

void daemon_hold_signals(sigset_t *held)
{
	/* Both are errors of a write as well, and are told as such. */
	static const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	sigemptyset(held);
	sigaddset(held, SIGTERM);
	sigaddset(held, SIGINT);
	sigaddset(held, SIGHUP);
	sigprocmask(SIG_BLOCK, held, NULL);
}

static int listen_to_signals(struct daemon *d, struct err *err)
{
	sigset_t held;

	daemon_hold_signals(&held);
	d->signal_fd = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signal_fd < 0)
		return err_set_errno(err, ERR_RETRY, errno, "cannot listen to signals");
	return 0;
}

struct store_limits daemon_store_limits(const struct config *c)
{
	struct store_limits l = STORE_LIMITS_DEFAULT;

	l.max_bytes = c->spool.max_bytes;
	l.max_age_ms = c->spool.max_age_ms;
	l.min_free = c->spool.min_free;
	l.dead_bytes = c->dead_letters.bytes;
	l.dead_age_ms = c->dead_letters.age_ms;
	l.history_bytes = c->history.bytes;
	l.history_age_ms = c->history.age_ms;
	return l;
}

static void keep_window(void *windows, const char *key, const void *bytes, size_t len)
{
	records_put(windows, STORE_WINDOW, key, bytes, len);
}

static int open_store(struct daemon *d, struct err *err)
{
	struct store_limits l = daemon_store_limits(d->config);
	struct store_status status;

	if (store_open(&d->store, d->config->state_dir, &l, err) != 0)
		return err->class;
	store_each(d->store, STORE_WINDOW, keep_window, &d->windows);
	store_status(d->store, &status);
	if (status.documents > 0)
		log_info(ABOUT, "%lld documents wait from before",
			 (long long)status.documents);
	d->crew = crew_new(d->store, d->board);
	return 0;
}

static int start_store(struct daemon *d, struct err *err)
{
	/* What has records there reads them before the store's thread owns them. */
	if (alerting_make(&d->alerting, d->config, d->store, d->board, err) != 0) {
		if (err->class == ERR_PERMANENT || err->class == ERR_REJECT)
			err->code = DAEMON_CONFIG;
		return err->class;
	}
	return actor_start(&d->store_actor, "store", step_store, d->store,
			   store_wake(d->store), NULL, err);
}

static int start_alerting(struct daemon *d, struct err *err)
{
	d->alerting_actors = mem_calloc(d->alerting.n, sizeof(*d->alerting_actors));
	for (size_t i = 0; i < d->alerting.n; i++) {
		const struct alerting_part *p = &d->alerting.parts[i];

		if (actor_start(&d->alerting_actors[i], p->name, p->step, p->self,
				p->wake, NULL, err) != 0)
			return err->class;
	}
	return 0;
}

static int start_http(struct daemon *d, struct err *err)
{
	const struct serve_parts parts = {d->config, d->board, d->store, d->started};

	if (serve_new(&d->serve, &parts, err) != 0) {
		if (err->class == ERR_PERMANENT)
			err->code = DAEMON_CONFIG;
		return err->class;
	}
	return actor_start(&d->serve_actor, "http", serve_step, d->serve,
			   serve_wake(d->serve), NULL, err);
}

static int start_shipper(struct daemon *d, struct err *err)
{
	if (d->shipper != NULL)
		return 0;
	if (!d->config->elastic.set) {
		log_info(ABOUT, "no elasticsearch section: documents stay in %s",
			 d->config->state_dir);
		standing_without_server(d->board);
		return 0;
	}
	if (shipper_new(&d->shipper, &d->config->elastic, d->store, d->board, err) !=
	    0) {
		if (err->class == ERR_PERMANENT)
			err->code = DAEMON_CONFIG;
		return err->class;
	}
	d->shipper_config = config_ref(d->config);
	return actor_start(&d->shipper_actor, "shipper", shipper_step, d->shipper,
			   shipper_wake(d->shipper), &d->wake, err);
}

static int start_brokers(struct daemon *d, struct err *err)
{
	if (d->config->broker_count == 0)
		return 0;
	d->brokers = brokers_new(d->config, d->board);
	if (d->brokers == NULL)
		return err_set(err, ERR_RETRY, "no descriptor is left (ulimit -n)");
	alarm_look_at_brokers(d->alerting.alarm, d->brokers);
	return actor_start(&d->brokers_actor, "brokers", brokers_step, d->brokers,
			   brokers_wake(d->brokers), NULL, err);
}

/* All that works by the configuration in force. */
static int start_actors(struct daemon *d, struct err *err)
{
	if (start_store(d, err) != 0 || start_http(d, err) != 0 ||
	    start_shipper(d, err) != 0 || start_brokers(d, err) != 0 ||
	    start_alerting(d, err) != 0)
		return err->class;
	return crew_begin(d->crew, d->config, &d->windows, err);
}

static int start(struct daemon *d, struct err *err)
{
	d->lock_fd = statelock_take(d->config->state_dir, err);
	if (d->lock_fd < 0) {
		if (err->class == ERR_AGAIN)
			err->code = DAEMON_LOCKED;
		return err->class;
	}
	if (listen_to_signals(d, err) != 0 || http_global_init(err) != 0 ||
	    ssh_global_init(err) != 0)
		return err->class;
	raise_descriptor_limit(d->config);
	mallopt(M_ARENA_MAX,
		2); /* a thousand threads, and little to allocate in each */
	d->board = board_new();
	return open_store(d, err) != 0 ? err->class : start_actors(d, err);
}

/* The next signal; 0 when there is none. */
static int next_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* Without its lock the directory would take in a second daemon. */
static void watch_lock(struct daemon *d)
{
	struct err err = ERR_INIT;
	int rc = statelock_renew(d->config->state_dir, &d->lock_fd, &err);

	if (rc < 0 && !d->lock_lost)
		log_error(ABOUT, "the state directory was removed or replaced: %s",
			  err.text);
	if (rc > 0)
		log_warn(ABOUT, "%s was removed or replaced; it was made anew",
			 d->config->state_dir);
	d->lock_lost = rc < 0;
}

/* Only this loop says it, which took the store's lock a moment ago. Returns
 * when to say it again. */
static struct mono tell_alive(struct daemon *d)
{
	if (d->watchdog_ms == 0)
		return MONO_NEVER;
	if (!mono_before(clock_mono(), d->alive_at)) {
		sdnotify("WATCHDOG=1");
		d->alive_at = mono_add_ms(clock_mono(), d->watchdog_ms);
	}
	return d->alive_at;
}

static void stop_brokers(struct daemon *d)
{
	if (d->brokers == NULL)
		return;
	wake_stop(brokers_wake(d->brokers));
	actor_join(&d->brokers_actor);
	brokers_free(d->brokers);
	d->brokers = NULL;
}

static void stop_alerting(struct daemon *d)
{
	alerting_stop(&d->alerting);
	for (size_t i = 0; d->alerting_actors != NULL && i < d->alerting.n; i++)
		actor_join(&d->alerting_actors[i]);
	free(d->alerting_actors);
	d->alerting_actors = NULL;
}

/* What it holds goes back to the store. */
static void end_shipper(struct daemon *d)
{
	if (d->shipper == NULL)
		return;
	wake_stop(shipper_wake(d->shipper));
	actor_join(&d->shipper_actor);
	shipper_free(d->shipper);
	config_unref(d->shipper_config);
	d->shipper = NULL;
	d->shipper_config = NULL;
}

/* Let the shipper send what it can until the deadline or a second signal. */
static void stop_shipper(struct daemon *d, struct mono deadline)
{
	if (d->shipper == NULL)
		return;
	shipper_drain(d->shipper);
	while (d->shipper_actor.started && !actor_ended(&d->shipper_actor) &&
	       mono_before(clock_mono(), deadline)) {
		int sig = next_signal(d);

		if (sig == SIGTERM || sig == SIGINT)
			break;
		wake_wait(&d->wake,
			  (struct step){d->signal_fd, POLLIN, deadline, false});
	}
	end_shipper(d);
}

static void stop_http(struct daemon *d)
{
	if (d->serve == NULL)
		return;
	wake_stop(serve_wake(d->serve));
	actor_join(&d->serve_actor);
	serve_free(d->serve);
	d->serve = NULL;
}

static void stop_store(struct daemon *d)
{
	struct store_end end;

	if (d->store == NULL)
		return;
	wake_stop(store_wake(d->store));
	actor_join(&d->store_actor);
	store_close(d->store, &end);
	storelog_end(&d->seen, &end, d->config->state_dir);
}

static void stop(struct daemon *d)
{
	struct mono deadline = mono_add_ms(clock_mono(), DRAIN_MS);

	crew_free(d->crew);
	stop_alerting(d);
	stop_brokers(d);
	stop_shipper(d, deadline);
	stop_http(d);
	stop_store(d);
	alerting_fini(&d->alerting);
	records_fini(&d->windows);
	board_free(d->board);
	config_unref(d->config);
	hostlog_fini();
	ssh_global_fini();
	http_global_fini();
	if (d->signal_fd >= 0)
		close(d->signal_fd);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

/* End what works by the configuration in force, but for what `next` says alike. */
static void stand_down(struct daemon *d, const struct config *next)
{
	stop_alerting(d);
	alerting_fini(&d->alerting);
	stop_brokers(d);
	if (d->shipper != NULL &&
	    !reload_same(d->shipper_config, next, "elasticsearch"))
		end_shipper(d);
	stop_http(d);
	crew_end_others(d->crew, next, &d->windows);
	wake_stop(store_wake(d->store)); /* all records are in the file then */
	actor_join(&d->store_actor);
	wake_resume(store_wake(d->store));
}

static int take_over(struct daemon *d, struct config *next, struct err *err)
{
	enum log_level level = d->config->log_level;
	size_t stay;

	stand_down(d, next);
	stay = crew_size(d->crew);
	config_ref(next);
	config_unref(d->config);
	d->config = next;
	board_tell(d->board, BOARD_BROKERS, "[]", 2); /* until they tell anew */
	raise_descriptor_limit(next);
	if (start_actors(d, err) != 0)
		return err->class;
	log_set_format(next->log_format);
	if (next->log_level != level) /* one that was set meanwhile stays otherwise */
		log_set_level(next->log_level);
	serve_set_ready(d->serve);
	log_info(ABOUT,
		 "configuration taken over: %zu topics, %zu remote commands, "
		 "%zu of them as before",
		 next->topic_count, crew_size(d->crew), stay);
	return 0;
}

enum reloaded { TAKEN_OVER, AS_BEFORE, NOTHING_WORKS };

/* Apply what was read, or what was before where that fails. */
static enum reloaded replace(struct daemon *d, struct config *next, struct err *err)
{
	struct config *old = config_ref(d->config);
	struct err worse = ERR_INIT;
	enum reloaded how = TAKEN_OVER;

	if (take_over(d, next, err) != 0)
		how = AS_BEFORE;
	if (how == AS_BEFORE && take_over(d, old, &worse) != 0) {
		how = NOTHING_WORKS;
		*err = worse;
	}
	config_unref(old);
	return how;
}

static void tell_state(const struct daemon *d)
{
	sdnotify("READY=1\nSTATUS=%zu topics", d->config->topic_count);
}

/* SIGHUP. Fails where nothing works any more, neither the new nor the old. */
static int reload(struct daemon *d, struct err *err)
{
	struct config *next = NULL;
	enum reloaded how = AS_BEFORE;

	sdnotify("RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)(clock_mono().ns / 1000));
	log_info(ABOUT, "SIGHUP: reading %s", d->config->path);
	if (reload_read(&next, d->config, err) == 0)
		how = replace(d, next, err);
	config_unref(next);
	metrics_set(METRIC_RELOAD_OK, how == TAKEN_OVER);
	if (how == TAKEN_OVER)
		metrics_set(METRIC_RELOADED_MS, clock_wall().ms);
	else
		log_error(ABOUT, "the configuration stays as it was: %s", err->text);
	tell_state(d);
	return how == NOTHING_WORKS ? err->class : 0;
}

/* Wait until a signal asks for the end. Fails where a reload left nothing that works.
 */
static int wait_for_end(struct daemon *d, struct err *err)
{
	d->watchdog_ms = sdnotify_watchdog_ms();
	for (;;) {
		int sig = next_signal(d);
		struct mono next = mono_add_ms(clock_mono(), WATCH_MS);

		if (sig == SIGTERM || sig == SIGINT) {
			log_info(ABOUT, "%s: stopping",
				 sig == SIGTERM ? "SIGTERM" : "SIGINT");
			return 0;
		}
		if (sig == SIGHUP && reload(d, err) != 0)
			return err->class;
		storelog_changes(&d->seen, d->store);
		watch_lock(d);
		next = mono_min(next, tell_alive(d));
		if (sig == 0)
			wake_wait(&d->wake,
				  (struct step){d->signal_fd, POLLIN, next, false});
	}
}

int daemon_run(struct config *c, struct err *err)
{
	struct daemon d = {.config = config_ref(c),
			   .started = clock_wall(),
			   .lock_fd = -1,
			   .signal_fd = -1};
	int rc;

	if (wake_init(&d.wake) != 0) {
		config_unref(c);
		return err_set_errno(err, ERR_RETRY, errno, "no descriptor is left");
	}
	rc = start(&d, err);
	if (rc == 0) {
		log_info(ABOUT, "version %s: %zu topic%s, %zu remote command%s",
			 MMLAG_VERSION, c->topic_count, c->topic_count == 1 ? "" : "s",
			 crew_size(d.crew), crew_size(d.crew) == 1 ? "" : "s");
		serve_set_ready(d.serve);
		metrics_set(METRIC_RELOAD_OK, 1);
		metrics_set(METRIC_RELOADED_MS, d.started.ms);
		tell_state(&d);
		rc = wait_for_end(&d, err);
		sdnotify("STOPPING=1");
	}
	stop(&d);
	wake_fini(&d.wake);
	if (rc == 0)
		log_info(ABOUT, "stopped");
	return rc;
}
