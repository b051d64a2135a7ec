/*
 * More standbys than one: each is added in its turn while the others stay, and
 * the loss of one disturbs neither the others nor whoever writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

#define BIT_BC (BIT_B | BIT_C)

/* Until this has been asked for. */
static const struct goal *
until_act(struct ct *t, enum act_kind kind)
{
	int i;

	for (i = 0; i < 500 && ct_last_act(t, kind) == NULL; i++)
		ct_run(t, 20 * MSEC);
	assert_non_null(ct_last_act(t, kind));
	return &ct_last_act(t, kind)->goal;
}

/* Every name set since ct_clear has these in it. */
static void
assert_named(const struct ct *t, nodeset_t names)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == ACT_NAMES)
			assert_int_equal(t->out[i].goal.names & names, names);
}

/* The probe is told whose setting has to be in force: everybody's. */
static void
test_second_add(void **state)
{
	const struct goal *g;
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B);
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, C, 110);
	g = until_act(&t, ACT_WAITING);
	assert_int_equal(g->node, C);
	assert_int_equal(g->names, BIT_BC);
	assert_named(&t, BIT_B);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_act(&t, ACT_WAITING, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_BC);
	assert_named(&t, BIT_B);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* What the record demands is what the one furthest behind has flushed: the new
 * one had to reach more, which the other need not have. */
static void
test_second_add_lsn(void **state)
{
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B);
	t.pg.wal_end = t.pg.insert = 150;
	ct_streams(&t, B, 150);
	ct_run(&t, SEC);
	t.pg.wal_end = t.pg.insert = 200;
	ct_streams(&t, C, 200);
	ct_run(&t, 3 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_BC);
	assert_int_equal(t.reg.value.rec.lsn, 150);
	ct_free(&t);
}

/* Who is never seen waiting, again and again, holds up nobody. */
static void
test_turns(void **state)
{
	const struct action *a;
	nodeset_t tried = 0;
	struct ct t;
	int i;

	ct_init(&t, B, true);
	t.conf.data |= BIT_D;
	ct_holder(&t, 0);
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, A, 110);
	ct_streams(&t, C, 110);
	ct_streams(&t, D, 110);
	for (i = 0; i < 2000; i++) {
		ct_clear(&t);
		ct_run(&t, 20 * MSEC);
		a = ct_last_act(&t, ACT_WAITING);
		if (a != NULL)
			tried |= NODE_BIT(a->goal.node);
	}
	assert_int_equal(tried, BIT_A | BIT_C | BIT_D);
	ct_free(&t);
}

/* A walsender that was named, and is no more, may not have read that: it counts
 * until it has ended, or was seen to let nothing go. */
static void
test_named_before(void **state)
{
	const struct goal *g;
	struct ct t;
	int i;

	for (i = 0; i < 2; i++) {
		ct_init(&t, A, true);
		ct_holder(&t, 0);
		t.act[ACT_WAITING] = ANS_UNKNOWN;
		ct_streams(&t, B, 110);
		until_act(&t, ACT_WAITING);
		/* It fails for B, which streams on; and then C. */
		t.pg.sender[B].behind_since = t.now.raw;
		ct_streams(&t, C, 110);
		ct_run(&t, 900 * MSEC);
		if (i == 1) {
			t.pg.sender[B].streaming = false;
			ct_run(&t, 60 * MSEC);
		}
		ct_clear(&t);
		g = until_act(&t, ACT_WAITING);
		assert_int_equal(g->node, C);
		assert_int_equal(g->names, i == 0 ? BIT_BC : BIT_C);
		assert_int_equal(t.pg.sync_names, BIT_C);
		ct_act(&t, ACT_WAITING, ANS_YES);
		ct_run(&t, SEC);
		assert_int_equal(t.reg.value.rec.candidates, BIT_C);
		ct_free(&t);
	}
}

/* An engine that starts does not know who was named before: whoever streams. */
static void
test_named_before_the_start(void **state)
{
	const struct goal *g;
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, 0);
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, B, 110);
	t.pg.sender[B].behind_since = 1; /* it is never good enough itself */
	ct_restart(&t, USEC_NEVER);
	ct_run(&t, CT_W + SEC);
	assert_null(ct_last_act(&t, ACT_WAITING));
	ct_streams(&t, C, 110);
	g = until_act(&t, ACT_WAITING);
	assert_int_equal(g->node, C);
	assert_int_equal(g->names, BIT_BC);
	ct_free(&t);
}

/* The other one stays named, listed and waited for; nobody is closed. */
static void
test_one_removed(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_BC);
	t.pg.sender[B].streaming = false;
	for (i = 0; i < 100; i++) {
		ct_run(&t, 20 * MSEC);
		assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	}
	assert_true(ct_cas_at(&t, 0, BIT_C) < ct_names_at(&t, 0, BIT_C));
	assert_named(&t, BIT_C);
	assert_int_equal(t.reg.value.rec.candidates, BIT_C);
	assert_int_equal(t.pg.sync_names, BIT_C);
	assert_int_equal(ct_status(&t).possible, BIT_C);
	assert_true(ct_status(&t).deadline < USEC_NEVER);
	ct_free(&t);
}

/* One is lost while the other is being added: commits wait for the removal,
 * not for the end of the add; that is tried anew. */
static void
test_lost_during_add(void **state)
{
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B);
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, C, 110);
	until_act(&t, ACT_WAITING);
	t.pg.sender[B].streaming = false;
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.pg.sync_names & BIT_B, 0);
	assert_true(ct_cas_at(&t, 0, 0) < t.n);
	t.act[ACT_WAITING] = ANS_YES;
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_C);
	ct_free(&t);
}

/* The last question for n to leave, as an answer to it. */
static struct ask_answer
leaves(const struct ct *t, node_t n)
{
	struct ask_answer ans = { .from = n, .abdicated = true, .epoch = 5 };
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_ASK && t->out[i].node == n &&
		    t->out[i].ask.abdicate)
			ans.id = t->out[i].ask.id;
	assert_int_not_equal(ans.id, 0);
	return ans;
}

static void
both_asked(struct ct *t)
{
	ct_init(t, A, true);
	ct_holder(t, BIT_BC);
	t->read_ok = false;
	t->cas = CT_CAS_LOST;
	ct_run(t, 500 * MSEC);
	ct_clear(t);
	t->pg.sender[B].streaming = t->pg.sender[C].streaming = false;
	ct_run(t, SEC);
}

/* Both are asked at once, and both may leave at once, though the disk has
 * neither so far. */
static void
test_both_leave(void **state)
{
	struct ask_answer b, c;
	struct ct t;

	both_asked(&t);
	b = leaves(&t, B);
	c = leaves(&t, C);
	t.disk_silent = true;
	core_on_answer(t.c, &t.now, &b);
	ct_turn(&t);
	core_on_answer(t.c, &t.now, &c);
	ct_turn(&t);
	assert_int_equal(ct_status(&t).possible, BIT_BC);
	assert_int_equal(ct_status(&t).durable->left, BIT_BC);
	ct_free(&t);
	both_asked(&t);
	b = leaves(&t, B);
	c = leaves(&t, C);
	core_on_answer(t.c, &t.now, &b);
	core_on_answer(t.c, &t.now, &c);
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).possible, 0);
	assert_int_equal(t.pg.sync_names, 0);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* One left, the other was asked and not heard: it may have left, too, so what
 * is written next is above what it was asked for. */
static void
test_one_unheard(void **state)
{
	struct ask_answer b;
	uint64_t asked;
	struct ct t;

	both_asked(&t);
	/* A write without either of them is under way; no more are sent. */
	asked = ct_status(&t).durable->sent_seq;
	ct_streams(&t, C, 110);
	ct_run(&t, SEC);
	b = leaves(&t, B);
	core_on_answer(t.c, &t.now, &b);
	ct_run(&t, 100 * MSEC);
	/* It lands by itself, as it was: with the seq that C was asked for. */
	t.cas = CT_CAS_OK;
	t.read_ok = true;
	t.reg.value.rec.seq = asked;
	t.reg.value.rec.candidates = BIT_C;
	t.reg.value.revision++;
	strcpy(t.reg.value.rec.nonce, "elsewhere");
	ct_run(&t, 500 * MSEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_C);
	assert_true(t.reg.value.rec.seq > asked);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_add),
		cmocka_unit_test(test_second_add_lsn),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_named_before),
		cmocka_unit_test(test_named_before_the_start),
		cmocka_unit_test(test_one_removed),
		cmocka_unit_test(test_lost_during_add),
		cmocka_unit_test(test_both_leave),
		cmocka_unit_test(test_one_unheard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
