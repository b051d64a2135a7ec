/*
 * What a real PostgreSQL says before it hands over: each thing that stands
 * against it is refused with its next command, and passed when it is accepted,
 * and only then. Around it everything says what the test wants.
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

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/switchover_look.h"
#include "hawatch/json.h"
#include "hawatch/pgc.h"
#include "pgtest.h"

#define B 1 /* the target */
#define WAIT (20 * USEC_SEC)
#define EVERYTHING (ACCEPT_TRANSACTIONS | ACCEPT_ARCHIVE | ACCEPT_SLOTS)

static const char settings[] = "wal_level = logical\n"
			       "archive_mode = on\n"
			       "archive_command = '/bin/true'\n"
			       "max_prepared_transactions = 5\n"
			       "max_wal_size = '8GB'\n"
			       "wal_init_zero = off\n";

static struct pgtest pg;
static struct engine eng;
static struct conf conf;
static struct orders orders;

static struct {
	bool answered;
	node_t asked;
	char why[400], next[200], notes[600];
} fake;

void
orders_ask(struct engine *e, uint64_t id, enum ask_for what, node_t node,
    const char *fenced)
{
	assert_int_equal(what, ASK_SWITCHOVER);
	fake.asked = node;
	fake.answered = true;
}

void
orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next)
{
	assert_int_equal(code, EXITCODE_REFUSED);
	(void)snprintf(fake.why, sizeof(fake.why), "%s", why);
	(void)snprintf(fake.next, sizeof(fake.next), "%s", next);
	fake.answered = true;
}

void
orders_reply(struct engine *e, uint64_t id, json_t *obj)
{
	size_t len = strlen(fake.notes);

	assert_false(json_has(obj, "exit"));
	assert_true(json_is_integer(json_object_get(obj, "ms")));
	(void)snprintf(fake.notes + len, sizeof(fake.notes) - len, "%s\n",
	    json_string_value(json_object_get(obj, "note")));
	json_decref(obj);
}

static void
on_turn(void *arg, const struct now *now)
{
	if (fake.answered)
		loop_stop(eng.loop);
}

static void
on_late(void *arg)
{
	loop_stop(eng.loop);
}

static void
run(usec_t limit)
{
	struct timer *late = timer_new(eng.loop, on_late, NULL);

	timer_arm(late, limit);
	loop_run(eng.loop, on_turn, NULL);
	timer_free(late);
}

static void
look(unsigned accept)
{
	memset(&fake, 0, sizeof(fake));
	fake.asked = NODE_NONE;
	switchover_look(&eng, 1, B, accept);
	assert_false(fake.answered);
	run(5 * USEC_SEC);
	assert_true(fake.answered);
	assert_true(TAILQ_EMPTY(&orders.looks));
}

static void
passed(unsigned accept)
{
	look(accept);
	if (fake.asked != B)
		fail_msg("\"%s\", next \"%s\"", fake.why, fake.next);
}

static void
refused(unsigned accept, const char *word, const char *flags)
{
	char next[200];

	look(accept);
	assert_int_equal(fake.asked, NODE_NONE);
	(void)snprintf(next, sizeof(next), "hactl switchover n-b %s", flags);
	if (strstr(fake.why, word) == NULL || strcmp(fake.next, next) != 0)
		fail_msg("\"%s\", next \"%s\"", fake.why, fake.next);
	assert_string_equal(fake.notes, "");
}

/* Looks until it is so: some things take PostgreSQL a moment. */
static void
wait_for(node_t asked)
{
	usec_t until = clock_now().raw + WAIT;

	do {
		look(0);
		fake.answered = false;
		if (fake.asked != asked)
			run(100 * USEC_MSEC);
	} while (fake.asked != asked && clock_now().raw < until);
	assert_int_equal(fake.asked, asked);
}

static void
sql(const char *text)
{
	if (pgtest_sql(&pg, text) != 0)
		fail_msg("%s", text);
}

static void
done_cb(void *arg, const struct pgc_result *r)
{
	assert_int_equal(r->ok, ANS_YES);
	fake.answered = true;
}

/* On a connection that stays. */
static struct pgc *
session(const char *text)
{
	const struct pgc_conf link = { .host = pg.dir,
		.port = pg.port,
		.user = pg.user,
		.dbname = "postgres",
		.app = "report" };
	struct pgc *c = pgc_new(eng.loop, &link);
	struct error err;

	fake.answered = false;
	assert_int_equal(
	    pgc_query(c, text, 5 * USEC_SEC, done_cb, NULL, &err), 0);
	run(5 * USEC_SEC);
	assert_true(fake.answered);
	return c;
}

static int
setup(void **state)
{
	struct error err;

	pgtest_init(&pg);
	pgtest_start(&pg, settings);
	/* No more than conf/sql/role.sql gives it. */
	sql("CREATE ROLE watch LOGIN; GRANT pg_monitor TO watch");
	eng.loop = loop_new(&err);
	eng.conf = &conf;
	eng.orders = &orders;
	TAILQ_INIT(&orders.looks);
	conf.names = (struct names){ "lab", 2, { "n-a", "n-b" } };
	conf.pg.socket_directory = pg.dir;
	conf.pg.port = pg.port;
	conf.pg.user = "watch";
	conf.pg.dbname = "postgres";
	return 0;
}

static int
teardown(void **state)
{
	loop_free(eng.loop);
	pgtest_free(&pg);
	return 0;
}

static void
test_nothing_stands_against_it(void **state)
{
	passed(0);
	assert_string_equal(fake.notes, "");
}

static void
test_open_transactions(void **state)
{
	struct pgc *c;

	c = session("BEGIN; CREATE TABLE mine (n int)");
	passed(0);
	wait_for(NODE_NONE);
	refused(0, "application report", "--end-transactions");
	assert_non_null(strstr(fake.why, pg.user));
	refused(ACCEPT_ARCHIVE | ACCEPT_SLOTS, "a transaction is open",
	    "--end-transactions --leave-archive --leave-slots");
	passed(ACCEPT_TRANSACTIONS);
	pgc_free(c);
	wait_for(B);
}

static void
test_archiver_that_fails(void **state)
{
	sql("ALTER SYSTEM SET archive_command = '/bin/false'");
	sql("SELECT pg_reload_conf()");
	sql("SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal()");
	wait_for(NODE_NONE);
	refused(0, "the archiver fails, at 0000000100", "--leave-archive");
	refused(ACCEPT_TRANSACTIONS | ACCEPT_SLOTS, "the archiver fails",
	    "--end-transactions --leave-archive --leave-slots");
	passed(ACCEPT_ARCHIVE);
	sql("ALTER SYSTEM SET archive_command = '/bin/true'");
	sql("SELECT pg_reload_conf()");
	wait_for(B);
}

/* The name of one that the archiver has not been given yet. */
static void
ready(int i, char *path, size_t size)
{
	(void)snprintf(path, size,
	    "%s/pg_wal/archive_status/00000001000000FF%08X.ready", pg.data, i);
}

static void
test_archiver_that_is_behind(void **state)
{
	char path[200], text[300];
	int i;

	sql("ALTER SYSTEM SET archive_command = ''");
	sql("SELECT pg_reload_conf()");
	for (i = 0; i < 17; i++) {
		if (i == 16)
			passed(0);
		ready(i, path, sizeof(path));
		(void)snprintf(
		    text, sizeof(text), "COPY (SELECT 1) TO '%s'", path);
		sql(text);
	}
	refused(0, "17 files wait for the archiver", "--leave-archive");
	passed(ACCEPT_ARCHIVE);
	for (i = 0; i < 17; i++) {
		ready(i, path, sizeof(path));
		assert_int_equal(unlink(path), 0);
	}
	sql("ALTER SYSTEM SET archive_command = '/bin/true'");
	sql("SELECT pg_reload_conf()");
	passed(0);
}

static void
test_logical_slots(void **state)
{
	struct pgc *c;

	sql("SELECT pg_create_physical_replication_slot('standby', true)");
	c = session("SELECT pg_create_logical_replication_slot('mine', "
		    "'pgoutput', true)");
	passed(0);
	sql("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
	sql("SELECT pg_create_logical_replication_slot('audit', 'pgoutput')");
	refused(0, "begin anew: audit, feed.", "--leave-slots");
	refused(ACCEPT_TRANSACTIONS | ACCEPT_ARCHIVE, "logical",
	    "--end-transactions --leave-archive --leave-slots");
	passed(ACCEPT_SLOTS);
	pgc_free(c);
	sql("SELECT pg_drop_replication_slot(slot_name) FROM "
	    "pg_replication_slots WHERE NOT temporary");
	passed(0);
}

static void
test_notes(void **state)
{
	sql("BEGIN; CREATE TABLE half (n int); PREPARE TRANSACTION 'half'");
	passed(ACCEPT_ARCHIVE);
	assert_non_null(strstr(fake.notes, "on the target: 1"));
	assert_null(strstr(fake.notes, "checkpoint"));
	sql("ROLLBACK PREPARED 'half'");
	sql("CHECKPOINT");
	sql("SELECT pg_logical_emit_message(false, 'a', 'b'), pg_switch_wal() "
	    "FROM generate_series(1, 66)");
	passed(ACCEPT_ARCHIVE);
	assert_non_null(strstr(fake.notes, "the last checkpoint was"));
	assert_null(strstr(fake.notes, "prepared"));
	sql("CHECKPOINT");
	passed(ACCEPT_ARCHIVE);
	assert_string_equal(fake.notes, "");
}

static void
test_one_that_does_not_say(void **state)
{
	usec_t since = clock_now().raw;

	pgtest_signal_all(&pg, SIGSTOP);
	look(EVERYTHING);
	pgtest_signal_all(&pg, SIGCONT);
	assert_int_equal(fake.asked, NODE_NONE);
	assert_non_null(strstr(fake.why, "does not say"));
	assert_string_equal(fake.next, "hactl status");
	assert_true(clock_now().raw - since < 4 * USEC_SEC);
	conf.pg.user = "nobody_of_that_name";
	look(EVERYTHING);
	assert_int_equal(fake.asked, NODE_NONE);
	assert_non_null(strstr(fake.why, "nobody_of_that_name"));
	conf.pg.user = "watch";
	/* The engine ends meanwhile. */
	switchover_look(&eng, 1, B, 0);
	switchover_look_free_all(&orders);
	assert_true(TAILQ_EMPTY(&orders.looks));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_stands_against_it),
		cmocka_unit_test(test_open_transactions),
		cmocka_unit_test(test_archiver_that_fails),
		cmocka_unit_test(test_archiver_that_is_behind),
		cmocka_unit_test(test_logical_slots),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_one_that_does_not_say),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
