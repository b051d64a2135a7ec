/*
 * The asynchronous PostgreSQL connection against a real server that refuses,
 * hangs, or ends.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pgcrun.h"

static void
test_deadline_of_a_query(void **state)
{
	struct pgcrun *f = *state;
	usec_t start;

	pr_ask(f, "SELECT 1", USEC_SEC);
	start = clock_now().raw;
	pr_ask(f, "SELECT pg_sleep(1)", 100 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "timeout");
	assert_in_range(
	    clock_now().raw - start, 99 * USEC_MSEC, 600 * USEC_MSEC);
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_refusals(void **state)
{
	struct pgcrun *f = *state;

	pr_connect_to(
	    f, (struct pgc_conf){ .host = pr_pg.dir, .user = "nobody" });
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "auth-failed");
	assert_string_equal(f->sqlstate, "28000");
	assert_non_null(strstr(f->message, "\"nobody\" does not exist"));
	assert_null(strstr(f->message, "28000"));
	pr_connect_to(
	    f, (struct pgc_conf){ .host = pr_pg.dir, .dbname = "none" });
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_string_equal(f->reason, "no-database");
	pr_connect_to(f,
	    (struct pgc_conf){ .hostaddr = "127.0.0.1", .sslmode = "require" });
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "tls-failed");
}

static void
test_nobody_there(void **state)
{
	struct pgcrun *f = *state;

	pr_connect_to(f, (struct pgc_conf){
			     .hostaddr = "127.0.0.1", .port = pgtest_port() });
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "connect-refused");
	pr_connect_to(f, (struct pgc_conf){ .host = "/tmp", .port = 1 });
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_string_equal(f->reason, "no-socket");
	assert_int_equal(f->ok, ANS_UNKNOWN);
	f->free_in_done = true;
	pr_ask(f, "SELECT 1", USEC_SEC);
}

static void
test_backend_is_terminated(void **state)
{
	struct pgcrun *f = *state;
	char sql[100];

	pr_ask(f, "SELECT 1", USEC_SEC);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)",
	    pgc_backend(f->c));
	assert_int_equal(pgtest_sql(&pr_pg, sql), 0);
	pr_run_for(f, USEC_SEC);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->done, 1);
	/* And while a query runs. */
	pr_ask(f, "SELECT pg_terminate_backend(pg_backend_pid())", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "shutting-down");
	assert_string_equal(f->sqlstate, "57P01");
	assert_int_equal(f->lost, 1);
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_closed_just_before_a_query(void **state)
{
	struct pgcrun *f = *state;
	char sql[100];

	pr_ask(f, "SELECT 1", USEC_SEC);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 2000)",
	    pgc_backend(f->c));
	assert_int_equal(pgtest_sql(&pr_pg, sql), 0);
	pr_ask(f, "SELECT 5", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "5");
	assert_int_equal(f->lost, 0);
}

static void
test_cancelled(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f, "SET statement_timeout = '20ms'", USEC_SEC);
	pr_ask(f, "SELECT pg_sleep(5)", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "cancelled");
	assert_string_equal(f->sqlstate, "57014");
}

static void
test_frozen_server(void **state)
{
	struct pgcrun *f = *state;
	struct pgc *kept = f->c;

	pr_ask(f, "SELECT 1", USEC_SEC);
	pr_on_tick(f);
	pgtest_signal_all(&pr_pg, SIGSTOP);
	pr_ask(f, "SELECT 1", 150 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "timeout");
	/* Now the connection itself gets no answer. */
	pr_ask(f, "SELECT 1", 150 * USEC_MSEC);
	assert_string_equal(f->reason, "timeout");
	f->c = NULL;
	pr_connect_to(f, (struct pgc_conf){ .hostaddr = "127.0.0.1" });
	pr_ask(f, "SELECT 1", 150 * USEC_MSEC);
	assert_string_equal(f->reason, "timeout");
	pgtest_signal_all(&pr_pg, SIGCONT);
	assert_true(f->gap < 120 * USEC_MSEC);
	pr_ask(f, "SELECT 1", 5 * USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	pgc_free(kept);
}

static void
test_restart_of_the_server(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f, "SELECT 1", USEC_SEC);
	pgtest_signal_all(&pr_pg, SIGKILL);
	pr_run_for(f, USEC_SEC);
	assert_int_equal(f->lost, 1);
	pgtest_stop(&pr_pg, SIGKILL);
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_string_equal(f->reason, "connect-refused");
	/* Recovery without end: the signal file without a source of WAL. */
	pgtest_launch(&pr_pg, NULL);
	do {
		pr_ask(f, "SELECT pg_is_in_recovery()", USEC_SEC);
		assert_true(strcmp(f->reason, "connect-refused") == 0 ||
			    strcmp(f->reason, "starting-up") == 0 ||
			    strcmp(f->reason, "no-socket") == 0 ||
			    strcmp(f->reason, "ok") == 0);
	} while (f->ok != ANS_YES);
	assert_string_equal(f->cell, "f");
}

static void
test_starting_up(void **state)
{
	struct pgcrun *f = *state;
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	pgtest_stop(&pr_pg, SIGINT);
	/* A standby that does not take readers says so for ever. */
	assert_int_equal(
	    pgtest_run(
		&pr_pg, (const char *const[]){ "/bin/sh", "-c",
			    "touch \"$0/standby.signal\"", pr_pg.data, NULL }),
	    0);
	pgtest_launch(&pr_pg, "hot_standby = off");
	do {
		pr_ask(f, "SELECT 1", USEC_SEC);
		assert_true(clock_now().raw < end);
	} while (f->ok == ANS_UNKNOWN);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "starting-up");
	assert_string_equal(f->sqlstate, "57P03");
	pgtest_stop(&pr_pg, SIGINT);
	assert_int_equal(
	    pgtest_run(
		&pr_pg, (const char *const[]){ "/bin/sh", "-c",
			    "rm \"$0/standby.signal\"", pr_pg.data, NULL }),
	    0);
	pgtest_start(&pr_pg, "");
}

static void
test_fast_stop_during_a_query(void **state)
{
	struct pgcrun *f = *state;
	struct error err;

	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(pgc_query(f->c, "SELECT pg_sleep(30)", 5 * USEC_SEC,
			     pr_on_done, f, &err),
	    0);
	kill(pr_pg.postmaster, SIGINT);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "shutting-down");
	pgtest_stop(&pr_pg, SIGINT);
	pgtest_start(&pr_pg, NULL);
	assert_int_equal(pgc_query(f->c, "SELECT pg_sleep(30)", 5 * USEC_SEC,
			     pr_on_done, f, &err),
	    0);
	pr_run_for(f, 100 * USEC_MSEC);
	pgtest_signal_all(&pr_pg, SIGKILL);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 3);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "server-closed");
	pgtest_stop(&pr_pg, SIGKILL);
	pgtest_start(&pr_pg, NULL);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, pr_setup, pr_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_deadline_of_a_query),
		TEST(test_refusals),
		TEST(test_nobody_there),
		TEST(test_backend_is_terminated),
		TEST(test_closed_just_before_a_query),
		TEST(test_cancelled),
		TEST(test_frozen_server),
		TEST(test_restart_of_the_server),
		TEST(test_starting_up),
		TEST(test_fast_stop_during_a_query),
	};

	return cmocka_run_group_tests(tests, pr_group_setup, pr_group_teardown);
}
