/*
 * What data waits for before it is the primary's, and what is said meanwhile;
 * and how it is set aside and taken back. Against real servers, with
 * PostgreSQL's own programs, and with repmgr.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/env.h"
#include "forktest.h"
#include "hawatch/loop.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

static void
shows(const char *name, const char *value)
{
	char sql[80], text[80] = "";

	snprintf(sql, sizeof(sql), "SHOW %s", name);
	assert_int_equal(pghost_sql(s2, sql, text, sizeof(text)), 0);
	assert_string_equal(text, value);
}

static void
sets(const char *text)
{
	char sql[120];

	snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s", text);
	assert_int_equal(pghost_sql(s2, sql, NULL, 0), 0);
}

static bool
receives(void *arg)
{
	char text[8] = "";

	return pghost_sql(s2, "SELECT count(*) FROM pg_stat_wal_receiver", text,
		   sizeof(text)) == 0 &&
	       text[0] == '1';
}

/* The server writes the file that set this data aside anew, without its
 * comments: by whatever start but the recovery's own it is as it was, and has
 * what was set meanwhile. */
static void
test_taken_back(void **arg)
{
	struct goal g = { 0 }, end = { .clean = true, .standby = true };
	struct goal start = { .standby = true };
	struct acttest t;

	sets("restore_command = 'false'");
	acttest_up(&t, s2);
	forktest_run(&t, ACT_STOP, &end);
	pghost_reap(s2);
	forktest_run(&t, ACT_ASIDE, &g);
	forktest_run(&t, ACT_ASIDE, &g);
	forktest_run(&t, ACT_SIGNAL, &g);
	start.aside = true;
	forktest_run(&t, ACT_START, &start);
	shows("recovery_target_timeline", "current");
	shows("restore_command", "");
	assert_false(receives(NULL));
	sets("synchronous_standby_names = 'somebody'");
	sets("wal_keep_size = '48MB'");
	forktest_run(&t, ACT_STOP, &end);
	start.aside = false;
	forktest_run(&t, ACT_START, &start);
	shows("recovery_target_timeline", "latest");
	shows("restore_command", "false");
	shows("wal_keep_size", "48MB");
	shows("synchronous_standby_names", "somebody");
	assert_true(acttest_wait(&t, receives, NULL, FORKTEST_LIMIT));
	forktest_run(&t, ACT_STOP, &end);
	acttest_down(&t);
}

/* A plain standby is on its primary's timeline, as is what was promoted for
 * itself: which of them it is, is for who asks to know. Looked at, it is not
 * set aside any more. */
static void
test_plain_standby(void **arg)
{
	struct goal g = { 0 }, end = { .clean = true, .standby = true };
	struct acttest t;
	char line[200];

	acttest_up(&t, s2);
	forktest_run(&t, ACT_STOP, &end);
	pghost_reap(s2);
	forktest_run(&t, ACT_ASIDE, &g);
	g = (struct goal){ .epoch = 7, .node = PAIR_S1, .standby = true };
	assert_true(acttest_run(&t, ACT_COMPARE, &g, FORKTEST_LIMIT));
	assert_int_equal(t.goal.fork, FORK_NONE);
	snprintf(line, sizeof(line), "! grep -q 1TB %s/postgresql.auto.conf",
	    s2->data);
	assert_int_equal(system(line), 0);
	g.standby = false;
	assert_true(acttest_run(&t, ACT_COMPARE, &g, FORKTEST_LIMIT));
	assert_int_equal(t.goal.fork, FORK_CLONE);
	assert_string_equal(t.goal.why, "same-timeline");
	acttest_down(&t);
}

/* For the end of its own recovery, and for the position asked for. */
static void
test_waits(void **arg)
{
	struct goal g = { .epoch = 7, .node = PAIR_S2, .lsn = 1 };
	struct acttest t;

	forktest_diverge();
	acttest_up(&t, s1);
	assert_false(acttest_run(&t, ACT_COMPARE, &g, USEC_SEC));
	assert_string_equal(t.reason, "not-clean");
	acts_cancel(t.acts, ACT_COMPARE);
	forktest_recover(&t);
	g.lsn = (lsn_t)1 << 40;
	assert_false(acttest_run(&t, ACT_COMPARE, &g, USEC_SEC));
	assert_string_equal(t.reason, "source-behind");
	acts_cancel(t.acts, ACT_COMPARE);
	acttest_down(&t);
}

/* A primary that was just promoted says by its control file to be on the
 * timeline before, until a checkpoint has ended: a rewind sees nothing to do.
 */
static void
test_no_checkpoint(void **arg)
{
	struct goal g = { .epoch = 7, .node = PAIR_S2 };
	struct acttest t;

	assert_int_equal(pghost_signal(s2, SIGSTOP, "checkpointer"), 1);
	forktest_fork();
	forktest_dies();
	acttest_up(&t, s1);
	forktest_recover(&t);
	assert_false(acttest_run(&t, ACT_COMPARE, &g, USEC_SEC));
	assert_string_equal(t.reason, "no-checkpoint");
	pghost_signal(s2, SIGCONT, "checkpointer");
	assert_int_equal(pghost_sql(s2, "CHECKPOINT", NULL, 0), 0);
	assert_true(acttest_wait(&t, forktest_done, &t, FORKTEST_LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(t.goal.fork, FORK_REWIND);
	acttest_down(&t);
}

/* Two numbers of an action, of kB; or the one that the kernel counts. */
static bool
counts(struct acttest *t, enum act_kind kind)
{
	const char *text = acts_reason(t->acts, kind);
	unsigned long long done = 0, all = 0;
	char unit[4] = "", word[8] = "";

	if (s1->conf.pg.commands == COMMANDS_REPMGR && kind == ACT_CLONE)
		return sscanf(text, "%llu %3s %7s", &done, unit, word) == 3 &&
		       done > 1000 && strcmp(unit, "kB") == 0 &&
		       strcmp(word, "written") == 0;
	return sscanf(text, "%llu/%llu %3s", &done, &all, unit) == 3 &&
	       done > 1000 && all >= done && strcmp(unit, "kB") == 0;
}

static bool
copies(void *arg)
{
	return counts(arg, ACT_CLONE);
}

static bool
saves(void *arg)
{
	return counts(arg, ACT_SAVE);
}

/* A file that cannot be opened, as on a disk that hangs: the log is saved
 * before it. */
static void
save_seen(struct acttest *t, struct goal *g)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/postgresql.conf", s1->data);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	signal(SIGIO, SIG_IGN);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	acts_start(t->acts, ACT_SAVE, g);
	t->done = 0;
	assert_true(acttest_wait(t, saves, t, FORKTEST_LIMIT));
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	close(fd);
	assert_true(acttest_wait(t, forktest_done, t, FORKTEST_LIMIT));
	assert_int_equal(t->ans, ANS_YES);
}

/* Programs that are PostgreSQL's, but for a copy that takes its time. */
static void
slow(void)
{
	static char bin[120];
	char text[400];

	snprintf(bin, sizeof(bin), "%s/bin", forktest_state);
	assert_in_range(
	    snprintf(text, sizeof(text),
		"from=%s to=$2/bin && mkdir $to && ln -s $from/* $to/ && "
		"rm $to/pg_basebackup && echo '#!/bin/sh' > $to/pg_basebackup "
		"&& echo exec $from/pg_basebackup --max-rate=10M "
		"'\"$@\"' >> $to/pg_basebackup && chmod 755 $to/pg_basebackup",
		s1->conf.pg.bin_directory),
	    1, sizeof(text) - 1);
	forktest_shell(text);
	s1->conf.pg.bin_directory = bin;
}

/* What takes long says how far it is, in bytes. The copy is a slow one. */
static void
test_progress(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	forktest_forked(&t, &g);
	save_seen(&t, &g);
	slow();
	acts_start(t.acts, ACT_CLONE, &g);
	assert_true(acttest_wait(&t, copies, &t, FORKTEST_LIMIT));
	acttest_down(&t);
}

static bool
backs_up(void *arg)
{
	return pghost_signal(s2, 0, "sending backup") == 1;
}

/* The source does not answer any more, in the midst of it: that is noticed, and
 * not after hours; and begun again when it does. */
static void
stalls(struct acttest *t, enum act_kind kind, struct goal *g)
{
	t->env->stall = 1500 * USEC_MSEC;
	acts_start(t->acts, kind, g);
	/* A copy begins with a checkpoint, which keeps it where it is. */
	if (kind == ACT_CLONE) {
		assert_int_equal(pghost_signal(s2, SIGSTOP, "checkpointer"), 1);
		assert_true(acttest_wait(t, backs_up, NULL, FORKTEST_LIMIT));
		assert_in_range(pghost_signal(s2, SIGSTOP, "walsender"), 1, 2);
		pghost_signal(s2, SIGCONT, "checkpointer");
	} else {
		assert_true(
		    acttest_wait(t, forktest_rewinds, NULL, FORKTEST_LIMIT));
		pghost_signal(s2, SIGSTOP, NULL);
	}
	t->done = 0;
	assert_true(acttest_wait(t, forktest_done, t, FORKTEST_LIMIT));
	assert_int_equal(t->ans, ANS_NO);
	assert_string_equal(t->reason, "stalled");
	pghost_signal(s2, SIGCONT, NULL);
	t->env->stall = FORKTEST_LIMIT;
	forktest_run(t, kind, g);
}

static void
test_stalls_rewind(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	forktest_forked(&t, &g);
	forktest_run(&t, ACT_SAVE, &g);
	stalls(&t, ACT_REWIND, &g);
	forktest_start(&t);
	acttest_down(&t);
}

static void
test_stalls_clone(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	forktest_ended(&t);
	g.epoch = 7;
	g.node = PAIR_S2;
	stalls(&t, ACT_CLONE, &g);
	forktest_start(&t);
	acttest_down(&t);
}

/* With HAWATCH_LONG in the environment what takes minutes, too: copies whose
 * source stands still, and the same by repmgr's commands. */
int
main(void)
{
	const struct CMUnitTest usual[] = {
		cmocka_unit_test_setup_teardown(
		    test_waits, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_no_checkpoint, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_progress, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_stalls_rewind, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_taken_back, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_plain_standby, forktest_setup, forktest_teardown),
	};
	const struct CMUnitTest more[] = {
		cmocka_unit_test_setup_teardown(
		    test_stalls_clone, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(test_progress,
		    forktest_setup_repmgr, forktest_teardown_repmgr),
		cmocka_unit_test_setup_teardown(test_stalls_rewind,
		    forktest_setup_repmgr, forktest_teardown_repmgr),
		cmocka_unit_test_setup_teardown(test_stalls_clone,
		    forktest_setup_repmgr, forktest_teardown_repmgr),
	};
	int rc;

	pgpair_init(&pgpair_one);
	rc = cmocka_run_group_tests(usual, NULL, NULL);
	if (getenv("HAWATCH_LONG") != NULL)
		rc += cmocka_run_group_tests(more, NULL, NULL);
	forktest_end();
	return rc;
}
