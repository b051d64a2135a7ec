/*
 * What hactl status finds wrong: the line and the next command that a person
 * gets for each fault of a host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wrongtest.h"

static void
test_healthy(void **state)
{
	json_t *obj = wt_status();

	wt.found = wrong_find(obj, wt.list, 40);
	if (wt.found != 0)
		fail_msg("%s", wt.list[0].text);
	json_decref(obj);
}

static void
test_each(void **state)
{
	wt_with(1, "silent", json_string("timeout"));
	wt_says("s2: its engine does not answer: timeout", "ssh s2 systemctl");
	wt_with(1, "silent", json_string("tls-name"));
	wt_says(
	    "does not answer: tls-name: the cert", "ssh s2 hactl pki check");
	wt_with(0, "role", json_string("closed"));
	wt_says("nobody accepts writes: s1 holds the cluster and is closed",
	    "ssh s1 journalctl");
	wt_with(1, "role", json_string("primary"));
	wt_says("2 nodes say", "hactl register show");
	wt_with(1, "durable.latch", json_true());
	wt_says("s2: stays stopped", "ssh -t s2 hactl rejoin");
	wt_with(1, "durable",
	    json_pack("{s:b,s:s}", "latch", 1, "latch_why",
		"its data may have diverged; hactl rejoin"));
	wt_says("s2: stays stopped: its data may have diverged", "rejoin");
	wt_with(1, "plan",
	    json_pack("{s:s,s:s,s:s}", "name", "rejoin", "row", "rewind",
		"progress", "12/40 kB (30%) copied"));
	wt_says("s2: is made a standby again, at step rewind: 12/40 kB",
	    "hactl status");
	wt_with(1, "fence.armed", json_string("no"));
	wt_says("s2: cannot be fenced", "hactl preflight");
	wt_says("it is looked at again by itself", "hactl preflight");
	wt_with(1, "fence",
	    json_pack("{s:s,s:s,s:s}", "writers", "closed", "armed", "unknown",
		"armed_why", "socket directory /s: No such file"));
	wt_says("s2: whether it can be fenced is not known: socket directory",
	    "hactl preflight");
	assert_int_equal(wt.found, 1);
	wt_with(1, "fence",
	    json_pack("{s:s,s:s,s:s}", "writers", "closed", "armed", "unknown",
		"armed_why", ""));
	assert_int_equal(wt.found, 0);
	wt_with(1, "fence",
	    json_pack("{s:s,s:s}", "armed", "no", "armed_why",
		"repmgrd (pid 7) would promote by itself, too"));
	wt_says("s2: nobody takes over from it, nor it from others: repmgrd "
		"(pid 7) would promote by itself",
	    "ssh s2 systemctl disable --now repmgrd");
	assert_int_equal(wt.found, 1);
	wt_with(0, "fence.writers", json_string("unknown"));
	wt_says("kernel fence", "ssh s1 nft list table inet hawatch");
	wt_with(1, "postgres.state", json_string("gone"));
	wt_says("s2: PostgreSQL does not run", "journalctl");
	wt_with(1, "postgres.state", json_string("primary"));
	wt_says("s2: PostgreSQL is out of recovery, but the record names s1: a "
		"rogue primary",
	    "ssh s2");
	wt_with(1, "role", json_string("closed"));
	wt_says("s2: closed to writers", "ssh s2 journalctl");
	wt_with(1, "plan", json_pack("{s:s,s:s}", "name", "", "row", "start"));
	wt_says("s2: PostgreSQL is being started", "hactl status");
	wt_with(1, "postgres.receiver", json_false());
	wt_says(
	    "receives nothing from the primary; PostgreSQL's own log there says "
	    "why, so may its primary_conninfo",
	    "ssh s2 runuser -u postgres -- psql -xc \"'TABLE pg_stat_wal_receiver'\"");
	wt_with(0, "postgres.probe", json_string("no"));
	wt_says("does not commit", "ssh s1");
	wt_with(1, "postgres.no_room", json_string("disk-full"));
	wt_says("s2: no room for PostgreSQL: disk-full: less than 1 MiB",
	    "ssh s2 df -h");
	wt_with(0, "record.candidates", json_array());
	wt_says("s2 may not take over from s1", "SHOW primary_conninfo");
	wt_says("host has to be s1 and application_name s2", "ssh s2");
	wt_with(0, "record.next_in_ms", json_integer(90500));
	wt_says("for another 90 s, s2 does not take over", "ssh s1 hactl ack");
	wt_with(0, "register.cold", json_true());
	wt_says("cold", "hactl register show");
	wt_says("if its record is right: hactl register adopt", "hactl");
	wt_with(0, "register.amnesiac", json_true());
	wt_says("shows less", "hactl register show");
	wt_with(1, "register.read", json_false());
	wt_says("did not read", "hactl register show");
	wt_with(
	    0, "config", json_pack("{s:[s],s:[]}", "differ", "s2", "unsafe"));
	wt_says(
	    "s1 runs by another configuration than s2: one file on all hosts, "
	    "then hactl reload",
	    "hactl config diff");
	wt_with(1, "config",
	    json_pack("{s:[s],s:[s]}", "differ", "s1", "unsafe", "s1"));
	wt_says("s2 runs by another configuration than s1, in what matters for "
		"safety: no candidate is added. One file on all hosts, then "
		"restart hawatchd, one host after another",
	    "hactl config diff");
	/* Its file, of which nobody here sees more than it says. */
	wt_with(1, "config",
	    json_pack("{s:[],s:{s:s,s:i,s:s,s:b}}", "differ", "file", "path",
		"/etc/x.conf", "errors", 2, "at", "/etc/x.conf:12", "observe",
		0));
	wt_says("s2: its configuration has 2 errors, the first in "
		"/etc/x.conf:12: its engine goes on with what it read before, "
		"and would not start again",
	    "ssh s2 hactl config check");
	wt_with(2, "config",
	    json_pack("{s:{s:s,s:i,s:s,s:b}}", "file", "path", "/etc/x.conf",
		"errors", 1, "at", "/etc/x.conf", "observe", 0));
	wt_says("a1: its configuration has 1 error, in /etc/x.conf: its",
	    "ssh a1 hactl config check");
	wt_with(1, "config",
	    json_pack("{s:{s:s,s:i,s:s,s:b}}", "file", "path", "/etc/x.conf",
		"errors", 1, "at", "/etc/x.conf", "observe", 1));
	wt_says("s2: /etc/x.conf there says mode observe",
	    "ssh s2 hactl config check");
	assert_int_equal(wt.found, 1);
	wt_with(0, "mode", json_string("manual"));
	wt_says(
	    "s1: mode manual: it does not take over by itself", "hactl reload");
	wt_with(0, "mode", json_string("observe"));
	wt_says("s1: mode observe: nothing happens by itself",
	    "hactl report --would");
	wt_with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "web", "up", "no", "reason",
		"connect-refused"));
	wt_says("check web is down: connect-refused: nothing listens", "hactl");
	wt_with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "repmgr", "up", "no", "reason",
		"repmgr-type"));
	wt_says("check repmgr is down: repmgr-type", "repmgr primary register");
	wt_with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "repmgr", "up", "no", "reason",
		"repmgr-config"));
	wt_says(
	    "check repmgr is down: repmgr-config", "ssh s1 repmgr node status");
	wt_says("The command is for PostgreSQL's user", "ssh s1 repmgr");
	wt_with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "repmgr", "up", "no", "reason",
		"repmgr-login"));
	wt_says("does not reach this server", "psql -h SOCKET_DIRECTORY");
	wt_with(0, "checks",
	    json_pack("[{s:s,s:s,s:s}]", "name", "repmgr", "up", "no", "reason",
		"repmgr-rights"));
	wt_says(
	    "repmgr-rights: repmgr's account", "ALTER ROLE repmgr SUPERUSER");
	wt_with(1, "checks",
	    json_pack("[{s:s,s:s,s:s,s:s}]", "name", "programs", "type",
		"supervisor", "up", "no", "reason", "x"));
	wt_says("check programs is down: x", "ssh s2 supervisorctl status");
	wt_with(1, "drift",
	    json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "items", "name", "db",
		"holds", "no", "name", "app", "holds", "yes"));
	wt_says("s2: 1 of 2 items not as its role demands: db",
	    "ssh -t s2 hactl drift --apply");
	wt_with(1, "site", json_pack("{s:s}", "why", "app-db: no such file"));
	wt_says("s2: could not be brought to its role", "hactl drift --apply");
	wt_with(0, "traffic",
	    json_pack("[{s:s,s:s,s:s,s:i}]", "name", "lb", "ok", "no", "reason",
		"connect-refused", "seen_ms", 5));
	wt_says("s1: balancer lb is not as wanted: connect-refused",
	    "grep traffic");
	wt_with(1, "agents",
	    json_pack("[{s:s,s:s,s:s,s:s}]", "name", "bmc", "node", "s1", "ok",
		"no", "reason", "status 1"));
	wt_says("s2: fence agent bmc of s1 does not answer: status 1",
	    "journalctl -u hawatchd -g agent.change");
	/* It was never reached. */
	wt_with(0, "traffic",
	    json_pack("[{s:s,s:s,s:s,s:n}]", "name", "lb", "ok", "unknown",
		"reason", "connect-refused", "seen_ms"));
	wt_says("s1: balancer lb is not as wanted: connect-refused",
	    "grep traffic");
	/* It is another node's. */
	wt_with(0, "traffic",
	    json_pack("[{s:s,s:s,s:s,s:n}]", "name", "lb", "ok", "unknown",
		"reason", "", "seen_ms"));
	assert_int_equal(wt.found, 0);
}

/* Settings of PostgreSQL: for whom they are set; notes are not wrong. */
static void
test_settings(void **state)
{
	json_t *obj, *at;

	wt_with(0, "postgres.settings",
	    json_pack("[{s:s,s:s,s:s}]", "reason", "fsync-off", "level",
		"blocks", "where", ""));
	wt_says(
	    "s1: may not take over, nor add candidates: fsync-off: fsync is "
	    "off",
	    "hactl status");
	wt_says("Put that right in PostgreSQL; it is looked at again within a "
		"minute",
	    "hactl status");
	wt_with(0, "postgres.settings",
	    json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]", "reason",
		"commit-async", "level", "warns", "where", "role clerk",
		"reason", "commit-async", "level", "warns", "where", "role x",
		"reason", "statement-timeout", "level", "notes", "where",
		"the server"));
	wt_says("s1: commit-async (role clerk and others): synchronous_commit",
	    "hactl status");
	assert_int_equal(wt.found, 1);
	/* It is the setting that is wrong, and told once. */
	obj = wt_status();
	at = json_array_get(json_object_get(obj, "nodes"), 1);
	json_object_set_new(json_object_get(at, "postgres"), "settings",
	    json_pack("[{s:s,s:s,s:s}]", "reason", "fsync-off", "level",
		"blocks", "where", ""));
	json_object_set_new(
	    json_object_get(at, "fence"), "armed", json_string("no"));
	json_object_set_new(json_object_get(at, "fence"), "armed_why",
	    json_string("a setting of PostgreSQL forbids it: fsync-off"));
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 1);
	json_decref(obj);
}

/* A standby that still takes its WAL from the node that was the primary. */
static void
test_follow(void **state)
{
	json_t *obj = wt_status(), *at;

	at = json_array_get(json_object_get(obj, "nodes"), 1);
	json_object_set_new(at, "follow",
	    json_pack("{s:n,s:s}", "node", "why", "conninfo-denied"));
	json_object_set_new(
	    json_object_get(at, "postgres"), "source", json_pack("[s]", "s3"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("s2: is not made to follow s1: conninfo-denied: hawatch's",
	    "ssh s2 journalctl");
	json_object_set_new(
	    json_object_get(at, "postgres"), "source", json_pack("[s]", "s1"));
	assert_int_equal(wrong_find(obj, wt.list, 40), 0);
	json_decref(obj);
}

/* What follows from one fault is not told again for every node. */
static void
test_told_once(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"), *reg;

	reg = json_object_get(obj, "register");
	json_object_set_new(reg, "silent", json_string("timeout"));
	json_object_set_new(
	    json_array_get(nodes, 2), "silent", json_string("timeout"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "on a1 does not answer: timeout. s1 goes on while it hears of s2",
	    "ssh a1 systemctl status hawatchd");
	assert_int_equal(wt.found, 1);
	json_object_clear(reg);
	json_object_del(json_array_get(nodes, 2), "silent");
	json_object_set_new(reg, "cold", json_true());
	json_object_set_new(reg, "reported", json_pack("[s]", "s1"));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "it waits for the report of s2: start hawatchd there; if that host "
	    "is lost for good, and the record right: hactl register adopt",
	    "hactl register show");
	assert_int_equal(wt.found, 1);
	json_decref(obj);
}

/* Said once for all hosts, and instead of what follows from it. */
static void
test_paused(void **state)
{
	static const char doc[] =
	    "{\"until\":\"2026-11-21T01:30:00Z\",\"left_ms\":1200000,"
	    "\"why\":\"disks\",\"by\":\"amy (uid 0)\",\"written\":true}";
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"),
	       *node;
	struct error err;
	size_t i;

	for (i = 0; i < 2; i++) {
		node = json_array_get(nodes, i);
		json_object_set_new(
		    node, "paused", json_read(doc, strlen(doc), &err));
		json_object_set_new(json_object_get(node, "record"),
		    "candidates", json_array());
	}
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 1);
	wt_says(
	    "failover is paused for another 20 min, until "
	    "2026-11-21T01:30:00Z, by amy (uid 0): disks. Nobody takes over, "
	    "and what is written is on one host",
	    "ssh s1 hactl resume");
	/* Ordered, with the register down. */
	node = json_object_get(json_array_get(nodes, 0), "paused");
	json_object_set_new(node, "written", json_false());
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says("once the register is written: it is not yet", "hactl resume");
	json_decref(obj);
}

static void
test_fenced(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes"),
	       *node;

	node = json_object_get(json_array_get(nodes, 1), "durable");
	json_object_set_new(node, "latch", json_true());
	json_object_set_new(node, "fenced", json_true());
	json_object_set_new(
	    node, "latch_why", json_string("fenced by amy (uid 0): disks"));
	json_object_set_new(json_object_get(json_array_get(nodes, 0), "record"),
	    "candidates", json_array());
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "s2: stays stopped until the work is done: fenced by amy (uid 0)",
	    "ssh -t s2 hactl unfence");
	wt_says("s2 may not take over", "ssh -t s2 hactl unfence");
	/* Another has taken over since: unfence would be refused. What stays
	 * stopped comes first, and both lines say the same. */
	json_object_set_new(node, "overtaken", json_true());
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "s1 has taken over since, so this data is to be made a standby's",
	    "ssh -t s2 hactl rejoin");
	wt_says("s2 may not take over", "ssh -t s2 hactl rejoin");
	assert_non_null(strstr(wt.list[0].text, "stays stopped"));
	json_object_set_new(node, "fenced", json_false());
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 2);
	assert_non_null(strstr(wt.list[0].text, "s2: stays stopped"));
	assert_string_equal(wt.list[1].next, wt.list[0].next);
	json_decref(obj);
}

/* An upgrade that is not finished. */
static void
test_versions(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes");

	json_object_set_new(
	    json_array_get(nodes, 0), "protocol", json_integer(2));
	json_object_set_new(
	    json_array_get(nodes, 2), "protocol", json_integer(2));
	wt.found = wrong_find(obj, wt.list, 40);
	assert_int_equal(wt.found, 1);
	wt_says("the hawatchd of s2 is older than that of s1",
	    "ssh s2 systemctl restart hawatchd");
	json_object_set_new(
	    json_array_get(nodes, 1), "protocol", json_integer(2));
	assert_int_equal(wrong_find(obj, wt.list, 40), 0);
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
		assert_true(wrong_find(obj, wt.list, 40) > 0);
		json_decref(obj);
	}
}

/* Nobody there who could take over. */
static void
test_nobody(void **state)
{
	json_t *obj = wt_status(), *nodes = json_object_get(obj, "nodes");

	json_object_set_new(
	    json_array_get(nodes, 0), "role", json_string("standby"));
	json_object_set_new(
	    json_object_get(json_array_get(nodes, 0), "postgres"), "state",
	    json_string("gone"));
	json_array_set_new(nodes, 1,
	    json_pack(
		"{s:s,s:s,s:b}", "node", "s2", "silent", "timeout", "data", 1));
	wt.found = wrong_find(obj, wt.list, 40);
	wt_says(
	    "no standby answers: bring the node back that the register names "
	    "as holder",
	    "hactl register show");
	json_decref(obj);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
