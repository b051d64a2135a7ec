/*
 * Asks for one path at a fixed rate over kept connections and prints the
 * latencies. A request that could not leave in time is counted from when it
 * was due, so a server that stalls cannot hide behind a client that waits.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNS 16
#define NSEC ((int64_t)1000000000)

struct conn {
	int fd;
	bool busy;
	int64_t due;
	size_t got;
	char buf[8192];
};

static struct conn conns[CONNS];
static struct sockaddr_in server;
static char request[256];
static int64_t *latency;
static size_t answered, failed, status_other;

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NSEC + ts.tv_nsec;
}

static void
conn_open(int ep, struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->busy = false;
	c->got = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		err(1, "socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(c->fd, (struct sockaddr *)&server, sizeof server) == -1)
		err(1, "connect");
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static void
conn_reopen(int ep, struct conn *c)
{
	if (c->busy)
		failed++;
	close(c->fd);
	conn_open(ep, c);
}

/* The answers are short and have a Content-Length. */
static bool
conn_complete(const struct conn *c)
{
	const char *end, *len;

	end = strstr(c->buf, "\r\n\r\n");
	len = strcasestr(c->buf, "content-length:");
	if (end == NULL || len == NULL || len > end)
		return false;
	return c->got >=
	       (size_t)(end + 4 - c->buf) + (size_t)strtoul(len + 15, NULL, 10);
}

static void
conn_input(int ep, struct conn *c)
{
	ssize_t n;

	n = recv(
	    c->fd, c->buf + c->got, sizeof c->buf - 1 - c->got, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		conn_reopen(ep, c);
		return;
	}
	c->got += (size_t)n;
	c->buf[c->got] = '\0';
	if (!conn_complete(c))
		return;
	if (strncmp(c->buf + 9, "200", 3) != 0)
		status_other++;
	latency[answered++] = now() - c->due;
	c->busy = false;
	c->got = 0;
}

/* Sends what is due, as far as connections are free. */
static int64_t
send_due(int64_t due, int64_t step, int64_t end)
{
	int64_t at = now();
	size_t len = strlen(request);
	int i;

	for (i = 0; i < CONNS && due <= at && due < end; i++) {
		if (conns[i].busy)
			continue;
		conns[i].busy = true;
		conns[i].due = due;
		if (send(conns[i].fd, request, len, MSG_NOSIGNAL) !=
		    (ssize_t)len)
			failed++;
		due += step;
	}
	return due;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double
percentile(double p)
{
	if (answered == 0)
		return 0;
	return (double)latency[(size_t)(p * (double)(answered - 1))] / 1e6;
}

static void
run(int ep, int64_t step, int64_t end)
{
	struct epoll_event ev[CONNS];
	struct timespec ts = { 0 };
	int64_t due, left;
	int i, n;

	for (due = now(); due < end || now() < end;) {
		due = send_due(due, step, end);
		left = due - now();
		ts.tv_nsec = left < 0	     ? 200000 :
			     left > 50000000 ? 50000000 :
					       left;
		n = epoll_pwait2(ep, ev, CONNS, &ts, NULL);
		if (n == -1 && errno != EINTR)
			err(1, "epoll_pwait2");
		for (i = 0; i < n; i++)
			conn_input(ep, ev[i].data.ptr);
	}
}

int
main(int argc, char **argv)
{
	int64_t step, end;
	int ep, i;

	if (argc != 6)
		errx(2, "usage: bench-rate ADDRESS PORT PATH RATE SECONDS");
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)atoi(argv[2]));
	if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
		errx(2, "address");
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
	    argv[3]);
	step = NSEC / atoi(argv[4]);
	latency = calloc(
	    (size_t)(atoi(argv[4]) * (atoi(argv[5]) + 1)), sizeof *latency);
	if (latency == NULL)
		err(1, "calloc");
	if (setpriority(PRIO_PROCESS, 0, -10) == -1)
		warn("setpriority");
	ep = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < CONNS; i++)
		conn_open(ep, &conns[i]);
	end = now() + atoi(argv[5]) * NSEC;
	run(ep, step, end);
	qsort(latency, answered, sizeof *latency, compare);
	printf("answered=%zu failed=%zu other=%zu p50_ms=%.3f p99_ms=%.3f "
	       "max_ms=%.3f\n",
	    answered, failed, status_other, percentile(0.5), percentile(0.99),
	    percentile(1.0));
	return 0;
}
