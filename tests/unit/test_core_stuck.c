/*
 * A primary that commits nothing, where a lease that ran out proves nothing: it
 * goes by a release to a candidate that could go on, and to nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coretest.h"

static void
by_lease(struct ct *t)
{
	t->conf.proof_lease = true;
}

static void
by_hand(struct ct *t)
{
	t->conf.mode = CORE_MANUAL;
}

static void
no_register(struct ct *t)
{
	t->read_ok = false;
	t->cas = CT_CAS_FAIL;
}

static void
no_room(struct ct *t)
{
	struct site_report rep = {
		.config = ANS_YES, .automatic = ANS_YES, .room = ANS_NO
	};

	core_on_site(t->c, &t->now, B, &rep);
}

static void
too_soon(struct ct *t)
{
	t->reg.value.rec.taken_at = t->now.wall - 60 * SEC;
	t->reg.value.revision++;
	ct_read(t);
}

static void
stuck(struct ct *t, void (*but)(struct ct *t))
{
	ct_init(t, A, false);
	t->conf.pair = t->conf.proof_lease = false;
	if (but == by_lease || but == by_hand)
		but(t);
	ct_holder(t, BIT_B);
	t->probe = false;
	/* Late, and closed, but it may come back. */
	ct_run(t, 3 * SEC + 500 * MSEC);
	assert_int_equal(ct_status(t).writers, WRITERS_CLOSED);
	assert_int_equal(t->reg.value.rec.state, REC_HELD);
	if (but == no_register || but == no_room || but == too_soon)
		but(t);
	ct_run(t, 1500 * MSEC);
}

/* So long, while the other host reports as its engine does. */
static bool
released_within(struct ct *t, usec_t us)
{
	const struct site_report rep = { .site_epoch = 5,
		.serving = true,
		.config = ANS_YES,
		.automatic = ANS_YES,
		.room = ANS_YES };
	usec_t end = t->now.raw + us;

	while (t->now.raw < end && t->reg.value.rec.state == REC_HELD) {
		ct_clear(t);
		core_on_site(t->c, &t->now, B, &rep);
		ct_run(t, 500 * MSEC);
	}
	return t->reg.value.rec.state == REC_RELEASED;
}

static void
test_handed_over(void **state)
{
	struct ct t;

	stuck(&t, NULL);
	assert_int_equal(t.reg.value.rec.state, REC_RELEASED);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(t.pg.running, ANS_NO);
	ct_free(&t);
}

static void
test_kept(void **state)
{
	void (*const but[])(struct ct *) = { by_lease, by_hand, no_register,
		no_room, too_soon };
	struct ct t;
	size_t i;

	for (i = 0; i < sizeof(but) / sizeof(but[0]); i++) {
		stuck(&t, but[i]);
		assert_int_equal(t.reg.value.rec.state, REC_HELD);
		assert_int_equal(t.pg.running, ANS_YES);
		ct_free(&t);
	}
}

/* The engine was stopped, not the server: its first look after that knows of no
 * probe. */
static void
test_engine_stopped(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	t.conf.proof_lease = false;
	ct_holder(&t, BIT_B);
	ct_run(&t, SEC);
	t.now.raw += 6 * SEC;
	t.now.wall += 6 * SEC;
	core_on_heard(t.c, &t.now, B);
	ct_read(&t);
	ct_turn(&t);
	ct_turn(&t);
	assert_null(ct_last_act(&t, ACT_STOP));
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* What kept it from being handed over has passed, long after the last commit:
 * its heir is still asked whether it is there. */
static void
test_much_later(void **state)
{
	struct ct t;

	stuck(&t, no_register);
	assert_false(released_within(&t, 8 * SEC));
	t.read_ok = true;
	t.cas = CT_CAS_OK;
	assert_true(released_within(&t, 10 * SEC));
	ct_free(&t);
	stuck(&t, too_soon);
	assert_false(released_within(&t, 60 * SEC));
	assert_true(released_within(&t, 540 * SEC));
	ct_free(&t);
}

/* The probe is late after 3 s, whatever T is. */
static void
test_short_ttl(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	t.conf.proof_lease = false;
	t.conf.ttl = SEC;
	ct_holder(&t, BIT_B);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.ttl, SEC);
	t.probe = false;
	assert_true(released_within(&t, 10 * SEC));
	ct_free(&t);
}

/* It commits again before anything was done. */
static void
test_back(void **state)
{
	struct ct t;

	stuck(&t, no_register);
	t.read_ok = t.probe = true;
	t.cas = CT_CAS_OK;
	ct_run(&t, SEC);
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	assert_int_equal(t.reg.value.rec.state, REC_HELD);
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_engine_stopped),
		cmocka_unit_test(test_much_later),
		cmocka_unit_test(test_short_ttl),
		cmocka_unit_test(test_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
