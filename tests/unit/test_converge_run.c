/*
 * Runs over lines and services that are commands: order, restarts, what is
 * refused, what is given up, what is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "convtest.h"
#include "hawatch/loop.h"

/* Five lines in three files, three services that read them. */
static void
site(struct convtest *t)
{
	conv_write(t, "a.conf", "x\nhost=?\nport=?\n");
	conv_write(t, "b.conf", "host=?\nsecret=hunter2\nuser=?");
	conv_write(t, "c.conf", "# c\r\nhost=?\r\n");
	conv_line(t, "a-host", "a.conf", "host");
	conv_line(t, "a-port", "a.conf", "port");
	conv_line(t, "b-host", "b.conf", "host");
	conv_line(t, "b-user", "b.conf", "user");
	conv_line(t, "c-host", "c.conf", "host");
	conv_on(conv_service(t, "app-a", "a.conf"), "a-host");
	conv_on(&t->conf.item[5], "a-port");
	conv_on(conv_service(t, "app-b", "b.conf"), "b-host");
	conv_on(conv_service(t, "app-c", "c.conf"), "c-host");
}

static void
expect_primary(struct convtest *t)
{
	conv_expect(t, "a.conf", "x\nhost=primary\nport=primary\n");
	conv_expect(t, "b.conf", "host=primary\nsecret=hunter2\nuser=primary");
	conv_expect(t, "c.conf", "# c\r\nhost=primary\r\n");
	conv_expect(t, "seen-app-a", conv_text(t, "a.conf"));
	conv_expect(t, "seen-app-b", conv_text(t, "b.conf"));
	conv_expect(t, "seen-app-c", conv_text(t, "c.conf"));
}

static void
test_both_ways(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_restart(&t);
	assert_int_equal(converge_count(t.c), 8);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	expect_primary(&t);
	conv_expect(&t, "log", "app-a\napp-b\napp-c\n");
	assert_int_equal(conv_count(&t, "events", "ev=converge.change "), 5);
	assert_int_equal(conv_count(&t, "events", "ev=service.restart "), 3);
	assert_int_equal(conv_state(&t, "app-c").holds, ANS_YES);
	assert_true(conv_state(&t, "a-host").changed_at > 0);
	conv_expect(&t, "state/converge", "{\"format\":1,\"restart\":[]}");
	/* The old content of that epoch is there. */
	conv_expect(&t, ".a.conf.hawatch-7", "x\nhost=?\nport=?\n");
	/* Once more: nothing to do. */
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "log", "app-a\napp-b\napp-c\n");
	assert_int_equal(conv_count(&t, "events", "ev=converge.change "), 5);
	/* The other role, in the same epoch: the backup stays. */
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_OTHER, 7), ANS_YES);
	conv_expect(&t, "a.conf", "x\nhost=prod-s1\nport=prod-s1\n");
	conv_expect(&t, ".a.conf.hawatch-7", "x\nhost=?\nport=?\n");
	conv_expect(&t, "log", "app-a\napp-b\napp-c\napp-a\napp-b\napp-c\n");
	assert_int_equal(conv_count(&t, "events", "hunter2"), 0);
	conv_close(&t);
}

/* Only who reads what changed is restarted. */
static void
test_restart_on(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_write(&t, "a.conf", "host=primary\nport=primary\n");
	conv_write(&t, "b.conf", "host=primary\nuser=?\n");
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "log", "app-c\n");
	conv_expect(&t, "b.conf", "host=primary\nuser=primary\n");
	conv_close(&t);
}

/* What cannot be rendered is told, and stops nothing else. */
static void
test_failing_line(void **state)
{
	struct convtest t;
	usec_t began;

	conv_open(&t);
	site(&t);
	t.conf.item[0].timeout = 300 * USEC_MSEC;
	conv_write(&t, "a.conf", "port=?\nport=1\n");
	t.conf.item[1].timeout = 300 * USEC_MSEC;
	conv_restart(&t);
	began = clock_now().raw;
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_in_range((int)(clock_now().raw - began), 300000, 2000000);
	conv_expect(&t, "log", "app-b\napp-c\n");
	conv_expect(&t, "a.conf", "port=?\nport=1\n");
	assert_int_equal(conv_state(&t, "a-host").holds, ANS_NO);
	assert_string_equal(conv_state(&t, "a-host").reason, "no line matches");
	assert_string_equal(conv_state(&t, "a-port").reason,
	    "2 lines match instead of one (1, 2)");
	assert_int_equal(converge_drift(t.c), 2);
	assert_int_equal(conv_count(&t, "events", "ev=converge.failed "), 2);
	assert_int_equal(conv_count(&t, "events", "ev=converge.drift "), 1);
	conv_close(&t);
}

static bool
tried(struct convtest *t)
{
	return conv_state(t, "a-host").holds == ANS_NO &&
	       conv_state(t, "app-c").holds == ANS_YES;
}

/* What is repaired within the time is made, with its restart. */
static void
test_later_round(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_write(&t, "a.conf", "port=?\n");
	conv_restart(&t);
	conv_start(&t, ITEM_AFTER, CONV_SELF, 7);
	assert_true(conv_wait(&t, tried));
	conv_write(&t, "a.conf", "host=?\nport=primary\n");
	while (t.done == 0)
		conv_turn(&t, 10 * USEC_MSEC);
	conv_expect(&t, "a.conf", "host=primary\nport=primary\n");
	conv_expect(&t, "seen-app-a", "host=primary\nport=primary\n");
	assert_int_equal(conv_count(&t, "log", "app-b\n"), 1);
	assert_int_equal(conv_count(&t, "log", "app-c\n"), 1);
	conv_expect(&t, "state/converge", "{\"format\":1,\"restart\":[]}");
	assert_int_equal(converge_drift(t.c), 0);
	conv_close(&t);
}

static bool
differs(struct convtest *t)
{
	return conv_state(t, "a-host").holds == ANS_NO;
}

static bool
holds(struct convtest *t)
{
	return conv_state(t, "a-host").holds == ANS_YES;
}

/* What was on its way when it was first looked at is not wrong for a minute. */
static void
test_look_soon(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_restart(&t);
	converge_expect(t.c, CONV_SELF, 7);
	assert_true(conv_wait(&t, differs));
	conv_write(&t, "a.conf", "host=primary\nport=primary\n");
	assert_true(conv_wait(&t, holds));
	conv_close(&t);
}

static void
before(struct convtest *t, int i, bool required)
{
	t->conf.item[i].when = ITEM_BEFORE;
	t->conf.item[i].required = required;
	t->conf.item[i].timeout = 300 * USEC_MSEC;
}

/* A required line that cannot be rendered: nothing at all is renamed. */
static void
test_before_refused(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_write(&t, "c.conf", "other=?\n");
	before(&t, 0, false);
	before(&t, 4, true);
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_BEFORE, CONV_SELF, 7), ANS_NO);
	assert_string_equal(t.reason, "c-host: no line matches");
	conv_expect(&t, "a.conf", "x\nhost=?\nport=?\n");
	conv_expect(&t, "log", "");
	conv_wait_left(&t);
	conv_close(&t);
}

/* What is not required stops no promotion, and is made as far as it can. */
static void
test_before_not_required(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_write(&t, "c.conf", "other=?\n");
	before(&t, 0, true);
	before(&t, 4, false);
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_BEFORE, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "a.conf", "x\nhost=primary\nport=?\n");
	/* The restart is the other phase's matter, and not forgotten. */
	conv_expect(&t, "log", "");
	assert_int_equal(conv_count(&t, "state/converge", "app-a"), 1);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_int_equal(conv_count(&t, "log", "app-a\n"), 1);
	assert_int_equal(conv_count(&t, "log", "app-b\n"), 1);
	conv_close(&t);
}

/* One after the other, but what is independent begins at once. */
static void
test_order(void **state)
{
	struct convtest t;
	struct conf_item *slow, *next, *alone;

	conv_open(&t);
	conv_write(&t, "a.conf", "host=?\n");
	slow = conv_service(&t, "slow", "a.conf");
	slow->restart[2] = "sleep 0.3";
	slow->test[0] = "/bin/false";
	slow->timeout = 600 * USEC_MSEC;
	next = conv_service(&t, "next", "a.conf");
	next->test[0] = "/bin/false";
	next->timeout = 200 * USEC_MSEC;
	alone = conv_service(&t, "alone", "a.conf");
	alone->independent = true;
	conv_line(&t, "a-host", "a.conf", "host");
	conv_on(alone, "a-host");
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_true(strncmp(conv_text(&t, "log"), "alone\nnext\n", 11) == 0);
	assert_string_equal(
	    conv_state(&t, "slow").reason, "test ended with status 1");
	assert_int_equal(conv_state(&t, "next").holds, ANS_NO);
	conv_close(&t);
}

/* Stopped in one role, running in the other, left alone without a word. */
static void
test_states(void **state)
{
	struct convtest t;
	struct conf_item *s;
	const char *flag;

	conv_open(&t);
	flag = conv_path(&t, "flag");
	s = conv_item(&t, "beat", ITEM_SERVICE);
	s->primary = "running";
	s->standby = "stopped";
	s->start[0] = "/usr/bin/touch";
	s->start[1] = flag;
	s->stop[0] = "/bin/rm";
	s->stop[1] = flag;
	s->test[0] = "/usr/bin/test";
	s->test[1] = "-e";
	s->test[2] = flag;
	s = conv_item(&t, "fixed", ITEM_COMMAND);
	s->primary = "yes";
	s->test[0] = "/usr/bin/test";
	s->test[1] = "-e";
	s->test[2] = conv_path(&t, "fixed");
	s->fix[0] = "/usr/bin/touch";
	s->fix[1] = s->test[2];
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_OTHER, 7), ANS_YES);
	assert_int_equal(conv_count(&t, "events", "ev=service"), 0);
	assert_int_equal(access(conv_path(&t, "fixed"), F_OK), -1);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 8), ANS_YES);
	assert_int_equal(access(flag, F_OK), 0);
	assert_int_equal(access(conv_path(&t, "fixed"), F_OK), 0);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_OTHER, 9), ANS_YES);
	assert_int_equal(access(flag, F_OK), -1);
	assert_int_equal(access(conv_path(&t, "fixed"), F_OK), 0);
	assert_int_equal(conv_count(&t, "events", "to=running"), 1);
	assert_int_equal(conv_count(&t, "events", "to=stopped"), 1);
	conv_close(&t);
}

/* A command that changes something is a cause like a line. */
static void
test_command_causes(void **state)
{
	struct convtest t;
	struct conf_item *s;

	conv_open(&t);
	conv_write(&t, "a.conf", "");
	s = conv_item(&t, "fixed", ITEM_COMMAND);
	s->primary = "yes";
	s->test[0] = "/usr/bin/test";
	s->test[1] = "-e";
	s->test[2] = conv_path(&t, "fixed");
	s->fix[0] = "/usr/bin/touch";
	s->fix[1] = s->test[2];
	s = conv_service(&t, "app", "a.conf");
	conv_on(s, "fixed");
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "log", "app\n");
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "log", "app\n");
	conv_close(&t);
}

/* A promotion does not wait for what an earlier role's run still does, and
 * takes the items that both have. */
static void
test_before_does_not_wait(void **state)
{
	struct convtest t;
	struct conf_item *s;
	usec_t began;

	conv_open(&t);
	conv_write(&t, "a.conf", "host=?\n");
	conv_line(&t, "a-host", "a.conf", "host")->when = ITEM_BEFORE;
	s = conv_service(&t, "slow", "a.conf");
	s->restart[2] = conv_path(&t, "held");
	s->restart[0] = "/bin/sh";
	s->restart[1] = "-c";
	s->restart[2] = "touch \"$0\"; sleep 3";
	s->restart[3] = conv_path(&t, "held");
	conv_on(s, "a-host");
	conv_restart(&t);
	conv_start(&t, ITEM_AFTER, CONV_OTHER, 7);
	while (access(conv_path(&t, "held"), F_OK) == -1)
		conv_turn(&t, 10 * USEC_MSEC);
	assert_int_equal(t.done, 0);
	assert_non_null(converge_doing(t.c, &began));
	conv_expect(&t, "a.conf", "host=prod-s1\n");
	began = clock_now().raw;
	assert_int_equal(conv_run(&t, ITEM_BEFORE, CONV_SELF, 8), ANS_YES);
	assert_in_range((int)(clock_now().raw - began), 0, 500000);
	conv_expect(&t, "a.conf", "host=primary\n");
	converge_cancel(t.c, ITEM_AFTER);
	assert_null(converge_doing(t.c, &began));
	conv_close(&t);
}

/* Cancelled at any moment: no callback, nothing left over, and the next run
 * is whole. */
static void
test_cancel(void **state)
{
	struct convtest t;
	int i;

	conv_open(&t);
	site(&t);
	conv_restart(&t);
	for (i = 0; i < 20; i++) {
		conv_start(
		    &t, ITEM_AFTER, i % 2 == 0 ? CONV_SELF : CONV_OTHER, 7);
		conv_turn(&t, i * USEC_MSEC);
		if (t.done == 0)
			converge_cancel(t.c, ITEM_AFTER);
		t.done = 0;
		conv_turn(&t, 5 * USEC_MSEC);
		assert_int_equal(t.done, 0);
	}
	conv_wait_left(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 8), ANS_YES);
	expect_primary(&t);
	conv_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_restart_on),
		cmocka_unit_test(test_failing_line),
		cmocka_unit_test(test_later_round),
		cmocka_unit_test(test_look_soon),
		cmocka_unit_test(test_before_refused),
		cmocka_unit_test(test_before_not_required),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_command_causes),
		cmocka_unit_test(test_before_does_not_wait),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
