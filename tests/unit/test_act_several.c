/*
 * The probe that sees a commit wait for one standby while there is another
 * one that commits wait for, too: on three real servers. It must be the one in
 * question that it waits for.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "act/env.h"
#include "acttest.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static struct pghost *const s3 = &pgpair_one.host[PAIR_S3];
static const struct goal s3_too = { .epoch = 7,
	.node = PAIR_S3,
	.names = NODE_BIT(PAIR_S2) | NODE_BIT(PAIR_S3) };

static bool
s3_resumed(void *arg)
{
	(void)arg;
	return pghost_true(s3, "SELECT NOT pg_is_wal_replay_paused()");
}

static void
names(const char *value)
{
	char sql[200], now[100];

	snprintf(sql, sizeof(sql),
	    "ALTER SYSTEM SET synchronous_standby_names = '%s'", value);
	assert_int_equal(pghost_sql(s1, sql, NULL, 0), 0);
	assert_int_equal(pghost_sql(s1, "SELECT pg_reload_conf()", NULL, 0), 0);
	do
		assert_int_equal(
		    pghost_sql(
			s1, "SHOW synchronous_standby_names", now, sizeof(now)),
		    0);
	while (strcmp(now, value) != 0);
	/* Whoever waits for the flag of the checkpointer is told by a commit
	 * that waits; here the walsenders are asked. */
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) = %d FROM pg_stat_replication"
	    " WHERE sync_state IN ('sync', 'quorum')",
	    strstr(value, "2 (") != NULL || strstr(value, "ANY") != NULL ? 2 :
									   1);
	while (!pghost_true(s1, sql))
		;
}

static void
tidy(struct acttest *t)
{
	acts_cancel(t->acts, ACT_WAITING);
	assert_true(acttest_wait(t, s3_resumed, NULL, 5 * USEC_SEC));
	assert_true(acttest_wait(t, pghost_nobody_waits, NULL, 5 * USEC_SEC));
}

/* All is in force; the other one is quick, or takes its time. */
static void
test_both(void **state)
{
	struct acttest t;

	(void)state;
	names("FIRST 2 (\"s2\", \"s3\")");
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_WAITING, &s3_too, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_not_equal(t.goal.lsn, 0);
	tidy(&t);
	pghost_signal(s2, SIGSTOP, "startup");
	acts_start(t.acts, ACT_WAITING, &s3_too);
	t.done = 0;
	acttest_idle(&t, 500 * USEC_MSEC);
	/* It waits for the other one, too: nothing is proved. */
	assert_int_equal(t.done, 0);
	pghost_signal(s2, SIGCONT, "startup");
	assert_true(acttest_run(&t, ACT_WAITING, &s3_too, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	tidy(&t);
	acttest_down(&t);
}

static bool
says_wrong(void *arg)
{
	struct acttest *t = arg;

	return strcmp(acts_reason(t->acts, ACT_WAITING), "not-in-force") == 0;
}

/* Commits wait for the other one alone, which is quick: they return. */
static void
wrong_and_quick(struct acttest *t, const char *value)
{
	names(value);
	assert_false(acttest_run(t, ACT_WAITING, &s3_too, USEC_SEC));
	assert_true(acttest_wait(t, says_wrong, t, 5 * USEC_SEC));
	assert_int_equal(t->done, 0);
	tidy(t);
}

/* The same, but it is slow: a commit is seen waiting, for the wrong one. It
 * goes on at some moment, which must not look like the proof either. */
static void
wrong_and_slow(struct acttest *t, const char *value)
{
	names(value);
	pghost_signal(s2, SIGSTOP, "startup");
	assert_false(acttest_run(t, ACT_WAITING, &s3_too, 700 * USEC_MSEC));
	pghost_signal(s2, SIGCONT, "startup");
	acttest_idle(t, 700 * USEC_MSEC);
	assert_true(acttest_wait(t, says_wrong, t, 5 * USEC_SEC));
	assert_int_equal(t->done, 0);
	tidy(t);
}

static void
test_wrong_one(void **state)
{
	static const char *const values[] = { "FIRST 1 (\"s2\")",
		"FIRST 1 (\"s2\", \"s3\")", "ANY 1 (\"s2\", \"s3\")" };
	struct acttest t;
	size_t i;

	(void)state;
	acttest_up(&t, s1);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		wrong_and_quick(&t, values[i]);
		wrong_and_slow(&t, values[i]);
	}
	/* Set right, it is seen. */
	names("FIRST 2 (\"s2\", \"s3\")");
	assert_true(acttest_run(&t, ACT_WAITING, &s3_too, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	tidy(&t);
	acttest_down(&t);
}

/* The other one is lost while the probe runs: no proof, and nothing is left
 * behind. */
static void
test_other_lost(void **state)
{
	struct acttest t;

	(void)state;
	names("FIRST 2 (\"s2\", \"s3\")");
	acttest_up(&t, s1);
	pghost_signal(s2, SIGKILL, NULL);
	pghost_reap(s2);
	assert_false(acttest_run(&t, ACT_WAITING, &s3_too, 1500 * USEC_MSEC));
	tidy(&t);
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_both, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_wrong_one, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_other_lost, pgpair_setup, pgpair_teardown),
	};
	int failed;

	pgpair_init_three(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
