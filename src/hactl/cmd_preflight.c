/*
 * hactl preflight: is failover possible now? Of each data node what its engine
 * says of that, as its /ready does, and what a person should look at before it
 * is needed. It judges nothing of its own.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/ready.h"
#include "hawatch/json.h"

#define PREFLIGHT_LIMIT (5 * USEC_SEC)
#define PREFLIGHT_TEXT 400

static json_t *preflight_node(const json_t *node);
static void preflight_print(const json_t *nodes, const struct ready *r);
static json_t *preflight_json(const json_t *nodes, const struct ready *r);
static bool preflight_ready(const json_t *nodes);

enum exitcode
cmd_preflight(const struct call *call)
{
	json_t *answer, *nodes = json_array(), *doc;
	const json_t *list, *node;
	enum exitcode code;
	struct ready r;
	size_t i;

	code = status_ask(call, PREFLIGHT_LIMIT, &answer);
	if (code != EXITCODE_DONE) {
		json_decref(answer);
		json_decref(nodes);
		return code;
	}
	list = get_at(answer, "nodes");
	for (i = 0; i < json_array_size(list); i++) {
		node = json_array_get(list, i);
		if (get_bool(node, "data"))
			json_array_append_new(nodes, preflight_node(node));
	}
	ready_find(&r, answer);
	if (!preflight_ready(nodes) || r.standby[0] == '\0')
		code = EXITCODE_REFUSED;
	if (call->opt[OPT_JSON] != NULL) {
		doc = preflight_json(nodes, &r);
		print_json(doc, code);
		json_decref(doc);
	} else {
		preflight_print(nodes, &r);
		print_observe(list);
	}
	json_decref(nodes);
	json_decref(answer);
	return code;
}

/* What follows from mode observe, and is as it should be there. */
static bool
preflight_follows(const json_t *node, const char *token)
{
	return observe_is(node) && (strcmp(token, "register-cold") == 0 ||
				       strcmp(token, "no-record") == 0 ||
				       (strcmp(token, "not-armed") == 0 &&
					   observe_armed(node)[0] == '\0'));
}

/* The token, and what it means here. */
static void
preflight_why(char *buf, size_t size, const json_t *node, const char *token,
    const char *text)
{
	const char *armed = get_str(node, "fence.armed_why");
	size_t len = strlen(text);

	/* Its text says where the reason is to be seen: here. */
	if (strcmp(token, "not-armed") == 0 && armed[0] != '\0')
		len = strcspn(text, ":");
	else
		armed = "";
	(void)snprintf(buf, size, "%s%s%.*s%s%s", token,
	    len == 0 || token[0] == '\0' ? "" : ": ", (int)len, text,
	    armed[0] == '\0' ? "" : ": ", armed);
}

static json_t *
preflight_node(const json_t *node)
{
	const json_t *reasons = get_at(node, "ready.reasons");
	const json_t *texts = get_at(node, "ready.texts");
	json_t *obj = json_object(), *list = json_array();
	char text[PREFLIGHT_TEXT];
	const char *token, *why;
	size_t i;

	json_put_string(obj, "node", get_str(node, "node"));
	json_put_bool(obj, "ready", get_bool(node, "ready.ok"));
	if (get_has(node, "silent")) {
		(void)snprintf(text, sizeof(text),
		    "its engine does not answer: %s", get_str(node, "silent"));
		json_array_append_new(list, json_string(text));
	}
	for (i = 0; i < json_array_size(reasons); i++) {
		token = json_string_value(json_array_get(reasons, i));
		why = json_string_value(json_array_get(texts, i));
		if (token != NULL && preflight_follows(node, token))
			continue;
		preflight_why(text, sizeof(text), node,
		    token == NULL ? "" : token, why == NULL ? "" : why);
		json_array_append_new(list, json_string(text));
	}
	json_put(obj, "why", list);
	return obj;
}

static bool
preflight_ready(const json_t *nodes)
{
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++)
		if (!get_bool(json_array_get(nodes, i), "ready"))
			return false;
	return i > 0;
}

static json_t *
preflight_json(const json_t *nodes, const struct ready *r)
{
	json_t *obj = json_object(), *list = json_array(), *one;
	size_t i;

	json_put(obj, "nodes", json_deep_copy(nodes));
	json_put_string(obj, "primary", r->primary);
	json_put_string(obj, "standby", r->standby);
	json_put_bool(obj, "by_person", r->by_person);
	for (i = 0; i < r->wrongs; i++) {
		one = json_object();
		json_put_string(one, "text", r->wrong[i].text);
		json_put_string(one, "next", r->wrong[i].next);
		json_put_bool(one, "settles", r->wrong[i].settles);
		json_array_append_new(list, one);
	}
	json_put(obj, "wrong", list);
	return obj;
}

static void
preflight_print(const json_t *nodes, const struct ready *r)
{
	const json_t *node, *list;
	char text[PREFLIGHT_TEXT];
	size_t i, j;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		list = get_at(node, "why");
		print_line("%s: %s", get_str(node, "node"),
		    get_bool(node, "ready") ? "ready" : "not ready");
		for (j = 0; j < json_array_size(list); j++)
			print_wrapped("    - ",
			    json_string_value(json_array_get(list, j)));
	}
	if (r->observed)
		print_line("In mode observe nobody takes over by himself.");
	else if (r->primary[0] == '\0')
		print_line("There is no primary.");
	else if (r->later[0] != '\0')
		print_line("%s takes over if PostgreSQL on %s ends, but not if "
			   "that host is lost, for another %lld s.",
		    r->later, r->primary, r->later_ms / 1000);
	else if (r->standby[0] == '\0')
		print_line("Nobody could take over from %s now.", r->primary);
	else if (r->by_person) {
		ready_person_text(text, sizeof(text), r->standby, r->primary);
		print_line("%s", text);
	} else
		print_line(
		    "%s takes over if %s is lost now.", r->standby, r->primary);
	if (r->wrongs > 0)
		putchar('\n');
	ready_print_wrong(r);
}
