/*
 * Starting and ending hawatch-probe. A job has a deadline and collects output;
 * this child has neither and answers many questions, hence a start of its own.
 */
#include "probe/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/wire.h"

#define PROBE_NAME "hawatch-probe"

static const char *const probe_proc_env[] = {
	"PATH=/usr/bin:/bin",
	"LANG=C",
	"MALLOC_ARENA_MAX=1",
	NULL,
};

static bool
probe_proc_try(char *path, size_t size, const char *dir, const char *below)
{
	int n = snprintf(path, size, "%s%s/" PROBE_NAME, dir, below);

	return n > 0 && (size_t)n < size && access(path, X_OK) == 0;
}

int
probe_proc_find(const char *program, char *path, size_t size, struct error *err)
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
	if (probe_proc_try(path, size, dir, "") ||
	    probe_proc_try(path, size, HAWATCH_LIBEXEC, "") ||
	    probe_proc_try(path, size, dir, "/../probe"))
		return 0;
	return error_set(err, ERR_CONFIG,
	    PROBE_NAME " is neither in %s nor in %s", dir, HAWATCH_LIBEXEC);
}

/* Returns an errno, as these functions do. */
static int
probe_proc_spawn(const char *path, int fd, pid_t *pid)
{
	/* posix_spawn takes arrays of char * and does not write to them. */
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	char **env = (char **)(uintptr_t)probe_proc_env;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc, i;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = posix_spawn_file_actions_adddup2(&actions, fd, PROBE_FD);
	for (i = STDIN_FILENO; rc == 0 && i <= STDERR_FILENO; i++)
		rc = posix_spawn_file_actions_addopen(
		    &actions, i, "/dev/null", O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
		    &actions, PROBE_FD + 1);
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
probe_proc_start(struct probe_proc *p, const char *path, struct error *err)
{
	int sv[2], rc;

	*p = (struct probe_proc){ .pidfd = -1, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return error_sys(err, "socketpair");
	rc = probe_proc_spawn(path, sv[1], &p->pid);
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
		probe_proc_close(p);
		return -1;
	}
	return 0;
}

void
probe_proc_kill(const struct probe_proc *p)
{
	if (p->pidfd != -1)
		(void)pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
}

bool
probe_proc_reap(struct probe_proc *p)
{
	return p->pid == 0 || waitpid(p->pid, NULL, WNOHANG) != 0;
}

void
probe_proc_close(struct probe_proc *p)
{
	if (p->fd != -1)
		close(p->fd);
	if (p->pidfd != -1)
		close(p->pidfd);
	*p = (struct probe_proc){ .pidfd = -1, .fd = -1 };
}
