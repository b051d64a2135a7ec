/*
 * The worker thread: order, delivery on the loop, and its end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/loop.h"
#include "hawatch/worker.h"

#define TASKS 1000

struct fixture {
	struct loop *loop;
	struct worker *worker;
	pthread_t main, where;
	int worked, done, next, ticks;
	bool free_in_done;
	struct timer *timer;
};

struct task {
	struct fixture *f;
	int number;
	int worked_as;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->worker = worker_new(f->loop);
	f->main = pthread_self();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	worker_free(f->worker);
	timer_free(f->timer);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
work(void *arg)
{
	struct task *task = arg;

	task->f->where = pthread_self();
	task->worked_as =
	    __atomic_fetch_add(&task->f->worked, 1, __ATOMIC_SEQ_CST);
}

static void
done(void *arg)
{
	struct task *task = arg;
	struct fixture *f = task->f;

	assert_true(pthread_equal(pthread_self(), f->main));
	assert_int_equal(task->number, f->next++);
	assert_int_equal(task->worked_as, task->number);
	if (++f->done == TASKS)
		loop_stop(f->loop);
	if (f->free_in_done) {
		worker_free(f->worker);
		f->worker = NULL;
		loop_stop(f->loop);
	}
}

static void
test_in_order_and_on_the_loop(void **state)
{
	struct fixture *f = *state;
	struct task *tasks = calloc(TASKS, sizeof(*tasks));
	int i;

	for (i = 0; i < TASKS; i++) {
		tasks[i] = (struct task){ .f = f, .number = i };
		worker_submit(f->worker, work, done, &tasks[i]);
	}
	assert_int_equal(f->done, 0);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, TASKS);
	assert_false(pthread_equal(f->where, f->main));
	free(tasks);
}

static void
on_tick(void *arg)
{
	struct fixture *f = arg;

	f->ticks++;
	timer_arm(f->timer, 5 * USEC_MSEC);
}

static void
slow_work(void *arg)
{
	usleep(150000);
	work(arg);
}

static void
last(void *arg)
{
	struct task *task = arg;

	task->f->done++;
	loop_stop(task->f->loop);
}

/* A disk that hangs does not hang the loop. */
static void
test_loop_goes_on(void **state)
{
	struct fixture *f = *state;
	struct task task = { .f = f };

	f->timer = timer_new(f->loop, on_tick, f);
	on_tick(f);
	worker_submit(f->worker, slow_work, last, &task);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	assert_true(f->ticks > 10);
}

static void
test_free_waits_and_drops(void **state)
{
	struct fixture *f = *state;
	struct task tasks[3] = { { .f = f }, { .f = f }, { .f = f } };
	usec_t end = clock_now().raw + 5 * USEC_SEC;
	int i;

	worker_submit(f->worker, work, done, &tasks[0]);
	while (__atomic_load_n(&f->worked, __ATOMIC_SEQ_CST) == 0)
		assert_true(clock_now().raw < end);
	for (i = 1; i < 3; i++)
		worker_submit(f->worker, slow_work, done, &tasks[i]);
	usleep(20000);
	worker_free(f->worker);
	f->worker = NULL;
	assert_int_equal(f->worked, 2);
	assert_int_equal(f->done, 0);
}

static void
test_done_may_free_the_worker(void **state)
{
	struct fixture *f = *state;
	struct task tasks[3] = { { .f = f }, { .f = f, .number = 1 },
		{ .f = f, .number = 2 } };
	int i;

	f->free_in_done = true;
	for (i = 0; i < 3; i++)
		worker_submit(f->worker, work, done, &tasks[i]);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	assert_null(f->worker);
}

static sigset_t mask;

static void
mask_work(void *arg)
{
	char big[64 * 1024];

	/* Half of the stack is there. */
	memset(big, 1, sizeof(big));
	assert_int_equal(big[sizeof(big) / 2], 1);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
}

static void
test_signals_stay_on_the_loop(void **state)
{
	struct fixture *f = *state;
	struct task task = { .f = f };
	sigset_t ours;

	worker_submit(f->worker, mask_work, last, &task);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(sigismember(&mask, SIGTERM), 1);
	assert_int_equal(sigismember(&mask, SIGCHLD), 1);
	pthread_sigmask(SIG_BLOCK, NULL, &ours);
	assert_int_equal(sigismember(&ours, SIGTERM), 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_order_and_on_the_loop),
		TEST(test_loop_goes_on),
		TEST(test_free_waits_and_drops),
		TEST(test_done_may_free_the_worker),
		TEST(test_signals_stay_on_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
