/*
 * What goes before the stop of a switchover: in which order, and what becomes
 * of it when it comes to nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_i.h"
#include "sitetest.h"

/* A, the holder, whose target B answers and serves. */
static void
handing(struct ct *t)
{
	site_init(t, A);
	t->conf.quiet = t->conf.files = true;
	site_holder(t, BIT_B);
	site_heard(t, 10 * SEC, B, 5, true);
	t->act[ACT_QUIET] = t->act[ACT_FILES] = ANS_UNKNOWN;
	ct_clear(t);
	assert_null(core_order_switchover(t->c, &t->now, B));
}

/* Time passes, B is heard of, and the row is that one. */
static void
at_row(struct ct *t, const char *row)
{
	site_heard(t, SEC, B, 5, true);
	assert_non_null(ct_status(t).row);
	assert_string_equal(ct_status(t).row, row);
}

/* Each begins when the one before has ended, and B would get the voters. */
static void
test_order(void **state)
{
	struct ct t;
	int i;

	handing(&t);
	at_row(&t, "quiet");
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, BIT_A);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.drain, BIT_A);
	assert_true(site_asked_at(&t, 0, ACT_CHECKPOINT) <
		    site_asked_at(&t, 0, ACT_TRAFFIC));
	i = site_asked_at(&t, 0, ACT_QUIET);
	assert_true(site_asked_at(&t, 0, ACT_TRAFFIC) < i);
	assert_int_equal(t.disk.quiet_epoch, 5);
	assert_int_equal(site_asked(&t, ACT_FILES), 0);
	ct_act(&t, ACT_QUIET, ANS_YES);
	at_row(&t, "files");
	assert_int_equal(ct_last_act(&t, ACT_FILES)->goal.node, B);
	assert_int_equal(site_asked(&t, ACT_STOP), 0);
	/* What has stopped is left so. */
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	ct_free(&t);
}

/* From the order on, and until the host has its role again. */
static void
test_reload(void **state)
{
	struct ct t;

	handing(&t);
	assert_non_null(strstr(core_tune(t.c, &t.conf), "a plan runs"));
	at_row(&t, "quiet");
	assert_non_null(strstr(core_tune(t.c, &t.conf), "a plan runs"));
	ct_act(&t, ACT_QUIET, ANS_YES);
	at_row(&t, "files");
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	ct_act(&t, ACT_FILES, ANS_NO);
	site_heard(&t, 5 * SEC, B, 5, true);
	assert_null(ct_status(&t).plan);
	assert_non_null(strstr(core_tune(t.c, &t.conf), "to its role"));
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	site_heard(&t, SEC, B, 5, true);
	assert_null(core_tune(t.c, &t.conf));
	ct_free(&t);
}

/* It was nothing: voters come back, and the role has again what stopped. */
static void
test_given_up(void **state)
{
	struct ct t;

	handing(&t);
	at_row(&t, "quiet");
	ct_act(&t, ACT_QUIET, ANS_YES);
	at_row(&t, "files");
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	ct_act(&t, ACT_FILES, ANS_NO);
	site_heard(&t, SEC, B, 5, true);
	assert_null(ct_status(&t).plan);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(site_asked(&t, ACT_STOP), 0);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, A);
	assert_int_equal(t.disk.quiet_epoch, 5);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	site_heard(&t, SEC, B, 5, true);
	assert_int_equal(t.disk.quiet_epoch, 0);
	ct_clear(&t);
	site_heard(&t, 120 * SEC, B, 5, true);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	ct_free(&t);
}

/* Whose lease is over is about to close, and hands nothing over. */
static void
test_does_not_serve(void **state)
{
	struct ct t;

	site_init(&t, A);
	site_holder(&t, BIT_B);
	site_heard(&t, 10 * SEC, B, 5, true);
	t.now.raw = t.c->lease.deadline;
	assert_string_equal(core_order_switchover(t.c, &t.now, B),
	    "this primary does not serve: what it lacks comes first\n"
	    "hactl status");
	ct_free(&t);
}

/* Each of them may take so long, and not longer: then it was nothing, as when
 * it is refused. */
static void
test_late(void **state)
{
	static const struct {
		enum act_kind kind;
		const char *row;
		usec_t limit;
		bool stopped; /* something, before that row */
	} rows[] = {
		{ ACT_CHECKPOINT, "checkpoint", 120 * SEC, false },
		{ ACT_QUIET, "quiet", 60 * SEC, true },
		{ ACT_FILES, "files", 120 * SEC, true },
	};
	struct core_status st;
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		handing(&t);
		t.act[ACT_QUIET] = t.act[ACT_FILES] = ANS_YES;
		t.act[rows[i].kind] = ANS_UNKNOWN;
		at_row(&t, rows[i].row);
		site_heard(&t, rows[i].limit - 2 * SEC, B, 5, true);
		at_row(&t, rows[i].row);
		assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
		site_heard(&t, SEC, B, 5, true);
		st = ct_status(&t);
		assert_null(st.plan);
		assert_string_equal(st.over_plan, "switchover");
		assert_string_equal(st.over_row, rows[i].row);
		assert_true(st.over_late);
		assert_int_equal(st.writers, WRITERS_OPEN);
		assert_int_equal(site_cancelled(&t, rows[i].kind), 1);
		assert_int_equal(site_asked(&t, ACT_STOP), 0);
		assert_int_equal(t.reg.value.rec.state, REC_HELD);
		/* What had stopped comes back, and so do voters. */
		assert_int_equal(site_asked(&t, ACT_CONVERGE), rows[i].stopped);
		assert_int_equal(t.disk.quiet_epoch, 0);
		assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
		ct_free(&t);
	}
}

/* An end of the engine forgets the order, not what has stopped. */
static void
test_engine_ends(void **state)
{
	struct ct t;

	handing(&t);
	at_row(&t, "quiet");
	ct_clear(&t);
	ct_restart(&t, t.now.raw + CT_T - 100 * MSEC);
	site_heard(&t, 10 * SEC, B, 5, true);
	assert_null(ct_status(&t).plan);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_true(site_asked(&t, ACT_CONVERGE) > 0);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	assert_int_equal(t.disk.quiet_epoch, 0);
	ct_free(&t);
}

/* Nobody else serves: who hands over goes on to get the voters; and a disk
 * that takes nothing stops nothing. */
static void
test_alone(void **state)
{
	struct ct t;

	handing(&t);
	t.disk_silent = true;
	site_heard(&t, 2 * SEC, B, 5, false);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, BIT_B);
	assert_int_equal(site_asked(&t, ACT_QUIET), 0);
	t.disk_silent = false;
	ct_free(&t);
}

/* The server dies, and nothing of it starts any more: B, which has all of it,
 * gets the record. */
static void
dies(struct ct *t)
{
	t->pg.running = ANS_NO;
	t->pg.full = true;
	t->act[ACT_START] = ANS_NO;
	ct_view(t);
	site_heard(t, 120 * SEC, B, 5, true);
}

/* As at any other time, so in a switchover that was about to hand it over. */
static void
test_dies_in_the_midst(void **state)
{
	struct ct t;

	handing(&t);
	at_row(&t, "quiet");
	dies(&t);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_free(&t);

	handing(&t);
	t.act[ACT_STOP] = ANS_UNKNOWN;
	t.position[B] = 110;
	at_row(&t, "quiet");
	ct_act(&t, ACT_QUIET, ANS_YES);
	at_row(&t, "files");
	ct_act(&t, ACT_FILES, ANS_YES);
	at_row(&t, "stopped");
	t.act[ACT_STOP] = ANS_YES;
	dies(&t);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_does_not_serve),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_engine_ends),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_dies_in_the_midst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
