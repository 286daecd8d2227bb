/* SPDX-License-Identifier: MIT
 * server: see server.h. Brings the doors up, looks after files that change, and runs
 * the doors. */
#include "serve/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/door_int.h"
#include "serve/serve_int.h"

#include "banned.h"

#define ABOUT "http"
#define AGAIN_MS 10000 /* a taken port, changed files */
#define SOON_MS 100
#define PEM_MAX (1 << 20)

static const char *const tls_names[] = {"cert_file", "key_file", "client_ca_file"};
#define TLS_FILES ARRAY_LEN(tls_names)

static void tls_paths(const struct config_http *c, const char *paths[TLS_FILES])
{
	paths[0] = c->cert_file;
	paths[1] = c->key_file;
	paths[2] = c->client_ca_file;
}

/* ---- files ---- */

struct pems {
	struct buf text[TLS_FILES];
};

static void pems_fini(struct pems *p)
{
	for (size_t i = 0; i < TLS_FILES; i++) {
		mem_wipe(p->text[i].data, p->text[i].len);
		buf_free(&p->text[i]);
	}
}

static int pems_read(const struct config_http *c, struct pems *p, struct err *err)
{
	const char *paths[TLS_FILES];

	tls_paths(c, paths);
	for (size_t i = 0; i < TLS_FILES; i++)
		buf_init(&p->text[i], PEM_MAX);
	for (size_t i = 0; i < TLS_FILES; i++) {
		int rc = 0;

		if (paths[i] == NULL)
			continue;
		rc = i == 1 ? file_read_secret(paths[i], &p->text[i], err)
			    : file_read(paths[i], &p->text[i], err);
		if (rc != 0)
			return err_wrap(err, "http: %s", tls_names[i]);
	}
	return 0;
}

/* Tells a file that was written or replaced from one that was not. */
static struct serve_stamp stamp_of(const struct config_http *c)
{
	const char *paths[TLS_FILES];
	struct serve_stamp s = {0};
	struct stat st;

	tls_paths(c, paths);
	for (size_t i = 0; i < TLS_FILES; i++)
		if (paths[i] != NULL && stat(paths[i], &st) == 0)
			s.v[i] = (uint64_t)st.st_ino * 1000003 +
				 (uint64_t)st.st_mtim.tv_sec * 1000000007 +
				 (uint64_t)st.st_mtim.tv_nsec + (uint64_t)st.st_size;
	return s;
}

/* ---- saying once ---- */

static void trouble(struct serve_trouble *t, const struct err *err)
{
	if (strcmp(t->text, err->text) == 0)
		return;
	log_warn(ABOUT, "%s; tried again every %d s", err->text, AGAIN_MS / 1000);
	memcpy(t->text, err->text, sizeof(t->text));
}

/* ---- doors ---- */

static void watch(struct serve *s, const struct door *d)
{
	struct epoll_event e = {.events = EPOLLIN};

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, door_fd(d), &e) != 0)
		log_error(ABOUT, "a listener cannot be watched");
}

static int open_on(struct serve *s, int fd, struct door **out, struct err *err)
{
	const struct config_http *c = &s->parts.config->http;
	struct pems pems;
	int rc = pems_read(c, &pems, err);

	if (rc == 0) {
		const struct door_tls tls = {
			c->cert_file != NULL ? buf_str(&pems.text[0]) : NULL,
			buf_str(&pems.text[1]),
			c->client_ca_file != NULL ? buf_str(&pems.text[2]) : NULL};

		rc = door_open(out, s, fd, false, &tls, err);
	}
	pems_fini(&pems);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	watch(s, *out);
	return 0;
}

static void open_tcp(struct serve *s)
{
	const struct config_http *c = &s->parts.config->http;
	struct err err = ERR_INIT;
	int fd = door_listen(c->listen, &s->wake, &err);

	if (fd == ERR_AGAIN)
		return;
	s->stamp = stamp_of(c);
	if (fd < 0 || open_on(s, fd, &s->tcp, &err) != 0) {
		trouble(&s->tcp_trouble, &err);
		return;
	}
	log_info(ABOUT, "pages on http%s://%s/", c->cert_file != NULL ? "s" : "",
		 c->listen);
	s->tcp_trouble.text[0] = '\0';
}

static void open_local(struct serve *s)
{
	struct err err = ERR_INIT;
	int fd = door_listen_local(s->local_path, &err);

	if (fd < 0 || door_open(&s->local, s, fd, true, NULL, &err) != 0) {
		if (fd >= 0)
			close(fd);
		trouble(&s->local_trouble, &err);
		return;
	}
	watch(s, s->local);
	s->local_trouble.text[0] = '\0';
}

/* Who is inside gets an answer yet. Only while nobody leaves. */
static void leave(struct serve *s, struct door *d)
{
	door_retire(d);
	s->leaving = d;
}

/* A changed certificate: the new door takes over the socket before the old one goes, so
 * that a file that is wrong changes nothing. */
static void renew_tls(struct serve *s)
{
	const struct serve_stamp now = stamp_of(&s->parts.config->http);
	struct err err = ERR_INIT;
	struct door *fresh = NULL;
	int fd;

	if (memcmp(&now, &s->stamp, sizeof(now)) == 0)
		return;
	if (s->leaving != NULL) /* the next look is soon enough */
		return;
	fd = door_socket(s->tcp);
	if (fd < 0 || open_on(s, fd, &fresh, &err) != 0) {
		trouble(&s->tls_trouble, &err);
		return;
	}
	leave(s, s->tcp);
	s->tcp = fresh;
	s->stamp = now;
	s->tls_trouble.text[0] = '\0';
	log_info(ABOUT, "the certificate was read anew");
}

/* Whoever removed the state directory took the socket's file away. */
static void renew_local(struct serve *s)
{
	if (s->local != NULL && s->leaving == NULL &&
	    access(s->local_path, F_OK) != 0) {
		leave(s, s->local);
		s->local = NULL;
	}
	if (s->local == NULL)
		open_local(s);
}

/* What is to be looked at now and then. */
static void look_after(struct serve *s, struct mono now)
{
	struct err err = ERR_INIT;

	if (mono_before(now, s->look))
		return;
	s->look = mono_add_ms(now, AGAIN_MS);
	if (guard_reread(&s->guard, &err) != 0)
		trouble(&s->token_trouble, &err);
	else
		s->token_trouble.text[0] = '\0';
	renew_local(s);
	if (s->parts.config->http.off)
		return;
	if (s->tcp == NULL)
		open_tcp(s);
	else if (s->parts.config->http.cert_file != NULL)
		renew_tls(s);
}

/* ---- the actor ---- */

static bool has_several_clusters(const struct config *c)
{
	for (size_t i = 1; i < c->topic_count; i++)
		if (strcmp(c->topics[i].cluster, c->topics[0].cluster) != 0)
			return true;
	return false;
}

int serve_new(struct serve **out, const struct serve_parts *parts, struct err *err)
{
	struct serve *s = mem_calloc(1, sizeof(*s));
	const struct config *c = parts->config;

	s->parts = *parts;
	s->epoll = -1;
	s->local_path = mem_printf("%s/control.sock", c->state_dir);
	s->several_clusters = has_several_clusters(c);
	atomic_init(&s->ready, false);
	pthread_mutex_init(&s->inbox_lock, NULL);
	if (gethostname(s->host, sizeof(s->host) - 1) != 0)
		s->host[0] = '\0';
	guard_init(&s->guard, &c->http);
	*out = s;
	if (wake_init(&s->wake) != 0 || (s->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return err_set_errno(err, ERR_RETRY, errno, "no descriptor is left");
	return guard_reread(&s->guard, err);
}

static void forget_cached(struct serve *s)
{
	for (size_t i = 0; i < SERVE_CACHED; i++) {
		free(s->cached[i].uri);
		content_unref(s->cached[i].content);
	}
}

void serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	door_close(s->tcp); /* a thread that never ran left nothing else behind */
	door_close(s->local);
	door_close(s->leaving);
	forget_cached(s);
	guard_fini(&s->guard);
	if (s->epoll >= 0)
		close(s->epoll);
	wake_fini(&s->wake);
	pthread_mutex_destroy(&s->inbox_lock);
	free(s->local_path);
	free(s);
}

struct wake *serve_wake(struct serve *s)
{
	return &s->wake;
}

void serve_set_ready(struct serve *s)
{
	atomic_store(&s->ready, true);
}

static void close_doors(struct serve *s)
{
	ask_give_up(s);
	door_close(s->tcp);
	if (s->local != NULL)
		unlink(s->local_path);
	door_close(s->local);
	door_close(s->leaving);
	s->tcp = s->local = s->leaving = NULL;
}

/* Run all that stands open. Returns when to run again at the latest.
 * @stuck  somebody knocks whom no descriptor is left for. */
static struct mono run_doors(struct serve *s, struct mono now, bool *stuck)
{
	struct door *doors[] = {s->tcp, s->local};
	struct mono next = MONO_NEVER;

	*stuck = false;
	for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
		if (doors[i] == NULL)
			continue;
		next = mono_min(next, door_run(doors[i], now));
		*stuck |= door_is_stuck(doors[i]);
	}
	if (s->leaving == NULL)
		return next;
	next = mono_min(next, door_run(s->leaving, now));
	if (door_is_empty(s->leaving)) {
		door_close(s->leaving);
		s->leaving = NULL;
	}
	return next;
}

struct step serve_step(void *self)
{
	struct serve *s = self;
	struct mono now = clock_mono(), next;
	bool stuck;

	if (wake_stopping(&s->wake)) {
		close_doors(s);
		return STEP_DONE;
	}
	ask_finish(s);
	look_after(s, now);
	if (wake_stopping(&s->wake)) /* told so while a name was looked up */
		return STEP_NOW;
	next = mono_min(s->look, run_doors(s, now, &stuck));
	if (stuck)
		return STEP_UNTIL(mono_min(s->look, mono_add_ms(now, SOON_MS)));
	return (struct step){s->epoll, POLLIN, next, false};
}
