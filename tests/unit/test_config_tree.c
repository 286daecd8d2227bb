/* SPDX-License-Identifier: MIT
 * YAML to nodes with places, and the words for what is no YAML of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/tree_int.h"

#include "banned.h"

/* What went wrong as "line:column: text\n" for each finding; to be freed. */
static char *findings_of(const char *text, size_t len, bool *has_root)
{
	struct config_findings f = {NULL, 0};
	struct node *root = tree_parse(text, len, &f);
	struct buf b = BUF_INIT(10000);

	for (size_t i = 0; i < f.n; i++)
		buf_printf(&b, "%d:%d: %s\n", f.v[i].line, f.v[i].column, f.v[i].text);
	*has_root = root != NULL;
	tree_free(root);
	config_findings_free(&f);
	return buf_take(&b);
}

#define DEEP_32 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

static const struct {
	const char *label, *text, *place, *words;
} bad[] = {
	{"a tab indents", "a:\n\tb: 1\n", "2:1: ", "a tab"},
	{"a tab in the next line", "a:\n  - b: c\n\td: e\n", "3:1: ", "a tab"},
	{"an environment variable in a list", "a: [b, ${X}]\n",
	 "1:8: ", "needs quotation marks: \"${…}\""},
	{"an environment variable in a map", "a: {b: ${X}}\n", "1:8: ", "\"${…}\""},
	{"a reference with a blank", "a: ${X: d}\n",
	 "1:7: ", "put ${…} in quotation marks"},
	{"a character class", "a: [a-z]+\n", "1:9: ", "quotation marks as a whole"},
	{"braces in a list", "a: [x{2}]\n", "1:6: ", "put it in quotation marks"},
	{"an alias", "a: *x\n", "1:4: ", "'*' in quotation marks"},
	{"a lonely star", "a: *\n", "1:5: ", "put it in quotation marks"},
	{"an anchor", "a: &x 1\n", "1:4: ", "'&' in quotation marks"},
	{"a tag", "a: !x y\n", "1:4: ", "'!' in quotation marks"},
	{"a merge key", "a: 1\nb:\n  <<: *x\n", "3:7: ", "\"defaults\""},
	{"a percent sign", "a: %x\n", "1:4: ", "'%'"},
	{"an at sign", "a: @x\n", "1:4: ", "'@'"},
	{"a backtick", "a: `x\n", "1:4: ", "'`'"},
	{"an open quotation mark", "a: \"b\nc: d\n", "1:4: ", "never closed"},
	{"an open bracket", "a: [1, 2\nb: 3\n", "1:4: ", "this '[' is never closed"},
	{"an open brace", "a: {b: 1\n", "1:4: ", "this '{' is never closed"},
	{"a bracket at the end", "a: [", "2:1: ", "the file ends inside"},
	{"a closing bracket alone", "a: ]\n", "1:4: ", "cannot begin with ']'"},
	{"a comma too many", "a: [b, , c]\n", "1:8: ", "cannot begin with ','"},
	{"a colon too many", "a: b: c\n", "1:5: ", "second \": \""},
	{"a key deeper than its value", "a: 1\n b: 2\n",
	 "2:3: ", "look at the indentation"},
	{"a key that is not indented enough", "a:\n  b: 1\n c: 2\n",
	 "3:2: ", "indentation"},
	{"a key beside a list", "- a\nb: 1\n", "2:1: ", "\"- \" is expected"},
	{"a key without a colon", "a: 1\nfoo\nb: 2\n", "2:1: ", "without \": \""},
	{"text behind a quotation mark", "a: \"b\" c\n",
	 "1:8: ", "after the closing \""},
	{"an unknown escape", "a: \"\\q\"\n", "1:5: ", "no such escape"},
	{"a list in a line", "a: - b\n", "1:4: ", "line of its own"},
	{"a template", "a: {{ x }}\n", "1:5: ", "a key must be a name"},
	{"a tag of nobody", "a: !x!y z\n", "1:4: ", "begins with '*', '&' or '!'"},
	{"a directive", "%FOO bar\na: 1\n", "1:5: ", "begins with '%'"},
	{"text behind a bar", "a: | b\n", "1:6: ", "begins in the next line"},
	{"a second document", "a: 1\n---\nb: 2\n", "2:1: ", "a second document"},
	{"nothing", "", "1:1: ", "the file is empty"},
	{"a comment", "# nothing\n", "1:1: ", "the file is empty"},
	{"a NUL as an escape", "a: \"b\\0\"\n", "1:4: ", "NUL"},
	{"33 brackets", "a: [" DEEP_32, "1:35: ", "nested more than 32 deep"},
	{"half of a surrogate pair", "a: \"\\ud83d\"\n", "1:7: ", "knows no pairs"},
	{"an escape character", "a: b\x1b\n", "1:5: ", "U+001B"},
	{"a delete character", "é: b\x7f\n", "1:5: ", "U+007F"},
	{"a C1 character", "a: \xc2\x9b\n", "1:4: ", "U+009B"},
	{"a byte order mark inside",
	 "a: 1\n\xef\xbb\xbf"
	 "b: 2\n",
	 "2:1: ", "U+FEFF"},
	{"Latin-1", "a: ä\nb: \xe4\n", "2:4: ", "byte 0xE4 is not UTF-8"},
	{"a cut sequence", "a: \xc3", "1:4: ", "byte 0xC3 is not UTF-8"},
	{"UTF-16",
	 "\xff\xfe"
	 "a",
	 "1:1: ", "UTF-16"},
};

static void what_is_no_yaml_is_told_once_with_its_place_and_a_hint(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bool root = true;
		char *said = findings_of(bad[i].text, strlen(bad[i].text), &root);

		if (root || strncmp(said, bad[i].place, strlen(bad[i].place)) != 0 ||
		    strstr(said, bad[i].words) == NULL || strchr(said, '\n')[1] != '\0')
			fail_msg("%s: %s", bad[i].label, said);
		free(said);
	}
}

static void a_nul_byte_is_refused(void **state)
{
	bool root = true;
	char *said = findings_of("a: b\nc: \0d\n", 11, &root);

	(void)state;
	assert_false(root);
	assert_int_equal(strncmp(said, "2:4: a NUL byte", 15), 0);
	free(said);
}

static void every_node_knows_its_place_in_characters(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "a: ü\n"
				   "ключ:   [x, \"é\", {z: 1}]\n"
				   "list:\n"
				   "  - one\n"
				   "  -\n"
				   "  - b: |\n"
				   "      two\n"
				   "      lines\n";
	struct config_findings f = {NULL, 0};
	struct node *root = tree_parse(text, sizeof(text) - 1, &f);
	const struct node *v;

	(void)state;
	assert_non_null(root);
	assert_int_equal(f.n, 0);
	assert_int_equal(root->kind, NODE_MAP);
	assert_int_equal(root->n, 3);
	v = tree_find(root, "a");
	assert_string_equal(v->text, "ü");
	assert_int_equal(v->line * 100 + v->column, 104);
	assert_int_equal(v->key_line * 100 + v->key_column, 101);
	v = tree_find(root, "ключ");
	assert_int_equal(v->kind, NODE_LIST);
	assert_int_equal(v->column, 9);
	assert_int_equal(v->child[1].column, 13);
	assert_true(v->child[1].quoted);
	assert_false(v->child[0].quoted);
	assert_int_equal(tree_find(&v->child[2], "z")->column, 22);
	v = tree_find(root, "list");
	assert_int_equal(v->line * 100 + v->column, 403);
	assert_true(tree_is_null(&v->child[1]));
	assert_string_equal(tree_find(&v->child[2], "b")->text, "two\nlines\n");
	assert_true(tree_find(&v->child[2], "b")->quoted);
	assert_null(tree_find(root, "b"));
	assert_null(tree_find(NULL, "b"));
	tree_free(root);
}

static void only_a_plain_empty_value_tilde_or_null_is_null(void **state)
{
	static const char text[] =
		"a:\nb: ~\nc: null\nd: 'null'\ne: \"\"\nf: nil\ng: []\n";
	struct config_findings f = {NULL, 0};
	struct node *root = tree_parse(text, sizeof(text) - 1, &f);

	(void)state;
	assert_non_null(root);
	for (size_t i = 0; i < root->n; i++)
		assert_int_equal(tree_is_null(&root->child[i]), i < 3);
	tree_free(root);
}

static void a_key_that_stands_twice_is_told_wherever_it_stands(void **state)
{
	static const char text[] =
		"a: 1\nb: {x: 1, y: 2, x: 3}\na: 2\nc:\n  - {a: 1, b: 1}\n"
		"a: 3\n";
	bool root = false;
	char *said = findings_of(text, sizeof(text) - 1, &root);

	(void)state;
	assert_true(root);
	assert_string_equal(
		said,
		"3:1: key \"a\" stands here a second time; the first is in line 1\n"
		"6:1: key \"a\" stands here a second time; the first is in line 1\n"
		"2:17: key \"x\" stands here a second time; the first is in line 2\n");
	free(said);
}

static void thirty_two_levels_are_fine(void **state)
{
	static const char text[] =
		"a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]"
		"]]]]]]\n";
	bool root = false;
	char *said = findings_of(text, sizeof(text) - 1, &root);

	(void)state;
	assert_string_equal(said, "");
	assert_true(root);
	free(said);
}

static void a_file_of_too_many_values_is_refused(void **state)
{
	struct buf b = BUF_INIT(4 << 20);
	bool root = true;
	char *said;

	(void)state;
	buf_addstr(&b, "a: [");
	for (int i = 0; i < TREE_NODES_MAX; i++)
		buf_addstr(&b, "x,");
	buf_addstr(&b, "]\n");
	said = findings_of(b.data, b.len, &root);
	assert_false(root);
	assert_non_null(strstr(said, "more than 200000 values"));
	free(said);
	buf_free(&b);
}

static void json_with_indentation_and_escapes_is_yaml(void **state)
{
	static const char text[] =
		"{\n \"a\": \"\\u00e9\\/\\t\",\n \"b\": [1, true, null],\n"
		" \"c\": {}\n}\n";
	struct config_findings f = {NULL, 0};
	struct node *root = tree_parse(text, sizeof(text) - 1, &f);

	(void)state;
	assert_non_null(root);
	assert_string_equal(tree_find(root, "a")->text, "é/\t");
	assert_true(tree_is_null(&tree_find(root, "b")->child[2]));
	assert_int_equal(tree_find(root, "c")->n, 0);
	tree_free(root);
}

static void windows_line_ends_are_fine(void **state)
{
	static const char text[] = "a: 1\r\nb:\r\n  - c\r\n";
	struct config_findings f = {NULL, 0};
	struct node *root = tree_parse(text, sizeof(text) - 1, &f);

	(void)state;
	assert_non_null(root);
	assert_string_equal(tree_find(root, "a")->text, "1");
	assert_int_equal(tree_find(root, "b")->child[0].line, 3);
	tree_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_no_yaml_is_told_once_with_its_place_and_a_hint),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(every_node_knows_its_place_in_characters),
		cmocka_unit_test(only_a_plain_empty_value_tilde_or_null_is_null),
		cmocka_unit_test(a_key_that_stands_twice_is_told_wherever_it_stands),
		cmocka_unit_test(thirty_two_levels_are_fine),
		cmocka_unit_test(a_file_of_too_many_values_is_refused),
		cmocka_unit_test(json_with_indentation_and_escapes_is_yaml),
		cmocka_unit_test(windows_line_ends_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
