/*
 * What becomes of connections when the kernel lease ends or is given up, and
 * while those who come are turned away.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fencetest.h"

/* The client has asked and waits; the server answers after the end. */
static void
test_reply_in_flight(void **state)
{
	struct ft_pair far, near;
	usec_t d = ft_after(250 * USEC_MSEC);
	struct error err;

	assert_int_equal(fence_open(ft.fence, d, &err), FENCE_DONE);
	far = ft_join(true, NETNS_HERE);
	near = ft_join(false, NETNS_HERE);
	netns_until(d);
	assert_int_equal(
	    netns_pass(far.server, far.client, 3 * SHORT_MS), ETIMEDOUT);
	assert_int_equal(
	    netns_pass(near.server, near.client, 3 * SHORT_MS), ETIMEDOUT);
	/* Nor later, when it is open again. */
	ft_open_for(USEC_SEC);
	assert_int_not_equal(
	    netns_pass(far.server, far.client, 6 * SHORT_MS), 0);
	assert_int_not_equal(
	    netns_pass(near.server, near.client, 6 * SHORT_MS), 0);
	ft_part(far);
	ft_part(near);
}

/* A client that waits for an answer is told as soon as the engine, which may
 * have been stopped at the end, closes what is closed: it would never find out
 * by itself. */
static void
test_waiting_is_told(void **state)
{
	struct ft_pair far, near;
	usec_t d = ft_after(250 * USEC_MSEC);
	struct error err;
	int64_t took;

	assert_int_equal(fence_open(ft.fence, d, &err), FENCE_DONE);
	far = ft_join(true, NETNS_HERE);
	near = ft_join(false, NETNS_HERE);
	netns_until(d);
	assert_int_equal(
	    netns_pass(far.server, far.client, SHORT_MS), ETIMEDOUT);
	assert_int_equal(
	    netns_pass(near.server, near.client, SHORT_MS), ETIMEDOUT);
	assert_int_equal(fence_close(ft.fence, &err), FENCE_DONE);
	assert_int_equal(
	    netns_wait_error(far.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_not_equal(
	    netns_wait_error(near.client, LONG_MS, &took), ETIMEDOUT);
	ft_part(far);
	ft_part(near);
}

/* A client that sends after the end is told at once. */
static void
test_statement_is_reset(void **state)
{
	struct ft_pair far, near;
	int64_t took;
	usec_t d = ft_after(250 * USEC_MSEC);
	struct error err;

	assert_int_equal(fence_open(ft.fence, d, &err), FENCE_DONE);
	far = ft_join(true, NETNS_HERE);
	near = ft_join(false, NETNS_HERE);
	netns_until(d);
	assert_int_equal(write(far.client, "x", 1), 1);
	assert_int_equal(
	    netns_wait_error(far.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_equal(write(near.client, "x", 1), 1);
	assert_int_equal(
	    netns_wait_error(near.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	ft_part(far);
	ft_part(near);
}

/* A client that is blocked in reading is told when the fence is closed. */
static void
test_close_destroys(void **state)
{
	struct ft_pair far, near, out;
	struct error err;
	int64_t took;
	int other = netns_listen(true, PORT);

	ft_open_for(5 * USEC_SEC);
	far = ft_join(true, NETNS_HERE);
	near = ft_join(false, NETNS_HERE);
	/* Like a standby's own connection to the other host's primary. */
	out.client = netns_connect(false, NETNS_THERE, PORT, NULL);
	out.server = netns_accept(other, LONG_MS);
	assert_int_equal(fence_close(ft.fence, &err), FENCE_DONE);
	assert_int_equal(
	    netns_wait_error(far.client, LONG_MS, &took), ECONNRESET);
	assert_in_range(took, 0, AT_ONCE);
	/* Whichever end was destroyed first. */
	assert_int_not_equal(
	    netns_wait_error(near.client, LONG_MS, &took), ETIMEDOUT);
	assert_in_range(took, 0, AT_ONCE);
	assert_int_equal(netns_pass(out.client, out.server, LONG_MS), 0);
	assert_int_equal(netns_pass(out.server, out.client, LONG_MS), 0);
	ft_shut();
	ft_part(far);
	ft_part(near);
	ft_part(out);
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
	struct ft_pair six, mapped;
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
	ft_open_for(5 * USEC_SEC);
	six.client = connect6("::1");
	six.server = netns_accept(server6, LONG_MS);
	mapped.client = connect6("::ffff:10.9.0.1");
	mapped.server = netns_accept(ft.server, LONG_MS);
	assert_int_equal(netns_pass(six.client, six.server, LONG_MS), 0);
	assert_int_equal(netns_pass(mapped.client, mapped.server, LONG_MS), 0);
	assert_int_equal(fence_close(ft.fence, &err), FENCE_DONE);
	assert_int_not_equal(
	    netns_wait_error(six.client, LONG_MS, &took), ETIMEDOUT);
	assert_int_not_equal(
	    netns_wait_error(mapped.client, LONG_MS, &took), ETIMEDOUT);
	assert_int_equal(connect6("::1"), -1);
	ft_part(six);
	ft_part(mapped);
	close(server6);
}

/* More connections than one answer of the kernel holds. */
static void
test_close_many(void **state)
{
	enum { MANY = 400 };
	static struct ft_pair p[MANY];
	struct error err;
	int64_t start, took;
	int i;

	ft_open_for(20 * USEC_SEC);
	for (i = 0; i < MANY; i++)
		p[i] = ft_join(i % 2 == 0, NETNS_HERE);
	start = netns_usec();
	assert_int_equal(fence_close(ft.fence, &err), FENCE_DONE);
	printf("close: %d connections in %lld us\n", MANY,
	    (long long)(netns_usec() - start));
	for (i = 0; i < MANY; i++) {
		assert_int_not_equal(
		    netns_wait_error(p[i].client, LONG_MS, &took), ETIMEDOUT);
		ft_part(p[i]);
	}
}

/* Who comes is refused, wherever from; who is there goes on; and it ends by
 * itself, or when it is told to. */
static void
test_turned_away(void **state)
{
	struct error err;
	struct ft_pair p;

	ft_open_for(LONG_MS * USEC_MSEC);
	p = ft_join(true, NETNS_HERE);
	assert_int_equal(fence_turn_away(PORT, LONG_MS * USEC_MSEC, &err), 0);
	ft_shut();
	assert_int_equal(netns_pass(p.client, p.server, LONG_MS), 0);
	assert_int_equal(netns_pass(p.server, p.client, LONG_MS), 0);
	assert_int_equal(fence_table(ft.fence), ANS_YES);
	assert_int_equal(fence_turn_away(PORT, 0, &err), 0);
	assert_int_not_equal(
	    netns_try("nft list table inet hawatch-turn 2>&1"), 0);
	ft_part(p);
	ft_part(ft_join(false, NETNS_HERE));

	assert_int_equal(fence_turn_away(PORT, SHORT_MS * USEC_MSEC, &err), 0);
	ft_shut();
	usleep(2 * SHORT_MS * 1000);
	ft_part(ft_join(true, NETNS_HERE));
	ft_part(ft_join(false, "127.0.0.1"));
	assert_int_equal(fence_turn_away(PORT, 0, &err), 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, ft_setup, ft_teardown)
	const struct CMUnitTest tests[] = {
		T(test_reply_in_flight),
		T(test_waiting_is_told),
		T(test_statement_is_reset),
		T(test_close_destroys),
		T(test_ipv6),
		T(test_close_many),
		T(test_turned_away),
	};

	return cmocka_run_group_tests(tests, ft_group_setup, ft_group_teardown);
}
