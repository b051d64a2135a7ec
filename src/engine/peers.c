/*
 * Requests to and from the other engines. The name that a certificate proved
 * must be a node of the configuration, and the one that the body speaks for.
 */
#include "engine/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_server.h"
#include "engine/driver.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/reports.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/files.h"
#include "hawatch/http.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define ANSWER_MAX 65536
#define ASKED_MAX 16
/* Below ANSWER_MAX, with what is around them. */
#define HISTORY_RECORDS 250
#define HISTORY_BYTES ((size_t)48 * 1024)

struct peer_call {
	TAILQ_ENTRY(peer_call) entry;
	struct peers *p;
	struct http_call *http;
	node_t node;
	usec_t left; /* raw: when it left */
	void (*status)(
	    void *arg, node_t node, const char *json, const char *why);
	void *status_arg;
};

/* A question of a peer that the core has not answered yet. */
struct peer_asked {
	uint64_t request; /* of the front; 0: free */
	uint64_t ask;
	node_t from;
	bool host; /* its host's report came along */
};

struct peers {
	struct engine *e;
	TAILQ_HEAD(, peer_call) calls;
	struct peer_asked asked[ASKED_MAX];
	unsigned next;
	bool silent[NODES_MAX]; /* the last question was not answered */
};

struct peers *
peers_new(struct engine *e)
{
	struct peers *p = xcalloc(1, sizeof(*p));

	p->e = e;
	TAILQ_INIT(&p->calls);
	return p;
}

static void
peer_call_free(struct peer_call *c)
{
	TAILQ_REMOVE(&c->p->calls, c, entry);
	free(c);
}

void
peers_free(struct peers *p)
{
	struct peer_call *c;

	if (p == NULL)
		return;
	while ((c = TAILQ_FIRST(&p->calls)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
		http_cancel(c->http);
		peer_call_free(c);
	}
	free(p);
}

/* Takes body. */
static struct peer_call *
peer_post(struct peers *p, node_t n, const char *path, char *body,
    usec_t deadline, void (*done)(void *, const struct http_answer *))
{
	const struct conf *conf = p->e->conf;
	struct peer_call *c = xcalloc(1, sizeof(*c));
	struct http_request req = { .name = conf->node[n].name,
		.address = conf->node[n].address,
		.port = conf->peer_port,
		.path = path,
		.body = body,
		.body_len = strlen(body),
		.deadline = deadline,
		.answer_max = ANSWER_MAX };
	struct error err;

	c->p = p;
	c->node = n;
	c->left = clock_now().raw;
	TAILQ_INSERT_TAIL(&p->calls, c, entry);
	c->http = http_post(p->e->http, &req, done, c, &err);
	free(body);
	if (c->http == NULL) {
		peer_call_free(c);
		return NULL;
	}
	return c;
}

/* On change only. */
static void
peer_state(struct peers *p, node_t node, bool silent, const char *why)
{
	const char *name = p->e->conf->node[node].name;

	if (p->silent[node] == silent)
		return;
	p->silent[node] = silent;
	if (silent)
		EMIT(peer_lost, kv_s("peer", name), kv_s("reason", why));
	else
		EMIT(peer_found, kv_s("peer", name));
}

/* Why there is no answer, in the words of who refused it. */
static void
peer_why(const struct http_answer *ans, char *buf, size_t size)
{
	const char *said;
	struct error err;
	json_t *obj;

	if (ans->status == 0) {
		str_cut(buf, size, ans->reason);
		return;
	}
	obj = json_read(ans->body, ans->len, &err);
	said = json_string_value(json_object_get(obj, "error"));
	(void)snprintf(buf, size, "refused%s%s", said == NULL ? "" : ": ",
	    said == NULL ? "" : said);
	json_decref(obj);
}

static void
peer_ask_cb(void *arg, const struct http_answer *ans)
{
	struct peer_call *c = arg;
	struct engine *e = c->p->e;
	struct now now = clock_now();
	struct ask_answer answer;
	node_t node = c->node;
	usec_t left = c->left;
	char why[sizeof(((struct error *)0)->msg)] = "";
	json_t *host;
	struct error err;

	if (ans->status != 200)
		peer_why(ans, why, sizeof(why));
	peer_state(c->p, node, ans->status != 200, why);
	peer_call_free(c);
	if (ans->status != 200)
		return;
	if (wire_answer_parse(&answer, ans->body, ans->len, &e->conf->names,
		&host, &err) != 0) {
		EMIT(peer_refused, kv_s("peer", e->conf->node[node].name),
		    kv_s("reason", err.msg));
		return;
	}
	if (answer.from != node) {
		EMIT(peer_refused, kv_s("peer", e->conf->node[node].name),
		    kv_s("reason", "its answer speaks for another node"));
		json_decref(host);
		return;
	}
	core_on_answer(e->core, &now, &answer);
	reports_take(e->reports, node, host, left, &now);
	json_decref(host);
}

void
peers_ask(struct peers *p, node_t node, const struct ask *ask)
{
	struct now now = clock_now();
	json_t *host = reports_along(p->e->reports, node, &now);

	/* Silence is an answer: the core never waits for this one. */
	(void)peer_post(p, node, "/v1/ask",
	    wire_ask_str(ask, &p->e->conf->names, host), ask->ttl / 2,
	    peer_ask_cb);
}

static void
peer_host_cb(void *arg, const struct http_answer *ans)
{
	struct peer_call *c = arg;
	struct engine *e = c->p->e;
	struct now now = clock_now();
	usec_t left = c->left;
	node_t node = c->node;
	struct error err;
	json_t *host;

	peer_call_free(c);
	if (ans->status != 200)
		return;
	host = json_read(ans->body, ans->len, &err);
	reports_take(e->reports, node, host, left, &now);
	json_decref(host);
}

void
peers_host(struct peers *p, node_t node, json_t *report)
{
	char *body = json_text(report);

	json_decref(report);
	/* Silence is seen by the age of what was heard last. */
	(void)peer_post(p, node, "/v1/host", body, USEC_SEC, peer_host_cb);
}

static void
peer_nudge_cb(void *arg, const struct http_answer *ans)
{
	peer_call_free(arg);
}

void
peers_nudge(struct peers *p, node_t node)
{
	(void)peer_post(
	    p, node, "/v1/nudge", xstrdup("{}"), USEC_SEC, peer_nudge_cb);
}

static void
peer_status_cb(void *arg, const struct http_answer *ans)
{
	struct peer_call *c = arg;
	void (*status)(void *, node_t, const char *, const char *) = c->status;
	void *status_arg = c->status_arg;
	node_t node = c->node;

	peer_call_free(c);
	status(status_arg, node, ans->status == 200 ? ans->body : NULL,
	    ans->status == 200	? NULL :
	    ans->reason != NULL ? ans->reason :
				  "refused");
}

void
peers_status(struct peers *p, node_t node,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	struct peer_call *c = peer_post(
	    p, node, "/v1/status", xstrdup("{}"), USEC_SEC / 2, peer_status_cb);

	if (c == NULL) {
		done(arg, node, NULL, "internal");
		return;
	}
	c->status = done;
	c->status_arg = arg;
}

void
peers_history(struct peers *p, node_t node, char *body, usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	struct peer_call *c =
	    peer_post(p, node, "/v1/history", body, deadline, peer_status_cb);

	if (c == NULL) {
		done(arg, node, NULL, "internal");
		return;
	}
	c->status = done;
	c->status_arg = arg;
}

void
peers_answer(struct peers *p, const struct ask_answer *ans, node_t to)
{
	struct now now = clock_now();
	struct peer_asked *a;
	char *body;
	int i;

	for (i = 0; i < ASKED_MAX; i++) {
		a = &p->asked[i];
		if (a->request == 0 || a->ask != ans->id || a->from != to)
			continue;
		body = wire_answer_str(ans, &p->e->conf->names,
		    a->host ? reports_answer(p->e->reports, to, &now) :
			      reports_along(p->e->reports, to, &now));
		frontlink_reply(p->e->front, a->request, 200, body);
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
	body = json_text(obj);
	json_decref(obj);
	frontlink_reply(e->front, req->id, status, body);
	free(body);
}

static void
request_ask(struct engine *e, node_t from, const struct front_request *req)
{
	struct peers *p = e->peers;
	struct peer_asked *a = &p->asked[p->next++ % ASKED_MAX];
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

	json_put_i64(obj, "wall_ms", clock_now().wall / USEC_MSEC);
	text = json_text(obj);
	json_decref(obj);
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

void
peers_request(void *engine, const struct front_request *req)
{
	struct engine *e = engine;
	node_t from = names_find(&e->conf->names, req->peer);
	struct now now = clock_now();
	char *text;

	if (from == NODE_NONE) {
		request_error(e, req, 403, "no node of this cluster");
		return;
	}
	if (e->arbiter != NULL && arbiter_server_request(e->arbiter, from, req))
		return;
	if (strcmp(req->path, "/v1/status") == 0) {
		text = status_json(e, &now);
		frontlink_reply(e->front, req->id, 200, text);
		free(text);
	} else if (strcmp(req->path, "/v1/files") == 0) {
		request_files(e, from, req);
	} else if (strcmp(req->path, "/v1/host") == 0) {
		request_host(e, from, req);
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
