/*
 * The watch over PostgreSQL where it does not serve: it died, left something
 * behind, hangs, or has no room; and what the check of it says.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "hawatch/check.h"
#include "hawatch/loop.h"
#include "watchtest.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

/* All of it dies: told at once, and proved. */
static void
test_gone(void **state)
{
	struct watchtest x;
	double killed;

	(void)state;
	watchtest_up(&x, s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	killed = pair_ms();
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, watchtest_gone, &x, WATCHTEST_WAIT));
	assert_int_equal(x.gone, 1);
	printf("    gone after %.1f ms, proved after %.1f ms\n",
	    x.gone_at - killed, pair_ms() - killed);
	assert_in_range((int)(x.gone_at - killed), 0, 50);
	assert_int_equal(x.v->recovery, ANS_UNKNOWN);
	assert_int_equal(x.v->probe_at, 0);
	/* And comes back. */
	pghost_reap(s1);
	pghost_launch(s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	watchtest_down(&x);
}

static bool
was_told(void *arg)
{
	struct watchtest *x = arg;

	return x->gone == 1 && x->v->seen_at > 0;
}

/* The postmaster is dead and a backend goes on: not known, never no. */
static void
test_leftover(void **state)
{
	struct watchtest x;
	pid_t busy;
	char n[8] = "0";
	int i;

	(void)state;
	watchtest_up(&x, s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
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
	assert_true(pump(x.loop, was_told, &x, WATCHTEST_WAIT));
	for (i = 0; i < 10; i++) {
		x.changed = 0;
		pgwatch_poke(x.w);
		assert_false(pump(x.loop, watchtest_gone, &x, 50 * USEC_MSEC));
		assert_int_equal(x.v->running, ANS_UNKNOWN);
	}
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, watchtest_gone, &x, WATCHTEST_WAIT));
	assert_int_equal(waitpid(busy, NULL, 0), busy);
	watchtest_down(&x);
}

/* A server that is stopped lives: the view grows old, and says so by its age.
 */
static void
test_hung(void **state)
{
	struct watchtest x;
	usec_t seen;

	(void)state;
	watchtest_up(&x, s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	pghost_signal(s1, SIGSTOP, NULL);
	seen = clock_now().raw;
	pgwatch_poke(x.w);
	assert_false(pump(x.loop, watchtest_gone, &x, 1500 * USEC_MSEC));
	assert_int_equal(x.v->running, ANS_YES);
	assert_true(x.v->seen_at <= seen);
	assert_true(x.v->probe_at <= seen);
	pghost_signal(s1, SIGCONT, NULL);
	x.mark = clock_now().raw;
	assert_true(pump(x.loop, watchtest_new, &x, WATCHTEST_WAIT));
	watchtest_down(&x);
}

static void
on_settled(void *arg, struct check *c)
{
	struct watchtest *x = arg;
	struct check_state st;

	check_state(c, &st);
	snprintf(x->reason, sizeof(x->reason), "%s",
	    st.last == ANS_YES ? "up" : st.reason);
}

static bool
is_up(void *arg)
{
	return strcmp(((struct watchtest *)arg)->reason, "up") == 0;
}

static bool
is_not_running(void *arg)
{
	return strcmp(((struct watchtest *)arg)->reason, "not-running") == 0;
}

/* The check of s1 that goes by what is watched. */
static struct check *
checked(struct watchtest *x)
{
	static const struct conf_check row = { .name = "db",
		.type = "postgres",
		.interval = 20 * USEC_MSEC,
		.timeout = USEC_SEC,
		.window = 1,
		.threshold = 1 };
	const struct check_env env = {
		.loop = x->loop, .conf = &s1->conf, .pg = x->w
	};

	return check_new(&env, checks_type("postgres"), &row, on_settled, x);
}

static void
test_check_postgres(void **state)
{
	struct watchtest x;
	struct check *check;

	(void)state;
	watchtest_up(&x, s1);
	check = checked(&x);
	assert_true(pump(x.loop, is_up, &x, WATCHTEST_WAIT));
	pghost_signal(s1, SIGKILL, NULL);
	assert_true(pump(x.loop, is_not_running, &x, WATCHTEST_WAIT));
	check_free(check);
	watchtest_down(&x);
}

static bool
is_without_room(void *arg)
{
	struct watchtest *x = arg;

	return x->v->full && strcmp(x->reason, "disk-full") == 0;
}

static bool
is_full_standby(void *arg)
{
	return watchtest_standby(arg) && ((struct watchtest *)arg)->v->full;
}

static bool
is_written(void *arg)
{
	struct watchtest *x = arg;

	return !x->v->full && x->v->probe_at > x->mark;
}

/* A tablespace without room: the server commits what needs none, and that is
 * not counted. A standby sees it of its own disks. */
static void
test_no_room(void **state)
{
	struct watchtest x;
	struct check *check;
	const char *where;
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/pg_tblspc/77", s1->data);
	assert_int_equal(mkdir(path, 0700), 0);
	watchtest_up(&x, s1);
	check = checked(&x);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=512k"), 0);
	assert_true(pump(x.loop, is_without_room, &x, WATCHTEST_WAIT));
	assert_string_equal(pgwatch_no_room(x.w, &where), "disk-full");
	assert_string_equal(where, path);
	x.mark = x.v->probe_at;
	assert_false(pump(x.loop, is_written, &x, 1500 * USEC_MSEC));
	assert_true(x.v->probe_at == x.mark);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_true(pump(x.loop, is_written, &x, WATCHTEST_WAIT));
	assert_true(pump(x.loop, is_up, &x, WATCHTEST_WAIT));
	check_free(check);
	watchtest_down(&x);
	/* Of the other host's disks s2 knows nothing; of its own, it does. */
	snprintf(path, sizeof(path), "%s/pg_tblspc/77", s2->data);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=512k"), 0);
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, is_full_standby, &x, WATCHTEST_WAIT));
	watchtest_down(&x);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, pgpair_setup, pgpair_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gone),
		TEST(test_leftover),
		TEST(test_hung),
		TEST(test_check_postgres),
		TEST(test_no_room),
	};
	int failed;

	pgpair_own_mounts();
	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
