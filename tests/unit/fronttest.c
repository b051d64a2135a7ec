/*
 * What tests of the real hawatch-front share.
 */
#include "fronttest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/json.h"

struct front_harness fh;

int
fh_group_setup(void **state)
{
	fh_pki(&fh);
	return 0;
}

int
fh_group_teardown(void **state)
{
	fh_clean(&fh);
	return 0;
}

int
fh_test_start(void **state)
{
	fh_start(&fh, 256, 60 * USEC_SEC);
	return 0;
}

int
fh_test_stop(void **state)
{
	return fh.pid == 0 ? 0 : fh_stop(&fh);
}

uint64_t
fh_request(const char *peer, const char *path, const char *body)
{
	json_t *req = fh_want(&fh, "req", 5000);
	uint64_t id;

	assert_non_null(req);
	assert_string_equal(json_string_at(req, "peer"), peer);
	assert_string_equal(json_string_at(req, "path"), path);
	if (body != NULL)
		assert_string_equal(json_string_at(req, "body"), body);
	id = (uint64_t)json_integer_value(json_object_get(req, "req"));
	json_decref(req);
	return id;
}

void
fh_log(const char *what, const char *why)
{
	json_t *frame = fh_want(&fh, "log", 5000), *log;
	const char *reason;

	assert_non_null(frame);
	log = json_object_get(frame, "log");
	assert_string_equal(json_string_at(log, "what"), what);
	reason = json_string_at(log, "reason");
	if (strstr(reason, why) == NULL)
		fail_msg("not \"%s\": %s", why, reason);
	json_decref(frame);
}
