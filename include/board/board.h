/* SPDX-License-Identifier: MIT
 * board: the latest state of everything, where those who show or judge it look. Each
 * topic has a slot, which only its tailer writes; whoever reads gets references to
 * views that nobody changes any more. Beside the topics it holds the newest documents,
 * and what the other actors tell of themselves. One lock, held for pointers only. */
#ifndef MMLAG_BOARD_BOARD_H
#define MMLAG_BOARD_BOARD_H

#include "base/buf.h"
#include "base/err.h"
#include "board/view.h"

struct board;
struct board_slot;

/* NULL-safe free. No slot may be in use any more.  @thread main */
struct board *board_new(void);
void board_free(struct board *b);

/* A topic comes, and goes: its view vanishes with it.  @thread any */
struct board_slot *board_add(struct board *b);
void board_drop(struct board *b, struct board_slot *slot); /* NULL is legal */

/* Show `v` in this slot; the board takes it over.
 * @thread the slot's owner  @locks board */
void board_publish(struct board *b, struct board_slot *slot, struct view *v);

/* Counts everything that changed; never 0.  @thread any */
uint64_t board_version(const struct board *b);

/* All views, in order of cluster, group, topic, pattern. */
struct board_views {
	const struct view **v;
	size_t n;
	uint64_t version;
};

/* @thread any  @locks board */
struct board_views board_look(struct board *b);
void board_views_fini(struct board_views *w);

/* What an actor tells of itself, as one JSON value that the pages show. */
enum board_section {
	BOARD_SHIPPER,    /* object */
	BOARD_ALERTS,     /* array */
	BOARD_SILENCES,   /* array */
	BOARD_RECEIVERS,  /* array */
	BOARD_BROKERS,    /* array */
	BOARD_OBJECTIVES, /* array, by topic: docs/api.md */
	BOARD_SECTIONS
};

/* Replace a section; an equal text is no change. The bytes are copied.
 * @thread any  @locks board */
void board_tell(struct board *b, enum board_section s, const char *json, size_t len);

/* Append the section, or `null` when nothing was told.  @thread any  @locks board */
void board_told(struct board *b, enum board_section s, struct buf *out);

/* What somebody wants of an actor. The pages ask, the actor takes it within about a
 * second; what it did is seen in its section. */
enum board_request {
	/* A silence, as POST /api/v1/silences has it and silence_read has accepted it
	 * (document/silence.h). Who asks gives a new one its "id", so that it can
	 * answer with it; {"id":…,"until":0} ends one. Taken by the alarm. */
	BOARD_ASK_SILENCE,
	BOARD_REQUESTS
};

#define BOARD_ASKED_MAX 100 /* requests of a kind that wait */

/* Leave a request; the bytes are copied. ERR_AGAIN when too many wait already.
 * @thread any  @locks board */
NODISCARD int board_ask(struct board *b, enum board_request kind, const char *json,
			size_t len);

/* Take the oldest one: appends it to `out` and returns true; false when none waits.
 * @thread the actor's that serves it  @locks board */
bool board_asked(struct board *b, enum board_request kind, struct buf *out);

/* The newest documents, BOARD_DOCUMENT_BYTES of them, numbered from 1. */
#define BOARD_DOCUMENT_BYTES (1 << 20)

/* One line of JSON without its newline; one larger than the whole ring is left out.
 * @thread any  @locks board */
void board_document(struct board *b, const char *json, size_t len);

/* Append those after number `after`, oldest first, one a line, at most `max` bytes of
 * them. Returns the number of the last one that was appended or left out, to go on
 * from.
 * @thread any  @locks board */
uint64_t board_documents(struct board *b, uint64_t after, size_t max, struct buf *out);

#endif
