/*
 * Stop, standby.signal and start against real servers: with a busy backend and
 * one in the middle of its COMMIT, with the postmaster dead or hung, with a
 * stale postmaster.pid, and in the wrong role.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/env.h"
#include "acttest.h"
#include "hawatch/loop.h"
#include "hawatch/worker.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const struct goal as_primary = { .epoch = 7 };
static const struct goal as_standby = { .epoch = 7, .standby = true };

static void
sql_until(struct pghost *h, const char *sql)
{
	double end = pair_ms() + 10000;

	while (!pghost_true(h, sql))
		assert_true(pair_ms() < end);
}

static pid_t psql_busy, psql_commit;

/* One backend that never looks at anything but its loop, and one that waits in
 * its COMMIT for a standby that is not there. */
static void
occupy(struct pghost *h)
{
	pghost_signal(s2, SIGKILL, NULL);
	pghost_reap(s2);
	assert_int_equal(
	    pghost_sql(h, "ALTER SYSTEM SET synchronous_standby_names = 's2'",
		NULL, 0),
	    0);
	assert_int_equal(pghost_sql(h, "SELECT pg_reload_conf()", NULL, 0), 0);
	psql_busy = pghost_psql(h,
	    "DO $$ DECLARE i bigint := 0; BEGIN LOOP i := i + 1; END LOOP;"
	    " END $$");
	/* The reload reaches the backends when it reaches them. */
	do {
		psql_commit = pghost_psql(h,
		    "INSERT INTO vote SELECT coalesce(max(id), 0) + 1"
		    " FROM vote");
	} while (waitpid(psql_commit, NULL, WNOHANG) != 0);
	sql_until(h, "SELECT count(*) = 1 FROM pg_stat_activity"
		     " WHERE query LIKE 'DO %' AND state = 'active'");
	sql_until(h, "SELECT count(*) > 0 FROM pg_stat_activity"
		     " WHERE wait_event = 'SyncRep'");
}

static void
released(void)
{
	int status;

	assert_int_equal(waitpid(psql_busy, &status, 0), psql_busy);
	assert_int_equal(waitpid(psql_commit, &status, 0), psql_commit);
}

static void
test_stop_busy(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	occupy(s1);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(pghost_count(s1), 0);
	assert_in_range((int)t.ms, 0, 2000);
	released();
	/* Already so. */
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_in_range((int)t.ms, 0, 50);
	acttest_down(&t);
}

/* Only the postmaster is killed; the busy ones would live on. */
static void
test_stop_leftovers(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	occupy(s1);
	kill(s1->postmaster, SIGKILL);
	pghost_reap(s1);
	assert_true(pghost_count(s1) >= 1);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(pghost_count(s1), 0);
	assert_in_range((int)t.ms, 0, 100);
	released();
	acttest_down(&t);
}

/* A postmaster and its children that are all stopped obey nothing but KILL. */
static void
test_stop_hung(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	pghost_signal(s1, SIGSTOP, NULL);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_in_range((int)t.ms, 1300, 2500);
	assert_int_equal(pghost_count(s1), 0);
	acttest_down(&t);
}

static void
test_stop_cancelled(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	pghost_signal(s1, SIGSTOP, NULL);
	assert_false(acttest_run(&t, ACT_STOP, &as_primary, 300 * USEC_MSEC));
	acts_cancel(t.acts, ACT_STOP);
	acttest_idle(&t, 1500 * USEC_MSEC);
	assert_true(pghost_count(s1) > 3);
	pghost_signal(s1, SIGCONT, NULL);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	acttest_down(&t);
}

/* Of two instances on one machine only one's own processes die. */
static void
test_stop_spares_others(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_int_equal(pghost_sql(s2, "SELECT 1", NULL, 0), 0);
	acttest_down(&t);
}

static void
test_signal(void **state)
{
	struct acttest t;
	char path[160];
	struct stat st, dir;

	(void)state;
	acttest_up(&t, s1);
	assert_false(pghost_has(s1, "standby.signal"));
	assert_true(acttest_run(&t, ACT_SIGNAL, &as_standby, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	snprintf(path, sizeof(path), "%s/standby.signal", s1->data);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(stat(s1->data, &dir), 0);
	assert_int_equal(st.st_uid, dir.st_uid);
	assert_int_equal(st.st_gid, dir.st_gid);
	assert_true(acttest_run(&t, ACT_SIGNAL, &as_standby, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	/* Cancelled while the worker is at it. */
	acts_start(t.acts, ACT_SIGNAL, &as_standby);
	acttest_idle(&t, 1 * USEC_MSEC);
	acts_cancel(t.acts, ACT_SIGNAL);
	acttest_idle(&t, 50 * USEC_MSEC);
	/* Where no file can be made it is never done. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(acttest_run(&t, ACT_SIGNAL, &as_standby, 100 * USEC_MSEC));
	assert_non_null(strstr(t.reason, "standby.signal"));
	rmdir(path);
	acttest_down(&t);
}

static void
test_start_primary(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	/* Runs already. */
	assert_true(acttest_run(&t, ACT_START, &as_primary, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	/* In the other role: refused for good. */
	assert_true(acttest_run(&t, ACT_SIGNAL, &as_standby, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_START, &as_standby, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "role-mismatch");
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	/* With the file it is no primary, and the file stays. */
	assert_true(acttest_run(&t, ACT_START, &as_primary, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "signal-present");
	assert_true(pghost_has(s1, "standby.signal"));
	assert_int_equal(pghost_count(s1), 0);
	assert_true(acttest_run(&t, ACT_START, &as_standby, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_start_standby_without_signal(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_START, &as_standby, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "no-signal");
	assert_int_equal(pghost_count(s1), 0);
	acttest_down(&t);
}

/* Killed, and not reaped by us, its parent: the pid of postmaster.pid is a
 * zombie's, which PostgreSQL would take for a living postmaster. */
static void
test_start_after_crash(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	kill(s1->postmaster, SIGKILL);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	assert_true(pghost_has(s1, "postmaster.pid"));
	assert_true(acttest_run(&t, ACT_START, &as_primary, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(pghost_sql(s1, "SELECT 1", NULL, 0), 0);
	acttest_down(&t);
}

static bool
is_done(void *arg)
{
	return ((struct acttest *)arg)->done > 0;
}

static atomic_int disk_goes_on;

static void
disk_hangs(void *arg)
{
	while (atomic_load(&disk_goes_on) == 0)
		usleep(1000);
}

static void
disk_went_on(void *arg)
{
}

/* While the disk was waited for, somebody started it by hand: what says that
 * it runs stays, and it is not started again. */
static void
test_start_by_hand(void **state)
{
	struct acttest t;
	pid_t pid;

	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	pghost_reap(s1);
	worker_submit(t.env->disk, disk_hangs, disk_went_on, NULL);
	t.done = 0;
	acts_start(t.acts, ACT_START, &as_primary);
	acttest_idle(&t, 100 * USEC_MSEC);
	assert_int_equal(t.done, 0);
	pghost_launch(s1);
	pghost_wait_ready(s1);
	pid = s1->postmaster;
	atomic_store(&disk_goes_on, 1);
	assert_true(acttest_wait(&t, is_done, &t, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(pghost_has(s1, "postmaster.pid"));
	assert_null(t.env->starting);
	assert_int_equal(kill(pid, 0), 0);
	acttest_down(&t);
}

/* A command that cannot start it is given three times. */
static void
test_start_failed(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(acttest_run(&t, ACT_STOP, &as_primary, 5 * USEC_SEC));
	s1->conf.pg.start[0] = "/bin/false";
	assert_true(acttest_run(&t, ACT_START, &as_primary, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "start-failed");
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_stop_busy, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stop_leftovers, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stop_hung, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stop_cancelled, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stop_spares_others, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_signal, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_start_primary, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_start_standby_without_signal, pgpair_setup,
		    pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_start_after_crash, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_start_by_hand, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_start_failed, pgpair_setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
