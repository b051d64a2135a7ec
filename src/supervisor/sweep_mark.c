/*
 * Whether a process is the program's, by its own marks: its command, or what it
 * inherited from supervisord. Process groups are not known here.
 *
 * A command is the path itself, or an interpreter and the path: the editor in
 * which somebody reads the script is not the script. A process of another
 * namespace of networks or of processes, as a container has them, is another
 * host's, or another supervisord's.
 */
#include "supervisor/sweep_mark.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SWEEP_URL "SUPERVISOR_SERVER_URL=unix://"
/* The path stands at the beginning of a command; an environment is rarely
 * longer than some kilobytes, and the kernel's limit of one string. */
#define SWEEP_ARGV_MAX 4096
#define SWEEP_ENV_MAX ((size_t)128 * 1024)

/* The same socket has several names: /var/run is a link to /run. The socket
 * itself may be gone with its server; its directory stays. */
static char *
sweep_socket(const char *path)
{
	const char *slash = strrchr(path, '/');
	char real[PATH_MAX], *dir, *name;

	if (slash == NULL || slash == path)
		return xstrdup(path);
	dir = xstrndup(path, (size_t)(slash - path));
	name =
	    xasprintf("%s%s", realpath(dir, real) == NULL ? dir : real, slash);
	free(dir);
	return name;
}

static bool
sweep_is_socket(const struct sweep_eye *eye, const char *path)
{
	char *name = sweep_socket(path);
	bool same = strcmp(name, eye->socket) == 0;

	free(name);
	return same;
}

int
sweep_eye_open(struct sweep_eye *eye, int proc, const struct sweep_who *who)
{
	memset(eye, 0, sizeof(*eye));
	eye->proc = proc;
	eye->buf = xcalloc(1, SWEEP_ENV_MAX + 1);
	if (who->socket != NULL)
		eye->socket = sweep_socket(who->socket);
	if (fstatat(proc, "self/ns/net", &eye->net, 0) == -1 ||
	    fstatat(proc, "self/ns/pid", &eye->pids, 0) == -1)
		return -1;
	return 0;
}

void
sweep_eye_close(struct sweep_eye *eye)
{
	free(eye->socket);
	free(eye->buf);
}

/* 0 and what is there, up to max bytes; -1 the process is gone, or hidden. */
static int
sweep_read(struct sweep_eye *eye, pid_t pid, const char *file, size_t max)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	fd = openat(eye->proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	eye->len = 0;
	do {
		n = read(fd, eye->buf + eye->len, max - eye->len);
		if (n > 0)
			eye->len += (size_t)n;
	} while (n > 0 && eye->len < max);
	close(fd);
	eye->buf[eye->len] = '\0';
	return n == -1 ? -1 : 0;
}

/* The next of the strings in the buffer that end in a 0; NULL: no more. */
static const char *
sweep_next(const struct sweep_eye *eye, const char *s)
{
	s += strlen(s) + 1;
	return s < eye->buf + eye->len ? s : NULL;
}

/* "/usr/bin/python3.11" is python. */
static bool
sweep_interprets(const char *command)
{
	static const char *const names[] = { "sh", "bash", "dash", "ash", "ksh",
		"zsh", "busybox", "env", "python", "pypy", "perl", "ruby",
		"node", "nodejs", "php", "lua", "tclsh", "java" };
	const char *base = strrchr(command, '/');
	size_t i, len;

	base = base == NULL ? command : base + 1;
	len = strlen(base);
	while (len > 0 &&
	       (isdigit((unsigned char)base[len - 1]) || base[len - 1] == '.'))
		len--;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && memcmp(names[i], base, len) == 0)
			return true;
	return false;
}

static bool
sweep_commanded(struct sweep_eye *eye, const struct sweep_who *who, pid_t pid)
{
	const char *arg;

	if (who->path == NULL ||
	    sweep_read(eye, pid, "cmdline", SWEEP_ARGV_MAX) == -1 ||
	    eye->len == 0)
		return false;
	if (strcmp(eye->buf, who->path) == 0)
		return true;
	if (!sweep_interprets(eye->buf))
		return false;
	arg = sweep_next(eye, eye->buf);
	while (arg != NULL && arg[0] == '-')
		arg = sweep_next(eye, arg);
	return arg != NULL && strcmp(arg, who->path) == 0;
}

/* Without the URL, which supervisord may be told not to give, the names do. */
static bool
sweep_inherited(struct sweep_eye *eye, const struct sweep_who *who, pid_t pid)
{
	const char *s;
	bool name = false, group = false, other = false;

	if (who->name == NULL ||
	    sweep_read(eye, pid, "environ", SWEEP_ENV_MAX) == -1 ||
	    eye->len == 0)
		return false;
	for (s = eye->buf; s != NULL; s = sweep_next(eye, s)) {
		if (strcmp(s, who->name) == 0)
			name = true;
		else if (strcmp(s, who->group) == 0)
			group = true;
		else if (str_starts(s, SWEEP_URL))
			other = !sweep_is_socket(eye, s + strlen(SWEEP_URL));
	}
	return name && group && !other;
}

static bool
sweep_same(const struct sweep_eye *eye, pid_t pid, const char *kind,
    const struct stat *own)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/%s", (int)pid, kind);
	if (fstatat(eye->proc, path, &st, 0) == -1)
		return errno == EACCES || errno == EPERM;
	return st.st_dev == own->st_dev && st.st_ino == own->st_ino;
}

bool
sweep_marked(struct sweep_eye *eye, const struct sweep_who *who, pid_t pid)
{
	return (sweep_commanded(eye, who, pid) ||
		   sweep_inherited(eye, who, pid)) &&
	       sweep_same(eye, pid, "net", &eye->net) &&
	       sweep_same(eye, pid, "pid", &eye->pids);
}

bool
sweep_lives(struct sweep_eye *eye, pid_t pid)
{
	const char *s;
	char state;
	int threads;

	if (sweep_read(eye, pid, "stat", SWEEP_ARGV_MAX) == -1)
		return false;
	s = strrchr(eye->buf, ')');
	if (s == NULL ||
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	    sscanf(s + 1,
		" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		"%*d %*d %d",
		&state, &threads) != 2)
		return true;
	return (state != 'Z' && state != 'X') || threads > 1;
}
