/*
 * Whose flush a commit waits for, and who is therefore a candidate: the order
 * of an add, removal before relaxing, abdication, and what the record says of
 * the WAL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

/* Index of the first action from i on that is such; t->n if none. */
static int
names_at(const struct ct *t, int i, nodeset_t names)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == ACT_NAMES &&
		    t->out[i].goal.names == names)
			break;
	return i;
}

static int
waiting_at(const struct ct *t, int i)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == ACT_WAITING)
			break;
	return i;
}

static int
cas_at(const struct ct *t, int i, nodeset_t candidates)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_CAS &&
		    t->out[i].cas.rec.candidates == candidates)
			break;
	return i;
}

static int
abdicate_at(const struct ct *t, int i)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ASK && t->out[i].ask.abdicate)
			break;
	return i;
}

/* The last one; only its answer counts. */
static int
abdicate_last(const struct ct *t)
{
	int i = abdicate_at(t, 0), next;

	while ((next = abdicate_at(t, i + 1)) < t->n)
		i = next;
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
	t.pg.wal_end = t.pg.insert = 200;
	ct_streams(&t, B, 150);
	ct_run(&t, 3 * SEC);
	names = names_at(&t, 0, BIT_B);
	assert_true(names < t.n);
	waiting = waiting_at(&t, names);
	assert_true(waiting < t.n);
	assert_int_equal(t.out[waiting].goal.node, B);
	/* It flushed 150 of the 200 that were inserted before. */
	assert_int_equal(cas_at(&t, 0, BIT_B), t.n);
	ct_streams(&t, B, 200);
	ct_run(&t, 500 * MSEC);
	assert_true(cas_at(&t, waiting, BIT_B) < t.n);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(t.reg.value.rec.lsn, 200);
	ct_free(&t);
}

/* Each of these keeps the node out. */
static void
add_unarmed(struct ct *t)
{
	core_on_armed(t->c, &t->now, ANS_NO, "socket");
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
		if (cas_at(&t, 0, BIT_B) != t.n)
			fail_msg("added, case %zu", i);
		ct_free(&t);
	}
}

/* Leaving auto empties the list, before it relaxes. */
static void
test_unarmed_removes(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	core_on_armed(t.c, &t.now, ANS_NO, "socket");
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.pg.sync_names, 0);
	ct_free(&t);
}

static void
test_remove_before_relax(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.pg.sender[B].streaming = false;
	ct_run(&t, 2 * SEC);
	assert_true(cas_at(&t, 0, 0) < t.n);
	assert_true(cas_at(&t, 0, 0) < names_at(&t, 0, 0));
	assert_int_equal(t.pg.sync_names, 0);
	assert_int_equal(ct_status(&t).in_force, 0);
	ct_free(&t);
}

/* An outcome that is not known relaxes nothing, however long it takes. */
static void
test_unknown_removal_keeps(void **state)
{
	static const enum ct_cas how[] = { CT_CAS_NO_REPLY, CT_CAS_LOST,
		CT_CAS_FAIL };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		ct_init(&t, A, false);
		ct_holder(&t, BIT_B);
		t.cas = how[i];
		t.read_ok = false;
		t.pg.sender[B].streaming = false;
		ct_run(&t, 20 * SEC);
		assert_int_equal(names_at(&t, 0, 0), t.n);
		assert_int_equal(t.pg.sync_names, BIT_B);
		ct_free(&t);
	}
}

/* The register cannot be written: the candidate is asked to leave. */
static void
no_reads(struct ct *t)
{
	t->cas = CT_CAS_LOST;
	t->read_ok = false;
}

static void
no_writes(struct ct *t)
{
	t->cas = CT_CAS_FAIL;
}

static void
gone_cold(struct ct *t)
{
	t->reg.value.cold = true;
	strcpy(t->reg.value.next, "I1");
}

static void
gone_back(struct ct *t)
{
	t->reg.value.rec.seq = 3;
	t->reg.value.revision++;
}

static void
test_abdication_asked(void **state)
{
	static void (*const how[])(struct ct *) = { no_reads, no_writes,
		gone_cold, gone_back };
	struct ask_answer ans = { .from = B, .abdicated = true, .epoch = 5 };
	struct ct t;
	size_t i;
	int at;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		ct_init(&t, A, false);
		ct_holder(&t, BIT_B);
		how[i](&t);
		ct_run(&t, 500 * MSEC);
		ct_clear(&t);
		t.pg.sender[B].streaming = false;
		ct_run(&t, 3 * SEC);
		at = abdicate_at(&t, 0);
		if (at == t.n)
			fail_msg("not asked, case %zu", i);
		assert_int_equal(t.pg.sync_names, BIT_B);
		at = abdicate_last(&t);
		/* It covers whatever was sent. */
		assert_true(t.out[at].ask.seq >=
		    ct_status(&t).durable->sent_seq);
		ans.id = t.out[at].ask.id;
		core_on_answer(t.c, &t.now, &ans);
		ct_run(&t, SEC);
		assert_int_equal(ct_status(&t).possible, 0);
		assert_int_equal(t.pg.sync_names, 0);
		assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
		ct_free(&t);
	}
}

/* Back in reach, the first write takes it off the list for good. */
static void
test_abdicated_leaves_list(void **state)
{
	struct ask_answer ans = { .from = B, .abdicated = true, .epoch = 5 };
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	no_reads(&t);
	t.pg.sender[B].streaming = false;
	do
		ct_run(&t, 20 * MSEC);
	while (ct_last(&t, DO_ASK) == NULL ||
	    !ct_last(&t, DO_ASK)->ask.abdicate);
	ans.id = ct_last(&t, DO_ASK)->ask.id;
	core_on_answer(t.c, &t.now, &ans);
	ct_run(&t, SEC);
	t.cas = CT_CAS_OK;
	t.read_ok = true;
	ct_run(&t, 2 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	ct_free(&t);
}

/* Asked and not heard: it may be in force there, so the next write must be
 * above what was asked for. */
static void
test_abdication_unheard(void **state)
{
	uint64_t asked;
	struct ct t;
	int at;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.read_ok = false;
	t.cas = CT_CAS_LOST;
	ct_run(&t, 500 * MSEC);
	t.pg.sender[B].streaming = false;
	ct_run(&t, SEC);
	at = abdicate_last(&t);
	assert_true(at < t.n);
	asked = t.out[at].ask.seq;
	ct_streams(&t, B, 110);
	t.read_ok = true;
	t.cas = CT_CAS_OK;
	ct_run(&t, 3 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_true(t.reg.value.rec.seq > asked);
	ct_free(&t);
}

/* An add whose outcome is not known, and then the standby is lost. */
static void
test_unknown_add_lost(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	ct_streams(&t, B, 200);
	while (cas_at(&t, 0, BIT_B) == t.n) {
		ct_run(&t, 20 * MSEC);
		if (t.pg.sync_names == BIT_B)
			t.cas = CT_CAS_NO_REPLY;
	}
	t.read_ok = false;
	t.cas = CT_CAS_LOST;
	ct_clear(&t);
	t.pg.sender[B].streaming = false;
	ct_run(&t, 3 * SEC);
	assert_true(abdicate_at(&t, 0) < t.n);
	ct_free(&t);
}

/* A primary that cannot write itself says nothing about its standby: the heir
 * stays, and takes over. */
static void
test_stalled_keeps_heir(void **state)
{
	struct ct t;
	int i;

	for (i = 0; i < 2; i++) {
		ct_init(&t, A, false);
		ct_holder(&t, BIT_B);
		t.pg.sender[B].behind_since = t.now.raw;
		if (i == 1)
			t.pg.sender[B].streaming = false;
		ct_view(&t);
		t.pg_silent = i == 0;
		t.probe = false;
		ct_run(&t, 10 * SEC);
		assert_int_equal(t.reg.value.rec.candidates, BIT_B);
		assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
		ct_free(&t);
	}
}

/* What the record demands was flushed by every candidate. */
static void
test_lsn_of_candidates(void **state)
{
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B | BIT_C);
	t.pg.wal_end = 300;
	ct_streams(&t, B, 250);
	ct_streams(&t, C, 220);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 220);
	/* Never backwards. */
	ct_streams(&t, C, 210);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 220);
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
	alone = cas_at(&t, 0, 0);
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
		cmocka_unit_test(test_unarmed_removes),
		cmocka_unit_test(test_remove_before_relax),
		cmocka_unit_test(test_unknown_removal_keeps),
		cmocka_unit_test(test_abdication_asked),
		cmocka_unit_test(test_abdicated_leaves_list),
		cmocka_unit_test(test_abdication_unheard),
		cmocka_unit_test(test_unknown_add_lost),
		cmocka_unit_test(test_stalled_keeps_heir),
		cmocka_unit_test(test_lsn_of_candidates),
		cmocka_unit_test(test_add_waits_for_lsn),
		cmocka_unit_test(test_fenced_lsn),
		cmocka_unit_test(test_restart_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
