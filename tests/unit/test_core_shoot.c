/*
 * The holder's host is switched off by its agents: who may ask for it, when,
 * what comes of it, and what takes that back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"
#include "spoil.h"

#define AFTER (1200 * MSEC)

/* B, a candidate of A's record that was just seen; A's host has agents. */
static void
shooter(struct ct *t)
{
	ct_init(t, B, false);
	t->conf.proof_agent = true;
	t->conf.agents = BIT_A;
	t->conf.agent_after = AFTER;
	ct_candidate(t);
}

static bool
cancelled(const struct ct *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_ACT_CANCEL &&
		    t->out[i].act == ACT_FENCE)
			return true;
	return false;
}

static bool
shot(const struct ct *t)
{
	return ct_last_act(t, ACT_FENCE) != NULL;
}

/* A writes the record again, with nothing new in it. */
static void
renew(struct ct *t)
{
	t->reg.value.revision++;
	t->reg.value.rec.nonce[1]++;
}

static void
hear(struct ct *t)
{
	const struct ask ask = {
		.id = 1, .from = A, .epoch = 5, .seq = 10, .ttl = CT_T
	};

	core_on_ask(t->c, &t->now, &ask);
}

/* Off is off: neither the lease nor what was promised for it is waited for. */
static void
test_replaces_the_wait(void **state)
{
	const struct action *a;
	struct ct t;

	shooter(&t);
	(void)ct_ask(&t, A, 5, CT_T, false, 10);
	ct_run(&t, AFTER - 20 * MSEC);
	assert_false(shot(&t));
	assert_null(core_tune(t.c, &t.conf));
	t.act[ACT_FENCE] = ANS_UNKNOWN;
	ct_run(&t, 240 * MSEC);
	a = ct_last_act(&t, ACT_FENCE);
	assert_non_null(a);
	assert_int_equal(a->goal.node, A);
	assert_int_equal(a->goal.epoch, 5);
	assert_int_equal(ct_status(&t).shooting, A);
	assert_null(ct_claim(&t));
	assert_non_null(strstr(core_tune(t.c, &t.conf), "is over"));
	ct_act(&t, ACT_FENCE, ANS_YES);
	ct_turn(&t);
	assert_non_null(ct_claim(&t));
	assert_int_equal(ct_claim(&t)->rec.epoch, 6);
	ct_run(&t, 500 * MSEC);
	assert_int_equal(t.disk.proof, PROOF_AGENT);
	assert_int_equal(t.disk.proof_epoch, 6);
	assert_string_equal(t.disk.proof_why, "a");
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* Nobody asks for it unless the policy does, and the host has agents. */
static void
test_off_by_default(void **state)
{
	struct ct t;

	shooter(&t);
	ct_free(&t);
	t.conf.proof_agent = false;
	ct_candidate(&t);
	ct_run(&t, CT_W + 20 * MSEC);
	assert_false(shot(&t));
	assert_non_null(ct_claim(&t));
	ct_free(&t);
	t.conf.proof_agent = true;
	t.conf.agents = BIT_B;
	ct_candidate(&t);
	ct_run(&t, CT_W + 20 * MSEC);
	assert_false(shot(&t));
	ct_free(&t);
}

static void
no_postgres(struct ct *t)
{
	t->pg.running = ANS_NO;
	t->act[ACT_START] = ANS_UNKNOWN;
}

static void
released(struct ct *t)
{
	t->reg.value.rec.state = REC_RELEASED;
}

static void
unresolved(struct ct *t)
{
	t->disk.claim = true;
	t->disk.claim_revision = 10;
	strcpy(t->disk.claim_instance, "I0");
	t->cas = CT_CAS_LOST;
}

static void
unread(struct ct *t)
{
	t->read_ok = false;
}

static void
disk_full(struct ct *t)
{
	t->disk_ok = false;
}

/* Who could not take over, does not shoot. */
static void
test_only_who_may_claim(void **state)
{
	static void (*const spoil[])(struct ct * t) = { spoil_not_auto,
		spoil_observe, spoil_not_listed, spoil_latched, spoil_wal_short,
		no_postgres, spoil_unarmed, spoil_too_soon, spoil_abdicated,
		spoil_cold, spoil_forgetful, released, unresolved, unread,
		disk_full };
	struct durable disk;
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		shooter(&t);
		ct_free(&t);
		spoil[i](&t);
		disk = t.disk;
		ct_clear(&t);
		ct_start(&t, &disk, 0);
		ct_run(&t, 2 * CT_W);
		if (shot(&t))
			fail_msg("shot, case %d", (int)i);
		ct_free(&t);
	}
}

/* After its start a node claims nothing for W, and shoots nobody. */
static void
test_not_in_hold_off(void **state)
{
	struct ct t;

	shooter(&t);
	ct_restart(&t, 0);
	t.act[ACT_FENCE] = ANS_UNKNOWN;
	ct_run(&t, CT_W - 20 * MSEC);
	assert_false(shot(&t));
	ct_free(&t);
}

/* The holder is silent only when both ways are. */
static void
test_not_while_alive(void **state)
{
	struct ct t;
	int i;

	shooter(&t);
	for (i = 0; i < 10; i++) {
		renew(&t);
		ct_run(&t, AFTER / 2);
	}
	assert_false(shot(&t));
	hear(&t);
	ct_run(&t, AFTER - 50 * MSEC);
	assert_false(shot(&t));
	ct_run(&t, 270 * MSEC);
	assert_true(shot(&t));
	ct_free(&t);
}

/* What was read before the silence says nothing of it: a read that is asked
 * for now has to show the same record. */
static void
test_needs_a_fresh_read(void **state)
{
	struct ct t;

	shooter(&t);
	t.now.raw += AFTER / 2;
	ct_turn(&t);
	renew(&t);
	ct_clear(&t);
	t.now.raw += AFTER / 2;
	ct_turn(&t);
	assert_true(ct_count(&t, DO_READ) > 0);
	ct_turn(&t);
	assert_false(shot(&t));
	ct_free(&t);
}

/* Stopped itself for a while, it has heard nobody, and has to listen first. */
static void
test_not_after_own_pause(void **state)
{
	struct ct t;

	shooter(&t);
	ct_run(&t, 100 * MSEC);
	t.now.raw += 1500 * MSEC;
	ct_run(&t, 300 * MSEC);
	assert_false(shot(&t));
	ct_free(&t);
}

/* A renewal while the agents are at work: they are called back. */
static void
test_renewal_calls_back(void **state)
{
	struct ct t;

	shooter(&t);
	t.act[ACT_FENCE] = ANS_UNKNOWN;
	ct_run(&t, AFTER + 240 * MSEC);
	assert_true(shot(&t));
	renew(&t);
	ct_run(&t, 40 * MSEC);
	assert_true(cancelled(&t));
	ct_act(&t, ACT_FENCE, ANS_YES);
	ct_turn(&t);
	assert_null(ct_claim(&t));
	ct_free(&t);
}

/* It is said to be off, and then heard, or writes, before the claim is sent. */
static void
test_sign_of_life_voids(void **state)
{
	struct ct t;
	int i;

	for (i = 0; i < 2; i++) {
		shooter(&t);
		t.act[ACT_FENCE] = ANS_UNKNOWN;
		ct_run(&t, AFTER + 240 * MSEC);
		assert_true(shot(&t));
		t.disk_silent = true;
		ct_act(&t, ACT_FENCE, ANS_YES);
		ct_turn(&t);
		assert_null(ct_claim(&t));
		if (i == 0)
			hear(&t);
		else
			renew(&t);
		t.disk_silent = false;
		core_on_saved(t.c, ct_last(&t, DO_SAVE)->version, true);
		ct_run(&t, 500 * MSEC);
		assert_null(ct_claim(&t));
		/* Without it, all is as before. */
		ct_run(&t, CT_W);
		assert_non_null(ct_claim(&t));
		ct_free(&t);
	}
}

/* Agents that fail, or hang, change nothing. */
static void
test_the_lease_goes_on(void **state)
{
	struct ct t;
	int i;

	for (i = 0; i < 2; i++) {
		shooter(&t);
		t.act[ACT_FENCE] = i == 0 ? ANS_NO : ANS_UNKNOWN;
		ct_run(&t, CT_W - 20 * MSEC);
		assert_true(shot(&t));
		assert_null(ct_claim(&t));
		ct_run(&t, 40 * MSEC);
		assert_non_null(ct_claim(&t));
		assert_true(i == 0 || cancelled(&t));
		ct_run(&t, SEC);
		assert_int_equal(t.disk.proof, PROOF_LEASE);
		ct_free(&t);
	}
}

/* Where the lease's end is no proof: nothing without agents; they are asked
 * again and again. */
static void
test_lease_is_not_enough(void **state)
{
	struct ct t;

	shooter(&t);
	ct_free(&t);
	t.conf.proof_lease = false;
	ct_candidate(&t);
	t.act[ACT_FENCE] = ANS_NO;
	ct_run(&t, CT_W + SEC);
	assert_true(shot(&t));
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "no-proof");
	ct_clear(&t);
	t.act[ACT_FENCE] = ANS_YES;
	ct_run(&t, 6 * SEC);
	assert_false(shot(&t));
	ct_run(&t, 4 * SEC);
	assert_true(shot(&t));
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

/* A person's word is one there, too. */
static void
test_operator_is_enough(void **state)
{
	struct ct t;

	shooter(&t);
	ct_free(&t);
	t.conf.proof_lease = t.conf.proof_agent = false;
	ct_candidate(&t);
	ct_run(&t, CT_W + SEC);
	assert_null(ct_claim(&t));
	assert_null(core_order_promote(t.c, &t.now, "pulled the plug"));
	ct_run(&t, SEC);
	assert_non_null(ct_claim(&t));
	assert_int_equal(t.disk.proof, PROOF_OPERATOR);
	ct_free(&t);
}

/* After a suspend every wait starts again, and so does this. */
static void
test_suspend_voids(void **state)
{
	struct ct t;

	shooter(&t);
	t.act[ACT_FENCE] = ANS_UNKNOWN;
	ct_run(&t, AFTER + 240 * MSEC);
	assert_true(shot(&t));
	t.now.suspended += SEC;
	ct_turn(&t);
	assert_true(cancelled(&t));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaces_the_wait),
		cmocka_unit_test(test_off_by_default),
		cmocka_unit_test(test_only_who_may_claim),
		cmocka_unit_test(test_not_in_hold_off),
		cmocka_unit_test(test_not_while_alive),
		cmocka_unit_test(test_needs_a_fresh_read),
		cmocka_unit_test(test_not_after_own_pause),
		cmocka_unit_test(test_renewal_calls_back),
		cmocka_unit_test(test_sign_of_life_voids),
		cmocka_unit_test(test_the_lease_goes_on),
		cmocka_unit_test(test_lease_is_not_enough),
		cmocka_unit_test(test_operator_is_enough),
		cmocka_unit_test(test_suspend_voids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
