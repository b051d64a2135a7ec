/*
 * Two histories of one cluster, made and mended; see forktest.h.
 */
#include "forktest.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "repmgrtest.h"

char forktest_state[96];
uint64_t forktest_epoch = 7;

static struct pgpair *const pair = &pgpair_one;
static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

void
forktest_shell(const char *text)
{
	char line[800];

	assert_in_range(snprintf(line, sizeof(line), "set -- %s %s; %s",
			    s1->data, forktest_state, text),
	    1, sizeof(line) - 1);
	assert_int_equal(system(line), 0);
}

int
forktest_setup(void **arg)
{
	pgpair_up(pair);
	snprintf(forktest_state, sizeof(forktest_state), "%s/state", pair->dir);
	s1->conf.state_dir = forktest_state;
	forktest_shell("rm -rf $2 $1.old-* && mkdir $2");
	return 0;
}

int
forktest_setup_repmgr(void **arg)
{
	forktest_setup(arg);
	repmgrtest_configure(s1, 0);
	repmgrtest_configure(s2, 1);
	s1->conf.pg.commands = COMMANDS_REPMGR;
	repmgrtest_register(s1, "primary");
	repmgrtest_register(s2, "standby");
	return 0;
}

int
forktest_teardown_repmgr(void **arg)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/started", s1->dir);
	assert_int_equal(access(path, F_OK), -1);
	s1->conf.pg.commands = COMMANDS_NATIVE;
	s1->conf.repmgr.enabled = s2->conf.repmgr.enabled = false;
	pgpair_down(pair);
	return 0;
}

int
forktest_teardown(void **arg)
{
	pgpair_down(pair);
	return 0;
}

bool
forktest_serves(void *arg)
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

void
forktest_promote(void)
{
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_promote(true, 20)", NULL, 0), 0);
	if (s1->conf.pg.commands != COMMANDS_REPMGR)
		return;
	assert_int_equal(pghost_sql(s2,
			     "UPDATE repmgr.nodes SET active = node_id = 2,"
			     " type = 'primary', upstream_node_id = NULL",
			     NULL, 0),
	    0);
}

void
forktest_fork(void)
{
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (1)", NULL, 0), 0);
	forktest_promote();
	assert_int_equal(
	    pghost_sql(s1, "INSERT INTO vote VALUES (2)", NULL, 0), 0);
	assert_int_equal(
	    pghost_sql(s2, "INSERT INTO vote VALUES (3)", NULL, 0), 0);
}

void
forktest_dies(void)
{
	while (pghost_signal(s1, SIGKILL, NULL) > 0)
		usleep(5000);
	pghost_reap(s1);
}

void
forktest_diverge(void)
{
	forktest_fork();
	assert_int_equal(pghost_sql(s2, "CHECKPOINT", NULL, 0), 0);
	forktest_dies();
}

void
forktest_run(struct acttest *t, enum act_kind kind, struct goal *g)
{
	g->epoch = forktest_epoch;
	g->node = PAIR_S2;
	assert_true(acttest_run(t, kind, g, FORKTEST_LIMIT));
	assert_int_equal(t->ans, ANS_YES);
	g->fork = t->goal.fork;
	g->lsn = t->goal.lsn;
}

void
forktest_recover(struct acttest *t)
{
	struct goal g = { 0 }, end = { .clean = true, .standby = true };
	char text[8] = "";

	forktest_run(t, ACT_ASIDE, &g);
	forktest_run(t, ACT_SIGNAL, &g);
	pghost_launch(s1);
	assert_true(acttest_wait(t, forktest_serves, s1, FORKTEST_LIMIT));
	assert_int_equal(
	    pghost_sql(s1, "SELECT count(*) FROM pg_stat_wal_receiver", text,
		sizeof(text)),
	    0);
	assert_string_equal(text, "0");
	forktest_run(t, ACT_STOP, &end);
	pghost_reap(s1);
}

void
forktest_start(struct acttest *t)
{
	struct goal g = { 0 };

	forktest_run(t, ACT_SIGNAL, &g);
	pghost_launch(s1);
	assert_true(acttest_wait(t, has_all, NULL, FORKTEST_LIMIT));
}

void
forktest_ended(struct acttest *t)
{
	forktest_diverge();
	acttest_up(t, s1);
	forktest_recover(t);
}

void
forktest_forked(struct acttest *t, struct goal *g)
{
	forktest_ended(t);
	forktest_run(t, ACT_COMPARE, g);
	assert_int_equal(g->fork, FORK_REWIND);
}

bool
forktest_rewinds(void *arg)
{
	char line[200];

	snprintf(line, sizeof(line), "pgrep -f '[p]g_rewind.*%s' > /dev/null",
	    s1->data + 1);
	return system(line) == 0;
}

bool
forktest_done(void *arg)
{
	return ((struct acttest *)arg)->done > 0;
}

void
forktest_end(void)
{
	forktest_shell("rm -rf $2");
	pgpair_free(pair);
}
