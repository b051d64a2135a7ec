/*
 * Configurations that differ between hosts, and one that changes while the
 * engine runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coretest.h"

static void
says(struct ct *t, node_t from, enum answer config)
{
	struct site_report r = { .serving = true, .config = config };

	core_on_site(t->c, &t->now, from, &r);
}

/* It streams, and is no candidate until it says otherwise. */
static void
test_differs_not_added(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	says(&t, B, ANS_NO);
	assert_int_equal(ct_status(&t).differ, BIT_B);
	ct_streams(&t, B, 110);
	ct_run(&t, 20 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_null(ct_last_act(&t, ACT_NAMES));
	says(&t, B, ANS_YES);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	assert_int_equal(ct_status(&t).differ, 0);
	ct_free(&t);
}

/* It says so while it is being added: nothing is sent. */
static void
test_differs_ends_add(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, 0);
	t.act[ACT_WAITING] = ANS_UNKNOWN;
	ct_streams(&t, B, 110);
	ct_run(&t, 3 * SEC);
	assert_non_null(ct_last_act(&t, ACT_WAITING));
	says(&t, B, ANS_NO);
	ct_act(&t, ACT_WAITING, ANS_YES);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.pg.sync_names, 0);
	ct_free(&t);
}

/* Out of the record first, then commits wait for it no more; old silence and
 * an older version that does not say are no difference. */
static void
test_differs_removed(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	says(&t, B, ANS_UNKNOWN);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_clear(&t);
	says(&t, B, ANS_NO);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.pg.sync_names, 0);
	assert_true(ct_cas_at(&t, 0, 0) < ct_names_at(&t, 0, 0));
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_free(&t);
}

/* Who is not in auto would take over nothing: as with a difference, and back.
 */
static void
test_not_auto(void **state)
{
	struct site_report rep = { .config = ANS_YES, .automatic = ANS_NO };
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_clear(&t);
	core_on_site(t.c, &t.now, B, &rep);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_true(ct_cas_at(&t, 0, 0) < ct_names_at(&t, 0, 0));
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	rep.automatic = ANS_YES;
	core_on_site(t.c, &t.now, B, &rep);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_free(&t);
}

static const char *
tune(struct ct *t, enum core_mode mode)
{
	struct core_conf conf = t->conf;

	conf.mode = mode;
	return core_tune(t->c, &conf);
}

/* Leaving auto: the candidates first, then the names; and the way back. */
static void
test_leave_auto(void **state)
{
	struct ct t;

	ct_init(&t, A, false);
	ct_holder(&t, BIT_B);
	ct_clear(&t);
	assert_null(tune(&t, CORE_MANUAL));
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_run(&t, SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_int_equal(t.pg.sync_names, 0);
	assert_true(ct_cas_at(&t, 0, 0) < ct_names_at(&t, 0, 0));
	assert_int_equal(ct_status(&t).writers, WRITERS_OPEN);
	ct_streams(&t, B, 110);
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, 0);
	assert_null(tune(&t, CORE_AUTO));
	ct_run(&t, 5 * SEC);
	assert_int_equal(t.reg.value.rec.candidates, BIT_B);
	ct_free(&t);
}

/* A candidate that leaves auto claims nothing; back, it does. */
static void
test_candidate_leaves_auto(void **state)
{
	struct ct t;

	ct_init(&t, B, false);
	ct_candidate(&t);
	assert_null(tune(&t, CORE_MANUAL));
	ct_run(&t, 20 * SEC);
	assert_null(ct_claim(&t));
	assert_null(tune(&t, CORE_AUTO));
	ct_run(&t, 3 * SEC);
	assert_non_null(ct_claim(&t));
	ct_free(&t);
}

/* Not while a takeover runs, nor to or from looking on. */
static void
test_refused(void **state)
{
	struct core_conf conf;
	struct ct t;
	bool waits;

	ct_init(&t, B, false);
	ct_candidate(&t);
	assert_non_null(strstr(tune(&t, CORE_OBSERVE), "never guarded"));
	conf = t.conf;
	conf.mode = CORE_OBSERVE;
	assert_non_null(core_may_tune(t.c, &conf, &waits));
	assert_false(waits);
	conf.mode = CORE_MANUAL;
	assert_null(core_may_tune(t.c, &conf, &waits));
	assert_int_equal(ct_status(&t).rel, REL_OTHER);
	t.act[ACT_PROMOTE] = ANS_UNKNOWN;
	ct_run(&t, 20 * SEC);
	assert_non_null(ct_claim(&t));
	assert_non_null(strstr(tune(&t, CORE_MANUAL), "a plan runs"));
	assert_non_null(core_may_tune(t.c, &conf, &waits));
	assert_true(waits);
	assert_int_equal(ct_status(&t).rel, REL_CLAIMED);
	ct_free(&t);
	ct_init(&t, A, false);
	t.conf.mode = CORE_OBSERVE;
	ct_start(&t, NULL, 0);
	assert_non_null(tune(&t, CORE_AUTO));
	ct_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differs_not_added),
		cmocka_unit_test(test_differs_ends_add),
		cmocka_unit_test(test_differs_removed),
		cmocka_unit_test(test_not_auto),
		cmocka_unit_test(test_leave_auto),
		cmocka_unit_test(test_candidate_leaves_auto),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
