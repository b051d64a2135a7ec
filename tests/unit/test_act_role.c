/* The role of conf/sql/role.sql is enough for all that is done by SQL. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acttest.h"
#include "hawatch/loop.h"
#include "hawatch/pgwatch.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const struct goal to_s2 = {
	.epoch = 7, .node = PAIR_S2, .names = NODE_BIT(PAIR_S2)
};
static const struct goal to_none = { .epoch = 7 };

static int
setup(void **state)
{
	char sql[8000];
	size_t n;
	FILE *f;

	(void)state;
	pgpair_up(&pgpair_one);
	f = fopen(SOURCE_ROOT "/conf/sql/role.sql", "r");
	assert_non_null(f);
	n = fread(sql, 1, sizeof(sql) - 1, f);
	fclose(f);
	sql[n] = '\0';
	assert_int_equal(pghost_sql(s1, sql, NULL, 0), 0);
	s1->conf.pg.user = "hawatch";
	s2->conf.pg.user = "hawatch";
	return 0;
}

static bool
is_whole(void *arg)
{
	const struct pg_view *v = pgwatch_view(arg);

	return v->recovery == ANS_NO && v->probe_at != 0 &&
	       v->sender[PAIR_S2].streaming && !v->sender[PAIR_S2].doubled &&
	       v->system_id != 0 && v->insert != 0;
}

static bool
is_standby(void *arg)
{
	const struct pg_view *v = pgwatch_view(arg);

	return v->recovery == ANS_YES && v->receiver && v->upstream != 0;
}

static void
sees(struct acttest *t, struct pghost *h, bool (*cond)(void *arg))
{
	const struct pgwatch_calls calls = { 0 };
	struct pgwatch *w;

	w = pgwatch_new(t->loop, &h->conf, &calls);
	assert_true(pump(t->loop, cond, w, 10 * USEC_SEC));
	pgwatch_free(w);
}

static void
done(struct acttest *t, enum act_kind kind, const struct goal *goal)
{
	assert_true(acttest_run(t, kind, goal, 10 * USEC_SEC));
	assert_int_equal(t->ans, ANS_YES);
}

static void
test_role(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s1);
	sees(&t, s1, is_whole);
	done(&t, ACT_NAMES, &to_s2);
	done(&t, ACT_WAITING, &to_s2);
	done(&t, ACT_SETTLE, &to_none);
	done(&t, ACT_COMMIT, &to_none);
	acttest_down(&t);
	acttest_up(&t, s2);
	sees(&t, s2, is_standby);
	pghost_signal(s1, SIGKILL, NULL);
	done(&t, ACT_NAMES, &to_none);
	done(&t, ACT_PROMOTE, &to_none);
	done(&t, ACT_SETTLE, &to_none);
	done(&t, ACT_CHECKPOINT, &to_none);
	/* A promotion brings a checkpoint of its own, some time. */
	assert_int_equal(
	    pghost_sql(s2, "SET ROLE hawatch; CHECKPOINT", NULL, 0), 0);
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_role, setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
