/*
 * What etcd answers, and what it must not be believed: numbers that do not
 * fit each other, other keys, bytes that are none of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "engine/etcd_text.h"
#include "hawatch/mem.h"

#define KEY "/hawatch/votes"
#define KEY64 "L2hhd2F0Y2gvdm90ZXM="
#define CLUSTER "291c65be606c62e0" /* 2962354523238851296 */
#define HEAD \
	"\"header\":{\"cluster_id\":\"2962354523238851296\"," \
	"\"member_id\":\"1\",\"revision\":\"20\",\"raft_term\":\"2\"}"
#define KV(mod, value) \
	"{\"key\":\"" KEY64 "\",\"create_revision\":\"2\"," \
	"\"mod_revision\":\"" mod "\",\"version\":\"3\",\"value\":\"" value \
	"\"}"

static const struct names names = { "votes", 2, { "s1", "s2" } };

static char *
base64(const char *text)
{
	size_t len = strlen(text);
	char *out = xcalloc(1, len * 2 + 8);

	EVP_EncodeBlock(
	    (unsigned char *)out, (const unsigned char *)text, (int)len);
	return out;
}

static struct arbiter
image(const char *instance)
{
	struct arbiter a = { .value = { .reported = 1,
				 .floor = 7,
				 .rec = { .epoch = 5,
				     .seq = 10,
				     .state = REC_HELD,
				     .holder = 0,
				     .target = NODE_NONE,
				     .candidates = 2,
				     .ttl = 2 * USEC_SEC,
				     .nonce = "n10",
				     .written_by = 0 } },
		.ahead = 2 };

	strcpy(a.value.instance, instance);
	return a;
}

static int
parse(struct etcd_view *v, const char *fmt, const char *value)
{
	char *coded = base64(value), *text;
	struct error err;
	int rc;

	text = xcalloc(1, strlen(fmt) + strlen(coded) + 1);
	strncpy(text, fmt, (size_t)(strstr(fmt, "VALUE") - fmt));
	strcat(text, coded);
	strcat(text, strstr(fmt, "VALUE") + 5);
	rc = etcd_range_parse(v, KEY, text, strlen(text), &names, &err);
	free(coded);
	free(text);
	return rc;
}

static void
test_round_trip(void **state)
{
	static const char *const instances[] = { CLUSTER, "other", "" };
	struct arbiter a;
	struct etcd_view v;
	char *text;
	int i;

	for (i = 0; i < 3; i++) {
		a = image(instances[i]);
		text = etcd_image_str(&a, &names);
		assert_int_equal(parse(&v,
				     "{" HEAD ",\"kvs\":[" KV(
					 "17", "VALUE") "],"
							"\"count\":\"1\"}\n",
				     text),
		    0);
		assert_string_equal(v.cluster, CLUSTER);
		assert_int_equal(v.head, 20);
		assert_int_equal(v.revision, 17);
		assert_string_equal(v.text, text);
		assert_int_equal(v.image.value.revision, 17);
		assert_int_equal(v.image.value.head, 20);
		assert_int_equal(v.image.value.cold, i > 0);
		assert_string_equal(v.image.value.next, i > 0 ? CLUSTER : "");
		assert_int_equal(v.image.value.rec.epoch, 5);
		assert_string_equal(v.image.value.rec.nonce, "n10");
		assert_int_equal(v.image.value.reported, 1);
		assert_int_equal(v.image.ahead, 2);
		assert_int_equal(v.image.value.floor, 7);
		etcd_view_fini(&v);
		free(text);
	}
}

static void
test_no_key(void **state)
{
	static const char text[] = "{" HEAD "}";
	struct etcd_view v;
	struct error err;

	assert_int_equal(
	    etcd_range_parse(&v, KEY, text, strlen(text), &names, &err), 0);
	assert_int_equal(v.revision, 0);
	assert_true(v.image.value.cold);
	assert_string_equal(v.image.value.next, CLUSTER);
	assert_int_equal(v.image.value.rec.state, REC_NONE);
	etcd_view_fini(&v);
}

static void
test_lies(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{",
		"{}",
		"{\"header\":{}}",
		"{\"header\":{\"cluster_id\":\"1\"}}",
		"{\"header\":{\"cluster_id\":\"0\",\"revision\":\"1\"}}",
		"{\"header\":{\"cluster_id\":\"1\",\"revision\":\"0\"}}",
		"{\"header\":{\"cluster_id\":1,\"revision\":\"1\"}}",
		"{\"header\":{\"cluster_id\":\"-1\",\"revision\":\"1\"}}",
		"{\"header\":{\"cluster_id\":\"1\",\"revision\":\"1e3\"}}",
		"{\"header\":{\"cluster_id\":\"1\","
		"\"revision\":\"9223372036854775807\"}}",
		"{\"header\":{\"cluster_id\":\"1\","
		"\"revision\":\"9223372036854775808\"}}",
		"{\"header\":{\"cluster_id\":\"1\","
		"\"revision\":\"18446744073709551615\"}}",
		"{" HEAD ",\"kvs\":[" KV("9223372036854775808", "e30=") "]}",
		"{" HEAD "," HEAD "}",
		"{" HEAD ",\"count\":\"1\"}",
		"{" HEAD ",\"kvs\":{}}",
		"{" HEAD ",\"kvs\":[1]}",
		"{" HEAD ",\"kvs\":[{}]}",
		"{" HEAD ",\"kvs\":[{\"key\":\"" KEY64 "\"}]}",
		"{" HEAD ",\"kvs\":[" KV("0", "e30=") "]}",
		"{" HEAD ",\"kvs\":[" KV("21", "e30=") "]}",
		"{" HEAD ",\"kvs\":[{\"key\":\"L2hhd2F0Y2g=\","
		"\"mod_revision\":\"5\",\"value\":\"e30=\"}]}",
		"{" HEAD ",\"kvs\":[" KV("5", "e30=") "," KV("5", "e30=") "]}",
		/* {} is no register; nor are bytes that are no base64, a byte
		 * 0, nothing. */
		"{" HEAD ",\"kvs\":[" KV("5", "e30=") "]}",
		"{" HEAD ",\"kvs\":[" KV("5", "e3") "]}",
		"{" HEAD ",\"kvs\":[" KV("5", "e3!=") "]}",
		"{" HEAD ",\"kvs\":[" KV("5", "ewB9") "]}",
		"{" HEAD ",\"kvs\":[" KV("5", "") "]}",
		"{" HEAD ",\"kvs\":[" KV("5", "=") "]}",
	};
	struct etcd_view v;
	struct error err;
	bool taken;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (etcd_range_parse(
			&v, KEY, rows[i], strlen(rows[i]), &names, &err) == 0)
			fail_msg("taken: %s", rows[i]);
		if (etcd_put_parse(&v, &taken, KEY, rows[i], strlen(rows[i]),
			&names, &err) == 0)
			fail_msg("taken for a write: %s", rows[i]);
	}
}

/* What is under the key: of another cluster, of a newer format, half. */
static void
test_foreign_values(void **state)
{
	static const char kv[] = "{" HEAD ",\"kvs\":[" KV("17", "VALUE") "]}";
	struct arbiter a = image(CLUSTER);
	struct names other = { "others", 2, { "s1", "s2" } };
	struct names fewer = { "votes", 1, { "s1" } };
	char *text = etcd_image_str(&a, &names), *cut;
	struct etcd_view v;
	size_t i;

	for (i = 0; i < strlen(text); i++) {
		cut = xstrndup(text, i);
		assert_int_equal(parse(&v, kv, cut), -1);
		free(cut);
	}
	text[11] = '9'; /* {"hawatch":1 */
	assert_int_equal(parse(&v, kv, text), -1);
	free(text);
	text = etcd_image_str(&a, &other);
	assert_int_equal(parse(&v, kv, text), -1);
	free(text);
	a.value.rec.candidates = 0;
	a.ahead = 0;
	text = etcd_image_str(&a, &fewer);
	assert_int_equal(parse(&v, kv, text), 0);
	etcd_view_fini(&v);
	free(text);
}

/* What is counted on from there would be no number of JSON any more. */
static void
test_too_far(void **state)
{
	static const char kv[] = "{" HEAD ",\"kvs\":[" KV("17", "VALUE") "]}";
	struct arbiter a[4];
	struct etcd_view v;
	char *text;
	int i;

	for (i = 0; i < 4; i++)
		a[i] = image(CLUSTER);
	a[1].value.rec.epoch = INT64_MAX;
	a[2].value.rec.seq = INT64_MAX;
	a[3].value.floor = INT64_MAX;
	for (i = 0; i < 4; i++) {
		text = etcd_image_str(&a[i], &names);
		assert_int_equal(parse(&v, kv, text), i == 0 ? 0 : -1);
		if (i == 0)
			etcd_view_fini(&v);
		free(text);
	}
}

static void
test_put(void **state)
{
	static const char taken_text[] =
	    "{" HEAD ",\"succeeded\":true,"
	    "\"responses\":[{\"response_put\":{\"header\":{}}}]}";
	static const char not_text[] =
	    "{" HEAD ",\"responses\":["
	    "{\"response_range\":{\"header\":{\"revision\":\"20\"}}}]}";
	static const char odd[] = "{" HEAD ",\"succeeded\":\"yes\"}";
	struct etcd_view v = { .revision = 0 };
	struct error err;
	bool taken;
	char *body;

	assert_int_equal(etcd_put_parse(&v, &taken, KEY, taken_text,
			     strlen(taken_text), &names, &err),
	    0);
	assert_true(taken);
	assert_int_equal(v.revision, 20);
	assert_int_equal(etcd_put_parse(&v, &taken, KEY, not_text,
			     strlen(not_text), &names, &err),
	    0);
	assert_false(taken);
	assert_int_equal(v.revision, 0);
	assert_true(v.image.value.cold);
	etcd_view_fini(&v);
	assert_int_equal(
	    etcd_put_parse(&v, &taken, KEY, odd, strlen(odd), &names, &err),
	    -1);
	/* Only in the place of what was seen: nothing, or exactly that. */
	body = etcd_put_str(KEY, &v, "{}");
	assert_non_null(strstr(body, "\"target\":\"CREATE\""));
	free(body);
	v.revision = 17;
	v.text = xstrdup("{\"a\":1}");
	body = etcd_put_str(KEY, &v, "{}");
	assert_non_null(strstr(body, "\"mod_revision\":\"17\""));
	assert_non_null(strstr(body, "\"target\":\"VALUE\""));
	free(body);
	etcd_view_fini(&v);
}

static void
test_the_rest(void **state)
{
	static const struct {
		const char *text;
		bool goes_on;
	} lines[] = {
		{ "{\"result\":{" HEAD ",\"created\":true}}", true },
		{ "{\"result\":{" HEAD ",\"events\":[{}]}}", true },
		{ "{\"result\":{" HEAD ",\"canceled\":true}}", false },
		{ "{\"result\":{\"created\":true}}", false },
		{ "{\"error\":{\"message\":\"etcdserver: no leader\"}}",
		    false },
		{ "{\"result\":[]}", false },
		{ "x", false },
		{ "", false },
	};
	char buf[64];
	struct error err;
	uint64_t head;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_int_equal(etcd_watch_parse(lines[i].text,
				     strlen(lines[i].text), &head),
		    lines[i].goes_on);
	etcd_error_str(buf, sizeof(buf), lines[4].text, strlen(lines[4].text));
	assert_string_equal(buf, "etcdserver: no leader");
	etcd_error_str(buf, sizeof(buf), "{\"error\":\"a\"}", 13);
	assert_string_equal(buf, "a");
	etcd_error_str(buf, sizeof(buf), "<html>", 6);
	assert_string_equal(buf, "an error without words");
	assert_int_equal(
	    etcd_login_parse(buf, sizeof(buf), "{\"token\":\"t.1\"}", 15, &err),
	    0);
	assert_string_equal(buf, "t.1");
	assert_int_equal(etcd_login_parse(buf, sizeof(buf),
			     "{\"token\":\"t\\r\\nX: y\"}", 22, &err),
	    -1);
	assert_int_equal(
	    etcd_login_parse(buf, sizeof(buf), "{\"token\":\"\"}", 12, &err),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_foreign_values),
		cmocka_unit_test(test_too_far),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
