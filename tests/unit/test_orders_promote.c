/*
 * A promotion by order: beside a primary, and when it does not get on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "orderstest.h"

static void
test_promote_beside_a_primary(void **state)
{
	ot_read(REC_HELD);
	ot.peer[A] = "{\"role\":\"primary\"}";
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot_refused(1,
	    "the primary answers: a takeover now would break what works. It "
	    "can hand over to this node",
	    "ssh n-a hactl switchover n-b");
	/* Its engine is silent, but its port answers. */
	ot.peer[A] = NULL;
	ot.pg_peer = (struct pg_peer){ .reached = ANS_YES, .recovery = ANS_NO };
	ot_ask("promote",
	    "{\"verb\":\"promote\",\"node\":\"n-b\",\"fenced\":\"sure\"}");
	ot_refused(1, "the primary answers",
	    "ssh n-a pg_ctlcluster 15 main stop; hactl status");
	/* It answers, but as a standby. */
	ot.pg_peer.recovery = ANS_YES;
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(ot.final);
	/* What it answered before the order says nothing, and no answer is
	 * waited for within a limit. */
	ot.pg_peer = (struct pg_peer){ .seen_at = clock_now().raw,
		.asked_at = clock_now().raw,
		.reached = ANS_YES,
		.recovery = ANS_NO };
	ot.port_silent = true;
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_int_equal(ot.n, 0);
	ot.at.raw = clock_now().raw + 2 * USEC_SEC;
	orders_turn(&ot.eng, &ot.at);
	assert_true(ot.n > 0);
	assert_non_null(json_object_get(ot.lines[0], "waits"));
}

/* Before a person is asked: the same refusals, and nothing is done. */
static void
test_look(void **state)
{
	ot_ask("unfence", "{\"verb\":\"unfence\",\"look\":true}");
	ot_refused(1, "not latched", "hactl status");
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-a\",\"look\":true}");
	ot_refused(1, "another host", "ssh n-a hactl init --holder n-a");
	ot_ask(
	    "promote", "{\"verb\":\"promote\",\"node\":\"n-b\",\"look\":true}");
	ot_refused(1, "no record", "hactl init");
	ot_read(REC_HELD);
	ot_ask(
	    "promote", "{\"verb\":\"promote\",\"node\":\"n-a\",\"look\":true}");
	ot_refused(1, "by the record n-a is the primary", "hactl status");
	ot_ask("promote",
	    "{\"verb\":\"promote\",\"node\":\"n-a\",\"look\":true,"
	    "\"fenced\":\"off\"}");
	ot_refused(1, "another host", "ssh n-a hactl promote n-a");
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\",\"look\":true}");
	ot_refused(1, "holds a record already", "hactl register show");
	ot.peer[A] = "{\"role\":\"primary\"}";
	ot_ask(
	    "promote", "{\"verb\":\"promote\",\"node\":\"n-b\",\"look\":true}");
	ot_refused(1, "the primary answers", "ssh n-a hactl switchover n-b");
	/* It would be taken, and is not. */
	ot.peer[A] = NULL;
	ot_ask(
	    "promote", "{\"verb\":\"promote\",\"node\":\"n-b\",\"look\":true}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 0);
	assert_null(json_object_get(ot_last(), "done"));
}

/* Two that promote by their own judgement are worse than none: whoever else
 * does goes first, before a person is asked and when it is ordered. */
static void
test_init_beside_repmgrd(void **state)
{
	struct reg_value v = { .instance = "inst", .revision = 1 };
	struct pg_view view = { .seen_at = ot.at.raw,
		.running = ANS_YES,
		.recovery = ANS_NO,
		.timeline = 1,
		.system_id = 7 };

	v.rec.holder = v.rec.target = NODE_NONE;
	core_on_read(ot.eng.core, &ot.at, ot.at.raw, &v);
	core_on_pg(ot.eng.core, &ot.at, &view);
	core_turn(ot.eng.core, &ot.at);
	ot.repmgrd = "repmgrd (pid 7) would promote by itself, too";
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\",\"look\":true}");
	ot_refused(1, "repmgrd (pid 7) would promote by itself",
	    "systemctl disable --now repmgrd");
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	ot_refused(1, "repmgrd (pid 7) would promote by itself",
	    "systemctl disable --now repmgrd");
	ot.repmgrd = NULL;
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\",\"look\":true}");
	assert_int_equal(
	    json_integer_value(json_object_get(ot_last(), "exit")), 0);
	ot_ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	assert_false(ot.final);
}

/* A switchover would be refused there, too. */
static void
test_promote_while_paused(void **state)
{
	ot_read_paused(REC_HELD, clock_now().wall + 60 * USEC_SEC);
	ot.peer[A] = "{\"role\":\"primary\"}";
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot_refused(
	    1, "when failover is no longer paused", "ssh n-a hactl resume");
}

/* An accepted order that does not get on is told so, and its limit. */
static void
test_promote_is_bounded(void **state)
{
	ot_read(REC_HELD);
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(ot.final);
	ot.at.raw += 30 * USEC_SEC;
	ot_read(REC_HELD);
	orders_turn(&ot.eng, &ot.at);
	assert_false(ot.final);
	ot.at.raw += 60 * USEC_SEC;
	ot_read(REC_HELD);
	orders_turn(&ot.eng, &ot.at);
	ot_refused(4, "not finished", "hactl status");
	assert_true(ot.n > 1); /* what it waits for was said before */
	assert_non_null(json_object_get(ot.lines[0], "waits"));
}

/* Without the register it does not get on either, and that is told soon. */
static void
test_promote_without_the_register(void **state)
{
	ot_read(REC_HELD);
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	ot.at.raw += 4 * USEC_SEC;
	core_turn(ot.eng.core, &ot.at);
	orders_turn(&ot.eng, &ot.at);
	assert_false(ot.final);
	ot.at.raw += 2 * USEC_SEC;
	core_turn(ot.eng.core, &ot.at);
	orders_turn(&ot.eng, &ot.at);
	ot_refused(4, "the register does not answer", "systemctl status");
}

/* What does not pass with time is told soon. */
static void
test_promote_without_being_listed(void **state)
{
	struct reg_value v = { .instance = "inst", .revision = 8 };

	v.rec = (struct record){ .epoch = 4,
		.seq = 10,
		.state = REC_HELD,
		.holder = A,
		.target = NODE_NONE,
		.ttl = 2 * USEC_SEC,
		.written_by = A };
	strcpy(v.rec.nonce, "n2");
	core_on_read(ot.eng.core, &ot.at, ot.at.raw, &v);
	core_turn(ot.eng.core, &ot.at);
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(ot.final);
	ot.at.raw += 3 * USEC_SEC;
	orders_turn(&ot.eng, &ot.at);
	ot_refused(4,
	    "nothing happens while this stands against it: the record does "
	    "not list this node",
	    "hactl promote n-b --fenced");
}

static void
test_promote_overtaken(void **state)
{
	ot_read(REC_HELD);
	ot_ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(ot.final);
	ot_overtaken();
	orders_turn(&ot.eng, &ot.at);
	ot_refused(4, "another node took over", "hactl status");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, ot_setup, ot_teardown)
	const struct CMUnitTest tests[] = {
		T(test_promote_beside_a_primary),
		T(test_look),
		T(test_init_beside_repmgrd),
		T(test_promote_while_paused),
		T(test_promote_is_bounded),
		T(test_promote_without_the_register),
		T(test_promote_without_being_listed),
		T(test_promote_overtaken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
