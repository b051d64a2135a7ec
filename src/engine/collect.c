/*
 * Asking several engines one thing. What the others say is a stranger's: it is
 * an object that is not nested deeply, or it counts as silence.
 */
#include "engine/collect.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define COLLECT_DEPTH_MAX 32

struct collect_slot {
	struct collect *c;
	node_t node;
	json_t *said;
	bool pending;
};

struct collect {
	struct engine *e;
	void (*kick)(struct engine *e);
	struct collect_slot slot[NODES_MAX];
};

/* Nested less deep than that. What others say becomes a part of one answer,
 * which would be as deep, and hactl would read none of it. */
static bool
collect_less(const json_t *value, int depth)
{
	/* jansson's iterators want it mutable and do not change it. */
	json_t *walk = (json_t *)(uintptr_t)value, *part;
	const char *key;
	size_t i;

	if (depth == 0)
		return false;
	json_object_foreach(walk, key, part)
		if (!collect_less(part, depth - 1))
			return false;
	json_array_foreach(walk, i, part)
		if (!collect_less(part, depth - 1))
			return false;
	return true;
}

bool
collect_shallow(const json_t *value)
{
	return collect_less(value, COLLECT_DEPTH_MAX);
}

struct collect *
collect_new(struct engine *e, void (*kick)(struct engine *e))
{
	struct collect *c = xcalloc(1, sizeof(*c));
	node_t n;

	c->e = e;
	c->kick = kick;
	for (n = 0; n < NODES_MAX; n++) {
		c->slot[n].c = c;
		c->slot[n].node = n;
	}
	return c;
}

void
collect_free(struct collect *c)
{
	node_t n;

	if (c == NULL)
		return;
	for (n = 0; n < NODES_MAX; n++)
		json_decref(c->slot[n].said);
	free(c);
}

static void
collect_cb(void *arg, node_t node, const char *json, const char *why)
{
	struct collect_slot *s = arg;
	json_t *obj = NULL;
	struct error err;

	if (json != NULL) {
		obj = json_read(json, strlen(json), &err);
		why = "garbage";
	}
	if (obj == NULL || !collect_shallow(obj)) {
		json_decref(obj);
		obj = json_object();
		json_put_string(obj, "silent", why == NULL ? "no answer" : why);
	}
	collect_put(s->c, node, obj);
}

void
collect_ask(struct collect *c, node_t node, const char *path, const char *body,
    usec_t deadline)
{
	collect_expect(c, node);
	peers_post(c->e->peers, node, path, xstrdup(body), deadline, collect_cb,
	    &c->slot[node]);
}

void
collect_expect(struct collect *c, node_t node)
{
	c->slot[node].pending = true;
}

void
collect_put(struct collect *c, node_t node, json_t *obj)
{
	json_decref(c->slot[node].said);
	c->slot[node].said = obj;
	c->slot[node].pending = false;
	c->kick(c->e);
}

bool
collect_pending(const struct collect *c)
{
	node_t n;

	for (n = 0; n < NODES_MAX; n++)
		if (c->slot[n].pending)
			return true;
	return false;
}

json_t *
collect_at(const struct collect *c, node_t node)
{
	return c->slot[node].said;
}
