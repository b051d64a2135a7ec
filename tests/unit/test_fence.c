/*
 * The kernel lease in time: opened, prolonged and over, every way in which it
 * must be shut. The wall clock of the machine is never touched: calls that come
 * too late are given an old clock instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fencetest.h"

static void
test_new_is_shut(void **state)
{
	usec_t until;

	ft_shut();
	assert_int_equal(fence_look(ft.fence, &until), ANS_NO);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
}

static void
test_open_and_over(void **state)
{
	struct ft_pair far, near;
	usec_t until, d = ft_after(300 * USEC_MSEC);
	struct error err;

	assert_int_equal(fence_open(ft.fence, d, &err), FENCE_DONE);
	assert_int_equal(fence_look(ft.fence, &until), ANS_YES);
	assert_true(until <= d && until > d - 100 * USEC_MSEC);
	far = ft_join(true, NETNS_HERE);
	near = ft_join(false, "127.0.0.1");
	netns_until(d);
	assert_int_equal(fence_look(ft.fence, &until), ANS_NO);
	ft_shut();
	/* Not even a byte of a reply, and no statement. */
	assert_int_not_equal(netns_pass(far.server, far.client, SHORT_MS), 0);
	assert_int_not_equal(netns_pass(near.server, near.client, SHORT_MS), 0);
	assert_int_not_equal(netns_pass(far.client, far.server, SHORT_MS), 0);
	assert_int_not_equal(netns_pass(near.client, near.server, SHORT_MS), 0);
	ft_part(far);
	ft_part(near);
}

static void
test_renew_prolongs(void **state)
{
	struct ft_pair far;
	struct error err;
	usec_t until, d = 0;
	int i;

	ft_open_for(200 * USEC_MSEC);
	far = ft_join(true, NETNS_HERE);
	for (i = 0; i < 6; i++) {
		netns_until(netns_usec() + 70 * USEC_MSEC);
		d = ft_after(200 * USEC_MSEC);
		assert_int_equal(fence_renew(ft.fence, d, &err), FENCE_DONE);
		assert_int_equal(
		    netns_pass(far.client, far.server, LONG_MS), 0);
	}
	/* Shorter works as well. */
	d = ft_after(60 * USEC_MSEC);
	assert_int_equal(fence_renew(ft.fence, d, &err), FENCE_DONE);
	assert_int_equal(fence_look(ft.fence, &until), ANS_YES);
	assert_true(until <= d);
	netns_until(d);
	ft_shut();
	ft_part(far);
}

static void
test_renew_never_revives(void **state)
{
	struct error err;
	usec_t until;

	ft_open_for(100 * USEC_MSEC);
	netns_until(ft_after(100 * USEC_MSEC));
	assert_int_equal(
	    fence_renew(ft.fence, ft_after(USEC_SEC), &err), FENCE_EXPIRED);
	assert_int_equal(fence_look(ft.fence, &until), ANS_NO);
	ft_shut();
	assert_int_equal(
	    fence_renew(ft.fence, ft_after(USEC_SEC), &err), FENCE_EXPIRED);
	assert_int_equal(
	    fence_renew(ft.fence, USEC_NEVER, &err), FENCE_EXPIRED);
	ft_shut();
	/* What is asked for is what was refused: an opening. */
	ft_open_for(USEC_SEC);
	ft_part(ft_join(true, NETNS_HERE));
}

/* The kernel itself refuses, whatever we believe. */
static void
test_kernel_refuses_revival(void **state)
{
	struct error err;

	ft_open_for(100 * USEC_MSEC);
	netns_until(ft_after(110 * USEC_MSEC));
	ft.fence->allowed.end = USEC_NEVER;
	ft.fence->allowed.wall = USEC_NEVER;
	assert_int_equal(
	    fence_renew(ft.fence, ft_after(USEC_SEC), &err), FENCE_EXPIRED);
	ft_shut();
}

static void
test_open_after_over(void **state)
{
	int i;

	for (i = 0; i < 10; i++) {
		ft_open_for(60 * USEC_MSEC);
		netns_until(ft_after(60 * USEC_MSEC));
		ft_open_for(USEC_SEC);
		ft_part(ft_join(true, NETNS_HERE));
		ft_open_for(50 * USEC_MSEC);
		netns_until(ft_after(50 * USEC_MSEC));
	}
}

/* Stopped between reading the clock and the call. */
static void
test_old_clock_opens_nothing(void **state)
{
	struct now now = clock_now();
	struct error err;

	now.raw -= 3 * USEC_SEC;
	now.wall -= 3 * USEC_SEC;
	assert_int_equal(
	    fence_open_at(ft.fence, now.raw + 2 * USEC_SEC, &now, &err),
	    FENCE_LATE);
	ft_shut();
	ft_open_for(USEC_SEC);
	assert_int_equal(
	    fence_renew_at(ft.fence, now.raw + 2 * USEC_SEC, &now, &err),
	    FENCE_LATE);
	ft_shut();
}

/* The same, killed before the clock is checked again: the element lives, the
 * wall limit is over. */
static void
test_wall_alone_shuts(void **state)
{
	struct nl nl;
	struct error err;
	usec_t until, life;

	assert_int_equal(nl_open(&nl, NETLINK_NETFILTER, &err), 0);
	fence_free(ft.fence);
	ft.fence = NULL;
	nl_begin(&nl);
	elem_add(&nl, FENCE_WRITERS, PORT, 1800 * USEC_MSEC);
	rules_add_wall(&nl, clock_now().wall - USEC_SEC);
	assert_int_equal(nl_commit(&nl), 0);
	ft_shut();
	assert_int_equal(elem_look(&nl, FENCE_WRITERS, PORT, &life), ANS_YES);
	/* The next engine does not take it for an open one. */
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	assert_non_null(ft.fence);
	assert_int_equal(fence_look(ft.fence, &until), ANS_NO);
	assert_int_equal(
	    fence_renew(ft.fence, ft_after(USEC_SEC), &err), FENCE_EXPIRED);
	ft_shut();
	nl_close(&nl);
}

static void
test_too_near(void **state)
{
	struct error err;

	assert_int_equal(
	    fence_open(ft.fence, ft_after(5 * USEC_MSEC), &err), FENCE_LATE);
	assert_int_equal(
	    fence_open(ft.fence, ft_after(-USEC_SEC), &err), FENCE_LATE);
	ft_shut();
	ft_open_for(USEC_SEC);
	assert_int_equal(
	    fence_open(ft.fence, ft_after(5 * USEC_MSEC), &err), FENCE_LATE);
	ft_shut();
}

static void
test_never_and_back(void **state)
{
	struct ft_pair far;
	struct error err;
	usec_t until;

	assert_int_equal(fence_open(ft.fence, USEC_NEVER, &err), FENCE_DONE);
	far = ft_join(true, NETNS_HERE);
	assert_int_equal(fence_look(ft.fence, &until), ANS_YES);
	assert_true(until == USEC_NEVER);
	assert_int_equal(
	    netns_try("nft list chain inet hawatch wall | grep -qw accept"), 0);
	assert_int_equal(
	    netns_try("! nft list chain inet hawatch wall | grep -q time"), 0);
	assert_int_equal(
	    fence_renew(ft.fence, ft_after(USEC_SEC), &err), FENCE_DONE);
	assert_int_equal(fence_look(ft.fence, &until), ANS_YES);
	assert_true(until < ft_after(USEC_SEC));
	assert_int_equal(
	    netns_try(
		"nft list chain inet hawatch wall | grep -q 'meta time <'"),
	    0);
	assert_int_equal(fence_renew(ft.fence, USEC_NEVER, &err), FENCE_DONE);
	assert_int_equal(fence_look(ft.fence, &until), ANS_YES);
	assert_true(until == USEC_NEVER);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	assert_int_equal(fence_close(ft.fence, &err), FENCE_DONE);
	ft_shut();
	ft_part(far);
}

static void
test_readers(void **state)
{
	struct error err;
	struct ft_pair far;
	usec_t until;

	assert_int_equal(
	    fence_readers(ft.fence, 200 * USEC_MSEC, &err), FENCE_DONE);
	assert_int_equal(fence_look(ft.fence, &until), ANS_NO);
	far = ft_join(true, NETNS_HERE);
	assert_int_equal(
	    fence_readers(ft.fence, 300 * USEC_MSEC, &err), FENCE_DONE);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
	netns_until(ft_after(200 * USEC_MSEC));
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	netns_until(ft_after(110 * USEC_MSEC));
	ft_shut();
	assert_int_equal(fence_readers(ft.fence, USEC_SEC, &err), FENCE_DONE);
	ft_part(ft_join(true, NETNS_HERE));
	assert_int_equal(fence_readers(ft.fence, 0, &err), FENCE_DONE);
	ft_shut();
	assert_int_equal(fence_readers(ft.fence, 0, &err), FENCE_DONE);
	assert_int_equal(fence_readers(ft.fence, USEC_SEC, &err), FENCE_DONE);
	assert_int_equal(fence_close(ft.fence, &err), FENCE_DONE);
	ft_shut();
	ft_part(far);
}

static int
cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Ten thousand renewals: none disturbs a connection, none leaks (the
 * sanitizer's business), and what they cost. */
static void
test_renew_is_quick(void **state)
{
	static int64_t took[10000];
	struct ft_pair far;
	struct error err;
	int64_t start;
	size_t i, n = sizeof(took) / sizeof(took[0]);

	ft_open_for(2 * USEC_SEC);
	far = ft_join(true, NETNS_HERE);
	for (i = 0; i < n; i++) {
		start = netns_usec();
		assert_int_equal(
		    fence_renew(ft.fence, ft_after(2 * USEC_SEC), &err),
		    FENCE_DONE);
		took[i] = netns_usec() - start;
		if (i % 10 == 0)
			assert_int_equal(
			    netns_pass(far.client, far.server, LONG_MS), 0);
	}
	ft_part(far);
	qsort(took, n, sizeof(took[0]), cmp);
	printf("renew: p50 %lld us, p99 %lld us, max %lld us\n",
	    (long long)took[n / 2], (long long)took[n / 100 * 99],
	    (long long)took[n - 1]);
	assert_true(took[n / 2] < 5000);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, ft_setup, ft_teardown)
	const struct CMUnitTest tests[] = {
		T(test_new_is_shut),
		T(test_open_and_over),
		T(test_renew_prolongs),
		T(test_renew_never_revives),
		T(test_kernel_refuses_revival),
		T(test_open_after_over),
		T(test_old_clock_opens_nothing),
		T(test_wall_alone_shuts),
		T(test_too_near),
		T(test_never_and_back),
		T(test_readers),
		T(test_renew_is_quick),
	};

	return cmocka_run_group_tests(tests, ft_group_setup, ft_group_teardown);
}
