/*
 * Settings of PostgreSQL that void what hawatch stands for, each set on a real
 * server and found: which, for whom, and how bad.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/pgwatch.h"
#include "pgpair.h"

#define WAIT (10 * USEC_SEC)

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

struct watched {
	struct loop *loop;
	struct pgwatch *w;
	const struct pg_view *v;
	const struct pg_findings *found;
	nodeset_t want;
	char line[300];
};

static void
on_line(void *arg, enum level level, const char *line)
{
	struct watched *x = arg;

	(void)level;
	if (strstr(line, "pg.setting") != NULL)
		snprintf(x->line, sizeof(x->line), "%s", line);
}

static bool
has_looked(void *arg)
{
	const struct watched *x = arg;

	return x->found->seen_at != 0 && x->v->seen_at > x->found->seen_at;
}

static void
up(struct watched *x, struct pghost *h)
{
	struct error err;
	struct pgwatch_calls calls = { 0 };

	memset(x, 0, sizeof(*x));
	emit_to(on_line, x);
	x->loop = loop_new(&err);
	x->w = pgwatch_new(x->loop, &h->conf, &calls);
	x->v = pgwatch_view(x->w);
	x->found = pgwatch_findings(x->w);
	assert_true(pump(x->loop, has_looked, x, WAIT));
}

static void
down(struct watched *x)
{
	pgwatch_free(x->w);
	loop_free(x->loop);
}

static void
run(struct pghost *h, const char *sql)
{
	if (pghost_sql(h, sql, NULL, 0) != 0)
		fail_msg("%s", sql);
}

static void
set(struct pghost *h, const char *name, const char *value)
{
	char sql[200], now[100];

	snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s = '%s'", name, value);
	run(h, sql);
	run(h, "SELECT pg_reload_conf()");
	snprintf(sql, sizeof(sql), "SHOW %s", name);
	do
		assert_int_equal(pghost_sql(h, sql, now, sizeof(now)), 0);
	while (strcmp(now, value) != 0);
}

static const struct pg_finding *
find(const struct watched *x, const char *reason, const char *where)
{
	int i;

	for (i = 0; i < x->found->count; i++)
		if (strcmp(x->found->row[i].reason, reason) == 0 &&
		    strcmp(x->found->row[i].where, where) == 0)
			return &x->found->row[i];
	return NULL;
}

/* That, and nothing else. */
static void
alone(struct pghost *h, const char *reason, const char *where,
    enum pg_finding_level level)
{
	const struct pg_finding *f;
	struct watched x;
	int i;

	up(&x, h);
	f = find(&x, reason, where);
	for (i = 0; i < x.found->count; i++)
		printf("    %s (%s)\n", x.found->row[i].reason,
		    x.found->row[i].where);
	assert_non_null(f);
	assert_int_equal(f->level, level);
	assert_int_equal(x.found->count, 1);
	assert_non_null(strstr(x.line, reason));
	assert_true((pgwatch_blocks(x.w) != NULL) == (level == FINDING_BLOCKS));
	assert_int_equal((x.v->unsound & NODE_BIT(h->conf.self)) != 0,
	    level == FINDING_BLOCKS);
	down(&x);
}

static void
nothing(struct pghost *h)
{
	struct watched x;

	up(&x, h);
	assert_int_equal(x.found->count, 0);
	assert_int_equal(x.v->unsound, 0);
	assert_string_equal(x.line, "");
	down(&x);
}

static bool
has_one(void *arg)
{
	return ((struct watched *)arg)->found->count == 1;
}

static bool
has_none(void *arg)
{
	return ((struct watched *)arg)->found->count == 0;
}

static bool
is_unsound(void *arg)
{
	const struct watched *x = arg;

	return x->v->unsound == x->want;
}

/* What the host's disk holds. */
static void
test_flush(void **state)
{
	struct watched x;

	(void)state;
	nothing(s1);
	nothing(s2);
	/* The worst is not waited for a minute long. */
	up(&x, s2);
	set(s2, "full_page_writes", "off");
	assert_true(pump(x.loop, has_one, &x, WAIT));
	set(s2, "full_page_writes", "on");
	assert_true(pump(x.loop, has_none, &x, WAIT));
	down(&x);
	set(s1, "full_page_writes", "off");
	alone(s1, "full-pages-off", "", FINDING_BLOCKS);
	set(s1, "full_page_writes", "on");
	set(s1, "fsync", "off");
	alone(s1, "fsync-off", "", FINDING_BLOCKS);
	set(s1, "fsync", "on");
	/* The primary learns it of its standby, at once and without asking
	 * whoever supervises that. */
	set(s2, "fsync", "off");
	alone(s2, "fsync-off", "", FINDING_BLOCKS);
	up(&x, s1);
	x.want = NODE_BIT(PAIR_S2);
	assert_true(pump(x.loop, is_unsound, &x, WAIT));
	set(s2, "fsync", "on");
	x.want = 0;
	assert_true(pump(x.loop, is_unsound, &x, WAIT));
	down(&x);
	nothing(s2);
}

static void
test_commits(void **state)
{
	struct watched x;

	(void)state;
	set(s1, "synchronous_commit", "remote_write");
	alone(s1, "commit-async", "the server", FINDING_WARNS);
	s1->conf.durability = DURABILITY_BOUNDED;
	nothing(s1);
	s1->conf.durability = DURABILITY_STRICT;
	set(s1, "synchronous_commit", "remote_apply");
	nothing(s1);
	run(s1, "CREATE ROLE clerk; CREATE ROLE \"o\x1b[1m'dd\";"
		"ALTER ROLE clerk SET synchronous_commit = off");
	alone(s1, "commit-async", "role clerk", FINDING_WARNS);
	run(s1, "ALTER ROLE clerk RESET ALL");
	run(s1, "ALTER ROLE \"o\x1b[1m'dd\" SET synchronous_commit = local");
	alone(s1, "commit-async", "role o?[1m'dd", FINDING_WARNS);
	run(s1, "ALTER ROLE \"o\x1b[1m'dd\" RESET ALL");
	run(s1, "ALTER DATABASE postgres SET synchronous_commit = false");
	alone(s1, "commit-async", "database postgres", FINDING_WARNS);
	run(s1, "ALTER DATABASE postgres RESET ALL");
	run(s1, "ALTER ROLE clerk IN DATABASE postgres"
		" SET synchronous_commit = off");
	alone(s1, "commit-async", "role clerk in database postgres",
	    FINDING_WARNS);
	run(s1, "ALTER ROLE clerk IN DATABASE postgres RESET ALL");
	run(s1, "CREATE FUNCTION f() RETURNS int LANGUAGE sql"
		" SET synchronous_commit = off AS 'SELECT 1'");
	alone(s1, "commit-async", "function f in database postgres",
	    FINDING_WARNS);
	run(s1, "DROP FUNCTION f()");
	run(s1, "ALTER ROLE clerk SET statement_timeout = '5s'");
	alone(s1, "statement-timeout", "role clerk", FINDING_NOTES);
	run(s1, "ALTER ROLE clerk SET statement_timeout = '0min'");
	nothing(s1);
	set(s1, "statement_timeout", "7s");
	set(s1, "fsync", "off");
	up(&x, s1);
	assert_int_equal(x.found->count, 2);
	assert_string_equal(x.found->row[0].reason, "fsync-off");
	assert_non_null(find(&x, "statement-timeout", "the server"));
	down(&x);
}

static void
again(struct pghost *h, const char *option)
{
	assert_true(pghost_signal(h, SIGKILL, NULL) > 0);
	while (pghost_count(h) > 0)
		;
	pghost_reap(h);
	h->option = option;
	pghost_launch(h);
	pghost_wait_ready(h);
}

/* What is in the way of a takeover, or of the way back. */
static void
test_takeover(void **state)
{
	(void)state;
	set(s2, "recovery_min_apply_delay", "2s");
	alone(s2, "apply-delay", "2000 ms", FINDING_WARNS);
	set(s2, "recovery_min_apply_delay", "0");
	run(s2, "SELECT pg_wal_replay_pause()");
	nothing(s2); /* hawatch ends it by itself */
	s2->conf.mode = MODE_MANUAL;
	run(s2, "SELECT pg_wal_replay_pause()");
	alone(s2, "replay-paused", "", FINDING_WARNS);
	run(s2, "SELECT pg_wal_replay_resume()");
	s2->conf.mode = MODE_AUTO;
	set(s2, "primary_slot_name", "repmgr_slot_2");
	nothing(s2);
	s2->conf.node[PAIR_A1].role = ROLE_DATA;
	alone(s2, "slot-name", "repmgr_slot_2", FINDING_WARNS);
	s2->conf.node[PAIR_A1].role = ROLE_WITNESS;
	set(s2, "primary_slot_name", "");
	/* What set data aside has marks of its own; without, it is somebody's
	 * choice. */
	run(s2, "ALTER SYSTEM SET recovery_target_timeline = 'current'");
	again(s2, NULL);
	alone(s2, "timeline-fixed", "current", FINDING_WARNS);
	run(s2, "ALTER SYSTEM RESET ALL");
	again(s2, "hawatch.aside_begin=on");
	alone(s2, "set-aside", "", FINDING_WARNS);
	run(s2, "ALTER SYSTEM SET wal_log_hints = off");
	again(s2, NULL);
	alone(s2, "no-rewind", "", FINDING_WARNS);
	run(s2, "ALTER SYSTEM RESET ALL");
	again(s2, "synchronous_standby_names=s9");
	alone(s2, "names-forced", "", FINDING_BLOCKS);
}

/* Who may see little is told what it does not see. */
static void
test_poor_role(void **state)
{
	struct watched x;

	(void)state;
	run(s1, "CREATE ROLE half LOGIN; GRANT pg_read_all_stats TO half;"
		"GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO half");
	while (pghost_sql(s2, "SET ROLE half", NULL, 0) != 0)
		;
	s2->conf.pg.user = "half";
	up(&x, s2);
	assert_non_null(find(&x, "conninfo-denied", ""));
	down(&x);
	run(s1, "GRANT pg_monitor TO half");
	while (pghost_sql(
		   s2, "SET ROLE half; SHOW primary_conninfo", NULL, 0) != 0)
		;
	nothing(s2);
	/* With a third data node it has to be able to change it, too. */
	s2->conf.node[PAIR_A1].role = ROLE_DATA;
	alone(s2, "conninfo-denied", "", FINDING_WARNS);
	run(s1, "GRANT ALTER SYSTEM ON PARAMETER primary_conninfo TO half");
	while (pghost_sql(s2,
		   "DO $$BEGIN ASSERT has_parameter_privilege("
		   "'half', 'primary_conninfo', 'ALTER SYSTEM');"
		   " END$$",
		   NULL, 0) != 0)
		;
	nothing(s2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_flush, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_commits, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_takeover, pgpair_setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_poor_role, pgpair_setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
