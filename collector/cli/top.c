/* SPDX-License-Identifier: MIT
 * top: a live table of a running daemon's topics. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/live.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "cli/toptable.h"

#include "banned.h"

#define ASK_EVERY_MS 2000
#define FRAME_MAX ((size_t)4 << 20)

static const char usage[] =
	"Usage: mmlag top [-c FILE]\n"
	"A live table of the running daemon's topics, worst first. Keys: q quit, / filter,\n"
	"Enter a topic's partitions, Esc back, s n l t r sort (again: the other way\n"
	"round), ? help.\n\n" FEED_HELP "  with --url:\n" OPTIONS_HTTP_HELP
	"Exit: 0, 1 no daemon answers, or this is no terminal.\n";

struct top {
	struct feed *feed;
	struct screen *screen;
	struct wake *wake;
	struct top_table table;
	bool colour;
	struct mono next; /* when to ask again */
};

/* Returns 0, or -1 with the error when there was no answer. */
static int ask(struct top *t, struct err *err)
{
	struct buf target = BUF_INIT(8192);
	json_t *answer = NULL;
	bool open = t->table.open;
	int rc;

	top_target(&t->table, &target);
	rc = feed_get(t->feed, buf_str(&target), &answer, err);
	buf_free(&target);
	t->next = mono_add_ms(clock_mono(), ASK_EVERY_MS);
	if (rc != 0)
		return -1;
	if (open)
		top_take_topic(&t->table, answer);
	else
		top_take_topics(&t->table, answer);
	json_decref(answer);
	return 0;
}

/* No answer is a line on the screen; the last figures stay. */
static void ask_again(struct top *t)
{
	struct err err = ERR_INIT;

	if (ask(t, &err) == 0) {
		t->table.trouble[0] = '\0';
		return;
	}
	if (t->table.trouble[0] == '\0')
		t->table.trouble_since = feed_now(t->feed);
	snprintf(t->table.trouble, sizeof(t->table.trouble), "%s", err.text);
}

static void paint(struct top *t)
{
	struct buf frame = BUF_INIT(FRAME_MAX);
	size_t width, height;

	screen_size(t->screen, &width, &height);
	top_render(&t->table, width, height, t->colour, feed_now(t->feed), &frame);
	screen_paint(t->screen, &frame);
	buf_free(&frame);
}

/* Ctrl-Z: the shell gets its terminal as it was; `fg` brings us back. */
static void suspend(struct top *t)
{
	screen_leave(t->screen);
	raise(SIGSTOP);
	screen_enter(t->screen);
}

/* Returns false at the end. */
static bool keys(struct top *t)
{
	bool gone = false;
	int key;

	while ((key = screen_key(t->screen, t->wake, &gone)) != KEY_NONE) {
		enum top_wish wish = top_press(&t->table, key);

		if (wish == TOP_QUIT)
			return false;
		if (wish == TOP_ASK)
			t->next = clock_mono();
		if (wish == TOP_RENEW)
			screen_renew(t->screen);
	}
	return !gone;
}

static struct mono next_second(struct mono from)
{
	return mono_add_ms(from, 1000); /* ages tick */
}

static void watch(struct top *t)
{
	paint(t);
	while (!wake_stopping(t->wake)) {
		wake_wait(t->wake,
			  (struct step){STDIN_FILENO, POLLIN,
					mono_min(t->next, next_second(clock_mono())),
					false});
		if (wake_stopping(t->wake) || !keys(t))
			return;
		if (interrupt_suspended())
			suspend(t);
		if (interrupt_continued()) { /* the shell may have had the terminal */
			screen_leave(t->screen);
			screen_enter(t->screen);
		}
		if (interrupt_resized())
			screen_renew(t->screen);
		if (!mono_before(clock_mono(), t->next))
			ask_again(t);
		paint(t);
	}
}

static int top(void *self, struct feed *feed, struct wake *wake)
{
	struct top *t = self;
	struct err err = ERR_INIT;

	t->feed = feed;
	t->wake = wake;
	if (isatty(STDOUT_FILENO) == 1 && ask(t, &err) != 0) {
		fprintf(stderr, "mmlag top: %s\n", err.text);
		return 1;
	}
	if (screen_open(&t->screen, &err) != 0) {
		fprintf(stderr, "mmlag top: %s\n", err.text);
		return 1;
	}
	watch(t);
	screen_close(t->screen);
	return 0;
}

int cli_top(int argc, char **argv)
{
	struct live l = {.command = "top", .screen = true};
	struct top t = {.colour = options_colour(stdout)};
	const struct option_flag flags[] = {{"url", NULL, &l.url},
					    OPTIONS_HTTP(l.http)};
	int rc = options_parse(argc, argv, usage, &l.path, flags, ARRAY_LEN(flags),
			       NULL);

	if (rc != OPTIONS_GO_ON)
		return rc;
	rc = live_run(&l, top, &t);
	top_fini(&t.table);
	return rc;
}
