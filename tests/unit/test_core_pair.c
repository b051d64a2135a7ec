/*
 * The register of two lone hosts: the rules of the two copies, and who may go
 * on alone by whose word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"
#include "hawatch/pair.h"

static const struct pair_write own = { .own = true }, other = { .own = false },
			       alone = { .own = true, .alone = true };

/* Both copies with the same record: epoch 5, held by A, revision 10. */
struct two {
	struct pair_copy a, b, next;
	bool changed;
};

static void
two_init(struct two *t)
{
	struct reg_value *v = &t->a.value;

	memset(t, 0, sizeof(*t));
	(void)snprintf(v->instance, sizeof(v->instance), "i");
	(void)snprintf(v->rec.nonce, sizeof(v->rec.nonce), "n10");
	v->revision = 10;
	v->rec.epoch = 5;
	v->rec.seq = 3;
	v->rec.state = REC_HELD;
	v->rec.holder = A;
	v->rec.candidates = BIT_B;
	v->rec.ttl = CT_T;
	t->b = t->a;
	t->a.first = true;
	t->a.sure = t->b.sure = true;
}

/* A write by that node upon what is in c. */
static struct do_cas
write_by(const struct pair_copy *c, node_t by, const char *nonce)
{
	struct do_cas cas = { .revision = c->value.revision,
		.rec = c->value.rec };

	memcpy(cas.instance, c->value.instance, ID_MAX);
	memcpy(cas.nonce, c->value.rec.nonce, ID_MAX);
	(void)snprintf(cas.rec.nonce, ID_MAX, "%s", nonce);
	cas.rec.holder = by;
	cas.rec.epoch += by != c->value.rec.holder;
	return cas;
}

static enum cas_result
take(struct two *t, struct pair_copy *c, const struct do_cas *cas,
    struct pair_write by)
{
	enum cas_result res =
	    pair_cas(c, cas, by, BIT_A | BIT_B, &t->next, &t->changed);

	if (res == CAS_CONFIRMED)
		*c = t->next;
	return res;
}

/* The first copy has it, the second not: not what its author goes by; the
 * other one's reader ends it. */
static void
test_half(void **state)
{
	struct reg_value out;
	struct do_cas cas;
	struct two t;

	two_init(&t);
	cas = write_by(&t.a, A, "n11");
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_CONFIRMED);
	assert_true(t.changed);
	assert_int_equal(pair_look(&t.a, NULL, &out, &t.next), PAIR_SHOW);
	assert_true(out.half);
	assert_false(out.met);
	/* Nothing upon it, before the other one is as it is. */
	cas = write_by(&t.a, A, "n12");
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_UNKNOWN);
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_TAKE);
	t.b = t.next;
	assert_int_equal(t.b.value.revision, 11);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_false(out.half);
	assert_true(out.met);
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_CONFIRMED);
	/* The same again is no second write. */
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_CONFIRMED);
	assert_false(t.changed);
	assert_false(t.a.sure);
	pair_sure(&t.a, "another");
	assert_false(t.a.sure);
	pair_sure(&t.a, "n12");
	assert_true(t.a.sure);
}

/* Two write upon the same: the first copy says who was first. */
static void
test_order(void **state)
{
	struct do_cas mine, theirs;
	struct reg_value out;
	struct two t;

	two_init(&t);
	mine = write_by(&t.a, A, "a11");
	theirs = write_by(&t.b, B, "b11");
	assert_int_equal(take(&t, &t.a, &theirs, other), CAS_CONFIRMED);
	assert_int_equal(take(&t, &t.a, &mine, own), CAS_CONFLICT);
	assert_int_equal(take(&t, &t.b, &theirs, own), CAS_CONFIRMED);
	assert_true(t.b.sure);
	/* Older than what is here: it is not brought back. */
	two_init(&t);
	assert_int_equal(take(&t, &t.a, &theirs, other), CAS_CONFIRMED);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_string_equal(out.rec.nonce, "b11");
}

/* What was written alone is newer than what a first copy may hold that nobody
 * confirmed, claims among them. */
static void
test_alone(void **state)
{
	struct do_cas half, cas;
	struct reg_value out;
	struct two t;

	two_init(&t);
	half = write_by(&t.a, A, "a11");
	assert_int_equal(take(&t, &t.a, &half, own), CAS_CONFIRMED);
	cas = write_by(&t.b, A, "x");
	assert_int_equal(take(&t, &t.b, &cas, alone), CAS_CONFIRMED);
	assert_int_equal(t.b.value.revision, 12);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_TAKE);
	assert_string_equal(t.next.value.rec.nonce, "x");
	two_init(&t);
	assert_int_equal(take(&t, &t.a, &half, own), CAS_CONFIRMED);
	assert_false(t.a.sure);
	assert_int_equal(take(&t, &t.a, &half, alone), CAS_CONFIRMED);
	assert_true(t.a.sure);
}

/* Of one number, by one holder: the second copy's may be confirmed. */
static void
test_same_number(void **state)
{
	struct reg_value out;
	struct two t;

	two_init(&t);
	(void)snprintf(t.a.value.rec.nonce, ID_MAX, "lost");
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_SHOW);
	assert_false(out.cold);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_TAKE);
}

static void
test_split(void **state)
{
	struct reg_value out, told;
	struct two t;

	two_init(&t);
	t.b.value.rec.holder = B;
	(void)snprintf(t.b.value.rec.nonce, ID_MAX, "b");
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_true(out.cold);
	assert_true(out.split);
	pair_tell(&t.b, &told);
	assert_true(pair_adopt(&t.a, &told, &t.next));
	t.a = t.next;
	assert_int_equal(t.a.value.rec.epoch, 6);
	assert_int_equal(t.a.value.rec.candidates, 0);
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_TAKE);
	assert_false(pair_adopt(&t.a, &t.a.value, &t.next));
}

/* A file that is not the one that was written here. */
static void
test_lost(void **state)
{
	const struct durable seen = { .epoch = 5, .seq = 3 };
	struct reg_value out, told;
	struct two t;

	two_init(&t);
	pair_start(&t.a, true, true, false, &seen, "j");
	assert_true(t.a.lost);
	assert_int_equal(pair_look(&t.a, NULL, &out, &t.next), PAIR_SHOW);
	assert_true(out.cold);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_TAKE);
	assert_false(t.next.lost);
	/* Behind what this node has seen: not even from there. */
	t.b.value.rec.seq = 2;
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_true(out.cold);
	pair_tell(&t.a, &told);
	assert_true(told.cold);
	assert_int_equal(told.floor, 5);
	assert_true(pair_adopt(&t.b, &told, &t.next));
	assert_int_equal(t.next.value.rec.epoch, 6);
	assert_int_equal(pair_look(&t.a, &t.next.value, &out, &t.b), PAIR_TAKE);
	/* No file, and something was seen once; a first start. */
	memset(&t.a, 0, sizeof(t.a));
	pair_start(&t.a, true, false, false, &seen, "j");
	assert_true(t.a.lost);
	assert_false(pair_adopt(&t.a, NULL, &t.next));
	memset(&t.a, 0, sizeof(t.a));
	pair_start(&t.a, true, false, false, NULL, "j");
	assert_false(t.a.lost);
	assert_int_equal(pair_look(&t.a, NULL, &out, &t.next), PAIR_NONE);
}

/* Nothing was ever written: the first one's name is the name. */
static void
test_first_start(void **state)
{
	struct reg_value out;
	struct two t;

	memset(&t, 0, sizeof(t));
	pair_start(&t.a, true, false, false, NULL, "one");
	pair_start(&t.b, false, false, false, NULL, "two");
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_TAKE);
	assert_string_equal(t.next.value.instance, "one");
}

/* -- the core ------------------------------------------------------------ */

static void
lone_candidate(struct ct *t)
{
	ct_init(t, B, false);
	t->conf.pair = true;
	t->yes = 0;
	ct_candidate(t);
	t->reg.value.met = true;
	ct_read(t);
	ct_turn(t);
}

/* However long it is silent; a person's word is enough, and leaves an epoch. */
static void
test_silence_is_no_proof(void **state)
{
	struct ct t;

	lone_candidate(&t);
	ct_run(&t, 3 * CT_W);
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "no-proof");
	assert_null(core_order_promote(t.c, &t.now, "pulled"));
	ct_run(&t, 200 * MSEC);
	assert_non_null(ct_claim(&t));
	assert_int_equal(ct_claim(&t)->without, BIT_A);
	assert_int_equal(ct_claim(&t)->rec.epoch, 7);
	assert_int_equal(t.disk.proof, PROOF_OPERATOR);
	assert_string_equal(t.disk.proof_why, "pulled");
	assert_int_equal(t.disk.proof_epoch, 7);
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	/* Until it is heard. */
	assert_int_equal(ct_status(&t).without, A);
	t.now.raw += MSEC;
	core_on_heard(t.c, &t.now, A);
	ct_clear(&t);
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).without, NODE_NONE);
	assert_int_equal(ct_last(&t, DO_CAS)->cas.without, 0);
	ct_free(&t);
}

/* Nobody is fenced by a word who has just been heard. */
static void
test_word_and_voice(void **state)
{
	struct ct t;

	lone_candidate(&t);
	ct_run(&t, CT_W + 2 * CT_T);
	core_on_heard(t.c, &t.now, A);
	assert_non_null(core_order_promote(t.c, &t.now, "pulled"));
	ct_run(&t, 2 * CT_T + MSEC);
	assert_null(core_order_promote(t.c, &t.now, "pulled"));
	ct_free(&t);
}

/* A holder that starts again and hears nothing: a person's word opens it, in
 * an epoch that is later than what the other may have begun; that of agents
 * does not, although nobody is listed. */
static void
test_lone_holder(void **state)
{
	const struct action *a;
	struct ct t;

	ct_init(&t, A, false);
	t.conf.pair = t.conf.proof_agent = true;
	t.conf.agents = BIT_B;
	t.yes = 0;
	ct_record(&t, REC_HELD, A, 0);
	ct_start(&t, NULL, 0);
	ct_primary(&t, 0, 110);
	ct_view(&t);
	t.cas = CT_CAS_LOST;
	ct_read(&t);
	ct_run(&t, 3 * CT_W);
	assert_null(ct_last_act(&t, ACT_FENCE));
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	t.cas = CT_CAS_OK;
	assert_null(core_order_promote(t.c, &t.now, "pulled"));
	ct_run(&t, 100 * MSEC);
	a = ct_last(&t, DO_CAS);
	assert_non_null(a);
	assert_int_equal(a->cas.without, BIT_B);
	assert_int_equal(a->cas.rec.state, REC_HELD);
	assert_int_equal(a->cas.rec.epoch, 21);
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* The same while its PostgreSQL is being started again: the removal that waits
 * for the other copy is written anew at once. */
static void
test_lone_restart(void **state)
{
	struct ct t;
	usec_t at;

	ct_init(&t, A, false);
	t.conf.pair = true;
	t.yes = 0;
	ct_record(&t, REC_HELD, A, BIT_B);
	ct_start(&t, NULL, 0);
	ct_primary(&t, 0, 110);
	t.pg.running = ANS_NO;
	t.act[ACT_STOP] = t.act[ACT_START] = ANS_YES;
	t.cas = CT_CAS_LOST;
	ct_view(&t);
	ct_read(&t);
	ct_run(&t, 2 * CT_W);
	for (at = t.now.raw; strcmp(ct_status(&t).row, "alone") != 0;)
		ct_run(&t, 100 * MSEC);
	assert_true(t.now.raw - at < 15 * SEC);
	ct_run(&t, 500 * MSEC);
	t.cas = CT_CAS_OK;
	assert_null(core_order_promote(t.c, &t.now, "pulled"));
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.epoch, 21);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* The word does not outlive what it was about. */
static void
test_word_and_sleep(void **state)
{
	struct ct t;

	lone_candidate(&t);
	ct_run(&t, CT_W + 2 * CT_T);
	t.armed = ANS_NO;
	ct_run(&t, 100 * MSEC);
	assert_null(core_order_promote(t.c, &t.now, "pulled"));
	t.now.raw += MSEC;
	core_on_heard(t.c, &t.now, A);
	t.armed = ANS_YES;
	ct_clear(&t);
	ct_run(&t, SEC);
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "no-proof");
	ct_free(&t);
}

/* A released record needs no proof, and both copies. */
static void
test_released(void **state)
{
	struct ct t;

	lone_candidate(&t);
	ct_run(&t, CT_W);
	t.reg.value.rec.state = REC_RELEASED;
	t.reg.value.rec.target = B;
	t.reg.value.revision++;
	t.reg.value.rec.nonce[1]++;
	ct_run(&t, 500 * MSEC);
	assert_non_null(ct_claim(&t));
	assert_int_equal(ct_claim(&t)->without, 0);
	assert_int_equal(ct_claim(&t)->rec.epoch, 6);
	ct_free(&t);
}

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

/* The primary released the record, and its host went, before or after the claim
 * stood in both copies: the agents are asked, and this node goes on alone. */
static void
test_lost_after_the_release(void **state)
{
	struct ct t;
	bool landed;

	for (landed = false;; landed = true) {
		ct_init(&t, B, false);
		t.conf.pair = t.conf.proof_agent = true;
		t.conf.agents = BIT_A;
		t.conf.agent_after = 1200 * MSEC;
		ct_candidate(&t);
		t.reg.value.met = true;
		ct_read(&t);
		ct_run(&t, 300 * MSEC);
		t.reg.value.rec.state = REC_RELEASED;
		t.reg.value.rec.target = NODE_NONE;
		t.reg.value.revision++;
		t.reg.value.rec.nonce[1]++;
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
	ct_init(&t, B, false);
	t.conf.pair = t.conf.proof_agent = true;
	t.conf.agents = BIT_A;
	t.conf.agent_after = 1200 * MSEC;
	ct_candidate(&t);
	t.reg.value.met = true;
	ct_read(&t);
	ct_run(&t, 300 * MSEC);
	t.reg.value.rec.state = REC_RELEASED;
	t.reg.value.rec.target = NODE_NONE;
	t.reg.value.revision++;
	t.reg.value.rec.nonce[1]++;
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

/* Its own write, in one copy of two, is not in the register. */
static void
test_half_is_not_won(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	t.conf.pair = true;
	ct_holder(&t, BIT_B);
	t.yes = 0;
	t.cas = CT_CAS_NO_REPLY;
	t.reg.value.half = true;
	ct_run(&t, 2 * CT_T);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	t.reg.value.half = false;
	t.reg.value.met = true;
	t.cas = CT_CAS_OK;
	ct_run(&t, CT_T);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* Of two copies a later epoch may have a lower number: what was written before
 * it and not answered is over, or nothing could be promised any more. */
static void
test_a_later_epoch_ends_it(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	t.conf.pair = true;
	ct_holder(&t, BIT_B);
	t.yes = 0;
	t.cas = CT_CAS_LOST;
	ct_run(&t, 2 * CT_T);
	t.reg.value.rec.epoch += 2;
	t.reg.value.rec.holder = B;
	t.reg.value.rec.candidates = BIT_A;
	t.reg.value.revision = 2;
	strcpy(t.reg.value.rec.nonce, "theirs");
	ct_run(&t, SEC);
	assert_true(ct_ask(&t, B, 7, CT_T, false, 10)->yes);
	ct_free(&t);
}

/* Two holders of one epoch: closed, until a person has chosen. */
static void
test_split_closes(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	t.conf.pair = true;
	ct_holder(&t, 0);
	t.reg.value.cold = t.reg.value.split = true;
	ct_run(&t, 500 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_true(ct_status(&t).split);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_same_number),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_first_start),
		cmocka_unit_test(test_silence_is_no_proof),
		cmocka_unit_test(test_word_and_voice),
		cmocka_unit_test(test_lone_holder),
		cmocka_unit_test(test_lone_restart),
		cmocka_unit_test(test_word_and_sleep),
		cmocka_unit_test(test_released),
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_silent_standby),
		cmocka_unit_test(test_lost_after_the_release),
		cmocka_unit_test(test_slow_agents),
		cmocka_unit_test(test_half_is_not_won),
		cmocka_unit_test(test_a_later_epoch_ends_it),
		cmocka_unit_test(test_split_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
