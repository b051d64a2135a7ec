/*
 * The orders: the real core, the real loop; what lies behind the network is a
 * fake that answers, is silent or talks garbage, as the test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/history.h"
#include "engine/peers.h"
#include "engine/reports.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/instance.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/traffic.h"

#define A 0 /* holder */
#define B 1 /* this host */
#define W 2 /* witness */

static struct {
	json_t *lines[32];
	int n;
	bool final;
	const char *peer[3]; /* answers; NULL: silent */
	bool peer_never;     /* not even a callback */
	void (*held)(void *arg, node_t node, const char *json, const char *why);
	void *held_arg[4];
	int held_n;
	const char *reg;
	enum answer signal;
	struct pg_view view;
	struct pg_peer pg_peer;
	struct pg_findings findings;
	bool port_silent; /* no result of the question comes */
	struct converge_state item[3];
	int runs;
	void (*run)(void *arg, enum answer ans, const char *reason);
	void *run_arg;
	int items;
	const char *doing;
	struct host_report report;
	const char *found;   /* in the history of this host */
	const char *told[3]; /* by the history of a peer; NULL: silent */
} fake;

static struct engine eng;
static struct conf conf;
static struct now at;
static struct core *watcher; /* the same in mode observe */

/* What the engine's other parts would be. */

void
control_reply(struct control *c, uint64_t id, const char *json, bool final)
{
	struct error err;

	assert_false(fake.final);
	assert_true(fake.n < 32);
	fake.lines[fake.n] = json_read(json, strlen(json), &err);
	assert_non_null(fake.lines[fake.n]);
	assert_int_equal(json_has(fake.lines[fake.n], "exit"), final);
	fake.n++;
	fake.final = final;
}

bool
control_asker(const struct control *c, uint64_t id, uid_t *uid, pid_t *pid)
{
	return false;
}

void
peers_status(struct peers *p, node_t node,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	if (fake.peer_never) {
		fake.held = done;
		fake.held_arg[fake.held_n++] = arg;
		return;
	}
	done(arg, node, fake.peer[node],
	    fake.peer[node] == NULL ? "connect-timeout" : NULL);
}

void
history_read(struct history *h, const struct history_query *q,
    void (*done)(void *arg, uint64_t id, const json_t *found), void *arg,
    uint64_t id)
{
	struct error err;
	json_t *obj = json_read(fake.found, strlen(fake.found), &err);

	assert_non_null(obj);
	done(arg, id, obj);
	json_decref(obj);
}

void
peers_history(struct peers *p, node_t node, char *body, usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	free(body);
	done(arg, node, fake.told[node],
	    fake.told[node] == NULL ? "connect-timeout" : NULL);
}

void
regclient_show(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	done(arg, fake.reg, fake.reg == NULL ? "connect-refused" : NULL);
}

void
regclient_adopt(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	done(arg, NULL, "{\"error\":\"the register is not cold\"}");
}

const char *
acts_reason(const struct acts *acts, enum act_kind kind)
{
	return "";
}

const struct pg_view *
pgwatch_view(const struct pgwatch *w)
{
	return &fake.view;
}

const struct pg_findings *
pgwatch_findings(const struct pgwatch *w)
{
	return &fake.findings;
}

const char *
pgwatch_no_room(const struct pgwatch *w, const char **where)
{
	*where = "";
	return "";
}

const struct pg_peer *
pgwatch_peer(const struct pgwatch *w, node_t node)
{
	return node == A ? &fake.pg_peer : NULL;
}

void
pgwatch_poke_peer(struct pgwatch *w, node_t node)
{
	if (fake.port_silent)
		return;
	fake.pg_peer.asked_at = clock_now().raw + 1;
	if (fake.pg_peer.reached == ANS_YES)
		fake.pg_peer.seen_at = fake.pg_peer.asked_at;
}

int
checks_count(const struct checks *checks)
{
	return 0;
}

void
checks_state(const struct checks *checks, int i, struct check_state *out)
{
	abort();
}

int
converge_count(const struct converge *c)
{
	return fake.items;
}

void
converge_state(const struct converge *c, int i, struct converge_state *out)
{
	*out = fake.item[i];
}

int
converge_drift(const struct converge *c)
{
	int i, n = 0;

	for (i = 0; i < fake.items; i++)
		n += fake.item[i].holds == ANS_NO;
	return n;
}

const char *
converge_doing(const struct converge *c, usec_t *since)
{
	*since = at.raw - 5 * USEC_MSEC;
	return fake.doing;
}

void
converge_run(struct converge *c, enum conf_item_when when, node_t primary,
    uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	assert_int_equal(when, ITEM_AFTER);
	assert_int_equal(primary, A);
	fake.runs++;
	fake.run = done;
	fake.run_arg = arg;
}

int
traffic_count(const struct traffic *t)
{
	return 1;
}

void
traffic_state(const struct traffic *t, int i, struct traffic_state *out)
{
	*out = (struct traffic_state){ .name = "lb",
		.ok = ANS_YES,
		.reason = "",
		.in = NODE_BIT(B),
		.out = NODE_BIT(A) };
}

const struct host_report *
reports_of(const struct reports *r, node_t node, const struct now *now)
{
	return node == A ? &fake.report : NULL;
}

usec_t
reports_heard_at(const struct reports *r, node_t node)
{
	return at.raw - 7 * USEC_MSEC;
}

enum answer
instance_signal_file(const char *data_directory)
{
	return fake.signal;
}

static int
setup(void **state)
{
	struct core_conf cc;
	struct error err;

	memset(&fake, 0, sizeof(fake));
	memset(&eng, 0, sizeof(eng));
	memset(&conf, 0, sizeof(conf));
	conf.cluster = "lab";
	conf.self = B;
	conf.node_count = 3;
	conf.names = (struct names){ "lab", 3, { "n-a", "n-b", "n-w" } };
	conf.node[W].role = ROLE_WITNESS;
	conf.mode = MODE_AUTO;
	conf.ttl = 2 * USEC_SEC;
	conf.pg.backend = BACKEND_PG_CTLCLUSTER;
	conf.pg.cluster = "15/main";
	cc = (struct core_conf){ .names = &conf.names,
		.self = B,
		.data = NODE_BIT(A) | NODE_BIT(B),
		.mode = CORE_AUTO,
		.ttl = conf.ttl,
		.slack = 50 * USEC_MSEC,
		.clock_ppm = 1000,
		.min_interval = 600 * USEC_SEC,
		.standby_timeout = USEC_SEC,
		.start_timeout = 60 * USEC_SEC };
	at = clock_now();
	eng.loop = loop_new(&err);
	eng.conf = &conf;
	eng.core = core_new(&cc, NULL, "seed", &at);
	core_free(watcher);
	cc.mode = CORE_OBSERVE;
	watcher = core_new(&cc, NULL, "seed", &at);
	return 0;
}

static void
forget(void)
{
	while (fake.n > 0)
		json_decref(fake.lines[--fake.n]);
	fake.final = false;
}

static int
teardown(void **state)
{
	orders_free(eng.orders);
	core_free(eng.core);
	loop_free(eng.loop);
	forget();
	return 0;
}

/* The record says that n-a holds, as a read of the register. */
static void
read_record(enum rec_state state)
{
	struct reg_value v = { .instance = "inst", .revision = 7 };

	v.rec.epoch = 3;
	v.rec.seq = 9;
	v.rec.state = state;
	v.rec.holder = A;
	v.rec.target = NODE_NONE;
	v.rec.candidates = NODE_BIT(B);
	v.rec.ttl = 2 * USEC_SEC;
	v.rec.written_by = A;
	strcpy(v.rec.nonce, "n1");
	core_on_read(eng.core, &at, at.raw, &v);
	core_turn(eng.core, &at);
}

static const json_t *
last(void)
{
	assert_true(fake.final);
	return fake.lines[fake.n - 1];
}

static void
ask(const char *verb, const char *json)
{
	forget();
	orders_handle(&eng, 1, verb, json);
	orders_turn(&eng, &at);
}

/* Refused with that code, a reason and a next command. */
static void
refused(int code, const char *word, const char *next)
{
	const json_t *obj = last();
	const char *why = json_string_value(json_object_get(obj, "refused"));
	const char *then = json_string_value(json_object_get(obj, "next"));

	assert_int_equal(
	    json_integer_value(json_object_get(obj, "exit")), code);
	assert_non_null(why);
	assert_non_null(then);
	if (strstr(why, word) == NULL || strstr(then, next) == NULL)
		fail_msg("\"%s\", next \"%s\"", why, then);
}

static void
test_refusals_have_a_next_command(void **state)
{
	ask("frob", "{\"verb\":\"frob\"}");
	refused(2, "does not know", "hactl");
	ask("promote", "{\"verb\":\"promote\"}");
	refused(2, "missing", "hactl");
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-x\"}");
	refused(2, "no node of cluster lab", "hactl");
	ask("promote", "{\"verb\":\"promote\",\"bogus\":1}");
	refused(2, "bogus", "hactl");
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-a\"}");
	refused(1, "that is another host", "ssh n-a hactl promote n-a");
	ask("switchover", "{\"verb\":\"switchover\"}");
	refused(1, "no primary", "hactl status");
	ask("switchover", "{\"verb\":\"switchover\",\"leave_slots\":1}");
	refused(2, "leave_slots", "hactl");
	ask("switchover", "{\"verb\":\"switchover\",\"leave_slots\":true}");
	refused(1, "no primary", "hactl status");
	ask("init", "{\"verb\":\"init\",\"node\":\"n-a\"}");
	refused(1, "another host", "ssh n-a hactl init --holder n-a");
	ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	refused(1, "register does not answer", "hactl register show");
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	refused(1, "no record", "hactl init");
	ask("plan", "{\"verb\":\"plan\",\"node\":\"n-w\"}");
	refused(1, "witness", "hactl");
	ask("ack", "{\"verb\":\"ack\"}");
	refused(1, "only the holder", "hactl status");
	ask("pause", "{\"verb\":\"pause\",\"for_s\":60}");
	refused(2, "why, is missing", "hactl pause --help");
	ask("pause", "{\"verb\":\"pause\",\"why\":\"disks\"}");
	refused(2, "for how long", "hactl pause --help");
	ask("pause", "{\"verb\":\"pause\",\"for_s\":86401,\"why\":\"disks\"}");
	refused(2, "for_s", "hactl");
	ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"disks\"}");
	refused(1, "no holder", "hactl init --holder NODE");
	ask("resume", "{\"verb\":\"resume\"}");
	refused(1, "no holder", "hactl init --holder NODE");
	ask("fence", "{\"verb\":\"fence\"}");
	refused(2, "why is missing", "hactl fence --help");
	read_record(REC_HELD);
	ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"new disks\"}");
	refused(1, "only the holder",
	    "ssh n-a 'hactl pause --for 60s \"new disks\"'");
	ask("pause", "{\"verb\":\"pause\",\"for_s\":60,\"why\":\"it's $(x)\"}");
	refused(
	    1, "only the holder", "ssh n-a 'hactl pause --for 60s \"WHY\"'");
	ask("resume", "{\"verb\":\"resume\"}");
	refused(1, "only the holder", "ssh n-a hactl resume");
	ask("switchover", "{\"verb\":\"switchover\"}");
	refused(1, "only the primary", "ssh n-a hactl switchover n-b");
	ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	refused(1, "the register holds a record already", "register show");
	ask("ack", "{\"verb\":\"ack\"}");
	refused(1, "only the holder", "ssh n-a hactl ack");
	ask("unfence", "{\"verb\":\"unfence\"}");
	refused(1, "not latched", "hactl status");
	ask("register-adopt", "{\"verb\":\"register-adopt\"}");
	refused(1, "the register refuses: the register is not cold",
	    "hactl register show");
	ask("register-show", "{\"verb\":\"register-show\"}");
	refused(1, "connect-refused", "systemctl status hawatchd");
}

static void
test_witness_takes_no_order(void **state)
{
	struct core *core = eng.core;

	eng.core = NULL;
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	refused(1, "witness", "hactl");
	ask("gate", "{\"verb\":\"gate\"}");
	refused(1, "witness", "hactl");
	/* A plan may be asked for, and is another host's to tell. */
	ask("plan", "{\"verb\":\"plan\",\"node\":\"n-b\"}");
	assert_true(json_has(last(), "node"));
	eng.core = core;
}

static void
test_observe(void **state)
{
	struct core *core = eng.core;

	eng.core = watcher;
	ask("init", "{\"verb\":\"init\",\"node\":\"n-b\"}");
	refused(1, "the mode is observe: set mode = \"auto\"",
	    "systemctl restart hawatchd");
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	refused(1, "the mode is observe: set mode = \"manual\"",
	    "systemctl restart hawatchd");
	eng.core = core;
}

static void
test_gate(void **state)
{
	fake.signal = ANS_YES;
	ask("gate", "{\"verb\":\"gate\"}");
	assert_string_equal(
	    json_string_value(json_object_get(last(), "as")), "standby");
	fake.signal = ANS_NO;
	ask("gate", "{\"verb\":\"gate\"}");
	refused(1, "only hawatchd starts a primary", "hactl status");
	fake.signal = ANS_UNKNOWN;
	ask("gate", "{\"verb\":\"gate\"}");
	refused(1, "only hawatchd starts a primary", "hactl status");
}

static void
test_role_is_not_claimed_too_soon(void **state)
{
	read_record(REC_HELD);
	ask("role", "{\"verb\":\"role\",\"is\":\"primary\"}");
	assert_int_equal(
	    json_integer_value(json_object_get(last(), "exit")), 1);
	ask("role", "{\"verb\":\"role\",\"is\":\"standby\"}");
	assert_int_equal(
	    json_integer_value(json_object_get(last(), "exit")), 1);
}

static void
test_status_of_all(void **state)
{
	const json_t *nodes, *n;

	read_record(REC_HELD);
	fake.peer[A] = "{\"node\":\"evil\",\"role\":\"primary\"}";
	fake.peer[W] = "not json";
	fake.reg = "{\"revision\":7}";
	ask("status", "{\"verb\":\"status\"}");
	nodes = json_object_get(last(), "nodes");
	assert_int_equal(json_array_size(nodes), 3);
	n = json_array_get(nodes, A);
	assert_string_equal(
	    json_string_value(json_object_get(n, "node")), "n-a");
	n = json_array_get(nodes, B);
	assert_string_equal(
	    json_string_value(json_object_get(n, "node")), "n-b");
	assert_int_equal(json_integer_value(json_object_get(n, "schema")), 1);
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(n, "record"), "epoch")),
	    3);
	n = json_array_get(nodes, W);
	assert_string_equal(
	    json_string_value(json_object_get(n, "silent")), "garbage");
}

/* What is around the database is in the document, and fits. */
static void
test_status_around(void **state)
{
	static char reason[2000];
	struct health health = { .ok = false, .reasons = "iam" };
	const json_t *n, *obj;
	char *text;

	eng.converge = (struct converge *)(void *)&eng;
	eng.traffic = (struct traffic *)(void *)&eng;
	eng.reports = (struct reports *)(void *)&eng;
	eng.health = &health;
	conf.check_count = 1;
	conf.check[0].name = "iam";
	health.spared = CHECK_BIT(0);
	/* Of a balancer that only a holder steers, no other node speaks. */
	conf.traffic[0].from = FROM_EVERY;
	fake.report = (struct host_report){
		.drift = 4, .passes = CHECK_BIT(0), .site_epoch = 3
	};
	memset(reason, 'x', sizeof(reason) - 1);
	fake.items = 1;
	fake.doing = "app";
	fake.item[0] = (struct converge_state){ .name = "db",
		.type = ITEM_CACHE,
		.holds = ANS_NO,
		.reason = reason };
	read_record(REC_HELD);
	ask("status", "{\"verb\":\"status\"}");
	n = json_array_get(json_object_get(last(), "nodes"), B);
	obj = json_object_get(n, "health");
	assert_true(json_is_false(json_object_get(obj, "ok")));
	assert_int_equal(json_array_size(json_object_get(obj, "spared")), 1);
	obj = json_object_get(n, "drift");
	assert_int_equal(json_integer_value(json_object_get(obj, "count")), 1);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "doing")), "app");
	obj = json_array_get(json_object_get(obj, "items"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "type")), "cache");
	assert_true(
	    strlen(json_string_value(json_object_get(obj, "reason"))) < 200);
	obj = json_array_get(json_object_get(n, "traffic"), 0);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(obj, "out"), 0)),
	    "n-a");
	obj = json_array_get(json_object_get(n, "hosts"), A);
	assert_int_equal(json_integer_value(json_object_get(obj, "drift")), 4);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(obj, "passes"), 0)),
	    "iam");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(n, "site"), "primary")),
	    "n-a");
	text = json_dumps(n, 0);
	assert_true(strlen(text) < 8192);
	free(text);
	fake.items = 0;
}

/* What of PostgreSQL a person should know: whom it follows, what it may lose,
 * which settings are wrong. */
static void
test_status_settings(void **state)
{
	const json_t *n, *obj;
	int i;

	conf.durability = DURABILITY_BOUNDED;
	conf.max_loss = 65536;
	fake.view.source = NODE_BIT(A);
	for (i = 0; i < PG_FINDINGS_MAX; i++) {
		fake.findings.row[i].reason = "commit-async";
		fake.findings.row[i].level = FINDING_WARNS;
		memset(fake.findings.row[i].where, 'x',
		    sizeof(fake.findings.row[i].where) - 1);
	}
	fake.findings.count = PG_FINDINGS_MAX;
	read_record(REC_HELD);
	ask("status", "{\"verb\":\"status\"}");
	n = json_array_get(json_object_get(last(), "nodes"), B);
	obj = json_object_get(n, "durability");
	assert_string_equal(
	    json_string_value(json_object_get(obj, "mode")), "bounded");
	assert_int_equal(
	    json_integer_value(json_object_get(obj, "max_loss")), 65536);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(n, "durable"), "told")),
	    "0/0");
	obj = json_object_get(n, "postgres");
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(obj, "source"), 0)),
	    "n-a");
	obj = json_object_get(obj, "settings");
	assert_int_equal(json_array_size(obj), PG_FINDINGS_MAX);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(obj, 0), "level")),
	    "warns");
	assert_true(json_is_object(json_object_get(n, "follow")));
	fake.findings.count = 0;
	fake.view.source = 0;
	conf.durability = DURABILITY_STRICT;
	conf.max_loss = 0;
}

/* A peer that never calls back is left out after a while; its late answer
 * finds nobody. */
static void
test_status_is_bounded(void **state)
{
	const json_t *n;
	int i;

	fake.peer_never = true;
	ask("status", "{\"verb\":\"status\"}");
	assert_false(fake.final);
	at.raw += 2 * USEC_SEC;
	orders_turn(&eng, &at);
	n = json_array_get(json_object_get(last(), "nodes"), A);
	assert_string_equal(
	    json_string_value(json_object_get(n, "silent")), "timeout");
	for (i = 0; i < fake.held_n; i++)
		fake.held(fake.held_arg[i], A, "{}", NULL);
}

static void
test_promote_beside_a_primary(void **state)
{
	read_record(REC_HELD);
	fake.peer[A] = "{\"role\":\"primary\"}";
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	refused(1, "the primary answers", "ssh n-a hactl switchover n-b");
	/* Its engine is silent, but its port answers. */
	fake.peer[A] = NULL;
	fake.pg_peer =
	    (struct pg_peer){ .reached = ANS_YES, .recovery = ANS_NO };
	ask("promote",
	    "{\"verb\":\"promote\",\"node\":\"n-b\",\"fenced\":\"sure\"}");
	refused(1, "the primary answers",
	    "ssh n-a pg_ctlcluster 15 main stop; hactl status");
	/* It answers, but as a standby. */
	fake.pg_peer.recovery = ANS_YES;
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(fake.final);
	/* What it answered before the order says nothing, and no answer is
	 * waited for within a limit. */
	fake.pg_peer = (struct pg_peer){ .seen_at = clock_now().raw,
		.asked_at = clock_now().raw,
		.reached = ANS_YES,
		.recovery = ANS_NO };
	fake.port_silent = true;
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_int_equal(fake.n, 0);
	at.raw = clock_now().raw + 2 * USEC_SEC;
	orders_turn(&eng, &at);
	assert_true(fake.n > 0);
	assert_non_null(json_object_get(fake.lines[0], "waits"));
}

/* An accepted order that does not get on is told so, and its limit. */
static void
test_promote_is_bounded(void **state)
{
	read_record(REC_HELD);
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(fake.final);
	at.raw += 30 * USEC_SEC;
	read_record(REC_HELD);
	orders_turn(&eng, &at);
	assert_false(fake.final);
	at.raw += 60 * USEC_SEC;
	read_record(REC_HELD);
	orders_turn(&eng, &at);
	refused(4, "not finished", "hactl status");
	assert_true(fake.n > 1); /* what it waits for was said before */
	assert_non_null(json_object_get(fake.lines[0], "waits"));
}

/* Without the register it does not get on either, and that is told soon. */
static void
test_promote_without_the_register(void **state)
{
	read_record(REC_HELD);
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	at.raw += 4 * USEC_SEC;
	core_turn(eng.core, &at);
	orders_turn(&eng, &at);
	assert_false(fake.final);
	at.raw += 2 * USEC_SEC;
	core_turn(eng.core, &at);
	orders_turn(&eng, &at);
	refused(4, "the register does not answer", "systemctl status");
}

/* What does not pass with time is told soon. */
static void
test_promote_without_being_listed(void **state)
{
	struct reg_value v = { .instance = "inst", .revision = 8 };

	v.rec = (struct record){ .epoch = 4,
		.seq = 10,
		.state = REC_HELD,
		.holder = A,
		.target = NODE_NONE,
		.ttl = 2 * USEC_SEC,
		.written_by = A };
	strcpy(v.rec.nonce, "n2");
	core_on_read(eng.core, &at, at.raw, &v);
	core_turn(eng.core, &at);
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(fake.final);
	at.raw += 3 * USEC_SEC;
	orders_turn(&eng, &at);
	refused(4,
	    "nothing happens while this stands against it: the record does "
	    "not list this node",
	    "hactl promote n-b --fenced");
}

/* The record of the next epoch is read. */
static void
test_overtaken(void)
{
	struct reg_value v = { .instance = "inst", .revision = 8 };

	v.rec = (struct record){ .epoch = 4,
		.seq = 10,
		.state = REC_HELD,
		.holder = A,
		.target = NODE_NONE,
		.ttl = 2 * USEC_SEC,
		.written_by = A };
	strcpy(v.rec.nonce, "n2");
	core_on_read(eng.core, &at, at.raw, &v);
	core_turn(eng.core, &at);
}

static void
test_promote_overtaken(void **state)
{
	read_record(REC_HELD);
	ask("promote", "{\"verb\":\"promote\",\"node\":\"n-b\"}");
	assert_false(fake.final);
	test_overtaken();
	orders_turn(&eng, &at);
	refused(4, "another node took over", "hactl status");
}

static void
test_plan(void **state)
{
	read_record(REC_HELD);
	ask("plan", "{\"verb\":\"plan\",\"node\":\"n-b\"}");
	assert_int_equal(
	    json_integer_value(json_object_get(last(), "exit")), 0);
	assert_true(json_array_size(json_object_get(last(), "rows")) > 10);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(last(), "node"), "node")),
	    "n-b");
	ask("plan", "{\"verb\":\"plan\",\"node\":\"n-a\"}");
	refused(3, "does not answer", "ssh n-a hactl ping");
}

/* What a takeover would do here, in the configuration's own words. */
static void
test_plan_of_the_site(void **state)
{
	const json_t *list, *obj;

	conf.node[A].name = "n-a";
	conf.node[B].name = "n-b";
	conf.node[A].private_ip = conf.node[B].private_ip = "10.0.0.2";
	conf.item_count = 3;
	conf.item[0] = (struct conf_item){ .name = "pullers",
		.type = ITEM_SERVICE,
		.when = ITEM_BEFORE,
		.required = true,
		.program = "syncdirs",
		.primary = "stopped",
		.standby = "running",
		.handover = "" };
	conf.item[1] = (struct conf_item){ .name = "db",
		.type = ITEM_LINE,
		.file = "/etc/app.conf",
		.primary = "\\1localhost,${self.private_ip}\\2",
		.standby = "\\1${primary.name}\\2",
		.handover = "" };
	conf.item[2] = (struct conf_item){ .name = "alone",
		.type = ITEM_SERVICE,
		.primary = "",
		.standby = "running",
		.handover = "" };
	conf.traffic_count = 1;
	conf.traffic[0] = (struct conf_traffic){ .name = "pg",
		.from = FROM_EVERY,
		.backend = "pg",
		.server = "primary",
		.address = "${primary.private_ip}",
		.port = 5432 };
	conf.check_count = 2;
	conf.check[0].name = "iam";
	conf.check[0].verify = true;
	conf.check[1].name = "tcp";
	read_record(REC_HELD);
	ask("plan", "{\"verb\":\"plan\",\"node\":\"n-b\"}");
	list = json_object_get(last(), "items");
	assert_int_equal(json_array_size(list), 2);
	obj = json_array_get(list, 0);
	assert_string_equal(
	    json_string_value(json_object_get(obj, "becomes")), "stopped");
	assert_true(json_is_true(json_object_get(obj, "before")));
	assert_true(json_is_false(json_object_get(obj, "same")));
	obj = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(obj, "becomes")),
	    "\\1localhost,10.0.0.2\\2");
	list = json_object_get(last(), "traffic");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(list, 0), "becomes")),
	    "server pg/primary goes to 10.0.0.2:5432");
	list = json_object_get(last(), "verify");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "iam");
}

static void
test_drift_is_refused(void **state)
{
	fake.items = 1;
	fake.item[0] = (struct converge_state){
		.name = "db", .holds = ANS_NO, .reason = "another line"
	};
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	refused(1, "not known where the primary is", "hactl status");
	read_record(REC_HELD);
	conf.mode = MODE_OBSERVE;
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	refused(1, "nothing is ever changed", "restart hawatchd");
	conf.mode = MODE_AUTO;
	assert_int_equal(fake.runs, 0);
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_int_equal(fake.runs, 1);
	assert_false(fake.final);
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	refused(1, "already", "hactl drift");
	assert_int_equal(fake.runs, 1);
	fake.items = 0;
}

static bool
told(const char *step, const char *goal)
{
	const char *text;
	int i;

	for (i = 0; i < fake.n; i++) {
		text =
		    json_string_value(json_object_get(fake.lines[i], "step"));
		if (text == NULL || strcmp(text, step) != 0)
			continue;
		text =
		    json_string_value(json_object_get(fake.lines[i], "goal"));
		if (strcmp(text, goal) == 0)
			return true;
	}
	return false;
}

static void
test_drift_is_shown(void **state)
{
	int i, before;

	read_record(REC_HELD);
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_string_equal(json_string_value(json_object_get(last(), "done")),
	    "the configuration has no items for this host");
	fake.items = 2;
	fake.item[0] = (struct converge_state){
		.name = "db", .holds = ANS_NO, .reason = ""
	};
	fake.item[1] = (struct converge_state){
		.name = "app", .holds = ANS_YES, .reason = ""
	};
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	fake.doing = "db";
	orders_turn(&eng, &at);
	assert_true(told("db", "begun"));
	fake.item[0].changed_at = at.raw;
	fake.item[0].holds = ANS_YES;
	fake.doing = "app";
	orders_turn(&eng, &at);
	assert_true(told("db", "done"));
	/* It held already. */
	assert_false(told("app", "begun"));
	assert_false(fake.final);
	fake.run(fake.run_arg, ANS_YES, "");
	orders_turn(&eng, &at);
	assert_string_equal(json_string_value(json_object_get(last(), "done")),
	    "this host is as its role demands");
	/* What could not be brought about is said. */
	fake.item[0].holds = ANS_NO;
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	fake.doing = "db";
	orders_turn(&eng, &at);
	before = fake.n;
	fake.item[0].reason = "no-socket";
	fake.item[0].seen_at = clock_now().raw + USEC_SEC;
	for (i = 0; i < 4; i++) {
		fake.doing = i % 2 == 0 ? NULL : "db";
		orders_turn(&eng, &at);
	}
	assert_true(told("db", "failed, is tried again: no-socket"));
	assert_int_equal(fake.n, before + 1);
	fake.item[0].seen_at = 0;
	fake.run(fake.run_arg, ANS_YES, "");
	orders_turn(&eng, &at);
	assert_true(told("db", "gave up: no-socket"));
	refused(4, "1 item could not be brought about", "hactl drift");
	/* A change of role comes between. */
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_false(fake.final);
	test_overtaken();
	orders_turn(&eng, &at);
	refused(4, "a change of role", "hactl status");
	fake.run(fake.run_arg, ANS_YES, ""); /* nobody waits for it */
	/* It takes for ever. */
	ask("drift-apply", "{\"verb\":\"drift-apply\"}");
	assert_false(fake.final);
	at.raw += 300 * USEC_SEC;
	orders_turn(&eng, &at);
	refused(4, "not finished, and not given up", "hactl drift");
	fake.run(fake.run_arg, ANS_YES, "");
	fake.items = 0;
}

static void
test_history(void **state)
{
	fake.found = "{\"records\":[{\"ev\":\"plan.end\"}],\"lines\":1}";
	ask("history", "{\"verb\":\"history\",\"all\":true}");
	assert_int_equal(
	    json_integer_value(json_object_get(last(), "exit")), 0);
	assert_int_equal(
	    json_array_size(json_object_get(last(), "records")), 1);
	fake.found = "{\"records\":[],\"broken\":{\"line\":3}}";
	ask("history", "{\"verb\":\"history\",\"verify\":true}");
	assert_int_equal(
	    json_integer_value(json_object_get(last(), "exit")), 1);
	fake.found = "{\"error\":\"open x: Input/output error\"}";
	ask("history", "{\"verb\":\"history\"}");
	refused(7, "Input/output error", "ls -l");
	ask("history", "{\"verb\":\"history\",\"epoch\":-1}");
	refused(2, "epoch", "hactl --help");
}

/* Each host's own lines, and who said nothing. */
static void
test_report(void **state)
{
	const json_t *hosts;

	ask("report", "{\"verb\":\"report\"}");
	refused(1, "no record is known", "hactl status");
	read_record(REC_HELD);
	fake.found = "{\"records\":[{\"ev\":\"plan.end\"}]}";
	fake.told[A] = "{\"records\":[],\"wall_ms\":5}";
	fake.told[W] = NULL;
	ask("report", "{\"verb\":\"report\"}");
	hosts = json_object_get(last(), "hosts");
	assert_int_equal(
	    json_integer_value(json_object_get(last(), "epoch")), 3);
	assert_int_equal(json_array_size(hosts), 3);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(hosts, A), "wall_ms")),
	    5);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(hosts, W), "silent")),
	    "connect-timeout");
	fake.told[A] = "garbage";
	ask("report", "{\"verb\":\"report\",\"epoch\":2}");
	hosts = json_object_get(last(), "hosts");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(hosts, A), "silent")),
	    "garbage");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_refusals_have_a_next_command),
		T(test_witness_takes_no_order),
		T(test_observe),
		T(test_gate),
		T(test_role_is_not_claimed_too_soon),
		T(test_status_of_all),
		T(test_status_around),
		T(test_status_settings),
		T(test_status_is_bounded),
		T(test_promote_beside_a_primary),
		T(test_promote_is_bounded),
		T(test_promote_without_the_register),
		T(test_promote_without_being_listed),
		T(test_promote_overtaken),
		T(test_plan),
		T(test_plan_of_the_site),
		T(test_drift_is_refused),
		T(test_drift_is_shown),
		T(test_history),
		T(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
