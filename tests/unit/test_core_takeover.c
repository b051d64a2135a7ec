/*
 * What the plans do, and what they leave when they are stopped half-way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

static int
act_index(const struct ct *t, enum act_kind kind)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == kind)
			return i;
	return t->n;
}

/* From the claim to the open fence. */
static void
test_takeover(void **state)
{
	struct core_status st;
	struct ct t;
	int i, promote, held = 0;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_run(&t, CT_W + 3 * SEC);
	promote = act_index(&t, ACT_PROMOTE);
	assert_true(promote < t.n);
	assert_int_equal(t.disk.proof, PROOF_LEASE);
	assert_int_equal(t.disk.proof_epoch, 6);
	assert_int_equal(t.disk.primary_epoch, 6);
	for (i = 0; i < t.n; i++) {
		if (t.out[i].kind == DO_CAS &&
		    t.out[i].cas.rec.state == REC_HELD && held == 0) {
			held = i;
			assert_int_equal(t.out[i].cas.rec.candidates, 0);
		}
		if (t.out[i].kind == DO_FENCE && t.out[i].op == FENCE_OP_OPEN) {
			assert_true(held > promote);
			assert_true(i > held);
		}
		if (i > promote && t.out[i].kind == DO_READERS)
			assert_int_equal(t.out[i].life, 0);
	}
	st = ct_status(&t);
	assert_int_equal(st.rec.state, REC_HELD);
	assert_int_equal(st.rec.candidates, 0);
	assert_int_equal(st.writers, WRITERS_OPEN);
	ct_free(&t);
}

/* No proof on disk, no promotion. */
static void
test_no_proof(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_record(&t, REC_CLAIMED, B, BIT_A);
	ct_standby(&t, 120);
	t.disk.proof = PROOF_LEASE;
	t.disk.proof_epoch = 4;
	ct_start(&t, &t.disk, 0);
	ct_run(&t, 500 * MSEC);
	assert_int_equal(act_index(&t, ACT_PROMOTE), t.n);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	ct_free(&t);
}

/* PostgreSQL does not answer the promotion until D is over: it is called
 * back, and given again when D is ahead. */
static void
test_promote_within_lease(void **state)
{
	int i, cancels = 0;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	ct_run(&t, CT_W + SEC);
	assert_true(act_index(&t, ACT_PROMOTE) < t.n);
	ct_clear(&t);
	t.cas = CT_CAS_LOST;
	t.yes = 0;
	t.read_ok = false;
	ct_run(&t, CT_T + 100 * MSEC);
	for (i = 0; i < t.n; i++)
		cancels += t.out[i].kind == DO_ACT_CANCEL &&
			   t.out[i].act == ACT_PROMOTE;
	assert_int_equal(cancels, 1);
	ct_run(&t, 5 * SEC);
	assert_int_equal(act_index(&t, ACT_PROMOTE), t.n);
	t.cas = CT_CAS_OK;
	t.read_ok = true;
	ct_run(&t, SEC);
	assert_true(act_index(&t, ACT_PROMOTE) < t.n);
	ct_free(&t);
}

/* A new incarnation looks before it starts anything. */
static void
test_restart_looks_first(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	ct_run(&t, CT_W + SEC);
	t.act[ACT_PROMOTE] = ANS_YES;
	t.pg_silent = true;
	ct_restart(&t, 0);
	ct_run(&t, SEC);
	assert_int_equal(act_index(&t, ACT_START), t.n);
	t.pg_silent = false;
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.reg.value.rec.epoch, 6);
	ct_free(&t);
}

static int
readers_let_in(const struct ct *t)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_READERS && t->out[i].life > 0;
	return n;
}

/* What was told to promote itself may do so at any moment. */
static void
test_no_readers_while_marked(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_run(&t, SEC);
	assert_true(readers_let_in(&t) > 0);
	t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	ct_run(&t, CT_W + SEC);
	ct_clear(&t);
	ct_record(&t, REC_CLAIMED, A, BIT_B)->epoch = 7;
	t.reg.value.revision = 4000;
	ct_run(&t, 3 * SEC);
	assert_int_equal(readers_let_in(&t), 0);
	t.read_ok = false;
	ct_restart(&t, 0);
	ct_run(&t, 3 * SEC);
	assert_int_equal(readers_let_in(&t), 0);
	ct_free(&t);
}

/* What may have been promoted stays marked, whoever abandons the rest. */
static void
test_mark_stays(void **state)
{
	int i, released = 0;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	ct_run(&t, CT_W + SEC);
	assert_int_equal(t.disk.primary_epoch, 6);
	t.act[ACT_NAMES] = ANS_UNKNOWN;
	t.pg.sync_names = 0;
	ct_restart(&t, 0);
	ct_run(&t, 10 * SEC);
	for (i = 0; i < t.n; i++)
		released += t.out[i].kind == DO_CAS &&
			    t.out[i].cas.rec.state == REC_RELEASED;
	assert_int_equal(released, 1);
	assert_int_equal(t.disk.primary_epoch, 6);
	ct_free(&t);
}

/* Nothing is acknowledged in a claimed epoch: who cannot get on with it lets
 * the others. */
static void
test_claimed_not_for_ever(void **state)
{
	struct ct t;
	int i, released = 0;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	ct_run(&t, CT_W + SEC);
	assert_int_equal(t.reg.value.rec.state, REC_CLAIMED);
	for (i = 0; i < 300 && released == 0; i++) {
		ct_clear(&t);
		ct_run(&t, SEC);
		released = t.reg.value.rec.state == REC_RELEASED;
	}
	assert_int_equal(released, 1);
	assert_int_equal(t.disk.primary_epoch, 6);
	ct_free(&t);
}

/* Stopped before anything was done to the data: nothing is left of it. */
static void
test_abandon_before_mark(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.act[ACT_NAMES] = ANS_UNKNOWN;
	t.pg.sync_names = 0;
	ct_run(&t, CT_W + 7 * SEC);
	assert_int_equal(t.disk.primary_epoch, 0);
	assert_true(
	    t.reg.value.rec.state == REC_RELEASED || t.reg.value.rec.epoch > 6);
	ct_free(&t);
}

/* Its own released record, PostgreSQL gone, and nobody else: it goes on. */
static void
test_released_standby_starts(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_record(&t, REC_RELEASED, B, BIT_A);
	ct_standby(&t, 120);
	t.pg.running = ANS_NO;
	ct_start(&t, NULL, 0);
	ct_run(&t, 3 * CT_W + 3 * SEC);
	assert_true(act_index(&t, ACT_START) < t.n);
	assert_int_equal(t.reg.value.rec.holder, B);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	ct_free(&t);
}

/* A primary starts only by a plan of this engine, and only as such. */
static void
test_gate(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_record(&t, REC_HELD, A, 0);
	ct_standby(&t, 120);
	t.pg.running = ANS_NO;
	t.act[ACT_START] = ANS_UNKNOWN;
	ct_start(&t, NULL, 0);
	ct_run(&t, SEC);
	assert_true(act_index(&t, ACT_START) < t.n);
	assert_non_null(core_may_start_primary(t.c, &t.now));
	ct_free(&t);
	ct_init(&t, A, false);
	ct_holder(&t, 0);
	assert_non_null(core_may_start_primary(t.c, &t.now));
	t.act[ACT_START] = ANS_UNKNOWN;
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	ct_run(&t, 2 * SEC);
	assert_true(act_index(&t, ACT_START) < t.n);
	assert_null(core_may_start_primary(t.c, &t.now));
	ct_free(&t);
}

/* The postmaster dies, and a candidate is there: it is released to it. */
static void
test_stepdown(void **state)
{
	int stop, i;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_run(&t, SEC);
	ct_clear(&t);
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_run(&t, SEC);
	stop = act_index(&t, ACT_STOP);
	assert_true(stop < t.n);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_CAS &&
		    t.out[i].cas.rec.state == REC_RELEASED)
			break;
	assert_true(i < t.n && i > stop);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_true(t.pg.signal);
	ct_free(&t);
}

/* A node that another took over from is stopped, and stays so. */
static void
test_overtaken(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_record(&t, REC_CLAIMED, B, BIT_A)->epoch = 6;
	t.reg.value.revision = 3000;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_true(act_index(&t, ACT_STOP) < t.n);
	t.reg.value.rec.state = REC_HELD;
	t.reg.value.rec.candidates = 0;
	t.reg.value.revision++;
	ct_clear(&t);
	ct_run(&t, 10 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(act_index(&t, ACT_START), t.n);
	ct_free(&t);
}

/* An engine that ends in the last rows finds its candidates again. */
static void
test_resume_keeps_names(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.act[ACT_CHECKPOINT] = ANS_UNKNOWN;
	ct_streams(&t, A, 200);
	ct_run(&t, CT_W + 20 * SEC);
	ct_streams(&t, A, t.pg.wal_end + 1000);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_A);
	ct_restart(&t, 0);
	ct_run(&t, CT_W + 2 * SEC);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_ACT && t.out[i].act == ACT_NAMES)
			assert_true(t.out[i].goal.names & BIT_A);
	assert_int_equal(t.reg.value.rec.candidates, BIT_A);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_no_proof),
		cmocka_unit_test(test_promote_within_lease),
		cmocka_unit_test(test_restart_looks_first),
		cmocka_unit_test(test_no_readers_while_marked),
		cmocka_unit_test(test_mark_stays),
		cmocka_unit_test(test_claimed_not_for_ever),
		cmocka_unit_test(test_abandon_before_mark),
		cmocka_unit_test(test_released_standby_starts),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_stepdown),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_resume_keeps_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
