/*
 * Where a host's copy of the register of two lone hosts comes from: the file it
 * wrote before, files that are not the one that was written here, a person's
 * word, the other host's newer copy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pairtest.h"

static void
rubbish(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs("rubbish", f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
again(struct pairhost *h)
{
	pairtest_stop(h);
	pairtest_start(h);
}

/* A plain restart: nothing is another. */
static void
test_restart(void **state)
{
	struct pairhost *h = &pt.host[A];
	char instance[ID_MAX];
	int n;

	memcpy(instance, pairtest_copy(h)->value.instance, ID_MAX);
	pairtest_put(h, "n1", true);
	h->has_seen = true;
	h->seen.epoch = 1;
	again(h);
	assert_false(pairtest_copy(h)->lost);
	assert_true(pairtest_copy(h)->first);
	assert_string_equal(pairtest_copy(h)->value.instance, instance);
	n = pairtest_poll(h, 0);
	assert_int_equal(pt.answer[n].value.revision, 2);
	assert_false(pt.answer[n].value.cold);
	/* What was half of a file is not looked at. */
	rubbish(pairtest_file(h, ".new"));
	again(h);
	pairtest_put(h, "n2", true);
	assert_int_equal(pairtest_disk(h), 4);
	assert_int_not_equal(access(pairtest_file(h, ".new"), F_OK), 0);
}

/* A copy of the file is none, nor is what somebody put in its place. */
static void
test_copied(void **state)
{
	struct pairhost *h = &pt.host[A];
	struct pairend end;
	struct do_cas cas;
	struct error err;
	int n;

	pairtest_put(h, "n1", true);
	h->has_seen = true;
	h->seen.epoch = 4;
	pairtest_copied(h);
	again(h);
	assert_true(pairtest_copy(h)->lost);
	n = pairtest_poll(h, 0);
	assert_true(pt.answer[n].value.cold);
	assert_int_equal(pt.answer[n].value.floor, 4);
	assert_int_equal(pt.answer[n].value.revision, 2);
	pairtest_write(h, "n2", true, &end);
	assert_int_equal(end.res, CAS_REFUSED);
	cas = pairtest_cas(h, B, "b2");
	n = pairtest_send(h, B, &cas);
	assert_int_equal(pt.answer[n].res, CAS_REFUSED);
	assert_int_equal(pairtest_disk(h), 2);
	/* Not even a register: somebody has to look at it. */
	pairtest_stop(h);
	rubbish(pairtest_file(h, ""));
	assert_null(pairtest_try(h, &err));
	assert_non_null(strstr(err.msg, "not a register"));
}

static void
test_gone(void **state)
{
	struct pairhost *h = &pt.host[A];

	pairtest_put(h, "n1", true);
	pairtest_stop(h);
	assert_int_equal(unlink(pairtest_file(h, "")), 0);
	pairtest_start(h);
	assert_int_equal(pairtest_copy(h)->value.revision, 0);
	assert_false(pairtest_copy(h)->lost);
	h->has_seen = true;
	h->seen.epoch = 1;
	again(h);
	assert_true(pairtest_copy(h)->lost);
}

/* By a person's word a copy is right again, above all that was seen. */
static void
test_adopt(void **state)
{
	struct pairhost *h = &pt.host[A];
	struct pairend end = { .done = 0 };
	int n;

	pair_server_adopt(h->e.copy, NULL, 1, pairtest_end, &end);
	assert_int_equal(end.res, CAS_REFUSED);
	pairtest_put(h, "n1", true);
	pair_server_adopt(h->e.copy, NULL, 2, pairtest_end, &end);
	assert_int_equal(end.res, CAS_REFUSED);
	pairtest_copied(h);
	h->has_seen = true;
	h->seen.epoch = 4;
	again(h);
	n = pairtest_poll(h, 2000);
	end.done = 0;
	pair_server_adopt(h->e.copy, NULL, 3, pairtest_end, &end);
	UNTIL(end.done && pt.answer[n].status != 0);
	assert_int_equal(end.res, CAS_CONFIRMED);
	assert_int_equal(pt.warm, 1);
	assert_false(pt.answer[n].value.cold);
	assert_int_equal(pt.answer[n].value.rec.epoch, 5);
	assert_int_equal(pt.answer[n].value.revision, 4);
	again(h);
	assert_false(pairtest_copy(h)->lost);
	assert_int_equal(pairtest_copy(h)->value.rec.epoch, 5);
}

/* A newer copy of the other host's is taken, an older one is not. */
static void
test_take(void **state)
{
	struct pairhost *h = &pt.host[B];
	struct pairend end = { .done = 0 };
	struct reg_value older, newer;
	int n;

	pair_server_take(h->e.copy, &pairtest_copy(&pt.host[A])->value, 1,
	    pairtest_end, &end);
	UNTIL(end.done == 1);
	assert_string_equal(pairtest_copy(h)->value.instance,
	    pairtest_copy(&pt.host[A])->value.instance);
	pairtest_put(h, "n1", false);
	older = pairtest_copy(h)->value;
	pairtest_put(h, "n2", false);
	newer = pairtest_copy(h)->value;
	newer.revision += 2;
	(void)snprintf(newer.rec.nonce, sizeof(newer.rec.nonce), "a4");
	pair_server_take(h->e.copy, &older, 2, pairtest_end, &end);
	assert_int_equal(end.done, 2);
	assert_string_equal(pairtest_copy(h)->value.rec.nonce, "n2");
	n = pairtest_poll(h, 2000);
	pair_server_take(h->e.copy, &newer, 3, pairtest_end, &end);
	UNTIL(end.done == 3 && pt.answer[n].status != 0);
	assert_string_equal(pt.answer[n].value.rec.nonce, "a4");
	assert_int_equal(pairtest_disk(h), 4);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, pairtest_setup, pairtest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),
		TEST(test_copied),
		TEST(test_gone),
		TEST(test_adopt),
		TEST(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
