/* SPDX-License-Identifier: MIT
 * hosts: the MirrorMaker hosts of a scenario and the links to them. It has the symbols
 * of ssh/ssh, which it replaces, and plays what runs on the host: the remote loop with
 * its marks (lag/frame.h), or a command that writes lines. One thread. */
#ifndef MMLAG_SCENARIOS_HOSTS_H
#define MMLAG_SCENARIOS_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct host;

/* The host of that name, made when it is first spoken of; lives to the end. */
struct host *host_named(const char *name);

/* How the next `times` (-1: all) attempts to log in go: accept, refuse, hang, busy,
 * auth-fail, hostkey-changed. Returns -1 for another word. */
int host_set_login(struct host *h, const char *how, int times);

/* Of the links that are up now: the connection breaks; the remote loop stands still
 * while the link lives; the remote command ends; nothing arrives for `ms`, then all. */
void host_drop(struct host *h);
void host_freeze(struct host *h);
void host_end_command(struct host *h, int code, const char *stderr_text);
void host_hold(struct host *h, int64_t ms);

/* What the runs of the CLI that end from now on give. In texts (copied) %now becomes
 * the milliseconds of our wall clock at the end of the run, %run its number, %nonce the
 * session's. */
void host_set_cli(struct host *h, const char *group, const char *text);
void host_set_exit_code(struct host *h, int64_t code);
void host_set_stderr(struct host *h, const char *text);
void host_set_target(struct host *h, int code, const char *text); /* "": not asked */
void host_set_run_time(struct host *h, int64_t ms);
void host_set_clock(struct host *h, int64_t ahead_ms);

/* One line on stdout of the commands of format: line. */
void host_say(struct host *h, const char *line);

/* For expectations: attempts to log in, links that are up, runs of the CLI begun. */
int64_t host_attempts(const struct host *h);
int64_t host_sessions(const struct host *h);
int64_t host_runs(const struct host *h);

/* For the scheduler: when something happens on some host; let happen what is due; when
 * the descriptor of a link can be read. */
struct mono hosts_next(void);
void hosts_run(void);
struct mono hosts_readable(int fd);

/* Free the hosts; no link may be up. */
void hosts_fini(void);

#endif
