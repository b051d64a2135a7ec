/*
 * The orders of maintenance: a pause of failover and its end, which only the
 * holder writes, and a host that is stopped for good. Who orders is what
 * hactl's user is called there, and the uid that the socket proves; or the
 * operator whom a certificate proves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

static void
pause_by(
    struct engine *e, const struct order_request *req, char *buf, size_t size)
{
	const char *operator;
	uid_t uid = 0;
	pid_t pid = 0;
	bool may, known = control_asker(e->control, req->id, &uid, &pid);

	operator= control_operator(e->control, req->id, &may);
	if (operator!= NULL)
		(void)snprintf(buf, size, "operator %s", operator);
	else if (known && req->by[0] != '\0')
		(void)snprintf(
		    buf, size, "%s (uid %lu)", req->by, (unsigned long)uid);
	else if (known)
		(void)snprintf(buf, size, "uid %lu", (unsigned long)uid);
	else
		(void)snprintf(
		    buf, size, "%s", req->by[0] == '\0' ? "somebody" : req->by);
}

/* True when the record is not this node's to write: the asker was told. */
static bool
pause_elsewhere(
    struct engine *e, const struct order_request *req, const char *command)
{
	const struct now now = clock_now();
	struct core_status st;

	core_status(e->core, &now, &st);
	if (st.rel == REL_HELD)
		return false;
	if (st.rec.state == REC_NONE || st.rec.holder == NODE_NONE)
		orders_refuse(e, req->id, EXITCODE_REFUSED,
		    "there is no holder who could write it",
		    st.rec.state == REC_NONE ? "hactl init --holder NODE" :
					       "hactl status");
	else if (st.rec.holder == e->conf->self)
		orders_refuse(e, req->id, EXITCODE_REFUSED,
		    "this node is taking the record over, or has given it "
		    "back: again when there is a primary",
		    "hactl status");
	else
		orders_refuse_holder(e, req->id, st.rec.holder,
		    "holds the cluster, and only the holder writes this",
		    command);
	return true;
}

char *
orders_pause_command(const struct order_request *req)
{
	return xasprintf("'hactl pause --for %llds \"%s\"'",
	    (long long)(req->pause_for / USEC_SEC),
	    strpbrk(req->why, "'\"`$\\") == NULL ? req->why : "WHY");
}

/* False: the asker was told. */
static bool
pause_here(struct engine *e, const struct order_request *req)
{
	char *command;
	bool elsewhere;

	if (req->why[0] == '\0' || req->pause_for == 0) {
		orders_refuse(e, req->id, EXITCODE_USAGE,
		    "for how long, or why, is missing",
		    "hactl pause --for 30m \"WHY\"");
		return false;
	}
	command = orders_pause_command(req);
	elsewhere = pause_elsewhere(e, req, command);
	free(command);
	return !elsewhere;
}

void
orders_pause_may(struct engine *e, const struct order_request *req)
{
	if (pause_here(e, req))
		orders_look_over(e, req->id, NULL);
}

void
orders_pause(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	char by[ORDER_WHY_MAX];
	const char *refused;

	if (!pause_here(e, req))
		return;
	pause_by(e, req, by, sizeof(by));
	refused = core_order_pause(
	    e->core, &now, now.wall + req->pause_for, req->why, by);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken_why(e, req->id, "pause", req->why);
	orders_wait(e, req->id, LONG_PAUSE, NODE_NONE);
}

void
orders_resume(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	const char *refused;

	if (pause_elsewhere(e, req, "hactl resume"))
		return;
	refused = core_order_resume(e->core, &now);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken(e, req->id, "resume");
	orders_wait(e, req->id, LONG_RESUME, NODE_NONE);
}

void
orders_fence(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	char by[ORDER_WHY_MAX], *why;
	const char *refused;

	if (req->why[0] == '\0') {
		orders_refuse(e, req->id, EXITCODE_USAGE, "why is missing",
		    "hactl fence \"WHY\"");
		return;
	}
	pause_by(e, req, by, sizeof(by));
	why = xasprintf("fenced by %s: %s", by, req->why);
	refused = core_order_fence(e->core, &now, why);
	free(why);
	if (refused != NULL) {
		orders_refuse_core(e, req->id, refused);
		return;
	}
	orders_taken_why(e, req->id, "fence", req->why);
	orders_wait(e, req->id, LONG_FENCE, NODE_NONE);
}
