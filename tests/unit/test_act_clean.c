/*
 * A stop that ends by the server's own shutdown, against real servers: what it
 * says of the end of the last checkpoint is what the standby has received;
 * what ended otherwise is refused; a server that does not end is left alone.
 * The arithmetic of positions beside it, by itself.
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
#include "act/pg_control.h"
#include "acttest.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

#define PAGE 8192
#define SEGMENT (1 << 20) /* as the pair's initdb was told */
#define RECORD 114	  /* of a shutdown's checkpoint, in PostgreSQL 15 */

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const struct goal clean = { .epoch = 7, .clean = true };
static const struct goal as_usual = { .epoch = 7 };

static void
test_end(void **state)
{
	static const struct {
		lsn_t from;
		uint32_t bytes;
		lsn_t end;
	} table[] = {
		{ 0x1511A88, 114, 0x1511A88 + 114 },
		/* Up to the last byte of a page: no header follows. */
		{ 0x1511F8E, 114, 0x1512000 },
		{ 0x1511F90, 114, 0x1512000 + 24 + 2 },
		{ 0x1511FF8, 114, 0x1512000 + 24 + 106 },
		/* Into the next file. */
		{ 0x1FFFFF8, 114, 0x2000000 + 40 + 106 },
		{ 0xFFFFFFF8, 114, 0x100000000 + 40 + 106 },
		/* Over a whole page. */
		{ 0x1511FF8, 8 + 8168 + 1, 0x1514000 + 24 + 1 },
	};
	const struct pg_control ctl = { .block = PAGE, .segment = 1 << 24 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_int_equal(
		    pg_control_end(&ctl, table[i].from, table[i].bytes),
		    table[i].end);
}

#define SAID(state, size) \
	"pg_control version number:            1300\n" \
	"Database cluster state:               " state "\n" \
	"Latest checkpoint location:           16/1511A88\n" \
	"Latest checkpoint's REDO location:    16/1511A80\n" \
	"Latest checkpoint's TimeLineID:       3\n" \
	"WAL block size:                       8192\n" \
	"Bytes per WAL segment:                " size "\n"

static void
test_said(void **state)
{
	struct pg_control ctl;
	struct error err;

	(void)state;
	assert_int_equal(
	    pg_control_parse(&ctl, SAID("shut down", "16777216"), &err), 0);
	assert_true(ctl.clean);
	assert_int_equal(ctl.checkpoint, 0x1601511A88);
	assert_int_equal(ctl.redo, 0x1601511A80);
	assert_int_equal(ctl.timeline, 3);
	assert_int_equal(ctl.block, PAGE);
	assert_int_equal(ctl.segment, 1 << 24);
	assert_int_equal(pg_control_parse(&ctl,
			     SAID("shut down in recovery", "1048576"), &err),
	    0);
	assert_false(ctl.clean);
	assert_int_equal(
	    pg_control_parse(&ctl, SAID("in production", "16777216"), &err), 0);
	assert_false(ctl.clean);
	assert_int_equal(
	    pg_control_parse(&ctl, SAID("shut down", "16777215"), &err), -1);
	assert_int_equal(
	    pg_control_parse(&ctl, SAID("shut down", ""), &err), -1);
	assert_int_equal(
	    pg_control_parse(&ctl,
		"WARNING: Calculated CRC checksum does not match\n" SAID(
		    "shut down", "16777216"),
		&err),
	    -1);
	assert_int_equal(pg_control_parse(&ctl, "", &err), -1);
}

static lsn_t
sql_lsn(struct pghost *h, const char *sql)
{
	char buf[64];
	lsn_t lsn;

	assert_int_equal(pghost_sql(h, sql, buf, sizeof(buf)), 0);
	buf[strcspn(buf, "\n")] = '\0';
	assert_int_equal(lsn_parse(buf, &lsn), 0);
	return lsn;
}

/* A record is not believed that is not what the control file makes expect. */
static void
test_other_record(void **state)
{
	struct pg_control ctl = {
		.clean = true, .timeline = 1, .block = PAGE, .segment = 1 << 20
	}; /* as the pair's initdb was told */
	struct error err;
	lsn_t end;

	(void)state;
	assert_int_equal(pghost_sql(s1, "CHECKPOINT", NULL, 0), 0);
	/* A checkpoint, but of a server that goes on. */
	ctl.checkpoint =
	    sql_lsn(s1, "SELECT checkpoint_lsn FROM pg_control_checkpoint()");
	ctl.redo = ctl.checkpoint;
	assert_int_equal(pg_control_record(&ctl, s1->data, &end, &err), -1);
	if (strstr(err.msg, "no checkpoint of a shutdown") == NULL)
		fail_msg("%s", err.msg);
	ctl.checkpoint += 8;
	ctl.redo += 8;
	assert_int_equal(pg_control_record(&ctl, s1->data, &end, &err), -1);
	ctl.timeline = 9;
	assert_int_equal(pg_control_record(&ctl, s1->data, &end, &err), -1);
	assert_non_null(strstr(err.msg, "pg_wal/00000009"));
}

/* The end that was told is what the standby has, up to the next record. */
static void
stopped(struct acttest *t)
{
	lsn_t got;

	assert_true(acttest_run(t, ACT_STOP, &clean, 20 * USEC_SEC));
	assert_int_equal(t->ans, ANS_YES);
	assert_int_equal(pghost_count(s1), 0);
	pghost_reap(s1);
	got = sql_lsn(s2, "SELECT pg_last_wal_receive_lsn()");
	if (got != ((t->goal.lsn + 7) & ~(lsn_t)7))
		fail_msg("end %llX, the standby has %llX",
		    (unsigned long long)t->goal.lsn, (unsigned long long)got);
}

static void
test_stop(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (1)", NULL, 0), 0);
	stopped(&t);
	print_message("stopped in %.1f ms\n", t.ms);
	/* Already so. */
	assert_true(acttest_run(&t, ACT_STOP, &clean, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	print_message("the look alone: %.1f ms\n", t.ms);
	acttest_down(&t);
}

/* A record of about so many bytes. */
static void
wal_add(lsn_t bytes)
{
	char sql[120];

	snprintf(sql, sizeof(sql),
	    "SELECT pg_logical_emit_message(false, 'x', repeat('y', %llu))",
	    (unsigned long long)bytes);
	assert_int_equal(pghost_sql(s1, sql, NULL, 0), 0);
}

/* The WAL ends 16 bytes before the end of a page; or of a file of it: a
 * record's own header goes on behind that. */
static void
wal_near_end(lsn_t unit)
{
	lsn_t at, page;
	int i;

	for (i = 0; i < 40; i++) {
		at = sql_lsn(s1, "SELECT pg_current_wal_insert_lsn()");
		page = PAGE - at % PAGE;
		if (unit - at % unit > 3 * PAGE)
			wal_add(unit - at % unit - 3 * PAGE);
		else if (unit - at % unit > PAGE)
			wal_add(page);
		else if (page == 16)
			return;
		else
			wal_add(page > 80 ? page - 72 : 100);
	}
	fail_msg("not within %d records", i);
}

/* What the server writes by itself in between may move the record. */
static void
stop_crossing(lsn_t unit)
{
	struct acttest t;
	lsn_t over = 0;
	int i;

	acttest_up(&t, s1);
	for (i = 0; i < 5 && over != RECORD - 16; i++) {
		wal_near_end(unit);
		stopped(&t);
		over =
		    t.goal.lsn % unit - (t.goal.lsn % SEGMENT < PAGE ? 40 : 24);
		pghost_launch(s1);
		pghost_wait_ready(s1);
	}
	assert_int_equal(over, RECORD - 16);
	acttest_down(&t);
}

static void
test_stop_crossing(void **state)
{
	(void)state;
	stop_crossing(PAGE);
	stop_crossing(SEGMENT);
}

static void
test_refused(void **state)
{
	struct acttest t;

	(void)state;
	/* A standby's shutdown writes no record. */
	acttest_up(&t, s2);
	assert_true(acttest_run(&t, ACT_STOP, &clean, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "not-clean");
	acttest_down(&t);
	acttest_up(&t, s1);
	kill(s1->postmaster, SIGKILL);
	pghost_reap(s1);
	assert_true(acttest_run(&t, ACT_STOP, &clean, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "not-clean");
	assert_true(acttest_run(&t, ACT_STOP, &as_usual, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(t.goal.lsn, 0);
	acttest_down(&t);
}

/* Its shutdown waits for a standby that does not answer: nothing more urgent
 * follows, until it is asked for. */
static void
test_patient(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	assert_true(pghost_signal(s2, SIGSTOP, "walreceiver") > 0);
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (1)", NULL, 0), 0);
	assert_false(acttest_run(&t, ACT_STOP, &clean, 3 * USEC_SEC));
	assert_true(pghost_count(s1) >= 2);
	acts_cancel(t.acts, ACT_STOP);
	acttest_idle(&t, 500 * USEC_MSEC);
	assert_true(pghost_count(s1) >= 2);
	assert_true(acttest_run(&t, ACT_STOP, &as_usual, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(pghost_count(s1), 0);
	/* Ended in the middle of the look. */
	acts_start(t.acts, ACT_STOP, &clean);
	acttest_idle(&t, 1 * USEC_MSEC);
	acts_cancel(t.acts, ACT_STOP);
	acttest_idle(&t, 100 * USEC_MSEC);
	acttest_down(&t);
}

static void
test_no_program(void **state)
{
	const char *bin = s1->conf.pg.bin_directory;
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	s1->conf.pg.bin_directory = "/nonexistent";
	assert_false(acttest_run(&t, ACT_STOP, &clean, 3 * USEC_SEC));
	s1->conf.pg.bin_directory = bin;
	assert_int_equal(pghost_count(s1), 0);
	assert_true(acttest_run(&t, ACT_STOP, &clean, 3 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* Without, the one at the end of a takeover is enough. */
static void
test_checkpoint(void **state)
{
	const char *sql = "SELECT redo_lsn FROM pg_control_checkpoint()";
	struct acttest t;
	lsn_t before, after;

	(void)state;
	acttest_up(&t, s1);
	before = sql_lsn(s1, sql);
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (1)", NULL, 0), 0);
	assert_true(acttest_run(&t, ACT_CHECKPOINT, &as_usual, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(sql_lsn(s1, sql), before);
	assert_true(acttest_run(&t, ACT_CHECKPOINT, &clean, 60 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	after = sql_lsn(s1, sql);
	assert_true(after > before);
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_said),
		cmocka_unit_test_setup_teardown(
		    test_other_record, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stop, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stop_crossing, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_refused, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_patient, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_no_program, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_checkpoint, pgpair_setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
