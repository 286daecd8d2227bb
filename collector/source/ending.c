/* SPDX-License-Identifier: MIT
 * ending: see ending_int.h. */
#include "source/ending_int.h"

#include <stdio.h>
#include <string.h>

#include "banned.h"

/* The end of the text without a full stop, since more is said behind it, and without
 * the line in which sudo tells of a failure once more. */
static size_t trim(const char *text, size_t len)
{
	static const char echo[] = "\nsudo: error initializing";
	const char *line;

	while (len > 0 && strchr("\r\n .", text[len - 1]) != NULL)
		len--;
	line = memrchr(text, '\n', len);
	if (line != NULL && strncmp(line, echo, strlen(echo)) == 0)
		return trim(text, (size_t)(line - text));
	return len;
}

/* The last line that says something, for a message. */
static void last_words(const char *text, size_t len, char *out, size_t size)
{
	size_t begin;

	len = trim(text, len);
	for (begin = len; begin > 0 && text[begin - 1] != '\n'; begin--)
		;
	if (len - begin >= size)
		len = begin + size - 1;
	snprintf(out, size, "%.*s", (int)(len - begin), text + begin);
}

/* sshd asks for a new password before it runs anything, and there is nobody to type. */
static bool wants_password(const char *words)
{
	return strstr(words, "Password change required") != NULL;
}

static enum reason reason_of_exit(int code, const char *words)
{
	if (wants_password(words))
		return REASON_SSH_AUTH;
	if (strstr(words, "No space left on device") != NULL)
		return REASON_HOST_DISK_FULL;
	if (code == 126 || code == 127)
		return REASON_CLI_MISSING;
	return REASON_COMMAND_ENDED;
}

/* What sudo says, and what to do about it. */
static const struct {
	const char *words, *advice;
} sudo_words[] = {
	{"not found", "; `run_as` needs sudo on the host"},
	{"unknown user", "; the host has no user of the name in `run_as`"},
	{"have a tty", "; `run_as` needs sudoers without requiretty for this user"},
	{"", "; `run_as` needs a rule in the host's sudoers that lets this user run "
	     "bash as the other one without a password (NOPASSWD)"},
};

/* What to do about sudo or a password, where their words are the last ones. */
static const char *advice(const char *run_as, const char *words)
{
	size_t i = 0;

	if (wants_password(words))
		return "; the password of this login has expired on the host: change it "
		       "there, or let it never expire (chage -M -1)";
	if (run_as == NULL || strstr(words, "sudo") == NULL)
		return "";
	while (strstr(words, sudo_words[i].words) == NULL)
		i++;
	return sudo_words[i].advice;
}

enum reason ending_tell(const struct ssh *ssh, const char *stray, const char *run_as,
			char out[ENDING_TEXT])
{
	char words[200], how[32] = "by a signal";
	int code = ssh_exit_code(ssh);
	size_t len;
	const char *err = ssh_stderr(ssh, &len);

	last_words(err, len, words, sizeof(words));
	if (*words == '\0')
		last_words(stray, strlen(stray), words, sizeof(words));
	if (code >= 0)
		snprintf(how, sizeof(how), "with code %d", code);
	snprintf(out, ENDING_TEXT, "the remote command ended %s%s%s%s", how,
		 *words ? ": " : "", words, advice(run_as, words));
	return reason_of_exit(code, words);
}
