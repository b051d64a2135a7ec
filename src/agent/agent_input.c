/*
 * What an agent is given to read: its action, the options of the configuration,
 * and the secrets from their files. A secret stands nowhere else: not in an
 * argument, not in the log; what an agent prints is quoted without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent_i.h"
#include "hawatch/str.h"

static bool
input_wrong(struct agent_input *in, const char *path, const char *why)
{
	(void)snprintf(in->wrong, sizeof(in->wrong), "%.80s: %s", path, why);
	return false;
}

static void
input_line(
    struct agent_input *in, const char *key, size_t key_len, const char *value)
{
	size_t room = sizeof(in->text) - in->len;
	int n = snprintf(
	    in->text + in->len, room, "%.*s=%s\n", (int)key_len, key, value);

	if (n < 0 || (size_t)n >= room)
		(void)input_wrong(in, "its options", "too long");
	else
		in->len += (size_t)n;
}

/* Nobody but its owner, who is this process's user, may read it. */
static bool
input_secret_open(struct agent_input *in, const char *path, int *fd)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd == -1)
		return input_wrong(in, path,
		    errno == ENOENT ? "it is not there" :
		    errno == ELOOP  ? "it is a link; name the file itself" :
				      "it cannot be read");
	if (fstat(*fd, &st) == -1 || !S_ISREG(st.st_mode))
		return input_wrong(in, path, "it is no file");
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return input_wrong(
		    in, path, "others may read it; chmod 600 and chown root");
	return true;
}

/* One line, with or without its end. */
static bool
input_secret_read(
    struct agent_input *in, const char *path, char *secret, size_t size)
{
	ssize_t n;
	int fd;
	bool ok = input_secret_open(in, path, &fd);

	n = ok ? read(fd, secret, size - 1) : -1;
	if (fd != -1)
		close(fd);
	if (!ok)
		return false;
	if (n <= 0 || n == (ssize_t)size - 1)
		return input_wrong(in, path, "it is empty, or too long");
	secret[n] = '\0';
	if (secret[n - 1] == '\n')
		secret[n - 1] = '\0';
	if (secret[0] == '\0' || strlen(secret) < (size_t)n - 1 ||
	    strchr(secret, '\n') != NULL)
		return input_wrong(in, path, "it is not one line of text");
	return true;
}

void
agent_input_make(struct agent_input *in, const struct conf_agent *conf,
    enum agent_action action)
{
	const char *eq;
	int i;

	memset(in, 0, sizeof(*in));
	if (conf->agent[0] == '\0') /* a command reads nothing */
		return;
	input_line(in, "action", 6, agent_action_str(action));
	for (i = 0; conf->options[i] != NULL; i++) {
		eq = strchr(conf->options[i], '=');
		input_line(in, conf->options[i],
		    (size_t)(eq - conf->options[i]), eq + 1);
	}
	for (i = 0; conf->secrets[i] != NULL && in->wrong[0] == '\0'; i++) {
		eq = strchr(conf->secrets[i], '=');
		if (input_secret_read(
			in, eq + 1, in->secret[i], sizeof(in->secret[i])))
			input_line(in, conf->secrets[i],
			    (size_t)(eq - conf->secrets[i]), in->secret[i]);
	}
}

/* Where the last line that says something begins, and its length. */
static const char *
quote_last(const char *output, size_t *len)
{
	const char *from = output;
	size_t i;

	while (*len > 0 && strchr("\r\n \t", output[*len - 1]) != NULL)
		--*len;
	for (i = 0; i < *len; i++)
		if (output[i] == '\n' || output[i] == '\0')
			from = output + i + 1;
	*len -= (size_t)(from - output);
	return from;
}

void
agent_input_quote(const struct agent_input *in, const char *output, size_t len,
    char *text, size_t size)
{
	const char *from = quote_last(output, &len);
	char line[1024];
	size_t i, n;

	if (len >= sizeof(line))
		len = sizeof(line) - 1;
	memcpy(line, from, len);
	line[len] = '\0';
	for (i = 0; i < CONF_LIST_MAX && in->secret[i][0] != '\0'; i++)
		if (strstr(line, in->secret[i]) != NULL) {
			str_cut(text, size, "it printed a secret");
			return;
		}
	for (i = 0; line[i] != '\0'; i += n) {
		n = str_utf8(line + i);
		if (n == 0) {
			line[i] = '?';
			n = 1;
		}
	}
	str_cut(text, size, line);
}
