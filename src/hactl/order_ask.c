/*
 * Before a person is asked whether an order is meant: would it be refused as
 * things stand, what does it mean, and which steps would run. Nothing is
 * changed here, and where nobody is asked none of it is done.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/order_ask.h"
#include "hawatch/core.h"
#include "hawatch/json.h"

#define ASK_STATUS (3 * USEC_SEC)
#define ASK_LOOK (30 * USEC_SEC) /* nothing runs that could take longer */

/* What would be refused need not be asked for. An engine that cannot tell says
 * so when the order is given. */
static enum exitcode
order_look(const struct call *call, const json_t *request)
{
	json_t *asks = json_deep_copy(request), *last;
	enum exitcode code;

	json_put_bool(asks, "look", true);
	print_hold(true);
	code = ask_engine(call, asks, ASK_LOOK, NULL, NULL, &last);
	print_hold(false);
	if (last == NULL || strstr(get_str(last, "refused"), "look") != NULL)
		code = EXITCODE_DONE;
	if (code != EXITCODE_DONE)
		print_wrong(get_str(last, "refused"),
		    next_kept(call, get_str(last, "next")));
	json_decref(last);
	return code;
}

json_t *
order_status(const struct call *call)
{
	json_t *status;

	if (!confirm_asks(call))
		return NULL;
	print_hold(true);
	if (ask_engine(call, ask_request("status"), ASK_STATUS, NULL, NULL,
		&status) != EXITCODE_DONE) {
		json_decref(status);
		status = NULL;
	}
	print_hold(false);
	return status;
}

const char *
order_promote_plan(const struct call *call)
{
	const char *plan = NULL;
	json_t *status = order_status(call);

	if (status == NULL)
		return NULL;
	if (strcmp(get_str(status, "self"), call->arg[0]) != 0)
		plan = "switchover";
	else if (strcmp(get_str(status_newest(status), "holder"),
		     call->arg[0]) != 0)
		plan = "takeover";
	json_decref(status);
	return plan;
}

void
order_print_steps(const char *plan)
{
	const struct plan_doc *rows;
	size_t i, n = core_plan_doc(&rows);
	char first[32];

	for (i = 0; i < n; i++) {
		if (strcmp(rows[i].plan, plan) != 0)
			continue;
		(void)snprintf(first, sizeof(first), " %c %-10s ",
		    rows[i].forward ? '!' : ' ', rows[i].row);
		print_wrapped(first, rows[i].goal);
	}
	printf(" ! past the point of no return: only forward\n");
}

/* The other host's part, whose goals hactl plan switchover shows. */
static void
order_print_then(void)
{
	const struct plan_doc *rows;
	size_t i, n = core_plan_doc(&rows), len = 0;
	char text[400];

	for (i = 0; i < n && len < sizeof(text); i++) {
		if (strcmp(rows[i].plan, "takeover") == 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s%s", len == 0 ? "" : ", ", rows[i].row);
	}
	print_wrapped("   and there  ", text);
}

enum exitcode
order_confirm(const struct call *call, const struct order_ask *ask)
{
	enum exitcode code = EXITCODE_DONE;

	if (call->opt[OPT_YES] != NULL)
		return EXITCODE_DONE;
	/* Whoever has nobody to ask is not told to say yes to it, either. */
	if (ask->request != NULL)
		code = order_look(call, ask->request);
	if (code != EXITCODE_DONE)
		return code;
	if (!confirm_asks(call))
		return confirm(call, ask->question);
	print_wrapped("", ask->what);
	if (ask->plan != NULL) {
		printf("The steps: each ends when its goal is observed\n");
		order_print_steps(ask->plan);
		if (strcmp(ask->plan, "switchover") == 0)
			order_print_then();
	}
	return confirm(call, ask->question);
}
