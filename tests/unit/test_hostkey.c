/* SPDX-License-Identifier: MIT
 * known_hosts as text: who is meant, and what a key is worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "lag/reason.h"
#include "ssh/hostkey_int.h"

#define ED1 "AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define ED2 "AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"
#define RSA "AAAAB3NzaC1yc2EAAAADAQABAAAAAQE="
#define ECDSA "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAABBA=="

static const struct {
	const char *label, *host;
	int port;
	const char *text;
	enum hostkey_verdict verdict; /* of ED1 */
	int line;                     /* of the entry that decided, 0 for none */
} rows[] = {
	{"empty", "h", 22, "", HOSTKEY_NEW, 0},
	{"plain", "h", 22, "h ssh-ed25519 " ED1 "\n", HOSTKEY_MATCH, 1},
	{"no newline", "h", 22, "h ssh-ed25519 " ED1, HOSTKEY_MATCH, 1},
	{"CRLF", "h", 22, "h ssh-ed25519 " ED1 "\r\n", HOSTKEY_MATCH, 1},
	{"a comment behind", "h", 22, "h ssh-ed25519 " ED1 " root@h\n", HOSTKEY_MATCH,
	 1},
	{"tabs and blanks", "h", 22, " \th  ssh-ed25519\t" ED1 "\n", HOSTKEY_MATCH, 1},
	{"capitals in the configuration", "H.Example", 22, "h.example ssh-ed25519 " ED1,
	 HOSTKEY_MATCH, 1},
	{"capitals in the file", "h", 22, "H ssh-ed25519 " ED1, HOSTKEY_MATCH, 1},
	{"another host", "h", 22, "other ssh-ed25519 " ED1 "\n", HOSTKEY_NEW, 0},
	{"a longer name", "h", 22, "hh ssh-ed25519 " ED1 "\n", HOSTKEY_NEW, 0},
	{"a list", "h", 22, "a,h,10.0.0.1 ssh-ed25519 " ED1 "\n", HOSTKEY_MATCH, 1},
	{"a wildcard", "mm1.example.com", 22, "*.example.com ssh-ed25519 " ED1,
	 HOSTKEY_MATCH, 1},
	{"a question mark", "mm1", 22, "mm? ssh-ed25519 " ED1, HOSTKEY_MATCH, 1},
	{"many stars", "aaaaaaaaaaaaaaaaaaaaab", 22,
	 "*a*a*a*a*a*a*a*a*a*a*c ssh-ed25519 " ED1, HOSTKEY_NEW, 0},
	{"a negation", "mm1.example.com", 22, "*.example.com,!mm1.* ssh-ed25519 " ED1,
	 HOSTKEY_NEW, 0},
	{"a negation alone", "h", 22, "!x ssh-ed25519 " ED1, HOSTKEY_NEW, 0},
	{"comments and bad lines before", "h", 22,
	 "# h ssh-ed25519 " ED2 "\n\nnonsense\nh ssh-ed25519 !!\nh ssh-ed25519\n"
	 "h ssh-rsa " ED2 "\nh ssh-ed25519 " ED1 "\n",
	 HOSTKEY_MATCH, 7},
	{"changed", "h", 22, "x ssh-ed25519 " ED1 "\nh ssh-ed25519 " ED2 "\n",
	 HOSTKEY_CHANGED, 2},
	{"another type on file is a change too", "h", 22, "h ssh-rsa " RSA "\n",
	 HOSTKEY_CHANGED, 1},
	{"one of two", "h", 22, "h ssh-ed25519 " ED2 "\nh ssh-ed25519 " ED1 "\n",
	 HOSTKEY_MATCH, 2},
	{"revoked", "h", 22, "h ssh-ed25519 " ED1 "\n@revoked * ssh-ed25519 " ED1 "\n",
	 HOSTKEY_REVOKED, 2},
	{"another one is revoked", "h", 22,
	 "@revoked h ssh-ed25519 " ED2 "\nh ssh-ed25519 " ED1 "\n", HOSTKEY_MATCH, 2},
	{"revoked alone does not make it known", "h", 22,
	 "@revoked h ssh-ed25519 " ED2 "\n", HOSTKEY_NEW, 0},
	{"an authority is no host key", "h", 22,
	 "@cert-authority h ssh-ed25519 " ED1 "\n", HOSTKEY_NEW, 0},
	{"with its port", "h", 2222, "[h]:2222 ssh-ed25519 " ED1 "\n", HOSTKEY_MATCH,
	 1},
	{"with another port", "h", 2222, "[h]:22 ssh-ed25519 " ED1 "\n", HOSTKEY_NEW,
	 0},
	{"the plain name has the key", "h", 2222, "h ssh-ed25519 " ED1 "\n",
	 HOSTKEY_MATCH, 1},
	{"the plain name has another", "h", 2222, "h ssh-ed25519 " ED2 "\n",
	 HOSTKEY_NEW, 0},
	{"IPv6", "::1", 22, "::1 ssh-ed25519 " ED1, HOSTKEY_MATCH, 1},
	{"IPv6 with a port", "::1", 2222, "[::1]:2222 ssh-ed25519 " ED1, HOSTKEY_MATCH,
	 1},
	/* ssh-keygen -H of "mm1.example.com" with a salt of zeros */
	{"hashed", "mm1.example.com", 22,
	 "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|%H ssh-ed25519 " ED1 "\n", HOSTKEY_MATCH, 1},
	{"hashed, another host", "mm2.example.com", 22,
	 "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|%H ssh-ed25519 " ED1 "\n", HOSTKEY_NEW, 0},
	{"a broken hash", "h", 22,
	 "|1|AAAA ssh-ed25519 " ED1 "\n|1||| ssh-ed25519 " ED1 "\n|1| ssh-ed25519 " ED1,
	 HOSTKEY_NEW, 0},
};

/* HMAC-SHA1 of mm1.example.com with twenty zeros. */
#define HASH_MM1 "KeOIdmHseo8CvgM/rVQSStjKOFo="

static char *with_hash(const char *text)
{
	const char *at = strstr(text, "%H");

	return at == NULL ? mem_strdup(text)
			  : mem_printf("%.*s%s%s", (int)(at - text), text, HASH_MM1,
				       at + 2);
}

static void decode(const char *base64, struct buf *out)
{
	assert_int_equal(wire_unbase64(base64, strlen(base64), out), 0);
}

static struct span span_of(const struct buf *b)
{
	return (struct span){(unsigned char *)b->data, b->len};
}

static void a_key_is_judged_as_ssh_would(void **state)
{
	struct buf blob = BUF_INIT(1000);

	(void)state;
	decode(ED1, &blob);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct hostkey_entry *entry;
		char *text = with_hash(rows[i].text);
		struct hostkeys h;
		enum hostkey_verdict v;

		hostkeys_init(&h, rows[i].host, rows[i].port);
		hostkeys_add_text(&h, "file", text, strlen(text));
		v = hostkeys_judge(&h, span_of(&blob), &entry);
		if (v != rows[i].verdict ||
		    (entry == NULL ? 0 : entry->line) != rows[i].line)
			fail_msg("%s: verdict %d, line %d", rows[i].label, v,
				 entry == NULL ? 0 : entry->line);
		hostkeys_fini(&h);
		free(text);
	}
	buf_free(&blob);
}

static const struct {
	const char *label, *text, *first;
} orders[] = {
	{"nothing", "", "ssh-ed25519,ecdsa-sha2-nistp256,"},
	{"rsa", "[h]:2222 ssh-rsa " RSA,
	 "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519,"},
	{"ecdsa", "[h]:2222 ecdsa-sha2-nistp256 " ECDSA,
	 "ecdsa-sha2-nistp256,ssh-ed25519,"},
	{"the name before the plain name",
	 "h ssh-ed25519 " ED1 "\n[h]:2222 ecdsa-sha2-nistp256 " ECDSA,
	 "ecdsa-sha2-nistp256,ssh-ed25519,ecdsa-sha2-nistp384,"},
	{"revoked is not wanted", "@revoked [h]:2222 ssh-rsa " RSA, "ssh-ed25519,"},
};

static void the_types_on_file_are_asked_for_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct buf methods = BUF_INIT(1000);
		struct hostkeys h;

		hostkeys_init(&h, "h", 2222);
		hostkeys_add_text(&h, "file", orders[i].text, strlen(orders[i].text));
		hostkeys_methods(&h, &methods);
		if (strncmp(buf_str(&methods), orders[i].first,
			    strlen(orders[i].first)) != 0)
			fail_msg("%s: %s", orders[i].label, buf_str(&methods));
		assert_non_null(strstr(buf_str(&methods), "ssh-rsa"));
		buf_free(&methods);
		hostkeys_fini(&h);
	}
}

static void the_fingerprint_is_that_of_ssh_keygen(void **state)
{
	char text[FINGERPRINT_TEXT];
	struct buf blob = BUF_INIT(1000);

	(void)state;
	decode(ED1, &blob);
	wire_fingerprint(blob.data, blob.len, text);
	assert_string_equal(text, "SHA256:RXm/ruZ0eTzRXKwi1AQEDynB0VgHQ2ac9KPSFdf/YnA");
	buf_free(&blob);
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = {"",         "A",    "AA",   "AAA",
					  "AA=A",     "A===", "====", "AAA\n",
					  "AA==AAAA", "A*AA", "AAA "};
	struct buf b = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		buf_reset(&b);
		if (wire_unbase64(bad[i], strlen(bad[i]), &b) == 0)
			fail_msg("'%s' is taken", bad[i]);
	}
	buf_reset(&b);
	decode("TQ==", &b);
	decode("TWE=", &b);
	decode("TWFu", &b);
	assert_string_equal(buf_str(&b), "MMaMan");
	buf_free(&b);
}

/* The whole decision, with files. */

struct scene {
	char dir[64], first[80], second[80];
	struct config_topic topic;
	char *files[2];
	struct hostkeys known;
	struct buf blob;
	struct err err;
};

static void begin(struct scene *s, enum host_key_policy policy, const char *second_text)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "/tmp/mmlag-hostkey-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->first, sizeof(s->first), "%s/first", s->dir);
	snprintf(s->second, sizeof(s->second), "%s/second", s->dir);
	s->files[0] = s->first;
	s->files[1] = s->second;
	s->topic.known_hosts.v = s->files;
	s->topic.known_hosts.n = 2;
	s->topic.host_key = policy;
	if (second_text != NULL) {
		int fd = open(s->second, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, second_text, strlen(second_text)),
				 (ssize_t)strlen(second_text));
		close(fd);
	}
	buf_init(&s->blob, 1000);
	decode(ED1, &s->blob);
	hostkeys_init(&s->known, "h", 2222);
	hostkeys_add_files(&s->known, &s->topic.known_hosts);
}

static int decide(struct scene *s)
{
	return hostkeys_check(&s->known, &s->topic, span_of(&s->blob), &s->err);
}

static void end(struct scene *s)
{
	hostkeys_fini(&s->known);
	buf_free(&s->blob);
	unlink(s->first);
	unlink(s->second);
	rmdir(s->dir);
}

static void a_refusal_shows_fingerprint_file_and_line(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, HOST_KEY_STRICT, NULL);
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_int_equal(s.err.code, REASON_SSH_HOST_KEY);
	assert_non_null(strstr(s.err.text, "host key of [h]:2222 is unknown"));
	assert_non_null(strstr(s.err.text, "SHA256:"));
	assert_non_null(strstr(s.err.text, s.first));
	assert_non_null(strstr(s.err.text, ": [h]:2222 ssh-ed25519 " ED1));
	assert_true(access(s.first, F_OK) != 0);
	end(&s);
	begin(&s, HOST_KEY_ACCEPT_NEW, "#\n#\n[h]:2222 ssh-rsa " RSA "\n");
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_non_null(strstr(s.err.text, "second:3 knows [h]:2222 by an ssh-rsa key "
					   "only, the host shows ssh-ed25519 SHA256:"));
	assert_true(access(s.first, F_OK) != 0);
	end(&s);
	begin(&s, HOST_KEY_STRICT, "[h]:2222 ssh-ed25519 " ED2 "\n");
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_non_null(strstr(s.err.text, "has changed"));
	assert_non_null(strstr(s.err.text, "second:1 has SHA256:"));
	end(&s);
}

static void a_new_key_is_added_once_and_only_under_accept_new(void **state)
{
	struct buf text = BUF_INIT(1000);
	struct hostkeys again;
	struct scene s;
	struct stat st;

	(void)state;
	begin(&s, HOST_KEY_ACCEPT_NEW, NULL);
	hostkeys_init(&again, "h", 2222); /* knew nothing at that time either */
	assert_int_equal(decide(&s), 0);
	assert_int_equal(hostkeys_check(&again, &s.topic, span_of(&s.blob), &s.err), 0);
	assert_int_equal(file_read(s.first, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "[h]:2222 ssh-ed25519 " ED1 "\n");
	assert_int_equal(stat(s.first, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_free(&text);
	hostkeys_fini(&again);
	end(&s);
}

static void another_key_in_between_is_a_change(void **state)
{
	struct buf other = BUF_INIT(1000);
	struct hostkeys late;
	struct scene s;

	(void)state;
	begin(&s, HOST_KEY_ACCEPT_NEW, NULL);
	hostkeys_init(&late, "h", 2222);
	assert_int_equal(decide(&s), 0);
	decode(ED2, &other);
	assert_int_equal(hostkeys_check(&late, &s.topic, span_of(&other), &s.err),
			 ERR_PERMANENT);
	buf_free(&other);
	hostkeys_fini(&late);
	end(&s);
}

static void before_the_first_start_a_new_key_is_taken_and_not_noted(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, HOST_KEY_ACCEPT_NEW, NULL);
	snprintf(s.first, sizeof(s.first), "%.60s/state/known_hosts", s.dir);
	assert_int_equal(decide(&s), 0);
	assert_int_equal(access(s.first, F_OK), -1);
	end(&s);
}

static void what_cannot_be_written_or_read_is_no_acceptance(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, HOST_KEY_ACCEPT_NEW, NULL);
	snprintf(s.first, sizeof(s.first), "%s/no/such/dir", s.dir);
	s.topic.known_hosts_explicit = true;
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_int_equal(s.err.code, REASON_SSH_HOST_KEY);
	assert_non_null(strstr(s.err.text, "No such file"));
	end(&s);
	begin(&s, HOST_KEY_ACCEPT_NEW, NULL);
	assert_int_equal(mkdir(s.second, 0700), 0); /* there, but no file */
	hostkeys_add_files(&s.known, &s.topic.known_hosts);
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_non_null(strstr(s.err.text, "not read"));
	rmdir(s.second);
	end(&s);
}

static void a_pin_needs_no_file_but_minds_revocation(void **state)
{
	static char pin[] = "SHA256:RXm/ruZ0eTzRXKwi1AQEDynB0VgHQ2ac9KPSFdf/YnA=",
		    wrong[] = "SHA256:AAAA";
	struct scene s;

	(void)state;
	begin(&s, HOST_KEY_PINNED, "[h]:2222 ssh-ed25519 " ED2 "\n");
	s.topic.host_key_pin = pin;
	assert_int_equal(decide(&s), 0);
	s.topic.host_key_pin = wrong;
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_non_null(strstr(s.err.text, wrong));
	assert_true(access(s.first, F_OK) != 0);
	end(&s);
	begin(&s, HOST_KEY_PINNED, "@revoked * ssh-ed25519 " ED1 "\n");
	s.topic.host_key_pin = pin;
	assert_int_equal(decide(&s), ERR_PERMANENT);
	assert_non_null(strstr(s.err.text, "revoked"));
	end(&s);
}

static uint64_t seed = 7;

static unsigned next_random(unsigned bound)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % bound;
}

static void any_text_is_read_without_harm(void **state)
{
	static const char *const pieces[] = {
		"h", "[h]:2222", " ",   "\t",    "ssh-ed25519", ED1,   "\n",
		"@", "@revoked", "|1|", "AAAA=", "*",           "!",   ",",
		"?", "ssh-rsa",  RSA,   "\r\n",  "#",           "\xff"};

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct buf text = BUF_INIT(10000), blob = BUF_INIT(1000),
			   methods = BUF_INIT(1000);
		const struct hostkey_entry *entry;
		struct hostkeys h;

		for (unsigned n = next_random(40); n > 0; n--)
			buf_addstr(&text, pieces[next_random(ARRAY_LEN(pieces))]);
		decode(ED1, &blob);
		hostkeys_init(&h, "h", 2222);
		hostkeys_add_text(&h, "file", buf_str(&text), text.len);
		for (size_t i = 0; i < h.n; i++)
			assert_true(h.v[i].blob.len > 4);
		if (hostkeys_judge(&h, span_of(&blob), &entry) != HOSTKEY_NEW)
			assert_non_null(entry);
		hostkeys_methods(&h, &methods);
		hostkeys_fini(&h);
		buf_free(&text);
		buf_free(&blob);
		buf_free(&methods);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_judged_as_ssh_would),
		cmocka_unit_test(the_types_on_file_are_asked_for_first),
		cmocka_unit_test(the_fingerprint_is_that_of_ssh_keygen),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(a_refusal_shows_fingerprint_file_and_line),
		cmocka_unit_test(a_new_key_is_added_once_and_only_under_accept_new),
		cmocka_unit_test(another_key_in_between_is_a_change),
		cmocka_unit_test(
			before_the_first_start_a_new_key_is_taken_and_not_noted),
		cmocka_unit_test(what_cannot_be_written_or_read_is_no_acceptance),
		cmocka_unit_test(a_pin_needs_no_file_but_minds_revocation),
		cmocka_unit_test(any_text_is_read_without_harm),
	};

	return cmocka_run_group_tests_name("hostkey", tests, NULL, NULL);
}
