/*
 * The orders: who may give which, what is refused and with which command to
 * go on, and what a plan says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "orderstest.h"

static void
test_refusals_have_a_next_command(void **state)
{
	ot_ask("frob", "{\"verb\":\"frob\"}");
	ot_refused(2, "does not know", "hactl");
	ot_ask("promote", "{\"verb\":\"promote\"}");
	ot_refused(2, "missing", "hactl");
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-x\"}");
	ot_refused(2, "no node of cluster lab; the nodes are n-a, n-b",
	    "hactl status");
	ot_ask("promote", "{\"verb\":\"promote\",\"bogus\":1}");
	ot_refused(2, "bogus", "hactl");
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-a\"}");
	ot_refused(1, "that is another host", "ssh n-a hactl promote n-a");
	ot_ask("switchover", "{\"verb\":\"switchover\"}");
	ot_refused(1, "no primary", "hactl status");
	ot_ask("switchover", "{\"verb\":\"switchover\",\"leave_slots\":1}");
	ot_refused(2, "leave_slots", "hactl");
	ot_ask("switchover", "{\"verb\":\"switchover\",\"leave_slots\":true}");
	ot_refused(1, "no primary", "hactl status");
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-a\"}");
	ot_refused(1,
	    "that is another host: run it there, or from here with --host n-a",
	    "ssh n-a hactl init --holder n-a");
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	ot_refused(1, "register does not answer", "hactl register show");
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot_refused(1, "no record", "hactl init");
	ot_ask("plan", "{\"verb\":\"plan\",\"node\":\"n-w\"}");
	ot_refused(1, "witness", "hactl");
	ot_ask("ack", "{\"verb\":\"ack\"}");
	ot_refused(1, "only the holder", "hactl status");
	ot_ask("pause", "{\"verb\":\"pause\",\"for_s\":60}");
	ot_refused(2, "why, is missing", "hactl pause --for 30m \"WHY\"");
	ot_ask("pause", "{\"verb\":\"pause\",\"why\":\"disks\"}");
	ot_refused(2, "for how long", "hactl pause --for 30m \"WHY\"");
	ot_ask(
	    "pause", "{\"verb\":\"pause\",\"for_s\":86401,\"why\":\"disks\"}");
	ot_refused(2, "for_s", "hactl");
	ot_ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"disks\"}");
	ot_refused(1, "no holder", "hactl init --holder NODE");
	ot_ask("resume", "{\"verb\":\"resume\"}");
	ot_refused(1, "no holder", "hactl init --holder NODE");
	ot_ask("fence", "{\"verb\":\"fence\"}");
	ot_refused(2, "why is missing", "hactl fence \"WHY\"");
	ot_read(REC_HELD);
	ot_ask(
	    "pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"new disks\"}");
	ot_refused(1,
	    "by the record n-a holds the cluster, and only the holder writes "
	    "this: run it there, or from here with --host n-a",
	    "ssh n-a 'hactl pause --for 60s \"new disks\"'");
	ot_ask(
	    "pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"it's $(x)\"}");
	ot_refused(
	    1, "only the holder", "ssh n-a 'hactl pause --for 60s \"WHY\"'");
	ot_ask("resume", "{\"verb\":\"resume\"}");
	ot_refused(1, "run it there, or from here with --host n-a",
	    "ssh n-a hactl resume");
	ot_ask("switchover", "{\"verb\":\"switchover\"}");
	ot_refused(1,
	    "n-a is the primary, and only the primary hands over: run it "
	    "there, or from here with --host n-a",
	    "ssh n-a hactl switchover n-b");
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	ot_refused(1, "the register holds a record already", "register show");
	ot_ask("ack", "{\"verb\":\"ack\"}");
	ot_refused(1, "n-a holds the cluster", "ssh n-a hactl ack");
	ot_ask("unfence", "{\"verb\":\"unfence\"}");
	ot_refused(1, "not latched", "hactl status");
	ot_ask("register-adopt", "{\"verb\":\"register-adopt\"}");
	ot_refused(1, "the register refuses: the register is not cold",
	    "hactl register show");
	ot_ask("promote", "{\"verb\":\"promote\"}");
	ot_refused(2, "the name of a node is missing", "hactl --help");
	ot_ask("register-show", "{\"verb\":\"register-show\"}");
	ot_refused(1, "connect-refused", "systemctl status hawatchd");
}

/* An operator of another host: who may only look gives no order, whatever it
 * is called; nobody starts a PostgreSQL from afar. */
static void
test_operators(void **state)
{
	static const char *const reads[] = { "status", "register-show", "ping",
		"role" };
	static const char *const orders[] = { "promote", "switchover", "init",
		"register-adopt", "pause", "resume", "fence", "unfence",
		"rejoin", "ack", "drift-apply", "notify-test" };
	const json_t *exit;
	char text[80];
	size_t i;

	ot.remote_name = "ann";
	ot.remote_orders = false;
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"verb\":\"%s\",\"node\":\"n-b\"}", orders[i]);
		ot_ask(orders[i], text);
		ot_refused(6, "operator ann may read only", "hactl status");
	}
	for (i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		(void)snprintf(
		    text, sizeof(text), "{\"verb\":\"%s\"}", reads[i]);
		ot_ask(reads[i], text);
		exit = json_object_get(ot_last(), "exit");
		assert_int_not_equal(json_integer_value(exit), 6);
	}
	ot.remote_orders = true;
	ot_ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"disks\"}");
	ot_refused(1, "no holder", "hactl init --holder NODE");
	ot_ask("gate", "{\"verb\":\"gate\"}");
	ot_refused(6, "asked on the host itself only", "hactl");
	ot.remote_name = NULL;
}

static void
refused_tap(void *arg, enum event_name ev, const struct kv *kv, size_t n)
{
	unsigned *count = arg;

	*count += ev == EMIT_order_refused;
}

/* What only asks is in no log, whatever it is told; an order is. */
static void
test_questions_are_in_no_log(void **state)
{
	static const char *const reads[][2] = {
		{ "plan", "{\"verb\":\"plan\",\"node\":\"n-w\"}" },
		{ "plan", "{\"verb\":\"plan\",\"node\":\"n-a\"}" },
		{ "plan", "{\"verb\":\"plan\"}" },
		{ "register-show", "{\"verb\":\"register-show\"}" },
		{ "report", "{\"verb\":\"report\"}" },
		{ "would", "{\"verb\":\"would\"}" },
	};
	unsigned asked = 0, ordered = 0;
	size_t i;

	ot.remote_name = "ann";
	ot.remote_orders = true;
	emit_tap(refused_tap, &asked);
	for (i = 0; i < sizeof(reads) / sizeof(*reads); i++)
		ot_ask(reads[i][0], reads[i][1]);
	emit_tap(refused_tap, &ordered);
	ot_ask("register-adopt", "{\"verb\":\"register-adopt\"}");
	emit_tap(NULL, NULL);
	ot.remote_name = NULL;
	assert_int_equal(asked, 0);
	assert_int_equal(ordered, 1);
}

/* Before a person is asked, what this host knows without asking another. */
static void
test_looks(void **state)
{
	ot_read(REC_HELD);
	ot_ask("pause",
	    "{\"verb\":\"pause\",\"look\":true,\"for_s\":60,\"why\":\"x\"}");
	ot_refused(
	    1, "only the holder", "ssh n-a 'hactl pause --for 60s \"x\"'");
	ot_ask("switchover", "{\"verb\":\"switchover\",\"look\":true}");
	ot_refused(1,
	    "n-a is the primary, and only the primary hands over: run it "
	    "there, or from here with --host n-a",
	    "ssh n-a hactl switchover n-b");
	ot_ask(
	    "promote", "{\"verb\":\"promote\",\"look\":true,\"node\":\"n-a\"}");
	ot_refused(1, "by the record n-a is the primary", "hactl status");
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-a\"}");
	ot_refused(1, "by the record n-a is the primary", "hactl status");
}

static char logged[200]; /* "event verb;" of each */

static void
logged_tap(void *arg, enum event_name ev, const struct kv *kv, size_t n)
{
	size_t i, len = strlen(logged);

	for (i = 0; i < n; i++)
		if ((ev == EMIT_order_refused || ev == EMIT_order_taken) &&
		    strcmp(kv[i].key, "verb") == 0)
			(void)snprintf(logged + len, sizeof(logged) - len,
			    "%s %s;",
			    ev == EMIT_order_taken ? "taken" : "refused",
			    kv[i].str);
}

/* One line, by its name: that it was accepted is not said before it was. */
static void
test_a_refusal_in_the_log(void **state)
{
	logged[0] = '\0';
	ot.remote_name = "ann";
	ot.remote_orders = true;
	emit_tap(logged_tap, NULL);
	ot_ask("register-adopt", "{\"verb\":\"register-adopt\"}");
	ot_ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"x\"}");
	emit_tap(NULL, NULL);
	ot.remote_name = NULL;
	assert_string_equal(logged, "refused register-adopt;refused pause;");
}

static void
test_witness_takes_no_order(void **state)
{
	struct core *core = ot.eng.core;

	ot.eng.core = NULL;
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot_refused(1, "witness", "hactl");
	ot_ask("gate", "{\"verb\":\"gate\"}");
	ot_refused(1, "witness", "hactl");
	ot_ask("resume", "{\"verb\":\"resume\"}");
	ot_refused(1, "witness", "hactl status");
	/* Where it serves the register, it knows whose order that is. */
	ot.served = (struct record){ .state = REC_HELD, .holder = A };
	ot.eng.arbiter = (struct arbiter_server *)&ot.served;
	ot_ask("resume", "{\"verb\":\"resume\"}");
	ot_refused(1, "witness", "ssh n-a hactl resume");
	ot_ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"a b\"}");
	ot_refused(1, "witness", "ssh n-a 'hactl pause --for 60s \"a b\"'");
	ot_ask("switchover", "{\"verb\":\"switchover\",\"node\":\"n-b\"}");
	ot_refused(1, "witness", "ssh n-a hactl switchover n-b");
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot_refused(1, "witness", "ssh n-b hactl promote n-b");
	ot_ask("fence", "{\"verb\":\"fence\",\"why\":\"x\"}");
	ot_refused(1, "witness", "hactl status");
	ot.eng.arbiter = NULL;
	/* A plan may be asked for, and is another host's to tell. */
	ot_ask("plan", "{\"verb\":\"plan\",\"node\":\"n-b\"}");
	assert_true(json_has(ot_last(), "node"));
	ot.eng.core = core;
}

static void
test_observe(void **state)
{
	struct core *core = ot.eng.core;

	ot.eng.core = ot.watcher;
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	ot_refused(1, "the mode is observe: set mode = \"auto\"",
	    "systemctl restart hawatchd");
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot_refused(1, "the mode is observe: set mode = \"manual\"",
	    "systemctl restart hawatchd");
	ot.eng.core = core;
}

/* What touches nothing is done as ever; the rest is noted, and refused. */
static void
test_observe_notes(void **state)
{
	static const char *const verbs[] = { "promote", "switchover", "init",
		"register-adopt", "pause", "resume", "fence", "unfence",
		"rejoin", "ack" };
	const enum conf_mode mode = ot.conf.mode;
	char line[160];
	size_t i;

	ot.conf.mode = MODE_OBSERVE;
	ot.eng.observe = (struct observe *)&ot;
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		(void)snprintf(line, sizeof(line),
		    "{\"verb\":\"%s\",\"node\":\"n-b\",\"for_s\":60,"
		    "\"why\":\"x\",\"by\":\"y\"}",
		    verbs[i]);
		ot_ask(verbs[i], line);
		ot_refused(1,
		    "the mode is observe: this is noted, and not done",
		    "hactl report --would");
		(void)snprintf(line, sizeof(line), "by hactl %s n-b: ",
		    strcmp(verbs[i], "register-adopt") == 0 ? "register adopt" :
							      verbs[i]);
		assert_memory_equal(ot.noted, line, strlen(line));
		assert_non_null(strstr(ot.noted, "would"));
		ot.noted[0] = '\0';
	}
	ot_ask("role", "{\"verb\":\"role\",\"is\":\"standby\"}");
	assert_true(json_has(ot_last(), "role"));
	ot_ask("would", "{\"verb\":\"would\"}");
	assert_true(json_has(ot_last(), "would"));
	assert_string_equal(ot.noted, "");
	/* Nobody looks on there. */
	ot.eng.observe = NULL;
	ot_ask("register-adopt", "{\"verb\":\"register-adopt\"}");
	ot_refused(1, "the mode is observe", "hactl status");
	ot.conf.mode = mode;
	ot_ask("would", "{\"verb\":\"would\"}");
	ot_refused(1, "only mode observe looks on", "hactl status");
}

static void
test_gate(void **state)
{
	ot.signal = ANS_YES;
	ot_ask("gate", "{\"verb\":\"gate\"}");
	assert_string_equal(
	    json_string_value(json_object_get(ot_last(), "as")), "standby");
	ot.signal = ANS_NO;
	ot_ask("gate", "{\"verb\":\"gate\"}");
	ot_refused(1, "only hawatchd starts a primary", "hactl status");
	ot.signal = ANS_UNKNOWN;
	ot_ask("gate", "{\"verb\":\"gate\"}");
	ot_refused(1, "only hawatchd starts a primary", "hactl status");
}

static void
test_role_is_not_claimed_too_soon(void **state)
{
	ot_read(REC_HELD);
	ot_ask("role", "{\"verb\":\"role\",\"is\":\"primary\"}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 1);
	ot_ask("role", "{\"verb\":\"role\",\"is\":\"standby\"}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 1);
}

static void
test_plan(void **state)
{
	ot_read(REC_HELD);
	ot_ask("plan", "{\"verb\":\"plan\",\"node\":\"n-b\"}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 0);
	assert_true(json_array_size(json_object_get(ot_last(), "rows")) > 10);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(ot_last(), "node"), "node")),
	    "n-b");
	ot_ask("plan", "{\"verb\":\"plan\",\"node\":\"n-a\"}");
	ot_refused(3, "does not answer", "ssh n-a hactl ping");
}

/* What a takeover would do here, in the configuration's own words. */
static void
test_plan_of_the_site(void **state)
{
	const json_t *list, *obj;

	ot.conf.node[A].name = "n-a";
	ot.conf.node[B].name = "n-b";
	ot.conf.node[A].private_ip = ot.conf.node[B].private_ip = "10.0.0.2";
	ot.conf.item_count = 3;
	ot.conf.item[0] = (struct conf_item){ .name = "pullers",
		.type = ITEM_SERVICE,
		.when = ITEM_BEFORE,
		.required = true,
		.program = "syncdirs",
		.primary = "stopped",
		.standby = "running",
		.handover = "" };
	ot.conf.item[1] = (struct conf_item){ .name = "db",
		.type = ITEM_LINE,
		.file = "/etc/app.conf",
		.primary = "\\1localhost,${self.private_ip}\\2",
		.standby = "\\1${primary.name}\\2",
		.handover = "" };
	ot.conf.item[2] = (struct conf_item){ .name = "alone",
		.type = ITEM_SERVICE,
		.primary = "",
		.standby = "running",
		.handover = "" };
	ot.conf.traffic_count = 1;
	ot.conf.traffic[0] = (struct conf_traffic){ .name = "pg",
		.from = FROM_EVERY,
		.backend = "pg",
		.server = "primary",
		.address = "${primary.private_ip}",
		.port = 5432 };
	ot.conf.check_count = 2;
	ot.conf.check[0].name = "iam";
	ot.conf.check[0].verify = true;
	ot.conf.check[1].name = "tcp";
	ot_read(REC_HELD);
	ot_ask("plan", "{\"verb\":\"plan\",\"node\":\"n-b\"}");
	list = json_object_get(ot_last(), "items");
	assert_int_equal(json_array_size(list), 2);
	obj = json_array_get(list, 0);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "becomes")), "stopped");
	assert_true(json_is_true(json_object_get(obj, "before")));
	assert_true(json_is_false(json_object_get(obj, "same")));
	obj = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(obj, "becomes")),
	    "\\1localhost,10.0.0.2\\2");
	list = json_object_get(ot_last(), "traffic");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(list, 0), "becomes")),
	    "server pg/primary goes to 10.0.0.2:5432");
	list = json_object_get(ot_last(), "verify");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "iam");
}

static void
test_notify(void **state)
{
	struct tell_result res = { .name = "sms", .ok = false };

	ot_ask("notify-test", "{\"verb\":\"notify-test\"}");
	ot_refused(1, "nobody is told of anything", "man 5 hawatch.conf");
	ot.conf.notify_count = 2;
	ot_ask("notify-test", "{\"verb\":\"notify-test\"}");
	assert_false(ot.final);
	assert_string_equal(
	    json_string_value(json_object_get(ot.lines[0], "note")),
	    "mail: done: sent");
	ot_ask("notify-test", "{\"verb\":\"notify-test\"}");
	ot_refused(1, "such a test runs already", "hactl status");
	ot_forget();
	ot.told_done(ot.told_arg, &res);
	ot_refused(1, "1 of 2 commands failed", "man 5 hawatch.conf");
	ot_ask("notify-test", "{\"verb\":\"notify-test\"}");
	res.ok = true;
	ot.told_done(ot.told_arg, &res);
	assert_string_equal(
	    json_string_value(json_object_get(ot_last(), "done")),
	    "told by 2 commands");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, ot_setup, ot_teardown)
	const struct CMUnitTest tests[] = {
		T(test_refusals_have_a_next_command),
		T(test_operators),
		T(test_notify),
		T(test_questions_are_in_no_log),
		T(test_looks),
		T(test_a_refusal_in_the_log),
		T(test_witness_takes_no_order),
		T(test_observe),
		T(test_observe_notes),
		T(test_gate),
		T(test_role_is_not_claimed_too_soon),
		T(test_plan),
		T(test_plan_of_the_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
