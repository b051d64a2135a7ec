/*
 * A host's copy of the register of two lone hosts, as it is served: what is on
 * its way to the disk, who waits, who may write, and full disks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pairtest.h"

/* What is there is shown until what is written is on disk. */
static void
test_write(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	int n;

	pairtest_put(h, "n1", false);
	assert_int_equal(pairtest_disk(h), 1);
	pairtest_hold(h);
	pairtest_write(h, "n2", false, &end);
	n = pairtest_poll(h, 0);
	pairtest_quiet();
	assert_int_equal(end.done, 0);
	assert_int_equal(pt.answer[n].status, 200);
	assert_string_equal(pt.answer[n].value.rec.nonce, "n1");
	pairtest_let(h);
	UNTIL(end.done);
	assert_int_equal(end.res, CAS_CONFIRMED);
	assert_int_equal(pairtest_disk(h), 2);
	n = pairtest_poll(h, 0);
	assert_string_equal(pt.answer[n].value.rec.nonce, "n2");
	assert_int_equal(h->heard, 2);
}

/* While a write by a proof is on its way, nobody is told what was before: not
 * who asks now, nor who waits. */
static void
test_alone_hides(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	int now, poll, before;

	pairtest_put(h, "n1", false);
	before = pairtest_poll(h, 2000);
	pairtest_hold(h);
	pairtest_write(h, "x", true, &end);
	now = pairtest_poll(h, 0);
	poll = pairtest_poll(h, 2000);
	pairtest_quiet();
	assert_int_equal(pt.answer[now].status, 0);
	assert_int_equal(pt.answer[poll].status, 0);
	assert_int_equal(pt.answer[before].status, 0);
	pairtest_let(h);
	UNTIL(end.done && pt.answer[now].status != 0);
	assert_string_equal(pt.answer[now].value.rec.nonce, "x");
	assert_int_equal(pt.answer[now].value.revision, 3);
	assert_string_equal(pt.answer[poll].value.rec.nonce, "x");
	assert_string_equal(pt.answer[before].value.rec.nonce, "x");
}

/* Nor while it waits for the write before it, whose end wakes nobody. */
static void
test_alone_in_queue(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct do_cas cas, by;
	struct pairend end = { .done = 0 };
	int first, poll, now;

	pairtest_put(h, "n1", false);
	poll = pairtest_poll(h, 2000);
	cas = pairtest_cas(h, A, "a2");
	pairtest_hold(h);
	first = pairtest_send(h, A, &cas);
	by = cas;
	by.revision++;
	memcpy(by.nonce, cas.rec.nonce, sizeof(by.nonce));
	(void)snprintf(by.rec.nonce, sizeof(by.rec.nonce), "x");
	by.rec.holder = by.rec.written_by = B;
	by.rec.epoch++;
	pair_server_cas(h->e.copy, &by, true, by.id, pairtest_end, &end);
	now = pairtest_poll(h, 0);
	/* In front of the second write, behind the first. */
	pairtest_hold(h);
	pairtest_let(h);
	UNTIL(pt.answer[first].status != 0);
	assert_int_equal(pt.answer[first].res, CAS_CONFIRMED);
	pairtest_quiet();
	assert_string_equal(pairtest_copy(h)->value.rec.nonce, "a2");
	assert_int_equal(pt.answer[poll].status, 0);
	assert_int_equal(pt.answer[now].status, 0);
	pairtest_let(h);
	UNTIL(end.done && pt.answer[now].status != 0);
	assert_string_equal(pt.answer[now].value.rec.nonce, "x");
	assert_string_equal(pt.answer[poll].value.rec.nonce, "x");
}

/* A disk that takes too long: he has to ask again. */
static void
test_alone_slow(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	int n;

	pairtest_put(h, "n1", false);
	pairtest_hold(h);
	pairtest_write(h, "x", true, &end);
	n = pairtest_poll(h, 0);
	(void)pair_server_turn(h->e.copy, clock_now().raw + USEC_SEC / 2);
	assert_int_equal(pt.answer[n].status, 0);
	(void)pair_server_turn(h->e.copy, clock_now().raw + USEC_SEC);
	assert_int_equal(pt.answer[n].status, 503);
	pairtest_let(h);
	UNTIL(end.done);
}

/* It could not be written: what was there is what there is. */
static void
test_alone_full(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	int n;

	pairtest_put(h, "n1", false);
	pairtest_hold(h);
	pairtest_full(true);
	pairtest_write(h, "x", true, &end);
	n = pairtest_poll(h, 2000);
	pairtest_let(h);
	UNTIL(end.done);
	assert_int_equal(end.res, CAS_UNKNOWN);
	assert_int_equal(pt.answer[n].status, 200);
	assert_string_equal(pt.answer[n].value.rec.nonce, "n1");
}

static void
test_full(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	struct do_cas cas;
	int n, poll;

	pairtest_put(h, "n1", false);
	poll = pairtest_poll(h, 2000);
	pairtest_full(true);
	pairtest_write(h, "n2", false, &end);
	UNTIL(end.done);
	assert_int_equal(end.res, CAS_UNKNOWN);
	cas = pairtest_cas(h, A, "a2");
	n = pairtest_send(h, A, &cas);
	UNTIL(pt.answer[n].status != 0);
	assert_int_equal(pt.answer[n].res, CAS_UNKNOWN);
	assert_int_equal(pt.unsaved, 2);
	assert_int_equal(pt.answer[poll].status, 0);
	assert_string_equal(pairtest_copy(h)->value.rec.nonce, "n1");
	assert_int_equal(pairtest_disk(h), 1);
	/* The same again, when there is room. */
	pairtest_full(false);
	n = pairtest_send(h, A, &cas);
	UNTIL(pt.answer[n].status != 0);
	assert_int_equal(pt.answer[n].res, CAS_CONFIRMED);
	assert_string_equal(pt.answer[poll].value.rec.nonce, "a2");
	assert_int_equal(pairtest_disk(h), 2);
}

/* A reader who knows what is there waits until it is another, or as long as he
 * said; who knows another is told at once. */
static void
test_poll(void **state)
{
	struct pairhost *h = &pt.host[B];
	usec_t now = clock_now().raw, at;
	int poll, n;

	pairtest_put(h, "n1", false);
	poll = pairtest_poll(h, 1500);
	at = pair_server_turn(h->e.copy, clock_now().raw);
	assert_true(at >= now + 1500 * USEC_MSEC);
	assert_true(at <= clock_now().raw + 1500 * USEC_MSEC);
	assert_int_equal(pair_server_turn(h->e.copy, at - 1), at);
	assert_int_equal(pt.answer[poll].status, 0);
	assert_int_equal(pair_server_turn(h->e.copy, at), USEC_NEVER);
	assert_int_equal(pt.answer[poll].status, 200);
	assert_int_equal(pt.answer[poll].value.revision, 1);
	poll = pairtest_poll(h, 1500);
	pairtest_put(h, "n2", false);
	UNTIL(pt.answer[poll].status != 0);
	assert_int_equal(pt.answer[poll].value.revision, 2);
	n = pairtest_ask(h, A, "/v1/read", "{\"wait_ms\":2000}");
	assert_int_equal(pt.answer[n].status, 200);
	n = pairtest_ask(h, A, "/v1/read", "{\"wait_ms\":2001}");
	assert_int_equal(pt.answer[n].status, 400);
	n = pairtest_ask(h, A, "/v1/read", "{\"wait");
	assert_int_equal(pt.answer[n].status, 400);
}

/* Who knows anything else is told at once. */
static void
test_poll_differs(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct reg_value known;
	int n;

	pairtest_put(h, "n1", false);
	known = pairtest_copy(h)->value;
	known.revision++;
	n = pairtest_poll_as(h, &known, 2000);
	assert_int_equal(pt.answer[n].status, 200);
	known = pairtest_copy(h)->value;
	known.cold = true;
	n = pairtest_poll_as(h, &known, 2000);
	assert_int_equal(pt.answer[n].status, 200);
	known = pairtest_copy(h)->value;
	known.instance[0] = '?';
	n = pairtest_poll_as(h, &known, 2000);
	assert_int_equal(pt.answer[n].status, 200);
	known = pairtest_copy(h)->value;
	n = pairtest_poll_as(h, &known, 2000);
	assert_int_equal(pt.answer[n].status, 0);
}

/* Nobody writes for another, and no copy of two is seeded. */
static void
test_foreign(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct do_cas cas;
	int n, refused = 0;

	pairtest_put(h, "n1", false);
	cas = pairtest_cas(h, B, "n2");
	n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].status, 400);
	assert_int_equal(pt.refused, ++refused);
	cas.rec.written_by = A;
	n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].status, 400);
	cas = pairtest_cas(h, A, "n2");
	cas.rec.written_by = B;
	n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].status, 400);
	cas = pairtest_cas(h, A, "n2");
	cas.reseed = true;
	n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].status, 400);
	n = pairtest_ask(h, A, "/v1/cas", "{}");
	assert_int_equal(pt.answer[n].status, 400);
	assert_int_equal(pt.refused, 5);
	pairtest_quiet();
	assert_int_equal(pairtest_copy(h)->value.revision, 1);
	cas.reseed = false;
	n = pairtest_send(h, A, &cas);
	UNTIL(pt.answer[n].status != 0);
	assert_int_equal(pt.answer[n].res, CAS_CONFIRMED);
	assert_int_equal(pairtest_copy(h)->value.rec.holder, A);
	/* A second one upon what was before. */
	(void)snprintf(cas.rec.nonce, sizeof(cas.rec.nonce), "n3");
	n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].res, CAS_CONFLICT);
}

static void
test_other_paths(void **state)
{
	struct front_request req = {
		.peer = "prod-s1", .path = "/v1/adopt", .body = "{}", .len = 2
	};

	assert_false(pair_server_request(pt.host[B].e.copy, A, &req));
	req.path = "/v1/report";
	assert_false(pair_server_request(pt.host[B].e.copy, A, &req));
	assert_int_equal(pt.host[B].heard, 0);
}

/* More readers and writers than there is room for do not wait; the engine here
 * always does. */
static void
test_many(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	struct do_cas cas;
	int i, n, first = pt.asked;

	for (i = 0; i < 32; i++)
		(void)pairtest_poll(h, 2000);
	assert_int_equal(pt.answer[first + 31].status, 0);
	n = pairtest_poll(h, 2000);
	assert_int_equal(pt.answer[n].status, 200);
	pairtest_hold(h);
	cas = pairtest_cas(h, A, "a1");
	pairtest_write(h, "n1", true, &end);
	n = pairtest_poll(h, 2000);
	assert_int_equal(pt.answer[n].status, 503);
	for (i = 0; i < 32; i++)
		n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].status, 0);
	n = pairtest_send(h, A, &cas);
	assert_int_equal(pt.answer[n].status, 503);
	pairtest_write(h, "n1", true, &end);
	assert_int_equal(end.done, 0);
	pairtest_let(h);
	UNTIL(end.done);
	assert_int_equal(pt.answer[first].status, 200);
	assert_int_equal(pt.answer[first + 31].status, 200);
	assert_int_equal(pt.answer[n - 1].res, CAS_CONFLICT);
	/* There is room again. */
	n = pairtest_poll(h, 2000);
	assert_int_equal(pt.answer[n].status, 0);
	cas = pairtest_cas(h, A, "a2");
	n = pairtest_send(h, A, &cas);
	UNTIL(pt.answer[n].status == 200);
}

static void
changed_cb(void *arg)
{
	++*(int *)arg;
}

/* Who has gone is told nothing, not even of what he began; who came in his
 * place is told of it as of what the other host writes. */
static void
test_forget(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end;
	int changed = 0;

	pairtest_hold(h);
	pair_server_watch(h->e.copy, changed_cb, &changed);
	pairtest_write(h, "n1", false, &end);
	pair_server_take(h->e.copy, &pairtest_copy(&pt.host[A])->value, 0,
	    pairtest_end, &end);
	pair_server_forget(h->e.copy, &end);
	pairtest_let(h);
	UNTIL(pairtest_copy(h)->value.revision == 1);
	pairtest_quiet();
	assert_int_equal(end.done, 0);
	assert_int_equal(changed, 0);
	pairtest_hold(h);
	pairtest_write(h, "n2", false, &end);
	pair_server_forget(h->e.copy, &end);
	pair_server_watch(h->e.copy, changed_cb, &changed);
	pairtest_let(h);
	UNTIL(changed);
	assert_int_equal(end.done, 0);
	pairtest_put(h, "n3", false);
	assert_int_equal(changed, 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, pairtest_setup, pairtest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write),
		TEST(test_alone_hides),
		TEST(test_alone_in_queue),
		TEST(test_alone_slow),
		TEST(test_alone_full),
		TEST(test_full),
		TEST(test_poll),
		TEST(test_poll_differs),
		TEST(test_foreign),
		TEST(test_other_paths),
		TEST(test_many),
		TEST(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
