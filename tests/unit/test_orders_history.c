/*
 * What the hosts wrote down, as the history of one and the report of all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "orderstest.h"

static void
test_history(void **state)
{
	ot.found = "{\"records\":[{\"ev\":\"plan.end\"}],\"lines\":1}";
	ot_ask("history", "{\"verb\":\"history\",\"all\":true}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 0);
	assert_int_equal(
	    json_array_size(json_object_get(ot_last(), "records")), 1);
	ot.found = "{\"records\":[],\"broken\":{\"line\":3}}";
	ot_ask("history", "{\"verb\":\"history\",\"verify\":true}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 1);
	ot.found = "{\"error\":\"open x: Input/output error\"}";
	ot_ask("history", "{\"verb\":\"history\"}");
	ot_refused(7, "Input/output error", "ls -l");
	ot_ask("history", "{\"verb\":\"history\",\"epoch\":-1}");
	ot_refused(2, "epoch", "hactl --help");
}

/* Each host's own lines, and who said nothing. */
static void
test_report(void **state)
{
	const json_t *hosts;

	ot_ask("report", "{\"verb\":\"report\"}");
	ot_refused(1, "no record is known", "hactl status");
	ot_read(REC_HELD);
	ot.found = "{\"records\":[{\"ev\":\"plan.end\"}]}";
	ot.told[A] = "{\"records\":[],\"wall_ms\":5}";
	ot.told[W] = NULL;
	ot_ask("report", "{\"verb\":\"report\"}");
	hosts = json_object_get(ot_last(), "hosts");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "epoch")), 3);
	assert_int_equal(json_array_size(hosts), 3);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(hosts, A), "wall_ms")),
	    5);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(hosts, W), "silent")),
	    "connect-timeout");
	ot.told[A] = "garbage";
	ot_ask("report", "{\"verb\":\"report\",\"epoch\":2}");
	hosts = json_object_get(ot_last(), "hosts");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(hosts, A), "silent")),
	    "garbage");
}

/* What one host says becomes a part of the answer, which hactl could not read
 * if it were nested too deeply: it counts as garbage, the others are told. */
static void
test_report_with_a_deep_part(void **state)
{
	const json_t *hosts;
	char deep[200] = "{\"records\":[],\"x\":";

	memset(deep + strlen(deep), '[', 40);
	memset(deep + strlen(deep), ']', 40);
	strcat(deep, "}");
	ot_read(REC_HELD);
	ot.found = "{\"records\":[]}";
	ot.told[A] = deep;
	ot.told[W] = "{\"records\":[],\"wall_ms\":5}";
	ot_ask("report", "{\"verb\":\"report\"}");
	hosts = json_object_get(ot_last(), "hosts");
	assert_null(json_object_get(json_array_get(hosts, A), "x"));
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(hosts, A), "silent")),
	    "garbage");
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(hosts, W), "wall_ms")),
	    5);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, ot_setup, ot_teardown)
	const struct CMUnitTest tests[] = {
		T(test_history),
		T(test_report),
		T(test_report_with_a_deep_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
