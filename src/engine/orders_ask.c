/*
 * Verbs whose answer needs other hosts: the status of all nodes, the plan as
 * another node sees it, the holder's word before a promotion, the register.
 * Every question is bounded; who has not answered by then is shown as silent.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/collect.h"
#include "engine/engine.h"
#include "engine/orders.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define ASK_LIMIT (1500 * USEC_MSEC)

static void ask_node(struct engine *e, struct order_ask *a, node_t node);
static void ask_node_cb(
    void *arg, node_t node, const char *json, const char *why);
static void ask_reg_cb(void *arg, const char *json, const char *why);
static void ask_register_cb(void *arg, const char *json, const char *why);
static void ask_register_refused(
    const struct order_question *q, const char *why);
static struct order_question *question_new(
    struct engine *e, uint64_t serial, uint64_t id);
static void question_free(struct order_question *q);
static bool ask_waits(const struct engine *e, const struct order_ask *a);
static struct order_ask *ask_find(struct engine *e, uint64_t serial);
static void ask_put(struct engine *e, struct order_ask *a, node_t node,
    const char *json, const char *why);
static json_t *ask_parse(const char *json, const char *why);
static void ask_end(struct engine *e, struct order_ask *a);
static void ask_end_status(struct engine *e, struct order_ask *a);
static void ask_end_plan(struct engine *e, struct order_ask *a);

void
orders_ask(struct engine *e, uint64_t id, enum ask_for what, node_t node,
    const char *fenced)
{
	const struct now now = clock_now();
	struct order_ask *a = xcalloc(1, sizeof(*a));
	int i;

	a->id = id;
	a->serial = ++e->orders->serials;
	a->what = what;
	a->node = node;
	a->since = now.raw;
	a->until = now.raw + ASK_LIMIT;
	a->nodes = json_array();
	if (fenced != NULL)
		a->fenced = xstrdup(fenced);
	TAILQ_INSERT_TAIL(&e->orders->asks, a, entry);
	/* All slots first: an answer may come before the call returns. */
	for (i = 0; i < e->conf->node_count; i++)
		json_array_append_new(a->nodes, json_null());
	for (i = 0; i < e->conf->node_count; i++) {
		if (what == ASK_STATUS || i == node)
			ask_node(e, a, i);
	}
	if (what == ASK_STATUS) {
		a->pending++;
		regclient_show(
		    e->reg, ask_reg_cb, question_new(e, a->serial, id));
	}
	orders_wake_by(e, 0);
}

void
orders_ask_plan(struct engine *e, uint64_t id, node_t node, json_t *look)
{
	struct order_ask *a;

	orders_ask(e, id, ASK_PLAN, node, NULL);
	a = ask_find(e, e->orders->serials);
	if (a != NULL)
		a->look = json_incref(look);
	json_decref(look);
}

void
orders_ask_turn(struct engine *e, const struct now *now)
{
	struct order_ask *a, *next;

	TAILQ_FOREACH_SAFE(a, &e->orders->asks, entry, next) {
		if (ask_waits(e, a) && now->raw < a->until)
			continue;
		ask_end(e, a);
		orders_ask_free(a, e->orders);
	}
	if (!TAILQ_EMPTY(&e->orders->asks))
		orders_wake_by(e, 100 * USEC_MSEC);
}

static bool
ask_waits(const struct engine *e, const struct order_ask *a)
{
	if (a->pending > 0)
		return true;
	return (a->what == ASK_PROMOTE || a->what == ASK_LOOK) &&
	       !orders_promote_asked(e, a->node, a->since);
}

void
orders_ask_free(struct order_ask *a, struct orders *o)
{
	TAILQ_REMOVE(&o->asks, a, entry);
	json_decref(a->nodes);
	json_decref(a->reg);
	json_decref(a->look);
	free(a->fenced);
	free(a);
}

void
orders_ask_register(struct engine *e, uint64_t id, bool adopt)
{
	struct order_question *q = question_new(e, 0, id);

	q->order = adopt;
	if (adopt)
		regclient_adopt(e->reg, ask_register_cb, q);
	else
		regclient_show(e->reg, ask_register_cb, q);
}

static void
ask_node(struct engine *e, struct order_ask *a, node_t node)
{
	struct now now;
	char *text;

	if (node == e->conf->self) {
		now = clock_now();
		text = status_json(e, &now);
		ask_put(e, a, node, text, NULL);
		free(text);
		return;
	}
	a->pending++;
	peers_status(
	    e->peers, node, ask_node_cb, question_new(e, a->serial, a->id));
}

static void
ask_node_cb(void *arg, node_t node, const char *json, const char *why)
{
	struct order_question *q = arg;
	struct order_ask *a = ask_find(q->e, q->serial);

	if (a != NULL) {
		ask_put(q->e, a, node, json, why);
		a->pending--;
	}
	question_free(q);
}

static void
ask_reg_cb(void *arg, const char *json, const char *why)
{
	struct order_question *q = arg;
	struct order_ask *a = ask_find(q->e, q->serial);

	if (a != NULL) {
		json_decref(a->reg);
		a->reg = ask_parse(json, why);
		a->pending--;
	}
	question_free(q);
}

static void
ask_register_cb(void *arg, const char *json, const char *why)
{
	struct order_question *q = arg;
	json_t *obj;

	if (json == NULL) {
		ask_register_refused(q, why);
	} else {
		if (q->order)
			orders_taken(q->e, q->id, "register-adopt");
		obj = json_object();
		json_put_i64(obj, "exit", EXITCODE_DONE);
		json_put(obj, "register", ask_parse(json, NULL));
		orders_reply(q->e, q->id, obj);
	}
	question_free(q);
}

/* A reason of ours when nobody answered, else what the arbiter said. */
static void
ask_register_refused(const struct order_question *q, const char *why)
{
	struct error err;
	char *text, *next = NULL;
	json_t *obj;

	why = why == NULL ? "no answer" : why;
	obj = why[0] == '{' ? json_read(why, strlen(why), &err) : NULL;
	if (json_is_string(json_object_get(obj, "error"))) {
		text = xasprintf("the register refuses: %s",
		    json_string_value(json_object_get(obj, "error")));
		next = xstrdup("hactl register show");
	} else {
		text = xasprintf("the register does not answer: %s", why);
		next = orders_register_next(q->e);
	}
	if (q->order)
		orders_refuse(q->e, q->id, EXITCODE_REFUSED, text, next);
	else
		orders_no(q->e, q->id, EXITCODE_REFUSED, text, next);
	json_decref(obj);
	free(text);
	free(next);
}

static struct order_question *
question_new(struct engine *e, uint64_t serial, uint64_t id)
{
	struct order_question *q = xcalloc(1, sizeof(*q));

	q->e = e;
	q->serial = serial;
	q->id = id;
	TAILQ_INSERT_TAIL(&e->orders->questions, q, entry);
	return q;
}

static void
question_free(struct order_question *q)
{
	TAILQ_REMOVE(&q->e->orders->questions, q, entry);
	free(q);
}

static struct order_ask *
ask_find(struct engine *e, uint64_t serial)
{
	struct order_ask *a;

	TAILQ_FOREACH(a, &e->orders->asks, entry) {
		if (a->serial == serial)
			break;
	}
	return a;
}

static void
ask_put(struct engine *e, struct order_ask *a, node_t node, const char *json,
    const char *why)
{
	json_t *obj = ask_parse(json, why);

	/* The name is ours, whatever the other says that it is; and who is
	 * silent is still known by the configuration. */
	json_put_string(obj, "node", e->conf->names.node[node]);
	if (json_has(obj, "silent")) {
		json_put_bool(
		    obj, "data", e->conf->node[node].role == ROLE_DATA);
		json_put_bool(obj, "arbiter", node == e->conf->arbiter);
	}
	json_array_set_new(a->nodes, (size_t)node, obj);
}

/* What is no object becomes one that says why. The register keeps its record
 * as the text that was written; here it is shown. */
static json_t *
ask_parse(const char *json, const char *why)
{
	const char *text;
	struct error err;
	json_t *obj = NULL, *rec;

	if (json != NULL) {
		obj = json_read(json, strlen(json), &err);
		why = "garbage";
	}
	text = json_string_value(json_object_get(obj, "record"));
	if (text != NULL) {
		rec = json_read(text, strlen(text), &err);
		if (rec != NULL)
			json_put(obj, "record", rec);
	}
	if (obj == NULL || !collect_shallow(obj)) {
		json_decref(obj);
		obj = json_object();
		json_put_string(obj, "silent", why == NULL ? "no answer" : why);
	}
	return obj;
}

static void
ask_end(struct engine *e, struct order_ask *a)
{
	const json_t *said;

	switch (a->what) {
	case ASK_STATUS:
		ask_end_status(e, a);
		break;
	case ASK_PLAN:
		ask_end_plan(e, a);
		break;
	case ASK_PROMOTE:
	case ASK_LOOK:
		said = json_array_get(a->nodes, (size_t)a->node);
		orders_promote(e, a->id, a->fenced,
		    json_is_object(said) ? said : NULL, a->since,
		    a->what == ASK_LOOK);
		break;
	case ASK_SWITCHOVER:
		said = json_array_get(a->nodes, (size_t)a->node);
		orders_switchover(
		    e, a->id, a->node, json_is_object(said) ? said : NULL);
		break;
	}
}

static void
ask_end_status(struct engine *e, struct order_ask *a)
{
	json_t *obj = json_object();
	int i;

	for (i = 0; i < e->conf->node_count; i++) {
		if (json_is_null(json_array_get(a->nodes, (size_t)i)))
			ask_put(e, a, i, NULL, "timeout");
	}
	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_i64(obj, "schema", 1);
	json_put_string(obj, "cluster", e->conf->cluster);
	json_put_string(obj, "self", e->conf->names.node[e->conf->self]);
	json_put(obj, "nodes", json_incref(a->nodes));
	if (a->reg == NULL)
		a->reg = ask_parse(NULL, "timeout");
	if (e->conf->reg.type != REGISTER_ARBITER)
		json_put_string(
		    a->reg, "type", conf_register_str(e->conf->reg.type));
	json_put(obj, "register", json_incref(a->reg));
	orders_reply(e, a->id, obj);
}

static void
ask_end_plan(struct engine *e, struct order_ask *a)
{
	json_t *node = json_array_get(a->nodes, (size_t)a->node);
	char *next;

	if (!json_is_object(node) || json_has(node, "silent")) {
		next = xasprintf(
		    "ssh %s hactl ping", e->conf->names.node[a->node]);
		orders_no(e, a->id, EXITCODE_NO_ENGINE,
		    "the engine of that node does not answer", next);
		free(next);
		return;
	}
	orders_plan(e, a->id, a->node, node, a->look);
}
