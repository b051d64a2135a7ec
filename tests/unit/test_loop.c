/*
 * The loop: order of callbacks, turn and frees; timers, descriptors, signals.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/loop.h"

struct fixture {
	struct loop *loop;
	struct timer *timer, *other;
	struct watch *watch;
	int turns, stop_after;
	int fired, reaped, signals;
	int pipe[2];
	char order[16];
	size_t len;
};

static void
note(struct fixture *f, char c)
{
	assert_true(f->len < sizeof(f->order) - 1);
	f->order[f->len++] = c;
	f->order[f->len] = '\0';
}

static int
setup(void **state)
{
	static struct fixture f;
	struct error err;

	f = (struct fixture){ .pipe = { -1, -1 } };
	f.loop = loop_new(&err);
	assert_non_null(f.loop);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	timer_free(f->timer);
	timer_free(f->other);
	watch_free(f->watch);
	loop_free(f->loop);
	if (f->pipe[0] != -1)
		close(f->pipe[0]);
	if (f->pipe[1] != -1)
		close(f->pipe[1]);
	return 0;
}

static void
turn(void *arg, const struct now *now)
{
	struct fixture *f = arg;

	assert_true(now->raw > 0 && now->wall > 0);
	note(f, 't');
	if (++f->turns == f->stop_after)
		loop_stop(f->loop);
}

static void
reap(void *arg)
{
	note(arg, 'r');
}

static void
cb_reap(void *arg)
{
	struct fixture *f = arg;

	note(f, 'c');
	loop_reap(f->loop, reap, f);
}

static void
test_turn_after_callbacks_then_reap(void **state)
{
	struct fixture *f = *state;

	f->timer = timer_new(f->loop, cb_reap, f);
	timer_arm(f->timer, USEC_MSEC);
	f->stop_after = 1;
	loop_run(f->loop, turn, f);
	assert_string_equal(f->order, "ctr");
	assert_false(timer_armed(f->timer));
}

static void
turn_wake(void *arg, const struct now *now)
{
	struct fixture *f = arg;

	if (++f->turns < 3)
		loop_wake(f->loop);
	else
		loop_stop(f->loop);
}

static void
test_wake_turns_again(void **state)
{
	struct fixture *f = *state;

	loop_wake(f->loop);
	loop_run(f->loop, turn_wake, f);
	assert_int_equal(f->turns, 3);
}

static void
cb_stop(void *arg)
{
	struct fixture *f = arg;

	f->fired++;
	loop_stop(f->loop);
}

static void
cb_free_other(void *arg)
{
	struct fixture *f = arg;

	timer_free(f->timer);
	f->timer = NULL;
	timer_disarm(f->other);
}

static void
test_timer_may_free_itself(void **state)
{
	struct fixture *f = *state;
	struct timer *end = timer_new(f->loop, cb_stop, f);

	f->timer = timer_new(f->loop, cb_free_other, f);
	f->other = timer_new(f->loop, cb_free_other, f);
	timer_arm(f->timer, -5);
	timer_arm(f->other, 2 * USEC_MSEC);
	timer_arm(end, 10 * USEC_MSEC);
	loop_run(f->loop, NULL, NULL);
	assert_null(f->timer);
	assert_int_equal(f->fired, 1);
	timer_free(end);
}

static void
test_timer_is_exact_and_idle_is_free(void **state)
{
	struct fixture *f = *state;
	struct rusage before, after;
	usec_t start, took, cpu;

	f->timer = timer_new(f->loop, cb_stop, f);
	getrusage(RUSAGE_SELF, &before);
	start = clock_now().raw;
	timer_arm(f->timer, 100 * USEC_MSEC);
	assert_true(timer_armed(f->timer));
	loop_run(f->loop, NULL, NULL);
	took = clock_now().raw - start;
	getrusage(RUSAGE_SELF, &after);
	cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec +
		  after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
		  USEC_SEC +
	      after.ru_utime.tv_usec - before.ru_utime.tv_usec +
	      after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	assert_true(took >= 99 * USEC_MSEC && took < 400 * USEC_MSEC);
	assert_true(cpu < 30 * USEC_MSEC);
}

static void
test_timer_never(void **state)
{
	struct fixture *f = *state;

	f->timer = timer_new(f->loop, cb_stop, f);
	timer_arm(f->timer, USEC_MSEC);
	timer_arm(f->timer, USEC_NEVER);
	assert_false(timer_armed(f->timer));
	timer_arm(f->timer, USEC_NEVER - 1);
	assert_true(timer_armed(f->timer));
}

static void
cb_watch(void *arg, int what)
{
	struct fixture *f = arg;
	char c;

	if (what == WATCH_WRITE) {
		note(f, 'w');
		watch_set(f->watch, WATCH_READ);
		return;
	}
	assert_int_equal(what, WATCH_READ);
	assert_int_equal(read(f->pipe[0], &c, 1), 1);
	note(f, c);
	if (c == 'b') {
		watch_free(f->watch);
		f->watch = NULL;
		loop_stop(f->loop);
	}
}

static void
test_watch_reads_what_comes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	f->watch = watch_new(f->loop, f->pipe[0], 0, cb_watch, f);
	watch_set(f->watch, WATCH_READ);
	assert_int_equal(write(f->pipe[1], "ab", 2), 2);
	loop_run(f->loop, NULL, NULL);
	assert_string_equal(f->order, "ab");
	/* The descriptor is still ours. */
	assert_int_equal(fcntl(f->pipe[0], F_GETFD), FD_CLOEXEC);
}

static void
test_watch_set_changes_direction(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	f->watch = watch_new(f->loop, f->pipe[1], WATCH_WRITE, cb_watch, f);
	f->timer = timer_new(f->loop, cb_stop, f);
	timer_arm(f->timer, 5 * USEC_MSEC);
	loop_run(f->loop, NULL, NULL);
	assert_string_equal(f->order, "w");
}

static void
cb_signal(void *arg, int signo)
{
	struct fixture *f = arg;

	assert_int_equal(signo, SIGUSR1);
	f->signals++;
	loop_stop(f->loop);
}

static void
test_signal_comes_on_the_loop(void **state)
{
	struct fixture *f = *state;
	struct sigwatch *s = sigwatch_new(f->loop, SIGUSR1, cb_signal, f);

	kill(getpid(), SIGUSR1);
	assert_int_equal(f->signals, 0);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->signals, 1);
	sigwatch_free(s);
}

static void
test_reap_without_run(void **state)
{
	struct fixture *f = *state;

	loop_reap(f->loop, reap, f);
	loop_free(f->loop);
	f->loop = NULL;
	assert_string_equal(f->order, "r");
}

static void
test_clock_agrees_with_itself(void **state)
{
	struct now a = clock_now(), b = clock_now();

	assert_true(b.raw >= a.raw);
	assert_true(b.raw - a.raw < USEC_SEC);
	assert_in_range(b.suspended - a.suspended + 1000, 0, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_turn_after_callbacks_then_reap, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_wake_turns_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_timer_may_free_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_timer_is_exact_and_idle_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_timer_never, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_watch_reads_what_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_watch_set_changes_direction, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_signal_comes_on_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_reap_without_run, setup, teardown),
		cmocka_unit_test(test_clock_agrees_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
