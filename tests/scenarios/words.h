/* SPDX-License-Identifier: MIT
 * words: the small change of the scenario language: words of a line, durations,
 * comparisons, conditions on a JSON document. */
#ifndef MMLAG_SCENARIOS_WORDS_H
#define MMLAG_SCENARIOS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define WORDS_MAX 32

/* Cut `line` in place at blanks; a word that begins with a double quote ends with one.
 * A word that begins with # ends the line. Returns how many there are. */
size_t words_split(char *line, char *words[WORDS_MAX]);

/* "90s", "1h30m", "-5s", "500ms" in milliseconds; complains and gives -1 for else. */
int64_t words_duration(const char *word);

/* A whole number; complains and gives -1 for another word. */
int64_t words_number(const char *word);

/* FIELD=VALUE, with the operators = != >= <= ~ (contains). FIELD may be a path "a.b". A
 * field that is not there has the value "absent". */
struct condition {
	char *field, *value;
	char op[3];
};

/* Returns 0, or -1 when `word` is no condition. */
int condition_read(struct condition *c, const char *word);
void condition_fini(struct condition *c);

/* False for a condition that is not set. */
bool condition_holds(const struct condition *c, const json_t *document);

/* The field's value as text, which the caller frees. */
char *condition_value(const struct condition *c, const json_t *document);

/* Compare by ==, !=, <=, >=, <, >. Returns 1 or 0, -1 for another operator. */
int words_compare(int64_t a, const char *op, int64_t b);

#endif
