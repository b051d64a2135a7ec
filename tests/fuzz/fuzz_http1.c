/*
 * The head of a request to the front. What is read does not depend on how the
 * bytes come in: a part of a head is waited for or refused, never taken.
 */
#include <string.h>

#include "front/frame.h"
#include "front/http1.h"
#include "fuzz.h"

static void
inside(const char *buf, size_t len, const char *part, size_t part_len)
{
	FUZZ_CHECK(part >= buf && part + part_len <= buf + len);
	FUZZ_CHECK(memchr(part, '\n', part_len) == NULL);
	FUZZ_CHECK(memchr(part, ' ', part_len) == NULL);
}

static void
whole(const char *buf, size_t size, const struct http1 *req)
{
	FUZZ_CHECK(req->head <= size && req->head <= HTTP1_HEAD_MAX);
	FUZZ_CHECK(memcmp(buf + req->head - 4, "\r\n\r\n", 4) == 0);
	inside(buf, req->head, req->method, req->method_len);
	inside(buf, req->head, req->path, req->path_len);
	FUZZ_CHECK(req->method_len > 0 && req->path[0] == '/');
	if (req->query != NULL)
		inside(buf, req->head, req->query, req->query_len);
	FUZZ_CHECK(req->has_length || req->length == 0);
	FUZZ_CHECK(req->length < 1000000000000ULL);
	if (frame_path_ok(req->path, req->path_len))
		FUZZ_CHECK(req->path_len <= 36);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *buf = (const char *)data;
	struct http1 req, part;
	int rc, early, status, early_status;
	size_t len, step = size / 64 + 1;

	if (size == 0)
		return 0;
	rc = http1_parse(buf, size, &req, &status);
	FUZZ_CHECK(rc == 1 || rc == 0 || (status >= 400 && status < 600));
	if (rc == 1)
		whole(buf, size, &req);
	else if (rc == 0)
		FUZZ_CHECK(size < HTTP1_HEAD_MAX);
	for (len = 1; len < size; len += step) {
		early = http1_parse(buf, len, &part, &early_status);
		FUZZ_CHECK(early != 1 || (rc == 1 && part.head == req.head &&
					     part.length == req.length &&
					     part.keep == req.keep));
		FUZZ_CHECK(early != -1 || (rc == -1 && early_status == status));
		if (rc == 1 && len < req.head)
			FUZZ_CHECK(early == 0);
	}
	return 0;
}
