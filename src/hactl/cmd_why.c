/*
 * hactl why: of each data node, what it does and because of what, and what
 * keeps it from more: from taking over, from letting clients write, from
 * getting traffic. It says what the engine says, and judges nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"

#define WHY_LIMIT (5 * USEC_SEC)
#define WHY_TEXT 640

static json_t *why_node(const json_t *node);
static void why_say(json_t *list, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void why_writes(json_t *list, const json_t *node);
static void why_claim(json_t *list, const json_t *node);
static void why_rest(json_t *list, const json_t *node);
static void why_print(const json_t *nodes);

enum exitcode
cmd_why(const struct call *call)
{
	json_t *answer, *nodes = json_array(), *doc;
	const json_t *list, *node;
	enum exitcode code;
	size_t i;

	code = ask_engine(
	    call, ask_request("status"), WHY_LIMIT, NULL, NULL, &answer);
	list = get_at(answer, "nodes");
	for (i = 0; i < json_array_size(list); i++) {
		node = json_array_get(list, i);
		if (get_bool(node, "data") &&
		    (call->args == 0 ||
			strcmp(get_str(node, "node"), call->arg[0]) == 0))
			json_array_append_new(nodes, why_node(node));
	}
	if (code == EXITCODE_DONE && json_array_size(nodes) == 0) {
		print_wrong(
		    "that is no data node of this cluster", "hactl status");
		code = EXITCODE_REFUSED;
	} else if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		doc = json_object();
		json_put(doc, "nodes", json_incref(nodes));
		print_json(doc, code);
		json_decref(doc);
	} else if (code == EXITCODE_DONE) {
		why_print(nodes);
	}
	json_decref(nodes);
	json_decref(answer);
	return code;
}

static json_t *
why_node(const json_t *node)
{
	json_t *obj = json_object(), *list = json_array();

	json_put_string(obj, "node", get_str(node, "node"));
	if (get_has(node, "silent")) {
		json_put_string(obj, "duty", "silent");
		why_say(list, "its engine does not answer: %s",
		    get_str(node, "silent"));
	} else {
		json_put_string(obj, "duty", get_str(node, "duty.name"));
		why_say(list, "%s", get_str(node, "duty.why"));
		why_writes(list, node);
		why_claim(list, node);
		why_rest(list, node);
	}
	json_put(obj, "why", list);
	return obj;
}

static void
why_say(json_t *list, const char *fmt, ...)
{
	char text[WHY_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (text[0] != '\0')
		json_array_append_new(list, json_string(text));
}

static void
why_writes(json_t *list, const json_t *node)
{
	const char *text = get_str(node, "waits_text");

	if (strcmp(get_str(node, "role"), "primary") == 0)
		why_say(list, "clients can write here");
	else if (strcmp(get_str(node, "postgres.state"), "primary") == 0)
		why_say(list, "clients cannot write here: its fence is %s",
		    get_str(node, "fence.writers"));
	if (get_has(node, "plan"))
		why_say(list, "the plan %s is at %s, for %lld ms",
		    get_str(node, "plan.name"), get_str(node, "plan.row"),
		    get_int(node, "plan.since_ms"));
	if (text[0] != '\0' && strcmp(text, get_str(node, "claim.text")) != 0)
		why_say(list, "it waits: %s", text);
	if (get_bool(node, "durable.latch"))
		why_say(list, "it is latched: %s",
		    get_str(node, "durable.latch_why"));
}

static void
why_claim(json_t *list, const json_t *node)
{
	const char *block = get_str(node, "claim.block");

	if (strcmp(block, "is-holder") == 0 ||
	    strcmp(get_str(node, "role"), "primary") == 0)
		return;
	if (block[0] == '\0')
		why_say(list, "nothing stands against a takeover by it");
	else
		why_say(list, "it does not take over now: %s: %s", block,
		    get_str(node, "claim.text"));
	if (get_has(node, "claim.in_ms"))
		why_say(list, "it could in %lld ms at the earliest",
		    get_int(node, "claim.in_ms"));
}

static void
why_rest(json_t *list, const json_t *node)
{
	if (strcmp(get_str(node, "fence.armed"), "no") == 0)
		why_say(list, "it could not be fenced with certainty: %s",
		    get_str(node, "fence.armed_why"));
	if (get_str(node, "follow.why")[0] != '\0')
		why_say(list, "it is not made to follow the holder: %s",
		    get_str(node, "follow.why"));
	if (get_has(node, "health") && !get_bool(node, "health.ok"))
		why_say(list, "it gets no traffic: %s",
		    get_str(node, "health.reasons"));
	if (get_str(node, "site.why")[0] != '\0')
		why_say(list, "it is not as its role demands: %s",
		    get_str(node, "site.why"));
}

static void
why_print(const json_t *nodes)
{
	const json_t *node, *list;
	size_t i, j;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		list = get_at(node, "why");
		print_line(
		    "%s: %s", get_str(node, "node"), get_str(node, "duty"));
		for (j = 0; j < json_array_size(list); j++)
			print_wrapped("    - ",
			    json_string_value(json_array_get(list, j)));
	}
}
