/*
 * A register that counts all that is written where it lies, and shows fewer
 * than it had: it was put back from a copy, kept its name, and what it holds
 * may look as if nothing had happened since.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

/* What this candidate saw last is what the copy holds, and it did not see what
 * was written in between: only the count tells it. */
static void
test_candidate(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_read(&t);
	t.reg.value.head = 120;
	ct_clear(&t);
	ct_run(&t, CT_W + SEC);
	assert_null(ct_claim(&t));
	assert_true(ct_status(&t).amnesiac);
	assert_string_equal(ct_status(&t).claim_block, "register-amnesiac");
	/* Others write there, and it counts on: it stays what it is, for an
	 * engine that starts later, too. */
	t.reg.value.head = 151;
	ct_run(&t, 2 * CT_W);
	ct_restart(&t, 0);
	t.reg.value.head = 200;
	ct_run(&t, 3 * CT_W);
	assert_null(ct_claim(&t));
	assert_true(ct_status(&t).amnesiac);
	ct_free(&t);
}

/* One such answer is enough: by the next, others may have written it past what
 * was seen here. */
static void
test_once(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_run(&t, SEC);
	t.reg.value.head = 120;
	t.now.raw++;
	ct_read(&t);
	assert_true(ct_status(&t).amnesiac);
	t.reg.value.head = 151;
	ct_clear(&t);
	ct_run(&t, 3 * CT_W);
	assert_true(ct_status(&t).amnesiac);
	assert_null(ct_claim(&t));
	ct_free(&t);
}

/* What was sent before a silence is sent again once it was read: by the count
 * it may have been put back, and take what it refused or already had. */
static void
test_sent_again(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.reg.value.head = 150;
	t.reg.value.revision++;
	strcpy(t.reg.value.rec.nonce, "n11");
	ct_read(&t);
	t.read_ok = false;
	t.cas = CT_CAS_FAIL;
	ct_clear(&t);
	ct_run(&t, 10 * CT_T);
	assert_int_equal(ct_count(&t, DO_CAS), 1);
	t.read_ok = true;
	ct_run(&t, SEC);
	assert_true(ct_count(&t, DO_CAS) > 1);
	ct_free(&t);
}

/* Cut off for the whole wait, it reads once more before it claims. */
static void
test_asked_again(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_read(&t);
	ct_turn(&t);
	ct_clear(&t);
	/* Nothing is heard, nor said to fail. */
	for (i = 0; i < 40; i++) {
		t.now.raw += 100 * MSEC;
		t.read_at = t.now.raw;
		core_on_pg(t.c, &t.now, &t.pg);
		core_turn(t.c, &t.now);
		while (core_take(t.c) != NULL)
			;
	}
	assert_string_equal(ct_status(&t).claim_block, "lease-runs");
	ct_run(&t, 200 * MSEC);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

/* No renewal on it; with the candidates' word the holder goes on. */
static void
test_holder(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.reg.value.head = 150;
	ct_read(&t);
	t.reg.value.head = 120;
	ct_run(&t, SEC);
	ct_clear(&t);
	ct_run(&t, 10 * SEC);
	assert_int_equal(ct_count(&t, DO_CAS), 0);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	t.yes = 0;
	ct_run(&t, CT_T + 100 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

/* Members answer in any order: who was asked before the count was known is not
 * put back for that. */
static void
test_late_reply(void **state)
{
	struct reg_value late;
	struct ct t;
	usec_t sent;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_read(&t);
	late = t.reg.value;
	sent = t.now.raw;
	ct_run(&t, 10 * MSEC);
	t.reg.value.head = 170;
	ct_read(&t);
	core_on_read(t.c, &t.now, sent, &late);
	ct_turn(&t);
	assert_false(ct_status(&t).amnesiac);
	core_on_read(t.c, &t.now, t.now.raw + 1, &late);
	ct_turn(&t);
	assert_true(ct_status(&t).amnesiac);
	ct_free(&t);
}

/* An answer that another overtook and that shows fewer may be of after the
 * register was put back: it is not the read that a claim wants. */
static void
test_late_is_not_fresh(void **state)
{
	struct reg_value late, early;
	struct ct t;
	int i;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_read(&t);
	late = early = t.reg.value;
	early.head = 170;
	late.head = 140;
	for (i = 0; i < 40; i++) {
		t.now.raw += 100 * MSEC;
		core_on_pg(t.c, &t.now, &t.pg);
		core_turn(t.c, &t.now);
		while (core_take(t.c) != NULL)
			;
	}
	core_on_read(t.c, &t.now, t.now.raw - 4 * SEC + 1, &early);
	core_on_read(t.c, &t.now, t.now.raw - MSEC, &late);
	ct_clear(&t);
	core_turn(t.c, &t.now);
	assert_string_equal(ct_status(&t).claim_block, "lease-runs");
	core_on_read(t.c, &t.now, t.now.raw + 1, &late);
	core_turn(t.c, &t.now);
	assert_string_equal(ct_status(&t).claim_block, "register-amnesiac");
	ct_free(&t);
}

/* It is known after a restart, and forgotten with the instance that it was
 * counted in. */
static void
test_restart_and_other_instance(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_read(&t);
	t.reg.value.rec.seq++;
	t.reg.value.revision++;
	ct_run(&t, SEC);
	assert_int_equal(t.disk.head, 150);
	ct_restart(&t, 0);
	t.reg.value.head = 120;
	ct_run(&t, SEC);
	assert_true(ct_status(&t).amnesiac);
	/* Put back anew, as another cluster. */
	strcpy(t.reg.value.instance, "I1");
	t.reg.value.rec.epoch++;
	t.reg.value.revision = 7;
	t.reg.value.head = 10;
	ct_run(&t, SEC);
	assert_false(ct_status(&t).amnesiac);
	assert_string_equal(t.disk.instance, "I1");
	t.reg.value.rec.seq++;
	t.reg.value.revision++;
	ct_run(&t, SEC);
	assert_int_equal(t.disk.head, 10);
	ct_free(&t);
}

/* Renewals change neither epoch nor seq: what was counted is written all the
 * same, so an engine that was down while the copy was put back knows it. */
static void
test_restart_without_seq(void **state)
{
	struct ct t;
	uint64_t seen;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_renewed(&t, 30 * SEC);
	seen = ct_status(&t).durable->head;
	assert_true(t.disk.head > 150);
	/* No more than what comes in ten seconds is unknown after a restart. */
	assert_true(seen - t.disk.head <= 10 * SEC / (CT_T / 5) + 1);
	t.reg.value.head = t.disk.head - 1;
	ct_restart(&t, 0);
	ct_run(&t, 3 * CT_W);
	assert_true(ct_status(&t).amnesiac);
	assert_null(ct_claim(&t));
	ct_free(&t);
}

/* A holder that may go on for ever without the register reads on: who took
 * over in the copy took over. */
static void
test_higher_epoch(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.reg.value.head = 150;
	ct_run(&t, SEC);
	t.reg.value.head = 120;
	ct_run(&t, 30 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	t.yes = t.tells = 0;
	t.reg.value.rec.epoch = 6;
	t.reg.value.rec.holder = t.reg.value.rec.written_by = B;
	strcpy(t.reg.value.rec.nonce, "of B");
	t.reg.value.revision++;
	t.reg.value.head++;
	ct_run(&t, CT_T / 5 + 100 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	/* And stays so, for the next engine, too. */
	ct_restart(&t, USEC_NEVER);
	ct_run(&t, 2 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

/* The disk was slow with the decision to claim, and meanwhile the register was
 * put back: the claim is never sent. */
static void
test_saved_too_late(void **state)
{
	struct ct t;
	uint64_t version = 0;
	int i;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.head = 150;
	ct_read(&t);
	ct_clear(&t);
	ct_run(&t, CT_W - 200 * MSEC);
	t.disk_silent = true;
	ct_run(&t, 600 * MSEC);
	assert_true(ct_status(&t).durable->claim);
	assert_null(ct_claim(&t));
	t.reg.value.head = 120;
	ct_run(&t, SEC);
	assert_true(ct_status(&t).amnesiac);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_SAVE)
			version = t.out[i].version;
	t.disk_silent = false;
	core_on_saved(t.c, version, true);
	ct_run(&t, SEC);
	assert_null(ct_claim(&t));
	assert_false(ct_status(&t).durable->claim);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_candidate),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_sent_again),
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_holder),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_late_is_not_fresh),
		cmocka_unit_test(test_restart_and_other_instance),
		cmocka_unit_test(test_restart_without_seq),
		cmocka_unit_test(test_higher_epoch),
		cmocka_unit_test(test_saved_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
