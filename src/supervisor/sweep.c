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
 * Command and environment are in the memory of a process, and are read under
 * its lock: one process that holds it, on a file system that hangs, say, holds
 * whoever reads. Hence the look is apart from what follows from it.
 */
#include "supervisor/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "supervisor/sweep_mark.h"

#define SWEEP_GROUPS_MAX 64

struct sweep_found {
	pid_t pid, group;
	bool marked;
};

struct sup_sweep {
	struct sweep_who who;
	pid_t leaders[SWEEP_GROUPS_MAX];
	int leader_count;
	/* Of the last look: first all, then those that live. */
	struct sweep_found *found;
	int count, max;
};

struct sup_sweep *
sup_sweep_new(const char *path, const char *socket, const char *program)
{
	struct sup_sweep *s = xcalloc(1, sizeof(*s));
	const char *colon;

	if (path != NULL && path[0] != '\0')
		s->who.path = xstrdup(path);
	if (program == NULL)
		return s;
	colon = strchr(program, ':');
	s->who.name = xasprintf(
	    "SUPERVISOR_PROCESS_NAME=%s", colon == NULL ? program : colon + 1);
	s->who.group = xasprintf("SUPERVISOR_GROUP_NAME=%.*s",
	    (int)(colon == NULL ? strlen(program) : (size_t)(colon - program)),
	    program);
	s->who.socket = xstrdup(socket);
	return s;
}

void
sup_sweep_free(struct sup_sweep *s)
{
	if (s == NULL)
		return;
	free(s->who.path);
	free(s->who.name);
	free(s->who.group);
	free(s->who.socket);
	free(s->found);
	free(s);
}

static bool
sweep_leads(const struct sup_sweep *s, pid_t group)
{
	int i;

	for (i = 0; i < s->leader_count; i++)
		if (s->leaders[i] == group)
			return true;
	return false;
}

static void
sweep_lead(struct sup_sweep *s, pid_t group)
{
	if (s->leader_count < SWEEP_GROUPS_MAX && !sweep_leads(s, group))
		s->leaders[s->leader_count++] = group;
}

void
sup_sweep_leader(struct sup_sweep *s, pid_t pid)
{
	if (pid > 1 && getpgid(pid) == pid && pid != getpgrp())
		sweep_lead(s, pid);
}

static void
sweep_add(struct sup_sweep *s, pid_t pid, pid_t group, bool marked)
{
	if (s->count == s->max) {
		s->max = s->max == 0 ? 256 : s->max * 2;
		s->found =
		    xrealloc(s->found, (size_t)s->max, sizeof(*s->found));
	}
	s->found[s->count].pid = pid;
	s->found[s->count].group = group;
	s->found[s->count].marked = marked;
	s->count++;
}

/* Never ours, nor one that would take the whole host along. */
static bool
sweep_may(pid_t group)
{
	return group > 1 && group != getpgrp() && group != getpgid(1);
}

static void
sweep_see(struct sup_sweep *s, struct sweep_eye *eye, pid_t pid)
{
	pid_t group = getpgid(pid);
	bool marked;

	if (group == -1 || pid <= 1 || pid == getpid())
		return;
	marked = !sweep_leads(s, group) && sweep_marked(eye, &s->who, pid);
	sweep_add(s, pid, group, marked);
	if (marked && sweep_may(group))
		sweep_lead(s, group);
}

static int
sweep_all(struct sup_sweep *s, struct sweep_eye *eye, DIR *dir)
{
	struct dirent *e;
	int pid;

	errno = 0;
	while ((e = readdir(dir)) != NULL) {
		if (str_parse_int(e->d_name, 1, INT_MAX, &pid) == 0)
			sweep_see(s, eye, pid);
		errno = 0;
	}
	return errno == 0 ? 0 : -1;
}

/* Leaves those that are the program's and live, and the groups that have such
 * members. */
static void
sweep_sift(struct sup_sweep *s, struct sweep_eye *eye)
{
	struct sup_sweep before = *s;
	int i;

	s->count = 0;
	s->leader_count = 0;
	for (i = 0; i < before.count; i++) {
		if (!s->found[i].marked &&
		    !sweep_leads(&before, s->found[i].group))
			continue;
		if (!sweep_lives(eye, s->found[i].pid))
			continue;
		if (sweep_leads(&before, s->found[i].group))
			sweep_lead(s, s->found[i].group);
		s->found[s->count++] = s->found[i];
	}
}

int
sup_sweep_look(struct sup_sweep *s)
{
	DIR *dir = opendir("/proc");
	struct sweep_eye eye;
	int rc;

	s->count = 0;
	if (dir == NULL)
		return -1;
	rc = sweep_eye_open(&eye, dirfd(dir), &s->who);
	if (rc == 0)
		rc = sweep_all(s, &eye, dir);
	if (rc == 0)
		sweep_sift(s, &eye);
	else
		s->count = 0;
	sweep_eye_close(&eye);
	closedir(dir);
	return rc == 0 ? s->count : -1;
}

/* A group that gets the signal cannot outrun it by forking. The pidfd is there
 * first, so that a number which is given out again meanwhile harms nobody. */
static void
sweep_kill(const struct sweep_found *found)
{
	int fd = (int)syscall(SYS_pidfd_open, found->pid, 0);

	if (fd == -1)
		return;
	if (getpgid(found->pid) == found->group) {
		if (sweep_may(found->group))
			(void)kill(-found->group, SIGKILL);
		else
			(void)syscall(
			    SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	}
	close(fd);
}

void
sup_sweep_end(struct sup_sweep *s)
{
	int i;

	for (i = 0; i < s->count; i++)
		sweep_kill(&s->found[i]);
	s->count = 0;
}
