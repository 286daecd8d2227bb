/* SPDX-License-Identifier: MIT
 * message: what a receiver is told, and its words in the form of each kind of receiver.
 * Pure: sending is notify's part. One file renders one kind. */
#ifndef MMLAG_NOTIFY_MESSAGE_H
#define MMLAG_NOTIFY_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "lag/alert.h"

/* Alerts that go in one message. All is borrowed. */
struct message {
	const char *receiver; /* its name */
	const char *url;      /* where people look: the status page, "" for none */
	const struct alert *const *alerts; /* firing or resolved, at least one */
	size_t n;
	struct wall now;
	bool repeated;        /* nothing is new: it only lasts */
	const char *template; /* words of the configuration, NULL for our own */
};

/* What all alerts of a message have in common, and what messages are grouped by: a
 * host, a cluster and group, or nothing. Strings are borrowed from the alert. */
struct message_group {
	const char *cluster, *group, *host;
};

/* Its group; and are two of the same one?  @thread any */
struct message_group message_group_of(const struct alert *a);
bool message_same_group(const struct alert *a, const struct alert *b);

/* "dc1/oasis-group/orders", "mm1", "mmlag".  @thread any */
void message_subject(const struct alert *a, struct buf *out);

/* "3 17", of many the first twenty "and 80 more"; nothing where there are none.
 * @thread any */
void message_partitions(const struct alert *a, struct buf *out);

/* One line: "CRITICAL stopped dc1/oasis-group/orders (partitions 3 17): …".
 * @thread any */
void message_line(const struct alert *a, struct buf *out);

/* One line for the whole: "[FIRING:2] oasis-group: stopped, stalled".  @thread any */
void message_title(const struct message *m, struct buf *out);

/* Title, and per alert its line, since when, and what changed.  @thread any */
void message_text(const struct message *m, struct buf *out);

/* Does any alert fire?  @thread any */
bool message_fires(const struct message *m);

/* The worst severity of those that fire, or of all where none does.  @thread any */
enum severity message_severity(const struct message *m);

/* The members "labels", "annotations", "startsAt", "endsAt", "generatorURL" of an alert
 * as Alertmanager has them. `ends`: of one that fires.
 * @thread any */
void message_alert_members(struct jsonw *w, const struct message *m,
			   const struct alert *a, struct wall ends);

/* The member "commonAnnotations": those that all alerts of the message have alike.
 * @thread any */
void message_common_annotations(struct jsonw *w, const struct message *m);

/* 64-bit FNV-1a of the sorted labels, 16 hex digits, as Alertmanager has it.
 * @thread any */
void message_fingerprint(const struct alert *a, char out[17]);

/* The bodies. `secret` is PagerDuty's routing key.  @thread any */
void message_alertmanager(struct buf *out, const struct message *m, int64_t lasts_ms);
void message_webhook(struct buf *out, const struct message *m);
void message_slack(struct buf *out, const struct message *m);
void message_pagerduty(struct buf *out, const struct message *m, const char *secret);
void message_email(struct buf *out, const struct message *m, const char *from,
		   const char *const *to, size_t n);

/* The words of a template: {{field}} is replaced by what docs/alerts.md lists, an
 * unknown one by nothing. With `json` what comes in is escaped for a place
 * between quotation marks.
 * @thread any */
void message_template(struct buf *out, const struct message *m, bool json);

#endif
