/*
 * A host switched off by fence agents: the order of actions and devices, what
 * counts as off, and agents that hang, fail or do not know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "agentrun.h"

/* Only asked: nothing is switched. What one device sees on, is on, whatever
 * the next level would say; what is seen off, is off. */
static void
test_look(void **state)
{
	static const char script[] =
	    "#!/bin/sh\nin=$(cat); echo \"$in\" >>$0.in\n"
	    "case $in in *action=status*) [ -e $0.off ] && exit 2; esac\n"
	    "exit 0\n";
	struct agentrun *f = *state;

	ar_add(f, "one", 1);
	ar_add(f, "two", 2);
	ar_put(f, "one", script, 0755);
	ar_put(f, "two", script, 0755);
	ar_put(f, "two.off", "", 0600);
	f->done = 0;
	f->agents = agents_new(f->loop, &f->conf, f->worker);
	agents_look(f->agents, 1, ar_on_off, f);
	ar_run_for(f, 10 * SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->off, ANS_NO);
	assert_non_null(strstr(ar_got(f, "one.in"), "action=status\n"));
	assert_null(strstr(ar_got(f, "one.in"), "action=off"));
	ar_put(f, "one.off", "", 0600);
	agents_look(f->agents, 1, ar_on_off, f);
	ar_run_for(f, 10 * SEC);
	assert_int_equal(f->done, 2);
	assert_int_equal(f->off, ANS_YES);
	assert_null(strstr(ar_got(f, "one.in"), "action=off"));
}

/* A shell that cannot read its script, or stumbles in it, ends with 2, by which
 * an agent says "off": not believed of who does not answer monitor. */
static void
test_broken_look(void **state)
{
	struct agentrun *f = *state;

	ar_add(f, "one", 1);
	ar_put(f, "one", "#!/bin/sh\n. /nowhere/pdu.conf\nexit 0\n", 0755);
	f->conf.agent[0].timeout = SEC;
	f->done = 0;
	f->agents = agents_new(f->loop, &f->conf, f->worker);
	agents_look(f->agents, 1, ar_on_off, f);
	ar_run_for(f, 10 * SEC);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->off, ANS_NO);
}

/* Lines on standard input, nothing in the arguments; off, and then status. */
static void
test_protocol(void **state)
{
	struct agentrun *f = *state;
	struct conf_agent *a = ar_add(f, "one", 1);
	char secret[128];

	ar_put(f, "pw", "s3cr3t 'with\\ quotes\n", 0600);
	snprintf(secret, sizeof(secret), "password=%s", ar_path(f, "pw"));
	a->options[0] = "ip=10.77.9.1";
	a->options[1] = "login=a=b c";
	a->secrets[0] = secret;
	ar_put(f, "one",
	    "#!/bin/sh\ncat >>$0.in; tr '\\0' ' ' </proc/$$/cmdline "
	    ">>$0.cmdline\nenv >>$0.env\n"
	    "case $(tail -n 4 $0.in) in *action=status*) exit 2; esac\n",
	    0755);
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_string_equal(ar_got(f, "one.in"),
	    "action=off\nip=10.77.9.1\nlogin=a=b c\npassword=s3cr3t "
	    "'with\\ quotes\n"
	    "action=status\nip=10.77.9.1\nlogin=a=b c\npassword=s3cr3t "
	    "'with\\ quotes\n");
	assert_null(strstr(ar_got(f, "one.cmdline"), "s3cr3t"));
	assert_null(strstr(ar_got(f, "one.env"), "s3cr3t"));
	assert_null(strstr(ar_emitted, "s3cr3t"));
	assert_non_null(strstr(ar_emitted, "agent=one node=b action=off"));
	assert_non_null(strstr(ar_emitted, "action=status answer=yes"));
}

/* An off that returns 0 is nothing: status has the word. */
static void
test_off_without_status(void **state)
{
	static const char *const says[] = { "exit 0\n", "exit 1\n", "exit 3\n",
		"kill -9 $$\n", "sleep 60\n" };
	struct agentrun *f = *state;
	size_t i;

	ar_add(f, "one", 1)->timeout = 400 * MSEC;
	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		ar_does(f, "one", "status", says[i]);
		ar_shoot(f);
		assert_int_equal(f->off, ANS_NO);
		if (i == 0)
			assert_string_equal(f->why, "one: status says on");
		agents_free(f->agents);
	}
	f->agents = NULL;
}

/* It takes the host a while to go down. */
static void
test_status_is_asked_again(void **state)
{
	struct agentrun *f = *state;

	ar_add(f, "one", 1);
	ar_does(
	    f, "one", "status", "[ -f $0.x ] && exit 2; touch $0.x; exit 0\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_string_equal(ar_got(f, "one.log"), "off\nstatus\nstatus\n");
}

/* An off that fails is tried again, as often as it may, and status is not
 * asked: it might be off by chance, and on in a moment. */
static void
test_retries(void **state)
{
	struct agentrun *f = *state;
	struct conf_agent *a = ar_add(f, "one", 1);

	a->retries = 2;
	ar_does(f, "one", "off", "echo no way >&2; exit 1\n");
	ar_does(f, "one", "status", "exit 2\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_NO);
	assert_string_equal(ar_got(f, "one.log"), "off\noff\noff\n");
	assert_string_equal(f->why, "one: status 1: no way");
	agents_free(f->agents);
	unlink(ar_path(f, "one.log"));
	ar_does(f, "one", "off", "[ -f $0.x ] && exit 0; touch $0.x; exit 1\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_string_equal(ar_got(f, "one.log"), "off\noff\nstatus\n");
}

/* All devices of a level; the next level when one of them fails. */
static void
test_levels(void **state)
{
	struct agentrun *f = *state;

	ar_add(f, "second", 5);
	ar_add(f, "left", 2);
	ar_add(f, "right", 2);
	ar_does(f, "left", "status", "exit 2\n");
	ar_does(f, "right", "status", "exit 2\n");
	ar_does(f, "second", "status", "exit 2\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_string_equal(ar_got(f, "left.log"), "off\nstatus\n");
	assert_string_equal(ar_got(f, "right.log"), "off\nstatus\n");
	assert_string_equal(ar_got(f, "second.log"), "");
	agents_free(f->agents);
	ar_does(f, "right", "off", "exit 1\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_string_equal(ar_got(f, "second.log"), "off\nstatus\n");
	agents_free(f->agents);
	ar_does(f, "second", "off", "exit 1\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_NO);
	assert_string_equal(f->why, "second: status 1");
}

static bool
alive(const char *pid_text)
{
	pid_t pid = (pid_t)strtol(pid_text, NULL, 10);
	char file[64], line[256] = "";
	FILE *stat;

	assert_true(pid > 1);
	snprintf(file, sizeof(file), "/proc/%d/stat", pid);
	stat = fopen(file, "r");
	if (stat == NULL)
		return false;
	(void)!fgets(line, sizeof(line), stat);
	fclose(stat);
	return line[0] != '\0' && strstr(line, ") Z ") == NULL;
}

static void
wait_dead(struct agentrun *f, const char *name)
{
	usec_t end = clock_now().raw + 3 * SEC;
	char pid[64];

	snprintf(pid, sizeof(pid), "%s", ar_got(f, name));
	while (alive(pid)) {
		assert_true(clock_now().raw < end);
		ar_run_for(f, 5 * MSEC);
	}
}

/* What hangs is killed with all it has started, and the loop goes on. */
static void
test_hang(void **state)
{
	struct agentrun *f = *state;
	usec_t start = clock_now().raw;

	ar_add(f, "one", 1)->timeout = 500 * MSEC;
	ar_does(f, "one", "off",
	    "trap '' TERM; sleep 61 & echo $! >$0.child; echo $$ >$0.pid; "
	    "wait; wait; sleep 61\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_NO);
	assert_true(clock_now().raw - start < 3 * SEC);
	assert_non_null(strstr(f->why, "killed"));
	wait_dead(f, "one.pid");
	wait_dead(f, "one.child");
}

/* Called back: nothing of it lives, nobody is told. */
static void
test_cancel(void **state)
{
	struct agentrun *f = *state;
	usec_t end = clock_now().raw + 5 * SEC;

	ar_add(f, "one", 1);
	ar_does(f, "one", "off",
	    "sleep 61 & echo $! >$0.child; echo $$ >$0.pid; wait\n");
	ar_begin(f);
	while (ar_got(f, "one.pid")[0] == '\0') {
		assert_true(clock_now().raw < end);
		ar_run_for(f, 10 * MSEC);
	}
	agents_cancel(f->agents);
	wait_dead(f, "one.pid");
	wait_dead(f, "one.child");
	assert_int_equal(f->done, 0);
}

static void
test_delay(void **state)
{
	struct agentrun *f = *state;
	struct conf_agent *a = ar_add(f, "one", 1);
	usec_t start = clock_now().raw;

	a->delay = 700 * MSEC;
	ar_does(f, "one", "status", "exit 2\n");
	ar_shoot(f);
	assert_int_equal(f->off, ANS_YES);
	assert_true(clock_now().raw - start >= 700 * MSEC);
}

int
main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(test_##name, ar_setup, ar_teardown)
	const struct CMUnitTest tests[] = {
		T(look),
		T(broken_look),
		T(protocol),
		T(off_without_status),
		T(status_is_asked_again),
		T(retries),
		T(levels),
		T(hang),
		T(cancel),
		T(delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
