/*
 * Where a standby's WAL comes from: from the holder, and by a held record
 * alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

/* B, a standby of A, and the record that says who holds. */
static struct record *
follower(struct ct *t, enum rec_state state, node_t holder)
{
	struct record *rec;

	ct_init(t, B, true);
	rec = ct_record(t, state, holder, 0);
	ct_start(t, NULL, 0);
	ct_standby(t, 120);
	ct_view(t);
	return rec;
}

static int
asked(const struct ct *t)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_ACT && t->out[i].act == ACT_FOLLOW;
	return n;
}

static void
test_follows(void **state)
{
	struct ct t;

	follower(&t, REC_HELD, C);
	t.act[ACT_FOLLOW] = ANS_UNKNOWN;
	ct_run(&t, 10 * SEC);
	assert_int_equal(asked(&t), 1);
	assert_int_equal(ct_last_act(&t, ACT_FOLLOW)->goal.node, C);
	assert_int_equal(ct_status(&t).follow, C);
	ct_act(&t, ACT_FOLLOW, ANS_YES);
	ct_run(&t, 20 * SEC);
	assert_int_equal(asked(&t), 1);
	assert_int_equal(ct_status(&t).follow, NODE_NONE);
	ct_free(&t);
}

/* Told in that time, while the holder asks each second, or does not. */
static int
told_alone(struct ct *t, int seconds, bool asks)
{
	int i, n = 0;

	while (seconds-- > 0) {
		ct_clear(t);
		if (asks)
			(void)ct_ask(t, A, 5, CT_T, false, 10);
		ct_run(t, SEC);
		for (i = 0; i < t->n; i++)
			n += t->out[i].kind == DO_TELL &&
			     t->out[i].tell == EMIT_standby_alone;
	}
	return n;
}

/* It receives nothing, while the holder is heard of: said once, until it
 * does. Of a holder that is silent that is nothing new. */
static void
test_alone(void **state)
{
	struct ct t;

	follower(&t, REC_HELD, A);
	t.pg.source = BIT_A;
	t.pg.receiver = false;
	assert_int_equal(told_alone(&t, 60, false), 0);
	assert_int_equal(told_alone(&t, 25, true), 0);
	assert_int_equal(told_alone(&t, 60, true), 1);
	t.pg.receiver = true;
	assert_int_equal(told_alone(&t, 40, true), 0);
	t.pg.receiver = false;
	assert_int_equal(told_alone(&t, 40, true), 1);
	ct_free(&t);
}

/* No conninfo, one that names no node, one that names two. */
static void
test_follows_from(void **state)
{
	static const nodeset_t sources[] = { 0, BIT_B, BIT_A | BIT_C };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		follower(&t, REC_HELD, A);
		t.pg.source = sources[i];
		t.pg.receiver = false;
		ct_run(&t, SEC);
		assert_int_equal(t.pg.source, BIT_A);
		ct_free(&t);
	}
	follower(&t, REC_HELD, A);
	ct_run(&t, 10 * SEC);
	assert_int_equal(asked(&t), 0);
	ct_free(&t);
}

/* By a name that is none of ours, and it streams: that may be the holder. It is
 * not, when nothing comes in any more. */
static void
test_unknown_but_streams(void **state)
{
	struct ct t;

	follower(&t, REC_HELD, A);
	t.pg.source = 0;
	t.pg.receiver = true;
	ct_run(&t, 30 * SEC);
	assert_int_equal(asked(&t), 0);
	t.pg.receiver = false;
	ct_run(&t, SEC);
	assert_int_equal(asked(&t), 1);
	ct_free(&t);
}

/* Each of these leaves it where it is. */
static void
not_claimed(struct ct *t)
{
	t->reg.value.rec.state = REC_CLAIMED;
}

static void
not_released(struct ct *t)
{
	t->reg.value.rec.state = REC_RELEASED;
}

static void
not_observe(struct ct *t)
{
	t->conf.mode = CORE_OBSERVE;
	ct_restart(t, 0);
	ct_view(t);
}

static void
not_latched(struct ct *t)
{
	t->disk.latch = true;
	ct_restart(t, 0);
	t->pg.running = ANS_NO;
	t->pg.signal = true;
	ct_view(t);
}

static void
not_running(struct ct *t)
{
	t->pg.running = ANS_NO;
	t->act[ACT_START] = ANS_UNKNOWN;
}

static void
not_cold(struct ct *t)
{
	t->reg.value.cold = true;
}

/* Somebody knows of a later epoch: this record is not the last one. */
static void
not_last(struct ct *t)
{
	t->read_ok = false;
	ct_ask(t, A, 9, CT_T, false, 20);
}

static void
test_follows_not(void **state)
{
	static void (*const spoil[])(struct ct *) = { not_claimed, not_released,
		not_observe, not_latched, not_running, not_cold, not_last };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		follower(&t, REC_HELD, C);
		t.pg.source = BIT_C;
		ct_view(&t);
		ct_turn(&t);
		spoil[i](&t);
		ct_run(&t, 500 * MSEC);
		t.pg.source = BIT_A;
		ct_view(&t);
		ct_run(&t, CT_T);
		if (asked(&t) != 0)
			fail_msg("pointed elsewhere, case %zu", i);
		ct_free(&t);
	}
}

/* Refused: later again, and less and less often. */
static void
test_follows_again(void **state)
{
	struct ct t;

	follower(&t, REC_HELD, C);
	t.act[ACT_FOLLOW] = ANS_NO;
	ct_run(&t, 4 * SEC);
	assert_int_equal(asked(&t), 1);
	assert_string_equal(ct_status(&t).follow_why, "refused");
	ct_run(&t, 2 * SEC);
	assert_int_equal(asked(&t), 2);
	ct_run(&t, 8 * SEC);
	assert_int_equal(asked(&t), 2);
	ct_run(&t, 4 * SEC);
	assert_int_equal(asked(&t), 3);
	/* Another holder is another matter. */
	t.reg.value.rec.epoch = 6;
	t.reg.value.rec.seq++;
	t.reg.value.rec.holder = A;
	t.reg.value.revision++;
	t.pg.source = BIT_C;
	t.act[ACT_FOLLOW] = ANS_YES;
	ct_run(&t, 500 * MSEC);
	assert_int_equal(t.pg.source, BIT_A);
	ct_free(&t);
}

/* What was begun for one holder ends when the record moves on. */
static void
test_follows_stops(void **state)
{
	struct ct t;

	follower(&t, REC_HELD, C);
	t.act[ACT_FOLLOW] = ANS_UNKNOWN;
	ct_run(&t, SEC);
	ct_clear(&t);
	t.reg.value.rec.epoch = 6;
	t.reg.value.rec.seq++;
	t.reg.value.rec.state = REC_CLAIMED;
	t.reg.value.revision++;
	ct_run(&t, 500 * MSEC);
	assert_non_null(ct_last(&t, DO_ACT_CANCEL));
	assert_int_equal(ct_last(&t, DO_ACT_CANCEL)->act, ACT_FOLLOW);
	assert_int_equal(asked(&t), 0);
	ct_free(&t);
}

/* Another holds: repmgr is told whom this one follows, once; not of what was so
 * when the engine started. */
static void
test_registers(void **state)
{
	struct ct t;

	follower(&t, REC_HELD, A);
	t.pg.source = BIT_A;
	ct_run(&t, 2 * SEC);
	assert_null(ct_last_act(&t, ACT_METADATA));
	t.reg.value.rec.epoch = 6;
	t.reg.value.rec.holder = C;
	t.reg.value.revision++;
	strcpy(t.reg.value.rec.nonce, "n11");
	t.pg.source = BIT_C;
	ct_run(&t, 2 * SEC);
	assert_non_null(ct_last_act(&t, ACT_METADATA));
	assert_int_equal(ct_last_act(&t, ACT_METADATA)->goal.node, C);
	assert_true(ct_last_act(&t, ACT_METADATA)->goal.standby);
	ct_clear(&t);
	ct_run(&t, 10 * SEC);
	assert_null(ct_last_act(&t, ACT_METADATA));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_follows_from),
		cmocka_unit_test(test_unknown_but_streams),
		cmocka_unit_test(test_follows_not),
		cmocka_unit_test(test_follows_again),
		cmocka_unit_test(test_follows_stops),
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
