/*
 * Telling people, by real commands: what they read, that one which hangs or
 * fails keeps nothing up but itself, and that a storm is cut short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/tell.h"
#include "hawatch/file.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"

static struct {
	struct conf conf;
	struct loop *loop;
	struct tell *tell;
	struct timer *tick;
	char dir[64], script[3][1200];
	usec_t until;
	bool (*done)(void);
	int tested, left, ok;
	char said[600], failed[400];
} f;

static void
tick(void *arg)
{
	timer_arm(f.tick, 5 * USEC_MSEC);
}

static void
turn(void *arg, const struct now *now)
{
	tell_turn(f.tell, now);
	if (f.done() || now->raw > f.until)
		loop_stop(f.loop);
}

static bool
pump(bool (*done)(void), int seconds)
{
	f.done = done;
	f.until = clock_now().raw + seconds * USEC_SEC;
	timer_arm(f.tick, 0);
	loop_run(f.loop, turn, NULL);
	return done();
}

static void
tap(void *arg, enum event_name ev, const struct kv *kv, size_t n)
{
	if (ev == EMIT_tell_failed)
		(void)snprintf(f.failed + strlen(f.failed),
		    sizeof(f.failed) - strlen(f.failed), "%s: %s\n", kv[0].str,
		    kv[1].str);
}

static int
setup(void **state)
{
	struct error err;

	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/hawatch-tell-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	f.conf.cluster = "votes";
	f.conf.node_count = 1;
	f.conf.node[0].name = "prod-s1";
	f.loop = loop_new(&err);
	f.tick = timer_new(f.loop, tick, NULL);
	emit_tap(tap, NULL);
	return 0;
}

/* A command of the configuration, by sh. */
static void
command(const char *name, const char *script, usec_t timeout)
{
	struct conf_notify *n = &f.conf.notify[f.conf.notify_count];

	(void)snprintf(f.script[f.conf.notify_count], sizeof(f.script[0]),
	    "cd %s; %s", f.dir, script);
	n->name = name;
	n->command[0] = "/bin/sh";
	n->command[1] = "-c";
	n->command[2] = f.script[f.conf.notify_count++];
	n->run_as = "";
	n->timeout = timeout;
}

static void
begin(void)
{
	f.tell = tell_new(f.loop, &f.conf);
}

static int
teardown(void **state)
{
	char cmd[100];

	emit_tap(NULL, NULL);
	tell_free(f.tell);
	timer_free(f.tick);
	loop_free(f.loop);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", f.dir);
	return system(cmd);
}

static void
happens(enum event_name ev, const char *key, const char *value)
{
	const struct now now = clock_now();

	tell_event(f.tell, &now, ev,
	    (const struct kv[]){ kv_i("epoch", 7), kv_s(key, value) }, 2);
}

/* The lines of that file; caller frees *text. */
static int
lines(const char *name, char **text)
{
	char path[128];
	struct error err;
	size_t len;
	int n = 0;
	char *p;

	(void)snprintf(path, sizeof(path), "%s/%s", f.dir, name);
	*text = file_read(path, 1 << 20, &len, &err);
	for (p = *text; p != NULL && (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static int
count(const char *name)
{
	char *text;
	int n = lines(name, &text);

	free(text);
	return n;
}

static bool
told_four(void)
{
	return count("a") >= 4;
}

static void
test_what_they_read(void **state)
{
	struct error err;
	char *text, *json;
	json_t *obj;

	command("mail", "cat >> a", USEC_SEC);
	begin();
	happens(EMIT_rogue_primary, "text", "prod-s2 \"is\"\none, too");
	happens(EMIT_plan_row, "text", "nobody need hear of it");
	happens(EMIT_register_lost, "reason", "connect-refused");
	assert_true(pump(told_four, 10));
	assert_int_equal(lines("a", &text), 4);
	json = strchr(text, '\n') + 1;
	assert_non_null(
	    strstr(text, "votes prod-s1: ROGUE PRIMARY: prod-s2 \"is\""));
	*strchr(json, '\n') = '\0';
	obj = json_read(json, strlen(json), &err);
	assert_non_null(obj);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "ev")), "rogue.primary");
	assert_string_equal(
	    json_string_value(json_object_get(obj, "node")), "prod-s1");
	assert_int_equal(json_integer_value(json_object_get(obj, "epoch")), 7);
	assert_int_equal(json_integer_value(json_object_get(obj, "schema")), 1);
	assert_non_null(json_object_get(obj, "at"));
	json = json + strlen(json) + 1;
	assert_non_null(
	    strstr(json, "the register does not answer: connect-refused"));
	json_decref(obj);
	free(text);
	assert_string_equal(f.failed, "");
}

static bool
hung_is_killed(void)
{
	return count("b") >= 4 && strstr(f.failed, "hang: killed") != NULL;
}

/* The others do not wait for the one that hangs, and it is tried again. */
static void
test_one_hangs(void **state)
{
	command("hang", "echo x >> h; sleep 60", 300 * USEC_MSEC);
	command("good", "cat >> b", USEC_SEC);
	command("bad", "echo no route; exit 3", USEC_SEC);
	begin();
	happens(EMIT_fence_error, "reason", "one");
	happens(EMIT_fence_error, "reason", "two");
	assert_true(pump(hung_is_killed, 10));
	assert_non_null(strstr(f.failed, "bad: exit 3: no route"));
	assert_null(strstr(f.failed, "good"));
	assert_true(count("h") >= 1);
}

static bool
all_but_a_few(void)
{
	return count("c") >= 40;
}

static bool
three_ran(void)
{
	return count("g") >= 6;
}

static void
test_one_at_a_time(void **state)
{
	char *text;

	command("mail", "echo s >> g; sleep 0.1; echo e >> g", USEC_SEC);
	begin();
	happens(EMIT_fence_error, "reason", "one");
	happens(EMIT_fence_error, "reason", "two");
	happens(EMIT_fence_error, "reason", "three");
	assert_true(pump(three_ran, 10));
	(void)lines("g", &text);
	assert_string_equal(text, "s\ne\ns\ne\ns\ne\n");
	free(text);
}

static bool
all_and_more(void)
{
	return count("c") >= 42;
}

/* Twenty a minute; the rest is counted. */
static void
test_a_storm(void **state)
{
	struct now now = clock_now();
	char *text;
	int i;

	command("mail", "cat >> c", USEC_SEC);
	begin();
	for (i = 0; i < 100; i++)
		happens(EMIT_fence_error, "reason", "again");
	assert_true(pump(all_but_a_few, 20));
	assert_int_equal(count("c"), 40);
	now.raw += 61 * USEC_SEC;
	tell_turn(f.tell, &now);
	assert_true(pump(all_and_more, 10));
	assert_int_equal(lines("c", &text), 42);
	assert_non_null(strstr(text, "80 more events in the last minute"));
	free(text);
}

static void
tested(void *arg, const struct tell_result *res)
{
	f.tested++;
	f.left = res->left;
	f.ok += res->ok;
	(void)snprintf(f.said + strlen(f.said), sizeof(f.said) - strlen(f.said),
	    "%s: %s\n", res->name, res->text);
}

static bool
all_tested(void)
{
	return f.tested == f.conf.notify_count;
}

static void
test_a_test(void **state)
{
	const struct now now = clock_now();

	command("mail", "cat >> d; echo sent to 2", USEC_SEC);
	command("hang", "sleep 60", 200 * USEC_MSEC);
	command("none", "kill -9 $$", USEC_SEC);
	begin();
	assert_int_equal(tell_test(f.tell, &now, tested, NULL), 3);
	assert_int_equal(tell_test(f.tell, &now, tested, NULL), -1);
	assert_true(pump(all_tested, 10));
	assert_int_equal(f.left, 0);
	assert_int_equal(f.ok, 1);
	assert_non_null(strstr(f.said, "mail: done: sent to 2"));
	assert_non_null(strstr(f.said, "hang: killed: it overran its time"));
	assert_non_null(strstr(f.said, "none: signal 9"));
	assert_int_equal(count("d"), 2);
	assert_int_equal(tell_test(f.tell, &now, tested, NULL), 3);
}

/* What cannot be started at all. */
static void
test_no_such_user(void **state)
{
	const struct now now = clock_now();

	command("mail", "cat >> e", USEC_SEC);
	f.conf.notify[0].run_as = "no-such-user-here";
	begin();
	assert_int_equal(tell_test(f.tell, &now, tested, NULL), 1);
	assert_true(pump(all_tested, 10));
	assert_int_equal(f.ok, 0);
	assert_non_null(strstr(f.said, "no such user"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_they_read),
		TEST(test_one_hangs),
		TEST(test_one_at_a_time),
		TEST(test_a_storm),
		TEST(test_a_test),
		TEST(test_no_such_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
