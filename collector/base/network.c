/* SPDX-License-Identifier: MIT */
#include "base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "banned.h"

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void map(struct address *out, const void *v4)
{
	memcpy(out->bytes, mapped, sizeof(mapped));
	memcpy(out->bytes + sizeof(mapped), v4, 4);
}

int address_parse(const char *text, struct address *out)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		map(out, &v4);
		return 0;
	}
	return inet_pton(AF_INET6, text, out->bytes) == 1 ? 0 : -1;
}

int address_of(const struct sockaddr *sa, struct address *out)
{
	switch (sa->sa_family) {
	case AF_INET:
		map(out, &((const struct sockaddr_in *)(const void *)sa)->sin_addr);
		return 0;
	case AF_INET6:
		memcpy(out->bytes,
		       &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
		return 0;
	default:
		return -1;
	}
}

bool address_is_loopback(const struct address *a)
{
	static const unsigned char one[16] = {[15] = 1};

	if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0)
		return a->bytes[12] == 127;
	return memcmp(a->bytes, one, sizeof(one)) == 0;
}

int network_parse(const char *text, struct network *out)
{
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	int width;
	long bits;
	char *end;

	if (n >= sizeof(address))
		return -1;
	memcpy(address, text, n);
	address[n] = '\0';
	if (address_parse(address, &out->address) != 0)
		return -1;
	width = strchr(address, ':') != NULL ? 128 : 32;
	bits = width;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return -1;
		bits = strtol(slash + 1, &end, 10);
		if (*end != '\0' || bits > width)
			return -1;
	}
	out->bits = 128 - width + (int)bits;
	return 0;
}

bool network_has(const struct network *n, const struct address *a)
{
	int whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->address.bytes, a->bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 ||
	       (n->address.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}
