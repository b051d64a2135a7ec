/*
 * The register of two lone hosts before a person: what it shows, and what is
 * adopted by his word where the copies cannot agree by themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pairtest.h"

static struct pairhost *const a = &pt.host[A], *const b = &pt.host[B];

/* Nobody reports to it. */
static void
test_report(void **state)
{
	register_none.report(a->reg, "i", 1, 1);
	assert_int_equal(a->reports, 1);
}

static void
test_show(void **state)
{
	assert_non_null(strstr(pairtest_reg_show(a), "\"type\":\"none\""));
	assert_non_null(strstr(a->show, "\"other\":\"prod-s2\""));
	assert_non_null(strstr(a->show, "\"other_answers\":true"));
	assert_non_null(strstr(a->show, "\"other_revision\":1"));
	assert_non_null(strstr(a->show, "\"other_cold\":false"));
	/* A second one asks meanwhile: what is here. */
	register_none.show(a->reg, pairtest_shown, a);
	register_none.show(a->reg, pairtest_shown, a);
	assert_int_equal(a->shows, 2);
	assert_non_null(strstr(a->show, "\"other_answers\":false"));
	UNTIL(a->shows == 3);
	assert_non_null(strstr(a->show, "\"other_answers\":true"));
	pairtest_wire(b, WIRE_DOWN);
	assert_non_null(
	    strstr(pairtest_reg_show(a), "\"other_answers\":false"));
}

/* One at a time, and nothing where nothing is wrong. */
static void
test_adopt_nothing(void **state)
{
	assert_non_null(
	    strstr(pairtest_reg_adopt(a), "both copies are believed"));
	assert_false(a->shown);
	register_none.show(a->reg, pairtest_shown, a);
	register_none.adopt(a->reg, pairtest_shown, a);
	assert_int_equal(a->shows, 2);
	assert_string_equal(a->show, "somebody asks already");
	UNTIL(a->shows == 3);
	assert_int_equal(pairtest_disk(a), 1);
}

/* Two proofs that were false: both copies say another holder in one epoch. */
static void
test_adopt_split(void **state)
{
	struct pairend end = { .done = 0 };
	struct do_cas cas;

	pairtest_wire(a, WIRE_DOWN);
	pairtest_wire(b, WIRE_DOWN);
	pairtest_reg_write(b, "b2", NODE_BIT(A), CAS_CONFIRMED);
	cas = pairtest_cas(a, A, "a2");
	cas.rec.epoch = 2;
	pair_server_cas(a->e.copy, &cas, true, cas.id, pairtest_end, &end);
	UNTIL(end.done);
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	UNTIL(a->value.split && b->value.split);
	assert_true(a->value.cold && b->value.cold);
	pairtest_reg_write(a, "a5", 0, CAS_CONFLICT);
	(void)pairtest_reg_adopt(b);
	assert_true(b->shown);
	assert_non_null(strstr(b->show, "\"cold\":false"));
	assert_int_equal(pairtest_copy(b)->value.rec.epoch, 3);
	assert_int_equal(pairtest_copy(b)->value.rec.holder, B);
	UNTIL(pairtest_shows(a, pairtest_copy(b)->value.rec.nonce) &&
	      !a->value.cold && !b->value.cold);
	assert_false(a->value.split || b->value.split);
	assert_int_equal(pairtest_copy(a)->value.rec.holder, B);
	assert_true(pairtest_disk(a) == pairtest_disk(b));
}

/* The disk is full while a person adopts. */
static void
test_adopt_full(void **state)
{
	pairtest_wire(b, WIRE_DOWN);
	pairtest_stop(a);
	pairtest_copied(a);
	a->has_seen = true;
	a->seen.epoch = 3;
	pairtest_start(a);
	a->values = 0;
	pairtest_join(a);
	UNTIL(a->values);
	assert_true(a->value.cold);
	pairtest_full(true);
	assert_non_null(strstr(pairtest_reg_adopt(a), "could not be written"));
	assert_false(a->shown);
	pairtest_full(false);
	(void)pairtest_reg_adopt(a);
	assert_true(a->shown);
	assert_int_equal(pairtest_copy(a)->value.rec.epoch, 4);
	assert_false(a->value.cold);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown( \
	    name, pairtest_setup_written, pairtest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_report),
		TEST(test_show),
		TEST(test_adopt_nothing),
		TEST(test_adopt_split),
		TEST(test_adopt_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
