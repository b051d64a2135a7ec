/*
 * Others at the fence's table: whoever flushes, deletes or changes it finds it
 * put back, established clients of an open fence do not notice, a closed one
 * stays closed but for a moment that is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cmocka.h>

#include "fence/fence_priv.h"
#include "hawatch/loop.h"
#include "netns.h"

#define PORT 5432
#define LONG_MS 1000
#define DEADLINE (5 * USEC_SEC)

static struct loop *loop;
static struct fence *fence;
static int server;
static int lost_calls, lost_failed;
static usec_t lost_most;
static int lost_wanted;

static void
lost_cb(void *arg, bool restored, usec_t open_for)
{
	lost_calls++;
	lost_failed += !restored;
	if (open_for > lost_most)
		lost_most = open_for;
	if (lost_calls >= lost_wanted)
		loop_stop(loop);
}

static void
stop_cb(void *arg)
{
	loop_stop(loop);
}

/* Until lost was called so often, or the time is up. */
static void
run_loop(int wanted, usec_t limit)
{
	struct timer *t = timer_new(loop, stop_cb, NULL);

	lost_wanted = wanted;
	timer_arm(t, limit);
	if (lost_calls < wanted)
		loop_run(loop, NULL, NULL);
	timer_free(t);
}

static int
group_setup(void **state)
{
	struct error err;

	netns_setup();
	loop = loop_new(&err);
	server = netns_listen(false, PORT);
	return loop == NULL ? -1 : 0;
}

static int
group_teardown(void **state)
{
	close(server);
	loop_free(loop);
	return 0;
}

static int
setup(void **state)
{
	struct error err;

	netns_run("nft flush ruleset");
	fence = fence_new(loop, PORT, lost_cb, NULL, &err);
	lost_calls = lost_failed = 0;
	lost_most = 0;
	return fence == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	fence_free(fence);
	return 0;
}

static void
assert_shut(void)
{
	assert_int_equal(netns_connect(true, NETNS_HERE, PORT, NULL), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

static const char *const harms[] = {
	"flush ruleset",
	"delete table inet hawatch",
	"flush table inet hawatch",
	"flush chain inet hawatch gate",
	"flush chain inet hawatch wall",
	"insert rule inet hawatch gate accept",
	"add table inet hawatch { flags dormant; }",
	"flush set inet hawatch writers",
	"add chain inet hawatch input { policy drop; }",
};

static void
harm(const char *how)
{
	netns_run("nft '%s'", how);
}

/* Both ends have heard that all of theirs arrived: an acknowledgement that came
 * late, into the moment without a table, would be answered by a reset. */
static void
settle(int client, int peer)
{
	usec_t until = clock_now().raw + USEC_SEC;
	int a = 1, b = 1;

	while ((a != 0 || b != 0) && clock_now().raw < until) {
		assert_int_equal(ioctl(client, SIOCOUTQ, &a), 0);
		assert_int_equal(ioctl(peer, SIOCOUTQ, &b), 0);
		usleep(USEC_MSEC);
	}
	assert_int_equal(a + b, 0);
}

/* Open: the clients stay, and so does the end. */
static void
test_open_is_put_back(void **state)
{
	struct error err;
	size_t i;
	int client, peer;
	usec_t before, until, d;

	d = clock_now().raw + 20 * USEC_SEC;
	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	client = netns_connect(true, NETNS_HERE, PORT, NULL);
	peer = netns_accept(server, LONG_MS);
	for (i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		assert_int_equal(fence_look(fence, &before), ANS_YES);
		lost_calls = 0;
		settle(client, peer);
		harm(harms[i]);
		run_loop(1, DEADLINE);
		assert_int_equal(lost_calls, 1);
		assert_int_equal(lost_failed, 0);
		assert_int_equal(fence_table(fence), ANS_YES);
		assert_int_equal(fence_look(fence, &until), ANS_YES);
		assert_true(until <= before + 20 * USEC_MSEC);
		assert_int_equal(netns_pass(client, peer, LONG_MS), 0);
		assert_int_equal(netns_pass(peer, client, LONG_MS), 0);
	}
	close(client);
	close(peer);
}

static void
test_closed_is_put_back(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		lost_calls = 0;
		/* On a closed fence some of them change nothing. */
		harm(harms[i]);
		run_loop(1, strncmp(harms[i], "flush set", 9) == 0 ||
				    strstr(harms[i], "wall") != NULL ?
				20 * USEC_MSEC :
				DEADLINE);
		assert_int_equal(lost_failed, 0);
		assert_int_equal(fence_table(fence), ANS_YES);
		assert_shut();
	}
	lost_calls = 0;
	harm("add element inet hawatch writers { 5432 }");
	run_loop(1, DEADLINE);
	assert_int_equal(lost_calls, 1);
	harm("add element inet hawatch readers { 5432 }");
	run_loop(2, DEADLINE);
	assert_int_equal(lost_calls, 2);
	assert_shut();
}

/* Put back with what is left, and nothing of what was over meanwhile. */
static void
test_over_is_not_put_back(void **state)
{
	struct error err;
	usec_t until;

	assert_int_equal(
	    fence_open(fence, clock_now().raw + 100 * USEC_MSEC, &err),
	    FENCE_DONE);
	harm("flush ruleset");
	netns_until(clock_now().raw + 100 * USEC_MSEC);
	run_loop(1, DEADLINE);
	assert_int_equal(lost_calls, 1);
	assert_true(lost_most >= 100 * USEC_MSEC);
	assert_int_equal(fence_look(fence, &until), ANS_NO);
	assert_shut();
}

/* A call that finds the table gone puts it back and goes on. */
static void
test_calls_put_back(void **state)
{
	struct error err;
	usec_t d = clock_now().raw + 5 * USEC_SEC;

	harm("flush ruleset");
	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	harm("flush ruleset");
	assert_int_equal(fence_renew(fence, d, &err), FENCE_DONE);
	harm("flush ruleset");
	assert_int_equal(fence_readers(fence, USEC_SEC, &err), FENCE_DONE);
	harm("flush ruleset");
	assert_int_equal(fence_table(fence), ANS_NO);
	assert_int_equal(fence_table(fence), ANS_YES);
	harm("flush ruleset");
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	assert_shut();
	assert_int_equal(lost_calls, 0);
	run_loop(1, DEADLINE);
	assert_int_equal(lost_calls, 1);
}

/* Neither our own changes nor those of other tables are anybody's business. */
static void
test_own_changes_are_not_told(void **state)
{
	struct error err;
	usec_t d = clock_now().raw + 5 * USEC_SEC;

	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	assert_int_equal(fence_renew(fence, USEC_NEVER, &err), FENCE_DONE);
	harm("add table inet hawatch2");
	harm("add table ip hawatch");
	harm("delete table ip hawatch");
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	run_loop(1, 50 * USEC_MSEC);
	assert_int_equal(lost_calls, 0);
}

#define FLUSHES 100

struct windows {
	int in;		   /* connections that got in */
	int count;	   /* moments in which it was open */
	int64_t all, most; /* how long, from the first connection until the last
			      one was made */
};

static void
hammer(int result, int stop)
{
	struct windows w = { .in = 0 };
	int64_t since = 0, start, took;
	char c;
	int fd;

	while (read(stop, &c, 1) == -1) {
		start = netns_usec();
		fd = netns_connect(true, NETNS_HERE, PORT, NULL);
		if (fd >= 0) {
			w.in++;
			if (since == 0)
				since = netns_usec();
			close(fd);
			close(netns_accept(server, LONG_MS));
		} else if (since != 0) {
			took = start - since;
			since = 0;
			w.count++;
			w.all += took;
			if (took > w.most)
				w.most = took;
		}
	}
	if (write(result, &w, sizeof(w)) != sizeof(w))
		_exit(1);
	_exit(0);
}

static void
flush_often(void)
{
	int i;

	for (i = 0; i < FLUSHES; i++) {
		if (system("nft flush ruleset") != 0)
			_exit(1);
		netns_until(netns_usec() + 5 * USEC_MSEC);
	}
	_exit(0);
}

/*
 * Somebody flushes the ruleset again and again while a client hammers at a
 * closed port. It gets in now and then; how long was it open each time?
 */
static void
test_flush_in_a_loop(void **state)
{
	int result[2], stop[2], status;
	struct windows w;
	pid_t flusher, writer;

	assert_int_equal(pipe(result), 0);
	assert_int_equal(pipe2(stop, O_NONBLOCK), 0);
	writer = fork();
	if (writer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hammer(result[1], stop[0]);
	}
	flusher = fork();
	if (flusher == 0)
		flush_often();
	/* As the engine has it. */
	setpriority(PRIO_PROCESS, 0, -10);
	while (waitpid(flusher, &status, WNOHANG) == 0)
		run_loop(lost_calls + 1, 20 * USEC_MSEC);
	assert_int_equal(status, 0);
	run_loop(lost_calls + 1, 20 * USEC_MSEC);
	assert_int_equal(write(stop[1], "x", 1), 1);
	assert_int_equal(read(result[0], &w, sizeof(w)), sizeof(w));
	assert_int_equal(waitpid(writer, &status, 0), writer);
	setpriority(PRIO_PROCESS, 0, 0);
	assert_int_equal(fence_table(fence), ANS_YES);
	assert_shut();
	printf("%d flushes: put back %d times; %d connections got in; open "
	       "for %lld us on average, %lld us at most; told at most %lld\n",
	    FLUSHES, lost_calls, w.in,
	    (long long)(w.count > 0 ? w.all / w.count : 0), (long long)w.most,
	    (long long)lost_most);
	assert_true(lost_calls >= FLUSHES * 9 / 10);
	assert_int_equal(lost_failed, 0);
	close(result[0]);
	close(result[1]);
	close(stop[0]);
	close(stop[1]);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_open_is_put_back),
		T(test_closed_is_put_back),
		T(test_over_is_not_put_back),
		T(test_calls_put_back),
		T(test_own_changes_are_not_told),
		T(test_flush_in_a_loop),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
