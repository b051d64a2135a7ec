/*
 * Of several candidates the furthest goes first: preference, bounded in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

#define BIT_BC (BIT_B | BIT_C)
#define GIVE_WAY (CT_T / 2)
#define STEP (20 * MSEC)

/* One candidate of A's held record, beside the other, both at 120; the record
 * was just seen. */
static void
candidate(struct ct *t, node_t self)
{
	ct_init(t, self, true);
	t->position[B] = t->position[C] = 120;
	ct_candidate(t);
	ct_record(t, REC_HELD, A, BIT_BC);
	t->reg.value.revision = 11;
	ct_read(t);
	ct_turn(t);
	ct_clear(t);
}

static int
asked(const struct ct *t)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_ASK && t->out[i].ask.position;
	return n;
}

/* When it claims, counted from the end of the holder's lease. */
static usec_t
claims_after(struct ct *t)
{
	usec_t from = t->now.raw + CT_W;
	int i;

	for (i = 0; i < 1000 && ct_claim(t) == NULL; i++)
		ct_run(t, STEP);
	assert_non_null(ct_claim(t));
	return t->now.raw - from;
}

/* One candidate asks nobody, and waits for nobody. */
static void
test_alone(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	assert_true(claims_after(&t) <= STEP);
	assert_int_equal(asked(&t), 0);
	ct_free(&t);
	/* Nor does who takes back its own: the other had its time. */
	ct_init(&t, A, true);
	ct_record(&t, REC_RELEASED, A, BIT_BC);
	ct_start(&t, NULL, 0);
	ct_standby(&t, 120);
	t.read_ok = false;
	ct_run(&t, CT_W);
	t.read_ok = true;
	ct_view(&t);
	ct_read(&t);
	t.tells = 0;
	assert_true(claims_after(&t) <= STEP);
	assert_int_equal(asked(&t), 0);
	ct_free(&t);
	/* Nor the target of a release. */
	candidate(&t, B);
	ct_record(&t, REC_RELEASED, A, BIT_BC)->target = B;
	t.reg.value.revision = 12;
	t.position[C] = 500;
	assert_true(claims_after(&t) < 0);
	assert_int_equal(asked(&t), 0);
	ct_free(&t);
}

/* Nothing is asked before nothing else stands against a claim. */
static void
test_asks(void **state)
{
	const struct action *a;
	struct ct t;

	candidate(&t, B);
	ct_run(&t, CT_W - STEP);
	assert_int_equal(asked(&t), 0);
	assert_true(claims_after(&t) <= STEP);
	assert_int_equal(asked(&t), 1);
	ct_free(&t);
	/* Who says nothing is not waited for. */
	candidate(&t, B);
	t.tells = 0;
	ct_run(&t, CT_W + STEP);
	assert_int_equal(asked(&t), 1);
	a = ct_last(&t, DO_ASK);
	assert_true(a->ask.position);
	assert_false(a->ask.abdicate);
	assert_int_equal(a->node, C);
	assert_int_equal(a->ask.from, B);
	assert_int_equal(a->ask.epoch, 5);
	assert_string_equal(ct_status(&t).waits_for, "asks-others");
	ct_run(&t, 60 * MSEC);
	assert_null(ct_claim(&t));
	ct_run(&t, 40 * MSEC);
	assert_non_null(ct_claim(&t));
	assert_int_equal(asked(&t), 1);
	ct_free(&t);
	/* With a short T, for less. */
	candidate(&t, B);
	t.tells = 0;
	t.reg.value.rec.ttl = 400 * MSEC;
	t.reg.value.revision++;
	ct_run(&t, 480 * MSEC);
	assert_int_equal(asked(&t), 1);
	ct_run(&t, 2 * STEP);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

static void
give_way_of(
    node_t self, lsn_t b, lsn_t c, int priority_b, int priority_c, bool gives)
{
	struct ct t;
	usec_t took;

	ct_init(&t, self, true);
	candidate(&t, self);
	ct_free(&t);
	ct_init(&t, self, true);
	t.conf.priority[B] = priority_b;
	t.conf.priority[C] = priority_c;
	ct_candidate(&t);
	ct_record(&t, REC_HELD, A, BIT_BC);
	t.reg.value.revision = 11;
	t.position[B] = b;
	t.position[C] = c;
	t.pg.wal_end = self == B ? b : c;
	ct_view(&t);
	ct_read(&t);
	took = claims_after(&t);
	if (gives)
		assert_in_range(took, GIVE_WAY, GIVE_WAY + 2 * STEP);
	else
		assert_true(took <= STEP);
	ct_free(&t);
}

/* Further, then the greater priority, then the first. */
static void
test_order(void **state)
{
	give_way_of(B, 120, 121, 9, 0, true);
	give_way_of(B, 121, 120, 0, 9, false);
	give_way_of(C, 121, 120, 0, 9, true);
	give_way_of(B, 120, 120, 0, 1, true);
	give_way_of(C, 120, 120, 0, 1, false);
	give_way_of(B, 120, 120, 1, 1, false);
	give_way_of(C, 120, 120, 1, 1, true);
	/* It could not claim. */
	give_way_of(B, 120, 0, 0, 9, false);
}

/* What it said of why it goes first, if it did. */
static const char *
goes_first(const struct ct *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_TELL &&
		    t->out[i].tell == EMIT_claim_goes_first)
			return t->out[i].text;
	return "";
}

/* Whoever set priorities is told why they did not decide. */
static void
test_says_why(void **state)
{
	static const struct {
		bool silent;
		lsn_t c;
		int priority;
		const char *why;
	} rows[] = {
		{ false, 70, 9, "c has 50 bytes less" },
		{ false, 0, 9, "c could not claim" },
		{ true, 120, 9, "c did not answer in time" },
		{ false, 70, 0, "" },
	};
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ct_init(&t, B, true);
		t.conf.priority[C] = rows[i].priority;
		ct_candidate(&t);
		ct_record(&t, REC_HELD, A, BIT_BC);
		t.reg.value.revision = 11;
		t.pg.wal_end = 120;
		t.position[C] = rows[i].c;
		if (rows[i].silent)
			t.tells = 0;
		ct_view(&t);
		ct_read(&t);
		claims_after(&t);
		assert_string_equal(goes_first(&t), rows[i].why);
		ct_free(&t);
	}
}

static void
test_gives_way(void **state)
{
	struct ct t;

	candidate(&t, B);
	t.position[C] = 130;
	ct_run(&t, CT_W + 2 * STEP);
	assert_string_equal(ct_status(&t).claim_block, "gives-way");
	assert_string_equal(ct_status(&t).waits_for, "gives-way");
	assert_int_equal(ct_status(&t).gives_way_to, C);
	ct_run(&t, GIVE_WAY);
	assert_non_null(ct_claim(&t));
	assert_int_equal(asked(&t), 1);
	assert_int_equal(ct_status(&t).gives_way_to, NODE_NONE);
	ct_free(&t);
	/* A person's order does not. */
	candidate(&t, B);
	t.position[C] = 130;
	assert_null(core_order_promote(t.c, &t.now, NULL));
	assert_true(claims_after(&t) <= STEP);
	assert_int_equal(asked(&t), 0);
	ct_free(&t);
}

/* What is on another timeline is not further. */
static void
test_other_timeline(void **state)
{
	struct ask_answer ans = { .from = C, .timeline = 2, .wal_end = 900 };
	struct ct t;

	candidate(&t, B);
	t.tells = 0;
	while (asked(&t) == 0)
		ct_run(&t, STEP);
	ans.id = ct_last(&t, DO_ASK)->ask.id;
	core_on_answer(t.c, &t.now, &ans);
	ct_turn(&t);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

/* Only an answer to this very question counts. */
static void
test_old_answer(void **state)
{
	struct ask_answer ans = { .from = C, .timeline = 1, .wal_end = 900 };
	struct ct t;

	candidate(&t, B);
	t.tells = 0;
	while (asked(&t) == 0)
		ct_run(&t, STEP);
	ans.id = ct_last(&t, DO_ASK)->ask.id - 1;
	core_on_answer(t.c, &t.now, &ans);
	ct_run(&t, 120 * MSEC);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

/* A record that is written anew is another matter; one that is claimed and
 * goes on being renewed is not. */
static void
test_anew(void **state)
{
	static const enum rec_state states[] = { REC_HELD, REC_CLAIMED };
	struct ct t;
	int i;

	for (i = 0; i < 2; i++) {
		candidate(&t, B);
		t.reg.value.rec.state = states[i];
		t.reg.value.revision++;
		t.position[C] = 130;
		ct_run(&t, CT_W + 3 * STEP);
		assert_int_equal(ct_status(&t).gives_way_to, C);
		t.reg.value.revision++;
		strcpy(t.reg.value.rec.nonce, "renewed");
		ct_read(&t);
		ct_clear(&t);
		if (i == 0)
			assert_in_range(
			    claims_after(&t), GIVE_WAY, GIVE_WAY + 3 * STEP);
		else
			assert_true(claims_after(&t) <= STEP);
		assert_int_equal(asked(&t), i == 0);
		ct_free(&t);
	}
}

/* Each of these says: nothing that you would have to wait for. */
static void
far_latched(struct ct *t)
{
	struct durable disk = t->disk;

	disk.latch = true;
	ct_free(t);
	ct_start(t, &disk, 0);
	ct_run(t, CT_W - 4 * STEP);
	t->pg.running = ANS_YES;
	ct_view(t);
}

static void
far_started(struct ct *t)
{
	ct_restart(t, 0);
	ct_view(t);
	ct_read(t);
}

static void
far_unarmed(struct ct *t)
{
	t->armed = ANS_NO;
}

static void
far_behind(struct ct *t)
{
	t->pg.wal_end = 90;
}

static void
far_timeline(struct ct *t)
{
	t->pg.timeline = 2;
}

static void
far_system(struct ct *t)
{
	t->pg.system_id = 3;
}

static void
far_unlisted(struct ct *t)
{
	t->reg.value.rec.candidates = BIT_C;
	t->reg.value.revision++;
}

static void
far_old_view(struct ct *t)
{
	t->pg_silent = true;
	ct_run(t, 1900 * MSEC);
	t->reg.value.revision++;
	ct_run(t, 1500 * MSEC);
}

static void
far_full(struct ct *t)
{
	t->pg.full = true;
}

static void
far_register(struct ct *t)
{
	t->read_ok = false;
}

static void
far_interval(struct ct *t)
{
	t->reg.value.rec.counted = true;
	t->reg.value.rec.taken_at = t->now.wall;
	t->reg.value.revision++;
}

static void
test_reply_nothing(void **state)
{
	static void (*const spoil[])(struct ct *) = { far_latched, far_started,
		far_unarmed, far_behind, far_timeline, far_system, far_unlisted,
		far_old_view, far_full, far_register, far_interval };
	const struct ask_answer *ans;
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		candidate(&t, B);
		spoil[i](&t);
		ct_run(&t, 200 * MSEC);
		assert_null(ct_claim(&t));
		ans = ct_position(&t, C, 11);
		if (ans == NULL) { /* it looks first */
			ct_run(&t, 60 * MSEC);
			ans = &ct_last(&t, DO_ANSWER)->answer;
		}
		assert_non_null(ans);
		if (ans->wal_end != 0)
			fail_msg("says that it is near, case %zu", i);
		ct_free(&t);
	}
}

/* A fresh view, nothing written, nothing promised. */
static void
test_reply(void **state)
{
	const struct ask_answer *ans;
	struct ct t;

	candidate(&t, B);
	t.position[C] = 500;
	ct_run(&t, CT_W + 200 * MSEC);
	t.disk_ok = false;
	t.pg.wal_end = 140;
	ans = ct_position(&t, C, 10);
	assert_non_null(ans);
	assert_int_equal(ans->wal_end, 140);
	assert_int_equal(ans->timeline, 1);
	assert_false(ans->yes);
	assert_false(ans->abdicated);
	assert_int_equal(ct_status(&t).promised_until, 0);
	/* Its own claim goes on. */
	ct_run(&t, SEC);
	t.disk_ok = true;
	ct_run(&t, SEC);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
	/* No view in time: what is known. */
	candidate(&t, B);
	t.position[C] = 500;
	ct_run(&t, CT_W + 200 * MSEC);
	t.pg.wal_end = 140;
	t.pg_silent = true;
	assert_null(ct_position(&t, C, 10));
	ct_run(&t, 60 * MSEC);
	assert_non_null(ct_last(&t, DO_ANSWER));
	assert_int_equal(ct_last(&t, DO_ANSWER)->answer.wal_end, 120);
	ct_free(&t);
	/* Seen long ago it lacks what the record asks for; it is looked at. */
	candidate(&t, B);
	t.position[C] = 500;
	ct_run(&t, CT_W + 200 * MSEC);
	t.reg.value.rec.lsn = 130;
	t.reg.value.revision++;
	ct_read(&t);
	t.pg.wal_end = 140;
	ans = ct_position(&t, C, 11);
	assert_non_null(ans);
	assert_int_equal(ans->wal_end, 140);
	ct_free(&t);
	/* There, the lease has run out; here it has not, for long. */
	candidate(&t, B);
	ans = ct_position(&t, C, 10);
	assert_non_null(ans);
	assert_int_equal(ans->wal_end, 0);
	/* Who asks knows of a release: that ends waits and promises. */
	ans = ct_position(&t, C, 11);
	assert_non_null(ans);
	assert_int_equal(ans->wal_end, 120);
	assert_non_null(ct_last(&t, DO_READ));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_gives_way),
		cmocka_unit_test(test_says_why),
		cmocka_unit_test(test_other_timeline),
		cmocka_unit_test(test_old_answer),
		cmocka_unit_test(test_anew),
		cmocka_unit_test(test_reply_nothing),
		cmocka_unit_test(test_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
