/*
 * The tables: every cell of the node table has a duty, every plan can come to
 * its end, nothing is abandoned past the point of no return.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_i.h"
#include "coretest.h"

static void
test_rows(void **state)
{
	const struct plan_row *rows;
	int id, i, k, count;

	for (id = PLAN_NONE + 1; id < PLAN_COUNT; id++) {
		rows = plan_rows((enum plan_id)id, &count);
		assert_true(count > 0);
		assert_true(plan_name[id][0] != '\0');
		for (i = 0; i < count; i++) {
			assert_non_null(rows[i].ask);
			assert_non_null(rows[i].act);
			assert_true(rows[i].limit > 0);
			assert_true(strlen(rows[i].goal) > 0);
			assert_true(strlen(rows[i].why) > 0);
			assert_int_equal(
			    plan_find((enum plan_id)id, rows[i].name), i);
			for (k = 0; k < i; k++)
				assert_string_not_equal(
				    rows[k].name, rows[i].name);
			/* Past it there is no way back. */
			if (i > 0 && rows[i - 1].forward)
				assert_true(rows[i].forward);
			if (rows[i].forward)
				assert_true(rows[i].late != LATE_ABANDON &&
					    rows[i].late != LATE_BACK);
			else
				assert_int_not_equal(rows[i].late, LATE_AGAIN);
		}
	}
	assert_int_equal(plan_find(PLAN_TAKEOVER, "no such row"), -1);
}

/* The order on which the safety of a takeover rests. */
static void
test_takeover_order(void **state)
{
	static const char *const order[] = { "claim", "prove", "wal", "readers",
		"names", "pullers", "mark", "promote", "held", "relax",
		"settle", "open", "converge", "traffic", "commit", "arrive",
		"verify", "announce" };
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_true(plan_find(PLAN_TAKEOVER, order[i]) >= 0);
		if (i > 0)
			assert_true(plan_find(PLAN_TAKEOVER, order[i - 1]) <
				    plan_find(PLAN_TAKEOVER, order[i]));
	}
	assert_true(plan_find(PLAN_RESTART, "alone") <
		    plan_find(PLAN_RESTART, "start"));
	assert_true(plan_find(PLAN_STEPDOWN, "stopped") <
		    plan_find(PLAN_STEPDOWN, "release"));
}

static void
test_promote_is_forward(void **state)
{
	const struct plan_row *rows;
	int count, at = plan_find(PLAN_TAKEOVER, "promote");

	rows = plan_rows(PLAN_TAKEOVER, &count);
	assert_true(rows[at].forward);
	assert_false(rows[at - 1].forward);
	assert_non_null(rows[at].may);
}

static void
test_docs(void **state)
{
	const struct duty_doc *cells;
	const struct plan_doc *rows;
	size_t n, i, sum = 0;
	int id, count;

	n = core_plan_doc(&rows);
	for (id = PLAN_NONE + 1; id < PLAN_COUNT; id++) {
		plan_rows((enum plan_id)id, &count);
		sum += (size_t)count;
	}
	assert_int_equal(n, sum);
	n = core_duty_doc(&cells);
	assert_int_equal(n, REL_COUNT * PGS_COUNT);
	for (i = 0; i < n; i++) {
		assert_true(strlen(cells[i].duty) > 0);
		assert_true(strlen(cells[i].why) > 0);
		/* Clients write in one cell only. */
		if (strcmp(cells[i].duty, "serve") == 0) {
			assert_string_equal(cells[i].rel, "held");
			assert_string_equal(cells[i].pg, "primary");
		}
	}
}

/* Promoted by a claim, and then a person raised the record's epoch: no proof
 * is about that one. It goes back, and is taken again. */
static void
test_adopted_claim(void **state)
{
	struct durable disk = { .proof = PROOF_LEASE,
		.proof_epoch = 5,
		.primary_epoch = 5,
		.instance = "I0",
		.epoch = 5 };
	struct record *rec;
	struct ct t;

	ct_init(&t, B, false);
	rec = ct_record(&t, REC_CLAIMED, B, 0);
	rec->epoch = 6;
	ct_start(&t, &disk, 0);
	ct_primary(&t, 0, 120);
	t.pg.timeline = 2;
	ct_view(&t);
	ct_run(&t, 3 * CT_W);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(t.reg.value.rec.epoch, 7);
	assert_int_equal(t.disk.proof_epoch, 7);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* A server that was started and ended before it was seen is started again, long
 * before the time is over that a start may take. */
static void
test_start_that_ends(void **state)
{
	struct goal first;
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.act[ACT_STOP] = ANS_YES;
	t.act[ACT_START] = ANS_UNKNOWN;
	t.pg.running = ANS_NO;
	core_on_pg_gone(t.c, &t.now);
	ct_run(&t, 500 * MSEC);
	assert_non_null(ct_last_act(&t, ACT_START));
	first = ct_last_act(&t, ACT_START)->goal;
	core_on_act(t.c, &t.now, ACT_START, &first, ANS_YES, "");
	ct_run(&t, 2 * SEC);
	assert_int_not_equal(ct_last_act(&t, ACT_START)->goal.id, first.id);
	ct_free(&t);
}

/* The table is gone and does not come back: a server that an heir may follow
 * is stopped, in the midst of a plan, too. */
static void
test_fence_lost_in_a_plan(void **state)
{
	struct ct t;
	bool plan;

	for (plan = false;; plan = true) {
		ct_init(&t, A, false);
		ct_holder(&t, BIT_B);
		ct_run(&t, SEC);
		t.act[ACT_CHECKPOINT] = t.act[ACT_STOP] = ANS_UNKNOWN;
		ct_clear(&t);
		if (plan)
			assert_null(core_order_switchover(t.c, &t.now, B));
		ct_run(&t, 500 * MSEC);
		if (plan)
			assert_string_equal(ct_status(&t).row, "checkpoint");
		t.fence = ANS_UNKNOWN;
		core_on_fence_lost(t.c, &t.now, false, 60 * MSEC);
		ct_run(&t, 500 * MSEC);
		assert_null(ct_last_act(&t, ACT_STOP));
		ct_run(&t, 3 * SEC);
		assert_non_null(ct_last_act(&t, ACT_STOP));
		ct_free(&t);
		if (plan)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_takeover_order),
		cmocka_unit_test(test_promote_is_forward),
		cmocka_unit_test(test_docs),
		cmocka_unit_test(test_adopted_claim),
		cmocka_unit_test(test_start_that_ends),
		cmocka_unit_test(test_fence_lost_in_a_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
