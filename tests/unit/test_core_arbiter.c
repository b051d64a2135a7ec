/*
 * A register that forgets: the arbiter's own rules (what a start makes cold,
 * which write is taken, reports, a living holder's new record, a person's
 * word), and what the nodes do with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

#define AB (BIT_A | BIT_B)

static void
test_start(void **state)
{
	static const struct {
		bool found, same, was_cold;
		usec_t gap;
		bool cold;
	} rows[] = {
		{ false, false, false, 0, true },
		{ true, true, false, SEC, false },
		{ true, true, false, 60 * SEC, false },
		{ true, true, false, 61 * SEC, true },
		{ true, true, false, -1, true },
		{ true, false, false, SEC, true },
		{ true, true, true, SEC, true },
		{ true, true, true, 61 * SEC, true },
		{ true, false, true, SEC, true },
	};
	struct arbiter_origin o;
	struct arbiter *a;
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ct_init(&t, A, false);
		ct_record(&t, REC_HELD, A, BIT_B);
		a = &t.reg;
		a->written_at = 1000 * SEC;
		if (rows[i].was_cold) {
			a->value.cold = true;
			strcpy(a->value.next, "I1");
			a->value.reported = BIT_A;
		}
		o.found = rows[i].found;
		o.same_file = rows[i].same;
		o.wall = 1000 * SEC + rows[i].gap;
		assert_int_equal(arbiter_start(a, &o, "I8", "I9", 60 * SEC),
		    rows[i].cold && !(rows[i].was_cold && rows[i].same &&
					rows[i].gap == SEC));
		assert_int_equal(a->value.cold, rows[i].cold);
		assert_string_equal(
		    a->value.instance, rows[i].found ? "I0" : "I8");
		/* Whoever must report anew sees that by the next instance. */
		if (rows[i].was_cold && rows[i].same && rows[i].gap == SEC)
			assert_int_equal(a->value.reported, BIT_A);
		else
			assert_int_equal(a->value.reported, 0);
	}
}

static struct do_cas
cas_from(const struct arbiter *a)
{
	struct do_cas cas = {
		.id = 1, .revision = a->value.revision, .rec = a->value.rec
	};

	strcpy(cas.instance, a->value.instance);
	strcpy(cas.nonce, a->value.rec.nonce);
	strcpy(cas.rec.nonce, "new");
	return cas;
}

static void
test_cas(void **state)
{
	struct arbiter next;
	struct do_cas cas;
	bool changed;
	struct ct t;
	int i;

	ct_init(&t, A, false);
	ct_record(&t, REC_HELD, A, BIT_B);
	for (i = 0; i < 7; i++) {
		cas = cas_from(&t.reg);
		if (i == 0)
			cas.revision--;
		else if (i == 1)
			strcpy(cas.nonce, "other");
		else if (i == 2)
			strcpy(cas.instance, "I1");
		else if (i == 3)
			cas.rec.epoch--;
		else if (i == 4)
			cas.rec.seq--;
		else if (i == 5)
			cas.rec.holder = C;
		else
			cas.rec.candidates = BIT_C;
		assert_int_equal(arbiter_cas(&t.reg, &cas, AB, &next, &changed),
		    i < 3 ? CAS_CONFLICT : CAS_REFUSED);
		assert_false(changed);
	}
	cas = cas_from(&t.reg);
	assert_int_equal(
	    arbiter_cas(&t.reg, &cas, AB, &next, &changed), CAS_CONFIRMED);
	assert_true(changed);
	assert_int_equal(next.value.revision, 11);
	/* The same again: it stands here, so it won; nothing is written. */
	assert_int_equal(
	    arbiter_cas(&next, &cas, AB, &t.reg, &changed), CAS_CONFIRMED);
	assert_false(changed);
	/* Cold: nothing, not even what stands here. */
	next.value.cold = true;
	assert_int_equal(
	    arbiter_cas(&next, &cas, AB, &t.reg, &changed), CAS_REFUSED);
}

static void
make_cold(struct ct *t)
{
	t->reg.value.cold = true;
	t->reg.value.reported = 0;
	strcpy(t->reg.value.next, "I1");
}

static void
test_reports(void **state)
{
	struct arbiter a, next;
	struct ct t;

	ct_init(&t, A, false);
	ct_record(&t, REC_HELD, A, BIT_B);
	assert_false(arbiter_report(&t.reg, A, "I0", 5, 10, AB, &next));
	make_cold(&t);
	assert_false(arbiter_report(&t.reg, A, "I7", 5, 10, AB, &next));
	assert_true(arbiter_report(&t.reg, A, "I1", 5, 10, AB, &a));
	assert_true(a.value.cold);
	assert_true(arbiter_report(&a, B, "I1", 5, 9, AB, &next));
	assert_false(next.value.cold);
	assert_string_equal(next.value.instance, "I1");
	assert_int_equal(next.value.rec.candidates, BIT_B);
	/* Who saw more keeps it cold, whatever is said later. */
	assert_true(arbiter_report(&a, B, "I1", 5, 11, AB, &next));
	assert_true(next.value.cold);
	a = next;
	assert_true(arbiter_report(&a, B, "I1", 5, 9, AB, &next));
	assert_true(next.value.cold);
}

/* A person's word: every node takes it, and it lets nobody take over. */
static void
test_adopt(void **state)
{
	struct arbiter a, next;
	struct ct t;

	ct_init(&t, A, false);
	ct_record(&t, REC_HELD, A, BIT_B);
	assert_false(arbiter_adopt(&t.reg, &next));
	make_cold(&t);
	assert_true(arbiter_report(&t.reg, A, "I1", 9, 2, AB, &a));
	assert_true(arbiter_adopt(&a, &next));
	assert_false(next.value.cold);
	assert_string_equal(next.value.instance, "I1");
	assert_true(next.value.rec.epoch > 9);
	assert_true(next.value.revision > 10);
	assert_string_not_equal(next.value.rec.nonce, "n10");
	assert_int_equal(next.value.rec.candidates, 0);
}

/* Adopted over what was seen, by the holder and by who could not report. */
static void
adopted_seen_by(node_t self, bool reports)
{
	struct arbiter next;
	struct ct t;

	ct_init(&t, self, false);
	if (self == A)
		ct_holder(&t, BIT_B);
	else
		ct_candidate(&t);
	make_cold(&t);
	t.reg.value.rec.seq = 3;
	t.read_ok = reports;
	ct_run(&t, SEC);
	assert_int_equal(ct_count(&t, DO_REPORT) > 0, reports);
	assert_true(t.reg.value.cold || self == B);
	t.reg.value.cold = true;
	strcpy(t.reg.value.next, "I1");
	assert_true(arbiter_adopt(&t.reg, &next));
	t.reg = next;
	t.read_ok = true;
	ct_run(&t, SEC);
	assert_false(ct_status(&t).amnesiac);
	assert_int_equal(ct_status(&t).rec.epoch, t.reg.value.rec.epoch);
	if (self == A)
		assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

static void
test_adopted(void **state)
{
	adopted_seen_by(A, true);
	adopted_seen_by(B, true);
	adopted_seen_by(B, false);
}

static void
test_reseed_taken(void **state)
{
	struct arbiter next;
	struct do_cas cas;
	bool changed;
	struct ct t;
	int i;

	ct_init(&t, A, false);
	for (i = 0; i < 6; i++) {
		ct_record(&t, REC_HELD, A, BIT_B);
		make_cold(&t);
		t.reg.value.reported = AB;
		cas = cas_from(&t.reg);
		cas.reseed = true;
		strcpy(cas.instance, "I1");
		cas.rec.epoch++;
		if (i == 1)
			strcpy(cas.instance, "I0");
		else if (i == 2)
			cas.rec.epoch--;
		else if (i == 3)
			cas.rec.state = REC_CLAIMED;
		else if (i == 4)
			t.reg.value.reported = BIT_B;
		else if (i == 5)
			t.reg.value.reported = BIT_A;
		assert_int_equal(arbiter_cas(&t.reg, &cas, AB, &next, &changed),
		    i == 0 ? CAS_CONFIRMED : CAS_REFUSED);
	}
}

/* A cold register: what a holder and its lease do. */
static void
test_reseed(void **state)
{
	struct arbiter next;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_run(&t, SEC);
	make_cold(&t);
	t.reg.value.rec.seq = 3;
	ct_read(&t);
	ct_turn(&t);
	ct_clear(&t);
	ct_run(&t, SEC);
	/* B is in P, and has not reported. */
	assert_int_equal(ct_count(&t, DO_CAS), 0);
	assert_true(t.reg.value.reported & BIT_A);
	assert_true(arbiter_report(&t.reg, B, "I1", 5, 10, AB, &next));
	t.reg = next;
	ct_run(&t, 300 * MSEC);
	assert_false(t.reg.value.cold);
	assert_int_equal(t.reg.value.rec.epoch, 6);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* Not when D had lapsed meanwhile, not in a new incarnation. */
static void
test_no_reseed(void **state)
{
	struct ct t;
	int i;

	for (i = 0; i < 2; i++) {
		ct_init(&t, A, false);
		ct_holder(&t, BIT_B);
		make_cold(&t);
		t.reg.value.rec.seq = 3;
		t.yes = 0;
		ct_run(&t, SEC);
		if (i == 0) {
			ct_run(&t, CT_T);
			t.yes = AB;
		} else {
			ct_restart(&t, t.now.raw + CT_T);
		}
		t.reg.value.reported = AB;
		ct_clear(&t);
		ct_run(&t, 3 * SEC);
		assert_int_equal(ct_count(&t, DO_CAS), 0);
		assert_true(t.reg.value.cold);
		ct_free(&t);
	}
}

/* A report: the highest that was seen or sent, once its effects are on disk;
 * what was sent is void, every wait begins anew. */
static void
test_report(void **state)
{
	const struct action *a;
	usec_t at;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.cas = CT_CAS_LOST;
	ct_run(&t, CT_W + SEC);
	assert_true(t.disk.claim);
	make_cold(&t);
	t.disk_silent = true;
	ct_clear(&t);
	ct_run(&t, SEC);
	assert_null(ct_last(&t, DO_REPORT));
	t.disk_silent = false;
	core_on_saved(t.c, UINT64_MAX / 2, false);
	at = t.now.raw;
	ct_run(&t, 2 * SEC);
	a = ct_last(&t, DO_REPORT);
	assert_non_null(a);
	assert_int_equal(a->epoch, 6);
	assert_int_equal(a->seq, 11);
	assert_string_equal(a->instance, "I1");
	assert_false(t.disk.claim);
	assert_string_equal(t.disk.instance, "I1");
	assert_true(ct_status(&t).claim_at > at);
	ct_free(&t);
}

/* The reply to a report for an instance that is given up counts for nothing. */
static void
test_report_of_before(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	make_cold(&t);
	ct_run(&t, 500 * MSEC);
	strcpy(t.reg.value.next, "I2");
	t.reg.value.cold = true;
	t.reg.value.reported = 0;
	t.disk_silent = true;
	ct_run(&t, 300 * MSEC);
	core_on_reported(t.c, &t.now, true);
	ct_clear(&t);
	t.disk_silent = false;
	core_on_saved(t.c, UINT64_MAX / 2, false);
	ct_run(&t, 2 * SEC);
	assert_non_null(ct_last(&t, DO_REPORT));
	assert_string_equal(ct_last(&t, DO_REPORT)->instance, "I2");
	assert_true(t.reg.value.reported & BIT_B);
	ct_free(&t);
}

/* Less than was seen: no renewal on it; the candidate's word still holds. */
static void
test_amnesiac_holder(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.reg.value.rec.seq = 3;
	t.reg.value.revision++;
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

/* A reply that left before the cold state was seen tells of the past, also
 * when it shows more than this node had seen there. */
static void
test_late_reply(void **state)
{
	struct reg_value late;
	struct arbiter next;
	usec_t sent;
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	sent = t.now.raw;
	late = t.reg.value;
	late.rec.epoch = 6;
	late.revision = 15;
	strcpy(late.rec.nonce, "n15");
	t.reg.value = late;
	t.read_ok = false;
	ct_run(&t, 100 * MSEC);
	make_cold(&t);
	t.read_ok = true;
	ct_run(&t, 500 * MSEC);
	assert_true(t.reg.value.reported & BIT_B);
	core_on_read(t.c, &t.now, sent, &late);
	ct_turn(&t);
	assert_true(arbiter_report(&t.reg, A, "I1", 6, 10, AB, &next));
	t.reg = next;
	assert_false(t.reg.value.cold);
	ct_run(&t, SEC);
	assert_false(ct_status(&t).amnesiac);
	assert_string_equal(ct_status(&t).instance, "I1");
	ct_free(&t);
}

/* The first record is written once, above whatever was. */
static void
test_init_record(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	strcpy(t.reg.value.instance, "I0");
	t.reg.value.rec.holder = t.reg.value.rec.target = NODE_NONE;
	ct_start(&t, NULL, 0);
	assert_non_null(core_order_init(t.c, &t.now));
	ct_standby(&t, 100);
	ct_run(&t, 300 * MSEC);
	assert_non_null(core_order_init(t.c, &t.now));
	ct_primary(&t, 0, 100);
	ct_run(&t, 300 * MSEC);
	assert_int_equal(ct_count(&t, DO_CAS), 0);
	assert_null(core_order_init(t.c, &t.now));
	assert_string_equal(core_order_init(t.c, &t.now),
	    "a write of the register is under way\nhactl status");
	ct_run(&t, 300 * MSEC);
	assert_int_equal(t.reg.value.rec.epoch, 1);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_non_null(core_order_init(t.c, &t.now));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_cas),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_reseed_taken),
		cmocka_unit_test(test_reseed),
		cmocka_unit_test(test_no_reseed),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_report_of_before),
		cmocka_unit_test(test_amnesiac_holder),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_init_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
