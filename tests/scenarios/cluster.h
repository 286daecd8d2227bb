/* SPDX-License-Identifier: MIT
 * cluster: the Elasticsearch of a scenario. It has the symbols of http/http, which it
 * replaces, and understands what a shipper asks: is the index there, create it, _bulk
 * with op type create. It is strict: what a real server would refuse is a complaint.
 * One thread. */
#ifndef MMLAG_SCENARIOS_CLUSTER_H
#define MMLAG_SCENARIOS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/clock.h"

/* `es WORDS…` of a scenario. Returns 0, or -1 when it makes no sense. */
int cluster_command(char **words, size_t n);

/* A stored document; lives as long as the index. */
struct cluster_document {
	char *index, *id;
	json_t *source;
	struct wall t; /* its @timestamp */
};

/* In order of arrival. */
size_t cluster_count(void);
const struct cluster_document *cluster_at(size_t i);

/* Was the index made by a PUT with a mapping (1), by a bulk (0), or is it not (-1)? */
int cluster_index_kind(const char *index);

/* What was answered, in answers that reached the asker whole. */
struct cluster_figures {
	int64_t stored, conflicts, refused; /* items */
	int64_t requests, bulks;
	int64_t largest_bulk; /* items */
};
struct cluster_figures cluster_figures(void);

void cluster_fini(void);

#endif
