/*
 * hawatch-probe and what it asks; see probetest.h.
 */
#include "probetest.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/loop.h"

const char *
probetest_program(void)
{
	static char program[512];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 64);

	assert_true(n > 0);
	program[n] = '\0';
	strcpy(strrchr(program, '/'), "/../../src/probe/hawatch-probe");
	return program;
}

int
probetest_port(int *fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int one = 1, sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(sock, (struct sockaddr *)&sin, sizeof(sin)), 0);
	getsockname(sock, (struct sockaddr *)&sin, &len);
	if (fd != NULL)
		*fd = sock;
	else
		close(sock);
	return ntohs(sin.sin_port);
}

static bool
port_answers(int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	yes = connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	close(fd);
	return yes;
}

pid_t
probetest_memcached(int port, const char *option)
{
	char text[8];
	pid_t pid;

	snprintf(text, sizeof(text), "%d", port);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/usr/bin/memcached", "memcached", "-u", "nobody", "-l",
		    "127.0.0.1", "-U", "0", "-p", text, option, NULL);
		_exit(127);
	}
	return pid;
}

void
probetest_start(struct probetest *f, const char *option)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	f->port = probetest_port(NULL);
	f->server = probetest_memcached(f->port, option);
	while (!port_answers(f->port))
		assert_true(clock_now().raw < end);
}

void
probetest_start_other(struct probetest *f, void (*fn)(int fd))
{
	int fd;

	f->port = probetest_port(&fd);
	assert_int_equal(listen(fd, 8), 0);
	f->server = fork();
	if (f->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			fn(peer);
			close(peer);
		}
	}
	close(fd);
}

void
probetest_stop(struct probetest *f)
{
	if (f->server <= 0)
		return;
	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
	f->server = 0;
}

int
probetest_setup(void **state)
{
	struct probetest *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->probe = probe_new(f->loop, probetest_program(), &err);
	if (f->probe == NULL)
		fail_msg("%s", err.msg);
	*state = f;
	return 0;
}

int
probetest_teardown(void **state)
{
	struct probetest *f = *state;

	probetest_stop(f);
	probe_free(f->probe);
	timer_free(f->timer);
	loop_free(f->loop);
	free(f);
	return 0;
}

void
probetest_done(void *arg, const struct probe_result *res)
{
	struct probetest *f = arg;

	f->ans[f->done] = res->ans;
	snprintf(f->reason[f->done], sizeof(f->reason[0]), "%s", res->reason);
	f->last = *res;
	f->took = clock_now().raw - f->started;
	f->done++;
}

struct probe_call *
probetest_ask(struct probetest *f, enum probe_op op, usec_t deadline)
{
	struct probe_request req = { .op = op,
		.address = "127.0.0.1",
		.port = f->port,
		.deadline = deadline };

	f->started = clock_now().raw;
	return probe_ask(f->probe, &req, probetest_done, f);
}

struct wait {
	struct probetest *f;
	int n;
	usec_t end;
};

static void
turn(void *arg, const struct now *now)
{
	struct wait *w = arg;

	if (w->f->done >= w->n || now->raw > w->end)
		loop_stop(w->f->loop);
}

static void
tick(void *arg)
{
}

void
probetest_wait(struct probetest *f, int n)
{
	struct wait w = { f, n, clock_now().raw + 10 * USEC_SEC };

	if (f->timer == NULL)
		f->timer = timer_new(f->loop, tick, f);
	timer_arm(f->timer, 10 * USEC_SEC + USEC_MSEC);
	loop_run(f->loop, turn, &w);
	timer_disarm(f->timer);
	assert_int_equal(f->done, n);
}

void
probetest_ask_once(struct probetest *f, enum probe_op op)
{
	f->done = 0;
	probetest_ask(f, op, USEC_SEC);
	probetest_wait(f, 1);
}

void
probetest_expect(struct probetest *f, enum answer ans, const char *reason)
{
	assert_string_equal(f->reason[f->done - 1], reason);
	assert_int_equal(f->ans[f->done - 1], ans);
}
