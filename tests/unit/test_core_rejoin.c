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

static int
asked(const struct ct *t, enum act_kind kind)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_ACT && t->out[i].act == kind;
	return n;
}

/* What copies took the place of may go. */
static int
rejoined(const struct ct *t)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_REJOINED;
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
	ct_renewed(&t, 10 * SEC);
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
	ct_renewed(&t, 5 * SEC);
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
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(asked(&t, ACT_SAVE), 1);
	t.disk_ok = false;
	ct_act(&t, ACT_SAVE, ANS_YES);
	ct_renewed(&t, 4 * SEC);
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
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.reg.value.rec.paused_until = t.now.wall + 3600 * SEC;
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch && t.disk.diverged);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	t.reg.value.rec.paused_until = 0;
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 1);
	ct_free(&t);

	fenced(&t);
	ct_renewed(&t, 20 * SEC);
	assert_true(t.disk.latch && t.disk.fenced && !t.disk.diverged);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	/* It is not good data any more: that person sees to it, or this. */
	assert_non_null(core_order_unfence(t.c, &t.now));
	streams(&t);
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 1);
	assert_false(t.disk.latch || t.disk.fenced);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_CLAIMED);
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.reg.value.rec.candidates = BIT_B;
	ct_renewed(&t, 20 * SEC);
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
	ct_renewed(&t, 20 * SEC);
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
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	t.pg.signal = false;
	ct_clear(&t);
	ct_restart(&t, 0);
	t.act[ACT_REWIND] = ANS_YES;
	streams(&t);
	ct_run(&t, 2 * SEC);
	assert_int_equal(asked(&t, ACT_START), 0);
	assert_int_equal(asked(&t, ACT_SIGNAL), 0);
	ct_renewed(&t, 10 * SEC);
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
	ct_renewed(&t, 5 * SEC);
	t.reg.value.rec.holder = C;
	t.reg.value.rec.epoch = 6;
	ct_clear(&t);
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_REWIND), 0);
	assert_int_equal(asked(&t, ACT_START), 0);
	assert_string_equal(ct_status(&t).waits_for, "rejoin-stuck");
	/* A person allows it. */
	assert_null(core_order_rejoin(t.c, &t.now, true));
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	ct_renewed(&t, 10 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	assert_int_equal(t.disk.rejoin, REJOIN_HALF);
	assert_int_equal(t.disk.rejoin_from, NODE_NONE);
	ct_free(&t);
}

/* Not in the midst of it; but what stops it may be what is to be changed. */
static void
test_reload(void **state)
{
	struct core_conf conf;
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_REWIND] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_string_equal(ct_status(&t).plan, "rejoin");
	conf = t.conf;
	conf.rejoin = CORE_REJOIN_CLONE;
	assert_non_null(strstr(core_tune(t.c, &conf), "a plan runs"));
	t.reg.value.rec.holder = C;
	t.reg.value.rec.epoch = 6;
	ct_clear(&t);
	ct_renewed(&t, 20 * SEC);
	assert_string_equal(ct_status(&t).waits_for, "rejoin-stuck");
	assert_int_equal(asked(&t, ACT_CLONE), 0);
	assert_null(core_tune(t.c, &conf));
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	ct_free(&t);
}

/* What only a copy can help is copied where that is allowed. */
static void
test_clones(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.fork = FORK_CLONE;
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 0);
	assert_true(t.disk.latch);
	ct_free(&t);

	replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	streams(&t);
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_SAVE), 0);
	assert_int_equal(asked(&t, ACT_REWIND), 0);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	assert_int_equal(rejoined(&t), 1);
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
	ct_renewed(&t, 2 * SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	ct_renewed(&t, 10 * SEC);
	assert_false(t.disk.latch);
	no = core_order_rejoin(t.c, &t.now, false);
	assert_non_null(strstr(no, "nothing to rejoin\nhactl "));
	ct_free(&t);

	replaced(&t, CORE_REJOIN_NONE, REC_CLAIMED);
	ct_renewed(&t, SEC);
	assert_string_equal(
	    core_order_rejoin(t.c, &t.now, false), "nobody-holds");
	ct_free(&t);
}

/* Of a person's fence: by whom and why, and what comes first; unless another
 * has taken over since. */
static void
test_fenced_is_refused(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	t.reg.value.rec.candidates = 0;
	assert_null(core_order_fence(
	    t.c, &t.now, "fenced by amy: new\ndisks, \"twice\""));
	ct_renewed(&t, 2 * SEC);
	assert_string_equal(core_order_rejoin(t.c, &t.now, false),
	    "this host was fenced by amy: new disks, \"twice\": nothing is "
	    "rewritten, or started, before that is taken back\n"
	    "hactl unfence");
	assert_string_equal(core_order_promote(t.c, &t.now, NULL),
	    "this node is fenced by a person's word\nhactl unfence");
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	assert_true(t.disk.latch && t.disk.fenced);
	ct_free(&t);

	fenced(&t);
	ct_renewed(&t, SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	ct_free(&t);
}

/* A standby that follows nobody, whatever the reason. */
static void
lost(struct ct *t, usec_t us)
{
	ct_init(t, B, false);
	t->conf.rejoin = CORE_REJOIN_REWIND;
	t->fork = FORK_NONE;
	ct_candidate(t);
	t->reg.value.rec.candidates = 0;
	t->pg.receiver = false;
	ct_renewed(t, us);
}

/* It is its primary's data: that is known, also to the next engine, until it
 * is seen out of recovery. */
static void
test_follower(void **state)
{
	struct ct t;

	lost(&t, 2 * SEC);
	assert_false(t.disk.follower);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	t.act[ACT_COMPARE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_true(t.disk.follower);
	assert_true(ct_last_act(&t, ACT_COMPARE)->goal.standby);
	/* Its own recovery, and no other, is apart. */
	assert_true(ct_last_act(&t, ACT_START)->goal.aside);
	ct_restart(&t, 0);
	ct_renewed(&t, 10 * SEC);
	assert_true(ct_last_act(&t, ACT_COMPARE)->goal.standby);
	streams(&t);
	t.act[ACT_COMPARE] = ANS_YES;
	ct_act(&t, ACT_COMPARE, ANS_YES);
	ct_renewed(&t, 10 * SEC);
	assert_false(ct_last_act(&t, ACT_START)->goal.aside);
	assert_false(t.disk.latch || t.disk.follower);
	ct_free(&t);

	lost(&t, 2 * SEC);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	t.act[ACT_COMPARE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	t.pg.running = ANS_YES;
	t.pg.recovery = ANS_NO;
	ct_renewed(&t, SEC);
	assert_false(t.disk.follower);
	ct_free(&t);
}

/* A person who orders a copy gets one: nothing is asked of what is there, which
 * may not even start. Not of a candidate's, on which commits count. */
static void
test_clone_ordered(void **state)
{
	const char *no;
	struct ct t;

	lost(&t, 2 * SEC);
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	assert_null(core_order_rejoin(t.c, &t.now, true));
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	assert_int_equal(asked(&t, ACT_ASIDE), 0);
	assert_int_equal(asked(&t, ACT_START), 0);
	assert_int_equal(asked(&t, ACT_COMPARE), 0);
	assert_int_equal(asked(&t, ACT_REWIND), 0);
	streams(&t);
	ct_act(&t, ACT_CLONE, ANS_YES);
	ct_renewed(&t, 5 * SEC);
	assert_false(t.disk.latch);
	/* It is well: only a copy can be asked for, and not of a candidate. */
	assert_non_null(strstr(core_order_rejoin(t.c, &t.now, false),
	    "this standby receives from the primary"));
	t.reg.value.rec.candidates = BIT_B;
	ct_renewed(&t, SEC);
	no = core_order_rejoin(t.c, &t.now, true);
	assert_string_equal(no, "a standby already, and a candidate: there is "
				"nothing to rejoin\nhactl status");
	t.reg.value.rec.candidates = 0;
	ct_renewed(&t, SEC);
	assert_null(core_order_rejoin(t.c, &t.now, true));
	ct_free(&t);
}

/* What people are told of it: the step, and why. */
static void
test_came_to_nothing(void **state)
{
	struct core_status st;
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.fork = FORK_CLONE;
	ct_renewed(&t, 10 * SEC);
	st = ct_status(&t);
	assert_string_equal(st.over_plan, "rejoin");
	assert_string_equal(st.over_row, "compare");
	assert_string_equal(st.over_why, "no-hints");
	assert_false(st.over_late);
	assert_true(st.stuck);
	assert_null(core_order_rejoin(t.c, &t.now, true));
	ct_renewed(&t, 34 * SEC);
	st = ct_status(&t);
	assert_string_equal(st.over_row, "streams");
	assert_true(st.over_late);
	assert_string_equal(st.over_why, "");
	ct_free(&t);
}

/* What is set aside runs for a moment after the engine that had it so: it is
 * stopped before anybody may take it for a standby. */
static void
test_aside_is_not_unfenced(void **state)
{
	struct durable d;
	struct ct t;

	replaced(&t, CORE_REJOIN_NONE, REC_HELD);
	d = t.disk;
	d.latch = true;
	d.rejoin = REJOIN_ASIDE;
	ct_free(&t);
	ct_init(&t, B, true);
	t.disk = d;
	ct_start(&t, &d, 0);
	ct_standby(&t, 120);
	ct_view(&t);
	assert_non_null(strstr(
	    core_order_unfence(t.c, &t.now), "PostgreSQL still runs here"));
	ct_run(&t, SEC);
	assert_null(core_order_unfence(t.c, &t.now));
	ct_free(&t);
}

/* Until it streams nothing is cleared; and then it is looked at anew. */
static void
test_never_streams(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.pg.receiver = false;
	ct_renewed(&t, 34 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(asked(&t, ACT_REWIND), 1);
	ct_renewed(&t, 40 * SEC);
	assert_true(t.disk.latch);
	assert_true(asked(&t, ACT_COMPARE) > 1);
	ct_free(&t);
}

/* Of two lone hosts, this one has a copy of the register, and one thread writes
 * that and what is saved: while a log is copied that takes eight seconds, no
 * renewal is confirmed, or seen here. It is copied once, all the same. */
static void
test_save_behind_the_register(void **state)
{
	usec_t busy = 0, end;
	bool on = false;
	int seen = 0;
	struct ct t;

	replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.act[ACT_SAVE] = ANS_UNKNOWN;
	streams(&t);
	for (end = t.now.raw + 120 * SEC; t.now.raw < end;) {
		if (t.now.raw >= busy)
			ct_renewed(&t, CT_T / 5);
		else
			ct_run(&t, CT_T / 5);
		for (; seen < t.n; seen++) {
			if (t.out[seen].kind == DO_ACT &&
			    t.out[seen].act == ACT_SAVE) {
				busy = t.now.raw + 8 * SEC;
				on = true;
			} else if (t.out[seen].kind == DO_ACT_CANCEL &&
				   t.out[seen].act == ACT_SAVE)
				on = false;
		}
		if (on && t.now.raw >= busy) {
			on = false;
			ct_act(&t, ACT_SAVE, ANS_YES);
		}
	}
	assert_int_equal(asked(&t, ACT_SAVE), 1);
	assert_int_equal(asked(&t, ACT_REWIND), 1);
	assert_false(t.disk.latch);
	ct_free(&t);
}

/* A copy that does not stream is not copied anew for ever: each copy takes the
 * place of what was there, and two of these are kept. */
static void
test_copy_never_streams(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	t.pg.receiver = false;
	ct_renewed(&t, 300 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(asked(&t, ACT_CLONE), 2);
	assert_int_equal(rejoined(&t), 0);
	assert_string_equal(ct_status(&t).waits_for, "copies-fail");
	/* A person tries what is there, first. */
	ct_clear(&t);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 0);
	assert_true(asked(&t, ACT_START) > 0);
	streams(&t);
	ct_renewed(&t, 60 * SEC);
	assert_false(t.disk.latch);
	assert_int_equal(asked(&t, ACT_CLONE), 0);
	assert_int_equal(rejoined(&t), 1);
	ct_free(&t);
}

/* Nor one that does not even start; of another holder there may be a better
 * one. */
static void
test_copy_never_starts(void **state)
{
	struct ct t;

	replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	ct_renewed(&t, SEC);
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 1);
	t.act[ACT_START] = ANS_NO;
	t.act[ACT_CLONE] = ANS_YES;
	ct_act(&t, ACT_CLONE, ANS_YES);
	ct_renewed(&t, 300 * SEC);
	assert_int_equal(asked(&t, ACT_CLONE), 2);
	assert_string_equal(ct_status(&t).waits_for, "copies-fail");
	assert_true(t.disk.latch);
	/* Now and then the last one is tried, and no other made. */
	ct_clear(&t);
	ct_renewed(&t, 300 * SEC);
	assert_true(asked(&t, ACT_START) > 0);
	assert_int_equal(asked(&t, ACT_CLONE), 0);
	t.act[ACT_START] = ANS_YES;
	streams(&t);
	t.reg.value.rec.epoch = 6;
	ct_renewed(&t, 60 * SEC);
	assert_false(t.disk.latch);
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
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_clones),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_fenced_is_refused),
		cmocka_unit_test(test_follower),
		cmocka_unit_test(test_clone_ordered),
		cmocka_unit_test(test_came_to_nothing),
		cmocka_unit_test(test_aside_is_not_unfenced),
		cmocka_unit_test(test_never_streams),
		cmocka_unit_test(test_copy_never_streams),
		cmocka_unit_test(test_copy_never_starts),
		cmocka_unit_test(test_save_behind_the_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
