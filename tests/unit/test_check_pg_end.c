/*
 * Where a record ends that a standby has flushed: what it has flushed may end
 * within one, of which a server that was restarted without its primary knows
 * nothing; an insert position of the primary's that it flushed, it has.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "hawatch/loop.h"
#include "watchtest.h"

#define ROUNDS 3
#define LOOKS 40

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

/* A long transaction: the walwriter flushes whole pages of it. Then both die.
 */
static void
write_and_die(lsn_t *end, lsn_t *flushed)
{
	struct watchtest x;
	lsn_t next = 0;
	pid_t busy;
	int i;

	*end = *flushed = 0;
	watchtest_up(&x, s1);
	assert_true(pump(x.loop, watchtest_primary, &x, WATCHTEST_WAIT));
	busy =
	    pghost_psql(s1, "DO $$ BEGIN FOR i IN 1000000..9000000 LOOP"
			    " INSERT INTO vote VALUES (i); END LOOP; END $$");
	for (i = 0; i < LOOKS; i++) {
		pump(x.loop, never, NULL, 20 * USEC_MSEC);
		watchtest_again(&x);
		*flushed = x.v->sender[PAIR_S2].flush;
		if (next <= *flushed) {
			*end = next;
			next = x.v->insert;
		}
	}
	watchtest_down(&x);
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_int_equal(waitpid(busy, NULL, 0), busy);
	pghost_signal(s2, SIGKILL, NULL);
	pghost_reap(s2);
}

static lsn_t wanted;

/* It has replayed so far. */
static bool
reached(void *arg)
{
	const struct pg_view *v = ((struct watchtest *)arg)->v;

	return v->recovery == ANS_YES && v->wal_end >= wanted;
}

static void
test_restarted_alone(void **state)
{
	struct watchtest x;
	lsn_t flushed;

	(void)state;
	write_and_die(&wanted, &flushed);
	assert_int_not_equal(wanted, 0);
	pghost_launch(s2);
	pghost_wait_ready(s2);
	watchtest_up(&x, s2);
	assert_true(pump(x.loop, reached, &x, WATCHTEST_WAIT));
	pump(x.loop, never, NULL, 300 * USEC_MSEC);
	watchtest_again(&x);
	printf("    a record ended %lld bytes before what was flushed, the "
	       "standby's last one %lld\n",
	    (long long)(flushed - wanted), (long long)(flushed - x.v->wal_end));
	watchtest_down(&x);
}

int
main(void)
{
	struct CMUnitTest tests[ROUNDS];
	int i, failed;

	for (i = 0; i < ROUNDS; i++)
		tests[i] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
		    test_restarted_alone, pgpair_setup, pgpair_teardown);
	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
