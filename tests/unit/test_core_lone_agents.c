/*
 * Who of two lone hosts may go on alone because fence agents have switched the
 * other one off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coretest.h"

/* By agents, too; but not after a start that has not met the other copy: that
 * host may have gone on without this one. */
static void
test_agents(void **state)
{
	struct ct t;
	bool met;

	for (met = false;; met = true) {
		ct_init(&t, B, false);
		t.conf.pair = t.conf.proof_agent = true;
		t.conf.agents = BIT_A;
		t.conf.agent_after = 1200 * MSEC;
		ct_candidate(&t);
		t.reg.value.met = met;
		ct_run(&t, 2 * SEC);
		assert_int_equal(ct_last_act(&t, ACT_FENCE) != NULL, met);
		assert_int_equal(ct_claim(&t) != NULL, met);
		if (met)
			break;
		ct_free(&t);
	}
	assert_int_equal(ct_claim(&t)->without, BIT_A);
	ct_free(&t);
}

/* The other copy does not answer: no write is confirmed, the lease ends. The
 * agents are asked, and not told to switch; then the standby is removed. */
static void
test_silent_standby(void **state)
{
	const struct action *a;
	struct ct t;

	ct_init(&t, A, false);
	t.conf.pair = t.conf.proof_agent = true;
	t.conf.agents = BIT_B;
	t.conf.agent_after = 1200 * MSEC;
	t.reg.value.met = true;
	ct_holder(&t, BIT_B);
	t.reg.value.met = true;
	ct_read(&t);
	t.cas = CT_CAS_FAIL;
	t.yes = 0;
	t.pg.sender[B].streaming = false;
	t.act[ACT_FENCE] = ANS_NO;
	ct_clear(&t);
	ct_run(&t, 3 * CT_T);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_int_equal(ct_status(&t).possible, BIT_B);
	a = ct_last_act(&t, ACT_FENCE);
	assert_non_null(a);
	assert_true(a->goal.standby);
	assert_int_equal(a->goal.node, B);
	assert_int_equal(ct_last(&t, DO_CAS)->cas.without, 0);
	t.act[ACT_FENCE] = ANS_YES;
	ct_clear(&t);
	ct_run(&t, 3 * SEC);
	assert_int_equal(ct_last(&t, DO_CAS)->cas.without, BIT_B);
	t.cas = CT_CAS_OK;
	ct_run(&t, 3 * SEC);
	assert_int_equal(ct_status(&t).possible, 0);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(t.reg.value.rec.epoch, 5);
	ct_free(&t);
}

/* B, which may ask A's agents, and A released the record just now. */
static void
released(struct ct *t)
{
	ct_init(t, B, false);
	t->conf.pair = t->conf.proof_agent = true;
	t->conf.agents = BIT_A;
	t->conf.agent_after = 1200 * MSEC;
	ct_candidate(t);
	t->reg.value.met = true;
	ct_read(t);
	ct_run(t, 300 * MSEC);
	t->reg.value.rec.state = REC_RELEASED;
	t->reg.value.rec.target = NODE_NONE;
	t->reg.value.revision++;
	t->reg.value.rec.nonce[1]++;
}

/* The primary released the record, and its host went, before or after the claim
 * stood in both copies: the agents are asked, and this node goes on alone. */
static void
test_lost_after_the_release(void **state)
{
	struct ct t;
	bool landed;

	for (landed = false;; landed = true) {
		released(&t);
		while (landed && t.reg.value.rec.state != REC_CLAIMED)
			ct_run(&t, 5 * MSEC);
		t.cas = CT_CAS_LOST;
		t.yes = 0;
		t.act[ACT_FENCE] = ANS_YES;
		ct_clear(&t);
		ct_run(&t, 3 * SEC);
		assert_non_null(ct_last_act(&t, ACT_FENCE));
		assert_true(ct_last_act(&t, ACT_FENCE)->goal.standby);
		assert_int_equal(ct_last(&t, DO_CAS)->cas.without, BIT_A);
		t.cas = CT_CAS_OK;
		ct_clear(&t);
		ct_run(&t, 3 * SEC);
		assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
		assert_int_equal(t.reg.value.rec.epoch, landed ? 6 : 7);
		ct_free(&t);
		if (landed)
			break;
	}
}

/* What asks takes so long, and says yes. True: it was let. */
static bool
looks(struct ct *t, usec_t takes, usec_t within)
{
	usec_t end = t->now.raw + within, since = 0;
	int seen = 0;

	ct_clear(t);
	for (; t->now.raw < end; ct_run(t, 50 * MSEC)) {
		for (; seen < t->n; seen++) {
			const struct action *a = &t->out[seen];

			if (a->kind == DO_ACT && a->act == ACT_FENCE)
				since = t->now.raw;
			else if (a->kind == DO_ACT_CANCEL &&
				 a->act == ACT_FENCE)
				since = 0;
		}
		if (since != 0 && t->now.raw - since >= takes) {
			ct_act(t, ACT_FENCE, ANS_YES);
			return true;
		}
	}
	return false;
}

/* A device that takes twelve seconds to say that the host is off, which is less
 * than an agent has by default, is not called off by a row's own limit. */
static void
test_slow_agents(void **state)
{
	struct ct t;

	/* B has promoted, and A's host goes before the record says held. */
	released(&t);
	t.act[ACT_FENCE] = t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	while (ct_last_act(&t, ACT_PROMOTE) == NULL)
		ct_run(&t, 20 * MSEC);
	t.cas = CT_CAS_LOST;
	t.yes = 0;
	ct_act(&t, ACT_PROMOTE, ANS_YES);
	ct_run(&t, 100 * MSEC);
	assert_string_equal(ct_status(&t).row, "held");
	assert_true(looks(&t, 12 * SEC, 100 * SEC));
	t.cas = CT_CAS_OK;
	ct_run(&t, 30 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* The postmaster ends, the standby is there and the record is to go back; then
 * the standby's host is lost, and its copy with it: the agents say so. */
static void
test_lost_in_the_stepdown(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, A, false);
	t.conf.pair = t.conf.proof_agent = true;
	t.conf.proof_lease = false;
	t.conf.agents = BIT_B;
	t.conf.agent_after = 1200 * MSEC;
	ct_holder(&t, BIT_B);
	t.reg.value.met = true;
	ct_read(&t);
	ct_run(&t, SEC);
	t.act[ACT_FENCE] = ANS_YES;
	t.cas = CT_CAS_LOST;
	t.yes = 0;
	t.pg.sender[B].streaming = false;
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	ct_run(&t, 100 * MSEC);
	assert_string_equal(ct_status(&t).plan, "stepdown");
	for (i = 0; i < 60 && ct_status(&t).writers != WRITERS_OPEN; i++) {
		/* The copy here takes what is written without the other. */
		t.cas = ct_status(&t).without == B ? CT_CAS_OK : CT_CAS_LOST;
		ct_clear(&t);
		ct_run(&t, 500 * MSEC);
	}
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_silent_standby),
		cmocka_unit_test(test_lost_after_the_release),
		cmocka_unit_test(test_slow_agents),
		cmocka_unit_test(test_lost_in_the_stepdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
