/* SPDX-License-Identifier: MIT
 * The store between real threads: eight that append, the store's own, one that takes
 * and settles, one that looks. All counts are bounded; nothing is timed. For
 * ThreadSanitizer. */
#include "support/store_kit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "store/store.h"
#include "support/fault_vfs.h"
#include "support/history_kit.h"

#include "banned.h"

#define WRITERS 8
#define EACH 400 /* appends of a writer */
#define PER_APPEND 5
#define QUESTIONS 300
#define ALL (WRITERS * EACH * PER_APPEND)

struct scene {
	struct store *store;
	struct wake shipper, looker;
	atomic_int writers_left;
	atomic_bool over;
	atomic_int answers;
	int asked;         /* the looker's */
	int seen[ALL + 1]; /* the consumer's: how often a document was shipped */
};

struct writer {
	struct scene *scene;
	struct wake wake; /* to rest with while staging is full */
	int64_t first;
	pthread_t thread;
};

/* Of its own, and of one that all write. */
static void put_record(struct writer *w, int round)
{
	char key[32];

	snprintf(key, sizeof(key), "%" PRId64, w->first);
	store_put(w->scene->store, STORE_WINDOW, key, &round, sizeof(round));
	store_put(w->scene->store, STORE_ALERT, "all", round % 7 == 0 ? NULL : key,
		  strlen(key));
}

/* Of one topic, which all tell. */
static void tell_history(struct writer *w, int round)
{
	const struct store_topic of = {"dc1", "g", "orders"};
	struct history_point p = kit_point(KIT_T0 + round * 10000, 5, round);
	struct gap gap;

	store_history_add(w->scene->store, &of, &p);
	history_point_fini(&p);
	if (round % 50 != 0)
		return;
	gap_set(&gap, REASON_SSH_LOST, "round %d", round);
	store_history_gap(w->scene->store, &of, (struct wall){KIT_T0 + round * 10000},
			  &gap);
}

static void *write_documents(void *arg)
{
	struct writer *w = arg;
	int64_t number = w->first;

	for (int i = 0; i < EACH; i++) {
		struct document docs[PER_APPEND];

		for (int k = 0; k < PER_APPEND; k++)
			docs[k] = kit_document(number++, 120);
		while (store_append(w->scene->store, docs, PER_APPEND, false) != 0)
			wake_wait(&w->wake, STEP_UNTIL(mono_add_ms(clock_mono(), 5)));
		put_record(w, i);
		tell_history(w, i);
	}
	atomic_fetch_sub(&w->scene->writers_left, 1);
	return NULL;
}

static void *keep_store(void *arg)
{
	struct scene *c = arg;

	for (;;) {
		struct step s = store_step(c->store);

		if (s.done)
			return NULL;
		wake_wait(store_wake(c->store), s);
	}
}

static struct store_batch take(struct scene *c, enum store_range range)
{
	struct store_batch b = {.rows = NULL};

	store_take_ask(c->store, &c->shipper, range, 300, 1 << 20);
	while (!store_take_get(c->store, &b))
		wake_wait(&c->shipper, STEP_UNTIL(MONO_NEVER));
	return b;
}

/* A third is retried, some are refused, the rest is done. */
static void judge(struct scene *c, const struct store_batch *b, int round)
{
	struct bulk_item *v = mem_calloc(b->n, sizeof(*v));

	for (size_t i = 0; i < b->n; i++) {
		int64_t n = kit_number(&b->documents[i]);

		v[i].status = 200;
		v[i].verdict = n % 50 == 0 ? BULK_REJECT : BULK_DONE;
		if ((n + round) % 3 == 0)
			v[i].verdict = BULK_RETRY;
		else
			c->seen[n]++;
	}
	store_settle(c->store, b->rows, v, b->n);
	free(v);
}

static void *ship_documents(void *arg)
{
	struct scene *c = arg;
	struct store_status st;
	int round = 0;

	do {
		struct store_batch b =
			take(c, round % 4 == 3 ? STORE_BACKLOG : STORE_NEW);

		judge(c, &b, round++);
		if (b.n == 0) /* wait for a commit */
			wake_wait(&c->shipper,
				  STEP_UNTIL(mono_add_ms(clock_mono(), 5)));
		store_batch_fini(&b);
		if (round % 16 == 0)
			store_mark_backlog(c->store);
		if (round % 16 == 8) {
			store_take_ask(c->store, &c->shipper, STORE_NEW, 10, 1 << 20);
			store_take_cancel(c->store);
		}
		store_status(c->store, &st);
	} while (atomic_load(&c->writers_left) > 0 || st.documents > 0);
	atomic_store(&c->over, true);
	wake_signal(&c->looker);
	return NULL;
}

static void count_answer(struct store_question *q)
{
	struct scene *c = q->arg;

	assert_int_equal(q->err.class, 0);
	atomic_fetch_add(&c->answers, 1);
	store_question_free(q);
}

/* Ask, and now and then think better of it. Returns how many answers will come. */
static int ask(struct scene *c, int round)
{
	static const enum store_question_kind kinds[] = {STORE_ASK_HISTORY,
							 STORE_ASK_ROWS, STORE_RETRY};
	struct store_question *q =
		store_question_new(kinds[round % 3], count_answer, c);
	int64_t number;

	q->topic = mem_strdup("orders");
	q->until.ms = INT64_MAX / 2;
	q->limit = 50;
	q->n = 1; /* no such row */
	q->ids = mem_calloc(1, sizeof(*q->ids));
	q->ids[0] = INT64_MAX / 2;
	number = store_ask(c->store, q);
	return round % 5 == 0 && store_cancel(c->store, number) ? 0 : 1;
}

static void *look_on(void *arg)
{
	struct scene *c = arg;
	struct store_status st;
	int round = 0;

	while (!atomic_load(&c->over)) {
		store_status(c->store, &st);
		assert_true(st.documents >= 0 && st.documents <= ALL);
		if (round < QUESTIONS)
			c->asked += ask(c, round++);
		wake_wait(&c->looker, STEP_UNTIL(mono_add_ms(clock_mono(), 2)));
	}
	return NULL;
}

static void is_the_last(void *arg, const char *key, const void *bytes, size_t len)
{
	int round;

	(void)key;
	assert_int_equal(len, sizeof(round));
	memcpy(&round, bytes, sizeof(round));
	assert_int_equal(round, EACH - 1);
	++*(int *)arg;
}

static void many_threads_lose_and_double_nothing(void **state)
{
	struct store_limits l = STORE_LIMITS_DEFAULT;
	struct scene *c = mem_calloc(1, sizeof(*c));
	struct writer writers[WRITERS];
	pthread_t keeper, shipper, looker;
	struct err err = ERR_INIT;
	int records = 0;

	(void)state;
	l.min_free = 0;
	l.staging_bytes = 500 * 250; /* so that writers meet a full one */
	assert_int_equal(store_open(&c->store, kit_dir, &l, &err), 0);
	assert_int_equal(wake_init(&c->shipper), 0);
	assert_int_equal(wake_init(&c->looker), 0);
	atomic_init(&c->writers_left, WRITERS);
	pthread_create(&keeper, NULL, keep_store, c);
	pthread_create(&shipper, NULL, ship_documents, c);
	pthread_create(&looker, NULL, look_on, c);
	for (int i = 0; i < WRITERS; i++) {
		writers[i].scene = c;
		writers[i].first = 1 + (int64_t)i * EACH * PER_APPEND;
		assert_int_equal(wake_init(&writers[i].wake), 0);
		pthread_create(&writers[i].thread, NULL, write_documents, &writers[i]);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		wake_fini(&writers[i].wake);
	}
	pthread_join(shipper, NULL);
	pthread_join(looker, NULL);
	wake_stop(store_wake(c->store));
	pthread_join(keeper, NULL);
	for (int n = 1; n <= ALL; n++)
		assert_int_equal(c->seen[n], 1);
	assert_int_equal(kit_ended(), ALL);
	assert_int_equal(metrics_get(METRIC_DOC_REJECTED), ALL / 50);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), ALL - ALL / 50);
	assert_int_equal(metrics_get(METRIC_SPOOL_DOCUMENTS), 0);
	store_each(c->store, STORE_WINDOW, is_the_last, &records);
	assert_int_equal(records, WRITERS);
	store_close(c->store, NULL);
	assert_int_equal(atomic_load(&c->answers), c->asked);
	wake_fini(&c->shipper);
	wake_fini(&c->looker);
	free(c);
}

static sem_t disk_stalls, disk_goes_on;

static void wait_for(sem_t *s)
{
	while (sem_wait(s) != 0)
		;
}

static void stall(void)
{
	sem_post(&disk_stalls);
	wait_for(&disk_goes_on);
}

/* All that a tailer, the shipper and the pages ask of the store. */
static void ask_of_everything(struct store *s, struct wake *me)
{
	const struct store_topic of = {"dc1", "g", "orders"};
	struct history_point p = kit_point(KIT_T0, 5, 1);
	struct store_status status;
	struct store_batch batch;
	struct document d = kit_document(2, 300);

	assert_int_equal(store_append(s, &d, 1, false), 0);
	store_put(s, STORE_WINDOW, "k", "v", 1);
	store_history_add(s, &of, &p);
	history_point_fini(&p);
	store_status(s, &status);
	store_mark_backlog(s);
	store_take_ask(s, me, STORE_NEW, 10, 1000);
	assert_false(store_take_get(s, &batch));
	store_take_cancel(s);
}

/* That this test ends at all is what it is about: were one of the calls to wait for
 * the disk, it would wait for ever. */
static void a_stalled_disk_stalls_nobody_but_the_stores_own_thread(void **state)
{
	struct store_limits l = STORE_LIMITS_DEFAULT;
	struct scene c = {.asked = 0};
	struct document d = kit_document(1, 300);
	struct err err = ERR_INIT;
	pthread_t keeper;

	(void)state;
	l.min_free = 0;
	sem_init(&disk_stalls, 0, 0);
	sem_init(&disk_goes_on, 0, 0);
	fault_install();
	assert_int_equal(store_open(&c.store, kit_dir, &l, &err), 0);
	assert_int_equal(wake_init(&c.shipper), 0);
	fault.sync = stall;
	assert_int_equal(store_append(c.store, &d, 1, false), 0);
	pthread_create(&keeper, NULL, keep_store, &c);
	wait_for(&disk_stalls);
	ask_of_everything(c.store, &c.shipper);
	wake_stop(store_wake(c.store));
	for (int i = 0; i < 1000; i++)
		sem_post(&disk_goes_on);
	pthread_join(keeper, NULL);
	store_close(c.store, NULL);
	fault.sync = NULL;
	fault_remove();
	wake_fini(&c.shipper);
	sem_destroy(&disk_stalls);
	sem_destroy(&disk_goes_on);
	assert_int_equal(metrics_get(METRIC_SPOOL_DOCUMENTS), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_threads_lose_and_double_nothing,
						kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(
			a_stalled_disk_stalls_nobody_but_the_stores_own_thread,
			kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
