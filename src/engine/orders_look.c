/*
 * Before a person is asked whether an order is meant: would it be refused as
 * things stand? Nothing is changed; what comes of the order later is looked at
 * again when it is given.
 */
#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/instance.h"
#include "hawatch/json.h"

#include <string.h>

void
orders_look_over(struct engine *e, uint64_t id, const char *refused)
{
	json_t *obj;

	if (refused != NULL) {
		orders_refuse_core(e, id, refused);
		return;
	}
	obj = json_object();
	json_put_i64(obj, "exit", EXITCODE_DONE);
	orders_reply(e, id, obj);
}

/* Whoever else promotes has to go first: its cluster is not to be this one's,
 * and clients would be shut out until it is gone. */
bool
orders_may_init(struct engine *e, uint64_t id)
{
	const char *refused = core_may_init(e->core);
	struct error err = { 0 };

	if (refused != NULL)
		orders_refuse_core(e, id, refused);
	else if (instance_repmgrd(e->conf->pg.data_directory, &err) == ANS_NO)
		orders_refuse(e, id, EXITCODE_REFUSED, err.msg,
		    "systemctl disable --now repmgrd");
	else
		return true;
	return false;
}

void
orders_look(struct engine *e, const char *verb, const struct order_request *req)
{
	if (strcmp(verb, "switchover") == 0 ||
	    (strcmp(verb, "promote") == 0 && !req->is_fenced &&
		orders_switchover_meant(e, req->node)))
		orders_switchover_may(e, req->id, req->node);
	else if (strcmp(verb, "pause") == 0)
		orders_pause_may(e, req);
	else if (strcmp(verb, "promote") == 0) {
		if (orders_is_here(e, req, "promote", ""))
			orders_promote_look(
			    e, req->id, req->is_fenced ? req->fenced : NULL);
	} else if (strcmp(verb, "init") == 0) {
		if (orders_is_here(e, req, "init", "--holder ") &&
		    orders_may_init(e, req->id))
			orders_look_over(e, req->id, NULL);
	} else if (strcmp(verb, "unfence") == 0)
		orders_look_over(e, req->id, core_may_unfence(e->core));
	else
		orders_look_over(e, req->id, NULL);
}
