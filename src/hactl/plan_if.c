/*
 * hactl plan promote --if NODE=dead: what the loss of that host would mean, in
 * one sentence before the plan. The plan itself is always for the loss of the
 * holder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/plan.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define IF_LIMIT (3 * USEC_SEC)
#define IF_DEAD "=dead"

/* The plan is always for that. */
static const char if_follows[] = "What follows is for the loss of ";

/* Caller frees. */
static char *
if_text(const json_t *status, const char *dead, const char *heir)
{
	const json_t *rec = status_newest(status);
	const char *holder = get_str(rec, "holder");
	const json_t *node = status_node(status, dead);

	if (strcmp(dead, heir) == 0)
		return xasprintf("%s does not take over: it is the one that is "
				 "dead",
		    heir);
	if (strcmp(dead, holder) == 0)
		return xasprintf("then nobody writes until another takes over; "
				 "by %s this needs what follows",
		    heir);
	if (get_bool(node, "arbiter"))
		return xasprintf("the register is with it: nobody takes over "
				 "without it, and %s goes on as the primary. "
				 "%s%s",
		    holder, if_follows, holder);
	if (get_in(get_at(rec, "candidates"), dead))
		return xasprintf("%s goes on as the primary when it has taken "
				 "it out of the candidates; nobody takes over. "
				 "%s%s",
		    holder, if_follows, holder);
	if (holder[0] == '\0')
		return xasprintf("nobody takes over");
	return xasprintf("%s goes on as the primary; nobody takes over. %s%s",
	    holder, if_follows, holder);
}

bool
plan_if_itself(const struct call *call)
{
	const char *option = call->opt[OPT_IF], *node = call->arg[0];
	size_t len = strlen(node);

	return strncmp(option, node, len) == 0 &&
	       strcmp(option + len, IF_DEAD) == 0;
}

enum exitcode
plan_if(const struct call *call, char **text)
{
	const char *option = call->opt[OPT_IF];
	size_t len = strcspn(option, "=");
	char name[NODE_NAME_MAX] = "", other[160];
	enum exitcode code;
	json_t *status;

	*text = NULL;
	if (strcmp(option + len, IF_DEAD) != 0 || len == 0 ||
	    len >= sizeof(name)) {
		(void)snprintf(
		    other, sizeof(other), "%.*s" IF_DEAD, (int)len, option);
		print_wrong(
		    "--if takes NODE=dead", verb_again_with(option, other));
		return EXITCODE_USAGE;
	}
	memcpy(name, option, len);
	code = ask_engine(
	    call, ask_request("status"), IF_LIMIT, NULL, NULL, &status);
	if (code == EXITCODE_DONE && status_node(status, name) == NULL) {
		status_no_node(status, name, false);
		code = EXITCODE_USAGE;
	} else if (code == EXITCODE_DONE) {
		*text = if_text(status, name, call->arg[0]);
	}
	json_decref(status);
	return code;
}
