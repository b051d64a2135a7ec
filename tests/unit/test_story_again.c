/*
 * What is no takeover, and what was a handover though it did not end as one is
 * used to; as engines have written it down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "storytest.h"

/* The arbiter was away for minutes, and is cold when it comes back. */
static void
cold(size_t i)
{
	st_line(i, -3194, "register.lost", 6, "\"level\":\"warn\"");
	st_line(i, -42, "register.found", 6, "");
	st_line(i, -42, "register.cold", 6, "\"level\":\"warn\"");
	if (i == 1)
		st_line(i, 0, "record.written", 7,
		    "\"text\":\"held epoch 7 seq 8, candidates none\"");
	st_line(i, 0, "record.seen", 7, "\"state\":\"held\",\"holder\":\"s2\"");
}

static void
is_primary(void)
{
	json_t *now = json_object();

	json_put_i64(now, "epoch", 7);
	json_put_string(now, "holder", "s2");
	json_put_bool(now, "primary", true);
	json_put(st_host(1), "now", now);
}

static void
stays(const char *why)
{
	char want[400];

	(void)snprintf(want, sizeof(want),
	    "No takeover: s2 was the primary and stayed it, and lets clients "
	    "write now. Its record was written again as epoch 7 at 2026-11-21 "
	    "07:01:02 UTC%s; no line says that clients had to wait.",
	    why);
	assert_string_equal(st_report(), want);
	assert_true(get_bool(st_doc, "again"));
	assert_int_equal(get_int(st_doc, "before"), 6);
	assert_int_equal(json_array_size(get_at(st_doc, "gaps")), 0);
	assert_false(get_has(st_doc, "outage_ms"));
	assert_false(get_has(st_doc, "lost"));
}

static void
test_written_again(void **state)
{
	st_start(7);
	cold(0);
	cold(1);
	is_primary();
	stays(", since the register had come back cold");
	/* That it was open before is known by now. */
	st_line(1, -900000, "fence.open", 6, "\"text\":\"epoch 6\"");
	stays(", since the register had come back cold");
	assert_string_equal(get_str(st_doc, "old"), "s2");
	/* What happened much later is another story. */
	st_line(1, 300000, "lease.lost", 7, "");
	stays(", since the register had come back cold");
}

/* A person adopts it: nobody writes, and all see it. */
static void
test_adopted(void **state)
{
	st_start(7);
	st_line(1, -900000, "fence.open", 6, "\"text\":\"epoch 6\"");
	st_line(2, 0, "register.adopt", 0, "\"by\":\"s2\"");
	st_line(1, 2, "record.seen", 7, "\"state\":\"held\",\"holder\":\"s2\"");
	is_primary();
	stays(", since a person adopted it");
}

static bool
again(void)
{
	(void)st_report();
	return get_bool(st_doc, "again");
}

/* A change after all: it closed, it claimed, or another held before. */
static void
test_a_change(void **state)
{
	st_start(7);
	cold(1);
	assert_true(again());
	st_line(1, 40, "lease.lost", 7, "");
	assert_false(again());
	st_start(7);
	cold(1);
	st_line(0, -900000, "fence.open", 6, "");
	assert_false(again());
	st_start(7);
	cold(1);
	st_line(1, -10, "record.written", 7,
	    "\"text\":\"claimed epoch 7 seq 7, candidates s1\"");
	assert_false(again());
	/* And nothing is known of what went before. */
	st_start(7);
	st_line(1, 0, "record.written", 7,
	    "\"text\":\"held epoch 7 seq 8, candidates none\"");
	assert_false(again());
}

/* s1 hands 12 back, which it has since it was handed to it 3 s ago. */
static void
forth_and_back(void)
{
	st_line(1, -2592, "order.taken", 11, "\"verb\":\"switchover\"");
	st_line(1, -2442, "postmaster.gone", 11, "\"level\":\"warn\"");
	st_line(0, -2275, "fence.open", 12, "\"proof\":\"released\"");
	st_line(0, -103, "plan.start", 12,
	    "\"text\":\"switchover: serve\",\"proof\":\"released\"");
	st_line(0, 0, "postmaster.gone", 12, "\"level\":\"warn\"");
	st_line(0, 1, "fence.closed", 12, "\"text\":\"stepping-down\"");
	st_line(1, 60, "record.written", 13,
	    "\"text\":\"claimed epoch 13 seq 16, candidates s1\"");
	st_line(1, 123, "fence.open", 13,
	    "\"proof\":\"released\",\"durability\":\"strict\"");
}

#define HANDED \
	"s1 handed over to s2 at 2026-11-21 07:01:02 UTC; nobody could " \
	"write for 123 ms."

/* The new holder's claim overtakes the answer to the release. */
static void
test_handed_back(void **state)
{
	st_start(13);
	forth_and_back();
	assert_string_equal(st_report(), HANDED);
	st_line(0, 140, "plan.end", 13,
	    "\"text\":\"switchover: done at release after 243 ms\"");
	assert_string_equal(st_report(), HANDED);
	/* Its last line alone is left of it. */
	st_start(13);
	st_line(0, 0, "postmaster.gone", 12, "\"level\":\"warn\"");
	st_line(1, 123, "fence.open", 13, "\"proof\":\"released\"");
	st_line(0, 140, "plan.end", 13,
	    "\"text\":\"switchover: done at release after 243 ms\"");
	assert_string_equal(st_report(), HANDED);
}

/* What was of the way there is not in here. */
static void
test_the_change_before(void **state)
{
	size_t i;

	st_start(13);
	/* s1 ended as a standby, before it was handed to it. */
	st_line(0, -2900, "postmaster.gone", 11, "\"level\":\"warn\"");
	st_line(1, -2592, "order.taken", 11, "\"verb\":\"switchover\"");
	st_line(1, -2442, "postmaster.gone", 11, "\"level\":\"warn\"");
	st_line(0, 0, "lease.lost", 12, "\"level\":\"warn\"");
	st_line(1, 123, "fence.open", 13, "\"proof\":\"lease\"");
	(void)st_report();
	assert_int_equal(get_int(st_doc, "outage_ms"), 123);
	assert_int_equal(json_array_size(get_at(st_doc, "anomalies")), 0);
	for (i = 0; i < json_array_size(get_at(st_doc, "timeline")); i++)
		assert_true(
		    get_int(json_array_get(get_at(st_doc, "timeline"), i),
			"epoch") >= 12);
}

/* It ended in the middle, and another one followed from that. */
static void
test_handover_given_up(void **state)
{
	st_start(13);
	forth_and_back();
	st_line(0, 20, "plan.end", 12,
	    "\"text\":\"switchover: given up at flushed after 123 ms\"");
	st_line(0, 20, "plan.start", 12,
	    "\"text\":\"stepdown: recover\",\"proof\":\"released\"");
	assert_string_equal(st_report(),
	    "PostgreSQL on s1 ended at 2026-11-21 07:01:02 UTC in a handover, "
	    "which was given up at flushed after 123 ms; s2 took over after "
	    "123 ms.");
}

/* One that came to nothing before it ended is no part of that. */
static void
test_handover_before(void **state)
{
	st_start(13);
	st_line(0, -900, "plan.start", 12, "\"text\":\"switchover: serve\"");
	st_line(0, -800, "plan.end", 12,
	    "\"text\":\"switchover: abandoned at heir after 100 ms\"");
	st_line(0, 0, "postmaster.gone", 12, "\"level\":\"warn\"");
	st_line(1, 123, "fence.open", 13, "\"proof\":\"lease\"");
	assert_string_equal(st_report(),
	    "PostgreSQL on s1 ended at 2026-11-21 07:01:02 UTC; s2 took over "
	    "after 123 ms.");
}

static const char *
command(size_t i)
{
	return get_str(json_array_get(get_at(st_doc, "gaps"), i), "command");
}

/* Each host's log where it is. */
static void
test_commands(void **state)
{
	st_start(13);
	st_line(
	    1, 0, "record.seen", 13, "\"state\":\"held\",\"holder\":\"s2\"");
	(void)st_report();
	assert_string_equal(command(0),
	    "journalctl -u hawatchd --utc --since '2026-11-21 07:00:02 UTC' "
	    "--until '2026-11-21 07:02:02 UTC'");
	assert_string_equal(command(1),
	    "ssh s2 \"journalctl -u hawatchd --utc --since "
	    "'2026-11-21 07:00:02 UTC' --until '2026-11-21 07:02:02 UTC'\"");
	json_put_bool(st_answer, "away", true);
	(void)st_report();
	assert_int_equal(strncmp(command(0), "ssh s1 \"journalctl ", 19), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, st_teardown)
	const struct CMUnitTest tests[] = {
		T(test_written_again),
		T(test_adopted),
		T(test_a_change),
		T(test_handed_back),
		T(test_the_change_before),
		T(test_handover_given_up),
		T(test_handover_before),
		T(test_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
