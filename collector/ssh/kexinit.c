/* SPDX-License-Identifier: MIT
 * kexinit: what a server offers, so that "no common algorithm" can be said with names.
 */
#include <string.h>

#include "ssh/ssh_int.h"

#include "banned.h"

#define SSH_MSG_KEXINIT 20

/* Behind the identification line, which may follow others. */
static bool skip_banner(struct wire *w)
{
	while (w->left > 0) {
		const unsigned char *end = memchr(w->p, '\n', w->left);
		bool banner = w->left >= 4 && memcmp(w->p, "SSH-", 4) == 0;

		if (end == NULL)
			return false;
		wire_bytes(w, (size_t)(end - w->p) + 1);
		if (banner)
			return true;
	}
	return false;
}

int kexinit_read(const struct buf *bytes, struct kexinit *k)
{
	struct wire w = {(const unsigned char *)buf_str(bytes), bytes->len, false};
	struct span type;

	if (!skip_banner(&w))
		return -1;
	wire_u32(&w);      /* the packet's length */
	wire_bytes(&w, 1); /* and its padding's */
	type = wire_bytes(&w, 1);
	if (type.len != 1 || type.p[0] != SSH_MSG_KEXINIT)
		return -1;
	wire_bytes(&w, 16); /* cookie */
	k->kex = wire_string(&w);
	k->hostkey = wire_string(&w);
	k->cipher = wire_string(&w);
	wire_string(&w); /* the other direction: the same in practice */
	k->mac = wire_string(&w);
	return w.failed ? -1 : 0;
}
