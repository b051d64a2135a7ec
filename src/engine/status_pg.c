/*
 * The part of the status document that comes from PostgreSQL: this
 * host's instance, who streams from it, what the others' ports answer.
 */
#include "engine/engine.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"

static json_t *status_senders(const struct engine *e,
    const struct core_status *st, const struct pg_view *pg,
    const struct now *now);
static json_t *status_settings(const struct engine *e);

json_t *
status_postgres(
    const struct engine *e, const struct core_status *st, const struct now *now)
{
	static const char *const words[] = {
		[PGS_UNKNOWN] = "unknown",
		[PGS_GONE] = "gone",
		[PGS_STANDBY] = "standby",
		[PGS_PRIMARY] = "primary",
	};
	const struct pg_view *pg = pgwatch_view(e->pg);
	json_t *obj = json_object();
	const char *where;

	json_put_string(obj, "state", words[st->pg]);
	json_put(obj, "seen_ms", status_age(pg->seen_at, now));
	json_put_string(obj, "running", answer_str(pg->running));
	json_put(obj, "up_ms", status_age(pg->up_at, now));
	json_put_string(obj, "recovery", answer_str(pg->recovery));
	json_put_u64(obj, "timeline", pg->timeline);
	json_put_id(obj, "system_id", pg->system_id);
	json_put_lsn(obj, "wal_end", pg->wal_end);
	json_put_lsn(obj, "replay", pg->replay);
	json_put_lsn(obj, "upstream", pg->upstream);
	json_put_bool(obj, "receiver", pg->receiver);
	json_put_bool(obj, "paused", pg->paused);
	json_put_bool(obj, "standby_signal", pg->signal);
	json_put(obj, "sync_names", status_set(e, pg->sync_names));
	json_put_bool(obj, "sync_other", pg->sync_other);
	json_put_i64(obj, "version", pg->version);
	json_put_string(obj, "probe", answer_str(st->probe));
	json_put(obj, "probe_ms", status_age(pg->probe_at, now));
	json_put_string(obj, "no_room", pgwatch_no_room(e->pg, &where));
	json_put_string(obj, "no_room_at", where);
	json_put(obj, "senders", status_senders(e, st, pg, now));
	json_put(obj, "source", status_set(e, pg->source));
	json_put_string(obj, "conninfo", answer_str(pg->conninfo));
	json_put(obj, "settings", status_settings(e));
	return obj;
}

/* What of its settings a person should know. */
static json_t *
status_settings(const struct engine *e)
{
	static const char *const words[] = {
		[FINDING_NOTES] = "notes",
		[FINDING_WARNS] = "warns",
		[FINDING_BLOCKS] = "blocks",
	};
	const struct pg_findings *found = pgwatch_findings(e->pg);
	json_t *list = json_array(), *obj;
	int i;

	for (i = 0; i < found->count; i++) {
		obj = json_object();
		json_put_string(obj, "reason", found->row[i].reason);
		json_put_string(obj, "level", words[found->row[i].level]);
		json_put_string(obj, "where", found->row[i].where);
		json_array_append_new(list, obj);
	}
	return list;
}

static json_t *
status_senders(const struct engine *e, const struct core_status *st,
    const struct pg_view *pg, const struct now *now)
{
	json_t *list = json_array(), *obj;
	const struct pg_sender *s;
	int i;

	for (i = 0; i < e->conf->node_count; i++) {
		s = &pg->sender[i];
		if (!s->streaming && !s->doubled)
			continue;
		obj = json_object();
		json_put(obj, "node", status_node(e, i));
		json_put_bool(obj, "streaming", s->streaming);
		json_put_bool(obj, "doubled", s->doubled);
		json_put(obj, "good_ms", status_age(st->good_since[i], now));
		json_put_lsn(obj, "flush", s->flush);
		json_put_lsn(obj, "replay", s->replay);
		json_put_u64(obj, "lag_bytes",
		    pg->wal_end > s->flush ? pg->wal_end - s->flush : 0);
		json_array_append_new(list, obj);
	}
	return list;
}

/* What the others told us, and what their PostgreSQL answers by TCP. */
json_t *
status_peers(
    const struct engine *e, const struct core_status *st, const struct now *now)
{
	json_t *list = json_array(), *obj;
	const struct pg_peer *pg;
	int i;

	for (i = 0; i < e->conf->node_count; i++) {
		if (i == e->conf->self)
			continue;
		obj = json_object();
		json_put(obj, "node", status_node(e, i));
		json_put(obj, "heard_ms", status_age(st->heard_at[i], now));
		pg = pgwatch_peer(e->pg, i);
		if (pg != NULL) {
			json_put_string(
			    obj, "postgres", answer_str(pg->reached));
			json_put_string(obj, "reason",
			    pg->reason == NULL ? "" : pg->reason);
			json_put_string(
			    obj, "recovery", answer_str(pg->recovery));
		}
		json_array_append_new(list, obj);
	}
	return list;
}
