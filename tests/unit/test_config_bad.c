/* SPDX-License-Identifier: MIT
 * Wrong configurations: everything that is wrong is told at once, each with its place
 * and what to do. A row holds all that is said, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "config_text.h"

#include "banned.h"

#define LONG_16 "0123456789abcdef"
#define LONG_60 LONG_16 LONG_16 LONG_16 "0123456789ab"
#define LONG_64 LONG_16 LONG_16 LONG_16 LONG_16
#define LONG_HOST LONG_64 LONG_64 LONG_64 LONG_64 /* 256 bytes */

static const struct {
	const char *label, *text, *said;
} rows[] = {
	{"a list",
	 "- a\n"
	 "- b\n",
	 "1:1: the file must begin with keys, such as \"topics:\"\n"},
	{"a text", "hello\n",
	 "1:1: the file must begin with keys, such as \"topics:\"\n"},
	{"sections twice",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"log: {level: info}\n"
			"spool: {}\n"
			"log: {level: debug}\n",
	 "6:1: key \"log\" stands here a second time; the first is in line 4\n"},
	{"a topic without a name", TOPIC_DEFAULTS "topics: [~, null]\n",
	 "3:10: \"name\" is missing in this entry of topics\n"
	 "3:13: \"name\" is missing in this entry of topics\n"},
	{"names twice",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"brokers:\n"
			"  - {name: x, prometheus: \"http://p:9090\"}\n"
			"  - {name: x, prometheus: \"http://q:9090\"}\n"
			"receivers:\n"
			"  - {name: y, type: command, argv: [a]}\n"
			"  - {name: y, type: command, argv: [b]}\n",
	 "6:5: brokers: \"x\" stands here a second time\n"
	 "9:5: receiver \"y\" stands here a second time\n"},
	{"a key that is nearly right",
	 TOPIC_DEFAULTS "topics:\n"
			"  - name: a\n"
			"    intrval: 10s\n",
	 "5:5: unknown key \"intrval\"; did you mean \"interval\"?\n"},
	{"a key of topics at the margin",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"port: 22\n",
	 "4:1: unknown key \"port\"; \"port\" belongs under topics or "
	 "defaults or topics.target\n"},
	{"keys that belong elsewhere or nowhere",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"cluster: x\n"
			"host: y\n"
			"xyzzy: 1\n"
			"elastic: {}\n"
			"elastic-search: {}\n",
	 "4:1: unknown key \"cluster\"; did you mean \"clusters\"? "
	 "(\"cluster\" belongs under topics or defaults)\n"
	 "5:1: unknown key \"host\"; \"host\" belongs under topics or "
	 "defaults or topics.target\n"
	 "6:1: unknown key \"xyzzy\"; the nearest that is known in the file "
	 "is \"spool\"\n"
	 "7:1: unknown key \"elastic\"; did you mean \"elasticsearch\"?\n"
	 "8:1: unknown key \"elastic-search\"; did you mean "
	 "\"elasticsearch\"?\n"},
	{"unknown keys of elasticsearch",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch:\n"
			"  host: http://a:9200\n"
			"  password: secret\n"
			"  user: u\n"
			"  index_name: x\n"
			"  zzz: 1\n",
	 "4:1: \"hosts\" is missing in elasticsearch\n"
	 "5:3: unknown key \"host\"; did you mean \"hosts\"? (\"host\" "
	 "belongs under topics or defaults or topics.target)\n"
	 "6:3: unknown key \"password\"; did you mean \"password_file\"?\n"
	 "7:3: unknown key \"user\"; did you mean \"username\"? (\"user\" "
	 "belongs under topics or defaults or topics.target)\n"
	 "8:3: unknown key \"index_name\"; did you mean \"index\"?\n"
	 "9:3: unknown key \"zzz\"; the nearest that is known in "
	 "elasticsearch is \"bulk\"\n"},
	{"keys of a section inside, and written otherwise",
	 TOPIC_DEFAULTS "topics:\n"
			"  - name: a\n"
			"    windw: 1m\n"
			"    window: 1m\n"
			"    key-file: /x\n"
			"    knownHosts: /y\n",
	 "5:5: unknown key \"windw\"; did you mean \"window\" in "
	 "topics.rules?\n"
	 "6:5: unknown key \"window\"; \"window\" belongs under topics.rules\n"
	 "7:5: unknown key \"key-file\"; did you mean \"key_file\"?\n"
	 "8:5: unknown key \"knownHosts\"; did you mean \"known_hosts\"?\n"},
	{"durations",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, interval: 10}\n"
			"  - {name: b, interval: 10 s}\n"
			"  - {name: c, interval: 5min}\n"
			"  - {name: d, interval: 500ms}\n"
			"  - {name: e, interval: 1.5h}\n"
			"  - {name: f, interval: 1m1h}\n"
			"  - {name: g, interval: 99999999999d}\n"
			"  - {name: h, interval: -1s}\n"
			"  - {name: i, interval: }\n"
			"  - {name: j, interval: [1s]}\n"
			"  - {name: k, watchdog: 1s}\n",
	 "4:25: interval: 10 has no unit; write 10s\n"
	 "5:25: interval: \"10 s\" is no duration; write it like 500ms, 5s, "
	 "1m, 2h, 7d or 1h30m\n"
	 "6:25: interval: \"5min\" is no duration; write it like 500ms, 5s, "
	 "1m, 2h, 7d or 1h30m\n"
	 "7:25: interval: 500ms is too little; at least 1s\n"
	 "8:25: interval: \"1.5h\" is no duration; write it like 500ms, 5s, "
	 "1m, 2h, 7d or 1h30m\n"
	 "9:25: interval: \"1m1h\" is no duration; write it like 500ms, 5s, "
	 "1m, 2h, 7d or 1h30m\n"
	 "10:25: interval: 99999999999d is too long; at most 100000d\n"
	 "11:25: interval: \"-1s\" is no duration; write it like 500ms, 5s, "
	 "1m, 2h, 7d or 1h30m\n"
	 "12:25: interval: has no value; give it one, or remove the key\n"
	 "13:25: interval: takes one value, not a list\n"
	 "14:25: watchdog: 1s is too little; at least 2s\n"},
	{"sizes",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"spool: {max_bytes: 1GB, min_free: 512, max_age: 7}\n"
			"dead_letters: {max_bytes: 64k, max_age: 30days}\n"
			"history: {max_bytes: 1.5GiB}\n",
	 "4:20: max_bytes: \"GB\" is no unit here, sizes are powers of two; "
	 "write 1GiB\n"
	 "4:35: min_free: 512 has no unit; write 512MiB, or 512B for bytes\n"
	 "4:49: max_age: 7 has no unit; write 7s\n"
	 "5:27: max_bytes: \"k\" is no unit here, sizes are powers of two; "
	 "write 64KiB\n"
	 "5:41: max_age: \"30days\" is no duration; write it like 500ms, "
	 "5s, 1m, 2h, 7d or 1h30m\n"
	 "6:22: max_bytes: \"1.5GiB\" is no size; write it like 64KiB, 5MiB "
	 "or 1GiB\n"},
	{"shares",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, rules: {minimum_complete: 50}}\n"
			"  - {name: b, rules: {minimum_complete: 150%}}\n"
			"  - {name: c, rules: {minimum_complete: half}}\n",
	 "4:41: minimum_complete: 50 is more than the whole; write 50%\n"
	 "5:41: minimum_complete: 150% is not between 0% and 100%\n"
	 "6:41: minimum_complete: \"half\" is no share; write it as 80% or "
	 "0.8\n"},
	{"booleans",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, agent: yes}\n"
			"  - {name: b, agent: Off}\n"
			"  - {name: c, agent: maybe}\n",
	 "4:22: agent: \"yes\" is neither true nor false; write true\n"
	 "5:22: agent: \"Off\" is neither true nor false; write false\n"
	 "6:22: agent: \"maybe\" is neither true nor false\n"},
	{"words",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, share: groups}\n"
			"  - {name: b, share: everything}\n"
			"  - {name: c, source: exporter}\n"
			"  - {name: d, host_key: accept_new}\n"
			"  - {name: e, host_key: SHA256:abc}\n"
			"  - {name: f, host_key: no}\n"
			"log: {level: warning, format: JSON}\n",
	 "4:22: share: \"groups\" is not known; did you mean \"group\"?\n"
	 "5:22: share: \"everything\" is not known; it is one of topic, "
	 "group\n"
	 "6:5: topic \"c\": \"url\" is missing; give it here or under defaults\n"
	 "7:25: host_key: \"accept_new\" is not known; did you mean "
	 "\"accept-new\"?\n"
	 "8:25: host_key: a fingerprint is SHA256: and 43 characters, as "
	 "`ssh-keygen -lf` prints it\n"
	 "9:25: host_key: \"no\" is not known; it is one of strict, "
	 "accept-new, SHA256:…\n"
	 "10:14: level: \"warning\" is not known; did you mean \"warn\"?\n"
	 "10:31: format: \"JSON\" is not known; did you mean \"json\"?\n"},
	{"numbers",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, port: 0}\n"
			"  - {name: b, port: 70000}\n"
			"  - {name: c, port: ssh}\n"
			"  - {name: d, partitions: 0}\n"
			"  - {name: e, port: 99999999999999999999}\n"
			"  - {name: f, partitions: 3.0}\n",
	 "4:21: port: 0 is too little; at least 1\n"
	 "5:21: port: 70000 is too much; at most 65535\n"
	 "6:21: port: \"ssh\" is no whole number\n"
	 "7:27: partitions: 0 is too little; at least 1\n"
	 "8:21: port: 99999999999999999999 is too large\n"
	 "9:27: partitions: \"3.0\" is no whole number\n"},
	{"topic names",
	 TOPIC_DEFAULTS "topics:\n"
			"  - a b\n"
			"  - ..\n"
			"  - ä\n"
			"  - {host: x}\n"
			"  - [a]\n"
			"  -\n"
			"  - {name: null}\n"
			"  - {name: a, match: b}\n",
	 "4:5: name: \"a b\" is no topic name: letters, digits, '.', '_' "
	 "and '-' only\n"
	 "5:5: name: Kafka takes no topic called \"..\"\n"
	 "6:5: name: \"ä\" is no topic name: letters, digits, '.', '_' and "
	 "'-' only\n"
	 "7:5: \"name\" is missing in this entry of topics\n"
	 "8:5: topics: an entry is a map of keys\n"
	 "9:4: name: has no value; give it one, or remove the key\n"
	 "10:5: \"name\" is missing in this entry of topics\n"
	 "11:5: topic \"a\": \"name\" and \"match\" exclude each other\n"},
	{"hosts and users",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, host: u@h}\n"
			"  - {name: b, host: 'h:22'}\n"
			"  - {name: c, host: '[::1]'}\n"
			"  - {name: d, host: -x}\n"
			"  - {name: e, host: 'a b'}\n"
			"  - {name: f, user: ''}\n"
			"  - {name: g, host: '::1'}\n"
			"  - {name: h, host: http://x}\n",
	 "4:21: host: \"u@h\" has a user in it; write it as \"user\"\n"
	 "5:21: host: \"h:22\" has a port in it; write it as \"port\"\n"
	 "6:21: host: an IPv6 address stands without brackets here\n"
	 "7:21: host: \"-x\" begins with '-', as an option would\n"
	 "8:21: host: \"a b\" has a blank in it; write one word\n"
	 "9:21: user: is empty; write a value, or remove the key\n"
	 "11:21: host: \"http://x\" is a host name or address only, without "
	 "'/'\n"},
	{"brokers",
	 TOPIC_DEFAULTS
	 "topics:\n"
	 "  - {name: a, bootstrap_server: b, cluster: x}\n"
	 "  - {name: b, bootstrap_server: 'b:9092, c:9092', cluster: y}\n"
	 "  - {name: c, bootstrap_server: 'b:9092,', cluster: y}\n"
	 "  - {name: d, bootstrap_server: [b:9092], cluster: z}\n",
	 "4:33: bootstrap_server: \"b\" has no port; write b:9092\n"
	 "5:33: bootstrap_server: \"b:9092, c:9092\" has a blank in it; "
	 "write host:9092,host:9092\n"
	 "6:33: bootstrap_server: \"b:9092,\" lacks a host; write "
	 "host:9092,host:9092\n"
	 "7:33: bootstrap_server: takes one value, not a list\n"},
	{"a relative home", TOPIC_DEFAULTS "topics: [{name: a, kafka_home: kafka}]\n",
	 "3:32: kafka_home: write the whole path, from '/' on; \"kafka\" is "
	 "relative\n"},
	{"paths",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, key_file: ~/x}\n"
			"  - {name: b, known_hosts: [~/x]}\n"
			"  - {name: c, kafka_home: ~/k}\n",
	 "4:25: key_file: write the whole path; ~ is not expanded\n"
	 "5:29: known_hosts: write the whole path; ~ is not expanded\n"
	 "6:27: kafka_home: write the whole path; ~ is not expanded\n"},
	{"what a topic needs",
	 "topics:\n"
	 "  - a\n"
	 "  - name: b\n"
	 "    host: h\n",
	 "2:5: topic \"a\": \"bootstrap_server\" is missing; give it here "
	 "or under defaults\n"
	 "2:5: topic \"a\": \"group\" is missing; give it here or under "
	 "defaults\n"
	 "2:5: topic \"a\": \"host\" is missing; give it here or under "
	 "defaults\n"
	 "2:5: topic \"a\": \"kafka_home\" is missing; give it (or \"cli\", "
	 "or a \"command\" of your own) here or under defaults\n"
	 "2:5: topic \"a\": \"key_file\" is missing; give it here or under "
	 "defaults, or let the SSH agent sign (agent: true)\n"
	 "2:5: topic \"a\": \"user\" is missing; give it here or under "
	 "defaults\n"
	 "3:5: topic \"b\": \"bootstrap_server\" is missing; give it here "
	 "or under defaults\n"
	 "3:5: topic \"b\": \"group\" is missing; give it here or under "
	 "defaults\n"
	 "3:5: topic \"b\": \"kafka_home\" is missing; give it (or \"cli\", "
	 "or a \"command\" of your own) here or under defaults\n"
	 "3:5: topic \"b\": \"key_file\" is missing; give it here or under "
	 "defaults, or let the SSH agent sign (agent: true)\n"
	 "3:5: topic \"b\": \"user\" is missing; give it here or under "
	 "defaults\n"},
	{"keys that need each other",
	 "defaults: {host: h, user: u}\n"
	 "topics:\n"
	 "  - {name: a, command: x, key_file: /k}\n"
	 "  - {name: b, format: line, key_file: /k, kafka_home: /k, group: "
	 "g, bootstrap_server: 'b:1'}\n"
	 "  - {name: c, cli: /c, command_config: x, group: g, key_file: /k, "
	 "bootstrap_server: 'b:1'}\n"
	 "  - {name: d, command: x, format: line, passphrase_file: /x, "
	 "agent: true}\n",
	 "3:24: command: say what it prints: \"format: line\" (a sample a "
	 "line, for ever) or \"format: table\" (as the CLI, once)\n"
	 "4:23: format: line needs a \"command\" that prints lines\n"
	 "5:40: command_config: a relative path is relative to "
	 "\"kafka_home\", which is not given; write the whole path\n"
	 "6:5: topic \"d\": \"passphrase_file\" without a \"key_file\"\n"
	 "6:35: warning: format: without \"partitions\" a value's position need "
	 "not be its partition: say how many there are, or use \"format: table\"\n"},
	{"a topic twice",
	 TOPIC_DEFAULTS "topics:\n"
			"  - a\n"
			"  - b\n"
			"  - name: a\n"
			"  - {name: a, cluster: x}\n"
			"  - {name: a, group: y}\n"
			"  - a\n",
	 "6:5: topic \"a\": stands here a second time for group \"g\" in "
	 "cluster \"default\"; the first is in line 4\n"
	 "9:5: topic \"a\": stands here a second time for group \"g\" in "
	 "cluster \"default\"; the first is in line 4\n"},
	{"two brokers, one cluster",
	 TOPIC_DEFAULTS "topics:\n"
			"  - a\n"
			"  - {name: b, bootstrap_server: 'c:9092'}\n"
			"  - {name: c, bootstrap_server: 'c:9092'}\n"
			"  - {name: d, bootstrap_server: 'd:9092', cluster: x}\n",
	 "5:5: topic \"b\": bootstrap_server c:9092, but cluster "
	 "\"default\" is b:9092 in line 4; give one of them a \"cluster\" "
	 "of its own, or list both under \"clusters\" if they are the same\n"},
	{"unequal times in one stream",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, share: group}\n"
			"  - {name: b, share: group, interval: 5s}\n"
			"  - {name: c, share: group, timeout: 5s}\n"
			"  - {name: d, interval: 5s}\n"
			"  - {name: e, share: group, interval: 5s, host: x}\n",
	 "5:5: topic \"b\": interval 5s, but topic \"a\" in line 4, with "
	 "which it shares one command (share: group), has 10s; make them "
	 "equal\n"
	 "6:5: topic \"c\": timeout 5s, but topic \"a\" in line 4, with "
	 "which it shares one command (share: group), has 1m; make them "
	 "equal\n"},
	{"the environment",
	 TOPIC_DEFAULTS
	 "topics:\n"
	 "  - '${NO_SUCH_VARIABLE}'\n"
	 "  - '${NO_SUCH_VARIABLE:fallback}'\n"
	 "  - 'a$$b'\n"
	 "  - '${1x}'\n"
	 "  - '${A'\n"
	 "  - {name: c, command: 'echo ${NO_SUCH_VARIABLE}', format: line}\n",
	 "4:5: name: environment variable NO_SUCH_VARIABLE is not set; set "
	 "it, or write ${NO_SUCH_VARIABLE:default}\n"
	 "6:5: name: \"a$b\" is no topic name: letters, digits, '.', '_' "
	 "and '-' only\n"
	 "7:5: name: \"${1x}\" is no reference to the environment; write "
	 "${NAME} or ${NAME:default}, and $$ for a dollar sign\n"
	 "8:5: name: \"${\" without \"}\"; write $$ for a dollar sign\n"
	 "9:60: warning: format: without \"partitions\" a value's position need "
	 "not be its partition: say how many there are, or use \"format: table\"\n"},
	{"patterns",
	 TOPIC_DEFAULTS "topics:\n"
			"  - match: '(a'\n"
			"  - {match: 'a.*'}\n"
			"  - {match: 'a.*', interval: 20s}\n"
			"  - {match: 'b.*', interval: 20s}\n"
			"  - {match: 'c', command: x, format: line, partitions: 1}\n",
	 "4:12: match: \"(a\" is no regular expression (POSIX extended): "
	 "Unmatched ( or \\(\n"
	 "6:5: topic \"a.*\": interval 20s, but topic \"a.*\" in line 5, with "
	 "which it shares one command (share: group), has 10s; make them equal\n"
	 "6:5: topic \"a.*\": stands here a second time for group \"g\" in "
	 "cluster \"default\"; the first is in line 5\n"
	 "7:5: topic \"b.*\": interval 20s, but topic \"a.*\" in line 5, with "
	 "which it shares one command (share: group), has 10s; make them equal\n"
	 "8:13: match: lines of \"format: line\" name no topics; give the "
	 "topic's \"name\"\n"},
	{"bastions",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, proxy_jump: 'me@b1:2222,[fd00::1]'}\n"
			"  - {name: b, proxy_jump: 'b1;id'}\n"
			"  - {name: c, proxy_jump: 'fd00::1'}\n",
	 "5:27: proxy_jump: \"b1;id\": the host is not understood; write it as "
	 "[USER@]HOST[:PORT]\n"
	 "6:27: proxy_jump: \"fd00::1\": an IPv6 address stands in brackets "
	 "here\n"},
	{"bastions, read to the end",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, proxy_jump: 'a b@h'}\n"
			"  - {name: b, proxy_jump: '[fd00::1'}\n"
			"  - {name: c, proxy_jump: '[a;b]:22'}\n"
			"  - {name: d, proxy_jump: 'h:ssh'}\n"
			"  - {name: e, proxy_jump: 'h:70000'}\n"
			"  - {name: f, proxy_jump: 'a,b,c,d,e,f,g,h,i'}\n",
	 "4:27: proxy_jump: \"a b@h\": the user is not understood; write it as "
	 "[USER@]HOST[:PORT]\n"
	 "5:27: proxy_jump: \"[fd00::1\": \"[\" without \"]\"\n"
	 "6:27: proxy_jump: \"[a;b]:22\": the host is not understood; write it as "
	 "[USER@]HOST[:PORT]\n"
	 "7:27: proxy_jump: \"h:ssh\": the port is not understood; write it as "
	 "[USER@]HOST[:PORT]\n"
	 "8:27: proxy_jump: \"h:70000\": a port is 1 to 65535\n"
	 "9:27: proxy_jump: 8 bastions at most, one behind the other\n"},
	{"the mirror's other side",
	 "defaults: {host: h, user: u, key_file: /k, cli: /c, group: g,\n"
	 "           bootstrap_server: 'b:9092'}\n"
	 "topics:\n"
	 "  - {name: a, target: {bootstrap_server: 'c:1', port: 23}}\n"
	 "  - {name: b, command: x, format: line, partitions: 1,\n"
	 "     target: {bootstrap_server: 'c:1', kafka_home: /k}}\n",
	 "4:23: target: \"kafka_home\" is missing, here and in the topic\n"
	 "4:23: target: \"port\", \"user\" and \"key_file\" are those of "
	 "\"host\", which is missing: the other side is looked at from the topic's own "
	 "host\n"
	 "6:14: target: goes with \"source: ssh\" and the CLI's table only\n"},
	{"brokers to the end",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, bootstrap_server: '" LONG_HOST
			":1', cluster: x}\n"
			"  - {name: b, cds_archive: '/a b'}\n"
			"brokers:\n"
			"  - {name: p, prometheus: 'http://h', min_rate: fast}\n"
			"  - {name: q, prometheus: 'http://h', min_rate: 1e5x}\n"
			"  - {name: r, prometheus: 'http://h', min_rate: 1-2}\n"
			"  - {name: s, prometheus: 'http://h', min_rate: -5}\n"
			"  - {name: t, prometheus: 'http://[::1]x'}\n",
	 "4:33: bootstrap_server: \"" LONG_60
	 "...\" is longer than a host name can be\n"
	 "5:28: cds_archive: \"/a b\": letters, digits and \"._/-+@\" only: the path "
	 "stands in an option of the JVM\n"
	 "7:49: min_rate: \"fast\" is no number; write it like 5000 or 0.5\n"
	 "8:49: min_rate: \"1e5x\" is no number; write it like 5000 or 0.5\n"
	 "9:49: min_rate: \"1-2\" is no number; write it like 5000 or 0.5\n"
	 "10:49: min_rate: -5 is too little; at least 0\n"
	 "11:27: prometheus: the URL's host is not understood; write "
	 "http://host:9200\n"},
	{"names of indices to the end",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch: {hosts: ['http://h'], index: ..}\n",
	 "4:45: index: Elasticsearch takes no index called \"..\"\n"},
	{"an index that begins like an internal one",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch: {hosts: ['http://h'], index: _lag}\n",
	 "4:45: index: \"_lag\": an index name does not begin with '_'\n"},
	{"an index with a name that is too long",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch: {hosts: ['http://h'], index: " LONG_HOST "}\n",
	 "4:45: index: an index name has at most 255 bytes, this one has 256\n"},
	{"patterns to the end",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {match: '(a|b)\\1'}\n"
			"  - {match: '" LONG_HOST LONG_HOST LONG_HOST LONG_HOST "x'}\n",
	 "4:13: match: \"(a|b)\\1\": a back-reference (\\1) is not supported; write out "
	 "what it may be: (aa|bb)\n"
	 "5:13: match: a pattern has 1 to 1000 bytes, this one has 1025\n"},
	{"lists, maps and their characters",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, known_hosts: {a: b}}\n"
			"  - {name: b, labels: {a: \"b\\x07\"}}\n"
			"  - {name: c, user: \"a\\tb\"}\n",
	 "4:28: known_hosts: is a list: [one, two]\n"
	 "5:27: labels: has a control character in it; remove it\n"
	 "6:21: user: has a control character, tab or line break in it; remove it\n"},
	{"escapes that a terminal would obey",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"\"x\\e[31my\\nz\": 1\n"
			"log: {level: \"a\\e[1mb\\nc\"}\n",
	 "4:1: unknown key \"x?[31my?z\"; the nearest that is known in the file is "
	 "\"history\"\n"
	 "5:14: level: \"a?[1mb?c\" is not known; it is one of error, warn, info, "
	 "debug\n"},
	{"defaults that are none",
	 "defaults: [a]\n"
	 "topics: [{name: a, source: exporter, url: 'http://h/m', group: g}]\n",
	 "1:11: defaults: is a section: its keys stand indented below it\n"},
	{"alerts and receivers",
	 TOPIC_DEFAULTS
	 "topics: [t]\n"
	 "alerts:\n"
	 "  quiet:\n"
	 "  - {days: [mon, tues], from: '22:00', to: '25:00', severity: loud}\n"
	 "  - {from: '1:00', to: '06:00', timezone: Mars/Olympus}\n"
	 "receivers:\n"
	 "- {name: a, type: alertmanager}\n"
	 "- {name: a, type: webhook, urls: ['http://x', 'http://y']}\n"
	 "- {name: p, type: pagerduty}\n"
	 "- {name: e, type: email, smtp: x, username: u}\n"
	 "- {name: c, type: command, severity: bad}\n",
	 "6:12: days: \"tues\" is none of mon tue wed thu fri sat sun\n"
	 "6:44: to: \"25:00\" is no time of day; write \"22:00\"\n"
	 "6:63: severity: \"loud\" is none of info, warning, critical\n"
	 "7:12: from: \"1:00\" is no time of day; write \"22:00\"\n"
	 "7:43: timezone: there is no time zone \"Mars/Olympus\" "
	 "(/usr/share/zoneinfo/Mars/Olympus; is the package tzdata installed?)\n"
	 "9:3: receiver \"a\": an alertmanager needs \"urls\", one for each "
	 "member\n"
	 "10:3: receiver \"a\" stands here a second time\n"
	 "10:3: receiver \"a\": needs \"url_file\", or one URL in \"urls\"\n"
	 "11:3: receiver \"p\": pagerduty needs \"routing_key_file\"\n"
	 "12:3: receiver \"e\": \"username\" and \"password_file\" need each "
	 "other\n"
	 "12:3: receiver \"e\": email needs \"smtp\", \"from\" and \"to\"\n"
	 "13:3: receiver \"c\": command needs \"argv\"\n"
	 "13:38: severity: \"bad\" is none of info, warning, critical\n"},
	{"what this version does not do",
	 TOPIC_DEFAULTS
	 "topics:\n"
	 "  - {name: abcd, proxy_jump: b, target: {host: x}, ssh_config: "
	 "true, url: 'http://x', thresholds: [{for: 1m}, {warning: 5, "
	 "critical: 2}, {of: time, warning: 5}, {warning: 5s}, {of: time, "
	 "warning: 5s, critical: 1m}]}\n"
	 "http: off\n"
	 "alerts: {}\n"
	 "receivers: []\n"
	 "brokers: [{name: x}]\n"
	 "heartbeat: {}\n",
	 "4:41: target: \"bootstrap_server\" is missing\n"
	 "4:100: a threshold needs \"warning\" or \"critical\"\n"
	 "4:106: warning: for: below two commit intervals of MirrorMaker "
	 "(120s) every tooth of the saw alerts; write 3m\n"
	 "4:111: \"critical\" is below \"warning\"\n"
	 "4:158: warning: 5 has no unit; write 5s\n"
	 "4:172: warning: \"5s\" is no number of messages; for a duration, "
	 "write `of: time` beside it\n"
	 "8:11: \"prometheus\" is missing in brokers\n"
	 "9:1: \"url_file\" is missing in heartbeat\n"},
	{"sources over HTTP",
	 "defaults: {group: g, url: 'http://h:1/metrics'}\n"
	 "topics:\n"
	 "  - {name: a, source: exporter, username: u}\n"
	 "  - {name: b, source: exporter, group: null}\n"
	 "  - {name: c, source: prometheus}\n"
	 "  - {name: d, source: exporter, command: x, share: topic}\n"
	 "  - {name: e, source: exporter, username: u, password_file: /p,\n"
	 "     token_file: /t}\n"
	 "  - {name: f, source: exporter, interval: 5s}\n"
	 "  - {name: i, source: exporter, interval: 6s}\n"
	 "  - {name: j, source: prometheus, query: q}\n"
	 "  - {name: k, source: exporter, url: 'http://u:p@h/metrics'}\n",
	 "1:27: warning: url: the token goes over the network in clear text; use "
	 "https://\n"
	 "3:5: topic \"a\": \"username\" and \"password_file\" go together\n"
	 "4:5: topic \"b\": \"group\" is missing; give it here or under defaults\n"
	 "5:5: topic \"c\": \"query\" is missing; give it here or under defaults\n"
	 "6:42: command: goes with \"source: ssh\" only\n"
	 "7:5: topic \"e\": \"username\" and \"token_file\" exclude each other\n"
	 "10:5: topic \"i\": interval 6s, but topic \"f\" in line 9, with which it shares "
	 "one command (share: group), has 5s; make them equal\n"
	 "12:38: url: no user and password in a URL; write them as \"username\" and "
	 "\"password_file\"\n"},
	{"sections that are none",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"log: debug\n"
			"spool: [a]\n"
			"clusters: {a: b}\n"
			"http: on\n"
			"elasticsearch:\n",
	 "4:6: log: is a section: its keys stand indented below it\n"
	 "5:8: spool: is a section: its keys stand indented below it\n"
	 "6:11: clusters: is a list: begin each entry with \"- \"\n"
	 "7:7: http: is a section: its keys stand indented below it; or "
	 "`off`\n"},
	{"pages for everybody",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"http: {listen: '0.0.0.0:9308', client_ca_file: /x}\n",
	 "4:32: \"client_ca_file\" needs \"cert_file\" beside it\n"},
	{"pages for everybody, by name",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"http: {listen: 'mm:9308', names: [mm]}\n",
	 "4:16: listen: mm:9308 can be reached from elsewhere: name a "
	 "\"token_file\", a \"client_ca_file\", or \"trusted\" networks\n"},
	{"a network that is none",
	 TOPIC_DEFAULTS
	 "topics: [a]\n"
	 "http: {listen: '[::]:9308', trusted: [10.0.0.0/8, '::1', 10.0.0.1/33, "
	 "a/8]}\n",
	 "4:58: trusted: \"10.0.0.1/33\" is no network; write it like 10.0.0.0/8 or "
	 "fd00::/8\n"
	 "4:71: trusted: \"a/8\" is no network; write it like 10.0.0.0/8 or fd00::/8\n"},
	{"a token that all can read",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"x: 1\n"
			"http: {listen: '[::]:9308', token_file: /x}\n",
	 "4:1: unknown key \"x\"; the nearest that is known in the file is \"log\"\n"
	 "5:16: warning: listen: the token goes over the network in clear text; use "
	 "\"cert_file\" and \"key_file\"\n"},
	{"hosts and names of elasticsearch",
	 TOPIC_DEFAULTS
	 "topics: [a]\n"
	 "elasticsearch:\n"
	 "  hosts: ['http://u:p@h:9200', 'es:9200', 'ftp://x', 'http://', "
	 "'http://h:99999', 'http://h/x?y', 'http://h:9200/', 'http://h//x']\n"
	 "  index: Consumer\n"
	 "  username: u\n"
	 "  client_cert_file: /x\n"
	 "  ca_fingerprint: abc\n"
	 "  bulk: {max_documents: 0}\n",
	 "5:11: hosts: no user and password in a URL; write them as "
	 "\"username\" and \"password_file\"\n"
	 "5:32: hosts: \"es:9200\" is no URL; write http://es:9200 or "
	 "https://es:9200\n"
	 "5:43: hosts: \"ftp://x\": only http:// and https:// are spoken\n"
	 "5:54: hosts: the URL lacks a host\n"
	 "5:65: hosts: \"99999\" is no port (1 to 65535)\n"
	 "5:83: hosts: \"http://h/...\": a URL here ends with the host, the "
	 "port, or a plain path, without '?', '#', quotes or blanks\n"
	 "5:117: hosts: \"http://h/...\": the path is not plain; leave out '//' "
	 "and '/.'\n"
	 "6:10: index: \"Consumer\": an index name is in lower case\n"
	 "7:3: \"username\" needs \"password_file\" beside it\n"
	 "8:3: \"client_cert_file\" needs \"client_key_file\" beside it\n"
	 "9:19: ca_fingerprint: a SHA-256 fingerprint has 64 hexadecimal "
	 "digits, with or without ':' between the bytes\n"
	 "10:25: max_documents: 0 is too little; at least 1\n"},
	{"too many credentials",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch: {hosts: [], username: u, password_file: /p, "
			"api_key_file: /a, index: 'x-{yyyy}'}\n",
	 "4:24: hosts: is an empty list; name one, or remove the key\n"
	 "4:60: \"username\" and \"api_key_file\" exclude each other; keep "
	 "one\n"
	 "4:85: index: \"x-{yyyy}\": in an index name only {yyyy.MM} and "
	 "{yyyy.MM.dd} are known\n"},
	{"elasticsearch without hosts",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch: {index: 'x y'}\n",
	 "4:1: \"hosts\" is missing in elasticsearch\n"
	 "4:24: index: \"x y\": an index name has no ' '\n"},
	{"a key in clear text",
	 TOPIC_DEFAULTS
	 "topics: [a]\n"
	 "elasticsearch: {hosts: ['http://localhost:9200', "
	 "'http://127.0.0.1', 'https://x', 'http://x', 'http://[::1]:1'], "
	 "api_key_file: /a, index: 'x-{yyyy.MM.dd}-y'}\n",
	 "4:83: warning: hosts: the API key goes over the network in clear "
	 "text; use https://\n"},
	{"a name that only begins like the loopback's addresses",
	 TOPIC_DEFAULTS "topics: [a]\n"
			"elasticsearch: {hosts: ['http://127.example.com', "
			"'http://LocalHost:1'], api_key_file: /a}\n",
	 "4:25: warning: hosts: the API key goes over the network in clear "
	 "text; use https://\n"},
	{"passwords of pages in clear text",
	 TOPIC_DEFAULTS
	 "topics:\n"
	 "  - {name: a, source: exporter, url: 'http://x/metrics', token_file: /t}\n"
	 "  - {name: b, source: exporter, url: 'http://127.0.0.1/m', token_file: /t}\n"
	 "  - {name: c, source: exporter, url: 'http://x/metrics'}\n"
	 "brokers:\n"
	 "  - {name: p, prometheus: 'http://p:9090', username: u, "
	 "password_file: /p}\n"
	 "  - {name: q, prometheus: 'https://p:9090', token_file: /t}\n",
	 "4:38: warning: url: the token goes over the network in clear text; use "
	 "https://\n"
	 "8:27: warning: prometheus: the password goes over the network in clear "
	 "text; use https://\n"},
	{"keys of another type of receiver",
	 TOPIC_DEFAULTS
	 "topics: [a]\n"
	 "receivers:\n"
	 "  - {name: h, type: webhook, urls: ['http://h'], username: u, "
	 "password_file: /p}\n"
	 "  - {name: a, type: alertmanager, urls: ['http://h'], url_file: /u}\n"
	 "  - {name: c, type: command, argv: [x], to: [y]}\n"
	 "  - {name: s, type: slack, url_file: /u, template_file: /t}\n",
	 "5:50: warning: \"username\" is of use with type email only\n"
	 "6:55: warning: \"url_file\" is of use with type webhook, slack and "
	 "pagerduty only\n"
	 "7:41: warning: \"to\" is of use with type email only\n"},
	{"labels and env",
	 TOPIC_DEFAULTS "topics:\n"
			"  - {name: a, labels: {a.b: c}}\n"
			"  - {name: b, labels: [x]}\n"
			"  - {name: c, env: {A-B: c}}\n"
			"  - {name: d, env: {A: }}\n",
	 "4:29: labels: \"a.b\" is no label name: letters, digits, '_' and "
	 "'-', at most 64\n"
	 "5:23: labels: is a map: {NAME: value}\n"
	 "6:26: env: \"A-B\" is no name of an environment variable\n"
	 "7:24: env: has no value; give it one, or remove the key\n"},
	{"no topics", "log: {}\n", "1:1: \"topics\" is missing in the file\n"},
	{"an empty list of topics", "topics: []\n",
	 "1:9: topics: is an empty list; name at least one topic\n"},
	{"topics without a value", "topics:\n",
	 "1:1: \"topics\" is missing in the file\n"},
	{"topics as a map",
	 TOPIC_DEFAULTS "topics:\n"
			"  a: {}\n",
	 "4:3: topics: is a list: begin each entry with \"- \"\n"},
	{"topics as a text", TOPIC_DEFAULTS "topics: a\n",
	 "3:9: topics: is a list: begin each entry with \"- \"\n"},
};

static void all_errors_are_told_at_once_with_place_and_advice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf said = BUF_INIT(100000);
		struct config *c = parse(rows[i].text, &said);

		if (strcmp(buf_str(&said), rows[i].said) != 0)
			fail_msg("%s:\n%s-- instead of\n%s", rows[i].label,
				 buf_str(&said), rows[i].said);
		config_unref(c);
		buf_free(&said);
	}
}

static void a_syntax_error_stands_alone(void **state)
{
	struct buf said = BUF_INIT(1000);

	(void)state;
	assert_null(parse("foo: 1\nfoo: 2\ntopics: [\n", &said));
	assert_string_equal(buf_str(&said),
			    "4:1: the file ends inside [ ] or { }; close it\n");
	buf_free(&said);
}

static void a_thousand_mistakes_end_the_list(void **state)
{
	struct buf text = BUF_INIT(1 << 20), said = BUF_INIT(1 << 20);
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "key%d: x\n", i);
	assert_null(parse(buf_str(&text), &said));
	for (const char *p = buf_str(&said); *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1001);
	assert_int_equal(strncmp(said.data, "0:0: there is more", 18), 0);
	buf_free(&text);
	buf_free(&said);
}

static void a_secret_is_not_repeated(void **state)
{
	static const char *const texts[] = {
		"elasticsearch: {hosts: ['http://u:hunter2@h:9200']}\n",
		"elasticsearch: {password: hunter2}\n",
		"elasticsearch: {hosts: ['u:hunter2@h:9200']}\n",
		"brokers: [{name: b, prometheus: 'http://u:hunter2@h'}]\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf said = BUF_INIT(10000);

		assert_null(parse(texts[i], &said));
		assert_null(strstr(buf_str(&said), "hunter2"));
		assert_true(said.len > 0);
		buf_free(&said);
	}
}

static void a_name_of_250_characters_is_too_long(void **state)
{
	struct buf text = BUF_INIT(1000), said = BUF_INIT(1000);

	(void)state;
	buf_addstr(&text, TOPIC_DEFAULTS "topics:\n  - ");
	for (int i = 0; i < 249; i++)
		buf_addch(&text, 'x');
	config_unref(parse(buf_str(&text), &said));
	assert_string_equal(buf_str(&said), "");
	buf_addch(&text, 'x');
	assert_null(parse(buf_str(&text), &said));
	assert_string_equal(buf_str(&said), "4:5: name: a topic name has at most 249 "
					    "characters, this one has 250\n");
	buf_free(&text);
	buf_free(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_errors_are_told_at_once_with_place_and_advice),
		cmocka_unit_test(a_syntax_error_stands_alone),
		cmocka_unit_test(a_thousand_mistakes_end_the_list),
		cmocka_unit_test(a_secret_is_not_repeated),
		cmocka_unit_test(a_name_of_250_characters_is_too_long),
	};

	unsetenv("NO_SUCH_VARIABLE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
