/*
 * Requests from the other engines. The name that a certificate proved must be a
 * node of the configuration, and the one that the body speaks for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_server.h"
#include "engine/driver.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/orders.h"
#include "engine/pair_server.h"
#include "engine/peers.h"
#include "engine/reload.h"
#include "engine/remote.h"
#include "engine/reports.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/files.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define ASKED_MAX 16
/* Below what an asker reads, with what is around them. */
#define HISTORY_RECORDS 250
#define HISTORY_BYTES ((size_t)48 * 1024)

/* A question that the core has not answered yet. */
struct peer_asked {
	uint64_t request; /* of the front; 0: free */
	uint64_t ask;
	node_t from;
	bool host; /* its host's report came along */
};

struct asked_list {
	struct peer_asked asked[ASKED_MAX];
	unsigned next;
};

struct asked_list *
peers_asked_new(void)
{
	return xcalloc(1, sizeof(struct asked_list));
}

void
peers_asked_free(struct asked_list *l)
{
	free(l);
}

void
peers_answer(struct engine *e, const struct ask_answer *ans, node_t to)
{
	struct now now = clock_now();
	struct peer_asked *a;
	char *body;
	int i;

	for (i = 0; i < ASKED_MAX; i++) {
		a = &e->asked->asked[i];
		if (a->request == 0 || a->ask != ans->id || a->from != to)
			continue;
		body = wire_answer_str(ans, &e->conf->names,
		    a->host ? reports_answer(e->reports, to, &now) :
			      reports_along(e->reports, to, &now));
		frontlink_reply(e->front, a->request, 200, body);
		free(body);
		a->request = 0;
		return;
	}
}

static void
request_error(struct engine *e, const struct front_request *req, int status,
    const char *why)
{
	json_t *obj = json_object();
	char *body;

	EMIT(peer_refused, kv_s("peer", req->peer), kv_s("reason", why));
	json_put_string(obj, "error", why);
	body = json_take_text(obj);
	frontlink_reply(e->front, req->id, status, body);
	free(body);
}

static void
request_ask(struct engine *e, node_t from, const struct front_request *req)
{
	struct asked_list *l = e->asked;
	struct peer_asked *a = &l->asked[l->next++ % ASKED_MAX];
	struct now now = clock_now();
	struct ask ask;
	struct error err;
	json_t *host;

	if (wire_ask_parse(
		&ask, req->body, req->len, &e->conf->names, &host, &err) != 0) {
		request_error(e, req, 400, err.msg);
		return;
	}
	if (ask.from != from) {
		request_error(e, req, 403, "it speaks for another node");
		json_decref(host);
		return;
	}
	reports_take(e->reports, from, host, 0, &now);
	a->request = req->id;
	a->ask = ask.id;
	a->from = from;
	a->host = host != NULL;
	json_decref(host);
	core_on_ask(e->core, &now, &ask);
}

/* The answer says how this host is after the request came. */
static void
request_host(struct engine *e, node_t from, const struct front_request *req)
{
	struct now now = clock_now();
	json_t *host;
	struct error err;
	char *text;

	host = json_read(req->body, req->len, &err);
	if (host == NULL) {
		request_error(e, req, 400, err.msg);
		return;
	}
	reports_take(e->reports, from, host, 0, &now);
	json_decref(host);
	host = reports_answer(e->reports, from, &now);
	text = json_text(host);
	json_decref(host);
	frontlink_reply(e->front, req->id, 200, text);
	free(text);
}

/* Only for who is the primary, of this host as its standby: what is pulled
 * later would overwrite what is newer here. */
static void
request_files(struct engine *e, node_t from, const struct front_request *req)
{
	struct now now = clock_now();
	struct core_status st;
	struct error err;
	json_t *obj;
	uint64_t id = 0;
	char *text;
	bool understood;

	obj = json_read(req->body, req->len, &err);
	understood = obj != NULL && json_want_u64(obj, "id", &id, &err) == 0;
	json_decref(obj);
	if (!understood) {
		request_error(e, req, 400, err.msg);
		return;
	}
	if (e->core != NULL)
		core_status(e->core, &now, &st);
	if (e->core == NULL || e->files == NULL || !driver_follows(&st, from)) {
		request_error(e, req, 409, "this host is not its standby");
		return;
	}
	text = files_answer(e->files, from, id);
	frontlink_reply(e->front, req->id, 200, text);
	free(text);
}

static void
request_history_cb(void *arg, uint64_t id, const json_t *found)
{
	json_t *obj = json_copy((json_t *)(uintptr_t)found);
	struct engine *e = arg;
	char *text;

	orders_history_now(e, obj);
	text = json_take_text(obj);
	frontlink_reply(e->front, id, 200, text);
	free(text);
}

/* What this host has written down of one change of holder. */
static void
request_history(struct engine *e, const struct front_request *req)
{
	struct history_query q = { .records = HISTORY_RECORDS,
		.bytes = HISTORY_BYTES };
	json_t *obj;
	struct error err;

	obj = json_read(req->body, req->len, &err);
	if (obj == NULL || json_want_u64(obj, "epoch", &q.epoch, &err) != 0 ||
	    q.epoch == 0)
		request_error(e, req, 400, "no epoch is named");
	else
		history_read(e->history, &q, request_history_cb, e, req->id);
	json_decref(obj);
}

static void
request_reload_done(struct engine *e, uint64_t id, json_t *said)
{
	char *text = json_text(said);

	json_decref(said);
	frontlink_reply(e->front, id, 200, text);
	free(text);
}

/* A host reads its own file, whoever asks; what it takes over is what the asker
 * was shown. */
static void
request_reload(struct engine *e, const struct front_request *req)
{
	char digest[CONF_DIGEST_MAX];
	struct error err;
	json_t *obj;

	obj = json_read(req->body, req->len, &err);
	if (obj == NULL ||
	    json_want_string(obj, "apply", digest, sizeof(digest), &err) != 0)
		request_error(e, req, 400, err.msg);
	else
		reload_start(e, digest, request_reload_done, req->id);
	json_decref(obj);
}

void
peers_request(void *engine, const struct front_request *req)
{
	struct engine *e = engine;
	node_t from = names_find(&e->conf->names, req->peer);
	struct now now = clock_now();
	char *text;

	if (remote_request(e, req))
		return;
	if (from == NODE_NONE) {
		request_error(e, req, 403, "no node of this cluster");
		return;
	}
	if (e->arbiter != NULL && arbiter_server_request(e->arbiter, from, req))
		return;
	if (e->copy != NULL && pair_server_request(e->copy, from, req))
		return;
	if (strcmp(req->path, "/v1/status") == 0) {
		text = status_json(e, &now);
		frontlink_reply(e->front, req->id, 200, text);
		free(text);
	} else if (strcmp(req->path, "/v1/files") == 0) {
		request_files(e, from, req);
	} else if (strcmp(req->path, "/v1/host") == 0) {
		request_host(e, from, req);
	} else if (strcmp(req->path, "/v1/reload") == 0) {
		request_reload(e, req);
	} else if (strcmp(req->path, "/v1/config") == 0) {
		text = reload_settings(e);
		frontlink_reply(e->front, req->id, 200, text);
		free(text);
	} else if (strcmp(req->path, "/v1/history") == 0) {
		request_history(e, req);
	} else if (e->core != NULL && strcmp(req->path, "/v1/ask") == 0) {
		request_ask(e, from, req);
	} else if (e->core != NULL && strcmp(req->path, "/v1/nudge") == 0) {
		core_on_nudge(e->core, &now);
		frontlink_reply(e->front, req->id, 200, "{}");
	} else {
		request_error(e, req, 404, "not served here");
	}
}
