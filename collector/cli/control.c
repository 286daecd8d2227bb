/* SPDX-License-Identifier: MIT
 * control: see control.h. */
#include "cli/control.h"

#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "base/mem.h"
#include "http/http.h"

#include "banned.h"

#define TIMEOUT_MS 600000 /* a large import */
#define ANSWER_MAX (32u << 20)

/* What the daemon says of a request that it refuses. */
static int refusal(const struct http_answer *a, struct err *err)
{
	json_t *tree = json_loadb(buf_str(&a->body), a->body.len, 0, NULL);
	const char *words = json_string_value(json_object_get(tree, "error"));
	int result = err_set(err, ERR_REJECT, "the daemon says: %s (%d)",
			     words == NULL ? "no words" : words, a->status);

	json_decref(tree);
	return result;
}

static int exchange(const struct http_options *o, const struct http_request *r,
		    struct buf *answer, struct err *err)
{
	struct http_answer a = {.status = 0};
	struct http *h = NULL;
	int result = http_open(&h, o, NULL, err);

	if (result != 0)
		return result;
	result = http_exchange(h, r, &a, err);
	if (result != 0 && err->code == HTTP_NOT_SENT)
		result = ERR_AGAIN;
	else if (result == 0 && (a.status < 200 || a.status > 299))
		result = refusal(&a, err);
	else if (result == 0 && buf_add(answer, buf_str(&a.body), a.body.len) != 0)
		result = err_set(err, ERR_RETRY, "the answer is too large");
	http_answer_fini(&a);
	http_close(h);
	return result;
}

int control_ask(const char *state_dir, const char *path, const char *body,
		struct buf *answer, struct err *err)
{
	char *socket = mem_printf("%s/control.sock", state_dir);
	char *url = mem_printf("http://localhost%s", path);
	struct http_options o = {.unix_socket = socket, .timeout_ms = TIMEOUT_MS};
	struct http_request r = {.method = body == NULL ? "GET" : "POST",
				 .url = url,
				 .content_type =
					 body == NULL ? NULL : "application/json",
				 .body = body,
				 .body_len = body == NULL ? 0 : strlen(body),
				 .answer_max = ANSWER_MAX};
	int result = http_global_init(err);

	if (result == 0) {
		result = exchange(&o, &r, answer, err);
		http_global_fini();
	}
	free(socket);
	free(url);
	return result;
}
