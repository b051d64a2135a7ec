/*
 * What tests of the kernel lease share.
 */
#include "fencetest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct fencetest ft;

void
ft_ignore_lost(void *arg, bool restored, usec_t open_for)
{
}

int
ft_group_setup(void **state)
{
	struct error err;

	netns_setup();
	ft.loop = loop_new(&err);
	ft.server = netns_listen(false, PORT);
	return ft.loop == NULL ? -1 : 0;
}

int
ft_group_teardown(void **state)
{
	close(ft.server);
	loop_free(ft.loop);
	return 0;
}

int
ft_setup(void **state)
{
	struct error err;

	netns_run("nft flush ruleset");
	ft.fence = fence_new(ft.loop, PORT, ft_ignore_lost, NULL, &err);
	if (ft.fence == NULL)
		fprintf(stderr, "%s\n", err.msg);
	return ft.fence == NULL ? -1 : 0;
}

int
ft_teardown(void **state)
{
	fence_free(ft.fence);
	return 0;
}

usec_t
ft_after(usec_t d)
{
	return clock_now().raw + d;
}

void
ft_open_for(usec_t d)
{
	struct error err;

	assert_int_equal(fence_open(ft.fence, ft_after(d), &err), FENCE_DONE);
}

void
ft_shut(void)
{
	int64_t took;

	assert_int_equal(netns_connect(true, NETNS_HERE, PORT, &took), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_equal(netns_connect(false, NETNS_HERE, PORT, &took), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_equal(netns_connect(false, "127.0.0.1", PORT, &took), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_in_range(took, 0, AT_ONCE);
}

struct ft_pair
ft_join(bool there, const char *address)
{
	struct ft_pair p;

	p.client = netns_connect(there, address, PORT, NULL);
	assert_true(p.client >= 0);
	p.server = netns_accept(ft.server, LONG_MS);
	assert_true(p.server >= 0);
	assert_int_equal(netns_pass(p.client, p.server, LONG_MS), 0);
	assert_int_equal(netns_pass(p.server, p.client, LONG_MS), 0);
	return p;
}

void
ft_part(struct ft_pair p)
{
	close(p.client);
	close(p.server);
}
