/*
 * What travels between engines: each message comes back as it was, and
 * whatever bytes come instead are refused or read, never more than that. With
 * it the register's file, which carries the same value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/arbiter_file.h"
#include "engine/wire.h"
#include "hawatch/str.h"

static const struct names names = { .cluster = "votes",
	.count = 3,
	.node = { "prod-s1", "prod-s2", "prod-a1" } };

static struct record
sample_record(void)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.epoch = 7;
	r.seq = 12;
	r.state = REC_RELEASED;
	r.holder = 0;
	r.target = 1;
	r.candidates = NODE_BIT(0) | NODE_BIT(1);
	r.ttl = 2500 * USEC_MSEC;
	str_cut(r.nonce, sizeof(r.nonce), "abc-1");
	r.timeline = 3;
	r.system_id = UINT64_MAX;
	r.lsn = UINT64_MAX;
	r.taken_at = 1700000000123 * USEC_MSEC;
	r.counted = true;
	r.acked = 6;
	r.written_by = 0;
	return r;
}

static struct reg_value
sample_value(void)
{
	struct reg_value v;

	memset(&v, 0, sizeof(v));
	str_cut(v.instance, sizeof(v.instance), "i1");
	v.revision = 99;
	v.rec = sample_record();
	v.cold = true;
	str_cut(v.next, sizeof(v.next), "i2");
	v.reported = NODE_BIT(1);
	v.floor = 8;
	return v;
}

static struct do_cas
sample_cas(void)
{
	struct do_cas c;

	memset(&c, 0, sizeof(c));
	c.id = 5;
	str_cut(c.instance, sizeof(c.instance), "i1");
	c.revision = 98;
	str_cut(c.nonce, sizeof(c.nonce), "abc-0");
	c.rec = sample_record();
	c.reseed = true;
	return c;
}

static struct ask
sample_ask(void)
{
	struct ask a;

	memset(&a, 0, sizeof(a));
	a.id = 77;
	a.from = 1;
	str_cut(a.instance, sizeof(a.instance), "i1");
	a.epoch = 7;
	a.seq = 12;
	a.ttl = 2 * USEC_SEC;
	a.lsn = 0x1800F28;
	a.abdicate = true;
	a.position = true;
	a.bounded = true;
	return a;
}

static struct ask_answer
sample_answer(void)
{
	struct ask_answer a;

	memset(&a, 0, sizeof(a));
	a.id = 77;
	a.from = 0;
	a.yes = true;
	str_cut(a.reason, sizeof(a.reason), "higher-epoch");
	str_cut(a.instance, sizeof(a.instance), "i1");
	a.epoch = 7;
	a.seq = 12;
	a.abdicated = true;
	a.running = ANS_YES;
	a.recovery = ANS_NO;
	a.timeline = 3;
	a.wal_end = 1;
	return a;
}

static void
test_round_trips(void **state)
{
	struct reg_value v = sample_value(), v2;
	struct do_cas c = sample_cas(), c2;
	struct ask q = sample_ask(), q2;
	struct ask_answer a = sample_answer(), a2;
	json_t *host;
	struct error err;
	char *text;

	text = wire_value_str(&v, &names);
	assert_int_equal(
	    wire_value_parse(&v2, text, strlen(text), &names, &err), 0);
	assert_memory_equal(&v, &v2, sizeof(v));
	free(text);
	text = wire_cas_str(&c, &names);
	assert_int_equal(
	    wire_cas_parse(&c2, text, strlen(text), &names, &err), 0);
	assert_memory_equal(&c, &c2, sizeof(c));
	free(text);
	text = wire_ask_str(&q, &names, json_pack("{s:i}", "drift", 3));
	assert_int_equal(
	    wire_ask_parse(&q2, text, strlen(text), &names, &host, &err), 0);
	assert_memory_equal(&q, &q2, sizeof(q));
	assert_int_equal(json_integer_value(json_object_get(host, "drift")), 3);
	json_decref(host);
	free(text);
	text = wire_answer_str(&a, &names, NULL);
	assert_int_equal(
	    wire_answer_parse(&a2, text, strlen(text), &names, &host, &err), 0);
	assert_memory_equal(&a, &a2, sizeof(a));
	assert_null(host);
	free(text);
}

/* An engine of before there were several candidates asks no position. */
static void
test_older_peer(void **state)
{
	struct ask q = sample_ask(), q2;
	char *text = wire_ask_str(&q, &names, NULL), *at;
	json_t *host;
	struct error err;

	at = strstr(text, "\"position\":true");
	assert_non_null(at);
	memcpy(at, "\"nothing_\"", 10);
	assert_int_equal(
	    wire_ask_parse(&q2, text, strlen(text), &names, &host, &err), 0);
	q.position = false;
	assert_memory_equal(&q, &q2, sizeof(q));
	memcpy(at, "\"position\":12  ", 15);
	assert_int_equal(
	    wire_ask_parse(&q2, text, strlen(text), &names, &host, &err), -1);
	free(text);
}

/* Replaces one word of a good value and wants it refused with these words. */
static void
refused(const char *from, const char *to, const char *words)
{
	struct reg_value v = sample_value(), got;
	char *text = wire_value_str(&v, &names), *at;
	char bad[8192];
	struct error err;

	at = strstr(text, from);
	assert_non_null(at);
	snprintf(bad, sizeof(bad), "%.*s%s%s", (int)(at - text), text, to,
	    at + strlen(from));
	assert_int_equal(
	    wire_value_parse(&got, bad, strlen(bad), &names, &err), -1);
	if (strstr(err.msg, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, words);
	free(text);
}

static void
test_refusals(void **state)
{
	refused("\\\"cluster\\\":\\\"votes\\\"", "\\\"cluster\\\":\\\"mine\\\"",
	    "another cluster");
	refused("\\\"format\\\":1", "\\\"format\\\":99", "upgrade");
	refused("\\\"holder\\\":\\\"prod-s1\\\"",
	    "\\\"holder\\\":\\\"nobody\\\"", "nobody");
	refused("\\\"holder\\\":\\\"prod-s1\\\"", "\\\"holder\\\":\\\"\\\"",
	    "holder");
	refused("\\\"epoch\\\":7", "\\\"epoch\\\":-7", "epoch");
	refused("\\\"epoch\\\":7", "\\\"epoch\\\":0", "epoch");
	/* It is gone on from. */
	refused("\\\"epoch\\\":7", "\\\"epoch\\\":9223372036854775807",
	    "epoch 9223372036854775807");
	refused("\\\"seq\\\":12", "\\\"seq\\\":9223372036854775807",
	    "seq 9223372036854775807");
	refused(
	    "\"revision\":99", "\"revision\":9223372036854775807", "revision");
	refused("\"floor\":8", "\"floor\":9223372036854775807", "floor");
	refused("released", "relaxed", "state");
	refused("\\\"ttl_ms\\\":2500", "\\\"ttl_ms\\\":0", "ttl_ms");
	refused("\"revision\":99", "\"revision\":\"99\"", "revision");
	refused("\"cold\":true", "\"cold\":1", "cold");
	refused("[\"prod-s2\"]", "[\"prod-s9\"]", "reported");
	refused("{", "", "");
}

/* A few ten thousand spoilt messages: refused, or read as something. */
static void
test_spoilt(void **state)
{
	struct reg_value v = sample_value(), got;
	struct do_cas cas;
	struct ask ask;
	struct ask_answer ans;
	json_t *host;
	char *text = wire_value_str(&v, &names);
	size_t len = strlen(text), at, cut;
	unsigned seed = 1;
	struct error err;
	char *bad;
	int i, read = 0;

	for (i = 0; i < 30000; i++) {
		bad = strdup(text);
		seed = seed * 1664525 + 1013904223;
		at = (seed >> 8) % len;
		bad[at] = (char)(seed >> 24);
		cut = (seed & 7) == 0 ? at : len;
		read += wire_value_parse(&got, bad, cut, &names, &err) == 0;
		read += wire_cas_parse(&cas, bad, cut, &names, &err) == 0;
		read +=
		    wire_ask_parse(&ask, bad, cut, &names, &host, &err) == 0;
		json_decref(host);
		read +=
		    wire_answer_parse(&ans, bad, cut, &names, &host, &err) == 0;
		json_decref(host);
		free(bad);
	}
	assert_true(read < 30000);
	free(text);
}

static void
test_register_file(void **state)
{
	char dir[] = "/tmp/hawatch-register-XXXXXX", path[64], copy[80];
	char line[512];
	struct arbiter a, b;
	struct arbiter_origin origin;
	struct error err;
	char *text;
	FILE *from, *to;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/register", dir);
	snprintf(copy, sizeof(copy), "%s/register.copy", dir);
	assert_int_equal(arbiter_file_load(path, &names, &b, &origin, &err), 0);
	assert_false(origin.found);
	memset(&a, 0, sizeof(a));
	a.value = sample_value();
	a.ahead = NODE_BIT(0);
	a.written_at = 123456789;
	text = arbiter_file_str(&a, &names);
	assert_int_equal(arbiter_file_save(path, text, &err), 0);
	assert_int_equal(arbiter_file_save(path, text, &err), 0);
	free(text);
	assert_int_equal(arbiter_file_load(path, &names, &b, &origin, &err), 0);
	assert_true(origin.found && origin.same_file);
	assert_memory_equal(&a, &b, sizeof(a));
	/* A copy is another file, whatever it is called. */
	from = fopen(path, "r");
	to = fopen(copy, "w");
	while (fgets(line, sizeof(line), from) != NULL)
		fputs(line, to);
	fclose(from);
	fclose(to);
	assert_int_equal(rename(copy, path), 0);
	assert_int_equal(arbiter_file_load(path, &names, &b, &origin, &err), 0);
	assert_true(origin.found);
	assert_false(origin.same_file);
	assert_int_equal(truncate(path, 60), 0);
	assert_int_equal(
	    arbiter_file_load(path, &names, &b, &origin, &err), -1);
	assert_non_null(strstr(err.msg, path));
	unlink(path);
	rmdir(dir);
}

/* ext4 gives the number of an inode again as soon as it is free, so the copy
 * of a backup may have the very number that is written in it. */
static void
test_arbiter_inode_again(void **state)
{
	char dir[] = "/tmp/hawatch-register-XXXXXX", path[64], text[4096];
	struct arbiter a = { .value = sample_value(), .written_at = 1 }, b;
	struct arbiter_origin origin;
	struct error err;
	struct stat was, is;
	char *image;
	size_t n;
	FILE *f;
	int i;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/register", dir);
	image = arbiter_file_str(&a, &names);
	assert_int_equal(arbiter_file_save(path, image, &err), 0);
	free(image);
	assert_int_equal(stat(path, &was), 0);
	f = fopen(path, "r");
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	usleep(20000); /* a birth is told by the clock of the last tick */
	for (i = 0; i < 100; i++) {
		unlink(path);
		f = fopen(path, "w");
		assert_int_equal(fwrite(text, 1, n, f), n);
		fclose(f);
		assert_int_equal(stat(path, &is), 0);
		if (is.st_ino == was.st_ino)
			break;
	}
	if (is.st_ino != was.st_ino) {
		unlink(path);
		rmdir(dir);
		skip(); /* a file system that does not */
	}
	assert_int_equal(arbiter_file_load(path, &names, &b, &origin, &err), 0);
	assert_true(origin.found);
	assert_false(origin.same_file);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_older_peer),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_register_file),
		cmocka_unit_test(test_arbiter_inode_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
