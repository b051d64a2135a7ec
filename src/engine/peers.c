/*
 * Requests to the other engines. An answer counts for the node that was asked,
 * and must speak for it.
 */
#include "engine/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/reports.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/http.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define ANSWER_MAX 65536
#define ASK_MIN (250 * USEC_MSEC) /* where what is asked for lasts for less */

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

struct peers {
	struct engine *e;
	TAILQ_HEAD(, peer_call) calls;
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
	    wire_ask_str(ask, &p->e->conf->names, host),
	    ask->ttl > 2 * ASK_MIN ? ask->ttl / 2 : ASK_MIN, peer_ask_cb);
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
	peers_post(
	    p, node, "/v1/status", xstrdup("{}"), USEC_SEC / 2, done, arg);
}

void
peers_post(struct peers *p, node_t node, const char *path, char *body,
    usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	struct peer_call *c =
	    peer_post(p, node, path, body, deadline, peer_status_cb);

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
	peers_post(p, node, "/v1/history", body, deadline, done, arg);
}
