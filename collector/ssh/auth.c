/* SPDX-License-Identifier: MIT
 * auth: logging in with a key. Who signs: libssh2 where it can (library_can), OpenSSL
 * for RSA, an agent for the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/reason.h"
#include "ssh/agent_int.h"
#include "ssh/keyfile_int.h"
#include "ssh/rsakey_int.h"
#include "ssh/ssh_int.h"

#include "banned.h"

#define SHA2_VERSION 0x010b00 /* the first libssh2 with RSA and SHA-2 */
#define GCM_VERSION 0x010b01  /* … that decrypts keys with AES-GCM */
#define AGENT_KEYS_MAX 64
#define AGENT_TRIES 5 /* sshd hangs up after six */

/* One public key, and who signs for it. */
struct signer {
	struct link *link;
	struct span blob; /* as the far end and an agent know it */
	EVP_PKEY *rsa;    /* signs, or else */
	struct agent *agent;
	struct err err;
};

/* The algorithm in the bytes that are to be signed. */
static struct span algorithm_of(struct span data)
{
	struct wire w = {data.p, data.len, false};

	wire_string(&w);   /* session */
	wire_bytes(&w, 1); /* message */
	wire_string(&w);   /* user */
	wire_string(&w);   /* service */
	wire_string(&w);   /* method */
	wire_bytes(&w, 1); /* signed */
	return wire_string(&w);
}

static int sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
		const unsigned char *data, size_t data_len, void **abstract)
{
	struct signer *s = *abstract;
	struct span bytes = {data, data_len};
	struct span algorithm = algorithm_of(bytes);
	struct buf out = BUF_INIT(65536);
	int rc = s->rsa != NULL ? rsakey_sign(s->rsa, algorithm, bytes, &out)
				: agent_sign(s->agent, s->blob, algorithm, bytes, &out,
					     &s->err);

	(void)session;
	if (rc != 0) {
		buf_free(&out);
		return -1;
	}
	*sig_len = out.len;
	*sig = (unsigned char *)buf_take(&out); /* the library frees it with free() */
	return 0;
}

/* The ways in that the server has for this user, now that the key did not do; "" when
 * that cannot be told. It counts as no further failure of the connection. */
static void ways_in(const struct link *l, const char *user, char *out, size_t size)
{
	const char *list =
		libssh2_userauth_list(l->session, user, (unsigned)strlen(user));

	snprintf(out, size, "%.*s", (int)size - 1, list != NULL ? list : "");
}

/* `rc` of the library tells whether the server minded the key, or what came behind. */
static int refused(const struct link *l, const struct config_topic *t, int rc,
		   struct span blob, struct err *err)
{
	bool proved = rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
	char key[FINGERPRINT_TEXT + 1] = "", ways[100], what[300];
	bool takes_keys;

	if (blob.len > 0) {
		key[0] = ' ';
		wire_fingerprint(blob.p, blob.len, key + 1);
	}
	ways_in(l, t->user, ways, sizeof(ways));
	takes_keys = *ways == '\0' || strstr(ways, "publickey") != NULL;
	if (proved && !takes_keys)
		snprintf(what, sizeof(what),
			 "is right, but the server wants more (AuthenticationMethods): "
			 "%s; only a key can be given",
			 ways);
	else if (!takes_keys)
		snprintf(what, sizeof(what), "is of no use: the server takes only %s",
			 ways);
	else if (proved)
		snprintf(what, sizeof(what),
			 "is right, but the user may not log in with it "
			 "(PermitRootLogin, AllowUsers, an account that has expired?); "
			 "sshd's log has the reason");
	else
		snprintf(what, sizeof(what),
			 "is refused: is it in ~%.60s/.ssh/authorized_keys there? "
			 "sshd's log has the reason",
			 t->user);
	return err_set_code(err, ERR_PERMANENT, REASON_SSH_AUTH,
			    "%s: user %s: the key %s%s %s", l->name, t->user,
			    t->key_file, key, what);
}

/* The library has one code for a signature that did not do, for a key that it cannot
 * read and for a link that broke: only its words tell them apart. */
static bool says(const struct link *l, const char *words)
{
	char *text = NULL;

	(void)libssh2_session_last_error(l->session, &text, NULL, 0);
	return text != NULL && strncmp(text, words, strlen(words)) == 0;
}

static bool is_refused(const struct link *l, int rc)
{
	return rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED ||
	       says(l, "Invalid signature");
}

static bool is_cut(const struct link *l)
{
	return l->receive_errno != 0 || l->wait_failed != 0;
}

/* Did the server hang up, whether or not it said so? */
static bool hung_up(const struct link *l, int rc)
{
	return !is_cut(l) &&
	       (l->closed || rc == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
		says(l, "Waiting for USERAUTH") || says(l, "Waiting for publickey"));
}

/* After the signature nothing is left for a server to mind but the account. */
static int broken(struct link *l, const struct config_topic *t, int rc, struct err *err)
{
	if (is_cut(l) || !says(l, "Waiting for publickey")) {
		l->closed = l->closed || hung_up(l, rc);
		return link_error(l, "log-in", err);
	}
	return err_set_code(
		err, ERR_PERMANENT, REASON_SSH_AUTH,
		"%s: user %s: the key%s%s is right, but the server closed the "
		"connection then: an account that has expired, or no log-ins "
		"for now (/etc/nologin)? sshd's log has the reason",
		l->name, t->user, t->agent ? "" : " ", t->agent ? "" : t->key_file);
}

/* Before 1.11 the library takes the algorithm's name from the head of the blob, and so
 * can be made to announce SHA-2; OpenSSH understands. From 1.11 on it knows by itself.
 */
static int make_announced(struct span blob, struct buf *out)
{
	struct wire w = {blob.p, blob.len, false};
	struct span type = wire_string(&w);

	if (span_is(type, "ssh-rsa") && libssh2_version(SHA2_VERSION) == NULL)
		wire_add_string(out, "rsa-sha2-512", strlen("rsa-sha2-512"));
	else
		wire_add_string(out, type.p, type.len);
	buf_add(out, w.p, w.left);
	return w.failed || out->failed ? -1 : 0;
}

/* LIBSSH2_ERROR_… */
static int try_signer(struct signer *s, const char *user)
{
	struct buf blob = BUF_INIT(65536);
	void *abstract = s;
	int rc = LIBSSH2_ERROR_AUTHENTICATION_FAILED;

	if (make_announced(s->blob, &blob) == 0)
		rc = libssh2_userauth_publickey(s->link->session, user,
						(unsigned char *)blob.data, blob.len,
						sign, &abstract);
	buf_free(&blob);
	return rc;
}

static int login_with_signer(struct link *l, const struct config_topic *t,
			     struct signer *s, struct err *err)
{
	int rc = try_signer(s, t->user);

	if (rc == 0)
		return 0;
	if (s->err.class != ERR_OK) {
		*err = s->err;
		return err->class;
	}
	if (is_refused(l, rc))
		return refused(l, t, rc, s->blob, err);
	return broken(l, t, rc, err);
}

static bool library_can(const struct keyfile *k)
{
	if (k->rsa)
		return libssh2_version(SHA2_VERSION) != NULL;
	if (k->openssh && k->encrypted && strstr(k->cipher, "-ctr") == NULL &&
	    strstr(k->cipher, "-cbc") == NULL)
		return libssh2_version(GCM_VERSION) != NULL &&
		       strstr(k->cipher, "-gcm") != NULL;
	return true;
}

static int login_by_library(struct link *l, const struct config_topic *t,
			    const struct keyfile *k, struct err *err)
{
	struct span blob = {(unsigned char *)buf_str(&k->blob), k->blob.len};
	int rc = libssh2_userauth_publickey_frommemory(l->session, t->user,
						       strlen(t->user), NULL, 0,
						       k->text.data, k->text.len,
						       buf_str(&k->passphrase));

	if (rc == 0)
		return 0;
	if (is_refused(l, rc))
		return refused(l, t, rc, blob, err);
	if (is_cut(l) || hung_up(l, rc))
		return broken(l, t, rc, err);
	if (k->encrypted && k->openssh)
		return err_set_code(
			err, ERR_PERMANENT, REASON_SSH_AUTH,
			"key %s cannot be decrypted: passphrase_file is not its "
			"passphrase",
			t->key_file);
	return err_set_code(
		err, ERR_PERMANENT, REASON_SSH_AUTH,
		"key %s is of a kind that libssh2 %s cannot use: use an ed25519, "
		"ecdsa or RSA key",
		t->key_file, libssh2_version(0));
}

static int login_by_private_agent(struct link *l, const struct config_topic *t,
				  const struct keyfile *k, struct err *err)
{
	struct agent agent;
	struct signer s = {.link = l,
			   .blob = {(unsigned char *)buf_str(&k->blob), k->blob.len},
			   .agent = &agent,
			   .err = ERR_INIT};
	int rc = agent_open_private(&agent, k, &l->wait, err);

	if (rc == 0)
		rc = login_with_signer(l, t, &s, err);
	agent_close(&agent);
	return rc;
}

static int login_with_file(struct link *l, const struct config_topic *t,
			   struct err *err)
{
	struct keyfile k;
	int rc = keyfile_open(&k, t->key_file, t->passphrase_file, err);

	if (rc != 0)
		return rc;
	if (library_can(&k)) {
		rc = login_by_library(l, t, &k, err);
	} else if (k.rsa_key != NULL) {
		struct signer s = {.link = l,
				   .blob = {(unsigned char *)buf_str(&k.blob),
					    k.blob.len},
				   .rsa = k.rsa_key,
				   .err = ERR_INIT};

		rc = login_with_signer(l, t, &s, err);
	} else {
		rc = login_by_private_agent(l, t, &k, err);
	}
	keyfile_fini(&k);
	return rc;
}

/* Types that the signature path can carry: no certificates, no hardware keys. */
static bool is_usable(struct span blob)
{
	static const char *const usable[] = {"ssh-ed25519", "ssh-rsa",
					     "ecdsa-sha2-nistp256",
					     "ecdsa-sha2-nistp384",
					     "ecdsa-sha2-nistp521"};
	struct wire w = {blob.p, blob.len, false};
	struct span type = wire_string(&w);

	for (size_t i = 0; i < ARRAY_LEN(usable); i++)
		if (span_is(type, usable[i]))
			return true;
	return false;
}

/* Try what the agent has, or only the key that key_file names by its public half. */
static int login_with_agent(struct link *l, const struct config_topic *t,
			    struct err *err)
{
	struct span blobs[AGENT_KEYS_MAX];
	struct agent agent;
	struct buf wanted = BUF_INIT(65536);
	int rc = agent_open(&agent, &l->wait, err), tried = 0, n = 0;

	if (rc == 0)
		rc = n = agent_keys(&agent, blobs, AGENT_KEYS_MAX, err);
	if (rc < 0)
		goto out;
	if (t->key_file != NULL && keyfile_public(t->key_file, &wanted) != 0)
		buf_reset(&wanted);
	rc = LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	for (int i = 0; i < n && tried < AGENT_TRIES; i++) {
		struct signer s = {.link = l,
				   .blob = blobs[i],
				   .agent = &agent,
				   .err = ERR_INIT};

		if (!is_usable(blobs[i]) ||
		    (wanted.len > 0 &&
		     (wanted.len != blobs[i].len ||
		      memcmp(wanted.data, blobs[i].p, wanted.len) != 0)))
			continue;
		tried++;
		rc = try_signer(&s, t->user);
		if (rc == 0)
			goto out;
		if (s.err.class == ERR_AGAIN || is_cut(l) || hung_up(l, rc))
			break;
	}
	/* A server that hangs up after several keys has counted them. */
	if (wake_stopping(l->wait.wake))
		rc = err_set(err, ERR_AGAIN, "told to stop");
	else if (is_cut(l) || (tried == 1 && hung_up(l, rc)))
		rc = broken(l, t, rc, err);
	else
		rc = err_set_code(
			err, ERR_PERMANENT, REASON_SSH_AUTH,
			"%s: user %s: none of the %d keys tried out of ssh-agent's "
			"%d is accepted; with more than %d, name one in key_file",
			l->name, t->user, tried, n, AGENT_TRIES);
out:
	agent_close(&agent);
	buf_free(&wanted);
	return rc;
}

int auth_login(struct link *l, const struct config_topic *t, struct err *err)
{
	if (t->agent)
		return login_with_agent(l, t, err);
	if (t->key_file != NULL)
		return login_with_file(l, t, err);
	return err_set_code(err, ERR_PERMANENT, REASON_SSH_AUTH,
			    "%s: user %s: neither key_file nor agent is set", l->name,
			    t->user);
}
