/* SPDX-License-Identifier: MIT
 * keys: the table of all keys. A row says what a key is called, of which type, where
 * its value goes, its default and range, what a change of it restarts, whether this
 * version acts upon it, and a sentence of help. Everything else is worked out from the
 * rows. */
#include <limits.h>

#include "config/check_int.h"
#include "config/schema_int.h"

#include "banned.h"

#define AT(s, m) .offset = offsetof(struct s, m), .size = sizeof(((struct s *)0)->m)
/* A pointer whose count stands right behind it. */
#define LIST(s, m, count)                                                              \
	.offset = offsetof(struct s, m) +                                              \
		  0 * sizeof(char[offsetof(struct s, count) == offsetof(struct s, m) + \
								       sizeof(void *)  \
					  ? 1                                          \
					  : -1])
#define SECTION(var, heading, rows, type, present_at, off_at) \
	static const struct section var = {                   \
		.title = (heading),                           \
		.keys = (rows),                               \
		.n = ARRAY_LEN(rows),                         \
		.size = sizeof(struct type),                  \
		.present = (present_at),                      \
		.off = (off_at),                              \
	}
#define LIVE .reload = RELOAD_LIVE
#define RESTART .reload = RELOAD_RESTART

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

static const char *const host_keys[] = {"strict", "accept-new", "SHA256:…", NULL};
static const char *const sources[] = {"ssh", "exporter", "prometheus", NULL};
static const char *const formats[] = {"table", "line", NULL};
static const char *const shares[] = {"topic", "group", NULL};
static const char *const threshold_on[] = {"partition", "topic", "group", NULL};
static const char *const threshold_of[] = {"messages", "time", NULL};
static const char *const compressions[] = {"none", "gzip", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "logfmt", "json", NULL};
static const char *const receiver_types[] = {
	"alertmanager", "webhook", "slack", "pagerduty", "email", "command", NULL};

static const struct key target_keys[] = {
	{"host", KEY_STRING, AT(config_target, host), .check = check_host,
	 .help = "Where the mirror's other side is looked at: the topic's own host where it "
		 "is not given, else a session of its own on another one."},
	{"port", KEY_INT, AT(config_target, port), .min = 1, .max = 65535,
	 .automatic = "the topic's", .help = "Of the SSH server of `target.host`."},
	{"user", KEY_STRING, AT(config_target, user), .check = check_word,
	 .automatic = "the topic's", .help = "To log in as on `target.host`."},
	{"key_file", KEY_SECRET, AT(config_target, key_file),
	 .automatic = "the topic's", .help = "Private key for `target.host`."},
	{"kafka_home", KEY_PATH, AT(config_target, kafka_home), .check = check_absolute,
	 .help = "Kafka's directory for that; of Kafka 3.0 or newer one run serves all "
		 "topics. The topic's own where it is not given."},
	{"bootstrap_server", KEY_STRING, AT(config_target, bootstrap_server),
	 .check = check_bootstrap,
	 .help = "Brokers of the other side, host:port. Needed."},
	{"command_config", KEY_PATH, AT(config_target, command_config),
	 .help = "Client properties for the other side."},
	{"topic", KEY_STRING, AT(config_target, topic), .def = "{topic}",
	 .help = "Name of the topic over there."},
};
SECTION(target, "topics.target", target_keys, config_target,
	offsetof(struct config_target, set), NOWHERE);

static const struct key threshold_keys[] = {
	{"on", KEY_ENUM, AT(config_threshold, on), .names = threshold_on,
	 .def = "partition",
	 .help = "What is compared: each partition, the topic's sum, or the group's."},
	{"of", KEY_ENUM, AT(config_threshold, of), .names = threshold_of,
	 .def = "messages", .help = "Lag in messages or in time."},
	{"warning", KEY_LEVEL, AT(config_threshold, warning), .max = INT64_MAX,
	 .help = "Level of a warning: a number, or a duration with `of: time`."},
	{"critical", KEY_LEVEL, AT(config_threshold, critical), .max = INT64_MAX,
	 .help = "Level of a critical alert."},
	{"leave", KEY_SHARE, AT(config_threshold, leave), .def = "80%",
	 .help = "Share of the level below which an alert ends."},
	{"for", KEY_DURATION, AT(config_threshold, for_ms), .def = "3m", .max = YEAR,
	 .help = "How long before it fires; below two commit intervals (2m) every "
		 "tooth of the saw alerts."},
};
SECTION(thresholds, "topics.thresholds", threshold_keys, config_threshold, NOWHERE,
	NOWHERE);

static const struct key rules_keys[] = {
	{"window", KEY_DURATION, AT(config_topic, rules.window_ms), .def = "10m",
	 .min = 10 * SECOND, .max = 7 * DAY,
	 .help = "What is looked back at for a verdict."},
	{"min_distance", KEY_DURATION, AT(config_topic, rules.min_distance_ms),
	 .def = "1s", .max = HOUR,
	 .help = "Offsets closer in time than this count as one."},
	{"allowed_lag", KEY_INT, AT(config_topic, rules.allowed_lag), .def = "0",
	 .max = INT64_MAX, .help = "A lag up to this is always OK, in messages."},
	{"minimum_complete", KEY_SHARE, AT(config_topic, rules.minimum_complete),
	 .def = "0.5",
	 .help = "Share of the window that must be filled before it is judged."},
};
SECTION(rules, "topics.rules", rules_keys, config_topic, NOWHERE, NOWHERE);

static const struct key objective_keys[] = {
	{"lag_max", KEY_INT, AT(config_topic, objective.lag_max), .def = "10000",
	 .max = INT64_MAX, .help = "The largest lag that is within the objective."},
	{"share", KEY_SHARE, AT(config_topic, objective.share), .def = "99.5%",
	 .help = "Share of the time in which it is to be met."},
	{"over", KEY_DURATION, AT(config_topic, objective.over_ms), .def = "30d",
	 .min = HOUR, .max = YEAR, .help = "The time that is looked at."},
};
SECTION(objective, "topics.objective", objective_keys, config_topic,
	offsetof(struct config_topic, objective.set), NOWHERE);

static const struct key topic_keys[] = {
	{"name", KEY_STRING, AT(config_topic, name), .check = check_topic,
	 .help = "The topic. An entry that is only a name stands for this key."},
	{"match", KEY_STRING, AT(config_topic, match), .check = check_match,
	 .help = "Instead of a name: a regular expression (POSIX extended, over the whole "
		 "name) that finds topics in the group's own output."},
	{"cluster", KEY_STRING, AT(config_topic, cluster), .def = "default",
	 .help = "Name of the source cluster; topics of different brokers need "
		 "different ones."},
	{"group", KEY_STRING, AT(config_topic, group),
	 .help = "MirrorMaker's consumer group. Needed unless `command` is given."},
	{"partitions", KEY_INT, AT(config_topic, partitions), .min = 1, .max = 100000,
	 .help = "Expected number of partitions."},
	{"labels", KEY_PAIRS, LIST(config_topic, labels, label_count),
	 .check = check_label,
	 .help = "Go into each document as labels.NAME; added to those of `defaults`."},
	{"host", KEY_STRING, AT(config_topic, host), .check = check_host,
	 .help = "The MirrorMaker host, by name or address. Needed with `source: ssh`; "
		 "otherwise it is that of `url`."},
	{"port", KEY_INT, AT(config_topic, port), .def = "22", .min = 1, .max = 65535,
	 .help = "Of its SSH server."},
	{"user", KEY_STRING, AT(config_topic, user), .check = check_word,
	 .help = "To log in as. Needed with `source: ssh` unless `ssh_config` is true."},
	{"key_file", KEY_SECRET, AT(config_topic, key_file),
	 .help = "Private key, in any usual format. Needed unless `agent` or "
		 "`ssh_config` is true."},
	{"passphrase_file", KEY_SECRET, AT(config_topic, passphrase_file),
	 .help = "Holds the passphrase of the key."},
	{"agent", KEY_BOOL, AT(config_topic, agent), .def = "false",
	 .help = "Let the SSH agent ($SSH_AUTH_SOCK) sign."},
	{"known_hosts", KEY_STRINGS, AT(config_topic, known_hosts), .check = check_path,
	 .automatic = "`<state_dir>/known_hosts`, `/etc/ssh/ssh_known_hosts`",
	 .help = "Files of host keys; the first one is added to."},
	{"host_key", KEY_HOST_KEY, AT(config_topic, host_key), .names = host_keys,
	 .def = "strict",
	 .help = "Refuse unknown hosts, accept them once, or pin one fingerprint."},
	{"proxy_jump", KEY_STRING, AT(config_topic, proxy_jump), .check = check_jump,
	 .help = "Bastions to go through, [USER@]HOST[:PORT] separated by commas, by "
		 "OpenSSH's ssh."},
	{"ssh_config", KEY_BOOL, AT(config_topic, ssh_config), .def = "false",
	 .help = "Take what `ssh -G` says of the host, where this file does not say it."},
	{"run_as", KEY_STRING, AT(config_topic, run_as), .check = check_word,
	 .help = "Run as this user, by sudo without a password."},
	{"watchdog", KEY_DURATION, AT(config_topic, watchdog_ms), .def = "4s",
	 .min = 2 * SECOND, .max = MINUTE,
	 .help = "The host ends the command when it has not heard from us for so "
		 "long."},
	{"source", KEY_ENUM, AT(config_topic, source), .names = sources, .def = "ssh",
	 .help = "Where samples come from: the CLI over SSH, another program's metrics "
		 "page, or a query of Prometheus."},
	{"kafka_home", KEY_PATH, AT(config_topic, kafka_home), .check = check_absolute,
	 .help = "Kafka's directory on the host. This, `cli` or `command` is needed."},
	{"cli", KEY_PATH, AT(config_topic, cli),
	 .automatic = "`<kafka_home>/bin/kafka-consumer-groups.sh`",
	 .help = "The command that describes consumer groups."},
	{"env", KEY_PAIRS, LIST(config_topic, env, env_count), .check = check_variable,
	 .help = "Environment of the command; added to that of `defaults`."},
	{"bootstrap_server", KEY_STRING, AT(config_topic, bootstrap_server),
	 .check = check_bootstrap,
	 .help = "Brokers of the source cluster, host:port. Needed unless `command` is "
		 "given."},
	{"command_config", KEY_PATH, AT(config_topic, command_config),
	 .help = "Client properties on the host, absolute or relative to kafka_home."},
	{"target", KEY_SECTION, AT(config_topic, target), .section = &target,
	 .help = "The mirror's other side: what does not arrive there is seen."},
	{"url", KEY_STRING, AT(config_topic, url), .check = check_url,
	 .help = "Of the exporter's page, with its path, or of Prometheus."},
	{"query", KEY_TEXT, AT(config_topic, query),
	 .help = "Instant query for `source: prometheus`; its series have `topic` and "
		 "`partition`, and their values are lags."},
	{"username", KEY_STRING, AT(config_topic, username),
	 .help = "For `url`, with password_file; `user` is SSH's."},
	{"password_file", KEY_SECRET, AT(config_topic, password_file),
	 .help = "Holds the password for `url`."},
	{"token_file", KEY_SECRET, AT(config_topic, token_file),
	 .help = "Holds a bearer token for `url`."},
	{"ca_file", KEY_FILE, AT(config_topic, ca_file), .automatic = "the system's",
	 .help = "Certificates that are trusted at `url` (PEM)."},
	{"command", KEY_LITERAL, AT(config_topic, command),
	 .help = "Your own remote command, taken literally."},
	{"format", KEY_ENUM, AT(config_topic, format), .names = formats,
	 .automatic = "table; needed with `command`",
	 .help = "What the command prints: the CLI's table, or a sample a line for "
		 "ever."},
	{"cds_archive", KEY_PATH, AT(config_topic, cds_archive),
	 .check = check_plain_path,
	 .help = "A file on the host for an archive of the CLI's classes, made and renewed "
		 "there by Java 13 or later: nearly halves a run. Writes on the host."},
	{"interval", KEY_DURATION, AT(config_topic, interval_ms), .min = SECOND,
	 .max = DAY,
	 .automatic =
		 "10s; with `share: topic` at least 2s times the topics of the host",
	 .help = "From the begin of one run to the begin of the next."},
	{"timeout", KEY_DURATION, AT(config_topic, timeout_ms), .def = "60s",
	 .min = SECOND, .max = HOUR, .help = "Bound of one run."},
	{"share", KEY_ENUM, AT(config_topic, share), .names = shares,
	 .automatic = "topic; group with `match` and with other sources than ssh",
	 .help = "A remote command for each topic, or one for all topics of the "
		 "group."},
	{"thresholds", KEY_SECTIONS, LIST(config_topic, thresholds, threshold_count),
	 .section = &thresholds, .help = "Levels of lag that alert."},
	{"rules", KEY_SECTION, .section = &rules, .help = "How windows are judged."},
	{"objective", KEY_SECTION, .section = &objective,
	 .help = "Service level objective."},
};
const struct section schema_topic = {
	.title = "topics",
	.keys = topic_keys,
	.n = ARRAY_LEN(topic_keys),
	.size = sizeof(struct config_topic),
	.present = NOWHERE,
	.off = NOWHERE,
	.bare = "name",
	.fallback = "defaults",
};

static const struct key bulk_keys[] = {
	{"max_documents", KEY_INT, AT(config_elastic, bulk_documents), LIVE,
	 .def = "1000", .min = 1, .max = 50000, .help = "Documents of one request."},
	{"max_bytes", KEY_SIZE, AT(config_elastic, bulk_bytes), LIVE, .def = "5MiB",
	 .min = 16 * KIB, .max = 100 * MIB,
	 .help = "Size of one request, before gzip."},
	{"max_delay", KEY_DURATION, AT(config_elastic, bulk_delay_ms), LIVE,
	 .def = "1s", .max = MINUTE, .help = "How long new documents are gathered."},
};
SECTION(bulk, "elasticsearch.bulk", bulk_keys, config_elastic, NOWHERE, NOWHERE);

static const struct key elastic_keys[] = {
	{"hosts", KEY_STRINGS, AT(config_elastic, hosts), LIVE, .required = true,
	 .check = check_url, .help = "URLs of the nodes, without user and password."},
	{"index", KEY_STRING, AT(config_elastic, index), LIVE, .def = "consumer_lag",
	 .check = check_index,
	 .help = "May hold {yyyy.MM} or {yyyy.MM.dd}: the document's day in UTC."},
	{"mapping_file", KEY_FILE, AT(config_elastic, mapping_file), LIVE,
	 .automatic = "built in", .help = "Body for the creation of an index."},
	{"username", KEY_STRING, AT(config_elastic, username), LIVE,
	 .help = "With password_file."},
	{"password_file", KEY_SECRET, AT(config_elastic, password_file), LIVE,
	 .help = "Holds the password."},
	{"api_key_file", KEY_SECRET, AT(config_elastic, api_key_file), LIVE,
	 .help = "Holds an API key, instead of username and password."},
	{"client_cert_file", KEY_FILE, AT(config_elastic, client_cert_file), LIVE,
	 .help = "Client certificate (PEM)."},
	{"client_key_file", KEY_SECRET, AT(config_elastic, client_key_file), LIVE,
	 .help = "Its private key."},
	{"ca_file", KEY_FILE, AT(config_elastic, ca_file), LIVE,
	 .automatic = "the system's", .help = "Certificates that are trusted (PEM)."},
	{"ca_fingerprint", KEY_STRING, AT(config_elastic, ca_fingerprint), LIVE,
	 .check = check_fingerprint,
	 .help = "SHA-256 of a CA that is trusted, in hex."},
	{"insecure_skip_verify", KEY_BOOL, AT(config_elastic, insecure_skip_verify),
	 LIVE, .def = "false", .help = "Do not look at the certificate. For tests."},
	{"compression", KEY_ENUM, AT(config_elastic, gzip), LIVE, .names = compressions,
	 .def = "gzip", .help = "Of requests."},
	{"timeout", KEY_DURATION, AT(config_elastic, timeout_ms), LIVE, .def = "30s",
	 .min = SECOND / 10, .max = 10 * MINUTE, .help = "Bound of one request."},
	{"bulk", KEY_SECTION, .section = &bulk, LIVE, .help = "Size of bulk requests."},
};
SECTION(elasticsearch, "elasticsearch", elastic_keys, config_elastic,
	offsetof(struct config_elastic, set), NOWHERE);

static const struct key spool_keys[] = {
	{"max_bytes", KEY_SIZE, AT(config, spool.max_bytes), RESTART, .def = "1GiB",
	 .min = 64 * KIB, .max = TIB,
	 .help = "Documents that wait; then the oldest go."},
	{"max_age", KEY_DURATION, AT(config, spool.max_age_ms), RESTART, .def = "7d",
	 .min = SECOND, .max = YEAR, .help = "Older ones are given up."},
	{"min_free", KEY_SIZE, AT(config, spool.min_free), RESTART, .def = "512MiB",
	 .max = TIB, .help = "Space of the file system that is left alone."},
};
SECTION(spool, "spool", spool_keys, config, NOWHERE, NOWHERE);

static const struct key history_keys[] = {
	{"max_bytes", KEY_SIZE, AT(config, history.bytes), RESTART, .def = "256MiB",
	 .max = TIB, .help = "Samples kept for the status page."},
	{"max_age", KEY_DURATION, AT(config, history.age_ms), RESTART, .def = "30d",
	 .min = SECOND, .max = 10 * YEAR, .help = "Older ones are dropped."},
};
SECTION(history, "history", history_keys, config, NOWHERE, NOWHERE);

static const struct key dead_keys[] = {
	{"max_bytes", KEY_SIZE, AT(config, dead_letters.bytes), RESTART, .def = "64MiB",
	 .max = TIB, .help = "Documents that were refused for good."},
	{"max_age", KEY_DURATION, AT(config, dead_letters.age_ms), RESTART,
	 .def = "30d", .min = SECOND, .max = 10 * YEAR,
	 .help = "Older ones are dropped."},
};
SECTION(dead_letters, "dead_letters", dead_keys, config, NOWHERE, NOWHERE);

static const struct key http_keys[] = {
	{"listen", KEY_STRING, AT(config_http, listen), LIVE, .def = "127.0.0.1:9308",
	 .check = check_listen, .help = "Address and port of the pages."},
	{"names", KEY_STRINGS, AT(config_http, names), LIVE, .check = check_host,
	 .help = "Host names under which they are asked for."},
	{"token_file", KEY_SECRET, AT(config_http, token_file), LIVE,
	 .help = "Token for readers from elsewhere, and for changes."},
	{"trusted", KEY_STRINGS, AT(config_http, trusted), LIVE, .check = check_network,
	 .help = "Networks (CIDR) that may read without a token."},
	{"cert_file", KEY_FILE, AT(config_http, cert_file), LIVE,
	 .help = "Certificate of the server (PEM)."},
	{"key_file", KEY_SECRET, AT(config_http, key_file), LIVE,
	 .help = "Its private key."},
	{"client_ca_file", KEY_FILE, AT(config_http, client_ca_file), LIVE,
	 .help = "Who has a certificate of this CA (PEM) may read without a token."},
};
SECTION(http, "http", http_keys, config_http, NOWHERE,
	offsetof(struct config_http, off));

static const struct key log_keys[] = {
	{"level", KEY_ENUM, AT(config, log_level), LIVE, .names = log_levels,
	 .def = "info", .help = "What is logged, on standard error."},
	{"format", KEY_ENUM, AT(config, log_format), LIVE, .names = log_formats,
	 .def = "text", .help = "Lines for readers, logfmt, or JSON in ECS form."},
};
SECTION(logging, "log", log_keys, config, NOWHERE, NOWHERE);

static const struct key cluster_keys[] = {
	{"name", KEY_STRING, AT(config_cluster, name), .required = true,
	 .help = "Of the cluster, as topics have it."},
	{"bootstrap_server", KEY_STRING, AT(config_cluster, bootstrap_server),
	 .required = true, .check = check_bootstrap,
	 .help = "One way to write its brokers; one entry for each way."},
};
SECTION(clusters, "clusters", cluster_keys, config_cluster, NOWHERE, NOWHERE);

static const struct key broker_keys[] = {
	{"name", KEY_STRING, AT(config_broker, name), LIVE, .required = true,
	 .help = "Of the watch."},
	{"prometheus", KEY_STRING, AT(config_broker, prometheus), LIVE,
	 .required = true, .check = check_url, .help = "URL of the Prometheus server."},
	{"username", KEY_STRING, AT(config_broker, username), LIVE,
	 .help = "With password_file."},
	{"password_file", KEY_SECRET, AT(config_broker, password_file), LIVE,
	 .help = "Holds the password."},
	{"token_file", KEY_SECRET, AT(config_broker, token_file), LIVE,
	 .help = "Holds a bearer token."},
	{"ca_file", KEY_FILE, AT(config_broker, ca_file), LIVE,
	 .automatic = "the system's", .help = "Certificates that are trusted (PEM)."},
	{"query", KEY_TEXT, AT(config_broker, query), LIVE,
	 .automatic = "messages in per second",
	 .help = "Query for rates by instance and topic."},
	{"min_rate", KEY_REAL, AT(config_broker, min_rate), LIVE, .def = "100",
	 .max = INT64_MAX,
	 .help = "A mean below it is a warning, messages per second."},
	{"interval", KEY_DURATION, AT(config_broker, interval_ms), LIVE, .def = "1m",
	 .min = SECOND, .max = DAY, .help = "How often it is asked."},
	{"for", KEY_DURATION, AT(config_broker, for_ms), LIVE, .def = "5m", .max = YEAR,
	 .help = "How long before it fires."},
};
SECTION(brokers, "brokers", broker_keys, config_broker, NOWHERE, NOWHERE);

static const struct key quiet_keys[] = {
	{"days", KEY_STRINGS, AT(config_quiet, days), LIVE,
	 .help = "mon tue wed thu fri sat sun; every day when left out."},
	{"from", KEY_STRING, AT(config_quiet, from), LIVE, .required = true,
	 .help = "Begin, as \"22:00\"."},
	{"to", KEY_STRING, AT(config_quiet, to), LIVE, .required = true,
	 .help = "End, as \"06:00\"."},
	{"timezone", KEY_STRING, AT(config_quiet, timezone), LIVE, .def = "UTC",
	 .help = "Of both, as Europe/Berlin."},
	{"severity", KEY_STRING, AT(config_quiet, severity), LIVE, .def = "warning",
	 .help = "Alerts up to this are held back."},
};
SECTION(quiet, "alerts.quiet", quiet_keys, config_quiet, NOWHERE, NOWHERE);

static const struct key alerts_keys[] = {
	{"builtin", KEY_BOOL, AT(config, alerts.builtin), LIVE, .def = "true",
	 .help = "The alerts that need no configuration."},
	{"group_wait", KEY_DURATION, AT(config, alerts.group_wait_ms), LIVE,
	 .def = "30s", .max = DAY,
	 .help = "How long alerts are gathered into one message."},
	{"repeat", KEY_DURATION, AT(config, alerts.repeat_ms), LIVE, .def = "4h",
	 .min = MINUTE, .max = YEAR, .help = "A lasting alert is sent again."},
	{"quiet", KEY_SECTIONS, LIST(config, alerts.quiet, alerts.quiet_count), LIVE,
	 .section = &quiet, .help = "Times without messages."},
};
SECTION(alerts, "alerts", alerts_keys, config, NOWHERE, NOWHERE);

static const struct key receiver_keys[] = {
	{"name", KEY_STRING, AT(config_receiver, name), LIVE, .required = true,
	 .help = "Of the receiver."},
	{"type", KEY_ENUM, AT(config_receiver, type), LIVE, .required = true,
	 .names = receiver_types, .help = "How it is told."},
	{"urls", KEY_STRINGS, AT(config_receiver, urls), LIVE, .check = check_url,
	 .help = "Every Alertmanager; or the one URL of another receiver."},
	{"url_file", KEY_SECRET, AT(config_receiver, url_file), LIVE,
	 .help = "Holds the URL, where that is a secret."},
	{"routing_key_file", KEY_SECRET, AT(config_receiver, routing_key_file), LIVE,
	 .help = "Holds PagerDuty's routing key."},
	{"smtp", KEY_STRING, AT(config_receiver, smtp), LIVE,
	 .help = "Mail server, host:port, or smtps://host."},
	{"from", KEY_STRING, AT(config_receiver, from), LIVE, .check = check_word,
	 .help = "Sender of mails."},
	{"to", KEY_STRINGS, AT(config_receiver, to), LIVE, .check = check_word,
	 .help = "Who gets mails."},
	{"username", KEY_STRING, AT(config_receiver, username), LIVE,
	 .help = "At the mail server, with password_file."},
	{"password_file", KEY_SECRET, AT(config_receiver, password_file), LIVE,
	 .help = "Holds the password; it is sent over TLS only."},
	{"argv", KEY_STRINGS, AT(config_receiver, argv), LIVE,
	 .help = "Program and arguments; no shell; JSON on its standard input."},
	{"severity", KEY_STRING, AT(config_receiver, severity), LIVE, .def = "warning",
	 .help = "From this on."},
	{"template_file", KEY_FILE, AT(config_receiver, template_file), LIVE,
	 .help = "Words of the message."},
	{"timeout", KEY_DURATION, AT(config_receiver, timeout_ms), LIVE, .def = "10s",
	 .min = SECOND / 10, .max = 10 * MINUTE, .help = "Bound of one message."},
};
SECTION(receivers, "receivers", receiver_keys, config_receiver, NOWHERE, NOWHERE);

static const struct key heartbeat_keys[] = {
	{"url_file", KEY_SECRET, AT(config, heartbeat.url_file), LIVE, .required = true,
	 .help = "Holds the URL of a dead man's switch."},
	{"interval", KEY_DURATION, AT(config, heartbeat.interval_ms), LIVE, .def = "1m",
	 .min = SECOND, .max = DAY,
	 .help = "How often it is called, while sampling and shipping make progress."},
};
SECTION(heartbeat, "heartbeat", heartbeat_keys, config,
	offsetof(struct config, heartbeat.set), NOWHERE);

static const struct key root_keys[] = {
	{"elasticsearch", KEY_SECTION, AT(config, elastic), LIVE,
	 .section = &elasticsearch,
	 .help = "Where documents go. Without it they stay in the spool."},
	{"defaults", KEY_DEFAULTS, .section = &schema_topic,
	 .help = "Keys of topics, for all topics that do not have them."},
	{"topics", KEY_SECTIONS, LIST(config, topics, topic_count),
	 .section = &schema_topic, .required = true,
	 .help = "What is watched: names, or maps of keys."},
	{"state_dir", KEY_PATH, AT(config, state_dir), RESTART,
	 .automatic = "`$STATE_DIRECTORY`, else `/var/lib/mmlag`",
	 .help = "Directory of the spool and of known_hosts."},
	{"spool", KEY_SECTION, RESTART, .section = &spool,
	 .help = "Documents that wait."},
	{"history", KEY_SECTION, RESTART, .section = &history,
	 .help = "Samples for the status page."},
	{"dead_letters", KEY_SECTION, RESTART, .section = &dead_letters,
	 .help = "Documents that Elasticsearch refused."},
	{"http", KEY_SECTION, AT(config, http), LIVE, .section = &http,
	 .help = "Pages and metrics, or `off`."},
	{"log", KEY_SECTION, LIVE, .section = &logging,
	 .help = "Lines on standard error."},
	{"clusters", KEY_SECTIONS, LIST(config, clusters, cluster_count),
	 .section = &clusters, .help = "Several ways to write one cluster's brokers."},
	{"brokers", KEY_SECTIONS, LIST(config, brokers, broker_count), LIVE,
	 .section = &brokers, .help = "Message rates of brokers, from Prometheus."},
	{"alerts", KEY_SECTION, LIVE, .section = &alerts, .help = "When to tell."},
	{"receivers", KEY_SECTIONS, LIST(config, receivers, receiver_count), LIVE,
	 .section = &receivers, .help = "Whom to tell."},
	{"heartbeat", KEY_SECTION, LIVE, .section = &heartbeat,
	 .help = "Tells a dead man's switch that all is well."},
};
const struct section schema_root = {
	.title = "the file",
	.keys = root_keys,
	.n = ARRAY_LEN(root_keys),
	.size = sizeof(struct config),
	.present = NOWHERE,
	.off = NOWHERE,
};
