/*
 * Balancers by the address of one server, against a real HAProxy, with
 * established sessions through it.
 */
#include <setjmp.h>
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

static struct hapt hap;
static struct world world;
static int listener, port, other, other_port;

static int
setup(void **state)
{
	char *proxies;

	port = hapt_port(&listener);
	other_port = hapt_port(&other);
	proxies = xasprintf("listen pg\n bind unix@DIR/pg.sock\n"
			    " server primary 127.0.0.9:%d\n"
			    "listen held\n bind unix@DIR/held.sock\n"
			    " server primary 127.0.0.9:%d check inter 60s "
			    "fastinter 60s downinter 60s fall 1 rise 2\n"
			    "listen unix\n bind unix@DIR/unix.sock\n"
			    " server primary unix@DIR/pg.sock\n"
			    "listen off\n bind unix@DIR/off.sock\n"
			    " server primary 127.0.0.1:9 disabled\n",
	    hapt_port(NULL), hapt_port(NULL));
	hapt_start(&hap, "", proxies);
	free(proxies);
	world_init(&world);
	*state = &world;
	return 0;
}

static int
teardown(void **state)
{
	world_fini(&world);
	hapt_stop(&hap);
	close(listener);
	close(other);
	return 0;
}

static struct conf_traffic *
balancer(struct world *w, const char *backend)
{
	struct conf_traffic *t = world_balancer(w, "pg", hap.admin, backend);

	t->from = FROM_EVERY;
	t->server = "primary";
	t->address = "${primary.address}";
	t->port = port;
	return t;
}

/* A session through that frontend: *there is its far end. */
static int
session(const char *frontend, int from, int *there)
{
	char *path = xasprintf("%s/%s.sock", hap.dir, frontend);
	int fd = hapt_connect(path);

	assert_true(fd >= 0);
	*there = hapt_accept(from);
	assert_true(*there >= 0);
	free(path);
	return fd;
}

static void
test_moves(void **state)
{
	struct world *w = *state;
	struct conf_traffic *t = balancer(w, "pg");
	struct traffic_state st;
	int here, there, later, far;

	t->address = "${primary.private_ip}";
	w->conf.node[0].private_ip = "127.0.0.1";
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	hapt_assert(&hap, "pg", "primary", "srv_addr", "127.0.0.1");
	here = session("pg", listener, &there);
	assert_int_equal(world_said(w, "ev=traffic.change"), 1);
	traffic_state(w->traffic, 0, &st);
	assert_int_equal(st.ok, ANS_YES);
	assert_int_equal(st.in, 0);

	/* Already right: nothing is touched. */
	world_quiet(w);
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	assert_int_equal(hapt_closed(here, 100), 0);
	assert_string_equal(w->events, "");

	/* Another port alone is another server, too. */
	t->port = other_port;
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	assert_int_equal(hapt_closed(here, 1000), 1);
	assert_int_equal(hapt_closed(there, 1000), 1);
	later = session("pg", other, &far);
	close(here);
	close(there);

	w->conf.node[1].private_ip = "::1";
	world_run(w, 1, 0);
	assert_int_equal(w->ans, ANS_YES);
	hapt_assert(&hap, "pg", "primary", "srv_addr", "::1");
	assert_int_equal(hapt_closed(later, 1000), 1);
	close(later);
	close(far);
	w->conf.node[1].private_ip = "0:0:0::1";
	world_quiet(w);
	world_run(w, 1, 0);
	assert_int_equal(w->ans, ANS_YES);
	assert_string_equal(w->events, "");
}

/* Who moved it meanwhile is undone, and the sessions go as well. */
static void
test_moved_by_others(void **state)
{
	struct world *w = *state;
	char *line;
	int here, there;

	balancer(w, "pg");
	world_run(w, 0, 0);
	line = xasprintf(
	    "set server pg/primary addr 127.0.0.1 port %d", other_port);
	free(hapt_say(&hap, line));
	free(line);
	here = session("pg", other, &there);
	world_quiet(w);
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	assert_int_equal(hapt_closed(here, 1000), 1);
	assert_int_equal(world_said(w, "pg/primary has address 127.0.0.1"), 1);
	close(here);
	close(there);
}

/* The check that held the old address down does not hold the new one. */
static void
test_held_down(void **state)
{
	struct world *w = *state;
	int here, there;

	hapt_await(&hap, "held", "primary", "srv_op_state", "0");
	balancer(w, "held");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	here = session("held", listener, &there);
	close(here);
	close(there);
}

static void
test_disabled(void **state)
{
	struct world *w = *state;
	int here, there;

	balancer(w, "off");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	here = session("off", listener, &there);
	close(here);
	close(there);
}

/* HAProxy does not take it: told in its words. Sessions end with the first
 * try at most, and a later one that succeeds ends them. */
static void
test_not_taken(void **state)
{
	struct world *w = *state;
	struct conf_traffic *t = balancer(w, "unix");
	int here, there;

	t->backend = "pg";
	world_run(w, 0, 0);
	t->backend = "unix";
	traffic_free(w->traffic);
	w->traffic = NULL;
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "unix/primary has address - port 0, wanted 127.0.0.1 "
			 "port");
	assert_reason(w, "Update for the current server address family");
	here = session("unix", listener, &there);
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_int_equal(hapt_closed(here, 100), 0);
	t->backend = "pg";
	t->port = other_port;
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	assert_int_equal(hapt_closed(here, 1000), 1);
	close(here);
	close(there);
}

static void
test_wrong(void **state)
{
	struct world *w = *state;
	struct conf_traffic *t = balancer(w, "pg");

	world_run(w, NODE_NONE, 0);
	assert_reason(w, "the primary is not known");
	t->address = "${primary.name}";
	world_run(w, 0, 0);
	assert_reason(w, "\"s1\" is no numeric address");
	t->address = "${primary.address}";
	t->server = "second";
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "pg/second is not there, wanted ready");
	hapt_assert(&hap, "pg", "primary", "srv_addr", "127.0.0.9");
}

static void
test_observe(void **state)
{
	struct world *w = *state;

	balancer(w, "pg");
	w->conf.mode = MODE_OBSERVE;
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "mode observe changes nothing: pg/primary has "
			 "address 127.0.0.9 port");
	hapt_assert(&hap, "pg", "primary", "srv_addr", "127.0.0.9");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_moved_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_held_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disabled, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
