/*
 * Data that only a copy of the primary's can help: where that is allowed, and
 * copies that come to nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rejointest.h"
#include "sitetest.h"

/* What only a copy can help is copied where that is allowed. */
static void
test_clones(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_REWIND, REC_HELD);
	t.fork = FORK_CLONE;
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 0);
	assert_true(t.disk.latch);
	ct_free(&t);

	rejointest_replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	rejointest_streams(&t);
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_SAVE), 0);
	assert_int_equal(site_asked(&t, ACT_REWIND), 0);
	assert_int_equal(site_asked(&t, ACT_CLONE), 1);
	assert_int_equal(rejointest_done(&t), 1);
	assert_false(t.disk.latch);
	ct_free(&t);
}

/* A copy that does not stream is not copied anew for ever: each copy takes the
 * place of what was there, and two of these are kept. */
static void
test_copy_never_streams(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	t.pg.receiver = false;
	ct_renewed(&t, 300 * SEC);
	assert_true(t.disk.latch);
	assert_int_equal(site_asked(&t, ACT_CLONE), 2);
	assert_int_equal(rejointest_done(&t), 0);
	assert_string_equal(ct_status(&t).waits_for, "copies-fail");
	/* A person tries what is there, first. */
	ct_clear(&t);
	assert_null(core_order_rejoin(t.c, &t.now, false));
	ct_renewed(&t, 20 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 0);
	assert_true(site_asked(&t, ACT_START) > 0);
	rejointest_streams(&t);
	ct_renewed(&t, 60 * SEC);
	assert_false(t.disk.latch);
	assert_int_equal(site_asked(&t, ACT_CLONE), 0);
	assert_int_equal(rejointest_done(&t), 1);
	ct_free(&t);
}

/* Nor one that does not even start; of another holder there may be a better
 * one. */
static void
test_copy_never_starts(void **state)
{
	struct ct t;

	rejointest_replaced(&t, CORE_REJOIN_CLONE, REC_HELD);
	t.fork = FORK_CLONE;
	ct_renewed(&t, SEC);
	t.act[ACT_CLONE] = ANS_UNKNOWN;
	ct_renewed(&t, 5 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 1);
	t.act[ACT_START] = ANS_NO;
	t.act[ACT_CLONE] = ANS_YES;
	ct_act(&t, ACT_CLONE, ANS_YES);
	ct_renewed(&t, 300 * SEC);
	assert_int_equal(site_asked(&t, ACT_CLONE), 2);
	assert_string_equal(ct_status(&t).waits_for, "copies-fail");
	assert_true(t.disk.latch);
	/* Now and then the last one is tried, and no other made. */
	ct_clear(&t);
	ct_renewed(&t, 300 * SEC);
	assert_true(site_asked(&t, ACT_START) > 0);
	assert_int_equal(site_asked(&t, ACT_CLONE), 0);
	t.act[ACT_START] = ANS_YES;
	rejointest_streams(&t);
	t.reg.value.rec.epoch = 6;
	ct_renewed(&t, 60 * SEC);
	assert_false(t.disk.latch);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clones),
		cmocka_unit_test(test_copy_never_streams),
		cmocka_unit_test(test_copy_never_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
