/*
 * hactl checks and hactl drift: how every host is around its database, and the
 * order to bring this one to its role. The engine has asked the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/order_ask.h"
#include "hactl/wrong.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define CHECKS_LIMIT (5 * USEC_SEC)
#define CHECKS_COLUMNS 7
#define CHECKS_ROWS_MAX ((size_t)NODES_MAX * CONF_CHECKS_MAX)
#define DRIFT_COLUMNS 6

static size_t checks_rows(
    const json_t *node, struct print_row *rows, size_t n, size_t max);
static void checks_print(const json_t *nodes);
static void checks_explain(const json_t *nodes);
static void drift_print(const json_t *nodes);
static const json_t *drift_oldest(const json_t *node);
static void drift_row(struct print_row *row, const json_t *node);
static bool drift_explain(const json_t *node);
static const char *drift_first(const json_t *node);
static enum exitcode drift_apply(const struct call *call);
static enum exitcode checks_code(
    const json_t *nodes, bool (*bad)(const json_t *node));
static bool checks_fail(const json_t *node);
static bool drift_differs(const json_t *node);

enum exitcode
cmd_checks(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	code = ask_engine(
	    call, ask_request("status"), CHECKS_LIMIT, NULL, NULL, &answer);
	if (code == EXITCODE_DONE) {
		code = checks_code(get_at(answer, "nodes"), checks_fail);
		if (call->opt[OPT_JSON] != NULL)
			print_json(answer, code);
		else
			checks_print(get_at(answer, "nodes"));
		if (call->opt[OPT_JSON] == NULL)
			print_paused(answer);
	}
	json_decref(answer);
	return code;
}

enum exitcode
cmd_drift(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	if (call->opt[OPT_APPLY] != NULL)
		return drift_apply(call);
	code = ask_engine(
	    call, ask_request("status"), CHECKS_LIMIT, NULL, NULL, &answer);
	if (code == EXITCODE_DONE) {
		code = checks_code(get_at(answer, "nodes"), drift_differs);
		if (call->opt[OPT_JSON] != NULL)
			print_json(answer, code);
		else
			drift_print(get_at(answer, "nodes"));
		if (call->opt[OPT_JSON] == NULL)
			print_paused(answer);
	}
	json_decref(answer);
	return code;
}

static enum exitcode
drift_apply(const struct call *call)
{
	enum exitcode code;

	if (confirm_asks(call))
		print_wrapped("",
		    "What differs on this host from what its role demands is "
		    "changed now: files are written, programs are restarted. "
		    "hactl drift shows what.");
	code = confirm(call, "Change it?");
	if (code != EXITCODE_DONE)
		return code;
	return order_run(call, ask_request("drift-apply"), ORDER_LIMIT);
}

/* What is bad is bad, whoever else is silent. */
static enum exitcode
checks_code(const json_t *nodes, bool (*bad)(const json_t *node))
{
	enum exitcode code = EXITCODE_DONE;
	const json_t *node;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (bad(node))
			return EXITCODE_REFUSED;
		if (get_has(node, "silent") && get_bool(node, "data"))
			code = EXITCODE_NO_ENGINE;
	}
	return code;
}

static bool
checks_fail(const json_t *node)
{
	const json_t *list = get_at(node, "checks");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (strcmp(get_str(json_array_get(list, i), "up"), "no") == 0)
			return true;
	}
	return false;
}

static bool
drift_differs(const json_t *node)
{
	return get_int(node, "drift.count") > 0;
}

static void
checks_print(const json_t *nodes)
{
	static const char *const head[CHECKS_COLUMNS] = { "HOST", "CHECK",
		"TYPE", "STATE", "SINCE", "TOOK", "REASON" };
	struct print_row *rows = xcalloc(CHECKS_ROWS_MAX, sizeof(*rows));
	size_t i, n = 0;

	for (i = 0; i < json_array_size(nodes); i++)
		n = checks_rows(
		    json_array_get(nodes, i), rows, n, CHECKS_ROWS_MAX);
	if (n == 0)
		printf("no host has a check\n");
	else
		print_table(head, CHECKS_COLUMNS, rows, n);
	free(rows);
	checks_explain(nodes);
}

static size_t
checks_rows(const json_t *node, struct print_row *rows, size_t n, size_t max)
{
	const json_t *list = get_at(node, "checks"), *check;
	struct print_row *row;
	const char *up;
	size_t i;

	for (i = 0; i < json_array_size(list) && n < max; i++) {
		check = json_array_get(list, i);
		up = get_str(check, "up");
		row = &rows[n++];
		str_cut(row->cell[0], PRINT_CELL_MAX, get_str(node, "node"));
		str_cut(row->cell[1], PRINT_CELL_MAX, get_str(check, "name"));
		str_cut(row->cell[2], PRINT_CELL_MAX, get_str(check, "type"));
		str_cut(row->cell[3], PRINT_CELL_MAX,
		    strcmp(up, "yes") == 0 ? "up" :
		    strcmp(up, "no") == 0  ? "down" :
					     "unknown");
		print_age(
		    row->cell[4], PRINT_CELL_MAX, get_at(check, "since_ms"));
		str_cut(row->cell[5], PRINT_CELL_MAX, "-");
		if (get_has(check, "seen_ms"))
			(void)snprintf(row->cell[5], PRINT_CELL_MAX,
			    "%lld.%lld ms", get_int(check, "took_us") / 1000,
			    get_int(check, "took_us") % 1000 / 100);
		str_cut(row->cell[6], PRINT_CELL_MAX, get_str(check, "reason"));
		row->colour = strcmp(up, "no") == 0 ? COLOUR_BAD : COLOUR_NONE;
	}
	return n;
}

/* What the tokens mean, once a token; and who said nothing. */
static void
checks_explain(const json_t *nodes)
{
	const json_t *node, *list, *check;
	const char *why, *text, *said[CONF_CHECKS_MAX];
	size_t i, j, k, n = 0;
	char first[64];

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		list = get_at(node, "checks");
		for (j = 0; j < json_array_size(list); j++) {
			check = json_array_get(list, j);
			why = get_str(check, "reason");
			text = wrong_reason(why);
			for (k = 0; k < n && strcmp(said[k], why) != 0; k++)
				continue;
			if (text[0] == '\0' || k < n || n == CONF_CHECKS_MAX ||
			    strcmp(get_str(check, "up"), "yes") == 0)
				continue;
			if (n == 0)
				putchar('\n');
			said[n++] = why;
			(void)snprintf(first, sizeof(first), "%s: ", why);
			print_folded(stdout, first, 8, text);
		}
	}
	print_silent(nodes);
}

static void
drift_print(const json_t *nodes)
{
	static const char *const head[DRIFT_COLUMNS] = { "HOST", "AS", "ITEMS",
		"DIFFER", "LOOKED", "NOW" };
	struct print_row rows[NODES_MAX];
	const json_t *node;
	char next[120] = "";
	const char *name;
	size_t i, n = 0;

	memset(rows, 0, sizeof(rows));
	for (i = 0; i < json_array_size(nodes) && n < NODES_MAX; i++) {
		node = json_array_get(nodes, i);
		if (get_bool(node, "data"))
			drift_row(&rows[n++], node);
	}
	print_table(head, DRIFT_COLUMNS, rows, n);
	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!drift_explain(node))
			continue;
		name = get_str(node, "node");
		if (wrong_supervisord_gone(node))
			wrong_supervisord_next(next, sizeof(next), name);
		else
			(void)snprintf(next, sizeof(next),
			    "ssh %s hactl drift --apply", name);
		if (drift_first(node)[0] != '\0')
			print_wrapped("        ", drift_first(node));
		print_next("  next  ", next);
	}
	print_silent(nodes);
}

/* The age of the look that is the longest ago; NULL: there was none. */
static const json_t *
drift_oldest(const json_t *node)
{
	const json_t *list = get_at(node, "drift.items"), *ms, *oldest = NULL;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		ms = get_at(json_array_get(list, i), "seen_ms");
		if (json_integer_value(ms) >= json_integer_value(oldest) &&
		    json_is_integer(ms))
			oldest = ms;
	}
	return oldest;
}

static void
drift_row(struct print_row *row, const json_t *node)
{
	size_t items = json_array_size(get_at(node, "drift.items"));
	long long count = get_int(node, "drift.count");

	str_cut(row->cell[0], PRINT_CELL_MAX, get_str(node, "node"));
	str_cut(row->cell[1], PRINT_CELL_MAX,
	    get_has(node, "silent") ? "silent" : get_str(node, "site.role"));
	if (get_has(node, "silent")) {
		row->colour = COLOUR_BAD;
		return;
	}
	(void)snprintf(row->cell[2], PRINT_CELL_MAX, "%zu", items);
	print_drift(row->cell[3], PRINT_CELL_MAX, node);
	print_age(row->cell[4], PRINT_CELL_MAX, drift_oldest(node));
	if (get_has(node, "drift.doing"))
		(void)snprintf(row->cell[5], PRINT_CELL_MAX, "changes %s",
		    get_str(node, "drift.doing"));
	if (count > 0)
		row->colour = COLOUR_BAD;
}

/* True when something differs. */
static bool
drift_explain(const json_t *node)
{
	const json_t *list = get_at(node, "drift.items"), *item;
	char first[PRINT_CELL_MAX], text[400];
	bool differs = false;
	const char *holds;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		holds = get_str(item, "holds");
		if (strcmp(holds, "yes") == 0)
			continue;
		if (!differs && strcmp(holds, "no") == 0)
			differs = true;
		(void)snprintf(first, sizeof(first), "%s  %s (%s)  ",
		    get_str(node, "node"), get_str(item, "name"),
		    get_str(item, "type"));
		(void)snprintf(text, sizeof(text), "%s%s%s",
		    strcmp(holds, "no") == 0 ? "differs" : "not known",
		    get_str(item, "reason")[0] == '\0' ? "" : ": ",
		    get_str(item, "reason"));
		if (i == 0 || differs)
			print_coloured(
			    strcmp(holds, "no") == 0 ? COLOUR_BAD : COLOUR_NONE,
			    NULL);
		print_folded(stdout, first, 8, text);
		print_coloured(COLOUR_NONE, NULL);
	}
	return differs;
}

/* What no order brings about as long as a person has not done this. */
static const char *
drift_first(const json_t *node)
{
	const json_t *list = get_at(node, "drift.items"), *item;
	const char *reason;
	size_t i;

	if (wrong_supervisord_gone(node))
		return wrong_supervisord + 2; /* a sentence of its own */
	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		reason = get_str(item, "reason");
		if (strcmp(get_str(item, "holds"), "no") != 0)
			continue;
		if (strcmp(reason, "no line matches") == 0 ||
		    strstr(reason, " lines match instead") != NULL)
			return "mend the file by hand, or match in "
			       "hawatch.conf, first";
	}
	return "";
}
