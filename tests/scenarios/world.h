/* SPDX-License-Identifier: MIT
 * world: what surrounds the program in a scenario: virtual time, repeatable random
 * numbers, wakes that are only flags, and a memory of what happened. It has the symbols
 * of base/clock, base/wake and base/random, which it replaces. One thread. */
#ifndef MMLAG_SCENARIOS_WORLD_H
#define MMLAG_SCENARIOS_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/wake.h"

/* Start: tell every event at once on stdout, or only keep the last ones. */
void world_init(bool verbose);

/* Time moves only here. world_begin_step forgets what the last step was charged. */
void world_set(struct mono now);
void world_begin_step(void);

/* The fake that is being called takes `ms`: the clock goes on within this step, and
 * world_charged tells the scheduler for how long the actor is away. */
void world_charge(int64_t ms);
int64_t world_charged(void);

/* Our wall clock jumps; the hosts' clocks do not. */
void world_jump_wall(int64_t ms);
/* What time it truly is: our wall clock without its jumps. */
struct wall world_true_time(void);

void world_seed(uint64_t seed);

/* Has somebody signalled this wake? world_take_signal also forgets it. */
bool world_signalled(const struct wake *w);
bool world_take_signal(const struct wake *w);

/* The program did what no program may do: the scenario fails at its current line. The
 * first one is kept; "" when all is well. */
void world_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
const char *world_complaint(void);

/* Remember one event, with the time. */
void world_event(const char *fmt, ...) PRINTF_LIKE(1, 2);
void world_print_events(FILE *f);

/* "+01:02:03.456" since the beginning; lives until the next call. */
const char *world_stamp(void);

#endif
