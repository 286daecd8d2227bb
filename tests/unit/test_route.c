/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/jump.h"
#include "ssh/proxy_int.h"
#include "ssh/route_int.h"

/* The configuration owns its strings; these are literals that nobody frees. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct config_topic alias(void)
{
	return (struct config_topic){.host = text("mm"),
				     .port = 22,
				     .ssh_config = true};
}

static void a_list_of_bastions_is_read_or_refused(void **state)
{
	static const struct {
		const char *text;
		int n;
	} rows[] = {
		{"none", 0},
		{"b1", 1},
		{"me@b1:2222,b2", 2},
		{"[fd00::1]:22,me@[::1]", 2},
		{"", ERR_REJECT},
		{"b1,", ERR_REJECT},
		{"-oProxyCommand=x", ERR_REJECT},
		{"me@-x", ERR_REJECT},
		{"fd00::1", ERR_REJECT},
		{"b1:0", ERR_REJECT},
		{"b1:70000", ERR_REJECT},
		{"b1:", ERR_REJECT},
		{"@b1", ERR_REJECT},
		{"[::1", ERR_REJECT},
		{"[::1]x", ERR_REJECT},
		{"b 1", ERR_REJECT},
		{"$(id)", ERR_REJECT},
		{"a,b,c,d,e,f,g,h,i", ERR_REJECT},
	};
	struct jump_hop hops[JUMP_HOPS_MAX];
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (jump_read(rows[i].text, hops, &err) != rows[i].n)
			fail_msg("%s", rows[i].text);
	assert_int_equal(jump_read("me@b1:2222,b2", hops, &err), 2);
	assert_string_equal(hops[0].user, "me");
	assert_string_equal(hops[0].host, "b1");
	assert_int_equal(hops[0].port, 2222);
	assert_string_equal(hops[1].user, "");
	assert_string_equal(hops[1].host, "b2");
	assert_int_equal(hops[1].port, 0);
	assert_int_equal(jump_read("me@[fd00::1]:22", hops, &err), 1);
	assert_string_equal(hops[0].host, "fd00::1");
}

static void what_ssh_says_fills_in_what_we_do_not_say(void **state)
{
	static const char answer[] = "user kafka\n"
				     "hostname 10.1.2.3\n"
				     "port 2222\n"
				     "identityfile ~/no-such-key\n"
				     "identityfile ~/key\n"
				     "identityfile ~/known\n"
				     "stricthostkeychecking accept-new\n"
				     "userknownhostsfile ~/known /etc/other\n"
				     "globalknownhostsfile /etc/global\n"
				     "hostkeyalias mm-alias\n"
				     "proxyjump b1,b2\n"
				     "compression no\n";
	char home[] = "/tmp/mmlag-route-XXXXXX", path[100];
	struct config_topic t = alias();
	struct route r = {.t = t, .name = t.host};
	struct err err = ERR_INIT;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(home));
	snprintf(path, sizeof(path), "%s/key", home);
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(route_read(&r, answer, home, &err), 0);
	assert_string_equal(r.t.host, "10.1.2.3");
	assert_int_equal(r.t.port, 2222);
	assert_string_equal(r.t.user, "kafka");
	assert_string_equal(r.t.key_file, path);
	assert_int_equal(r.t.host_key, HOST_KEY_ACCEPT_NEW);
	assert_int_equal(r.t.known_hosts.n, 3);
	assert_string_equal(r.t.known_hosts.v[1], "/etc/other");
	assert_string_equal(r.key_name, "mm-alias");
	assert_string_equal(r.t.proxy_jump, "b1,b2");
	assert_false(r.t.agent);
	route_fini(&r);
	unlink(path);
	rmdir(home);
}

static void what_we_say_stands(void **state)
{
	static const char answer[] = "user kafka\nhostname 10.1.2.3\nport 2222\n"
				     "identityfile /dev/null\n"
				     "stricthostkeychecking false\n"
				     "userknownhostsfile /x\n"
				     "proxycommand nc %h %p\n";
	struct config_topic t = alias();
	struct route r;
	struct err err = ERR_INIT;

	(void)state;
	t.user = text("me");
	t.port = 2200;
	t.key_file = text("/k");
	t.proxy_jump = text("none");
	t.known_hosts.v = (char *[]){text("/y")};
	t.known_hosts.n = 1;
	t.port_explicit = t.host_key_explicit = t.known_hosts_explicit = true;
	r = (struct route){.t = t, .name = t.host};
	assert_int_equal(route_read(&r, answer, "/", &err), 0);
	assert_string_equal(r.t.user, "me");
	assert_int_equal(r.t.port, 2200);
	assert_string_equal(r.t.key_file, "/k");
	assert_int_equal(r.t.host_key, HOST_KEY_STRICT);
	assert_int_equal(r.t.known_hosts.n, 1);
	assert_null(r.command);
	assert_false(proxy_wanted(&r));
	route_fini(&r);
}

static void a_proxy_command_gets_its_tokens(void **state)
{
	static const char answer[] = "user kafka\nhostname 10.1.2.3\nport 22\n"
				     "hostkeyalias mm-key\n"
				     "proxycommand nc %h %p %r %n %k %% %x\n";
	struct config_topic t = alias();
	struct route r = {.t = t, .name = t.host};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(route_read(&r, answer, "/", &err), 0);
	assert_string_equal(r.command, "nc 10.1.2.3 22 kafka mm mm-key % %x");
	assert_true(proxy_wanted(&r));
	assert_true(r.t.agent); /* no identity is there */
	route_fini(&r);
}

/* ssh -G prints them as they stand in the file. */
static void names_of_files_get_their_tokens_and_variables(void **state)
{
	static const char answer[] = "user kafka\n"
				     "hostname 10.1.2.3\n"
				     "port 2222\n"
				     "identityfile %%d/key\n"
				     "identityfile ${MMLAG_UNSET}/key\n"
				     "identityfile ~/${MMLAG_KEYS}/%n-%h-%p-%r-%i.pem\n"
				     "userknownhostsfile none\n"
				     "hostkeyalias mm-alias\n"
				     "proxyjump b1.%n\n";
	char home[] = "/tmp/mmlag-route-XXXXXX", path[200];
	struct config_topic t = alias();
	struct route r = {.t = t, .name = t.host};
	struct err err = ERR_INIT;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(home));
	snprintf(path, sizeof(path), "%s/./mm-10.1.2.3-2222-kafka-%u.pem", home,
		 (unsigned)getuid());
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
	setenv("MMLAG_KEYS", ".", 1);
	assert_int_equal(route_read(&r, answer, home, &err), 0);
	unsetenv("MMLAG_KEYS");
	assert_false(r.t.agent);
	assert_string_equal(r.t.key_file, path);
	assert_int_equal(r.t.known_hosts.n, 0);
	assert_string_equal(r.t.proxy_jump, "b1.mm");
	route_fini(&r);
	unlink(path);
	rmdir(home);
}

static void an_answer_without_a_user_is_an_error(void **state)
{
	struct config_topic t = alias();
	struct route r = {.t = t, .name = t.host};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(route_read(&r, "hostname x\nport 22\n", "/", &err),
			 ERR_PERMANENT);
	assert_string_equal(err.text, "ssh -G mm gives no user or port");
	route_fini(&r);
}

/* The words, each in brackets. */
static char *command_line(const struct config_topic *t)
{
	struct route r = {.t = *t, .name = t->host};
	struct buf line = BUF_INIT(65536), shown = BUF_INIT(65536);
	struct err err = ERR_INIT;

	assert_int_equal(proxy_command_line(&r, &line, &err), 0);
	for (size_t i = 0; i < line.len; i += strlen(line.data + i) + 1)
		buf_printf(&shown, "(%s)", line.data + i);
	buf_free(&line);
	return buf_take(&shown);
}

static void one_bastion_is_asked_to_connect_us(void **state)
{
	struct config_topic t = {.host = text("mm1"),
				 .port = 22,
				 .user = text("ec2-user"),
				 .key_file = text("/etc/mm.pem"),
				 .proxy_jump = text("bastion"),
				 .known_hosts = {(char *[]){text("/s p/100%")}, 1}};
	char *line = command_line(&t);

	(void)state;
	assert_null(strstr(line, "(-J)"));
	assert_non_null(strstr(line, "(ssh)(-F)(/dev/null)(-o)(BatchMode=yes)"));
	assert_non_null(strstr(line, "(UserKnownHostsFile=\"/s p/100%%\")"));
	assert_non_null(strstr(line, "(StrictHostKeyChecking=yes)"));
	assert_non_null(strstr(line, "(IdentityAgent=none)"));
	assert_non_null(strstr(line, "(-i)(/etc/mm.pem)(-W)([mm1]:22)(-l)(ec2-user)"
				     "(bastion)"));
	free(line);
}

static void each_bastion_is_reached_through_the_one_before(void **state)
{
	struct config_topic t = {.host = text("fd00::7"),
				 .port = 2200,
				 .user = text("u"),
				 .agent = true,
				 .proxy_jump = text("me@b1:2222,[::1]:2223")};
	char *line = command_line(&t);

	(void)state;
	assert_non_null(strstr(line, "(ProxyCommand='ssh' '-F' '/dev/null' "));
	assert_non_null(strstr(line, "'-W' '[::1]:2223' '-l' 'me' '-p' '2222' 'b1')"));
	assert_non_null(strstr(line, "(-W)([fd00::7]:2200)(-l)(u)(-p)(2223)(::1)"));
	assert_null(strstr(line, "IdentityAgent"));
	free(line);
}

static void with_ssh_config_ssh_knows_what_each_bastion_wants(void **state)
{
	struct config_topic t = {.host = text("10.1.2.3"),
				 .port = 22,
				 .user = text("kafka"),
				 .key_file = text("/k"),
				 .ssh_config = true,
				 .proxy_jump = text("b1,b2,me@b3:24")};
	char *line = command_line(&t);

	(void)state;
	assert_null(strstr(line, "(-F)"));
	assert_null(strstr(line, "(-i)"));
	assert_non_null(strstr(line, "(-J)(b1,b2)(-W)([10.1.2.3]:22)(-l)(me)(-p)(24)"
				     "(b3)"));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_bastions_is_read_or_refused),
		cmocka_unit_test(what_ssh_says_fills_in_what_we_do_not_say),
		cmocka_unit_test(what_we_say_stands),
		cmocka_unit_test(a_proxy_command_gets_its_tokens),
		cmocka_unit_test(names_of_files_get_their_tokens_and_variables),
		cmocka_unit_test(an_answer_without_a_user_is_an_error),
		cmocka_unit_test(one_bastion_is_asked_to_connect_us),
		cmocka_unit_test(each_bastion_is_reached_through_the_one_before),
		cmocka_unit_test(with_ssh_config_ssh_knows_what_each_bastion_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
