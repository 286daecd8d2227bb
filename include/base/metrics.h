/* SPDX-License-Identifier: MIT
 * metrics: the program's own counters and gauges, each declared once, with its help,
 * in METRICS below. Values are C11 atomics: any thread adds, any thread reads.
 * Here stand only figures of the process; figures of topics come from the board. */
#ifndef MMLAG_BASE_METRICS_H
#define MMLAG_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* symbol, family, labels ("" for none), type, help. Where the family's name ends in
 * _seconds, or _seconds_total, the value is in milliseconds. */
#define METRICS(X)                                                                    \
	X(SAMPLES, "mmlag_samples_total", "", "counter",                              \
	  "Samples taken, gap and alert documents included.")                         \
	X(DOC_INDEXED, "mmlag_documents_total", "outcome=\"indexed\"", "counter",     \
	  "Documents that reached their end, by outcome.")                            \
	X(DOC_DUPLICATE, "mmlag_documents_total", "outcome=\"duplicate\"", "counter", \
	  "Documents that reached their end, by outcome.")                            \
	X(DOC_REJECTED, "mmlag_documents_total", "outcome=\"rejected\"", "counter",   \
	  "Documents that reached their end, by outcome.")                            \
	X(DOC_EVICTED, "mmlag_documents_total", "outcome=\"evicted\"", "counter",     \
	  "Documents that reached their end, by outcome.")                            \
	X(DOC_EXPIRED, "mmlag_documents_total", "outcome=\"expired\"", "counter",     \
	  "Documents that reached their end, by outcome.")                            \
	X(RETURNED, "mmlag_documents_returned_total", "", "counter",                  \
	  "Documents that began their way anew: dead letters sent again, those of "   \
	  "imported files.")                                                          \
	X(FOUND, "mmlag_documents_found_total", "", "counter",                        \
	  "Documents that waited from before this process, when it found them.")      \
	X(SPOOL_DOCUMENTS, "mmlag_spool_documents", "", "gauge",                      \
	  "Documents that wait in the spool.")                                        \
	X(SPOOL_BYTES, "mmlag_spool_bytes", "", "gauge",                              \
	  "Bytes of the documents that wait in the spool.")                           \
	X(SPOOL_OLDEST_MS, "mmlag_spool_oldest_timestamp_seconds", "", "gauge",       \
	  "Time stamp of the oldest waiting document, 0 when none waits.")            \
	X(SPOOL_DEGRADED, "mmlag_spool_degraded", "", "gauge",                        \
	  "1 while the spool lives in memory because its file cannot be written.")    \
	X(DEAD_LETTERS, "mmlag_dead_letters", "", "gauge",                            \
	  "Documents in the dead-letter store.")                                      \
	X(BULK_REQUESTS, "mmlag_bulk_requests_total", "", "counter",                  \
	  "Bulk requests sent.")                                                      \
	X(BULK_FAILURES, "mmlag_bulk_failures_total", "", "counter",                  \
	  "Bulk requests without a usable answer, or refused as a whole.")            \
	X(BULK_BYTES, "mmlag_bulk_bytes_total", "", "counter",                        \
	  "Bytes of bulk bodies sent, before compression.")                           \
	X(BULK_MS, "mmlag_bulk_seconds_total", "", "counter",                         \
	  "Time spent on bulk requests, the look at the index included.")             \
	X(BULK_LAST_MS, "mmlag_bulk_last_seconds", "", "gauge",                       \
	  "Time that the last bulk request took.")                                    \
	X(BULK_IN_FLIGHT, "mmlag_bulk_in_flight", "", "gauge",                        \
	  "Documents of the bulk request under way.")                                 \
	X(BULK_PARKED, "mmlag_bulk_parked", "", "gauge",                              \
	  "Documents told to send again that wait apart for their time; they are "    \
	  "counted in mmlag_spool_documents.")                                        \
	X(BULK_SUCCESS_MS, "mmlag_bulk_last_success_timestamp_seconds", "", "gauge",  \
	  "When documents were last taken, 0 before the first time.")                 \
	X(TROUBLE_UNREACHABLE, "mmlag_delivery_trouble", "kind=\"unreachable\"",      \
	  "gauge", "1 while documents wait because of trouble of this kind.")         \
	X(TROUBLE_TLS, "mmlag_delivery_trouble", "kind=\"tls\"", "gauge",             \
	  "1 while documents wait because of trouble of this kind.")                  \
	X(TROUBLE_CREDENTIALS, "mmlag_delivery_trouble", "kind=\"credentials\"",      \
	  "gauge", "1 while documents wait because of trouble of this kind.")         \
	X(TROUBLE_BLOCKED, "mmlag_delivery_trouble", "kind=\"blocked\"", "gauge",     \
	  "1 while documents wait because of trouble of this kind.")                  \
	X(TROUBLE_OVERLOADED, "mmlag_delivery_trouble", "kind=\"overloaded\"",        \
	  "gauge", "1 while documents wait because of trouble of this kind.")         \
	X(TROUBLE_SERVER, "mmlag_delivery_trouble", "kind=\"server\"", "gauge",       \
	  "1 while documents wait because of trouble of this kind.")                  \
	X(TROUBLE_INDEX, "mmlag_delivery_trouble", "kind=\"index\"", "gauge",         \
	  "1 while documents wait because of trouble of this kind.")                  \
	X(TROUBLE_ANSWER, "mmlag_delivery_trouble", "kind=\"answer\"", "gauge",       \
	  "1 while documents wait because of trouble of this kind.")                  \
	X(TROUBLE_REFUSED, "mmlag_delivery_trouble", "kind=\"refused\"", "gauge",     \
	  "1 while documents wait because of trouble of this kind.")                  \
	X(RETRIED, "mmlag_documents_retried_total", "", "counter",                    \
	  "Documents that a bulk answer told to send again.")                         \
	X(SSH_OPENS, "mmlag_ssh_sessions_opened_total", "", "counter",                \
	  "SSH sessions opened.")                                                     \
	X(SSH_FAILURES, "mmlag_ssh_failures_total", "", "counter",                    \
	  "SSH sessions that could not be opened or were lost.")                      \
	X(SSH_SESSIONS, "mmlag_ssh_sessions", "", "gauge",                            \
	  "SSH sessions that are open.")                                              \
	X(FRAMES_BROKEN, "mmlag_frames_broken_total", "", "counter",                  \
	  "Remote runs whose output was cut off, too long, or out of order.")         \
	X(LINES_REFUSED, "mmlag_output_refused_total", "", "counter",                 \
	  "Outputs or lines that were no sample.")                                    \
	X(HTTP_REQUESTS, "mmlag_http_requests_total", "", "counter",                  \
	  "Requests to our own pages.")                                               \
	X(HTTP_REFUSED, "mmlag_http_requests_refused_total", "", "counter",           \
	  "Requests refused by their headers alone: Host, method, token, size.")      \
	X(HTTP_CUT, "mmlag_http_connections_cut_total", "", "counter",                \
	  "Connections to our pages ended for their age, or to make room.")           \
	X(ALERTS_PENDING_INFO, "mmlag_alerts", "state=\"pending\",severity=\"info\"", \
	  "gauge", "Alerts, by state and severity.")                                  \
	X(ALERTS_PENDING_WARNING, "mmlag_alerts",                                     \
	  "state=\"pending\",severity=\"warning\"", "gauge",                          \
	  "Alerts, by state and severity.")                                           \
	X(ALERTS_PENDING_CRITICAL, "mmlag_alerts",                                    \
	  "state=\"pending\",severity=\"critical\"", "gauge",                         \
	  "Alerts, by state and severity.")                                           \
	X(ALERTS_FIRING_INFO, "mmlag_alerts", "state=\"firing\",severity=\"info\"",   \
	  "gauge", "Alerts, by state and severity.")                                  \
	X(ALERTS_FIRING_WARNING, "mmlag_alerts",                                      \
	  "state=\"firing\",severity=\"warning\"", "gauge",                           \
	  "Alerts, by state and severity.")                                           \
	X(ALERTS_FIRING_CRITICAL, "mmlag_alerts",                                     \
	  "state=\"firing\",severity=\"critical\"", "gauge",                          \
	  "Alerts, by state and severity.")                                           \
	X(NOTICES_SENT, "mmlag_notifications_total", "outcome=\"sent\"", "counter",   \
	  "Messages to receivers, by outcome: sent, failed (tried again), dropped.")  \
	X(NOTICES_FAILED, "mmlag_notifications_total", "outcome=\"failed\"",          \
	  "counter",                                                                  \
	  "Messages to receivers, by outcome: sent, failed (tried again), dropped.")  \
	X(NOTICES_DROPPED, "mmlag_notifications_total", "outcome=\"dropped\"",        \
	  "counter",                                                                  \
	  "Messages to receivers, by outcome: sent, failed (tried again), dropped.")  \
	X(RELOAD_OK, "mmlag_config_last_reload_successful", "", "gauge",              \
	  "1 when the configuration that was read last is in force, 0 when it was "   \
	  "refused.")                                                                 \
	X(RELOADED_MS, "mmlag_config_last_reload_success_timestamp_seconds", "",      \
	  "gauge", "When the configuration in force was taken over.")                 \
	X(HEARTBEATS, "mmlag_heartbeats_total", "", "counter",                        \
	  "Calls of the heartbeat's URL that were answered well.")

enum metric {
#define METRIC_ENUM(symbol, family, labels, type, help) METRIC_##symbol,
	METRICS(METRIC_ENUM)
#undef METRIC_ENUM
		METRIC_COUNT
};

/* What METRICS says of each; strings are static. */
struct metric_info {
	const char *family, *labels, *type, *help;
};

extern const struct metric_info metric_info[METRIC_COUNT];

/* @thread any */
void metrics_add(enum metric m, int64_t n);
void metrics_set(enum metric m, int64_t value);
int64_t metrics_get(enum metric m);

/* Set all to 0: for tests.  @thread main */
void metrics_reset(void);

/* Append the Prometheus text format (version 0.0.4), families in order of declaration,
 * HELP and TYPE once a family.  @thread any */
void metrics_write(struct buf *out);

#endif
