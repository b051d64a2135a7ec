/*
 * Engines of this version beside those of the one before, and of one to come.
 * What the one before wrote stands here as it wrote it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/wire.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

#define RECORD_BEFORE \
	"{\"format\":1,\"cluster\":\"votes\",\"epoch\":7,\"seq\":12," \
	"\"state\":\"held\",\"holder\":\"prod-s1\",\"target\":\"\"," \
	"\"candidates\":[\"prod-s2\"],\"ttl_ms\":2500,\"nonce\":\"abc-1\"," \
	"\"timeline\":3,\"system_id\":\"77\",\"lsn\":\"0/3000060\"," \
	"\"taken_at_ms\":1700000000123,\"counted\":true,\"acked\":6," \
	"\"written_by\":\"prod-s1\"}"
#define RECORD_QUOTED \
	"{\\\"format\\\":1,\\\"cluster\\\":\\\"votes\\\",\\\"epoch\\\":7," \
	"\\\"seq\\\":12,\\\"state\\\":\\\"held\\\"," \
	"\\\"holder\\\":\\\"prod-s1\\\",\\\"target\\\":\\\"\\\"," \
	"\\\"candidates\\\":[\\\"prod-s2\\\"],\\\"ttl_ms\\\":2500," \
	"\\\"nonce\\\":\\\"abc-1\\\",\\\"timeline\\\":3," \
	"\\\"system_id\\\":\\\"77\\\",\\\"lsn\\\":\\\"0/3000060\\\"," \
	"\\\"taken_at_ms\\\":1700000000123,\\\"counted\\\":true," \
	"\\\"acked\\\":6,\\\"written_by\\\":\\\"prod-s1\\\"}"

static const char value_before[] =
    "{\"instance\":\"i1\",\"revision\":99,\"cold\":false,\"next\":\"\","
    "\"reported\":[],\"floor\":0,\"record\":\"" RECORD_QUOTED "\"}";
static const char cas_before[] =
    "{\"id\":5,\"instance\":\"i1\",\"revision\":99,\"nonce\":\"abc-0\","
    "\"reseed\":false,\"record\":\"" RECORD_QUOTED "\"}";
static const char ask_before[] =
    "{\"id\":9,\"from\":\"prod-s1\",\"instance\":\"i1\",\"epoch\":7,"
    "\"seq\":12,\"ttl_ms\":2500,\"lsn\":\"0/3000060\",\"abdicate\":false,"
    "\"position\":false,\"bounded\":false}";
static const char answer_before[] =
    "{\"id\":9,\"from\":\"prod-s2\",\"yes\":true,\"abdicated\":false,"
    "\"reason\":\"\",\"instance\":\"i1\",\"epoch\":7,\"seq\":12,\"running\":1,"
    "\"recovery\":1,\"timeline\":3,\"wal_end\":\"0/3000060\"}";
static const char result_before[] =
    "{\"result\":\"confirmed\",\"revision\":100,\"instance\":\"i1\"}";

static const struct names names = { .cluster = "votes",
	.count = 3,
	.node = { "prod-s1", "prod-s2", "prod-a1" } };

static struct reg_value value;
static struct do_cas cas;
static struct ask ask;
static struct ask_answer answer;

static int
read_value(const char *text, struct error *err)
{
	return wire_value_parse(&value, text, strlen(text), &names, err);
}

static int
read_cas(const char *text, struct error *err)
{
	return wire_cas_parse(&cas, text, strlen(text), &names, err);
}

static int
read_ask(const char *text, struct error *err)
{
	json_t *host;

	return wire_ask_parse(&ask, text, strlen(text), &names, &host, err);
}

static int
read_answer(const char *text, struct error *err)
{
	json_t *host;

	return wire_answer_parse(
	    &answer, text, strlen(text), &names, &host, err);
}

static int
read_result(const char *text, struct error *err)
{
	char instance[ID_MAX];
	enum cas_result res;
	uint64_t revision;

	return wire_result_parse(
	    &res, &revision, instance, text, strlen(text), err);
}

static char *
write_value(void)
{
	return wire_value_str(&value, &names);
}

static char *
write_cas(void)
{
	return wire_cas_str(&cas, &names);
}

static char *
write_ask(void)
{
	return wire_ask_str(&ask, &names, NULL);
}

static char *
write_answer(void)
{
	return wire_answer_str(&answer, &names, NULL);
}

static char *
write_result(void)
{
	return wire_result_str(CAS_CONFIRMED, 100, "i1");
}

static const struct {
	const char *before;
	int (*read)(const char *text, struct error *err);
	char *(*write)(void);
} messages[] = {
	{ value_before, read_value, write_value },
	{ cas_before, read_cas, write_cas },
	{ ask_before, read_ask, write_ask },
	{ answer_before, read_answer, write_answer },
	{ result_before, read_result, write_result },
};
#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

/* It is understood; and the reader of before, which takes the members that it
 * knows and passes over the others, finds each of them as it wrote it. */
static void
test_the_one_before(void **state)
{
	const char *key;
	struct error err;
	json_t *was, *is, *member;
	char *text;
	size_t i;

	for (i = 0; i < MESSAGES; i++) {
		if (messages[i].read(messages[i].before, &err) != 0)
			fail_msg("%s: %s", messages[i].before, err.msg);
		text = messages[i].write();
		was = json_read(
		    messages[i].before, strlen(messages[i].before), &err);
		is = json_read(text, strlen(text), &err);
		assert_non_null(was);
		assert_non_null(is);
		json_object_foreach(was, key, member) {
			if (!json_equal(member, json_object_get(is, key)))
				fail_msg("%s differs: %s", key, text);
		}
		json_decref(was);
		json_decref(is);
		free(text);
	}
	assert_true(value.older);
	assert_int_equal(value.rec.candidates, NODE_BIT(1));
	assert_int_equal(value.rec.epoch, 7);
	assert_true(value.rec.paused_until == 0);
}

/* These members instead of the closing brace. */
static char *
with(const char *text, const char *more)
{
	char *copy = malloc(strlen(text) + strlen(more) + 2);

	assert_non_null(copy);
	sprintf(copy, "%.*s,%s}", (int)strlen(text) - 1, text, more);
	return copy;
}

/* It says by itself whether this version is enough to understand it. */
static void
test_the_next_one(void **state)
{
	struct error err;
	char *text;
	size_t i;

	for (i = 0; i < MESSAGES; i++) {
		text = with(messages[i].before,
		    "\"proto\":3,\"needs\":2,\"new\":[{\"x\":null}]");
		if (messages[i].read(text, &err) != 0)
			fail_msg("%s: %s", text, err.msg);
		free(text);
		text = with(messages[i].before, "\"proto\":4,\"needs\":3");
		assert_int_equal(messages[i].read(text, &err), -1);
		if (strcmp(err.msg, "it speaks protocol 4, which takes 3 to "
				    "understand, and this hawatchd speaks 2: "
				    "upgrade it on this host") != 0)
			fail_msg("%s", err.msg);
		free(text);
		text = with(messages[i].before, "\"needs\":\"2\"");
		assert_int_equal(messages[i].read(text, &err), -1);
		free(text);
	}
}

static void
test_what_serves_the_register(void **state)
{
	struct error err;
	char *text;

	assert_int_equal(read_value(value_before, &err), 0);
	text = write_value();
	assert_int_equal(read_value(text, &err), 0);
	assert_false(value.older);
	free(text);
	text = with(value_before, "\"formats\":9");
	assert_int_equal(read_value(text, &err), 0);
	assert_false(value.older);
	free(text);
	text = with(value_before, "\"formats\":0");
	assert_int_equal(read_value(text, &err), -1);
	free(text);
}

/* Of a format that its reader knows, unless it has to say more. */
static void
test_record_formats(void **state)
{
	struct record rec, back;
	struct error err;
	char *text;

	assert_int_equal(record_parse(&rec, RECORD_BEFORE,
			     strlen(RECORD_BEFORE), &names, &err),
	    0);
	text = record_str(&rec, &names);
	assert_string_equal(text, RECORD_BEFORE);
	free(text);
	rec.paused_until = 1700000600000 * USEC_MSEC;
	str_cut(rec.paused_why, sizeof(rec.paused_why), "new \"disks\"");
	str_cut(rec.paused_by, sizeof(rec.paused_by), "amy (uid 0)");
	text = record_str(&rec, &names);
	assert_non_null(strstr(text, "\"format\":2"));
	assert_int_equal(
	    record_parse(&back, text, strlen(text), &names, &err), 0);
	assert_memory_equal(&rec, &back, sizeof(rec));
	*(strstr(text, "\"format\":2") + 9) = '3';
	assert_int_equal(
	    record_parse(&back, text, strlen(text), &names, &err), -1);
	assert_string_equal(err.msg,
	    "the record has format 3, this hawatchd knows 2: upgrade it on "
	    "this host");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_one_before),
		cmocka_unit_test(test_the_next_one),
		cmocka_unit_test(test_what_serves_the_register),
		cmocka_unit_test(test_record_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
