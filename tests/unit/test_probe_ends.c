/*
 * A hawatch-probe that is killed or frozen, or cannot be started; and questions
 * that are called off, or have to wait.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probetest.h"

/* Killed while it works, frozen, and killed while nobody asks. */
static void
test_probe_that_ends(void **state)
{
	struct probetest *f = *state;

	probetest_start(f, NULL);
	kill(f->server, SIGSTOP);
	probetest_ask(f, PROBE_MEMCACHED, 2 * USEC_SEC);
	kill(probe_pid(f->probe), SIGKILL);
	probetest_wait(f, 1);
	probetest_expect(f, ANS_UNKNOWN, "probe-ended");
	assert_true(f->took < USEC_SEC);
	kill(f->server, SIGCONT);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
	kill(probe_pid(f->probe), SIGSTOP);
	f->done = 0;
	probetest_ask(f, PROBE_MEMCACHED, 200 * USEC_MSEC);
	probetest_wait(f, 1);
	probetest_expect(f, ANS_NO, "timeout");
	assert_in_range(f->took, 190 * USEC_MSEC, 400 * USEC_MSEC);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
	kill(probe_pid(f->probe), SIGKILL);
	probetest_ask_once(f, PROBE_MEMCACHED);
	if (f->ans[0] == ANS_UNKNOWN)
		probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
}

static void
test_order_and_cancel(void **state)
{
	struct probetest *f = *state;
	struct probe_call *first, *second;

	probetest_start(f, NULL);
	kill(f->server, SIGSTOP);
	first = probetest_ask(f, PROBE_MEMCACHED, 600 * USEC_MSEC);
	second = probetest_ask(f, PROBE_MEMCACHED, 2 * USEC_SEC);
	/* Neither is told; the one under way ends by itself. */
	probetest_ask(f, PROBE_MEMCACHED, 100 * USEC_MSEC);
	probetest_ask(f, PROBE_MEMCACHED, 3 * USEC_SEC);
	probe_cancel(second);
	probe_cancel(first);
	probetest_wait(f, 1);
	assert_int_equal(f->ans[0], ANS_UNKNOWN);
	assert_string_equal(f->reason[0], "probe-busy");
	kill(f->server, SIGCONT);
	probetest_wait(f, 2);
	probetest_expect(f, ANS_YES, "");
}

static void
free_in_done(void *arg, const struct probe_result *res)
{
	struct probetest *f = arg;

	probetest_done(arg, res);
	probe_free(f->probe);
	f->probe = NULL;
}

static void
test_done_may_free(void **state)
{
	struct probetest *f = *state;
	struct probe_request req = { .op = PROBE_MEMCACHED,
		.address = "127.0.0.1",
		.port = 1,
		.deadline = USEC_SEC };

	probetest_ask(f, PROBE_MEMCACHED, USEC_SEC);
	probe_ask(f->probe, &req, free_in_done, f);
	probetest_ask(f, PROBE_MEMCACHED, USEC_SEC);
	f->port = 1;
	probetest_wait(f, 2);
	assert_null(f->probe);
}

static void
test_no_program(void **state)
{
	struct probetest *f = *state;
	struct error err;
	struct probe *none;

	assert_null(probe_new(f->loop, "/no/such/program", &err));
	assert_non_null(strstr(err.msg, "/no/such/program"));
	/* One that ends at once is not started in a loop. */
	none = probe_new(f->loop, "/bin/false", &err);
	probe_free(f->probe);
	f->probe = none;
	f->port = 1;
	probetest_ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	probetest_ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	probetest_wait(f, 2);
	probetest_expect(f, ANS_UNKNOWN, "probe-ended");
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, probetest_setup, probetest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_probe_that_ends),
		TEST(test_order_and_cancel),
		TEST(test_done_may_free),
		TEST(test_no_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
