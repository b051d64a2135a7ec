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
#include "engine/history_limit.h"
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
	at.raw += 3600 * USEC_SEC;
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

static const json_t *
line(size_t i)
{
	return json_array_get(json_object_get(found, "records"), i);
}

static const char *
ev_of(size_t i)
{
	return json_string_value(json_object_get(line(i), "ev"));
}

static size_t
count_of(const char *ev)
{
	size_t i, n = 0;

	for (i = 0; i < lines(); i++)
		n += strcmp(ev_of(i), ev) == 0;
	return n;
}

static long long
int_of(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

/* A storm of a step costs its own lines, which are counted in one of their
 * own; and what is no step has its place. */
static void
test_what_repeats_itself(void **state)
{
	json_t *left;
	int i;

	for (i = 0; i < 2000; i++) {
		note(EMIT_peer_lost, 1, "lost");
		if (i % 100 == 0)
			ask(0, false);
	}
	note(EMIT_plan_row, 1, "claim");
	note(EMIT_node_latched, 1, "stays stopped");
	ask(0, false);
	assert_int_equal(lines(), 1);
	assert_true(int_of(found, "lines") < 320);
	assert_null(json_object_get(line(0), "left_out"));
	ahead = 11 * USEC_SEC;
	ask(0, false); /* only a step is missing */
	ahead = 3 * USEC_SEC;
	ask(0, true);
	assert_int_equal(count_of("plan.row"), 1);
	assert_int_equal(count_of("history.left-out"), 1);
	for (i = 0; strcmp(ev_of((size_t)i), "history.left-out") != 0; i++)
		;
	left = json_object_get(line((size_t)i), "kinds");
	assert_int_equal(json_object_size(left), 1);
	assert_true(int_of(left, "peer.lost") > 1500);
	assert_int_equal(
	    int_of(left, "peer.lost"), int_of(line((size_t)i), "left_out"));
	assert_int_equal(int_of(line((size_t)i), "epoch"), 1);
	assert_non_null(strstr(text_of((size_t)i), " of peer.lost"));
}

/* Forty changes of who may write within seconds, each with all its steps:
 * every decision is there, whatever becomes of the steps. */
static void
test_a_busy_incident(void **state)
{
	static const enum event_name decided[] = { EMIT_order_taken,
		EMIT_plan_start, EMIT_claim_proof, EMIT_record_written,
		EMIT_fence_open, EMIT_plan_end, EMIT_fence_closed,
		EMIT_lease_lost, EMIT_node_latched, EMIT_shoot_start,
		EMIT_shoot_off, EMIT_order_refused, EMIT_duty_change };
	const size_t n = sizeof(decided) / sizeof(*decided);
	uint64_t epoch;
	size_t i, j;

	for (epoch = 1; epoch <= 40; epoch++) {
		for (i = 0; i < 60; i++)
			note(EMIT_plan_row, epoch, "claim: done after 3 ms");
		for (j = 0; j < n; j++)
			note(decided[j], epoch, "so");
		at.wall += USEC_SEC;
		at.raw += USEC_SEC;
		ask(epoch, true);
		for (j = 0; j < n; j++)
			assert_true(count_of(emit_name(decided[j])) >= 1);
	}
	ahead = 60 * USEC_SEC;
	ask(0, true);
	ahead = 3 * USEC_SEC;
	ask(0, true);
	/* Of each epoch its own, and nothing but steps. */
	assert_in_range(count_of("history.left-out"), 2, 5);
	for (j = 0; j < lines(); j++) {
		if (strcmp(ev_of(j), "history.left-out") != 0)
			continue;
		assert_in_range(int_of(line(j), "left_out"), 50, 60);
		assert_int_equal(
		    int_of(json_object_get(line(j), "kinds"), "plan.row"),
		    int_of(line(j), "left_out"));
	}
}

/* More decisions than a report carries: those that repeat themselves go. */
static void
test_too_many_decisions(void **state)
{
	int i;

	for (i = 0; i < 90; i++)
		note(EMIT_order_refused, 1, "no");
	note(EMIT_fence_closed, 1, "");
	note(EMIT_plan_end, 2, "done");
	note(EMIT_plan_row, 2, "claim");
	for (i = 0; i < 90; i++)
		note(EMIT_order_refused, 2, "no");
	note(EMIT_fence_open, 2, "");
	ask(2, true);
	assert_in_range(lines(), 40, 50);
	assert_int_equal(count_of("fence.closed"), 1);
	assert_int_equal(count_of("plan.end"), 1);
	assert_int_equal(count_of("fence.open"), 1);
}

/* Nothing fills the disk: of one kind so much at once, then so much a minute;
 * that a decision is missing is a change itself. */
static void
test_a_storm(void **state)
{
	struct history_limit l = { 0 };
	const usec_t second = USEC_SEC;
	enum history_rank worst;
	long long bytes = 0, steps = 0;
	json_t *told;
	int i;

	for (i = 0; i < 3600 * 10; i++) {
		if (history_limit_take(
			&l, EMIT_fence_open, 300, second + i * second / 10))
			bytes += 300;
		if (history_limit_take(
			&l, EMIT_act_done, 300, second + i * second / 10))
			steps += 300;
		else
			history_limit_out(&l, EMIT_act_done, second);
	}
	assert_in_range(
	    bytes, 64 * 1024 + 59 * 16 * 1024, 64 * 1024 + 60 * 16 * 1024);
	assert_in_range(
	    steps, 32 * 1024 + 59 * 4 * 1024, 32 * 1024 + 60 * 4 * 1024);
	assert_true(history_limit_take(&l, EMIT_plan_end, 300, 2 * second));
	/* Left alone for long, it has what it had. */
	for (bytes = 0;
	     history_limit_take(&l, EMIT_fence_open, 1024, 90000 * second);)
		bytes += 1024;
	assert_int_equal(bytes, 64 * 1024);
	told = history_limit_told(&l, &worst);
	assert_int_equal(worst, HISTORY_STEP);
	json_decref(told);
	history_limit_out(&l, EMIT_fence_open, second);
	told = history_limit_told(&l, &worst);
	assert_int_equal(worst, HISTORY_CHANGE);
	assert_int_equal(l.since, 0);
	json_decref(told);
}

/* A decision that is too long for a line is cut, and is there. */
static void
test_too_long(void **state)
{
	char text[6000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	note(EMIT_node_latched, 1, text);
	ask(0, false);
	assert_int_equal(lines(), 1);
	assert_int_equal(strlen(text_of(0)), 159);
	assert_true(json_is_true(json_object_get(line(0), "cut")));
}

/* While nothing can be written, the steps do not take the decisions' room. */
static void
test_no_room_for_steps(void **state)
{
	char *gone = xasprintf("%s/gone", dir);
	int i;

	history_free(history);
	history = history_new(loop, gone, "prod-s1");
	for (i = 0; i < 2000; i++) {
		note(EMIT_act_done, 1, "");
		note(EMIT_plan_row, 1, "");
		note(EMIT_peer_lost, 1, "");
	}
	for (i = 0; i < 200; i++)
		note(EMIT_fence_open, 1, "");
	assert_int_equal(mkdir(gone, 0700), 0);
	history_free(history);
	history = history_new(loop, gone, "prod-s1");
	ask(0, false);
	/* And that some steps are missing is at the end. */
	assert_int_equal(int_of(found, "lines"), 256 + 200 + 1);
	free(gone);
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
		T(test_a_busy_incident),
		T(test_too_many_decisions),
		T(test_a_storm),
		T(test_too_long),
		T(test_no_room_for_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
