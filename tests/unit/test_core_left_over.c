/*
 * What is left over of an order, or of a plan, when what it was about has
 * passed: nobody acts upon it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sitetest.h"

/* B, a standby of A that is no candidate; only a person rejoins it. */
static void
standby(struct ct *t)
{
	ct_init(t, B, false);
	t->conf.rejoin = CORE_REJOIN_NONE;
	t->fork = FORK_NONE;
	ct_candidate(t);
	t->reg.value.rec.candidates = 0;
	ct_renewed(t, 2 * SEC);
}

/* Ordered, and not begun, since the register was silent; then taken back. */
static void
taken_back(struct ct *t)
{
	standby(t);
	assert_null(core_order_rejoin(t->c, &t->now, true));
	t->read_ok = false;
	ct_run(t, 2 * CT_T);
	assert_null(ct_status(t).plan);
	assert_null(core_order_unfence(t->c, &t->now));
	t->read_ok = true;
	ct_renewed(t, 20 * SEC);
	assert_false(t->disk.latch);
	assert_int_equal(t->pg.running, ANS_YES);
	ct_clear(t);
}

/* An order to rejoin that was taken back by unfence is not carried out at the
 * next fence of a person, which it would clear. */
static void
test_rejoin_then_fence(void **state)
{
	struct ct t;

	taken_back(&t);
	assert_null(core_order_fence(t.c, &t.now, "fenced by amy: new disks"));
	ct_renewed(&t, 20 * SEC);
	assert_null(ct_last_act(&t, ACT_CLONE));
	assert_true(t.disk.latch && t.disk.fenced);
	ct_free(&t);
}

/* Nor on data that has diverged, where the configuration leaves that to a
 * person: without a look, and without saving anything. */
static void
test_rejoin_then_diverged(void **state)
{
	struct ct t;

	taken_back(&t);
	/* Promoted by hand, say, while A held. */
	t.pg.recovery = ANS_NO;
	t.pg.signal = false;
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch);
	assert_null(ct_last_act(&t, ACT_CLONE));
	ct_free(&t);
}

/* A person's ack of one takeover is not one of the next. */
static void
test_ack_of_another_epoch(void **state)
{
	struct record *rec;
	struct ct t;

	/* A took over in epoch 5; the register takes no write. */
	site_init(&t, A);
	t.conf.before = t.conf.after = t.conf.verify = t.conf.traffic = false;
	t.conf.rejoin = CORE_REJOIN_REWIND;
	t.fork = FORK_REWIND;
	site_holder(&t, BIT_B);
	t.cas = CT_CAS_LOST;
	assert_null(core_order_ack(t.c, &t.now));
	ct_run(&t, SEC);
	/* B takes over, and A becomes its standby. */
	t.cas = CT_CAS_OK;
	rec = ct_record(&t, REC_HELD, B, 0);
	rec->epoch = 6;
	t.reg.value.revision = 1000;
	t.pg.source = BIT_B;
	t.pg.receiver = true;
	t.pg.wal_end = 150;
	ct_renewed(&t, 30 * SEC);
	assert_false(t.disk.latch);
	t.reg.value.rec.candidates = BIT_A;
	ct_renewed(&t, 20 * SEC);
	/* B is lost, 700 s later: A takes over. */
	t.now.wall += 700 * SEC;
	ct_clear(&t);
	ct_run(&t, 30 * SEC);
	assert_int_equal(t.reg.value.rec.holder, A);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.reg.value.rec.epoch, 7);
	assert_true(t.reg.value.rec.counted);
	assert_int_not_equal(t.reg.value.rec.acked, 7);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rejoin_then_fence),
		cmocka_unit_test(test_rejoin_then_diverged),
		cmocka_unit_test(test_ack_of_another_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
