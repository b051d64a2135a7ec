/*
 * An order that came to a witness, which has no PostgreSQL: the command with
 * which it goes to the host that can carry it out, as far as the register that
 * is served here tells.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_server.h"
#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/mem.h"

static node_t
witness_holder(const struct engine *e)
{
	const struct record *rec;

	if (e->arbiter == NULL)
		return NODE_NONE;
	rec = arbiter_server_record(e->arbiter);
	return rec->state == REC_NONE ? NODE_NONE : rec->holder;
}

/* The words behind ssh and the host; NULL: not one host's alone. */
static char *
witness_command(
    const struct engine *e, const char *verb, const struct order_request *req)
{
	const char *name =
	    req->node == NODE_NONE ? "" : e->conf->names.node[req->node];

	if (strcmp(verb, "pause") == 0 && req->pause_for != 0)
		return orders_pause_command(req);
	if (strcmp(verb, "init") == 0)
		return xasprintf("hactl init --holder %s", name);
	if (strcmp(verb, "promote") == 0)
		return xasprintf("hactl promote %s", name);
	if (strcmp(verb, "switchover") == 0)
		return xasprintf(
		    "hactl switchover%s%s", name[0] == '\0' ? "" : " ", name);
	if (strcmp(verb, "resume") == 0 || strcmp(verb, "ack") == 0)
		return xasprintf("hactl %s", verb);
	return NULL;
}

char *
orders_witness_next(
    const struct engine *e, const char *verb, const struct order_request *req)
{
	bool named = strcmp(verb, "init") == 0 || strcmp(verb, "promote") == 0;
	node_t where = named ? req->node : witness_holder(e);
	char *command = NULL, *next;

	if (where != NODE_NONE && e->conf->node[where].role == ROLE_DATA)
		command = witness_command(e, verb, req);
	if (command == NULL)
		return xstrdup("hactl status");
	next = xasprintf("ssh %s %s", e->conf->names.node[where], command);
	free(command);
	return next;
}
