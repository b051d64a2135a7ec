/*
 * The register of two lone hosts as an engine has it: how it begins, and what
 * is written, in which order, by one host, by both at once, and by one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pairtest.h"

static struct pairhost *const a = &pt.host[A], *const b = &pt.host[B];

/* The second host takes the first one's name, whoever starts first. */
static void
test_begin(void **state)
{
	char first[ID_MAX];

	memcpy(first, pairtest_copy(a)->value.instance, ID_MAX);
	assert_string_not_equal(first, pairtest_copy(b)->value.instance);
	pairtest_wire(b, WIRE_DOWN);
	pairtest_wire(a, WIRE_DOWN);
	pairtest_join(b);
	UNTIL(b->fails);
	assert_non_null(strstr(b->why, "prod-s1 does not answer"));
	assert_int_equal(b->values, 0);
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	UNTIL(b->values);
	/* Its question and the answer, nothing else so far. */
	assert_true(a->heard > 0 && b->heard > 0);
	pairtest_join(a);
	UNTIL(a->values);
	assert_string_equal(pairtest_copy(b)->value.instance, first);
	assert_string_equal(b->value.instance, first);
	assert_string_equal(pairtest_copy(a)->value.instance, first);
	assert_true(b->value.met);
}

/* The other host falls silent while what it said last is on its way to the disk
 * here: that is shown, and nothing else is taken. */
static void
test_begin_silent(void **state)
{
	char first[ID_MAX];

	memcpy(first, pairtest_copy(a)->value.instance, ID_MAX);
	pairtest_hold(b);
	pairtest_join(b);
	UNTIL(b->heard);
	pairtest_wire(a, WIRE_DOWN);
	pairtest_quiet();
	assert_int_equal(b->values, 0);
	pairtest_let(b);
	UNTIL(b->values);
	assert_string_equal(b->value.instance, first);
	pairtest_quiet();
	assert_string_equal(pairtest_copy(b)->value.instance, first);
}

/* h does not ask the other one by itself, until it may. */
static void
no_polls(struct pairhost *h, struct pairhost *asked)
{
	pairtest_quiet();
	h->no_calls = true;
	pairtest_wire(asked, asked->wire);
	pairtest_quiet();
	h->no_calls = false;
}

/* The second copy's word that it has it is enough, without another look. */
static void
test_sure(void **state)
{
	no_polls(a, b);
	(void)pairtest_reg_put(a, "a2", 0);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	a->no_calls = true;
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_true(pairtest_copy(a)->sure);
	a->no_calls = false;
	pairtest_reg_write(a, "a3", 0, CAS_CONFIRMED);
}

/* What is taken is looked at when it is here, without another question. */
static void
test_taken(void **state)
{
	no_polls(b, a);
	pairtest_reg_write(a, "x", NODE_BIT(B), CAS_CONFIRMED);
	register_none.read(b->reg);
	b->no_calls = true;
	UNTIL(pairtest_shows(b, "x"));
	assert_true(b->value.met);
	b->no_calls = false;
}

/* The first host's write is here, then there, then confirmed. */
static void
test_first(void **state)
{
	pairtest_hold(b);
	(void)pairtest_reg_put(a, "n2", 0);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(a), 2);
	assert_int_equal(pairtest_disk(b), 1);
	assert_int_equal(a->writes, 0);
	/* It is shown as what it is. */
	register_none.read(a->reg);
	UNTIL(pairtest_shows(a, "n2"));
	assert_true(a->value.half);
	pairtest_let(b);
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 2);
	UNTIL(pairtest_shows(b, "n2") && pairtest_shows(a, "n2") &&
	      !a->value.half);
}

/* The second host's is there first, too. */
static void
test_second(void **state)
{
	pairtest_hold(a);
	(void)pairtest_reg_put(b, "n2", 0);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(b), 1);
	pairtest_hold(b);
	pairtest_let(a);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(b), 1);
	assert_int_equal(b->writes, 0);
	assert_false(pairtest_copy(a)->sure);
	pairtest_let(b);
	UNTIL(b->writes);
	assert_int_equal(b->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 2);
	UNTIL(pairtest_shows(a, "n2") && !a->value.half);
}

/* Two at once: the first copy says whose. */
static void
test_both(void **state)
{
	(void)pairtest_reg_put(a, "a2", 0);
	(void)pairtest_reg_put(b, "b2", 0);
	UNTIL(a->writes && b->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_int_equal(b->res, CAS_CONFLICT);
	UNTIL(pairtest_shows(a, "a2") && pairtest_shows(b, "a2"));
}

/* Alone: one copy is enough, and is newer than all that the other may have. */
static void
test_alone(void **state)
{
	pairtest_wire(a, WIRE_DOWN);
	pairtest_wire(b, WIRE_DOWN);
	pairtest_reg_write(a, "half", 0, CAS_UNKNOWN);
	pairtest_reg_write(b, "x", NODE_BIT(A), CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 3);
	register_none.read(b->reg);
	UNTIL(pairtest_shows(b, "x"));
	assert_false(b->value.half);
	/* The host that was off is behind: it takes what is newer. */
	pairtest_stop(a);
	a->values = 0;
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	pairtest_start(a);
	pairtest_join(a);
	UNTIL(a->values);
	assert_true(pairtest_shows(a, "x"));
	assert_true(a->value.met);
	assert_false(a->value.half);
	assert_int_equal(pairtest_disk(a), 3);
}

/* Nobody hears of what was before, while a write by a proof goes to the disk,
 * not even the reader who writes: he would take it for impossible. */
static void
test_alone_hides(void **state)
{
	pairtest_hold(b);
	(void)pairtest_reg_put(b, "x", NODE_BIT(A));
	a->values = 0;
	register_none.read(a->reg);
	pairtest_quiet();
	assert_int_equal(a->values, 0);
	pairtest_let(b);
	UNTIL(b->writes && a->values);
	assert_true(pairtest_shows(a, "x"));
	assert_int_equal(b->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(a), 3);
}

/* The identical write may come again, and another in place of what is under
 * way: whose end is then not told. */
static void
test_again(void **state)
{
	struct do_cas cas;

	pairtest_hold(b);
	cas = pairtest_reg_put(a, "a2", 0);
	register_none.cas(a->reg, &cas);
	UNTIL(pairtest_copy(a)->value.revision == 2);
	register_none.cas(a->reg, &cas);
	pairtest_let(b);
	UNTIL(a->writes);
	pairtest_quiet();
	assert_int_equal(a->writes, 1);
	assert_int_equal(pairtest_disk(b), 2);
	/* After its end, too: it is there already, and nobody is asked. */
	UNTIL(!a->value.half);
	pairtest_wire(b, WIRE_DOWN);
	register_none.cas(a->reg, &cas);
	UNTIL(a->writes == 2);
	pairtest_wire(b, WIRE_UP);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(a), 2);
	pairtest_hold(a);
	(void)pairtest_reg_put(b, "b3", 0);
	pairtest_quiet();
	cas = pairtest_reg_put(b, "b3'", 0);
	pairtest_let(a);
	UNTIL(b->writes);
	assert_true(b->written == cas.id);
	assert_int_equal(b->res, CAS_CONFLICT);
	UNTIL(pairtest_shows(b, "b3") && pairtest_shows(a, "b3"));
}

/* In place of one that is on its way to the disk here. */
static void
test_in_place(void **state)
{
	struct do_cas cas;

	pairtest_hold(a);
	(void)pairtest_reg_put(a, "a2", 0);
	cas = pairtest_reg_put(a, "a2'", 0);
	pairtest_let(a);
	UNTIL(a->writes);
	assert_true(a->written == cas.id);
	assert_int_equal(a->res, CAS_CONFLICT);
	UNTIL(pairtest_shows(a, "a2") && pairtest_shows(b, "a2") &&
	      !a->value.half);
	assert_int_equal(a->writes, 1);
}

/* In place of one that the second copy had no room for, and that was about to
 * be tried again: the next one goes to the first copy first, too. */
static void
test_in_place_of_full(void **state)
{
	struct do_cas cas;

	no_polls(b, a);
	pairtest_hold(b);
	(void)pairtest_reg_put(b, "b2", 0);
	b->no_calls = true;
	UNTIL(pairtest_copy(a)->value.revision == 2);
	pairtest_quiet();
	pairtest_full(true);
	pairtest_let(b);
	UNTIL(pt.unsaved);
	pairtest_full(false);
	pairtest_wire(a, WIRE_MUTE);
	b->no_calls = false;
	cas = pairtest_reg_put(b, "b2'", 0);
	b->no_calls = true;
	pairtest_pass(60 * USEC_MSEC);
	assert_string_not_equal(
	    pairtest_copy(b)->value.rec.nonce, cas.rec.nonce);
	b->no_calls = false;
	pairtest_wire(a, WIRE_UP);
	UNTIL(b->writes);
	assert_int_not_equal(b->res, CAS_CONFIRMED);
	UNTIL(pairtest_shows(b, "b2") && pairtest_shows(a, "b2") &&
	      !a->value.half);
}

/* What waits for the other host is sent again without it. */
static void
test_then_alone(void **state)
{
	struct do_cas cas;

	pairtest_wire(a, WIRE_MUTE);
	cas = pairtest_reg_put(b, "b2", 0);
	pairtest_quiet();
	cas.without = NODE_BIT(A);
	register_none.cas(b->reg, &cas);
	UNTIL(b->writes);
	assert_int_equal(b->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 3);
	pairtest_quiet();
	assert_int_equal(b->writes, 1);
}

/* It ends while a write is on its way: nobody is told, and nothing is lost. */
static void
test_end(void **state)
{
	pairtest_hold(a);
	(void)pairtest_reg_put(a, "a2", 0);
	register_none.free(a->reg);
	a->reg = NULL;
	assert_int_equal(pairtest_calls(a), 0);
	pairtest_join(a);
	pairtest_let(a);
	UNTIL(pairtest_shows(a, "a2") && pairtest_shows(b, "a2"));
	assert_int_equal(a->writes, 0);
	pairtest_hold(a);
	(void)pairtest_reg_put(b, "b3", 0);
	pairtest_quiet();
	register_none.free(b->reg);
	b->reg = NULL;
	assert_int_equal(pairtest_calls(b), 0);
	pairtest_join(b);
	pairtest_let(a);
	UNTIL(pairtest_shows(b, "b3"));
	assert_int_equal(b->writes, 0);
}

#define BEFORE(name) \
	cmocka_unit_test_setup_teardown(name, pairtest_setup, pairtest_teardown)
#define TEST(name) \
	cmocka_unit_test_setup_teardown( \
	    name, pairtest_setup_written, pairtest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BEFORE(test_begin),
		BEFORE(test_begin_silent),
		TEST(test_sure),
		TEST(test_taken),
		TEST(test_first),
		TEST(test_second),
		TEST(test_both),
		TEST(test_alone),
		TEST(test_alone_hides),
		TEST(test_again),
		TEST(test_in_place),
		TEST(test_in_place_of_full),
		TEST(test_then_alone),
		TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
