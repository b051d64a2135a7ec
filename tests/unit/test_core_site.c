/*
 * The host around its PostgreSQL: when it is brought to its role, when the
 * balancers are asserted, and who is out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

static int
asked_at(const struct ct *t, int i, enum act_kind kind)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == kind)
			break;
	return i;
}

static int
asked(const struct ct *t, enum act_kind kind)
{
	int i, n = 0;

	for (i = asked_at(t, 0, kind); i < t->n; i = asked_at(t, i + 1, kind))
		n++;
	return n;
}

static int
cancelled(const struct ct *t, enum act_kind kind)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_ACT_CANCEL && t->out[i].act == kind;
	return n;
}

static void
all_on(struct ct *t, node_t self)
{
	ct_init(t, self, false);
	t->conf.before = t->conf.after = t->conf.verify = true;
	t->conf.traffic = true;
	/* Brought to its role at some time before. */
	t->disk.site_epoch = 5;
}

/* Time passes, and that node says each half second how it is. */
static void
run_heard(struct ct *t, usec_t us, node_t n, uint64_t epoch, bool serving)
{
	struct site_report r = { .site_epoch = epoch, .serving = serving };
	usec_t end = t->now.raw + us;

	while (t->now.raw < end) {
		core_on_site(t->c, &t->now, n, &r);
		ct_run(t, SEC / 2);
	}
}

/* As ct_holder and ct_candidate, with what is on disk. */
static void
holder(struct ct *t, nodeset_t candidates)
{
	ct_record(t, REC_HELD, t->conf.self, candidates);
	ct_start(t, &t->disk, 0);
	ct_primary(t, candidates, 110);
	ct_streams(t, 1 - t->conf.self, 110);
	ct_view(t);
	ct_read(t);
	ct_run(t, CT_W + 500 * MSEC);
	assert_int_equal(ct_status(t).writers, WRITERS_OPEN);
}

static void
candidate(struct ct *t)
{
	ct_record(t, REC_HELD, A, NODE_BIT(t->conf.self));
	ct_start(t, &t->disk, 0);
	ct_standby(t, 120);
	t->read_ok = false;
	ct_run(t, CT_W + 500 * MSEC);
	t->read_ok = true;
	ct_view(t);
	ct_read(t);
	ct_turn(t);
	ct_clear(t);
}

/* The other's, in that epoch and state; this node may not take it. */
static void
record_moves(struct ct *t, uint64_t epoch, enum rec_state state)
{
	ct_record(t, state, 1 - t->conf.self, 0)->epoch = epoch;
	t->reg.value.revision = 1000 * epoch + state;
	ct_read(t);
}

static void
test_whole_takeover(void **state)
{
	int promote, converge, traffic, commit, site;
	struct ct t;

	all_on(&t, B);
	candidate(&t);
	run_heard(&t, CT_W + 6 * SEC, A, 5, true);
	promote = asked_at(&t, 0, ACT_PROMOTE);
	converge = asked_at(&t, 0, ACT_CONVERGE);
	traffic = asked_at(&t, 0, ACT_TRAFFIC);
	commit = asked_at(&t, 0, ACT_VERIFY);
	site = asked_at(&t, 0, ACT_SITE);
	assert_true(asked_at(&t, 0, ACT_PULLERS) < promote);
	assert_true(promote < converge && converge < traffic);
	assert_true(traffic < commit && commit < site && site < t.n);
	assert_int_equal(t.out[converge].goal.node, B);
	assert_int_equal(t.out[converge].goal.epoch, 6);
	assert_int_equal(t.out[traffic].goal.names, BIT_A);
	assert_int_equal(asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(t.disk.site_epoch, 6);
	assert_null(ct_status(&t).plan);
	ct_free(&t);
}

/* The way through the site may take its time to work: the standby is added
 * meanwhile, and the end of a row takes nothing of that away. */
static void
test_standby_added_meanwhile(void **state)
{
	struct ct t;

	all_on(&t, B);
	t.act[ACT_CONVERGE] = t.act[ACT_SITE] = ANS_UNKNOWN;
	candidate(&t);
	ct_run(&t, CT_W + SEC);
	assert_string_equal(ct_status(&t).row, "arrive");
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, A, 200);
	ct_run(&t, 3 * SEC);
	assert_int_equal(asked(&t, ACT_WAITING), 1);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	ct_run(&t, SEC);
	assert_string_equal(ct_status(&t).row, "verify");
	assert_int_equal(cancelled(&t, ACT_WAITING), 0);
	ct_act(&t, ACT_WAITING, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_A);
	ct_run(&t, 149 * SEC);
	assert_null(ct_status(&t).plan);
	ct_free(&t);
}

/* Without anything in the configuration nothing is asked. */
static void
test_nothing_configured(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	t.disk.site_epoch = 5;
	candidate(&t);
	ct_run(&t, CT_W + 6 * SEC);
	assert_true(asked(&t, ACT_PROMOTE) > 0);
	assert_int_equal(asked(&t, ACT_PULLERS), 0);
	assert_int_equal(asked(&t, ACT_CONVERGE), 0);
	assert_int_equal(asked(&t, ACT_TRAFFIC), 0);
	assert_int_equal(asked(&t, ACT_SITE), 0);
	assert_int_equal(t.disk.site_epoch, 6);
	assert_null(ct_status(&t).plan);
	ct_free(&t);
}

/* What pulls from the old primary does not stop: no promotion, the record
 * goes back, and this node is an innocent standby. */
static void
test_pullers_late(void **state)
{
	struct ct t;

	all_on(&t, B);
	t.act[ACT_PULLERS] = ANS_UNKNOWN;
	candidate(&t);
	ct_run(&t, CT_W + 9 * SEC);
	assert_int_equal(t.reg.value.rec.state, REC_CLAIMED);
	ct_run(&t, 3 * SEC);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(asked(&t, ACT_PROMOTE), 0);
	assert_int_equal(cancelled(&t, ACT_PULLERS), 1);
	assert_int_equal(t.disk.primary_epoch, 0);
	ct_free(&t);
}

/* A no ends it at once, and is not asked again and again; a person's order
 * does not wait. */
static void
test_pullers_refused(void **state)
{
	uint64_t epoch;
	struct ct t;
	int i, count = 0;

	all_on(&t, B);
	t.act[ACT_PULLERS] = ANS_NO;
	candidate(&t);
	ct_run(&t, CT_W + SEC);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	ct_clear(&t);
	for (i = 0; i < 600; i++) {
		ct_run(&t, SEC);
		count += asked(&t, ACT_PULLERS);
		ct_clear(&t);
	}
	assert_true(count >= 5 && count <= 15);
	assert_int_equal(t.disk.primary_epoch, 0);
	while (ct_status(&t).rec.state != REC_RELEASED)
		ct_run(&t, SEC);
	t.act[ACT_PULLERS] = ANS_YES;
	epoch = t.reg.value.rec.epoch;
	ct_run(&t, CT_W);
	assert_null(core_order_promote(t.c, &t.now, NULL));
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.epoch, epoch + 1);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	ct_free(&t);
}

/* Only what is held is somebody's; the answer is on disk when it was yes. */
static void
test_standby(void **state)
{
	struct ct t;

	all_on(&t, B);
	candidate(&t);
	record_moves(&t, 6, REC_CLAIMED);
	ct_run(&t, SEC);
	record_moves(&t, 6, REC_RELEASED);
	ct_run(&t, SEC);
	assert_int_equal(asked(&t, ACT_CONVERGE), 0);
	assert_int_equal(ct_status(&t).site.role, SITE_UNKNOWN);
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	record_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, A);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.epoch, 7);
	assert_int_equal(ct_status(&t).site.role, SITE_STANDBY);
	assert_int_equal(ct_status(&t).site.primary, A);
	assert_true(ct_status(&t).site.converging);
	assert_int_equal(t.disk.site_epoch, 5);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.disk.site_epoch, 7);
	ct_restart(&t, 0);
	record_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(asked(&t, ACT_CONVERGE), 0);
	ct_free(&t);
}

/* The record moves on: what runs is replaced, and its late word is nothing. */
static void
test_epoch_moves(void **state)
{
	struct action old;
	struct ct t;

	all_on(&t, B);
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	candidate(&t);
	record_moves(&t, 6, REC_HELD);
	ct_run(&t, SEC);
	old = *ct_last_act(&t, ACT_CONVERGE);
	record_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(asked(&t, ACT_CONVERGE), 2);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.epoch, 7);
	core_on_act(t.c, &t.now, ACT_CONVERGE, &old.goal, ANS_YES, "");
	ct_run(&t, SEC);
	assert_int_equal(t.disk.site_epoch, 5);
	ct_act(&t, ACT_CONVERGE, ANS_YES);
	ct_run(&t, SEC);
	assert_int_equal(t.disk.site_epoch, 7);
	ct_free(&t);
}

/* A no is asked again after a minute, at once in another epoch. */
static void
test_refused(void **state)
{
	struct ct t;

	all_on(&t, B);
	t.act[ACT_CONVERGE] = ANS_NO;
	candidate(&t);
	record_moves(&t, 6, REC_HELD);
	run_heard(&t, 50 * SEC, A, 6, true);
	assert_int_equal(asked(&t, ACT_CONVERGE), 1);
	assert_string_equal(ct_status(&t).site.converge_why, "refused");
	run_heard(&t, 12 * SEC, A, 6, true);
	assert_int_equal(asked(&t, ACT_CONVERGE), 2);
	t.act[ACT_CONVERGE] = ANS_YES;
	record_moves(&t, 7, REC_HELD);
	ct_run(&t, SEC);
	assert_int_equal(asked(&t, ACT_CONVERGE), 3);
	assert_int_equal(t.disk.site_epoch, 7);
	assert_string_equal(ct_status(&t).site.converge_why, "");
	ct_free(&t);
}

/* The first start takes what it finds, and so does one that only observes,
 * which later changes nothing. */
static void
test_first_start(void **state)
{
	struct ct t;
	int observe;

	for (observe = 0; observe < 2; observe++) {
		all_on(&t, B);
		t.disk.site_epoch = 0;
		t.conf.mode = observe ? CORE_OBSERVE : CORE_AUTO;
		candidate(&t);
		ct_run(&t, SEC);
		assert_int_equal(asked(&t, ACT_CONVERGE), 0);
		assert_int_equal(t.disk.site_epoch, 5);
		record_moves(&t, 6, REC_HELD);
		ct_run(&t, 10 * SEC);
		assert_int_equal(asked(&t, ACT_CONVERGE), !observe);
		assert_int_equal(asked(&t, ACT_TRAFFIC), 0);
		ct_free(&t);
	}
}

/* A latched host may serve voters, as the other's standby. */
static void
test_latched(void **state)
{
	struct ct t;

	all_on(&t, A);
	holder(&t, BIT_B);
	ct_clear(&t);
	record_moves(&t, 6, REC_HELD);
	ct_run(&t, SEC);
	assert_true(t.disk.latch);
	assert_int_equal(asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, B);
	assert_int_equal(t.disk.site_epoch, 6);
	ct_free(&t);
}

/* An engine that ended between the opening and the end goes on, once clients
 * can write. */
static void
test_holder_restarts(void **state)
{
	struct ct t;

	all_on(&t, A);
	t.disk.site_epoch = 4;
	t.act[ACT_CONVERGE] = ANS_UNKNOWN;
	ct_record(&t, REC_HELD, A, 0);
	ct_start(&t, &t.disk, 0);
	ct_primary(&t, 0, 110);
	ct_view(&t);
	ct_read(&t);
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_CLOSED);
	assert_int_equal(asked(&t, ACT_CONVERGE), 0);
	ct_run(&t, CT_W);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(asked(&t, ACT_CONVERGE), 1);
	assert_int_equal(ct_last_act(&t, ACT_CONVERGE)->goal.node, A);
	ct_free(&t);
}

/* Asserted often for three minutes, then each minute. */
static void
test_traffic_rhythm(void **state)
{
	struct ct t;
	int n;

	all_on(&t, A);
	holder(&t, BIT_B);
	ct_clear(&t);
	run_heard(&t, 170 * SEC, B, 5, true);
	n = asked(&t, ACT_TRAFFIC);
	assert_true(n >= 30 && n <= 36);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	run_heard(&t, 30 * SEC, B, 5, true);
	ct_clear(&t);
	run_heard(&t, 180 * SEC, B, 5, true);
	n = asked(&t, ACT_TRAFFIC);
	assert_true(n >= 2 && n <= 4);
	ct_free(&t);
}

/* Who is silent, not yet brought to its role, or not well, is out. */
static void
test_out(void **state)
{
	struct ct t;

	all_on(&t, A);
	holder(&t, BIT_B);
	run_heard(&t, 10 * SEC, B, 5, true);
	assert_int_equal(ct_status(&t).site.out, 0);
	run_heard(&t, SEC, B, 5, false);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, BIT_B);
	run_heard(&t, SEC, B, 5, true);
	assert_int_equal(ct_status(&t).site.out, 0);
	run_heard(&t, SEC, B, 4, true);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	run_heard(&t, SEC, B, 5, true);
	assert_int_equal(ct_status(&t).site.out, 0);
	ct_run(&t, CT_T + 500 * MSEC);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	ct_free(&t);
}

/* A holder whose engine has just begun to listen drains nobody, and readies
 * nobody who may be dead. */
static void
test_hold_off(void **state)
{
	struct ct t;

	all_on(&t, A);
	holder(&t, BIT_B);
	run_heard(&t, 10 * SEC, B, 5, true);
	ct_restart(&t, t.now.raw + CT_T - 100 * MSEC);
	ct_run(&t, 4 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(asked(&t, ACT_TRAFFIC), 0);
	run_heard(&t, 500 * MSEC, B, 5, true);
	assert_int_equal(asked(&t, ACT_TRAFFIC), 1);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	/* Stopped for longer than the others may be silent. */
	ct_clear(&t);
	t.now.raw += 30 * SEC;
	ct_run(&t, 4 * SEC);
	assert_int_equal(ct_status(&t).site.out, 0);
	ct_run(&t, 2 * SEC);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	ct_free(&t);
}

/* An outside action begins, and goes on, only while D is ahead. */
static void
test_traffic_within_lease(void **state)
{
	struct ct t;

	all_on(&t, A);
	holder(&t, BIT_B);
	t.act[ACT_TRAFFIC] = ANS_UNKNOWN;
	run_heard(&t, 10 * SEC, B, 5, true);
	assert_true(ct_status(&t).site.steering);
	ct_clear(&t);
	t.cas = CT_CAS_LOST;
	t.yes = 0;
	t.read_ok = false;
	run_heard(&t, CT_T + 100 * MSEC, B, 5, true);
	assert_true(cancelled(&t, ACT_TRAFFIC) >= 1);
	ct_clear(&t);
	run_heard(&t, 20 * SEC, B, 5, true);
	assert_int_equal(asked(&t, ACT_TRAFFIC), 0);
	ct_free(&t);
}

/* A balancer that does not answer is not asked without end. */
static void
test_traffic_bounded(void **state)
{
	struct ct t;

	all_on(&t, A);
	holder(&t, BIT_B);
	run_heard(&t, 200 * SEC, B, 5, true);
	t.act[ACT_TRAFFIC] = ANS_UNKNOWN;
	run_heard(&t, 61 * SEC, B, 5, true);
	ct_clear(&t);
	run_heard(&t, 30 * SEC, B, 5, true);
	assert_false(ct_status(&t).site.steering);
	ct_free(&t);
}

/* A balancer of its own follows the record on every node. */
static void
test_traffic_of_every(void **state)
{
	struct ct t;

	all_on(&t, B);
	t.conf.traffic_every = true;
	candidate(&t);
	record_moves(&t, 6, REC_HELD);
	run_heard(&t, 30 * SEC, A, 6, true);
	assert_int_equal(asked(&t, ACT_TRAFFIC), 1);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.node, A);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	record_moves(&t, 7, REC_CLAIMED);
	ct_run(&t, SEC);
	assert_int_equal(asked(&t, ACT_TRAFFIC), 1);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_takeover),
		cmocka_unit_test(test_standby_added_meanwhile),
		cmocka_unit_test(test_nothing_configured),
		cmocka_unit_test(test_pullers_late),
		cmocka_unit_test(test_pullers_refused),
		cmocka_unit_test(test_standby),
		cmocka_unit_test(test_epoch_moves),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_first_start),
		cmocka_unit_test(test_latched),
		cmocka_unit_test(test_holder_restarts),
		cmocka_unit_test(test_traffic_rhythm),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_hold_off),
		cmocka_unit_test(test_traffic_within_lease),
		cmocka_unit_test(test_traffic_bounded),
		cmocka_unit_test(test_traffic_of_every),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
