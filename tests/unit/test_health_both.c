/*
 * One shared fault takes no host out: at no instant do both hosts answer 503,
 * whenever each finds it, and however slow the network is between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "reportstest.h"

/* One fault, seen by both hosts at moments of their own, through a network of
 * any delay: at no instant do both say 503. */
static void
test_never_both(void **state)
{
	int round, i, ms, alone = 0;

	for (round = 0; round < 60; round++) {
		(void)rt_teardown(NULL);
		(void)rt_setup(NULL);
		rt.seed = (unsigned)round * 7919 + 1;
		rt.delay_max = round % 3 == 0 ? 2 * USEC_MSEC :
			       round % 3 == 1 ? 80 * USEC_MSEC :
						1500 * USEC_MSEC;
		rt_steps(100 + rt_dice(1000));
		for (ms = 0; ms < 4000; ms++) {
			/* Each finds it within two seconds, for good. */
			for (i = A; i <= B; i++)
				if (ms > 2000 || rt_dice(700) == 0)
					rt_set(i, SHARED, ANS_NO);
			rt_step();
			alone += !rt.host[A].e.health->ok ||
				 !rt.host[B].e.health->ok;
			if (!rt.host[A].e.health->ok &&
			    !rt.host[B].e.health->ok)
				fail_msg("round %d: both say 503", round);
		}
		rt_steps(3000);
		assert_true(rt.host[A].e.health->ok && rt.host[B].e.health->ok);
	}
	assert_true(alone > 1000); /* the test has teeth */
}

/* Both become stale, or one fails a shared check as well, at moments of their
 * own: at no instant do both say 503. */
static void
test_never_both_stale(void **state)
{
	int round, i, ms, alone = 0;

	for (round = 0; round < 60; round++) {
		(void)rt_teardown(NULL);
		(void)rt_setup(NULL);
		rt.conf.check[SHARED].health = rt.conf.check[SHARED].shared =
		    true;
		rt.seed = (unsigned)round * 7919 + 1;
		rt.delay_max = round % 3 == 0 ? 2 * USEC_MSEC :
			       round % 3 == 1 ? 80 * USEC_MSEC :
						1500 * USEC_MSEC;
		rt_steps(100 + rt_dice(1000));
		for (ms = 0; ms < 4000; ms++) {
			for (i = A; i <= B; i++) {
				if (ms <= 2000 && rt_dice(700) != 0)
					continue;
				if (i == A || round % 2 == 0)
					rt.host[i].stale = true;
				if (i == B && round % 4 != 0)
					rt_set(i, SHARED, ANS_NO);
			}
			rt_step();
			alone += !rt.host[A].e.health->ok ||
				 !rt.host[B].e.health->ok;
			if (!rt.host[A].e.health->ok &&
			    !rt.host[B].e.health->ok)
				fail_msg("round %d: both say 503", round);
		}
		rt_steps(3000);
		assert_true(rt.host[A].e.health->ok);
		/* Of two such hosts the one goes that fails a check, too. */
		assert_int_equal(rt.host[B].e.health->ok, round % 4 != 2);
	}
	assert_true(alone > 1000); /* the test has teeth */
}

/* What both use is gone at one instant: nobody says 503, at no time. */
static void
test_shared_fault(void **state)
{
	int round, ms;

	for (round = 0; round < 100; round++) {
		(void)rt_teardown(NULL);
		(void)rt_setup(NULL);
		rt.seed = (unsigned)round * 7919 + 1;
		rt.delay_max = round % 2 == 0 ? 3 * USEC_MSEC : 900 * USEC_MSEC;
		rt.fault = rt.at.raw + (1000 + rt_dice(1000)) * USEC_MSEC;
		rt.host[A].next = rt.at.raw + rt_dice(500) * USEC_MSEC;
		rt.host[B].next = rt.at.raw + rt_dice(500) * USEC_MSEC;
		rt.host[A].threshold = 1 + rt_dice(2);
		rt.host[B].threshold = 1 + rt_dice(2);
		for (ms = 0; ms < 5000; ms++) {
			rt_step();
			if (!rt.host[A].e.health->ok ||
			    !rt.host[B].e.health->ok)
				fail_msg("round %d: 503", round);
		}
		assert_int_equal(
		    rt.host[A].e.health->spared, CHECK_BIT(SHARED));
		assert_int_equal(
		    rt.host[B].e.health->spared, CHECK_BIT(SHARED));
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rt_setup, rt_teardown)
	const struct CMUnitTest tests[] = {
		T(test_never_both),
		T(test_never_both_stale),
		T(test_shared_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
