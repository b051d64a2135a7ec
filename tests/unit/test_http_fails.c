/*
 * Calls to peers over mutual TLS: every way to fail, what each is called, and
 * whether the request may have left.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "httprun.h"

static void
test_answer_too_long(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/big");

	hr_ask(f, &req);
	hr_expect_failure(f, "too-long", true);
	hr_ask_path(f, "/headers");
	hr_expect_failure(f, "too-long", true);
	req = hr_request(f, "/echo");
	req.answer_max = 2;
	hr_ask(f, &req);
	assert_int_equal(f->status, 200);
	req.answer_max = 1;
	hr_ask(f, &req);
	hr_expect_failure(f, "too-long", true);
}

static void
test_refused(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/echo");

	httptest_free(f->server);
	f->server = NULL;
	hr_ask(f, &req);
	hr_expect_failure(f, "connect-refused", false);
	assert_string_not_equal(f->message, "");
	req.address = "::1";
	hr_ask(f, &req);
	hr_expect_failure(f, "connect-refused", false);
}

static void
test_no_answer(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/hold");
	usec_t start = clock_now().raw;

	req.deadline = 200 * USEC_MSEC;
	hr_ask(f, &req);
	hr_expect_failure(f, "timeout", true);
	assert_in_range(f->took_at - start, 199 * USEC_MSEC, 500 * USEC_MSEC);
	/* Also on a kept connection. */
	hr_ask_path(f, "/echo");
	hr_ask(f, &req);
	hr_expect_failure(f, "timeout", true);
}

/* Accepts, by the kernel, and says nothing: the handshake hangs. */
static void
test_silent_server(void **state)
{
	struct httprun *f = *state;
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct http_request req = hr_request(f, "/echo");
	usec_t start = clock_now().raw;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(f->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(f->listener, 4), 0);
	assert_int_equal(
	    getsockname(f->listener, (struct sockaddr *)&sin, &len), 0);
	req.port = ntohs(sin.sin_port);
	req.deadline = 150 * USEC_MSEC;
	hr_ask(f, &req);
	hr_expect_failure(f, "connect-timeout", false);
	assert_in_range(f->took_at - start, 149 * USEC_MSEC, 450 * USEC_MSEC);
}

static void
test_wrong_name(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/echo");

	req.name = "prod-a1";
	hr_ask(f, &req);
	hr_expect_failure(f, "tls-name", false);
	assert_int_equal(httptest_requests(f->server), 0);
	/* And nothing of it spoils the right one. */
	hr_ask_path(f, "/echo");
	assert_int_equal(f->status, 200);
	/* A connection to the right name is not lent to another. */
	hr_ask(f, &req);
	hr_expect_failure(f, "tls-name", false);
}

static void
test_old_tls(void **state)
{
	struct httprun *f = *state;

	httptest_old_tls(f->server);
	hr_ask_path(f, "/echo");
	hr_expect_failure(f, "tls-failed", false);
}

static void
test_wrong_authority(void **state)
{
	struct httprun *f = *state;

	/* Theirs is by another authority. */
	httptest_free(f->server);
	f->server = httptest_new(f->loop, hr_pki, "other");
	hr_ask_path(f, "/echo");
	hr_expect_failure(f, "tls-name", false);
	/* Ours is: they see it after we have sent. */
	httptest_free(f->server);
	f->server = httptest_new(f->loop, hr_pki, "prod-s2");
	http_free(f->http);
	f->http = hr_client(f, "other");
	hr_ask_path(f, "/echo");
	assert_int_equal(f->status, 0);
	assert_true(f->sent);
	assert_true(strcmp(f->reason, "tls-failed") == 0 ||
		    strcmp(f->reason, "server-closed") == 0);
	assert_int_equal(httptest_requests(f->server), 0);
}

static void
test_closed_and_garbage(void **state)
{
	struct httprun *f = *state;

	hr_ask_path(f, "/close");
	hr_expect_failure(f, "server-closed", true);
	hr_ask_path(f, "/half");
	hr_expect_failure(f, "server-closed", true);
	hr_ask_path(f, "/noise");
	hr_expect_failure(f, "garbage", true);
	hr_ask_path(f, "/echo");
	assert_int_equal(f->status, 200);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, hr_setup, hr_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer_too_long),
		TEST(test_refused),
		TEST(test_no_answer),
		TEST(test_silent_server),
		TEST(test_wrong_name),
		TEST(test_old_tls),
		TEST(test_wrong_authority),
		TEST(test_closed_and_garbage),
	};

	return cmocka_run_group_tests(tests, hr_group_setup, hr_group_teardown);
}
