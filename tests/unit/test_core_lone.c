/*
 * Who of two lone hosts may go on alone by a person's word, and what a host
 * makes of a register whose two copies differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

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
		cmocka_unit_test(test_silence_is_no_proof),
		cmocka_unit_test(test_word_and_voice),
		cmocka_unit_test(test_lone_holder),
		cmocka_unit_test(test_lone_restart),
		cmocka_unit_test(test_word_and_sleep),
		cmocka_unit_test(test_released),
		cmocka_unit_test(test_half_is_not_won),
		cmocka_unit_test(test_a_later_epoch_ends_it),
		cmocka_unit_test(test_split_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
