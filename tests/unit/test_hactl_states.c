/*
 * What hactl says of a host in a state that is no fault of its own, or passes:
 * it reaches nobody, it is on its way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wrongtest.h"

static json_t *
node_of(json_t *status, size_t i)
{
	return json_array_get(json_object_get(status, "nodes"), i);
}

static void
silent(json_t *status, size_t i, const char *name, const char *why)
{
	json_array_set_new(json_object_get(status, "nodes"), i,
	    json_pack("{s:s,s:s,s:b,s:b}", "node", name, "silent", why, "data",
		name[0] == 's', "arbiter", name[0] == 'a'));
}

/* The old primary of a cluster with a witness, cut off. */
static void
test_cut_off(void **state)
{
	json_t *obj = wt_status(), *s1 = node_of(obj, 0);
	size_t i;

	json_object_set_new(obj, "self", json_string("s1"));
	silent(obj, 1, "s2", "unreachable");
	silent(obj, 2, "a1", "connect-timeout");
	json_object_set_new(json_object_get(obj, "register"), "silent",
	    json_string("unreachable"));
	json_object_set_new(s1, "role", json_string("closed"));
	json_object_set_new(s1, "waits_for", json_string("no-lease"));
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 1);
	wt_says("s1 reaches no other host, and does not accept writes. If its "
		"own network is gone, another may have taken over",
	    "ip -br address");
	json_object_set_new(s1, "role", json_string("primary"));
	json_object_set_new(
	    json_object_get(s1, "record"), "candidates", json_array());
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 reaches no other host, and accepts writes", "ip -br");
	for (i = 0; i < wt.found; i++)
		assert_null(strstr(wt.list[i].next, "ssh s2"));
	json_object_set_new(s1, "role", json_string("down"));
	json_object_set_new(
	    json_object_get(s1, "record"), "holder", json_string("s2"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 reaches no other host: either they are off", "ip -br");
	/* One of them answers, if only by a refusal. */
	silent(obj, 2, "a1", "connect-refused");
	wt.found = wrong_find(obj, wt.list, 40);
	for (i = 0; i < wt.found; i++)
		assert_null(strstr(wt.list[i].text, "reaches no other host"));
	assert_true(i > 0);
	json_decref(obj);
}

/* Of two lone hosts: the word that the other is off comes after the look. */
static void
test_lone_cut_off(void **state)
{
	json_t *obj = wt_status(), *s1 = node_of(obj, 0), *whole = wt_status(),
	       *s2;

	json_array_remove(json_object_get(obj, "nodes"), 2);
	json_object_set_new(
	    obj, "register", json_pack("{s:s}", "type", "none"));
	json_object_set_new(obj, "self", json_string("s1"));
	json_object_set_new(s1, "role", json_string("closed"));
	json_object_set_new(s1, "waits_for", json_string("other-silent"));
	silent(obj, 1, "s2", "connect-timeout");
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 2);
	assert_non_null(strstr(wt.list[0].next, "ip -br address"));
	assert_null(strstr(wt.list[1].text, "nobody accepts writes"));
	wt_says("s1 holds the cluster and is closed. Start the other host; "
		"only if it is off, say so",
	    "promote s1 --fenced");
	/* The standby of them. */
	json_object_set_new(obj, "self", json_string("s2"));
	json_array_clear(json_object_get(obj, "nodes"));
	s2 = json_deep_copy(node_of(whole, 1));
	json_object_set_new(s2, "claim",
	    json_pack("{s:s,s:s}", "block", "no-proof", "text", "why"));
	json_object_set_new(
	    s2, "register", json_pack("{s:s,s:b}", "type", "none", "read", 1));
	json_array_append_new(json_object_get(obj, "nodes"), json_null());
	json_array_append_new(json_object_get(obj, "nodes"), s2);
	silent(obj, 0, "s1", "timeout");
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s2 reaches no other host: either", "ssh s2 ip -br address");
	wt_says("nobody who answers accepts writes, and s2 does not take over",
	    "promote s2 --fenced");
	json_decref(whole);
	json_decref(obj);
}

static void
settle(json_t *node, long long ms)
{
	json_object_set_new(
	    json_object_get(node, "record"), "age_ms", json_integer(ms));
}

/* So many of what is found settle; of the first, its text. */
static const char *
settles(const json_t *obj, size_t want)
{
	const char *text = "";
	size_t i, n = 0;

	wt.found = wrong_find(obj, wt.list, 40);
	for (i = 0; i < wt.found; i++)
		if (wt.list[i].settles && n++ == 0) {
			text = wt.list[i].text;
			assert_string_equal(
			    wt.list[i].next, "hactl status --watch");
		}
	assert_int_equal(n, want);
	return text;
}

/* Right after a change of the holder, and while a standby is being added; not
 * for longer, and not what a person has to end. */
static void
test_settles(void **state)
{
	json_t *obj = wt_status(), *s1 = node_of(obj, 0), *s2 = node_of(obj, 1),
	       *pg = json_object_get(s1, "postgres");

	json_object_set_new(
	    json_object_get(s1, "record"), "candidates", json_array());
	json_object_set_new(pg, "senders",
	    json_pack("[{s:s,s:i}]", "node", "s2", "good_ms", 90000));
	(void)settles(obj, 0);
	wt_says("s2 may not take over from s1: what is written now is on one "
		"host. It is added by itself soon",
	    "grep standby.not-added");
	settle(s1, 14000);
	(void)settles(obj, 1);
	settle(s1, 16000);
	(void)settles(obj, 0);
	json_object_set_new(s1, "adding", json_string("s2"));
	(void)settles(obj, 1);
	json_object_del(s1, "adding");
	json_object_set_new(pg, "senders",
	    json_pack("[{s:s,s:i}]", "node", "s2", "good_ms", 1000));
	(void)settles(obj, 1);
	/* By its mode it never is. */
	json_object_set_new(s2, "mode", json_string("manual"));
	(void)settles(obj, 0);
	wt_says("s2 may not take over from s1: what is written now is on one "
		"host, for its mode is not auto",
	    "hactl reload");
	json_object_set_new(s2, "mode", json_string("auto"));
	/* It is not there yet: it has no WAL from the new primary. */
	settle(s1, 1000);
	settle(s2, 1000);
	json_object_set_new(
	    json_object_get(s2, "postgres"), "receiver", json_false());
	(void)settles(obj, 2);
	assert_int_equal(wt.found, 2);
	json_object_set_new(
	    json_object_get(s2, "durable"), "latch", json_true());
	(void)settles(obj, 0);
	json_decref(obj);
}

/* Started a moment ago, as by an unfence: it has still to connect. */
static void
test_starts_to_receive(void **state)
{
	json_t *obj = wt_status();
	json_t *pg = json_object_get(node_of(obj, 1), "postgres");

	json_object_set_new(pg, "receiver", json_false());
	(void)settles(obj, 0);
	json_object_set_new(pg, "up_ms", json_integer(3000));
	assert_non_null(strstr(settles(obj, 1), "receives nothing"));
	json_object_set_new(pg, "up_ms", json_integer(16000));
	(void)settles(obj, 0);
	json_decref(obj);
}

/* A role that has changed restarts programs; a check that fails for longer, or
 * without that, is wrong. */
static void
test_restarts(void **state)
{
	json_t *obj = wt_status(), *s1 = node_of(obj, 0), *check;

	check = json_pack("{s:s,s:s,s:s,s:i}", "name", "web", "up", "no",
	    "reason", "connect-refused", "since_ms", 3000);
	json_object_set_new(s1, "checks", json_pack("[o]", check));
	(void)settles(obj, 0);
	settle(s1, 20000);
	(void)settles(obj, 1);
	json_object_set_new(check, "reason", json_string("program-fatal:web"));
	(void)settles(obj, 0);
	json_object_set_new(check, "reason", json_string("timeout"));
	json_object_set_new(check, "since_ms", json_integer(16000));
	(void)settles(obj, 0);
	json_decref(obj);
}

/* In a pause PostgreSQL is restarted in its place: nobody is lost. */
static void
test_starts(void **state)
{
	json_t *obj = wt_status(), *s1 = node_of(obj, 0), *s2 = node_of(obj, 1);

	json_object_set_new(s1, "role", json_string("down"));
	json_object_set_new(
	    json_object_get(s1, "postgres"), "state", json_string("gone"));
	json_object_set_new(s1, "plan",
	    json_pack("{s:s,s:s,s:i}", "name", "open", "row", "start",
		"since_ms", 800));
	json_object_set_new(
	    json_object_get(s2, "record"), "candidates", json_array());
	assert_string_equal(settles(obj, 1),
	    "nobody accepts writes: PostgreSQL on s1, which holds the cluster, "
	    "is being started");
	assert_int_equal(wt.found, 1);
	/* Its engine answers: that one knows why. */
	json_object_set_new(
	    json_object_get(s1, "plan"), "since_ms", json_integer(60000));
	(void)settles(obj, 0);
	wt_says("it may miss commits. Bring s1 back", "ssh s1 journalctl");
	wt_says("s1: PostgreSQL does not run", "ssh s1 journalctl");
	json_decref(obj);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_lone_cut_off),
		cmocka_unit_test(test_settles),
		cmocka_unit_test(test_starts_to_receive),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
