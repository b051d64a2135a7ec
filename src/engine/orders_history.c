/*
 * hactl history and hactl report: what this host has written down, and for a
 * report what the others have, each by its own clock; whoever reads it puts
 * the clocks beside each other.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/collect.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "engine/peers.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define REPORT_LIMIT (4 * USEC_SEC)
#define REPORT_PEER (3 * USEC_SEC)
#define REPORT_RECORDS 250
#define REPORT_BYTES ((size_t)48 * 1024)
#define HISTORY_RECORDS 200
#define HISTORY_BYTES ((size_t)256 * 1024)

/* One report that is collected from all hosts. */
struct order_report {
	TAILQ_ENTRY(order_report) entry;
	uint64_t id, serial;
	uint64_t epoch;
	usec_t until;
	usec_t sent; /* wall */
	int pending;
	json_t *hosts; /* by index of the configuration */
};

static void
history_cb(void *arg, uint64_t id, const json_t *found)
{
	const char *error = json_string_value(json_object_get(found, "error"));
	struct engine *e = arg;
	const json_t *broken = json_object_get(found, "broken");
	json_t *obj;

	if (error != NULL) {
		orders_no(
		    e, id, EXITCODE_LOCAL, error, "ls -l /var/lib/hawatch");
		return;
	}
	obj = json_copy((json_t *)(uintptr_t)found);
	json_object_del(obj, "asked_ms");
	json_put_string(obj, "node", e->conf->names.node[e->conf->self]);
	json_put_i64(
	    obj, "exit", broken == NULL ? EXITCODE_DONE : EXITCODE_REFUSED);
	orders_reply(e, id, obj);
}

void
orders_history(struct engine *e, const struct order_request *req)
{
	const struct history_query q = { .epoch = req->epoch,
		.all = req->all,
		.verify = req->verify,
		.records = HISTORY_RECORDS,
		.bytes = HISTORY_BYTES };

	history_read(e->history, &q, history_cb, e, req->id);
	orders_wake_by(e, 0);
}

void
orders_history_now(const struct engine *e, json_t *host)
{
	const struct now now = clock_now();
	struct core_status st;
	json_t *obj;

	json_put_i64(host, "wall_ms", now.wall / USEC_MSEC);
	if (e->core == NULL)
		return;
	core_status(e->core, &now, &st);
	obj = json_object();
	json_put_u64(obj, "epoch", st.rec.epoch);
	json_put_string(obj, "state", rec_state_str(st.rec.state));
	json_put(obj, "holder", status_node(e, st.rec.holder));
	json_put_bool(obj, "primary", status_is_primary(&st, &now));
	json_put(host, "now", obj);
}

static struct order_report *
report_find(struct engine *e, uint64_t serial)
{
	struct order_report *r;

	TAILQ_FOREACH(r, &e->orders->reports, entry) {
		if (r->serial == serial)
			break;
	}
	return r;
}

/* Takes host; its clock is asked between these two moments of ours. */
static void
report_put(struct engine *e, struct order_report *r, node_t node, json_t *host,
    usec_t sent)
{
	json_put_string(host, "node", e->conf->names.node[node]);
	json_put_bool(host, "data", e->conf->node[node].role == ROLE_DATA);
	json_put_i64(host, "sent_ms", sent / USEC_MSEC);
	json_put_i64(host, "got_ms", clock_now().wall / USEC_MSEC);
	json_array_set_new(r->hosts, (size_t)node, host);
	r->pending--;
}

static void
report_own_cb(void *arg, uint64_t serial, const json_t *found)
{
	struct engine *e = arg;
	struct order_report *r = report_find(e, serial);
	json_t *host;

	if (r == NULL)
		return;
	host = json_copy((json_t *)(uintptr_t)found);
	orders_history_now(e, host);
	report_put(e, r, e->conf->self, host, r->sent);
	orders_wake_by(e, 0);
}

static void
report_peer_cb(void *arg, node_t node, const char *json, const char *why)
{
	struct order_question *q = arg;
	struct order_report *r = report_find(q->e, q->serial);
	struct error err;
	json_t *host = NULL;

	if (r != NULL) {
		if (json != NULL)
			host = json_read(json, strlen(json), &err);
		if (host == NULL || !collect_shallow(host)) {
			json_decref(host);
			host = json_object();
			json_put_string(host, "silent",
			    json != NULL ? "garbage" :
			    why == NULL	 ? "no answer" :
					   why);
		}
		report_put(q->e, r, node, host, r->sent);
		orders_wake_by(q->e, 0);
	}
	TAILQ_REMOVE(&q->e->orders->questions, q, entry);
	free(q);
}

static void
report_ask(struct engine *e, struct order_report *r, node_t node)
{
	struct order_question *q = xcalloc(1, sizeof(*q));
	json_t *body = json_object();
	char *text;

	q->e = e;
	q->serial = r->serial;
	TAILQ_INSERT_TAIL(&e->orders->questions, q, entry);
	json_put_u64(body, "epoch", r->epoch);
	text = json_text(body);
	json_decref(body);
	peers_history(e->peers, node, text, REPORT_PEER, report_peer_cb, q);
}

void
orders_report(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	struct order_report *r = xcalloc(1, sizeof(*r));
	struct history_query q = { .records = REPORT_RECORDS,
		.bytes = REPORT_BYTES };
	struct core_status st;
	int i;

	r->epoch = req->epoch;
	if (r->epoch == 0 && e->core != NULL) {
		core_status(e->core, &now, &st);
		r->epoch = st.rec.epoch;
	}
	if (r->epoch == 0) {
		free(r);
		orders_no(e, req->id, EXITCODE_REFUSED,
		    e->core == NULL ?
			"a witness does not know the last epoch, and no data "
			"node has said it: name one, as in hactl report 7" :
			"no record is known: there was no change of holder",
		    "hactl status");
		return;
	}
	q.epoch = r->epoch;
	r->id = req->id;
	r->serial = ++e->orders->serials;
	r->until = now.raw + REPORT_LIMIT;
	r->sent = now.wall;
	r->hosts = json_array();
	TAILQ_INSERT_TAIL(&e->orders->reports, r, entry);
	for (i = 0; i < e->conf->node_count; i++)
		json_array_append_new(r->hosts, json_null());
	r->pending = e->conf->node_count;
	for (i = 0; i < e->conf->node_count; i++) {
		if (i != e->conf->self)
			report_ask(e, r, i);
	}
	history_read(e->history, &q, report_own_cb, e, r->serial);
	orders_wake_by(e, 0);
}

static void
report_free(struct order_report *r, struct orders *o)
{
	TAILQ_REMOVE(&o->reports, r, entry);
	json_decref(r->hosts);
	free(r);
}

static void
report_end(struct engine *e, struct order_report *r)
{
	json_t *obj = json_object(), *host;
	int i;

	for (i = 0; i < e->conf->node_count; i++) {
		if (!json_is_null(json_array_get(r->hosts, (size_t)i)))
			continue;
		host = json_object();
		json_put_string(host, "silent", "timeout");
		report_put(e, r, i, host, 0);
	}
	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_string(obj, "cluster", e->conf->cluster);
	json_put_string(obj, "self", e->conf->names.node[e->conf->self]);
	json_put_u64(obj, "epoch", r->epoch);
	json_put(obj, "hosts", json_incref(r->hosts));
	orders_reply(e, r->id, obj);
}

void
orders_report_turn(struct engine *e, const struct now *now)
{
	struct order_report *r, *next;

	TAILQ_FOREACH_SAFE(r, &e->orders->reports, entry, next) {
		if (r->pending > 0 && now->raw < r->until)
			continue;
		report_end(e, r);
		report_free(r, e->orders);
	}
	if (!TAILQ_EMPTY(&e->orders->reports))
		orders_wake_by(e, 100 * USEC_MSEC);
}

void
orders_report_free(struct orders *o)
{
	struct order_report *r;

	while ((r = TAILQ_FIRST(&o->reports)) != NULL)
		report_free(r, o);
}
