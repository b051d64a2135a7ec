/*
 * What would have been done: a site that is run by hand, told as it is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hawatch/would.h"

#define A 0
#define B 1
#define C 2
#define MSEC USEC_MSEC
#define SEC USEC_SEC

static struct names names = {
	.cluster = "test", .count = 3, .node = { "s1", "s2", "s3" }
};
static struct would *w;
static struct would_node node[NODES_MAX];
static struct now now;

static int
setup(void **state)
{
	const struct would_conf conf = { .names = &names,
		.self = B,
		.data = 7,
		.ttl = 2 * SEC,
		.wait = 2054 * MSEC,
		.standby_timeout = 500 * MSEC,
		.rejoins = true,
		.proof_lease = true,
		.priority = { 100, 100, 200 } };
	int n;

	w = would_new(&conf);
	memset(node, 0, sizeof(node));
	now = (struct now){ .raw = 100 * SEC, .wall = 1700000000 * SEC };
	for (n = 0; n < 3; n++)
		node[n] = (struct would_node){ .up = ANS_YES,
			.recovery = n == A ? ANS_NO : ANS_YES,
			.timeline = 1,
			.wal_end = 1000 };
	return 0;
}

static int
teardown(void **state)
{
	would_free(w);
	return 0;
}

static void
run(usec_t us)
{
	usec_t end = now.raw + us;

	for (; now.raw < end; now.raw += 100 * MSEC, now.wall += 100 * MSEC)
		would_look(w, &now, node);
}

/* The last one has these words. */
static void
says(const char *words)
{
	const char *text;

	assert_true(would_count(w) > 0);
	text = would_entry(w, would_count(w) - 1)->text;
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, text);
}

static void
test_begin(void **state)
{
	would_look(w, &now, node);
	says("s1 is the primary: it would hold the cluster");
	assert_int_equal(would_primary(w), A);
	run(5 * SEC);
	assert_int_equal(would_count(w), 3);
	says("s3 would be a candidate: commits would wait for it");
}

/* Equally far, the one with the greater priority; then what people do. */
static void
test_failover_by_hand(void **state)
{
	run(5 * SEC);
	node[A].up = ANS_NO;
	run(2000 * MSEC);
	assert_int_equal(would_count(w), 3);
	run(200 * MSEC);
	says("s1 is lost: after 2.1 s s3 would have been promoted; it lacks 0");
	assert_int_equal(would_primary(w), A);
	run(60 * SEC);
	assert_int_equal(would_count(w), 4);
	node[B].recovery = ANS_NO;
	node[B].timeline = 2;
	would_look(w, &now, node);
	assert_string_equal(would_entry(w, would_count(w) - 2)->text,
	    "s2 was promoted by hand, 62.2 s after s1 was lost; here it would "
	    "have been s3, after 2.1 s");
	says("s3 would be a candidate");
	assert_int_equal(would_primary(w), B);
	assert_int_equal(would_changes(w), 2);
}

/* The furthest; and its own host sees at once that a postmaster has ended. */
static void
test_furthest_at_once(void **state)
{
	run(5 * SEC);
	node[A].wal_end = 1500;
	node[B].wal_end = 1400;
	run(SEC);
	node[A].up = ANS_NO;
	node[A].gone = true;
	would_look(w, &now, node);
	says("after 0.0 s s2 would have been promoted; it lacks 100 bytes of "
	     "what was seen there last, for which no commit would");
}

static void
test_blip(void **state)
{
	run(5 * SEC);
	node[A].up = ANS_NO;
	run(SEC);
	node[A].up = ANS_YES;
	run(SEC);
	says("s1 answered nothing for 1.0 s: nothing would have been done");
	node[A].up = ANS_UNKNOWN;
	run(60 * SEC);
	assert_int_equal(would_count(w), 4);
}

static void
test_standby_lost(void **state)
{
	run(5 * SEC);
	node[C].up = ANS_NO;
	run(SEC);
	says("s3 answers nothing: it would be no candidate");
	node[B].up = ANS_NO;
	run(SEC);
	node[A].up = ANS_NO;
	run(3 * SEC);
	says("nothing but a start in place");
}

static void
test_two_primaries(void **state)
{
	run(5 * SEC);
	node[B].recovery = ANS_NO;
	node[B].timeline = 2;
	run(10 * SEC);
	says("two primaries at once: PostgreSQL of s1, on the older timeline");
	assert_int_equal(would_count(w), 4);
	node[A].up = ANS_NO;
	run(SEC);
	assert_int_equal(would_primary(w), B);
}

/* By itself as configured; in a pause nobody does anything by himself. */
static void
test_rejoin(void **state)
{
	run(5 * SEC);
	node[B].recovery = ANS_NO;
	node[B].timeline = 2;
	run(SEC);
	says("stopped, and its data made the other's, by itself");
	node[B].recovery = ANS_YES;
	run(SEC);
	would_pause(w, true);
	node[B].recovery = ANS_NO;
	run(SEC);
	says("stopped, and its data made the other's, by hactl rejoin");
}

static void
test_back_again(void **state)
{
	run(5 * SEC);
	node[A].up = ANS_NO;
	run(3 * SEC);
	node[A].up = ANS_YES;
	run(SEC);
	says("s1 is a primary again, 3.0 s after it was lost; here it would be "
	     "the standby of s3, by itself");
}

static void
test_paused(void **state)
{
	run(5 * SEC);
	would_pause(w, true);
	node[A].up = ANS_NO;
	run(60 * SEC);
	says("s1 is lost while failover is paused: nobody would have been");
	assert_int_equal(would_count(w), 4);
	node[A].up = ANS_YES;
	run(SEC);
	assert_int_equal(would_count(w), 4);
}

/* Its own agents switch nobody off; where only they are a proof, nobody. */
static void
test_agents(void **state)
{
	struct would_conf conf = { .names = &names,
		.self = B,
		.data = 7,
		.wait = 2054 * MSEC,
		.standby_timeout = 500 * MSEC,
		.agents = 1 << A,
		.agent_after = 1100 * MSEC };

	would_free(w);
	w = would_new(&conf);
	run(5 * SEC);
	node[A].up = ANS_NO;
	run(2 * SEC);
	says("s1 is lost: after 1.1 s its host would have been switched off, "
	     "and s2 would have been promoted");
	conf.agents = 1 << B;
	node[A].up = ANS_YES;
	would_free(w);
	w = would_new(&conf);
	run(5 * SEC);
	node[A].up = ANS_NO;
	run(30 * SEC);
	says("s1 is lost, and there would have been no proof of it");
	node[A].up = ANS_YES;
	run(SEC);
	node[A].gone = true;
	node[A].up = ANS_NO;
	run(SEC);
	says("after 0.0 s s2 would have been promoted");
}

/* The oldest are forgotten. */
static void
test_ring(void **state)
{
	int i;

	for (i = 0; i < 100; i++)
		would_note(w, &now, "x");
	assert_int_equal(would_count(w), WOULD_MAX);
	assert_int_equal(would_entry(w, 0)->serial, 100 - WOULD_MAX + 1);
	assert_int_equal(would_entry(w, WOULD_MAX - 1)->serial, 100);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_begin),
		T(test_failover_by_hand), T(test_furthest_at_once),
		T(test_blip), T(test_standby_lost), T(test_two_primaries),
		T(test_rejoin), T(test_back_again), T(test_paused),
		T(test_agents), T(test_ring) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
