/*
 * JSON that others wrote: every refusal names the key, nothing is guessed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/json.h"

static const char text[] =
    "{\"s\":\"four\",\"n\":-3,\"big\":9223372036854775807,\"yes\":true,"
    "\"id\":\"18446744073709551615\",\"lsn\":\"16/B374D848\",\"a\":[1],"
    "\"o\":{},\"null\":null,\"real\":1.5,\"u32\":4294967295}";

static int
setup(void **state)
{
	struct error err;

	*state = json_read(text, strlen(text), &err);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	json_decref(*state);
	return 0;
}

static void
test_read_refuses(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "", 0 },
		{ "{", 1 },
		{ "[]", 2 },
		{ "\"x\"", 3 },
		{ "{\"a\":1,\"a\":2}", 13 },
		{ "{} {}", 5 },
		{ "{\"a\":\"\xff\"}", 9 },
		{ "{}\0", 3 },
		{ "{\"a\":9223372036854775808}", 25 },
		{ "{'a':1}", 7 },
	};
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.msg[0] = '\0';
		assert_null(json_read(bad[i].text, bad[i].len, &err));
		assert_int_equal(err.code, ERR_PROTOCOL);
		assert_true(strlen(err.msg) > 0);
	}
}

static void
test_want(void **state)
{
	struct error err;
	char buf[5];
	int64_t i64;
	uint64_t u64;
	uint32_t u32;
	int number;
	bool yes = false;
	lsn_t lsn;

	assert_int_equal(json_want_string(*state, "s", buf, 5, &err), 0);
	assert_string_equal(buf, "four");
	assert_int_equal(json_want_int(*state, "n", -3, 3, &number, &err), 0);
	assert_int_equal(number, -3);
	assert_int_equal(
	    json_want_i64(*state, "big", 0, INT64_MAX, &i64, &err), 0);
	assert_true(i64 == INT64_MAX);
	assert_int_equal(json_want_u64(*state, "big", &u64, &err), 0);
	assert_int_equal(json_want_count(*state, "u32", &u64, &err), 0);
	assert_true(u64 == UINT32_MAX);
	assert_int_equal(json_want_u32(*state, "u32", &u32, &err), 0);
	assert_true(u32 == UINT32_MAX);
	assert_int_equal(json_want_bool(*state, "yes", &yes, &err), 0);
	assert_true(yes);
	assert_int_equal(json_want_id(*state, "id", &u64, &err), 0);
	assert_true(u64 == UINT64_MAX);
	assert_int_equal(json_want_lsn(*state, "lsn", &lsn, &err), 0);
	assert_true(lsn == UINT64_C(0x16B374D848));
	assert_non_null(json_want_array(*state, "a", &err));
	assert_non_null(json_want_object(*state, "o", &err));
	assert_true(json_has(*state, "s"));
	assert_false(json_has(*state, "null"));
	assert_false(json_has(*state, "absent"));
}

static void
test_want_refuses(void **state)
{
	struct error err;
	char buf[4] = "old";
	uint64_t u64 = 7;
	uint32_t u32 = 7;
	int number = 7;
	bool yes = false;
	lsn_t lsn = 7;

	assert_int_equal(json_want_string(*state, "s", buf, 4, &err), -1);
	assert_string_equal(err.msg, "\"s\" has 4 bytes, the most is 3");
	assert_string_equal(buf, "old");
	assert_int_equal(json_want_string(*state, "n", buf, 4, &err), -1);
	assert_string_equal(
	    err.msg, "\"n\" is an integer where a string is expected");
	assert_int_equal(json_want_string(*state, "absent", buf, 4, &err), -1);
	assert_string_equal(
	    err.msg, "\"absent\" is missing where a string is expected");
	assert_int_equal(json_want_int(*state, "n", 0, 3, &number, &err), -1);
	assert_string_equal(err.msg, "\"n\" is -3, not within 0 to 3");
	assert_int_equal(json_want_u64(*state, "n", &u64, &err), -1);
	assert_int_equal(json_want_u64(*state, "real", &u64, &err), -1);
	assert_int_equal(json_want_u64(*state, "id", &u64, &err), -1);
	assert_int_equal(json_want_count(*state, "big", &u64, &err), -1);
	assert_int_equal(json_want_count(*state, "n", &u64, &err), -1);
	assert_int_equal(json_want_u32(*state, "big", &u32, &err), -1);
	assert_int_equal(json_want_bool(*state, "n", &yes, &err), -1);
	assert_int_equal(json_want_bool(*state, "null", &yes, &err), -1);
	assert_int_equal(json_want_id(*state, "lsn", &u64, &err), -1);
	assert_int_equal(json_want_id(*state, "big", &u64, &err), -1);
	assert_int_equal(json_want_lsn(*state, "s", &lsn, &err), -1);
	assert_non_null(strstr(err.msg, "\"s\" is \"four\""));
	assert_int_equal(json_want_lsn(*state, "id", &lsn, &err), -1);
	assert_null(json_want_array(*state, "o", &err));
	assert_null(json_want_object(*state, "a", &err));
	assert_int_equal(number, 7);
	assert_true(u64 == 7 && u32 == 7 && lsn == 7 && !yes);
}

static void
test_only(void **state)
{
	static const char *const all[] = { "s", "n", "big", "yes", "id", "lsn",
		"a", "o", "null", "real", "u32", NULL };
	static const char *const some[] = { "s", NULL };
	struct error err;

	assert_int_equal(json_only(*state, all, &err), 0);
	assert_int_equal(json_only(*state, some, &err), -1);
	assert_string_equal(err.msg, "unknown key \"n\"");
}

static void
test_put(void **state)
{
	json_t *obj = json_object();
	char *out;

	json_put_string(obj, "s", "a\"\n");
	json_put_string(obj, "foreign", "M\xfcnchen \xc3\xa9");
	json_put_i64(obj, "i", -1);
	json_put_u64(obj, "u", INT64_MAX);
	json_put_bool(obj, "b", true);
	json_put_id(obj, "id", UINT64_MAX);
	json_put_lsn(obj, "lsn", UINT64_C(0x16B374D848));
	json_put(obj, "a", json_array());
	out = json_text(obj);
	assert_string_equal(out,
	    "{\"s\":\"a\\\"\\n\",\"foreign\":\"M?nchen \xc3\xa9\",\"i\":-1,"
	    "\"u\":9223372036854775807,\"b\":true,"
	    "\"id\":\"18446744073709551615\",\"lsn\":\"16/B374D848\","
	    "\"a\":[]}");
	free(out);
	json_decref(obj);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test_setup_teardown(test_want, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_want_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only, setup, teardown),
		cmocka_unit_test(test_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
