/*
 * What hosts tell each other about themselves: how often, and what is made of
 * what others send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/json.h"
#include "reportstest.h"

static void
test_everybody_hears(void **state)
{
	const struct host_report *rep;

	rt_set(B, OWN, ANS_NO);
	rt_steps(50);
	rt.conf.self = A;
	rep = reports_of(rt.host[A].e.reports, B, &rt.at);
	assert_non_null(rep);
	assert_false(rep->healthy);
	assert_int_equal(rep->fails, CHECK_BIT(OWN));
	assert_int_equal(rep->passes, CHECK_BIT(SHARED));
	assert_int_equal(rep->drift, 3);
	assert_int_equal(rep->traffic, ANS_NO);
	assert_int_equal(rep->site_epoch, 8);
	assert_int_equal(rt.host[A].heard_epoch, 8);
	assert_non_null(reports_of(rt.host[W].e.reports, A, &rt.at));
	assert_null(reports_of(rt.host[A].e.reports, W, &rt.at));
	assert_int_equal(rt.host[W].sent, 0);
	rt.cut = true;
	rt_steps(3100);
	assert_null(reports_of(rt.host[A].e.reports, B, &rt.at));
}

/* Once a second to a data node, every five seconds to the witness, at once
 * when something changed, and not beside a message that carries it. */
static void
test_it_is_sent_seldom(void **state)
{
	json_t *obj;
	int n, i;

	rt_steps(500);
	n = rt.host[A].sent;
	rt_steps(10000);
	assert_in_range(rt.host[A].sent - n, 10, 14);
	rt_set(A, OWN, ANS_NO);
	n = rt.host[A].sent;
	rt_steps(110);
	assert_in_range(rt.host[A].sent - n, 2, 3);
	n = rt.host[A].sent;
	for (i = 0; i < 25; i++) {
		obj = reports_along(rt.host[A].e.reports, B, &rt.at);
		json_decref(obj);
		rt_steps(400);
	}
	assert_in_range(rt.host[A].sent - n, 2, 3);
}

static void
runs_by(int i, const char *digest, const char *vital)
{
	strcpy(rt.host[i].digest, digest);
	strcpy(rt.host[i].vital, vital);
}

static enum answer
differs(int i, int from, bool vital)
{
	return reports_config(rt.host[i].e.reports, from, vital);
}

/* Every host, the witness too, says by what it runs, and compares; the core
 * hears of what matters for safety. An older version says nothing. */
static void
test_configurations_are_compared(void **state)
{
	int i;

	for (i = 0; i < 3; i++)
		runs_by(i, "1111111111111111", "2222222222222222");
	rt_steps(6000);
	assert_int_equal(differs(A, B, false), ANS_YES);
	assert_int_equal(differs(A, W, false), ANS_YES);
	assert_int_equal(differs(W, B, true), ANS_YES);
	assert_int_equal(rt.host[A].said, ANS_YES);
	runs_by(B, "3333333333333333", "2222222222222222");
	rt_steps(200);
	assert_int_equal(differs(A, B, false), ANS_NO);
	assert_int_equal(differs(A, B, true), ANS_YES);
	assert_int_equal(differs(B, A, false), ANS_NO);
	assert_int_equal(rt.host[A].said, ANS_YES);
	runs_by(B, "4444444444444444", "5555555555555555");
	rt_steps(6000);
	assert_int_equal(differs(A, B, true), ANS_NO);
	assert_int_equal(differs(W, B, true), ANS_NO);
	assert_int_equal(differs(B, W, true), ANS_NO);
	assert_int_equal(differs(A, W, true), ANS_YES);
	assert_int_equal(rt.host[A].said, ANS_NO);
	/* By its last word, however old. */
	rt.cut = true;
	rt_steps(20000);
	assert_int_equal(differs(A, B, true), ANS_NO);
	rt.cut = false;
	runs_by(B, "", "");
	rt_steps(2000);
	assert_int_equal(differs(A, B, true), ANS_UNKNOWN);
	assert_int_equal(rt.host[A].said, ANS_UNKNOWN);
}

/* Whether a PostgreSQL has room to write is told at once. */
static void
test_room(void **state)
{
	rt_steps(6000);
	assert_int_equal(rt.host[A].room, ANS_YES);
	rt.host[B].full = true;
	rt_steps(200);
	assert_int_equal(rt.host[A].room, ANS_NO);
	rt.host[B].full = false;
	rt_steps(200);
	assert_int_equal(rt.host[A].room, ANS_YES);
}

static void
test_foreign(void **state)
{
	static const char *const bad[] = { "{}", "[]", "7",
		"{\"seq\":1,\"site_epoch\":-1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":1,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":1,\"drift\":0,"
		"\"traffic\":1,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":-1,"
		"\"traffic\":1,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":9,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":1,\"passes\":{\"own\":-1},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":1,\"passes\":[],\"fails\":[]}" };
	struct host_report rep;
	struct error err;
	json_t *obj, *many;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		obj = json_loads(bad[i], JSON_DECODE_ANY, NULL);
		assert_non_null(obj);
		assert_int_equal(report_parse(&rep, obj, &rt.conf, &err), -1);
		json_decref(obj);
	}
	/* Unknown members and names are passed over; too many are not. */
	obj = json_loads("{\"seq\":5,\"site_epoch\":1,\"healthy\":true,"
			 "\"drift\":0,\"traffic\":1,\"new\":{},"
			 "\"passes\":{\"shared\":7,\"nobody\":1},\"fails\":[]}",
	    0, NULL);
	assert_int_equal(report_parse(&rep, obj, &rt.conf, &err), 0);
	assert_int_equal(rep.passes, CHECK_BIT(SHARED));
	rt.conf.self = A;
	reports_take(rt.host[A].e.reports, B, obj, 0, &rt.at);
	assert_false(rep.stale);
	assert_int_equal(rep.automatic, ANS_UNKNOWN);
	json_object_set_new(obj, "auto", json_string("yes"));
	assert_int_equal(report_parse(&rep, obj, &rt.conf, &err), -1);
	json_object_set_new(obj, "auto", json_false());
	json_object_set_new(obj, "stale", json_integer(1));
	assert_int_equal(report_parse(&rep, obj, &rt.conf, &err), -1);
	json_object_set_new(obj, "stale", json_true());
	assert_int_equal(report_parse(&rep, obj, &rt.conf, &err), 0);
	assert_true(rep.stale);
	assert_int_equal(rep.automatic, ANS_NO);
	assert_int_equal(rep.room, ANS_UNKNOWN);
	/* An older one that comes late changes nothing. */
	json_object_set_new(obj, "seq", json_integer(4));
	json_object_set_new(obj, "drift", json_integer(9));
	reports_take(rt.host[A].e.reports, B, obj, 0, &rt.at);
	assert_int_equal(reports_of(rt.host[A].e.reports, B, &rt.at)->drift, 0);
	/* A witness has nothing to say, nor has anybody about this host. */
	reports_take(rt.host[A].e.reports, W, obj, 0, &rt.at);
	assert_null(reports_of(rt.host[A].e.reports, W, &rt.at));
	reports_take(rt.host[A].e.reports, A, obj, 0, &rt.at);
	assert_null(reports_of(rt.host[A].e.reports, A, &rt.at));
	many = json_object();
	for (i = 0; i < 33; i++) {
		(void)snprintf(name, sizeof(name), "x%zu", i);
		json_object_set_new(many, name, json_integer(1));
	}
	json_object_set_new(obj, "passes", many);
	assert_int_equal(report_parse(&rep, obj, &rt.conf, &err), -1);
	json_decref(obj);
}

/* Spoilt bytes are refused, or read as something; ASan looks on. */
static void
test_spoilt(void **state)
{
	struct host_report rep = { .seq = 9,
		.site_epoch = 3,
		.passes = CHECK_BIT(SHARED) | CHECK_BIT(QUIET),
		.fails = CHECK_BIT(OWN),
		.healthy = true };
	json_t *obj = report_json(&rep, &rt.conf);
	char *text = json_text(obj), *bad;
	size_t len = strlen(text);
	struct error err;
	int i, read = 0;

	json_decref(obj);
	for (i = 0; i < 30000; i++) {
		bad = strdup(text);
		bad[rt_dice((int)len)] = (char)rt_dice(256);
		if (rt_dice(4) == 0)
			bad[rt_dice((int)len)] = (char)rt_dice(256);
		obj = json_read(bad, strlen(bad), &err);
		if (obj != NULL)
			read += report_parse(&rep, obj, &rt.conf, &err) == 0;
		json_decref(obj);
		free(bad);
	}
	assert_in_range(read, 1, 20000);
	free(text);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rt_setup, rt_teardown)
	const struct CMUnitTest tests[] = {
		T(test_everybody_hears),
		T(test_it_is_sent_seldom),
		T(test_configurations_are_compared),
		T(test_room),
		T(test_foreign),
		T(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
