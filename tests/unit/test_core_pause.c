/*
 * A pause of failover, and a host that a person fences: what the record says,
 * what commits wait for, what survives a restart, and how each of them ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

#define MINUTE (60 * SEC)

static const char *
order(struct ct *t, usec_t length)
{
	const char *no = core_order_pause(
	    t->c, &t->now, t->now.wall + length, "new disks", "amy (uid 0)");

	ct_turn(t);
	return no;
}

static int
told(const struct ct *t, enum event_name name)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_TELL && t->out[i].tell == name;
	return n;
}

static const char *
text(const struct ct *t, enum event_name name)
{
	const char *text = "";
	int i;

	for (i = 0; i < t->n; i++)
		if (t->out[i].kind == DO_TELL && t->out[i].tell == name)
			text = t->out[i].text;
	return text;
}

/* A holder with B, paused for ten minutes. */
static void
paused(struct ct *t)
{
	ct_init(t, A, false);
	ct_holder(t, BIT_B);
	assert_null(order(t, 10 * MINUTE));
	ct_run(t, SEC);
}

/* Nobody is listed in the write that says so, and only then commits go on. */
static void
test_paused(void **state)
{
	struct core_status st;
	struct ct t;

	paused(&t);
	assert_true(ct_cas_at(&t, 0, 0) < ct_names_at(&t, 0, 0));
	assert_true(ct_names_at(&t, 0, 0) < t.n);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_string_equal(t.reg.value.rec.paused_why, "new disks");
	assert_string_equal(t.reg.value.rec.paused_by, "amy (uid 0)");
	st = ct_status(&t);
	assert_true(st.paused_written && st.possible == 0);
	assert_true(st.paused_until == t.reg.value.rec.paused_until);
	assert_true(st.deadline == USEC_NEVER);
	assert_int_equal(told(&t, EMIT_failover_paused), 1);
	assert_string_equal(text(&t, EMIT_failover_paused),
	    "for 10 min, by amy (uid 0): new disks");
	/* B streams on, and yet it is not added. */
	ct_clear(&t);
	ct_run(&t, 30 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.pg.sync_names, 0);
	assert_int_equal(told(&t, EMIT_failover_paused), 0);
	/* Another order takes its place. */
	assert_null(order(&t, 20 * MINUTE));
	ct_run(&t, SEC);
	assert_true(t.reg.value.rec.paused_until > t.now.wall + 19 * MINUTE);
	ct_free(&t);
}

/* Not while it is being written; later, whatever changes, it goes on. */
static void
test_reload(void **state)
{
	struct core_conf conf;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	conf = t.conf;
	conf.mode = CORE_MANUAL;
	assert_null(core_order_pause(
	    t.c, &t.now, t.now.wall + 10 * MINUTE, "work", "amy"));
	assert_non_null(core_tune(t.c, &conf));
	ct_run(&t, SEC);
	assert_null(core_tune(t.c, &conf));
	ct_run(&t, 5 * SEC);
	conf.mode = CORE_AUTO;
	assert_null(core_tune(t.c, &conf));
	ct_run(&t, 30 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_true(ct_status(&t).paused_written);
	ct_free(&t);
}

/* Each standby is looked at as one that is new: its name is set, a commit is
 * seen waiting, it has flushed all, then it is listed. */
static void
test_resumed(void **state)
{
	struct ct t;
	int at;

	paused(&t);
	ct_clear(&t);
	assert_null(core_order_resume(t.c, &t.now));
	ct_run(&t, 10 * SEC);
	assert_true(t.reg.value.rec.paused_until == 0);
	assert_string_equal(t.reg.value.rec.paused_why, "");
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(told(&t, EMIT_failover_resumed), 1);
	assert_string_equal(
	    text(&t, EMIT_failover_resumed), "before its time, by an order");
	at = ct_cas_at(&t, 0, BIT_B);
	assert_true(at < t.n && ct_names_at(&t, 0, BIT_B) < at);
	assert_non_null(ct_last_act(&t, ACT_WAITING));
	assert_true(ct_status(&t).paused_until == 0);
	ct_free(&t);
}

/* One that lacks something is not listed again, however it was before. */
static void
test_resumed_without_a_standby(void **state)
{
	struct ct t;

	paused(&t);
	t.pg.sender[B].flush = 50;
	t.pg.wal_end = 200;
	assert_null(core_order_resume(t.c, &t.now));
	ct_run(&t, 20 * SEC);
	assert_true(t.reg.value.rec.paused_until == 0);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	ct_free(&t);
}

static void
test_ends_by_itself(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	assert_null(order(&t, 20 * SEC));
	ct_run(&t, 19 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	ct_run(&t, 10 * SEC);
	assert_true(t.reg.value.rec.paused_until == 0);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(told(&t, EMIT_failover_resumed), 1);
	assert_string_equal(
	    text(&t, EMIT_failover_resumed), "its time is over");
	ct_free(&t);
}

/* The record carries it over a restart of the engine; the element without a
 * timeout keeps writers in meanwhile. */
static void
test_engine_restarts(void **state)
{
	struct ct t;

	paused(&t);
	ct_restart(&t, USEC_NEVER);
	ct_primary(&t, 0, 120);
	ct_streams(&t, B, 120);
	ct_read(&t);
	ct_run(&t, 10 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_true(ct_status(&t).paused_written);
	assert_true(ct_status(&t).deadline == USEC_NEVER);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_null(core_order_resume(t.c, &t.now));
	ct_run(&t, 10 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_free(&t);
}

/* The primary's server dies: nobody is there to take over, so it starts again
 * where it is. */
static void
test_restarts_in_place(void **state)
{
	struct ct t;

	paused(&t);
	ct_clear(&t);
	core_on_pg_gone(t.c, &t.now);
	t.pg.running = ANS_NO;
	t.pg.recovery = ANS_UNKNOWN;
	ct_view(&t);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_non_null(ct_last_act(&t, ACT_START));
	assert_false(ct_last_act(&t, ACT_START)->goal.standby);
	ct_free(&t);
}

/* Without the register the standby leaves by its own word; what was ordered is
 * written when there is one again. */
static void
test_register_down(void **state)
{
	const struct action *ask;
	struct ct t;
	int i;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	t.cas = CT_CAS_LOST;
	t.read_ok = false;
	assert_null(order(&t, 10 * MINUTE));
	ct_run(&t, 2 * SEC);
	for (ask = NULL, i = 0; i < t.n; i++)
		if (t.out[i].kind == DO_ASK && t.out[i].ask.abdicate)
			ask = &t.out[i];
	assert_non_null(ask);
	assert_int_equal(ask->node, B);
	assert_true(ct_status(&t).paused_until != 0);
	assert_false(ct_status(&t).paused_written);
	t.cas = CT_CAS_OK;
	t.read_ok = true;
	ct_run(&t, 3 * SEC);
	assert_true(ct_status(&t).paused_written);
	ct_free(&t);
}

static void
test_refused(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	assert_string_equal(core_order_resume(t.c, &t.now),
	    "failover is not paused\nhactl status");
	t.reg.value.older = true;
	t.revision_seen = 0;
	ct_run(&t, SEC);
	assert_non_null(
	    strstr(order(&t, MINUTE), "upgrade the arbiter first\nhactl"));
	assert_true(ct_status(&t).paused_until == 0);
	t.reg.value.older = false;
	t.revision_seen = 0;
	ct_run(&t, SEC);
	assert_null(core_order_switchover(t.c, &t.now, B));
	assert_non_null(strstr(order(&t, MINUTE), "a plan runs"));
	ct_free(&t);
	paused(&t);
	assert_non_null(strstr(core_order_switchover(t.c, &t.now, B),
	    "failover is paused: nobody may take over\nhactl resume"));
	ct_free(&t);
	ct_init(&t, A, false);
	t.conf.mode = CORE_MANUAL;
	ct_holder(&t, 0);
	assert_non_null(strstr(order(&t, MINUTE), "the mode is not auto"));
	ct_free(&t);
	ct_init(&t, B, false);
	ct_candidate(&t);
	assert_non_null(strstr(order(&t, MINUTE), "only the holder"));
	assert_non_null(
	    strstr(core_order_resume(t.c, &t.now), "only the holder"));
	/* What it reads of a pause it says, and keeps to. */
	t.reg.value.rec.candidates = 0;
	t.reg.value.rec.paused_until = t.now.wall + MINUTE;
	t.reg.value.rec.seq++;
	t.reg.value.revision++;
	strcpy(t.reg.value.rec.nonce, "paused");
	ct_run(&t, 2 * CT_W);
	assert_string_equal(ct_status(&t).claim_block, "paused");
	assert_int_equal(told(&t, EMIT_failover_paused), 1);
	assert_null(ct_claim(&t));
	ct_free(&t);
}

static const char *
fence(struct ct *t)
{
	const char *no =
	    core_order_fence(t->c, &t->now, "fenced by amy: new disks");

	ct_turn(t);
	return no;
}

/* As the holder it stops, and gives the record away. */
static void
test_fence_holder(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	assert_null(fence(&t));
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	ct_run(&t, SEC);
	assert_non_null(ct_last_act(&t, ACT_STOP));
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_true(t.disk.latch && t.disk.fenced);
	assert_string_equal(t.disk.latch_why, "fenced by amy: new disks");
	assert_non_null(strstr(fence(&t), "latched already"));
	/* Nobody claimed; it does not, either. */
	ct_clear(&t);
	ct_run(&t, 3 * CT_W);
	assert_null(ct_last_act(&t, ACT_START));
	assert_null(ct_claim(&t));
	/* Unfenced as it is, it takes back what it released. */
	assert_null(core_order_unfence(t.c, &t.now));
	ct_run(&t, 3 * CT_W);
	assert_non_null(ct_last_act(&t, ACT_START));
	assert_false(t.disk.latch || t.disk.fenced);
	ct_free(&t);
}

/* Without the register it cannot release; what it had is remembered at once,
 * since the data may become another before it can. */
static void
test_fence_remembers(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.cas = CT_CAS_LOST;
	t.pg.wal_end = 500;
	ct_run(&t, SEC);
	assert_null(fence(&t));
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.disk.told, 500);
	assert_int_equal(t.disk.told_epoch, 5);
	ct_free(&t);
}

/* Another took over meanwhile: a person has to know, and says so twice. */
static void
test_unfence_after_a_takeover(void **state)
{
	struct record *rec;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	assert_null(fence(&t));
	ct_run(&t, SEC);
	rec = &t.reg.value.rec;
	rec->epoch++;
	rec->holder = B;
	rec->state = REC_HELD;
	rec->candidates = 0;
	strcpy(rec->nonce, "b");
	t.reg.value.revision++;
	ct_run(&t, SEC);
	assert_non_null(strstr(core_order_unfence(t.c, &t.now),
	    "may have diverged; it is made a standby's by\nhactl rejoin"));
	ct_run(&t, SEC);
	assert_true(t.disk.latch && !t.disk.fenced);
	assert_non_null(strstr(t.disk.latch_why, "has taken over since"));
	ct_clear(&t);
	ct_run(&t, SEC);
	assert_null(ct_last_act(&t, ACT_START));
	assert_null(core_order_unfence(t.c, &t.now));
	ct_run(&t, SEC);
	assert_false(t.disk.latch);
	ct_free(&t);
}

/* A standby stops, a restarted engine keeps it so, and it comes back. */
static void
test_fence_standby(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	assert_null(fence(&t));
	ct_run(&t, SEC);
	assert_non_null(ct_last_act(&t, ACT_STOP));
	assert_int_equal(t.reg.value.rec.holder, A);
	ct_restart(&t, 0);
	t.pg.running = ANS_NO;
	t.pg.signal = true;
	ct_view(&t);
	ct_read(&t);
	ct_clear(&t);
	ct_run(&t, 3 * CT_W);
	assert_null(ct_last_act(&t, ACT_START));
	assert_null(ct_claim(&t));
	assert_string_equal(ct_status(&t).claim_block, "latched");
	assert_null(core_order_unfence(t.c, &t.now));
	ct_run(&t, SEC);
	assert_non_null(ct_last_act(&t, ACT_START));
	assert_true(ct_last_act(&t, ACT_START)->goal.standby);
	ct_free(&t);
}

static void
test_fence_refused(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	t.conf.mode = CORE_OBSERVE;
	ct_candidate(&t);
	assert_non_null(strstr(fence(&t), "the mode is observe"));
	assert_false(t.disk.latch);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_resumed_without_a_standby),
		cmocka_unit_test(test_ends_by_itself),
		cmocka_unit_test(test_engine_restarts),
		cmocka_unit_test(test_restarts_in_place),
		cmocka_unit_test(test_register_down),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fence_holder),
		cmocka_unit_test(test_fence_remembers),
		cmocka_unit_test(test_unfence_after_a_takeover),
		cmocka_unit_test(test_fence_standby),
		cmocka_unit_test(test_fence_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
