/*
 * A standby that is lost: out of the record before commits stop waiting for it,
 * or out by its own word. A primary that is lost itself removes nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

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

/* Leaving auto empties the list, before it relaxes. */
static void
test_unarmed_removes(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.armed = ANS_NO;
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
	assert_true(ct_cas_at(&t, 0, 0) < t.n);
	assert_true(ct_cas_at(&t, 0, 0) < ct_names_at(&t, 0, 0));
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
		assert_int_equal(ct_names_at(&t, 0, 0), t.n);
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
	static void (*const how[])(
	    struct ct *) = { no_reads, no_writes, gone_cold, gone_back };
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
		assert_true(
		    t.out[at].ask.seq >= ct_status(&t).durable->sent_seq);
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
	while (
	    ct_last(&t, DO_ASK) == NULL || !ct_last(&t, DO_ASK)->ask.abdicate);
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

/* The register came back cold, and is written anew while the word of who left
 * is on its way to the disk: the new record does not name it, since P will not
 * either. */
static void
test_left_before_reseed(void **state)
{
	struct ask_answer ans = { .from = B, .abdicated = true, .epoch = 5 };
	struct arbiter next;
	struct ct t;
	int i;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.reg.value.cold = true;
	t.reg.value.rec.seq = 3;
	strcpy(t.reg.value.next, "I1");
	ct_run(&t, 500 * MSEC);
	t.pg.sender[B].streaming = false;
	ct_run(&t, 3 * SEC);
	assert_true(abdicate_at(&t, 0) < t.n);
	ans.id = t.out[abdicate_last(&t)].ask.id;
	t.disk_silent = true;
	core_on_answer(t.c, &t.now, &ans);
	assert_true(
	    arbiter_report(&t.reg, B, "I1", 5, 10, BIT_A | BIT_B, &next));
	t.reg = next;
	ct_clear(&t);
	while (ct_last(&t, DO_CAS) == NULL)
		ct_run(&t, 20 * MSEC);
	for (i = 0; i < t.n && t.out[i].kind != DO_CAS; i++)
		;
	assert_true(t.out[i].cas.reseed);
	assert_int_equal(t.out[i].cas.rec.candidates, 0);
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
	while (ct_cas_at(&t, 0, BIT_B) == t.n) {
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unarmed_removes),
		cmocka_unit_test(test_remove_before_relax),
		cmocka_unit_test(test_unknown_removal_keeps),
		cmocka_unit_test(test_abdication_asked),
		cmocka_unit_test(test_abdicated_leaves_list),
		cmocka_unit_test(test_abdication_unheard),
		cmocka_unit_test(test_left_before_reseed),
		cmocka_unit_test(test_unknown_add_lost),
		cmocka_unit_test(test_stalled_keeps_heir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
