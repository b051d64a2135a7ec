/*
 * What this node knows and does, as one JSON document: for hactl, for the
 * front's /status and for the other engines. It reads and judges nothing that
 * the core has not judged; it holds no secret, because nothing secret reaches
 * it. Times are milliseconds from now; an absent one is null. A member may be
 * added at any time; the number of the schema changes when one that was there
 * means something else.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"
#include "engine/status.h"
#include "engine/wire.h"
#include "hawatch/json.h"
#include "hawatch/version.h"

#define STATUS_SCHEMA 1

struct status_block {
	const char *token;
	const char *text;
};

static const struct status_block status_blocks[] = {
#define BLOCK(id, token, text) { token, text },
#include "core/blockers.def"
#undef BLOCK
};

static const char *status_role(const struct engine *e, const struct now *now,
    const struct core_status *st);
static json_t *status_record(
    const struct engine *e, const struct record *rec, const struct now *now);
static json_t *status_paused(
    const struct core_status *st, const struct now *now);
static json_t *status_register(const struct core_status *st);
static json_t *status_lease(
    const struct core_status *st, const struct now *now);
static json_t *status_fence(
    const struct core_status *st, const struct now *now);
static json_t *status_claim(const struct engine *e,
    const struct core_status *st, const struct now *now);
static json_t *status_durability(const struct engine *e);
static json_t *status_follow(
    const struct engine *e, const struct core_status *st);
static json_t *status_durable(
    const struct engine *e, const struct durable *dur);
static void status_core(
    const struct engine *e, const struct now *now, json_t *doc);
static void status_around(
    const struct engine *e, const struct now *now, json_t *doc);
static const char *status_rejoin(enum rejoin stage);
static json_t *status_left(usec_t until, const struct now *now);
static void status_wall(json_t *obj, const char *key, usec_t wall);

char *
status_json(const struct engine *e, const struct now *now)
{
	json_t *doc = json_object();
	char *text;

	json_put_i64(doc, "schema", STATUS_SCHEMA);
	json_put_string(doc, "version", HAWATCH_VERSION);
	json_put_i64(doc, "protocol", WIRE_PROTOCOL);
	json_put_string(doc, "node", e->conf->names.node[e->conf->self]);
	json_put_string(doc, "cluster", e->conf->cluster);
	json_put_string(doc, "mode", conf_mode_str(e->conf->mode));
	json_put_bool(doc, "data", e->core != NULL);
	json_put_bool(doc, "arbiter", e->arbiter != NULL);
	status_wall(doc, "at", now->wall);
	json_put_i64(doc, "up_ms", (now->raw - e->started_at) / USEC_MSEC);
	if (e->core != NULL)
		status_core(e, now, doc);
	else
		json_put_string(doc, "role", "witness");
	status_around(e, now, doc);
	text = json_text(doc);
	json_decref(doc);
	return text;
}

const char *
status_block_text(const char *token)
{
	size_t i;

	if (token[0] == '\0')
		return "";
	for (i = 0; i < sizeof(status_blocks) / sizeof(*status_blocks); i++) {
		if (strcmp(status_blocks[i].token, token) == 0)
			return status_blocks[i].text;
	}
	return "";
}

/* Clients may write here at this moment: what /primary says, too. */
bool
status_is_primary(const struct core_status *st, const struct now *now)
{
	return st->rel == REL_HELD && st->pg == PGS_PRIMARY &&
	       st->writers == WRITERS_OPEN && st->deadline > now->raw &&
	       st->element > now->raw;
}

static void
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
	json_put(doc, "register", status_register(&st));
	json_put(doc, "lease", status_lease(&st, now));
	json_put(doc, "fence", status_fence(&st, now));
	json_put(doc, "claim", status_claim(e, &st, now));
	json_put(doc, "durability", status_durability(e));
	json_put(doc, "follow", status_follow(e, &st));
	json_put(doc, "possible", status_set(e, st.possible));
	json_put(doc, "in_force", status_set(e, st.in_force));
	json_put(doc, "promised_ms", status_left(st.promised_until, now));
	json_put(doc, "durable", status_durable(e, st.durable));
	json_put(doc, "postgres", status_postgres(e, &st, now));
	json_put(doc, "peers", status_peers(e, &st, now));
	json_put(doc, "site", status_site(e, &st));
}

/* What is around the database. */
static void
status_around(const struct engine *e, const struct now *now, json_t *doc)
{
	if (e->core != NULL && e->health != NULL)
		json_put(doc, "health", status_health(e));
	if (e->checks != NULL)
		json_put(doc, "checks", status_checks(e, now));
	if (e->converge != NULL)
		json_put(doc, "drift", status_drift(e, now));
	if (e->traffic != NULL)
		json_put(doc, "traffic", status_traffic(e, now));
	if (e->reports != NULL)
		json_put(doc, "hosts", status_hosts(e, now));
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
status_register(const struct core_status *st)
{
	json_t *obj = json_object();

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
	json_put_string(obj, "armed", status_answer(st->armed));
	json_put_string(obj, "armed_why", st->armed_why);
	return obj;
}

static json_t *
status_claim(
    const struct engine *e, const struct core_status *st, const struct now *now)
{
	json_t *obj = json_object();

	json_put(obj, "in_ms", status_left(st->claim_at, now));
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

const char *
status_progress(const struct engine *e, const char *row)
{
	if (e->acts == NULL || row == NULL || strcmp(row, "rewind") != 0)
		return "";
	if (acts_reason(e->acts, ACT_CLONE)[0] != '\0')
		return acts_reason(e->acts, ACT_CLONE);
	return acts_reason(e->acts, ACT_REWIND);
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

const char *
status_proof(enum proof proof)
{
	static const char *const proofs[] = {
		[PROOF_NONE] = "none",
		[PROOF_RELEASED] = "released",
		[PROOF_LEASE] = "lease",
		[PROOF_OPERATOR] = "operator",
	};

	return proofs[proof];
}

static json_t *
status_durable(const struct engine *e, const struct durable *dur)
{
	json_t *obj = json_object();

	json_put_bool(obj, "latch", dur->latch);
	json_put_bool(obj, "fenced", dur->fenced);
	json_put_string(obj, "latch_why", dur->latch_why);
	json_put_bool(obj, "diverged", dur->diverged);
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

json_t *
status_set(const struct engine *e, nodeset_t set)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < e->conf->node_count; i++) {
		if ((set & NODE_BIT(i)) != 0)
			json_array_append_new(list, status_node(e, i));
	}
	return list;
}

json_t *
status_node(const struct engine *e, node_t node)
{
	if (node < 0 || node >= e->conf->names.count)
		return json_null();
	return json_string(e->conf->names.node[node]);
}

/* Null when there is no end, or it is past: the word beside it tells which. */
static json_t *
status_left(usec_t until, const struct now *now)
{
	if (until == USEC_NEVER || until <= now->raw)
		return json_null();
	return json_integer((until - now->raw) / USEC_MSEC);
}

json_t *
status_age(usec_t at, const struct now *now)
{
	if (at <= 0 || at > now->raw)
		return json_null();
	return json_integer((now->raw - at) / USEC_MSEC);
}

static void
status_wall(json_t *obj, const char *key, usec_t wall)
{
	time_t sec = (time_t)(wall / USEC_SEC);
	char text[32];
	struct tm tm;

	if (wall <= 0 || gmtime_r(&sec, &tm) == NULL)
		return;
	if (strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		json_put_string(obj, key, text);
}

const char *
status_answer(enum answer ans)
{
	static const char *const words[] = {
		[ANS_UNKNOWN] = "unknown",
		[ANS_YES] = "yes",
		[ANS_NO] = "no",
	};

	return words[ans];
}
