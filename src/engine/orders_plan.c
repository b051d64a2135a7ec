/*
 * The answer to "plan": the rows that would run, and of the steps that this
 * site has in them what they would do on that node: items, balancers, checks.
 * All of it is the configuration's own text; no line of a file is in it.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/template.h"

/* The same table that runs. */
static json_t *
plan_rows_json(void)
{
	const struct plan_doc *rows;
	size_t i, n = core_plan_doc(&rows);
	json_t *list = json_array(), *obj;

	for (i = 0; i < n; i++) {
		obj = json_object();
		json_put_string(obj, "plan", rows[i].plan);
		json_put_string(obj, "row", rows[i].row);
		json_put_string(obj, "goal", rows[i].goal);
		json_put_i64(obj, "limit_ms", rows[i].limit / USEC_MSEC);
		json_put_string(obj, "late", rows[i].limit_name);
		json_put_bool(obj, "forward", rows[i].forward);
		json_put_string(obj, "why", rows[i].why);
		json_array_append_new(list, obj);
	}
	return list;
}

/* What an item is about, in a few words. */
static char *
plan_item_what(const struct conf_item *item)
{
	switch (item->type) {
	case ITEM_LINE:
		return xasprintf("a line of %s", item->file);
	case ITEM_SERVICE:
		if (item->program != NULL && item->program[0] != '\0')
			return xasprintf("program %s", item->program);
		return xstrdup("a service");
	case ITEM_COMMAND:
		return xasprintf("the test of %s",
		    item->fix[0] == NULL ? "a command" : item->fix[0]);
	case ITEM_CACHE:
		break;
	}
	return xasprintf("the memcached on %s", item->address);
}

static json_t *
plan_item(const struct conf *conf, const struct conf_item *item, node_t node)
{
	char *primary = template_expand(conf, item->primary, node);
	char *what = plan_item_what(item);
	json_t *obj = json_object();

	json_put_string(obj, "name", item->name);
	json_put_string(obj, "what", what);
	json_put_string(obj, "becomes",
	    item->type == ITEM_CACHE   ? "empty" :
	    item->type == ITEM_COMMAND ? "passed" :
					 primary);
	/* The text names the primary, who is another one then. */
	json_put_bool(obj, "same",
	    strcmp(item->primary, item->standby) == 0 &&
		strstr(item->primary, "${primary.") == NULL);
	json_put_bool(obj, "before", item->when == ITEM_BEFORE);
	json_put_bool(obj, "required", item->required);
	free(primary);
	free(what);
	return obj;
}

static json_t *
plan_items(const struct conf *conf, node_t node)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < conf->item_count; i++)
		if (conf->item[i].primary[0] != '\0' &&
		    conf_on(conf, conf->item[i].on, node))
			json_array_append_new(
			    list, plan_item(conf, &conf->item[i], node));
	return list;
}

static json_t *
plan_traffic(const struct conf *conf, node_t node)
{
	json_t *list = json_array(), *obj;
	const struct conf_traffic *t;
	char *address, *text;
	int i;

	for (i = 0; i < conf->traffic_count; i++) {
		t = &conf->traffic[i];
		address = template_expand(conf, t->address, node);
		text = address[0] == '\0' ?
			   xasprintf("servers of backend %s: %s", t->backend,
			       t->out == OUT_DRAIN ? "ready or drain" :
						     "ready or maint") :
			   xasprintf("server %s/%s goes to %s:%d", t->backend,
			       t->server, address, t->port);
		obj = json_object();
		json_put_string(obj, "name", t->name);
		json_put_string(obj, "becomes", text);
		json_put_bool(obj, "every", t->from == FROM_EVERY);
		json_array_append_new(list, obj);
		free(address);
		free(text);
	}
	return list;
}

static json_t *
plan_verify(const struct conf *conf, node_t node)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < conf->check_count; i++)
		if (conf->check[i].verify &&
		    conf_on(conf, conf->check[i].on, node))
			json_array_append_new(
			    list, json_string(conf->check[i].name));
	return list;
}

/* What stops on the host that hands over, in its order. */
static json_t *
plan_handover(const struct conf *conf)
{
	json_t *list = json_array(), *obj;
	char *what;
	int i;

	for (i = 0; i < conf->item_count; i++) {
		if (conf->item[i].handover[0] == '\0')
			continue;
		what = plan_item_what(&conf->item[i]);
		obj = json_object();
		json_put_string(obj, "name", conf->item[i].name);
		json_put_string(obj, "what", what);
		json_put_string(obj, "becomes", conf->item[i].handover);
		json_array_append_new(list, obj);
		free(what);
	}
	return list;
}

static json_t *
plan_files(const struct conf *conf)
{
	json_t *obj = json_object(), *list = json_array();
	int i;

	for (i = 0; conf->files.paths[i] != NULL; i++)
		json_array_append_new(list, json_string(conf->files.paths[i]));
	json_put(obj, "paths", list);
	json_put_bool(obj, "refuse", conf->files.differ == DIFFER_REFUSE);
	return obj;
}

void
orders_plan(
    struct engine *e, uint64_t id, node_t node, json_t *said, json_t *look)
{
	/* As that host would read it: its own address, its own name. */
	struct conf *conf = xmemdup(e->conf, sizeof(*conf));
	json_t *obj = json_object();

	conf->self = node;
	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_i64(obj, "schema", 1);
	json_put(obj, "node", json_incref(said));
	json_put(obj, "rows", plan_rows_json());
	json_put(obj, "items", plan_items(conf, node));
	json_put(obj, "traffic", plan_traffic(conf, node));
	json_put(obj, "verify", plan_verify(conf, node));
	json_put(obj, "handover", plan_handover(conf));
	json_put(obj, "files", plan_files(conf));
	if (look != NULL)
		json_put(obj, "look", json_incref(look));
	orders_reply(e, id, obj);
	free(conf);
}
