/*
 * The balancers: when they are asserted, by whom, and who is out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sitetest.h"

/* Asserted often for three minutes, then each minute. */
static void
test_traffic_rhythm(void **state)
{
	struct ct t;
	int n;

	site_init(&t, A);
	site_holder(&t, BIT_B);
	/* As long as another may still believe in its lease, and steer. */
	site_heard(&t, CT_W + 2 * SEC, B, 5, true);
	assert_true(site_asked(&t, ACT_TRAFFIC) >= CT_W / SEC);
	ct_clear(&t);
	site_heard(&t, 165 * SEC, B, 5, true);
	n = site_asked(&t, ACT_TRAFFIC);
	assert_true(n >= 30 && n <= 36);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	site_heard(&t, 30 * SEC, B, 5, true);
	ct_clear(&t);
	site_heard(&t, 180 * SEC, B, 5, true);
	n = site_asked(&t, ACT_TRAFFIC);
	assert_true(n >= 2 && n <= 4);
	ct_free(&t);
}

/* Who is silent, not yet brought to its role, or not well, is out. */
static void
test_out(void **state)
{
	struct ct t;

	site_init(&t, A);
	site_holder(&t, BIT_B);
	site_heard(&t, 10 * SEC, B, 5, true);
	assert_int_equal(ct_status(&t).site.out, 0);
	site_heard(&t, SEC, B, 5, false);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, BIT_B);
	site_heard(&t, SEC, B, 5, true);
	assert_int_equal(ct_status(&t).site.out, 0);
	site_heard(&t, SEC, B, 4, true);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	site_heard(&t, SEC, B, 5, true);
	assert_int_equal(ct_status(&t).site.out, 0);
	ct_run(&t, CT_T + 500 * MSEC);
	assert_int_equal(ct_status(&t).site.out, BIT_B);
	ct_free(&t);
}

/* Handed over to this node: who hands over is drained until he is a standby's
 * host; who was lost, is cut off. */
static void
test_drain(void **state)
{
	static const node_t target[] = { B, NODE_NONE };
	struct ct t;
	size_t i;

	for (i = 0; i < 2; i++) {
		site_init(&t, B);
		t.conf.before = t.conf.after = t.conf.verify = false;
		ct_candidate(&t);
		ct_record(&t, REC_RELEASED, A, BIT_B)->target = target[i];
		t.reg.value.revision++;
		ct_read(&t);
		site_heard(&t, 8 * SEC, A, 5, true);
		assert_int_equal(ct_status(&t).rec.holder, B);
		assert_int_equal(
		    ct_last_act(&t, ACT_TRAFFIC)->goal.names, BIT_A);
		assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.drain,
		    i == 0 ? BIT_A : 0);
		ct_free(&t);
	}
}

/* A holder whose engine has just begun to listen drains nobody, and readies
 * nobody who may be dead. */
static void
test_hold_off(void **state)
{
	struct ct t;

	site_init(&t, A);
	site_holder(&t, BIT_B);
	site_heard(&t, 10 * SEC, B, 5, true);
	ct_restart(&t, t.now.raw + CT_T - 100 * MSEC);
	ct_run(&t, 4 * SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(site_asked(&t, ACT_TRAFFIC), 0);
	site_heard(&t, 500 * MSEC, B, 5, true);
	assert_int_equal(site_asked(&t, ACT_TRAFFIC), 1);
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

	site_init(&t, A);
	site_holder(&t, BIT_B);
	site_heard(&t, 10 * SEC, B, 5, true);
	t.act[ACT_TRAFFIC] = ANS_UNKNOWN;
	site_heard(&t, 6 * SEC, B, 5, true);
	assert_true(ct_status(&t).site.steering);
	ct_clear(&t);
	t.cas = CT_CAS_LOST;
	t.yes = 0;
	t.read_ok = false;
	site_heard(&t, CT_T + 100 * MSEC, B, 5, true);
	assert_int_equal(site_cancelled(&t, ACT_TRAFFIC), 1);
	assert_false(ct_status(&t).site.steering);
	ct_clear(&t);
	site_heard(&t, 20 * SEC, B, 5, true);
	assert_int_equal(site_asked(&t, ACT_TRAFFIC), 0);
	ct_free(&t);
}

/* A balancer that does not answer is not asked without end. */
static void
test_traffic_bounded(void **state)
{
	struct ct t;

	site_init(&t, A);
	site_holder(&t, BIT_B);
	site_heard(&t, 200 * SEC, B, 5, true);
	t.act[ACT_TRAFFIC] = ANS_UNKNOWN;
	site_heard(&t, 61 * SEC, B, 5, true);
	ct_clear(&t);
	site_heard(&t, 30 * SEC, B, 5, true);
	assert_false(ct_status(&t).site.steering);
	ct_free(&t);
}

/* A balancer of its own follows the record on every node, and soon so when it
 * starts anew. */
static void
test_traffic_of_every(void **state)
{
	struct ct t;
	int n;

	site_init(&t, B);
	t.conf.traffic_every = true;
	site_candidate(&t);
	site_moves(&t, 6, REC_HELD);
	site_heard(&t, 300 * SEC, A, 6, true);
	ct_clear(&t);
	site_heard(&t, 30 * SEC, A, 6, true);
	n = site_asked(&t, ACT_TRAFFIC);
	assert_true(n >= 5 && n <= 7);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.node, A);
	assert_int_equal(ct_last_act(&t, ACT_TRAFFIC)->goal.names, 0);
	site_moves(&t, 7, REC_CLAIMED);
	ct_run(&t, SEC);
	assert_int_equal(site_asked(&t, ACT_TRAFFIC), n);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traffic_rhythm),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_hold_off),
		cmocka_unit_test(test_traffic_within_lease),
		cmocka_unit_test(test_traffic_bounded),
		cmocka_unit_test(test_traffic_of_every),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
