/* SPDX-License-Identifier: MIT */
#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/toptable.h"

#include "banned.h"

#define FRAME_MAX ((size_t)4 << 20)
#define ESC_WAIT_MS 40
#define SIZE_MOST 2000 /* columns or lines; what claims more is no terminal */

/* Alternate screen, no cursor, no wrapping; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
/* A terminal without an alternate screen keeps the table: what follows is below it. */
#define LEAVE "\033[0m\033[?7h\033[999H\r\n\033[?25h\033[?1049l"
#define CLEAR "\033[2J"

struct screen {
	struct termios saved;
	bool entered;
	struct buf last; /* what stands on the screen */
	char keys[64];   /* read, not yet taken */
	size_t n;
};

static void put(const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, data, n);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			return; /* the terminal is gone: the next key says so */
		}
		data += done;
		n -= (size_t)done;
	}
}

void screen_enter(struct screen *s)
{
	struct termios raw = s->saved;

	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON | ISTRIP);
	raw.c_lflag &=
		~(tcflag_t)(ICANON | ECHO | IEXTEN); /* ISIG stays: Ctrl-C, Ctrl-Z */
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	put(ENTER, sizeof(ENTER) - 1);
	buf_reset(&s->last);
	s->entered = true;
}

void screen_renew(struct screen *s)
{
	put(CLEAR, sizeof(CLEAR) - 1);
	buf_reset(&s->last);
}

void screen_leave(struct screen *s)
{
	if (!s->entered)
		return;
	put(LEAVE, sizeof(LEAVE) - 1);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &s->saved);
	s->entered = false;
}

int screen_open(struct screen **out, struct err *err)
{
	const char *kind = getenv("TERM");
	struct screen *s;

	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return err_set(err, ERR_PERMANENT,
			       "this needs a terminal; 'mmlag tail' and the JSON API "
			       "serve pipes");
	if (kind == NULL || *kind == '\0' || strcmp(kind, "dumb") == 0)
		return err_set(err, ERR_PERMANENT,
			       "this terminal cannot move its cursor (TERM is '%s'): "
			       "set TERM, or use 'mmlag tail'",
			       kind == NULL ? "" : kind);
	s = mem_calloc(1, sizeof(*s));
	buf_init(&s->last, FRAME_MAX);
	if (tcgetattr(STDIN_FILENO, &s->saved) != 0) {
		free(s);
		return err_set_errno(err, ERR_PERMANENT, errno,
				     "the terminal does not tell its settings");
	}
	screen_enter(s);
	*out = s;
	return 0;
}

void screen_close(struct screen *s)
{
	if (s == NULL)
		return;
	screen_leave(s);
	buf_free(&s->last);
	free(s);
}

void screen_size(struct screen *s, size_t *width, size_t *height)
{
	struct winsize size = {0};

	(void)s;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
	    size.ws_row == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	*width = size.ws_col < SIZE_MOST ? size.ws_col : SIZE_MOST;
	*height = size.ws_row < SIZE_MOST ? size.ws_row : SIZE_MOST;
}

/* The next line of `*text`, which moves behind it; false at the end. */
static bool next_line(const char **text, const char **line, size_t *len)
{
	const char *end;

	if (*text == NULL)
		return false;
	*line = *text;
	end = strchr(*text, '\n');
	*len = end != NULL ? (size_t)(end - *line) : strlen(*line);
	*text = end != NULL ? end + 1 : NULL;
	return true;
}

void screen_paint(struct screen *s, const struct buf *lines)
{
	struct buf out = BUF_INIT(FRAME_MAX);
	const char *now = buf_str(lines);
	const char *before = s->last.len > 0 ? buf_str(&s->last) : NULL;
	const char *line, *old;
	size_t len, old_len;

	for (size_t y = 1; next_line(&now, &line, &len); y++) {
		bool known = next_line(&before, &old, &old_len);

		if (known && old_len == len && memcmp(old, line, len) == 0)
			continue;
		buf_printf(&out, "\033[%zuH\033[2K", y);
		buf_add(&out, line, len);
	}
	buf_addstr(&out, "\033[J"); /* a lower screen than before */
	if (!out.failed)
		put(buf_str(&out), out.len);
	buf_reset(&s->last);
	buf_add(&s->last, buf_str(lines), lines->len);
	buf_free(&out);
}

/* Returns false when the terminal is gone. */
static bool fill(struct screen *s)
{
	struct pollfd p = {STDIN_FILENO, POLLIN, 0};
	ssize_t n;

	if (s->n == sizeof(s->keys) || poll(&p, 1, 0) <= 0)
		return true;
	n = read(STDIN_FILENO, s->keys + s->n, sizeof(s->keys) - s->n);
	if (n > 0)
		s->n += (size_t)n;
	return n > 0 || (n < 0 && errno == EINTR);
}

static const struct {
	const char *bytes;
	int key;
} sequences[] = {
	{"\033[A", KEY_UP},    {"\033OA", KEY_UP},       {"\033[B", KEY_DOWN},
	{"\033OB", KEY_DOWN},  {"\033[5~", KEY_PAGE_UP}, {"\033[6~", KEY_PAGE_DOWN},
	{"\033[H", KEY_HOME},  {"\033OH", KEY_HOME},     {"\033[1~", KEY_HOME},
	{"\033[F", KEY_END},   {"\033OF", KEY_END},      {"\033[4~", KEY_END},
	{"\033[7~", KEY_HOME}, {"\033[8~", KEY_END},
};

static void drop(struct screen *s, size_t n)
{
	memmove(s->keys, s->keys + n, s->n - n);
	s->n -= n;
}

/* Length of the sequence at the front as terminals write it, known to us or not; 0
 * when its end is not there yet. */
static size_t sequence_length(const struct screen *s)
{
	if (s->n < 2)
		return 0;
	if (s->keys[1] == 'O')
		return s->n >= 3 ? 3 : 0;
	if (s->keys[1] != '[')
		return 1; /* a lone ESC, then something else */
	for (size_t i = 2; i < s->n; i++)
		if (s->keys[i] >= 0x40 && s->keys[i] <= 0x7e)
			return i + 1;
	return 0;
}

static int take_sequence(struct screen *s, struct wake *wake, bool *gone)
{
	size_t n = sequence_length(s);
	int key = n <= 1 ? KEY_ESC : KEY_NONE;

	if (n == 0 && s->n < sizeof(s->keys)) {
		wake_wait(wake,
			  (struct step){STDIN_FILENO, POLLIN,
					mono_add_ms(clock_mono(), ESC_WAIT_MS), false});
		*gone |= !fill(s);
		n = sequence_length(s);
		key = n <= 1 ? KEY_ESC : KEY_NONE;
	}
	for (size_t i = 0; n > 1 && i < ARRAY_LEN(sequences); i++)
		if (strlen(sequences[i].bytes) == n &&
		    memcmp(sequences[i].bytes, s->keys, n) == 0)
			key = sequences[i].key;
	drop(s, n > 0 ? n : 1);
	return key;
}

int screen_key(struct screen *s, struct wake *wake, bool *gone)
{
	while (true) {
		int key;

		if (s->n == 0)
			*gone |= !fill(s);
		if (s->n == 0)
			return KEY_NONE;
		if (s->keys[0] == '\033') {
			key = take_sequence(s, wake, gone);
			if (key != KEY_NONE)
				return key;
			continue; /* a key that means nothing here */
		}
		key = (unsigned char)s->keys[0];
		drop(s, 1);
		return key == 0x7f || key == '\b' ? KEY_BACKSPACE : key;
	}
}
