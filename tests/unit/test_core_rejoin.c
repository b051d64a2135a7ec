/*
 * When data that diverged may be made the primary's, and what a crash in the
 * midst of it leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

/* B, once the primary of epoch 3, and a record of epoch 5. */
static void
replaced(struct ct *t, enum core_rejoin rejoin, enum rec_state state)
{
	struct durable d = { .primary_epoch = 3 };

	ct_init(t, B, true);
	t->conf.rejoin = rejoin;
	t->fork = FORK_REWIND;
	ct_record(t, state, A, 0);
	strcpy(d.instance, "I0");
	d.epoch = 4;
	t->disk = d;
	ct_start(t, &d, 0);
	t->pg.running = ANS_NO;
	t->pg.signal = true;
	t->pg.timeline = 1;
	t->pg.system_id = CT_SYSTEM;
	ct_view(t);
}

/* The same, and a person had fenced it before another took over. */
static void
fenced(struct ct *t)
{
	struct durable d;

	replaced(t, CORE_REJOIN_REWIND, REC_HELD);
	d = t->disk;
	d.latch = d.fenced = true;
	ct_free(t);
	t->disk = d;
	ct_start(t, &d, 0);
	ct_view(t);
}

/* The holder lives: it renews its record five times in T. */
static void
renewed(struct ct *t, usec_t us)
{
	static unsigned n;
	usec_t end = t->now.raw + us;

	for (; t->now.raw < end; ct_run(t, CT_T / 5)) {
		t->reg.value.revision++;
		snprintf(t->reg.value.rec.nonce, sizeof(t->reg.value.rec.nonce),
		    "r%u", ++n);
	}
}

static int
asked(const struct ct *t, enum act_kind kind)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_ACT && t->out[i].act == kind;
	return n;
}

/* What runs streams from A, past where its record is. */
static void
streams(struct ct *t)
{
	t->pg.receiver = true;
	t->pg.source = BIT_A;
	t->pg.wal_end = 150;
}

static void
test_rewinds(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	streams(&t);
	renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 1);
	assert_int_equal(asked(&t, ACT_COMPARE), 1);
	assert_int_equal(asked(&t, ACT_SAVE), 1);
	assert_int_equal(asked(&t, ACT_REWIND), 1);
	assert_int_equal(ct_last_act(&t, ACT_REWIND)->goal.node, A);
	assert_int_equal(ct_last_act(&t, ACT_REWIND)->goal.fork, FORK_REWIND);
	assert_false(t.disk.latch);
	assert_int_equal(t.disk.rejoin, REJOIN_NO);
	assert_int_equal(t.disk.primary_epoch, 0);
	assert_int_equal(t.pg.recovery, ANS_YES);
	ct_free(&t);
}

/* It is on disk before, and after; nothing is asked for in between. */
static void
test_marks(void **state)
{
	struct ct t;
	int i, rewind = -1;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	renewed(&t, 5 * SEC);
	for (i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_ACT && t.out[i].act == ACT_REWIND)
			rewind = i;
	assert_true(rewind > 0);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	assert_int_equal(t.disk.rejoin_from, A);
	assert_int_equal(t.disk.rejoin_epoch, 5);
	assert_true(t.disk.latch);
	/* Nor is it another's to clear the latch meanwhile. */
	assert_non_null(strstr(core_order_unfence(t.c, &t.now),
	    "this data is being made the primary's"));
	assert_true(t.disk.latch);
	ct_free(&t);
}

static void
test_waits_for_the_disk(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_SAVE] = ANS_UNKNOWN;
	renewed(&t, 5 * SEC);
	assert_int_equal(asked(&t, ACT_SAVE), 1);
	t.disk_ok = false;
	ct_act(&t, ACT_SAVE, ANS_YES);
	renewed(&t, 4 * SEC);
	assert_int_equal(asked(&t, ACT_REWIND), 0);
	ct_free(&t);
}

/* Not by itself, not in a pause, not what a person fenced, not under a claim,
 * not what the record still lists, not by a record that nobody renews, nor one
 * that cannot be read. */
static void
test_leaves_it(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_NONE, REC_HELD);
	renewed(&t, 20 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.reg.value.rec.paused_until = t.now.wall + 3600 * SEC;
	renewed(&t, 20 * SEC);
	assert_true(t.disk.latch && t.disk.diverged);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	t.reg.value.rec.paused_until = 0;
	renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 1);
	ct_free(&t);

	fenced(&t);
	renewed(&t, 20 * SEC);
	assert_true(t.disk.latch && t.disk.fenced && !t.disk.diverged);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	/* It is not good data any more: that person sees to it, or this. */
	assert_non_null(core_order_unfence(t.c, &t.now));
	streams(&t);
	renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 1);
	assert_false(t.disk.latch || t.disk.fenced);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_CLAIMED);
	renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.reg.value.rec.candidates = BIT_B;
	renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	assert_string_equal(ct_status(&t).waits_for, "still-candidate");
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	ct_run(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	ct_run(&t, SEC / 2);
	t.read_ok = false;
	renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	ct_free(&t);
}

/* Half rewritten: never started, and gone on with from the same holder. */
static void
test_goes_on(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	renewed(&t, 5 * SEC);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	t.pg.signal = false;
	ct_clear(&t);
	ct_restart(&t, 0);
	t.act[ACT_REWIND] = ANS_YES;
	streams(&t);
	ct_run(&t, 2 * SEC);
	assert_int_equal(asked(&t, ACT_START), 0);
	assert_int_equal(asked(&t, ACT_SIGNAL), 0);
	renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_COMPARE), 0);
	assert_int_equal(asked(&t, ACT_SAVE), 0);
	assert_int_equal(asked(&t, ACT_REWIND), 1);
	assert_int_equal(asked(&t, ACT_START), 1);
	assert_false(t.disk.latch);
	ct_free(&t);
}

/* Of another holder it is no half of anything. */
static void
test_another_holder(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	renewed(&t, 5 * SEC);
	t.reg.value.rec.holder = C;
	t.reg.value.rec.epoch = 6;
	ct_clear(&t);
	renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_REWIND), 0);
	assert_int_equal(asked(&t, ACT_START), 0);
	assert_string_equal(ct_status(&t).waits_for, "rejoin-stuck");
	/* A person allows it. */
	assert_null(core_order_rejoin(t.c, &t.now, true));
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	assert_int_equal(t.disk.rejoin_from, NODE_NONE);
	ct_free(&t);
}

/* What only a copy can help is copied where that is allowed. */
static void
test_clones(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.fork = FORK_CLONE;
	renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 0);
	assert_true(t.disk.latch);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	streams(&t);
	renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_SAVE), 0);
	assert_int_equal(asked(&t, ACT_REWIND), 0);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	assert_false(t.disk.latch);
	ct_free(&t);
}

/* By a person, whatever the configuration says; and refused, with the next
 * command. */
static void
test_order(void **state)
{
	struct ct t;
	const char *no;

	replaced(&t, CORE_REJOIN_NONE, REC_HELD);
	streams(&t);
	renewed(&t, 2 * SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	renewed(&t, 10 * SEC);
	assert_false(t.disk.latch);
	no = core_order_rejoin(t.c, &t.now, false);
	assert_non_null(strstr(no, "nothing to rejoin\nhactl "));
	ct_free(&t);

	replaced(&t, CORE_REJOIN_NONE, REC_CLAIMED);
	renewed(&t, SEC);
	assert_string_equal(
	    core_order_rejoin(t.c, &t.now, false), "nobody-holds");
	ct_free(&t);
}

/* Until it streams nothing is cleared; and then it is looked at anew. */
static void
test_never_streams(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.pg.receiver = false;
	renewed(&t, 34 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(asked(&t, ACT_REWIND), 1);
	renewed(&t, 40 * SEC);
	assert_true(t.disk.latch);
	assert_true(asked(&t, ACT_COMPARE) > 1);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewinds),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_waits_for_the_disk),
		cmocka_unit_test(test_leaves_it),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_another_holder),
		cmocka_unit_test(test_clones),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_never_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
