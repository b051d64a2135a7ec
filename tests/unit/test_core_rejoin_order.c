/*
 * Data that is made the primary's by a person's order: when it is refused, and
 * with which words; and what is told of its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rejointest.h"
#include "sitetest.h"

/* A standby that follows nobody, whatever the reason. */
static void
lost(struct ct *t, usec_t us)
{
	ct_init(t, B, false);
	t->conf.rejoin = CORE_REJOIN_REWIND;
	t->fork = FORK_NONE;
	ct_candidate(t);
	t->reg.value.rec.candidates = 0;
	t->pg.receiver = false;
	ct_renewed(t, us);
}

/* By a person, whatever the configuration says; and refused, with the next
 * command. */
static void
test_order(void **state)
{
	struct ct t;
	const char *no;

	rejointest_replaced(&t, CORE_REJOIN_NONE, REC_HELD);
	rejointest_streams(&t);
	ct_renewed(&t, 2 * SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	ct_renewed(&t, 10 * SEC);
	assert_false(t.disk.latch);
	no = core_order_rejoin(t.c, &t.now, false);
	assert_non_null(strstr(no, "nothing to rejoin\nhactl "));
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_NONE, REC_CLAIMED);
	ct_renewed(&t, SEC);
	assert_string_equal(
	    core_order_rejoin(t.c, &t.now, false), "nobody-holds");
	ct_free(&t);
}

/* Of a person's fence: by whom and why, and what comes first; unless another
 * has taken over since. */
static void
test_fenced_is_refused(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.rec.candidates = 0;
	assert_null(core_order_fence(
	    t.c, &t.now, "fenced by amy: new\ndisks, \"twice\""));
	ct_renewed(&t, 2 * SEC);
	assert_string_equal(core_order_rejoin(t.c, &t.now, false),
	    "this host was fenced by amy: new disks, \"twice\": nothing is "
	    "rewritten, or started, before that is taken back\n"
	    "hactl unfence");
	assert_string_equal(core_order_promote(t.c, &t.now, NULL),
	    "this node is fenced by a person's word\nhactl unfence");
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	assert_true(t.disk.latch && t.disk.fenced);
	ct_free(&t);

	rejointest_fenced(&t);
	ct_renewed(&t, SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	ct_free(&t);
}

/* It is its primary's data: that is known, also to the next engine, until it
 * is seen out of recovery. */
static void
test_follower(void **state)
{
	struct ct t;

	lost(&t, 2 * SEC);
	assert_false(t.disk.follower);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	t.act[ACT_COMPARE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_true(t.disk.follower);
	assert_true(ct_last_act(&t, ACT_COMPARE)->goal.standby);
	/* Its own recovery, and no other, is apart. */
	assert_true(ct_last_act(&t, ACT_START)->goal.aside);
	ct_restart(&t, 0);
	ct_renewed(&t, 10 * SEC);
	assert_true(ct_last_act(&t, ACT_COMPARE)->goal.standby);
	rejointest_streams(&t);
	t.act[ACT_COMPARE] = ANS_YES;
	ct_act(&t, ACT_COMPARE, ANS_YES);
	ct_renewed(&t, 10 * SEC);
	assert_false(ct_last_act(&t, ACT_START)->goal.aside);
	assert_false(t.disk.latch || t.disk.follower);
	ct_free(&t);

	lost(&t, 2 * SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	t.act[ACT_COMPARE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	t.pg.running = ANS_YES;
	t.pg.recovery = ANS_NO;
	ct_renewed(&t, SEC);
	assert_false(t.disk.follower);
	ct_free(&t);
}

/* A person who orders a copy gets one: nothing is asked of what is there, which
 * may not even start. Not of a candidate's, on which commits count. */
static void
test_clone_ordered(void **state)
{
	const char *no;
	struct ct t;

	lost(&t, 2 * SEC);
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	assert_null(core_order_rejoin(t.c, &t.now, true));
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 1);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	assert_int_equal(site_asked(&t, ACT_START), 0);
	assert_int_equal(site_asked(&t, ACT_COMPARE), 0);
	assert_int_equal(site_asked(&t, ACT_REWIND), 0);
	rejointest_streams(&t);
	ct_act(&t, ACT_CLONE, ANS_YES);
	ct_renewed(&t, 5 * SEC);
	assert_false(t.disk.latch);
	/* It is well: only a copy can be asked for, and not of a candidate. */
	assert_non_null(strstr(core_order_rejoin(t.c, &t.now, false),
	    "this standby receives from the primary"));
	t.reg.value.rec.candidates = BIT_B;
	ct_renewed(&t, SEC);
	no = core_order_rejoin(t.c, &t.now, true);
	assert_string_equal(no, "a standby already, and a candidate: there is "
				"nothing to rejoin\nhactl status");
	t.reg.value.rec.candidates = 0;
	ct_renewed(&t, SEC);
	assert_null(core_order_rejoin(t.c, &t.now, true));
	ct_free(&t);
}

/* What people are told of it: the step, and why. */
static void
test_came_to_nothing(void **state)
{
	struct core_status st;
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.fork = FORK_CLONE;
	ct_renewed(&t, 10 * SEC);
	st = ct_status(&t);
	assert_string_equal(st.over_plan, "rejoin");
	assert_string_equal(st.over_row, "compare");
	assert_string_equal(st.over_why, "no-hints");
	assert_false(st.over_late);
	assert_true(st.stuck);
	assert_null(core_order_rejoin(t.c, &t.now, true));
	ct_renewed(&t, 34 * SEC);
	st = ct_status(&t);
	assert_string_equal(st.over_row, "streams");
	assert_true(st.over_late);
	assert_string_equal(st.over_why, "");
	ct_free(&t);
}

/* What is set aside runs for a moment after the engine that had it so: it is
 * stopped before anybody may take it for a standby. */
static void
test_aside_is_not_unfenced(void **state)
{
	struct durable d;
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_NONE, REC_HELD);
	d = t.disk;
	d.latch = true;
	d.rejoin = REJOIN_ASIDE;
	ct_free(&t);
	ct_init(&t, B, true);
	t.disk = d;
	ct_start(&t, &d, 0);
	ct_standby(&t, 120);
	ct_view(&t);
	assert_non_null(strstr(
	    core_order_unfence(t.c, &t.now), "PostgreSQL still runs here"));
	ct_run(&t, SEC);
	assert_null(core_order_unfence(t.c, &t.now));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_fenced_is_refused),
		cmocka_unit_test(test_follower),
		cmocka_unit_test(test_clone_ordered),
		cmocka_unit_test(test_came_to_nothing),
		cmocka_unit_test(test_aside_is_not_unfenced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
