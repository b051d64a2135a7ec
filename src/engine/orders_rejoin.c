/*
 * The order to make this host's data the primary's again, and the question
 * whether it would be refused.
 */
#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/json.h"

void
orders_rejoin(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	const char *refused;

	refused = core_order_rejoin(e->core, &now, req->clone);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken(e, req->id, "rejoin");
	orders_wait(e, req->id, LONG_REJOIN, NODE_NONE);
}

/* Before a person is asked. In mode observe all is noted that is ordered. */
void
orders_rejoin_may(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	const char *refused = NULL;
	json_t *obj;

	if (e->conf->mode != MODE_OBSERVE)
		refused = core_may_order_rejoin(e->core, &now, req->clone);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	obj = json_object();
	json_put_i64(obj, "exit", EXITCODE_DONE);
	orders_reply(e, req->id, obj);
}
