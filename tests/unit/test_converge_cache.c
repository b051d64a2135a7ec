/*
 * A real memcached that is emptied once for each change of roles; and what was
 * given up, tried again each minute.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "convtest.h"
#include "hawatch/loop.h"
#include "probetest.h"

struct fixture {
	struct convtest t;
	int port;
	pid_t pid;
};

/* A socket that is connected to the memcached, or -1. */
static int
dial(const struct fixture *f)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)f->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
say(const struct fixture *f, const char *text, const char *want)
{
	char answer[200];
	int fd = dial(f);
	ssize_t n;

	assert_true(fd >= 0);
	n = (ssize_t)strlen(text);
	assert_int_equal(write(fd, text, (size_t)n), n);
	n = read(fd, answer, sizeof(answer) - 1);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_string_equal(answer, want);
	close(fd);
}

static void
serve(struct fixture *f)
{
	int i, fd = -1;

	f->pid = probetest_memcached(f->port, NULL);
	assert_int_not_equal(f->pid, -1);
	for (i = 0; i < 500 && fd == -1; i++) {
		conv_turn(&f->t, 10 * USEC_MSEC);
		fd = dial(f);
	}
	assert_true(fd >= 0);
	close(fd);
}

static void
end(struct fixture *f)
{
	kill(f->pid, SIGKILL);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	f->pid = 0;
}

static bool
holds(struct convtest *t)
{
	return conv_state(t, "cache").holds == ANS_YES;
}

static void
test_cache(void **state)
{
	struct fixture f = { .port = probetest_port(NULL) };
	struct conf_item *item;

	conv_open(&f.t);
	f.t.want_probe = true;
	item = conv_item(&f.t, "cache", ITEM_CACHE);
	item->address = "127.0.0.1";
	item->port = f.port;
	item->primary = "yes";
	item->timeout = 400 * USEC_MSEC;
	conv_restart(&f.t);
	serve(&f);
	say(&f, "set k 0 0 1\r\nx\r\n", "STORED\r\n");
	/* Left alone on a standby, and by a look. */
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_OTHER, 7), ANS_YES);
	converge_expect(f.t.c, CONV_SELF, 8);
	assert_true(conv_wait(&f.t, holds));
	say(&f, "get k\r\n", "VALUE k 0 1\r\nx\r\nEND\r\n");
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 8), ANS_YES);
	assert_true(holds(&f.t));
	say(&f, "get k\r\n", "END\r\n");
	assert_int_equal(conv_count(&f.t, "events", "item=cache"), 1);
	/* Once for an epoch. */
	say(&f, "set k 0 0 1\r\nx\r\n", "STORED\r\n");
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 8), ANS_YES);
	say(&f, "get k\r\n", "VALUE k 0 1\r\nx\r\nEND\r\n");
	/* Given up while it is gone, then made without being asked again. */
	kill(f.pid, SIGSTOP);
	converge_expect(f.t.c, CONV_SELF, 9);
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 9), ANS_YES);
	assert_false(holds(&f.t));
	assert_int_equal(converge_drift(f.t.c), 1);
	kill(f.pid, SIGCONT);
	converge_look(f.t.c);
	assert_true(conv_wait(&f.t, holds));
	say(&f, "get k\r\n", "END\r\n");
	end(&f);
	conv_close(&f.t);
}

static bool
line_holds(struct convtest *t)
{
	return conv_state(t, "a-host").holds == ANS_YES &&
	       conv_count(t, "log", "app") > 0;
}

static bool
looked(struct convtest *t)
{
	return conv_state(t, "a-host").seen_at > 0;
}

static bool
drifted(struct convtest *t)
{
	return converge_drift(t->c) == 1;
}

/* Only for the epoch that is expected, and told once. */
static void
test_retry(void **state)
{
	struct convtest t;
	usec_t since;

	conv_open(&t);
	conv_write(&t, "a.conf", "x\n");
	conv_line(&t, "a-host", "a.conf", "host")->timeout = 200 * USEC_MSEC;
	conv_on(conv_service(&t, "app", "a.conf"), "a-host");
	conv_restart(&t);
	converge_expect(t.c, CONV_SELF, 7);
	assert_true(conv_wait(&t, looked));
	conv_write(&t, "a.conf", "host=?\n");
	converge_look(t.c);
	conv_turn(&t, 300 * USEC_MSEC);
	/* A look changes nothing. */
	conv_expect(&t, "a.conf", "host=?\n");
	conv_write(&t, "a.conf", "x\n");
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	converge_look(t.c);
	conv_turn(&t, 500 * USEC_MSEC);
	assert_int_equal(conv_count(&t, "events", "ev=converge.failed"), 1);
	assert_int_equal(conv_count(&t, "events", "ev=converge.drift"), 1);
	conv_write(&t, "a.conf", "host=?\n");
	converge_look(t.c);
	assert_true(conv_wait(&t, line_holds));
	conv_expect(&t, "a.conf", "host=primary\n");
	conv_expect(&t, "log", "app\n");
	while (converge_doing(t.c, &since) != NULL)
		conv_turn(&t, 10 * USEC_MSEC);
	/* Somebody undoes it: that is drift, and no longer a takeover's. */
	conv_write(&t, "a.conf", "host=?\n");
	converge_look(t.c);
	assert_true(conv_wait(&t, drifted));
	conv_expect(&t, "a.conf", "host=?\n");
	assert_string_equal(conv_state(&t, "a-host").reason, "line 1 differs");
	conv_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
