/*
 * A standby is pointed at another primary, on three real servers: the address
 * changes, everything else that was configured stays, and no password is said
 * to anybody.
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
#include "check/pglink.h"
#include "hawatch/conninfo.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static struct pghost *const s3 = &pgpair_one.host[PAIR_S3];
static const struct goal to_s2 = { .epoch = 7, .node = PAIR_S2 };
static const struct goal to_s1 = { .epoch = 7, .node = PAIR_S1 };
static bool told; /* a log line had the secret */

static int
setup(void **state)
{
	(void)state;
	pgpair_up(&pgpair_one);
	told = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pgpair_down(&pgpair_one);
	assert_false(told);
	return 0;
}

static void
on_line(void *arg, enum level level, const char *line)
{
	(void)arg;
	(void)level;
	told = told || strstr(line, "'c") != NULL;
}

static void
up(struct acttest *t, struct pghost *h)
{
	acttest_up(t, h);
	emit_to(on_line, NULL);
}

static void
value(struct pghost *h, char *buf, size_t size)
{
	assert_int_equal(pghost_sql(h, "SHOW primary_conninfo", buf, size), 0);
}

static void
set(struct pghost *h, const char *conninfo)
{
	char sql[700], now[600];
	size_t i, n = 0;

	for (i = 0; i <= strlen(conninfo); i++) {
		if (conninfo[i] == '\'')
			now[n++] = '\'';
		now[n++] = conninfo[i];
	}
	snprintf(
	    sql, sizeof(sql), "ALTER SYSTEM SET primary_conninfo = '%s'", now);
	assert_int_equal(pghost_sql(h, sql, NULL, 0), 0);
	assert_int_equal(pghost_sql(h, "SELECT pg_reload_conf()", NULL, 0), 0);
	do
		value(h, now, sizeof(now));
	while (strcmp(now, conninfo) != 0);
}

static bool
s3_streams_from_s2(void *arg)
{
	(void)arg;
	return pghost_true(s3,
	    "SELECT count(*) = 1 FROM pg_stat_wal_receiver"
	    " WHERE status = 'streaming' AND received_tli = 2"
	    " AND sender_host = '127.0.0.1'");
}

/* The whole of it: the primary is lost, one standby is promoted, and the other
 * one goes on from there. */
static void
test_follow(void **state)
{
	struct acttest t;
	char now[600];
	struct conninfo c;
	struct error err;

	(void)state;
	set(s3, "user=postgres host=127.0.17.1 port=1 password='s e\\'c\\\\ret'"
		" sslmode=prefer passfile=/nowhere keepalives_idle=7"
		" application_name=other connect_timeout=3");
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_int_equal(pghost_sql(s2, "SELECT pg_promote()", NULL, 0), 0);
	up(&t, s3);
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(acttest_wait(&t, s3_streams_from_s2, NULL, 10 * USEC_SEC));
	value(s3, now, sizeof(now));
	assert_int_equal(conninfo_read(now, &c, &err), 0);
	assert_string_equal(c.host, "127.0.0.1");
	assert_string_equal(c.hostaddr, "");
	assert_string_equal(c.app, "s3");
	assert_int_equal(c.port, s3->conf.pg.port);
	assert_true(c.password);
	assert_non_null(strstr(now, "password='s e\\'c\\\\ret'"));
	assert_non_null(strstr(now, "user='postgres'"));
	assert_non_null(strstr(now, "sslmode='prefer'"));
	assert_non_null(strstr(now, "passfile='/nowhere'"));
	assert_non_null(strstr(now, "keepalives_idle='7'"));
	assert_non_null(strstr(now, "connect_timeout='3'"));
	/* Done is done. */
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* A node's name stays a name, for the certificate and the password file. */
static void
test_names(void **state)
{
	struct acttest t;
	struct conninfo c;
	struct error err;
	char now[600];

	(void)state;
	up(&t, s3);
	set(s3, "host=S1.db.example.org user=postgres");
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	value(s3, now, sizeof(now));
	assert_int_equal(conninfo_read(now, &c, &err), 0);
	assert_string_equal(c.host, "s2.db.example.org");
	assert_string_equal(c.hostaddr, "127.0.0.1");
	set(s3, "postgresql://postgres@one,two:77/?target_session_attrs=any");
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s1, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	value(s3, now, sizeof(now));
	assert_int_equal(conninfo_read(now, &c, &err), 0);
	assert_string_equal(c.host, "127.0.17.1");
	assert_int_equal(c.port, s3->conf.pg.port);
	assert_non_null(strstr(now, "target_session_attrs='any'"));
	acttest_down(&t);
}

/* In the file and not loaded, or loaded and not in the file any more. */
static void
test_not_loaded(void **state)
{
	struct acttest t;
	char sql[300];

	(void)state;
	up(&t, s3);
	snprintf(sql, sizeof(sql),
	    "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=%d"
	    " user=postgres application_name=s3'",
	    s3->conf.pg.port);
	assert_int_equal(pghost_sql(s3, sql, NULL, 0), 0);
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s1, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(
	    pghost_true(s3, "SELECT position('host=127.0.0.1' IN"
			    " pg_read_file('postgresql.auto.conf')) = 0"));
	assert_int_equal(pghost_sql(s3, sql, NULL, 0), 0);
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
refused(struct acttest *t, const char *why)
{
	assert_true(acttest_run(t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t->ans, ANS_NO);
	assert_string_equal(t->reason, why);
}

static void
created(const char *role, const char *grants)
{
	char sql[500];

	snprintf(sql, sizeof(sql), "CREATE ROLE %s LOGIN; %s", role, grants);
	assert_int_equal(pghost_sql(s1, sql, NULL, 0), 0);
	snprintf(sql, sizeof(sql), "SELECT to_regrole('%s') IS NOT NULL", role);
	while (!pghost_true(s3, sql))
		;
}

/* What keeps it from being done is said, and nothing is changed. */
static void
test_refused(void **state)
{
	struct acttest t;
	char now[600];

	(void)state;
	created("poor", "");
	set(s3, "");
	up(&t, s3);
	refused(&t, "conninfo-missing");
	set(s3, "host=a password=se ret");
	refused(&t, "conninfo-garbage");
	acttest_down(&t);
	s3->conf.pg.user = "poor";
	up(&t, s3);
	refused(&t, "conninfo-denied");
	value(s3, now, sizeof(now));
	assert_string_equal(now, "host=a password=se ret");
	acttest_down(&t);
}

/* As conf/sql/role.sql makes it. */
static void
test_granted(void **state)
{
	struct acttest t;

	(void)state;
	created("modest",
	    "GRANT pg_monitor TO modest;"
	    "GRANT SELECT ON pg_file_settings TO modest;"
	    "GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO modest;"
	    "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO modest");
	s3->conf.pg.user = "modest";
	up(&t, s3);
	refused(&t, "conninfo-denied");
	assert_int_equal(
	    pghost_sql(s1,
		"GRANT ALTER SYSTEM ON PARAMETER primary_conninfo TO modest",
		NULL, 0),
	    0);
	while (!pghost_true(s3, "SELECT has_parameter_privilege('modest',"
				" 'primary_conninfo', 'ALTER SYSTEM')"))
		;
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_forced(void **state)
{
	struct acttest t;

	(void)state;
	pghost_signal(s3, SIGKILL, NULL);
	pghost_reap(s3);
	s3->option = "primary_conninfo=host=127.0.17.1";
	pghost_launch(s3);
	pghost_wait_ready(s3);
	up(&t, s3);
	refused(&t, "conninfo-forced");
	acttest_down(&t);
}

/* None at all: repmgr's table has what a clone would have got. */
static void
test_by_repmgr(void **state)
{
	struct acttest t;
	char sql[600], now[600];

	(void)state;
	snprintf(sql, sizeof(sql),
	    "CREATE SCHEMA repmgr; CREATE TABLE repmgr.nodes AS"
	    " SELECT 2 AS node_id, 'host=s2 user=postgres dbname=postgres"
	    " connect_timeout=2'::text AS conninfo");
	assert_int_equal(pghost_sql(s1, sql, NULL, 0), 0);
	while (
	    !pghost_true(s3, "SELECT to_regclass('repmgr.nodes') IS NOT NULL"))
		;
	set(s3, "");
	s3->conf.repmgr.enabled = true;
	s3->conf.repmgr.dbname = "postgres";
	up(&t, s3);
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	value(s3, now, sizeof(now));
	assert_non_null(strstr(now, "connect_timeout='2'"));
	assert_non_null(strstr(now, "hostaddr='127.0.0.1'"));
	set(s3, "");
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s1, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "conninfo-missing");
	acttest_down(&t);
}

/* Ended at any of its steps, it leaves nothing half done. */
static void
test_cancelled(void **state)
{
	struct acttest t;
	int i;

	(void)state;
	up(&t, s3);
	for (i = 0; i < 16; i++) {
		acts_start(t.acts, ACT_FOLLOW, i % 2 == 0 ? &to_s2 : &to_s1);
		acttest_idle(&t, (i + 1) * USEC_MSEC);
		acts_cancel(t.acts, ACT_FOLLOW);
	}
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s1, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	pghost_signal(s3, SIGSTOP, NULL);
	assert_false(acttest_run(&t, ACT_FOLLOW, &to_s2, 300 * USEC_MSEC));
	acts_cancel(t.acts, ACT_FOLLOW);
	pghost_signal(s3, SIGCONT, NULL);
	assert_true(acttest_run(&t, ACT_FOLLOW, &to_s2, 5 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* Whose server a string names. */
static void
test_source(void **state)
{
	static const struct {
		const char *text;
		node_t node;
	} rows[] = {
		{ "host=127.0.17.1 port=7", PAIR_S1 },
		{ "hostaddr=127.0.17.1 host=s2 port=7", PAIR_S1 },
		{ "host=s2 port=7", PAIR_S2 },
		{ "host=S3 port=7", PAIR_S3 },
		{ "postgresql://u@s3:7/x", PAIR_S3 },
		{ "host=s2", NODE_NONE },
		{ "host=s2 port=8", NODE_NONE },
		{ "host=a1 port=7", NODE_NONE },
		{ "host=s1,s2 port=7", NODE_NONE },
		{ "host=s1,s1 port=7", NODE_NONE },
		{ "host=s1 port=7,7", NODE_NONE },
		{ "host=s1 port=70000", NODE_NONE },
		{ "host=elsewhere port=7", NODE_NONE },
		{ "port=7", NODE_NONE },
		{ "", NODE_NONE },
		{ "host=s1 port=7 x", NODE_NONE },
		{ "nosuchkey=1", NODE_NONE },
	};
	struct conf conf = s1->conf;
	size_t i;

	(void)state;
	conf.pg.port = 7;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pglink_source(&conf, rows[i].text) != rows[i].node)
			fail_msg("%s", rows[i].text);
	conf.pg.port = 5432;
	assert_int_equal(pglink_source(&conf, "host=s2"), PAIR_S2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_not_loaded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_granted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forced, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_by_repmgr, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_cancelled, setup, teardown),
		cmocka_unit_test(test_source),
	};
	int failed;

	pgpair_init_three(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
