/* SPDX-License-Identifier: MIT
 * reload: see reload.h. */
#include "run/reload.h"

#include <jansson.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"
#include "config/printed.h"

#include "banned.h"

#define ABOUT "config"

bool reload_same(const struct config *a, const struct config *b, const char *section)
{
	json_t *x = printed(a, section), *y = printed(b, section);
	bool same = x == y || json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

/* Returns how many of them are errors. */
static size_t tell(const char *path, const struct config_findings *f)
{
	size_t errors = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct config_finding *v = &f->v[i];

		errors += !v->warning;
		log_line(v->warning ? LOG_WARN : LOG_ERROR, ABOUT, "%s:%d:%d: %s", path,
			 v->line, v->column, v->text);
	}
	return errors;
}

/* The store is opened once. */
static void tell_what_waits(const struct config *old, const struct config *new)
{
	static const char *const sections[] = {"spool", "history", "dead_letters"};

	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (!reload_same(old, new, sections[i]))
			log_warn(ABOUT, "%s: what has changed there needs a restart",
				 sections[i]);
}

int reload_read(struct config **out, const struct config *old, struct err *err)
{
	struct config_findings findings = {NULL, 0};
	struct config *new = NULL;
	size_t errors;
	int rc = config_load(old->path, &new, &findings, err);

	if (rc == 0)
		config_check_files(new, &findings);
	errors = tell(old->path, &findings);
	config_findings_free(&findings);
	if (rc == 0 && errors > 0)
		rc = err_set(err, ERR_PERMANENT, "%s has %zu error%s", old->path,
			     errors, errors == 1 ? "" : "s");
	if (rc == 0 && strcmp(old->state_dir, new->state_dir) != 0)
		rc = err_set(err, ERR_PERMANENT,
			     "state_dir cannot move from %s to %s while the program "
			     "runs; restart it",
			     old->state_dir, new->state_dir);
	if (rc != 0) {
		config_unref(new);
		return ERR_PERMANENT;
	}
	tell_what_waits(old, new);
	*out = new;
	return 0;
}
