/*
 * A host's history: what counts is written by a thread and found again, by
 * epoch too; a disk that refuses disturbs nobody; what repeats itself does not
 * push out what matters.
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

#include "engine/history.h"
#include "hawatch/file.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

static char dir[64];
static struct loop *loop;
static struct history *history;
static struct timer *tick;
static struct now at;
static json_t *found;
static usec_t until, ahead;
static unsigned failures;

static void
tick_cb(void *arg)
{
	timer_arm(tick, 2 * USEC_MSEC);
}

static void
sink(void *arg, enum level level, const char *line)
{
	failures += strstr(line, "ev=history.failed") != NULL;
}

static int
setup(void **state)
{
	struct error err;

	strcpy(dir, "/tmp/hawatch-history-XXXXXX");
	assert_non_null(mkdtemp(dir));
	loop = loop_new(&err);
	tick = timer_new(loop, tick_cb, NULL);
	history = history_new(loop, dir, "prod-s1");
	at = clock_now();
	failures = 0;
	ahead = 0;
	emit_to(sink, NULL);
	return 0;
}

static int
teardown(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);

	history_free(history);
	timer_free(tick);
	loop_free(loop);
	json_decref(found);
	found = NULL;
	assert_int_equal(system(cmd), 0);
	free(cmd);
	return 0;
}

static void
note(enum event_name ev, uint64_t epoch, const char *text)
{
	const struct kv kv[] = { kv_i("epoch", epoch), kv_s("text", text) };

	history_event(history, &at, ev, kv, 2, NULL);
}

static void
found_cb(void *arg, uint64_t id, const json_t *obj)
{
	json_decref(found);
	found = json_copy((json_t *)(uintptr_t)obj);
	assert_int_equal(id, 7);
	loop_stop(loop);
}

static void
turn(void *arg, const struct now *now)
{
	struct now then = *now;

	then.raw += ahead;
	ahead = 0;
	history_turn(history, &then);
	if (now->raw > until)
		loop_stop(loop);
}

static void
ask(uint64_t epoch, bool all)
{
	const struct history_query q = {
		.epoch = epoch, .all = all, .records = 50, .bytes = 20000
	};

	json_decref(found);
	found = NULL;
	history_read(history, &q, found_cb, NULL, 7);
	until = clock_now().raw + 8 * USEC_SEC;
	timer_arm(tick, 0);
	loop_run(loop, turn, NULL);
	assert_non_null(found);
}

static size_t
lines(void)
{
	return json_array_size(json_object_get(found, "records"));
}

static const char *
text_of(size_t i)
{
	return json_string_value(json_object_get(
	    json_array_get(json_object_get(found, "records"), i), "text"));
}

static void
test_written_and_found(void **state)
{
	note(EMIT_node_latched, 3, "stays stopped");
	note(EMIT_plan_row, 3, "claim");
	note(EMIT_check_change, 3, "is none of its business");
	ask(0, false);
	assert_int_equal(lines(), 1);
	assert_string_equal(text_of(0), "stays stopped");
	assert_null(json_object_get(found, "broken"));
	ask(0, true);
	assert_int_equal(lines(), 2);
	/* After a restart it goes on. */
	history_free(history);
	history = history_new(loop, dir, "prod-s1");
	note(EMIT_plan_end, 3, "done");
	ask(0, false);
	assert_int_equal(lines(), 2);
	assert_null(json_object_get(found, "broken"));
}

/* What waits when the engine ends is written, too. */
static void
test_the_end(void **state)
{
	note(EMIT_plan_end, 3, "done");
	history_free(history);
	history = history_new(loop, dir, "prod-s1");
	ask(0, false);
	assert_int_equal(lines(), 1);
}

static void
test_of_an_epoch(void **state)
{
	note(EMIT_plan_end, 1, "long before");
	at.wall += 3600 * USEC_SEC;
	note(EMIT_plan_start, 1, "just before");
	note(EMIT_plan_row, 2, "claim");
	at.wall += USEC_SEC;
	note(EMIT_plan_end, 2, "over");
	at.wall += USEC_SEC;
	note(EMIT_plan_start, 3, "the next");
	ask(2, false);
	assert_int_equal(lines(), 3);
	assert_string_equal(text_of(0), "just before");
	assert_string_equal(text_of(2), "over");
	ask(9, false);
	assert_int_equal(lines(), 0);
}

/* More than fits: what was long before goes, and not what it is about. */
static void
test_too_much_of_an_epoch(void **state)
{
	char text[600];
	int i;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 40; i++)
		note(EMIT_plan_row, 1, text);
	at.wall += 20 * USEC_SEC;
	note(EMIT_plan_start, 1, "just before");
	note(EMIT_plan_end, 2, "over");
	ask(2, false);
	assert_true(lines() > 10 && lines() < 42);
	assert_string_equal(text_of(lines() - 1), "over");
	assert_string_equal(text_of(lines() - 2), "just before");
	/* Of that itself the beginning. */
	for (i = 0; i < 60; i++)
		note(EMIT_plan_row, 3, i == 0 ? "first" : text);
	ask(3, false);
	assert_string_equal(text_of(0), "just before");
	assert_string_equal(text_of(1), "over");
	assert_string_equal(text_of(2), "first");
	assert_true(lines() > 10 && lines() < 50);
}

/* The directory is not there: nothing waits, it is told once, and when it is
 * there the lines are in. */
static void
test_no_room(void **state)
{
	char *gone = xasprintf("%s/gone", dir);

	history_free(history);
	history = history_new(loop, gone, "prod-s1");
	note(EMIT_plan_end, 1, "kept in mind");
	ask(0, false);
	assert_int_equal(lines(), 0);
	ahead = 60 * USEC_SEC;
	ask(0, false);
	assert_int_equal(lines(), 0);
	assert_int_equal(failures, 1);
	assert_int_equal(mkdir(gone, 0700), 0);
	history_free(history); /* tries once more */
	history = history_new(loop, gone, "prod-s1");
	ask(0, false);
	assert_int_equal(lines(), 1);
	assert_string_equal(text_of(0), "kept in mind");
	free(gone);
}

/* A line that was changed on the disk is shown as what it is. */
static void
test_changed(void **state)
{
	char *path = xasprintf("%s/" HISTORY_NAME, dir), *text;
	struct error err;
	size_t len;

	note(EMIT_plan_end, 1, "one");
	note(EMIT_plan_end, 1, "two");
	ask(0, false);
	text = file_read(path, 100000, &len, &err);
	assert_non_null(text);
	memcpy(strstr(text, "two"), "six", 3);
	assert_int_equal(file_replace(path, text, len, 0600, &err), 0);
	ask(0, false);
	assert_int_equal(lines(), 2);
	assert_non_null(json_object_get(found, "broken"));
	assert_null(json_object_get(
	    json_array_get(json_object_get(found, "records"), 0), "unlinked"));
	assert_non_null(json_object_get(
	    json_array_get(json_object_get(found, "records"), 1), "unlinked"));
	free(text);
	free(path);
}

static void
test_what_repeats_itself(void **state)
{
	int i;

	for (i = 0; i < 2000; i++) {
		note(EMIT_peer_lost, 1, "lost");
		if (i % 100 == 0)
			ask(0, false);
	}
	note(EMIT_node_latched, 1, "stays stopped");
	ask(0, false);
	assert_int_equal(lines(), 1);
	assert_true(json_integer_value(json_object_get(found, "lines")) < 260);
	assert_true(json_integer_value(json_object_get(
			json_array_get(json_object_get(found, "records"), 0),
			"dropped")) > 1000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_written_and_found),
		T(test_the_end),
		T(test_of_an_epoch),
		T(test_too_much_of_an_epoch),
		T(test_no_room),
		T(test_changed),
		T(test_what_repeats_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
