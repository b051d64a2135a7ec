/*
 * A host whose applications could not be brought to its role: from when, until
 * when, over an end of the engine, and what is no such thing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "convtest.h"
#include "hawatch/loop.h"

#define GIVEN_UP \
	"{\"format\":1,\"restart\":[],\"epoch\":7,\"given_up\":[\"host\"]}"
#define NOTHING "{\"format\":1,\"restart\":[]}"

/* A line that cannot be found, and who reads the file. */
static void
site(struct convtest *t)
{
	conv_write(t, "a.conf", "host = ?\n");
	conv_line(t, "host", "a.conf", "host")->timeout = 300 * USEC_MSEC;
	conv_on(conv_service(t, "app", "a.conf"), "host");
	conv_restart(t);
}

static bool
fresh(struct convtest *t)
{
	return !converge_stale(t->c);
}

static bool
listed_as_made(struct convtest *t)
{
	return strcmp(conv_text(t, "state/converge"), NOTHING) == 0;
}

static bool
restarted(struct convtest *t)
{
	return conv_text(t, "log")[0] != '\0';
}

static bool
line_differs(struct convtest *t)
{
	return conv_state(t, "host").holds == ANS_NO;
}

static void
given_up(struct convtest *t)
{
	converge_expect(t->c, CONV_SELF, 7);
	assert_true(conv_wait(t, line_differs));
	assert_false(converge_stale(t->c));
	assert_int_equal(conv_run(t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_true(converge_stale(t->c));
	conv_expect(t, "state/converge", GIVEN_UP);
	conv_expect(t, "log", "");
}

/* The line can be found again: it is made soon, with the restart. */
static void
test_mended(void **state)
{
	struct convtest t;
	usec_t began;

	conv_open(&t);
	site(&t);
	given_up(&t);
	conv_write(&t, "a.conf", "host=?\n");
	began = clock_now().raw;
	assert_true(conv_wait(&t, fresh));
	assert_in_range((int)(clock_now().raw - began), 0, 8000000);
	conv_expect(&t, "a.conf", "host=primary\n");
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "seen-app", "host=primary\n");
	conv_expect(&t, "log", "app\n");
	conv_expect(&t, "state/converge", NOTHING);
	conv_close(&t);
}

/* All was done by hand, and nobody knows whether the service was restarted
 * after that: it is, within a few seconds. */
static void
test_mended_by_hand(void **state)
{
	struct convtest t;
	usec_t began;

	conv_open(&t);
	site(&t);
	given_up(&t);
	conv_write(&t, "a.conf", "host=primary\n");
	began = clock_now().raw;
	assert_true(conv_wait(&t, fresh));
	assert_in_range((int)(clock_now().raw - began), 0, 8000000);
	assert_true(conv_wait(&t, restarted));
	conv_expect(&t, "seen-app", "host=primary\n");
	conv_turn(&t, 200 * USEC_MSEC);
	conv_expect(&t, "log", "app\n");
	conv_expect(&t, "state/converge", NOTHING);
	conv_close(&t);
}

/* A new engine knows it from its first moment, and tries again. */
static void
test_new_engine(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	given_up(&t);
	conv_restart(&t);
	assert_true(converge_stale(t.c));
	converge_expect(t.c, NODE_NONE, 7);
	assert_true(converge_stale(t.c));
	conv_turn(&t, 100 * USEC_MSEC);
	assert_true(converge_stale(t.c));
	conv_write(&t, "a.conf", "host=?\n");
	converge_expect(t.c, CONV_SELF, 7);
	assert_true(converge_stale(t.c));
	assert_true(conv_wait(&t, fresh));
	assert_true(conv_wait(&t, listed_as_made));
	conv_restart(&t);
	converge_expect(t.c, CONV_SELF, 7);
	assert_false(converge_stale(t.c));
	conv_close(&t);
}

/* Another epoch begins anew. */
static void
test_other_epoch(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	given_up(&t);
	converge_expect(t.c, CONV_OTHER, 8);
	assert_false(converge_stale(t.c));
	conv_write(&t, "a.conf", "host=?\n");
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_OTHER, 8), ANS_YES);
	conv_expect(&t, "state/converge", NOTHING);
	converge_expect(t.c, CONV_SELF, 7);
	assert_false(converge_stale(t.c));
	conv_close(&t);
}

/* After all went well somebody edits the file: that differs, no more. */
static void
test_edit(void **state)
{
	struct convtest t;
	int i;

	conv_open(&t);
	site(&t);
	conv_write(&t, "a.conf", "host=?\n");
	converge_expect(t.c, CONV_SELF, 7);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_write(&t, "a.conf", "hosts\n");
	for (i = 0; i < 2; i++) {
		converge_look(t.c);
		assert_true(conv_wait(&t, line_differs));
		assert_false(converge_stale(t.c));
		conv_restart(&t);
		converge_expect(t.c, CONV_SELF, 7);
	}
	conv_close(&t);
}

/* The file changed, and the restart cannot be made. */
static void
test_restart(void **state)
{
	struct convtest t;
	struct conf_item *app;
	const char *restart;

	conv_open(&t);
	site(&t);
	conv_write(&t, "a.conf", "host=?\n");
	app = &t.conf.item[1];
	app->timeout = 300 * USEC_MSEC;
	restart = app->restart[2];
	app->restart[2] = "false";
	converge_expect(t.c, CONV_SELF, 7);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_true(converge_stale(t.c));
	conv_restart(&t);
	converge_expect(t.c, CONV_SELF, 7);
	assert_true(converge_stale(t.c));
	app->restart[2] = restart;
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_false(converge_stale(t.c));
	conv_expect(&t, "log", "app\n");
	conv_close(&t);
}

/* Who is given up without having read anything old, and what no application
 * reads by itself. */
static void
test_others(void **state)
{
	struct convtest t;
	struct conf_item *item;

	conv_open(&t);
	item = conv_item(&t, "beat", ITEM_SERVICE);
	item->primary = "running";
	item->test[0] = item->start[0] = "/bin/false";
	item->timeout = 300 * USEC_MSEC;
	item = conv_item(&t, "command", ITEM_COMMAND);
	item->primary = "yes";
	item->test[0] = item->fix[0] = "/bin/false";
	item->timeout = 300 * USEC_MSEC;
	conv_restart(&t);
	converge_expect(t.c, CONV_SELF, 7);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_int_equal(conv_count(&t, "events", "ev=converge.failed "), 2);
	assert_false(converge_stale(t.c));
	conv_close(&t);
}

static bool
stale(struct convtest *t)
{
	return converge_stale(t->c);
}

/* It is known before the run is over, so that nobody lets the host in for a
 * moment; but not of a line that fails once. */
static void
test_before_the_end(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	t.conf.item[0].timeout = 3 * USEC_SEC;
	converge_expect(t.c, CONV_SELF, 7);
	conv_start(&t, ITEM_AFTER, CONV_SELF, 7);
	conv_turn(&t, 100 * USEC_MSEC);
	assert_true(line_differs(&t));
	assert_false(converge_stale(t.c));
	assert_true(conv_wait(&t, stale));
	assert_int_equal(t.done, 0);
	conv_write(&t, "a.conf", "host=?\n");
	assert_true(conv_wait(&t, fresh));
	assert_int_equal(t.done, 0);
	conv_expect(&t, "a.conf", "host=primary\n");
	conv_close(&t);
}

/* Nothing is changed in that mode, whatever an earlier engine gave up; a
 * person mends it. */
static void
test_observe(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	given_up(&t);
	t.conf.mode = MODE_OBSERVE;
	conv_write(&t, "a.conf", "host=?\n");
	conv_restart(&t);
	converge_expect(t.c, CONV_SELF, 7);
	assert_true(conv_wait(&t, line_differs));
	conv_turn(&t, 500 * USEC_MSEC);
	assert_true(converge_stale(t.c));
	conv_expect(&t, "a.conf", "host=?\n");
	conv_write(&t, "a.conf", "host=primary\n");
	converge_look(t.c);
	assert_true(conv_wait(&t, fresh));
	conv_expect(&t, "log", "");
	conv_close(&t);
}

/* A service that can be stopped for a handover, and a line that it reads and
 * that was given up. */
static void
handover_site(struct convtest *t)
{
	static char start[200], stop[200], test[200];
	struct conf_item *app;

	conv_write(t, "a.conf", "host = ?\n");
	conv_line(t, "host", "a.conf", "host")->timeout = 300 * USEC_MSEC;
	app = conv_item(t, "app", ITEM_SERVICE);
	app->primary = "running";
	app->handover = "stopped";
	(void)snprintf(start, sizeof(start), "echo start >>%s; touch %s",
	    conv_path(t, "log"), conv_path(t, "up"));
	(void)snprintf(stop, sizeof(stop), "echo stop >>%s; rm %s",
	    conv_path(t, "log"), conv_path(t, "up"));
	(void)snprintf(test, sizeof(test), "test -e %s", conv_path(t, "up"));
	app->start[0] = app->stop[0] = app->test[0] = "/bin/sh";
	app->start[1] = app->stop[1] = app->test[1] = "-c";
	app->start[2] = start;
	app->stop[2] = stop;
	app->test[2] = test;
	conv_on(app, "host");
	conv_restart(t);
	converge_expect(t->c, CONV_SELF, 7);
	assert_int_equal(conv_run(t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_true(converge_stale(t->c));
	conv_quiet(t, 7);
	assert_int_equal(t->ans, ANS_YES);
	conv_expect(t, "log", "start\nstop\n");
}

/* While the handover goes on the line can be found again, a minute is over, or
 * the record was not readable for a moment: what stopped stays so. */
static void
test_handover(void **state)
{
	struct convtest t;

	conv_open(&t);
	handover_site(&t);
	conv_write(&t, "a.conf", "host=?\n");
	conv_turn(&t, 8 * USEC_SEC);
	conv_expect(&t, "log", "start\nstop\n");
	converge_expect(t.c, NODE_NONE, 0);
	conv_turn(&t, 100 * USEC_MSEC);
	converge_expect(t.c, CONV_SELF, 7);
	conv_turn(&t, 2 * USEC_SEC);
	conv_expect(&t, "log", "start\nstop\n");
	conv_expect(&t, "a.conf", "host=?\n");
	conv_close(&t);
}

/* It was nothing: the role has it again, and what is still given up is tried
 * again as before. */
static void
test_handover_given_up(void **state)
{
	struct convtest t;

	conv_open(&t);
	handover_site(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "log", "start\nstop\nstart\n");
	assert_true(converge_stale(t.c));
	conv_write(&t, "a.conf", "host=?\n");
	assert_true(conv_wait(&t, fresh));
	conv_expect(&t, "a.conf", "host=primary\n");
	conv_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mended),
		cmocka_unit_test(test_mended_by_hand),
		cmocka_unit_test(test_new_engine),
		cmocka_unit_test(test_other_epoch),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_before_the_end),
		cmocka_unit_test(test_observe),
		cmocka_unit_test(test_handover),
		cmocka_unit_test(test_handover_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
