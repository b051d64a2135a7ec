/*
 * The actions on a living server, each against a real pair: done, already
 * done, refused, cancelled half-way, and with a server that hangs.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "act/env.h"
#include "acttest.h"
#include "hawatch/loop.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const struct goal to_s2 = {
	.epoch = 7, .node = PAIR_S2, .names = NODE_BIT(PAIR_S2), .id = 42
};
static const struct goal to_none = { .epoch = 7 };

static bool
s2_resumed(void *arg)
{
	(void)arg;
	return pghost_true(s2, "SELECT NOT pg_is_wal_replay_paused()");
}

static bool
s2_paused(void *arg)
{
	(void)arg;
	return pghost_true(s2, "SELECT pg_is_wal_replay_paused()");
}

static bool
s1_somebody_waits(void *arg)
{
	return !pghost_nobody_waits(arg);
}

static void
test_names(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(t.goal.id, 42);
	assert_true(pghost_true(
	    s1, "SELECT sync_state = 'sync' FROM pg_stat_replication"));
	/* Already so: nothing is written again. */
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	/* Written and never loaded: not done. */
	assert_int_equal(
	    pghost_sql(
		s1, "ALTER SYSTEM SET synchronous_standby_names = ''", NULL, 0),
	    0);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(pghost_true(s1, "SELECT count(*) = 1 FROM pg_file_settings"
				    " WHERE setting LIKE 'FIRST 1%'"));
	assert_true(acttest_run(&t, ACT_NAMES, &to_none, 5 * USEC_SEC));
	assert_true(pghost_true(
	    s1, "SELECT current_setting('synchronous_standby_names') = ''"));
	acttest_down(&t);
}

static bool
is_done(void *arg)
{
	return ((struct acttest *)arg)->done > 0;
}

/* A request that is replaced says nothing, the one that replaced it once. */
static void
test_replaced(void **state)
{
	struct acttest t;
	int i;

	(void)state;
	acttest_up(&t, s1);
	for (i = 0; i < 6; i++) {
		t.done = 0;
		acts_start(t.acts, ACT_NAMES, i % 2 == 0 ? &to_s2 : &to_none);
		acttest_idle(&t, i * USEC_MSEC / 2);
		if (t.done > 0)
			continue;
		acts_start(t.acts, ACT_NAMES, i % 2 == 0 ? &to_none : &to_s2);
		assert_true(acttest_wait(&t, is_done, &t, 5 * USEC_SEC));
		acttest_idle(&t, 20 * USEC_MSEC);
		assert_int_equal(t.done, 1);
		assert_int_equal(
		    t.goal.names, i % 2 == 0 ? 0 : NODE_BIT(PAIR_S2));
		assert_string_equal(acts_reason(t.acts, ACT_NAMES), "");
	}
	acttest_down(&t);
}

static void
test_names_on_standby(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s2);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(acttest_run(&t, ACT_NAMES, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_names_hung(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	pghost_signal(s1, SIGSTOP, NULL);
	assert_false(acttest_run(&t, ACT_NAMES, &to_s2, 300 * USEC_MSEC));
	acts_cancel(t.acts, ACT_NAMES);
	pghost_signal(s1, SIGCONT, NULL);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_waiting(void **state)
{
	struct acttest t;
	char lsn[32];

	(void)state;
	acttest_up(&t, s1);
	/* Without the setting a commit does not wait, and nothing is left. */
	assert_false(acttest_run(&t, ACT_WAITING, &to_s2, 400 * USEC_MSEC));
	assert_string_equal(t.reason, "not-in-force");
	acts_cancel(t.acts, ACT_WAITING);
	assert_true(acttest_wait(&t, s2_resumed, NULL, 2 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_WAITING, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_not_equal(t.goal.lsn, 0);
	assert_true(s2_resumed(NULL));
	assert_true(pghost_nobody_waits(NULL));
	assert_int_equal(
	    pghost_sql(s1, "SELECT pg_current_wal_insert_lsn() - '0/0'", lsn,
		sizeof(lsn)),
	    0);
	assert_in_range(t.goal.lsn, 1, strtoull(lsn, NULL, 10));
	assert_in_range(strtoull(lsn, NULL, 10) - t.goal.lsn, 0, 10000);
	acttest_down(&t);
}

/* The setting is there, SHOW and sync_state say so, but the checkpointer has
 * not told the backends: that must not pass. */
static void
test_waiting_is_a_proof(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_int_equal(pghost_signal(s1, SIGSTOP, "checkpointer"), 1);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_true(pghost_true(
	    s1, "SELECT sync_state = 'sync' FROM pg_stat_replication"));
	assert_false(acttest_run(&t, ACT_WAITING, &to_s2, 500 * USEC_MSEC));
	assert_string_equal(t.reason, "not-in-force");
	/* It goes on trying, and sees it once it is so. */
	assert_int_equal(pghost_signal(s1, SIGCONT, "checkpointer"), 1);
	assert_true(acttest_wait(&t, s2_resumed, NULL, 2 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_WAITING, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* Cancelled while replay is paused and the commit waits: replay goes on, and
 * no backend is left that waits on behalf of nobody. */
static void
test_waiting_cancelled(void **state)
{
	struct acttest t;
	int i;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	for (i = 0; i < 12; i++) {
		acts_start(t.acts, ACT_WAITING, &to_s2);
		acttest_idle(&t, (i + 1) * USEC_MSEC);
		acts_cancel(t.acts, ACT_WAITING);
		assert_true(acttest_wait(&t, s2_resumed, NULL, 3 * USEC_SEC));
		assert_true(
		    acttest_wait(&t, pghost_nobody_waits, NULL, 3 * USEC_SEC));
	}
	acttest_down(&t);
}

/* The standby's server stops while the commit waits. */
static void
test_waiting_standby_lost(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	pghost_signal(s2, SIGSTOP, NULL);
	assert_false(acttest_run(&t, ACT_WAITING, &to_s2, 1500 * USEC_MSEC));
	acts_cancel(t.acts, ACT_WAITING);
	pghost_signal(s2, SIGCONT, NULL);
	assert_true(acttest_wait(&t, s2_resumed, NULL, 5 * USEC_SEC));
	assert_true(acttest_wait(&t, pghost_nobody_waits, NULL, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_WAITING, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* A commit that waits for a standby that is gone is not a commit; and giving
 * up leaves no backend behind. */
static void
test_settle(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_SETTLE, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(acttest_run(&t, ACT_COMMIT, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(acttest_run(&t, ACT_NAMES, &to_s2, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_WAITING, &to_s2, 5 * USEC_SEC));
	pghost_signal(s2, SIGKILL, NULL);
	pghost_reap(s2);
	assert_false(acttest_run(&t, ACT_SETTLE, &to_none, 300 * USEC_MSEC));
	assert_true(s1_somebody_waits(NULL));
	acts_cancel(t.acts, ACT_SETTLE);
	assert_true(acttest_wait(&t, pghost_nobody_waits, NULL, 3 * USEC_SEC));
	/* Relaxed while it waits, it returns. */
	acts_start(t.acts, ACT_SETTLE, &to_none);
	assert_true(acttest_wait(&t, s1_somebody_waits, NULL, 3 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_NAMES, &to_none, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_SETTLE, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_promote(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s2);
	/* A standby cannot commit. */
	assert_false(acttest_run(&t, ACT_SETTLE, &to_none, 200 * USEC_MSEC));
	acts_cancel(t.acts, ACT_SETTLE);
	assert_false(
	    acttest_run(&t, ACT_CHECKPOINT, &to_none, 200 * USEC_MSEC));
	acts_cancel(t.acts, ACT_CHECKPOINT);
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_true(acttest_run(&t, ACT_PROMOTE, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(pghost_true(s2, "SELECT NOT pg_is_in_recovery()"));
	assert_true(acttest_run(&t, ACT_PROMOTE, &to_none, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_SETTLE, &to_none, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_COMMIT, &to_none, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_CHECKPOINT, &to_none, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(pghost_true(
	    s2, "SELECT timeline_id = 2 FROM pg_control_checkpoint()"));
	acttest_down(&t);
}

/* A replay that a probe left paused does not delay a promotion by a second. */
static void
test_promote_paused(void **state)
{
	struct acttest t;

	(void)state;
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_wal_replay_pause()", NULL, 0), 0);
	assert_true(s2_paused(NULL));
	acttest_up(&t, s2);
	assert_true(acttest_run(&t, ACT_PROMOTE, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_in_range((int)t.ms, 0, 500);
	acttest_down(&t);
}

static void
test_promote_hung(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s2);
	pghost_signal(s2, SIGSTOP, "startup");
	assert_false(acttest_run(&t, ACT_PROMOTE, &to_none, 300 * USEC_MSEC));
	assert_string_equal(t.reason, "in-recovery");
	acts_cancel(t.acts, ACT_PROMOTE);
	pghost_signal(s2, SIGCONT, "startup");
	assert_true(acttest_run(&t, ACT_PROMOTE, &to_none, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_names, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_replaced, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_names_on_standby, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_names_hung, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_waiting, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_waiting_is_a_proof, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_waiting_cancelled, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_waiting_standby_lost, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_settle, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote_paused, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote_hung, pgpair_setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
