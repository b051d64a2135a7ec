/*
 * How the configurations that run on the hosts differ from this one's: each
 * host gives its settings, and here they are compared key by key.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/collect.h"
#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define CONFIG_LIMIT (1500 * USEC_MSEC)
#define CONFIG_KEYS_MAX 100

/* One at a time. */
struct order_config {
	uint64_t id;
	struct collect *c;
};

static void
config_kick(struct engine *e)
{
	orders_wake_by(e, 0);
}

void
orders_config(struct engine *e, const struct order_request *req)
{
	struct order_config *o;
	node_t n;

	if (e->orders->config != NULL) {
		orders_no(e, req->id, EXITCODE_REFUSED,
		    "somebody else asks the same now", "hactl config diff");
		return;
	}
	o = xcalloc(1, sizeof(*o));
	o->id = req->id;
	o->c = collect_new(e, config_kick);
	e->orders->config = o;
	for (n = 0; n < e->conf->node_count; n++)
		if (n != e->conf->self)
			collect_ask(o->c, n, "/v1/config", "{}", CONFIG_LIMIT);
	orders_wake_by(e, 0);
}

static void
config_change(void *arg, const struct conf_change *c)
{
	json_t *list = arg, *obj;

	if (c->own || json_array_size(list) >= CONFIG_KEYS_MAX)
		return;
	obj = json_object();
	json_put_string(obj, "key", c->key);
	json_put_string(obj, "here", c->old);
	json_put_string(obj, "there", c->new);
	json_put_bool(obj, "safety", c->vital);
	json_array_append_new(list, obj);
}

/* What it gave, in the shape of this host's; keys that this version does not
 * know count, too. Strings are said's. */
static struct conf_setting *
config_settings(json_t *said, int *count)
{
	json_t *set = json_object_get(said, "settings"), *value;
	struct conf_setting *list =
	    xcalloc(json_object_size(set) + 1, sizeof(*list));
	const char *key;

	*count = 0;
	json_object_foreach(set, key, value) {
		if (!json_is_string(value))
			continue;
		list[*count].key = key;
		list[*count].text = json_string_value(value);
		/* By the key's row, whoever gives it. */
		conf_kind(&list[*count]);
		(*count)++;
	}
	return list;
}

static json_t *
config_node(const struct conf *own, node_t n, json_t *said)
{
	json_t *obj = json_object(), *keys = json_array();
	struct conf_setting *list;
	int count;

	json_put_string(obj, "node", own->node[n].name);
	if (!json_is_object(json_object_get(said, "settings"))) {
		json_put_string(obj, "silent",
		    json_has(said, "silent") ?
			json_string_value(json_object_get(said, "silent")) :
			"garbage");
	} else {
		list = config_settings(said, &count);
		conf_diff(own->setting, own->setting_count, list, count,
		    config_change, keys);
		free(list);
	}
	json_put(obj, "keys", keys);
	return obj;
}

void
orders_config_turn(struct engine *e)
{
	struct order_config *o = e->orders->config;
	json_t *obj, *list, *node;
	bool differ = false;
	node_t n;

	if (o == NULL || collect_pending(o->c))
		return;
	obj = json_object();
	list = json_array();
	for (n = 0; n < e->conf->node_count; n++) {
		if (n == e->conf->self)
			continue;
		node = config_node(e->conf, n, collect_at(o->c, n));
		if (json_array_size(json_object_get(node, "keys")) > 0)
			differ = true;
		json_array_append_new(list, node);
	}
	json_put_i64(obj, "exit", differ ? EXITCODE_REFUSED : EXITCODE_DONE);
	json_put_string(obj, "self", e->conf->node[e->conf->self].name);
	json_put_string(obj, "path", e->conf->path);
	json_put(obj, "nodes", list);
	orders_reply(e, o->id, obj);
	e->orders->config = NULL;
	collect_free(o->c);
	free(o);
}

void
orders_config_free(struct orders *o)
{
	if (o->config != NULL)
		collect_free(o->config->c);
	free(o->config);
	o->config = NULL;
}
