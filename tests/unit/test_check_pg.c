/*
 * The watch over PostgreSQL on a real pair that serves: what the view says of a
 * primary, of a standby and its source, that fell behind, that is there twice,
 * that was promoted, that is paused.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "hawatch/loop.h"
#include "watchtest.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

static void
test_primary(void **state)
{
	struct watchtest x;
	char id[32];
	double start;

	(void)state;
	watchtest_up(&x, s1);
	start = pair_ms();
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	printf("    first view and probe: %.1f ms\n", pair_ms() - start);
	assert_int_equal(
	    pghost_sql(s1, "SELECT system_identifier FROM pg_control_system()",
		id, sizeof(id)),
	    0);
	assert_int_equal(x.v->system_id, strtoull(id, NULL, 10));
	assert_int_equal(x.v->timeline, 1);
	assert_int_equal(x.v->version / 10000, 15);
	assert_false(x.v->signal);
	assert_false(x.v->restart_after_crash);
	assert_true(x.v->fsync);
	assert_true(x.v->full_page_writes);
	assert_int_equal(x.v->source, 0);
	assert_int_equal(x.v->conninfo, ANS_YES);
	assert_true(x.v->insert >= x.v->wal_end);
	assert_int_equal(x.v->sync_names, 0);
	assert_false(x.v->sync_other);
	assert_false(x.v->sender[PAIR_S2].doubled);
	assert_int_equal(pghost_sql(s1,
			     "ALTER SYSTEM SET synchronous_standby_names ="
			     " 'FIRST 1 (\"s2\")'",
			     NULL, 0),
	    0);
	assert_int_equal(pghost_sql(s1, "SELECT pg_reload_conf()", NULL, 0), 0);
	do
		watchtest_again(&x);
	while (x.v->sync_names == 0);
	assert_int_equal(x.v->sync_names, NODE_BIT(PAIR_S2));
	assert_int_equal(x.v->sender[PAIR_S2].behind_since, 0);
	watchtest_down(&x);
}

static bool
is_behind(void *arg)
{
	struct watchtest *x = arg;

	/* Makes WAL that the standby does not take. */
	return x->v->sender[PAIR_S2].behind_since > x->mark;
}

static bool
is_not_behind(void *arg)
{
	return ((struct watchtest *)arg)->v->sender[PAIR_S2].behind_since == 0;
}

/* The write probe itself makes the standby fall behind. */
static void
test_standby_behind(void **state)
{
	struct watchtest x;
	usec_t since;

	(void)state;
	watchtest_up(&x, s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	x.mark = clock_now().raw - 500 * USEC_MSEC;
	pghost_signal(s2, SIGSTOP, NULL);
	assert_true(pump(x.loop, is_behind, &x, WATCHTEST_WAIT));
	since = x.v->sender[PAIR_S2].behind_since;
	assert_true(since <= x.v->seen_at);
	watchtest_again(&x);
	watchtest_again(&x);
	assert_int_equal(x.v->sender[PAIR_S2].behind_since, since);
	pghost_signal(s2, SIGCONT, NULL);
	assert_true(pump(x.loop, is_not_behind, &x, WATCHTEST_WAIT));
	watchtest_down(&x);
}

static bool
is_doubled(void *arg)
{
	return ((struct watchtest *)arg)->v->sender[PAIR_S2].doubled;
}

/* A second receiver under the standby's name, which comes from the standby's
 * own address, or from another place. */
static void
doubled_by(const char *host)
{
	struct watchtest x;
	char info[200], bin[128];
	pid_t pid;

	watchtest_up(&x, s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	snprintf(
	    bin, sizeof(bin), "%s/pg_receivewal", s1->conf.pg.bin_directory);
	snprintf(info, sizeof(info),
	    "host=%s port=%d user=postgres application_name=s2", host,
	    s1->conf.pg.port);
	pid = pgpair_start(
	    (const char *const[]){ bin, "-D", s2->dir, "-d", info, NULL });
	assert_true(pump(x.loop, is_doubled, &x, WATCHTEST_WAIT));
	assert_false(x.v->sender[PAIR_S2].streaming);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	watchtest_down(&x);
}

static void
test_doubled(void **state)
{
	(void)state;
	doubled_by(s1->conf.node[PAIR_S1].address);
	doubled_by(s1->dir);
}

static void
test_standby_and_peer(void **state)
{
	struct watchtest x;
	const struct pg_peer *p;

	(void)state;
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, watchtest_standby, &x, WATCHTEST_WAIT));
	assert_true(x.v->signal);
	assert_true(x.v->up_at != 0 && x.v->up_at <= x.v->seen_at);
	assert_int_equal(x.v->probe_at, 0);
	assert_int_not_equal(x.v->wal_end, 0);
	assert_int_not_equal(x.v->replay, 0);
	assert_int_equal(x.v->timeline, 1);
	assert_int_equal(x.v->source, NODE_BIT(PAIR_S1));
	assert_null(pgwatch_peer(x.w, PAIR_S2));
	assert_null(pgwatch_peer(x.w, PAIR_A1));
	p = pgwatch_peer(x.w, PAIR_S1);
	assert_non_null(p);
	pgwatch_poke_peer(x.w, PAIR_S1);
	x.mark = clock_now().raw;
	while (p->seen_at < x.mark)
		watchtest_again(&x);
	assert_int_equal(p->reached, ANS_YES);
	assert_int_equal(p->recovery, ANS_NO);
	assert_int_equal(p->system_id, x.v->system_id);
	pghost_signal(s1, SIGKILL, NULL);
	while (p->reached != ANS_NO)
		watchtest_again(&x);
	assert_int_equal(p->recovery, ANS_NO);
	assert_true(p->reason[0] != '\0');
	watchtest_down(&x);
}

static bool
has_no_source(void *arg)
{
	return watchtest_standby(arg) &&
	       ((struct watchtest *)arg)->v->source == 0;
}

/* A role that may not read where it streams from sees all the rest. */
static void
test_source_not_readable(void **state)
{
	struct watchtest x;

	(void)state;
	assert_int_equal(pghost_sql(s1,
			     "CREATE ROLE half LOGIN; GRANT pg_read_all_stats"
			     " TO half; GRANT EXECUTE ON FUNCTION"
			     " pg_ls_waldir() TO half",
			     NULL, 0),
	    0);
	while (pghost_sql(s2, "SET ROLE half", NULL, 0) != 0)
		;
	s2->conf.pg.user = "half";
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, has_no_source, &x, WATCHTEST_WAIT));
	assert_int_not_equal(x.v->wal_end, 0);
	assert_int_equal(x.v->conninfo, ANS_UNKNOWN);
	watchtest_down(&x);
}

static bool
has_no_conninfo(void *arg)
{
	return ((struct watchtest *)arg)->v->conninfo == ANS_NO;
}

/* A primary that was never a standby. */
static void
test_no_conninfo(void **state)
{
	struct watchtest x;

	(void)state;
	assert_int_equal(
	    pghost_sql(s1, "ALTER SYSTEM SET primary_conninfo = ''", NULL, 0),
	    0);
	assert_int_equal(pghost_sql(s1, "SELECT pg_reload_conf()", NULL, 0), 0);
	watchtest_up(&x, s1);
	assert_true(pump(x.loop, has_no_conninfo, &x, WATCHTEST_WAIT));
	watchtest_down(&x);
}

static bool
has_lost_receiver(void *arg)
{
	const struct pg_view *v = ((struct watchtest *)arg)->v;

	return v->recovery == ANS_YES && v->seen_at != 0 && !v->receiver;
}

static bool
is_on_second(void *arg)
{
	return watchtest_standby(arg) &&
	       ((struct watchtest *)arg)->v->timeline == 2;
}

/* The control file names the first timeline until the next restartpoint. A
 * standby that followed a promotion says which it is on even when whoever
 * sent it is gone: to one that watched, and to one that has just come. */
static void
test_timeline_followed(void **state)
{
	struct watchtest x;
	char path[128], tli[16];
	FILE *f;

	(void)state;
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	snprintf(path, sizeof(path), "%s/standby.signal", s1->data);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	pghost_launch(s1);
	pghost_wait_ready(s1);
	assert_int_equal(pghost_sql(s1, "SELECT pg_promote()", NULL, 0), 0);
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, is_on_second, &x, WATCHTEST_WAIT));
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, has_lost_receiver, &x, WATCHTEST_WAIT));
	watchtest_again(&x);
	assert_int_equal(x.v->timeline, 2);
	watchtest_down(&x);
	assert_int_equal(
	    pghost_sql(s2, "SELECT timeline_id FROM pg_control_checkpoint()",
		tli, sizeof(tli)),
	    0);
	assert_string_equal(tli, "1");
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, has_lost_receiver, &x, WATCHTEST_WAIT));
	assert_int_equal(x.v->timeline, 2);
	watchtest_down(&x);
}

static bool
is_not_paused(void *arg)
{
	struct watchtest *x = arg;

	return x->v->seen_at > x->mark && !x->v->paused;
}

/* A pause that is left behind ends by itself in mode auto, and only there. */
static void
test_unpause(void **state)
{
	struct watchtest x;
	double start;

	(void)state;
	s2->conf.mode = MODE_MANUAL;
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, watchtest_standby, &x, WATCHTEST_WAIT));
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_wal_replay_pause()", NULL, 0), 0);
	watchtest_again(&x);
	x.mark = clock_now().raw;
	assert_true(x.v->paused);
	assert_false(pump(x.loop, is_not_paused, &x, 4500 * USEC_MSEC));
	s2->conf.mode = MODE_AUTO;
	start = pair_ms();
	x.mark = clock_now().raw;
	assert_true(pump(x.loop, is_not_paused, &x, WATCHTEST_WAIT));
	printf("    resumed after %.0f ms\n", pair_ms() - start);
	watchtest_down(&x);
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, pgpair_setup, pgpair_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_primary),
		TEST(test_standby_behind),
		TEST(test_doubled),
		TEST(test_standby_and_peer),
		TEST(test_source_not_readable),
		TEST(test_no_conninfo),
		TEST(test_timeline_followed),
		TEST(test_unpause),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
