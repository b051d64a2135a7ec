/*
 * The register of two lone hosts as an engine has it: what is written, in which
 * order, and what is shown while the other host is silent, behind, or tells of
 * something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/loop.h"
#include "hawatch/str.h"
#include "pairtest.h"

static struct pairhost *const a = &pt.host[A], *const b = &pt.host[B];

static const struct pair_copy *
copy(const struct pairhost *h)
{
	return pair_server_copy(h->e.copy);
}

static bool
shows(const struct pairhost *h, const char *nonce)
{
	return h->values > 0 && strcmp(h->value.rec.nonce, nonce) == 0;
}

/* Begins a write. */
static struct do_cas
put(struct pairhost *h, const char *nonce, nodeset_t without)
{
	struct do_cas cas = pairtest_cas(h, h->self, nonce);

	cas.without = without;
	h->writes = 0;
	register_none.cas(h->reg, &cas);
	return cas;
}

/* The same, to its end. */
static void
write_as(struct pairhost *h, const char *nonce, nodeset_t without,
    enum cas_result res)
{
	struct do_cas cas = put(h, nonce, without);

	UNTIL(h->writes);
	assert_true(h->written == cas.id);
	assert_int_equal(h->res, res);
}

static void
shown_cb(void *arg, const char *json, const char *why)
{
	struct pairhost *h = arg;

	h->shown = json != NULL;
	str_cut(h->show, sizeof(h->show), json != NULL ? json : why);
	h->shows++;
}

static const char *
show(struct pairhost *h)
{
	int n = h->shows;

	register_none.show(h->reg, shown_cb, h);
	UNTIL(h->shows > n);
	assert_true(h->shown);
	return h->show;
}

static const char *
adopt(struct pairhost *h)
{
	int n = h->shows;

	register_none.adopt(h->reg, shown_cb, h);
	UNTIL(h->shows > n);
	return h->show;
}

/* Both are read, and have the one name. */
static int
setup(void **state)
{
	(void)pairtest_setup(state);
	pairtest_join(a);
	pairtest_join(b);
	UNTIL(strcmp(copy(a)->value.instance, copy(b)->value.instance) == 0 &&
	      a->values && b->values);
	return 0;
}

/* Both have n1, and know it. */
static int
setup_written(void **state)
{
	(void)setup(state);
	write_as(a, "n1", 0, CAS_CONFIRMED);
	UNTIL(shows(a, "n1") && !a->value.half && shows(b, "n1"));
	assert_non_null(strstr(b->polled, "\"wait_ms\":2000"));
	return 0;
}

/* The second host takes the first one's name, whoever starts first. */
static void
test_begin(void **state)
{
	char first[ID_MAX];

	memcpy(first, copy(a)->value.instance, ID_MAX);
	assert_string_not_equal(first, copy(b)->value.instance);
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
	assert_string_equal(copy(b)->value.instance, first);
	assert_string_equal(b->value.instance, first);
	assert_string_equal(copy(a)->value.instance, first);
	assert_true(b->value.met);
}

/* The other host falls silent while what it said last is on its way to the disk
 * here: that is shown, and nothing else is taken. */
static void
test_begin_silent(void **state)
{
	char first[ID_MAX];

	memcpy(first, copy(a)->value.instance, ID_MAX);
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
	assert_string_equal(copy(b)->value.instance, first);
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
	(void)put(a, "a2", 0);
	UNTIL(copy(a)->value.revision == 2);
	a->no_calls = true;
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_true(copy(a)->sure);
	a->no_calls = false;
	write_as(a, "a3", 0, CAS_CONFIRMED);
}

/* What is taken is looked at when it is here, without another question. */
static void
test_taken(void **state)
{
	no_polls(b, a);
	write_as(a, "x", NODE_BIT(B), CAS_CONFIRMED);
	register_none.read(b->reg);
	b->no_calls = true;
	UNTIL(shows(b, "x"));
	assert_true(b->value.met);
	b->no_calls = false;
}

/* The first host's write is here, then there, then confirmed. */
static void
test_first(void **state)
{
	pairtest_hold(b);
	(void)put(a, "n2", 0);
	UNTIL(copy(a)->value.revision == 2);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(a), 2);
	assert_int_equal(pairtest_disk(b), 1);
	assert_int_equal(a->writes, 0);
	/* It is shown as what it is. */
	register_none.read(a->reg);
	UNTIL(shows(a, "n2"));
	assert_true(a->value.half);
	pairtest_let(b);
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 2);
	UNTIL(shows(b, "n2") && shows(a, "n2") && !a->value.half);
}

/* The second host's is there first, too. */
static void
test_second(void **state)
{
	pairtest_hold(a);
	(void)put(b, "n2", 0);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(b), 1);
	pairtest_hold(b);
	pairtest_let(a);
	UNTIL(copy(a)->value.revision == 2);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(b), 1);
	assert_int_equal(b->writes, 0);
	assert_false(copy(a)->sure);
	pairtest_let(b);
	UNTIL(b->writes);
	assert_int_equal(b->res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 2);
	UNTIL(shows(a, "n2") && !a->value.half);
}

/* Two at once: the first copy says whose. */
static void
test_both(void **state)
{
	(void)put(a, "a2", 0);
	(void)put(b, "b2", 0);
	UNTIL(a->writes && b->writes);
	assert_int_equal(a->res, CAS_CONFIRMED);
	assert_int_equal(b->res, CAS_CONFLICT);
	UNTIL(shows(a, "a2") && shows(b, "a2"));
}

/* A host that is not heard: the write of the first is half, of the second none,
 * and neither is known. */
static void
test_silent(void **state)
{
	int fails = a->fails;

	pairtest_wire(a, WIRE_DOWN);
	pairtest_wire(b, WIRE_DOWN);
	write_as(b, "b2", 0, CAS_UNKNOWN);
	assert_int_equal(copy(b)->value.revision, 1);
	write_as(a, "a2", 0, CAS_UNKNOWN);
	assert_int_equal(pairtest_disk(a), 2);
	register_none.read(a->reg);
	UNTIL(shows(a, "a2"));
	assert_true(a->value.half);
	assert_false(a->value.met);
	/* The second shows what both had. */
	register_none.read(b->reg);
	UNTIL(b->value.met == false);
	assert_true(shows(b, "n1"));
	assert_false(b->value.half);
	assert_int_equal(a->fails, fails);
	/* Back: who reads both brings the older one up. */
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	UNTIL(shows(b, "a2") && shows(a, "a2") && !a->value.half);
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
	write_as(a, "a2", 0, CAS_UNKNOWN);
	write_as(a, "a3", 0, CAS_UNKNOWN);
	assert_int_equal(copy(a)->value.revision, 2);
	a->conf.ttl = 10 * USEC_SEC;
	(void)put(a, "a4", 0);
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
	assert_false(copy(h)->lost);
	pairtest_join(h);
}

/* The first host is killed between its copy and the other one: it does not know
 * any more whether that one has it, and does not take it for confirmed before
 * it does. */
static void
test_killed_first(void **state)
{
	pairtest_wire(b, WIRE_DOWN);
	(void)put(a, "a2", 0);
	UNTIL(copy(a)->value.revision == 2);
	killed(a);
	UNTIL(shows(a, "a2"));
	assert_true(a->value.half);
	assert_true(shows(b, "n1") && copy(b)->value.revision == 1);
	pairtest_wire(b, WIRE_UP);
	UNTIL(shows(b, "a2") && shows(a, "a2") && !a->value.half);
	write_as(a, "a3", 0, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 3);
}

/* While it writes: it has it, or it has not. */
static void
test_killed_writing(void **state)
{
	pairtest_hold(a);
	(void)put(a, "a2", 0);
	pairtest_quiet();
	pairtest_wire(b, WIRE_DOWN);
	killed(a);
	UNTIL(a->values);
	assert_true(shows(a, "n1") || a->value.half);
	pairtest_wire(b, WIRE_UP);
	UNTIL(a->value.met && !a->value.half);
	write_as(a, "a3", 0, CAS_CONFIRMED);
	UNTIL(shows(b, "a3"));
}

/* The second one, when the first has it, and while it writes. */
static void
test_killed_second(void **state)
{
	pairtest_hold(b);
	(void)put(b, "b2", 0);
	UNTIL(copy(a)->value.revision == 2);
	pairtest_wire(a, WIRE_DOWN);
	register_none.read(a->reg);
	pairtest_quiet();
	assert_int_equal(pairtest_disk(b), 1);
	killed(b);
	UNTIL(shows(b, "n1") || shows(b, "b2"));
	pairtest_wire(a, WIRE_UP);
	UNTIL(shows(b, "b2") && shows(a, "b2") && !a->value.half);
	assert_int_equal(pairtest_disk(b), 2);
	write_as(b, "b3", 0, CAS_CONFIRMED);
	UNTIL(shows(a, "b3"));
}

/* When both have it and nobody was told. */
static void
test_killed_after(void **state)
{
	pairtest_wire(b, WIRE_MUTE);
	(void)put(a, "a2", 0);
	UNTIL(copy(b)->value.revision == 2);
	pairtest_wire(b, WIRE_DOWN);
	killed(a);
	UNTIL(shows(a, "a2"));
	assert_true(a->value.half);
	pairtest_wire(b, WIRE_UP);
	UNTIL(!a->value.half);
	write_as(b, "b3", 0, CAS_CONFIRMED);
	killed(b);
	UNTIL(shows(b, "b3") && shows(a, "b3"));
}

/* The answer is lost: done there, and not known here. */
static void
test_lost_answer(void **state)
{
	b->conf.ttl = USEC_SEC / 5;
	pairtest_wire(a, WIRE_MUTE);
	write_as(b, "b2", 0, CAS_UNKNOWN);
	assert_int_equal(copy(a)->value.revision, 2);
	assert_int_equal(copy(b)->value.revision, 1);
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
	UNTIL(shows(b, "b2"));
	assert_int_equal(pairtest_disk(b), 2);
	UNTIL(shows(a, "b2") && !a->value.half);
}

/* The second host's disk is full: it has nothing, though the first has. */
static void
test_full(void **state)
{
	b->conf.ttl = USEC_SEC;
	pairtest_quiet();
	pairtest_wire(a, WIRE_UP);
	pairtest_full(true);
	write_as(a, "a2", 0, CAS_UNKNOWN);
	assert_int_equal(copy(a)->value.revision, 1);
	pairtest_full(false);
	pairtest_hold(b);
	(void)put(a, "a2", 0);
	UNTIL(copy(a)->value.revision == 2);
	pairtest_full(true);
	pairtest_let(b);
	UNTIL(a->writes);
	assert_int_equal(a->res, CAS_UNKNOWN);
	assert_int_equal(copy(b)->value.revision, 1);
	pairtest_full(false);
	UNTIL(shows(b, "a2") && shows(a, "a2") && !a->value.half);
}

/* Alone: one copy is enough, and is newer than all that the other may have. */
static void
test_alone(void **state)
{
	pairtest_wire(a, WIRE_DOWN);
	pairtest_wire(b, WIRE_DOWN);
	write_as(a, "half", 0, CAS_UNKNOWN);
	write_as(b, "x", NODE_BIT(A), CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(b), 3);
	register_none.read(b->reg);
	UNTIL(shows(b, "x"));
	assert_false(b->value.half);
	/* The host that was off is behind: it takes what is newer. */
	pairtest_stop(a);
	a->values = 0;
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	pairtest_start(a);
	pairtest_join(a);
	UNTIL(a->values);
	assert_true(shows(a, "x"));
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
	(void)put(b, "x", NODE_BIT(A));
	a->values = 0;
	register_none.read(a->reg);
	pairtest_quiet();
	assert_int_equal(a->values, 0);
	pairtest_let(b);
	UNTIL(b->writes && a->values);
	assert_true(shows(a, "x"));
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
	cas = put(a, "a2", 0);
	register_none.cas(a->reg, &cas);
	UNTIL(copy(a)->value.revision == 2);
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
	(void)put(b, "b3", 0);
	pairtest_quiet();
	cas = put(b, "b3'", 0);
	pairtest_let(a);
	UNTIL(b->writes);
	assert_true(b->written == cas.id);
	assert_int_equal(b->res, CAS_CONFLICT);
	UNTIL(shows(b, "b3") && shows(a, "b3"));
}

/* In place of one that is on its way to the disk here. */
static void
test_in_place(void **state)
{
	struct do_cas cas;

	pairtest_hold(a);
	(void)put(a, "a2", 0);
	cas = put(a, "a2'", 0);
	pairtest_let(a);
	UNTIL(a->writes);
	assert_true(a->written == cas.id);
	assert_int_equal(a->res, CAS_CONFLICT);
	UNTIL(shows(a, "a2") && shows(b, "a2") && !a->value.half);
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
	(void)put(b, "b2", 0);
	b->no_calls = true;
	UNTIL(copy(a)->value.revision == 2);
	pairtest_quiet();
	pairtest_full(true);
	pairtest_let(b);
	UNTIL(pt.unsaved);
	pairtest_full(false);
	pairtest_wire(a, WIRE_MUTE);
	b->no_calls = false;
	cas = put(b, "b2'", 0);
	b->no_calls = true;
	pairtest_pass(60 * USEC_MSEC);
	assert_string_not_equal(copy(b)->value.rec.nonce, cas.rec.nonce);
	b->no_calls = false;
	pairtest_wire(a, WIRE_UP);
	UNTIL(b->writes);
	assert_int_not_equal(b->res, CAS_CONFIRMED);
	UNTIL(shows(b, "b2") && shows(a, "b2") && !a->value.half);
}

/* No request can be begun. */
static void
test_no_calls(void **state)
{
	b->no_calls = true;
	(void)put(b, "b2", 0);
	assert_int_equal(b->writes, 1);
	assert_int_equal(b->res, CAS_UNKNOWN);
	register_none.show(b->reg, shown_cb, b);
	assert_int_equal(b->shows, 1);
	assert_string_equal(b->show, "internal");
	pairtest_wire(a, WIRE_UP);
	pairtest_quiet();
	b->no_calls = false;
	write_as(a, "a2", 0, CAS_CONFIRMED);
	UNTIL(shows(b, "a2"));
	(void)show(b);
}

/* What waits for the other host is sent again without it. */
static void
test_then_alone(void **state)
{
	struct do_cas cas;

	pairtest_wire(a, WIRE_MUTE);
	cas = put(b, "b2", 0);
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
	(void)put(a, "a2", 0);
	register_none.free(a->reg);
	a->reg = NULL;
	assert_int_equal(pairtest_calls(a), 0);
	pairtest_join(a);
	pairtest_let(a);
	UNTIL(shows(a, "a2") && shows(b, "a2"));
	assert_int_equal(a->writes, 0);
	pairtest_hold(a);
	(void)put(b, "b3", 0);
	pairtest_quiet();
	register_none.free(b->reg);
	b->reg = NULL;
	assert_int_equal(pairtest_calls(b), 0);
	pairtest_join(b);
	pairtest_let(a);
	UNTIL(shows(b, "b3"));
	assert_int_equal(b->writes, 0);
}

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
	assert_non_null(strstr(show(a), "\"type\":\"none\""));
	assert_non_null(strstr(a->show, "\"other\":\"prod-s2\""));
	assert_non_null(strstr(a->show, "\"other_answers\":true"));
	assert_non_null(strstr(a->show, "\"other_revision\":1"));
	assert_non_null(strstr(a->show, "\"other_cold\":false"));
	/* A second one asks meanwhile: what is here. */
	register_none.show(a->reg, shown_cb, a);
	register_none.show(a->reg, shown_cb, a);
	assert_int_equal(a->shows, 2);
	assert_non_null(strstr(a->show, "\"other_answers\":false"));
	UNTIL(a->shows == 3);
	assert_non_null(strstr(a->show, "\"other_answers\":true"));
	pairtest_wire(b, WIRE_DOWN);
	assert_non_null(strstr(show(a), "\"other_answers\":false"));
}

/* One at a time, and nothing where nothing is wrong. */
static void
test_adopt_nothing(void **state)
{
	assert_non_null(strstr(adopt(a), "both copies are believed"));
	assert_false(a->shown);
	register_none.show(a->reg, shown_cb, a);
	register_none.adopt(a->reg, shown_cb, a);
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
	write_as(b, "b2", NODE_BIT(A), CAS_CONFIRMED);
	cas = pairtest_cas(a, A, "a2");
	cas.rec.epoch = 2;
	pair_server_cas(a->e.copy, &cas, true, cas.id, pairtest_end, &end);
	UNTIL(end.done);
	pairtest_wire(a, WIRE_UP);
	pairtest_wire(b, WIRE_UP);
	UNTIL(a->value.split && b->value.split);
	assert_true(a->value.cold && b->value.cold);
	write_as(a, "a5", 0, CAS_CONFLICT);
	(void)adopt(b);
	assert_true(b->shown);
	assert_non_null(strstr(b->show, "\"cold\":false"));
	assert_int_equal(copy(b)->value.rec.epoch, 3);
	assert_int_equal(copy(b)->value.rec.holder, B);
	UNTIL(shows(a, copy(b)->value.rec.nonce) && !a->value.cold &&
	      !b->value.cold);
	assert_false(a->value.split || b->value.split);
	assert_int_equal(copy(a)->value.rec.holder, B);
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
	assert_non_null(strstr(adopt(a), "could not be written"));
	assert_false(a->shown);
	pairtest_full(false);
	(void)adopt(a);
	assert_true(a->shown);
	assert_int_equal(copy(a)->value.rec.epoch, 4);
	assert_false(a->value.cold);
}

#define BEFORE(name) \
	cmocka_unit_test_setup_teardown(name, pairtest_setup, pairtest_teardown)
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_written, pairtest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BEFORE(test_begin),
		BEFORE(test_begin_silent),
		TEST(test_first),
		TEST(test_sure),
		TEST(test_taken),
		TEST(test_second),
		TEST(test_both),
		TEST(test_silent),
		TEST(test_upon_half),
		TEST(test_killed_first),
		TEST(test_killed_writing),
		TEST(test_killed_second),
		TEST(test_killed_after),
		TEST(test_lost_answer),
		TEST(test_full),
		TEST(test_alone),
		TEST(test_alone_hides),
		TEST(test_again),
		TEST(test_in_place),
		TEST(test_in_place_of_full),
		TEST(test_no_calls),
		TEST(test_then_alone),
		TEST(test_end),
		TEST(test_report),
		TEST(test_show),
		TEST(test_adopt_nothing),
		TEST(test_adopt_split),
		TEST(test_adopt_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
