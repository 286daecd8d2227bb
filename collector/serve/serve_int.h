/* SPDX-License-Identifier: MIT
 * serve: what the parts of the listener share. All of it belongs to the listener's
 * thread, but for the inbox of the store's answers.
 *
 *   door (sockets, connections, MHD) → request (headers, rights) → route → an answer
 *   (api, burrow, exporter, figures, page) → content → door */
#ifndef MMLAG_SERVE_SERVE_INT_H
#define MMLAG_SERVE_SERVE_INT_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <microhttpd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "serve/content_int.h"
#include "serve/guard_int.h"
#include "serve/page.h"
#include "serve/server.h"
#include "serve/target_int.h"

#define SERVE_BODY_MAX (64 << 10) /* of a POST */

#define TYPE_JSON "application/json"
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

/* What a request gets. Either `content` or `file`. */
struct reply {
	unsigned status;
	const char *type;        /* static */
	const char *allow;       /* of a 405; static */
	bool ask_for_token;      /* a 401 */
	struct content *content; /* the reply's own reference */
	const struct page_file *file;
};

struct door;

struct request {
	struct door *door;
	struct MHD_Connection *connection;
	char *uri;
	struct target target;
	bool bad_target;
	bool begun; /* its headers have been looked at */
	bool post;
	struct buf body;
	struct reply reply;
	bool waiting; /* suspended: the store looks something up */
};

struct cached {
	char *uri;
	uint64_t version;
	struct content *content;
	unsigned status;
	const char *type;
};

#define SERVE_CACHED 16

struct serve_stamp {
	uint64_t v[3]; /* of the files of TLS */
};

struct serve_trouble {
	char text[sizeof(((struct err *)0)->text)]; /* "": none */
};

struct serve {
	struct serve_parts parts;
	struct wake wake;
	struct guard guard;
	struct door *tcp, *local;
	struct door *leaving; /* another has its place; runs until it is empty */
	char *local_path;
	int epoll; /* holds the doors' own */
	atomic_bool ready;
	struct mono look; /* when to look at ports and files again */
	struct serve_stamp stamp;
	struct serve_trouble tcp_trouble, local_trouble, tls_trouble, token_trouble;
	char host[HOST_NAME_MAX + 1]; /* ours */
	bool several_clusters;
	struct serve_asked *open;   /* questions to the store */
	pthread_mutex_t inbox_lock; /* guards `inbox`, which the store's thread fills */
	struct serve_asked *inbox;
	struct cached cached[SERVE_CACHED];
	size_t next_cached;
};

/* Everything that an answer is made of. */
struct scene {
	const struct serve *serve;
	const struct board_views *views;
	const struct target *target;
};

/* ---- route.c ---- */

/* Answer a request whose rights have been looked at but for what the route asks. Sets
 * r->waiting instead of a reply when the answer comes later.
 * @thread http */
void route_answer(struct serve *s, struct request *r);

/* Does this path lead to anything, and may it be read without a token?  @thread any */
bool route_is_open(const struct target *t);

/* Does this path take POST, and nothing else?  @thread any */
bool route_changes(const struct target *t);

/* ---- reply.c ---- */

/* Take the bytes of `body` as the answer.  @thread http */
void reply_set(struct reply *r, unsigned status, const char *type, struct buf *body);
/* {"error": …}  @thread http */
void reply_error(struct reply *r, unsigned status, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void reply_fini(struct reply *r);

/* ---- the answers; each appends to `out`, which holds nothing else ---- */

/* kafka_exporter's families.  @thread any */
void exporter_write(const struct board_views *views, bool several_clusters,
		    struct buf *out);
/* mmlag_* of topics and partitions.  @thread any */
void figures_write(const struct board_views *views, bool several_clusters,
		   struct wall started, struct wall now, struct buf *out);
/* The kept share of objectives, from what the alarm tells of them (BOARD_OBJECTIVES).
 * @thread any */
void figures_objectives(const char *json, size_t len, bool several_clusters,
			struct buf *out);
/* The table of docs/metrics.md.  @thread any */
void figures_reference(struct buf *out);

/* Burrow's API below /v3; sets the type and returns the status.  @thread any */
unsigned burrow_answer(const struct scene *scene, struct buf *out, const char **type);
void burrow_loglevel(const struct serve *s, const struct target *t, struct buf *out);

/* @thread any */
unsigned topics_answer(const struct scene *scene, struct buf *out, const char **type);

/* The topic that a query asks for, NULL when it is not there.  @thread any */
const struct view *topic_find(const struct board_views *views, const struct target *t);

/* One topic with its partitions; `history` is finished JSON, "null" before there is
 * any.  @thread any */
void topic_write(const struct view *v, const char *history, size_t history_len,
		 struct buf *out);

/* ---- api.c: JSON of what is no topic ---- */

/* @thread http */
void api_alerts(struct serve *s, struct request *r);
void api_status(struct serve *s, struct request *r);
void api_documents(struct serve *s, struct request *r);
void api_topic(struct serve *s, struct request *r);
void api_spool(struct serve *s, struct request *r);

/* ---- ask.c: questions to the store ---- */

/* Fill in the reply of a request out of the answered question, which stays the
 * caller's.  @thread http */
typedef void serve_finish(struct serve *s, struct request *r,
			  const struct store_question *q);

/* A question to be filled in, and then asked or let go.  @thread http */
struct store_question *ask_new(struct serve *s, enum store_question_kind kind);
void ask_cancel_new(struct store_question *q);

/* The request waits from now on.  @thread http */
void ask_store(struct serve *s, struct request *r, struct store_question *q,
	       serve_finish *finish);

/* Finish the requests whose answers are there.  @thread http */
void ask_finish(struct serve *s);

/* The end: no request waits afterwards.  @thread http */
void ask_give_up(struct serve *s);

/* A serve_finish: the store's answer as it is.  @thread http */
void api_finish_rows(struct serve *s, struct request *r,
		     const struct store_question *q);

/* ---- change.c: what POST does ---- */

/* Each fills in the reply.  @thread http */
void change_loglevel(struct serve *s, struct request *r);
void change_silences(struct serve *s, struct request *r);
void change_spool_retry(struct serve *s, struct request *r);
void change_spool_drop(struct serve *s, struct request *r);
void change_spool_import(struct serve *s, struct request *r);

#endif
