/*
 * What hactl status says of who may take over, and of the register and its
 * record, without which nobody may.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wrongtest.h"

/* The file has to be the same everywhere. */
static void
test_durability(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes");

	json_object_set_new(json_array_get(nodes, 0), "durability",
	    json_pack("{s:s,s:i}", "mode", "bounded", "max_loss", 65536));
	json_object_set_new(json_array_get(nodes, 1), "durability",
	    json_pack("{s:s,s:i}", "mode", "bounded", "max_loss", 65536));
	assert_int_equal(wrong_find(obj, wt.list, 40), 0);
	json_object_set_new(json_array_get(nodes, 1), "durability",
	    json_pack("{s:s,s:i}", "mode", "bounded", "max_loss", 131072));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "s1 and s2 differ in what may be lost: write the same durability "
	    "and max_loss in every hawatch.conf",
	    "hactl config diff");
	json_object_set_new(json_array_get(nodes, 1), "durability",
	    json_pack("{s:s,s:i}", "mode", "strict", "max_loss", 0));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "s1 and s2 differ in what may be lost: write the same durability "
	    "and max_loss in every hawatch.conf",
	    "hactl config diff");
	json_decref(obj);
}

/* The standby streams, and is no candidate for the keys by which it runs: that
 * does not pass by itself. What differs is known where somebody asked. */
static void
test_config(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"),
	       *s1 = json_array_get(nodes, 0);

	json_object_set_new(obj, "self", json_string("s2"));
	json_object_set_new(
	    json_object_get(s1, "record"), "candidates", json_array());
	json_object_set_new(json_object_get(s1, "postgres"), "senders",
	    json_pack("[{s:s,s:i}]", "node", "s2", "good_ms", 900));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s2 may not take over from s1", "hactl status --watch");
	json_object_set_new(s1, "config",
	    json_pack("{s:[s],s:[s]}", "differ", "s2", "unsafe", "s2"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 runs by another configuration than s2, in what matters for "
		"safety: no candidate is added",
	    "hactl config diff");
	wt_says("s2 may not take over from s1: what is written now is on one "
		"host. Its configuration is not that of s1 in what matters for "
		"safety",
	    "hactl config diff");
	assert_int_equal(wt.found, 2);
	assert_false(wt.list[0].settles || wt.list[1].settles);
	json_object_set_new(obj, "differ",
	    json_pack("[{s:s,s:[{s:s,s:b},{s:s,s:b},{s:s,s:b},{s:s,s:b},"
		      "{s:s,s:b}]},{s:s,s:[]}]",
		"node", "s1", "keys", "key", "checks", "safety", 0, "key",
		"lease.slack", "safety", 1, "key", "proofs", "safety", 1, "key",
		"cluster", "safety", 1, "key", "max_loss", "safety", 1, "node",
		"a1", "keys"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 runs by another configuration than s2, in what matters for "
		"safety (lease.slack, proofs, cluster and 1 more): no "
		"candidate is added. One file on all hosts",
	    "hactl config diff");
	wt_says("Its configuration is not that of s1 in what matters for "
		"safety (lease.slack, proofs, cluster and 1 more)",
	    "hactl config diff");
	json_object_set_new(
	    s1, "config", json_pack("{s:[s],s:[]}", "differ", "s2", "unsafe"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("than s2 (checks, lease.slack, proofs and 2 more): one file",
	    "hactl config diff");
	json_decref(obj);
}

/* The primary adds nobody, and it is told why. */
static void
test_unarmed(void **state)
{
	json_t *obj = wt_status(),
	       *s1 = json_array_get(json_object_get(obj, "nodes"), 0);

	json_object_set_new(
	    json_object_get(s1, "record"), "candidates", json_array());
	json_object_set_new(json_object_get(s1, "postgres"), "senders",
	    json_pack("[{s:s}]", "node", "s2"));
	json_object_set_new(
	    json_object_get(s1, "fence"), "armed", json_string("no"));
	json_object_set_new(json_object_get(s1, "fence"), "armed_why",
	    json_string("others may reach the sockets in /s: run 'chmod 0700 "
			"/s'"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 adds none while it cannot be fenced with certainty",
	    "ssh s1 chmod 0700 /s");
	wt_says("s1: cannot be fenced with certainty: others may reach",
	    "ssh s1 chmod 0700 /s");
	json_decref(obj);
}

/* One of two standbys is a candidate, the other one is not. */
static void
test_one_of_two(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"),
	       *third;

	json_array_set_new(nodes, 2, json_deep_copy(json_array_get(nodes, 1)));
	third = json_array_get(nodes, 2);
	json_object_set_new(third, "node", json_string("s3"));
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 1);
	wt_says("s3 may not take over from s1, only s2 may",
	    "ssh s3 runuser -u postgres -- psql -c \"'SHOW primary_conninfo'\"");
	json_object_set_new(
	    json_object_get(third, "durable"), "latch", json_true());
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 1);
	wt_says("s3: stays stopped", "hactl rejoin");
	json_decref(obj);
}

/* Of two standbys the one that takes over is told of, whatever their order. */
static void
test_heirs(void **state)
{
	static const struct {
		const char *block[2], *gives_way_to[2], *heir;
	} rows[] = {
		{ { "gives-way", "asks-others" }, { "s3", NULL }, "s3" },
		{ { "asks-others", "gives-way" }, { NULL, "s2" }, "s2" },
		{ { "not-armed", "lease-runs" }, { NULL, NULL }, "s3" },
		{ { "lease-runs", "not-armed" }, { NULL, NULL }, "s2" },
	};
	char want[64];
	json_t *obj, *nodes, *node;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		obj = wt_status();
		nodes = json_object_get(obj, "nodes");
		json_array_set_new(
		    nodes, 2, json_deep_copy(json_array_get(nodes, 1)));
		json_object_set_new(
		    json_array_get(nodes, 2), "node", json_string("s3"));
		json_array_set_new(nodes, 0,
		    json_pack("{s:s,s:s,s:b}", "node", "s1", "silent",
			"timeout", "data", 1));
		for (k = 0; k < 2; k++) {
			node = json_array_get(nodes, k + 1);
			json_object_set_new(json_object_get(node, "record"),
			    "candidates", json_pack("[s,s]", "s2", "s3"));
			json_object_set_new(node, "claim",
			    json_pack("{s:s,s:s,s:s?}", "block",
				rows[i].block[k], "text", "why", "gives_way_to",
				rows[i].gives_way_to[k]));
		}
		wt.found = wrong_find(obj, wt.list, 40);
		(void)snprintf(want, sizeof(want), "%s takes over by itself",
		    rows[i].heir);
		wt_says(want, "hactl status");
		json_decref(obj);
	}
}

/* The primary is gone: what the standby does about it, and what a person. */
static void
test_heir(void **state)
{
	static const struct {
		const char *block, *text, *next;
	} rows[] = {
		{ "lease-runs", "s2 takes over by itself, in 1.2 s",
		    "hactl status" },
		{ "mode", "s2 does not take over: why", "hactl promote s2" },
		{ "min-interval", "does not take over", "hactl promote s2" },
		{ "no-proof", "does not take over", "promote s2 --fenced" },
		{ "not-armed", "does not", "hactl plan promote s2" },
	};
	json_t *obj, *nodes;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		obj = wt_status();
		nodes = json_object_get(obj, "nodes");
		json_array_set_new(nodes, 0,
		    json_pack("{s:s,s:s,s:b}", "node", "s1", "silent",
			"timeout", "data", 1));
		json_object_set_new(json_array_get(nodes, 1), "claim",
		    json_pack("{s:s,s:s,s:i}", "block", rows[i].block, "text",
			"why", "in_ms", 1234));
		wt.found = wrong_find(obj, wt.list, 40);
		wt_says(rows[i].text, rows[i].next);
		/* Nor does the standby receive anything; that is no news. */
		assert_int_equal(wt.found, 2);
		json_object_set_new(json_object_get(obj, "register"), "silent",
		    json_string("timeout"));
		wt.found = wrong_find(obj, wt.list, 40);
		wt_says("without the register nobody takes over: bring the "
			"arbiter back first",
		    "ssh a1 systemctl status hawatchd");
		json_object_del(json_object_get(obj, "register"), "silent");
		json_object_set_new(
		    json_object_get(json_array_get(nodes, 1), "record"),
		    "candidates", json_array());
		wt.found = wrong_find(obj, wt.list, 40);
		if (i > 0)
			wt_says("s2 is no candidate",
			    "ssh s1 systemctl status hawatchd");
		json_decref(obj);
	}
}

/* Not with the end of the lease where the last takeover is too recent; and a
 * person need not wait for that. */
static void
test_heir_waits_for_the_interval(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes");
	json_t *node = json_array_get(nodes, 1);

	json_array_set_new(nodes, 0,
	    json_pack(
		"{s:s,s:s,s:b}", "node", "s1", "silent", "timeout", "data", 1));
	json_object_set_new(node, "claim",
	    json_pack("{s:s,s:s,s:i,s:i}", "block", "lease-runs", "text", "why",
		"in_ms", 1234, "by_itself_ms", 90500));
	json_object_set_new(
	    json_object_get(node, "record"), "next_in_ms", json_integer(90500));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s2 takes over by itself, in 90.5 s at the earliest: "
		"lease.min_interval",
	    "hactl promote s2");
	json_decref(obj);
}

/* Nobody takes over without the word that the other host is off, and it is
 * heard: then the word would be refused. */
static void
test_heard(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"),
	       *s1 = json_array_get(nodes, 0), *s2 = json_array_get(nodes, 1),
	       *pg = json_object_get(s1, "postgres");

	json_object_set_new(s1, "role", json_string("down"));
	json_object_set_new(pg, "state", json_string("gone"));
	json_object_set_new(s2, "claim",
	    json_pack("{s:s,s:s}", "block", "no-proof", "text", "why"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s2 does not take over: s1 answers, so the word that it is off "
		"is refused. See what keeps it",
	    "ssh s1 journalctl");
	json_object_set_new(pg, "no_room", json_string("disk-full"));
	json_object_set_new(pg, "no_room_at", json_string("/srv/pg"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s2 does not take over: s1 answers, so the word that it is off "
		"is refused. It has no room for PostgreSQL: a standby that has "
		"takes over by itself; where none has, make room",
	    "ssh s1 df -h /srv/pg");
	/* Of two lone hosts the holder: it waits for the other's copy. */
	json_object_set_new(s1, "role", json_string("closed"));
	json_object_set_new(s1, "waits_text", json_string("why"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 holds the cluster and is closed: why", "ssh s1 df -h");
	json_object_set_new(s1, "waits_for", json_string("other-silent"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s1 holds the cluster and is closed: s2 answers, so the word "
		"that it is off is refused",
	    "ssh s2 journalctl");
	json_object_set_new(s2, "silent", json_string("timeout"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("is closed: why. Start the other host; only if it is off",
	    "promote s1 --fenced");
	json_decref(obj);
}

/* The register is in etcd: as a whole it is silent, or one member is. */
static void
test_etcd(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"), *reg;

	reg = json_object_get(obj, "register");
	json_object_set_new(reg, "type", json_string("etcd"));
	json_object_set_new(reg, "members",
	    json_pack("[{s:b},{s:b,s:s}]", "answers", 1, "answers", 0, "why",
		"10.0.0.2:2379: timeout"));
	json_object_set_new(obj, "self", json_string("s1"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("a member of etcd does not serve s1: 10.0.0.2:2379: timeout",
	    "etcdctl endpoint status");
	assert_int_equal(wt.found, 1);
	json_object_del(reg, "members");
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 1), "register"), "amnesiac",
	    json_true());
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 1), "durable"), "back",
	    json_true());
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "an --initial-cluster-token that was never used", "man 7 hawatch");
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 1), "register"), "amnesiac",
	    json_false());
	json_object_set_new(reg, "silent", json_string("10.0.0.1:2379: x"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("etcd does not answer: 10.0.0.1:2379: x. s1 goes on while it "
		"hears of s2",
	    "etcdctl endpoint status");
	assert_int_equal(wt.found, 1);
	json_object_set_new(
	    json_array_get(nodes, 0), "role", json_string("closed"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("Bring etcd or a candidate back", "etcdctl endpoint status");
	json_array_set_new(nodes, 0,
	    json_pack(
		"{s:s,s:s,s:b}", "node", "s1", "silent", "timeout", "data", 1));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("without the register nobody takes over: bring etcd back",
	    "etcdctl endpoint status");
	json_decref(obj);
}

static void
test_no_record(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes");
	size_t i;

	for (i = 0; i < 3; i++)
		json_object_del(json_array_get(nodes, i), "record");
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("no record was ever written", "hactl init --holder s1");
	assert_int_equal(wt.found, 1);
	json_object_set_new(
	    json_object_get(obj, "register"), "silent", json_string("x"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("the register on a1 does not answer", "ssh a1");
	/* A list that is too short for all keeps the worst. */
	assert_int_equal(wrong_find(obj, wt.list, 1), 1);
	assert_non_null(strstr(wt.list[0].text, "the register on a1 does not"));
	json_decref(obj);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durability),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_unarmed),
		cmocka_unit_test(test_one_of_two),
		cmocka_unit_test(test_heirs),
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_heir),
		cmocka_unit_test(test_heir_waits_for_the_interval),
		cmocka_unit_test(test_etcd),
		cmocka_unit_test(test_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
