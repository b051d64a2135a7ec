/*
 * The asynchronous PostgreSQL connection against a real server that is well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "pgcrun.h"

static void
test_rows(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f, "SELECT 'one', NULL UNION ALL SELECT 'two', 'x'", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->reason, "ok");
	assert_string_equal(f->message, "");
	assert_string_equal(f->sqlstate, "");
	assert_int_equal(f->rows, 2);
	assert_int_equal(f->cols, 2);
	assert_string_equal(f->cell, "one");
	pr_ask(f, "SELECT current_setting('application_name')", USEC_SEC);
	assert_string_equal(f->cell, "test");
	pr_ask(f, "SELECT NULL", USEC_SEC);
	assert_string_equal(f->cell, "NULL");
}

static void
test_connection_is_kept(void **state)
{
	struct pgcrun *f = *state;
	int backend;

	assert_int_equal(pgc_backend(f->c), 0);
	pr_ask(f, "SELECT pg_backend_pid()", USEC_SEC);
	backend = pgc_backend(f->c);
	assert_true(backend > 0);
	assert_int_equal(atoi(f->cell), backend);
	pr_ask(f, "SELECT pg_backend_pid()", USEC_SEC);
	assert_int_equal(atoi(f->cell), backend);
	pgc_drop(f->c);
	assert_int_equal(pgc_backend(f->c), 0);
	pr_ask(f, "SELECT pg_backend_pid()", USEC_SEC);
	assert_int_not_equal(atoi(f->cell), backend);
}

static void
test_tcp(void **state)
{
	struct pgcrun *f = *state;

	pr_connect_to(f, (struct pgc_conf){ .host = "prod-s2",
			     .hostaddr = "127.0.0.1",
			     .options = "-c synchronous_commit=local" });
	pr_ask(f, "SHOW synchronous_commit", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "local");
}

static void
test_last_rows_of_several(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f, "BEGIN; SELECT 1; SELECT 2; COMMIT", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "2");
}

static void
test_error_of_the_server(void **state)
{
	struct pgcrun *f = *state;
	int backend;

	pr_ask(f, "SELECT 1", USEC_SEC);
	backend = pgc_backend(f->c);
	pr_ask(f, "SELECT 1/0", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "sql-error");
	assert_string_equal(f->sqlstate, "22012");
	assert_string_equal(f->message, "division by zero");
	assert_int_equal(f->rows, 0);
	assert_int_equal(pgc_backend(f->c), backend);
	/* A transaction that can only be rolled back goes. */
	pr_ask(f, "BEGIN; SELECT 1/0; COMMIT", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	pr_ask(f, "SELECT 3", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "3");
}

static void
test_warning(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f,
	    "DO $$ BEGIN RAISE NOTICE 'n'; RAISE WARNING 'look out'; END $$",
	    USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_true(f->warned);
	assert_string_equal(f->sqlstate, "01000");
	assert_string_equal(f->message, "look out");
	pr_ask(f, "DO $$ BEGIN RAISE NOTICE 'n'; END $$", USEC_SEC);
	assert_false(f->warned);
	assert_string_equal(f->message, "");
}

static void
test_large_both_ways(void **state)
{
	struct pgcrun *f = *state;
	size_t len = 8 << 20;
	char *sql = malloc(len + 64);

	snprintf(sql, 64, "SELECT length('");
	memset(sql + strlen(sql), 'x', len);
	snprintf(sql + 15 + len, 40, "'), repeat('y', 4000000)");
	pr_ask(f, sql, 5 * USEC_SEC);
	free(sql);
	assert_int_equal(f->ok, ANS_YES);
	assert_int_equal(atoi(f->cell), len);
	assert_int_equal(f->cols, 2);
}

static void
test_answer_without_end(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f, "SELECT repeat('y', 1000000) FROM generate_series(1, 100)",
	    5 * USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "too-long");
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_copy_is_refused(void **state)
{
	struct pgcrun *f = *state;

	pr_ask(f, "COPY (SELECT 1) TO STDOUT", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	pr_ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_busy_refuses(void **state)
{
	struct pgcrun *f = *state;
	struct error err;

	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, pr_on_done, f, &err), 0);
	assert_int_equal(
	    pgc_query(f->c, "SELECT 2", USEC_SEC, pr_on_done, f, &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	loop_run(f->loop, NULL, NULL);
	assert_string_equal(f->cell, "1");
	assert_int_equal(f->done, 1);
}

static void
test_done_may_query_and_free(void **state)
{
	struct pgcrun *f = *state;
	struct error err;

	f->query_in_done = true;
	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, pr_on_done, f, &err), 0);
	f->free_in_done = true;
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 2);
	assert_string_equal(f->cell, "second");
	assert_null(f->c);
}

static void
test_drop_silences(void **state)
{
	struct pgcrun *f = *state;
	struct error err;

	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, pr_on_done, f, &err), 0);
	pgc_drop(f->c);
	assert_false(pgc_busy(f->c));
	pr_run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	pr_ask(f, "SELECT pg_sleep(0.01)", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_no_address(void **state)
{
	struct pgcrun *f = *state;
	struct error err;

	pr_connect_to(f, (struct pgc_conf){ .host = "localhost" });
	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, pr_on_done, f, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

static void
test_idle_costs_nothing(void **state)
{
	struct pgcrun *f = *state;
	struct rusage a, b;
	usec_t cpu;

	pr_ask(f, "SELECT 1", USEC_SEC);
	f->rounds = 0;
	getrusage(RUSAGE_SELF, &a);
	pr_run_for(f, 200 * USEC_MSEC);
	getrusage(RUSAGE_SELF, &b);
	cpu = (b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec -
		  a.ru_stime.tv_sec) *
		  USEC_SEC +
	      b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
	      a.ru_stime.tv_usec;
	assert_true(f->rounds <= 3);
	assert_true(cpu < 50 * USEC_MSEC);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, pr_setup, pr_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rows),
		TEST(test_connection_is_kept),
		TEST(test_tcp),
		TEST(test_last_rows_of_several),
		TEST(test_error_of_the_server),
		TEST(test_warning),
		TEST(test_large_both_ways),
		TEST(test_answer_without_end),
		TEST(test_copy_is_refused),
		TEST(test_busy_refuses),
		TEST(test_done_may_query_and_free),
		TEST(test_drop_silences),
		TEST(test_no_address),
		TEST(test_idle_costs_nothing),
	};

	return cmocka_run_group_tests(tests, pr_group_setup, pr_group_teardown);
}
