/*
 * pidfd_open for valgrind, which does not know it in Debian 12 (3.19). Loaded
 * before libc; for tests under valgrind only. The descriptor is the reading
 * end of a pipe, readable when a thread that looks every few milliseconds sees
 * that the process has ended, its parent having waited for it or not.
 */
#include <sys/pidfd.h>
#include <sys/syscall.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY 5000 /* us */
#define FDS_MAX 1024

struct look {
	pid_t pid;
	int fd;
};

static pid_t pid_of[FDS_MAX]; /* by descriptor */

static bool
ended(pid_t pid)
{
	char path[64], buf[256];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return true;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	state = strrchr(buf, ')');
	return state == NULL || strncmp(state, ") Z", 3) == 0;
}

static void *
look(void *arg)
{
	struct look *l = arg;

	while (!ended(l->pid))
		usleep(LOOK_EVERY);
	close(l->fd);
	free(l);
	return NULL;
}

int
pidfd_open(pid_t pid, unsigned flags)
{
	struct look *l;
	pthread_t thread;
	sigset_t all, old;
	int fd[2], failed;

	(void)flags;
	if (kill(pid, 0) == -1 && errno == ESRCH)
		return -1;
	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	l = malloc(sizeof(*l));
	if (l == NULL || fd[0] >= FDS_MAX)
		abort();
	*l = (struct look){ .pid = pid, .fd = fd[1] };
	pid_of[fd[0]] = pid;
	/* Signals are for the threads of the program. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&thread, NULL, look, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed != 0)
		abort();
	pthread_detach(thread);
	return fd[0];
}

int
pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned flags)
{
	(void)info;
	(void)flags;
	return kill(pid_of[fd], sig);
}

long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	void *found;
	long a[6];
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_pidfd_open)
		return pidfd_open((pid_t)a[0], 0);
	if (number == SYS_pidfd_send_signal)
		return pidfd_send_signal((int)a[0], (int)a[1], NULL, 0);
	if (real == NULL) {
		found = dlsym(RTLD_NEXT, "syscall");
		memcpy(&real, &found, sizeof(real));
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
