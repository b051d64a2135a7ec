/*
 * Starting and ending hawatch-front. A job has a deadline and collects output;
 * this child has neither and lives as long as the engine, hence a start of its
 * own. posix_spawn, because it copies no page tables of a process whose memory
 * is locked, and runs nothing of ours between fork and exec.
 */
#include "engine/frontproc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/frame.h"

#define FRONTPROC_NAME "hawatch-front"

static const char *const frontproc_env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"LANG=C",
	"MALLOC_ARENA_MAX=1",
	NULL,
};

static bool
frontproc_try(char *path, size_t size, const char *dir, const char *below)
{
	int n = snprintf(path, size, "%s%s/" FRONTPROC_NAME, dir, below);

	return n > 0 && (size_t)n < size && access(path, X_OK) == 0;
}

int
frontproc_find(const char *program, char *path, size_t size, struct error *err)
{
	char dir[PATH_MAX], *slash;
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
	if (frontproc_try(path, size, dir, "") ||
	    frontproc_try(path, size, HAWATCH_LIBEXEC, "") ||
	    frontproc_try(path, size, dir, "/../front"))
		return 0;
	return error_set(err, ERR_CONFIG,
	    FRONTPROC_NAME " is neither in %s nor in %s", dir, HAWATCH_LIBEXEC);
}

/* Returns an errno, as these functions do. */
static int
frontproc_spawn(const char *path, int fd, pid_t *pid)
{
	/* posix_spawn takes arrays of char * and does not write to them. */
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	char **env = (char **)(uintptr_t)frontproc_env;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = posix_spawn_file_actions_adddup2(&actions, fd, FRAME_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    &actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
		    &actions, FRAME_FD + 1);
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
frontproc_start(struct frontproc *p, const char *path, struct error *err)
{
	int sv[2], rc;

	*p = (struct frontproc){ .pidfd = -1, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return error_sys(err, "socketpair");
	rc = frontproc_spawn(path, sv[1], &p->pid);
	close(sv[1]);
	if (rc != 0) {
		close(sv[0]);
		p->pid = 0;
		errno = rc;
		return error_sys(err, "start %s", path);
	}
	p->fd = sv[0];
	p->pidfd = pidfd_open(p->pid, 0);
	if (p->pidfd == -1 || fcntl(p->fd, F_SETFL, O_NONBLOCK) == -1) {
		error_sys(err, "pidfd_open");
		/* Not reaped yet, so the number is still this process. */
		kill(p->pid, SIGKILL);
		/* Nor waited for: the loop goes on, at the price of a
		 * zombie where there are no descriptors left. */
		(void)waitpid(p->pid, NULL, WNOHANG);
		frontproc_close(p);
		return -1;
	}
	return 0;
}

void
frontproc_kill(const struct frontproc *p)
{
	if (p->pidfd != -1)
		(void)pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
}

bool
frontproc_reap(struct frontproc *p, int *status)
{
	pid_t got;

	if (p->pid == 0)
		return true;
	got = waitpid(p->pid, status, WNOHANG);
	if (got == 0)
		return false;
	if (got == -1)
		*status = 0;
	return true;
}

void
frontproc_close(struct frontproc *p)
{
	if (p->fd != -1)
		close(p->fd);
	if (p->pidfd != -1)
		close(p->pidfd);
	*p = (struct frontproc){ .pidfd = -1, .fd = -1 };
}
