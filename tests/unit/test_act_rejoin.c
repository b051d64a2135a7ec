/*
 * Data that diverged is compared, saved, and made the primary's, against real
 * servers: by a rewind, begun twice, and by a copy; with
 * PostgreSQL's own programs, and with repmgr.
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

#include "act/clone_dir.h"
#include "forktest.h"
#include "hawatch/loop.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

static void
on_s1(const char *sql)
{
	assert_int_equal(pghost_sql(s1, sql, NULL, 0), 0);
}

/* repmgr says that it did, and nothing is rewound: as where it takes two
 * histories for one. Then nobody may start this. */
static void
lies(struct acttest *t, const struct goal *g)
{
	const char *program = s1->conf.repmgr.program;
	char liar[120];

	snprintf(liar, sizeof(liar), "%s/liar", forktest_state);
	forktest_shell("echo '#!/bin/sh' > $2/liar && chmod 755 $2/liar && "
		       "echo touch $1/standby.signal >> $2/liar");
	s1->conf.repmgr.program = liar;
	assert_true(acttest_run(t, ACT_REWIND, g, FORKTEST_LIMIT));
	assert_int_equal(t->ans, ANS_NO);
	assert_string_equal(t->reason, "not-rewound");
	assert_false(pghost_has(s1, "standby.signal"));
	s1->conf.repmgr.program = program;
}

/* A copy of a copy does not have its mark. */
static void
not_copied(void)
{
	char text[500];

	assert_in_range(
	    snprintf(text, sizeof(text),
		"touch $1/" CLONE_MARK " && chown postgres $1/" CLONE_MARK
		" && runuser -u postgres -- %s/pg_basebackup -c fast -h %s "
		"-p %d -U postgres -D ${1%%data}again && "
		"test -e ${1%%data}again/PG_VERSION && "
		"! test -e ${1%%data}again/" CLONE_MARK
		" && rm -r ${1%%data}again",
		s1->conf.pg.bin_directory, s1->dir, s1->conf.pg.port),
	    1, sizeof(text) - 1);
	forktest_shell(text);
}

/* Nor does what is rewound from a server that has one. */
static void
not_rewound(void)
{
	char text[700];

	assert_in_range(
	    snprintf(text, sizeof(text),
		"touch ${1%%s1/data}s2/data/" CLONE_MARK
		"; runuser -u postgres -- %s/pg_rewind --dry-run --debug "
		"--no-ensure-shutdown -D $1 --source-server='host=%s port=%d "
		"user=postgres dbname=postgres' > $2/plan 2>&1 && "
		"grep -q 'pg_hba.conf (COPY)' $2/plan && "
		"! grep '" CLONE_MARK " (COPY)' $2/plan",
		s1->conf.pg.bin_directory, s2->dir, s2->conf.pg.port),
	    1, sizeof(text) - 1);
	forktest_shell(text);
}

/* Promoted, and gone before the checkpoint after it: its control file names the
 * timeline before, and pg_rewind sees nothing to rewind. */
static void
beyond(struct acttest *t)
{
	struct goal g = { 0 };
	char pid[16] = "";

	assert_int_equal(pghost_sql(s1,
			     "SELECT pid FROM pg_stat_activity WHERE "
			     "backend_type = 'checkpointer'",
			     pid, sizeof(pid)),
	    0);
	assert_int_equal(kill(atoi(pid), SIGSTOP), 0);
	on_s1("SELECT pg_promote(true, 20)");
	on_s1("INSERT INTO other VALUES (0)");
	forktest_dies();
	forktest_recover(t);
	forktest_run(t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_CLONE);
}

/* Once more, in a later epoch, in pages that the first time left alone; what
 * was saved then says to be of tomorrow, since the clock was wrong. */
static void
again(struct acttest *t)
{
	struct goal g = { 0 };
	char text[8] = "";

	on_s1("SELECT pg_promote(true, 20)");
	on_s1("DELETE FROM other WHERE id % 2 = 0");
	on_s1("VACUUM other");
	on_s1("CHECKPOINT");
	forktest_dies();
	forktest_recover(t);
	forktest_shell(
	    "mv $2/saved/*-epoch7-1 $2/saved/20991231T000000Z-epoch7");
	forktest_epoch = 9;
	forktest_run(t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_REWIND);
	forktest_run(t, ACT_SAVE, &g);
	forktest_run(t, ACT_REWIND, &g);
	forktest_start(t);
	assert_int_equal(
	    pghost_sql(s1, "SELECT count(*) FROM other", text, sizeof(text)),
	    0);
	assert_string_equal(text, "1000");
	forktest_epoch = 7;
}

static void
test_rewind(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	on_s1("CREATE TABLE other AS SELECT generate_series(1, 1000) AS id");
	on_s1("VACUUM other");
	on_s1("CHECKPOINT");
	forktest_forked(&t, &g);
	not_rewound();
	/* One that was made for later, before all others in a directory. */
	forktest_shell(
	    "head -c 1048576 /dev/zero > $1/pg_wal/0000000100000000000000FE");
	forktest_run(&t, ACT_SAVE, &g);
	forktest_shell("! test -e $2/saved/*/pg_wal/0000000100000000000000FE");
	forktest_shell("grep -q 'rmgr: Heap.*INSERT' $2/saved/*/listing && "
		       "test -e $2/saved/*/complete");
	if (s1->conf.pg.commands == COMMANDS_REPMGR)
		lies(&t, &g);
	/* Ended in the midst of it, and begun again. */
	acts_start(t.acts, ACT_REWIND, &g);
	assert_true(acttest_wait(&t, forktest_rewinds, NULL, FORKTEST_LIMIT));
	acts_cancel(t.acts, ACT_REWIND);
	assert_false(pghost_has(s1, "standby.signal"));
	forktest_shell(
	    "head -c 100000 /dev/zero > $1/pg_wal/000000010000000000000001; "
	    "head -c 8192 /dev/zero > $1/global/pg_control");
	/* One of before goes, and what lay beside is kept. */
	forktest_shell(
	    "touch $1/" CLONE_MARK " && mkdir $1.new && touch $1.new/old");
	forktest_run(&t, ACT_REWIND, &g);
	assert_false(pghost_has(s1, CLONE_MARK));
	forktest_shell("test -e $1.old-*-epoch7-1/old && ! test -e $1.new");
	/* By now it is whole, and repmgr makes a standby of it. */
	assert_int_equal(pghost_has(s1, "standby.signal"),
	    s1->conf.pg.commands == COMMANDS_REPMGR);
	forktest_start(&t);
	if (s1->conf.pg.commands == COMMANDS_NATIVE) {
		again(&t);
		beyond(&t);
	}
	acttest_down(&t);
}

/* It followed as it was: nothing is rewritten. */
static void
test_follows(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (1)", NULL, 0), 0);
	acttest_up(&t, s1);
	kill(s1->postmaster, SIGINT);
	pghost_reap(s1);
	forktest_promote();
	assert_int_equal(
	    pghost_sql(s2, "INSERT INTO vote VALUES (3); CHECKPOINT", NULL, 0),
	    0);
	forktest_recover(&t);
	forktest_run(&t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_NONE);
	forktest_run(&t, ACT_REWIND, &g);
	forktest_start(&t);
	acttest_down(&t);
}

static void
refused(struct acttest *t, const struct goal *g)
{
	assert_true(acttest_run(t, ACT_CLONE, g, FORKTEST_LIMIT));
	assert_int_equal(t->ans, ANS_NO);
	assert_non_null(strstr(t->reason, "/pg_tblspc/16400 is a tablespace"));
	assert_non_null(strstr(t->reason, "clone it by hand"));
	forktest_shell("! ls -d $1.old-* 2> /dev/null && "
		       "rm $1/pg_tblspc/16400");
}

/* What no copy can take the place of: seen before one is made, or, where it
 * came to be so meanwhile, after that; and not once more for that. */
static void
in_the_way(struct acttest *t, const struct goal *g)
{
	const char *was = s1->conf.pg.bin_directory;
	char bin[120], text[500];

	forktest_shell("ln -s / $1/pg_tblspc/16400");
	refused(t, g);
	forktest_shell("! test -e $1.new");
	if (s1->conf.pg.commands == COMMANDS_REPMGR)
		return;
	assert_in_range(
	    snprintf(text, sizeof(text),
		"to=$2/bin && mkdir $to && ln -s %s/* $to/ && cd $to && "
		"rm pg_basebackup && echo '#!/bin/sh' > pg_basebackup && "
		"echo ln -s / $1/pg_tblspc/16400 >> pg_basebackup && "
		"echo exec %s/pg_basebackup '\"$@\"' >> pg_basebackup && "
		"chmod 755 pg_basebackup",
		was, was),
	    1, sizeof(text) - 1);
	forktest_shell(text);
	snprintf(bin, sizeof(bin), "%s/bin", forktest_state);
	s1->conf.pg.bin_directory = bin;
	refused(t, g);
	forktest_shell("rm -r $1.new");
	s1->conf.pg.bin_directory = was;
}

/* Promoted each for itself: both are on timeline 2. */
static void
test_same_timeline(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	forktest_ended(&t);
	pghost_launch(s1);
	assert_true(acttest_wait(&t, forktest_serves, s1, FORKTEST_LIMIT));
	assert_int_equal(
	    pghost_sql(s1, "SELECT pg_promote(true, 20)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (4)", NULL, 0), 0);
	forktest_dies();
	forktest_recover(&t);
	forktest_run(&t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_CLONE);
	in_the_way(&t, &g);
	/* Of another copy, which this data was before. */
	forktest_shell("echo copy of s2 in epoch 6 > $1/" CLONE_MARK);
	forktest_run(&t, ACT_CLONE, &g);
	assert_true(pghost_has(s1, "standby.signal"));
	assert_false(pghost_has(s1, CLONE_MARK));
	forktest_shell("test -e $1.old-*/PG_VERSION && ! test -e $1.new");
	forktest_start(&t);
	not_copied();
	acttest_down(&t);
}

/* With HAWATCH_LONG in the environment all of it by repmgr's commands, too. */
int
main(void)
{
	const struct CMUnitTest usual[] = {
		cmocka_unit_test_setup_teardown(
		    test_rewind, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_follows, forktest_setup, forktest_teardown),
		cmocka_unit_test_setup_teardown(
		    test_same_timeline, forktest_setup, forktest_teardown),
	};
	const struct CMUnitTest more[] = {
		cmocka_unit_test_setup_teardown(test_rewind,
		    forktest_setup_repmgr, forktest_teardown_repmgr),
		cmocka_unit_test_setup_teardown(test_follows,
		    forktest_setup_repmgr, forktest_teardown_repmgr),
		cmocka_unit_test_setup_teardown(test_same_timeline,
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
