/*
 * The asynchronous PostgreSQL connection against programs that are none, and
 * against a socket that nobody serves.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "pgcrun.h"

static void
fake_write(struct pgcrun *f, const void *data, size_t len)
{
	(void)!send(f->peer, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
fake_close(struct pgcrun *f)
{
	watch_free(f->reads);
	f->reads = NULL;
	close(f->peer);
	f->peer = -1;
}

/* AuthenticationOk, BackendKeyData, ReadyForQuery. */
static const char fake_ready[] = "R\0\0\0\10\0\0\0\0"
				 "K\0\0\0\14\0\0\0\1\0\0\0\2"
				 "Z\0\0\0\5I";

static void
fake_asked(struct pgcrun *f)
{
	static const char row[] = "T\0\0\0\33\0\1?\0\0\0\0\0\0\0\0\0\0\31"
				  "\377\377\377\377\377\377\0\0D\0\0\0\20\0";
	static const char huge[] = "D\177\377\377\377\0\1";
	char noise[4096];
	size_t i;

	switch (f->fake) {
	case FAKE_HALF_ROW:
		fake_write(f, row, sizeof(row) - 1);
		fake_close(f);
		break;
	case FAKE_NOISE:
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (char)(i * 7 + 13);
		fake_write(f, noise, sizeof(noise));
		break;
	case FAKE_HUGE:
		fake_write(f, row, 28);
		fake_write(f, huge, sizeof(huge) - 1);
		break;
	case FAKE_CLOSE_ASKED:
		fake_close(f);
		break;
	case FAKE_FLOOD:
		memset(noise, 0, sizeof(noise));
		for (i = 0; i + 6 < sizeof(noise); i += 7)
			memcpy(noise + i, "D\0\0\0\6\0", 7);
		for (i = 0; i < 20; i++)
			fake_write(f, noise, 4095);
		break;
	case FAKE_HTTP:
	case FAKE_CLOSE:
	case FAKE_SILENT:
		break;
	}
}

static void
on_fake_reads(void *arg, int what)
{
	struct pgcrun *f = arg;
	char buf[4096];

	if (recv(f->peer, buf, sizeof(buf), MSG_DONTWAIT) <= 0) {
		fake_close(f);
		return;
	}
	if (f->fake == FAKE_SILENT)
		return;
	if (f->fake == FAKE_HTTP) {
		static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

		fake_write(f, text, sizeof(text) - 1);
	} else if (f->messages++ == 0) {
		fake_write(f, fake_ready, sizeof(fake_ready) - 1);
	} else {
		fake_asked(f);
	}
}

static void
on_fake_accepts(void *arg, int what)
{
	struct pgcrun *f = arg;

	if (f->peer != -1)
		fake_close(f);
	f->peer = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(f->peer, -1);
	f->messages = 0;
	f->reads = watch_new(f->loop, f->peer, WATCH_READ, on_fake_reads, f);
	if (f->fake == FAKE_CLOSE)
		fake_close(f);
}

static void
fake_start(struct pgcrun *f, enum fake fake)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	f->fake = fake;
	if (f->listener == -1) {
		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    bind(f->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
		assert_int_equal(listen(f->listener, 8), 0);
		assert_int_equal(
		    getsockname(f->listener, (struct sockaddr *)&sin, &len), 0);
		f->port = ntohs(sin.sin_port);
		f->accepts = watch_new(
		    f->loop, f->listener, WATCH_READ, on_fake_accepts, f);
	}
	pr_connect_to(f, (struct pgc_conf){ .hostaddr = "127.0.0.1",
			     .port = f->port,
			     .sslmode = f->sslmode });
	pr_ask(f, "SELECT 1", 300 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_int_equal(f->rows, 0);
	assert_int_equal(pgc_backend(f->c), 0);
}

static void
test_not_postgresql(void **state)
{
	struct pgcrun *f = *state;

	pr_on_tick(f);
	f->sslmode = "disable";
	fake_start(f, FAKE_HTTP);
	assert_string_equal(f->reason, "garbage");
	fake_start(f, FAKE_CLOSE);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_SILENT);
	assert_string_equal(f->reason, "timeout");
	fake_start(f, FAKE_HALF_ROW);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_NOISE);
	assert_string_equal(f->reason, "garbage");
	fake_start(f, FAKE_HUGE);
	fake_start(f, FAKE_CLOSE_ASKED);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_FLOOD);
	/* The same in the negotiation of TLS. */
	f->sslmode = "prefer";
	fake_start(f, FAKE_HTTP);
	assert_string_equal(f->reason, "garbage");
	fake_start(f, FAKE_CLOSE);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_SILENT);
	assert_string_equal(f->reason, "timeout");
	assert_true(f->gap < 120 * USEC_MSEC);
}

/* The queue of a stopped server on a Unix socket is full. */
static void
test_full_backlog(void **state)
{
	struct pgcrun *f = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/pgc.XXXXXX";
	int fd[4], i;

	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/.s.PGSQL.1", dir);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(f->listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(f->listener, 0), 0);
	for (i = 0; i < 4; i++) {
		fd[i] = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fd[i], (struct sockaddr *)&sun, sizeof(sun));
	}
	pr_connect_to(f, (struct pgc_conf){ .host = dir, .port = 1 });
	pr_ask(f, "SELECT 1", 100 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "connect-full");
	for (i = 0; i < 4; i++)
		close(fd[i]);
	unlink(sun.sun_path);
	rmdir(dir);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, pr_setup, pr_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_not_postgresql),
		TEST(test_full_backlog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
