/*
 * Data that diverged is compared, saved, and made the primary's, against real
 * servers: by a rewind, begun twice, and by a copy.
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

#include "act/auto_conf.h"
#include "act/env.h"
#include "acttest.h"
#include "hawatch/loop.h"

#define LIMIT (20 * USEC_SEC)

static struct pgpair pair;
static struct pghost *const s1 = &pair.host[PAIR_S1];
static struct pghost *const s2 = &pair.host[PAIR_S2];
static char state[96];

/* As root, who alone may read what is saved; $1 the data, $2 the state. */
static void
shell(const char *text)
{
	char line[800];

	assert_in_range(snprintf(line, sizeof(line), "set -- %s %s; %s",
			    s1->data, state, text),
	    1, sizeof(line) - 1);
	assert_int_equal(system(line), 0);
}

static int
setup(void **arg)
{
	pgpair_up(&pair);
	snprintf(state, sizeof(state), "%s/state", pair.dir);
	s1->conf.state_dir = state;
	shell("rm -rf $2 && mkdir $2");
	return 0;
}

static int
teardown(void **arg)
{
	pgpair_down(&pair);
	return 0;
}

static bool
standby_serves(void *arg)
{
	char text[8] = "";

	return pghost_sql(arg, "SELECT pg_is_in_recovery()", text,
		   sizeof(text)) == 0 &&
	       text[0] == 't';
}

static bool
has_all(void *arg)
{
	char text[40] = "";

	return pghost_sql(s1,
		   "SELECT string_agg(id::text, ' ' ORDER BY id)"
		   " FROM vote",
		   text, sizeof(text)) == 0 &&
	       strcmp(text, "1 3") == 0;
}

/* Each has a row that the other has not, and s1 died. */
static void
diverge(void)
{
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (1)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_promote(true, 20)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (2)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s2, "INSERT INTO vote VALUES (3); CHECKPOINT", NULL, 0),
	    0);
	while (pghost_signal(s1, SIGKILL, NULL) > 0)
		usleep(5000);
	pghost_reap(s1);
}

static void
run(struct acttest *t, enum act_kind kind, struct goal *g)
{
	g->epoch = 7;
	g->node = PAIR_S2;
	assert_true(acttest_run(t, kind, g, LIMIT));
	assert_int_equal(t->ans, ANS_YES);
	g->fork = t->goal.fork;
	g->lsn = t->goal.lsn;
}

/* As an isolated standby, which replays what it has and ends by itself. */
static void
recover(struct acttest *t)
{
	struct goal g = { 0 }, end = { .clean = true, .standby = true };
	char text[8] = "";

	run(t, ACT_ASIDE, &g);
	run(t, ACT_SIGNAL, &g);
	pghost_launch(s1);
	assert_true(acttest_wait(t, standby_serves, s1, LIMIT));
	assert_int_equal(
	    pghost_sql(s1, "SELECT count(*) FROM pg_stat_wal_receiver", text,
		sizeof(text)),
	    0);
	assert_string_equal(text, "0");
	run(t, ACT_STOP, &end);
	pghost_reap(s1);
}

static void
start(struct acttest *t)
{
	struct goal g = { 0 };

	run(t, ACT_SIGNAL, &g);
	pghost_launch(s1);
	assert_true(acttest_wait(t, has_all, NULL, LIMIT));
}

static bool
rewinds(void *arg)
{
	return system("pgrep -x pg_rewind > /dev/null") == 0;
}

static void
test_rewind(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	diverge();
	acttest_up(&t, s1);
	recover(&t);
	run(&t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_REWIND);
	/* One that was made for later, before all others in a directory. */
	shell("head -c 1048576 /dev/zero > $1/pg_wal/0000000100000000000000FE");
	run(&t, ACT_SAVE, &g);
	shell("! test -e $2/saved/*/pg_wal/0000000100000000000000FE");
	shell("grep -q 'rmgr: Heap.*INSERT' $2/saved/*/listing && "
	      "test -e $2/saved/*/complete");
	/* Ended in the midst of it, and begun again. */
	acts_start(t.acts, ACT_REWIND, &g);
	assert_true(acttest_wait(&t, rewinds, NULL, LIMIT));
	acts_cancel(t.acts, ACT_REWIND);
	assert_false(pghost_has(s1, "standby.signal"));
	shell("head -c 100000 /dev/zero > $1/pg_wal/000000010000000000000001; "
	      "head -c 8192 /dev/zero > $1/global/pg_control");
	run(&t, ACT_REWIND, &g);
	assert_false(pghost_has(s1, "standby.signal"));
	start(&t);
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
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_promote(true, 20)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s2, "INSERT INTO vote VALUES (3); CHECKPOINT", NULL, 0),
	    0);
	recover(&t);
	run(&t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_NONE);
	run(&t, ACT_REWIND, &g);
	start(&t);
	acttest_down(&t);
}

/* Promoted each for itself: both are on timeline 2. */
static void
test_same_timeline(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	diverge();
	acttest_up(&t, s1);
	recover(&t);
	pghost_launch(s1);
	assert_true(acttest_wait(&t, standby_serves, s1, LIMIT));
	assert_int_equal(
	    pghost_sql(s1, "SELECT pg_promote(true, 20)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (4)", NULL, 0), 0);
	while (pghost_signal(s1, SIGKILL, NULL) > 0)
		usleep(5000);
	pghost_reap(s1);
	recover(&t);
	run(&t, ACT_COMPARE, &g);
	assert_int_equal(g.fork, FORK_CLONE);
	run(&t, ACT_CLONE, &g);
	assert_true(pghost_has(s1, "standby.signal"));
	assert_false(pghost_has(s1, "hawatch.whole"));
	shell("test -e $1.old-*/PG_VERSION && ! test -e $1.new");
	start(&t);
	acttest_down(&t);
}

/* Not before the primary's checkpoint, nor behind the position asked for. */
static void
test_waits(void **arg)
{
	struct goal g = { .epoch = 7, .node = PAIR_S2, .lsn = 1 };
	struct acttest t;

	diverge();
	acttest_up(&t, s1);
	assert_false(acttest_run(&t, ACT_COMPARE, &g, USEC_SEC));
	assert_string_equal(t.reason, "not-clean");
	acts_cancel(t.acts, ACT_COMPARE);
	recover(&t);
	g.lsn = (lsn_t)1 << 40;
	assert_false(acttest_run(&t, ACT_COMPARE, &g, USEC_SEC));
	assert_string_equal(t.reason, "source-behind");
	acts_cancel(t.acts, ACT_COMPARE);
	acttest_down(&t);
}

static void
test_auto_conf(void **arg)
{
	static const struct {
		const char *text, *conninfo;
	} table[] = {
		{ "", NULL },
		{ "primary_conninfo = ''\n", NULL },
		{ "primary_conninfo = 'a=''b'' c'\n", "a='b' c" },
		{ "Primary_Conninfo='x=1'\nother = 'y'\n", "x=1" },
		{ "primary_conninfo = 'x=1'\nprimary_conninfo = 'x=2'", "x=2" },
		{ "primary_conninfo = 'x=1'\n# hawatch: set aside\n"
		  "primary_conninfo = ''\n# hawatch: end\n",
		    "x=1" },
		{ "primary_conninfo_x = 'x=1'\n", NULL },
		{ "primary_conninfo = 'x=1", "x=1" },
	};
	char *found;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		found = auto_conf_conninfo(table[i].text);
		if (table[i].conninfo == NULL)
			assert_null(found);
		else
			assert_string_equal(found, table[i].conninfo);
		free(found);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto_conf),
		cmocka_unit_test_setup_teardown(test_rewind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_same_timeline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
	};
	int rc;

	pgpair_init(&pair);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	shell("rm -rf $2");
	pgpair_free(&pair);
	return rc;
}
