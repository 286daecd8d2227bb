/* SPDX-License-Identifier: MIT
 * config: the configuration as the program uses it: an immutable, reference-counted
 * value. Every topic is complete (defaults applied, relative paths resolved, automatic
 * values worked out); nobody looks anything up later. Durations are milliseconds, sizes
 * bytes, shares 0..1. Strings that are not set are NULL. */
#ifndef MMLAG_CONFIG_CONFIG_H
#define MMLAG_CONFIG_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "lag/assess.h"

struct config_pair { /* labels, env */
	char *name, *value;
};

struct config_strings {
	char **v;
	size_t n;
};

enum host_key_policy { HOST_KEY_STRICT, HOST_KEY_ACCEPT_NEW, HOST_KEY_PINNED };
enum source_kind { SOURCE_SSH, SOURCE_EXPORTER, SOURCE_PROMETHEUS };
enum share { SHARE_TOPIC, SHARE_GROUP };
enum stream_format { FORMAT_TABLE, FORMAT_LINE };
enum threshold_on { THRESHOLD_PARTITION, THRESHOLD_TOPIC, THRESHOLD_GROUP };
enum threshold_of { THRESHOLD_MESSAGES, THRESHOLD_TIME };

struct config_threshold {
	enum threshold_on on;
	enum threshold_of of;
	double warning, critical; /* messages or ms; NAN: none */
	double leave;             /* share of the level at which it ends, 0.8 */
	int64_t for_ms;
};

struct config_target {
	bool set;
	char *host; /* NULL: the topic's own */
	int port;   /* 0, NULL: as the topic's */
	char *user, *key_file;
	char *kafka_home, *bootstrap_server, *command_config, *topic;
};

struct config_topic {
	int line; /* in the file, of the entry under topics: */
	/* what */
	char *name;  /* or NULL with */
	char *match; /* an anchored regular expression (POSIX extended) */
	char *cluster, *group;
	bool says_cluster, says_group; /* another entry could be taken for it without */
	int partitions;                /* expected number, 0 unknown */
	struct config_pair *labels;
	size_t label_count;
	/* where */
	char *host; /* of url, where the source is not ssh */
	int port;
	char *user, *key_file, *passphrase_file;
	bool agent;
	struct config_strings known_hosts; /* the first is the one appended to */
	enum host_key_policy host_key;
	char *host_key_pin; /* "SHA256:…" */
	char *proxy_jump;
	bool ssh_config; /* what `ssh -G` says of the host fills in what is not given */
	bool port_explicit, known_hosts_explicit, host_key_explicit;
	char *run_as;
	int64_t watchdog_ms;
	/* how */
	enum source_kind source;
	char *kafka_home;
	char *cli; /* path of kafka-consumer-groups.sh on the host, worked out */
	struct config_pair *env;
	size_t env_count;
	char *bootstrap_server;
	char *command_config; /* absolute, or relative to kafka_home as joined here */
	struct config_target target;
	char *url, *query;
	char *username, *password_file, *token_file, *ca_file; /* for url */
	char *command; /* the user's own, literally; NULL for ours */
	enum stream_format format;
	char *cds_archive;
	/* when */
	int64_t interval_ms;
	bool interval_explicit;
	int64_t timeout_ms;
	enum share share;
	/* judgement */
	struct config_threshold *thresholds;
	size_t threshold_count;
	struct assess_rules rules;
	struct {
		bool set;
		int64_t lag_max;
		double share;
		int64_t over_ms;
	} objective;
};

struct config_elastic {
	bool set; /* the section is there */
	struct config_strings hosts;
	char *index, *mapping_file;
	char *username, *password_file, *api_key_file;
	char *client_cert_file, *client_key_file, *ca_file, *ca_fingerprint;
	bool insecure_skip_verify, gzip;
	int64_t timeout_ms;
	int64_t bulk_documents, bulk_bytes, bulk_delay_ms;
};

struct config_http {
	bool off;
	char *listen;
	struct config_strings names, trusted;
	char *token_file, *cert_file, *key_file, *client_ca_file;
};

struct config_cluster {
	char *name, *bootstrap_server;
};

struct config_broker {
	char *name, *prometheus, *query;
	char *username, *password_file, *token_file, *ca_file;
	double min_rate;
	int64_t interval_ms, for_ms;
};

struct config_quiet {
	struct config_strings days;
	char *from, *to, *timezone, *severity;
};

enum receiver_type {
	RECEIVER_ALERTMANAGER,
	RECEIVER_WEBHOOK,
	RECEIVER_SLACK,
	RECEIVER_PAGERDUTY,
	RECEIVER_EMAIL,
	RECEIVER_COMMAND,
};

struct config_receiver {
	char *name;
	enum receiver_type type;
	struct config_strings urls, argv, to;
	char *url_file, *routing_key_file, *smtp, *from, *username, *password_file;
	char *severity, *template_file;
	int64_t timeout_ms;
};

/* A local file that a value names, for config_check_files. */
struct config_file {
	const char *key; /* a static name */
	char *path;
	bool secret;
	int line, column; /* of the value */
};

struct config {
	char *path; /* of the file */
	char *state_dir;
	struct config_topic *topics;
	size_t topic_count;
	struct config_elastic elastic;
	struct {
		int64_t max_bytes, max_age_ms, min_free;
	} spool;
	struct {
		int64_t bytes, age_ms;
	} history, dead_letters;
	struct config_http http;
	enum log_level log_level;
	enum log_format log_format;
	struct config_cluster *clusters;
	size_t cluster_count;
	struct config_broker *brokers;
	size_t broker_count;
	struct {
		bool builtin;
		int64_t group_wait_ms, repeat_ms;
		struct config_quiet *quiet;
		size_t quiet_count;
	} alerts;
	struct config_receiver *receivers;
	size_t receiver_count;
	struct {
		bool set; /* the section is there */
		char *url_file;
		int64_t interval_ms;
	} heartbeat;
	/* config's own */
	struct config_file *files;
	size_t file_count;
	atomic_uint refs;
};

/* One finding about a file. */
struct config_finding {
	int line, column; /* from 1; 0 for the whole file */
	bool warning;
	char *text; /* what is wrong and what to do; no file name, no place in it */
};

struct config_findings {
	struct config_finding *v;
	size_t n;
};

/* Read and check a file. Returns 0 and *out (to be let go with config_unref), or
 * ERR_PERMANENT with *out NULL. The findings, errors and warnings in order of place,
 * are filled in in both cases; the caller frees them.
 * @thread main */
NODISCARD int config_load(const char *path, struct config **out,
			  struct config_findings *findings, struct err *err);
void config_findings_free(struct config_findings *f);

/* The same for a text that is in memory already; `path` is only its name.
 * @thread main */
NODISCARD int config_parse(const char *path, const char *text, size_t len,
			   struct config **out, struct config_findings *findings,
			   struct err *err);

/* Look at the files that the configuration names: secrets as file_check_secret does,
 * the others for being readable. What is wrong is added to `findings`, in order of
 * place.
 * @thread main */
void config_check_files(const struct config *c, struct config_findings *findings);

/* Write the whole configuration, defaults and automatic values worked out, as JSON that
 * config_load reads as the same. Secrets appear as the names of their files only.
 * @thread main */
void config_print(const struct config *c, struct buf *out);

/* Share and let go; the last one frees.  @thread any */
struct config *config_ref(struct config *c);
void config_unref(struct config *c); /* NULL is legal */

/* All keys with type, range, default, unit, reload class and help, as the reference in
 * the manual has them.
 * @thread main */
void config_print_reference(struct buf *out);

/* The same as a JSON Schema (draft 7), for editors; one line.  @thread main */
void config_print_schema(struct buf *out);

/* A duration as the configuration has it ("90d", "1h30m") in ms; ERR_REJECT.
 * @thread any */
NODISCARD int config_duration(const char *text, int64_t *ms, struct err *err);

#endif
