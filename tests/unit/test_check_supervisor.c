/*
 * The check of supervisord and its programs, with a real one: what runs, what
 * does not, what is on its way, and what says nothing.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/check.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/supervisor.h"
#include "suptest.h"

struct fixture {
	struct suptest sup;
	struct loop *loop;
	struct http *web;
	struct timer *timer;
	struct check *check;
	struct conf_check conf;
	struct check_state st;
	int settled;
};

static const char programs[] =
    "[program:iam]\ncommand=/bin/sleep 1000\nstartsecs=0\n"
    "[program:celery]\ncommand=/bin/sleep 1001\nstartsecs=0\n"
    "[program:young]\ncommand=/bin/sleep 1002\nstartsecs=1000\n"
    "[program:off]\ncommand=/bin/sleep 1003\nautostart=false\n"
    "[program:fatal]\ncommand=/bin/false\nstartretries=0\n";

static void
on_settled(void *arg, struct check *c)
{
	struct fixture *f = arg;

	check_state(c, &f->st);
	f->settled++;
	loop_stop(f->loop);
}

static void
on_late(void *arg)
{
	fail_msg("no probe has settled for 10 s");
}

static void
probe(struct fixture *f)
{
	check_poke(f->check);
	timer_arm(f->timer, 10 * USEC_SEC);
	loop_run(f->loop, NULL, NULL);
	timer_disarm(f->timer);
}

/* Probes until it says that. */
static void
until(struct fixture *f, enum answer ans, const char *reason)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	do {
		probe(f);
		if (f->st.last == ans && strcmp(f->st.reason, reason) == 0)
			return;
	} while (clock_now().raw < end);
	fail_msg("it says %d %s", (int)f->st.last, f->st.reason);
}

static void
ask(struct fixture *f, const char *first, const char *second, const char *third)
{
	struct check_env env = { .loop = f->loop, .web = f->web };

	check_free(f->check);
	f->conf = (struct conf_check){ .name = "programs",
		.type = "supervisor",
		.interval = 200 * USEC_MSEC,
		.timeout = 500 * USEC_MSEC,
		.window = 1,
		.threshold = 1,
		.socket = f->sup.socket,
		.programs = { first, second, third } };
	f->check =
	    check_new(&env, checks_type("supervisor"), &f->conf, on_settled, f);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->timer = timer_new(f->loop, on_late, f);
	f->web = http_new(f->loop, NULL, &err);
	suptest_new(&f->sup, programs);
	suptest_start(&f->sup);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	check_free(f->check);
	http_free(f->web);
	timer_free(f->timer);
	loop_free(f->loop);
	suptest_free(&f->sup);
	free(f);
	return 0;
}

static void
test_programs(void **state)
{
	struct fixture *f = *state;

	ask(f, "iam", "celery", NULL);
	until(f, ANS_YES, "");
	ask(f, NULL, NULL, NULL);
	until(f, ANS_YES, "");
	ask(f, "iam", "off", NULL);
	until(f, ANS_NO, "program-stopped:off");
	ask(f, "fatal", "iam", "off");
	until(f, ANS_NO, "program-fatal:fatal program-stopped:off");
	ask(f, "iam", "nosuch", NULL);
	until(f, ANS_NO, "program-missing:nosuch");
	/* A start says nothing about the host, and hides nothing. */
	ask(f, "iam", "young", NULL);
	until(f, ANS_UNKNOWN, "program-starting:young");
	ask(f, "young", "off", "young");
	until(f, ANS_NO, "program-stopped:off");
}

/* More names than a reason holds: those that fit, whole. */
static void
test_long(void **state)
{
	struct fixture *f = *state;
	char a[90], b[90];

	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	ask(f, a, b, "off");
	probe(f);
	assert_int_equal(f->st.last, ANS_NO);
	assert_null(strchr(f->st.reason, 'b'));
	assert_non_null(strstr(f->st.reason, ":aaa"));
	assert_non_null(strstr(f->st.reason, "program-stopped:off"));
}

static void
test_gone(void **state)
{
	struct fixture *f = *state;

	ask(f, "iam", NULL, NULL);
	until(f, ANS_YES, "");
	kill(f->sup.pid, SIGSTOP);
	until(f, ANS_NO, "timeout");
	kill(f->sup.pid, SIGCONT);
	until(f, ANS_YES, "");
	suptest_end(&f->sup, SIGKILL);
	until(f, ANS_NO, "connect-refused");
	suptest_start(&f->sup);
	until(f, ANS_YES, "");
	suptest_end(&f->sup, SIGTERM);
	until(f, ANS_NO, "no-socket");
	assert_int_equal(f->st.up, ANS_NO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		T(test_programs),
		T(test_long),
		T(test_gone),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
