/*
 * Calls to peers over mutual TLS: the ways to succeed, every way to fail, and
 * whether the request may have left.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "httptest.h"

struct fixture {
	struct loop *loop;
	struct http *http;
	struct httptest *server;
	struct timer *timer;
	struct http_call *call, *other;
	int done, stop_after, rounds, status;
	char reason[64], message[300], body[4096];
	size_t len;
	bool sent, free_in_done, again_in_done, cancel_in_done;
	usec_t took_at;
	int listener;
};

static char pki[64];

static struct http *
client(struct fixture *f, const char *cert)
{
	char ca[100], crt[100], key[100];
	struct error err;
	struct http *http;

	snprintf(ca, sizeof(ca), "%s/ca.crt", pki);
	snprintf(crt, sizeof(crt), "%s/%s.crt", pki, cert);
	snprintf(key, sizeof(key), "%s/%s.key", pki, cert);
	http = http_new(f->loop,
	    &(struct http_tls){ .ca = ca, .cert = crt, .key = key }, &err);
	assert_non_null(http);
	return http;
}

static struct http_request
request(struct fixture *f, const char *path)
{
	return (struct http_request){ .name = "prod-s2",
		.address = "127.0.0.1",
		.port = httptest_port(f->server),
		.path = path,
		.body = "{}",
		.body_len = 2,
		.deadline = 10 * USEC_SEC,
		.answer_max = 4000 };
}

static void
on_done(void *arg, const struct http_answer *ans)
{
	struct fixture *f = arg;
	struct http_request req;
	struct error err;

	f->done++;
	f->status = ans->status;
	f->sent = ans->sent;
	f->len = ans->len;
	f->took_at = clock_now().raw;
	assert_int_equal(ans->body[ans->len], 0);
	assert_true(ans->status == 0 || strcmp(ans->reason, "ok") == 0);
	snprintf(f->reason, sizeof(f->reason), "%s", ans->reason);
	snprintf(f->message, sizeof(f->message), "%s", ans->message);
	snprintf(f->body, sizeof(f->body), "%s", ans->body);
	if (f->again_in_done) {
		f->again_in_done = false;
		req = request(f, "/echo");
		req.body = "again";
		req.body_len = 5;
		assert_non_null(http_post(f->http, &req, on_done, f, &err));
		return;
	}
	if (f->cancel_in_done) {
		http_cancel(f->call);
		http_cancel(f->other);
	}
	if (f->free_in_done) {
		http_free(f->http);
		f->http = NULL;
	}
	if (f->done >= f->stop_after)
		loop_stop(f->loop);
}

static void
on_stop(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

static void
on_turn(void *arg, const struct now *now)
{
	struct fixture *f = arg;

	f->rounds++;
}

static void
run_for(struct fixture *f, usec_t t)
{
	timer_arm(f->timer, t);
	loop_run(f->loop, on_turn, f);
	timer_disarm(f->timer);
}

/* Lets the loop run until the server's count is that. */
static void
wait_count(struct fixture *f, int (*count)(const struct httptest *t), int n)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	while (count(f->server) != n) {
		assert_true(clock_now().raw < end);
		run_for(f, 5 * USEC_MSEC);
	}
}

static struct http_call *
post(struct fixture *f, const char *path, usec_t deadline)
{
	struct http_request req = request(f, path);
	struct error err;
	struct http_call *call;
	int before = f->done;

	req.deadline = deadline;
	call = http_post(f->http, &req, on_done, f, &err);
	assert_non_null(call);
	assert_int_equal(f->done, before);
	return call;
}

/* One call and its answer. */
static void
ask(struct fixture *f, const struct http_request *req)
{
	struct error err;

	f->done = 0;
	f->stop_after = 1;
	f->call = http_post(f->http, req, on_done, f, &err);
	assert_non_null(f->call);
	assert_int_equal(f->done, 0);
	loop_run(f->loop, on_turn, f);
	assert_int_equal(f->done, 1);
}

static void
ask_path(struct fixture *f, const char *path)
{
	struct http_request req = request(f, path);

	ask(f, &req);
}

static void
expect_failure(struct fixture *f, const char *reason, bool sent)
{
	assert_string_equal(f->reason, reason);
	assert_int_equal(f->status, 0);
	assert_int_equal(f->len, 0);
	assert_int_equal(f->sent, sent);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->listener = -1;
	f->loop = loop_new(&err);
	f->timer = timer_new(f->loop, on_stop, f);
	f->server = httptest_new(f->loop, pki, "prod-s2");
	f->http = client(f, "prod-s1");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_free(f->http);
	httptest_free(f->server);
	timer_free(f->timer);
	if (f->listener != -1)
		close(f->listener);
	loop_free(f->loop);
	free(f);
	return 0;
}

static int
group_setup(void **state)
{
	httptest_pki(pki,
	    (const char *const[]){ "prod-s1", "prod-s2", "prod-a1", NULL });
	return 0;
}

static int
group_teardown(void **state)
{
	httptest_pki_free(pki);
	return 0;
}

static void
test_answer(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/echo");

	req.body = "{\"a\":1}";
	req.body_len = 7;
	ask(f, &req);
	assert_int_equal(f->status, 200);
	assert_string_equal(f->reason, "ok");
	assert_string_equal(f->body, "{\"a\":1}");
	assert_int_equal(f->len, 7);
	assert_true(f->sent);
	ask_path(f, "/nothing");
	assert_int_equal(f->status, 404);
	assert_string_equal(f->reason, "ok");
	req.body = NULL;
	req.body_len = 0;
	ask(f, &req);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->len, 0);
}

static void
test_connection_is_kept(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 10; i++)
		ask_path(f, "/echo");
	assert_int_equal(httptest_accepted(f->server), 1);
	assert_int_equal(httptest_requests(f->server), 10);
}

/* A long poll, and three calls that overtake it. */
static void
test_calls_do_not_queue(void **state)
{
	struct fixture *f = *state;
	struct http_call *hold = post(f, "/hold", 30 * USEC_SEC);
	int i;

	f->stop_after = 6;
	for (i = 0; i < 6; i++)
		post(f, "/later", 20 * USEC_SEC);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 6);
	assert_int_equal(f->status, 200);
	assert_int_equal(httptest_accepted(f->server), 7);
	/* The freed connections serve the next ones. */
	ask_path(f, "/echo");
	assert_int_equal(httptest_accepted(f->server), 7);
	http_cancel(hold);
	ask_path(f, "/echo");
	assert_int_equal(f->done, 1);
}

static void
test_large_request(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/echo");
	size_t len = 300000;
	char *body = malloc(len);

	memset(body, 'x', len);
	req.body = body;
	req.body_len = len;
	req.answer_max = len;
	ask(f, &req);
	free(body);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->len, len);
}

static void
test_answer_too_long(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/big");

	ask(f, &req);
	expect_failure(f, "too-long", true);
	ask_path(f, "/headers");
	expect_failure(f, "too-long", true);
	req = request(f, "/echo");
	req.answer_max = 2;
	ask(f, &req);
	assert_int_equal(f->status, 200);
	req.answer_max = 1;
	ask(f, &req);
	expect_failure(f, "too-long", true);
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/echo");

	httptest_free(f->server);
	f->server = NULL;
	ask(f, &req);
	expect_failure(f, "connect-refused", false);
	assert_string_not_equal(f->message, "");
	req.address = "::1";
	ask(f, &req);
	expect_failure(f, "connect-refused", false);
}

static void
test_no_answer(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/hold");
	usec_t start = clock_now().raw;

	req.deadline = 200 * USEC_MSEC;
	ask(f, &req);
	expect_failure(f, "timeout", true);
	assert_in_range(f->took_at - start, 199 * USEC_MSEC, 500 * USEC_MSEC);
	/* Also on a kept connection. */
	ask_path(f, "/echo");
	ask(f, &req);
	expect_failure(f, "timeout", true);
}

/* Accepts, by the kernel, and says nothing: the handshake hangs. */
static void
test_silent_server(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct http_request req = request(f, "/echo");
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
	ask(f, &req);
	expect_failure(f, "connect-timeout", false);
	assert_in_range(f->took_at - start, 149 * USEC_MSEC, 450 * USEC_MSEC);
}

static void
test_wrong_name(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/echo");

	req.name = "prod-a1";
	ask(f, &req);
	expect_failure(f, "tls-name", false);
	assert_int_equal(httptest_requests(f->server), 0);
	/* And nothing of it spoils the right one. */
	ask_path(f, "/echo");
	assert_int_equal(f->status, 200);
	/* A connection to the right name is not lent to another. */
	ask(f, &req);
	expect_failure(f, "tls-name", false);
}

static void
test_old_tls(void **state)
{
	struct fixture *f = *state;

	httptest_old_tls(f->server);
	ask_path(f, "/echo");
	expect_failure(f, "tls-failed", false);
}

static void
test_wrong_authority(void **state)
{
	struct fixture *f = *state;

	/* Theirs is by another authority. */
	httptest_free(f->server);
	f->server = httptest_new(f->loop, pki, "other");
	ask_path(f, "/echo");
	expect_failure(f, "tls-name", false);
	/* Ours is: they see it after we have sent. */
	httptest_free(f->server);
	f->server = httptest_new(f->loop, pki, "prod-s2");
	http_free(f->http);
	f->http = client(f, "other");
	ask_path(f, "/echo");
	assert_int_equal(f->status, 0);
	assert_true(f->sent);
	assert_true(strcmp(f->reason, "tls-failed") == 0 ||
		    strcmp(f->reason, "server-closed") == 0);
	assert_int_equal(httptest_requests(f->server), 0);
}

static void
test_closed_and_garbage(void **state)
{
	struct fixture *f = *state;

	ask_path(f, "/close");
	expect_failure(f, "server-closed", true);
	ask_path(f, "/half");
	expect_failure(f, "server-closed", true);
	ask_path(f, "/noise");
	expect_failure(f, "garbage", true);
	ask_path(f, "/echo");
	assert_int_equal(f->status, 200);
}

/* The peer has closed the kept connection: a new one serves. */
static void
test_stale_connection(void **state)
{
	struct fixture *f = *state;

	ask_path(f, "/stale");
	assert_int_equal(f->status, 200);
	wait_count(f, httptest_open, 0);
	ask_path(f, "/echo");
	assert_int_equal(f->status, 200);
	assert_int_equal(httptest_accepted(f->server), 2);
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	struct http_call *call;

	call = post(f, "/echo", USEC_SEC);
	http_cancel(call);
	call = post(f, "/hold", 10 * USEC_SEC);
	wait_count(f, httptest_requests, 1);
	http_cancel(call);
	wait_count(f, httptest_open, 0);
	run_for(f, 20 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	/* From within a done: itself, and another. */
	f->other = post(f, "/hold", 10 * USEC_SEC);
	f->cancel_in_done = true;
	ask_path(f, "/echo");
	run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 1);
}

static void
test_done_may_call_and_free(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/echo");
	struct error err;

	f->again_in_done = true;
	f->free_in_done = true;
	post(f, "/hold", 10 * USEC_SEC);
	f->stop_after = 2;
	assert_non_null(http_post(f->http, &req, on_done, f, &err));
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 2);
	assert_string_equal(f->body, "again");
	assert_null(f->http);
	run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 2);
}

static void
test_bad_arguments(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, "/echo");
	struct error err;

	req.address = "localhost";
	assert_null(http_post(f->http, &req, on_done, f, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	req = request(f, "/echo");
	req.deadline = 0;
	assert_null(http_post(f->http, &req, on_done, f, &err));
	req = request(f, "echo");
	assert_null(http_post(f->http, &req, on_done, f, &err));
	assert_null(http_new(f->loop,
	    &(struct http_tls){ .ca = "/no/ca", .cert = "/no", .key = "/no" },
	    &err));
	assert_non_null(strstr(err.msg, "/no/ca"));
}

/* The environment of a shell must not send peers' calls elsewhere. */
static void
test_no_proxy_of_the_environment(void **state)
{
	struct fixture *f = *state;

	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	ask_path(f, "/echo");
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(f->status, 200);
}

static void
test_idle_costs_nothing(void **state)
{
	struct fixture *f = *state;
	struct rusage a, b;
	usec_t cpu;

	ask_path(f, "/echo");
	post(f, "/hold", 30 * USEC_SEC);
	wait_count(f, httptest_requests, 2);
	f->rounds = 0;
	getrusage(RUSAGE_SELF, &a);
	run_for(f, 200 * USEC_MSEC);
	getrusage(RUSAGE_SELF, &b);
	cpu = (b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec -
		  a.ru_stime.tv_sec) *
		  USEC_SEC +
	      b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
	      a.ru_stime.tv_usec;
	assert_true(f->rounds <= 5);
	assert_true(cpu < 50 * USEC_MSEC);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer),
		TEST(test_connection_is_kept),
		TEST(test_calls_do_not_queue),
		TEST(test_large_request),
		TEST(test_answer_too_long),
		TEST(test_refused),
		TEST(test_no_answer),
		TEST(test_silent_server),
		TEST(test_wrong_name),
		TEST(test_old_tls),
		TEST(test_wrong_authority),
		TEST(test_closed_and_garbage),
		TEST(test_stale_connection),
		TEST(test_cancel),
		TEST(test_done_may_call_and_free),
		TEST(test_bad_arguments),
		TEST(test_no_proxy_of_the_environment),
		TEST(test_idle_costs_nothing),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
