/*
 * Whether a candidate may take over: each condition of a claim alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"
#include "spoil.h"

static void
test_waits_w(void **state)
{
	const struct do_cas *cas;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_run(&t, CT_W - 20 * MSEC);
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "lease-runs");
	ct_run(&t, 40 * MSEC);
	cas = ct_claim(&t);
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
other_register(struct ct *t)
{
	strcpy(t->disk.instance, "I9");
	t->disk.epoch = 5;
}

static void
no_room(struct ct *t)
{
	t->pg.full = true;
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
	{ spoil_not_auto, NULL, "mode" },
	{ spoil_observe, NULL, "mode" },
	{ spoil_not_listed, NULL, "not-candidate" },
	{ spoil_latched, NULL, "latched" },
	{ spoil_wal_short, NULL, "wal-behind" },
	{ other_timeline, NULL, "timeline" },
	{ other_system, NULL, "timeline" },
	{ spoil_cold, NULL, "register-cold" },
	{ spoil_forgetful, NULL, "register-amnesiac" },
	{ other_register, NULL, "register-amnesiac" },
	{ spoil_too_soon, NULL, "min-interval" },
	{ spoil_abdicated, NULL, "abdicated" },
	{ NULL, spoil_unarmed, "not-armed" },
	{ NULL, no_room, "disk-full" },
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
		if (ct_claim(&t) != NULL)
			fail_msg("claimed in spite of %s", spoilt[i].block);
		assert_string_equal(ct_status(&t).claim_block, spoilt[i].block);
		ct_free(&t);
	}
}

/* When it could by itself: after the last of what it waits for. */
static void
test_when_by_itself(void **state)
{
	struct core_status st;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	st = ct_status(&t);
	assert_true(st.claim_at > t.now.raw);
	assert_int_equal(st.by_itself_at, st.claim_at);
	spoil_too_soon(&t);
	t.reg.value.rec.seq++;
	t.reg.value.revision++;
	ct_run(&t, SEC);
	st = ct_status(&t);
	assert_string_equal(st.claim_block, "lease-runs");
	assert_true(st.claim_at < t.now.raw + CT_W);
	assert_int_equal(st.by_itself_at, t.now.raw + t.reg.value.rec.taken_at +
					      t.conf.min_interval - t.now.wall);
	/* Acknowledged, it does not wait for that. */
	t.reg.value.rec.acked = t.reg.value.rec.epoch;
	t.reg.value.rec.seq++;
	t.reg.value.revision++;
	ct_run(&t, SEC);
	st = ct_status(&t);
	assert_int_equal(st.by_itself_at, st.claim_at);
	ct_free(&t);
}

/* A person's word does not make room; with room the claim is made at once. */
static void
test_room_again(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.pg.full = true;
	ct_run(&t, CT_W + SEC);
	assert_null(core_order_promote(t.c, &t.now, NULL));
	ct_run(&t, SEC);
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "disk-full");
	t.pg.full = false;
	ct_run(&t, 300 * MSEC);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
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
	assert_null(ct_claim(&t));
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
	assert_null(ct_claim(&t));
	ct_free(&t);
}

/* What was waited before the host slept does not count. */
static void
test_sleep_waits_again(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	ct_run(&t, CT_W - 100 * MSEC);
	t.now.suspended += 10 * MSEC;
	ct_run(&t, CT_W - 100 * MSEC);
	assert_null(ct_claim(&t));
	ct_run(&t, 200 * MSEC);
	assert_non_null(ct_claim(&t));
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
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "hold-off");
	ct_run(&t, CT_T);
	assert_non_null(ct_claim(&t));
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
	assert_null(ct_claim(&t));
	ct_run(&t, 60 * MSEC);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

/* A person's word is about the holder as it was known then. */
static void
renewed(struct ct *t)
{
	strcpy(t->reg.value.rec.nonce, "renewed");
	t->reg.value.revision++;
}

static void
taken_over(struct ct *t)
{
	t->reg.value.rec.epoch++;
	t->reg.value.rec.holder = C;
	t->reg.value.rec.state = REC_CLAIMED;
	renewed(t);
}

static void
asks(struct ct *t)
{
	ct_ask(t, A, 5, CT_T, false, 10);
}

static void
reports(struct ct *t)
{
	struct site_report r = { .serving = true };

	core_on_site(t->c, &t->now, A, &r);
}

static void
test_fenced_no_more(void **state)
{
	static void (*const how[])(
	    struct ct *) = { renewed, taken_over, asks, reports };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		ct_init(&t, B, true);
		ct_candidate(&t);
		t.disk_ok = false;
		assert_null(core_order_promote(t.c, &t.now, "pulled"));
		ct_run(&t, 40 * MSEC);
		assert_null(ct_claim(&t));
		how[i](&t);
		ct_run(&t, 100 * MSEC);
		t.disk_ok = true;
		ct_run(&t, CT_T - SEC);
		if (ct_claim(&t) != NULL)
			fail_msg("claims, case %zu", i);
		ct_free(&t);
	}
	/* Nor is a claimant fenced that was heard just before. */
	ct_init(&t, B, true);
	ct_candidate(&t);
	taken_over(&t);
	ct_ask(&t, C, 6, CT_T, false, 10);
	ct_run(&t, 100 * MSEC);
	assert_non_null(core_order_promote(t.c, &t.now, "pulled"));
	assert_null(core_order_promote(t.c, &t.now, NULL));
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
	assert_null(ct_claim(&t));
	t.disk_silent = false;
	t.disk_ok = false;
	ct_run(&t, SEC);
	assert_null(ct_claim(&t));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_w),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_when_by_itself),
		cmocka_unit_test(test_room_again),
		cmocka_unit_test(test_old_view),
		cmocka_unit_test(test_renewed_record_waits_again),
		cmocka_unit_test(test_sleep_waits_again),
		cmocka_unit_test(test_hold_off),
		cmocka_unit_test(test_target_first),
		cmocka_unit_test(test_fenced_no_more),
		cmocka_unit_test(test_disk_before_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
