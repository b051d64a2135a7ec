/*
 * The order of a switchover before the core is told: to whom, and what stands
 * against it, each with its next command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "switchtest.h"

static void
test_who_is_meant(void **state)
{
	sw.asked = -1;
	orders_switchover_may(&sw.eng, 1, NODE_NONE);
	assert_int_equal(sw.exit, EXITCODE_DONE);
	assert_int_equal(sw.asked, -1);
	orders_switchover_ask(&sw.eng, 1, NODE_NONE, ACCEPT_SLOTS);
	assert_int_equal(sw.asked, B);
	assert_int_equal(sw.accept, ACCEPT_SLOTS);
	sw.st.rec.candidates |= NODE_BIT(C);
	orders_switchover_ask(&sw.eng, 1, NODE_NONE, 0);
	sw_refused(1, "which one? The candidates are n-b, n-c",
	    "hactl switchover n-c");
	sw.st.rec.candidates = 0;
	orders_switchover_ask(&sw.eng, 1, NODE_NONE, 0);
	sw_refused(1, "no candidate", "hactl status");
	orders_switchover_ask(&sw.eng, 1, A, 0);
	sw_refused(1, "primary already", "hactl status");
	orders_switchover_ask(&sw.eng, 1, W, 0);
	sw_refused(1, "witness", "hactl status");
	orders_switchover_ask(&sw.eng, 1, C, 0);
	sw_refused(1, "no candidate", "hactl plan promote n-c");
	assert_true(orders_switchover_meant(&sw.eng, B));
	assert_false(orders_switchover_meant(&sw.eng, A));
	sw.eng.core = NULL; /* on a witness */
	assert_false(orders_switchover_meant(&sw.eng, B));
	sw.eng.core = (struct core *)&sw;
	/* On another host than the primary's. */
	sw.st.rel = REL_OTHER;
	sw.st.rec.holder = B;
	assert_false(orders_switchover_meant(&sw.eng, B));
	orders_switchover_ask(&sw.eng, 1, NODE_NONE, 0);
	sw_refused(1, "only the primary", "ssh n-b hactl switchover n-a");
	orders_switchover_ask(&sw.eng, 1, C, 0);
	sw_refused(1, "only the primary", "ssh n-b hactl switchover n-c");
	orders_switchover_may(&sw.eng, 1, C);
	sw_refused(1, "only the primary", "ssh n-b hactl switchover n-c");
	orders_switchover_ask(&sw.eng, 1, B, 0);
	sw_refused(1, "n-b is the primary already", "hactl status");
	sw.st.rec.state = REC_NONE;
	orders_switchover_ask(&sw.eng, 1, C, 0);
	sw_refused(1, "no primary", "hactl status");
}

static void
test_what_is_seen(void **state)
{
	sw.view.sender[B].replay = 0x20000000;
	orders_switchover_ask(&sw.eng, 1, B, 0);
	sw_refused(1, "to replay", "hactl status");
	sw.view.sender[B].streaming = false;
	orders_switchover_ask(&sw.eng, 1, B, 0);
	sw_refused(1, "does not stream", "ssh n-b hactl status");
	sw.view.conninfo = ANS_UNKNOWN;
	orders_switchover_ask(&sw.eng, 1, B, 0);
	sw_refused(
	    1, "cannot be read", "GRANT pg_read_all_settings TO hawatch");
	sw.view.conninfo = ANS_NO;
	orders_switchover_ask(&sw.eng, 1, B, 0);
	sw_refused(1, "primary_conninfo is empty",
	    "ALTER SYSTEM SET primary_conninfo = 'host=... user=... "
	    "application_name=...'; SELECT pg_reload_conf()");
	sw.conf.pg.bin_directory = "/nonexistent";
	orders_switchover_ask(&sw.eng, 1, B, 0);
	sw_refused(1, "no pg_controldata", "hactl config check");
	assert_int_equal(sw.asked, -1);
}

static void
test_what_it_says(void **state)
{
	static const struct {
		const char *more, *why, *next;
	} rows[] = {
		{ "{\"silent\":\"timeout\"}", "does not answer",
		    "ssh n-b hactl ping" },
		{ "{\"mode\":\"manual\"}", "mode", "ssh n-b hactl status" },
		{ "{\"durable\":{\"latch\":true}}", "latched",
		    "ssh n-b hactl status" },
		{ "{\"register\":{}}", "does not read the register",
		    "ssh n-b hactl register show" },
		{ "{\"register\":{\"read\":true,\"cold\":true}}", "cold",
		    "hactl register show" },
		{ "{\"register\":{\"read\":true,\"amnesiac\":true}}", "less",
		    "hactl register show" },
		{ "{\"fence\":{\"armed\":\"no\"}}", "not armed",
		    "ssh n-b hactl plan promote n-b" },
		{ "{\"fence\":7}", "not armed",
		    "ssh n-b hactl plan promote n-b" },
		{ "{\"postgres\":{\"no_room\":\"disk-full\"}}", "no room",
		    "ssh n-b hactl status" },
		{ "{\"drift\":{\"items\":[{\"name\":\"a\",\"holds\":\"no\","
		  "\"required\":false},{\"name\":\"pullers\",\"holds\":\"no\","
		  "\"required\":true}]}}",
		    "a required item does not hold", "ssh n-b hactl drift" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sw_says(rows[i].more);
		sw_refused(1, rows[i].why, rows[i].next);
	}
	orders_switchover(&sw.eng, 1, B, NULL);
	sw_refused(1, "does not answer", "ssh n-b hactl ping");
	assert_int_equal(sw.ordered, -1);
	sw.core = "a plan runs";
	sw_says("");
	sw_refused(1, "a plan runs", "the core's");
	assert_true(TAILQ_EMPTY(&sw.orders.waits));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sw_setup, sw_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_is_meant),
		TEST(test_what_is_seen),
		TEST(test_what_it_says),
	};

	return cmocka_run_group_tests(tests, sw_group_setup, sw_group_teardown);
}
