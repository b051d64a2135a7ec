/*
 * From the front to the control socket: a request of an operator. The front
 * vouches for the certificate; who that is, and what he may, is looked up
 * here.
 */
#include "engine/remote.h"

#include <string.h>

#include "engine/control.h"
#include "hawatch/frontlink.h"

static void
remote_line(void *arg, uint64_t request, const char *json, bool last)
{
	struct engine *e = arg;

	frontlink_line(e->front, request, json, last);
}

bool
remote_request(struct engine *e, const struct front_request *req)
{
	const struct conf_operator *who = conf_operator(e->conf, req->peer);
	struct control_asked asked = { .name = req->peer,
		.request = req->id,
		.line = remote_line,
		.arg = e };

	if (strcmp(req->path, REMOTE_PATH) != 0)
		return false;
	if (who == NULL)
		return false; /* refused like any stranger */
	asked.may_order = who->role == OPERATOR_OPERATE;
	control_remote(e->control, &asked, req->body, req->len);
	return true;
}
