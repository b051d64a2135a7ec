/*
 * What each verb of hactl does in the engine: a row of the table a verb. It
 * hands orders to the core, which accepts or refuses them; it decides nothing
 * of its own but who the order is meant for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "engine/status.h"
#include "engine/switchover_look.h"
#include "hawatch/instance.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/version.h"

struct order_row {
	const char *verb;
	bool data; /* only where PostgreSQL is */
	bool node; /* a node of the cluster must be named */
	enum order_reach reach;
	void (*run)(struct engine *e, const struct order_request *req);
};

static void order_status(struct engine *e, const struct order_request *req);
static void order_plan(struct engine *e, const struct order_request *req);
static void order_promote(struct engine *e, const struct order_request *req);
static void order_switchover(struct engine *e, const struct order_request *req);
static void order_init(struct engine *e, const struct order_request *req);
static void order_show(struct engine *e, const struct order_request *req);
static void order_adopt(struct engine *e, const struct order_request *req);
static void order_unfence(struct engine *e, const struct order_request *req);
static void order_ack(struct engine *e, const struct order_request *req);
static void order_role(struct engine *e, const struct order_request *req);
static void order_gate(struct engine *e, const struct order_request *req);
static void order_ping(struct engine *e, const struct order_request *req);
static void orders_start(struct engine *e);
static void orders_wake_cb(void *arg);

static const struct order_row order_rows[] = {
	{ .verb = "status", .reach = REACH_READ, .run = order_status },
	{ .verb = "plan",
	    .reach = REACH_READ,
	    .node = true,
	    .run = order_plan },
	{ .verb = "promote", .data = true, .node = true, .run = order_promote },
	{ .verb = "switchover", .data = true, .run = order_switchover },
	{ .verb = "init", .data = true, .node = true, .run = order_init },
	{ .verb = "register-show", .reach = REACH_READ, .run = order_show },
	{ .verb = "register-adopt", .run = order_adopt },
	{ .verb = "pause", .data = true, .run = orders_pause },
	{ .verb = "resume", .data = true, .run = orders_resume },
	{ .verb = "fence", .data = true, .run = orders_fence },
	{ .verb = "unfence", .data = true, .run = order_unfence },
	{ .verb = "rejoin", .data = true, .run = orders_rejoin },
	{ .verb = "rejoin-may",
	    .reach = REACH_READ,
	    .data = true,
	    .run = orders_rejoin_may },
	{ .verb = "ack", .data = true, .run = order_ack },
	{ .verb = "role", .reach = REACH_READ, .run = order_role },
	{ .verb = "gate",
	    .reach = REACH_LOCAL,
	    .data = true,
	    .run = order_gate },
	{ .verb = "ping", .reach = REACH_READ, .run = order_ping },
	{ .verb = "history", .reach = REACH_READ, .run = orders_history },
	{ .verb = "report", .reach = REACH_READ, .run = orders_report },
	{ .verb = "reload", .run = orders_reload },
	{ .verb = "config-diff", .reach = REACH_READ, .run = orders_config },
	{ .verb = "would",
	    .reach = REACH_READ,
	    .data = true,
	    .run = orders_would },
	{ .verb = "notify-test", .run = orders_tell },
	{ .verb = "drift-apply", .data = true, .run = orders_drift },
};

void
orders_handle(
    void *engine, uint64_t id, const char *verb, const char *args_json)
{
	const struct order_row *row = NULL;
	struct engine *e = engine;
	struct order_request req = { .id = id, .node = NODE_NONE };
	void (*refuse)(struct engine * e, uint64_t id, enum exitcode code,
	    const char *why, const char *next) = orders_refuse;
	struct error err;
	char *next;
	size_t i;

	orders_start(e);
	for (i = 0; i < sizeof(order_rows) / sizeof(*order_rows); i++) {
		if (strcmp(order_rows[i].verb, verb) == 0)
			row = &order_rows[i];
	}
	if (row != NULL && row->reach == REACH_READ)
		refuse = orders_no;
	if (row == NULL)
		orders_refuse(e, id, EXITCODE_USAGE,
		    "this engine does not know that verb: hactl is of "
		    "another version",
		    "hactl --version");
	else if (!orders_allowed(e, id, row->reach))
		return; /* the asker was told */
	else if (orders_request_read(e->conf, &req, args_json, &err) == -1)
		refuse(e, id, EXITCODE_USAGE, err.msg,
		    err.code == ERR_REFUSED ? "hactl status" : "hactl --help");
	else if (row->data && e->core == NULL) {
		next = orders_witness_next(e, verb, &req);
		refuse(e, id, EXITCODE_REFUSED,
		    "this host is a witness: it has no PostgreSQL", next);
		free(next);
	} else if (row->node && req.node == NODE_NONE)
		refuse(e, id, EXITCODE_USAGE, "the name of a node is missing",
		    "hactl --help");
	else if (req.look)
		orders_look(e, verb, &req);
	else if (!orders_observed(e, verb, &req))
		row->run(e, &req);
}

void
orders_turn(struct engine *e, const struct now *now)
{
	if (e->orders == NULL)
		return;
	orders_ask_turn(e, now);
	orders_wait_turn(e, now);
	orders_drift_turn(e, now);
	orders_report_turn(e, now);
	orders_reload_turn(e);
	orders_config_turn(e);
}

void
orders_free(struct orders *o)
{
	struct order_question *q;
	struct order_wait *w;
	struct order_ask *a;

	if (o == NULL)
		return;
	while ((w = TAILQ_FIRST(&o->waits)) != NULL) {
		TAILQ_REMOVE(&o->waits, w, entry);
		free(w);
	}
	while ((a = TAILQ_FIRST(&o->asks)) != NULL)
		orders_ask_free(a, o);
	while ((q = TAILQ_FIRST(&o->questions)) != NULL) {
		TAILQ_REMOVE(&o->questions, q, entry);
		free(q);
	}
	switchover_look_free_all(o);
	orders_drift_free(o);
	free(o->tell);
	orders_report_free(o);
	orders_reload_free(o);
	orders_config_free(o);
	timer_free(o->wake);
	free(o);
}

void
orders_wake_by(struct engine *e, usec_t after)
{
	timer_arm(e->orders->wake, after);
}

static void
orders_start(struct engine *e)
{
	struct orders *o;

	if (e->orders != NULL)
		return;
	o = xcalloc(1, sizeof(*o));
	TAILQ_INIT(&o->waits);
	TAILQ_INIT(&o->asks);
	TAILQ_INIT(&o->questions);
	TAILQ_INIT(&o->looks);
	TAILQ_INIT(&o->reports);
	o->wake = timer_new(e->loop, orders_wake_cb, e);
	e->orders = o;
}

/* The turn that follows every callback looks at the limits. */
static void
orders_wake_cb(void *arg)
{
}

/* An order changes the host on which it is given, so that the person has its
 * log before their eyes and no engine has to be trusted by another. */
bool
orders_is_here(struct engine *e, const struct order_request *req,
    const char *verb, const char *option)
{
	const struct now now = clock_now();
	struct core_status st;
	const char *name;
	char *why, *next;

	if (req->node == e->conf->self)
		return true;
	name = e->conf->names.node[req->node];
	core_status(e->core, &now, &st);
	if (strcmp(verb, "promote") == 0 && !req->is_fenced &&
	    st.rec.state == REC_HELD && st.rec.holder == req->node) {
		why =
		    xasprintf("by the record %s is the primary already", name);
		orders_refuse(
		    e, req->id, EXITCODE_REFUSED, why, "hactl status");
		free(why);
		return false;
	}
	why = xasprintf("that is another host: run it there, or from here with "
			"--host %s",
	    name);
	next = xasprintf("ssh %s hactl %s %s%s", name, verb, option, name);
	orders_refuse(e, req->id, EXITCODE_REFUSED, why, next);
	free(why);
	free(next);
	return false;
}

static void
order_status(struct engine *e, const struct order_request *req)
{
	orders_ask(e, req->id, ASK_STATUS, NODE_NONE, NULL);
}

static void
order_plan(struct engine *e, const struct order_request *req)
{
	if (e->conf->node[req->node].role != ROLE_DATA)
		orders_no(e, req->id, EXITCODE_REFUSED,
		    "that node is a witness: it has no PostgreSQL",
		    "hactl status");
	else if (orders_switchover_meant(e, req->node))
		switchover_look_plan(e, req->id, req->node);
	else
		orders_ask(e, req->id, ASK_PLAN, req->node, NULL);
}

/* On the primary's host, of another node: there is nothing to be proved. */
static void
order_promote(struct engine *e, const struct order_request *req)
{
	if (!req->is_fenced && orders_switchover_meant(e, req->node))
		orders_switchover_ask(e, req->id, req->node, req->accept);
	else if (orders_is_here(e, req, "promote", ""))
		orders_promote_ask(
		    e, req->id, req->is_fenced ? req->fenced : NULL);
}

static void
order_switchover(struct engine *e, const struct order_request *req)
{
	orders_switchover_ask(e, req->id, req->node, req->accept);
}

static void
order_init(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	const char *refused;

	if (!orders_is_here(e, req, "init", "--holder ") ||
	    !orders_may_init(e, req->id))
		return;
	refused = core_order_init(e->core, &now);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken(e, req->id, "init");
	orders_wait(e, req->id, LONG_INIT, NODE_NONE);
}

static void
order_show(struct engine *e, const struct order_request *req)
{
	orders_ask_register(e, req->id, false);
}

static void
order_adopt(struct engine *e, const struct order_request *req)
{
	orders_ask_register(e, req->id, true);
}

static void
order_unfence(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	const char *refused;

	refused = core_order_unfence(e->core, &now);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken(e, req->id, "unfence");
	orders_wait(e, req->id, LONG_UNFENCE, NODE_NONE);
}

static void
order_ack(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	struct core_status st;
	const char *refused;

	core_status(e->core, &now, &st);
	if (st.rec.state != REC_NONE && st.rec.holder != NODE_NONE &&
	    st.rec.holder != e->conf->self) {
		orders_refuse_holder(e, req->id, st.rec.holder,
		    "holds the cluster, and only the holder writes this",
		    "hactl ack");
		return;
	}
	refused = core_order_ack(e->core, &now);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken(e, req->id, "ack");
	orders_wait(e, req->id, LONG_ACK, NODE_NONE);
}

static void
order_role(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	struct core_status st;
	json_t *obj;
	bool primary = false, standby = false;

	if (e->core != NULL) {
		core_status(e->core, &now, &st);
		primary = status_is_primary(&st, &now);
		standby = !primary && st.pg == PGS_STANDBY;
	}
	obj = json_object();
	json_put_string(obj, "role",
	    primary ? "primary" :
	    standby ? "standby" :
		      "neither");
	json_put_i64(obj, "exit",
	    (strcmp(req->is, "primary") == 0 && primary) ||
		    (strcmp(req->is, "standby") == 0 && standby) ?
		EXITCODE_DONE :
		EXITCODE_REFUSED);
	orders_reply(e, req->id, obj);
}

/* A standby can accept no write, so it may always start. */
static void
order_gate(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	const char *refused = NULL;
	json_t *obj;
	bool standby;

	standby = instance_signal_file(e->conf->pg.data_directory) == ANS_YES;
	/* Who only looks on denies nobody. */
	if (!standby && e->conf->mode != MODE_OBSERVE)
		refused = core_may_start_primary(e->core, &now);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	obj = json_object();
	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_string(obj, "as", standby ? "standby" : "primary");
	orders_reply(e, req->id, obj);
}

static void
order_ping(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	json_t *obj = json_object();

	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_string(obj, "node", e->conf->names.node[e->conf->self]);
	json_put_string(obj, "version", HAWATCH_VERSION);
	json_put_i64(obj, "pid", getpid());
	json_put_i64(obj, "up_ms", (now.raw - e->started_at) / USEC_MSEC);
	orders_reply(e, req->id, obj);
}
