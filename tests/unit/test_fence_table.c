/*
 * The table of rules in the kernel: whose it is, and what a restart finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "fencetest.h"

#define FENCE_TEXT SOURCE_ROOT "/tests/unit/fence_table.nft"

/* The rules are what the text beside this file says, in nft's own words. */
static void
test_same_as_text(void **state)
{
	assert_int_equal(
	    netns_try("nft list table inet hawatch | diff -u " FENCE_TEXT " -"),
	    0);
}

/* A table made by nft from the text is ours, and is not made anew. */
static void
test_text_is_adopted(void **state)
{
	struct error err;

	fence_free(ft.fence);
	ft.fence = NULL;
	netns_run("nft flush ruleset; nft -f " FENCE_TEXT);
	netns_run("nft -a list ruleset >/tmp/hawatch-fence.%d", getpid());
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	assert_non_null(ft.fence);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
	assert_int_equal(
	    netns_try(
		"nft -a list ruleset | diff - /tmp/hawatch-fence.%d", getpid()),
	    0);
	netns_run("rm /tmp/hawatch-fence.%d", getpid());
}

/* An upgrade of the engine: nobody notices. */
static void
test_restart_keeps(void **state)
{
	struct error err;
	struct ft_pair far;
	usec_t before, until;

	ft_open_for(USEC_SEC);
	assert_int_equal(fence_readers(ft.fence, USEC_SEC, &err), FENCE_DONE);
	assert_int_equal(fence_look(ft.fence, &before), ANS_YES);
	far = ft_join(true, NETNS_HERE);
	fence_free(ft.fence);
	ft.fence = NULL;
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	assert_non_null(ft.fence);
	assert_int_equal(fence_look(ft.fence, &until), ANS_YES);
	assert_true(
	    until < before + 20 * USEC_MSEC && until > before - 20 * USEC_MSEC);
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
	assert_int_equal(
	    fence_renew(ft.fence, ft_after(2 * USEC_SEC), &err), FENCE_DONE);
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	ft_part(far);
}

static void
test_other_table_is_replaced(void **state)
{
	struct error err;

	ft_open_for(5 * USEC_SEC);
	fence_free(ft.fence);
	ft.fence = NULL;
	netns_run("nft insert rule inet hawatch gate accept");
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	assert_non_null(ft.fence);
	ft_shut();
	assert_int_equal(
	    netns_try("nft list table inet hawatch | diff -u " FENCE_TEXT " -"),
	    0);
	fence_free(ft.fence);
	ft.fence = NULL;
	netns_run("nft add element inet hawatch writers { 80 }");
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	assert_non_null(ft.fence);
	assert_int_equal(
	    netns_try("nft list table inet hawatch | diff -u " FENCE_TEXT " -"),
	    0);
}

static void
test_boot_table(void **state)
{
	struct error err;

	ft_open_for(5 * USEC_SEC);
	fence_free(ft.fence);
	ft.fence = NULL;
	assert_int_equal(fence_install_closed(PORT, &err), 0);
	ft_shut();
	netns_run("nft flush ruleset");
	assert_int_equal(fence_install_closed(PORT, &err), 0);
	ft_shut();
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	assert_non_null(ft.fence);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, ft_setup, ft_teardown)
	const struct CMUnitTest tests[] = {
		T(test_same_as_text),
		T(test_text_is_adopted),
		T(test_restart_keeps),
		T(test_other_table_is_replaced),
		T(test_boot_table),
	};

	return cmocka_run_group_tests(tests, ft_group_setup, ft_group_teardown);
}
