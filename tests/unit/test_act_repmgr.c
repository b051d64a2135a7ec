/*
 * repmgr's metadata after a promotion, written by the real repmgr, and the
 * check that compares it with what is true.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "act/env.h"
#include "acttest.h"
#include "hawatch/check.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/pgwatch.h"
#include "repmgrtest.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const struct goal goal = { .epoch = 7 };
static int
setup(void **state)
{
	(void)state;
	pgpair_up(&pgpair_one);
	repmgrtest_configure(s1, 0);
	repmgrtest_configure(s2, 1);
	return 0;
}

static void
both_registered(void)
{
	repmgrtest_register(s1, "primary");
	repmgrtest_register(s2, "standby");
}

struct asked {
	char reason[160];
	const char *want;
};

static void
on_settled(void *arg, struct check *c)
{
	struct asked *x = arg;
	struct check_state st;

	check_state(c, &st);
	snprintf(x->reason, sizeof(x->reason), "%s",
	    st.last == ANS_YES ? "up" : st.reason);
}

static bool
is_wanted(void *arg)
{
	struct asked *x = arg;

	return strcmp(x->reason, x->want) == 0;
}

/* The check's word on that host. */
static void
says(struct acttest *t, struct pghost *h, const char *want)
{
	const struct pgwatch_calls calls = { 0 };
	struct conf_check row = { .name = "repmgr",
		.type = "repmgr",
		.interval = 20 * USEC_MSEC,
		.timeout = USEC_SEC,
		.window = 1,
		.threshold = 1 };
	struct check_env env = { .loop = t->loop, .conf = &h->conf };
	struct asked x = { .want = want };
	struct check *c;

	env.pg = pgwatch_new(t->loop, &h->conf, &calls);
	c = check_new(&env, checks_type("repmgr"), &row, on_settled, &x);
	if (!pump(t->loop, is_wanted, &x, 10 * USEC_SEC))
		fail_msg("%s, not %s", x.reason, want);
	check_free(c);
	pgwatch_free(env.pg);
}

static bool
s1_seen(void *arg)
{
	(void)arg;
	return repmgrtest_both(s2);
}

static void
test_metadata(void **state)
{
	struct acttest t;

	(void)state;
	acttest_up(&t, s2);
	says(&t, s1, "sql-error");
	repmgrtest_register(s1, "primary");
	says(&t, s2, "repmgr-unknown-node");
	repmgrtest_register(s2, "standby");
	assert_true(acttest_wait(&t, s1_seen, NULL, 5 * USEC_SEC));
	says(&t, s1, "up");
	says(&t, s2, "up");
	pghost_signal(s1, SIGKILL, NULL);
	pghost_reap(s1);
	assert_true(acttest_run(&t, ACT_PROMOTE, &goal, 5 * USEC_SEC));
	says(&t, s2, "repmgr-type");
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	says(&t, s2, "up");
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	assert_in_range((int)t.ms, 0, 500);
	s2->conf.repmgr.enabled = false;
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

static void
test_metadata_failed(void **state)
{
	struct acttest t;

	(void)state;
	both_registered();
	acttest_up(&t, s2);
	assert_true(acttest_wait(&t, s1_seen, NULL, 5 * USEC_SEC));
	s2->conf.repmgr.program = "/bin/false";
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_string_equal(t.reason, "repmgr-failed");
	s2->conf.repmgr.program = "/nonexistent/repmgr";
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 10 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	acttest_down(&t);
}

static char said[4000]; /* all lines of the log */

static void
hear(void *arg, enum level level, const char *line)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

/* repmgr says as whom it could not connect, password and all. */
static void
test_metadata_password(void **state)
{
	char line[200];
	struct acttest t;

	snprintf(line, sizeof(line),
	    "sed -i 's/port=[0-9]*/port=1 password=HUSH/' %s",
	    s2->conf.repmgr.config);
	assert_int_equal(system(line), 0);
	acttest_up(&t, s2);
	emit_to(hear, NULL);
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_NO);
	assert_non_null(strstr(said, "ev=repmgr.register"));
	assert_non_null(strstr(said, "ERROR: "));
	assert_null(strstr(said, "HUSH"));
	acttest_down(&t);
}

/* The old primary hangs: repmgr waits for it, and a cancel ends repmgr. */
static void
test_metadata_hung(void **state)
{
	struct acttest t;

	(void)state;
	both_registered();
	acttest_up(&t, s2);
	assert_true(acttest_wait(&t, s1_seen, NULL, 5 * USEC_SEC));
	assert_true(acttest_run(&t, ACT_PROMOTE, &goal, 5 * USEC_SEC));
	pghost_signal(s1, SIGSTOP, NULL);
	assert_false(acttest_run(&t, ACT_METADATA, &goal, 300 * USEC_MSEC));
	acts_cancel(t.acts, ACT_METADATA);
	acttest_idle(&t, 100 * USEC_MSEC);
	assert_true(acttest_run(&t, ACT_METADATA, &goal, 20 * USEC_SEC));
	assert_int_equal(t.ans, ANS_YES);
	acttest_down(&t);
}

/* Its commands are configured: what they would fail of is said. */
static void
test_commands(void **state)
{
	static const char kept[] = "/etc/nobody/repmgr.conf";
	const char *config = s2->conf.repmgr.config;
	struct acttest t;

	(void)state;
	both_registered();
	acttest_up(&t, s2);
	assert_true(acttest_wait(&t, s1_seen, NULL, 5 * USEC_SEC));
	s2->conf.pg.commands = COMMANDS_REPMGR;
	says(&t, s2, "up");
	s2->conf.repmgr.config = kept;
	says(&t, s2, "repmgr-config");
	s2->conf.repmgr.config = config;
	assert_int_equal(pghost_sql(s1,
			     "CREATE ROLE who LOGIN; UPDATE repmgr.nodes SET"
			     " repluser = 'who' WHERE node_id = 2",
			     NULL, 0),
	    0);
	says(&t, s2, "repmgr-rights");
	assert_int_equal(pghost_sql(s1,
			     "UPDATE repmgr.nodes SET repluser = 'postgres',"
			     " conninfo = 'user=nobody_here dbname=postgres'"
			     " WHERE node_id = 2",
			     NULL, 0),
	    0);
	says(&t, s2, "repmgr-login");
	s2->conf.pg.commands = COMMANDS_NATIVE;
	says(&t, s2, "up");
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_metadata, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_metadata_failed, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_metadata_password, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_metadata_hung, setup, pgpair_teardown),
		cmocka_unit_test_setup_teardown(
		    test_commands, setup, pgpair_teardown),
	};
	int failed;

	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
