/*
 * postgresql.auto.conf, where the server itself keeps what ALTER SYSTEM set:
 * lines of "name = 'value'", the last one of a name counts. What sets data
 * aside is a block of its own at the end, so that it can be taken out again.
 *
 * ALTER SYSTEM writes that file anew without its comments. It keeps the order
 * of what it keeps, and puts what it sets at the end: so the marks of the block
 * are settings themselves, of a name that no module of the server has.
 */
#include "act/auto_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define AUTO_CONF_MAX ((size_t)1 << 20)
#define BLOCK_BEGIN "hawatch.aside_begin"
#define BLOCK_END "hawatch.aside_end"
#define NAME "primary_conninfo"

char *
auto_conf_read(const char *dir, struct error *err)
{
	char path[PATH_MAX], *text;

	if (snprintf(path, sizeof(path), "%s/postgresql.auto.conf", dir) >=
	    (int)sizeof(path)) {
		error_set(err, ERR_LIMIT, "%s: too long a path", dir);
		return NULL;
	}
	text = file_read(path, AUTO_CONF_MAX, NULL, err);
	if (text == NULL && access(path, F_OK) == -1 && errno == ENOENT)
		return xstrdup("");
	return text;
}

static bool
auto_conf_is(const char *line, const char *name)
{
	size_t len = strlen(name);

	line += strspn(line, " \t");
	return strncasecmp(line, name, len) == 0 &&
	       strchr(" \t=", line[len]) != NULL && line[len] != '\0';
}

/* The next line of that name at or after this place; NULL: none. */
static char *
auto_conf_line(char *at, const char *name)
{
	while (*at != '\0' && !auto_conf_is(at, name))
		at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
	return *at == '\0' ? NULL : at;
}

/* Without that block, in place. One without an end is none that was written
 * here: what is in it stays. False: there was none. */
static bool
auto_conf_cut(char *text)
{
	char *from, *end;
	bool found = false;

	while ((from = auto_conf_line(text, BLOCK_BEGIN)) != NULL) {
		end = auto_conf_line(from, BLOCK_END);
		if (end == NULL)
			end = from;
		end += strcspn(end, "\n");
		end += *end == '\n';
		memmove(from, end, strlen(end) + 1);
		found = true;
	}
	return found;
}

/* Between quotes: two quotes, or a backslash and one, are a quote. */
static char *
auto_conf_value(const char *line)
{
	const char *from = strchr(line, '\'');
	char *value, *to;

	if (from == NULL)
		return NULL;
	value = to = xstrdup(from);
	for (from++; *from != '\0' && *from != '\n'; from++) {
		if (*from == '\'' && from[1] != '\'')
			break;
		if ((*from == '\'' || *from == '\\') && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return value;
}

char *
auto_conf_conninfo(const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *line, *value = NULL;

	auto_conf_cut(copy);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!auto_conf_is(line, NAME))
			continue;
		free(value);
		value = auto_conf_value(line);
	}
	free(copy);
	if (value != NULL && value[0] == '\0') {
		free(value);
		value = NULL;
	}
	return value;
}

/* Every line but those of that name. */
static char *
auto_conf_without(const char *text, const char *name)
{
	char *copy = xstrdup(text), *rest = copy, *line;
	char *out = xcalloc(1, strlen(text) + 2);
	size_t len = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (auto_conf_is(line, name) || (rest == NULL && *line == '\0'))
			continue;
		memcpy(out + len, line, strlen(line));
		len += strlen(line);
		out[len++] = '\n';
	}
	free(copy);
	return out;
}

/* As the file of whoever owns the directory. */
static int
auto_conf_write(const char *dir, const char *text, struct error *err)
{
	char path[PATH_MAX], temp[PATH_MAX];
	size_t len = strlen(text);
	struct stat st;
	int fd, rc = -1;

	if (snprintf(path, sizeof(path), "%s/postgresql.auto.conf", dir) >=
		(int)sizeof(path) ||
	    snprintf(temp, sizeof(temp), "%s/postgresql.auto.conf.hawatch",
		dir) >= (int)sizeof(temp))
		return error_set(err, ERR_LIMIT, "%s: too long a path", dir);
	if (stat(dir, &st) == -1)
		return error_sys(err, "stat %s", dir);
	unlink(temp);
	fd = open(
	    temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_sys(err, "create %s", temp);
	if (file_write(fd, text, len) == -1)
		error_sys(err, "write %s", temp);
	else if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1)
		error_sys(err, "chown %s", temp);
	else if (fsync(fd) == -1)
		error_sys(err, "fsync %s", temp);
	else if (rename(temp, path) == -1)
		error_sys(err, "rename %s", temp);
	else
		rc = file_sync_dir(path, err);
	close(fd);
	if (rc == -1)
		unlink(temp);
	return rc;
}

/* How much of the log is kept is said otherwise before version 13. */
static const char *
auto_conf_keep(const char *dir)
{
	char path[PATH_MAX], *text = NULL;
	struct error ignored;
	const char *line = "wal_keep_size = '1TB'\n";

	if (snprintf(path, sizeof(path), "%s/PG_VERSION", dir) <
	    (int)sizeof(path))
		text = file_read(path, 64, NULL, &ignored);
	if (text != NULL && str_starts(text, "12"))
		line = "wal_keep_segments = '65536'\n";
	free(text);
	return line;
}

int
auto_conf_aside(const char *dir, struct error *err)
{
	char *text = auto_conf_read(dir, err), *made;
	int rc;

	if (text == NULL)
		return -1;
	auto_conf_cut(text);
	made = xasprintf(
	    "%s%s" BLOCK_BEGIN " = 'on'\n" NAME " = ''\n"
	    "restore_command = ''\nrecovery_target_timeline = 'current'\n"
	    "%s" BLOCK_END " = 'on'\n",
	    text, text[0] != '\0' && text[strlen(text) - 1] != '\n' ? "\n" : "",
	    auto_conf_keep(dir));
	rc = auto_conf_write(dir, made, err);
	free(made);
	free(text);
	return rc;
}

int
auto_conf_back(const char *dir, struct error *err)
{
	char *text = auto_conf_read(dir, err);
	int rc = 0;

	if (text == NULL)
		return -1;
	if (auto_conf_cut(text))
		rc = auto_conf_write(dir, text, err);
	free(text);
	return rc;
}

int
auto_conf_follow(const char *dir, const char *conninfo, struct error *err)
{
	char *text = auto_conf_read(dir, err), *rest, *made, *quoted, *to;
	int rc;

	if (text == NULL)
		return -1;
	auto_conf_cut(text);
	rest = auto_conf_without(text, NAME);
	quoted = to = xcalloc(1, 2 * strlen(conninfo) + 1);
	for (; *conninfo != '\0'; conninfo++) {
		if (*conninfo == '\'' || *conninfo == '\\')
			*to++ = *conninfo;
		*to++ = *conninfo;
	}
	made = xasprintf("%s" NAME " = '%s'\n", rest, quoted);
	rc = auto_conf_write(dir, made, err);
	free(made);
	free(quoted);
	free(rest);
	free(text);
	return rc;
}
