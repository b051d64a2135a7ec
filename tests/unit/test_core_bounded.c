/*
 * Durability `bounded`: commits wait for nobody, and what a takeover may lose
 * is bounded by what the holder told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

#define MAX_LOSS 100

static void
bounded(struct ct *t, node_t self)
{
	ct_init(t, self, false);
	t->conf.bounded = true;
	t->conf.max_loss = MAX_LOSS;
}

/* A writes, at 1000; B follows, at so much. */
static void
holder(struct ct *t, nodeset_t candidates, lsn_t flush)
{
	bounded(t, A);
	ct_holder(t, candidates);
	t->pg.wal_end = t->pg.insert = 1000;
	t->pg.sync_names = 0;
	ct_streams(t, B, flush);
	ct_view(t);
}

/* Streams closely, and then D, and then the write: nothing else. */
static void
test_add(void **state)
{
	struct ct t;
	int cas;

	holder(&t, 0, 940);
	ct_run(&t, 5 * SEC);
	assert_int_equal(ct_cas_at(&t, 0, BIT_B), t.n);
	ct_streams(&t, B, 950);
	ct_run(&t, 2 * SEC);
	cas = ct_cas_at(&t, 0, BIT_B);
	assert_true(cas < t.n);
	assert_int_equal(t.out[cas].cas.rec.lsn, 1000);
	assert_null(ct_last_act(&t, ACT_NAMES));
	assert_null(ct_last_act(&t, ACT_WAITING));
	assert_true(ct_status(&t).deadline < USEC_NEVER);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(ct_status(&t).in_force, 0);
	ct_free(&t);
	/* Not before the kernel's element has an end, too. */
	holder(&t, 0, 1000);
	t.fence = ANS_NO;
	ct_run(&t, 5 * SEC);
	cas = ct_cas_at(&t, 0, BIT_B);
	if (cas < t.n)
		assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

/* By bytes, not by time; and at once. */
static void
test_remove(void **state)
{
	struct ct t;

	holder(&t, BIT_B, 900);
	t.pg.sender[B].behind_since = t.now.raw;
	ct_run(&t, 10 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_streams(&t, B, 899);
	ct_run(&t, 200 * MSEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(ct_status(&t).deadline, USEC_NEVER);
	ct_free(&t);
	/* One that is lost altogether. */
	holder(&t, BIT_B, 1000);
	t.pg.sender[B].streaming = false;
	ct_run(&t, 300 * MSEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	ct_free(&t);
}

/* Names that were left from before are taken away, whoever is a candidate. */
static void
test_names_left(void **state)
{
	struct ct t;

	holder(&t, BIT_B, 1000);
	t.pg.sync_names = BIT_B;
	ct_run(&t, SEC);
	assert_int_equal(t.pg.sync_names, 0);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_free(&t);
}

/* Every write of the record and every question says how far it is. */
static void
test_tells(void **state)
{
	struct ct t;

	holder(&t, BIT_B, 950);
	ct_run(&t, 500 * MSEC);
	assert_int_equal(t.reg.value.rec.lsn, 1000);
	t.cas = CT_CAS_LOST;
	t.pg.wal_end = 1040;
	ct_run(&t, 500 * MSEC);
	assert_int_equal(ct_last(&t, DO_ASK)->ask.lsn, 1040);
	assert_true(ct_last(&t, DO_ASK)->ask.bounded);
	ct_free(&t);
	/* Strict asks nobody to remember. */
	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_run(&t, 500 * MSEC);
	assert_false(ct_last(&t, DO_ASK)->ask.bounded);
	ct_free(&t);
}

/* D counts from when that position was seen: what is written later is not
 * told. */
static void
test_counts_from_view(void **state)
{
	usec_t seen;
	struct ct t;

	holder(&t, BIT_B, 1000);
	ct_run(&t, 200 * MSEC);
	seen = t.pg.seen_at;
	t.pg_silent = true;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).deadline, seen + CT_T);
	ct_free(&t);
}

static struct ask
told(uint64_t id, uint64_t epoch, lsn_t lsn)
{
	return (struct ask){ .id = id,
		.from = A,
		.instance = "I0",
		.epoch = epoch,
		.seq = 10,
		.ttl = CT_T,
		.lsn = lsn,
		.bounded = true };
}

static const struct ask_answer *
answer_to(const struct ct *t, uint64_t id)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_ANSWER && t->out[i].answer.id == id)
			return &t->out[i].answer;
	return NULL;
}

static void
ask(struct ct *t, uint64_t id, uint64_t epoch, lsn_t lsn)
{
	struct ask a = told(id, epoch, lsn);

	core_on_ask(t->c, &t->now, &a);
	ct_turn(t);
}

/* B, a candidate of A's, with 120 on its disk; the record demands 100. */
static void
candidate(struct ct *t)
{
	bounded(t, B);
	ct_candidate(t);
}

/* A yes says that it is on disk. */
static void
test_yes_is_saved(void **state)
{
	uint64_t first;
	struct ct t;

	candidate(&t);
	ask(&t, 1, 5, 300);
	assert_true(answer_to(&t, 1)->yes);
	assert_int_equal(t.disk.told, 300);
	assert_int_equal(t.disk.told_epoch, 5);
	/* Less than that needs no disk. */
	t.disk_silent = true;
	ask(&t, 2, 5, 290);
	assert_true(answer_to(&t, 2)->yes);
	/* Two of them, before the disk has said anything: each has its own. */
	ask(&t, 3, 5, 310);
	first = ct_last(&t, DO_SAVE)->version;
	ct_run(&t, 400 * MSEC);
	ask(&t, 4, 5, 320);
	assert_null(answer_to(&t, 3));
	core_on_saved(t.c, first, true);
	ct_turn(&t);
	assert_true(answer_to(&t, 3)->yes);
	assert_null(answer_to(&t, 4));
	/* Not for longer than it is of use. */
	ct_run(&t, CT_T);
	assert_false(answer_to(&t, 4)->yes);
	assert_string_equal(answer_to(&t, 4)->reason, "not-saved");
	ct_free(&t);
}

/* Its word of a later epoch outlives a restart. */
static void
test_told_epoch(void **state)
{
	struct ct t;

	candidate(&t);
	ask(&t, 1, 6, 300);
	assert_int_equal(t.disk.told_epoch, 6);
	ct_restart(&t, 0);
	ct_view(&t);
	ct_read(&t);
	ask(&t, 2, 5, 400);
	assert_false(answer_to(&t, 2)->yes);
	assert_string_equal(answer_to(&t, 2)->reason, "higher-epoch");
	ct_free(&t);
}

static bool
claims(struct ct *t)
{
	ct_clear(t);
	ct_run(t, 2 * CT_W);
	return ct_claim(t) != NULL;
}

/* What it may lack: of the record's position, and of what it was told. */
static void
test_claim(void **state)
{
	static const struct {
		lsn_t record, told;
		uint64_t epoch;
		bool claims;
	} cases[] = { { 220, 0, 0, true }, { 221, 0, 0, false },
		{ 100, 220, 5, true }, { 100, 221, 5, false },
		{ 100, 900, 4, true } };
	struct durable disk = { 0 };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		candidate(&t);
		disk = t.disk;
		disk.told = cases[i].told;
		disk.told_epoch = cases[i].epoch;
		ct_free(&t);
		ct_start(&t, &disk, 0);
		t.reg.value.rec.lsn = cases[i].record;
		ct_view(&t);
		if (claims(&t) != cases[i].claims)
			fail_msg("case %zu", i);
		ct_free(&t);
	}
	/* Strict has no such room, but remembers what it was told. */
	ct_init(&t, B, false);
	ct_candidate(&t);
	ask(&t, 1, 5, 121);
	assert_false(claims(&t));
	assert_string_equal(ct_status(&t).claim_block, "wal-behind");
	ct_free(&t);
}

/* Whoever goes on from a claim was not told; the claim says it. */
static void
test_claim_carries(void **state)
{
	const struct do_cas *claim;
	char text[160] = "";
	struct ct t;
	int i, names;

	candidate(&t);
	ask(&t, 1, 5, 200);
	ct_clear(&t);
	ct_run(&t, 2 * CT_W);
	claim = ct_claim(&t);
	assert_non_null(claim);
	assert_int_equal(claim->rec.lsn, 200);
	/* How much is missing at most. */
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_TELL &&
		    t.out[i].tell == EMIT_takeover_loss)
			snprintf(text, sizeof(text), "%s", t.out[i].text);
	assert_non_null(strstr(text, "at most 80 bytes"));
	/* Its own position counts from then on; no name stays. */
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.reg.value.rec.lsn, 120);
	names = ct_names_at(&t, 0, 0);
	assert_true(names < t.n);
	assert_int_equal(t.pg.sync_names, 0);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* A release says what the holder had last. */
static void
test_release(void **state)
{
	struct ct t;

	holder(&t, BIT_B, 1000);
	ct_run(&t, 500 * MSEC);
	t.pg.wal_end = 1050;
	ct_view(&t);
	ct_clear(&t);
	t.pg.running = ANS_NO;
	t.pg.wal_end = 0;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(t.reg.value.rec.lsn, 1050);
	ct_free(&t);
}

/* A holder itself lacks nothing. */
static void
test_holder_behind(void **state)
{
	struct ct t;

	bounded(&t, A);
	ct_record(&t, REC_HELD, A, 0)->lsn = 150;
	ct_start(&t, NULL, 0);
	ct_primary(&t, 0, 110);
	ct_view(&t);
	ct_read(&t);
	ct_run(&t, 3 * CT_W);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_true(t.disk.latch);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_names_left),
		cmocka_unit_test(test_tells),
		cmocka_unit_test(test_counts_from_view),
		cmocka_unit_test(test_yes_is_saved),
		cmocka_unit_test(test_told_epoch),
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_claim_carries),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_holder_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
