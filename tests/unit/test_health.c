/*
 * The answer of /health, that rests on the reports: whether this host should
 * get traffic when another one might be better.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reportstest.h"

/* A check that is made anew was down before: it is until it has been asked. */
static void
test_down_outlives_a_reload(void **state)
{
	struct conf *next = malloc(sizeof(*next));
	struct conf_check first;

	rt_steps(20);
	rt_set(A, OWN, ANS_NO);
	rt_steps(20);
	*next = rt.conf;
	first = next->check[0];
	next->check[0] = next->check[OWN];
	next->check[OWN] = first;
	health_keep(rt.host[A].e.health, &rt.conf, next);
	assert_int_equal(rt.host[A].e.health->was_down, CHECK_BIT(0));
	free(next);
	health_keep(rt.host[A].e.health, &rt.conf, &rt.conf);
	rt_set(A, OWN, ANS_UNKNOWN);
	rt_steps(20);
	assert_string_equal(rt.host[A].e.health->reasons, "own");
	rt_set(A, OWN, ANS_YES);
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
	rt_set(A, OWN, ANS_UNKNOWN);
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
}

static void
test_own_and_shared(void **state)
{
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
	rt_set(A, QUIET, ANS_NO);
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
	rt_set(A, OWN, ANS_NO);
	rt_steps(20);
	assert_false(rt.host[A].e.health->ok);
	assert_string_equal(rt.host[A].e.health->reasons, "own");
	rt_set(A, OWN, ANS_YES);
	/* The other host passes it: then it is this host. */
	rt_set(A, SHARED, ANS_NO);
	rt_steps(400);
	assert_string_equal(rt.host[A].e.health->reasons, "shared");
	/* No, it does not: then it is neither. */
	rt_set(B, SHARED, ANS_NO);
	rt_steps(120);
	assert_true(rt.host[A].e.health->ok);
	assert_true(rt.host[B].e.health->ok);
	assert_int_equal(rt.host[A].e.health->spared, CHECK_BIT(SHARED));
	rt_set(B, SHARED, ANS_YES);
	rt_steps(400);
	assert_false(rt.host[A].e.health->ok);
	/* Nobody is heard of: the host stays in. */
	rt.cut = true;
	rt_steps(3100);
	assert_true(rt.host[A].e.health->ok);
}

/* Who is out for something of its own, or not yet brought to its role, is no
 * reason for another to go, too. */
static void
test_nobody_is_better(void **state)
{
	rt.conf.check[OWN].health = true;
	rt_set(A, SHARED, ANS_NO);
	rt_steps(400);
	assert_false(rt.host[A].e.health->ok);
	rt_set(B, OWN, ANS_NO);
	rt_steps(200);
	assert_true(rt.host[A].e.health->ok);
	assert_int_equal(rt.host[A].e.health->spared, CHECK_BIT(SHARED));
	assert_false(rt.host[B].e.health->ok);
	rt_set(B, OWN, ANS_YES);
	rt_steps(200);
	assert_false(rt.host[A].e.health->ok);
	/* Its epoch is 8. */
	rt.host[A].record = 9;
	rt_steps(200);
	assert_true(rt.host[A].e.health->ok);
	rt.host[A].record = 8;
	rt_steps(200);
	assert_false(rt.host[A].e.health->ok);
}

/* Each fails what the other passes: the holder stays. */
static void
test_the_holder_stays(void **state)
{
	int i;

	rt.conf.check[SHARED].health = rt.conf.check[SHARED].shared = true;
	rt.conf.check[QUIET].health = rt.conf.check[QUIET].shared = true;
	for (i = A; i <= B; i++) {
		rt.host[i].check[QUIET].health = true;
		rt.host[i].check[QUIET].shared = true;
		rt.host[i].role = i == A ? SITE_PRIMARY : SITE_STANDBY;
	}
	rt_set(A, SHARED, ANS_NO);
	rt_steps(400);
	assert_false(rt.host[A].e.health->ok);
	assert_true(rt.host[B].e.health->ok);
	rt_set(B, QUIET, ANS_NO);
	rt_steps(400);
	assert_true(rt.host[A].e.health->ok);
	assert_false(rt.host[B].e.health->ok);
}

/* Applications that are not as the host's role demands: it goes, but only for
 * a host without any fault. */
static void
test_stale(void **state)
{
	rt.conf.check[OWN].health = rt.conf.check[SHARED].health = true;
	rt.conf.check[SHARED].shared = true;
	rt_steps(20);
	rt.host[A].stale = true;
	rt_steps(450);
	assert_string_equal(rt.host[A].e.health->reasons, "converge");
	rt.conf.self = B;
	assert_true(reports_of(rt.host[B].e.reports, A, &rt.at)->stale);
	assert_false(reports_of(rt.host[B].e.reports, A, &rt.at)->healthy);
	/* So is the other: both stay. */
	rt.host[B].stale = true;
	rt_steps(250);
	assert_true(rt.host[A].e.health->ok);
	assert_true(rt.host[B].e.health->ok);
	/* But of two such hosts the one goes that fails a check, too. */
	rt_set(A, SHARED, ANS_NO);
	rt_steps(450);
	assert_string_equal(rt.host[A].e.health->reasons, "shared");
	assert_true(rt.host[B].e.health->ok);
	rt_set(A, SHARED, ANS_YES);
	rt_steps(250);
	assert_true(rt.host[A].e.health->ok);
	assert_true(rt.host[B].e.health->ok);
	rt.host[B].stale = false;
	rt_steps(450);
	assert_false(rt.host[A].e.health->ok);
	/* The other has a fault of its own. */
	rt_set(B, OWN, ANS_NO);
	rt_steps(250);
	assert_true(rt.host[A].e.health->ok);
	assert_false(rt.host[B].e.health->ok);
	rt_set(B, OWN, ANS_YES);
	rt_steps(400);
	assert_false(rt.host[A].e.health->ok);
	/* A shared check fails there; this host is no better for voters. */
	rt_set(B, SHARED, ANS_NO);
	rt_steps(400);
	assert_true(rt.host[A].e.health->ok);
	assert_true(rt.host[B].e.health->ok);
	rt_set(B, SHARED, ANS_YES);
	rt_steps(400);
	assert_false(rt.host[A].e.health->ok);
	/* The other is not brought to its role: its epoch is 8. */
	rt.host[A].record = 9;
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
	rt.host[A].record = 8;
	rt_steps(20);
	assert_false(rt.host[A].e.health->ok);
	/* It is silent. */
	rt.cut = true;
	rt_steps(3100);
	assert_true(rt.host[A].e.health->ok);
	rt.cut = false;
	rt_steps(1500);
	assert_false(rt.host[A].e.health->ok);
	rt.host[A].stale = false;
	rt_step();
	assert_true(rt.host[A].e.health->ok);
}

/* A new engine of such a host does not let voters in for a moment, nor keep
 * them out when the others are no better, or there are none. */
static void
test_stale_from_the_start(void **state)
{
	int ms;

	rt.host[A].stale = true;
	rt.host[A].e.started_at = rt.at.raw;
	rt.delay_max = 200 * USEC_MSEC;
	for (ms = 0; ms < 3000; ms++) {
		rt_step();
		assert_string_equal(rt.host[A].e.health->reasons, "converge");
	}
	(void)rt_teardown(NULL);
	(void)rt_setup(NULL);
	rt.host[A].stale = rt.host[B].stale = true;
	rt.host[A].e.started_at = rt.at.raw;
	rt_steps(300);
	assert_true(rt.host[A].e.health->ok);
	(void)rt_teardown(NULL);
	(void)rt_setup(NULL);
	rt.host[A].stale = rt.cut = true;
	rt.host[A].e.started_at = rt.at.raw;
	rt_steps(1990);
	assert_false(rt.host[A].e.health->ok);
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
}

static void
test_postgres(void **state)
{
	rt.host[A].pg = PGS_GONE;
	rt_steps(20);
	assert_string_equal(rt.host[A].e.health->reasons, "postgres");
	rt.conf.check[OWN].type = "http";
	rt_steps(20);
	assert_string_equal(rt.host[A].e.health->reasons, "postgres");
	rt.conf.check[OWN].health = true;
	rt_steps(20);
	assert_true(rt.host[A].e.health->ok);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rt_setup, rt_teardown)
	const struct CMUnitTest tests[] = {
		T(test_down_outlives_a_reload),
		T(test_own_and_shared),
		T(test_nobody_is_better),
		T(test_the_holder_stays),
		T(test_stale),
		T(test_stale_from_the_start),
		T(test_postgres),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
