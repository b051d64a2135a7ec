/*
 * The kernel lease on a real kernel: two network namespaces, real sockets in
 * both, every way in which it must be shut. The wall clock of the machine is
 * never touched: calls that come too late are given an old clock instead.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fence/fence_priv.h"
#include "hawatch/loop.h"
#include "netns.h"

#define PORT 5432
#define FENCE_TEXT SOURCE_ROOT "/tests/unit/fence_table.nft"
#define LONG_MS 1000
#define SHORT_MS 80
#define AT_ONCE 50000 /* microseconds; a fraction of one in truth */

static struct loop *loop;
static struct fence *fence;
static int server;

static void
ignore_lost(void *arg, bool restored, usec_t open_for)
{
}

static int
group_setup(void **state)
{
	struct error err;

	netns_setup();
	loop = loop_new(&err);
	server = netns_listen(false, PORT);
	return loop == NULL ? -1 : 0;
}

static int
group_teardown(void **state)
{
	close(server);
	loop_free(loop);
	return 0;
}

static int
setup(void **state)
{
	struct error err;

	netns_run("nft flush ruleset");
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	if (fence == NULL)
		fprintf(stderr, "%s\n", err.msg);
	return fence == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	fence_free(fence);
	return 0;
}

static usec_t
after(usec_t d)
{
	return clock_now().raw + d;
}

static void
open_for(usec_t d)
{
	struct error err;

	assert_int_equal(fence_open(fence, after(d), &err), FENCE_DONE);
}

/* Both ways to the port, each refused at once. */
static void
assert_shut(void)
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

struct pair {
	int client, server;
};

static struct pair
join(bool there, const char *address)
{
	struct pair p;

	p.client = netns_connect(there, address, PORT, NULL);
	assert_true(p.client >= 0);
	p.server = netns_accept(server, LONG_MS);
	assert_true(p.server >= 0);
	assert_int_equal(netns_pass(p.client, p.server, LONG_MS), 0);
	assert_int_equal(netns_pass(p.server, p.client, LONG_MS), 0);
	return p;
}

static void
part(struct pair p)
{
	close(p.client);
	close(p.server);
}

static void
test_new_is_shut(void **state)
{
	usec_t until;

	assert_shut();
	assert_int_equal(fence_look(fence, &until), ANS_NO);
	assert_int_equal(fence_table(fence), ANS_YES);
}

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

	fence_free(fence);
	fence = NULL;
	netns_run("nft flush ruleset; nft -f " FENCE_TEXT);
	netns_run("nft -a list ruleset >/tmp/hawatch-fence.%d", getpid());
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	assert_non_null(fence);
	assert_int_equal(fence_table(fence), ANS_YES);
	assert_int_equal(
	    netns_try(
		"nft -a list ruleset | diff - /tmp/hawatch-fence.%d", getpid()),
	    0);
	netns_run("rm /tmp/hawatch-fence.%d", getpid());
}

static void
test_open_and_over(void **state)
{
	struct pair far, near;
	usec_t until, d = after(300 * USEC_MSEC);
	struct error err;

	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	assert_int_equal(fence_look(fence, &until), ANS_YES);
	assert_true(until <= d && until > d - 100 * USEC_MSEC);
	far = join(true, NETNS_HERE);
	near = join(false, "127.0.0.1");
	netns_until(d);
	assert_int_equal(fence_look(fence, &until), ANS_NO);
	assert_shut();
	/* Not even a byte of a reply, and no statement. */
	assert_int_not_equal(netns_pass(far.server, far.client, SHORT_MS), 0);
	assert_int_not_equal(netns_pass(near.server, near.client, SHORT_MS), 0);
	assert_int_not_equal(netns_pass(far.client, far.server, SHORT_MS), 0);
	assert_int_not_equal(netns_pass(near.client, near.server, SHORT_MS), 0);
	part(far);
	part(near);
}

/* The client has asked and waits; the server answers after the end. */
static void
test_reply_in_flight(void **state)
{
	struct pair far, near;
	usec_t d = after(250 * USEC_MSEC);
	struct error err;

	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	far = join(true, NETNS_HERE);
	near = join(false, NETNS_HERE);
	netns_until(d);
	assert_int_equal(
	    netns_pass(far.server, far.client, 3 * SHORT_MS), ETIMEDOUT);
	assert_int_equal(
	    netns_pass(near.server, near.client, 3 * SHORT_MS), ETIMEDOUT);
	/* Nor later, when it is open again. */
	open_for(USEC_SEC);
	assert_int_not_equal(
	    netns_pass(far.server, far.client, 6 * SHORT_MS), 0);
	assert_int_not_equal(
	    netns_pass(near.server, near.client, 6 * SHORT_MS), 0);
	part(far);
	part(near);
}

/* A client that waits for an answer is told as soon as the engine, which may
 * have been stopped at the end, closes what is closed: it would never find out
 * by itself. */
static void
test_waiting_is_told(void **state)
{
	struct pair far, near;
	usec_t d = after(250 * USEC_MSEC);
	struct error err;
	int64_t took;

	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	far = join(true, NETNS_HERE);
	near = join(false, NETNS_HERE);
	netns_until(d);
	assert_int_equal(
	    netns_pass(far.server, far.client, SHORT_MS), ETIMEDOUT);
	assert_int_equal(
	    netns_pass(near.server, near.client, SHORT_MS), ETIMEDOUT);
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	assert_int_equal(
	    netns_wait_error(far.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_not_equal(
	    netns_wait_error(near.client, LONG_MS, &took), ETIMEDOUT);
	part(far);
	part(near);
}

/* A client that sends after the end is told at once. */
static void
test_statement_is_reset(void **state)
{
	struct pair far, near;
	int64_t took;
	usec_t d = after(250 * USEC_MSEC);
	struct error err;

	assert_int_equal(fence_open(fence, d, &err), FENCE_DONE);
	far = join(true, NETNS_HERE);
	near = join(false, NETNS_HERE);
	netns_until(d);
	assert_int_equal(write(far.client, "x", 1), 1);
	assert_int_equal(
	    netns_wait_error(far.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_equal(write(near.client, "x", 1), 1);
	assert_int_equal(
	    netns_wait_error(near.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	part(far);
	part(near);
}

/* A client that is blocked in reading is told when the fence is closed. */
static void
test_close_destroys(void **state)
{
	struct pair far, near, out;
	struct error err;
	int64_t took;
	int other = netns_listen(true, PORT);

	open_for(5 * USEC_SEC);
	far = join(true, NETNS_HERE);
	near = join(false, NETNS_HERE);
	/* Like a standby's own connection to the other host's primary. */
	out.client = netns_connect(false, NETNS_THERE, PORT, NULL);
	out.server = netns_accept(other, LONG_MS);
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	assert_int_equal(
	    netns_wait_error(far.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	/* Whichever end was destroyed first. */
	assert_int_not_equal(
	    netns_wait_error(near.client, LONG_MS, &took), ETIMEDOUT);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_equal(netns_pass(out.client, out.server, LONG_MS), 0);
	assert_int_equal(netns_pass(out.server, out.client, LONG_MS), 0);
	assert_shut();
	part(far);
	part(near);
	part(out);
	close(other);
}

/* To ::1 or, as a JVM does, to an IPv4 address through an IPv6 socket. */
static int
connect6(const char *address)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin6.sin6_port = htons(PORT);
	assert_int_equal(inet_pton(AF_INET6, address, &sin6.sin6_addr), 1);
	if (connect(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	return -1;
}

static void
test_ipv6(void **state)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct error err;
	struct pair six, mapped;
	int64_t took;
	int server6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	sin6.sin6_port = htons(PORT);
	sin6.sin6_addr = in6addr_loopback;
	setsockopt(server6, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(
	    bind(server6, (struct sockaddr *)&sin6, sizeof(sin6)), 0);
	assert_int_equal(listen(server6, 8), 0);
	assert_int_equal(connect6("::1"), -1);
	assert_int_equal(connect6("::ffff:10.9.0.1"), -1);
	open_for(5 * USEC_SEC);
	six.client = connect6("::1");
	six.server = netns_accept(server6, LONG_MS);
	mapped.client = connect6("::ffff:10.9.0.1");
	mapped.server = netns_accept(server, LONG_MS);
	assert_int_equal(netns_pass(six.client, six.server, LONG_MS), 0);
	assert_int_equal(netns_pass(mapped.client, mapped.server, LONG_MS), 0);
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	assert_int_not_equal(
	    netns_wait_error(six.client, LONG_MS, &took), ETIMEDOUT);
	assert_int_not_equal(
	    netns_wait_error(mapped.client, LONG_MS, &took), ETIMEDOUT);
	assert_int_equal(connect6("::1"), -1);
	part(six);
	part(mapped);
	close(server6);
}

/* More connections than one answer of the kernel holds. */
static void
test_close_many(void **state)
{
	enum { MANY = 400 };
	static struct pair p[MANY];
	struct error err;
	int64_t start, took;
	int i;

	open_for(20 * USEC_SEC);
	for (i = 0; i < MANY; i++)
		p[i] = join(i % 2 == 0, NETNS_HERE);
	start = netns_usec();
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	printf("close: %d connections in %lld us\n", MANY,
	    (long long)(netns_usec() - start));
	for (i = 0; i < MANY; i++) {
		assert_int_not_equal(
		    netns_wait_error(p[i].client, LONG_MS, &took), ETIMEDOUT);
		part(p[i]);
	}
}

static void
test_renew_prolongs(void **state)
{
	struct pair far;
	struct error err;
	usec_t until, d = 0;
	int i;

	open_for(200 * USEC_MSEC);
	far = join(true, NETNS_HERE);
	for (i = 0; i < 6; i++) {
		netns_until(netns_usec() + 70 * USEC_MSEC);
		d = after(200 * USEC_MSEC);
		assert_int_equal(fence_renew(fence, d, &err), FENCE_DONE);
		assert_int_equal(
		    netns_pass(far.client, far.server, LONG_MS), 0);
	}
	/* Shorter works as well. */
	d = after(60 * USEC_MSEC);
	assert_int_equal(fence_renew(fence, d, &err), FENCE_DONE);
	assert_int_equal(fence_look(fence, &until), ANS_YES);
	assert_true(until <= d);
	netns_until(d);
	assert_shut();
	part(far);
}

static void
test_renew_never_revives(void **state)
{
	struct error err;
	usec_t until;

	open_for(100 * USEC_MSEC);
	netns_until(after(100 * USEC_MSEC));
	assert_int_equal(
	    fence_renew(fence, after(USEC_SEC), &err), FENCE_EXPIRED);
	assert_int_equal(fence_look(fence, &until), ANS_NO);
	assert_shut();
	assert_int_equal(
	    fence_renew(fence, after(USEC_SEC), &err), FENCE_EXPIRED);
	assert_int_equal(fence_renew(fence, USEC_NEVER, &err), FENCE_EXPIRED);
	assert_shut();
	/* What is asked for is what was refused: an opening. */
	open_for(USEC_SEC);
	part(join(true, NETNS_HERE));
}

/* The kernel itself refuses, whatever we believe. */
static void
test_kernel_refuses_revival(void **state)
{
	struct error err;

	open_for(100 * USEC_MSEC);
	netns_until(after(110 * USEC_MSEC));
	fence->allowed.end = USEC_NEVER;
	fence->allowed.wall = USEC_NEVER;
	assert_int_equal(
	    fence_renew(fence, after(USEC_SEC), &err), FENCE_EXPIRED);
	assert_shut();
}

static void
test_open_after_over(void **state)
{
	int i;

	for (i = 0; i < 10; i++) {
		open_for(60 * USEC_MSEC);
		netns_until(after(60 * USEC_MSEC));
		open_for(USEC_SEC);
		part(join(true, NETNS_HERE));
		open_for(50 * USEC_MSEC);
		netns_until(after(50 * USEC_MSEC));
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
	    fence_open_at(fence, now.raw + 2 * USEC_SEC, &now, &err),
	    FENCE_LATE);
	assert_shut();
	open_for(USEC_SEC);
	assert_int_equal(
	    fence_renew_at(fence, now.raw + 2 * USEC_SEC, &now, &err),
	    FENCE_LATE);
	assert_shut();
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
	fence_free(fence);
	fence = NULL;
	nl_begin(&nl);
	elem_add(&nl, FENCE_WRITERS, PORT, 1800 * USEC_MSEC);
	rules_add_wall(&nl, clock_now().wall - USEC_SEC);
	assert_int_equal(nl_commit(&nl), 0);
	assert_shut();
	assert_int_equal(elem_look(&nl, FENCE_WRITERS, PORT, &life), ANS_YES);
	/* The next engine does not take it for an open one. */
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	assert_non_null(fence);
	assert_int_equal(fence_look(fence, &until), ANS_NO);
	assert_int_equal(
	    fence_renew(fence, after(USEC_SEC), &err), FENCE_EXPIRED);
	assert_shut();
	nl_close(&nl);
}

static void
test_too_near(void **state)
{
	struct error err;

	assert_int_equal(
	    fence_open(fence, after(5 * USEC_MSEC), &err), FENCE_LATE);
	assert_int_equal(fence_open(fence, after(-USEC_SEC), &err), FENCE_LATE);
	assert_shut();
	open_for(USEC_SEC);
	assert_int_equal(
	    fence_open(fence, after(5 * USEC_MSEC), &err), FENCE_LATE);
	assert_shut();
}

static void
test_never_and_back(void **state)
{
	struct pair far;
	struct error err;
	usec_t until;

	assert_int_equal(fence_open(fence, USEC_NEVER, &err), FENCE_DONE);
	far = join(true, NETNS_HERE);
	assert_int_equal(fence_look(fence, &until), ANS_YES);
	assert_true(until == USEC_NEVER);
	assert_int_equal(
	    netns_try("nft list chain inet hawatch wall | grep -qw accept"), 0);
	assert_int_equal(
	    netns_try("! nft list chain inet hawatch wall | grep -q time"), 0);
	assert_int_equal(fence_renew(fence, after(USEC_SEC), &err), FENCE_DONE);
	assert_int_equal(fence_look(fence, &until), ANS_YES);
	assert_true(until < after(USEC_SEC));
	assert_int_equal(
	    netns_try(
		"nft list chain inet hawatch wall | grep -q 'meta time <'"),
	    0);
	assert_int_equal(fence_renew(fence, USEC_NEVER, &err), FENCE_DONE);
	assert_int_equal(fence_look(fence, &until), ANS_YES);
	assert_true(until == USEC_NEVER);
	assert_int_equal(fence_table(fence), ANS_YES);
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	assert_shut();
	part(far);
}

static void
test_readers(void **state)
{
	struct error err;
	struct pair far;
	usec_t until;

	assert_int_equal(
	    fence_readers(fence, 200 * USEC_MSEC, &err), FENCE_DONE);
	assert_int_equal(fence_look(fence, &until), ANS_NO);
	far = join(true, NETNS_HERE);
	assert_int_equal(
	    fence_readers(fence, 300 * USEC_MSEC, &err), FENCE_DONE);
	assert_int_equal(fence_table(fence), ANS_YES);
	netns_until(after(200 * USEC_MSEC));
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	netns_until(after(110 * USEC_MSEC));
	assert_shut();
	assert_int_equal(fence_readers(fence, USEC_SEC, &err), FENCE_DONE);
	part(join(true, NETNS_HERE));
	assert_int_equal(fence_readers(fence, 0, &err), FENCE_DONE);
	assert_shut();
	assert_int_equal(fence_readers(fence, 0, &err), FENCE_DONE);
	assert_int_equal(fence_readers(fence, USEC_SEC, &err), FENCE_DONE);
	assert_int_equal(fence_close(fence, &err), FENCE_DONE);
	assert_shut();
	part(far);
}

/* An upgrade of the engine: nobody notices. */
static void
test_restart_keeps(void **state)
{
	struct error err;
	struct pair far;
	usec_t before, until;

	open_for(USEC_SEC);
	assert_int_equal(fence_readers(fence, USEC_SEC, &err), FENCE_DONE);
	assert_int_equal(fence_look(fence, &before), ANS_YES);
	far = join(true, NETNS_HERE);
	fence_free(fence);
	fence = NULL;
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	assert_non_null(fence);
	assert_int_equal(fence_look(fence, &until), ANS_YES);
	assert_true(
	    until < before + 20 * USEC_MSEC && until > before - 20 * USEC_MSEC);
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	assert_int_equal(fence_table(fence), ANS_YES);
	assert_int_equal(
	    fence_renew(fence, after(2 * USEC_SEC), &err), FENCE_DONE);
	assert_int_equal(netns_pass(far.client, far.server, LONG_MS), 0);
	part(far);
}

static void
test_other_table_is_replaced(void **state)
{
	struct error err;

	open_for(5 * USEC_SEC);
	fence_free(fence);
	fence = NULL;
	netns_run("nft insert rule inet hawatch gate accept");
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	assert_non_null(fence);
	assert_shut();
	assert_int_equal(
	    netns_try("nft list table inet hawatch | diff -u " FENCE_TEXT " -"),
	    0);
	fence_free(fence);
	fence = NULL;
	netns_run("nft add element inet hawatch writers { 80 }");
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	assert_non_null(fence);
	assert_int_equal(
	    netns_try("nft list table inet hawatch | diff -u " FENCE_TEXT " -"),
	    0);
}

static void
test_boot_table(void **state)
{
	struct error err;

	open_for(5 * USEC_SEC);
	fence_free(fence);
	fence = NULL;
	assert_int_equal(fence_install_closed(PORT, &err), 0);
	assert_shut();
	netns_run("nft flush ruleset");
	assert_int_equal(fence_install_closed(PORT, &err), 0);
	assert_shut();
	fence = fence_new(loop, PORT, ignore_lost, NULL, &err);
	assert_non_null(fence);
	assert_int_equal(fence_table(fence), ANS_YES);
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
	struct pair far;
	struct error err;
	int64_t start;
	size_t i, n = sizeof(took) / sizeof(took[0]);

	open_for(2 * USEC_SEC);
	far = join(true, NETNS_HERE);
	for (i = 0; i < n; i++) {
		start = netns_usec();
		assert_int_equal(
		    fence_renew(fence, after(2 * USEC_SEC), &err), FENCE_DONE);
		took[i] = netns_usec() - start;
		if (i % 10 == 0)
			assert_int_equal(
			    netns_pass(far.client, far.server, LONG_MS), 0);
	}
	part(far);
	qsort(took, n, sizeof(took[0]), cmp);
	printf("renew: p50 %lld us, p99 %lld us, max %lld us\n",
	    (long long)took[n / 2], (long long)took[n / 100 * 99],
	    (long long)took[n - 1]);
	assert_true(took[n / 2] < 5000);
}

/* Who comes is refused, wherever from; who is there goes on; and it ends by
 * itself, or when it is told to. */
static void
test_turned_away(void **state)
{
	struct error err;
	struct pair p;

	open_for(LONG_MS * USEC_MSEC);
	p = join(true, NETNS_HERE);
	assert_int_equal(
	    fence_turn_away(PORT, LONG_MS * USEC_MSEC, &err), 0);
	assert_shut();
	assert_int_equal(netns_pass(p.client, p.server, LONG_MS), 0);
	assert_int_equal(netns_pass(p.server, p.client, LONG_MS), 0);
	assert_int_equal(fence_table(fence), ANS_YES);
	assert_int_equal(fence_turn_away(PORT, 0, &err), 0);
	assert_int_not_equal(
	    netns_try("nft list table inet hawatch-turn 2>&1"), 0);
	part(p);
	part(join(false, NETNS_HERE));

	assert_int_equal(
	    fence_turn_away(PORT, SHORT_MS * USEC_MSEC, &err), 0);
	assert_shut();
	usleep(2 * SHORT_MS * 1000);
	part(join(true, NETNS_HERE));
	part(join(false, "127.0.0.1"));
	assert_int_equal(fence_turn_away(PORT, 0, &err), 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_new_is_shut),
		T(test_same_as_text),
		T(test_text_is_adopted),
		T(test_open_and_over),
		T(test_reply_in_flight),
		T(test_waiting_is_told),
		T(test_statement_is_reset),
		T(test_close_destroys),
		T(test_ipv6),
		T(test_close_many),
		T(test_renew_prolongs),
		T(test_renew_never_revives),
		T(test_kernel_refuses_revival),
		T(test_open_after_over),
		T(test_old_clock_opens_nothing),
		T(test_wall_alone_shuts),
		T(test_too_near),
		T(test_never_and_back),
		T(test_readers),
		T(test_restart_keeps),
		T(test_other_table_is_replaced),
		T(test_boot_table),
		T(test_renew_is_quick),
		T(test_turned_away),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
