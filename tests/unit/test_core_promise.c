/*
 * What a candidate promises and refuses, a claim whose outcome it does not
 * know, and its abdication.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

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
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "promised");
	ct_run(&t, 40 * MSEC);
	assert_non_null(ct_claim(&t));
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
	assert_non_null(ct_claim(&t));
	assert_int_equal(t.disk.proof, PROOF_RELEASED);
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
	cas = ct_claim(&t);
	assert_non_null(cas);
	strcpy(nonce, cas->rec.nonce);
	assert_true(t.disk.claim);
	ct_restart(&t, 0);
	ct_run(&t, 100 * MSEC);
	cas = ct_claim(&t);
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
	cas = ct_claim(&t);
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
	assert_non_null(ct_claim(&t));
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
	assert_null(ct_claim(&t));
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
	assert_null(ct_claim(&t));
	ct_restart(&t, 0);
	ct_run(&t, 2 * CT_W);
	assert_string_equal(ct_status(&t).claim_block, "abdicated");
	t.reg.value.rec.seq = 13;
	t.reg.value.revision++;
	strcpy(t.reg.value.rec.nonce, "n13");
	ct_run(&t, CT_W + SEC);
	assert_non_null(ct_claim(&t));
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
	assert_null(ct_claim(&t));
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
		cmocka_unit_test(test_promise),
		cmocka_unit_test(test_release_ends_promise),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_unresolved_of_dead_register),
		cmocka_unit_test(test_no_claim_while_reads_fail),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_abdication),
		cmocka_unit_test(test_abdication_outlives_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
