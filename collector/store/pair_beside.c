/* SPDX-License-Identifier: MIT
 * pair_beside: records and history on their way to the file. They never go into the
 * database in memory: while the file cannot be written they wait as they are. */
#include "pair_int.h"

#include "banned.h"

#define RECORD_BYTES (4 << 20) /* of records, in one transaction */

void pair_rescue_records(struct pair *p)
{
	struct records found = {.v = NULL};
	struct err err = ERR_INIT;

	if (spool_records(p->db[PAIR_FILE], SPOOL_ALL_KINDS, &found, &err) != 0)
		err.text[0] = '\0'; /* the rest is lost with the file */
	records_take(&p->records, &found, true);
}

int pair_write_beside(struct pair *p, struct wall now, struct pair_written *x,
		      bool *more, struct err *err)
{
	struct spool *s = p->db[PAIR_FILE];
	size_t bytes = 0;

	for (; x->records < p->records.n && bytes < RECORD_BYTES; x->records++) {
		if (spool_put(s, &p->records.v[x->records], err) != 0)
			return err->class;
		bytes += p->records.v[x->records].len;
	}
	if (history_write(&p->history, s, &x->rows, err) != 0)
		return err->class;
	if (spool_history_due(s, now) && spool_history_care(s, now, more, err) != 0)
		return err->class;
	return 0;
}

void pair_put(struct pair *p, struct records *r)
{
	records_take(&p->records, r, false);
}

void pair_records(struct pair *p, enum store_kind kind, struct records *out)
{
	struct err err = ERR_INIT;

	if (pair_file(p) != NULL &&
	    spool_records(p->db[PAIR_FILE], (int)kind, out, &err) != 0)
		pair_file_fault(p, &err);
	for (size_t i = 0; i < p->records.n; i++)
		if (p->records.v[i].kind == kind)
			records_put(out, kind, p->records.v[i].key,
				    p->records.v[i].bytes, p->records.v[i].len);
}

void pair_history(struct pair *p, struct history_events *e)
{
	if (p->limits.history_bytes > 0)
		history_take(&p->history, e);
	else
		history_events_fini(e);
}

bool pair_has_beside(const struct pair *p)
{
	return (p->records.n > 0 || p->history.waits > 0) && pair_file(p) != NULL &&
	       !p->no_room;
}
