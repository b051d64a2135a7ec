/*
 * Balancers by the states of their servers, against a real HAProxy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "haproxytest.h"

#define S1 NODE_BIT(0)
#define S2 NODE_BIT(1)

#define PROXIES \
	"backend web\n" \
	" server s1 127.0.0.1:9\n" \
	" server s2 127.0.0.1:9\n" \
	" server sorry 127.0.0.1:9 backup\n" \
	"backend off\n" \
	" server s1 127.0.0.1:9\n" \
	" server s2 127.0.0.1:9 disabled\n" \
	"backend half\n" \
	" server s1 127.0.0.1:9\n" \
	"backend tracking\n" \
	" server s1 127.0.0.1:9\n" \
	" server s2 127.0.0.1:9 track tracked/o\n" \
	"backend named\n" \
	" server s1 127.0.0.1:9\n" \
	" server s2 nowhere.invalid:9 init-addr none resolvers none\n" \
	"backend checked\n" \
	" server s1 127.0.0.1:9\n" \
	" server s2 127.0.0.1:9 check inter 50ms fall 1\n" \
	"backend tracked\n" \
	" server o 127.0.0.1:9 check disabled\n" \
	"resolvers none\n" \
	" nameserver none 127.0.0.1:9\n"

static struct hapt hap;
static struct world world;

static int
group_setup(void **state)
{
	hapt_start(&hap, "", PROXIES);
	return 0;
}

static int
group_teardown(void **state)
{
	hapt_stop(&hap);
	return 0;
}

static int
setup(void **state)
{
	free(hapt_say(&hap, "set server web/s1 state ready;"
			    "set server web/s2 state ready;"
			    "set server web/sorry state ready"));
	world_init(&world);
	*state = &world;
	return 0;
}

static int
teardown(void **state)
{
	world_fini(&world);
	return 0;
}

static void
admin(const char *backend, const char *server, const char *want)
{
	hapt_assert(&hap, backend, server, "srv_admin_state", want);
}

static void
test_states(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb = world_balancer(w, "lb", hap.admin, "web");
	struct traffic_state st;

	free(hapt_say(&hap, "set server web/sorry state drain"));
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	assert_string_equal(w->reason, "");
	admin("web", "s1", "0");
	admin("web", "s2", "1");
	assert_int_equal(world_said(w, "ev=traffic.change"), 1);
	assert_int_equal(world_said(w, "web/s2 is maint, was ready"), 1);
	assert_int_equal(traffic_count(w->traffic), 1);
	traffic_state(w->traffic, 0, &st);
	assert_string_equal(st.name, "lb");
	assert_int_equal(st.ok, ANS_YES);
	assert_string_equal(st.reason, "");
	assert_int_equal(st.in, S1);
	assert_int_equal(st.out, S2);
	assert_true(st.seen_at > 0);

	/* What is as wanted is not touched, and not spoken of. */
	world_quiet(w);
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	assert_string_equal(w->events, "");

	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s2", "0");
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.in, S1 | S2);
	assert_int_equal(st.out, 0);

	lb->out = OUT_DRAIN;
	world_run(w, 0, S2);
	admin("web", "s2", "8");
	/* Maintenance is no less than a drain: left as it is. */
	free(hapt_say(&hap, "set server web/s2 state maint"));
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s2", "1");
	/* A drain is less than maintenance. */
	lb->out = OUT_MAINT;
	free(hapt_say(&hap, "set server web/s2 state drain"));
	world_run(w, 0, S2);
	admin("web", "s2", "1");
	/* No node's server: nobody's business. */
	admin("web", "sorry", "8");
}

/* What another does to a server in the meantime is undone, and told. */
static void
test_changed_by_others(void **state)
{
	struct world *w = *state;

	world_balancer(w, "lb", hap.admin, "web");
	world_run(w, 0, S2);
	free(hapt_say(&hap,
	    "set server web/s2 state ready;set server web/s1 state drain"));
	world_quiet(w);
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s1", "0");
	admin("web", "s2", "1");
	assert_int_equal(world_said(w, "web/s1 is ready, was drain"), 1);
	assert_int_equal(world_said(w, "web/s2 is maint, was ready"), 1);
}

/* The primary's own server is wanted whatever is said of the others. */
static void
test_primary_stays(void **state)
{
	struct world *w = *state;

	world_balancer(w, "lb", hap.admin, "web");
	free(hapt_say(&hap, "set server web/s1 state maint"));
	world_run(w, 0, S1 | S2);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s1", "0");
	admin("web", "s2", "1");
}

static void
test_primary_missing(void **state)
{
	struct world *w = *state;
	struct traffic_state st;

	w->conf.self = 1;
	world_balancer(w, "lb", hap.admin, "half");
	world_run(w, 1, S1);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "traffic lb: ");
	assert_reason(w, hap.admin);
	assert_reason(w, "half/s2 is not there, wanted ready; so this stays "
			 "in: s1");
	admin("half", "s1", "0");
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.ok, ANS_NO);
	assert_int_equal(st.in, S1);
	/* Nothing is there to get something: nothing is to be done. */
	w->conf.self = 0;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
}

/* Maintenance that only HAProxy itself can end: told, and the other stays. */
static void
test_blocked(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb;

	w->conf.self = 1;
	lb = world_balancer(w, "lb", hap.admin, "tracking");
	world_run(w, 1, S1);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "maint (of the server that it tracks), wanted ready");
	admin("tracking", "s1", "0");
	free(hapt_say(&hap, "set server tracked/o state ready"));
	world_run(w, 1, S1);
	assert_int_equal(w->ans, ANS_YES);
	admin("tracking", "s1", "1");

	lb->backend = "named";
	world_run(w, 1, S1);
	assert_reason(w, "maint (its name does not resolve), wanted ready");
	admin("named", "s1", "0");
	/* Put out, it stays so when the name resolves again. */
	w->conf.self = 0;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	admin("named", "s2", "33");
}

static void
test_disabled(void **state)
{
	struct world *w = *state;

	world_balancer(w, "lb", hap.admin, "off");
	admin("off", "s2", "5");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	hapt_assert(&hap, "off", "s2", "srv_op_state", "2");
	assert_int_equal(world_said(w, "off/s2 is ready, was maint (disabled "
				       "in HAProxy's configuration)"),
	    1);
}

/* What a server's own check says is not ours to change: neither in nor out. */
static void
test_held_down(void **state)
{
	struct world *w = *state;
	struct traffic_state st;

	hapt_await(&hap, "checked", "s2", "srv_op_state", "0");
	world_balancer(w, "lb", hap.admin, "checked");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.in, S1);
	assert_int_equal(st.out, 0);
	hapt_assert(&hap, "checked", "s2", "srv_op_state", "0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_changed_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_primary_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_primary_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disabled, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_held_down, setup, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
