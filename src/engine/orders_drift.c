/*
 * The order to bring this host to its role now: by hand, between changes of
 * role, when nothing is changed by itself. It is for this host alone, shows
 * each item as it happens, and gives way to a plan, which does the same.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/orderlimit.h"
#include "hawatch/str.h"

#define DRIFT_LIMIT (280 * USEC_SEC)
#define DRIFT_LOOK (20 * USEC_MSEC)

_Static_assert(
    DRIFT_LIMIT <= ORDER_WATCH_MAX, "hactl must not give up before the engine");

/* One at a time; the asker may be gone, the run goes on. */
struct order_drift {
	uint64_t id;
	node_t primary;
	uint64_t epoch;
	usec_t since;
	bool ended;
	enum answer ans;
	char reason[160];
	struct drift_item {
		bool amiss;   /* seen not to hold */
		bool retried; /* it was said why */
		usec_t began; /* raw, first seen under way; 0 never */
		usec_t changed_at;
	} item[CONF_ITEMS_MAX];
};

/* A plan that brings this host to its role, or hinders it. When it verifies,
 * what could be brought about has been, and nobody need wait for its end. */
static bool
drift_plan(const struct core_status *st)
{
	return st->plan != NULL && strcmp(st->row, "verify") != 0 &&
	       strcmp(st->row, "announce") != 0;
}

/* Why not; NULL: it may. */
static const char *
drift_refusal(
    const struct engine *e, const struct core_status *st, const char **next)
{
	*next = "hactl status";
	if (e->conf->mode == MODE_OBSERVE) {
		*next = "systemctl restart hawatchd";
		return "mode observe: nothing is ever changed; set mode = "
		       "\"manual\" or \"auto\" in hawatch.conf first";
	}
	if (st->site.primary == NODE_NONE)
		return "it is not known where the primary is, so neither what "
		       "this host should be";
	if (drift_plan(st)) {
		*next = "hactl status";
		return "a plan runs, which brings this host to its role by "
		       "itself";
	}
	if (st->site.converging || e->orders->drift != NULL) {
		*next = "hactl drift";
		return "this host is being brought to its role already";
	}
	return NULL;
}

static void
drift_say(struct engine *e, const struct order_drift *d, const char *name,
    const char *what, const struct now *now)
{
	json_t *obj = json_object();

	json_put_string(obj, "step", name);
	json_put_string(obj, "goal", what);
	json_put_i64(obj, "ms", (now->raw - d->since) / USEC_MSEC);
	orders_reply(e, d->id, obj);
}

/* What took so long, and ended at that time. */
static void
drift_took(struct engine *e, const struct order_drift *d,
    const struct drift_item *item, const struct converge_state *cs,
    usec_t ended, const struct now *now)
{
	usec_t ms = item->began == 0 ? 0 : (ended - item->began) / USEC_MSEC;
	bool done = cs->holds == ANS_YES;
	char *text;

	if (ms > 0)
		text = xasprintf("%s after %lld.%03lld s%s%s",
		    done ? "done" : "gave up", (long long)(ms / 1000),
		    (long long)(ms % 1000), cs->reason[0] == '\0' ? "" : ": ",
		    cs->reason);
	else
		text = xasprintf("%s%s%s", done ? "done" : "gave up",
		    cs->reason[0] == '\0' ? "" : ": ", cs->reason);
	drift_say(e, d, cs->name, text, now);
	free(text);
}

/* What holds already is not spoken of, and of tries in vain the first. */
static void
drift_tell_item(struct engine *e, struct order_drift *d,
    struct drift_item *item, const struct converge_state *cs, bool doing,
    const struct now *now)
{
	char *text;

	if (doing && item->began == 0) {
		item->began = now->raw;
		if (cs->holds == ANS_NO)
			drift_say(e, d, cs->name, "begun", now);
	}
	if (cs->holds == ANS_YES) {
		if (item->amiss || cs->changed_at != item->changed_at)
			drift_took(e, d, item, cs, cs->seen_at, now);
		item->changed_at = cs->changed_at;
		item->amiss = false;
	} else if (cs->holds == ANS_NO) {
		item->amiss = true;
		if (d->ended) {
			drift_took(e, d, item, cs, cs->seen_at, now);
		} else if (!item->retried && cs->seen_at > d->since) {
			item->retried = true;
			text =
			    xasprintf("failed, is tried again: %s", cs->reason);
			drift_say(e, d, cs->name, text, now);
			free(text);
		}
	}
}

/* What has changed since the last look. */
static void
drift_tell(struct engine *e, struct order_drift *d, const struct now *now)
{
	int i, n = converge_count(e->converge);
	struct converge_state cs;
	const char *doing;
	usec_t since;

	doing = converge_doing(e->converge, &since);
	for (i = 0; i < n && i < CONF_ITEMS_MAX; i++) {
		converge_state(e->converge, i, &cs);
		drift_tell_item(e, d, &d->item[i], &cs,
		    doing != NULL && strcmp(doing, cs.name) == 0, now);
	}
}

static void
drift_done_cb(void *arg, enum answer ans, const char *reason)
{
	struct engine *e = arg;
	struct order_drift *d = e->orders == NULL ? NULL : e->orders->drift;

	if (d == NULL)
		return;
	d->ended = true;
	d->ans = ans;
	str_cut(d->reason, sizeof(d->reason), reason == NULL ? "" : reason);
	orders_wake_by(e, 0);
}

static void
drift_reply_done(struct engine *e, uint64_t id, const char *text, usec_t took)
{
	json_t *obj = json_object();

	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_string(obj, "done", text);
	json_put_i64(obj, "ms", took / USEC_MSEC);
	orders_reply(e, id, obj);
}

void
orders_drift(struct engine *e, const struct order_request *req)
{
	const struct now now = clock_now();
	int i, n = converge_count(e->converge);
	struct converge_state cs;
	struct core_status st;
	struct order_drift *d;
	const char *why, *next;

	core_status(e->core, &now, &st);
	why = drift_refusal(e, &st, &next);
	if (why != NULL) {
		orders_refuse(e, req->id, EXITCODE_REFUSED, why, next);
		return;
	}
	if (n == 0) {
		drift_reply_done(e, req->id,
		    "the configuration has no items for this host", 0);
		return;
	}
	orders_taken(e, req->id, "drift-apply");
	d = xcalloc(1, sizeof(*d));
	d->id = req->id;
	d->since = now.raw;
	d->primary = st.site.primary;
	d->epoch = st.rec.epoch;
	for (i = 0; i < n && i < CONF_ITEMS_MAX; i++) {
		converge_state(e->converge, i, &cs);
		d->item[i].amiss = cs.holds == ANS_NO;
		d->item[i].changed_at = cs.changed_at;
	}
	e->orders->drift = d;
	converge_run(
	    e->converge, ITEM_AFTER, d->primary, d->epoch, drift_done_cb, e);
	orders_wake_by(e, 0);
}

static void
drift_end(struct engine *e, struct order_drift *d, const struct now *now)
{
	int left = converge_drift(e->converge);
	char *why;

	if (d->ans == ANS_YES && left == 0) {
		drift_reply_done(e, d->id, "this host is as its role demands",
		    now->raw - d->since);
		return;
	}
	why = xasprintf("%d item%s could not be brought about%s%s", left,
	    left == 1 ? "" : "s", d->reason[0] == '\0' ? "" : ": ", d->reason);
	orders_refuse(e, d->id, EXITCODE_UNKNOWN, why, "hactl drift");
	free(why);
}

void
orders_drift_turn(struct engine *e, const struct now *now)
{
	struct order_drift *d = e->orders->drift;
	struct core_status st;

	if (d == NULL)
		return;
	core_status(e->core, now, &st);
	drift_tell(e, d, now);
	if (d->ended) {
		drift_end(e, d, now);
	} else if (drift_plan(&st) || st.site.converging ||
		   st.rec.epoch != d->epoch) {
		orders_refuse(e, d->id, EXITCODE_UNKNOWN,
		    "a change of role came between, and does the same by "
		    "itself",
		    "hactl status");
	} else if (now->raw - d->since > DRIFT_LIMIT) {
		orders_refuse(e, d->id, EXITCODE_UNKNOWN,
		    "not finished, and not given up", "hactl drift");
	} else {
		orders_wake_by(e, DRIFT_LOOK);
		return;
	}
	e->orders->drift = NULL;
	free(d);
}

void
orders_drift_free(struct orders *o)
{
	free(o->drift);
	o->drift = NULL;
}
