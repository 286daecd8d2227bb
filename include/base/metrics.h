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
 * _seconds the value is in milliseconds. */
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
	  "Connections to our pages ended for their age, or to make room.")

enum metric {
#define METRIC_ENUM(symbol, family, labels, type, help) METRIC_##symbol,
	METRICS(METRIC_ENUM)
#undef METRIC_ENUM
		METRIC_COUNT
};

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
