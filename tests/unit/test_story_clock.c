/*
 * Whose clock a report goes by, and how far the others are off: by what hosts
 * that were cut off, started or set right have written down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "storytest.h"

/* Its clock was ahead by that much when it answered, after took ms. */
static void
answers(size_t i, long long ahead, long long took)
{
	json_put_i64(st_host(i), "sent_ms", ST_T0 + 90000);
	json_put_i64(st_host(i), "got_ms", ST_T0 + 90000 + took);
	json_put_i64(st_host(i), "asked_ms", ST_T0 + 90000 + ahead + took / 2);
	json_put_i64(st_host(i), "wall_ms", ST_T0 + 90000 + ahead + took / 2);
}

static void
seen(size_t i, long long ms, long long epoch, const char *state,
    const char *holder)
{
	char more[80];

	(void)snprintf(more, sizeof(more), "\"state\":\"%s\",\"holder\":\"%s\"",
	    state, holder);
	st_line(i, ms, "record.seen", epoch, more);
}

/* s2 takes over 195 ms after s1 could write last. */
static void
takes_over(long long epoch, long long before)
{
	st_line(1, 53, "plan.start", before,
	    "\"text\":\"takeover: follow\",\"old\":\"s1\","
	    "\"heard_ms\":2055");
	st_line(1, 62, "record.written", epoch,
	    "\"text\":\"claimed epoch, candidates s1\"");
	seen(1, 62, epoch, "claimed", "s2");
	st_line(1, 150, "record.written", epoch,
	    "\"text\":\"held epoch, candidates none\"");
	seen(1, 150, epoch, "held", "s2");
	/* Until its lease ends it writes: that is what the clocks are held
	 * against. */
	st_line(1, 195, "fence.open", epoch,
	    "\"proof\":\"lease\",\"durability\":\"bounded\"");
	st_line(1, 1063, "peer.lost", epoch, "\"peer\":\"s1\"");
}

/* s1, without its cable for so long, closes by itself. */
static void
cut_off(long long back)
{
	st_line(0, -1201, "peer.lost", 5, "\"peer\":\"s2\"");
	st_line(0, -1201, "register.lost", 5, "");
	st_line(0, 0, "lease.lost", 5, "\"level\":\"warn\"");
	st_line(0, 1, "fence.closed", 5, "\"text\":\"no-lease\"");
	st_line(0, back, "register.found", 5, "");
	seen(0, back, 6, "held", "s2");
	st_line(0, back + 71, "postmaster.gone", 6, "\"level\":\"warn\"");
}

static const json_t *
clock_of(const char *node)
{
	const json_t *list = get_at(st_doc, "clocks"), *clock;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		clock = json_array_get(list, i);
		if (strcmp(get_str(clock, "node"), node) == 0)
			return clock;
	}
	fail();
	return NULL;
}

static void
clock_is(const char *node, const char *by, long long offset)
{
	assert_string_equal(get_str(clock_of(node), "by"), by);
	assert_int_equal(get_int(clock_of(node), "offset_ms"), offset);
}

static void
begin(long long epoch)
{
	st_start(epoch);
	answers(0, 0, 0);
	answers(1, 0, 8);
	answers(2, 0, 4);
}

static size_t
place(const char *node, const char *ev)
{
	const json_t *list = get_at(st_doc, "timeline"), *line;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		line = json_array_get(list, i);
		if (strcmp(get_str(line, "node"), node) == 0 &&
		    strcmp(get_str(line, "ev"), ev) == 0)
			return i;
	}
	fail();
	return 0;
}

/* It sees the change only when it is back: that says nothing of its clock. */
static void
test_cut_off(void **state)
{
	begin(6);
	seen(0, -8000, 5, "held", "s1");
	seen(1, -8000, 5, "held", "s1");
	cut_off(10151);
	takes_over(6, 5);
	assert_string_equal(st_report(),
	    "s1 lost its lease at 2026-11-21 07:01:02 UTC; s2 took over after "
	    "195 ms.");
	assert_int_equal(get_int(st_doc, "outage_ms"), 195);
	assert_int_equal(get_int(st_doc, "from.at_ms"), ST_T0);
	clock_is("s1", "now", 0);
	assert_true(place("s1", "fence.closed") < place("s2", "fence.open"));
	assert_true(place("s2", "fence.open") < place("s1", "register.found"));
	/* With the clock of the host that was cut off 3 s ahead. */
	answers(0, 3000, 0);
	(void)st_report();
	clock_is("s1", "now", 3000);
}

/* Long: how it closed is among its lines, and the time between is not. */
static void
test_cut_off_long(void **state)
{
	begin(6);
	st_line(0, -3600000, "fence.open", 5, "");
	cut_off(66000);
	takes_over(6, 5);
	assert_string_equal(st_report(),
	    "s1 lost its lease at 2026-11-21 07:01:02 UTC; s2 took over after "
	    "195 ms.");
	clock_is("s1", "now", 0);
	assert_int_equal(place("s1", "peer.lost"), 0);
}

/* Two lone hosts: nothing tells of the register, and who goes on alone leaves
 * an epoch out. */
static void
test_cut_off_alone(void **state)
{
	begin(7);
	st_line(0, -600000, "fence.open", 5, "");
	st_line(0, -298, "peer.lost", 5, "\"peer\":\"s2\"");
	st_line(0, 0, "lease.lost", 5, "\"level\":\"warn\"");
	st_line(0, 2, "fence.closed", 5, "\"text\":\"no-lease\"");
	st_line(0, 8200, "peer.found", 5, "\"peer\":\"s2\"");
	seen(0, 8200, 7, "held", "s2");
	st_line(1, 50, "claim.proof", 5, "\"text\":\"operator: pulled\"");
	takes_over(7, 5);
	assert_string_equal(st_report(),
	    "s1 lost its lease at 2026-11-21 07:01:02 UTC; s2 took over after "
	    "195 ms.");
	clock_is("s1", "now", 0);
	assert_string_equal(get_str(st_doc, "old"), "s1");
	assert_int_equal(get_int(st_doc, "before"), 5);
}

/* One that both saw can be a late one that nobody told of. */
static void
test_one_is_not_enough(void **state)
{
	begin(6);
	st_line(0, 0, "postmaster.gone", 5, "");
	seen(0, 8150, 6, "held", "s2");
	takes_over(6, 5);
	(void)st_report();
	clock_is("s1", "now", 0);
	assert_int_equal(get_int(clock_of("s1"), "shared"), 1);
	/* Nor are two that contradict each other. */
	begin(6);
	seen(0, -7050, 5, "held", "s1");
	seen(1, -10000, 5, "held", "s1");
	st_line(0, 0, "postmaster.gone", 5, "");
	seen(0, 70, 6, "held", "s2");
	takes_over(6, 5);
	(void)st_report();
	clock_is("s1", "now", 0);
	assert_int_equal(get_int(clock_of("s1"), "shared"), 2);
}

/* Late by the same: what came before says that they are. */
static void
test_late_together(void **state)
{
	static const char *const cuts[] = { "register.lost", "register.found",
		"peer.lost", "peer.found" };
	size_t i;

	for (i = 0; i < 4; i++) {
		begin(6);
		st_line(0, 0, "lease.lost", 5, "");
		st_line(0, 8000, cuts[i], 5, "");
		seen(0, 9062, 6, "claimed", "s2");
		seen(0, 9150, 6, "held", "s2");
		takes_over(6, 5);
		(void)st_report();
		clock_is("s1", "now", 0);
		assert_int_equal(get_int(clock_of("s1"), "shared"), 0);
	}
	/* By the other's own word, too. */
	begin(6);
	seen(0, 9062, 6, "claimed", "s2");
	seen(0, 9150, 6, "held", "s2");
	st_line(1, -5000, "register.found", 5, "");
	takes_over(6, 5);
	(void)st_report();
	clock_is("s1", "now", 0);
}

/* s1 was 5 s ahead then, and is right by now. */
static void
handed(void)
{
	seen(0, 5020, 5, "released", "s1");
	seen(1, 21, 5, "released", "s1");
	seen(0, 5063, 6, "claimed", "s2");
	seen(0, 5153, 6, "held", "s2");
	st_line(0, 5000, "fence.closed", 5, "\"text\":\"stepping-down\"");
	takes_over(6, 5);
}

static void
test_clock_set_since(void **state)
{
	begin(6);
	handed();
	(void)st_report();
	clock_is("s1", "record", 5001);
	assert_int_equal(get_int(clock_of("s1"), "shared"), 3);
	assert_int_equal(get_int(clock_of("s1"), "spread_ms"), 4);
	assert_int_equal(get_int(st_doc, "outage_ms"), 196);
	/* a1 saw nothing of it. */
	clock_is("a1", "now", 0);
	assert_int_equal(get_int(clock_of("a1"), "shared"), 0);
}

/* What an engine sees first after its start is no change. */
static void
test_started_since(void **state)
{
	begin(6);
	st_line(0, -9000, "daemon.start", 0, "");
	seen(0, -8990, 5, "held", "s1");
	seen(1, -20000, 5, "held", "s1");
	handed();
	(void)st_report();
	clock_is("s1", "record", 5001);
	assert_int_equal(get_int(clock_of("s1"), "shared"), 3);
}

/* How long it looked for its lines is not its clock's fault; an engine that
 * does not say so may be off by half of it. */
static void
test_slow_answer(void **state)
{
	begin(6);
	cut_off(10151);
	takes_over(6, 5);
	json_put_i64(st_host(1), "wall_ms", ST_T0 + 90000 + 404);
	json_put_i64(st_host(1), "got_ms", ST_T0 + 90000 + 408);
	(void)st_report();
	clock_is("s1", "now", 0);
	assert_int_equal(get_int(clock_of("s1"), "spread_ms"), 8);
	json_object_del(st_host(1), "asked_ms");
	(void)st_report();
	assert_int_equal(get_int(clock_of("s1"), "spread_ms"), 408);
	json_object_del(st_host(1), "wall_ms");
	(void)st_report();
	clock_is("s1", "nothing", 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, st_teardown)
	const struct CMUnitTest tests[] = {
		T(test_cut_off),
		T(test_cut_off_long),
		T(test_cut_off_alone),
		T(test_one_is_not_enough),
		T(test_late_together),
		T(test_clock_set_since),
		T(test_started_since),
		T(test_slow_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
