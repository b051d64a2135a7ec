/*
 * What the engine's other parts would be to the orders, and what tests of them
 * share.
 */
#include "orderstest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/arbiter_server.h"
#include "engine/history.h"
#include "engine/observe.h"
#include "engine/peers.h"
#include "engine/reload.h"
#include "engine/reports.h"
#include "hawatch/agent.h"
#include "hawatch/check.h"
#include "hawatch/instance.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/traffic.h"

struct orderstest ot;

void
control_reply(struct control *c, uint64_t id, const char *json, bool final)
{
	struct error err;

	assert_false(ot.final);
	assert_true(ot.n < 32);
	ot.lines[ot.n] = json_read(json, strlen(json), &err);
	assert_non_null(ot.lines[ot.n]);
	assert_int_equal(json_has(ot.lines[ot.n], "exit"), final);
	ot.n++;
	ot.final = final;
}

const char *
control_operator(const struct control *c, uint64_t id, bool *may_order)
{
	*may_order = ot.remote_name == NULL || ot.remote_orders;
	return ot.remote_name;
}

const struct record *
arbiter_server_record(const struct arbiter_server *s)
{
	return &ot.served;
}

const char *
control_asked_for(const struct control *c, uint64_t id)
{
	return ot.verb;
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
	if (ot.peer_never) {
		ot.held = done;
		ot.held_arg[ot.held_n++] = arg;
		return;
	}
	done(arg, node, ot.peer[node],
	    ot.peer[node] == NULL ? "connect-timeout" : NULL);
}

void
history_read(struct history *h, const struct history_query *q,
    void (*done)(void *arg, uint64_t id, const json_t *found), void *arg,
    uint64_t id)
{
	struct error err;
	json_t *obj = json_read(ot.found, strlen(ot.found), &err);

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
	done(arg, node, ot.told[node],
	    ot.told[node] == NULL ? "connect-timeout" : NULL);
}

void
regclient_show(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	done(arg, ot.reg, ot.reg == NULL ? "connect-refused" : NULL);
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
	return &ot.view;
}

const struct pg_findings *
pgwatch_findings(const struct pgwatch *w)
{
	return &ot.findings;
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
	return node == A ? &ot.pg_peer : NULL;
}

void
pgwatch_poke_peer(struct pgwatch *w, node_t node)
{
	if (ot.port_silent)
		return;
	ot.pg_peer.asked_at = clock_now().raw + 1;
	if (ot.pg_peer.reached == ANS_YES)
		ot.pg_peer.seen_at = ot.pg_peer.asked_at;
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
	return ot.items;
}

void
converge_state(const struct converge *c, int i, struct converge_state *out)
{
	*out = ot.item[i];
}

int
converge_drift(const struct converge *c)
{
	int i, n = 0;

	for (i = 0; i < ot.items; i++)
		n += ot.item[i].holds == ANS_NO;
	return n;
}

const char *
converge_doing(const struct converge *c, usec_t *since)
{
	*since = ot.at.raw - 5 * USEC_MSEC;
	return ot.doing;
}

void
converge_run(struct converge *c, enum conf_item_when when, node_t primary,
    uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	assert_int_equal(when, ITEM_AFTER);
	assert_int_equal(primary, A);
	ot.runs++;
	ot.run = done;
	ot.run_arg = arg;
}

int
agents_count(const struct agents *a)
{
	return 0;
}

void
agents_state(const struct agents *a, int i, struct agent_state *st)
{
	*st = (struct agent_state){ .why = "" };
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
	return node == A ? &ot.report : NULL;
}

usec_t
reports_heard_at(const struct reports *r, node_t node)
{
	return ot.at.raw - 7 * USEC_MSEC;
}

enum answer
reports_config(const struct reports *r, node_t node, bool vital)
{
	return node == A ? ANS_NO : ANS_YES;
}

void
peers_post(struct peers *p, node_t node, const char *path, char *body,
    usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	free(body);
	done(arg, node, NULL, "connect-timeout");
}

void
reload_start(struct engine *e, const char *digest, reload_fn fn, uint64_t id)
{
	json_t *said = json_object();

	json_put_string(said, "digest", "0123456789abcdef");
	json_put(said, "changes", json_array());
	fn(e, id, said);
}

void
observe_note(struct observe *o, const struct now *now, const char *text)
{
	if (o != NULL)
		str_cut(ot.noted, sizeof(ot.noted), text);
}

json_t *
observe_json(const struct observe *o)
{
	return json_array();
}

enum answer
instance_signal_file(const char *data_directory)
{
	return ot.signal;
}

enum answer
instance_repmgrd(const char *data_directory, struct error *err)
{
	if (ot.repmgrd == NULL)
		return ANS_YES;
	error_set(err, ERR_REFUSED, "%s", ot.repmgrd);
	return ANS_NO;
}

int
ot_setup(void **state)
{
	struct core_conf cc;
	struct error err;

	memset(&ot, 0, sizeof(ot));
	ot.conf.cluster = "lab";
	ot.conf.self = B;
	ot.conf.node_count = 3;
	ot.conf.names = (struct names){ "lab", 3, { "n-a", "n-b", "n-w" } };
	ot.conf.node[W].role = ROLE_WITNESS;
	ot.conf.mode = MODE_AUTO;
	ot.conf.ttl = 2 * USEC_SEC;
	ot.conf.pg.backend = BACKEND_PG_CTLCLUSTER;
	ot.conf.pg.cluster = "15/main";
	cc = (struct core_conf){ .names = &ot.conf.names,
		.self = B,
		.data = NODE_BIT(A) | NODE_BIT(B),
		.mode = CORE_AUTO,
		.ttl = ot.conf.ttl,
		.slack = 50 * USEC_MSEC,
		.clock_ppm = 1000,
		.min_interval = 600 * USEC_SEC,
		.proof_lease = true,
		.standby_timeout = USEC_SEC,
		.start_timeout = 60 * USEC_SEC };
	ot.at = clock_now();
	ot.eng.loop = loop_new(&err);
	ot.eng.conf = &ot.conf;
	ot.eng.core = core_new(&cc, NULL, "seed", &ot.at);
	cc.mode = CORE_OBSERVE;
	ot.watcher = core_new(&cc, NULL, "seed", &ot.at);
	return 0;
}

void
ot_forget(void)
{
	while (ot.n > 0)
		json_decref(ot.lines[--ot.n]);
	ot.final = false;
}

int
ot_teardown(void **state)
{
	orders_free(ot.eng.orders);
	core_free(ot.eng.core);
	core_free(ot.watcher);
	loop_free(ot.eng.loop);
	ot_forget();
	return 0;
}

void
ot_read(enum rec_state state)
{
	ot_read_paused(state, 0);
}

void
ot_read_paused(enum rec_state state, usec_t until)
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
	v.rec.paused_until = until;
	if (until != 0) {
		v.rec.seq++;
		v.rec.candidates = 0;
		v.revision++;
	}
	core_on_read(ot.eng.core, &ot.at, ot.at.raw, &v);
	core_turn(ot.eng.core, &ot.at);
}

const json_t *
ot_last(void)
{
	assert_true(ot.final);
	return ot.lines[ot.n - 1];
}

void
ot_ask(const char *verb, const char *json)
{
	ot_forget();
	ot.verb = verb;
	orders_handle(&ot.eng, 1, verb, json);
	orders_turn(&ot.eng, &ot.at);
}

void
ot_refused(int code, const char *word, const char *next)
{
	const json_t *obj = ot_last();
	const char *why = json_string_value(json_object_get(obj, "refused"));
	const char *then = json_string_value(json_object_get(obj, "next"));

	assert_int_equal(
	    json_integer_value(json_object_get(obj, "exit")), code);
	assert_non_null(why);
	assert_non_null(then);
	if (strstr(why, word) == NULL || strstr(then, next) == NULL)
		fail_msg("\"%s\", next \"%s\"", why, then);
}

void
ot_overtaken(void)
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
	core_on_read(ot.eng.core, &ot.at, ot.at.raw, &v);
	core_turn(ot.eng.core, &ot.at);
}

int
tell_test(struct tell *t, const struct now *now,
    void (*done)(void *arg, const struct tell_result *res), void *arg)
{
	struct tell_result res = { .name = "mail", .ok = true };

	ot.told_done = done;
	ot.told_arg = arg;
	(void)snprintf(res.text, sizeof(res.text), "done: sent");
	res.left = 1;
	done(arg, &res);
	return 2;
}
