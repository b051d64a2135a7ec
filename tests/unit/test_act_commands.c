/*
 * Promotion and following by the real repmgr's own commands: done when the
 * server says so, bounded, called off, and past no gate.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/child_moved.h"
#include "act/env.h"
#include "act/tool_line.h"
#include "acttest.h"
#include "check/repmgr_conf.h"
#include "hawatch/loop.h"
#include "repmgrtest.h"

#define LIMIT (20 * USEC_SEC)

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const struct goal goal = { .epoch = 7 };

static bool
registered(void *arg)
{
	return repmgrtest_both(s2);
}

static int
setup(void **arg)
{
	pgpair_up(&pgpair_one);
	repmgrtest_configure(s1, 0);
	repmgrtest_configure(s2, 1);
	s2->conf.pg.commands = COMMANDS_REPMGR;
	repmgrtest_register(s1, "primary");
	repmgrtest_register(s2, "standby");
	return 0;
}

static void
up(struct acttest *t)
{
	acttest_up(t, s2);
	assert_true(acttest_wait(t, registered, NULL, LIMIT));
}

static bool
recovers(void)
{
	char text[8] = "";

	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_is_in_recovery()", text, sizeof(text)),
	    0);
	return text[0] == 't';
}

static bool
repmgr_runs(void *arg)
{
	char line[100];

	snprintf(line, sizeof(line),
	    "pgrep -P \"$(pgrep -d , -P %d hawatch-keeper)\" "
	    "-f '[r]epmgr -f /proc/self' > /dev/null 2>&1",
	    (int)getpid());
	return system(line) == 0;
}

static bool
repmgr_ended(void *arg)
{
	return !repmgr_runs(arg);
}

/* repmgr itself looks once a second; that is not waited for, and its metadata
 * is there, written by it and not a second time. */
static void
test_promote(void **arg)
{
	struct acttest t;

	up(&t);
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_wal_replay_pause()", NULL, 0), 0);
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_true(acttest_run(&t, ACT_PROMOTE, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_false(recovers());
	assert_true(repmgr_runs(NULL));
	assert_non_null(t.env->left);
	assert_true(acttest_run(&t, ACT_METADATA, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(acttest_wait(&t, repmgr_ended, NULL, LIMIT));
	assert_null(t.env->left);
	assert_int_equal(
	    pghost_sql(s2,
		"DO $$BEGIN ASSERT (SELECT count(*) FROM repmgr.events WHERE"
		" event = 'standby_promote' AND successful) = 1;"
		" ASSERT NOT EXISTS (SELECT FROM repmgr.events WHERE"
		" event = 'primary_register' AND node_id = 2); END$$",
		NULL, 0),
	    0);
	acttest_down(&t);
}

/* repmgr waits for one that hangs. Whoever may not promote any more calls it
 * off: then nobody is promoted, however long one waits. */
static void
test_promote_called_off(void **arg)
{
	struct acttest t;

	up(&t);
	pghost_signal(s1, SIGSTOP, NULL);
	acts_start(t.acts, ACT_PROMOTE, &goal);
	assert_true(acttest_wait(&t, repmgr_runs, NULL, LIMIT));
	acttest_idle(&t, 300 * USEC_MSEC);
	assert_true(recovers());
	acts_cancel(t.acts, ACT_PROMOTE);
	assert_true(acttest_wait(&t, repmgr_ended, NULL, USEC_SEC));
	acttest_idle(&t, 3 * USEC_SEC);
	assert_true(recovers());
	assert_true(acttest_run(&t, ACT_PROMOTE, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* The engine hangs: nobody puts off the end of its lease. */
static void
test_promote_not_beyond_the_lease(void **arg)
{
	struct acttest t;

	up(&t);
	pghost_signal(s1, SIGSTOP, NULL);
	t.env->lease = clock_now().raw + 60 * USEC_SEC;
	acts_start(t.acts, ACT_PROMOTE, &goal);
	assert_true(acttest_wait(&t, repmgr_runs, NULL, LIMIT));
	t.env->lease = clock_now().raw + 200 * USEC_MSEC;
	assert_true(acttest_wait(&t, repmgr_ended, NULL, USEC_SEC));
	acttest_idle(&t, 3 * USEC_SEC);
	assert_true(recovers());
	t.env->lease = clock_now().raw + 60 * USEC_SEC;
	assert_true(acttest_run(&t, ACT_PROMOTE, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* A program that says that it did is not believed. */
static void
test_promote_liar(void **arg)
{
	struct acttest t;

	up(&t);
	s2->conf.repmgr.program = "/bin/true";
	assert_false(acttest_run(&t, ACT_PROMOTE, &goal, USEC_SEC));
	assert_true(recovers());
	acts_cancel(t.acts, ACT_PROMOTE);
	acttest_down(&t);
}

static bool
streams(void *arg)
{
	return repmgrtest_says(s1,
	    "SELECT count(*) FROM pg_stat_replication"
	    " WHERE application_name = 's2'",
	    "1");
}

static void
follows_nobody(struct acttest *t)
{
	assert_int_equal(
	    pghost_sql(s2,
		"ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.9'", NULL,
		0),
	    0);
	assert_int_equal(pghost_sql(s2, "SELECT pg_reload_conf()", NULL, 0), 0);
}

/* The primary is not there yet: it is tried again. */
static void
test_follow(void **arg)
{
	struct goal g = { .epoch = 7, .node = PAIR_S1 };
	struct acttest t;

	up(&t);
	follows_nobody(&t);
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_false(acttest_run(&t, ACT_FOLLOW, &g, USEC_SEC));
	assert_string_equal(acts_reason(t.acts, ACT_FOLLOW), "repmgr-command");
	pghost_launch(s1);
	pghost_wait_ready(s1);
	assert_true(acttest_run(&t, ACT_FOLLOW, &g, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(acttest_wait(&t, streams, NULL, LIMIT));
	assert_true(recovers());
	acttest_down(&t);
}

static void
test_settings(void **arg)
{
	struct error err;
	char *text = repmgr_conf_text(&s2->conf,
	    "host=db user=o'dd password='it''s' dbname=repmgr", "/data", &err);

	assert_null(text);
	text = repmgr_conf_text(&s2->conf,
	    "host=db user=repmgr password='a\\'b' dbname=repmgr", "/data",
	    &err);
	assert_non_null(text);
	assert_null(strstr(text, "host=db"));
	assert_null(strstr(text, "host='db'"));
	assert_non_null(strstr(text, "\nservice_start_command='/bin/true'\n"));
	assert_non_null(strstr(text, "\nservice_promote_command=''\n"));
	assert_non_null(strstr(text, "\ndata_directory='/data'\n"));
	assert_ptr_equal(text, strstr(text, "include '"));
	free(text);
}

static bool
odd_there(void *arg)
{
	return repmgrtest_says(s2,
	    "SELECT count(*) FROM repmgr.nodes"
	    " WHERE conninfo LIKE '%user=odd%'",
	    "1");
}

/* A password with characters that one could stumble over arrives. (Over a
 * blank, a quote or a backslash repmgr itself does.) */
static void
test_password(void **arg)
{
	struct acttest t;
	char line[240];

	up(&t);
	assert_int_equal(pghost_sql(s1,
			     "CREATE ROLE odd SUPERUSER LOGIN PASSWORD"
			     " 'ab$\"c'",
			     NULL, 0),
	    0);
	assert_int_equal(
	    pghost_sql(s1,
		"UPDATE repmgr.nodes SET conninfo = 'host=127.0.0.1 user=odd"
		" password=''ab$\"c'' dbname=postgres'"
		" WHERE node_id = 2",
		NULL, 0),
	    0);
	snprintf(line, sizeof(line),
	    "sed -i '1i local all odd scram-sha-256' %s/pg_hba.conf", s2->data);
	assert_int_equal(system(line), 0);
	assert_true(acttest_wait(&t, odd_there, NULL, LIMIT));
	assert_int_equal(pghost_sql(s2, "SELECT pg_reload_conf()", NULL, 0), 0);
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_true(acttest_run(&t, ACT_PROMOTE, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_lines(void **arg)
{
	static const struct {
		const char *text, *last, *why;
	} table[] = {
		{ "", "", "" },
		{ "one\n", "one", "one" },
		{ "a\r b\r", "b", "b" },
		{ "NOTICE: x\nERROR: y\nDETAIL: z\nHINT: h\n", "HINT: h",
		    "ERROR: y; DETAIL: z; HINT: h" },
		{ "ERROR: y\nDETAIL: -d 'host=a password=b'\n",
		    "(a line with a connection string)",
		    "ERROR: y; (a line with a connection string)" },
		{ "no password here: host=a password = b\n",
		    "(a line with a connection string)",
		    "(a line with a connection string)" },
		{ "FATAL: no password supplied\n",
		    "FATAL: no password supplied",
		    "FATAL: no password supplied" },
	};
	char out[200];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		tool_last(
		    table[i].text, strlen(table[i].text), out, sizeof(out));
		assert_string_equal(out, table[i].last);
		tool_why(
		    table[i].text, strlen(table[i].text), out, sizeof(out));
		assert_string_equal(out, table[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test_setup_teardown(
		    test_settings, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote_called_off, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote_not_beyond_the_lease, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_promote_liar, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_follow, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_password, setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
