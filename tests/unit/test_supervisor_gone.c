/*
 * Each way in which supervisord itself can be gone.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#include <cmocka.h>

#include "suprun.h"

/* Its directory is gone with a clean end, the socket stays after a KILL. */
static void
test_gone(void **state)
{
	struct suprun *f = *state;
	struct sup_goal up = { .program = "good", .running = true };

	suptest_end(&f->sup, SIGTERM);
	sr_list(f, 5 * USEC_SEC);
	sr_expect(f, ANS_UNKNOWN, "no-socket");
	assert_int_equal(f->count, 0);
	sr_work(f, up);
	sr_expect(f, ANS_NO, "no-socket");
	assert_true(f->took < 4 * USEC_SEC);
	sr_work(f, (struct sup_goal){
		       .program = "puller", .sweep = sr_path(f, "pull.sh") });
	sr_expect(f, ANS_YES, "");
	assert_true(f->took < 500 * USEC_MSEC);
}

static void
test_killed(void **state)
{
	struct suprun *f = *state;
	pid_t old, fresh;
	int left;

	sr_started(f, "puller");
	sr_wait_ready(f, "pull.ready");
	old = sr_started(f, "good");
	suptest_end(&f->sup, SIGKILL);
	sr_list(f, 5 * USEC_SEC);
	sr_expect(f, ANS_UNKNOWN, "connect-refused");
	sr_work(f, (struct sup_goal){ .program = "good", .running = true });
	sr_expect(f, ANS_NO, "connect-refused");
	/* Without a sweep it is seen, not ended. */
	sr_work(f, (struct sup_goal){
		       .program = "good", .deadline = 200 * USEC_MSEC });
	sr_expect(f, ANS_NO, "program-left");
	left = suptest_left(f->loop, sr_path(f, "pull.sh"));
	assert_true(left >= 4);
	sr_work(f, (struct sup_goal){
		       .program = "puller", .sweep = sr_path(f, "pull.sh") });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(suptest_left(f->loop, sr_path(f, "pull.sh")), 0);
	print_message("sweep of %d orphans: %ld ms\n", left, MS(f->took));
	/* A new one knows nothing of the old process; the sweep does. */
	assert_true(sr_lives(old));
	suptest_start(&f->sup);
	sr_work(f, (struct sup_goal){ .program = "good",
		       .running = true,
		       .started = true,
		       .sweep = "/nonexistent" });
	sr_expect(f, ANS_YES, "");
	fresh = f->pid;
	assert_false(sr_lives(old));
	assert_true(sr_lives(fresh));
}

/* A supervisord that comes back while it is awaited. */
static void
test_back(void **state)
{
	struct suprun *f = *state;
	struct sup_goal up = { .program = "good",
		.running = true,
		.started = true,
		.deadline = 10 * USEC_SEC };

	suptest_end(&f->sup, SIGTERM);
	up.socket = f->sup.socket;
	f->done = 0;
	f->work = sup_work_start(f->loop, f->web, &up, sr_on_work, f);
	sr_run_for(f, 100 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	suptest_start(&f->sup);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	sr_expect(f, ANS_YES, "");
}

static void
test_hung(void **state)
{
	struct suprun *f = *state;

	sr_started(f, "puller");
	sr_wait_ready(f, "pull.ready");
	kill(f->sup.pid, SIGSTOP);
	sr_list(f, 300 * USEC_MSEC);
	sr_expect(f, ANS_UNKNOWN, "timeout");
	assert_true(f->took < USEC_SEC);
	sr_work(f, (struct sup_goal){ .program = "good",
		       .running = true,
		       .deadline = 400 * USEC_MSEC });
	sr_expect(f, ANS_NO, "timeout");
	assert_true(f->took < USEC_SEC);
	/* What pulls is ended, but may be started again: that is not "yes". */
	sr_work(f, (struct sup_goal){ .program = "puller",
		       .sweep = sr_path(f, "pull.sh"),
		       .deadline = 1500 * USEC_MSEC });
	sr_expect(f, ANS_NO, "timeout");
	assert_int_equal(suptest_left(f->loop, sr_path(f, "pull.sh")), 0);
	kill(f->sup.pid, SIGCONT);
	sr_work(f, (struct sup_goal){
		       .program = "puller", .sweep = sr_path(f, "pull.sh") });
	sr_expect(f, ANS_YES, "");
}

static void
test_forbidden(void **state)
{
	struct suprun *f = *state;

	if (seteuid(65534) == -1)
		skip();
	sr_list(f, 5 * USEC_SEC);
	sr_expect(f, ANS_UNKNOWN, "no-permission");
	sr_work(f, (struct sup_goal){ .program = "good", .running = true });
	sr_expect(f, ANS_NO, "no-permission");
	assert_true(f->took < USEC_SEC);
	assert_int_equal(seteuid(0), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sr_setup, sr_teardown)
	const struct CMUnitTest tests[] = {
		T(test_gone),
		T(test_killed),
		T(test_back),
		T(test_hung),
		T(test_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
