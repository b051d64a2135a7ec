/* The parser of request heads: every prefix, limits, and random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/http1.h"

static const char whole[] = "POST /v1/cas?a=b HTTP/1.1\r\n"
			    "Host: s1\r\n"
			    "Content-Length: 12\r\n"
			    "Connection: Keep-Alive, Close\r\n"
			    "\r\n";

/* In memory of exactly that length, so that a sanitizer sees one byte more. */
static int
parse(const char *text, size_t len, struct http1 *req, int *status)
{
	char *copy = malloc(len == 0 ? 1 : len);
	int rc;

	memcpy(copy, text, len);
	rc = http1_parse(copy, len, req, status);
	if (rc == 1) {
		req->path = text + (req->path - copy);
		req->method = text + (req->method - copy);
		req->query =
		    req->query == NULL ? NULL : text + (req->query - copy);
	}
	free(copy);
	return rc;
}

static void
test_whole(void **state)
{
	struct http1 req;
	int status;

	assert_int_equal(parse(whole, sizeof(whole) - 1, &req, &status), 1);
	assert_int_equal(req.head, sizeof(whole) - 1);
	assert_true(http1_method(&req, "POST"));
	assert_false(http1_method(&req, "POS"));
	assert_int_equal(req.path_len, 7);
	assert_memory_equal(req.path, "/v1/cas", 7);
	assert_int_equal(req.query_len, 3);
	assert_memory_equal(req.query, "a=b", 3);
	assert_true(req.has_length);
	assert_int_equal(req.length, 12);
	assert_false(req.keep);
}

static void
test_every_prefix_waits(void **state)
{
	struct http1 req;
	int status;
	size_t i;

	for (i = 0; i + 1 < sizeof(whole); i++)
		assert_int_equal(parse(whole, i, &req, &status), 0);
}

static void
test_keep(void **state)
{
	static const struct {
		const char *text;
		bool keep;
	} table[] = {
		{ "GET / HTTP/1.1\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nconnection:close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nX-Connection: close\r\n\r\n", true },
	};
	struct http1 req;
	int status;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(
		    parse(table[i].text, strlen(table[i].text), &req, &status),
		    1);
		assert_int_equal(req.keep, table[i].keep);
	}
}

static void
test_limits(void **state)
{
	char big[HTTP1_HEAD_MAX + 64];
	struct http1 req;
	int status, i, n;

	memset(big, 'a', sizeof(big));
	memcpy(big, "GET /", 5);
	assert_int_equal(parse(big, HTTP1_HEAD_MAX - 1, &req, &status), 0);
	assert_int_equal(parse(big, HTTP1_HEAD_MAX, &req, &status), -1);
	assert_int_equal(status, 431);
	n = sprintf(big, "GET / HTTP/1.1\r\n");
	for (i = 0; i < HTTP1_FIELDS_MAX; i++)
		n += sprintf(big + n, "A: b\r\n");
	strcpy(big + n, "\r\n");
	assert_int_equal(parse(big, (size_t)n + 2, &req, &status), 1);
	strcpy(big + n, "A: b\r\n\r\n");
	assert_int_equal(parse(big, (size_t)n + 8, &req, &status), -1);
	assert_int_equal(status, 431);
	n = sprintf(big, "POST / HTTP/1.1\r\n"
			 "Content-Length: 99999999999999999999\r\n\r\n");
	assert_int_equal(parse(big, (size_t)n, &req, &status), -1);
	assert_int_equal(status, 413);
}

/* Any damage is refused or understood; never a byte read beyond the end. */
static void
test_damaged(void **state)
{
	char text[sizeof(whole)];
	struct http1 req;
	int status, rc;
	size_t i;

	srand(1);
	for (i = 0; i < 200000; i++) {
		memcpy(text, whole, sizeof(whole));
		text[(size_t)rand() % (sizeof(whole) - 1)] = (char)rand();
		text[(size_t)rand() % (sizeof(whole) - 1)] = (char)rand();
		rc = parse(text, sizeof(whole) - 1, &req, &status);
		assert_true(rc >= -1 && rc <= 1);
		if (rc == -1)
			assert_true(status >= 400 && status < 600);
		if (rc == 1)
			assert_true(req.head <= sizeof(whole) - 1 &&
				    req.path[0] == '/');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_every_prefix_waits),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
