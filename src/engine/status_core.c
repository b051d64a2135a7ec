/*
 * The part of the status document that comes from the core: the record, the
 * lease, the fence, and what this node would do next.
 */
#include "engine/engine.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

static const char *status_role(const struct engine *e, const struct now *now,
    const struct core_status *st);
static json_t *status_record(
    const struct engine *e, const struct record *rec, const struct now *now);
static json_t *status_paused(
    const struct core_status *st, const struct now *now);
static json_t *status_register(
    const struct engine *e, const struct core_status *st);
static json_t *status_lease(
    const struct core_status *st, const struct now *now);
static json_t *status_fence(
    const struct core_status *st, const struct now *now);
static json_t *status_claim(const struct engine *e,
    const struct core_status *st, const struct now *now);
static json_t *status_durability(const struct engine *e);
static json_t *status_shoot(
    const struct engine *e, const struct core_status *st);
static json_t *status_follow(
    const struct engine *e, const struct core_status *st);
static json_t *status_durable(const struct core_status *st);
static const char *status_rejoin(enum rejoin stage);

void
status_core(const struct engine *e, const struct now *now, json_t *doc)
{
	struct core_status st;
	json_t *obj;

	core_status(e->core, now, &st);
	json_put_string(doc, "role", status_role(e, now, &st));
	obj = json_object();
	json_put_string(obj, "name", st.duty);
	json_put_string(obj, "why", st.duty_why);
	json_put(doc, "duty", obj);
	if (st.plan != NULL) {
		obj = json_object();
		json_put_string(obj, "name", st.plan);
		json_put_string(obj, "row", st.row == NULL ? "" : st.row);
		json_put_i64(
		    obj, "since_ms", (now->raw - st.row_since) / USEC_MSEC);
		json_put_string(obj, "progress", status_progress(e, st.row));
		json_put(doc, "plan", obj);
	}
	json_put_string(doc, "waits_for", st.waits_for);
	json_put_string(doc, "waits_text", status_block_text(st.waits_for));
	json_put(doc, "record", status_record(e, &st.rec, now));
	json_put(doc, "paused", status_paused(&st, now));
	json_put(doc, "register", status_register(e, &st));
	json_put(doc, "lease", status_lease(&st, now));
	json_put(doc, "fence", status_fence(&st, now));
	json_put(doc, "claim", status_claim(e, &st, now));
	json_put(doc, "durability", status_durability(e));
	json_put(doc, "shoot", status_shoot(e, &st));
	json_put(doc, "follow", status_follow(e, &st));
	json_put(doc, "adding", status_node(e, st.adding));
	json_put(doc, "possible", status_set(e, st.possible));
	json_put(doc, "in_force", status_set(e, st.in_force));
	json_put(doc, "promised_ms", status_left(st.promised_until, now));
	json_put(doc, "durable", status_durable(&st));
	json_put(doc, "postgres", status_postgres(e, &st, now));
	json_put(doc, "peers", status_peers(e, &st, now));
	json_put(doc, "site", status_site(e, &st));
	if (e->reports != NULL)
		json_put(doc, "ready", status_ready(e, &st, now));
}

/* One word for the table. What is not known is said to be so. */
static const char *
status_role(
    const struct engine *e, const struct now *now, const struct core_status *st)
{
	if (status_is_primary(st, now))
		return "primary";
	if (st->durable->latch)
		return "latched";
	if (st->rel == REL_CLAIMED)
		return "claiming";
	switch (st->pg) {
	case PGS_STANDBY:
		return "standby";
	case PGS_PRIMARY:
		return "closed";
	case PGS_GONE:
		return "down";
	case PGS_UNKNOWN:
	case PGS_COUNT:
		break;
	}
	return "unknown";
}

static json_t *
status_record(
    const struct engine *e, const struct record *rec, const struct now *now)
{
	json_t *obj;

	if (rec->state == REC_NONE)
		return json_null();
	obj = json_object();
	json_put_u64(obj, "epoch", rec->epoch);
	json_put_u64(obj, "seq", rec->seq);
	json_put_string(obj, "state", rec_state_str(rec->state));
	json_put(obj, "holder", status_node(e, rec->holder));
	json_put(obj, "target", status_node(e, rec->target));
	json_put(obj, "candidates", status_set(e, rec->candidates));
	json_put_i64(obj, "ttl_ms", rec->ttl / USEC_MSEC);
	json_put_u64(obj, "timeline", rec->timeline);
	json_put_id(obj, "system_id", rec->system_id);
	json_put_lsn(obj, "lsn", rec->lsn);
	status_wall(obj, "taken_at", rec->taken_at);
	if (rec->taken_at > 0 && rec->taken_at <= now->wall)
		json_put_i64(
		    obj, "age_ms", (now->wall - rec->taken_at) / USEC_MSEC);
	/* Until then an automatic failover has to wait. */
	if (rec->counted && rec->acked < rec->epoch && rec->taken_at > 0 &&
	    now->wall - rec->taken_at < e->conf->min_interval)
		json_put_i64(obj, "next_in_ms",
		    (rec->taken_at + e->conf->min_interval - now->wall) /
			USEC_MSEC);
	json_put_u64(obj, "acked", rec->acked);
	json_put(obj, "written_by", status_node(e, rec->written_by));
	return obj;
}

/* By this node's wall clock; the holder's decides. */
static json_t *
status_paused(const struct core_status *st, const struct now *now)
{
	json_t *obj;

	if (st->paused_until == 0)
		return json_null();
	obj = json_object();
	status_wall(obj, "until", st->paused_until);
	json_put_i64(
	    obj, "left_ms", (st->paused_until - now->wall) / USEC_MSEC);
	json_put_string(obj, "why", st->paused_why);
	json_put_string(obj, "by", st->paused_by);
	json_put_bool(obj, "written", st->paused_written);
	return obj;
}

static json_t *
status_register(const struct engine *e, const struct core_status *st)
{
	json_t *obj = json_object();

	json_put_string(obj, "type", conf_register_str(e->conf->reg.type));
	if (e->conf->reg.type == REGISTER_NONE) {
		json_put_bool(obj, "met", st->met);
		json_put_bool(obj, "half", st->half);
		json_put_bool(obj, "split", st->split);
		json_put(obj, "without", status_node(e, st->without));
	}
	json_put_bool(obj, "read", st->register_ok);
	json_put_string(obj, "instance", st->instance);
	json_put_u64(obj, "revision", st->revision);
	json_put_bool(obj, "cold", st->cold);
	json_put_bool(obj, "amnesiac", st->amnesiac);
	return obj;
}

static json_t *
status_lease(const struct core_status *st, const struct now *now)
{
	json_t *obj = json_object();

	json_put_bool(obj, "mine",
	    (st->rel == REL_HELD || st->rel == REL_CLAIMED) &&
		st->deadline > now->raw);
	json_put_bool(obj, "endless", st->deadline == USEC_NEVER);
	json_put(obj, "left_ms", status_left(st->deadline, now));
	return obj;
}

static json_t *
status_fence(const struct core_status *st, const struct now *now)
{
	static const char *const words[] = {
		[WRITERS_UNKNOWN] = "unknown",
		[WRITERS_CLOSED] = "closed",
		[WRITERS_OPEN] = "open",
	};
	json_t *obj = json_object();

	json_put_string(obj, "writers", words[st->writers]);
	json_put_bool(obj, "endless", st->element == USEC_NEVER);
	json_put(obj, "left_ms", status_left(st->element, now));
	json_put(obj, "readers_ms", status_left(st->readers_until, now));
	json_put_string(obj, "armed", answer_str(st->armed));
	json_put_string(obj, "armed_why", st->armed_why);
	return obj;
}

static json_t *
status_claim(
    const struct engine *e, const struct core_status *st, const struct now *now)
{
	json_t *obj = json_object();

	json_put(obj, "in_ms", status_left(st->claim_at, now));
	json_put(obj, "by_itself_ms", status_left(st->by_itself_at, now));
	json_put_string(obj, "block", st->claim_block);
	json_put_string(obj, "text", status_block_text(st->claim_block));
	json_put(obj, "gives_way_to", status_node(e, st->gives_way_to));
	return obj;
}

static json_t *
status_durability(const struct engine *e)
{
	bool bounded = e->conf->durability == DURABILITY_BOUNDED;
	json_t *obj = json_object();

	json_put_string(obj, "mode", bounded ? "bounded" : "strict");
	json_put_u64(obj, "max_loss", e->conf->max_loss);
	return obj;
}

/* Whose host is being switched off, or was seen off for this record, and why
 * not the last time. */
static json_t *
status_shoot(const struct engine *e, const struct core_status *st)
{
	json_t *obj = json_object();

	json_put_bool(obj, "lease_suffices", e->conf->proof_lease);
	json_put_bool(obj, "agents", e->conf->proof_agent);
	json_put(obj, "node", status_node(e, st->shooting));
	json_put(obj, "off", status_node(e, st->off));
	json_put_string(obj, "why", st->shoot_why);
	return obj;
}

/* Where this standby is being pointed to, and why it was not the last time. */
static json_t *
status_follow(const struct engine *e, const struct core_status *st)
{
	json_t *obj = json_object();

	json_put(obj, "node", status_node(e, st->follow));
	json_put_string(
	    obj, "why", st->follow_why == NULL ? "" : st->follow_why);
	return obj;
}

static const char *
status_rejoin(enum rejoin stage)
{
	static const char *const words[] = { [REJOIN_NO] = "",
		[REJOIN_ASIDE] = "aside",
		[REJOIN_HALF] = "half",
		[REJOIN_WHOLE] = "whole" };

	return words[stage];
}

static json_t *
status_durable(const struct core_status *st)
{
	const struct durable *dur = st->durable;
	json_t *obj = json_object();

	json_put_bool(obj, "latch", dur->latch);
	json_put_bool(obj, "fenced", dur->fenced);
	json_put_bool(obj, "overtaken", st->overtaken);
	json_put_string(obj, "latch_why", dur->latch_why);
	json_put_bool(obj, "diverged", dur->diverged);
	json_put_bool(obj, "follower", dur->follower);
	json_put_string(obj, "rejoin", status_rejoin(dur->rejoin));
	json_put_string(obj, "instance", dur->instance);
	json_put_u64(obj, "epoch", dur->epoch);
	json_put_u64(obj, "seq", dur->seq);
	json_put_u64(obj, "head", dur->head);
	json_put_bool(obj, "back", dur->back);
	json_put_bool(obj, "claim", dur->claim);
	json_put_u64(obj, "primary_epoch", dur->primary_epoch);
	json_put_u64(obj, "abdicated_epoch", dur->abdicated_epoch);
	json_put_lsn(obj, "told", dur->told);
	json_put_u64(obj, "told_epoch", dur->told_epoch);
	json_put_string(obj, "proof", status_proof(dur->proof));
	json_put_u64(obj, "proof_epoch", dur->proof_epoch);
	json_put_string(obj, "proof_why", dur->proof_why);
	return obj;
}
