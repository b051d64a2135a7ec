/*
 * The register of two lone hosts: the rules of its two copies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"
#include "hawatch/pair.h"

static const struct pair_write own = { .own = true }, other = { .own = false },
			       alone = { .own = true, .alone = true };

/* Both copies with the same record: epoch 5, held by A, revision 10. */
struct two {
	struct pair_copy a, b, next;
	bool changed;
};

static void
two_init(struct two *t)
{
	struct reg_value *v = &t->a.value;

	memset(t, 0, sizeof(*t));
	(void)snprintf(v->instance, sizeof(v->instance), "i");
	(void)snprintf(v->rec.nonce, sizeof(v->rec.nonce), "n10");
	v->revision = 10;
	v->rec.epoch = 5;
	v->rec.seq = 3;
	v->rec.state = REC_HELD;
	v->rec.holder = A;
	v->rec.candidates = BIT_B;
	v->rec.ttl = CT_T;
	t->b = t->a;
	t->a.first = true;
	t->a.sure = t->b.sure = true;
}

/* A write by that node upon what is in c. */
static struct do_cas
write_by(const struct pair_copy *c, node_t by, const char *nonce)
{
	struct do_cas cas = { .revision = c->value.revision,
		.rec = c->value.rec };

	memcpy(cas.instance, c->value.instance, ID_MAX);
	memcpy(cas.nonce, c->value.rec.nonce, ID_MAX);
	(void)snprintf(cas.rec.nonce, ID_MAX, "%s", nonce);
	cas.rec.holder = by;
	cas.rec.epoch += by != c->value.rec.holder;
	return cas;
}

static enum cas_result
take(struct two *t, struct pair_copy *c, const struct do_cas *cas,
    struct pair_write by)
{
	enum cas_result res =
	    pair_cas(c, cas, by, BIT_A | BIT_B, &t->next, &t->changed);

	if (res == CAS_CONFIRMED)
		*c = t->next;
	return res;
}

/* The first copy has it, the second not: not what its author goes by; the
 * other one's reader ends it. */
static void
test_half(void **state)
{
	struct reg_value out;
	struct do_cas cas;
	struct two t;

	two_init(&t);
	cas = write_by(&t.a, A, "n11");
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_CONFIRMED);
	assert_true(t.changed);
	assert_int_equal(pair_look(&t.a, NULL, &out, &t.next), PAIR_SHOW);
	assert_true(out.half);
	assert_false(out.met);
	/* Nothing upon it, before the other one is as it is. */
	cas = write_by(&t.a, A, "n12");
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_UNKNOWN);
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_TAKE);
	t.b = t.next;
	assert_int_equal(t.b.value.revision, 11);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_false(out.half);
	assert_true(out.met);
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_CONFIRMED);
	/* The same again is no second write. */
	assert_int_equal(take(&t, &t.a, &cas, own), CAS_CONFIRMED);
	assert_false(t.changed);
	assert_false(t.a.sure);
	pair_sure(&t.a, "another");
	assert_false(t.a.sure);
	pair_sure(&t.a, "n12");
	assert_true(t.a.sure);
}

/* Two write upon the same: the first copy says who was first. */
static void
test_order(void **state)
{
	struct do_cas mine, theirs;
	struct reg_value out;
	struct two t;

	two_init(&t);
	mine = write_by(&t.a, A, "a11");
	theirs = write_by(&t.b, B, "b11");
	assert_int_equal(take(&t, &t.a, &theirs, other), CAS_CONFIRMED);
	assert_int_equal(take(&t, &t.a, &mine, own), CAS_CONFLICT);
	assert_int_equal(take(&t, &t.b, &theirs, own), CAS_CONFIRMED);
	assert_true(t.b.sure);
	/* Older than what is here: it is not brought back. */
	two_init(&t);
	assert_int_equal(take(&t, &t.a, &theirs, other), CAS_CONFIRMED);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_string_equal(out.rec.nonce, "b11");
}

/* What was written alone is newer than what a first copy may hold that nobody
 * confirmed, claims among them. */
static void
test_alone(void **state)
{
	struct do_cas half, cas;
	struct reg_value out;
	struct two t;

	two_init(&t);
	half = write_by(&t.a, A, "a11");
	assert_int_equal(take(&t, &t.a, &half, own), CAS_CONFIRMED);
	cas = write_by(&t.b, A, "x");
	assert_int_equal(take(&t, &t.b, &cas, alone), CAS_CONFIRMED);
	assert_int_equal(t.b.value.revision, 12);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_TAKE);
	assert_string_equal(t.next.value.rec.nonce, "x");
	two_init(&t);
	assert_int_equal(take(&t, &t.a, &half, own), CAS_CONFIRMED);
	assert_false(t.a.sure);
	assert_int_equal(take(&t, &t.a, &half, alone), CAS_CONFIRMED);
	assert_true(t.a.sure);
}

/* Of one number, by one holder: the second copy's may be confirmed. */
static void
test_same_number(void **state)
{
	struct reg_value out;
	struct two t;

	two_init(&t);
	(void)snprintf(t.a.value.rec.nonce, ID_MAX, "lost");
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_SHOW);
	assert_false(out.cold);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_TAKE);
}

static void
test_split(void **state)
{
	struct reg_value out, told;
	struct two t;

	two_init(&t);
	t.b.value.rec.holder = B;
	(void)snprintf(t.b.value.rec.nonce, ID_MAX, "b");
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_true(out.cold);
	assert_true(out.split);
	pair_tell(&t.b, &told);
	assert_true(pair_adopt(&t.a, &told, &t.next));
	t.a = t.next;
	assert_int_equal(t.a.value.rec.epoch, 6);
	assert_int_equal(t.a.value.rec.candidates, 0);
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_TAKE);
	assert_false(pair_adopt(&t.a, &t.a.value, &t.next));
}

/* A file that is not the one that was written here. */
static void
test_lost(void **state)
{
	const struct durable seen = { .epoch = 5, .seq = 3 };
	struct reg_value out, told;
	struct two t;

	two_init(&t);
	pair_start(&t.a, true, true, false, &seen, "j");
	assert_true(t.a.lost);
	assert_int_equal(pair_look(&t.a, NULL, &out, &t.next), PAIR_SHOW);
	assert_true(out.cold);
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_TAKE);
	assert_false(t.next.lost);
	/* Behind what this node has seen: not even from there. */
	t.b.value.rec.seq = 2;
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_true(out.cold);
	pair_tell(&t.a, &told);
	assert_true(told.cold);
	assert_int_equal(told.floor, 5);
	assert_true(pair_adopt(&t.b, &told, &t.next));
	assert_int_equal(t.next.value.rec.epoch, 6);
	assert_int_equal(pair_look(&t.a, &t.next.value, &out, &t.b), PAIR_TAKE);
	/* No file, and something was seen once; a first start. */
	memset(&t.a, 0, sizeof(t.a));
	pair_start(&t.a, true, false, false, &seen, "j");
	assert_true(t.a.lost);
	assert_false(pair_adopt(&t.a, NULL, &t.next));
	memset(&t.a, 0, sizeof(t.a));
	pair_start(&t.a, true, false, false, NULL, "j");
	assert_false(t.a.lost);
	assert_int_equal(pair_look(&t.a, NULL, &out, &t.next), PAIR_NONE);
}

/* Nothing was ever written: the first one's name is the name. */
static void
test_first_start(void **state)
{
	struct reg_value out;
	struct two t;

	memset(&t, 0, sizeof(t));
	pair_start(&t.a, true, false, false, NULL, "one");
	pair_start(&t.b, false, false, false, NULL, "two");
	assert_int_equal(pair_look(&t.a, &t.b.value, &out, &t.next), PAIR_SHOW);
	assert_int_equal(pair_look(&t.b, &t.a.value, &out, &t.next), PAIR_TAKE);
	assert_string_equal(t.next.value.instance, "one");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_same_number),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_first_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
