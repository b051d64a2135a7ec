/*
 * Does repmgrd fail this instance over, too? Two that promote by their own
 * judgement are worse than none: it knows no lease, no record and no fence. One
 * that only watches, failover = manual, harms nobody. Looks only.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/file.h"
#include "hawatch/instance.h"
#include "hawatch/str.h"

#define REPMGRD "repmgrd"
#define REPMGRD_CONF "/etc/repmgr.conf" /* where it looks by itself */
#define CMDLINE_MAX 4096
#define CONF_FILE_MAX ((size_t)256 * 1024)

/* What is in a small file of /proc; the length, or -1 when it is gone. */
static ssize_t
repmgrd_read(const char *pid, const char *name, char *buf, size_t size)
{
	char path[64];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	len = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[len] = '\0';
	return (ssize_t)len;
}

/* The file that it was started with: -f FILE, --config-file=FILE. */
static void
repmgrd_file(char *cmdline, ssize_t len, char *file, size_t size)
{
	static const char wide[] = "--config-file";
	char *word, *end = cmdline + len;
	bool next = false;

	str_cut(file, size, REPMGRD_CONF);
	for (word = cmdline; word < end; word += strlen(word) + 1) {
		if (next)
			str_cut(file, size, word);
		next = strcmp(word, "-f") == 0 || strcmp(word, wide) == 0;
		if (str_starts(word, "-f") && word[2] != '\0')
			str_cut(file, size, word + 2);
		else if (str_starts(word, wide) &&
			 word[sizeof(wide) - 1] == '=')
			str_cut(file, size, word + sizeof(wide));
	}
}

/* The value of a key; the last line counts, quotes do not. */
static void
repmgrd_value(const char *text, const char *key, char *buf, size_t size)
{
	const char *line = text, *p;
	size_t len = strlen(key), n;

	buf[0] = '\0';
	while (line != NULL) {
		line += strspn(line, " \t\r\n");
		p = line + len;
		if (strncmp(line, key, len) == 0 &&
		    (*p == '=' || isblank((unsigned char)*p))) {
			p += strspn(p, " \t=");
			p += *p == '\'';
			n = strcspn(p, "'#\r\n");
			while (n > 0 && isblank((unsigned char)p[n - 1]))
				n--;
			if (n >= size)
				n = size - 1;
			memcpy(buf, p, n);
			buf[n] = '\0';
		}
		line = strchr(line, '\n');
	}
}

/* Of this instance, and by its own judgement. A file that cannot be read is
 * not this instance's, as far as can be known. */
static bool
repmgrd_fails_over(const char *file, const char *data_directory)
{
	char data[1024], failover[32];
	struct error err;
	char *text;

	text = file_read(file, CONF_FILE_MAX, NULL, &err);
	if (text == NULL)
		return false;
	repmgrd_value(text, "data_directory", data, sizeof(data));
	repmgrd_value(text, "failover", failover, sizeof(failover));
	free(text);
	return strcmp(data, data_directory) == 0 &&
	       strcmp(failover, "automatic") == 0;
}

enum answer
instance_repmgrd(const char *data_directory, struct error *err)
{
	char name[32], cmdline[CMDLINE_MAX], file[1024];
	DIR *proc = opendir("/proc");
	enum answer ans = ANS_YES;
	struct dirent *e;
	ssize_t len;
	int more = 1;

	if (proc == NULL) {
		error_sys(err, "open /proc");
		return ANS_UNKNOWN;
	}
	while (
	    ans == ANS_YES && (more = file_next(proc, "/proc", &e, err)) == 1) {
		if (!isdigit((unsigned char)e->d_name[0]) ||
		    repmgrd_read(e->d_name, "comm", name, sizeof(name)) <= 0 ||
		    strcmp(name, REPMGRD "\n") != 0)
			continue;
		len = repmgrd_read(
		    e->d_name, "cmdline", cmdline, sizeof(cmdline));
		if (len <= 0)
			continue;
		repmgrd_file(cmdline, len, file, sizeof(file));
		if (!repmgrd_fails_over(file, data_directory))
			continue;
		ans = ANS_NO;
		error_set(err, ERR_REFUSED,
		    "repmgrd (pid %s) would promote by itself, too; stop and "
		    "disable it, or failover=manual in %s",
		    e->d_name, file);
	}
	closedir(proc);
	return more == -1 ? ANS_UNKNOWN : ans;
}
