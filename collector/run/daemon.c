/* SPDX-License-Identifier: MIT
 * daemon: see daemon.h. Reads as the start and the stop of the program:
 *   start: config → log → state lock → metrics → board → store → http → shipper →
 *          brokers → alarm and notifiers → tailers → wait
 *   stop:  tailers → alarm and notifiers → brokers → shipper (drains) → http → store →
 *          board → state lock */
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
#include "run/actor.h"
#include "run/alarm.h"
#include "run/brokers.h"
#include "run/hostlog.h"
#include "run/plan.h"
#include "run/sdnotify.h"
#include "run/shipper.h"
#include "run/standing.h"
#include "run/statelock.h"
#include "run/tailer.h"
#include "run/watch.h"
#include "serve/server.h"
#include "ssh/ssh.h"
#include "store/store.h"

#include "banned.h"

#define ABOUT "mmlag"
#define DESCRIPTORS_PER_STREAM 4
#define DESCRIPTORS_BESIDE 128 /* store, pages, receivers */
#define WATCH_MS 1000          /* between two looks at the store */

struct daemon {
	struct config *config;
	struct wake wake;
	int lock_fd, signal_fd;
	struct plan plan;
	struct store *store;
	struct board *board;
	struct records windows;   /* of the last life, until tailers have them */
	struct store_status seen; /* what the log has told already */
	struct actor store_actor;
	struct serve *serve;
	struct actor serve_actor;
	struct shipper *shipper; /* NULL without an elasticsearch section */
	struct actor shipper_actor;
	struct brokers *brokers; /* NULL without a brokers section */
	struct actor brokers_actor;
	struct watch watch;
	struct actor *watch_actors; /* one per part of it */
	struct tailer **tailers;    /* one per stream of the plan */
	struct actor *tailer_actors;
	struct actor *far_actors; /* beside them; not started where there is none */
};

static struct step step_store(void *store)
{
	return store_step(store);
}

uint64_t daemon_descriptors(size_t streams)
{
	return streams * DESCRIPTORS_PER_STREAM + DESCRIPTORS_BESIDE;
}

/* At most so many at a time. */
static size_t sessions(const struct config *c)
{
	struct config_topic place;
	size_t n = c->topic_count;

	for (size_t i = 0; i < c->topic_count; i++)
		n += plan_target_place(&c->topics[i], &place);
	return n;
}

static void raise_descriptor_limit(size_t streams)
{
	struct rlimit r;
	rlim_t need = daemon_descriptors(streams);

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= need)
		return;
	r.rlim_cur = r.rlim_max < need ? r.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur < need)
		log_warn(ABOUT,
			 "%zu sessions need about %llu open files and %llu are "
			 "allowed: raise LimitNOFILE= or ulimit -n",
			 streams, (unsigned long long)need,
			 (unsigned long long)r.rlim_cur);
}

void daemon_hold_signals(sigset_t *held)
{
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

static int start_store(struct daemon *d, struct err *err)
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
	/* What has records there reads them before the store's thread owns them. */
	if (watch_make(&d->watch, d->config, d->store, d->board, err) != 0) {
		if (err->class == ERR_PERMANENT || err->class == ERR_REJECT)
			err->code = DAEMON_CONFIG;
		return err->class;
	}
	return actor_start(&d->store_actor, "store", step_store, d->store,
			   store_wake(d->store), NULL, err);
}

static int start_watch(struct daemon *d, struct err *err)
{
	d->watch_actors = mem_calloc(d->watch.n, sizeof(*d->watch_actors));
	for (size_t i = 0; i < d->watch.n; i++) {
		const struct watch_part *p = &d->watch.parts[i];

		if (actor_start(&d->watch_actors[i], p->name, p->step, p->self, p->wake,
				NULL, err) != 0)
			return err->class;
	}
	return 0;
}

static int start_http(struct daemon *d, struct err *err)
{
	const struct serve_parts parts = {d->config, d->board, d->store};

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
	alarm_look_at_brokers(d->watch.alarm, d->brokers);
	return actor_start(&d->brokers_actor, "brokers", brokers_step, d->brokers,
			   brokers_wake(d->brokers), NULL, err);
}

static int start_tailers(struct daemon *d, struct err *err)
{
	d->plan = plan_make(d->config, PLAN_AS_CONFIGURED);
	d->tailers = mem_calloc(d->plan.n, sizeof(struct tailer *));
	d->tailer_actors = mem_calloc(d->plan.n, sizeof(*d->tailer_actors));
	d->far_actors = mem_calloc(d->plan.n, sizeof(*d->far_actors));
	for (size_t i = 0; i < d->plan.n; i++) {
		d->tailers[i] = tailer_new(&d->plan.streams[i], d->store, d->board);
		if (d->tailers[i] == NULL)
			return err_set(err, ERR_RETRY,
				       "no descriptor is left (ulimit -n)");
	}
	tailers_restore(d->tailers, d->plan.n, d->store, &d->windows);
	records_fini(&d->windows);
	for (size_t i = 0; i < d->plan.n; i++) {
		struct far *far = tailer_far(d->tailers[i]);

		if (far != NULL && actor_start(&d->far_actors[i], "target", far_step,
					       far, far_wake(far), NULL, err) != 0)
			return err->class;
		if (actor_start(&d->tailer_actors[i], tailer_name(d->tailers[i]),
				tailer_step, d->tailers[i], tailer_wake(d->tailers[i]),
				NULL, err) != 0)
			return err->class;
	}
	return 0;
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
	raise_descriptor_limit(sessions(d->config));
	mallopt(M_ARENA_MAX,
		2); /* a thousand threads, and little to allocate in each */
	d->board = board_new();
	if (start_store(d, err) != 0 || start_http(d, err) != 0 ||
	    start_shipper(d, err) != 0 || start_brokers(d, err) != 0 ||
	    start_watch(d, err) != 0)
		return err->class;
	return start_tailers(d, err);
}

/* The next signal; 0 when there is none. */
static int next_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* Say once what befalls the store, and once that it is over. */
static void watch_store(struct daemon *d)
{
	struct store_status now;

	store_status(d->store, &now);
	if (strcmp(now.set_aside, d->seen.set_aside) != 0)
		log_error(ABOUT,
			  "the spool's file could not be used and was put aside: %s",
			  now.set_aside);
	if (*now.trouble != '\0' && *d->seen.trouble == '\0')
		log_error(ABOUT, "spool: %s", now.trouble);
	if (d->seen.degraded && !now.degraded)
		log_info(ABOUT, "spool: the file can be written again");
	d->seen = now;
}

/* Wait until a signal asks for the end. */
static void wait_for_end(struct daemon *d)
{
	for (;;) {
		int sig = next_signal(d);

		if (sig == SIGTERM || sig == SIGINT) {
			log_info(ABOUT, "%s: stopping",
				 sig == SIGTERM ? "SIGTERM" : "SIGINT");
			return;
		}
		if (sig == SIGHUP)
			log_warn(ABOUT,
				 "SIGHUP: this version reads its configuration at "
				 "the start only; restart it");
		watch_store(d);
		if (sig == 0)
			wake_wait(&d->wake,
				  (struct step){d->signal_fd, POLLIN,
						mono_add_ms(clock_mono(), WATCH_MS),
						false});
	}
}

static void stop_tailers(struct daemon *d)
{
	for (size_t i = 0; i < d->plan.n; i++) {
		if (d->tailers[i] == NULL)
			continue;
		wake_stop(tailer_wake(d->tailers[i]));
		if (tailer_far(d->tailers[i]) != NULL)
			wake_stop(far_wake(tailer_far(d->tailers[i])));
	}
	for (size_t i = 0; i < d->plan.n; i++) {
		actor_join(&d->tailer_actors[i]);
		actor_join(&d->far_actors[i]);
		tailer_free(d->tailers[i]);
	}
	free(d->tailers);
	free(d->tailer_actors);
	free(d->far_actors);
}

static void stop_brokers(struct daemon *d)
{
	if (d->brokers == NULL)
		return;
	wake_stop(brokers_wake(d->brokers));
	actor_join(&d->brokers_actor);
	brokers_free(d->brokers);
}

static void stop_watch(struct daemon *d)
{
	watch_stop(&d->watch);
	for (size_t i = 0; d->watch_actors != NULL && i < d->watch.n; i++)
		actor_join(&d->watch_actors[i]);
	free(d->watch_actors);
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
	wake_stop(shipper_wake(d->shipper));
	actor_join(&d->shipper_actor);
	shipper_free(d->shipper);
}

static void stop_http(struct daemon *d)
{
	if (d->serve == NULL)
		return;
	wake_stop(serve_wake(d->serve));
	actor_join(&d->serve_actor);
	serve_free(d->serve);
}

static void stop_store(struct daemon *d)
{
	struct store_end end;

	if (d->store == NULL)
		return;
	wake_stop(store_wake(d->store));
	actor_join(&d->store_actor);
	store_close(d->store, &end);
	if (strcmp(end.set_aside, d->seen.set_aside) != 0)
		log_error(ABOUT,
			  "the spool's file could not be used and was put aside: %s",
			  end.set_aside);
	if (end.aside > 0)
		log_error(ABOUT,
			  "%lld documents lie in files put aside; mmlag spool import "
			  "takes them in again",
			  (long long)end.aside);
	if (end.lost > 0)
		log_error(
			ABOUT,
			"%lld documents could not be written to %s and are lost%s: %s",
			(long long)end.lost, d->config->state_dir,
			end.unread
				? ", but for what the next start may find in the file"
				: "",
			end.trouble);
	if (end.stay > 0)
		log_info(ABOUT, "%lld documents stay in the spool",
			 (long long)end.stay);
}

static void stop(struct daemon *d)
{
	struct mono deadline = mono_add_ms(clock_mono(), DRAIN_MS);

	stop_tailers(d);
	stop_watch(d);
	stop_brokers(d);
	stop_shipper(d, deadline);
	stop_http(d);
	stop_store(d);
	watch_fini(&d->watch);
	records_fini(&d->windows);
	board_free(d->board);
	plan_free(&d->plan);
	hostlog_fini();
	ssh_global_fini();
	http_global_fini();
	if (d->signal_fd >= 0)
		close(d->signal_fd);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

int daemon_run(struct config *c, struct err *err)
{
	struct daemon d = {.config = c, .lock_fd = -1, .signal_fd = -1};
	int rc;

	if (wake_init(&d.wake) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "no descriptor is left");
	rc = start(&d, err);
	if (rc == 0) {
		log_info(ABOUT, "version %s: %zu topic%s, %zu remote command%s",
			 MMLAG_VERSION, c->topic_count, c->topic_count == 1 ? "" : "s",
			 d.plan.n, d.plan.n == 1 ? "" : "s");
		serve_set_ready(d.serve);
		sdnotify("READY=1\nSTATUS=%zu topics", c->topic_count);
		wait_for_end(&d);
		sdnotify("STOPPING=1");
	}
	stop(&d);
	wake_fini(&d.wake);
	if (rc == 0)
		log_info(ABOUT, "stopped");
	return rc;
}
