/* SPDX-License-Identifier: MIT */
#include "config/syntax_int.h"

#include <stdbool.h>
#include <string.h>

#include "base/jsonw.h"
#include "config/finding_int.h"

#include "banned.h"

#define BOM "\xef\xbb\xbf"
#define QUOTE_IT "put it in quotation marks"
#define TAB "a tab; YAML is indented with spaces, replace it"
#define BEGINS "text that begins with '*', '&' or '!': " QUOTE_IT

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

static int complain_byte(struct config_findings *f, int line, int column,
			 unsigned char c)
{
	finding_error(f, line, column,
		      "byte 0x%02X is not UTF-8; save the file as UTF-8", c);
	return -1;
}

static int complain_control(struct config_findings *f, int line, int column,
			    const unsigned char *p, size_t n)
{
	unsigned c = n == 1   ? p[0]
		     : n == 2 ? p[1]
			      : (p[0] & 15U) << 12 | (p[1] & 63U) << 6 | (p[2] & 63U);

	if (c == 0)
		finding_error(
			f, line, column,
			"a NUL byte; the file must be text in UTF-8 (UTF-16 is not "
			"read: save it as UTF-8)");
	else
		finding_error(f, line, column,
			      "character U+%04X cannot stand here; remove it", c);
	return -1;
}

/* C0 but tab and line breaks, DEL, C1 but NEL, U+FEFF, U+FFFE and U+FFFF: not YAML. */
static bool is_control(const unsigned char *p, size_t n)
{
	if (n == 3)
		return memcmp(p, BOM, 3) == 0 ||
		       (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe);
	if (n == 1)
		return (*p < 0x20 && *p != '\t' && !is_break((char)*p)) || *p == 0x7f;
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0 && p[1] != 0x85;
}

size_t syntax_skip_mark(const char *text, size_t len)
{
	return len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0 ? strlen(BOM)
									 : 0;
}

int syntax_check_bytes(const char *text, size_t len, struct config_findings *f)
{
	const unsigned char *p = (const unsigned char *)text;
	int line = 1, column = 1;

	if (len >= 2 &&
	    ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
		finding_error(f, 1, 1, "the file is UTF-16; save it as UTF-8");
		return -1;
	}
	for (size_t i = syntax_skip_mark(text, len), n; i < len; i += n) {
		n = utf8_sequence(p + i, len - i);
		if (n == 0)
			return complain_byte(f, line, column, p[i]);
		if (is_control(p + i, n))
			return complain_control(f, line, column, p + i, n);
		column++;
		if (p[i] == '\n' ||
		    (p[i] == '\r' && (i + 1 == len || p[i + 1] != '\n'))) {
			line++;
			column = 1;
		}
	}
	return 0;
}

/* The bytes at a mark of libyaml (line and column from 0), up to the end of the file.
 * *before is what precedes it on its line. */
static const char *at_mark(const char *text, size_t len, yaml_mark_t mark,
			   const char **before)
{
	const char *p = text, *end = text + len;
	size_t n;

	for (size_t line = 0; line < mark.line && p < end; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p == NULL ? end : p + 1;
	}
	*before = p;
	for (size_t i = 0; i < mark.column && p < end && !is_break(*p); i++) {
		n = utf8_sequence((const unsigned char *)p, (size_t)(end - p));
		p += n == 0 ? 1 : n;
	}
	return p;
}

/* What stands before a place on its line, blanks left out: 0 for nothing. */
static char last_visible(const char *before, const char *here)
{
	while (here > before && (here[-1] == ' ' || here[-1] == '\t'))
		here--;
	return here > before ? here[-1] : 0;
}

static bool line_has(const char *p, const char *end, const char *what)
{
	const char *stop = p;

	while (stop < end && !is_break(*stop))
		stop++;
	return memmem(p, (size_t)(stop - p), what, strlen(what)) != NULL;
}

struct place {
	const char *text, *end; /* the file from here on */
	const char *before;     /* the begin of the line */
};

static void explain_token(struct config_findings *f, int line, int column,
			  const struct place *at)
{
	char c = at->text < at->end ? *at->text : 0;

	if (c == 0)
		finding_error(f, line, column,
			      "the file ends inside [ ] or { }; close it");
	else if (c == '\t')
		finding_error(f, line, column, TAB);
	else
		finding_error(f, line, column,
			      "text cannot begin with '%c' in YAML; " QUOTE_IT, c);
}

static void explain_flow(const yaml_parser_t *p, const char *context,
			 struct config_findings *f, int line, int column,
			 const struct place *at)
{
	bool list = strstr(context, "sequence") != NULL;
	char c = at->text < at->end ? *at->text : 0;

	if (c == '{' && at->text > at->before && at->text[-1] == '$')
		finding_error(
			f, line, column - 1,
			"${…} inside [ ] and { } needs quotation marks: \"${…}\"");
	else if (p->problem_mark.line > p->context_mark.line || c == 0)
		finding_error(f, (int)p->context_mark.line + 1,
			      (int)p->context_mark.column + 1,
			      "this '%c' is never closed", list ? '[' : '{');
	else
		finding_error(
			f, line, column,
			"',' or '%c' is missing here; if this is text with brackets "
			"or quotation marks in it, put it in quotation marks as a "
			"whole",
			list ? ']' : '}');
}

static void explain_key(struct config_findings *f, int line, int column,
			const struct place *at)
{
	char c = last_visible(at->before, at->text);

	if (c == ']' || c == '}' || c == '"' || c == '\'')
		finding_error(f, line, column,
			      "there is text after the closing %c; put the value in "
			      "quotation "
			      "marks as a whole",
			      c);
	else
		finding_error(
			f, line, column,
			"a key is expected here; look at the indentation of this line "
			"and of those above");
}

static void explain_colon(struct config_findings *f, int line, int column,
			  const struct place *at)
{
	if (line_has(at->before, at->end, "${"))
		finding_error(f, line, column,
			      "\": \" inside text; put ${…} in quotation marks");
	else
		finding_error(f, line, column,
			      "a second \": \" in one value; put the text in quotation "
			      "marks, "
			      "or look at the indentation, if this is a key");
}

/* Errors that lie where the thing begins which is broken, not where it was noticed. */
static bool is_of_context(const char *context, const char *problem)
{
	if (strstr(context, "simple key") != NULL)
		return strstr(problem, "expected ':'") != NULL;
	return strstr(context, "quoted scalar") != NULL &&
	       (strstr(problem, "end of stream") != NULL ||
		strstr(problem, "document indicator") != NULL);
}

/* The first row whose parts occur in libyaml's words is taken. */
static const struct {
	const char *problem, *context, *words;
} plain[] = {
	{"tab character", "", TAB},
	{"expected '-'", "",
	 "\"- \" is expected, as in the lines above; look at the indentation"},
	{"expected ':'", "", "a key without \": \" behind it"},
	{"end of stream", "quoted scalar", "this quotation mark is never closed"},
	{"document indicator", "quoted scalar", "this quotation mark is never closed"},
	{"Unicode character escape", "",
	 "YAML knows no pairs such as \\ud83d\\ude00; write the character itself, or "
	 "\\U0001f600"},
	{"escape", "", "no such escape in \"…\"; use '…', where a backslash is itself"},
	{"block sequence entries", "",
	 "\"- \" begins a list, which needs a line of its own; if it is "
	 "text, " QUOTE_IT},
	{"undefined tag handle", "", BEGINS},
	{"", "directive",
	 "a line that begins with '%' is a directive of YAML, which is not used here; "
	 "remove it"},
	{"", "block scalar",
	 "behind '|' or '>' text begins in the next line, indented"},
	{"", "anchor", BEGINS},
	{"", "alias", BEGINS},
	{"", "tag", BEGINS},
};

static const char *plain_words(const char *problem, const char *context)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (strstr(problem, plain[i].problem) != NULL &&
		    strstr(context, plain[i].context) != NULL)
			return plain[i].words;
	return NULL;
}

void syntax_explain(const yaml_parser_t *p, const char *text, size_t len,
		    struct config_findings *f)
{
	const char *problem = p->problem != NULL ? p->problem : "unknown error";
	const char *context = p->context != NULL ? p->context : "";
	const char *words = plain_words(problem, context);
	yaml_mark_t mark =
		is_of_context(context, problem) ? p->context_mark : p->problem_mark;
	int line = (int)mark.line + 1, column = (int)mark.column + 1;
	struct place at = {.end = text + len};

	at.text = at_mark(text, len, mark, &at.before);
	if (strstr(problem, "cannot start any token") != NULL ||
	    strstr(problem, "expected node content") != NULL)
		explain_token(f, line, column, &at);
	else if (strstr(problem, "expected ',' or") != NULL)
		explain_flow(p, context, f, line, column, &at);
	else if (strstr(problem, "mapping values are not") != NULL)
		explain_colon(f, line, column, &at);
	else if (strstr(problem, "expected key") != NULL)
		explain_key(f, line, column, &at);
	else if (words != NULL)
		finding_error(f, line, column, "%s", words);
	else
		finding_error(f, line, column, "no YAML: %s%s%s", context,
			      *context != '\0' ? ", " : "", problem);
}
