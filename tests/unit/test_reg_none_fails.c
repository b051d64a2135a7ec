/*
 * The register of two lone hosts while something fails: the other host is
 * silent, an engine is killed at each step of a write, an answer is lost, a
 * disk is full. What is shown meanwhile, and how both come to have the same
 * again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pairtest.h"

static struct pairhost *const a = &pt.host[A], *const b = &pt.host[B];

/* A host that is not heard: the write of the first is half, of the second none,
 * and neither is known. */
static void
test_silent(void **state)
{
	int fails = a->fails;

	pairtest_wire(a, WIRE_DOWN);
	pairtest_wire(b, WIRE_DOWN);
	pairtest_reg_write(b, "b2", 0, CAS_UNKNOWN);
	assert_int_equal(pairtest_copy(b)->value.revision, 1);
	pairtest_reg_write(a, "a2", 0, CAS_UNKNOWN);
	assert_int_equal(pairtest_disk(a), 2);
	register_none.read(a->reg);
	UNTIL(pairtest_shows(a, "a2"));
	assert_true(a->value.half);
	assert_false(a->value.met);
	/* The second shows what both had. */
	register_none.read(b->reg);
	UNTIL(b->value.met == false);
	assert_true(pairtest_shows(b, "n1"));
	assert_false(b->value.half);
	assert_int_equal(a->fails, fails);
	/* Back: who reads both brings the older one up. */
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	UNTIL(pairtest_shows(b, "a2") && pairtest_shows(a, "a2") &&
	      !a->value.half);
	assert_int_equal(pairtest_disk(b), 2);
}

/* Nothing upon what only the first copy has: it waits for the other one, and
 * not for long. */
static void
test_upon_half(void **state)
{
	a->conf.ttl = USEC_SEC;
	pairtest_wire(a, WIRE_DOWN);
	pairtest_wire(b, WIRE_DOWN);
	pairtest_reg_write(a, "a2", 0, CAS_UNKNOWN);
	pairtest_reg_write(a, "a3", 0, CAS_UNKNOWN);
	assert_int_equal(pairtest_copy(a)->value.revision, 2);
	a->conf.ttl = 10 * USEC_SEC;
	(void)pairtest_reg_put(a, "a4", 0);
	pairtest_quiet();
	assert_int_equal(a->writes, 0);
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(a), 3);
	assert_int_equal(pairtest_disk(b), 3);
}

/* Its engine is killed, and begins anew. */
static void
killed(struct pairhost *h)
{
	pairtest_stop(h);
	h->values = h->writes = 0;
	h->has_seen = true;
	h->seen.epoch = 1;
	pairtest_start(h);
	assert_false(pairtest_copy(h)->lost);
	pairtest_join(h);
}

/* The first host is killed between its copy and the other one: it does not know
 * any more whether that one has it, and does not take it for confirmed before
 * it does. */
static void
test_killed_first(void **state)
{
	pairtest_wire(b, WIRE_DOWN);
	(void)pairtest_reg_put(a, "a2", 0);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	killed(a);
	UNTIL(pairtest_shows(a, "a2"));
	assert_true(a->value.half);
	assert_true(
	    pairtest_shows(b, "n1") && pairtest_copy(b)->value.revision == 1);
	pairtest_wire(b, WIRE_UP);
	UNTIL(pairtest_shows(b, "a2") && pairtest_shows(a, "a2") &&
	      !a->value.half);
	pairtest_reg_write(a, "a3", 0, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 3);
}

/* While it writes: it has it, or it has not. */
static void
test_killed_writing(void **state)
{
	pairtest_hold(a);
	(void)pairtest_reg_put(a, "a2", 0);
	pairtest_quiet();
	pairtest_wire(b, WIRE_DOWN);
	killed(a);
	UNTIL(a->values);
	assert_true(pairtest_shows(a, "n1") || a->value.half);
	pairtest_wire(b, WIRE_UP);
	UNTIL(a->value.met && !a->value.half);
	pairtest_reg_write(a, "a3", 0, CAS_CONFIRMED);
	UNTIL(pairtest_shows(b, "a3"));
}

/* The second one, when the first has it, and while it writes. */
static void
test_killed_second(void **state)
{
	pairtest_hold(b);
	(void)pairtest_reg_put(b, "b2", 0);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	pairtest_wire(a, WIRE_DOWN);
	register_none.read(a->reg);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(b), 1);
	killed(b);
	UNTIL(pairtest_shows(b, "n1") || pairtest_shows(b, "b2"));
	pairtest_wire(a, WIRE_UP);
	UNTIL(pairtest_shows(b, "b2") && pairtest_shows(a, "b2") &&
	      !a->value.half);
	assert_int_equal(pairtest_disk(b), 2);
	pairtest_reg_write(b, "b3", 0, CAS_CONFIRMED);
	UNTIL(pairtest_shows(a, "b3"));
}

/* When both have it and nobody was told. */
static void
test_killed_after(void **state)
{
	pairtest_wire(b, WIRE_MUTE);
	(void)pairtest_reg_put(a, "a2", 0);
	UNTIL(pairtest_copy(b)->value.revision == 2);
	pairtest_wire(b, WIRE_DOWN);
	killed(a);
	UNTIL(pairtest_shows(a, "a2"));
	assert_true(a->value.half);
	pairtest_wire(b, WIRE_UP);
	UNTIL(!a->value.half);
	pairtest_reg_write(b, "b3", 0, CAS_CONFIRMED);
	killed(b);
	UNTIL(pairtest_shows(b, "b3") && pairtest_shows(a, "b3"));
}

/* The answer is lost: done there, and not known here. */
static void
test_lost_answer(void **state)
{
	b->conf.ttl = USEC_SEC / 5;
	pairtest_wire(a, WIRE_MUTE);
	pairtest_reg_write(b, "b2", 0, CAS_UNKNOWN);
	assert_int_equal(pairtest_copy(a)->value.revision, 2);
	assert_int_equal(pairtest_copy(b)->value.revision, 1);
	/* Who is known to be silent is not waited for. */
	b->conf.ttl = 10 * USEC_SEC;
	UNTIL(!b->value.met);
	b->values = 0;
	register_none.read(b->reg);
	assert_int_equal(b->values, 1);
	/* Nor left to wait for a change, when it answers again. */
	UNTIL(strstr(b->polled, "\"wait_ms\":0") != NULL);
	b->conf.ttl = USEC_SEC / 5;
	pairtest_wire(a, WIRE_UP);
	UNTIL(pairtest_shows(b, "b2"));
	assert_int_equal(pairtest_disk(b), 2);
	UNTIL(pairtest_shows(a, "b2") && !a->value.half);
}

/* The second host's disk is full: it has nothing, though the first has. */
static void
test_full(void **state)
{
	b->conf.ttl = USEC_SEC;
	pairtest_quiet();
	pairtest_wire(a, WIRE_UP);
	pairtest_full(true);
	pairtest_reg_write(a, "a2", 0, CAS_UNKNOWN);
	assert_int_equal(pairtest_copy(a)->value.revision, 1);
	pairtest_full(false);
	pairtest_hold(b);
	(void)pairtest_reg_put(a, "a2", 0);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	pairtest_full(true);
	pairtest_let(b);
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_UNKNOWN);
	assert_int_equal(pairtest_copy(b)->value.revision, 1);
	pairtest_full(false);
	UNTIL(pairtest_shows(b, "a2") && pairtest_shows(a, "a2") &&
	      !a->value.half);
}

/* No request can be begun. */
static void
test_no_calls(void **state)
{
	b->no_calls = true;
	(void)pairtest_reg_put(b, "b2", 0);
	assert_int_equal(b->writes, 1);
	assert_int_equal(b->res, CAS_UNKNOWN);
	register_none.show(b->reg, pairtest_shown, b);
	assert_int_equal(b->shows, 1);
	assert_string_equal(b->show, "internal");
	pairtest_wire(a, WIRE_UP);
	pairtest_quiet();
	b->no_calls = false;
	pairtest_reg_write(a, "a2", 0, CAS_CONFIRMED);
	UNTIL(pairtest_shows(b, "a2"));
	(void)pairtest_reg_show(b);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown( \
	    name, pairtest_setup_written, pairtest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_silent),
		TEST(test_upon_half),
		TEST(test_killed_first),
		TEST(test_killed_writing),
		TEST(test_killed_second),
		TEST(test_killed_after),
		TEST(test_lost_answer),
		TEST(test_full),
		TEST(test_no_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
