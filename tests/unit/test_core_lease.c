/*
 * The holder's lease: what moves D and what ends it, P, and the limit before an
 * add.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

/* Node answers a question of the holder, with this much seen. */
static void
answer(
    struct ct *t, const struct ask *ask, node_t from, uint64_t epoch, bool yes)
{
	struct ask_answer ans = { .id = ask->id,
		.from = from,
		.yes = yes,
		.epoch = epoch,
		.seq = ask->seq,
		.running = ANS_YES,
		.recovery = ANS_YES };

	core_on_answer(t->c, &t->now, &ans);
}

static void
test_wait(void **state)
{
	/* T, ppm, slack: W = T(1+e)/(1-e)+d, rounded up. */
	static const struct {
		usec_t ttl;
		int ppm;
		usec_t slack, w;
	} rows[] = {
		{ 5 * SEC, 0, 0, 5000001 },
		{ 5 * SEC, 1000, 50 * MSEC, 5060011 },
		{ 2 * SEC, 1000, 50 * MSEC, 2054005 },
		{ 60 * SEC, 1000, 0, 60120121 },
	};
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ct_init(&t, B, false);
		t.conf.clock_ppm = rows[i].ppm;
		t.conf.slack = rows[i].slack;
		ct_record(&t, REC_HELD, A, BIT_B)->ttl = rows[i].ttl;
		ct_start(&t, NULL, 0);
		ct_read(&t);
		ct_turn(&t);
		assert_int_equal(ct_status(&t).claim_at - t.now.raw, rows[i].w);
		ct_free(&t);
	}
}

/* (a) counts from before the request left, not from its reply. */
static void
test_own_write(void **state)
{
	const struct action *a;
	struct core_status st;
	usec_t sent, ends;
	uint64_t id;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.yes = 0;
	t.cas = CT_CAS_NO_REPLY;
	t.read_ok = false;
	ends = ct_status(&t).deadline;
	while ((a = ct_last(&t, DO_CAS)) == NULL)
		ct_run(&t, 20 * MSEC);
	sent = t.now.raw;
	id = a->cas.id;
	assert_int_equal(ct_status(&t).deadline, ends);
	ct_run(&t, 300 * MSEC);
	core_on_cas(t.c, &t.now, id, CAS_CONFIRMED, t.reg.value.revision, "I0");
	st = ct_status(&t);
	assert_int_equal(st.deadline, sent + CT_T);
	ct_free(&t);
}

/* A read that shows our nonce is as good as the reply. */
static void
test_own_write_seen(void **state)
{
	usec_t sent;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.yes = 0;
	t.cas = CT_CAS_NO_REPLY;
	t.read_ok = false;
	while (ct_last(&t, DO_CAS) == NULL)
		ct_run(&t, 20 * MSEC);
	sent = t.now.raw;
	ct_run(&t, 200 * MSEC);
	t.read_ok = true;
	t.cas = CT_CAS_LOST;
	ct_read(&t);
	assert_int_equal(ct_status(&t).deadline, sent + CT_T);
	ct_free(&t);
}

/* (b): every member of P, one request. */
static void
test_answers(void **state)
{
	struct ask one, two;
	usec_t ends, sent;
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B | BIT_C);
	t.cas = CT_CAS_LOST;
	t.yes = 0;
	ct_run(&t, 500 * MSEC);
	ends = ct_status(&t).deadline;
	ct_clear(&t);
	while (ct_last(&t, DO_ASK) == NULL)
		ct_run(&t, 20 * MSEC);
	one = ct_last(&t, DO_ASK)->ask;
	sent = t.now.raw;
	assert_int_equal(one.epoch, 5);
	assert_int_equal(one.ttl, CT_T);
	answer(&t, &one, B, 5, true);
	assert_int_equal(ct_status(&t).deadline, ends);
	ct_clear(&t);
	while (ct_last(&t, DO_ASK) == NULL)
		ct_run(&t, 20 * MSEC);
	two = ct_last(&t, DO_ASK)->ask;
	/* One member for the first, the other for the second: not enough. */
	answer(&t, &two, C, 5, true);
	assert_int_equal(ct_status(&t).deadline, ends);
	answer(&t, &one, C, 5, false);
	assert_int_equal(ct_status(&t).deadline, ends);
	answer(&t, &one, C, 5, true);
	assert_int_equal(ct_status(&t).deadline, sent + CT_T);
	ct_free(&t);
}

/* A new incarnation may not rest on answers before its own first write. */
static void
test_answers_need_own_write(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_restart(&t, t.now.raw + CT_T);
	t.cas = CT_CAS_LOST;
	ct_run(&t, CT_T + SEC);
	assert_int_equal(ct_count(&t, DO_ASK), 0);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

static void
test_survives_register(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.cas = CT_CAS_LOST;
	t.read_ok = false;
	ct_run(&t, 60 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	/* And nobody else's word keeps it. */
	t.yes = 0;
	ct_run(&t, CT_T + 50 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

/* With nobody who could take over D has no end, once that is on disk. */
static void
test_alone(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_record(&t, REC_HELD, A, 0);
	t.disk_ok = false;
	ct_start(&t, NULL, 0);
	ct_primary(&t, 0, 110);
	ct_run(&t, 2 * CT_W);
	assert_int_equal(ct_status(&t).possible, 0);
	assert_true(ct_status(&t).deadline < USEC_NEVER);
	t.disk_ok = true;
	ct_run(&t, SEC);
	assert_true(ct_status(&t).deadline == USEC_NEVER);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	t.read_ok = false;
	t.cas = CT_CAS_LOST;
	ct_run(&t, 100 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	/* A higher epoch ends it at once. */
	t.read_ok = true;
	ct_record(&t, REC_CLAIMED, B, BIT_A)->epoch = 6;
	t.reg.value.revision = 2000;
	ct_run(&t, 20 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

/* What ends D at once; what was asked or sent before counts no more. */
enum ending { END_SUSPEND, END_PEER, END_ASK, END_FENCE, END_PROBE };

static void
end_it(struct ct *t, enum ending how)
{
	struct ask ask = {
		.id = 77, .from = B, .instance = "I0", .epoch = 6, .ttl = CT_T
	};

	switch (how) {
	case END_SUSPEND:
		t->now.suspended += 10 * MSEC;
		break;
	case END_PEER:
		answer(t, &ask, B, 6, false);
		break;
	case END_ASK:
		core_on_ask(t->c, &t->now, &ask);
		break;
	case END_FENCE:
		core_on_fence_lost(t->c, &t->now, false, SEC);
		break;
	case END_PROBE:
		t->probe = false;
		t->pg.probe_at = t->now.raw - 10 * SEC;
		ct_view(t);
		break;
	}
}

static void
test_ends(void **state)
{
	const struct action *a, *cas;
	struct ask before;
	struct ct t;
	int how;

	for (how = END_SUSPEND; how <= END_PROBE; how++) {
		ct_init(&t, A, false);
		ct_holder(&t, BIT_B);
		/* A probe of long ago is late only if it ran long enough. */
		ct_run(&t, 4 * SEC);
		t.yes = 0;
		t.cas = CT_CAS_LOST;
		ct_clear(&t);
		while ((a = ct_last(&t, DO_ASK)) == NULL)
			ct_run(&t, 20 * MSEC);
		before = a->ask;
		cas = ct_last(&t, DO_CAS);
		assert_non_null(cas);
		t.fence = how == END_FENCE ? ANS_UNKNOWN : ANS_YES;
		end_it(&t, (enum ending)how);
		core_turn(t.c, &t.now);
		assert_true(ct_status(&t).deadline <= t.now.raw);
		answer(&t, &before, B, 5, true);
		assert_true(ct_status(&t).deadline <= t.now.raw);
		core_on_cas(
		    t.c, &t.now, cas->cas.id, CAS_CONFIRMED, 5000, "I0");
		assert_true(ct_status(&t).deadline <= t.now.raw);
		ct_free(&t);
	}
}

/* A primary that cannot write asks for nothing until it can. */
static void
test_failing_probe(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.probe = false;
	ct_run(&t, 3 * SEC + 200 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_clear(&t);
	ct_run(&t, 5 * SEC);
	assert_int_equal(ct_count(&t, DO_CAS), 0);
	assert_int_equal(ct_count(&t, DO_ASK), 0);
	t.probe = true;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* A full disk is said as such, and it alone takes no candidate away. */
static void
test_full_disk(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.pg.full = true;
	ct_run(&t, 2 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_clear(&t);
	t.probe = false;
	ct_run(&t, 3 * SEC + 200 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_string_equal(ct_status(&t).waits_for, "disk-full");
	assert_string_equal(ct_last(&t, DO_TELL)->text, "disk-full");
	assert_int_equal(ct_status(&t).rec.candidates, BIT_B);
	t.pg.full = false;
	ct_run(&t, SEC);
	assert_string_equal(ct_status(&t).waits_for, "write-probe");
	t.probe = true;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(ct_status(&t).rec.epoch, 5);
	ct_free(&t);
}

/* P: what is confirmed, and what may yet be applied. */
static void
test_possible(void **state)
{
	struct ct t;

	ct_init(&t, A, true);
	ct_holder(&t, BIT_B);
	assert_int_equal(ct_status(&t).possible, BIT_B);
	ct_restart(&t, t.now.raw + CT_T);
	t.read_ok = false;
	ct_turn(&t);
	assert_int_equal(ct_status(&t).possible, BIT_B | BIT_C);
	ct_free(&t);
	/* An element without end proves that nobody was ever added. */
	ct_init(&t, A, true);
	ct_record(&t, REC_HELD, A, 0);
	ct_start(&t, NULL, USEC_NEVER);
	ct_primary(&t, 0, 110);
	ct_view(&t);
	ct_turn(&t);
	assert_int_equal(ct_status(&t).possible, 0);
	ct_free(&t);
}

/* A removal whose outcome is not known removes nobody. */
static void
test_possible_unknown(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.cas = CT_CAS_NO_REPLY;
	t.read_ok = false;
	t.pg.sender[B].streaming = false;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).possible, BIT_B);
	assert_int_equal(t.pg.sync_names, BIT_B);
	t.read_ok = true;
	t.cas = CT_CAS_OK;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).possible, 0);
	ct_free(&t);
}

/* Before an add leaves, D and the element have an end within T. */
static void
test_finite_before_add(void **state)
{
	usec_t element = 0;
	struct ct t;
	int i;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	assert_true(ct_status(&t).element == USEC_NEVER);
	ct_streams(&t, B, 200);
	ct_run(&t, 3 * SEC);
	for (i = 0; i < t.n; i++) {
		if (t.out[i].kind == DO_FENCE)
			element = t.out[i].deadline;
		if (t.out[i].kind == DO_CAS && t.out[i].cas.rec.candidates != 0)
			break;
	}
	assert_true(i < t.n);
	assert_true(element != 0 && element < USEC_NEVER);
	ct_free(&t);
}

static void
test_add_waits_for_element(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	ct_streams(&t, B, 200);
	t.fence = ANS_UNKNOWN;
	ct_run(&t, 3 * SEC);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_CAS)
			assert_int_equal(t.out[i].cas.rec.candidates, 0);
	ct_free(&t);
}

/* The first write of an incarnation raises seq; renewals do not. */
static void
test_seq(void **state)
{
	uint64_t seq;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	seq = t.reg.value.rec.seq;
	ct_run(&t, 2 * SEC);
	assert_int_equal(t.reg.value.rec.seq, seq);
	ct_restart(&t, t.now.raw + CT_T);
	ct_view(&t);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.seq, seq + 1);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_own_write),
		cmocka_unit_test(test_own_write_seen),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answers_need_own_write),
		cmocka_unit_test(test_survives_register),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_failing_probe),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_possible_unknown),
		cmocka_unit_test(test_finite_before_add),
		cmocka_unit_test(test_add_waits_for_element),
		cmocka_unit_test(test_seq),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
