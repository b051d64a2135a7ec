/*
 * A memcached is emptied by hawatch-probe, and it is found out when it was not.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "probetest.h"

static void
send_line(int port, const char *line, const char *answer)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buf[256];
	ssize_t n;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(
	    send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf, answer);
	close(fd);
}

static void
test_flush(void **state)
{
	struct probetest *f = *state;

	probetest_start(f, NULL);
	send_line(f->port, "set vote 0 0 3\r\nold\r\n", "STORED\r\n");
	probetest_ask_once(f, PROBE_MEMCACHED);
	assert_int_equal(f->last.items, 1);
	send_line(f->port, "get vote\r\n", "VALUE vote 0 3\r\nold\r\nEND\r\n");
	probetest_ask_once(f, PROBE_MEMCACHED_FLUSH);
	probetest_expect(f, ANS_YES, "");
	send_line(f->port, "get vote\r\n", "END\r\n");
}

/* Without CAS it judges by whole seconds: one flush would not be enough. */
static void
test_flush_without_cas(void **state)
{
	struct probetest *f = *state;

	probetest_start(f, "-C");
	send_line(f->port, "set vote 0 0 3\r\nold\r\n", "STORED\r\n");
	f->done = 0;
	probetest_ask(f, PROBE_MEMCACHED_FLUSH, 5 * USEC_SEC);
	probetest_wait(f, 1);
	probetest_expect(f, ANS_YES, "");
	send_line(f->port, "get vote\r\n", "END\r\n");
}

/* Says that it has flushed, and has not. */
static void
forget_nothing(int fd)
{
	char buf[1024], out[2048], key[300];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		buf[n] = '\0';
		if (sscanf(buf, "get %299s", key) == 1)
			snprintf(out, sizeof(out),
			    "VALUE %s 0 %zu\r\n%s\r\nEND\r\n", key, strlen(key),
			    key);
		else
			strcpy(out, buf[0] == 's' ? "STORED\r\n" : "OK\r\n");
		(void)!send(fd, out, strlen(out), 0);
	}
}

static void
test_flush_that_does_nothing(void **state)
{
	struct probetest *f = *state;

	probetest_start_other(f, forget_nothing);
	probetest_ask_once(f, PROBE_MEMCACHED_FLUSH);
	probetest_expect(f, ANS_NO, "not-flushed");
}

static void
test_flush_is_disabled(void **state)
{
	struct probetest *f = *state;

	probetest_start(f, "-F");
	probetest_ask_once(f, PROBE_MEMCACHED_FLUSH);
	assert_int_equal(f->ans[0], ANS_NO);
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, probetest_setup, probetest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flush),
		TEST(test_flush_without_cas),
		TEST(test_flush_that_does_nothing),
		TEST(test_flush_is_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
