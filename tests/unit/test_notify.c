/*
 * The word to the service manager, heard by a socket in its place.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/notify.h"

static int
manager(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	memcpy(sun.sun_path, name, strlen(name));
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
assert_heard(int fd, const char *words)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	assert_int_equal(n, (ssize_t)strlen(words));
	assert_memory_equal(buf, words, (size_t)n);
}

static void
test_path_and_abstract(void **state)
{
	char path[64], name[64];
	struct error err;
	int fd;

	snprintf(path, sizeof(path), "/tmp/hawatch-notify.%d", (int)getpid());
	fd = manager(path);
	assert_int_equal(notify_send("READY=1", &err), 0);
	assert_heard(fd, "READY=1");
	close(fd);
	unlink(path);
	assert_int_equal(notify_send("READY=1", &err), -1);
	assert_non_null(strstr(err.msg, path));
	snprintf(name, sizeof(name), "@hawatch-notify.%d", (int)getpid());
	fd = manager(name);
	assert_int_equal(notify_send("WATCHDOG=1", &err), 0);
	assert_heard(fd, "WATCHDOG=1");
	close(fd);
}

static void
test_nobody_listens(void **state)
{
	struct error err;

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1", &err), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_send("READY=1", &err), -1);
}

/* A manager that does not read must not stop us. */
static void
test_full(void **state)
{
	char name[64];
	struct error err;
	int i, fd, r = 0;

	snprintf(name, sizeof(name), "@hawatch-notify.%d", (int)getpid());
	fd = manager(name);
	for (i = 0; i < 100000 && r == 0; i++)
		r = notify_send("WATCHDOG=1", &err);
	assert_int_equal(r, -1);
	close(fd);
}

static void
test_watchdog(void **state)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog(), 0);
	setenv("WATCHDOG_USEC", "10000000", 1);
	assert_int_equal(notify_watchdog(), 10 * USEC_SEC);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog(), 10 * USEC_SEC);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_and_abstract),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
