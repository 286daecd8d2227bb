/* SPDX-License-Identifier: MIT
 * house: the program under test: the real actors, started and stopped in the daemon's
 * order, stepped one at a time by who is due first. One thread. */
#ifndef MMLAG_SCENARIOS_HOUSE_H
#define MMLAG_SCENARIOS_HOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "store/store.h"

/* Everything that is written stands in `dir`, which the caller makes and removes. */
void house_init(const char *dir);

/* The configuration of the next start, without state_dir. %dir becomes the scenario's
 * directory, in which the files `key` and `url` (of http://beat.receiver/secret) stand.
 */
void house_configure(const char *yaml);

/* Load the configuration and start. What fails is a complaint. */
void house_start(void);

/* Let `ms` of virtual time pass. */
void house_advance(int64_t ms);

/* Stop as the daemon does at SIGTERM. */
void house_stop(void);

/* As by kill -9: what is on the disk now is all that the next start finds. */
void house_kill(void);

/* Was that ever done? Then some samples may be gone.  */
bool house_was_killed(void);
/* Leave a silence on the board, as the pages do. Returns 0, or -1 without a board. */
int house_silence(const char *json);

/* What the alarm shows on the board: the caller frees it; "null" before the start. */
char *house_alerts(void);

/* Leave a silence on the board, as the pages do. Returns 0, or -1 without a board. */
int house_silence(const char *json);

/* What the alarm shows on the board: the caller frees it; "null" before the start. */
char *house_alerts(void);

/* The store's state: now, or at the last stop. */
void house_store_status(struct store_status *out);

/* What the board shows now; to be ended with board_views_fini. */
struct board_views house_views(void);

/* How long the last stop took, virtual ms. */
int64_t house_stop_took(void);

void house_fini(void);

#endif
