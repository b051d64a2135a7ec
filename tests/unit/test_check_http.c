/*
 * The check of a web server, against a real one: status, head and body, JSON,
 * how it fails, and by which way it is reached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "check/match.h"
#include "checktest.h"
#include "hawatch/loop.h"

/* A server on a port, and the check of that path of it. */
static struct conf_check
served(struct checktest *f, const char *path)
{
	struct conf_check c = checktest_row("http");

	f->server = httptest_plain(f->loop, NULL);
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.path = path;
	return c;
}

static void
test_http(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = served(f, "/seen");

	assert_string_equal(checktest_once(f, &c), "");
	/* The status, and that a redirect is one. */
	c.path = "/404";
	assert_string_equal(checktest_once(f, &c), "http-status 404");
	c.status = 404;
	assert_string_equal(checktest_once(f, &c), "");
	c.path = "/moved";
	c.status = 200;
	assert_string_equal(checktest_once(f, &c), "http-status 302");
	/* Host and nonce are in the request. */
	c.path = "/seen";
	c.nonce = "hactl";
	c.body = "^GET /seen[?]hactl=[0-9a-f]{16} HTTP/1.1\r\nHost: prod-s2:";
	assert_string_equal(checktest_once(f, &c), "");
	c.path = "/seen?a=1";
	c.body = "^GET /seen[?]a=1&hactl=[0-9a-f]{16} ";
	assert_string_equal(checktest_once(f, &c), "");
	c.body = "^POST";
	assert_string_equal(checktest_once(f, &c), "http-body");
	c.body = "";
	c.header = "x-test: yes";
	assert_string_equal(checktest_once(f, &c), "");
	c.header = "X-Test: no";
	assert_string_equal(checktest_once(f, &c), "http-header");
	c.header = "X-Cache-Status: MISS";
	assert_string_equal(checktest_once(f, &c), "http-header");
}

static void
on_tick(void *arg)
{
	struct checktest *f = arg;
	usec_t now = clock_now().raw;

	if (f->ticked != 0 && now - f->ticked > f->gap)
		f->gap = now - f->ticked;
	f->ticked = now;
	timer_arm(f->tick, USEC_MSEC);
}

/* An answer for which the expression needs half a second. */
static void
test_http_slow_body(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = served(f, "");
	char path[16000];

	f->tick = timer_new(f->loop, on_tick, f);
	timer_arm(f->tick, 0);
	memset(path, 'a', sizeof(path));
	memcpy(path, "/seen?", 6);
	path[sizeof(path) - 1] = '\0';
	c.path = path;
	c.timeout = 60 * USEC_MSEC;
	c.body = "a.*UP";
	assert_string_equal(checktest_once(f, &c), "timeout");
	assert_true(matcher_busy(f->env.matcher));
	/* It cannot be ended, and none waits behind it. */
	assert_string_equal(checktest_once(f, &c), "timeout");
	assert_true(f->gap < 200 * USEC_MSEC);
	c.timeout = 5 * USEC_SEC;
	c.body = "a HTTP";
	while (matcher_busy(f->env.matcher))
		checktest_once(f, &c);
	assert_string_equal(checktest_once(f, &c), "");
	timer_free(f->tick);
}

static void
test_http_json(void **state)
{
	static const struct {
		const char *want;
		bool holds;
	} rows[] = {
		{ "events.id=1", true },
		{ "events.id=2", false },
		{ "status=ok", true },
		{ "status=\"ok\"", false },
		{ "status=", false },
		{ "events.open=true", true },
		{ "events.none=null", true },
		{ "events.list.0.n=7", true },
		{ "events.list.1=x=y", true },
		{ "events.list.2=7", false },
		{ "events.list.x=7", false },
		{ "events.id.deeper=1", false },
		{ "missing=1", false },
	};
	struct checktest *f = *state;
	struct conf_check c = served(f, "/json");
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.json = rows[i].want;
		if (strcmp(checktest_once(f, &c),
			rows[i].holds ? "" : "http-json") != 0)
			fail_msg("%s: %s", rows[i].want, checktest_reason);
	}
	c.path = "/seen";
	c.json = "status=ok";
	assert_string_equal(checktest_once(f, &c), "http-json");
}

static void
test_http_that_fails(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = served(f, "/big");

	assert_string_equal(checktest_once(f, &c), "too-long");
	c.path = "/close";
	assert_string_equal(checktest_once(f, &c), "server-closed");
	c.path = "/noise";
	assert_string_equal(checktest_once(f, &c), "garbage");
	/* The check's own deadline ends it, and the client's the same. */
	c.path = "/hold";
	c.timeout = 100 * USEC_MSEC;
	assert_string_equal(checktest_once(f, &c), "timeout");
	assert_in_range(f->st.took, 99 * USEC_MSEC, 300 * USEC_MSEC);
	httptest_free(f->server);
	f->server = NULL;
	c.timeout = 5 * USEC_SEC;
	assert_string_equal(checktest_once(f, &c), "connect-refused");
}

static void
test_http_socket_and_tls(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = checktest_row("http");

	c.path = "/seen";
	c.socket = f->socket;
	assert_string_equal(checktest_once(f, &c), "no-socket");
	f->server = httptest_plain(f->loop, f->socket);
	assert_string_equal(checktest_once(f, &c), "");
	httptest_free(f->server);
	f->server = httptest_public(f->loop, checktest_pki, "prod-s2");
	c.socket = "";
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.tls = true;
	c.ca = f->ca;
	assert_string_equal(checktest_once(f, &c), "");
	c.ca = "";
	assert_string_equal(checktest_once(f, &c), "tls-name");
	c.ca = f->ca;
	c.host = "prod-s3";
	assert_string_equal(checktest_once(f, &c), "tls-name");
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, checktest_setup, checktest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_http),
		TEST(test_http_slow_body),
		TEST(test_http_json),
		TEST(test_http_that_fails),
		TEST(test_http_socket_and_tls),
	};

	return cmocka_run_group_tests(
	    tests, checktest_group_setup, checktest_group_teardown);
}
