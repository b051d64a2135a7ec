/*
 * Calls to peers over mutual TLS: answers, connections that are kept, calls
 * beside each other, called off, and begun where others end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "httprun.h"

static void
test_answer(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/echo");

	req.body = "{\"a\":1}";
	req.body_len = 7;
	hr_ask(f, &req);
	assert_int_equal(f->status, 200);
	assert_string_equal(f->reason, "ok");
	assert_string_equal(f->body, "{\"a\":1}");
	assert_int_equal(f->len, 7);
	assert_true(f->sent);
	hr_ask_path(f, "/nothing");
	assert_int_equal(f->status, 404);
	assert_string_equal(f->reason, "ok");
	req.body = NULL;
	req.body_len = 0;
	hr_ask(f, &req);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->len, 0);
}

static void
test_connection_is_kept(void **state)
{
	struct httprun *f = *state;
	int i;

	for (i = 0; i < 10; i++)
		hr_ask_path(f, "/echo");
	assert_int_equal(httptest_accepted(f->server), 1);
	assert_int_equal(httptest_requests(f->server), 10);
}

/* A long poll, and three calls that overtake it. */
static void
test_calls_do_not_queue(void **state)
{
	struct httprun *f = *state;
	struct http_call *hold = hr_post(f, "/hold", 30 * USEC_SEC);
	int i;

	f->stop_after = 6;
	for (i = 0; i < 6; i++)
		hr_post(f, "/later", 20 * USEC_SEC);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 6);
	assert_int_equal(f->status, 200);
	assert_int_equal(httptest_accepted(f->server), 7);
	/* The freed connections serve the next ones. */
	hr_ask_path(f, "/echo");
	assert_int_equal(httptest_accepted(f->server), 7);
	http_cancel(hold);
	hr_ask_path(f, "/echo");
	assert_int_equal(f->done, 1);
}

static void
test_large_request(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/echo");
	size_t len = 300000;
	char *body = malloc(len);

	memset(body, 'x', len);
	req.body = body;
	req.body_len = len;
	req.answer_max = len;
	hr_ask(f, &req);
	free(body);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->len, len);
}

/* The peer has closed the kept connection: a new one serves. */
static void
test_stale_connection(void **state)
{
	struct httprun *f = *state;

	hr_ask_path(f, "/stale");
	assert_int_equal(f->status, 200);
	hr_wait_count(f, httptest_open, 0);
	hr_ask_path(f, "/echo");
	assert_int_equal(f->status, 200);
	assert_int_equal(httptest_accepted(f->server), 2);
}

static void
test_cancel(void **state)
{
	struct httprun *f = *state;
	struct http_call *call;

	call = hr_post(f, "/echo", USEC_SEC);
	http_cancel(call);
	call = hr_post(f, "/hold", 10 * USEC_SEC);
	hr_wait_count(f, httptest_requests, 1);
	http_cancel(call);
	hr_wait_count(f, httptest_open, 0);
	hr_run_for(f, 20 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	/* From within a done: itself, and another. */
	f->other = hr_post(f, "/hold", 10 * USEC_SEC);
	f->cancel_in_done = true;
	hr_ask_path(f, "/echo");
	hr_run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 1);
}

static void
test_done_may_call_and_free(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/echo");
	struct error err;

	f->again_in_done = true;
	f->free_in_done = true;
	hr_post(f, "/hold", 10 * USEC_SEC);
	f->stop_after = 2;
	assert_non_null(http_post(f->http, &req, hr_on_done, f, &err));
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 2);
	assert_string_equal(f->body, "again");
	assert_null(f->http);
	hr_run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 2);
}

static void
test_bad_arguments(void **state)
{
	struct httprun *f = *state;
	struct http_request req = hr_request(f, "/echo");
	struct error err;

	req.address = "localhost";
	assert_null(http_post(f->http, &req, hr_on_done, f, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	req = hr_request(f, "/echo");
	req.deadline = 0;
	assert_null(http_post(f->http, &req, hr_on_done, f, &err));
	req = hr_request(f, "echo");
	assert_null(http_post(f->http, &req, hr_on_done, f, &err));
	assert_null(http_new(f->loop,
	    &(struct http_tls){ .ca = "/no/ca", .cert = "/no", .key = "/no" },
	    &err));
	assert_non_null(strstr(err.msg, "/no/ca"));
}

/* The environment of a shell must not send peers' calls elsewhere. */
static void
test_no_proxy_of_the_environment(void **state)
{
	struct httprun *f = *state;

	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	hr_ask_path(f, "/echo");
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(f->status, 200);
}

static void
test_idle_costs_nothing(void **state)
{
	struct httprun *f = *state;
	struct rusage a, b;
	usec_t cpu;

	hr_ask_path(f, "/echo");
	hr_post(f, "/hold", 30 * USEC_SEC);
	hr_wait_count(f, httptest_requests, 2);
	f->rounds = 0;
	getrusage(RUSAGE_SELF, &a);
	hr_run_for(f, 200 * USEC_MSEC);
	getrusage(RUSAGE_SELF, &b);
	cpu = (b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec -
		  a.ru_stime.tv_sec) *
		  USEC_SEC +
	      b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
	      a.ru_stime.tv_usec;
	assert_true(f->rounds <= 5);
	assert_true(cpu < 50 * USEC_MSEC);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, hr_setup, hr_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer),
		TEST(test_connection_is_kept),
		TEST(test_calls_do_not_queue),
		TEST(test_large_request),
		TEST(test_stale_connection),
		TEST(test_cancel),
		TEST(test_done_may_call_and_free),
		TEST(test_bad_arguments),
		TEST(test_no_proxy_of_the_environment),
		TEST(test_idle_costs_nothing),
	};

	return cmocka_run_group_tests(tests, hr_group_setup, hr_group_teardown);
}
