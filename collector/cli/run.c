/* SPDX-License-Identifier: MIT
 * run: the daemon's command line. */
#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "run/daemon.h"

#include "banned.h"

static const char usage[] =
	"Usage: mmlag run [-c FILE]\n"
	"Collects and ships until SIGTERM or SIGINT; then sends what it can for at most\n"
	"10 seconds and leaves the rest in the spool. Logs go to stderr.\n\n"
	"  -c, --config FILE  default " OPTIONS_DEFAULT_FILE "\n"
	"Exit: 0 stopped, 75 the state directory is in use, 78 configuration, 1 other.\n";

int cli_run(int argc, char **argv)
{
	const char *path;
	struct err err = ERR_INIT;
	struct config *c;
	sigset_t held;
	int rc = options_parse(argc, argv, usage, &path, NULL, 0, NULL);

	if (rc != OPTIONS_GO_ON)
		return rc;
	daemon_hold_signals(&held);
	c = options_load(path, true);
	if (c == NULL)
		return EXIT_CONFIG;
	log_open(c->log_level, c->log_format, options_colour(stderr));
	rc = daemon_run(c, &err);
	if (rc != 0)
		log_error("mmlag", "%s", err.text);
	config_unref(c);
	if (rc != 0 && err.code == DAEMON_LOCKED)
		return EXIT_LOCKED;
	if (rc != 0 && err.code == DAEMON_CONFIG)
		return EXIT_CONFIG;
	return rc == 0 ? 0 : 1;
}
