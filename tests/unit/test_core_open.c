/*
 * Opening the fence: each condition alone, an element that an earlier engine
 * left, and a fence that cannot be closed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

/* Opening. All holds but one thing. */
static void
not_armed(struct ct *t)
{
	t->armed = ANS_UNKNOWN;
}

static void
claimed_only(struct ct *t)
{
	t->act[ACT_NAMES] = ANS_UNKNOWN;
	t->reg.value.rec.state = REC_CLAIMED;
}

static void
no_write(struct ct *t)
{
	t->cas = CT_CAS_LOST;
}

static void
no_probe(struct ct *t)
{
	t->probe = false;
}

static void
short_wal(struct ct *t)
{
	t->reg.value.rec.lsn = 1000;
}

static void
names_missing(struct ct *t)
{
	t->pg.recovery = ANS_UNKNOWN;
}

static void
latch(struct ct *t)
{
	t->disk.latch = true;
	t->act[ACT_STOP] = ANS_UNKNOWN;
}

static void
no_disk(struct ct *t)
{
	t->disk_ok = false;
}

static const struct {
	const char *what;
	void (*spoil)(struct ct *);
	bool late;
} shut[] = {
	{ "nothing", NULL, false },
	{ "armed", not_armed, true },
	{ "held", claimed_only, false },
	{ "own write", no_write, false },
	{ "probe", no_probe, false },
	{ "own WAL", short_wal, false },
	{ "PostgreSQL seen", names_missing, false },
	{ "latch", latch, false },
	{ "disk", no_disk, false },
};

static void
test_open(void **state)
{
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(shut) / sizeof(shut[0]); i++) {
		ct_init(&t, A, false);
		ct_record(&t, REC_HELD, A, 0);
		ct_primary(&t, 0, 110);
		if (shut[i].spoil != NULL && !shut[i].late)
			shut[i].spoil(&t);
		ct_start(&t, &t.disk, 0);
		if (shut[i].late)
			shut[i].spoil(&t);
		/* The hold-off, and a probe that is late. */
		ct_run(&t, CT_W - 100 * MSEC);
		assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
		ct_run(&t, 3 * SEC);
		if ((ct_status(&t).writers == WRITERS_OPEN) !=
		    (shut[i].spoil == NULL))
			fail_msg(
			    "%s: open %d", shut[i].what, ct_status(&t).writers);
		ct_free(&t);
	}
}

/* What it promised another holds it back, too. */
static void
test_open_after_promise(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	assert_true(ct_ask(&t, A, 5, CT_T, false, 10)->yes);
	ct_record(&t, REC_HELD, B, 0)->epoch = 6;
	t.reg.value.revision = 12;
	ct_primary(&t, 0, 130);
	ct_view(&t);
	ct_run(&t, CT_W - 40 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_run(&t, 100 * MSEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* An upgrade of the engine is silent while the element lives. */
static void
test_inherited(void **state)
{
	struct ct t;
	int i;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_restart(&t, t.now.raw + CT_T);
	ct_run(&t, 3 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_FENCE)
			assert_int_equal(t.out[i].op, FENCE_OP_RENEW);
	ct_free(&t);
}

/* Alone, with an element without an end: the register that comes back cold with
 * all it had takes down no more than its silence did, though an upgrade came in
 * between. A higher epoch in it does. */
static void
test_inherited_cold(void **state)
{
	struct arbiter_origin o = { .found = true, .same_file = true };
	struct ct t;
	int higher;

	for (higher = 0; higher < 2; higher++) {
		ct_init(&t, A, false);
		ct_holder(&t, 0);
		ct_run(&t, 2 * SEC);
		t.yes = t.tells = 0;
		o.wall = t.reg.written_at + 3600 * SEC;
		t.reg.value.rec.epoch += (unsigned)higher;
		assert_true(arbiter_start(&t.reg, &o, "Ix", "Iy", 60 * SEC));
		ct_restart(&t, USEC_NEVER);
		ct_view(&t);
		ct_run(&t, 60 * SEC);
		assert_true(t.reg.value.cold);
		assert_int_equal(ct_status(&t).writers,
		    higher ? WRITERS_CLOSED : WRITERS_OPEN);
		ct_free(&t);
	}
}

/* A fence that cannot be closed is made up for by stopping PostgreSQL. */
static void
test_fence_broken(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.cas = CT_CAS_LOST;
	t.fence = ANS_UNKNOWN;
	core_on_fence_lost(t.c, &t.now, false, SEC);
	ct_run(&t, 20 * SEC);
	assert_non_null(ct_last_act(&t, ACT_STOP));
	ct_free(&t);
}

/* What could not be closed is closed soon, with nothing else to do, too. */
static void
test_fence_again(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.fence = ANS_UNKNOWN;
	core_on_fence_lost(t.c, &t.now, false, SEC);
	ct_turn(&t);
	assert_int_equal(ct_status(&t).writers, WRITERS_UNKNOWN);
	assert_true(core_turn(t.c, &t.now) <= t.now.raw + 20 * MSEC);
	ct_free(&t);
}

/* The same, where the record that says what it had was written by itself, and
 * the answer was lost. */
static void
test_set_back_unknown(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.pg.wal_end = 500;
	t.cas = CT_CAS_NO_REPLY;
	t.read_ok = false;
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 500);
	assert_true(ct_status(&t).rec.lsn < 490);
	t.act[ACT_START] = ANS_UNKNOWN;
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	ct_run(&t, CT_W);
	assert_non_null(ct_last_act(&t, ACT_START));
	t.pg.wal_end = 490;
	ct_act(&t, ACT_START, ANS_YES);
	ct_turn(&t);
	t.pg.wal_end = 600;
	ct_run(&t, SEC);
	assert_true(t.disk.latch);
	ct_free(&t);
}

/* Started again with an old copy of its data: what it writes itself carries it
 * past what the record demands, and opens nothing. */
static void
test_set_back(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.pg.wal_end = 500;
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.lsn, 500);
	t.act[ACT_START] = ANS_UNKNOWN;
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	ct_run(&t, CT_W);
	assert_non_null(ct_last_act(&t, ACT_START));
	t.pg.wal_end = 490;
	ct_act(&t, ACT_START, ANS_YES);
	ct_turn(&t);
	t.pg.wal_end = 600;
	ct_run(&t, 20 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_true(t.disk.latch);
	assert_int_equal(t.pg.running, ANS_NO);
	ct_free(&t);
	/* As it was: a restart like any other. */
	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.pg.wal_end = 500;
	ct_run(&t, SEC);
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_view(&t);
	ct_run(&t, CT_W + 2 * SEC);
	assert_false(t.disk.latch);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* Where it ended is seen before the record can be read. */
static void
test_set_back_unread(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_record(&t, REC_HELD, A, 0)->lsn = 500;
	ct_start(&t, NULL, 0);
	ct_primary(&t, 0, 490);
	t.read_ok = false;
	ct_view(&t);
	ct_run(&t, SEC);
	t.pg.wal_end = 600;
	ct_run(&t, SEC);
	t.read_ok = true;
	ct_run(&t, CT_W + 2 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_after_promise),
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_inherited_cold),
		cmocka_unit_test(test_fence_broken),
		cmocka_unit_test(test_fence_again),
		cmocka_unit_test(test_set_back),
		cmocka_unit_test(test_set_back_unknown),
		cmocka_unit_test(test_set_back_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
