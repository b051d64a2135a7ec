/*
 * The host around its PostgreSQL: what a takeover does with it, and when a
 * host is brought to its role.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sitetest.h"

static void
test_whole_takeover(void **state)
{
	int promote, converge, traffic, commit, site;
	struct ct t;

	site_init(&t, B);
	site_candidate(&t);
	site_heard(&t, CT_W + 6 * SEC, A, 5, true);
	promote = site_asked_at(&t, 0, ACT_PROMOTE);
	converge = site_asked_at(&t, 0, ACT_CONVERGE);
	traffic = site_asked_at(&t, 0, ACT_TRAFFIC);
	commit = site_asked_at(&t, 0, ACT_COMMIT);
	site = site_asked_at(&t, 0, ACT_SITE);
	assert_true(site_asked_at(&t, 0, ACT_PULLERS) < promote);
	assert_true(promote < converge && converge < traffic);
	assert_true(traffic < commit && commit < site && site < t.n);
	assert_int_equal(t.out[converge].goal.node, B);
	assert_int_equal(t.out[converge].goal.epoch, 6);
	assert_int_equal(t.out[traffic].goal.names, BIT_A);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(t.disk.site_epoch, 6);
	assert_null(ct_status(&t).plan);
	ct_free(&t);
}

/* The way through the site may take its time to work: the standby is added
 * meanwhile, and the end of a row takes nothing of that away. */
static void
test_standby_added_meanwhile(void **state)
{
	struct ct t;

	site_init(&t, B);
	t.act[ACT_CONVERGE] = t.act[ACT_SITE] = ANS_UNKNOWN;
	site_candidate(&t);
	ct_run(&t, CT_W + SEC);
	assert_string_equal(ct_status(&t).row, "arrive");
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, A, 200);
	ct_run(&t, 3 * SEC);
	assert_int_equal(site_asked(&t, ACT_WAITING), 1);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	ct_run(&t, SEC);
	assert_string_equal(ct_status(&t).row, "verify");
	assert_int_equal(site_cancelled(&t, ACT_WAITING), 0);
	ct_act(&t, ACT_WAITING, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_A);
	ct_run(&t, 149 * SEC);
	assert_null(ct_status(&t).plan);
	ct_free(&t);
}

/* Without anything in the configuration nothing is asked. */
static void
test_nothing_configured(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	t.disk.site_epoch = 5;
	site_candidate(&t);
	ct_run(&t, CT_W + 6 * SEC);
	assert_true(site_asked(&t, ACT_PROMOTE) > 0);
	assert_int_equal(site_asked(&t, ACT_PULLERS), 0);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	assert_int_equal(site_asked(&t, ACT_TRAFFIC), 0);
	assert_int_equal(site_asked(&t, ACT_SITE), 0);
	assert_int_equal(t.disk.site_epoch, 6);
	assert_null(ct_status(&t).plan);
	ct_free(&t);
}

/* What pulls from the old primary does not stop: no promotion, the record
 * goes back, and this node is an innocent standby. */
static void
test_pullers_late(void **state)
{
	struct ct t;

	site_init(&t, B);
	t.act[ACT_PULLERS] = ANS_UNKNOWN;
	site_candidate(&t);
	ct_run(&t, CT_W + 9 * SEC);
	assert_int_equal(t.reg.value.rec.state, REC_CLAIMED);
	ct_run(&t, 3 * SEC);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(site_asked(&t, ACT_PROMOTE), 0);
	assert_int_equal(site_cancelled(&t, ACT_PULLERS), 1);
	assert_int_equal(t.disk.primary_epoch, 0);
	ct_free(&t);
}

/* A no ends it at once, and is not asked again and again; a person's order
 * does not wait. */
static void
test_pullers_refused(void **state)
{
	uint64_t epoch;
	struct ct t;
	int i, count = 0;

	site_init(&t, B);
	t.act[ACT_PULLERS] = ANS_NO;
	site_candidate(&t);
	ct_run(&t, CT_W + SEC);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	ct_clear(&t);
	for (i = 0; i < 600; i++) {
		ct_run(&t, SEC);
		count += site_asked(&t, ACT_PULLERS);
		ct_clear(&t);
	}
	assert_true(count >= 5 && count <= 15);
	assert_int_equal(t.disk.primary_epoch, 0);
	while (ct_status(&t).rec.state != REC_RELEASED)
		ct_run(&t, SEC);
	t.act[ACT_PULLERS] = ANS_YES;
	epoch = t.reg.value.rec.epoch;
	ct_run(&t, CT_W);
	assert_null(core_order_promote(t.c, &t.now, NULL));
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.epoch, epoch + 1);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	ct_free(&t);
}

/* Only what is held is somebody's; the answer is on disk when it was yes. */
static void
test_standby(void **state)
{
	struct ct t;

	site_init(&t, B);
	site_candidate(&t);
	site_moves(&t, 6, REC_CLAIMED);
	ct_run(&t, SEC);
	site_moves(&t, 6, REC_RELEASED);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	assert_int_equal(ct_status(&t).site.role, SITE_UNKNOWN);
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	site_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, A);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.epoch, 7);
	assert_int_equal(ct_status(&t).site.role, SITE_STANDBY);
	assert_int_equal(ct_status(&t).site.primary, A);
	assert_true(ct_status(&t).site.converging);
	assert_int_equal(t.disk.site_epoch, 5);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.disk.site_epoch, 7);
	ct_restart(&t, 0);
	site_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	ct_free(&t);
}

/* Who takes over is no standby's host any more, and not yet the primary's:
 * what ran is ended, and nothing is begun before clients can write. */
static void
test_ended_by_takeover(void **state)
{
	struct ct t;

	site_init(&t, B);
	t.disk.site_epoch = 4;
	t.act[ACT_CONVERGE] = t.act[ACT_PULLERS] = ANS_UNKNOWN;
	site_candidate(&t);
	assert_true(ct_status(&t).site.converging);
	ct_run(&t, CT_W + SEC);
	assert_string_equal(ct_status(&t).row, "pullers");
	assert_int_equal(site_cancelled(&t, ACT_CONVERGE), 1);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	ct_act(&t, ACT_PULLERS, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, B);
	ct_free(&t);
}

/* The record moves on: what runs is replaced, and its late word is nothing. */
static void
test_epoch_moves(void **state)
{
	struct action old;
	struct ct t;

	site_init(&t, B);
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	site_candidate(&t);
	site_moves(&t, 6, REC_HELD);
	ct_run(&t, SEC);
	old = *ct_last_act(&t, ACT_CONVERGE);
	site_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 2);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.epoch, 7);
	core_on_act(t.c, &t.now, ACT_CONVERGE, &old.goal, ANS_YES, "");
	ct_run(&t, SEC);
	assert_int_equal(t.disk.site_epoch, 5);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.disk.site_epoch, 7);
	ct_free(&t);
}

/* A no is asked again after a minute, at once in another epoch. */
static void
test_refused(void **state)
{
	struct ct t;

	site_init(&t, B);
	t.act[ACT_CONVERGE] = ANS_NO;
	site_candidate(&t);
	site_moves(&t, 6, REC_HELD);
	site_heard(&t, 50 * SEC, A, 6, true);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_string_equal(ct_status(&t).site.converge_why, "refused");
	site_heard(&t, 12 * SEC, A, 6, true);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 2);
	t.act[ACT_CONVERGE] = ANS_YES;
	site_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 3);
	assert_int_equal(t.disk.site_epoch, 7);
	assert_string_equal(ct_status(&t).site.converge_why, "");
	ct_free(&t);
}

/* The first start takes what it finds, and so does one that only observes,
 * which later changes nothing. */
static void
test_first_start(void **state)
{
	struct ct t;
	int observe;

	for (observe = 0; observe < 2; observe++) {
		site_init(&t, B);
		t.disk.site_epoch = 0;
		t.conf.mode = observe ? CORE_OBSERVE : CORE_AUTO;
		site_candidate(&t);
		ct_run(&t, SEC);
		assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
		assert_int_equal(t.disk.site_epoch, 5);
		site_moves(&t, 6, REC_HELD);
		ct_run(&t, 10 * SEC);
		assert_int_equal(site_asked(&t, ACT_CONVERGE), !observe);
		assert_int_equal(site_asked(&t, ACT_TRAFFIC), 0);
		ct_free(&t);
	}
}

/* A latched host may serve voters, as the other's standby. */
static void
test_latched(void **state)
{
	struct ct t;

	site_init(&t, A);
	site_holder(&t, BIT_B);
	ct_clear(&t);
	site_moves(&t, 6, REC_HELD);
	ct_run(&t, SEC);
	assert_true(t.disk.latch);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, B);
	assert_int_equal(t.disk.site_epoch, 6);
	ct_free(&t);
}

/* An engine that ended between the opening and the end goes on, once clients
 * can write. */
static void
test_holder_restarts(void **state)
{
	struct ct t;

	site_init(&t, A);
	t.disk.site_epoch = 4;
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	ct_record(&t, REC_HELD, A, 0);
	ct_start(&t, &t.disk, 0);
	ct_primary(&t, 0, 110);
	ct_view(&t);
	ct_read(&t);
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 0);
	ct_run(&t, CT_W);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(site_asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, A);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_takeover),
		cmocka_unit_test(test_standby_added_meanwhile),
		cmocka_unit_test(test_nothing_configured),
		cmocka_unit_test(test_pullers_late),
		cmocka_unit_test(test_pullers_refused),
		cmocka_unit_test(test_standby),
		cmocka_unit_test(test_ended_by_takeover),
		cmocka_unit_test(test_epoch_moves),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_first_start),
		cmocka_unit_test(test_latched),
		cmocka_unit_test(test_holder_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
