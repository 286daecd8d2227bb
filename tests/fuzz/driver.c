/* SPDX-License-Identifier: MIT
 * driver: a main for the fuzz harnesses that needs no fuzzer. Its arguments are files
 * and directories of inputs; each is fed whole, then cut short and with bits and bytes
 * changed, the same way in every run. A harness fails by crashing: this program then
 * prints no "ok". */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include "banned.h"

#define FILE_MAX (16u << 20)
#define VARIANTS 64 /* of each kind: cut, bit, byte */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *current = ""; /* the file in hand, for who looks at a core */

/* xorshift64*: the same numbers everywhere. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* An exact copy on the heap, so that a sanitizer sees each byte read beyond its end. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_calloc(size, 1);

	if (size > 0)
		memcpy(copy, data, size);
	if (LLVMFuzzerTestOneInput(copy, size) != 0)
		fprintf(stderr, "# %s: the harness refused the input\n", current);
	free(copy);
}

static unsigned long feed_variants(uint8_t *data, size_t size)
{
	uint64_t random = 88172645463325252;
	unsigned long inputs = 1;

	feed(data, size);
	for (size_t i = 0; i < VARIANTS && i < size; i++, inputs += 3) {
		/* a short input is cut at each place, a long one here and there */
		size_t cut = size <= VARIANTS ? i : next_random(&random) % size;
		size_t bit = next_random(&random) % size;
		size_t byte = next_random(&random) % size;
		uint8_t bit_was = data[bit];
		uint8_t byte_was;

		feed(data, cut);
		data[bit] ^= (uint8_t)(1u << (next_random(&random) % 8));
		feed(data, size);
		data[bit] = bit_was;
		byte_was = data[byte];
		data[byte] = (uint8_t)next_random(&random);
		feed(data, size);
		data[byte] = byte_was;
	}
	return inputs;
}

static unsigned long feed_file(const char *path)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;
	unsigned long inputs = 0;
	uint8_t none = 0;

	current = path;
	if (file_read(path, &b, &err) != 0)
		fprintf(stderr, "# %s: %s\n", path, err.text);
	else
		inputs = feed_variants(b.data != NULL ? (uint8_t *)b.data : &none,
				       b.len);
	buf_free(&b);
	return inputs;
}

static unsigned long walk(const char *path)
{
	struct dirent **entry = NULL;
	unsigned long inputs = 0;
	struct stat st;
	int n;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "# %s: %m\n", path);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return feed_file(path);
	n = scandir(path, &entry, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.') {
			char *below = mem_printf("%s/%s", path, entry[i]->d_name);

			inputs += walk(below);
			free(below);
		}
		free(entry[i]);
	}
	free(entry);
	return inputs;
}

int main(int argc, char **argv)
{
	unsigned long inputs = 0;
	const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;

	printf("1..1\n");
	fflush(stdout); /* the plan stands even where the harness crashes */
	for (int i = 1; i < argc; i++)
		inputs += walk(argv[i]);
	if (inputs == 0) {
		printf("not ok 1 - no inputs to replay\n");
		return 1;
	}
	printf("ok 1 - replays %lu inputs%s%s\n", inputs, name != NULL ? ": " : "",
	       name != NULL ? name + 1 : "");
	return 0;
}
