/*
 * Calls to the server of httptest.h; see httprun.h.
 */
#include "httprun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/loop.h"

char hr_pki[64];

struct http *
hr_client(struct httprun *f, const char *cert)
{
	char ca[100], crt[100], key[100];
	struct error err;
	struct http *http;

	snprintf(ca, sizeof(ca), "%s/ca.crt", hr_pki);
	snprintf(crt, sizeof(crt), "%s/%s.crt", hr_pki, cert);
	snprintf(key, sizeof(key), "%s/%s.key", hr_pki, cert);
	http = http_new(f->loop,
	    &(struct http_tls){ .ca = ca, .cert = crt, .key = key }, &err);
	assert_non_null(http);
	return http;
}

struct http_request
hr_request(struct httprun *f, const char *path)
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

void
hr_on_done(void *arg, const struct http_answer *ans)
{
	struct httprun *f = arg;
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
		req = hr_request(f, "/echo");
		req.body = "again";
		req.body_len = 5;
		assert_non_null(http_post(f->http, &req, hr_on_done, f, &err));
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
	struct httprun *f = arg;

	loop_stop(f->loop);
}

static void
on_turn(void *arg, const struct now *now)
{
	struct httprun *f = arg;

	f->rounds++;
}

void
hr_run_for(struct httprun *f, usec_t t)
{
	timer_arm(f->timer, t);
	loop_run(f->loop, on_turn, f);
	timer_disarm(f->timer);
}

void
hr_wait_count(struct httprun *f, int (*count)(const struct httptest *t), int n)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	while (count(f->server) != n) {
		assert_true(clock_now().raw < end);
		hr_run_for(f, 5 * USEC_MSEC);
	}
}

struct http_call *
hr_post(struct httprun *f, const char *path, usec_t deadline)
{
	struct http_request req = hr_request(f, path);
	struct error err;
	struct http_call *call;
	int before = f->done;

	req.deadline = deadline;
	call = http_post(f->http, &req, hr_on_done, f, &err);
	assert_non_null(call);
	assert_int_equal(f->done, before);
	return call;
}

void
hr_ask(struct httprun *f, const struct http_request *req)
{
	struct error err;

	f->done = 0;
	f->stop_after = 1;
	f->call = http_post(f->http, req, hr_on_done, f, &err);
	assert_non_null(f->call);
	assert_int_equal(f->done, 0);
	loop_run(f->loop, on_turn, f);
	assert_int_equal(f->done, 1);
}

void
hr_ask_path(struct httprun *f, const char *path)
{
	struct http_request req = hr_request(f, path);

	hr_ask(f, &req);
}

void
hr_expect_failure(struct httprun *f, const char *reason, bool sent)
{
	assert_string_equal(f->reason, reason);
	assert_int_equal(f->status, 0);
	assert_int_equal(f->len, 0);
	assert_int_equal(f->sent, sent);
}

int
hr_setup(void **state)
{
	struct httprun *f = calloc(1, sizeof(*f));
	struct error err;

	f->listener = -1;
	f->loop = loop_new(&err);
	f->timer = timer_new(f->loop, on_stop, f);
	f->server = httptest_new(f->loop, hr_pki, "prod-s2");
	f->http = hr_client(f, "prod-s1");
	*state = f;
	return 0;
}

int
hr_teardown(void **state)
{
	struct httprun *f = *state;

	http_free(f->http);
	httptest_free(f->server);
	timer_free(f->timer);
	if (f->listener != -1)
		close(f->listener);
	loop_free(f->loop);
	free(f);
	return 0;
}

int
hr_group_setup(void **state)
{
	httptest_pki(hr_pki,
	    (const char *const[]){ "prod-s1", "prod-s2", "prod-a1", NULL });
	return 0;
}

int
hr_group_teardown(void **state)
{
	httptest_pki_free(hr_pki);
	return 0;
}
