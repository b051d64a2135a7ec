/*
 * The status of all hosts: what each says of itself, bounded in size and time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/health.h"
#include "hawatch/traffic.h"
#include "orderstest.h"

static void
test_status_of_all(void **state)
{
	const json_t *nodes, *n;

	ot_read(REC_HELD);
	ot.peer[A] = "{\"node\":\"evil\",\"role\":\"primary\"}";
	ot.peer[W] = "not json";
	ot.reg = "{\"revision\":7}";
	ot_ask("status", "{\"verb\":\"status\"}");
	nodes = json_object_get(ot_last(), "nodes");
	assert_int_equal(json_array_size(nodes), 3);
	n = json_array_get(nodes, A);
	assert_string_equal(
	    json_string_value(json_object_get(n, "node")), "n-a");
	n = json_array_get(nodes, B);
	assert_string_equal(
	    json_string_value(json_object_get(n, "node")), "n-b");
	assert_int_equal(json_integer_value(json_object_get(n, "schema")), 1);
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(n, "record"), "epoch")),
	    3);
	n = json_array_get(nodes, W);
	assert_string_equal(
	    json_string_value(json_object_get(n, "silent")), "garbage");
}

/* What is around the database is in the document, and fits. */
static void
test_status_around(void **state)
{
	static char reason[2000];
	struct health health = { .ok = false, .reasons = "iam" };
	const json_t *n, *obj;
	char *text;

	ot.eng.converge = (struct converge *)(void *)&ot.eng;
	ot.eng.traffic = (struct traffic *)(void *)&ot.eng;
	ot.eng.reports = (struct reports *)(void *)&ot.eng;
	ot.eng.health = &health;
	ot.conf.check_count = 1;
	ot.conf.check[0].name = "iam";
	health.spared = CHECK_BIT(0);
	/* Of a balancer that only a holder steers, no other node speaks. */
	ot.conf.traffic[0].from = FROM_EVERY;
	ot.report = (struct host_report){
		.drift = 4, .passes = CHECK_BIT(0), .site_epoch = 3
	};
	memset(reason, 'x', sizeof(reason) - 1);
	ot.items = 1;
	ot.doing = "app";
	ot.item[0] = (struct converge_state){ .name = "db",
		.type = ITEM_CACHE,
		.holds = ANS_NO,
		.reason = reason };
	ot_read(REC_HELD);
	ot_ask("status", "{\"verb\":\"status\"}");
	n = json_array_get(json_object_get(ot_last(), "nodes"), B);
	obj = json_object_get(n, "health");
	assert_true(json_is_false(json_object_get(obj, "ok")));
	assert_int_equal(json_array_size(json_object_get(obj, "spared")), 1);
	obj = json_object_get(n, "drift");
	assert_int_equal(json_integer_value(json_object_get(obj, "count")), 1);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "doing")), "app");
	obj = json_array_get(json_object_get(obj, "items"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "type")), "cache");
	assert_true(
	    strlen(json_string_value(json_object_get(obj, "reason"))) < 200);
	obj = json_array_get(json_object_get(n, "traffic"), 0);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(obj, "out"), 0)),
	    "n-a");
	obj = json_array_get(json_object_get(n, "hosts"), A);
	assert_int_equal(json_integer_value(json_object_get(obj, "drift")), 4);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(obj, "passes"), 0)),
	    "iam");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(n, "site"), "primary")),
	    "n-a");
	text = json_dumps(n, 0);
	assert_true(strlen(text) < 8192);
	free(text);
	ot.items = 0;
}

/* What of PostgreSQL a person should know: whom it follows, what it may lose,
 * which settings are wrong. */
static void
test_status_settings(void **state)
{
	const json_t *n, *obj;
	int i;

	ot.conf.durability = DURABILITY_BOUNDED;
	ot.conf.max_loss = 65536;
	ot.view.source = NODE_BIT(A);
	ot.view.up_at = clock_now().raw - USEC_SEC;
	for (i = 0; i < PG_FINDINGS_MAX; i++) {
		ot.findings.row[i].reason = "commit-async";
		ot.findings.row[i].level = FINDING_WARNS;
		memset(ot.findings.row[i].where, 'x',
		    sizeof(ot.findings.row[i].where) - 1);
	}
	ot.findings.count = PG_FINDINGS_MAX;
	ot_read(REC_HELD);
	ot_ask("status", "{\"verb\":\"status\"}");
	n = json_array_get(json_object_get(ot_last(), "nodes"), B);
	obj = json_object_get(n, "durability");
	assert_string_equal(
	    json_string_value(json_object_get(obj, "mode")), "bounded");
	assert_int_equal(
	    json_integer_value(json_object_get(obj, "max_loss")), 65536);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(n, "durable"), "told")),
	    "0/0");
	obj = json_object_get(n, "postgres");
	assert_true(json_integer_value(json_object_get(obj, "up_ms")) >= 1000);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(obj, "source"), 0)),
	    "n-a");
	obj = json_object_get(obj, "settings");
	assert_int_equal(json_array_size(obj), PG_FINDINGS_MAX);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(obj, 0), "level")),
	    "warns");
	assert_true(json_is_object(json_object_get(n, "follow")));
	ot.findings.count = 0;
	ot.view.source = 0;
	ot.view.up_at = 0;
	ot.conf.durability = DURABILITY_STRICT;
	ot.conf.max_loss = 0;
}

/* A peer that never calls back is left out after a while; its late answer
 * finds nobody. */
static void
test_status_is_bounded(void **state)
{
	const json_t *n;
	int i;

	ot.peer_never = true;
	ot_ask("status", "{\"verb\":\"status\"}");
	assert_false(ot.final);
	ot.at.raw += 2 * USEC_SEC;
	orders_turn(&ot.eng, &ot.at);
	n = json_array_get(json_object_get(ot_last(), "nodes"), A);
	assert_string_equal(
	    json_string_value(json_object_get(n, "silent")), "timeout");
	for (i = 0; i < ot.held_n; i++)
		ot.held(ot.held_arg[i], A, "{}", NULL);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, ot_setup, ot_teardown)
	const struct CMUnitTest tests[] = {
		T(test_status_of_all),
		T(test_status_around),
		T(test_status_settings),
		T(test_status_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
