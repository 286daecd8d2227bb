/* SPDX-License-Identifier: MIT
 * network: addresses and networks of IPv4 and IPv6 in one form: 16 bytes, IPv4 mapped
 * into IPv6. */
#ifndef MMLAG_BASE_NETWORK_H
#define MMLAG_BASE_NETWORK_H

#include <stdbool.h>
#include <sys/socket.h>

struct address {
	unsigned char bytes[16];
};

struct network {
	struct address address;
	int bits; /* of the 128 */
};

/* A plain address, IPv6 without brackets. Returns 0, or -1 when it is none.
 * @thread any */
int address_parse(const char *text, struct address *out);

/* The address of a socket's end. Returns 0, or -1 when the family is another.
 * @thread any */
int address_of(const struct sockaddr *sa, struct address *out);

/* 127.0.0.0/8 or ::1.  @thread any */
bool address_is_loopback(const struct address *a);

/* "10.0.0.0/8", "fd00::/8", or an address alone. Returns 0 or -1.  @thread any */
int network_parse(const char *text, struct network *out);

/* @thread any */
bool network_has(const struct network *n, const struct address *a);

#endif
