/*
 * A switchover by order, on the primary's host: who is meant, what stands
 * against it, then the core is told; and how it ended: with the target as the
 * holder, or taken back.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"
#include "engine/switchover_against.h"
#include "engine/switchover_look.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"

#define SWITCHOVER_IDLE (2 * USEC_SEC)

static node_t switchover_only(
    struct engine *e, uint64_t id, const struct core_status *st);
static void switchover_elsewhere(
    struct engine *e, uint64_t id, node_t to, const struct core_status *st);
static void switchover_refuse(
    struct engine *e, uint64_t id, node_t to, const struct against *a);
static void switchover_done(struct engine *e, const struct order_wait *w,
    const struct core_status *st, const struct now *now);
static void switchover_back(struct engine *e, const struct order_wait *w);

bool
orders_switchover_meant(const struct engine *e, node_t to)
{
	const struct now now = clock_now();
	struct core_status st;

	if (e->core == NULL) /* a witness */
		return false;
	core_status(e->core, &now, &st);
	return to != e->conf->self && st.rel == REL_HELD;
}

/* Who is meant, as far as this host knows without asking; NODE_NONE: the asker
 * was told why not. */
static node_t
switchover_to(struct engine *e, uint64_t id, node_t to)
{
	const struct now now = clock_now();
	struct against a;
	struct core_status st;

	core_status(e->core, &now, &st);
	if (st.rel != REL_HELD) {
		switchover_elsewhere(e, id, to, &st);
		return NODE_NONE;
	}
	if (to == NODE_NONE)
		to = switchover_only(e, id, &st);
	if (to == NODE_NONE)
		return NODE_NONE;
	a = switchover_seen(e, to, &st);
	if (a.why == NULL)
		return to;
	switchover_refuse(e, id, to, &a);
	return NODE_NONE;
}

void
orders_switchover_ask(struct engine *e, uint64_t id, node_t to, unsigned accept)
{
	to = switchover_to(e, id, to);
	if (to != NODE_NONE)
		switchover_look(e, id, to, accept);
}

void
orders_switchover_may(struct engine *e, uint64_t id, node_t to)
{
	if (switchover_to(e, id, to) != NODE_NONE)
		orders_look_over(e, id, NULL);
}

void
orders_switchover(struct engine *e, uint64_t id, node_t to, const json_t *said)
{
	const struct now now = clock_now();
	struct against a = switchover_said(said);
	const char *refused;

	if (a.why != NULL) {
		switchover_refuse(e, id, to, &a);
		return;
	}
	refused = core_order_switchover(e->core, &now, to);
	if (refused != NULL) {
		orders_refuse_core(e, id, refused);
		return;
	}
	orders_taken(e, id, "switchover");
	orders_wait(e, id, LONG_SWITCHOVER, to);
}

/* The one that is meant when none is named. */
static node_t
switchover_only(struct engine *e, uint64_t id, const struct core_status *st)
{
	nodeset_t set = st->rec.candidates;
	char *why, *next, *list = xstrdup(""), *longer;
	node_t n, to = NODE_NONE;
	int count = 0;

	for (n = 0; n < e->conf->node_count; n++) {
		if ((set & NODE_BIT(n)) == 0)
			continue;
		longer = xasprintf("%s%s%s", list, count == 0 ? "" : ", ",
		    e->conf->names.node[n]);
		free(list);
		list = longer;
		count++;
		to = n;
	}
	if (count == 1) {
		free(list);
		return to;
	}
	if (count == 0 && st->paused_until != 0) {
		free(list);
		orders_refuse(
		    e, id, EXITCODE_REFUSED, switchover_paused, "hactl resume");
		return NODE_NONE;
	}
	next = count == 0 ?
		   xstrdup("hactl status") :
		   xasprintf("hactl switchover %s", e->conf->names.node[to]);
	why = count == 0 ?
		  xstrdup("there is no candidate: nobody could take over") :
		  xasprintf("which one? The candidates are %s", list);
	orders_refuse(e, id, EXITCODE_REFUSED, why, next);
	free(next);
	free(list);
	free(why);
	return NODE_NONE;
}

/* It is given where PostgreSQL is to be stopped. */
static void
switchover_elsewhere(
    struct engine *e, uint64_t id, node_t to, const struct core_status *st)
{
	char *next;

	if (st->rec.state == REC_NONE || st->rec.holder == NODE_NONE ||
	    st->rec.holder == e->conf->self) {
		orders_refuse(e, id, EXITCODE_REFUSED,
		    "there is no primary that could hand over", "hactl status");
		return;
	}
	if (to == st->rec.holder && st->rec.state == REC_HELD) {
		next = xasprintf(
		    "%s is the primary already", e->conf->names.node[to]);
		orders_refuse(e, id, EXITCODE_REFUSED, next, "hactl status");
		free(next);
		return;
	}
	next = xasprintf("hactl switchover %s",
	    e->conf->names.node[to == NODE_NONE ? e->conf->self : to]);
	orders_refuse_holder(e, id, st->rec.holder,
	    "is the primary, and only the primary hands over", next);
	free(next);
}

static void
switchover_refuse(
    struct engine *e, uint64_t id, node_t to, const struct against *a)
{
	const char *name = e->conf->names.node[to], *from = a->next, *at;
	char *next = xstrdup(""), *longer;

	while ((at = strstr(from, "%s")) != NULL) {
		longer =
		    xasprintf("%s%.*s%s", next, (int)(at - from), from, name);
		free(next);
		next = longer;
		from = at + 2;
	}
	longer = xasprintf("%s%s", next, from);
	orders_refuse(e, id, EXITCODE_REFUSED, a->why, longer);
	free(longer);
	free(next);
}

/* True when it is over and the asker was told. */
bool
orders_switchover_over(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	bool plan = st->plan != NULL && strcmp(st->plan, "switchover") == 0;

	if (plan && st->row != NULL)
		str_cut(w->at, sizeof(w->at), st->row);
	if (plan && st->hand_end != 0) {
		w->end = st->hand_end;
		w->flushed = st->hand_flushed;
	}
	w->back =
	    w->back || (st->plan != NULL && strcmp(st->plan, "restart") == 0);
	if (st->rec.epoch > w->epoch && st->rec.state == REC_HELD &&
	    st->rec.holder != e->conf->self) {
		/* Seen, not concluded from who holds the record now. */
		if (st->rec.holder == w->node && w->end != 0 &&
		    w->flushed >= w->end)
			switchover_done(e, w, st, now);
		else
			orders_refuse(e, w->id, EXITCODE_UNKNOWN,
			    st->rec.holder == w->node ?
				"the target took over, but not by this plan" :
				"another node took over",
			    "hactl status");
		return true;
	}
	w->back = w->back || st->rec.epoch > w->epoch;
	if (st->plan == NULL && st->rel == REL_HELD &&
	    status_is_primary(st, now) &&
	    (w->ran || now->raw - w->since > SWITCHOVER_IDLE)) {
		switchover_back(e, w);
		return true;
	}
	return false;
}

static void
switchover_done(struct engine *e, const struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	char end[LSN_STR_MAX], flushed[LSN_STR_MAX], *text;
	json_t *obj = json_object();

	text = xasprintf("%s has taken over, in epoch %llu; it had flushed %s "
			 "when the last checkpoint of this server ended at %s: "
			 "nothing is missing there",
	    e->conf->names.node[w->node], (unsigned long long)st->rec.epoch,
	    lsn_str(w->flushed, flushed), lsn_str(w->end, end));
	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_string(obj, "done", text);
	json_put_string(obj, "node", e->conf->names.node[w->node]);
	json_put_u64(obj, "epoch", st->rec.epoch);
	json_put_lsn(obj, "end", w->end);
	json_put_lsn(obj, "flushed", w->flushed);
	json_put_i64(obj, "ms", (now->raw - w->since) / USEC_MSEC);
	orders_reply(e, w->id, obj);
	free(text);
}

static void
switchover_back(struct engine *e, const struct order_wait *w)
{
	char *why;

	if (w->back)
		why = xasprintf("taken back at step \"%s\": this node is the "
				"primary again",
		    w->at);
	else
		why = xasprintf("given up%s%s%s%s: PostgreSQL was not stopped, "
				"this node serves as before",
		    w->at[0] == '\0' ? "" : " at step ", w->at,
		    e->act_no_at > w->since ? ": " : "",
		    e->act_no_at > w->since ? e->act_no : "");
	orders_refuse(e, w->id,
	    w->back ? EXITCODE_TAKEN_BACK : EXITCODE_REFUSED, why,
	    "hactl status");
	free(why);
}
