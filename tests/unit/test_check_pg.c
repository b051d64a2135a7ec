/*
 * The watch over PostgreSQL on a real pair: what the view says of a primary, a
 * standby, a server that hangs, that died, that left something behind,
 * that was promoted, and that has no room.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "hawatch/check.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/pgwatch.h"
#include "pgpair.h"

#define WAIT (10 * USEC_SEC)

static struct pgpair pair;
static struct pghost *const s1 = &pair.host[PAIR_S1];
static struct pghost *const s2 = &pair.host[PAIR_S2];

struct watched {
	struct loop *loop;
	struct pgwatch *w;
	const struct pg_view *v;
	int changed, gone;
	double gone_at;
	usec_t mark;
	struct check *check;
	char reason[64];
};

static int
setup(void **state)
{
	(void)state;
	pgpair_up(&pair);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pgpair_down(&pair);
	return 0;
}

static void
on_line(void *arg, enum level level, const char *line)
{
	(void)arg;
	(void)level;
	if (getenv("VERBOSE") != NULL)
		fprintf(stderr, "  %s\n", line);
}

static void
on_changed(void *arg)
{
	((struct watched *)arg)->changed++;
}

static void
on_gone(void *arg)
{
	struct watched *x = arg;

	x->gone++;
	x->gone_at = pair_ms();
}

static void
watched_up(struct watched *x, struct pghost *h)
{
	struct error err;
	struct pgwatch_calls calls = {
		.changed = on_changed, .gone = on_gone, .arg = x
	};

	memset(x, 0, sizeof(*x));
	emit_to(on_line, NULL);
	x->loop = loop_new(&err);
	x->w = pgwatch_new(x->loop, &h->conf, &calls);
	x->v = pgwatch_view(x->w);
}

static void
watched_down(struct watched *x)
{
	pgwatch_free(x->w);
	loop_free(x->loop);
}

static bool
is_primary(void *arg)
{
	const struct pg_view *v = ((struct watched *)arg)->v;

	return v->running == ANS_YES && v->recovery == ANS_NO &&
	       v->probe_at != 0 && v->sender[PAIR_S2].streaming;
}

static bool
is_standby(void *arg)
{
	const struct pg_view *v = ((struct watched *)arg)->v;

	return v->running == ANS_YES && v->recovery == ANS_YES && v->receiver;
}

static bool
is_gone(void *arg)
{
	return ((struct watched *)arg)->v->running == ANS_NO;
}

static bool
is_new(void *arg)
{
	struct watched *x = arg;

	return x->v->seen_at > x->mark;
}

static void
again(struct watched *x)
{
	x->mark = clock_now().raw;
	pgwatch_poke(x->w);
	assert_true(pump(x->loop, is_new, x, WAIT));
}

static void
test_primary(void **state)
{
	struct watched x;
	char id[32];
	double start;

	(void)state;
	watched_up(&x, s1);
	start = pair_ms();
	assert_true(pump(x.loop, is_primary, &x, WAIT));
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
		again(&x);
	while (x.v->sync_names == 0);
	assert_int_equal(x.v->sync_names, NODE_BIT(PAIR_S2));
	assert_int_equal(x.v->sender[PAIR_S2].behind_since, 0);
	watched_down(&x);
}

static bool
is_behind(void *arg)
{
	struct watched *x = arg;

	/* Makes WAL that the standby does not take. */
	return x->v->sender[PAIR_S2].behind_since > x->mark;
}

static bool
is_not_behind(void *arg)
{
	return ((struct watched *)arg)->v->sender[PAIR_S2].behind_since == 0;
}

/* The write probe itself makes the standby fall behind. */
static void
test_standby_behind(void **state)
{
	struct watched x;
	usec_t since;

	(void)state;
	watched_up(&x, s1);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	x.mark = clock_now().raw - 500 * USEC_MSEC;
	pghost_signal(s2, SIGSTOP, NULL);
	assert_true(pump(x.loop, is_behind, &x, WAIT));
	since = x.v->sender[PAIR_S2].behind_since;
	assert_true(since <= x.v->seen_at);
	again(&x);
	again(&x);
	assert_int_equal(x.v->sender[PAIR_S2].behind_since, since);
	pghost_signal(s2, SIGCONT, NULL);
	assert_true(pump(x.loop, is_not_behind, &x, WAIT));
	watched_down(&x);
}

static bool
is_doubled(void *arg)
{
	return ((struct watched *)arg)->v->sender[PAIR_S2].doubled;
}

/* A second receiver under the standby's name, which comes from the standby's
 * own address, or from another place. */
static void
doubled_by(const char *host)
{
	struct watched x;
	char info[200], bin[128];
	pid_t pid;

	watched_up(&x, s1);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	snprintf(
	    bin, sizeof(bin), "%s/pg_receivewal", s1->conf.pg.bin_directory);
	snprintf(info, sizeof(info),
	    "host=%s port=%d user=postgres application_name=s2", host,
	    s1->conf.pg.port);
	pid = pgpair_start(
	    (const char *const[]){ bin, "-D", s2->dir, "-d", info, NULL });
	assert_true(pump(x.loop, is_doubled, &x, WAIT));
	assert_false(x.v->sender[PAIR_S2].streaming);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	watched_down(&x);
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
	struct watched x;
	const struct pg_peer *p;

	(void)state;
	watched_up(&x, s2);
	assert_true(pump(x.loop, is_standby, &x, WAIT));
	assert_true(x.v->signal);
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
		again(&x);
	assert_int_equal(p->reached, ANS_YES);
	assert_int_equal(p->recovery, ANS_NO);
	assert_int_equal(p->system_id, x.v->system_id);
	pghost_signal(s1, SIGKILL, NULL);
	while (p->reached != ANS_NO)
		again(&x);
	assert_int_equal(p->recovery, ANS_NO);
	assert_true(p->reason[0] != '\0');
	watched_down(&x);
}

static bool
has_no_source(void *arg)
{
	return is_standby(arg) && ((struct watched *)arg)->v->source == 0;
}

/* A role that may not read where it streams from sees all the rest. */
static void
test_source_not_readable(void **state)
{
	struct watched x;

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
	watched_up(&x, s2);
	assert_true(pump(x.loop, has_no_source, &x, WAIT));
	assert_int_not_equal(x.v->wal_end, 0);
	assert_int_equal(x.v->conninfo, ANS_UNKNOWN);
	watched_down(&x);
}

static bool
has_no_conninfo(void *arg)
{
	return ((struct watched *)arg)->v->conninfo == ANS_NO;
}

/* A primary that was never a standby. */
static void
test_no_conninfo(void **state)
{
	struct watched x;

	(void)state;
	assert_int_equal(
	    pghost_sql(s1, "ALTER SYSTEM SET primary_conninfo = ''", NULL, 0),
	    0);
	assert_int_equal(pghost_sql(s1, "SELECT pg_reload_conf()", NULL, 0), 0);
	watched_up(&x, s1);
	assert_true(pump(x.loop, has_no_conninfo, &x, WAIT));
	watched_down(&x);
}

static bool
has_lost_receiver(void *arg)
{
	const struct pg_view *v = ((struct watched *)arg)->v;

	return v->recovery == ANS_YES && v->seen_at != 0 && !v->receiver;
}

static bool
is_on_second(void *arg)
{
	return is_standby(arg) && ((struct watched *)arg)->v->timeline == 2;
}

/* The control file names the first timeline until the next restartpoint. A
 * standby that followed a promotion says which it is on even when whoever
 * sent it is gone: to one that watched, and to one that has just come. */
static void
test_timeline_followed(void **state)
{
	struct watched x;
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
	watched_up(&x, s2);
	assert_true(pump(x.loop, is_on_second, &x, WAIT));
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, has_lost_receiver, &x, WAIT));
	again(&x);
	assert_int_equal(x.v->timeline, 2);
	watched_down(&x);
	assert_int_equal(
	    pghost_sql(s2, "SELECT timeline_id FROM pg_control_checkpoint()",
		tli, sizeof(tli)),
	    0);
	assert_string_equal(tli, "1");
	watched_up(&x, s2);
	assert_true(pump(x.loop, has_lost_receiver, &x, WAIT));
	assert_int_equal(x.v->timeline, 2);
	watched_down(&x);
}

/* All of it dies: told at once, and proved. */
static void
test_gone(void **state)
{
	struct watched x;
	double killed;

	(void)state;
	watched_up(&x, s1);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	killed = pair_ms();
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, is_gone, &x, WAIT));
	assert_int_equal(x.gone, 1);
	printf("    gone after %.1f ms, proved after %.1f ms\n",
	    x.gone_at - killed, pair_ms() - killed);
	assert_in_range((int)(x.gone_at - killed), 0, 50);
	assert_int_equal(x.v->recovery, ANS_UNKNOWN);
	assert_int_equal(x.v->probe_at, 0);
	/* And comes back. */
	pghost_reap(s1);
	pghost_launch(s1);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	watched_down(&x);
}

static bool
was_told(void *arg)
{
	struct watched *x = arg;

	return x->gone == 1 && x->v->seen_at > 0;
}

/* The postmaster is dead and a backend goes on: not known, never no. */
static void
test_leftover(void **state)
{
	struct watched x;
	pid_t busy;
	char n[8] = "0";
	int i;

	(void)state;
	watched_up(&x, s1);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	busy = pghost_psql(s1,
	    "DO $$ DECLARE i bigint := 0; BEGIN LOOP i := i + 1; END LOOP;"
	    " END $$");
	while (n[0] != '1')
		assert_int_equal(pghost_sql(s1,
				     "SELECT count(*) FROM pg_stat_activity"
				     " WHERE query LIKE 'DO %'",
				     n, sizeof(n)),
		    0);
	kill(s1->postmaster, SIGKILL);
	pghost_reap(s1);
	assert_true(pump(x.loop, was_told, &x, WAIT));
	for (i = 0; i < 10; i++) {
		x.changed = 0;
		pgwatch_poke(x.w);
		assert_false(pump(x.loop, is_gone, &x, 50 * USEC_MSEC));
		assert_int_equal(x.v->running, ANS_UNKNOWN);
	}
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, is_gone, &x, WAIT));
	assert_int_equal(waitpid(busy, NULL, 0), busy);
	watched_down(&x);
}

/* A server that is stopped lives: the view grows old, and says so by its age.
 */
static void
test_hung(void **state)
{
	struct watched x;
	usec_t seen;

	(void)state;
	watched_up(&x, s1);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	pghost_signal(s1, SIGSTOP, NULL);
	seen = clock_now().raw;
	pgwatch_poke(x.w);
	assert_false(pump(x.loop, is_gone, &x, 1500 * USEC_MSEC));
	assert_int_equal(x.v->running, ANS_YES);
	assert_true(x.v->seen_at <= seen);
	assert_true(x.v->probe_at <= seen);
	pghost_signal(s1, SIGCONT, NULL);
	x.mark = clock_now().raw;
	assert_true(pump(x.loop, is_new, &x, WAIT));
	watched_down(&x);
}

static bool
is_not_paused(void *arg)
{
	struct watched *x = arg;

	return x->v->seen_at > x->mark && !x->v->paused;
}

/* A pause that is left behind ends by itself in mode auto, and only there. */
static void
test_unpause(void **state)
{
	struct watched x;
	double start;

	(void)state;
	s2->conf.mode = MODE_MANUAL;
	watched_up(&x, s2);
	assert_true(pump(x.loop, is_standby, &x, WAIT));
	assert_int_equal(
	    pghost_sql(s2, "SELECT pg_wal_replay_pause()", NULL, 0), 0);
	again(&x);
	x.mark = clock_now().raw;
	assert_true(x.v->paused);
	assert_false(pump(x.loop, is_not_paused, &x, 4500 * USEC_MSEC));
	s2->conf.mode = MODE_AUTO;
	start = pair_ms();
	x.mark = clock_now().raw;
	assert_true(pump(x.loop, is_not_paused, &x, WAIT));
	printf("    resumed after %.0f ms\n", pair_ms() - start);
	watched_down(&x);
}

static void
on_settled(void *arg, struct check *c)
{
	struct watched *x = arg;
	struct check_state st;

	check_state(c, &st);
	snprintf(x->reason, sizeof(x->reason), "%s",
	    st.last == ANS_YES ? "up" : st.reason);
}

static bool
is_up(void *arg)
{
	return strcmp(((struct watched *)arg)->reason, "up") == 0;
}

static bool
is_not_running(void *arg)
{
	return strcmp(((struct watched *)arg)->reason, "not-running") == 0;
}

static void
test_check_postgres(void **state)
{
	struct watched x;
	struct check_env env;
	struct conf_check row = { .name = "db",
		.type = "postgres",
		.interval = 20 * USEC_MSEC,
		.timeout = USEC_SEC,
		.window = 1,
		.threshold = 1 };

	(void)state;
	watched_up(&x, s1);
	env =
	    (struct check_env){ .loop = x.loop, .conf = &s1->conf, .pg = x.w };
	x.check =
	    check_new(&env, checks_type("postgres"), &row, on_settled, &x);
	assert_true(pump(x.loop, is_up, &x, WAIT));
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, is_not_running, &x, WAIT));
	check_free(x.check);
	watched_down(&x);
}

static bool
is_without_room(void *arg)
{
	struct watched *x = arg;

	return x->v->full && strcmp(x->reason, "disk-full") == 0;
}

static bool
is_full_standby(void *arg)
{
	return is_standby(arg) && ((struct watched *)arg)->v->full;
}

static bool
is_written(void *arg)
{
	struct watched *x = arg;

	return !x->v->full && x->v->probe_at > x->mark;
}

/* A tablespace without room: the server commits what needs none, and that is
 * not counted. A standby sees it of its own disks. */
static void
test_no_room(void **state)
{
	struct watched x;
	struct check_env env;
	struct conf_check row = { .name = "db",
		.type = "postgres",
		.interval = 20 * USEC_MSEC,
		.timeout = USEC_SEC,
		.window = 1,
		.threshold = 1 };
	const char *where;
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/pg_tblspc/77", s1->data);
	assert_int_equal(mkdir(path, 0700), 0);
	watched_up(&x, s1);
	env =
	    (struct check_env){ .loop = x.loop, .conf = &s1->conf, .pg = x.w };
	x.check =
	    check_new(&env, checks_type("postgres"), &row, on_settled, &x);
	assert_true(pump(x.loop, is_primary, &x, WAIT));
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=512k"), 0);
	assert_true(pump(x.loop, is_without_room, &x, WAIT));
	assert_string_equal(pgwatch_no_room(x.w, &where), "disk-full");
	assert_string_equal(where, path);
	x.mark = x.v->probe_at;
	assert_false(pump(x.loop, is_written, &x, 1500 * USEC_MSEC));
	assert_true(x.v->probe_at == x.mark);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_true(pump(x.loop, is_written, &x, WAIT));
	assert_true(pump(x.loop, is_up, &x, WAIT));
	check_free(x.check);
	watched_down(&x);
	/* Of the other host's disks s2 knows nothing; of its own, it does. */
	snprintf(path, sizeof(path), "%s/pg_tblspc/77", s2->data);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=512k"), 0);
	watched_up(&x, s2);
	assert_true(pump(x.loop, is_full_standby, &x, WAIT));
	watched_down(&x);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_primary, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_standby_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doubled, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_standby_and_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_source_not_readable, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_no_conninfo, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_timeline_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftover, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unpause, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_check_postgres, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
	};
	int failed;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		perror("a mount namespace of its own");
		return 1;
	}
	pgpair_init(&pair);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pair);
	return failed;
}
