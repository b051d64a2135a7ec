/*
 * Starting and ending a companion. posix_spawn, because it copies no page
 * tables of a process whose memory is locked, and runs nothing of ours between
 * fork and exec.
 */
#include "hawatch/companion.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPANION_DEATH 500 /* ms */

static const char *const companion_env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"LANG=C",
	"MALLOC_ARENA_MAX=1",
	NULL,
};

static bool
companion_try(char *path, size_t size, const char *dir, const char *name)
{
	int n = snprintf(path, size, "%s/%s", dir, name);

	return n > 0 && (size_t)n < size && access(path, X_OK) == 0;
}

int
companion_find(const struct companion_spec *spec, const char *program,
    char *path, size_t size, struct error *err)
{
	char dir[PATH_MAX], built[PATH_MAX + 32], *slash;
	ssize_t n;

	if (program != NULL) {
		if (access(program, X_OK) == -1)
			return error_sys(err, "%s", program);
		(void)snprintf(path, size, "%s", program);
		return 0;
	}
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	if (n <= 0)
		return error_sys(err, "readlink /proc/self/exe");
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash != NULL)
		*slash = '\0';
	(void)snprintf(built, sizeof(built), "%s/../%s", dir, spec->folder);
	if (companion_try(path, size, dir, spec->name) ||
	    companion_try(path, size, HAWATCH_LIBEXEC, spec->name) ||
	    companion_try(path, size, built, spec->name))
		return 0;
	return error_set(err, ERR_CONFIG, "%s is neither in %s nor in %s",
	    spec->name, dir, HAWATCH_LIBEXEC);
}

/* Returns an errno, as these functions do. */
static int
companion_spawn(
    const struct companion_spec *spec, const char *path, int fd, pid_t *pid)
{
	/* posix_spawn takes arrays of char * and does not write to them. */
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	char **env = (char **)(uintptr_t)companion_env;
	int last = spec->complains ? STDOUT_FILENO : STDERR_FILENO, rc, i;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = posix_spawn_file_actions_adddup2(&actions, fd, COMPANION_FD);
	for (i = STDIN_FILENO; rc == 0 && i <= last; i++)
		rc = posix_spawn_file_actions_addopen(
		    &actions, i, "/dev/null", O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
		    &actions, COMPANION_FD + 1);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	/* A group of its own: a terminal's interrupt is the engine's. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
					    POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETPGROUP);
	if (rc == 0)
		rc = posix_spawn(pid, path, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return rc;
}

int
companion_start(struct companion *c, const struct companion_spec *spec,
    const char *path, struct error *err)
{
	int sv[2], rc;

	*c = COMPANION_NONE;
	if (socketpair(AF_UNIX, spec->socket | SOCK_CLOEXEC, 0, sv) == -1)
		return error_sys(err, "socketpair");
	rc = companion_spawn(spec, path, sv[1], &c->pid);
	close(sv[1]);
	if (rc != 0) {
		close(sv[0]);
		c->pid = 0;
		errno = rc;
		return error_sys(err, "start %s", path);
	}
	c->fd = sv[0];
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd == -1 || fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1) {
		error_sys(err, "pidfd_open");
		/* Not reaped yet, so the number is still this process. */
		kill(c->pid, SIGKILL);
		/* Nor waited for: the loop goes on, at the price of a
		 * zombie where there are no descriptors left. */
		(void)waitpid(c->pid, NULL, WNOHANG);
		companion_close(c);
		return -1;
	}
	return 0;
}

void
companion_kill(const struct companion *c)
{
	if (c->pidfd != -1)
		(void)pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
}

bool
companion_reap(struct companion *c, int *status)
{
	pid_t got;

	if (c->pid == 0)
		return true;
	got = waitpid(c->pid, status, WNOHANG);
	if (got == 0)
		return false;
	if (got == -1)
		*status = 0;
	return true;
}

void
companion_close(struct companion *c)
{
	if (c->fd != -1)
		close(c->fd);
	if (c->pidfd != -1)
		close(c->pidfd);
	*c = COMPANION_NONE;
}

void
companion_end(struct companion *c)
{
	struct pollfd pfd = { .fd = c->pidfd, .events = POLLIN };
	int status;

	if (c->pid != 0) {
		companion_kill(c);
		(void)poll(&pfd, 1, COMPANION_DEATH);
		(void)companion_reap(c, &status);
	}
	companion_close(c);
}
