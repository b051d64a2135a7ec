/*
 * A disk that does not answer: what lies on it is given up in its time, and
 * nothing else waits for it, least of all a promotion.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "converge/converge_i.h"
#include "convtest.h"
#include "hawatch/loop.h"

static int hold[2];
static atomic_int holding;

/* The first worker that gets there waits, as in a call of the kernel. */
static void
point(const char *place)
{
	char c;

	if (strcmp(place, "prepared") == 0 && atomic_exchange(&holding, 0) == 1)
		assert_int_equal(read(hold[0], &c, 1), 1);
}

static void
open_hung(struct convtest *t)
{
	struct conf_item *item;

	assert_int_equal(pipe(hold), 0);
	conv_open(t);
	conv_write(t, "a.conf", "host=?\n");
	conv_write(t, "b.conf", "host=?\n");
	conv_line(t, "a-host", "a.conf", "host")->timeout = 2 * USEC_SEC;
	conv_line(t, "b-host", "b.conf", "host")->when = ITEM_BEFORE;
	conv_on(conv_service(t, "app", "a.conf"), "a-host");
	item = conv_service(t, "alone", "b.conf");
	item->start[0] = "/usr/bin/touch";
	item->start[1] = conv_path(t, "alone");
	item->test[0] = "/usr/bin/test";
	item->test[1] = "-e";
	item->test[2] = item->start[1];
	item->independent = true;
	t->point = point;
	conv_restart(t);
	atomic_store(&holding, 1);
}

static void
let_go(struct convtest *t)
{
	assert_int_equal(write(hold[1], "x", 1), 1);
	conv_wait_left(t);
	close(hold[0]);
	close(hold[1]);
}

static void
test_run(void **state)
{
	struct convtest t;
	usec_t began;

	open_hung(&t);
	conv_start(&t, ITEM_AFTER, CONV_SELF, 7);
	/* What does not read it is made meanwhile. */
	while (atomic_load(&holding) != 0 ||
	       access(conv_path(&t, "alone"), F_OK) == -1)
		conv_turn(&t, 5 * USEC_MSEC);
	assert_int_equal(t.done, 0);
	/* A promotion takes its own item, and does not wait. */
	began = clock_now().raw;
	assert_int_equal(conv_run(&t, ITEM_BEFORE, CONV_OTHER, 8), ANS_YES);
	assert_in_range((int)(clock_now().raw - began), 0, 1000000);
	conv_expect(&t, "b.conf", "host=prod-s1\n");
	t.done = 0;
	while (t.done == 0)
		conv_turn(&t, 10 * USEC_MSEC);
	assert_int_equal(t.ans, ANS_YES);
	assert_string_equal(
	    conv_state(&t, "a-host").reason, "the disk does not answer");
	assert_int_equal(conv_count(&t, "events", "ev=converge.failed"), 1);
	conv_expect(&t, "a.conf", "host=?\n");
	/* When it answers again, what it holds of us goes. */
	let_go(&t);
	conv_wait_left(&t);
	conv_expect(&t, "a.conf", "host=?\n");
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "a.conf", "host=primary\n");
	conv_expect(&t, "seen-app", "host=primary\n");
	conv_close(&t);
}

static bool
others_looked(struct convtest *t)
{
	return conv_state(t, "app").seen_at > 0;
}

static bool
line_looked(struct convtest *t)
{
	return strcmp(conv_state(t, "a-host").reason, "line 1 differs") == 0;
}

static void
test_look(void **state)
{
	struct convtest t;

	open_hung(&t);
	conv_start(&t, ITEM_AFTER, CONV_SELF, 7);
	while (atomic_load(&holding) != 0 ||
	       access(conv_path(&t, "alone"), F_OK) == -1)
		conv_turn(&t, 5 * USEC_MSEC);
	converge_cancel(t.c, ITEM_AFTER);
	converge_expect(t.c, CONV_SELF, 7);
	assert_true(conv_wait(&t, others_looked));
	assert_int_equal(conv_state(&t, "a-host").holds, ANS_UNKNOWN);
	/* A minute later. */
	look_start(t.c);
	assert_string_equal(
	    conv_state(&t, "a-host").reason, "the disk does not answer");
	conv_turn(&t, 100 * USEC_MSEC);
	assert_int_equal(converge_drift(t.c), 2);
	look_start(t.c);
	conv_turn(&t, 100 * USEC_MSEC);
	assert_int_equal(conv_count(&t, "events", "ev=converge.drift"), 1);
	let_go(&t);
	look_start(t.c);
	assert_true(conv_wait(&t, line_looked));
	conv_wait_left(&t);
	conv_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
