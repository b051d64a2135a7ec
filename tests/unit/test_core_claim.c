/*
 * Whether a candidate may take over: each condition of a claim alone, the
 * promises that it gives, and its abdication.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

static const struct do_cas *
claim_of(const struct ct *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_CAS &&
		    t->out[i].cas.rec.state == REC_CLAIMED)
			return &t->out[i].cas;
	return NULL;
}

static void
test_waits_w(void **state)
{
	const struct do_cas *cas;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_run(&t, CT_W - 20 * MSEC);
	assert_null(claim_of(&t));
	assert_string_equal(ct_status(&t).claim_block, "lease-runs");
	ct_run(&t, 40 * MSEC);
	cas = claim_of(&t);
	assert_non_null(cas);
	assert_int_equal(cas->revision, 10);
	assert_string_equal(cas->instance, "I0");
	assert_string_equal(cas->nonce, "n10");
	assert_int_equal(cas->rec.epoch, 6);
	assert_int_equal(cas->rec.holder, B);
	assert_int_equal(cas->rec.candidates, BIT_A);
	assert_int_equal(cas->rec.lsn, 100);
	ct_free(&t);
}

/* Each spoils one condition, and only that one. */
static void
not_auto(struct ct *t)
{
	t->conf.mode = CORE_MANUAL;
}

static void
observe(struct ct *t)
{
	t->conf.mode = CORE_OBSERVE;
}

static void
not_listed(struct ct *t)
{
	t->reg.value.rec.candidates = 0;
}

static void
latched(struct ct *t)
{
	t->disk.latch = true;
}

static void
wal_short(struct ct *t)
{
	t->pg.wal_end = 99;
}

static void
other_timeline(struct ct *t)
{
	t->pg.timeline = 2;
}

static void
other_system(struct ct *t)
{
	t->pg.system_id = CT_SYSTEM + 1;
}

static void
cold(struct ct *t)
{
	t->reg.value.cold = true;
	strcpy(t->reg.value.next, "I1");
}

static void
forgetful(struct ct *t)
{
	strcpy(t->disk.instance, "I0");
	t->disk.epoch = 5;
	t->disk.seq = 11;
}

static void
other_register(struct ct *t)
{
	strcpy(t->disk.instance, "I9");
	t->disk.epoch = 5;
}

static void
too_soon(struct ct *t)
{
	t->reg.value.rec.taken_at = t->now.wall - 60 * SEC;
}

static void
abdicated(struct ct *t)
{
	t->disk.abdicated_epoch = 5;
	t->disk.abdicated_seq = 10;
}

static void
unarmed(struct ct *t)
{
	core_on_armed(t->c, &t->now, ANS_NO, "socket");
}

static void
unsaid(struct ct *t)
{
	t->pg_silent = true;
}

/* early: before the engine starts; late: when all else holds. */
static const struct {
	void (*early)(struct ct *);
	void (*late)(struct ct *);
	const char *block;
} spoilt[] = {
	{ not_auto, NULL, "mode" },
	{ observe, NULL, "mode" },
	{ not_listed, NULL, "not-candidate" },
	{ latched, NULL, "latched" },
	{ wal_short, NULL, "wal-behind" },
	{ other_timeline, NULL, "timeline" },
	{ other_system, NULL, "timeline" },
	{ cold, NULL, "register-cold" },
	{ forgetful, NULL, "register-amnesiac" },
	{ other_register, NULL, "register-amnesiac" },
	{ too_soon, NULL, "min-interval" },
	{ abdicated, NULL, "abdicated" },
	{ NULL, unarmed, "not-armed" },
	{ NULL, unsaid, "postgres-unknown" },
};

static void
test_one_by_one(void **state)
{
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		ct_init(&t, B, false);
		ct_record(&t, REC_HELD, A, BIT_B);
		ct_standby(&t, 120);
		if (spoilt[i].early != NULL)
			spoilt[i].early(&t);
		ct_start(&t, &t.disk, 0);
		if (spoilt[i].late != NULL)
			spoilt[i].late(&t);
		ct_run(&t, 2 * CT_W + SEC);
		if (claim_of(&t) != NULL)
			fail_msg("claimed in spite of %s", spoilt[i].block);
		assert_string_equal(
		    ct_status(&t).claim_block, spoilt[i].block);
		ct_free(&t);
	}
}

/* A view that was good once is none when it is old. */
static void
test_old_view(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.pg_silent = true;
	ct_ask(&t, A, 5, 4 * SEC, false, 10); /* refused until saved */
	assert_true(ct_ask(&t, A, 5, 4 * SEC, false, 10)->yes);
	ct_run(&t, 5 * SEC);
	assert_null(claim_of(&t));
	assert_string_equal(ct_status(&t).claim_block, "postgres-unknown");
	ct_free(&t);
}

static void
test_renewed_record_waits_again(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, B, false);
	ct_candidate(&t);
	for (i = 0; i < 10; i++) {
		ct_run(&t, CT_W - 100 * MSEC);
		t.reg.value.revision++;
		t.reg.value.rec.nonce[0] = (char)('a' + i);
	}
	assert_null(claim_of(&t));
	ct_free(&t);
}

static void
test_promise(void **state)
{
	const struct ask_answer *ans;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_run(&t, CT_W - 100 * MSEC);
	ans = ct_ask(&t, A, 5, CT_T, false, 10);
	assert_non_null(ans);
	assert_true(ans->yes);
	ct_run(&t, CT_W - 20 * MSEC);
	assert_null(claim_of(&t));
	assert_string_equal(ct_status(&t).claim_block, "promised");
	ct_run(&t, 40 * MSEC);
	assert_non_null(claim_of(&t));
	ct_free(&t);
}

/* A release by the promisee ends the promise, and there is no lease. */
static void
test_release_ends_promise(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_ask(&t, A, 5, CT_T, false, 10);
	t.reg.value.revision = 11;
	t.reg.value.rec.state = REC_RELEASED;
	strcpy(t.reg.value.rec.nonce, "n11");
	ct_run(&t, 60 * MSEC);
	assert_non_null(claim_of(&t));
	assert_int_equal(t.disk.proof, PROOF_RELEASED);
	ct_free(&t);
}

static void
test_hold_off(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_record(&t, REC_RELEASED, A, BIT_B);
	ct_standby(&t, 120);
	/* The largest T that may have been promised counts, not one's own. */
	t.disk.t_max = 2 * CT_T;
	ct_start(&t, &t.disk, 0);
	ct_run(&t, CT_W + SEC);
	assert_null(claim_of(&t));
	assert_string_equal(ct_status(&t).claim_block, "hold-off");
	ct_run(&t, CT_T);
	assert_non_null(claim_of(&t));
	ct_free(&t);
}

static void
test_target_first(void **state)
{
	struct ct t;

	ct_init(&t, B, true);
	ct_candidate(&t);
	ct_record(&t, REC_RELEASED, A, BIT_B | BIT_C)->target = C;
	t.reg.value.revision = 11;
	ct_run(&t, CT_W - 20 * MSEC);
	assert_null(claim_of(&t));
	ct_run(&t, 60 * MSEC);
	assert_non_null(claim_of(&t));
	ct_free(&t);
}

/* The claim and its proof are on disk before the write leaves. */
static void
test_disk_before_claim(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.disk_silent = true;
	ct_run(&t, CT_W + SEC);
	assert_null(claim_of(&t));
	t.disk_silent = false;
	t.disk_ok = false;
	ct_run(&t, SEC);
	assert_null(claim_of(&t));
	ct_free(&t);
}

/* Unknown: the identical request is sent again, by a new incarnation too, and
 * nothing is promised meanwhile. */
static void
test_unresolved(void **state)
{
	const struct ask_answer *ans;
	const struct do_cas *cas;
	char nonce[ID_MAX];
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.cas = CT_CAS_LOST;
	ct_run(&t, CT_W + SEC);
	cas = claim_of(&t);
	assert_non_null(cas);
	strcpy(nonce, cas->rec.nonce);
	assert_true(t.disk.claim);
	ct_restart(&t, 0);
	ct_run(&t, 100 * MSEC);
	cas = claim_of(&t);
	assert_non_null(cas);
	assert_string_equal(cas->rec.nonce, nonce);
	assert_int_equal(cas->revision, 10);
	ans = ct_ask(&t, A, 5, CT_T, false, 10);
	assert_false(ans->yes);
	assert_string_equal(ans->reason, "claim-unresolved");
	assert_false(ct_ask(&t, A, 5, CT_T, true, 10)->abdicated);
	/* A conflict of one copy proves nothing. */
	ct_clear(&t);
	ct_run(&t, SEC);
	cas = claim_of(&t);
	assert_non_null(cas);
	core_on_cas(t.c, &t.now, cas->id, CAS_CONFLICT, 0, "");
	ct_turn(&t);
	assert_string_equal(ct_status(&t).claim_block, "claim-unresolved");
	/* A newer revision of another's does. */
	t.reg.value.revision = 11;
	strcpy(t.reg.value.rec.nonce, "n11");
	ct_run(&t, 60 * MSEC);
	assert_string_equal(ct_status(&t).claim_block, "lease-runs");
	assert_false(t.disk.claim);
	ct_free(&t);
}

/* The register that it was sent to is no more: another instance is believed
 * by its higher epoch. It can never land. */
static void
test_unresolved_of_dead_register(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.cas = CT_CAS_LOST;
	ct_run(&t, CT_W + SEC);
	assert_non_null(claim_of(&t));
	ct_record(&t, REC_HELD, A, 0)->epoch = 6;
	strcpy(t.reg.value.instance, "I1");
	ct_run(&t, SEC);
	assert_string_equal(ct_status(&t).claim_block, "not-candidate");
	assert_true(ct_ask(&t, A, 6, CT_T, false, 10)->yes);
	assert_false(t.disk.claim);
	ct_free(&t);
}

/* Without the register a claim would only be in the way of promises. */
static void
test_no_claim_while_reads_fail(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.read_ok = false;
	t.cas = CT_CAS_LOST;
	ct_run(&t, CT_W + SEC);
	assert_null(claim_of(&t));
	assert_true(ct_ask(&t, A, 5, CT_T, false, 10)->yes);
	ct_free(&t);
}

static void
test_refusals(void **state)
{
	const struct ask_answer *ans;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ans = ct_ask(&t, A, 4, CT_T, false, 10);
	assert_false(ans->yes);
	assert_string_equal(ans->reason, "higher-epoch");
	assert_int_equal(ans->epoch, 5);
	/* A larger T is promised only when that is on disk. */
	t.disk_ok = false;
	ans = ct_ask(&t, A, 5, 3 * CT_T, false, 10);
	assert_false(ans->yes);
	assert_string_equal(ans->reason, "not-saved");
	t.disk_ok = true;
	ct_run(&t, SEC);
	assert_true(ct_ask(&t, A, 5, 3 * CT_T, false, 10)->yes);
	assert_int_equal(t.disk.t_max, 3 * CT_T);
	assert_int_equal(ct_status(&t).promised_until - t.now.raw,
	    3 * CT_T * 1001000 / 999000 + 1 + 50 * MSEC);
	ct_free(&t);
	/* The holder itself promises nothing in its own epoch. */
	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	assert_false(ct_ask(&t, B, 5, CT_T, false, 10)->yes);
	ct_free(&t);
}

/* Abdication is on disk before it is said; a held record above s ends it. */
static void
test_abdication(void **state)
{
	const struct ask_answer *ans;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.disk_silent = true;
	assert_null(ct_ask(&t, A, 5, CT_T, true, 12));
	ct_free(&t);
	ct_init(&t, B, false);
	ct_candidate(&t);
	ans = ct_ask(&t, A, 5, CT_T, true, 12);
	assert_true(ans->abdicated);
	assert_false(ans->yes);
	ct_run(&t, CT_W + SEC);
	assert_null(claim_of(&t));
	ct_restart(&t, 0);
	ct_run(&t, 2 * CT_W);
	assert_string_equal(ct_status(&t).claim_block, "abdicated");
	t.reg.value.rec.seq = 13;
	t.reg.value.revision++;
	strcpy(t.reg.value.rec.nonce, "n13");
	ct_run(&t, CT_W + SEC);
	assert_non_null(claim_of(&t));
	ct_free(&t);
}

/* What only copies the list of an older record adds nobody. */
static void
abdicated_sees(enum rec_state to, uint64_t epoch, node_t holder)
{
	struct ct t;

	ct_init(&t, B, true);
	ct_candidate(&t);
	assert_true(ct_ask(&t, A, 5, CT_T, true, 10)->abdicated);
	ct_record(&t, to, holder, BIT_B)->seq = 11;
	t.reg.value.rec.epoch = epoch;
	t.reg.value.revision = 11;
	ct_run(&t, 2 * CT_W);
	assert_null(claim_of(&t));
	assert_string_equal(ct_status(&t).claim_block, "abdicated");
	ct_free(&t);
}

static void
test_abdication_outlives_copies(void **state)
{
	abdicated_sees(REC_RELEASED, 5, A);
	abdicated_sees(REC_CLAIMED, 6, C);
	abdicated_sees(REC_RELEASED, 6, C);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_w),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_old_view),
		cmocka_unit_test(test_renewed_record_waits_again),
		cmocka_unit_test(test_promise),
		cmocka_unit_test(test_release_ends_promise),
		cmocka_unit_test(test_hold_off),
		cmocka_unit_test(test_target_first),
		cmocka_unit_test(test_disk_before_claim),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_unresolved_of_dead_register),
		cmocka_unit_test(test_no_claim_while_reads_fail),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_abdication),
		cmocka_unit_test(test_abdication_outlives_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
