/* SPDX-License-Identifier: MIT
 * spool: what waits and what was refused, for a person and for scripts. Looking needs
 * nobody; changing is the running daemon's affair, or ours under the state lock when
 * there is none. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/size.h"
#include "cli/commands.h"
#include "cli/feed.h"
#include "cli/options.h"
#include "cli/spool.h"
#include "cli/spool_int.h"
#include "run/daemon.h"
#include "run/statelock.h"
#include "store/reader.h"
#include "store/store.h"

#include "banned.h"

static const char usage[] =
	"Usage: mmlag spool status|list|dead [--limit N] [--json] [-c FILE]\n"
	"       mmlag spool retry|drop [--waiting] ID…|--all [--json] [-c FILE]\n"
	"       mmlag spool import FILE [--json] [-c FILE]\n\n"
	"  status             how much waits, since when, and how much was refused\n"
	"  list               what waits for Elasticsearch, the newest first\n"
	"  dead               what was refused for good, and why\n"
	"  retry              send refused documents again, with the same _id\n"
	"  drop               give refused documents up; with --waiting those that wait\n"
	"  import             take in a file of the state directory that was set aside\n"
	"                     (mmlag.db.aside-…), as far as it can be read\n\n"
	"      --all          all of them\n"
	"      --limit N      at most so many rows, default 20\n"
	"      --json         as docs/api.md has it\n"
	"  -c, --config FILE  default " OPTIONS_DEFAULT_FILE "\n"
	"retry, drop and import are done by the running daemon, and without one by this\n"
	"command.\n"
	"Exit: 0, 1 it could not be done, 64 usage, 78 the configuration is wrong.\n";

#define LIMIT_DEFAULT 20

struct order {
	const struct config *config;
	bool json, all, waiting;
	int64_t limit;
	int64_t *ids;
	size_t n;
	const char *file;
};

static int fail(const struct err *err)
{
	char text[sizeof(err->text)];

	snprintf(text, sizeof(text), "%s", err->text);
	utf8_plain(text);
	fprintf(stderr, "mmlag spool: %s\n", text);
	return 1;
}

/* Looking */

static int do_status(const struct order *o)
{
	struct err err = ERR_INIT;
	json_t *st = spool_live_status(o->config->state_dir);
	char *text;

	if (st == NULL)
		st = spool_file_status(o->config->state_dir, &err);
	if (st == NULL)
		return fail(&err);
	if (o->json) {
		text = json_dumps(st, JSON_COMPACT);
		printf("%s\n", text == NULL ? "{}" : text);
		free(text);
	} else {
		spool_print_status(st);
	}
	json_decref(st);
	return 0;
}

static int list(const struct order *o, bool dead)
{
	struct buf answer = BUF_INIT(SPOOL_ANSWER_MAX);
	struct err err = ERR_INIT;
	int rc = 0;

	if (reader_rows(o->config->state_dir, dead, o->limit, &answer, &err) != 0)
		rc = fail(&err);
	else if (o->json)
		printf("%s\n", buf_str(&answer));
	else
		spool_print_rows(&answer, dead);
	buf_free(&answer);
	return rc;
}

static int do_list(const struct order *o)
{
	return list(o, false);
}

static int do_dead(const struct order *o)
{
	return list(o, true);
}

/* Changing */

static char *body_of(const struct order *o)
{
	struct buf b = BUF_INIT(SPOOL_ANSWER_MAX);
	struct jsonw w = jsonw_start(&b);

	jsonw_object(&w);
	if (o->file != NULL)
		jsonw_key_str(&w, "file", o->file);
	if (o->waiting) {
		jsonw_key(&w, "dead");
		jsonw_bool(&w, false);
	}
	if (o->all) {
		jsonw_key(&w, "all");
		jsonw_bool(&w, true);
	} else if (o->n > 0) {
		jsonw_key(&w, "ids");
		jsonw_array(&w);
		for (size_t i = 0; i < o->n; i++)
			jsonw_int(&w, o->ids[i]);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	return buf_take(&b);
}

struct outcome {
	bool done;
	struct buf *answer;
	struct err *err;
};

static void keep_outcome(struct store_question *q)
{
	struct outcome *o = q->arg;

	o->done = true;
	*o->err = q->err;
	if (q->err.class == 0)
		buf_add(o->answer, buf_str(&q->answer), q->answer.len);
	store_question_free(q);
}

static struct store_question *
question_of(const struct order *o, enum store_question_kind kind, struct outcome *to)
{
	struct store_question *q = store_question_new(kind, keep_outcome, to);

	q->all = o->all;
	q->dead = !o->waiting;
	q->n = o->n;
	q->ids = mem_calloc(o->n, sizeof(*q->ids));
	if (o->n > 0)
		memcpy(q->ids, o->ids, o->n * sizeof(*q->ids));
	q->file = mem_strdup(o->file);
	return q;
}

/* As the daemon would do it; the state lock is held. */
static int change_file(const struct order *o, enum store_question_kind kind,
		       struct buf *answer, struct err *err)
{
	struct outcome to = {.answer = answer, .err = err};
	struct store_limits l;
	struct store_status st;
	struct store *s = NULL;

	l = daemon_store_limits(o->config);
	if (store_open(&s, o->config->state_dir, &l, err) != 0)
		return err->class;
	(void)store_ask(s, question_of(o, kind, &to));
	while (!to.done)
		(void)store_step(s);
	store_status(s, &st);
	if (*st.set_aside != '\0')
		fprintf(stderr,
			"mmlag spool: mmlag.db could not be used and was put aside: %s\n",
			st.set_aside);
	store_close(s, NULL);
	return err->class;
}

/* What another user makes there, the daemon could not open. */
static int check_owner(const char *dir, struct err *err)
{
	struct stat st;

	if (stat(dir, &st) != 0 || st.st_uid == geteuid())
		return 0;
	return err_set(
		err, ERR_PERMANENT,
		"no daemon runs, and %s belongs to another user (id %u): run this "
		"as that one",
		dir, (unsigned)st.st_uid);
}

static int change_without_daemon(const struct order *o, enum store_question_kind kind,
				 struct buf *answer, struct err *err)
{
	int result, fd;

	if (check_owner(o->config->state_dir, err) != 0)
		return err->class;
	fd = statelock_take(o->config->state_dir, err);
	if (fd == ERR_AGAIN)
		return err_wrap(err, "the daemon does not answer on %s/control.sock",
				o->config->state_dir);
	if (fd < 0)
		return err->class;
	result = change_file(o, kind, answer, err);
	close(fd);
	return result;
}

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void print_outcome(const json_t *tree, enum store_question_kind kind)
{
	int64_t rows = number(tree, "rows"), missing = number(tree, "missing");

	if (kind == STORE_RETRY) {
		printf("%" PRId64 " %s again\n", rows,
		       rows == 1 ? "document goes" : "documents go");
		return;
	}
	if (kind == STORE_DROP) {
		printf("%" PRId64 " %s dropped\n", rows,
		       rows == 1 ? "document was" : "documents were");
		return;
	}
	printf("%" PRId64 " documents and %" PRId64 " dead letters were taken in\n",
	       rows, number(tree, "dead"));
	if (json_is_null(json_object_get(tree, "missing")))
		printf("how many there were the file does not tell any more\n");
	else if (missing > 0)
		printf("%" PRId64 " could not be read\n", missing);
	else if (json_is_true(json_object_get(tree, "damaged")))
		printf("the file is damaged, but nothing of it is missing\n");
}

static int change(const struct order *o, enum store_question_kind kind,
		  const char *path)
{
	struct buf answer = BUF_INIT(SPOOL_ANSWER_MAX);
	struct err err = ERR_INIT, own = ERR_INIT;
	char *body = body_of(o);
	int rc = feed_once(o->config->state_dir, path, body, &answer, &err);
	json_t *tree;

	if (rc == ERR_AGAIN) {
		err = own;
		rc = change_without_daemon(o, kind, &answer, &err);
	}
	free(body);
	if (rc != 0) {
		buf_free(&answer);
		return fail(&err);
	}
	tree = json_loadb(buf_str(&answer), answer.len, 0, NULL);
	if (o->json)
		printf("%s\n", buf_str(&answer));
	else
		print_outcome(tree, kind);
	json_decref(tree);
	buf_free(&answer);
	return 0;
}

static int do_retry(const struct order *o)
{
	return change(o, STORE_RETRY, "/api/v1/spool/retry");
}

static int do_drop(const struct order *o)
{
	return change(o, STORE_DROP, "/api/v1/spool/drop");
}

/* A path that lies in the state directory is as good as the name. */
static int do_import(const struct order *o)
{
	const char *dir = o->config->state_dir;
	struct order by_name = *o;
	size_t len = strlen(dir);

	if (strncmp(o->file, dir, len) == 0 && o->file[len] == '/')
		by_name.file += len + 1;
	return change(&by_name, STORE_IMPORT, "/api/v1/spool/import");
}

/* The command line */

enum wants { NOTHING, ROWS, A_FILE };

static const struct verb {
	const char *name;
	int (*run)(const struct order *o);
	enum wants wants;
} verbs[] = {
	{"status", do_status, NOTHING}, {"list", do_list, NOTHING},
	{"dead", do_dead, NOTHING},     {"retry", do_retry, ROWS},
	{"drop", do_drop, ROWS},        {"import", do_import, A_FILE},
};

/* A whole number other than 0. */
static bool read_number(const char *text, int64_t *out)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	*out = v;
	return errno == 0 && end != text && *end == '\0' && v != 0;
}

static int read_rows(struct order *o, int argc, char **argv)
{
	if (o->all != (argc == 0))
		return options_usage("spool", "give the rows' ids, or --all");
	o->ids = mem_calloc((size_t)argc, sizeof(*o->ids));
	for (; o->n < (size_t)argc; o->n++)
		if (!read_number(argv[o->n], &o->ids[o->n]))
			return options_usage(
				"spool",
				"'%s' is no id of a row; 'mmlag spool dead' and "
				"'mmlag spool list' show them",
				argv[o->n]);
	return 0;
}

static int read_file(struct order *o, int argc, char **argv)
{
	if (argc != 1)
		return options_usage("spool", "import takes one file");
	o->file = argv[0];
	return 0;
}

static int read_rest(const struct verb *v, struct order *o, int argc, char **argv)
{
	if (v->wants == ROWS)
		return read_rows(o, argc, argv);
	if (v->wants == A_FILE)
		return read_file(o, argc, argv);
	if (argc > 0)
		return options_usage("spool", "'%s' is one argument too many", argv[0]);
	return 0;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int cli_spool(int argc, char **argv)
{
	const char *path, *limit = NULL;
	struct order o = {.limit = LIMIT_DEFAULT};
	const struct option_flag flags[] = {{"json", &o.json, NULL},
					    {"all", &o.all, NULL},
					    {"waiting", &o.waiting, NULL},
					    {"limit", NULL, &limit}};
	const struct verb *verb;
	struct config *c;
	int rest, rc = options_parse(argc, argv, usage, &path, flags, ARRAY_LEN(flags),
				     &rest);

	if (rc != OPTIONS_GO_ON)
		return rc;
	verb = find_verb(rest < argc ? argv[rest] : NULL);
	if (verb == NULL)
		return options_usage("spool", "say one of status, list, dead, retry, "
					      "drop, import");
	if (o.waiting && verb->run != do_drop)
		return options_usage("spool", "--waiting goes with drop");
	if (limit != NULL && (!read_number(limit, &o.limit) || o.limit < 0))
		return options_usage("spool", "--limit takes a number of rows");
	rc = read_rest(verb, &o, argc - rest - 1, argv + rest + 1);
	c = rc == 0 ? options_load(path, false) : NULL;
	if (rc == 0 && c == NULL)
		rc = EXIT_CONFIG;
	o.config = c;
	if (rc == 0)
		rc = verb->run(&o);
	free(o.ids);
	config_unref(c);
	return rc;
}
