/*
 * From the engine to its history: every event passes by here, and what the
 * report of a takeover needs beside it is added.
 */
#include <string.h>

#include "engine/engine.h"
#include "engine/history.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/pgwatch.h"

/* How far this host's log reaches, and what a commit waits for. */
static json_t *
tap_wal(const struct engine *e, const struct core_status *st, bool proof)
{
	const struct pg_view *v = pgwatch_view(e->pg);
	json_t *more = json_object();

	json_put_lsn(
	    more, "wal", v->insert > v->wal_end ? v->insert : v->wal_end);
	json_put_string(more, "durability",
	    e->conf->durability == DURABILITY_BOUNDED ? "bounded" : "strict");
	json_put(more, "in_force", status_set(e, st->in_force));
	if (proof && st->durable->proof != PROOF_NONE &&
	    st->durable->proof_epoch == st->rec.epoch) {
		json_put_string(
		    more, "proof", status_proof(st->durable->proof));
		json_put_string(more, "proof_why", st->durable->proof_why);
	}
	return more;
}

/* A takeover begins: how long ago the one before was heard last, which is what
 * is known of its end when it cannot say so itself. */
static void
tap_heard(const struct engine *e, const struct core_status *st,
    const struct now *now, json_t *more)
{
	node_t old = st->rec.holder;

	if (old == NODE_NONE || old == e->conf->self || st->heard_at[old] == 0)
		return;
	json_put(more, "old", status_node(e, old));
	json_put_i64(
	    more, "heard_ms", (now->raw - st->heard_at[old]) / USEC_MSEC);
}

void
history_tap(void *engine, enum event_name ev, const struct kv *kv, size_t n)
{
	const struct now now = clock_now();
	struct engine *e = engine;
	struct core_status st;
	json_t *more = NULL;

	if (e->core != NULL) {
		core_status(e->core, &now, &st);
		if (ev == EMIT_plan_start || ev == EMIT_plan_end ||
		    ev == EMIT_fence_open)
			more = tap_wal(e, &st, true);
		else if (ev == EMIT_fence_closed || ev == EMIT_postmaster_gone)
			more = tap_wal(e, &st, false);
		else
			more = json_object();
		if (ev == EMIT_plan_start)
			tap_heard(e, &st, &now, more);
		/* Each line says to which it belongs. */
		json_put_u64(more, "epoch", st.rec.epoch);
	}
	history_event(e->history, &now, ev, kv, n, more);
}

void
history_look(void *engine, const struct now *now)
{
	struct engine *e = engine;
	struct core_status st;
	json_t *more;

	if (e->core == NULL)
		return;
	core_status(e->core, now, &st);
	if (st.rec.state == REC_NONE || (st.rec.epoch == e->history_epoch &&
					    st.rec.state == e->history_state))
		return;
	e->history_epoch = st.rec.epoch;
	e->history_state = st.rec.state;
	/* Every host sees it within moments of the others, by its own clock. */
	more = json_object();
	json_put_u64(more, "epoch", st.rec.epoch);
	json_put_string(more, "state", rec_state_str(st.rec.state));
	json_put(more, "holder", status_node(e, st.rec.holder));
	history_detail(e->history, now, "record.seen", more);
}
