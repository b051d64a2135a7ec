/*
 * What hactl status finds wrong: one fault at a time put into the status of a
 * healthy pair, and the line and next command that a person gets for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"

#define RECORD \
	"\"record\":{\"epoch\":2,\"seq\":5,\"state\":\"held\"," \
	"\"holder\":\"s1\",\"candidates\":[\"s2\"]}"
#define DATA \
	"\"data\":true,\"mode\":\"auto\",\"waits_text\":\"\"," \
	"\"register\":{\"read\":true,\"cold\":false,\"amnesiac\":false}," \
	"\"durable\":{\"latch\":false}," RECORD

static const char healthy[] =
    "{\"register\":{\"revision\":1},\"nodes\":["
    "{\"node\":\"s1\",\"role\":\"primary\"," DATA ","
    "\"fence\":{\"writers\":\"open\",\"armed\":\"yes\"},"
    "\"postgres\":{\"state\":\"primary\",\"probe\":\"yes\"}},"
    "{\"node\":\"s2\",\"role\":\"standby\"," DATA ","
    "\"fence\":{\"writers\":\"closed\",\"armed\":\"yes\"},"
    "\"postgres\":{\"state\":\"standby\",\"receiver\":true}},"
    "{\"node\":\"a1\",\"role\":\"witness\",\"data\":false,"
    "\"arbiter\":true,\"mode\":\"auto\"}]}";

static struct wrong list[40];
static size_t found;

static json_t *
status(void)
{
	struct error err;
	json_t *obj = json_read(healthy, strlen(healthy), &err);

	if (obj == NULL)
		fail_msg("%s", err.msg);
	return obj;
}

/* Sets nodes[i].path, where path is "a" or "a.b", and looks. */
static void
with(size_t i, const char *path, json_t *value)
{
	json_t *obj = status(), *at;
	const char *dot = strchr(path, '.');
	char group[32];

	at = json_array_get(json_object_get(obj, "nodes"), i);
	if (dot != NULL) {
		(void)snprintf(
		    group, sizeof(group), "%.*s", (int)(dot - path), path);
		at = json_object_get(at, group);
		path = dot + 1;
	}
	assert_non_null(at);
	json_object_set_new(at, path, value);
	found = wrong_find(obj, list, 40);
	json_decref(obj);
}

static void
says(const char *text, const char *next)
{
	size_t i;

	for (i = 0; i < found; i++) {
		assert_true(list[i].next[0] != '\0');
		if (strstr(list[i].text, text) != NULL) {
			assert_non_null(strstr(list[i].next, next));
			return;
		}
	}
	fail_msg("nothing says \"%s\"; first: %s", text,
	    found > 0 ? list[0].text : "none");
}

static void
test_healthy(void **state)
{
	json_t *obj = status();

	found = wrong_find(obj, list, 40);
	if (found != 0)
		fail_msg("%s", list[0].text);
	json_decref(obj);
}

static void
test_each(void **state)
{
	with(1, "silent", json_string("timeout"));
	says("s2: its engine does not answer: timeout", "ssh s2 systemctl");
	with(1, "silent", json_string("tls-name"));
	says("does not answer: tls-name: the cert", "ssh s2 hactl pki check");
	with(0, "role", json_string("closed"));
	says("nobody accepts writes: s1 holds the cluster and is closed",
	    "ssh s1 journalctl");
	with(1, "role", json_string("primary"));
	says("2 nodes say", "hactl register show");
	with(1, "durable.latch", json_true());
	says("s2: stays stopped", "ssh s2 hactl rejoin");
	with(1, "plan",
	    json_pack("{s:s,s:s,s:s}", "name", "rejoin", "row", "rewind",
		"progress", "12/40 kB (30%) copied"));
	says("s2: is made a standby again, at step rewind: 12/40 kB", "again");
	with(1, "fence.armed", json_string("no"));
	says("s2: cannot be fenced", "by itself");
	with(0, "fence.writers", json_string("unknown"));
	says("kernel fence", "nft list table inet hawatch");
	with(1, "postgres.state", json_string("gone"));
	says("s2: PostgreSQL does not run", "journalctl");
	with(1, "postgres.state", json_string("primary"));
	says("rogue primary", "ssh s2");
	with(1, "postgres.receiver", json_false());
	says("receives nothing", "primary_conninfo");
	with(0, "postgres.probe", json_string("no"));
	says("does not commit", "ssh s1");
	with(1, "postgres.no_room", json_string("disk-full"));
	says("s2: no room for PostgreSQL: disk-full: less than 1 MiB",
	    "ssh s2 df -h");
	with(0, "record.candidates", json_array());
	says("s2 may not take over from s1", "SHOW primary_conninfo");
	with(0, "record.next_in_ms", json_integer(90500));
	says("for another 90 s, s2 does not take over", "ssh s1 hactl ack");
	with(0, "register.cold", json_true());
	says("cold", "hactl register adopt");
	with(0, "register.amnesiac", json_true());
	says("shows less", "hactl register show");
	with(1, "register.read", json_false());
	says("did not read", "hactl register show");
	with(0, "mode", json_string("manual"));
	says("s1: mode manual: it does not take over by itself", "auto");
	with(0, "mode", json_string("observe"));
	says("s1: mode observe: nothing happens by itself", "auto");
	with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "web", "up", "no", "reason",
		"connect-refused"));
	says("check web is down: connect-refused: nothing listens", "hactl");
	with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "repmgr", "up", "no", "reason",
		"repmgr-type"));
	says("check repmgr is down: repmgr-type", "repmgr primary register");
	with(1, "checks",
	    json_pack("[{s:s,s:s,s:s,s:s}]", "name", "programs", "type",
		"supervisor", "up", "no", "reason", "x"));
	says("check programs is down: x", "ssh s2 supervisorctl status");
	with(1, "drift",
	    json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "items", "name", "db",
		"holds", "no", "name", "app", "holds", "yes"));
	says("s2: 1 of 2 items not as its role demands: db",
	    "ssh s2 hactl drift --apply");
	with(1, "site", json_pack("{s:s}", "why", "app-db: no such file"));
	says("s2: could not be brought to its role", "hactl drift --apply");
	with(0, "traffic",
	    json_pack("[{s:s,s:s,s:s,s:i}]", "name", "lb", "ok", "no", "reason",
		"connect-refused", "seen_ms", 5));
	says("s1: balancer lb is not as wanted: connect-refused",
	    "grep traffic");
	/* It was never reached. */
	with(0, "traffic",
	    json_pack("[{s:s,s:s,s:s,s:n}]", "name", "lb", "ok", "unknown",
		"reason", "connect-refused", "seen_ms"));
	says("s1: balancer lb is not as wanted: connect-refused",
	    "grep traffic");
	/* It is another node's. */
	with(0, "traffic",
	    json_pack("[{s:s,s:s,s:s,s:n}]", "name", "lb", "ok", "unknown",
		"reason", "", "seen_ms"));
	assert_int_equal(found, 0);
}

/* Settings of PostgreSQL: for whom they are set; notes are not wrong. */
static void
test_settings(void **state)
{
	json_t *obj, *at;

	with(0, "postgres.settings",
	    json_pack("[{s:s,s:s,s:s}]", "reason", "fsync-off", "level",
		"blocks", "where", ""));
	says("s1: may not take over, nor add candidates: fsync-off: fsync is "
	     "off",
	    "within a minute");
	with(0, "postgres.settings",
	    json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]", "reason",
		"commit-async", "level", "warns", "where", "role clerk",
		"reason", "commit-async", "level", "warns", "where", "role x",
		"reason", "statement-timeout", "level", "notes", "where",
		"the server"));
	says("s1: commit-async (role clerk and others): synchronous_commit",
	    "in PostgreSQL");
	assert_int_equal(found, 1);
	/* It is the setting that is wrong, and told once. */
	obj = status();
	at = json_array_get(json_object_get(obj, "nodes"), 1);
	json_object_set_new(json_object_get(at, "postgres"), "settings",
	    json_pack("[{s:s,s:s,s:s}]", "reason", "fsync-off", "level",
		"blocks", "where", ""));
	json_object_set_new(
	    json_object_get(at, "fence"), "armed", json_string("no"));
	json_object_set_new(json_object_get(at, "fence"), "armed_why",
	    json_string("a setting of PostgreSQL forbids it: fsync-off"));
	found = wrong_find(obj, list, 40);
	assert_int_equal(found, 1);
	json_decref(obj);
}

/* A standby that still takes its WAL from the node that was the primary. */
static void
test_follow(void **state)
{
	json_t *obj = status(), *at;

	at = json_array_get(json_object_get(obj, "nodes"), 1);
	json_object_set_new(at, "follow",
	    json_pack("{s:n,s:s}", "node", "why", "conninfo-denied"));
	json_object_set_new(
	    json_object_get(at, "postgres"), "source", json_pack("[s]", "s3"));
	found = wrong_find(obj, list, 40);
	says("s2: is not made to follow s1: conninfo-denied: hawatch's",
	    "ssh s2 journalctl");
	json_object_set_new(
	    json_object_get(at, "postgres"), "source", json_pack("[s]", "s1"));
	assert_int_equal(wrong_find(obj, list, 40), 0);
	json_decref(obj);
}

/* The file has to be the same everywhere. */
static void
test_durability(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes");

	json_object_set_new(json_array_get(nodes, 0), "durability",
	    json_pack("{s:s,s:i}", "mode", "bounded", "max_loss", 65536));
	json_object_set_new(json_array_get(nodes, 1), "durability",
	    json_pack("{s:s,s:i}", "mode", "bounded", "max_loss", 65536));
	assert_int_equal(wrong_find(obj, list, 40), 0);
	json_object_set_new(json_array_get(nodes, 1), "durability",
	    json_pack("{s:s,s:i}", "mode", "bounded", "max_loss", 131072));
	found = wrong_find(obj, list, 40);
	says("s1 and s2 differ in what may be lost", "every hawatch.conf");
	json_object_set_new(json_array_get(nodes, 1), "durability",
	    json_pack("{s:s,s:i}", "mode", "strict", "max_loss", 0));
	found = wrong_find(obj, list, 40);
	says("s1 and s2 differ in what may be lost", "every hawatch.conf");
	json_decref(obj);
}

/* One of two standbys is a candidate, the other one is not. */
static void
test_one_of_two(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes"), *third;

	json_array_set_new(nodes, 2, json_deep_copy(json_array_get(nodes, 1)));
	third = json_array_get(nodes, 2);
	json_object_set_new(third, "node", json_string("s3"));
	found = wrong_find(obj, list, 40);
	assert_int_equal(found, 1);
	says("s3 may not take over from s1, only s2 may",
	    "on s3: SHOW primary_conninfo");
	json_object_set_new(
	    json_object_get(third, "durable"), "latch", json_true());
	found = wrong_find(obj, list, 40);
	assert_int_equal(found, 1);
	says("s3: stays stopped", "hactl rejoin");
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
		obj = status();
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
		found = wrong_find(obj, list, 40);
		(void)snprintf(want, sizeof(want), "%s takes over by itself",
		    rows[i].heir);
		says(want, "hactl status");
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
		{ "lease-runs", "s2 takes over by itself, in 1.2 s", "again" },
		{ "mode", "s2 does not take over: why", "hactl promote s2" },
		{ "min-interval", "does not take over", "hactl promote s2" },
		{ "not-armed", "does not", "hactl plan promote s2" },
	};
	json_t *obj, *nodes;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		obj = status();
		nodes = json_object_get(obj, "nodes");
		json_array_set_new(nodes, 0,
		    json_pack("{s:s,s:s,s:b}", "node", "s1", "silent",
			"timeout", "data", 1));
		json_object_set_new(json_array_get(nodes, 1), "claim",
		    json_pack("{s:s,s:s,s:i}", "block", rows[i].block, "text",
			"why", "in_ms", 1234));
		found = wrong_find(obj, list, 40);
		says(rows[i].text, rows[i].next);
		/* Nor does the standby receive anything; that is no news. */
		assert_int_equal(found, 2);
		json_object_set_new(json_object_get(obj, "register"), "silent",
		    json_string("timeout"));
		found = wrong_find(obj, list, 40);
		says("without the register nobody takes over", "arbiter");
		json_object_del(json_object_get(obj, "register"), "silent");
		json_object_set_new(
		    json_object_get(json_array_get(nodes, 1), "record"),
		    "candidates", json_array());
		found = wrong_find(obj, list, 40);
		if (i > 0)
			says("s2 is no candidate", "bring s1 back");
		json_decref(obj);
	}
}

/* What follows from one fault is not told again for every node. */
static void
test_told_once(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes"), *reg;

	reg = json_object_get(obj, "register");
	json_object_set_new(reg, "silent", json_string("timeout"));
	json_object_set_new(
	    json_array_get(nodes, 2), "silent", json_string("timeout"));
	found = wrong_find(obj, list, 40);
	says("on a1 does not answer: timeout. s1 goes on while it hears of s2",
	    "ssh a1 systemctl status hawatchd");
	assert_int_equal(found, 1);
	json_object_clear(reg);
	json_object_del(json_array_get(nodes, 2), "silent");
	json_object_set_new(reg, "cold", json_true());
	json_object_set_new(reg, "reported", json_pack("[s]", "s1"));
	found = wrong_find(obj, list, 40);
	says("it waits for the report of s2", "hactl register adopt");
	assert_int_equal(found, 1);
	json_decref(obj);
}

/* The register is in etcd: as a whole it is silent, or one member is. */
static void
test_etcd(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes"), *reg;

	reg = json_object_get(obj, "register");
	json_object_set_new(reg, "type", json_string("etcd"));
	json_object_set_new(reg, "members",
	    json_pack("[{s:b},{s:b,s:s}]", "answers", 1, "answers", 0, "why",
		"10.0.0.2:2379: timeout"));
	json_object_set_new(obj, "self", json_string("s1"));
	found = wrong_find(obj, list, 40);
	says("a member of etcd does not serve s1: 10.0.0.2:2379: timeout",
	    "etcdctl endpoint status");
	assert_int_equal(found, 1);
	json_object_del(reg, "members");
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 1), "register"), "amnesiac",
	    json_true());
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 1), "durable"), "back",
	    json_true());
	found = wrong_find(obj, list, 40);
	says("s2: etcd was put back from a copy as the same cluster",
	    "--initial-cluster-token");
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 1), "register"), "amnesiac",
	    json_false());
	json_object_set_new(reg, "silent", json_string("10.0.0.1:2379: x"));
	found = wrong_find(obj, list, 40);
	says("etcd does not answer: 10.0.0.1:2379: x. s1 goes on while it "
	     "hears of s2",
	    "etcdctl endpoint status");
	assert_int_equal(found, 1);
	json_object_set_new(
	    json_array_get(nodes, 0), "role", json_string("closed"));
	found = wrong_find(obj, list, 40);
	says("nobody accepts writes", "bring etcd or a candidate back");
	json_array_set_new(nodes, 0,
	    json_pack(
		"{s:s,s:s,s:b}", "node", "s1", "silent", "timeout", "data", 1));
	found = wrong_find(obj, list, 40);
	says("without the register nobody takes over", "bring etcd back");
	json_decref(obj);
}

static void
test_no_record(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes");
	size_t i;

	for (i = 0; i < 3; i++)
		json_object_del(json_array_get(nodes, i), "record");
	found = wrong_find(obj, list, 40);
	says("no record was ever written", "hactl init --holder s1");
	assert_int_equal(found, 1);
	json_object_set_new(
	    json_object_get(obj, "register"), "silent", json_string("x"));
	found = wrong_find(obj, list, 40);
	says("the register on a1 does not answer", "ssh a1");
	/* A list that is too short for all keeps the worst. */
	assert_int_equal(wrong_find(obj, list, 1), 1);
	assert_non_null(strstr(list[0].text, "the register on a1 does not"));
	json_decref(obj);
}

/* Said once for all hosts, and instead of what follows from it. */
static void
test_paused(void **state)
{
	static const char doc[] =
	    "{\"until\":\"2026-11-21T01:30:00Z\",\"left_ms\":1200000,"
	    "\"why\":\"disks\",\"by\":\"amy (uid 0)\",\"written\":true}";
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes"), *node;
	struct error err;
	size_t i;

	for (i = 0; i < 2; i++) {
		node = json_array_get(nodes, i);
		json_object_set_new(
		    node, "paused", json_read(doc, strlen(doc), &err));
		json_object_set_new(json_object_get(node, "record"),
		    "candidates", json_array());
	}
	found = wrong_find(obj, list, 40);
	assert_int_equal(found, 1);
	says("failover is paused for another 20 min, until "
	     "2026-11-21T01:30:00Z, by amy (uid 0): disks. Nobody takes over, "
	     "and what is written is on one host",
	    "ssh s1 hactl resume, once the work is done");
	/* Ordered, with the register down. */
	node = json_object_get(json_array_get(nodes, 0), "paused");
	json_object_set_new(node, "written", json_false());
	found = wrong_find(obj, list, 40);
	says("it is not yet", "once the register answers");
	json_decref(obj);
}

static void
test_fenced(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes"), *node;

	node = json_object_get(json_array_get(nodes, 1), "durable");
	json_object_set_new(node, "latch", json_true());
	json_object_set_new(node, "fenced", json_true());
	json_object_set_new(
	    node, "latch_why", json_string("fenced by amy (uid 0): disks"));
	json_object_set_new(json_object_get(json_array_get(nodes, 0), "record"),
	    "candidates", json_array());
	found = wrong_find(obj, list, 40);
	says("s2: stays stopped: fenced by amy (uid 0): disks",
	    "ssh s2 hactl unfence, once the work is done");
	says("s2 may not take over", "ssh s2 hactl unfence");
	json_decref(obj);
}

/* An upgrade that is not finished. */
static void
test_versions(void **state)
{
	json_t *obj = status(), *nodes = json_object_get(obj, "nodes");

	json_object_set_new(
	    json_array_get(nodes, 0), "protocol", json_integer(2));
	json_object_set_new(
	    json_array_get(nodes, 2), "protocol", json_integer(2));
	found = wrong_find(obj, list, 40);
	assert_int_equal(found, 1);
	says("the hawatchd of s2 is older than that of s1",
	    "upgrade hawatchd on s2");
	json_object_set_new(
	    json_array_get(nodes, 1), "protocol", json_integer(2));
	assert_int_equal(wrong_find(obj, list, 40), 0);
	json_decref(obj);
}

/* An older or a newer engine, or garbage, must not crash it. */
static void
test_foreign(void **state)
{
	static const char *const odd[] = { "{}", "{\"nodes\":1}",
		"{\"nodes\":[1,null,{}]}",
		"{\"nodes\":[{\"data\":true,\"record\":7}]}" };
	struct error err;
	json_t *obj;
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		obj = json_read(odd[i], strlen(odd[i]), &err);
		assert_non_null(obj);
		assert_true(wrong_find(obj, list, 40) > 0);
		json_decref(obj);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_durability),
		cmocka_unit_test(test_one_of_two),
		cmocka_unit_test(test_heirs),
		cmocka_unit_test(test_heir),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_etcd),
		cmocka_unit_test(test_no_record),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
