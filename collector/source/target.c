/* SPDX-License-Identifier: MIT
 * target: see target.h. */
#include "source/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ssh/remote.h"

#include "banned.h"

#define PLACE "{topic}"
#define LONGEST_MS 15000
#define NAMES_MAX \
	65536 /* bytes on a command line; with more all topics are asked for */

/* The tool's words come behind its offsets, or one could stand inside a line. The
 * archive of classes is the other tool's. */
static const char functions[] =
	"ends() {\n"
	"local b=$TH/bin n r= c=0\n"
	"[ -z \"$A\" ] || export KAFKA_JVM_PERFORMANCE_OPTS=\"$P\"\n"
	"if [ -e \"$b/kafka-get-offsets.sh\" ]; then\n"
	"for n in \"${TN[@]}\"; do r=$r${r:+|}${n//./\\\\.}; done\n"
	"exec $NICE \"$b/kafka-get-offsets.sh\" --bootstrap-server \"$TB\" "
	"${r:+--topic \"$r\"} ${TC:+--command-config \"$TC\"}\n"
	"fi\n"
	"if [ -n \"$TC\" ]; then echo 'Error: command_config of a target needs "
	"kafka-get-offsets.sh, of Kafka 3.0 or newer' >&2; return 1; fi\n"
	"if [ ${#TN[@]} = 0 ]; then echo 'Error: a target of topics that are matched "
	"needs kafka-get-offsets.sh, of Kafka 3.0 or newer' >&2; return 1; fi\n"
	"for n in \"${TN[@]}\"; do\n"
	"$NICE \"$b/kafka-run-class.sh\" kafka.tools.GetOffsetShell --broker-list "
	"\"$TB\" --topic \"$n\" --time -1 || c=$?\n"
	"done\n"
	"return $c\n"
	"}\n"
	"aim() {\n"
	"local w c\n"
	"exec 7>&1\n"
	"w=$(ends 2>&1 >&7 7>&-); c=$?\n"
	"[ ${#w} -le 2000 ] || w=${w: -2000}\n"
	"printf '\\n%s\\n' \"$w\"\n"
	"return $c\n"
	"}\n";

char *target_name(const struct config_target *t, const char *name)
{
	const char *form = t->topic != NULL ? t->topic : PLACE;
	const char *place = strstr(form, PLACE);

	if (place == NULL)
		return mem_strdup(form);
	return mem_printf("%.*s%s%s", (int)(place - form), form, name,
			  place + strlen(PLACE));
}

void target_add(struct target_topics *list, const struct config_target *t,
		const char *name)
{
	char *there = target_name(t, name);

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], there) == 0) {
			free(there);
			return;
		}
	MEM_GROW(list->v, list->n, list->cap);
	list->v[list->n++] = there;
}

void target_topics_fini(struct target_topics *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct target_topics){NULL, 0, 0};
}

int64_t target_timeout_ms(const struct config_topic *t)
{
	int64_t half = t->timeout_ms / 2;

	return half < LONGEST_MS ? half : LONGEST_MS;
}

static size_t length_of(const struct target_topics *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += strlen(list->v[i]) + 1;
	return n;
}

void target_script(struct buf *out, const struct config_target *t,
		   const struct target_topics *list)
{
	remote_assign(out, "TH", t->kafka_home);
	remote_assign(out, "TB", t->bootstrap_server);
	remote_assign(out, "TC", t->command_config);
	buf_addstr(out, "TN=(");
	for (size_t i = 0; length_of(list) <= NAMES_MAX && i < list->n; i++) {
		buf_addch(out, ' ');
		remote_quote(out, list->v[i]);
	}
	buf_addstr(out, ")\n");
	buf_addstr(out, functions);
}
