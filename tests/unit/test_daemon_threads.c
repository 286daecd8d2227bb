/* SPDX-License-Identifier: MIT
 * The whole daemon with its real threads, clock and store, for ThreadSanitizer: 64
 * tailers against a host and an index that are fakes and fail now and then; started,
 * given other configurations and ended by signals at random moments, life after life on
 * one state directory, while readers ask for its pages. The last life is calm, and at
 * its end every sample is in the index, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/random.h"
#include "http/http.h"
#include "lag/reason.h"
#include "run/daemon.h"
#include "ssh/ssh.h"

#define TOPICS 64
#define LIVES 12
#define RUNS_BEFORE_TROUBLE 40
#define IDS 1048576 /* slots of the index; a power of two */

/* ---- the host ---- */

struct ssh {
	char nonce[17];
	int runs;
	struct mono next_run;
	char data[1024];
};

int ssh_global_init(struct err *err)
{
	(void)err;
	return 0;
}

void ssh_global_fini(void)
{
}

int ssh_open(struct ssh **out, const struct config_topic *t, const char *command,
	     struct wake *wake, struct err *err)
{
	const char *nonce = strstr(command, "K=");

	(void)t;
	if (wake_stopping(wake))
		return ERR_AGAIN;
	if (random_below(8) == 0)
		return err_set_code(err, ERR_RETRY, REASON_SSH_BUSY, "busy");
	assert_non_null(nonce);
	*out = mem_calloc(1, sizeof(**out));
	memcpy((*out)->nonce, nonce + 2, 16);
	return 0;
}

void ssh_close(struct ssh *s)
{
	free(s);
}

enum ssh_event ssh_step(struct ssh *s, struct mono now, bool read_stdout,
			const char **data, size_t *len, struct err *err)
{
	if (s->runs >= RUNS_BEFORE_TROUBLE) {
		err_set_code(err, ERR_RETRY, REASON_SSH_LOST, "cut");
		return SSH_FAILED;
	}
	if (!read_stdout || mono_before(now, s->next_run))
		return SSH_WAIT;
	s->next_run = mono_add_ms(now, (int64_t)random_below(30));
	s->runs++;
	*len = (size_t)snprintf(
		s->data, sizeof(s->data),
		"\n@mmlag %s B %d 1795232170.5\nGROUP TOPIC PARTITION CURRENT-OFFSET "
		"LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID\ng t 0 5 9 4 c /h c\n"
		"\n@mmlag %s X %d 0\n\n@mmlag %s E %d 1795232170.6\n",
		s->nonce, s->runs, s->nonce, s->runs, s->nonce, s->runs);
	*data = s->data;
	return SSH_DATA;
}

struct step ssh_poll(const struct ssh *s, struct mono now)
{
	(void)now;
	return STEP_UNTIL(s->next_run);
}

int ssh_exit_code(const struct ssh *s)
{
	(void)s;
	return -1;
}

const char *ssh_stderr(const struct ssh *s, size_t *len)
{
	(void)s;
	*len = 0;
	return "";
}

void ssh_stderr_reset(struct ssh *s)
{
	(void)s;
}

const char *ssh_fingerprint(const struct ssh *s)
{
	(void)s;
	return "";
}

/* ---- the index: one shipper's thread at a time speaks to it ---- */

static uint64_t ids[IDS];
static int64_t stored, offered_twice;
static unsigned bulks;
static bool calm; /* the last life: nothing fails */

/* Returns whether the id is new. */
static bool store_id(const char *id, size_t len)
{
	uint64_t h = hash_fnv64(id, len, 0) | 1;
	size_t at = h % IDS;

	for (; ids[at] != 0; at = (at + 1) % IDS)
		if (ids[at] == h)
			return false;
	ids[at] = h;
	stored++;
	assert_true(stored < IDS / 2);
	return true;
}

struct http {
	struct wake *wake;
};

int http_global_init(struct err *err)
{
	(void)err;
	return 0;
}

void http_global_fini(void)
{
}

int http_open(struct http **out, const struct http_options *o, struct wake *wake,
	      struct err *err)
{
	(void)o;
	(void)err;
	*out = mem_calloc(1, sizeof(**out));
	(*out)->wake = wake;
	return 0;
}

void http_close(struct http *h)
{
	free(h);
}

int http_reread(struct http *h, struct err *err)
{
	(void)h;
	(void)err;
	return 0;
}

void http_answer_fini(struct http_answer *a)
{
	buf_free(&a->body);
}

/* Store what the body holds, and answer item by item. Returns how many conflicts the
 * answer tells of. */
static int64_t bulk(const struct http_request *r, struct buf *answer)
{
	const char *p = r->body, *comma = "";
	int64_t conflicts = 0;

	buf_addstr(answer, "{\"errors\":true,\"items\":[");
	while ((p = strstr(p, "\"_id\":\"")) != NULL) {
		bool refuse = !calm && random_below(50) == 0;

		p += strlen("\"_id\":\"");
		if (refuse) {
			buf_printf(answer,
				   "%s{\"create\":{\"status\":429,\"error\":{\"type\":"
				   "\"es_rejected_execution_exception\"}}}",
				   comma);
		} else if (store_id(p, 46)) {
			buf_printf(answer, "%s{\"create\":{\"status\":201}}", comma);
		} else {
			conflicts++;
			buf_printf(answer,
				   "%s{\"create\":{\"status\":409,\"error\":{\"type\":"
				   "\"version_conflict_engine_exception\"}}}",
				   comma);
		}
		comma = ",";
	}
	buf_addstr(answer, "]}");
	return conflicts;
}

int http_exchange(struct http *h, const struct http_request *r, struct http_answer *a,
		  struct err *err)
{
	int64_t conflicts;

	memset(a, 0, sizeof(*a));
	buf_init(&a->body, 1 << 22);
	a->retry_after_s = -1;
	if (wake_stopping(h->wake))
		return err_set_code(err, ERR_RETRY, HTTP_STOPPED, "stopped");
	a->status = 200;
	if (strstr(r->url, "_bulk") == NULL) {
		buf_addstr(&a->body, "{}");
		return 0;
	}
	conflicts = bulk(r, &a->body);
	if (!calm && bulks++ % 5 == 1) /* stored, but the answer is lost */
		return err_set_code(err, ERR_RETRY, HTTP_UNKNOWN, "reset");
	offered_twice += conflicts;
	return 0;
}

/* ---- readers of the pages ---- */

#define READERS 3

static int port; /* of the pages */
static atomic_bool all_is_over;
static atomic_int answers, refusals;

static struct sockaddr_in address_of_pages(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* One that was free a moment ago. */
static int free_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = address_of_pages();
	socklen_t len = sizeof(a);

	a.sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void ask(const char *path)
{
	struct sockaddr_in a = address_of_pages();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[4096], first[16] = "";
	ssize_t n;
	size_t have = 0;
	int len = snprintf(text, sizeof(text),
			   "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: "
			   "close\r\nAccept-Encoding: gzip\r\n\r\n",
			   path);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    send(fd, text, (size_t)len, MSG_NOSIGNAL) == len)
		while ((n = read(fd, text, sizeof(text))) > 0) {
			for (ssize_t i = 0; i < n && have < sizeof(first) - 1; i++)
				first[have++] = text[i];
		}
	close(fd);
	if (memcmp(first, "HTTP/1.1 200", 12) == 0)
		atomic_fetch_add(&answers, 1);
	else if (have > 0)
		atomic_fetch_add(&refusals, 1);
}

static void *reader(void *arg)
{
	static const char *const paths[] = {"/",
					    "/metrics",
					    "/api/v1/topics",
					    "/api/v1/topics/t?cluster=c3",
					    "/api/v1/status",
					    "/api/v1/alerts",
					    "/api/v1/documents",
					    "/api/v1/spool?limit=3",
					    "/v3/kafka/c7/consumer/g/lag",
					    "/-/ready"};
	struct wake w;

	if (wake_init(&w) != 0)
		abort();
	while (!atomic_load(&all_is_over)) {
		ask(paths[random_below(ARRAY_LEN(paths))]);
		wake_wait(&w, STEP_UNTIL(mono_add_ms(clock_mono(), 2)));
	}
	wake_fini(&w);
	return arg;
}

/* ---- the test ---- */

static char dir[] = "/tmp/mmlag-threads-XXXXXX";

static void write_file(const char *name, const char *text, size_t len)
{
	char *path = mem_printf("%s/%s", dir, name), *new = mem_printf("%s.new", path);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0 ||
	    rename(new, path) != 0)
		abort();
	free(path);
	free(new);
}

/* Of each variant a third of the topics is missing, and another third has another
 * interval than in the one before. */
static void write_configuration(unsigned variant)
{
	struct buf text = BUF_INIT(1 << 20);

	buf_printf(&text,
		   "state_dir: %s\nelasticsearch: {hosts: [\"http://e:9200\"], "
		   "bulk: {max_delay: %ums}}\ndefaults: {host: h, user: u, "
		   "key_file: %s/key, kafka_home: /k, bootstrap_server: \"b:9092\", "
		   "thresholds: [{on: topic, warning: 1, for: 0s}], "
		   "objective: {lag_max: 3, share: 99%%, over: 1h}}\n"
		   "http: {listen: \"127.0.0.1:%d\"}\n"
		   "log: {level: error}\nalerts: {group_wait: 0s}\n"
		   "receivers: [{name: r%u, type: webhook, urls: [\"http://r/\"]}, "
		   "{name: am, type: alertmanager, urls: [\"http://am/\"]}]\n"
		   "topics:\n",
		   dir, 10 + variant % 2, dir, port, variant % 2);
	for (unsigned i = 0; i < TOPICS; i++)
		if (variant == 0 || (i + variant) % 3 != 0)
			buf_printf(&text,
				   "  - {name: t, group: g, cluster: c%u, "
				   "bootstrap_server: \"b%u:9092\", interval: %us}\n",
				   i, i, 1 + (i + variant) % 3 % 2);
	write_file("mmlag.yaml", buf_str(&text), text.len);
	buf_free(&text);
}

static struct config *configuration(void)
{
	struct config_findings findings = {NULL, 0};
	struct config *c = NULL;
	struct err err = ERR_INIT;
	char *path = mem_printf("%s/mmlag.yaml", dir);

	if (config_load(path, &c, &findings, &err) != 0)
		fail_msg("%s: %s", err.text, findings.n > 0 ? findings.v[0].text : "");
	config_findings_free(&findings);
	free(path);
	return c;
}

/* Hands the daemon other configurations, one that is wrong among them, and ends it
 * after a random time, as an operator would. */
static void *operator(void *arg)
{
	struct wake w;

	(void)arg;
	if (wake_init(&w) != 0)
		abort();
	for (int n = random_below(4); n > 0; n--) {
		wake_wait(&w, STEP_UNTIL(mono_add_ms(clock_mono(),
						     (int64_t)random_below(80))));
		if (random_below(4) == 0)
			write_file("mmlag.yaml", "topics: [", 9);
		else
			write_configuration((unsigned)random_below(7));
		kill(getpid(), SIGHUP);
	}
	wake_wait(&w, STEP_UNTIL(mono_add_ms(clock_mono(),
					     20 + (int64_t)random_below(300))));
	wake_fini(&w);
	kill(getpid(), SIGTERM);
	return NULL;
}

static void remove_all(void)
{
	static const char *const names[] = {"mmlag.db", "mmlag.db-wal", "mmlag.db-shm",
					    "lock",     "mmlag.yaml",   "key"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = mem_printf("%s/%s", dir, names[i]);

		unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void accounts_balance_over_many_lives(void **state)
{
	struct config *c;
	struct err err = ERR_INIT;
	struct wall began;
	int taken_over = 0;
	sigset_t term;
	pthread_t thread, readers[READERS];

	(void)state;
	port = free_port();
	assert_non_null(mkdtemp(dir));
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	log_open(LOG_ERROR, LOG_TEXT, false);
	metrics_reset();
	write_file("key", "key", 3);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, reader, NULL), 0);
	for (int life = 0; life < LIVES; life++) {
		calm = life == LIVES - 1;
		write_configuration(0);
		c = configuration();
		assert_int_equal(pthread_create(&thread, NULL, operator, NULL), 0);
		began = clock_wall();
		if (daemon_run(c, &err) != 0)
			fail_msg("%s", err.text);
		pthread_join(thread, NULL);
		taken_over += metrics_get(METRIC_RELOADED_MS) > began.ms + 10;
		config_unref(c);
	}
	atomic_store(&all_is_over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_true(atomic_load(&answers) > 20);
	assert_true(atomic_load(&refusals) < atomic_load(&answers));
	assert_true(metrics_get(METRIC_SAMPLES) > 10 * TOPICS);
	assert_int_equal(metrics_get(METRIC_SPOOL_DOCUMENTS), 0);
	assert_int_equal(stored, metrics_get(METRIC_SAMPLES));
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED) +
				 metrics_get(METRIC_DOC_DUPLICATE),
			 stored);
	assert_int_equal(metrics_get(METRIC_DOC_DUPLICATE), offered_twice);
	assert_true(offered_twice > 0);
	assert_true(taken_over > 0);
	remove_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_balance_over_many_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
