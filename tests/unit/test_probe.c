/*
 * The real hawatch-probe against a real memcached: up, stopped, gone, another
 * program on its port, one that drips; and a probe that is killed or frozen.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/probe.h"

#define MEMCACHED "/usr/bin/memcached"

struct fixture {
	struct loop *loop;
	struct probe *probe;
	struct timer *timer;
	int port;
	pid_t server;
	int done;
	enum answer ans[8];
	char reason[8][64];
	struct probe_result last;
	usec_t took, started;
};

static char program[512];

static int
group_setup(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 64);

	if (n <= 0)
		return -1;
	program[n] = '\0';
	strcpy(strrchr(program, '/'), "/../../src/probe/hawatch-probe");
	return 0;
}

static int
free_port(int *fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int one = 1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(*fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	getsockname(*fd, (struct sockaddr *)&sin, &len);
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

static void
start_memcached(struct fixture *f, const char *option)
{
	char port[8];
	int fd;
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	f->port = free_port(&fd);
	close(fd);
	snprintf(port, sizeof(port), "%d", f->port);
	f->server = fork();
	if (f->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(MEMCACHED, "memcached", "-u", "nobody", "-l", "127.0.0.1",
		    "-U", "0", "-p", port, option, NULL);
		_exit(127);
	}
	while (!port_answers(f->port))
		assert_true(clock_now().raw < end);
}

/* A child that serves the port with fn. */
static void
start_other(struct fixture *f, void (*fn)(int fd))
{
	int fd;

	f->port = free_port(&fd);
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

static void
stop_server(struct fixture *f)
{
	if (f->server <= 0)
		return;
	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
	f->server = 0;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->probe = probe_new(f->loop, program, &err);
	if (f->probe == NULL)
		fail_msg("%s", err.msg);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	stop_server(f);
	probe_free(f->probe);
	timer_free(f->timer);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
on_done(void *arg, const struct probe_result *res)
{
	struct fixture *f = arg;

	f->ans[f->done] = res->ans;
	snprintf(f->reason[f->done], sizeof(f->reason[0]), "%s", res->reason);
	f->last = *res;
	f->took = clock_now().raw - f->started;
	f->done++;
}

static struct probe_call *
ask(struct fixture *f, enum probe_op op, usec_t deadline)
{
	struct probe_request req = { .op = op,
		.address = "127.0.0.1",
		.port = f->port,
		.deadline = deadline };

	f->started = clock_now().raw;
	return probe_ask(f->probe, &req, on_done, f);
}

struct wait {
	struct fixture *f;
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

static void
wait_done(struct fixture *f, int n)
{
	struct wait w = { f, n, clock_now().raw + 10 * USEC_SEC };

	if (f->timer == NULL)
		f->timer = timer_new(f->loop, tick, f);
	timer_arm(f->timer, 10 * USEC_SEC + USEC_MSEC);
	loop_run(f->loop, turn, &w);
	timer_disarm(f->timer);
	assert_int_equal(f->done, n);
}

static void
ask_once(struct fixture *f, enum probe_op op)
{
	f->done = 0;
	ask(f, op, USEC_SEC);
	wait_done(f, 1);
}

static void
expect(struct fixture *f, enum answer ans, const char *reason)
{
	assert_string_equal(f->reason[f->done - 1], reason);
	assert_int_equal(f->ans[f->done - 1], ans);
}

static void
test_up_and_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(probe_pid(f->probe), 0);
	start_memcached(f, NULL);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
	assert_int_equal(f->last.pid, f->server);
	assert_true(f->last.limit > 0 && f->last.connections > 0);
	assert_true(f->last.gets == 1 && f->last.hits == 1);
	/* It has left nothing there. */
	assert_int_equal(f->last.items, 0);
	stop_server(f);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_NO, "connect-refused");
	/* And at once again when it is back: nothing calls it dead. */
	start_memcached(f, NULL);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
}

static void
send_line(int port, const char *line, const char *answer)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buf[256];
	ssize_t n;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(
	    send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf, answer);
	close(fd);
}

static void
test_flush(void **state)
{
	struct fixture *f = *state;

	start_memcached(f, NULL);
	send_line(f->port, "set vote 0 0 3\r\nold\r\n", "STORED\r\n");
	ask_once(f, PROBE_MEMCACHED);
	assert_int_equal(f->last.items, 1);
	send_line(f->port, "get vote\r\n", "VALUE vote 0 3\r\nold\r\nEND\r\n");
	ask_once(f, PROBE_MEMCACHED_FLUSH);
	expect(f, ANS_YES, "");
	send_line(f->port, "get vote\r\n", "END\r\n");
}

/* Without CAS it judges by whole seconds: one flush would not be enough. */
static void
test_flush_without_cas(void **state)
{
	struct fixture *f = *state;

	start_memcached(f, "-C");
	send_line(f->port, "set vote 0 0 3\r\nold\r\n", "STORED\r\n");
	f->done = 0;
	ask(f, PROBE_MEMCACHED_FLUSH, 5 * USEC_SEC);
	wait_done(f, 1);
	expect(f, ANS_YES, "");
	send_line(f->port, "get vote\r\n", "END\r\n");
}

/* Says that it has flushed, and has not. */
static void
forget_nothing(int fd)
{
	char buf[1024], out[2048], key[300];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		buf[n] = '\0';
		if (sscanf(buf, "get %299s", key) == 1)
			snprintf(out, sizeof(out),
			    "VALUE %s 0 %zu\r\n%s\r\nEND\r\n", key, strlen(key),
			    key);
		else
			strcpy(out, buf[0] == 's' ? "STORED\r\n" : "OK\r\n");
		(void)!send(fd, out, strlen(out), 0);
	}
}

static void
test_flush_that_does_nothing(void **state)
{
	struct fixture *f = *state;

	start_other(f, forget_nothing);
	ask_once(f, PROBE_MEMCACHED_FLUSH);
	expect(f, ANS_NO, "not-flushed");
}

static void
test_flush_is_disabled(void **state)
{
	struct fixture *f = *state;

	start_memcached(f, "-F");
	ask_once(f, PROBE_MEMCACHED_FLUSH);
	assert_int_equal(f->ans[0], ANS_NO);
}

static void
test_frozen_server(void **state)
{
	struct fixture *f = *state;

	start_memcached(f, NULL);
	kill(f->server, SIGSTOP);
	f->done = 0;
	ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	wait_done(f, 1);
	expect(f, ANS_NO, "timeout");
	assert_in_range(f->took, 90 * USEC_MSEC, 450 * USEC_MSEC);
	kill(f->server, SIGCONT);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
}

/* libmemcached's timeouts begin anew with every byte. */
static void
drip(int fd)
{
	while (send(fd, "S", 1, 0) == 1)
		usleep(20000);
}

static void
test_dripping_server(void **state)
{
	struct fixture *f = *state;
	int pid;

	start_other(f, drip);
	f->done = 0;
	ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	pid = probe_pid(f->probe);
	wait_done(f, 1);
	expect(f, ANS_NO, "timeout");
	assert_in_range(f->took, 290 * USEC_MSEC, 500 * USEC_MSEC);
	/* That probe is dead, and the next one works. */
	stop_server(f);
	start_memcached(f, NULL);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
	assert_int_not_equal(probe_pid(f->probe), pid);
}

static void
speak_ssh(int fd)
{
	static const char text[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
	char buf[256];

	(void)!send(fd, text, sizeof(text) - 1, 0);
	(void)!recv(fd, buf, sizeof(buf), 0);
}

static void
speak_http(int fd)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	char buf[256];

	(void)!recv(fd, buf, sizeof(buf), 0);
	(void)!send(fd, text, sizeof(text) - 1, 0);
}

static void
hang_up(int fd)
{
	char buf[256];

	(void)!recv(fd, buf, sizeof(buf), 0);
}

static void
test_another_program(void **state)
{
	struct fixture *f = *state;

	start_other(f, speak_ssh);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_NO, "garbage");
	stop_server(f);
	start_other(f, speak_http);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_NO, "garbage");
	stop_server(f);
	start_other(f, hang_up);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_NO, "server-closed");
}

/* Killed while it works, frozen, and killed while nobody asks. */
static void
test_probe_that_ends(void **state)
{
	struct fixture *f = *state;

	start_memcached(f, NULL);
	kill(f->server, SIGSTOP);
	ask(f, PROBE_MEMCACHED, 2 * USEC_SEC);
	kill(probe_pid(f->probe), SIGKILL);
	wait_done(f, 1);
	expect(f, ANS_UNKNOWN, "probe-ended");
	assert_true(f->took < USEC_SEC);
	kill(f->server, SIGCONT);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
	kill(probe_pid(f->probe), SIGSTOP);
	f->done = 0;
	ask(f, PROBE_MEMCACHED, 200 * USEC_MSEC);
	wait_done(f, 1);
	expect(f, ANS_NO, "timeout");
	assert_in_range(f->took, 190 * USEC_MSEC, 400 * USEC_MSEC);
	ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
	kill(probe_pid(f->probe), SIGKILL);
	ask_once(f, PROBE_MEMCACHED);
	if (f->ans[0] == ANS_UNKNOWN)
		ask_once(f, PROBE_MEMCACHED);
	expect(f, ANS_YES, "");
}

static void
test_order_and_cancel(void **state)
{
	struct fixture *f = *state;
	struct probe_call *first, *second;

	start_memcached(f, NULL);
	kill(f->server, SIGSTOP);
	first = ask(f, PROBE_MEMCACHED, 600 * USEC_MSEC);
	second = ask(f, PROBE_MEMCACHED, 2 * USEC_SEC);
	/* Neither is told; the one under way ends by itself. */
	ask(f, PROBE_MEMCACHED, 100 * USEC_MSEC);
	ask(f, PROBE_MEMCACHED, 3 * USEC_SEC);
	probe_cancel(second);
	probe_cancel(first);
	wait_done(f, 1);
	assert_int_equal(f->ans[0], ANS_UNKNOWN);
	assert_string_equal(f->reason[0], "probe-busy");
	kill(f->server, SIGCONT);
	wait_done(f, 2);
	expect(f, ANS_YES, "");
}

static void
free_in_done(void *arg, const struct probe_result *res)
{
	struct fixture *f = arg;

	on_done(arg, res);
	probe_free(f->probe);
	f->probe = NULL;
}

static void
test_done_may_free(void **state)
{
	struct fixture *f = *state;
	struct probe_request req = { .op = PROBE_MEMCACHED,
		.address = "127.0.0.1",
		.port = 1,
		.deadline = USEC_SEC };

	ask(f, PROBE_MEMCACHED, USEC_SEC);
	probe_ask(f->probe, &req, free_in_done, f);
	ask(f, PROBE_MEMCACHED, USEC_SEC);
	f->port = 1;
	wait_done(f, 2);
	assert_null(f->probe);
}

static void
test_no_program(void **state)
{
	struct fixture *f = *state;
	struct error err;
	struct probe *none;

	assert_null(probe_new(f->loop, "/no/such/program", &err));
	assert_non_null(strstr(err.msg, "/no/such/program"));
	/* One that ends at once is not started in a loop. */
	none = probe_new(f->loop, "/bin/false", &err);
	probe_free(f->probe);
	f->probe = none;
	f->port = 1;
	ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	wait_done(f, 2);
	expect(f, ANS_UNKNOWN, "probe-ended");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_refused),
		TEST(test_flush),
		TEST(test_flush_without_cas),
		TEST(test_flush_that_does_nothing),
		TEST(test_flush_is_disabled),
		TEST(test_frozen_server),
		TEST(test_dripping_server),
		TEST(test_another_program),
		TEST(test_probe_that_ends),
		TEST(test_order_and_cancel),
		TEST(test_done_may_free),
		TEST(test_no_program),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
