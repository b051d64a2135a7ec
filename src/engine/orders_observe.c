/*
 * Orders in mode observe. Those that would touch anything, here or in the
 * register, are not carried out: what they would have done goes to where all
 * that this mode would have done is kept, and that can be asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/observe.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

/* Absent is what only looks, and what says so itself. */
static const struct observed_row {
	const char *verb, *would;
} observed_rows[] = {
	{ "promote",
	    "this host's PostgreSQL would have become the primary, once it was "
	    "proved that the old one is closed" },
	{ "switchover",
	    "voters would have been sent elsewhere, PostgreSQL here ended, and "
	    "the other one promoted as soon as it had all of it" },
	{ "init",
	    "the first record would have been written, with this host as its "
	    "holder" },
	{ "register-adopt",
	    "what the register holds would have been taken for right" },
	{ "pause",
	    "the record would have listed nobody who may take over, until the "
	    "pause ends" },
	{ "resume",
	    "each standby would have become a candidate again, once it has all "
	    "that was written" },
	{ "fence",
	    "PostgreSQL here would have been closed to clients, stopped, and "
	    "kept stopped" },
	{ "unfence", "this host's latch would have been cleared" },
	{ "rejoin",
	    "what only this data has would have been saved, and the data made "
	    "the primary's again" },
	{ "ack", "the next failover by itself would not have had to wait" },
};

bool
orders_observed(
    struct engine *e, const char *verb, const struct order_request *req)
{
	const char *would = NULL;
	const struct now now = clock_now();
	char *text;
	size_t i;

	if (e->conf->mode != MODE_OBSERVE)
		return false;
	for (i = 0; i < sizeof(observed_rows) / sizeof(*observed_rows); i++)
		if (strcmp(observed_rows[i].verb, verb) == 0)
			would = observed_rows[i].would;
	if (would == NULL)
		return false;
	text = xasprintf("by hactl %s%s%s: %s",
	    strcmp(verb, "register-adopt") == 0 ? "register adopt" : verb,
	    req->node == NODE_NONE ? "" : " ",
	    req->node == NODE_NONE ? "" : e->conf->names.node[req->node],
	    would);
	observe_note(e->observe, &now, text);
	free(text);
	orders_refuse(e, req->id, EXITCODE_REFUSED,
	    "the mode is observe: this is noted, and not done; for that, set "
	    "mode = \"manual\" or \"auto\" and restart hawatchd",
	    e->observe == NULL ? "hactl status" : "hactl report --would");
	return true;
}

void
orders_would(struct engine *e, const struct order_request *req)
{
	json_t *obj;

	if (e->observe == NULL) {
		orders_no(e, req->id, EXITCODE_REFUSED,
		    "this host does what it would: only mode observe looks on",
		    "hactl status");
		return;
	}
	obj = json_object();
	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put(obj, "would", observe_json(e->observe));
	orders_reply(e, req->id, obj);
}
