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

#include "core/core_i.h"
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

/* For so long, and at most until the record is given back. */
static void
runs(struct ct *t, usec_t us)
{
	usec_t end = t->now.raw + us;

	while (t->now.raw < end && t->reg.value.rec.state != REC_RELEASED) {
		ct_clear(t);
		ct_run(t, SEC);
	}
}

/* A released record that nobody claimed is taken back, the data marked, and
 * before the promotion comes another claims: that this data was a primary's
 * before is not forgotten. */
static void
test_marked_before(void **state)
{
	struct durable disk = { .epoch = 5,
		.seq = 10,
		.t_max = CT_T,
		.primary_epoch = 5,
		.instance = "I0" };
	struct record *rec;
	struct ct t;

	ct_init(&t, A, false);
	t.conf.before = true;
	rec = ct_record(&t, REC_RELEASED, A, BIT_B);
	ct_start(&t, &disk, 0);
	ct_standby(&t, 120);
	t.pg.running = ANS_NO;
	t.act[ACT_PULLERS] = ANS_UNKNOWN;
	ct_view(&t);
	ct_read(&t);
	ct_run(&t, CT_W + 2 * SEC);
	assert_string_equal(ct_status(&t).row, "pullers");
	assert_int_equal(t.disk.primary_epoch, 5);
	t.read_ok = false;
	t.cas = CT_CAS_FAIL;
	t.yes = 0;
	ct_run(&t, CT_T + 500 * MSEC);
	ct_act(&t, ACT_PULLERS, ANS_YES);
	ct_run(&t, 500 * MSEC);
	assert_string_equal(ct_status(&t).row, "promote");
	assert_int_equal(t.disk.primary_epoch, 6);
	rec->epoch = 7;
	rec->seq += 2;
	rec->state = REC_HELD;
	rec->holder = rec->written_by = B;
	rec->candidates = 0;
	rec->timeline = 2;
	strcpy(rec->nonce, "theirs");
	t.reg.value.revision += 2;
	t.read_ok = true;
	t.cas = CT_CAS_OK;
	ct_run(&t, 5 * SEC);
	assert_true(t.disk.latch);
	ct_free(&t);
}

/* Promoted, and never held: the plan is begun anew each few seconds, the record
 * goes back all the same. */
static void
test_claimed_too_long(void **state)
{
	struct durable disk = { .epoch = 6,
		.seq = 10,
		.t_max = CT_T,
		.primary_epoch = 6,
		.proof_epoch = 6,
		.proof = PROOF_LEASE,
		.plan = PLAN_TAKEOVER,
		.plan_epoch = 6,
		.instance = "I0" };
	struct record *rec;
	struct ct t;

	ct_init(&t, B, false);
	rec = ct_record(&t, REC_CLAIMED, B, BIT_A);
	rec->epoch = 6;
	ct_start(&t, &disk, 0);
	ct_primary(&t, BIT_A, 130);
	t.pg.timeline = 2;
	t.probe = false;
	t.act[ACT_NAMES] = ANS_UNKNOWN;
	ct_view(&t);
	ct_read(&t);
	runs(&t, 110 * SEC);
	assert_int_equal(rec->state, REC_CLAIMED);
	runs(&t, 20 * SEC);
	assert_int_equal(rec->state, REC_RELEASED);
	ct_free(&t);
}

/* The server dies in the tail of a takeover by order, and is started in place:
 * the order was carried out. */
static void
test_order_ends_in_place(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	t.conf.mode = CORE_MANUAL;
	ct_candidate(&t);
	ct_run(&t, 3 * CT_T);
	assert_null(core_order_promote(t.c, &t.now, NULL));
	t.act[ACT_SETTLE] = ANS_UNKNOWN;
	ct_run(&t, 3 * SEC);
	assert_string_equal(ct_status(&t).row, "settle");
	assert_non_null(core_tune(t.c, &t.conf));
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	t.act[ACT_SETTLE] = ANS_YES;
	runs(&t, 60 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_null(ct_status(&t).plan);
	assert_null(core_tune(t.c, &t.conf));
	ct_free(&t);
}

/* The holder's pause was its own: who takes over by order has standbys. */
static void
test_pause_of_another(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.rec.candidates = 0;
	t.reg.value.rec.paused_until = t.now.wall + 3600 * SEC;
	strcpy(t.reg.value.rec.paused_why, "new disks");
	strcpy(t.reg.value.rec.nonce, "paused");
	t.reg.value.rec.seq++;
	t.reg.value.revision++;
	ct_run(&t, 3 * CT_W);
	assert_null(core_order_promote(t.c, &t.now, "pulled"));
	ct_run(&t, 3 * SEC);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.reg.value.rec.holder, B);
	assert_int_equal(t.reg.value.rec.paused_until, 0);
	assert_string_equal(t.reg.value.rec.paused_why, "");
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rejoin_then_fence),
		cmocka_unit_test(test_rejoin_then_diverged),
		cmocka_unit_test(test_ack_of_another_epoch),
		cmocka_unit_test(test_marked_before),
		cmocka_unit_test(test_claimed_too_long),
		cmocka_unit_test(test_order_ends_in_place),
		cmocka_unit_test(test_pause_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
