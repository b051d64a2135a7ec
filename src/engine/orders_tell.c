/*
 * The order to try the commands that tell people: each is run once, and how it
 * ended is said.
 */
#include <stdlib.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "engine/tell.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

/* Of the test that runs; the asker may be gone. */
struct order_tell {
	struct engine *e;
	uint64_t id;
	usec_t since;
	int all, failed;
};

static long long
tell_ms(const struct order_tell *o)
{
	return (clock_now().raw - o->since) / USEC_MSEC;
}

static void
tell_over(struct order_tell *o)
{
	json_t *obj;
	char *text;

	if (o->failed > 0) {
		text = xasprintf("%d of %d commands failed", o->failed, o->all);
		orders_refuse(
		    o->e, o->id, EXITCODE_REFUSED, text, "man 5 hawatch.conf");
	} else {
		text = xasprintf(
		    "told by %d command%s", o->all, o->all == 1 ? "" : "s");
		obj = json_object();
		json_put_i64(obj, "exit", EXITCODE_DONE);
		json_put_string(obj, "done", text);
		json_put_i64(obj, "ms", tell_ms(o));
		orders_reply(o->e, o->id, obj);
	}
	free(text);
	o->e->orders->tell = NULL;
	free(o);
}

static void
tell_result_cb(void *arg, const struct tell_result *res)
{
	struct order_tell *o = arg;
	json_t *obj = json_object();
	char *text = xasprintf("%s: %s", res->name, res->text);

	o->failed += !res->ok;
	json_put_string(obj, "note", text);
	json_put_i64(obj, "ms", tell_ms(o));
	orders_reply(o->e, o->id, obj);
	free(text);
	if (res->left == 0)
		tell_over(o);
}

void
orders_tell(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	struct order_tell *o;

	if (e->conf->notify_count == 0) {
		orders_refuse(e, req->id, EXITCODE_REFUSED,
		    "nobody is told of anything: the configuration has no "
		    "command in notify",
		    "man 5 hawatch.conf");
		return;
	}
	if (e->orders->tell != NULL) {
		orders_refuse(e, req->id, EXITCODE_REFUSED,
		    "such a test runs already", "hactl status");
		return;
	}
	o = xcalloc(1, sizeof(*o));
	o->e = e;
	o->id = req->id;
	o->since = now.raw;
	o->all = e->conf->notify_count;
	e->orders->tell = o;
	orders_taken(e, req->id, "notify-test");
	if (tell_test(e->tell, &now, tell_result_cb, o) == -1)
		abort(); /* only this asks for one */
}
