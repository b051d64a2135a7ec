/*
 * Whose flush a commit waits for: the order of an add, and what the record says
 * of the WAL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

static int
waiting_at(const struct ct *t, int i)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == ACT_WAITING)
			break;
	return i;
}

/* Set, seen waiting, flushed, then named. */
static void
test_add_order(void **state)
{
	int names, waiting;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.pg.wal_end = 150;
	t.pg.insert = 200;
	ct_streams(&t, B, 150);
	ct_run(&t, 3 * SEC);
	names = ct_names_at(&t, 0, BIT_B);
	assert_true(names < t.n);
	waiting = waiting_at(&t, names);
	assert_true(waiting < t.n);
	assert_int_equal(t.out[waiting].goal.node, B);
	/* It flushed 150 of the 200 that were inserted before. */
	assert_int_equal(ct_cas_at(&t, 0, BIT_B), t.n);
	t.pg.wal_end = 200;
	ct_streams(&t, B, 200);
	ct_run(&t, 500 * MSEC);
	assert_true(ct_cas_at(&t, waiting, BIT_B) < t.n);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(t.reg.value.rec.lsn, 200);
	ct_free(&t);
}

/* Each of these keeps the node out. */
static void
add_unarmed(struct ct *t)
{
	t->armed = ANS_NO;
}

static void
add_doubled(struct ct *t)
{
	t->pg.sender[B].doubled = true;
}

static void
add_not_waiting(struct ct *t)
{
	t->act[ACT_WAITING] = ANS_UNKNOWN;
}

static void
add_refused(struct ct *t)
{
	t->act[ACT_WAITING] = ANS_NO;
}

static void
add_names_fail(struct ct *t)
{
	t->act[ACT_NAMES] = ANS_NO;
}

static void
add_behind(struct ct *t)
{
	t->pg.sender[B].behind_since = t->now.raw;
}

static void
test_add_not(void **state)
{
	static void (*const spoil[])(struct ct *) = { add_unarmed, add_doubled,
		add_not_waiting, add_refused, add_names_fail, add_behind };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		ct_init(&t, A, false);
		ct_holder(&t, 0);
		ct_streams(&t, B, 200);
		spoil[i](&t);
		ct_run(&t, 30 * SEC);
		if (ct_cas_at(&t, 0, BIT_B) != t.n)
			fail_msg("added, case %zu", i);
		ct_free(&t);
	}
}

/* What the record demands was flushed by every candidate, and a record ends
 * there: of half of one a standby knows nothing after a restart. */
static void
test_lsn_of_candidates(void **state)
{
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B | BIT_C);
	t.pg.wal_end = t.pg.insert = 220;
	ct_streams(&t, B, 215);
	ct_streams(&t, C, 215);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 110);
	t.pg.wal_end = 300;
	t.pg.insert = 310;
	ct_streams(&t, B, 250);
	ct_streams(&t, C, 240);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 220);
	ct_streams(&t, B, 305);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 220);
	/* What is inserted goes on: that of before counts. */
	t.pg.wal_end = 330;
	t.pg.insert = 400;
	ct_streams(&t, C, 320);
	ct_streams(&t, B, 330);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 310);
	/* Never backwards. */
	ct_streams(&t, C, 210);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 310);
	ct_free(&t);
}

/* A renewal raised it while the standby was being added: it is named when it
 * has flushed that, too. */
static void
test_add_waits_for_lsn(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	ct_streams(&t, B, 4000);
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	while (waiting_at(&t, 0) == t.n)
		ct_run(&t, 20 * MSEC);
	t.pg.wal_end = 5000;
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 5000);
	ct_act(&t, ACT_WAITING, ANS_YES);
	ct_run(&t, 2 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	ct_streams(&t, B, 5000);
	ct_run(&t, 500 * MSEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_free(&t);
}

/* By a person's word, with less WAL than was demanded: from then on this
 * node's own position is what counts. */
static void
test_fenced_lsn(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.rec.lsn = 500;
	t.reg.value.revision++;
	ct_read(&t);
	assert_null(core_order_promote(t.c, &t.now, "pulled the plug"));
	ct_run(&t, 3 * SEC);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.reg.value.rec.holder, B);
	assert_int_equal(t.disk.proof, PROOF_OPERATOR);
	assert_string_equal(t.disk.proof_why, "pulled the plug");
	assert_int_equal(t.reg.value.rec.lsn, 120);
	ct_free(&t);
}

/* A restart in place: out of the list first, then the start. */
static void
test_restart_in_place(void **state)
{
	int alone, start;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.yes = 0;
	ct_run(&t, 2 * CT_T);
	ct_clear(&t);
	t.pg.running = ANS_NO;
	t.pg.sender[B].streaming = false;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	/* Whoever answered lately could take over. */
	ct_run(&t, 10 * SEC);
	alone = ct_cas_at(&t, 0, 0);
	for (start = 0; start < t.n; start++)
		if (t.out[start].kind == DO_ACT &&
		    t.out[start].act == ACT_START)
			break;
	assert_true(alone < t.n);
	assert_true(start < t.n);
	assert_true(alone < start);
	assert_false(t.out[start].goal.standby);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_order),
		cmocka_unit_test(test_add_not),
		cmocka_unit_test(test_lsn_of_candidates),
		cmocka_unit_test(test_add_waits_for_lsn),
		cmocka_unit_test(test_fenced_lsn),
		cmocka_unit_test(test_restart_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
