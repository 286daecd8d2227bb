/* SPDX-License-Identifier: MIT */
#include "run/storelog.h"

#include <string.h>

#include "base/log.h"

#include "banned.h"

#define ABOUT "mmlag"

static void tell_aside(const char *name)
{
	log_error(ABOUT, "the spool's file could not be used and was put aside: %s",
		  name);
}

void storelog_changes(struct store_status *seen, struct store *store)
{
	struct store_status now;

	store_status(store, &now);
	if (strcmp(now.set_aside, seen->set_aside) != 0)
		tell_aside(now.set_aside);
	if (*now.trouble != '\0' && *seen->trouble == '\0')
		log_error(ABOUT, "spool: %s", now.trouble);
	if (seen->degraded && !now.degraded)
		log_info(ABOUT, "spool: the file can be written again");
	*seen = now;
}

void storelog_end(const struct store_status *seen, const struct store_end *end,
		  const char *state_dir)
{
	if (strcmp(end->set_aside, seen->set_aside) != 0)
		tell_aside(end->set_aside);
	if (end->aside > 0)
		log_error(ABOUT,
			  "%lld documents lie in files put aside; mmlag spool import "
			  "takes them in again",
			  (long long)end->aside);
	if (end->lost > 0)
		log_error(
			ABOUT,
			"%lld documents could not be written to %s and are lost%s: %s",
			(long long)end->lost, state_dir,
			end->unread
				? ", but for what the next start may find in the file"
				: "",
			end->trouble);
	if (end->stay > 0)
		log_info(ABOUT, "%lld documents stay in the spool",
			 (long long)end->stay);
}
