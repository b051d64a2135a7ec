/*
 * The processes of a program, seen through /proc. When they are to end is
 * decided elsewhere.
 *
 * supervisord signals one process: the one that it started. What that process
 * has started lives on, as does everything once supervisord itself is killed.
 * Such a process is known by any of three marks: its command is the path;
 * supervisord's name for the program is in its environment, where it is
 * inherited; or it is of the process group of one that was so known. The groups
 * are remembered for as long as they have members, since a group's number is
 * not given out again before.
 *
 * A command is the path itself, or an interpreter and the path: the editor in
 * which somebody reads the script is not the script. A process of another
 * network namespace, as a container has it, is another host's.
 */
#include "supervisor/sweep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/supervisor.h"

#define SWEEP_GROUPS_MAX 64
#define SWEEP_URL "SUPERVISOR_SERVER_URL=unix://"
/* The path stands at the beginning of a command; an environment is rarely
 * longer than some kilobytes, and the kernel's limit of one string. */
#define SWEEP_ARGV_MAX 4096
#define SWEEP_ENV_MAX ((size_t)128 * 1024)

struct sup_sweep {
	char *path;
	char *name, *group; /* as in the environment, with the key */
	char *socket;	    /* as sweep_socket makes it */
	pid_t leaders[SWEEP_GROUPS_MAX];
	int count;
};

/* One look at all processes. */
struct sweep_scan {
	const struct sup_sweep *of;
	DIR *dir; /* /proc */
	int proc; /* its descriptor */
	struct stat net;
	pid_t own_group;
	char *buf; /* SWEEP_ENV_MAX + 1 */
	size_t len;
	struct {
		pid_t pid, group;
		bool marked;
	} * found;
	int count, max;
};

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
sweep_is_socket(const struct sup_sweep *s, const char *path)
{
	char *name = sweep_socket(path);
	bool same = strcmp(name, s->socket) == 0;

	free(name);
	return same;
}

struct sup_sweep *
sup_sweep_new(const char *path, const char *socket, const char *program)
{
	struct sup_sweep *s = xcalloc(1, sizeof(*s));
	const char *colon;

	if (path != NULL && path[0] != '\0')
		s->path = xstrdup(path);
	if (program == NULL)
		return s;
	colon = strchr(program, ':');
	s->name = xasprintf(
	    "SUPERVISOR_PROCESS_NAME=%s", colon == NULL ? program : colon + 1);
	s->group = xasprintf("SUPERVISOR_GROUP_NAME=%.*s",
	    (int)(colon == NULL ? strlen(program) : (size_t)(colon - program)),
	    program);
	s->socket = sweep_socket(socket);
	return s;
}

void
sup_sweep_free(struct sup_sweep *s)
{
	if (s == NULL)
		return;
	free(s->path);
	free(s->name);
	free(s->group);
	free(s->socket);
	free(s);
}

static bool
sweep_leads(const struct sup_sweep *s, pid_t group)
{
	int i;

	for (i = 0; i < s->count; i++)
		if (s->leaders[i] == group)
			return true;
	return false;
}

void
sup_sweep_leader(struct sup_sweep *s, pid_t pid)
{
	if (pid <= 1 || getpgid(pid) != pid || pid == getpgrp())
		return;
	if (s->count < SWEEP_GROUPS_MAX && !sweep_leads(s, pid))
		s->leaders[s->count++] = pid;
}

/* 0 and what is there, up to max bytes; -1 the process is gone, or hidden. */
static int
sweep_read(struct sweep_scan *scan, pid_t pid, const char *file, size_t max)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	fd = openat(scan->proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	scan->len = 0;
	do {
		n = read(fd, scan->buf + scan->len, max - scan->len);
		if (n > 0)
			scan->len += (size_t)n;
	} while (n > 0 && scan->len < max);
	close(fd);
	scan->buf[scan->len] = '\0';
	return n == -1 ? -1 : 0;
}

/* The next of the strings in the buffer that end in a 0; NULL: no more. */
static const char *
sweep_next(const struct sweep_scan *scan, const char *s)
{
	s += strlen(s) + 1;
	return s < scan->buf + scan->len ? s : NULL;
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
sweep_commanded(struct sweep_scan *scan, pid_t pid)
{
	const char *arg;

	if (scan->of->path == NULL ||
	    sweep_read(scan, pid, "cmdline", SWEEP_ARGV_MAX) == -1 ||
	    scan->len == 0)
		return false;
	if (strcmp(scan->buf, scan->of->path) == 0)
		return true;
	if (!sweep_interprets(scan->buf))
		return false;
	arg = sweep_next(scan, scan->buf);
	while (arg != NULL && arg[0] == '-')
		arg = sweep_next(scan, arg);
	return arg != NULL && strcmp(arg, scan->of->path) == 0;
}

/* Without the URL, which supervisord may be told not to give, the names do. */
static bool
sweep_inherited(struct sweep_scan *scan, pid_t pid)
{
	const struct sup_sweep *of = scan->of;
	const char *s;
	bool name = false, group = false, other = false;

	if (of->name == NULL ||
	    sweep_read(scan, pid, "environ", SWEEP_ENV_MAX) == -1 ||
	    scan->len == 0)
		return false;
	for (s = scan->buf; s != NULL; s = sweep_next(scan, s)) {
		if (strcmp(s, of->name) == 0)
			name = true;
		else if (strcmp(s, of->group) == 0)
			group = true;
		else if (str_starts(s, SWEEP_URL))
			other = !sweep_is_socket(of, s + strlen(SWEEP_URL));
	}
	return name && group && !other;
}

static bool
sweep_near(const struct sweep_scan *scan, pid_t pid)
{
	struct stat net;
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	if (fstatat(scan->proc, path, &net, 0) == -1)
		return errno == EACCES || errno == EPERM;
	return net.st_dev == scan->net.st_dev && net.st_ino == scan->net.st_ino;
}

/* Not a zombie, unless as the first thread of others that live. */
static bool
sweep_lives(struct sweep_scan *scan, pid_t pid)
{
	const char *s;
	char state;
	int threads;

	if (sweep_read(scan, pid, "stat", SWEEP_ARGV_MAX) == -1)
		return false;
	s = strrchr(scan->buf, ')');
	if (s == NULL ||
	    sscanf(s + 1,
		" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		"%*d %*d %d",
		&state, &threads) != 2)
		return true;
	return (state != 'Z' && state != 'X') || threads > 1;
}

static void
sweep_found(struct sweep_scan *scan, pid_t pid, pid_t group, bool marked)
{
	if (scan->count == scan->max) {
		scan->max = scan->max == 0 ? 256 : scan->max * 2;
		scan->found = xrealloc(
		    scan->found, (size_t)scan->max, sizeof(*scan->found));
	}
	scan->found[scan->count].pid = pid;
	scan->found[scan->count].group = group;
	scan->found[scan->count].marked = marked;
	scan->count++;
}

/* Never ours, nor one that would take the whole host along. */
static bool
sweep_may(const struct sweep_scan *scan, pid_t group)
{
	return group > 1 && group != scan->own_group && group != getpgid(1);
}

static void
sweep_look(struct sup_sweep *s, struct sweep_scan *scan, pid_t pid)
{
	pid_t group = getpgid(pid);
	bool marked;

	if (group == -1 || pid <= 1 || pid == getpid())
		return;
	marked = !sweep_leads(s, group) &&
		 (sweep_commanded(scan, pid) || sweep_inherited(scan, pid));
	if (marked && !sweep_near(scan, pid))
		marked = false;
	sweep_found(scan, pid, group, marked);
	if (marked && sweep_may(scan, group) && s->count < SWEEP_GROUPS_MAX)
		s->leaders[s->count++] = group;
}

static int
sweep_all(struct sup_sweep *s, struct sweep_scan *scan)
{
	struct dirent *e;
	int pid;

	if (fstatat(scan->proc, "self/ns/net", &scan->net, 0) == -1)
		return -1;
	errno = 0;
	while ((e = readdir(scan->dir)) != NULL) {
		if (str_parse_int(e->d_name, 1, INT_MAX, &pid) == 0)
			sweep_look(s, scan, pid);
		errno = 0;
	}
	return errno == 0 ? 0 : -1;
}

/* A group that gets the signal cannot outrun it by forking. The pidfd is there
 * first, so that a number which is given out again meanwhile harms nobody. */
static void
sweep_end(const struct sweep_scan *scan, pid_t pid, pid_t group)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd == -1)
		return;
	if (getpgid(pid) == group) {
		if (sweep_may(scan, group))
			(void)kill(-group, SIGKILL);
		else
			(void)syscall(
			    SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	}
	close(fd);
}

static int
sweep_count(struct sup_sweep *s, struct sweep_scan *scan, bool end)
{
	pid_t alive[SWEEP_GROUPS_MAX];
	int i, j, kept = 0, count = 0;

	for (i = 0; i < scan->count; i++) {
		if (!scan->found[i].marked &&
		    !sweep_leads(s, scan->found[i].group))
			continue;
		if (!sweep_lives(scan, scan->found[i].pid))
			continue;
		count++;
		for (j = 0; j < kept; j++)
			if (alive[j] == scan->found[i].group)
				break;
		if (j == kept && sweep_leads(s, scan->found[i].group))
			alive[kept++] = scan->found[i].group;
		if (end)
			sweep_end(
			    scan, scan->found[i].pid, scan->found[i].group);
	}
	memcpy(s->leaders, alive, sizeof(alive[0]) * (size_t)kept);
	s->count = kept;
	return count;
}

int
sup_sweep_run(struct sup_sweep *s, bool end)
{
	struct sweep_scan scan = { .own_group = getpgrp() };
	int count = -1;

	scan.of = s;
	scan.dir = opendir("/proc");
	if (scan.dir == NULL)
		return -1;
	scan.proc = dirfd(scan.dir);
	scan.buf = xcalloc(1, SWEEP_ENV_MAX + 1);
	if (sweep_all(s, &scan) == 0)
		count = sweep_count(s, &scan, end);
	closedir(scan.dir);
	free(scan.found);
	free(scan.buf);
	return count;
}

int
sup_sweep_count(const char *path)
{
	struct sup_sweep *s = sup_sweep_new(path, NULL, NULL);
	int count = sup_sweep_run(s, false);

	sup_sweep_free(s);
	return count;
}
