/*
 * The real hawatch-front, its health port: what it answers, when that ends by
 * itself, and that broken requests get a proper refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fronttest.h"

/* A snapshot has arrived when its own status document is served. */
static void
snap(struct fh_snap s)
{
	static int n;
	char mark[256], buf[4096];
	usec_t end = fh_now() + 5 * USEC_SEC;

	(void)snprintf(mark, sizeof(mark), "{\"schema\":1,%s\"n\":%d}",
	    s.status == NULL ? "" : s.status, ++n);
	s.status = mark;
	fh_snap(&fh, &s);
	do {
		assert_true(fh_now() < end);
		(void)fh_get(fh.health_port, "/status", buf, sizeof(buf));
	} while (!fh_has(buf, mark));
}

static void
expect(const char *path, int status, const char *reason)
{
	char buf[8192], line[128];
	int got = fh_get(fh.health_port, path, buf, sizeof(buf));

	(void)snprintf(line, sizeof(line), "X-Hawatch-Reason: %s\r\n", reason);
	if (got != status || !fh_has(buf, line))
		fail_msg("%s: wanted %d %s, got %s", path, status, reason, buf);
	assert_true(fh_has(buf, "Cache-Control: no-store\r\n"));
}

static void
test_nothing_known(void **state)
{
	expect("/health", 503, "engine-silent");
	expect("/live", 503, "engine-silent");
	expect("/status", 503, "engine-silent");
	expect("/primary", 503, "not-primary");
	expect("/standby", 503, "not-standby");
	expect("/", 200, "ok");
}

static void
test_primary(void **state)
{
	char buf[4096];

	snap((struct fh_snap){ .fresh = 60 * USEC_SEC, .primary = USEC_NEVER });
	expect("/health", 200, "ok");
	expect("/ping", 200, "ok");
	expect("/live", 200, "live");
	expect("/ready", 503, "not-ready");
	expect("/primary", 200, "primary");
	expect("/standby", 503, "not-standby");
	assert_int_equal(
	    fh_get(fh.health_port, "/ping", buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "\r\n\r\nWeb services are UP"));
}

static void
test_standby_lag(void **state)
{
	snap((struct fh_snap){
	    .fresh = 60 * USEC_SEC, .standby = 60 * USEC_SEC, .lag = 1000 });
	expect("/primary", 503, "not-primary");
	expect("/standby", 200, "standby");
	expect("/standby?lag=1000", 200, "standby");
	expect("/standby?lag=999", 503, "lag");
	expect("/standby?lag=", 400, "bad-query");
	expect("/standby?lag=-1", 400, "bad-query");
	expect("/standby?lag=99999999999999999999", 400, "bad-query");
	expect("/standby?max=1", 400, "bad-query");
}

static void
test_unhealthy_names_its_checks(void **state)
{
	char buf[4096];

	snap((struct fh_snap){ .fresh = 60 * USEC_SEC,
	    .unhealthy = true,
	    .reasons = "postgres,\r\nX-Evil: 1" });
	expect("/health", 503, "postgres,??X-Evil: 1");
	assert_int_equal(
	    fh_get(fh.health_port, "/ping", buf, sizeof(buf)), 503);
	assert_false(fh_has(buf, "\r\nX-Evil: 1\r\nX"));
}

/* Asks on one kept connection until the answer changes; it must be the old
 * one as long as an answer came before until, the new one when the question
 * was asked after it. */
static void
expect_flip(int fd, const char *path, usec_t until, const char *reason)
{
	char request[128], buf[4096];
	usec_t asked, end = until + 2 * USEC_SEC;
	int status;

	(void)snprintf(
	    request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n", path);
	do {
		asked = fh_now();
		assert_true(asked < end);
		assert_true(fh_write(fd, request));
		status = fh_answer(fd, buf, sizeof(buf));
		if (status == 503)
			assert_true(fh_now() >= until);
		else
			assert_true(status == 200 && asked < until);
	} while (status != 503);
	assert_true(fh_has(buf, reason));
}

/* The engine says nothing more; what it said ends at its own time. */
static void
test_stale_flips_by_itself(void **state)
{
	int fd = fh_connect(fh.health_port, NULL);
	usec_t now, primary, fresh;
	char buf[4096];

	now = fh_now();
	primary = now + 400 * USEC_MSEC;
	fresh = now + 800 * USEC_MSEC;
	fh_send(&fh, json_pack("{s:s}", "doc", "{\"old\":1}"));
	fh_send(&fh, json_pack("{s:{s:I,s:I,s:I,s:I,s:b,s:s}}", "snap", "fresh",
			 (json_int_t)fresh, "primary", (json_int_t)primary,
			 "standby", (json_int_t)0, "lag", (json_int_t)0,
			 "healthy", 1, "reasons", ""));
	while (fh_get(fh.health_port, "/primary", buf, sizeof(buf)) != 200)
		assert_true(fh_now() < primary);
	expect_flip(fd, "/primary", primary, "lease-expired");
	expect("/health", 200, "ok");
	expect_flip(fd, "/health", fresh, "engine-silent");
	expect("/live", 503, "engine-silent");
	expect("/primary", 503, "lease-expired");
	close(fd);
	/* What it said last can still be read, as what it is. */
	assert_int_equal(
	    fh_get(fh.health_port, "/status", buf, sizeof(buf)), 503);
	assert_true(fh_has(buf, "{\"old\":1}"));
}

static void
test_methods_and_paths(void **state)
{
	char buf[4096];
	int port = fh.health_port;

	snap((struct fh_snap){ .fresh = 60 * USEC_SEC });
	expect("/health?x=1", 404, "no-such-path");
	expect("/health/", 404, "no-such-path");
	expect("//health", 404, "no-such-path");
	expect("/v1/cas", 404, "no-such-path");
	assert_int_equal(
	    fh_ask(port, "POST /health HTTP/1.1\r\n\r\n", buf, sizeof(buf)),
	    405);
	assert_true(fh_has(buf, "\r\nAllow: GET, HEAD\r\n"));
	assert_int_equal(fh_ask(port,
			     "POST /health HTTP/1.1\r\n"
			     "Content-Length: 99999999\r\n\r\nabc",
			     buf, sizeof(buf)),
	    405);
	assert_true(fh_has(buf, "\r\nConnection: close\r\n"));
	assert_int_equal(
	    fh_ask(port, "HEAD /health HTTP/1.1\r\nConnection: close\r\n\r\n",
		buf, sizeof(buf)),
	    200);
	assert_true(fh_has(buf, "Content-Length: 3\r\n"));
	assert_string_equal(strstr(buf, "\r\n\r\n"), "\r\n\r\n");
	assert_int_equal(
	    fh_ask(port, "GET /live HTTP/1.0\r\n\r\n", buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "\r\nConnection: close\r\n"));
}

/* Two requests in one packet, and one in many. */
static void
test_pipelined_and_split(void **state)
{
	static const char split[] = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n";
	char buf[4096], one[2] = "";
	int fd = fh_connect(fh.health_port, NULL);
	size_t i, len = 0;
	ssize_t n;

	assert_true(
	    fh_write(fd, "GET /live HTTP/1.1\r\n\r\nGET /primary HTTP/1.1\r\n"
			 "Connection: close\r\n\r\n"));
	while ((n = read(fd, buf + len, sizeof(buf) - len - 1)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	assert_true(fh_has(buf, "engine-silent\nHTTP/1.1 503 "));
	assert_true(fh_has(buf, "not-primary\n"));
	close(fd);
	fd = fh_connect(fh.health_port, NULL);
	for (i = 0; i + 1 < sizeof(split); i++) {
		one[0] = split[i];
		assert_true(fh_write(fd, one));
	}
	assert_int_equal(fh_answer(fd, buf, sizeof(buf)), 503);
	close(fd);
}

static void
test_bad_requests(void **state)
{
	static const struct {
		const char *request;
		int status;
	} table[] = {
		{ "\x16\x03\x01\x02\x01\x01\r\n\r\n", 400 },
		{ "get / HTTP/1.1\r\n\r\n", 400 },
		{ "GET /health\r\n\r\n", 400 },
		{ "GET health HTTP/1.1\r\n\r\n", 400 },
		{ "GET http://x/health HTTP/1.1\r\n\r\n", 400 },
		{ "GET /he alth HTTP/1.1\r\n\r\n", 400 },
		{ "GET /health HTTP/2.0\r\n\r\n", 505 },
		{ "GET /health HTTP/1.1\r\nNo colon\r\n\r\n", 400 },
		{ "GET /health HTTP/1.1\r\nA : b\r\n\r\n", 400 },
		{ "GET /health HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400 },
		{ "GET /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		    501 },
		{ "GET /health HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", 417 },
		{ "GET /health HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400 },
		{ "GET /health HTTP/1.1\r\nContent-Length: 0\r\n"
		  "Content-Length: 0\r\n\r\n",
		    400 },
	};
	char buf[4096], big[6000];
	size_t i;
	json_t *log;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (fh_ask(fh.health_port, table[i].request, buf,
			sizeof(buf)) != table[i].status)
			fail_msg("%s: %s", table[i].request, buf);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "GET /", 5);
	assert_int_equal(fh_ask(fh.health_port, big, buf, sizeof(buf)), 431);
	/* One line at once; the others are counted for the next. */
	log = fh_want(&fh, "log", 5000);
	assert_non_null(log);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(log, "log"), "what")),
	    "request");
	json_decref(log);
	assert_null(fh_next(&fh, 100));
}

static void
test_page_is_harmless(void **state)
{
	char buf[8192];

	snap((struct fh_snap){
	    .fresh = 60 * USEC_SEC, .unhealthy = true, .reasons = "<script>" });
	assert_int_equal(fh_get(fh.health_port, "/", buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "text/html"));
	assert_true(fh_has(buf, "&lt;script&gt;"));
	assert_false(fh_has(buf, "<script>"));
	assert_false(fh_has(buf, "paused"));
}

/* Until when, by whom and why. */
static void
test_page_says_that_it_is_paused(void **state)
{
	static const char paused[] = "\"paused\":{\"until\":\"noon\","
				     "\"by\":\"amy\",\"why\":\"<b>\"},";
	char buf[8192];

	snap((struct fh_snap){ .fresh = 60 * USEC_SEC, .status = paused });
	assert_int_equal(fh_get(fh.health_port, "/", buf, sizeof(buf)), 200);
	assert_true(
	    fh_has(buf, "failover is paused</b> until noon by amy: &lt;b&gt;"));
	snap((struct fh_snap){
	    .fresh = 60 * USEC_SEC, .status = "\"paused\":null," });
	assert_int_equal(fh_get(fh.health_port, "/", buf, sizeof(buf)), 200);
	assert_false(fh_has(buf, "paused"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fh_test_start, fh_test_stop)
	const struct CMUnitTest tests[] = {
		T(test_nothing_known),
		T(test_primary),
		T(test_standby_lag),
		T(test_unhealthy_names_its_checks),
		T(test_stale_flips_by_itself),
		T(test_methods_and_paths),
		T(test_pipelined_and_split),
		T(test_bad_requests),
		T(test_page_is_harmless),
		T(test_page_says_that_it_is_paused),
	};

	return cmocka_run_group_tests(tests, fh_group_setup, fh_group_teardown);
}
