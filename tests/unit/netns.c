/*
 * Network namespaces for tests. A socket stays in the namespace it was made
 * in, so one process can be both hosts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"

static int ns_here, ns_there;

static void die(const char *what);
static int in(bool there);
static int sock(bool there);

void
netns_setup(void)
{
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	if (unshare(CLONE_NEWNET) == -1)
		die("unshare (needs root)");
	ns_there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	netns_run("ip link set lo up");
	if (unshare(CLONE_NEWNET) == -1)
		die("unshare");
	ns_here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	netns_run("ip link set lo up");
	netns_run(
	    "ip link add here type veth peer name there netns %d", (int)pid);
	netns_run("ip addr add " NETNS_HERE "/24 dev here");
	netns_run("ip link set here up");
	in(true);
	netns_run("ip addr add " NETNS_THERE "/24 dev there");
	netns_run("ip link set there up");
	in(false);
	/* The sockets keep the namespace; its keeper may go. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void
netns_run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		die(cmd);
}

int
netns_try(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd);
}

int
netns_listen(bool there, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = sock(there), one = 1;

	sin.sin_port = htons((uint16_t)port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 64) == -1)
		die("listen");
	return fd;
}

int
netns_connect(bool there, const char *address, int port, int64_t *took)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 1 };
	int64_t start = netns_usec();
	int fd = sock(there), r, saved;

	sin.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, address, &sin.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	r = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	saved = errno;
	if (took != NULL)
		*took = netns_usec() - start;
	if (r == 0)
		return fd;
	close(fd);
	errno = saved;
	return -1;
}

int
netns_accept(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, ms) == 1)
		return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	errno = ETIMEDOUT;
	return -1;
}

int
netns_pass(int from, int to, int ms)
{
	struct pollfd p = { .fd = to, .events = POLLIN };
	char c = 'x';
	ssize_t n;

	if (send(from, &c, 1, MSG_NOSIGNAL) != 1)
		return errno;
	if (poll(&p, 1, ms) != 1)
		return ETIMEDOUT;
	n = recv(to, &c, 1, 0);
	if (n == -1)
		return errno;
	return n == 0 ? EPIPE : 0;
}

/* Blocked in reading: what ends it? */
int
netns_wait_error(int fd, int ms, int64_t *took)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t start = netns_usec();
	char c;
	ssize_t n;

	if (poll(&p, 1, ms) != 1)
		return ETIMEDOUT;
	n = recv(fd, &c, 1, 0);
	*took = netns_usec() - start;
	if (n == -1)
		return errno;
	return n == 0 ? EPIPE : 0;
}

int64_t
netns_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
netns_until(int64_t usec)
{
	int64_t left;

	while ((left = usec - netns_usec()) > 0)
		poll(NULL, 0, (int)(left / 1000) + 1);
}

static void
die(const char *what)
{
	perror(what);
	abort();
}

static int
in(bool there)
{
	if (setns(there ? ns_there : ns_here, CLONE_NEWNET) == -1)
		die("setns");
	return 0;
}

static int
sock(bool there)
{
	int fd, one = 1;

	in(there);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in(false);
	if (fd == -1)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}
