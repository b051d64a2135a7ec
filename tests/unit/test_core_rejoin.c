/*
 * When data that diverged may be made the primary's, and what a crash in the
 * midst of it leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rejointest.h"
#include "sitetest.h"

static void
test_rewinds(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	rejointest_streams(&t);
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 1);
	assert_int_equal(site_asked(&t, ACT_COMPARE), 1);
	assert_int_equal(site_asked(&t, ACT_SAVE), 1);
	assert_int_equal(site_asked(&t, ACT_REWIND), 1);
	assert_int_equal(ct_last_act(&t, ACT_REWIND)->goal.node, A);
	assert_int_equal(ct_last_act(&t, ACT_REWIND)->goal.fork, FORK_REWIND);
	assert_false(t.disk.latch);
	assert_int_equal(t.disk.rejoin, REJOIN_NO);
	assert_int_equal(t.disk.primary_epoch, 0);
	assert_int_equal(t.pg.recovery, ANS_YES);
	ct_free(&t);
}

/* It is on disk before, and after; nothing is asked for in between. */
static void
test_marks(void **state)
{
	struct ct t;
	int i, rewind = -1;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_ACT && t.out[i].act == ACT_REWIND)
			rewind = i;
	assert_true(rewind > 0);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	assert_int_equal(t.disk.rejoin_from, A);
	assert_int_equal(t.disk.rejoin_epoch, 5);
	assert_true(t.disk.latch);
	/* Nor is it another's to clear the latch meanwhile. */
	assert_non_null(strstr(core_order_unfence(t.c, &t.now),
	    "this data is being made the primary's"));
	assert_true(t.disk.latch);
	ct_free(&t);
}

static void
test_waits_for_the_disk(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_SAVE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(site_asked(&t, ACT_SAVE), 1);
	t.disk_ok = false;
	ct_act(&t, ACT_SAVE, ANS_YES);
	ct_renewed(&t, 4 * SEC);
	assert_int_equal(site_asked(&t, ACT_REWIND), 0);
	ct_free(&t);
}

/* Not by itself, not in a pause, not what a person fenced, not under a claim,
 * not what the record still lists, not by a record that nobody renews, nor one
 * that cannot be read. */
static void
test_leaves_it(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_NONE, REC_HELD);
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.reg.value.rec.paused_until = t.now.wall + 3600 * SEC;
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch && t.disk.diverged);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	t.reg.value.rec.paused_until = 0;
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 1);
	ct_free(&t);

	rejointest_fenced(&t);
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch && t.disk.fenced && !t.disk.diverged);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	/* It is not good data any more: that person sees to it, or this. */
	assert_non_null(core_order_unfence(t.c, &t.now));
	rejointest_streams(&t);
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 1);
	assert_false(t.disk.latch || t.disk.fenced);
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_CLAIMED);
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.reg.value.rec.candidates = BIT_B;
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	assert_string_equal(ct_status(&t).waits_for, "still-candidate");
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	ct_run(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	ct_run(&t, SEC / 2);
	t.read_ok = false;
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_ASIDE), 0);
	ct_free(&t);
}

/* Half rewritten: never started, and gone on with from the same holder. */
static void
test_goes_on(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	t.pg.signal = false;
	ct_clear(&t);
	ct_restart(&t, 0);
	t.act[ACT_REWIND] = ANS_YES;
	rejointest_streams(&t);
	ct_run(&t, 2 * SEC);
	assert_int_equal(site_asked(&t, ACT_START), 0);
	assert_int_equal(site_asked(&t, ACT_SIGNAL), 0);
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(site_asked(&t, ACT_COMPARE), 0);
	assert_int_equal(site_asked(&t, ACT_SAVE), 0);
	assert_int_equal(site_asked(&t, ACT_REWIND), 1);
	assert_int_equal(site_asked(&t, ACT_START), 1);
	assert_false(t.disk.latch);
	ct_free(&t);
}

/* Of another holder it is no half of anything. */
static void
test_another_holder(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	t.reg.value.rec.holder = C;
	t.reg.value.rec.epoch = 6;
	ct_clear(&t);
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_REWIND), 0);
	assert_int_equal(site_asked(&t, ACT_START), 0);
	assert_string_equal(ct_status(&t).waits_for, "rejoin-stuck");
	/* A person allows it. */
	assert_null(core_order_rejoin(t.c, &t.now, true));
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 1);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	assert_int_equal(t.disk.rejoin_from, NODE_NONE);
	ct_free(&t);
}

/* Not in the midst of it; but what stops it may be what is to be changed. */
static void
test_reload(void **state)
{
	struct core_conf conf;
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_string_equal(ct_status(&t).plan, "rejoin");
	conf = t.conf;
	conf.rejoin = CORE_REJOIN_CLONE;
	assert_non_null(strstr(core_tune(t.c, &conf), "a plan runs"));
	t.reg.value.rec.holder = C;
	t.reg.value.rec.epoch = 6;
	ct_clear(&t);
	ct_renewed(&t, 20 * SEC);
	assert_string_equal(ct_status(&t).waits_for, "rejoin-stuck");
	assert_int_equal(site_asked(&t, ACT_CLONE), 0);
	assert_null(core_tune(t.c, &conf));
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 1);
	ct_free(&t);
}

/* Until it streams nothing is cleared; and then it is looked at anew. */
static void
test_never_streams(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.pg.receiver = false;
	ct_renewed(&t, 34 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(site_asked(&t, ACT_REWIND), 1);
	ct_renewed(&t, 40 * SEC);
	assert_true(t.disk.latch);
	assert_true(site_asked(&t, ACT_COMPARE) > 1);
	ct_free(&t);
}

/* Of two lone hosts, this one has a copy of the register, and one thread writes
 * that and what is saved: while a log is copied that takes eight seconds, no
 * renewal is confirmed, or seen here. It is copied once, all the same. */
static void
test_save_behind_the_register(void **state)
{
	usec_t busy = 0, end;
	bool on = false;
	int seen = 0;
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_SAVE] = ANS_UNKNOWN;
	rejointest_streams(&t);
	for (end = t.now.raw + 120 * SEC; t.now.raw < end;) {
		if (t.now.raw >= busy)
			ct_renewed(&t, CT_T / 5);
		else
			ct_run(&t, CT_T / 5);
		for (; seen < t.n; seen++) {
			if (t.out[seen].kind == DO_ACT &&
			    t.out[seen].act == ACT_SAVE) {
				busy = t.now.raw + 8 * SEC;
				on = true;
			} else if (t.out[seen].kind == DO_ACT_CANCEL &&
				   t.out[seen].act == ACT_SAVE)
				on = false;
		}
		if (on && t.now.raw >= busy) {
			on = false;
			ct_act(&t, ACT_SAVE, ANS_YES);
		}
	}
	assert_int_equal(site_asked(&t, ACT_SAVE), 1);
	assert_int_equal(site_asked(&t, ACT_REWIND), 1);
	assert_false(t.disk.latch);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewinds),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_waits_for_the_disk),
		cmocka_unit_test(test_leaves_it),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_another_holder),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_never_streams),
		cmocka_unit_test(test_save_behind_the_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
