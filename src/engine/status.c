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
#include "hawatch/agent.h"
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

static void status_around(
    const struct engine *e, const struct now *now, json_t *doc);

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
	if (e->agents != NULL && agents_count(e->agents) > 0)
		json_put(doc, "agents", status_agents(e, now));
	if (e->traffic != NULL)
		json_put(doc, "traffic", status_traffic(e, now));
	if (e->reports != NULL)
		json_put(doc, "config", status_config(e));
	if (e->reports != NULL)
		json_put(doc, "hosts", status_hosts(e, now));
}

const char *
status_progress(const struct engine *e, const char *row)
{
	if (e->acts == NULL || row == NULL)
		return "";
	if (strcmp(row, "save") == 0)
		return acts_reason(e->acts, ACT_SAVE);
	if (strcmp(row, "rewind") != 0)
		return "";
	if (acts_reason(e->acts, ACT_CLONE)[0] != '\0')
		return acts_reason(e->acts, ACT_CLONE);
	return acts_reason(e->acts, ACT_REWIND);
}

const char *
status_proof(enum proof proof)
{
	static const char *const proofs[] = {
		[PROOF_NONE] = "none",
		[PROOF_RELEASED] = "released",
		[PROOF_LEASE] = "lease",
		[PROOF_OPERATOR] = "operator",
		[PROOF_AGENT] = "agent",
	};

	return proofs[proof];
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
json_t *
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

void
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
