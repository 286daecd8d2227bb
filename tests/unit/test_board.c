/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/views.h"

static void views_stand_in_order_of_their_names(void **state)
{
	static const char *const names[][3] = {{"b", "a", "a"},
					       {"a", "b", "a"},
					       {"a", "a", "b"},
					       {"a", "a", "a"}};
	struct board *b = board_new();
	struct board_slot *slots[ARRAY_LEN(names)];
	struct board_views w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		slots[i] = views_show(b, views_make(names[i][0], names[i][1],
						    names[i][2], NULL));
	w = board_look(b);
	assert_int_equal(w.n, 4);
	for (size_t i = 0; i < w.n; i++) {
		assert_string_equal(w.v[i]->name.cluster, names[3 - i][0]);
		assert_string_equal(w.v[i]->name.group, names[3 - i][1]);
		assert_string_equal(w.v[i]->name.topic, names[3 - i][2]);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		board_drop(b, slots[i]);
	assert_string_equal(w.v[3]->name.cluster, "b"); /* the reader's own */
	board_views_fini(&w);
	w = board_look(b);
	assert_int_equal(w.n, 0);
	board_views_fini(&w);
	board_free(b);
}

static void a_topic_shows_once_it_has_a_view(void **state)
{
	struct board *b = board_new();
	struct board_slot *slot = board_add(b);
	struct board_views w = board_look(b);

	(void)state;
	assert_int_equal(w.n, 0);
	board_views_fini(&w);
	board_publish(b, slot, views_make("c", "g", "t", "1:2:1"));
	w = board_look(b);
	assert_int_equal(w.n, 1);
	board_views_fini(&w);
	board_drop(b, slot);
	board_free(b);
}

static void the_version_moves_with_what_readers_see(void **state)
{
	struct board *b = board_new();
	uint64_t v = board_version(b);
	struct board_slot *slot;

	(void)state;
	assert_int_not_equal(v, 0);
	slot = views_show(b, views_make("c", "g", "t", NULL));
	assert_true(board_version(b) > v);
	v = board_version(b);
	board_tell(b, BOARD_ALERTS, "[1]", 3);
	assert_true(board_version(b) > v);
	v = board_version(b);
	board_tell(b, BOARD_ALERTS, "[1]", 3);
	assert_int_equal(board_version(b), v);
	board_drop(b, slot);
	assert_true(board_version(b) > v);
	board_free(b);
}

static void what_was_not_told_is_null(void **state)
{
	struct board *b = board_new();
	struct buf out = BUF_INIT(1000);

	(void)state;
	board_told(b, BOARD_SHIPPER, &out);
	board_tell(b, BOARD_SHIPPER, "{\"a\":1}", 7);
	board_told(b, BOARD_SHIPPER, &out);
	assert_string_equal(buf_str(&out), "null{\"a\":1}");
	buf_free(&out);
	board_free(b);
}

static void a_view_keeps_the_sample_of_the_one_before(void **state)
{
	struct view *old = views_make("c", "g", "t", "1:5:4 -:-:- 7:9:2");
	struct view *new = views_make("c", "g", "t", NULL);

	(void)state;
	old->partitions[2].unchanged_ms = 77;
	old->assessment.status = VERDICT_WARN;
	view_copy_sample(new, old);
	view_unref(old);
	assert_int_equal(new->sample.n, 3);
	assert_int_equal(new->totals.sum, 6);
	assert_int_equal(new->totals.max, 4);
	assert_int_equal(new->partitions[2].unchanged_ms, 77);
	assert_int_equal(new->assessment.status, VERDICT_WARN);
	assert_int_equal(new->mono_to_wall_ms, VIEWS_AT - 5000);
	view_unref(new);
}

static void documents_are_numbered_and_told_from_where_one_was(void **state)
{
	struct board *b = board_new();
	struct buf out = BUF_INIT(1 << 22);
	uint64_t at;

	(void)state;
	assert_int_equal(board_documents(b, 0, 100, &out), 0);
	for (int i = 1; i <= 200; i++) {
		char json[32];
		int n = snprintf(json, sizeof(json), "{\"n\":%03d}", i);

		board_document(b, json, (size_t)n);
	}
	assert_int_equal(board_documents(b, 198, 1000, &out), 200);
	assert_string_equal(buf_str(&out), "{\"n\":199}\n{\"n\":200}\n");
	buf_reset(&out);
	at = board_documents(b, 0, 25, &out); /* two of ten bytes fit */
	assert_int_equal(at, 2);
	assert_int_equal(board_documents(b, at, 10, &out), 3);
	buf_reset(&out);
	assert_int_equal(board_documents(b, 200, 1000, &out), 200);
	assert_int_equal(out.len, 0);
	/* a number of another life */
	assert_int_equal(board_documents(b, 5000, 10, &out), 1);
	buf_free(&out);
	board_free(b);
}

static void old_documents_make_room_for_new_ones(void **state)
{
	struct board *b = board_new();
	struct buf out = BUF_INIT(4 << 20);
	size_t len = BOARD_DOCUMENT_BYTES / 3;
	char *json = mem_calloc(1, BOARD_DOCUMENT_BYTES + 2);

	(void)state;
	for (int i = 0; i < 10; i++) {
		memset(json, 'a' + i, len);
		board_document(b, json, len);
	}
	assert_int_equal(board_documents(b, 0, 4 << 20, &out), 10);
	assert_int_equal(out.len, 3 * (len + 1));
	assert_int_equal(out.data[0], 'a' + 7);
	memset(json, 'z', BOARD_DOCUMENT_BYTES + 1);
	board_document(b, json, BOARD_DOCUMENT_BYTES + 1); /* left out */
	buf_reset(&out);
	assert_int_equal(board_documents(b, 9, 4 << 20, &out), 10);
	assert_int_equal(out.data[0], 'a' + 9);
	board_document(b, json, BOARD_DOCUMENT_BYTES); /* drives out all others */
	buf_reset(&out);
	assert_int_equal(board_documents(b, 0, 4 << 20, &out), 11);
	assert_int_equal(out.len, BOARD_DOCUMENT_BYTES + 1);
	free(json);
	buf_free(&out);
	board_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_stand_in_order_of_their_names),
		cmocka_unit_test(a_topic_shows_once_it_has_a_view),
		cmocka_unit_test(the_version_moves_with_what_readers_see),
		cmocka_unit_test(what_was_not_told_is_null),
		cmocka_unit_test(a_view_keeps_the_sample_of_the_one_before),
		cmocka_unit_test(documents_are_numbered_and_told_from_where_one_was),
		cmocka_unit_test(old_documents_make_room_for_new_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
