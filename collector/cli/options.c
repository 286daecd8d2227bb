/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "http/http.h"

#include "banned.h"

int options_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mmlag %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 'mmlag %s --help'.\n", command);
	return EXIT_USAGE;
}

/* Long options are numbered from here, behind all characters. */
#define FIRST_FLAG 256

static int wrong(const char *command, int o, char **argv)
{
	if (o == ':')
		return options_usage(command, "'%s' needs a value", argv[optind - 1]);
	if (optopt != 0 && optopt < FIRST_FLAG)
		return options_usage(command, "unknown option '-%c'", optopt);
	return options_usage(command, "unknown option '%s'", argv[optind - 1]);
}

static int put(void *arg, size_t which, const char *value)
{
	const struct option_flag *flag = (const struct option_flag *)arg + which;

	if (flag->value != NULL)
		*flag->value = value;
	else
		*flag->set = true;
	return 0;
}

int options_parse(int argc, char **argv, const char *usage, const char **path,
		  const struct option_flag *flags, size_t n, int *rest)
{
	return options_each(argc, argv, usage, path, flags, n, put,
			    (void *)(uintptr_t)flags, rest);
}

/* Of one option. Returns OPTIONS_GO_ON, or an exit code. */
static int take_one(int o, const char *usage, const char **path, options_take *take,
		    void *arg)
{
	int rc = 0;

	if (o == 'h')
		fputs(usage, stdout);
	else if (o == 'V')
		printf("mmlag %s\n", MMLAG_VERSION);
	else if (o == 'c')
		*path = optarg;
	else
		rc = take(arg, (size_t)o - FIRST_FLAG, optarg);
	return rc != 0 ? rc : o == 'h' || o == 'V' ? 0 : OPTIONS_GO_ON;
}

int options_each(int argc, char **argv, const char *usage, const char **path,
		 const struct option_flag *flags, size_t n, options_take *take,
		 void *arg, int *rest)
{
	struct option longs[OPTION_FLAGS_MAX + 4] = {{"config", required_argument, NULL,
						      'c'},
						     {"help", no_argument, NULL, 'h'},
						     {"version", no_argument, NULL,
						      'V'}};
	int o, rc;

	for (size_t i = 0; i < n && i < OPTION_FLAGS_MAX; i++)
		longs[3 + i] =
			(struct option){flags[i].name,
					flags[i].value != NULL ? required_argument
							       : no_argument,
					NULL, FIRST_FLAG + (int)i};
	*path = OPTIONS_DEFAULT_FILE;
	opterr = 0;
	while ((o = getopt_long(argc, argv, ":c:h", longs, NULL)) != -1) {
		if (o == ':' || o == '?')
			return wrong(argv[0], o, argv);
		rc = take_one(o, usage, path, take, arg);
		if (rc != OPTIONS_GO_ON)
			return rc;
	}
	if (rest != NULL)
		*rest = optind;
	else if (optind < argc)
		return options_usage(argv[0], "'%s' is one argument too many",
				     argv[optind]);
	return OPTIONS_GO_ON;
}

int options_http(const char *command, const struct http_options *o)
{
	int ways = (o->username != NULL || o->password_file != NULL) +
		   (o->api_key_file != NULL) + (o->token_file != NULL);

	if (ways > 1)
		return options_usage(command, "give one of --user, --token-file and "
					      "--api-key-file");
	if ((o->username == NULL) != (o->password_file == NULL))
		return options_usage(command, "--user and --password-file go together");
	return OPTIONS_GO_ON;
}

int options_url(const char *command, const char *option, const char *text)
{
	const char *host = strstr(text, "://");

	if (host == NULL)
		return options_usage(command, "%s '%s' is no URL; write http://%s",
				     option, text, *text != '\0' ? text : "host:port");
	if ((strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0) ||
	    host[3] == '\0' || host[3] == '/' || host[3] == ':')
		return options_usage(
			command, "%s '%s' is no URL of http:// or https:// with a host",
			option, text);
	return OPTIONS_GO_ON;
}

bool options_colour(FILE *stream)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(stream)) == 1 && (no == NULL || *no == '\0');
}

void options_progress(const char *fmt, ...)
{
	va_list ap;

	if (isatty(STDERR_FILENO) != 1)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Returns the number of errors. */
static size_t tell(const char *path, const struct config_findings *f,
		   bool show_warnings)
{
	size_t errors = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct config_finding *v = &f->v[i];

		errors += !v->warning;
		if (v->warning && !show_warnings)
			continue;
		if (v->line > 0)
			fprintf(stderr, "%s:%d:%d: %s: %s\n", path, v->line, v->column,
				v->warning ? "warning" : "error", v->text);
		else
			fprintf(stderr, "%s: %s: %s\n", path,
				v->warning ? "warning" : "error", v->text);
	}
	return errors;
}

static struct config *load(const char *path, bool show_warnings, bool look_at_files)
{
	struct config_findings findings = {NULL, 0};
	struct config *c = NULL;
	struct err err = ERR_INIT;
	size_t errors;
	int rc = config_load(path, &c, &findings, &err);

	if (rc == 0 && look_at_files)
		config_check_files(c, &findings);
	errors = tell(path, &findings, show_warnings);
	if (rc != 0 && errors == 0)
		fprintf(stderr, "mmlag: %s\n", err.text);
	config_findings_free(&findings);
	if (rc != 0 || errors > 0) {
		config_unref(c);
		return NULL;
	}
	return c;
}

struct config *options_load(const char *path, bool show_warnings)
{
	return load(path, show_warnings, true);
}

struct config *options_read(const char *path)
{
	return load(path, false, false);
}
