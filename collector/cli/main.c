/* SPDX-License-Identifier: MIT
 * main: finds the command and calls it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"

#include "banned.h"

static const struct {
	const char *name;
	int (*call)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", cli_run, "collect and ship until SIGTERM"},
	{"check", cli_check, "look at the configuration, the hosts and Elasticsearch"},
	{"once", cli_once, "one sample of every topic, as documents on stdout"},
	{"init", cli_init, "look around on a host, print a configuration"},
	{"spool", cli_spool, "what waits and what was refused: list, send again, drop"},
	{"decode", cli_decode,
	 "output of kafka-consumer-groups.sh on stdin → documents"},
	{"notify", cli_notify, "a test alert to the receivers, with their answers"},
	{"judge", cli_judge, "offset windows on stdin → verdicts"},
	{"export", cli_export, "dashboards, alert rules, index templates, schema"},
	{"import", cli_import, "put the dashboards into Kibana or OpenSearch"},
	{"tail", cli_tail, "the newest documents of the running daemon, as they come"},
	{"top", cli_top, "a live table of its topics in the terminal"},
	{"brokers", cli_brokers, "message rates of brokers, from Prometheus"},
	{"report", cli_report, "a bundle for a support case, without secrets"},
	{"watch", cli_watch, "a group's lag from a metrics page, a line an interval"},
};

static int help(FILE *to)
{
	fprintf(to,
		"Usage: mmlag COMMAND [-c FILE] [options]\n"
		"Follows the lag of MirrorMaker's consumer groups over SSH and ships it "
		"to Elasticsearch.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(to,
		"\n'mmlag COMMAND --help' tells a command's options. The configuration\n"
		"is " OPTIONS_DEFAULT_FILE
		" unless -c names another. 'mmlag --version',\n"
		"'mmlag --licenses': what this is, and under which terms.\n"
		"Exit codes: 64 usage, 78 configuration.\n");
	return to == stdout ? 0 : EXIT_USAGE;
}

/* What is opened first would take the number of a standard stream that was closed, and
 * get the lines that are meant for that. The wrong direction lets them fail as before.
 */
static void fill_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

/* What could not be printed is no success. */
static int finish(int rc)
{
	if (rc != 0 || (fflush(stdout) == 0 && ferror(stdout) == 0))
		return rc;
	fprintf(stderr, "mmlag: cannot write all of it to standard output: is the disk "
			"full?\n");
	return 1;
}

int main(int argc, char **argv)
{
	fill_streams();
	if (argc < 2)
		return help(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return help(stdout);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		printf("mmlag %s\n", MMLAG_VERSION);
		return finish(0);
	}
	if (strcmp(argv[1], "--licenses") == 0) {
		fputs(cli_licenses, stdout);
		return finish(0);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return finish(commands[i].call(argc - 1, argv + 1));
	fprintf(stderr, "mmlag: '%s' is no command\n\n", argv[1]);
	return help(stderr);
}
