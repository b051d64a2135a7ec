/*
 * A real supervisord and its programs: the list, and a program brought to where
 * it should be.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "suprun.h"

static void
test_list(void **state)
{
	struct suprun *f = *state;
	const struct sup_program *p;

	p = sr_program(f, "auto");
	assert_int_equal(f->count, 15);
	assert_string_equal(p->group, "auto");
	assert_true(p->state == SUP_STARTING || p->state == SUP_RUNNING ||
		    p->state == SUP_STOPPED);
	print_message("list: %ld ms\n", MS(f->took));
	p = sr_program(f, "web:api");
	assert_string_equal(p->name, "api");
	assert_int_equal(p->state, SUP_STOPPED);
	assert_int_equal(p->pid, 0);
	assert_int_equal(p->start, 0);
	assert_true(p->now > 1600000000);
	assert_null(sup_find(
	    &(struct sup_list){ .count = f->count, .program = f->program },
	    "api"));
	assert_null(sup_find(
	    &(struct sup_list){ .count = f->count, .program = f->program },
	    "goo"));
	sr_work(
	    f, (struct sup_goal){
		   .program = "web:api", .running = true, .started = true });
	sr_expect(f, ANS_YES, "");
	p = sr_program(f, "web:api");
	assert_int_equal(p->pid, f->pid);
}

static void
test_restart(void **state)
{
	struct suprun *f = *state;
	pid_t first, second;

	first = sr_started(f, "good");
	print_message("start: %ld ms\n", MS(f->took));
	/* It is so already. */
	assert_int_equal(sr_started(f, "good"), first);
	print_message("nothing to do: %ld ms\n", MS(f->took));
	sr_work(f, (struct sup_goal){ .program = "good",
		       .running = true,
		       .started = true,
		       .not_pid = first });
	sr_expect(f, ANS_YES, "");
	second = f->pid;
	assert_true(second > 1 && second != first);
	assert_false(sr_lives(first));
	assert_true(sr_lives(second));
	print_message("restart while STARTING: %ld ms\n", MS(f->took));
	assert_true(f->took < 150 * USEC_MSEC);
	/* RUNNING means after startsecs. */
	sr_work(f, (struct sup_goal){ .program = "good", .running = true });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(f->pid, second);
	print_message("until RUNNING: %ld ms\n", MS(f->took));
	assert_int_equal(sr_program(f, "good")->state, SUP_RUNNING);
	sr_work(f, (struct sup_goal){ .program = "good",
		       .running = true,
		       .started = true,
		       .not_pid = second });
	sr_expect(f, ANS_YES, "");
	print_message("restart: %ld ms\n", MS(f->took));
	assert_true(f->took < 150 * USEC_MSEC);
	/* A repeated request finds it done. */
	second = f->pid;
	sr_work(f, (struct sup_goal){ .program = "good",
		       .running = true,
		       .started = true,
		       .not_pid = first });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(f->pid, second);
}

struct one {
	struct suprun *f;
	char name[16];
	pid_t pid;
	enum answer ans;
};

static void
on_one(void *arg, enum answer ans, const char *reason, pid_t pid)
{
	struct one *one = arg;

	one->ans = ans;
	one->pid = pid;
	if (++one->f->done == 5)
		loop_stop(one->f->loop);
}

static void
test_parallel(void **state)
{
	struct suprun *f = *state;
	struct one one[5];
	struct sup_goal goal = { .socket = f->sup.socket,
		.running = true,
		.started = true,
		.deadline = 10 * USEC_SEC };
	usec_t began;
	int i;

	for (i = 0; i < 5; i++) {
		one[i].f = f;
		snprintf(one[i].name, sizeof(one[i].name), "many:%d", i);
		one[i].pid = sr_started(f, one[i].name);
	}
	f->done = 0;
	began = clock_now().raw;
	for (i = 0; i < 5; i++) {
		goal.program = one[i].name;
		goal.not_pid = one[i].pid;
		sup_work_start(f->loop, f->web, &goal, on_one, &one[i]);
	}
	loop_run(f->loop, NULL, NULL);
	print_message("restart of five: %ld ms\n", MS(clock_now().raw - began));
	for (i = 0; i < 5; i++) {
		assert_int_equal(one[i].ans, ANS_YES);
		assert_int_equal(sr_program(f, one[i].name)->pid, one[i].pid);
	}
}

static void
test_stop(void **state)
{
	struct suprun *f = *state;
	pid_t pid = sr_started(f, "good");

	sr_work(f, (struct sup_goal){ .program = "good" });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(f->pid, 0);
	print_message("stop: %ld ms\n", MS(f->took));
	assert_false(sr_lives(pid));
	assert_int_equal(sr_program(f, "good")->state, SUP_STOPPED);
	sr_work(f, (struct sup_goal){ .program = "good" });
	sr_expect(f, ANS_YES, "");
	/* Never started, so that supervisord may be about to. */
	sr_work(f, (struct sup_goal){ .program = "auto" });
	sr_expect(f, ANS_YES, "");
	sr_run_for(f, 100 * USEC_MSEC);
	assert_int_equal(sr_program(f, "auto")->state, SUP_STOPPED);
}

/* A start while it is stopping returns true and does nothing. */
static void
test_stopping(void **state)
{
	struct suprun *f = *state;
	struct sup_goal stop = { .program = "slow", .deadline = 2 * USEC_SEC };
	pid_t first = sr_started(f, "slow"), second;

	sr_wait_ready(f, "slow.ready");
	stop.socket = f->sup.socket;
	f->work = sup_work_start(f->loop, f->web, &stop, sr_on_work, f);
	sr_wait_state(f, "slow", SUP_STOPPING);
	sup_work_cancel(f->work);
	sr_work(f, (struct sup_goal){
		       .program = "slow", .running = true, .started = true });
	sr_expect(f, ANS_YES, "");
	assert_true(f->pid != first);
	assert_true(f->took > 500 * USEC_MSEC && f->took < 3 * USEC_SEC);
	assert_int_equal(sr_program(f, "slow")->pid, f->pid);
	second = f->pid;
	unlink(sr_path(f, "slow.ready"));
	sr_run_for(f, 50 * USEC_MSEC);
	sr_work(f, (struct sup_goal){ .program = "slow",
		       .running = true,
		       .started = true,
		       .not_pid = second });
	sr_expect(f, ANS_YES, "");
	print_message("restart of what needs 1 s: %ld ms\n", MS(f->took));
}

static void
test_fatal(void **state)
{
	struct suprun *f = *state;

	sr_work(f, (struct sup_goal){ .program = "fatal", .running = true });
	sr_expect(f, ANS_NO, "program-fatal");
	print_message("FATAL given up: %ld ms\n", MS(f->took));
	assert_true(f->took > USEC_SEC && f->took < 10 * USEC_SEC);
	sr_work(f, (struct sup_goal){ .program = "fatal" });
	sr_expect(f, ANS_YES, "");
	sr_work(f, (struct sup_goal){ .program = "missing",
		       .running = true,
		       .started = true,
		       .deadline = 500 * USEC_MSEC });
	sr_expect(f, ANS_NO, "program-start");
	sr_work(f, (struct sup_goal){ .program = "nosuch", .running = true });
	sr_expect(f, ANS_NO, "program-missing");
	assert_true(f->took < 500 * USEC_MSEC);
	sr_work(f, (struct sup_goal){ .program = "nosuch" });
	sr_expect(f, ANS_NO, "program-missing");
}

/* EXITED is the end only where supervisord leaves it so. */
static void
test_exited(void **state)
{
	struct suprun *f = *state;

	/* Reaped by the end of its output, restarted a round later. */
	kill(sr_started(f, "ends"), SIGKILL);
	sr_run_for(f, 100 * USEC_MSEC);
	sr_work(f, (struct sup_goal){ .program = "ends" });
	sr_expect(f, ANS_YES, "");
	sr_run_for(f, 200 * USEC_MSEC);
	assert_int_equal(sr_program(f, "ends")->state, SUP_STOPPED);
	sr_work(
	    f, (struct sup_goal){
		   .program = "once", .running = true, .deadline = USEC_SEC });
	sr_wait_state(f, "once", SUP_EXITED);
	sr_work(f, (struct sup_goal){ .program = "once" });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(sr_program(f, "once")->state, SUP_EXITED);
}

static void
test_cancel(void **state)
{
	struct suprun *f = *state;
	struct sup_goal goal = { .program = "good",
		.running = true,
		.socket = f->sup.socket,
		.deadline = USEC_SEC };
	struct sup_left *left;
	struct sup_call *call;
	struct error err;
	int i;

	f->done = 0;
	for (i = 0; i < 20; i++) {
		f->work = sup_work_start(f->loop, f->web, &goal, sr_on_work, f);
		sr_run_for(f, i * USEC_MSEC / 2);
		sup_work_cancel(f->work);
	}
	assert_int_equal(f->done, 0);
	/* In the midst of a sweep, which may be done before. */
	goal.running = false;
	goal.sweep = sr_path(f, "pull.sh");
	for (i = 0; i < 20; i++) {
		f->done = 0;
		f->work = sup_work_start(f->loop, f->web, &goal, sr_on_work, f);
		sr_run_for(f, i * USEC_MSEC / 4);
		if (f->done == 0)
			sup_work_cancel(f->work);
	}
	f->done = 0;
	left = sup_left_start(
	    f->loop, sr_path(f, "pull.sh"), USEC_SEC, sr_on_left, f);
	sup_left_cancel(left);
	sup_left_cancel(NULL);
	call = sup_list_start(
	    f->web, f->sup.socket, USEC_SEC, sr_on_list, f, &err);
	sup_list_cancel(call);
	sup_list_cancel(NULL);
	sup_work_cancel(NULL);
	sr_run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 0);
}

/* Told to stop right after its start, it would not have heard, and supervisord
 * would wait for a minute. A child is without hearing for longer the more
 * descriptors supervisord closes in it. */
static void
test_young(void **state)
{
	struct suprun *f = *state;
	usec_t end;
	pid_t old;
	int i;

	suptest_end(&f->sup, SIGKILL);
	suptest_more(&f->sup, "[supervisord]\nminfds=20000\n");
	suptest_start(&f->sup);
	for (i = 0; i < 10; i++) {
		old = sr_started(f, "ends");
		kill(old, SIGKILL);
		end = clock_now().raw + 10 * USEC_SEC;
		/* Its child, or what there is in between. */
		while (i % 2 == 0 && (sr_program(f, "ends")->pid == old ||
					 sr_program(f, "ends")->pid == 0))
			assert_true(clock_now().raw < end);
		sr_work(f, (struct sup_goal){ .program = "ends" });
		sr_expect(f, ANS_YES, "");
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sr_setup, sr_teardown)
	const struct CMUnitTest tests[] = {
		T(test_list),
		T(test_restart),
		T(test_parallel),
		T(test_stop),
		T(test_stopping),
		T(test_fatal),
		T(test_exited),
		T(test_cancel),
		T(test_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
