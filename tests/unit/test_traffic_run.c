/*
 * Runs of traffic against a real HAProxy: several sockets, one that is gone,
 * hangs or refuses, whose business a balancer is, and how long it takes.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "haproxytest.h"
#include "hawatch/mem.h"

#define S1 NODE_BIT(0)
#define S2 NODE_BIT(1)

#define PROXIES \
	"backend web\n" \
	" server s1 127.0.0.1:9\n" \
	" server s2 127.0.0.1:9\n"

static struct hapt hap;
static struct world world;
static char *tcp;

static int
group_setup(void **state)
{
	int port = hapt_port(NULL);
	char *more = xasprintf(" stats socket DIR/second.sock level admin\n"
			       " stats socket DIR/user.sock level user\n"
			       " stats socket ipv4@127.0.0.1:%d level admin\n",
	    port);

	hapt_start(&hap, more, PROXIES);
	free(more);
	tcp = xasprintf("127.0.0.1:%d", port);
	return 0;
}

static int
group_teardown(void **state)
{
	hapt_stop(&hap);
	free(tcp);
	return 0;
}

static int
setup(void **state)
{
	free(hapt_say(&hap,
	    "set server web/s1 state ready;set server web/s2 state ready"));
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
test_several_sockets(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb = world_balancer(w, "lb", "", "web");
	char *gone = xasprintf("%s/gone.sock", hap.dir);
	char *second = xasprintf("%s/second.sock", hap.dir);
	struct traffic_state st;

	lb->sockets[0] = gone;
	lb->sockets[1] = second;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "gone.sock: connect: No such file");
	admin("web", "s2", "1");
	assert_int_equal(world_said(w, "ev=traffic.failed"), 1);
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.ok, ANS_UNKNOWN);
	assert_int_equal(st.in, S1);
	assert_int_equal(st.out, S2);
	/* Once, however often it fails; then that it is well. */
	world_run(w, 0, S2);
	assert_int_equal(world_said(w, "ev=traffic.failed"), 1);
	lb->sockets[0] = hap.admin;
	traffic_free(w->traffic);
	w->traffic = NULL;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	free(gone);
	free(second);
}

/* A node that one of the processes still sends something is not out, and one
 * that answered says more than one that did not. */
static void
test_not_everywhere(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb = world_balancer(w, "lb", "", "web");
	struct traffic_state st;
	struct hapt second;
	char *gone, *user;
	int i;

	hapt_start(
	    &second, " stats socket DIR/user.sock level user\n", PROXIES);
	gone = xasprintf("%s/gone.sock", hap.dir);
	user = xasprintf("%s/user.sock", second.dir);
	/* Its first socket was waited for. */
	for (i = 0; i < 1000 && access(user, F_OK) == -1; i++)
		usleep(10000);
	lb->sockets[0] = user;
	lb->sockets[1] = gone;
	lb->sockets[2] = hap.admin;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "web/s2: Permission denied");
	admin("web", "s2", "1");
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.ok, ANS_NO);
	assert_int_equal(st.in, S1 | S2);
	assert_int_equal(st.out, 0);
	hapt_stop(&second);
	free(gone);
	free(user);
}

static void
test_hangs(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb =
	    world_balancer(w, "stopped", hap.admin, "web");
	struct conf_traffic *other;
	struct traffic_state st;
	struct hapt well;

	hapt_start(&well, "", PROXIES);
	other = world_balancer(w, "well", well.admin, "web");
	lb->timeout = 200 * USEC_MSEC;
	hapt_freeze(&hap);
	world_run(w, 0, S2);
	assert_int_equal(kill(hap.pid, SIGCONT), 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "traffic stopped: ");
	assert_reason(w, "no answer within 200ms to: show servers state");
	assert_in_range(w->took, 190 * USEC_MSEC, 1500 * USEC_MSEC);
	assert_int_equal(world_said(w, "ev=traffic.failed"), 1);
	hapt_assert(&well, other->backend, "s2", "srv_admin_state", "1");
	admin("web", "s2", "0");
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.ok, ANS_UNKNOWN);
	assert_true(st.seen_at == 0);
	traffic_state(w->traffic, 1, &st);
	assert_int_equal(st.ok, ANS_YES);

	lb->timeout = 2 * USEC_SEC;
	world_quiet(w);
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s2", "1");
	assert_int_equal(world_said(w, "as wanted again"), 1);
	hapt_stop(&well);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb = world_balancer(w, "lb", hap.admin, "nobody");
	char *user = xasprintf("%s/user.sock", hap.dir);

	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "show servers state nobody: \"Can't find backend.\"");
	lb->backend = "web";
	lb->sockets[0] = user;
	traffic_free(w->traffic);
	w->traffic = NULL;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "web/s2: Permission denied");
	admin("web", "s2", "0");
	free(user);
}

static void
test_who_steers(void **state)
{
	struct world *w = *state;
	struct conf_traffic *every;
	struct traffic_state st;

	world_balancer(w, "of-the-holder", hap.admin, "web");
	world_run(w, 1, S1);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s1", "0");
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.ok, ANS_UNKNOWN);
	assert_true(st.seen_at == 0);
	every = &w->conf.traffic[0];
	every->from = FROM_EVERY;
	world_run(w, 1, S1);
	admin("web", "s1", "1");
	/* A witness steers nothing. */
	traffic_free(w->traffic);
	w->conf.self = 2;
	w->traffic = traffic_new(w->loop, &w->conf);
	assert_int_equal(traffic_count(w->traffic), 0);
	world_run(w, 1, 0);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s1", "1");
}

static void
test_observe(void **state)
{
	struct world *w = *state;

	w->conf.mode = MODE_OBSERVE;
	world_balancer(w, "lb", hap.admin, "web");
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "mode observe changes nothing: web/s2 is ready, "
			 "wanted maint");
	admin("web", "s2", "0");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
}

/* A run that is cancelled or replaced says nothing. */
static void
test_cancel(void **state)
{
	struct world *w = *state;
	const struct traffic_goal goal = { .holder = true, .out = S2 };

	world_balancer(w, "lb", hap.admin, "web");
	w->traffic = traffic_new(w->loop, &w->conf);
	traffic_run(w->traffic, &goal, world_done_cb, w);
	traffic_cancel(w->traffic);
	traffic_cancel(w->traffic);
	traffic_run(w->traffic, &goal, world_done_cb, w);
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s2", "0");
	traffic_run(w->traffic, &goal, world_done_cb, w);
}

/* By TCP, where a connection that is refused is seen later. */
static void
test_tcp(void **state)
{
	struct world *w = *state;
	struct conf_traffic *lb = world_balancer(w, "lb", tcp, "web");
	char *gone = xasprintf("127.0.0.1:%d", hapt_port(NULL));

	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_YES);
	admin("web", "s2", "1");
	lb->sockets[0] = gone;
	traffic_free(w->traffic);
	w->traffic = NULL;
	world_run(w, 0, S2);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, gone);
	assert_reason(w, ": connect: Connection refused");
	free(gone);
}

/* Far below what a voter notices; printed for who wants to know. */
static void
test_time(void **state)
{
	struct world *w = *state;
	usec_t look = 0, change = 0, least = USEC_NEVER;
	int i;

	world_balancer(w, "lb", hap.admin, "web");
	for (i = 0; i < 20; i++) {
		world_run(w, 0, i % 2 == 0 ? S2 : 0);
		assert_int_equal(w->ans, ANS_YES);
		change += w->took;
		least = w->took < least ? w->took : least;
		world_run(w, 0, i % 2 == 0 ? S2 : 0);
		look += w->took;
	}
	print_message("a run that changes takes %lld us, one that does not "
		      "%lld us\n",
	    (long long)change / 20, (long long)look / 20);
	assert_true(least < 50 * USEC_MSEC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_several_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_not_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_who_steers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
