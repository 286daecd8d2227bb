/* SPDX-License-Identifier: MIT
 * The remote loop, run by the bash of this machine with a stand-in for the CLI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lag/frame.h"
#include "source/script.h"

#define NONCE "00c0ffee00c0ffee"

/* Writes an executable script; the caller unlinks and frees. */
static char *executable(const char *body)
{
	char *path = mem_strdup("/tmp/mmlag-cli-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, body, strlen(body)), strlen(body));
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	return path;
}

static const struct target_topics *aimed; /* by the next script; NULL: no target */

/* Run the loop to its end and give back what it wrote to stdout. */
static struct buf output_of(const struct config_topic *t, int runs)
{
	struct buf script = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	int fds[2], status;
	pid_t pid;
	char chunk[4096];
	ssize_t n;

	script_loop(&script, t, NONCE, 0, runs, aimed);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execlp("bash", "bash", "-c", buf_str(&script), (char *)NULL);
		_exit(99);
	}
	close(fds[1]);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0)
		buf_add(&out, chunk, (size_t)n);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	buf_free(&script);
	return out;
}

/* The configuration owns its strings; these are literals that nobody frees. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct config_topic topic(char *cli)
{
	return (struct config_topic){.cli = cli,
				     .bootstrap_server = text("b:9092"),
				     .group = text("g"),
				     .interval_ms = 100,
				     .timeout_ms = 20000};
}

static void each_run_is_framed_with_its_exit_code(void **state)
{
	char *cli = executable("#!/bin/bash\necho \"$*\"\nprintf last\nexit 3\n");
	struct config_topic t = topic(cli);
	struct buf out = output_of(&t, 3);
	struct frame *f = frame_new(NONCE, 1 << 16);
	const char *p = out.data;
	size_t left = out.len, runs = 0;
	struct frame_run run;
	enum frame_event e;
	int64_t before = 0;

	(void)state;
	while ((e = frame_next(f, &p, &left, &run)) != FRAME_MORE) {
		assert_int_not_equal(e, FRAME_BROKEN);
		if (e != FRAME_RUN)
			continue;
		runs++;
		assert_int_equal(run.number, runs);
		assert_int_equal(run.exit_code, 3);
		assert_true(run.end_ms >= run.begin_ms);
		if (before != 0)
			assert_true(run.begin_ms - before >= 95);
		before = run.begin_ms;
		assert_int_equal(run.out_len,
				 strlen("--bootstrap-server b:9092 --group g "
					"--describe\nlast"));
	}
	assert_int_equal(runs, 3);
	assert_in_range(frame_cores(f), 1, sysconf(_SC_NPROCESSORS_CONF));
	frame_free(f);
	buf_free(&out);
	unlink(cli);
	free(cli);
}

static void odd_values_reach_the_cli_unchanged(void **state)
{
	char *cli = executable(
		"#!/bin/bash\nprintf '<%s>' \"$@\" \"$SPECIAL\" \"$KAFKA_OPTS\"\n");
	struct config_pair env[] = {{text("SPECIAL"),
				     text("a'b\"c $HOME `id` \\ ! \n x")},
				    {text("KAFKA_OPTS"),
				     text("-Djava.security.auth.login.config=/j")}};
	struct config_topic t = topic(cli);
	struct buf out;

	(void)state;
	t.group = text("große 'Gruppe' \"1\" $(id)");
	t.command_config = text("/path with blank/mm.properties");
	t.env = env;
	t.env_count = 2;
	out = output_of(&t, 1);
	assert_non_null(strstr(buf_str(&out), "<--group><große 'Gruppe' \"1\" $(id)>"));
	assert_non_null(strstr(buf_str(&out),
			       "<--command-config></path with blank/mm.properties>"));
	assert_non_null(strstr(buf_str(&out), "<a'b\"c $HOME `id` \\ ! \n x>"));
	assert_non_null(
		strstr(buf_str(&out), "<-Djava.security.auth.login.config=/j>"));
	buf_free(&out);
	unlink(cli);
	free(cli);
}

static void the_jvm_is_small_unless_the_user_says_otherwise(void **state)
{
	char *cli = executable("#!/bin/bash\necho \"[$KAFKA_HEAP_OPTS][$KAFKA_JMX_OPTS]"
			       "[$JMX_PORT][$KAFKA_JVM_PERFORMANCE_OPTS]\"\n"
			       "echo \"nice $(nice)\"\n");
	struct config_pair env[] = {{text("KAFKA_HEAP_OPTS"), text("-Xmx1g")},
				    {text("KAFKA_JVM_PERFORMANCE_OPTS"),
				     text("-client")},
				    {text("KAFKA_JMX_OPTS"), text("-Djmx")}};
	struct config_topic t = topic(cli);
	struct buf out;
	int ours = getpriority(PRIO_PROCESS, 0);
	char nice[30];

	(void)state;
	setenv("KAFKA_HEAP_OPTS", "-Xmx6g", 1);
	setenv("JMX_PORT", "9999", 1);
	out = output_of(&t, 1);
	assert_non_null(strstr(buf_str(&out), "[-Xms32m -Xmx128m][ ][]["
					      "-XX:TieredStopAtLevel=1 "
					      "-XX:+UseSerialGC -Xshare:auto "));
	snprintf(nice, sizeof(nice), "\nnice %d\n", ours + 10 < 19 ? ours + 10 : 19);
	assert_non_null(strstr(buf_str(&out), nice));
	buf_free(&out);
	t.env = env;
	t.env_count = 1;
	out = output_of(&t, 1);
	assert_non_null(strstr(buf_str(&out), "[-Xmx1g][ ][][-XX:Tiered"));
	buf_free(&out);
	t.env_count = 3;
	out = output_of(&t, 1);
	assert_non_null(strstr(buf_str(&out), "[-Xmx1g][-Djmx][][-client]"));
	buf_free(&out);
	unsetenv("KAFKA_HEAP_OPTS");
	unsetenv("JMX_PORT");
	unlink(cli);
	free(cli);
}

/* KAFKA_OPTS is where the JAAS file stands, on the host or in `env`. */
static void the_options_of_the_login_to_the_brokers_are_left_alone(void **state)
{
	static const char jaas[] = "-Djava.security.auth.login.config=/etc/kafka/jaas";
	char *cli = executable("#!/bin/bash\necho \"[$KAFKA_OPTS]\"\n");
	struct config_pair env = {text("KAFKA_OPTS"),
				  text("-Djava.security.krb5.conf=/k")};
	struct config_topic t = topic(cli);
	struct buf out;

	(void)state;
	setenv("KAFKA_OPTS", jaas, 1);
	for (int archive = 0; archive < 2; archive++) {
		t.cds_archive = archive == 1 ? text("/tmp/mmlag-never.jsa") : NULL;
		t.env = &env;
		t.env_count = 0;
		out = output_of(&t, 1);
		assert_non_null(strstr(buf_str(&out), "login.config=/etc/kafka/jaas]"));
		buf_free(&out);
		t.env_count = 1;
		out = output_of(&t, 1);
		assert_non_null(
			strstr(buf_str(&out), "\n[-Djava.security.krb5.conf=/k]"));
		buf_free(&out);
	}
	unsetenv("KAFKA_OPTS");
	unlink(cli);
	free(cli);
}

static void a_run_over_its_time_is_ended_with_all_its_children(void **state)
{
	char *cli = executable("#!/bin/bash\ntail -f /dev/null & echo began; wait\n");
	struct config_topic t = topic(cli);
	struct buf out;

	(void)state;
	t.timeout_ms = 300;
	out = output_of(&t,
			1); /* its end of file proves that no child holds the pipe */
	assert_non_null(strstr(buf_str(&out), "began"));
	assert_non_null(strstr(buf_str(&out), "@mmlag " NONCE " X 1 124\n"));
	buf_free(&out);
	unlink(cli);
	free(cli);
}

/* A host with a stand-in for java of this version and a CLI that shows what it is told,
 * and makes an archive when told to. The directory is in `dir`. */
static char *host_with_java(const char *version, char *dir)
{
	char *script = mem_printf(
		"cd %s && mkdir bin libs && touch -d 2000-01-01 libs && "
		"printf '#!/bin/sh\\necho \\047openjdk version \"%s\" 2023\\047 >&2\\n' "
		">bin/java && cat >bin/cli <<'E'\n"
		"#!/bin/bash\n"
		"echo \"opts: $KAFKA_JVM_PERFORMANCE_OPTS\"\n"
		"for o in $KAFKA_JVM_PERFORMANCE_OPTS; do\n"
		"case $o in -XX:ArchiveClassesAtExit=*) echo made >${o#*=};; esac\n"
		"done\n"
		"E\n"
		"chmod +x bin/*",
		dir, version);

	assert_int_equal(system(script), 0);
	free(script);
	return mem_printf("%s/bin/cli", dir);
}

static void expect_options(const char *version, const char *archive_dir,
			   const char *const words[3])
{
	char dir[] = "/tmp/mmlag-java-XXXXXX", *cli, *archive, *remove;
	struct config_pair env[] = {{text("JAVA_HOME"), dir},
				    {text("KAFKA_JVM_PERFORMANCE_OPTS"), text("-X")}};
	struct config_topic t;
	struct buf out;
	const char *p;

	assert_non_null(mkdtemp(dir));
	cli = host_with_java(version, dir);
	archive = mem_printf("%s/cli.jsa", archive_dir != NULL ? archive_dir : dir);
	t = topic(cli);
	t.kafka_home = dir;
	t.cds_archive = archive;
	t.env = env;
	t.env_count = 2;
	t.interval_ms = 1;
	out = output_of(&t, 3);
	p = buf_str(&out);
	for (size_t i = 0; i < 3; i++) {
		size_t n;

		p = strstr(p, "opts: ");
		assert_non_null(p);
		p += strlen("opts: ");
		n = strcspn(p, "\n");
		if (strncmp(p, words[i], strlen(words[i])) != 0 ||
		    (*words[i] == '\0' && n > 0) ||
		    (strcmp(words[i], "-X") == 0 && n != 2))
			fail_msg("Java %s, run %zu: %.*s", version, i + 1, (int)n, p);
	}
	remove = mem_printf("rm -r %s", dir);
	assert_int_equal(system(remove), 0);
	free(remove);
	buf_free(&out);
	free(archive);
	free(cli);
}

static void an_archive_is_made_once_and_used_where_java_can(void **state)
{
	static const char made[] = "-X -XX:ArchiveClassesAtExit=/tmp/mmlag-java-";
	static const char used[] = "-X -XX:SharedArchiveFile=/tmp/mmlag-java-";
	static const char by_itself[] = "-X -XX:+AutoCreateSharedArchive "
					"-XX:SharedArchiveFile=/tmp/mmlag-java-";

	(void)state;
	expect_options("17.0.9", NULL, (const char *const[]){made, used, used});
	expect_options("21", NULL,
		       (const char *const[]){by_itself, by_itself, by_itself});
	expect_options("11.0.2", NULL, (const char *const[]){"-X", "-X", "-X"});
	expect_options("1.8.0_392", NULL, (const char *const[]){"-X", "-X", "-X"});
	expect_options("what", NULL, (const char *const[]){"-X", "-X", "-X"});
	expect_options("17.0.9", "/no/such/place",
		       (const char *const[]){"-X", "-X", "-X"});
}

static void a_missing_cli_ends_with_127(void **state)
{
	struct config_topic t = topic(text("/no/such/cli"));
	struct buf out = output_of(&t, 1);

	(void)state;
	assert_non_null(strstr(buf_str(&out), "@mmlag " NONCE " X 1 127\n"));
	buf_free(&out);
}

static void the_users_own_command_runs_in_the_frame(void **state)
{
	struct config_topic t = topic(NULL);
	struct buf out;

	(void)state;
	t.command = text("for i in 1 2; do\n  echo \"it's $i!\"\ndone");
	out = output_of(&t, 2);
	assert_non_null(
		strstr(buf_str(&out), "it's 1!\nit's 2!\n\n@mmlag " NONCE " X 2 0\n"));
	buf_free(&out);
}

static void put_tool(const char *home, const char *name, const char *body)
{
	char *path = mem_printf("%s/bin/%s", home, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, body, strlen(body)), strlen(body));
	close(fd);
	free(path);
}

static void remove_tools(char *home)
{
	static const char *const names[] = {"/bin/kafka-get-offsets.sh",
					    "/bin/kafka-run-class.sh"};
	char *path;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		path = mem_printf("%s%s", home, names[i]);
		unlink(path);
		free(path);
	}
	path = mem_printf("%s/bin", home);
	rmdir(path);
	rmdir(home);
	free(path);
}

static void the_target_is_asked_by_the_tool_that_it_has(void **state)
{
	char home[] = "/tmp/mmlag-home-XXXXXX";
	char *cli = executable("#!/bin/bash\necho row\n"), *bin;
	struct config_topic t = topic(cli);
	struct target_topics names = {NULL, 0, 0};
	struct buf out;

	(void)state;
	assert_non_null(mkdtemp(home));
	bin = mem_printf("%s/bin", home);
	assert_int_equal(mkdir(bin, 0755), 0);
	t.target = (struct config_target){.set = true,
					  .kafka_home = home,
					  .bootstrap_server = text("t:9"),
					  .topic = text("dc1.{topic}")};
	target_add(&names, &t.target, "a.b");
	target_add(&names, &t.target, "c");
	target_add(&names, &t.target, "c");
	aimed = &names;
	put_tool(home, "kafka-run-class.sh", "#!/bin/bash\necho \"old $*\"\n");
	out = output_of(&t, 1);
	assert_non_null(strstr(buf_str(&out),
			       "old kafka.tools.GetOffsetShell --broker-list t:9 "
			       "--topic dc1.a.b --time -1\n"
			       "old kafka.tools.GetOffsetShell --broker-list t:9 "
			       "--topic dc1.c --time -1\n"));
	assert_non_null(strstr(buf_str(&out), "\n@mmlag " NONCE " A 1 0\nrow\n"));
	buf_free(&out);
	put_tool(home, "kafka-get-offsets.sh",
		 "#!/bin/bash\necho WARN >&2\necho \"new $*\"\nexit 4\n");
	t.target.command_config = text("/c");
	out = output_of(&t, 2);
	assert_non_null(strstr(buf_str(&out),
			       "new --bootstrap-server t:9 --topic dc1\\.a\\.b|dc1\\.c "
			       "--command-config /c\n\nWARN\n"));
	assert_non_null(strstr(buf_str(&out), " A 1 4\n"));
	/* one that fails is left alone for a while, and the run goes on */
	assert_null(strstr(buf_str(&out), " A 2 "));
	assert_non_null(strstr(buf_str(&out), " X 2 0\n"));
	buf_free(&out);
	aimed = NULL;
	target_topics_fini(&names);
	remove_tools(home);
	free(bin);
	unlink(cli);
	free(cli);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_run_is_framed_with_its_exit_code),
		cmocka_unit_test(odd_values_reach_the_cli_unchanged),
		cmocka_unit_test(the_jvm_is_small_unless_the_user_says_otherwise),
		cmocka_unit_test(
			the_options_of_the_login_to_the_brokers_are_left_alone),
		cmocka_unit_test(a_run_over_its_time_is_ended_with_all_its_children),
		cmocka_unit_test(an_archive_is_made_once_and_used_where_java_can),
		cmocka_unit_test(a_missing_cli_ends_with_127),
		cmocka_unit_test(the_users_own_command_runs_in_the_frame),
		cmocka_unit_test(the_target_is_asked_by_the_tool_that_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
