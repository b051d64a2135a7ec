/*
 * hactl plan promote and switchover: whether and how a node would take over.
 * It changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/plan.h"
#include "hactl/ready.h"
#include "hawatch/json.h"

#define PLAN_LIMIT (5 * USEC_SEC)

static void plan_print_answer(const json_t *answer);

enum exitcode
cmd_plan_promote(const struct call *call)
{
	json_t *request, *answer;
	enum exitcode code;
	char *then = NULL;

	if (call->opt[OPT_IF] != NULL) {
		code = plan_if(call, &then);
		if (code != EXITCODE_DONE)
			return code;
	}
	request = ask_request("plan");
	json_put_string(request, "node", call->arg[0]);
	code = ask_engine(call, request, PLAN_LIMIT, NULL, NULL, &answer);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		if (then != NULL)
			json_put_string(answer, "if", then);
		print_json(answer, code);
	} else if (code == EXITCODE_DONE) {
		if (then != NULL) {
			print_line("If %s: %s.", call->opt[OPT_IF], then);
			putchar('\n');
		}
		if (then == NULL || !plan_if_itself(call))
			plan_print_answer(answer);
	}
	json_decref(answer);
	free(then);
	return code;
}

enum exitcode
cmd_plan_switchover(const struct call *call)
{
	json_t *request = ask_request("plan"), *answer;
	enum exitcode code;

	json_put_string(request, "node", call->arg[0]);
	code = ask_engine(call, request, PLAN_LIMIT, NULL, NULL, &answer);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		print_json(answer, code);
	} else if (code == EXITCODE_DONE) {
		print_paused(answer);
		printf("On the primary: each step ends when its goal is "
		       "observed\n");
		plan_print_rows(answer, "switchover", false);
		putchar('\n');
		print_line("Then on %s, beside what was seen there just now",
		    get_str(answer, "node.node"));
		plan_print_rows(answer, "takeover", true);
	}
	json_decref(answer);
	return code;
}

/* Nothing but the holder's lease stands against it. */
static void
plan_when(const json_t *node, char *text, size_t size)
{
	char ms[32];

	print_ms(ms, sizeof(ms), get_int(node, "claim.in_ms"));
	if (ready_by_person(node) && plan_ready(node))
		ready_person_text(text, size, get_str(node, "node"),
		    get_str(node, "record.holder"));
	else if (!plan_ready(node))
		(void)snprintf(text, size,
		    "not by itself, even after the holder's lease, which runs "
		    "for %s at least: see below",
		    ms);
	else if (get_bool(node, "shoot.agents") &&
		 !get_bool(node, "shoot.lease_suffices"))
		(void)snprintf(text, size,
		    "yes, once fence agents have seen the holder's host off: "
		    "the end of its lease is not enough");
	else
		(void)snprintf(text, size,
		    "yes, once the holder's lease has run out: if it is lost "
		    "now, in %s at the earliest%s",
		    ms,
		    get_bool(node, "shoot.agents") ?
			", or once fence agents have seen its host off" :
			"");
}

static void
plan_print_answer(const json_t *answer)
{
	const json_t *node = get_at(answer, "node");
	const char *block = get_str(node, "claim.block");
	bool primary = strcmp(get_str(node, "role"), "primary") == 0;
	char text[400], first[NODE_NAME_MAX + 16];

	if (primary)
		(void)snprintf(text, sizeof(text), "it is the primary");
	else if (block[0] == '\0')
		(void)snprintf(
		    text, sizeof(text), "yes: nothing stands against it now");
	else if (!get_bool(node, "register.read"))
		(void)snprintf(text, sizeof(text),
		    "not now: the register does not answer, and without it "
		    "nobody takes over");
	else if (strcmp(block, "lease-runs") == 0 ||
		 strcmp(block, "promised") == 0)
		plan_when(node, text, sizeof(text));
	else
		(void)snprintf(text, sizeof(text), "not now: %s: %s", block,
		    get_str(node, "claim.text"));
	(void)snprintf(
	    first, sizeof(first), "Takeover by %s: ", get_str(node, "node"));
	print_wrapped(first, text);
	print_paused(answer);
	if (primary)
		return;
	printf("\nWhat must hold, and what was seen there just now\n");
	plan_conditions(node);
	printf("\nThe steps: each ends when its goal is observed\n");
	plan_print_rows(answer, "takeover", true);
}

void
plan_print_rows(const json_t *answer, const char *plan, bool seen)
{
	const json_t *rows = get_at(answer, "rows"), *row;
	size_t i;
	int number = 0;

	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		if (strcmp(get_str(row, "plan"), plan) != 0)
			continue;
		plan_step(++number, get_bool(row, "forward"),
		    get_str(row, "row"), get_int(row, "limit_ms") * USEC_MSEC,
		    get_str(row, "late"), get_str(row, "goal"));
		if (seen)
			plan_seen(answer, get_str(row, "row"));
		else
			plan_seen_handover(answer, get_str(row, "row"));
	}
	printf("!  past the point of no return: only forward\n");
}
