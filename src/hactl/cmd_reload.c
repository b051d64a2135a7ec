/*
 * hactl reload and hactl config diff: a new configuration on all hosts, and how
 * those that run differ. The engines read, validate and compare; this shows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/way.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define RELOAD_LIMIT (20 * USEC_SEC)
#define DIFF_LIMIT (5 * USEC_SEC)

static bool
reload_same(const json_t *a, const json_t *b)
{
	return json_equal(get_at(a, "changes"), get_at(b, "changes")) != 0;
}

/* The first host before this one that has the very same changes. */
static const json_t *
reload_twin(const json_t *nodes, size_t n)
{
	const json_t *node = json_array_get(nodes, n), *other;
	size_t i;

	for (i = 0; i < n; i++) {
		other = json_array_get(nodes, i);
		if (json_array_size(get_at(other, "changes")) > 0 &&
		    reload_same(node, other))
			return other;
	}
	return NULL;
}

static void
reload_changes(const json_t *nodes, size_t n)
{
	const json_t *node = json_array_get(nodes, n), *list, *c;
	const json_t *twin = reload_twin(nodes, n);
	const char *name = get_str(node, "node");
	char first[PRINT_CELL_MAX], text[400];
	size_t i;

	list = get_at(node, "changes");
	if (json_array_size(list) == 0) {
		print_line("%s: nothing differs from what runs", name);
		return;
	}
	if (twin != NULL) {
		print_line(
		    "%s: the same as on %s", name, get_str(twin, "node"));
		return;
	}
	print_line("%s:", name);
	for (i = 0; i < json_array_size(list); i++) {
		c = json_array_get(list, i);
		(void)snprintf(
		    first, sizeof(first), "  %-32.60s ", get_str(c, "key"));
		(void)snprintf(text, sizeof(text), "%s -> %s%s",
		    get_str(c, "old"), get_str(c, "new"),
		    get_bool(c, "live")	  ? "" :
		    get_bool(c, "safety") ? " (not while it runs; matters for "
					    "safety)" :
					    " (not while it runs)");
		print_folded(stdout, first, 8, text);
	}
}

static void
reload_errors(const json_t *node)
{
	const json_t *list = get_at(node, "errors");
	char first[PRINT_CELL_MAX];
	size_t i;

	(void)snprintf(first, sizeof(first), "%s  ", get_str(node, "node"));
	for (i = 0; i < json_array_size(list); i++)
		print_folded(stderr, first, 8,
		    json_string_value(json_array_get(list, i)));
}

static void
reload_print(const json_t *nodes)
{
	const json_t *node;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_has(node, "silent"))
			print_line(
			    "%s: does not answer (%s): it reads its file "
			    "when it starts",
			    get_str(node, "node"), get_str(node, "silent"));
		else if (get_has(node, "errors"))
			reload_errors(node);
		else
			reload_changes(nodes, i);
		/* The last line of all names one of these, the first. */
		if (get_has(node, "refused") && !get_has(node, "errors"))
			print_line("%s refuses: %s", get_str(node, "node"),
			    get_str(node, "refused"));
	}
}

/* Who took it over, once it was begun. */
static void
reload_done(const json_t *nodes)
{
	const json_t *node;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_bool(node, "applied"))
			print_line(
			    "%s: runs by the new file", get_str(node, "node"));
		else if (get_has(node, "refused"))
			print_line("%s: goes on by the old one",
			    get_str(node, "node"));
		else if (get_has(node, "silent"))
			print_line(
			    "%s: does not answer", get_str(node, "node"));
	}
}

static bool
reload_differs(const json_t *answer)
{
	return get_str(answer, "seen")[0] != '\0';
}

/* From this host's to those: one command, to be copied. Caller frees. */
static char *
reload_copies(const json_t *names, const char *path, const char *self)
{
	char *next = xstrdup(""), *longer;
	size_t i;

	for (i = 0; i < json_array_size(names); i++) {
		longer = xasprintf("%sscp %s%s%s %s:%s && ", next, self,
		    self[0] == '\0' ? "" : ":", path,
		    json_string_value(json_array_get(names, i)), path);
		free(next);
		next = longer;
	}
	longer = xasprintf("%s%s", next, next_command("hactl reload"));
	free(next);
	return longer;
}

/* Each reads its own file, and nobody but a person knows which one is right. */
static void
reload_differ(const struct call *call, const json_t *answer, const char *when)
{
	char names[300], *text, *next;

	get_list(answer, "differ", names, sizeof(names));
	text = xasprintf("%s the hosts run by different files: %s not by that "
			 "of %s; if that one is right, copy it",
	    when, names, get_str(answer, "self"));
	next = reload_copies(get_at(answer, "differ"), get_str(answer, "path"),
	    remote_meant(call) ? get_str(answer, "self") : "");
	print_wrong(text, next);
	free(text);
	free(next);
}

/* What is to be copied before, as from the machine that asks: an engine says it
 * as from its host. */
static void
reload_from_here(const struct call *call, const json_t *answer)
{
	char *next;

	if (!get_has(answer, "copy") || !remote_meant(call))
		return;
	next = reload_copies(get_at(answer, "copy.to"), get_str(answer, "path"),
	    get_str(answer, "copy.from"));
	print_wrong(get_str(answer, "refused"), next);
	free(next);
}

/* What is refused ends with what comes next, after all else. */
static enum exitcode
reload_ask(const struct call *call, json_t *request,
    void (*print)(const json_t *nodes), json_t **answer)
{
	enum exitcode code;

	print_hold(true);
	code = ask_engine(call, request, RELOAD_LIMIT, NULL, NULL, answer);
	reload_from_here(call, *answer);
	print_hold(false);
	if (*answer != NULL && call->opt[OPT_JSON] == NULL)
		print(get_at(*answer, "nodes"));
	print_held();
	return code;
}

/* Nothing was refused, and nothing is asked: where that leads. */
static void
reload_only(const struct call *call, const json_t *answer)
{
	if (json_array_size(get_at(answer, "differ")) > 0)
		reload_differ(call, answer,
		    reload_differs(answer) ? "after this" : "even so");
	else if (!reload_differs(answer))
		print_line("Nothing is left to do.");
	else if (call->opt[OPT_DRY_RUN] != NULL)
		print_next("next:  ", next_command("hactl reload"));
}

enum exitcode
cmd_reload(const struct call *call)
{
	bool json = call->opt[OPT_JSON] != NULL;
	enum exitcode code;
	json_t *answer, *request;

	code = reload_ask(call, ask_request("reload"), reload_print, &answer);
	if (code == EXITCODE_DONE && !json)
		reload_only(call, answer);
	if (code != EXITCODE_DONE || !reload_differs(answer) ||
	    call->opt[OPT_DRY_RUN] != NULL) {
		if (answer != NULL && json)
			print_json(answer, code);
		json_decref(answer);
		return code;
	}
	code = confirm(call, "Take it over?");
	if (code == EXITCODE_DONE) {
		request = ask_request("reload");
		json_put_bool(request, "apply", true);
		json_put_string(request, "seen", get_str(answer, "seen"));
		json_decref(answer);
		code = reload_ask(call, request, reload_done, &answer);
		if (answer != NULL && json)
			print_json(answer, code);
	}
	json_decref(answer);
	return code;
}

static void
diff_node(const json_t *node)
{
	const json_t *list = get_at(node, "keys"), *k;
	char first[PRINT_CELL_MAX], text[400];
	size_t i;

	if (get_has(node, "silent")) {
		print_line("%s: does not answer (%s)", get_str(node, "node"),
		    get_str(node, "silent"));
		return;
	}
	print_line("%s: %s", get_str(node, "node"),
	    json_array_size(list) == 0 ? "the same as here" : "differs");
	for (i = 0; i < json_array_size(list); i++) {
		k = json_array_get(list, i);
		(void)snprintf(
		    first, sizeof(first), "  %-32.60s ", get_str(k, "key"));
		(void)snprintf(text, sizeof(text), "here %s, there %s%s",
		    get_str(k, "here"), get_str(k, "there"),
		    get_bool(k, "safety") ? "; matters for safety" : "");
		print_folded(stdout, first, 8, text);
	}
}

/* To those that differ; caller frees. */
static char *
diff_next(const struct call *call, const json_t *answer)
{
	const json_t *nodes = get_at(answer, "nodes"), *node;
	json_t *names = json_array();
	char *next;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (json_array_size(get_at(node, "keys")) > 0)
			json_array_append_new(
			    names, json_string(get_str(node, "node")));
	}
	next = reload_copies(names, get_str(answer, "path"),
	    remote_meant(call) ? get_str(answer, "self") : "");
	json_decref(names);
	return next;
}

enum exitcode
cmd_config_diff(const struct call *call)
{
	const json_t *nodes, *node;
	enum exitcode code;
	json_t *answer;
	char *next;
	size_t i;

	code = ask_engine(
	    call, ask_request("config-diff"), DIFF_LIMIT, NULL, NULL, &answer);
	nodes = get_at(answer, "nodes");
	if (answer != NULL && call->opt[OPT_JSON] != NULL)
		print_json(answer, code);
	for (i = 0; call->opt[OPT_JSON] == NULL && i < json_array_size(nodes);
	     i++)
		diff_node(json_array_get(nodes, i));
	if (code == EXITCODE_REFUSED && nodes != NULL &&
	    call->opt[OPT_JSON] == NULL) {
		next = diff_next(call, answer);
		print_wrong("the hosts do not run by one configuration: copy "
			    "one file to all of them, this host's if it is "
			    "right, and take it over",
		    next);
		free(next);
	}
	for (i = 0; code == EXITCODE_DONE && i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_has(node, "silent"))
			code = EXITCODE_NO_ENGINE;
	}
	json_decref(answer);
	return code;
}
