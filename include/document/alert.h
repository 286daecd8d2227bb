/* SPDX-License-Identifier: MIT
 * alert: an alert as the document that is indexed, as the pages show it, and as the
 * record that the store keeps. Pure. */
#ifndef MMLAG_DOCUMENT_ALERT_H
#define MMLAG_DOCUMENT_ALERT_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "document/document.h"
#include "lag/alert.h"

/* The document of an alert that fires or is resolved now.  @thread any */
struct document document_alert(const struct alert *a, struct wall now);

/* Append it as GET /api/v1/alerts has it; `silenced_until` 0: it is not.
 * @thread any */
void alert_show(struct jsonw *w, const struct alert *a, struct wall silenced_until);

/* Append all of it, and read it back. false for what is none of ours; the caller ends
 * `out` with alert_fini in both cases.
 * @thread any */
void alert_write(struct jsonw *w, const struct alert *a);
bool alert_read(const json_t *v, struct alert *out);

#endif
