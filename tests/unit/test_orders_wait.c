/*
 * The ways in which a switchover ends for who ordered it, or a takeover: done,
 * taken back, given up, not by this plan, late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "switchtest.h"

static void
test_done(void **state)
{
	sw_says("");
	assert_int_equal(sw.ordered, B);
	sw_turn("switchover", "heir");
	sw_turn("switchover", "stopped");
	sw.primary = false;
	sw.st.pg = PGS_GONE;
	sw.st.hand_end = 0x30000072;
	sw_turn("switchover", "flushed");
	sw.st.hand_flushed = 0x30000078;
	sw_turn("switchover", "release");
	assert_int_equal(sw.steps, 4);
	sw.st.hand_end = sw.st.hand_flushed = 0;
	sw.st.rel = REL_RELEASED;
	sw.st.rec.state = REC_RELEASED;
	sw_turn(NULL, NULL);
	sw.st.rel = REL_OTHER;
	sw.st.rec.state = REC_CLAIMED;
	sw.st.rec.holder = B;
	sw.st.rec.epoch = 6;
	sw_turn(NULL, NULL);
	assert_int_equal(sw.exit, -1);
	/* What it does as a standby is no step of the handover. */
	sw_turn("follow", "signal");
	sw_turn("follow", "start");
	assert_int_equal(sw.steps, 4);
	sw.st.rec.state = REC_HELD;
	sw_turn(NULL, NULL);
	assert_int_equal(sw.exit, 0);
	assert_non_null(strstr(sw.done, "n-b has taken over, in epoch 6"));
	assert_non_null(strstr(sw.done, "flushed 0/30000078"));
	assert_non_null(strstr(sw.done, "ended at 0/30000072"));
	assert_true(TAILQ_EMPTY(&sw.orders.waits));
}

static void
test_taken_back(void **state)
{
	sw_says("");
	sw_turn("switchover", "stopped");
	sw.primary = false;
	sw_turn("switchover", "flushed");
	sw_turn("restart", "start");
	assert_int_equal(sw.exit, -1);
	sw.primary = true;
	sw_turn(NULL, NULL);
	sw_refused(8, "taken back at step \"flushed\"", "hactl status");
	assert_true(TAILQ_EMPTY(&sw.orders.waits));
}

static void
test_given_up(void **state)
{
	sw_says("");
	sw_turn("switchover", "near");
	sw_turn(NULL, NULL);
	sw_refused(1, "given up at step near: PostgreSQL", "hactl status");
	/* With what was said against it. */
	sw_says("");
	sw_turn("switchover", "files");
	sw.eng.act_no_at = sw.at.raw + 1;
	(void)snprintf(sw.eng.act_no, sizeof(sw.eng.act_no), "/srv differs");
	sw_turn(NULL, NULL);
	sw_refused(1, "at step files: /srv differs: PostgreSQL was not stopped",
	    "hactl status");
	sw.eng.act_no_at = 0;
	/* The core thought better of it before it began. */
	sw_says("");
	sw_turn(NULL, NULL);
	assert_int_equal(sw.exit, -1);
	sw.at.raw += 3 * USEC_SEC;
	sw_turn(NULL, NULL);
	sw_refused(1, "given up: PostgreSQL was not stopped", "hactl status");
}

static void
test_another_and_late(void **state)
{
	sw_says("");
	sw_turn("switchover", "release");
	sw.primary = false;
	sw.st.rel = REL_OTHER;
	sw.st.rec.holder = C;
	sw.st.rec.epoch = 6;
	sw_turn(NULL, NULL);
	sw_refused(4, "another node took over", "hactl status");
	sw.st.rec.state = REC_RELEASED;
	sw.st.rec.epoch = 6;
	sw.st.rel = REL_RELEASED;
	sw_says("");
	sw.at.raw += 500 * USEC_SEC;
	sw_turn(NULL, NULL);
	sw_refused(4, "and not given up: the plan goes on", "hactl status");
}

/* The target holds, and had not flushed what this one ended with. */
static void
test_not_by_this_plan(void **state)
{
	sw_says("");
	sw_turn("switchover", "near");
	sw.primary = false;
	sw.st.rel = REL_OTHER;
	sw.st.rec.holder = B;
	sw.st.rec.epoch = 6;
	sw_turn(NULL, NULL);
	sw_refused(
	    4, "the target took over, but not by this plan", "hactl status");
}

/* Of the other order that waits for a plan. */
static void
test_takeover_is_abandoned(void **state)
{
	sw.primary = false;
	sw.st.rel = REL_CLAIMED;
	orders_wait(&sw.eng, 1, LONG_PROMOTE, NODE_NONE);
	sw_turn("takeover", "claim");
	sw.st.rel = REL_RELEASED;
	sw_turn(NULL, NULL);
	sw.at.raw += 3 * USEC_SEC;
	sw_turn(NULL, NULL);
	sw_refused(4, "the plan was abandoned", "hactl status");
}

/* At which step, and who said no there; or that it was late. */
static void
test_where_it_was_abandoned(void **state)
{
	bool late;

	for (late = false;; late = true) {
		sw.primary = false;
		sw.st.rel = REL_CLAIMED;
		sw.st.over_plan = NULL;
		orders_wait(&sw.eng, 1, LONG_PROMOTE, NODE_NONE);
		sw_turn("takeover", "claim");
		sw.st.rel = REL_RELEASED;
		sw.st.over_plan = "takeover";
		sw.st.over_row = "names";
		sw.st.over_late = late;
		sw.st.over_why = "";
		sw_turn(NULL, NULL);
		sw.at.raw += 3 * USEC_SEC;
		sw_turn(NULL, NULL);
		sw_refused(4,
		    late ? "): not so in time" :
			   "abandoned at names (): it is not so",
		    "hactl status");
		if (late)
			break;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sw_setup, sw_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_done),
		TEST(test_taken_back),
		TEST(test_given_up),
		TEST(test_another_and_late),
		TEST(test_not_by_this_plan),
		TEST(test_takeover_is_abandoned),
		TEST(test_where_it_was_abandoned),
	};

	return cmocka_run_group_tests(tests, sw_group_setup, sw_group_teardown);
}
