/*
 * The real hawatch-front, its peer port: who is let in, what is forwarded,
 * and what becomes of requests whose asker or answerer is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fronttest.h"

static void
test_round_trip(void **state)
{
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s1", 0);
	struct ssl_st *b = fh_tls(&fh, fh.dir, "s2", 0);
	uint64_t first, second;
	char buf[4096];

	assert_non_null(a);
	assert_non_null(b);
	assert_true(fh_tls_post(a, "/v1/cas", "{\"a\":1}", 7));
	first = fh_request("s1", "/v1/cas", "{\"a\":1}");
	assert_int_equal(first >> FRAME_ID_BITS, 7);
	assert_true(fh_tls_post(b, "/v1/read-wait", "{}", 2));
	second = fh_request("s2", "/v1/read-wait", "{}");
	assert_true(second > first);
	/* In the other order: each gets its own. */
	fh_reply(&fh, second, "{\"for\":\"s2\"}");
	assert_int_equal(fh_tls_answer(b, buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "\r\n\r\n{\"for\":\"s2\"}"));
	assert_true(fh_has(buf, "Content-Type: application/json\r\n"));
	fh_reply(&fh, first, "{\"for\":\"s1\"}");
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "{\"for\":\"s1\"}"));
	fh_tls_close(a);
	fh_tls_close(b);
}

static void
test_asker_gone(void **state)
{
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s1", 0);
	uint64_t id;
	char buf[4096];

	assert_non_null(a);
	assert_true(fh_tls_post(a, "/v1/cas", "{}", 2));
	id = fh_request("s1", "/v1/cas", "{}");
	fh_tls_close(a);
	a = fh_tls(&fh, fh.dir, "s1", 0);
	assert_non_null(a);
	assert_true(fh_tls_post(a, "/v1/cas", "{\"n\":2}", 7));
	assert_true(fh_request("s1", "/v1/cas", "{\"n\":2}") > id);
	/* The late reply is nobody's; the new asker goes on waiting. */
	fh_reply(&fh, id, "{\"late\":1}");
	fh_reply(&fh, id + 1, "{\"mine\":1}");
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "{\"mine\":1}"));
	fh_reply(&fh, id + 1, "{\"twice\":1}");
	fh_reply(&fh, 1, "{\"never asked\":1}");
	assert_int_equal(
	    fh_get(fh.health_port, "/live", buf, sizeof(buf)), 503);
	fh_tls_close(a);
}

static void
test_silent_engine(void **state)
{
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s1", 0);
	usec_t began = fh_now();
	char buf[4096];
	uint64_t id;

	assert_non_null(a);
	assert_true(fh_tls_post(a, "/v1/cas", "{}", 2));
	id = fh_request("s1", "/v1/cas", "{}");
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 503);
	assert_in_range((fh_now() - began) / USEC_MSEC, 4900, 7000);
	assert_true(fh_has(buf, "{\"error\":\"engine-silent\"}"));
	fh_log("silent", "");
	/* The connection lives, and the late answer is not its next one. */
	fh_reply(&fh, id, "{\"late\":1}");
	assert_true(fh_tls_post(a, "/v1/cas", "{}", 2));
	fh_reply(&fh, fh_request("s1", "/v1/cas", "{}"), "{\"next\":1}");
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 200);
	assert_true(fh_has(buf, "{\"next\":1}"));
	fh_tls_close(a);
}

/* Until its first answer a client of TLS 1.3 does not know. */
static void
refused(const char *ca, const char *cert, int max, const char *what)
{
	struct ssl_st *a = fh_tls(&fh, ca, cert, max);
	char buf[4096];

	if (a != NULL) {
		(void)fh_tls_post(a, "/v1/cas", "{}", 2);
		assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 0);
		fh_tls_close(a);
	}
	fh_log(what, "");
	assert_null(fh_next(&fh, 50));
}

static void
test_other_authority(void **state)
{
	char other[128];

	(void)snprintf(other, sizeof(other), "%s/other", fh.dir);
	refused(other, "s2", 0, "tls");
}

static void
test_name_of_no_node(void **state)
{
	refused(fh.dir, "stranger", 0, "name");
}

static void
test_no_certificate(void **state)
{
	refused(fh.dir, NULL, 0, "tls");
}

static void
test_old_version(void **state)
{
	refused(fh.dir, "s2", TLS1_2_VERSION, "tls");
}

static void
test_garbage_for_tls(void **state)
{
	char buf[512];
	int fd = fh_connect(fh.peer_port, NULL);

	assert_true(fh_write(fd, "GET / HTTP/1.1\r\n\r\n"));
	while (read(fd, buf, sizeof(buf)) > 0)
		continue;
	close(fd);
	fh_log("tls", "");
}

static void
test_late_handshake(void **state)
{
	int fd = fh_connect(fh.peer_port, NULL);
	usec_t began = fh_now();
	char c;

	assert_int_equal(read(fd, &c, 1), 0);
	assert_in_range((fh_now() - began) / USEC_MSEC, 2900, 5000);
	close(fd);
	fh_log("handshake-late", "");
}

static void
ask(const char *request, size_t len, int status)
{
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s2", 0);
	char buf[4096];
	int got;

	assert_non_null(a);
	assert_true(fh_tls_write(a, request, len));
	got = fh_tls_answer(a, buf, sizeof(buf));
	if (got != status)
		fail_msg("%.60s: wanted %d, got %s", request, status, buf);
	if (status == 405)
		assert_true(fh_has(buf, "Allow: POST\r\n"));
	fh_tls_close(a);
}

#define ASK(request, status) ask(request, sizeof(request) - 1, status)

static void
test_bad_requests(void **state)
{
	ASK("GET /v1/cas HTTP/1.1\r\n\r\n", 405);
	ASK("GET /health HTTP/1.1\r\n\r\n", 404);
	ASK("POST /v2/cas HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404);
	ASK("POST /v1/CAS HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404);
	ASK("POST /v1/ HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404);
	ASK("POST /v1/a/b HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404);
	ASK("POST /v1/cas?x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404);
	ASK("POST /v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n"
	    "Content-Length: 2\r\n\r\n{}",
	    404);
	ASK("POST /v1/cas HTTP/1.1\r\n\r\n", 411);
	ASK("POST /v1/cas HTTP/1.1\r\nContent-Length: 16385\r\n\r\n{}", 413);
	ASK("POST /v1/cas HTTP/1.1\r\nContent-Length: 2\r\n\r\n\xff\xff", 400);
	ASK("POST /v1/cas HTTP/1.1\r\nContent-Length: 3\r\n\r\n{\0}", 400);
	ASK("POST /v1/cas HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501);
	fh_log("request", "");
	assert_null(fh_next(&fh, 50));
}

static void
test_greatest_body(void **state)
{
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s2", 0);
	char *body = malloc(FRAME_BODY_MAX + 1), buf[4096];

	/* Six bytes each in the frame. */
	memset(body, 1, FRAME_BODY_MAX);
	body[FRAME_BODY_MAX] = '\0';
	assert_true(fh_tls_post(a, "/v1/big", body, FRAME_BODY_MAX));
	fh_reply(&fh, fh_request("s2", "/v1/big", body), "{}");
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 200);
	fh_tls_close(a);
	free(body);
}

static void
test_truncated_request(void **state)
{
	static const char part[] =
	    "POST /v1/cas HTTP/1.1\r\nContent-Length: 100\r\n\r\n{\"a\":";
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s2", 0);

	assert_non_null(a);
	assert_true(fh_tls_write(a, part, sizeof(part) - 1));
	fh_tls_close(a);
	fh_log("request", "");
	assert_null(fh_next(&fh, 50));
}

static void
test_slow_body(void **state)
{
	static const char head[] =
	    "POST /v1/cas HTTP/1.1\r\nContent-Length: 16000\r\n\r\n";
	struct ssl_st *a = fh_tls(&fh, fh.dir, "s2", 0);
	struct pollfd pfd = { .fd = SSL_get_fd(a), .events = POLLIN };
	usec_t began = fh_now();
	char buf[4096];

	assert_true(fh_tls_write(a, head, sizeof(head) - 1));
	do {
		assert_true(fh_now() - began < 8 * USEC_SEC);
		assert_true(fh_tls_write(a, "x", 1));
	} while (poll(&pfd, 1, 50) == 0);
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 408);
	fh_tls_close(a);
	fh_log("slow", "");
}

/* A node that asks without end does not take the others' places. */
static void
test_too_many_waiting(void **state)
{
	const int each = FRAME_WAITING_MAX / 4;
	struct ssl_st *many[FRAME_WAITING_MAX / 4 + 1], *other;
	char buf[4096];
	int i;

	for (i = 0; i <= each; i++) {
		many[i] = fh_tls(&fh, fh.dir, "s1", 0);
		assert_non_null(many[i]);
		assert_true(fh_tls_post(many[i], "/v1/wait", "{}", 2));
		if (i < each)
			(void)fh_request("s1", "/v1/wait", "{}");
	}
	assert_int_equal(fh_tls_answer(many[each], buf, sizeof(buf)), 503);
	assert_true(fh_has(buf, "{\"error\":\"busy\"}"));
	fh_log("busy", "");
	other = fh_tls(&fh, fh.dir, "s2", 0);
	assert_non_null(other);
	assert_true(fh_tls_post(other, "/v1/cas", "{}", 2));
	fh_reply(&fh, fh_request("s2", "/v1/cas", "{}"), "{}");
	assert_int_equal(fh_tls_answer(other, buf, sizeof(buf)), 200);
	fh_tls_close(other);
	for (i = 0; i <= each; i++)
		fh_tls_close(many[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fh_test_start, fh_test_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_asker_gone),
		TEST(test_silent_engine),
		TEST(test_other_authority),
		TEST(test_name_of_no_node),
		TEST(test_no_certificate),
		TEST(test_old_version),
		TEST(test_garbage_for_tls),
		TEST(test_late_handshake),
		TEST(test_bad_requests),
		TEST(test_greatest_body),
		TEST(test_truncated_request),
		TEST(test_slow_body),
		TEST(test_too_many_waiting),
	};

	return cmocka_run_group_tests(tests, fh_group_setup, fh_group_teardown);
}
