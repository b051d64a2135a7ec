/*
 * The order to take over a new configuration, on all hosts at once. Each reads
 * and validates its own file first; what differs is shown; and only if none has
 * anything against it, all are told to take over the very files that were
 * looked at. A host that does not answer is said, and holds up nobody: it reads
 * its file when it starts.
 *
 * A signal goes the same way, but changes its own host alone, and what came of
 * it is for the log: reload_signal.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/collect.h"
#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "engine/orders_restart.h"
#include "engine/reload.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define READING "the configuration is being read already"
#define RELOAD_LOOK_LIMIT (3 * USEC_SEC)
#define RELOAD_APPLY_LIMIT (5 * USEC_SEC)
#define RELOAD_SEEN_MAX (NODES_MAX * (NODE_NAME_MAX + CONF_DIGEST_MAX + 2))

/* One at a time. */
struct order_reload {
	uint64_t id;
	struct collect *c;
	bool apply, applying, signal;
	char wanted[RELOAD_SEEN_MAX], seen[RELOAD_SEEN_MAX];
	nodeset_t asked; /* to take it over */
	node_t bad;	 /* the first that does not; NODE_NONE */
};

static void
reload_kick(struct engine *e)
{
	orders_wake_by(e, 0);
}

static void
reload_own(struct engine *e, uint64_t id, json_t *said)
{
	struct order_reload *r = e->orders == NULL ? NULL : e->orders->reload;

	if (r == NULL || r->id != id)
		json_decref(said);
	else
		collect_put(r->c, e->conf->self, said);
}

static const char *
reload_digest(const struct order_reload *r, node_t n)
{
	const char *text =
	    json_string_value(json_object_get(collect_at(r->c, n), "digest"));

	return text == NULL ? "" : text;
}

static size_t
reload_changes(const struct order_reload *r, node_t n)
{
	return json_array_size(json_object_get(collect_at(r->c, n), "changes"));
}

static void
reload_ask(struct engine *e, struct order_reload *r, node_t n,
    const char *digest, usec_t limit)
{
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"apply\":\"%s\"}", digest);
	if (n == e->conf->self) {
		collect_expect(r->c, n);
		reload_start(e, digest, reload_own, r->id);
	} else {
		collect_ask(r->c, n, "/v1/reload", body, limit);
	}
}

static struct order_reload *
reload_open(struct engine *e, uint64_t id, bool apply)
{
	struct order_reload *r = xcalloc(1, sizeof(*r));

	r->id = id;
	r->apply = apply;
	r->bad = NODE_NONE;
	r->c = collect_new(e, reload_kick);
	e->orders->reload = r;
	return r;
}

static void
reload_look_all(struct engine *e, struct order_reload *r)
{
	node_t n;

	for (n = 0; n < e->conf->node_count; n++)
		reload_ask(e, r, n, "", RELOAD_LOOK_LIMIT);
}

void
orders_reload(struct engine *e, const struct order_request *req)
{
	struct order_reload *r;

	if (e->orders->reload != NULL) {
		orders_refuse(
		    e, req->id, EXITCODE_REFUSED, READING, "hactl reload");
		return;
	}
	r = reload_open(e, req->id, req->apply);
	str_cut(r->wanted, sizeof(r->wanted), req->seen);
	if (r->apply)
		orders_taken(e, r->id, "reload");
	reload_look_all(e, r);
}

void
orders_reload_signal(struct engine *e)
{
	struct order_reload *r;

	if (e->orders->reload != NULL) {
		reload_signal_refused(READING, "hactl reload");
		return;
	}
	r = reload_open(e, UINT64_MAX, true);
	r->signal = true;
	reload_look_all(e, r);
	reload_kick(e);
}

/* All have said what they found: who refuses, and what was seen. Restarts are
 * for when nothing else is in the way. */
static void
reload_judge(struct engine *e, struct order_reload *r)
{
	size_t len = 0;
	json_t *said;
	node_t n;

	for (n = 0; n < e->conf->node_count; n++) {
		said = collect_at(r->c, n);
		if (r->bad == NODE_NONE && json_has(said, "refused") &&
		    !restart_needed(r->c, n))
			r->bad = n;
		if (reload_changes(r, n) == 0)
			continue;
		len += (size_t)snprintf(r->seen + len, sizeof(r->seen) - len,
		    "%s=%s ", e->conf->node[n].name, reload_digest(r, n));
		if (len >= sizeof(r->seen))
			break;
	}
	if (r->bad == NODE_NONE)
		r->bad = restart_first(e->conf, r->c);
}

static json_t *
reload_nodes(struct engine *e, const struct order_reload *r)
{
	json_t *list = json_array(), *obj;
	node_t n;

	for (n = 0; n < e->conf->node_count; n++) {
		obj = json_object();
		json_put_string(obj, "node", e->conf->node[n].name);
		json_object_update_missing(obj, collect_at(r->c, n));
		json_array_append_new(list, obj);
	}
	return list;
}

/* Whose file says something else than this host's, where both are right. */
static json_t *
reload_differ(const struct engine *e, const struct order_reload *r)
{
	const json_t *own, *said;
	json_t *list = json_array();
	node_t n;

	own = json_object_get(collect_at(r->c, e->conf->self), "shared");
	for (n = 0; n < e->conf->node_count; n++) {
		said = json_object_get(collect_at(r->c, n), "shared");
		if (json_is_string(own) && json_is_string(said) &&
		    !json_equal(own, said))
			json_array_append_new(
			    list, json_string(e->conf->node[n].name));
	}
	return list;
}

/* What one host says is to be done there. */
static void
reload_next(struct engine *e, node_t n, const char *next, json_t *obj)
{
	bool there = next != NULL && next[0] != '\0' && n != NODE_NONE &&
		     n != e->conf->self;
	char *text;

	if (next == NULL || next[0] == '\0')
		next = "hactl reload";
	text = xasprintf("%s%s%s%s", there ? "ssh " : "",
	    there ? e->conf->node[n].name : "", there ? " " : "", next);
	json_put_string(obj, "next", text);
	free(text);
}

static void
reload_close(struct engine *e, struct order_reload *r)
{
	e->orders->reload = NULL;
	collect_free(r->c);
	free(r);
}

/* Nobody waits for this answer. */
static void
reload_signal_end(struct engine *e, struct order_reload *r)
{
	node_t n;

	if (r->bad == NODE_NONE && !r->applying)
		reload_signal_same();
	for (n = 0; n < e->conf->node_count; n++)
		if (json_has(collect_at(r->c, n), "refused"))
			reload_signal_log(e, n, collect_at(r->c, n));
	reload_close(e, r);
}

static void
reload_reply(struct engine *e, struct order_reload *r, enum exitcode code,
    const char *why)
{
	const json_t *bad =
	    r->bad == NODE_NONE ? NULL : collect_at(r->c, r->bad);
	const char *next = json_string_value(json_object_get(bad, "next"));
	json_t *obj = json_object();
	char *text;

	json_put_i64(obj, "exit", code);
	json_put(obj, "nodes", reload_nodes(e, r));
	json_put_string(obj, "seen", r->seen);
	json_put_bool(obj, "applied", r->applying);
	json_put_string(obj, "self", e->conf->node[e->conf->self].name);
	json_put_string(obj, "path", e->conf->path);
	json_put(obj, "differ", reload_differ(e, r));
	if (bad != NULL && !r->applying && restart_needed(r->c, r->bad)) {
		restart_say(e->conf, r->c, obj);
		orders_reply(e, r->id, obj);
		reload_close(e, r);
		return;
	}
	if (why == NULL && bad != NULL)
		why = json_string_value(json_object_get(bad, "refused"));
	if (why == NULL && bad != NULL)
		why = json_has(bad, "silent") ?
			  "it did not answer whether it took it over" :
			  "it does not say why";
	if (bad != NULL) {
		text = xasprintf("%s: %s%s", e->conf->node[r->bad].name, why,
		    r->applying ? "" : "; nothing was changed on any host");
		json_put_string(obj, "refused", text);
		free(text);
	} else if (why != NULL) {
		json_put_string(obj, "refused", why);
	}
	if (why != NULL)
		reload_next(e, r->bad, next, obj);
	orders_reply(e, r->id, obj);
	reload_close(e, r);
}

/* Each the file that it was seen with; who has nothing new is not asked. */
static void
reload_begin(struct engine *e, struct order_reload *r)
{
	char digest[NODES_MAX][CONF_DIGEST_MAX];
	node_t n;

	r->applying = true;
	if (r->signal)
		reload_signal_shows(collect_at(r->c, e->conf->self));
	for (n = 0; n < e->conf->node_count; n++) {
		digest[n][0] = '\0';
		if (reload_changes(r, n) > 0 &&
		    (!r->signal || n == e->conf->self))
			str_cut(
			    digest[n], sizeof(digest[n]), reload_digest(r, n));
	}
	for (n = 0; n < e->conf->node_count; n++)
		if (digest[n][0] != '\0') {
			r->asked |= NODE_BIT(n);
			reload_ask(e, r, n, digest[n], RELOAD_APPLY_LIMIT);
		}
}

/* What became of it: the first that did not take it over, or did not say so. */
static void
reload_end(struct engine *e, struct order_reload *r)
{
	const json_t *said;
	node_t n;

	for (n = 0; n < e->conf->node_count; n++) {
		said = collect_at(r->c, n);
		if (r->bad == NODE_NONE &&
		    (json_has(said, "refused") ||
			((r->asked & NODE_BIT(n)) && json_has(said, "silent"))))
			r->bad = n;
	}
	reload_reply(
	    e, r, r->bad == NODE_NONE ? EXITCODE_DONE : EXITCODE_UNKNOWN, NULL);
}

void
orders_reload_turn(struct engine *e)
{
	struct order_reload *r = e->orders->reload;

	if (r == NULL || collect_pending(r->c))
		return;
	if (r->applying && r->signal) {
		reload_signal_end(e, r);
		return;
	}
	if (r->applying) {
		reload_end(e, r);
		return;
	}
	reload_judge(e, r);
	if (r->signal) {
		if (r->bad == NODE_NONE && reload_changes(r, e->conf->self) > 0)
			reload_begin(e, r);
		else
			reload_signal_end(e, r);
		return;
	}
	if (r->bad != NODE_NONE)
		reload_reply(e, r, EXITCODE_REFUSED, NULL);
	else if (!r->apply || r->seen[0] == '\0')
		reload_reply(e, r, EXITCODE_DONE, NULL);
	else if (strcmp(r->seen, r->wanted) != 0)
		reload_reply(e, r, EXITCODE_REFUSED,
		    "a file changed since the difference was shown");
	else
		reload_begin(e, r);
}

void
orders_reload_free(struct orders *o)
{
	if (o->reload != NULL)
		collect_free(o->reload->c);
	free(o->reload);
	o->reload = NULL;
}
