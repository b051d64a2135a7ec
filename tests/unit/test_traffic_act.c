/*
 * The action "traffic" against a real HAProxy: it goes on until the balancer is
 * as wanted, whoever has to act for that.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "act/env.h"
#include "haproxytest.h"

static struct hapt hap;
static struct world world;
static struct act_env *env;
static struct acts *acts;
static char waited[200];

static void
acts_cb(void *arg, enum act_kind kind, const struct goal *goal, enum answer ans,
    const char *reason)
{
	assert_int_equal(kind, ACT_TRAFFIC);
	assert_int_equal(goal->epoch, 7);
	world_done_cb(arg, ans, reason);
}

static int
setup(void **state)
{
	hapt_start(&hap, "",
	    "backend web\n"
	    " server s1 127.0.0.1:9 track other/o\n"
	    " server s2 127.0.0.1:9\n"
	    "backend other\n"
	    " server o 127.0.0.1:9 check disabled\n");
	world_init(&world);
	world_balancer(&world, "lb", hap.admin, "web");
	world.traffic = traffic_new(world.loop, &world.conf);
	env = act_env_new(world.loop, &world.conf, NULL);
	env->traffic = world.traffic;
	acts = acts_new(env, acts_cb, &world);
	*state = &world;
	return 0;
}

static int
teardown(void **state)
{
	acts_free(acts);
	act_env_free(env);
	world_fini(&world);
	hapt_stop(&hap);
	return 0;
}

static void
undo_cb(void *arg)
{
	(void)arg;
	strncpy(waited, acts_reason(acts, ACT_TRAFFIC), sizeof(waited) - 1);
	free(hapt_say(&hap, "set server other/o state ready"));
}

static void
test_goes_on(void **state)
{
	struct world *w = *state;
	const struct goal goal = { .epoch = 7, .names = NODE_BIT(1) };
	struct timer *undo = timer_new(w->loop, undo_cb, w);

	timer_arm(undo, 150 * USEC_MSEC);
	acts_start(acts, ACT_TRAFFIC, &goal);
	world_turn(w);
	timer_free(undo);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->ans, ANS_YES);
	assert_non_null(strstr(waited, "so this stays in: s2"));
	hapt_assert(&hap, "web", "s2", "srv_admin_state", "1");
	/* Many tries, one word of it. */
	assert_int_equal(world_said(w, "ev=act.wait"), 1);
	assert_int_equal(world_said(w, "ev=traffic.failed"), 1);
	/* Asserted again, it is the same, and nobody needs to be told. */
	acts_start(acts, ACT_TRAFFIC, &goal);
	world_turn(w);
	assert_int_equal(w->calls, 2);
	assert_int_equal(world_said(w, "ev=act.start"), 1);
	assert_int_equal(world_said(w, "ev=act.done"), 1);
}

/* Another holds the cluster: its balancer is not touched from here. */
static void
test_other_holder(void **state)
{
	struct world *w = *state;
	const struct goal goal = {
		.epoch = 7, .node = 1, .names = NODE_BIT(0)
	};

	acts_start(acts, ACT_TRAFFIC, &goal);
	world_turn(w);
	assert_int_equal(w->ans, ANS_YES);
	hapt_assert(&hap, "web", "s1", "srv_admin_state", "2");
}

static void
replace_cb(void *arg)
{
	const struct goal other = { .epoch = 7, .node = 1 };

	acts_cancel(acts, ACT_TRAFFIC);
	acts_start(acts, ACT_TRAFFIC, &other);
}

/* Cancelled while it asks: it says nothing and changes nothing more. */
static void
test_cancelled(void **state)
{
	struct world *w = *state;
	const struct goal goal = { .epoch = 7, .names = NODE_BIT(1) };
	struct timer *replace = timer_new(w->loop, replace_cb, w);

	free(hapt_say(&hap, "set server other/o state ready"));
	hapt_freeze(&hap);
	acts_start(acts, ACT_TRAFFIC, &goal);
	timer_arm(replace, 50 * USEC_MSEC);
	world_turn(w);
	timer_free(replace);
	assert_int_equal(kill(hap.pid, SIGCONT), 0);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->ans, ANS_YES);
	hapt_assert(&hap, "web", "s2", "srv_admin_state", "0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_other_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_cancelled, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
