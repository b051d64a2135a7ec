/*
 * The asynchronous PostgreSQL connection: against a real server in every state
 * that a server can be in, and against programs that are none.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/loop.h"
#include "hawatch/pgc.h"
#include "pgtest.h"

/* What the program that is no PostgreSQL does with a connection. */
enum fake {
	FAKE_HTTP,
	FAKE_CLOSE,
	FAKE_SILENT,
	FAKE_HALF_ROW,
	FAKE_NOISE,
	FAKE_HUGE,
	FAKE_CLOSE_ASKED,
	FAKE_FLOOD
};

struct fixture {
	struct loop *loop;
	struct pgc *c;
	struct timer *tick;
	usec_t last_tick, gap;
	int done, lost, rounds;
	enum answer ok;
	char reason[64], message[600], sqlstate[8], cell[200];
	bool warned, free_in_done, query_in_done;
	int rows, cols;

	enum fake fake;
	const char *sslmode;
	int listener, peer, port;
	struct watch *accepts, *reads;
	int messages;
};

static struct pgtest pg;

static void
on_done(void *arg, const struct pgc_result *r)
{
	struct fixture *f = arg;
	const char *cell = r->get(r, 0, 0);
	struct error err;

	f->done++;
	f->ok = r->ok;
	f->warned = r->warned;
	f->rows = r->rows;
	f->cols = r->cols;
	snprintf(f->reason, sizeof(f->reason), "%s", r->reason);
	snprintf(f->message, sizeof(f->message), "%s", r->message);
	snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", r->sqlstate);
	snprintf(f->cell, sizeof(f->cell), "%s", cell == NULL ? "NULL" : cell);
	assert_null(strchr(r->message, '\n'));
	assert_false(pgc_busy(f->c));
	if (f->query_in_done) {
		f->query_in_done = false;
		assert_int_equal(pgc_query(f->c, "SELECT 'second'", USEC_SEC,
				     on_done, f, &err),
		    0);
		return;
	}
	if (f->free_in_done) {
		pgc_free(f->c);
		f->c = NULL;
		/* The result stays until the return. */
		assert_string_equal(f->cell, cell == NULL ? "NULL" : cell);
	}
	loop_stop(f->loop);
}

static void
on_lost(void *arg)
{
	struct fixture *f = arg;

	f->lost++;
	assert_int_equal(pgc_backend(f->c), 0);
	loop_stop(f->loop);
}

static void
on_tick(void *arg)
{
	struct fixture *f = arg;
	usec_t now = clock_now().raw;

	if (f->last_tick != 0 && now - f->last_tick > f->gap)
		f->gap = now - f->last_tick;
	f->last_tick = now;
	timer_arm(f->tick, 5 * USEC_MSEC);
}

static void
on_stop(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

static void
on_turn(void *arg, const struct now *now)
{
	struct fixture *f = arg;

	f->rounds++;
}

/* Lets the loop run for a while. */
static void
run_for(struct fixture *f, usec_t t)
{
	struct timer *stop = timer_new(f->loop, on_stop, f);

	timer_arm(stop, t);
	loop_run(f->loop, on_turn, f);
	timer_free(stop);
}

static void
connect_to(struct fixture *f, struct pgc_conf conf)
{
	pgc_free(f->c);
	if (conf.port == 0)
		conf.port = pg.port;
	if (conf.user == NULL)
		conf.user = pg.user;
	if (conf.dbname == NULL)
		conf.dbname = "postgres";
	f->c = pgc_new(f->loop, &conf);
	pgc_on_lost(f->c, on_lost, f);
}

static void
ask(struct fixture *f, const char *sql, usec_t deadline)
{
	struct error err;
	int before = f->done;

	assert_int_equal(pgc_query(f->c, sql, deadline, on_done, f, &err), 0);
	assert_int_equal(f->done, before);
	assert_true(pgc_busy(f->c));
	loop_run(f->loop, on_turn, f);
	assert_int_equal(f->done, before + 1);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->listener = f->peer = -1;
	f->loop = loop_new(&err);
	f->tick = timer_new(f->loop, on_tick, f);
	connect_to(f, (struct pgc_conf){ .host = pg.dir, .app = "test" });
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	watch_free(f->accepts);
	watch_free(f->reads);
	if (f->listener != -1)
		close(f->listener);
	if (f->peer != -1)
		close(f->peer);
	pgc_free(f->c);
	timer_free(f->tick);
	loop_free(f->loop);
	free(f);
	return 0;
}

static int
group_setup(void **state)
{
	pgtest_init(&pg);
	pgtest_start(&pg, NULL);
	return 0;
}

static int
group_teardown(void **state)
{
	pgtest_free(&pg);
	return 0;
}

/* The real server, healthy. */

static void
test_rows(void **state)
{
	struct fixture *f = *state;

	ask(f, "SELECT 'one', NULL UNION ALL SELECT 'two', 'x'", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->reason, "ok");
	assert_string_equal(f->message, "");
	assert_string_equal(f->sqlstate, "");
	assert_int_equal(f->rows, 2);
	assert_int_equal(f->cols, 2);
	assert_string_equal(f->cell, "one");
	ask(f, "SELECT current_setting('application_name')", USEC_SEC);
	assert_string_equal(f->cell, "test");
	ask(f, "SELECT NULL", USEC_SEC);
	assert_string_equal(f->cell, "NULL");
}

static void
test_connection_is_kept(void **state)
{
	struct fixture *f = *state;
	int backend;

	assert_int_equal(pgc_backend(f->c), 0);
	ask(f, "SELECT pg_backend_pid()", USEC_SEC);
	backend = pgc_backend(f->c);
	assert_true(backend > 0);
	assert_int_equal(atoi(f->cell), backend);
	ask(f, "SELECT pg_backend_pid()", USEC_SEC);
	assert_int_equal(atoi(f->cell), backend);
	pgc_drop(f->c);
	assert_int_equal(pgc_backend(f->c), 0);
	ask(f, "SELECT pg_backend_pid()", USEC_SEC);
	assert_int_not_equal(atoi(f->cell), backend);
}

static void
test_tcp(void **state)
{
	struct fixture *f = *state;

	connect_to(f, (struct pgc_conf){ .host = "prod-s2",
			  .hostaddr = "127.0.0.1",
			  .options = "-c synchronous_commit=local" });
	ask(f, "SHOW synchronous_commit", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "local");
}

static void
test_last_rows_of_several(void **state)
{
	struct fixture *f = *state;

	ask(f, "BEGIN; SELECT 1; SELECT 2; COMMIT", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "2");
}

static void
test_error_of_the_server(void **state)
{
	struct fixture *f = *state;
	int backend;

	ask(f, "SELECT 1", USEC_SEC);
	backend = pgc_backend(f->c);
	ask(f, "SELECT 1/0", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "sql-error");
	assert_string_equal(f->sqlstate, "22012");
	assert_string_equal(f->message, "division by zero");
	assert_int_equal(f->rows, 0);
	assert_int_equal(pgc_backend(f->c), backend);
	/* A transaction that can only be rolled back goes. */
	ask(f, "BEGIN; SELECT 1/0; COMMIT", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	ask(f, "SELECT 3", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "3");
}

static void
test_warning(void **state)
{
	struct fixture *f = *state;

	ask(f, "DO $$ BEGIN RAISE NOTICE 'n'; RAISE WARNING 'look out'; END $$",
	    USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_true(f->warned);
	assert_string_equal(f->sqlstate, "01000");
	assert_string_equal(f->message, "look out");
	ask(f, "DO $$ BEGIN RAISE NOTICE 'n'; END $$", USEC_SEC);
	assert_false(f->warned);
	assert_string_equal(f->message, "");
}

static void
test_large_both_ways(void **state)
{
	struct fixture *f = *state;
	size_t len = 8 << 20;
	char *sql = malloc(len + 64);

	snprintf(sql, 64, "SELECT length('");
	memset(sql + strlen(sql), 'x', len);
	snprintf(sql + 15 + len, 40, "'), repeat('y', 4000000)");
	ask(f, sql, 5 * USEC_SEC);
	free(sql);
	assert_int_equal(f->ok, ANS_YES);
	assert_int_equal(atoi(f->cell), len);
	assert_int_equal(f->cols, 2);
}

static void
test_answer_without_end(void **state)
{
	struct fixture *f = *state;

	ask(f, "SELECT repeat('y', 1000000) FROM generate_series(1, 100)",
	    5 * USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "too-long");
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_copy_is_refused(void **state)
{
	struct fixture *f = *state;

	ask(f, "COPY (SELECT 1) TO STDOUT", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_busy_refuses(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, on_done, f, &err), 0);
	assert_int_equal(
	    pgc_query(f->c, "SELECT 2", USEC_SEC, on_done, f, &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	loop_run(f->loop, NULL, NULL);
	assert_string_equal(f->cell, "1");
	assert_int_equal(f->done, 1);
}

static void
test_done_may_query_and_free(void **state)
{
	struct fixture *f = *state;
	struct error err;

	f->query_in_done = true;
	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, on_done, f, &err), 0);
	f->free_in_done = true;
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 2);
	assert_string_equal(f->cell, "second");
	assert_null(f->c);
}

static void
test_drop_silences(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, on_done, f, &err), 0);
	pgc_drop(f->c);
	assert_false(pgc_busy(f->c));
	run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	ask(f, "SELECT pg_sleep(0.01)", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_no_address(void **state)
{
	struct fixture *f = *state;
	struct error err;

	connect_to(f, (struct pgc_conf){ .host = "localhost" });
	assert_int_equal(
	    pgc_query(f->c, "SELECT 1", USEC_SEC, on_done, f, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

static void
test_idle_costs_nothing(void **state)
{
	struct fixture *f = *state;
	struct rusage a, b;
	usec_t cpu;

	ask(f, "SELECT 1", USEC_SEC);
	f->rounds = 0;
	getrusage(RUSAGE_SELF, &a);
	run_for(f, 200 * USEC_MSEC);
	getrusage(RUSAGE_SELF, &b);
	cpu = (b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec -
		  a.ru_stime.tv_sec) *
		  USEC_SEC +
	      b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
	      a.ru_stime.tv_usec;
	assert_true(f->rounds <= 3);
	assert_true(cpu < 50 * USEC_MSEC);
}

/* The real server refuses, hangs, ends. */

static void
test_deadline_of_a_query(void **state)
{
	struct fixture *f = *state;
	usec_t start;

	ask(f, "SELECT 1", USEC_SEC);
	start = clock_now().raw;
	ask(f, "SELECT pg_sleep(1)", 100 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "timeout");
	assert_in_range(
	    clock_now().raw - start, 99 * USEC_MSEC, 600 * USEC_MSEC);
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_refusals(void **state)
{
	struct fixture *f = *state;

	connect_to(f, (struct pgc_conf){ .host = pg.dir, .user = "nobody" });
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "auth-failed");
	assert_string_equal(f->sqlstate, "28000");
	assert_non_null(strstr(f->message, "\"nobody\" does not exist"));
	assert_null(strstr(f->message, "28000"));
	connect_to(f, (struct pgc_conf){ .host = pg.dir, .dbname = "none" });
	ask(f, "SELECT 1", USEC_SEC);
	assert_string_equal(f->reason, "no-database");
	connect_to(f,
	    (struct pgc_conf){ .hostaddr = "127.0.0.1", .sslmode = "require" });
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "tls-failed");
}

static void
test_nobody_there(void **state)
{
	struct fixture *f = *state;

	connect_to(f, (struct pgc_conf){
			  .hostaddr = "127.0.0.1", .port = pgtest_port() });
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "connect-refused");
	connect_to(f, (struct pgc_conf){ .host = "/tmp", .port = 1 });
	ask(f, "SELECT 1", USEC_SEC);
	assert_string_equal(f->reason, "no-socket");
	assert_int_equal(f->ok, ANS_UNKNOWN);
	f->free_in_done = true;
	ask(f, "SELECT 1", USEC_SEC);
}

static void
test_backend_is_terminated(void **state)
{
	struct fixture *f = *state;
	char sql[100];

	ask(f, "SELECT 1", USEC_SEC);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)",
	    pgc_backend(f->c));
	assert_int_equal(pgtest_sql(&pg, sql), 0);
	run_for(f, USEC_SEC);
	assert_int_equal(f->lost, 1);
	assert_int_equal(f->done, 1);
	/* And while a query runs. */
	ask(f, "SELECT pg_terminate_backend(pg_backend_pid())", USEC_SEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "shutting-down");
	assert_string_equal(f->sqlstate, "57P01");
	assert_int_equal(f->lost, 1);
	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
}

static void
test_closed_just_before_a_query(void **state)
{
	struct fixture *f = *state;
	char sql[100];

	ask(f, "SELECT 1", USEC_SEC);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 2000)",
	    pgc_backend(f->c));
	assert_int_equal(pgtest_sql(&pg, sql), 0);
	ask(f, "SELECT 5", USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	assert_string_equal(f->cell, "5");
	assert_int_equal(f->lost, 0);
}

static void
test_cancelled(void **state)
{
	struct fixture *f = *state;

	ask(f, "SET statement_timeout = '20ms'", USEC_SEC);
	ask(f, "SELECT pg_sleep(5)", USEC_SEC);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "cancelled");
	assert_string_equal(f->sqlstate, "57014");
}

static void
test_frozen_server(void **state)
{
	struct fixture *f = *state;
	struct pgc *kept = f->c;

	ask(f, "SELECT 1", USEC_SEC);
	on_tick(f);
	pgtest_signal_all(&pg, SIGSTOP);
	ask(f, "SELECT 1", 150 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "timeout");
	/* Now the connection itself gets no answer. */
	ask(f, "SELECT 1", 150 * USEC_MSEC);
	assert_string_equal(f->reason, "timeout");
	f->c = NULL;
	connect_to(f, (struct pgc_conf){ .hostaddr = "127.0.0.1" });
	ask(f, "SELECT 1", 150 * USEC_MSEC);
	assert_string_equal(f->reason, "timeout");
	pgtest_signal_all(&pg, SIGCONT);
	assert_true(f->gap < 120 * USEC_MSEC);
	ask(f, "SELECT 1", 5 * USEC_SEC);
	assert_int_equal(f->ok, ANS_YES);
	pgc_free(kept);
}

static void
test_restart_of_the_server(void **state)
{
	struct fixture *f = *state;

	ask(f, "SELECT 1", USEC_SEC);
	pgtest_signal_all(&pg, SIGKILL);
	run_for(f, USEC_SEC);
	assert_int_equal(f->lost, 1);
	pgtest_stop(&pg, SIGKILL);
	ask(f, "SELECT 1", USEC_SEC);
	assert_string_equal(f->reason, "connect-refused");
	/* Recovery without end: the signal file without a source of WAL. */
	pgtest_launch(&pg, NULL);
	do {
		ask(f, "SELECT pg_is_in_recovery()", USEC_SEC);
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
	struct fixture *f = *state;
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	pgtest_stop(&pg, SIGINT);
	/* A standby that does not take readers says so for ever. */
	assert_int_equal(
	    pgtest_run(&pg, (const char *const[]){ "/bin/sh", "-c",
				"touch \"$0/standby.signal\"", pg.data, NULL }),
	    0);
	pgtest_launch(&pg, "hot_standby = off");
	do {
		ask(f, "SELECT 1", USEC_SEC);
		assert_true(clock_now().raw < end);
	} while (f->ok == ANS_UNKNOWN);
	assert_int_equal(f->ok, ANS_NO);
	assert_string_equal(f->reason, "starting-up");
	assert_string_equal(f->sqlstate, "57P03");
	pgtest_stop(&pg, SIGINT);
	assert_int_equal(
	    pgtest_run(&pg, (const char *const[]){ "/bin/sh", "-c",
				"rm \"$0/standby.signal\"", pg.data, NULL }),
	    0);
	pgtest_start(&pg, "");
}

static void
test_fast_stop_during_a_query(void **state)
{
	struct fixture *f = *state;
	struct error err;

	ask(f, "SELECT 1", USEC_SEC);
	assert_int_equal(pgc_query(f->c, "SELECT pg_sleep(30)", 5 * USEC_SEC,
			     on_done, f, &err),
	    0);
	kill(pg.postmaster, SIGINT);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "shutting-down");
	pgtest_stop(&pg, SIGINT);
	pgtest_start(&pg, NULL);
	assert_int_equal(pgc_query(f->c, "SELECT pg_sleep(30)", 5 * USEC_SEC,
			     on_done, f, &err),
	    0);
	run_for(f, 100 * USEC_MSEC);
	pgtest_signal_all(&pg, SIGKILL);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 3);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "server-closed");
	pgtest_stop(&pg, SIGKILL);
	pgtest_start(&pg, NULL);
}

/* Programs that are no PostgreSQL. */

static void
fake_write(struct fixture *f, const void *data, size_t len)
{
	(void)!send(f->peer, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
fake_close(struct fixture *f)
{
	watch_free(f->reads);
	f->reads = NULL;
	close(f->peer);
	f->peer = -1;
}

/* AuthenticationOk, BackendKeyData, ReadyForQuery. */
static const char fake_ready[] = "R\0\0\0\10\0\0\0\0"
				 "K\0\0\0\14\0\0\0\1\0\0\0\2"
				 "Z\0\0\0\5I";

static void
fake_asked(struct fixture *f)
{
	static const char row[] = "T\0\0\0\33\0\1?\0\0\0\0\0\0\0\0\0\0\31"
				  "\377\377\377\377\377\377\0\0D\0\0\0\20\0";
	static const char huge[] = "D\177\377\377\377\0\1";
	char noise[4096];
	size_t i;

	switch (f->fake) {
	case FAKE_HALF_ROW:
		fake_write(f, row, sizeof(row) - 1);
		fake_close(f);
		break;
	case FAKE_NOISE:
		for (i = 0; i < sizeof(noise); i++)
			noise[i] = (char)(i * 7 + 13);
		fake_write(f, noise, sizeof(noise));
		break;
	case FAKE_HUGE:
		fake_write(f, row, 28);
		fake_write(f, huge, sizeof(huge) - 1);
		break;
	case FAKE_CLOSE_ASKED:
		fake_close(f);
		break;
	case FAKE_FLOOD:
		memset(noise, 0, sizeof(noise));
		for (i = 0; i + 6 < sizeof(noise); i += 7)
			memcpy(noise + i, "D\0\0\0\6\0", 7);
		for (i = 0; i < 20; i++)
			fake_write(f, noise, 4095);
		break;
	case FAKE_HTTP:
	case FAKE_CLOSE:
	case FAKE_SILENT:
		break;
	}
}

static void
on_fake_reads(void *arg, int what)
{
	struct fixture *f = arg;
	char buf[4096];

	if (recv(f->peer, buf, sizeof(buf), MSG_DONTWAIT) <= 0) {
		fake_close(f);
		return;
	}
	if (f->fake == FAKE_SILENT)
		return;
	if (f->fake == FAKE_HTTP) {
		static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

		fake_write(f, text, sizeof(text) - 1);
	} else if (f->messages++ == 0) {
		fake_write(f, fake_ready, sizeof(fake_ready) - 1);
	} else {
		fake_asked(f);
	}
}

static void
on_fake_accepts(void *arg, int what)
{
	struct fixture *f = arg;

	if (f->peer != -1)
		fake_close(f);
	f->peer = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(f->peer, -1);
	f->messages = 0;
	f->reads = watch_new(f->loop, f->peer, WATCH_READ, on_fake_reads, f);
	if (f->fake == FAKE_CLOSE)
		fake_close(f);
}

static void
fake_start(struct fixture *f, enum fake fake)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	f->fake = fake;
	if (f->listener == -1) {
		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    bind(f->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
		assert_int_equal(listen(f->listener, 8), 0);
		assert_int_equal(
		    getsockname(f->listener, (struct sockaddr *)&sin, &len), 0);
		f->port = ntohs(sin.sin_port);
		f->accepts = watch_new(
		    f->loop, f->listener, WATCH_READ, on_fake_accepts, f);
	}
	connect_to(f, (struct pgc_conf){ .hostaddr = "127.0.0.1",
			  .port = f->port,
			  .sslmode = f->sslmode });
	ask(f, "SELECT 1", 300 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_int_equal(f->rows, 0);
	assert_int_equal(pgc_backend(f->c), 0);
}

static void
test_not_postgresql(void **state)
{
	struct fixture *f = *state;

	on_tick(f);
	f->sslmode = "disable";
	fake_start(f, FAKE_HTTP);
	assert_string_equal(f->reason, "garbage");
	fake_start(f, FAKE_CLOSE);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_SILENT);
	assert_string_equal(f->reason, "timeout");
	fake_start(f, FAKE_HALF_ROW);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_NOISE);
	assert_string_equal(f->reason, "garbage");
	fake_start(f, FAKE_HUGE);
	fake_start(f, FAKE_CLOSE_ASKED);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_FLOOD);
	/* The same in the negotiation of TLS. */
	f->sslmode = "prefer";
	fake_start(f, FAKE_HTTP);
	assert_string_equal(f->reason, "garbage");
	fake_start(f, FAKE_CLOSE);
	assert_string_equal(f->reason, "server-closed");
	fake_start(f, FAKE_SILENT);
	assert_string_equal(f->reason, "timeout");
	assert_true(f->gap < 120 * USEC_MSEC);
}

/* The queue of a stopped server on a Unix socket is full. */
static void
test_full_backlog(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/pgc.XXXXXX";
	int fd[4], i;

	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/.s.PGSQL.1", dir);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(f->listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(f->listener, 0), 0);
	for (i = 0; i < 4; i++) {
		fd[i] = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fd[i], (struct sockaddr *)&sun, sizeof(sun));
	}
	connect_to(f, (struct pgc_conf){ .host = dir, .port = 1 });
	ask(f, "SELECT 1", 100 * USEC_MSEC);
	assert_int_equal(f->ok, ANS_UNKNOWN);
	assert_string_equal(f->reason, "connect-full");
	for (i = 0; i < 4; i++)
		close(fd[i]);
	unlink(sun.sun_path);
	rmdir(dir);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
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
		TEST(test_not_postgresql),
		TEST(test_full_backlog),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
