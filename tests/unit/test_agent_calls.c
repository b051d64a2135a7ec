/*
 * How a fence agent is called: its secrets, its output, a command in its place,
 * the monitor; and fence_dummy of ClusterLabs for conformance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agentrun.h"

#define DUMMY "/usr/sbin/fence_dummy"

/* A secret that others may read, is not there, or is no line is not used. */
static void
test_secret_files(void **state)
{
	struct agentrun *f = *state;
	struct conf_agent *a = ar_add(f, "one", 1);
	char secret[128];
	int i;

	snprintf(secret, sizeof(secret), "password=%s", ar_path(f, "pw"));
	a->secrets[0] = secret;
	ar_does(f, "one", "status", "exit 2\n");
	for (i = 0; i < 5; i++) {
		unlink(ar_path(f, "pw"));
		if (i == 0)
			ar_put(f, "pw", "hunter2\n", 0640);
		else if (i == 1)
			ar_put(f, "pw", "hunter2\naction=on\n", 0600);
		else if (i == 2)
			ar_put(f, "pw", "", 0600);
		else if (i == 3)
			assert_int_equal(mkfifo(ar_path(f, "pw"), 0600), 0);
		ar_shoot(f);
		assert_int_equal(f->off, ANS_NO);
		assert_non_null(strstr(f->why, ar_path(f, "pw")));
		assert_string_equal(ar_got(f, "one.log"), "");
		agents_free(f->agents);
	}
	ar_put(f, "pw", "hunter2", 0600);
	/* And it is not quoted. */
	ar_does(f, "one", "off", "echo bad password: hunter2; exit 1\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_NO);
	assert_null(strstr(f->why, "hunter2"));
	assert_null(strstr(ar_emitted, "hunter2"));
}

/* A plain command gets the action, and nothing to read. */
static void
test_command(void **state)
{
	struct agentrun *f = *state;
	struct conf_agent *a = ar_add(f, "one", 1);

	ar_put(f, "one",
	    "#!/bin/sh\necho $* >>$0.log; cat >>$0.log\n"
	    "[ $2 = status ] && exit 2; exit 0\n",
	    0755);
	a->command[0] = a->agent;
	a->command[1] = "b";
	a->agent = strdup("");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_string_equal(ar_got(f, "one.log"), "b off\nb status\n");
	free((char *)(uintptr_t)a->command[0]);
}

/* What prints without end costs no memory; what it prints is shown harmless. */
static void
test_output(void **state)
{
	struct agentrun *f = *state;

	ar_add(f, "one", 1);
	ar_does(f, "one", "off", "printf '\\033[31mred\\n\\n' >&2; exit 1\n");
	ar_shoot(f);
	assert_string_equal(f->why, "one: status 1: ?[31mred");
	agents_free(f->agents);
	ar_does(f, "one", "off", "yes | head -c 3000000; exit 1\n");
	ar_shoot(f);
	assert_string_equal(f->why, "one: status 1: y");
}

static struct agent_state
watched(struct agentrun *f, int i, enum answer wanted)
{
	usec_t end = clock_now().raw + 8 * SEC;
	struct agent_state st;

	do {
		ar_run_for(f, 20 * MSEC);
		agents_state(f->agents, i, &st);
		assert_true(clock_now().raw < end);
	} while (st.ok != wanted);
	return st;
}

/* Others' devices are tried by monitor, and by nothing else. */
static void
test_monitor(void **state)
{
	struct agentrun *f = *state;
	struct agent_state st;

	ar_add(f, "good", 1);
	ar_add(f, "bad", 1);
	ar_add(f, "own", 1)->target = 0;
	ar_does(f, "bad", "monitor", "echo unreachable; exit 1\n");
	f->agents = agents_new(f->loop, &f->conf, f->worker);
	assert_int_equal(agents_count(f->agents), 2);
	assert_int_equal(agents_nodes(&f->conf), NODE_BIT(1));
	st = watched(f, 1, ANS_NO);
	assert_string_equal(st.conf->name, "bad");
	assert_string_equal(st.why, "status 1: unreachable");
	st = watched(f, 0, ANS_YES);
	assert_string_equal(ar_got(f, "good.log"), "monitor\n");
	assert_string_equal(ar_got(f, "own.log"), "");
	assert_non_null(strstr(ar_emitted, "ev=agent.change"));
}

/* The agent of ClusterLabs itself. */
static void
test_fence_dummy(void **state)
{
	struct agentrun *f = *state;
	struct conf_agent *a;
	char option[128];
	FILE *was;

	if (access(DUMMY, X_OK) != 0) {
		fprintf(stderr, "no %s: apt-get install fence-agents\n", DUMMY);
		skip();
	}
	a = ar_add(f, "dummy", 1);
	free((char *)(uintptr_t)a->agent);
	a->agent = strdup(DUMMY);
	a->timeout = 15 * SEC;
	ar_put(f, "state", "on", 0600);
	snprintf(option, sizeof(option), "status_file=%s", ar_path(f, "state"));
	a->options[0] = option;
	a->options[1] = "type=file";
	f->agents = agents_new(f->loop, &f->conf, f->worker);
	(void)watched(f, 0, ANS_YES);
	agents_free(f->agents);
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	was = fopen(ar_path(f, "state"), "r");
	assert_non_null(was);
	assert_int_equal(fgetc(was), 'o');
	assert_int_equal(fgetc(was), 'f');
	fclose(was);
	agents_free(f->agents);
	/* One that never gets off. */
	a->options[0] = "plug=x";
	a->options[1] = "type=fail";
	a->retries = 0;
	ar_shoot(f);
	assert_int_equal(f->off, ANS_NO);
}

int
main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(test_##name, ar_setup, ar_teardown)
	const struct CMUnitTest tests[] = {
		T(secret_files),
		T(command),
		T(output),
		T(monitor),
		T(fence_dummy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
