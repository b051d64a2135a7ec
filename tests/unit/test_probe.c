/*
 * The real hawatch-probe against a real memcached that is up, stopped, gone;
 * against another program on its port, and one that drips.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "probetest.h"

static void
test_up_and_refused(void **state)
{
	struct probetest *f = *state;

	assert_int_equal(probe_pid(f->probe), 0);
	probetest_start(f, NULL);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
	assert_int_equal(f->last.pid, f->server);
	assert_true(f->last.limit > 0 && f->last.connections > 0);
	assert_true(f->last.gets == 1 && f->last.hits == 1);
	/* It has left nothing there. */
	assert_int_equal(f->last.items, 0);
	probetest_stop(f);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_NO, "connect-refused");
	/* And at once again when it is back: nothing calls it dead. */
	probetest_start(f, NULL);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
}

static void
test_frozen_server(void **state)
{
	struct probetest *f = *state;

	probetest_start(f, NULL);
	kill(f->server, SIGSTOP);
	f->done = 0;
	probetest_ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	probetest_wait(f, 1);
	probetest_expect(f, ANS_NO, "timeout");
	assert_in_range(f->took, 90 * USEC_MSEC, 450 * USEC_MSEC);
	kill(f->server, SIGCONT);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
}

/* libmemcached's timeouts begin anew with every byte. */
static void
drip(int fd)
{
	while (send(fd, "S", 1, 0) == 1)
		usleep(20000);
}

static void
test_dripping_server(void **state)
{
	struct probetest *f = *state;
	int pid;

	probetest_start_other(f, drip);
	f->done = 0;
	probetest_ask(f, PROBE_MEMCACHED, 300 * USEC_MSEC);
	pid = probe_pid(f->probe);
	probetest_wait(f, 1);
	probetest_expect(f, ANS_NO, "timeout");
	assert_in_range(f->took, 290 * USEC_MSEC, 500 * USEC_MSEC);
	/* That probe is dead, and the next one works. */
	probetest_stop(f);
	probetest_start(f, NULL);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_YES, "");
	assert_int_not_equal(probe_pid(f->probe), pid);
}

static void
speak_ssh(int fd)
{
	static const char text[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
	char buf[256];

	(void)!send(fd, text, sizeof(text) - 1, 0);
	(void)!recv(fd, buf, sizeof(buf), 0);
}

static void
speak_http(int fd)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	char buf[256];

	(void)!recv(fd, buf, sizeof(buf), 0);
	(void)!send(fd, text, sizeof(text) - 1, 0);
}

static void
hang_up(int fd)
{
	char buf[256];

	(void)!recv(fd, buf, sizeof(buf), 0);
}

static void
test_another_program(void **state)
{
	struct probetest *f = *state;

	probetest_start_other(f, speak_ssh);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_NO, "garbage");
	probetest_stop(f);
	probetest_start_other(f, speak_http);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_NO, "garbage");
	probetest_stop(f);
	probetest_start_other(f, hang_up);
	probetest_ask_once(f, PROBE_MEMCACHED);
	probetest_expect(f, ANS_NO, "server-closed");
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, probetest_setup, probetest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_refused),
		TEST(test_frozen_server),
		TEST(test_dripping_server),
		TEST(test_another_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
