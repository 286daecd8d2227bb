/* SPDX-License-Identifier: MIT
 * ask: see ask_int.h. Ids of rows in memory are negative outside, so that one name
 * means one row. */
#include "ask_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/metrics.h"

#include "banned.h"

#define IDS_A_SLICE 500
#define IMPORT_ROWS 500
#define ROWS_BYTES (8 << 20) /* of documents in one answer */

void ask_fini(struct ask *a)
{
	import_close(a->import);
	*a = (struct ask){.q = NULL};
}

/* Looking */

static int answer_history(struct pair *p, struct store_question *q)
{
	char name[1024];
	int len = snprintf(name, sizeof(name), "%s%c%s%c%s",
			   q->cluster == NULL ? "" : q->cluster, '\0',
			   q->group == NULL ? "" : q->group, '\0',
			   q->topic == NULL ? "" : q->topic);

	if (len < 0 || len >= (int)sizeof(name))
		return err_set(&q->err, ERR_REJECT,
			       "the name of the topic is too long");
	return history_answer(&p->history, pair_file(p),
			      (struct history_name){name, (size_t)len}, q->since,
			      q->until, &q->answer, &q->err);
}

static int answer_rows(struct pair *p, struct store_question *q)
{
	struct spool_look look = {.dead = q->dead,
				  .negative = true,
				  .before = q->before < 0 ? -q->before : INT64_MAX,
				  .left = q->limit,
				  .room = ROWS_BYTES};
	struct jsonw w = jsonw_start(&q->answer);
	int result = 0;

	jsonw_object(&w);
	jsonw_key(&w, "rows");
	jsonw_array(&w);
	/* What is in memory is newer, so a place in the file is behind all of it. */
	if (p->db[PAIR_MEMORY] != NULL && q->before <= 0)
		result = spool_rows(p->db[PAIR_MEMORY], &look, &w, &q->err);
	look.negative = false;
	look.before = q->before > 0 ? q->before : INT64_MAX;
	if (result == 0 && !look.more && pair_file(p) != NULL)
		result = spool_rows(pair_file(p), &look, &w, &q->err);
	jsonw_end(&w);
	jsonw_key(&w, "more");
	jsonw_bool(&w, look.more);
	jsonw_end(&w);
	return result;
}

/* Changing */

static int change(struct spool *s, struct pair *p, const struct store_question *q,
		  struct spool_range *r, struct err *err)
{
	if (q->kind == STORE_RETRY)
		return spool_requeue(s, r, &p->next_id, err);
	return q->dead ? spool_drop_dead(s, r, err) : spool_drop_waiting(s, r, err);
}

/* Changes of one transaction: a slice of a range, or some ids. */
static int change_slice(struct spool *s, struct pair *p, struct ask *a, int side,
			struct err *err)
{
	struct store_question *q = a->q;
	size_t end = q->n - a->at < IDS_A_SLICE ? q->n : a->at + IDS_A_SLICE;

	if (q->all)
		return change(s, p, q, &a->range, err);
	for (size_t i = a->at; i < end; i++) {
		int64_t id = side == PAIR_MEMORY ? -q->ids[i] : q->ids[i];
		struct spool_range one = {.from = id, .until = id};

		if (id <= 0)
			continue; /* of the other side */
		if (change(s, p, q, &one, err) != 0)
			return err->class;
		a->range.rows += one.rows;
	}
	a->range.more = end < q->n;
	a->at = end;
	return 0;
}

/* Returns a class; what failed is rolled back and counts for nothing. */
static int transact(struct pair *p, struct ask *a, int side)
{
	struct spool *s = p->db[side];
	struct err *err = &a->q->err;

	a->range.rows = 0;
	if (spool_begin(s, err) == 0 && change_slice(s, p, a, side, err) == 0 &&
	    spool_commit(s, err) == 0) {
		a->rows += a->range.rows;
		return 0;
	}
	spool_rollback(s);
	if (side == PAIR_FILE)
		pair_file_fault(p, err);
	return err->class;
}

static bool can_change(struct pair *p, int side)
{
	return side == PAIR_FILE ? pair_file(p) != NULL : p->db[side] != NULL;
}

/* What comes while "all" is under way is not meant, nor are dead letters that are
 * refused once more. */
static void begin_side(struct ask *a, const struct pair *p)
{
	bool dead = a->q->kind == STORE_RETRY || a->q->dead;

	a->range = (struct spool_range){.from = 1, .until = p->next_id - 1};
	if (dead)
		a->range.until = spool_last_dead(p->db[a->side]);
	a->at = 0;
	a->begun = true;
}

static bool step_change(struct pair *p, struct ask *a)
{
	struct store_question *q = a->q;

	if (a->side == PAIR_FILE && pair_file(p) == NULL) {
		err_set(&q->err, ERR_RETRY, "the spool's file cannot be used now: %s",
			p->trouble);
		return true;
	}
	for (; a->side < PAIR_SIDES; a->side++, a->begun = false) {
		if (!can_change(p, a->side))
			continue;
		if (!a->begun)
			begin_side(a, p);
		if (transact(p, a, a->side) != 0)
			return true;
		if (a->range.more)
			return false;
	}
	buf_printf(&q->answer, "{\"rows\":%lld}", (long long)a->rows);
	return true;
}

/* Importing */

static int open_import(struct pair *p, struct ask *a)
{
	struct store_question *q = a->q;
	char *path;
	int result;

	if (q->file == NULL || strchr(q->file, '/') != NULL ||
	    strncmp(q->file, "mmlag.db.", strlen("mmlag.db.")) != 0)
		return err_set(
			&q->err, ERR_REJECT,
			"\"%.100s\" is not to be taken in: only a file of %s can, "
			"by its name there, such as mmlag.db.aside-…",
			q->file == NULL ? "" : q->file, p->dir);
	if (pair_file(p) == NULL || p->no_room)
		return err_set(&q->err, ERR_RETRY,
			       "the spool's file cannot be written now: %s",
			       p->trouble);
	path = mem_printf("%s/%s", p->dir, q->file);
	result = import_open(&a->import, path, &q->err);
	free(path);
	return result;
}

/* Room is left for what comes meanwhile. */
static bool full(const struct pair *p, const struct spool *s)
{
	return spool_totals(s).bytes >= p->limits.max_bytes / 10 * 9;
}

static int import_rows(struct pair *p, struct ask *a, struct spool *s, int64_t n[2],
		       struct err *err)
{
	struct spool_dead row;
	bool dead;

	while (n[0] + n[1] < IMPORT_ROWS && import_next(a->import, &row, &dead)) {
		int result = dead ? spool_insert_dead(s, &row, err)
				  : spool_insert(s, p->next_id++, &row.document, err);

		import_row_fini(&row);
		if (result != 0)
			return result;
		n[dead]++;
	}
	spool_count(s, METRIC_RETURNED, n[0]);
	return 0;
}

static void answer_import(struct ask *a)
{
	struct jsonw w = jsonw_start(&a->q->answer);
	int64_t missing = import_expected(a->import) - a->rows - a->dead;

	jsonw_object(&w);
	jsonw_key_int(&w, "rows", a->rows);
	jsonw_key_int(&w, "dead", a->dead);
	jsonw_key(&w, "missing");
	if (import_expected(a->import) < 0)
		jsonw_null(&w);
	else
		jsonw_int(&w, missing > 0 ? missing : 0);
	jsonw_key(&w, "damaged");
	jsonw_bool(&w, import_damaged(a->import));
	jsonw_end(&w);
}

static bool step_import(struct pair *p, struct ask *a)
{
	struct err *err = &a->q->err;
	struct spool *s = pair_file(p);
	int64_t n[2] = {0, 0}; /* waiting, dead */

	if (a->import == NULL && open_import(p, a) != 0)
		return true;
	if (s == NULL || full(p, s)) {
		err_set(err, ERR_RETRY,
			"%lld rows are taken in, then the spool %s; import again later: "
			"nothing is doubled",
			(long long)a->rows,
			s == NULL ? "could not be written" : "was full");
		return true;
	}
	if (spool_begin(s, err) != 0 || import_rows(p, a, s, n, err) != 0 ||
	    spool_commit(s, err) != 0) {
		spool_rollback(s);
		pair_file_fault(p, err);
		return true;
	}
	a->rows += n[0];
	a->dead += n[1];
	if (n[0] + n[1] == IMPORT_ROWS)
		return false;
	answer_import(a);
	return true;
}

static bool step(struct ask *a, struct pair *p)
{
	switch (a->q->kind) {
	case STORE_ASK_HISTORY:
		(void)answer_history(p, a->q);
		return true;
	case STORE_ASK_ROWS:
		(void)answer_rows(p, a->q);
		return true;
	case STORE_RETRY:
	case STORE_DROP:
		return step_change(p, a);
	case STORE_IMPORT:
		return step_import(p, a);
	}
	return true;
}

bool ask_step(struct ask *a, struct pair *p)
{
	struct store_question *q = a->q;

	if (!step(a, p))
		return false;
	if (q->answer.failed && q->err.class == 0)
		err_set(&q->err, ERR_REJECT,
			"the answer is too large: ask for a shorter time or fewer rows");
	ask_fini(a);
	return true;
}
