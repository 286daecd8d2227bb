/* SPDX-License-Identifier: MIT
 * pair: see pair_int.h.
 * After trouble a connection is kept where it only lacks room: what a failed commit
 * left in the log is then known to be void, and gets written over. After trouble with
 * reading and writing the file is opened anew for each try. After a failed fsync, or
 * when it proves damaged, it is put aside. */
#include "pair_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aside_int.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/metrics.h"

#include "banned.h"

#define PAGE_BYTES 4096
#define TICK_MS 10000
#define RETRY_MAX_MS 3600000
#define CALM_TICKS 60 /* without trouble: tries are quick again */
#define END_TRIES 3   /* to write to the file, when nobody can wait any more */
#define AGE_MAX_MS (INT64_C(100) * 365 * 86400000)

static bool usable(const struct pair *p)
{
	return p->db[PAIR_FILE] != NULL && !p->failed;
}

struct spool *pair_file(const struct pair *p)
{
	return usable(p) ? p->db[PAIR_FILE] : NULL;
}

/* The word for the name of a file that is put aside; NULL for trouble that passes. */
static const char *aside_word(int fault)
{
	switch ((enum spool_fault)fault) {
	case SPOOL_FSYNC:
		return "fsync-failed";
	case SPOOL_DAMAGED:
		return "damaged";
	case SPOOL_FOREIGN:
		return "foreign";
	case SPOOL_NEWER:
		return "newer";
	case SPOOL_FULL:
	case SPOOL_IO:
		break;
	}
	return NULL;
}

static void clear_verdicts(struct pair_verdicts *pending)
{
	for (size_t i = 0; i < pending->n; i++) {
		free(pending->v[i].type);
		free(pending->v[i].reason);
	}
	pending->n = 0;
}

static int put_aside(struct pair *p, const char *why, struct err *err)
{
	p->aside_due = why;
	if (aside_rename(p->path, why, p->set_aside, sizeof(p->set_aside), err) != 0)
		return err->class;
	p->aside_due = NULL;
	return 0;
}

/* What an earlier process left, once: later it is what we put there. */
static void count_found(struct pair *p, const struct spool *file)
{
	if (!p->found)
		metrics_add(METRIC_FOUND, spool_totals(file).documents);
	p->found = true;
}

static int open_spool(struct pair *p, enum pair_side side, struct err *err)
{
	const struct store_limits *l = &p->limits;
	struct spool_limits file = {
		l->max_bytes,     l->max_age_ms,    l->dead_bytes, l->dead_age_ms, 0,
		l->history_bytes, l->history_age_ms};
	/* Rows take more room than their JSON, and room is needed to delete. */
	struct spool_limits memory = {l->memory_bytes / 2,
				      l->max_age_ms,
				      l->memory_bytes / 8,
				      l->dead_age_ms,
				      l->memory_bytes / PAGE_BYTES + 16,
				      0,
				      0};
	struct spool *s;

	if (memory.dead_bytes > l->dead_bytes)
		memory.dead_bytes = l->dead_bytes;
	if (spool_open(&s, side == PAIR_FILE ? p->path : NULL,
		       side == PAIR_FILE ? &file : &memory, err) != 0)
		return err->class;
	if (p->boundary >= spool_next_id(s) - 1)
		spool_set_boundary(s, p->boundary);
	if (p->next_id < spool_next_id(s))
		p->next_id = spool_next_id(s);
	p->db[side] = s;
	if (side == PAIR_FILE)
		count_found(p, s);
	return 0;
}

/* Open the file; one that cannot be used is put aside and a new one begun. */
static int open_file(struct pair *p, struct err *err)
{
	const char *odd = p->aside_due != NULL ? p->aside_due : aside_look(p->path);
	const char *why;

	if (odd != NULL && put_aside(p, odd, err) != 0)
		return err->class;
	if (open_spool(p, PAIR_FILE, err) == 0)
		return 0;
	why = aside_word(err->code);
	/* An fsync that fails while it is opened: nothing of ours is in doubt yet. */
	if (why == NULL || err->code == SPOOL_FSYNC || put_aside(p, why, err) != 0)
		return err->class;
	return open_spool(p, PAIR_FILE, err);
}

static void set_failed(struct pair *p, const char *words)
{
	p->failed = true;
	p->retry_at = mono_add_ms(clock_mono(), p->retry_ms);
	snprintf(p->trouble, sizeof(p->trouble), "%.*s",
		 (int)utf8_cut(words, strlen(words), sizeof(p->trouble) - 1), words);
}

static void file_is_well(struct pair *p)
{
	p->failed = p->suspended = false;
	if (!p->no_room)
		*p->trouble = '\0';
}

/* The file is lost to us, with what waits in it. Each time without calm in between the
 * next try comes later, so that a dying disk does not fill with files put aside. */
static void give_up_file(struct pair *p, const char *why, struct err *err)
{
	bool first = p->retry_ms == STORE_REOPEN_MS;

	p->left_aside += spool_abandon(p->db[PAIR_FILE], p->pending[PAIR_FILE].v,
				       p->pending[PAIR_FILE].n, 0);
	clear_verdicts(&p->pending[PAIR_FILE]);
	pair_rescue_records(p);
	spool_suspend(p->db[PAIR_FILE]);
	spool_close(p->db[PAIR_FILE]);
	p->db[PAIR_FILE] = NULL;
	p->suspended = false;
	if (put_aside(p, why, err) == 0 && first && open_file(p, err) == 0)
		p->failed = false;
	if (p->retry_ms < RETRY_MAX_MS)
		p->retry_ms *= 2;
}

void pair_file_fault(struct pair *p, struct err *err)
{
	const char *why = aside_word(err->code);

	set_failed(p, err->text);
	p->calm = 0;
	if (why != NULL) {
		give_up_file(p, why, err);
		return;
	}
	if (err->code != SPOOL_FULL) {
		spool_suspend(p->db[PAIR_FILE]);
		p->suspended = true;
	}
}

/* One transaction: documents and records in, verdicts and limits carried out. */
static int apply(struct pair *p, enum pair_side side, const struct document *docs,
		 size_t n, int64_t first_id, struct err *err)
{
	struct spool *s = p->db[side];
	struct wall now = clock_wall();
	struct pair_written x = {0, 0};
	bool more = false, tended = false;

	if (spool_begin(s, err) != 0)
		goto fail;
	for (size_t i = 0; i < n; i++)
		if (spool_insert(s, first_id + (int64_t)i, &docs[i], err) != 0)
			goto fail;
	if (side == PAIR_FILE && !p->no_room &&
	    pair_write_beside(p, now, &x, &tended, err) != 0)
		goto fail;
	if (spool_settle(s, p->pending[side].v, p->pending[side].n, now, err) != 0 ||
	    (spool_over_limit(s, now) && spool_limit(s, now, &more, err) != 0) ||
	    spool_commit(s, err) != 0)
		goto fail;
	clear_verdicts(&p->pending[side]);
	records_drop(&p->records, x.records);
	history_written(&p->history, x.rows);
	p->more |= more || tended;
	return 0;
fail:
	spool_rollback(s);
	if (n > 0)
		spool_disown(s); /* they go to memory */
	return err->class;
}

/* Try on the file; false when that was in vain. After a file was put aside there may
 * be a new one. */
static bool apply_to_file(struct pair *p, const struct document *docs, size_t n,
			  int64_t first_id)
{
	for (int tries = 0; tries < 2 && usable(p); tries++) {
		struct err err = ERR_INIT;

		if (apply(p, PAIR_FILE, docs, n, first_id, &err) == 0) {
			file_is_well(p);
			return true;
		}
		pair_file_fault(p, &err);
	}
	return false;
}

/* Make room for more by dropping an eighth of what there is. */
static bool thin_out_memory(struct pair *p)
{
	struct spool *s = p->db[PAIR_MEMORY];
	int64_t documents = spool_totals(s).documents;
	struct err err = ERR_INIT;

	if (documents == 0)
		return false;
	if (spool_begin(s, &err) == 0 && spool_evict(s, documents / 8 + 1, &err) == 0 &&
	    spool_commit(s, &err) == 0)
		return true;
	spool_rollback(s);
	return false;
}

static void apply_to_memory(struct pair *p, const struct document *docs, size_t n,
			    int64_t first_id)
{
	struct err err = ERR_INIT;

	if (p->db[PAIR_MEMORY] == NULL && open_spool(p, PAIR_MEMORY, &err) != 0) {
		metrics_add(METRIC_DOC_EVICTED, (int64_t)n);
		return;
	}
	while (apply(p, PAIR_MEMORY, docs, n, first_id, &err) != 0) {
		if (!thin_out_memory(p)) {
			metrics_add(METRIC_DOC_EVICTED, (int64_t)n);
			return;
		}
	}
}

/* Below min_free the file takes nothing more, while what is in it is still sent and
 * deleted: that is how the room comes back. */
static void look_for_room(struct pair *p)
{
	char words[sizeof(p->trouble)] = "";

	p->no_room = room_is_low(p->dir, p->limits.min_free, p->no_room, words,
				 sizeof(words));
	if (!p->failed)
		snprintf(p->trouble, sizeof(p->trouble), "%s", words);
}

void pair_open(struct pair *p, const char *dir, const struct store_limits *l)
{
	struct err err = ERR_INIT;

	*p = (struct pair){.dir = mem_strdup(dir), .limits = *l};
	if (p->limits.max_age_ms > AGE_MAX_MS)
		p->limits.max_age_ms = AGE_MAX_MS;
	if (p->limits.dead_age_ms > AGE_MAX_MS)
		p->limits.dead_age_ms = AGE_MAX_MS;
	if (p->limits.history_age_ms > AGE_MAX_MS)
		p->limits.history_age_ms = AGE_MAX_MS;
	p->path = mem_printf("%s/mmlag.db", dir);
	p->retry_ms = STORE_REOPEN_MS;
	p->next_id = 1;
	if (open_file(p, &err) != 0) {
		set_failed(p, err.text);
		/* A file that appears later holds smaller ids: they were begun from
		 * earlier times or from 1. */
		p->next_id = clock_wall().ms << 20;
		if (p->next_id < 1 || p->next_id >= SPOOL_ID_MAX)
			p->next_id = 1;
	}
	p->boundary = p->next_id - 1;
	p->tick_at = mono_add_ms(clock_mono(), TICK_MS);
	look_for_room(p);
}

void pair_set_boundary(struct pair *p, int64_t boundary)
{
	if (boundary == p->boundary)
		return;
	p->boundary = boundary;
	for (int side = 0; side < PAIR_SIDES; side++)
		if (p->db[side] != NULL)
			spool_set_boundary(p->db[side], boundary);
}

/* Rows are named to the outside by id and side: the low bit tells. */
void pair_verdict(struct pair *p, int64_t row, enum bulk_verdict verdict, int status,
		  char *type, char *reason)
{
	enum pair_side side = (row & 1) != 0 ? PAIR_MEMORY : PAIR_FILE;
	struct pair_verdicts *pending = &p->pending[side];

	if (verdict == BULK_RETRY || p->db[side] == NULL) {
		if (p->db[side] != NULL && spool_release(p->db[side], row >> 1) &&
		    status != 0)
			metrics_add(METRIC_RETRIED, 1);
		free(type);
		free(reason);
		return;
	}
	MEM_GROW(pending->v, pending->n, pending->cap);
	pending->v[pending->n++] =
		(struct spool_verdict){row >> 1, verdict, status, type, reason};
}

static bool has_work(struct pair *p, enum pair_side side)
{
	return p->pending[side].n > 0 || (side == PAIR_FILE && pair_has_beside(p)) ||
	       spool_over_limit(p->db[side], clock_wall());
}

void pair_commit(struct pair *p, const struct document *docs, size_t n,
		 int64_t first_id)
{
	bool stored = n == 0;

	look_for_room(p);
	if (usable(p) && n > 0 && !p->no_room)
		stored = apply_to_file(p, docs, n, first_id);
	else if (usable(p) && has_work(p, PAIR_FILE))
		(void)apply_to_file(p, NULL, 0, 0);
	if (!stored)
		apply_to_memory(p, docs, n, first_id);
	else if (p->db[PAIR_MEMORY] != NULL && has_work(p, PAIR_MEMORY))
		apply_to_memory(p, NULL, 0, 0);
	if (p->next_id < first_id + (int64_t)n)
		p->next_id = first_id + (int64_t)n;
}

void pair_take(struct pair *p, enum store_range range, size_t max_n, size_t max_bytes,
	       struct store_batch *out)
{
	/* What is in the file is older than what is in memory. */
	for (int side = 0; side < PAIR_SIDES && out->n == 0; side++) {
		struct err err = ERR_INIT;

		if (side == PAIR_FILE ? !usable(p) : p->db[side] == NULL)
			continue;
		if (spool_take(p->db[side], range, max_n, max_bytes, out, &err) != 0 &&
		    side == PAIR_FILE)
			pair_file_fault(p, &err);
		for (size_t i = 0; i < out->n; i++)
			out->rows[i] = out->rows[i] * 2 + (side == PAIR_MEMORY);
	}
	out->backlog = range == STORE_BACKLOG;
}

/* Try the file again: open it if it is closed, and write. */
static void retry_file(struct pair *p)
{
	struct err err = ERR_INIT;

	if (p->db[PAIR_FILE] == NULL) {
		if (open_file(p, &err) != 0) {
			set_failed(p, err.text);
			return;
		}
	} else {
		if (p->suspended && spool_resume(p->db[PAIR_FILE], &err) != 0) {
			pair_file_fault(p, &err);
			return;
		}
		p->suspended = false;
		if (spool_undo(p->db[PAIR_FILE], &err) != 0) {
			pair_file_fault(p, &err);
			return;
		}
	}
	p->failed = p->suspended = false;
	(void)apply_to_file(p, NULL, 0, 0);
}

static bool empty(const struct spool *s)
{
	struct spool_totals t = spool_totals(s);

	return t.documents == 0 && t.dead == 0;
}

/* One slice from memory to the file; memory is given back when nothing is left. */
static void move_back(struct pair *p)
{
	struct err err = ERR_INIT;
	bool more = false;

	if (p->db[PAIR_MEMORY] == NULL || !usable(p) || p->no_room)
		return;
	if (!empty(p->db[PAIR_MEMORY]) &&
	    spool_move(p->db[PAIR_MEMORY], p->db[PAIR_FILE], &p->next_id, &more,
		       &err) != 0) {
		pair_file_fault(p, &err);
		return;
	}
	p->more |= more;
	if (empty(p->db[PAIR_MEMORY])) {
		spool_close(p->db[PAIR_MEMORY]);
		p->db[PAIR_MEMORY] = NULL;
		clear_verdicts(&p->pending[PAIR_MEMORY]);
	}
}

static void tidy(struct pair *p, bool thorough)
{
	struct err err = ERR_INIT;

	if (usable(p) && spool_tidy(p->db[PAIR_FILE], thorough || p->tidying,
				    &p->tidying, &err) != 0)
		pair_file_fault(p, &err);
}

/* Is anything in the file too old or too much? */
static bool over_limit(const struct pair *p)
{
	struct wall now = clock_wall();

	return spool_over_limit(p->db[PAIR_FILE], now) ||
	       (!p->no_room && spool_history_due(p->db[PAIR_FILE], now));
}

static void tick(struct pair *p)
{
	if (usable(p) && spool_moved(p->db[PAIR_FILE])) {
		struct err err = ERR_INIT;

		err_set_code(&err, ERR_RETRY, SPOOL_IO,
			     "%s was removed or replaced by somebody", p->path);
		pair_rescue_records(p);
		pair_file_fault(p, &err);
		p->retry_at = clock_mono();
	}
	if (usable(p) && ++p->calm >= CALM_TICKS)
		p->retry_ms = STORE_REOPEN_MS;
	look_for_room(p);
	history_pack(&p->history, clock_wall(), false);
	p->tick_at = mono_add_ms(clock_mono(), TICK_MS);
}

static struct mono next_expiry(const struct pair *p)
{
	struct mono when = MONO_NEVER, now = clock_mono();

	for (int side = 0; side < PAIR_SIDES; side++) {
		int64_t left;

		if (p->db[side] == NULL || (side == PAIR_FILE && !usable(p)) ||
		    spool_totals(p->db[side]).documents == 0)
			continue;
		left = spool_oldest(p->db[side]).ms + p->limits.max_age_ms -
		       clock_wall().ms;
		if (left < TICK_MS) /* others are found by the tick */
			when = mono_min(when,
					mono_add_ms(now, left < 0 ? 1 : left + 1));
	}
	return when;
}

struct mono pair_tend(struct pair *p)
{
	struct mono when;
	bool ticking = !mono_before(clock_mono(), p->tick_at);

	p->more = false;
	if (ticking)
		tick(p);
	if (p->failed && !mono_before(clock_mono(), p->retry_at))
		retry_file(p);
	move_back(p);
	if (pair_has_beside(p) || (usable(p) && over_limit(p)))
		(void)apply_to_file(p, NULL, 0, 0);
	if (p->db[PAIR_MEMORY] != NULL &&
	    spool_over_limit(p->db[PAIR_MEMORY], clock_wall()))
		apply_to_memory(p, NULL, 0, 0);
	tidy(p, ticking);
	if (p->more || pair_has_beside(p) || (p->tidying && usable(p)))
		return clock_mono();
	when = mono_min(p->tick_at, next_expiry(p));
	return p->failed ? mono_min(when, p->retry_at) : when;
}

/* The last chance of what is only in memory. */
static void save_all(struct pair *p)
{
	for (int tries = 0; tries < END_TRIES; tries++) {
		bool waits = p->db[PAIR_MEMORY] != NULL || p->records.n > 0;

		if (tries > 0 && !waits)
			return;
		if (waits && p->failed)
			retry_file(p);
		do {
			p->more = false;
			move_back(p);
			if (pair_has_beside(p))
				(void)apply_to_file(p, NULL, 0, 0);
		} while (p->more || pair_has_beside(p));
	}
}

/* No file would take what is in memory: lost, unless a commit that was said to have
 * failed has brought it into the file. */
static void give_up_memory(struct pair *p, struct store_end *end)
{
	struct spool *memory = p->db[PAIR_MEMORY], *file = p->db[PAIR_FILE];
	int64_t documents = spool_totals(memory).documents, absent = documents;
	struct err err = ERR_INIT;

	if (p->suspended && spool_resume(file, &err) == 0)
		p->suspended = false;
	if (file != NULL &&
	    (p->suspended || spool_absent(memory, file, &absent, &err) != 0)) {
		absent = documents;
		end->unread = true;
	}
	end->lost = spool_abandon(memory, p->pending[PAIR_MEMORY].v,
				  p->pending[PAIR_MEMORY].n, documents - absent);
}

void pair_close(struct pair *p, struct store_end *end)
{
	int64_t aside = p->left_aside;

	*end = (struct store_end){.lost = 0};
	p->no_room = false; /* better below min_free than lost */
	history_pack(&p->history, clock_wall(), true);
	save_all(p);
	if (p->db[PAIR_MEMORY] != NULL)
		give_up_memory(p, end);
	end->aside = p->left_aside - aside;
	if (p->db[PAIR_FILE] != NULL)
		end->stay = spool_totals(p->db[PAIR_FILE]).documents;
	snprintf(end->trouble, sizeof(end->trouble), "%s", p->trouble);
	snprintf(end->set_aside, sizeof(end->set_aside), "%s", p->set_aside);
	for (int side = 0; side < PAIR_SIDES; side++) {
		spool_close(p->db[side]);
		clear_verdicts(&p->pending[side]);
		free(p->pending[side].v);
	}
	records_fini(&p->records);
	history_fini(&p->history);
	free(p->dir);
	free(p->path);
	*p = (struct pair){.dir = NULL};
}

void pair_status(const struct pair *p, struct store_status *out)
{
	*out = (struct store_status){.documents = 0};
	for (int side = 0; side < PAIR_SIDES; side++) {
		struct spool_totals t;
		struct wall oldest;

		if (p->db[side] == NULL)
			continue;
		t = spool_totals(p->db[side]);
		oldest = spool_oldest(p->db[side]);
		out->documents += t.documents;
		out->bytes += t.bytes;
		out->backlog += t.backlog;
		out->dead += t.dead;
		out->dead_bytes += t.dead_bytes;
		if (out->oldest.ms == 0 ||
		    (oldest.ms != 0 && oldest.ms < out->oldest.ms))
			out->oldest = oldest;
	}
	out->degraded = p->failed || p->no_room || p->db[PAIR_MEMORY] != NULL;
	snprintf(out->trouble, sizeof(out->trouble), "%s", p->trouble);
	snprintf(out->set_aside, sizeof(out->set_aside), "%s", p->set_aside);
}
