/*
 * The order to bring this host to its role: refused, followed step by step, and
 * ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "orderstest.h"

static void
test_drift_is_refused(void **state)
{
	ot.items = 1;
	ot.item[0] = (struct converge_state){
		.name = "db", .holds = ANS_NO, .reason = "another line"
	};
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	ot_refused(1, "not known where the primary is", "hactl status");
	ot_read(REC_HELD);
	ot.conf.mode = MODE_OBSERVE;
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	ot_refused(1, "nothing is ever changed", "restart hawatchd");
	ot.conf.mode = MODE_AUTO;
	assert_int_equal(ot.runs, 0);
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_int_equal(ot.runs, 1);
	assert_false(ot.final);
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	ot_refused(1, "already", "hactl drift");
	assert_int_equal(ot.runs, 1);
	ot.items = 0;
}

static bool
told(const char *step, const char *goal)
{
	const char *text;
	int i;

	for (i = 0; i < ot.n; i++) {
		text = json_string_value(json_object_get(ot.lines[i], "step"));
		if (text == NULL || strcmp(text, step) != 0)
			continue;
		text = json_string_value(json_object_get(ot.lines[i], "goal"));
		if (strcmp(text, goal) == 0)
			return true;
	}
	return false;
}

static void
test_drift_is_shown(void **state)
{
	int i, before;

	ot_read(REC_HELD);
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_string_equal(
	    json_string_value(json_object_get(ot_last(), "done")),
	    "the configuration has no items for this host");
	ot.items = 2;
	ot.item[0] = (struct converge_state){
		.name = "db", .holds = ANS_NO, .reason = ""
	};
	ot.item[1] = (struct converge_state){
		.name = "app", .holds = ANS_YES, .reason = ""
	};
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	ot.doing = "db";
	orders_turn(&ot.eng, &ot.at);
	assert_true(told("db", "begun"));
	ot.item[0].changed_at = ot.at.raw;
	ot.item[0].holds = ANS_YES;
	ot.doing = "app";
	orders_turn(&ot.eng, &ot.at);
	assert_true(told("db", "done"));
	/* It held already. */
	assert_false(told("app", "begun"));
	assert_false(ot.final);
	ot.run(ot.run_arg, ANS_YES, "");
	orders_turn(&ot.eng, &ot.at);
	assert_string_equal(
	    json_string_value(json_object_get(ot_last(), "done")),
	    "this host is as its role demands");
	/* What could not be brought about is said. */
	ot.item[0].holds = ANS_NO;
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	ot.doing = "db";
	orders_turn(&ot.eng, &ot.at);
	before = ot.n;
	ot.item[0].reason = "no-socket";
	ot.item[0].seen_at = clock_now().raw + USEC_SEC;
	for (i = 0; i < 4; i++) {
		ot.doing = i % 2 == 0 ? NULL : "db";
		orders_turn(&ot.eng, &ot.at);
	}
	assert_true(told("db", "failed, is tried again: no-socket"));
	assert_int_equal(ot.n, before + 1);
	ot.item[0].seen_at = 0;
	ot.run(ot.run_arg, ANS_YES, "");
	orders_turn(&ot.eng, &ot.at);
	assert_true(told("db", "gave up: no-socket"));
	ot_refused(4, "1 item could not be brought about", "hactl drift");
	/* A change of role comes between. */
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_false(ot.final);
	ot_overtaken();
	orders_turn(&ot.eng, &ot.at);
	ot_refused(4, "a change of role", "hactl status");
	ot.run(ot.run_arg, ANS_YES, ""); /* nobody waits for it */
	/* It takes for ever. */
	ot_ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_false(ot.final);
	ot.at.raw += 300 * USEC_SEC;
	orders_turn(&ot.eng, &ot.at);
	ot_refused(4, "not finished, and not given up", "hactl drift");
	ot.run(ot.run_arg, ANS_YES, "");
	ot.items = 0;
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, ot_setup, ot_teardown)
	const struct CMUnitTest tests[] = {
		T(test_drift_is_refused),
		T(test_drift_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
