/* SPDX-License-Identifier: MIT
 * commands: one function for each command of mmlag. Each takes its own argument vector
 * (argv[0] is the command's name), prints results on stdout and messages on stderr, and
 * returns the exit code: 64 usage, 78 configuration, the others as the manual says. */
#ifndef MMLAG_CLI_COMMANDS_H
#define MMLAG_CLI_COMMANDS_H

int cli_run(int argc, char **argv); /* the daemon.  @thread main */
int cli_check(int argc,
	      char **argv); /* everything that can be looked at before.  @thread main */
int cli_once(int argc, char **argv);   /* one sample of every topic.  @thread main */
int cli_init(int argc, char **argv);   /* a host → a configuration.  @thread main */
int cli_spool(int argc, char **argv);  /* what waits, what was refused.  @thread main */
int cli_decode(int argc, char **argv); /* CLI output → documents.  @thread main */
int cli_notify(int argc, char **argv); /* a test to the receivers.  @thread main */
int cli_judge(int argc, char **argv);  /* windows → verdicts.  @thread main */
int cli_export(int argc, char **argv); /* files for other programs.  @thread main */
int cli_import(int argc, char **argv); /* … put there.  @thread main */
int cli_tail(int argc, char **argv);   /* documents as they come.  @thread main */
int cli_top(int argc, char **argv);    /* a live table.  @thread main */
int cli_report(int argc, char **argv); /* a bundle for support.  @thread main */
int cli_watch(int argc, char **argv);  /* a metrics page → a lag.  @thread main */
int cli_brokers(int argc,
		char **argv); /* Prometheus → rates of brokers.  @thread main */

/* Our licence, and those of what is embedded in the program.  @thread any */
extern const char cli_licenses[];

#define EXIT_WARNING 1
#define EXIT_NO_DATA 2
#define EXIT_USAGE 64
#define EXIT_DATA 65
#define EXIT_UNAVAILABLE 69
#define EXIT_LOCKED 75
#define EXIT_CONFIG 78

#endif
