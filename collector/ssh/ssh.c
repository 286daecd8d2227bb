/* SPDX-License-Identifier: MIT
 * ssh: see ssh.h. The life of a session and the streaming. Not here: how it is set up
 * (link, auth), and when it may be (gate). */
#include "ssh/ssh.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>

#include "base/mem.h"
#include "lag/reason.h"
#include "ssh/gate_int.h"
#include "ssh/ssh_int.h"

#include "banned.h"

#define PHASE_MS 15000
#define BEAT_MS 1500
#define BEAT_RETRY_MS 20
#define CLOSE_MS 500
#define END_MS 3000       /* from the end of the output to the exit code */
#define COMMAND_MAX 34000 /* what libssh2 can put into one packet */
#define CHUNK (4 << 10)   /* a thousand sessions have one each */
#define STDERR_MAX (16 << 10)
#define STEP_MAX (64 << 10) /* bytes taken in by one step */

struct ssh {
	struct link link;
	LIBSSH2_CHANNEL *channel;
	struct mono beat_due;
	bool beat_pending; /* half-sent: nothing else may be sent before */
	int64_t quiet_ms;  /* silence after which the host is asked for a sign */
	bool asking;
	struct mono last_heard, waiting_since; /* for an answer, or to send */
	bool failed;
	bool ended;
	struct mono end_seen; /* of the output; 0: not yet */
	int exit_code;
	char fingerprint[FINGERPRINT_TEXT];
	struct buf errors;
	char data[CHUNK];
};

static struct gate *gate;

int ssh_global_init(struct err *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (sigaction(SIGPIPE, &ignore, NULL) != 0 || libssh2_init(0) != 0)
		return err_set(err, ERR_PERMANENT, "libssh2 cannot be initialised");
	gate = gate_new();
	return 0;
}

void ssh_global_fini(void)
{
	gate_free(gate);
	gate = NULL;
	libssh2_exit();
}

/* What makes one log-in on a host different from another, for the gate. */
static char *name_login(const struct config_topic *t)
{
	struct buf b = BUF_INIT(65536);

	buf_printf(&b, "%s\n%s\n%s\n%s\n%d\n%d\n%s", t->user,
		   t->proxy_jump ? t->proxy_jump : "", t->key_file ? t->key_file : "",
		   t->passphrase_file ? t->passphrase_file : "", t->agent,
		   (int)t->host_key, t->host_key_pin ? t->host_key_pin : "");
	for (size_t i = 0; i < t->known_hosts.n; i++)
		buf_printf(&b, "\n%s", t->known_hosts.v[i]);
	return buf_take(&b);
}

/* Connect and log in, through the gate. */
static int log_in(struct ssh *s, const struct route *r, struct wake *wake,
		  struct err *err)
{
	const struct config_topic *t = &r->t;
	char *login = name_login(t);
	struct gate_pass pass;
	int rc = gate_enter(gate, &pass, t->host, t->port, login, wake, err);

	free(login);
	if (rc != 0)
		return rc;
	rc = link_open(&s->link, r, wake, err);
	link_fingerprint(&s->link, s->fingerprint);
	if (rc == 0) {
		link_limit(&s->link, PHASE_MS);
		rc = auth_login(&s->link, t, err);
	}
	gate_leave(gate, &pass, rc == 0 ? NULL : err, clock_mono());
	return rc;
}

static int start_command(struct ssh *s, const char *command, struct err *err)
{
	struct link *l = &s->link;

	if (strlen(command) > COMMAND_MAX)
		return err_set_code(
			err, ERR_PERMANENT, REASON_SOURCE_ERROR,
			"the remote command is too long: %zu bytes quoted, %d fit",
			strlen(command), COMMAND_MAX);
	link_limit(l, PHASE_MS);
	s->channel = libssh2_channel_open_session(l->session);
	if (s->channel == NULL)
		return link_error(l, "opening a session", err);
	if (libssh2_channel_exec(s->channel, command) != 0)
		return link_error(l, "starting the command", err);
	libssh2_session_set_blocking(l->session, 0);
	link_slim(l);
	l->waits = false;
	return 0;
}

static void discard(struct ssh *s)
{
	link_close(&s->link); /* frees the channel too */
	buf_free(&s->errors);
	free(s);
}

int ssh_open(struct ssh **out, const struct config_topic *t, const char *command,
	     struct wake *wake, struct err *err)
{
	struct ssh *s = mem_calloc(1, sizeof(*s));
	struct err own = ERR_INIT;
	struct route route;
	int rc;

	*out = NULL;
	s->link.fd = s->link.proxy.words_fd = -1;
	s->exit_code = -1;
	buf_init(&s->errors, STDERR_MAX);
	rc = route_find(&route, t, wake, &own);
	if (rc == 0) {
		rc = log_in(s, &route, wake, &own);
		route_fini(&route);
	}
	if (rc == 0)
		rc = start_command(s, command, &own);
	wake_signal(wake); /* what we took in may have been meant for the owner */
	if (rc != 0) {
		if (err != NULL)
			*err = own;
		discard(s);
		return rc;
	}
	s->link.wait.wake = NULL;
	s->link.heard = false;
	s->quiet_ms = t->watchdog_ms;
	s->last_heard = s->beat_due = clock_mono();
	*out = s;
	return 0;
}

static int lost(struct ssh *s, struct err *err)
{
	s->failed = true;
	return link_error(&s->link, "streaming", err);
}

/* One newline on the remote stdin, where it is due. The library wants a half-sent one
 * repeated from the same address. */
static int beat(struct ssh *s, struct mono now)
{
	static const char newline = '\n';
	ssize_t n;

	if (!s->beat_pending && mono_before(now, s->beat_due))
		return 0;
	n = libssh2_channel_write(s->channel, &newline, 1);
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
		return -1;
	s->beat_pending = n <= 0;
	if (!s->beat_pending)
		s->beat_due = mono_add_ms(now, BEAT_MS);
	return 0;
}

/* TCP does not notice a host that is dead behind a bastion, or behind a box that
 * acknowledges what it drops. So one that was quiet is asked for what every server
 * answers, if only by a no: a variable for a command that runs already. (The library's
 * own keepalive never looks for its answers, and keeps each of them for ever.) */
static int ask(struct ssh *s, struct mono now)
{
	int rc;

	if (s->end_seen.ns != 0 ||
	    (!s->asking && mono_diff_ms(now, s->last_heard) < s->quiet_ms))
		return 0;
	rc = libssh2_channel_setenv(s->channel, "MMLAG_ASKS", "1");
	s->asking = rc == LIBSSH2_ERROR_EAGAIN;
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
		(void)libssh2_session_set_last_error(s->link.session, 0, NULL);
		return 0;
	}
	return rc == 0 || s->asking ? 0 : -1;
}

static bool is_half_sent(const struct ssh *s)
{
	return s->beat_pending ||
	       (s->asking && (libssh2_session_block_directions(s->link.session) &
			      LIBSSH2_SESSION_BLOCK_OUTBOUND));
}

/* The heartbeat and the question, each where it is due. */
static int tell(struct ssh *s, struct mono now)
{
	bool waited = s->asking || s->beat_pending;

	if (s->link.heard)
		s->last_heard = now;
	s->link.heard = false;
	if (beat(s, now) != 0 || (!s->beat_pending && ask(s, now) != 0))
		return -1;
	if (!waited)
		s->waiting_since = now;
	return 0;
}

/* When the host is to be asked, or to be given up. Waiting is measured from the
 * question, not from the last byte alone: after a time in which we ourselves stood
 * still, the host has done nothing wrong. */
static struct mono patience_end(const struct ssh *s)
{
	struct mono silent = mono_add_ms(s->last_heard, 3 * s->quiet_ms);
	struct mono waited = mono_add_ms(s->waiting_since, 2 * s->quiet_ms);

	if (!s->asking && !s->beat_pending)
		return mono_add_ms(s->last_heard, s->quiet_ms);
	return mono_before(silent, waited) ? waited : silent;
}

static bool is_dead(const struct ssh *s, struct mono now)
{
	return (s->asking || s->beat_pending) && !s->link.heard &&
	       !mono_before(now, patience_end(s));
}

static enum ssh_event wait_or_give_up(struct ssh *s, struct mono now, struct err *err)
{
	if (!is_dead(s, now))
		return SSH_WAIT;
	s->failed = true;
	err_set_code(err, ERR_RETRY, REASON_SSH_LOST,
		     "%s: the host does not answer any more: not a byte for %lld s",
		     s->link.name,
		     (long long)(mono_diff_ms(now, s->last_heard) / 1000));
	return SSH_FAILED;
}

static void keep_errors(struct buf *ring, const char *p, size_t n)
{
	if (n > ring->max) {
		p += n - ring->max;
		n = ring->max;
	}
	if (n > ring->max - ring->len)
		buf_consume(ring, n - (ring->max - ring->len));
	buf_add(ring, p, n);
}

/* All of stderr that is there. stdout and stderr share one window: unread, it would
 * block both. */
static int drain_errors(struct ssh *s)
{
	char chunk[4096];
	ssize_t n;

	while ((n = libssh2_channel_read_stderr(s->channel, chunk, sizeof(chunk))) > 0)
		keep_errors(&s->errors, chunk, (size_t)n);
	return n == 0 || n == LIBSSH2_ERROR_EAGAIN ? 0 : -1;
}

static int exit_code_of(struct ssh *s)
{
	char *signal_name = NULL;
	size_t len = 0;

	if (libssh2_channel_get_exit_signal(s->channel, &signal_name, &len, NULL, NULL,
					    NULL, NULL) == 0 &&
	    signal_name != NULL) {
		libssh2_free(s->link.session, signal_name);
		return -1;
	}
	return libssh2_channel_get_exit_status(s->channel);
}

/* The output has ended; the exit code and the close come behind it. */
static enum ssh_event finish(struct ssh *s, struct mono now, struct err *err)
{
	int rc = libssh2_channel_wait_closed(s->channel);

	if (s->end_seen.ns == 0)
		s->end_seen = now;
	if (rc == LIBSSH2_ERROR_EAGAIN && mono_diff_ms(now, s->end_seen) < END_MS)
		return SSH_WAIT;
	if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN) {
		lost(s, err);
		return SSH_FAILED;
	}
	s->ended = true;
	if (rc == 0)
		s->exit_code = exit_code_of(s);
	return SSH_ENDED;
}

enum ssh_event ssh_step(struct ssh *s, struct mono now, bool read_stdout,
			const char **data, size_t *len, struct err *err)
{
	ssize_t n = 0;

	*len = 0;
	s->link.budget = STEP_MAX;
	proxy_drain(&s->link.proxy);
	if (s->ended)
		return SSH_ENDED;
	if (s->failed || tell(s, now) != 0)
		goto failed;
	if (is_half_sent(s))
		return wait_or_give_up(s, now, err);
	if (drain_errors(s) != 0)
		goto failed;
	if (read_stdout)
		n = libssh2_channel_read(s->channel, s->data, sizeof(s->data));
	if (n > 0) {
		*data = s->data;
		*len = (size_t)n;
		return SSH_DATA;
	}
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
		goto failed;
	/* Not true while anything unread is queued. */
	if (libssh2_channel_eof(s->channel) == 1)
		return finish(s, now, err);
	return wait_or_give_up(s, now, err);
failed:
	lost(s, err);
	return SSH_FAILED;
}

struct step ssh_poll(const struct ssh *s, struct mono now)
{
	struct step next = {s->link.fd, POLLIN, s->beat_due, false};

	if (libssh2_session_block_directions(s->link.session) &
	    LIBSSH2_SESSION_BLOCK_OUTBOUND)
		next.events |= POLLOUT;
	if (s->beat_pending)
		next.until = mono_add_ms(now, BEAT_RETRY_MS);
	if (s->end_seen.ns != 0)
		next.until = mono_min(next.until, mono_add_ms(s->end_seen, END_MS));
	else
		next.until = mono_min(next.until, patience_end(s));
	return next;
}

int ssh_exit_code(const struct ssh *s)
{
	return s->exit_code;
}

const char *ssh_stderr(const struct ssh *s, size_t *len)
{
	*len = s->errors.len;
	return buf_str(&s->errors);
}

void ssh_stderr_reset(struct ssh *s)
{
	buf_reset(&s->errors);
}

const char *ssh_fingerprint(const struct ssh *s)
{
	return s->fingerprint;
}

/* End of file to the watchdog, and wait for the close; whatever comes is dropped. */
static void say_goodbye(struct ssh *s, struct wake *w)
{
	struct mono deadline = mono_add_ms(clock_mono(), CLOSE_MS);
	bool sent = false, gone = false;

	while (!gone && mono_before(clock_mono(), deadline)) {
		ssize_t n = LIBSSH2_ERROR_EAGAIN;
		struct step next;

		s->link.budget = STEP_MAX;
		if (!sent)
			n = libssh2_channel_send_eof(s->channel);
		sent = sent || n == 0;
		if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
			return;
		if (sent) {
			do {
				n = libssh2_channel_read(s->channel, s->data,
							 sizeof(s->data));
			} while (n > 0);
			if ((n < 0 && n != LIBSSH2_ERROR_EAGAIN) ||
			    drain_errors(s) != 0)
				return;
			gone = libssh2_channel_eof(s->channel) == 1 &&
			       libssh2_channel_wait_closed(s->channel) == 0;
		}
		next = ssh_poll(s, clock_mono());
		next.until = deadline;
		if (!gone)
			wake_wait(w, next);
	}
}

void ssh_close(struct ssh *s)
{
	struct wake w;

	if (s == NULL)
		return;
	if (!s->failed && !s->ended && wake_init(&w) == 0) {
		say_goodbye(s, &w);
		wake_fini(&w);
	}
	if (!s->failed)
		(void)libssh2_session_disconnect(s->link.session, "done");
	discard(s);
}
