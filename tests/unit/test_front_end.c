/*
 * The end of the real hawatch-front, and its rights: it lives exactly as long
 * as a sane engine does, and holds none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fronttest.h"

static void
test_end_of_the_link_ends_it(void **state)
{
	assert_int_equal(fh_stop(&fh), 0);
}

static void
broken(const void *bytes, size_t len)
{
	fh_start(&fh, 64, USEC_SEC);
	fh_raw(&fh, bytes, len);
	assert_null(fh_next(&fh, 5000));
	assert_int_equal(fh_stop(&fh), 2);
}

static void
test_broken_frames_end_it(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"{\"snap\":{}}",
		"{\"snap\":{\"reasons\":\"\",\"fresh\":-1}}",
		"{\"doc\":7}",
		"{\"reply\":1}",
		"{\"reply\":1,\"status\":99,\"body\":\"\"}",
		"not JSON at all",
	};
	static const char huge[] = "\xff\xff\xff\xff{";
	char frame[256];
	uint32_t n;
	size_t i;

	broken(huge, 5);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		n = htonl((uint32_t)strlen(texts[i]));
		memcpy(frame, &n, 4);
		memcpy(frame + 4, texts[i], strlen(texts[i]));
		broken(frame, 4 + strlen(texts[i]));
	}
}

static bool
status_has(const char *line)
{
	char path[64], buf[8192];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)fh.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	fclose(f);
	return strstr(buf, line) != NULL;
}

static void
test_holds_no_rights(void **state)
{
	assert_true(status_has("\nNoNewPrivs:\t1\n"));
	assert_true(status_has("\nCapEff:\t0000000000000000\n"));
	assert_true(status_has("\nCapPrm:\t0000000000000000\n"));
	assert_true(status_has("\nCapInh:\t0000000000000000\n"));
	if (geteuid() != 0)
		return;
	assert_true(status_has("\nUid:\t65534\t65534\t65534\t65534\n"));
	assert_true(status_has("\nGid:\t65534\t65534\t65534\t65534\n"));
	assert_true(status_has("\nGroups:\t \n"));
	assert_true(status_has("\nCapBnd:\t0000000000000000\n"));
}

static void
test_port_in_use_is_said(void **state)
{
	struct front_harness first = fh;
	json_t *frame;
	char port[16];
	const char *why;

	fh_spawn(&fh, 64, USEC_SEC);
	frame = fh_next(&fh, 5000);
	assert_non_null(frame);
	why = json_string_value(json_object_get(frame, "fail"));
	assert_non_null(why);
	(void)snprintf(port, sizeof(port), "port %d", fh.peer_port);
	assert_non_null(strstr(why, port));
	json_decref(frame);
	assert_int_equal(fh_stop(&fh), 1);
	fh = first;
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fh_test_start, fh_test_stop)
	const struct CMUnitTest tests[] = {
		T(test_end_of_the_link_ends_it),
		cmocka_unit_test(test_broken_frames_end_it),
		T(test_holds_no_rights),
		T(test_port_in_use_is_said),
	};

	return cmocka_run_group_tests(tests, fh_group_setup, fh_group_teardown);
}
