/*
 * What stands against a switchover to a node: by what this host, the primary's,
 * sees of it, and by what the target's engine says of itself.
 */
#include "engine/switchover_against.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"

#define REPLAY_FAR ((lsn_t)64 * 1024 * 1024) /* bytes: about a second */

const char switchover_paused[] =
    "failover is paused by a person's word: nobody may take over; end the "
    "pause, and wait until the target is a candidate again";

/* What tells how the server ended is found before it is stopped. */
static bool
switchover_can_tell(const struct engine *e)
{
	char *program;
	bool there;

	program = xasprintf("%s/pg_controldata", e->conf->pg.bin_directory);
	there = access(program, X_OK) == 0;
	free(program);
	return there;
}

/* What this host sees of the target. */
struct against
switchover_seen(const struct engine *e, node_t to, const struct core_status *st)
{
	const struct pg_view *pg = pgwatch_view(e->pg);
	const struct pg_sender *s = &pg->sender[to];

	if (!switchover_can_tell(e))
		return (struct against){
			"there is no pg_controldata in postgres.bin_directory, "
			"which tells how this server ended",
			"hactl config check"
		};
	if (to == e->conf->self)
		return (struct against){ "this node is the primary already",
			"hactl status" };
	if (e->conf->node[to].role != ROLE_DATA)
		return (struct against){
			"that node is a witness: it has no PostgreSQL",
			"hactl status"
		};
	if (pg->conninfo == ANS_NO)
		return (struct against){
			"primary_conninfo is empty here, or not understood: "
			"this server could not follow the target; set it once, "
			"see SETTING UP in man 7 hawatch",
			"ALTER SYSTEM SET primary_conninfo = 'host=... "
			"user=... application_name=...'; SELECT "
			"pg_reload_conf()"
		};
	if (pg->conninfo == ANS_UNKNOWN)
		return (struct against){
			"primary_conninfo cannot be read here by the daemon's "
			"role: whether this server could follow the target is "
			"not known; let the role of postgres.user read it",
			"GRANT pg_read_all_settings TO hawatch"
		};
	if (st->paused_until != 0)
		return (struct against){ switchover_paused, "hactl resume" };
	if ((st->rec.candidates & NODE_BIT(to)) == 0)
		return (struct against){
			"the target is no candidate: commits may be missing "
			"there",
			"hactl plan promote %s"
		};
	if (!s->streaming)
		return (struct against){
			"the target does not stream from here: it would not "
			"get the last of it",
			"ssh %s hactl status"
		};
	if (s->replay != 0 && pg->wal_end > s->replay &&
	    pg->wal_end - s->replay > REPLAY_FAR)
		return (struct against){
			"the target has more than 64 MiB to replay, for which "
			"clients would have to wait",
			"hactl status"
		};
	return (struct against){ NULL, NULL };
}

/* What a promotion there would be given up for, as it stands now. */
static struct against
switchover_items(const json_t *said)
{
	const json_t *list =
	    json_object_get(json_object_get(said, "drift"), "items");
	const json_t *item, *name, *holds;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		name = json_object_get(item, "name");
		holds = json_object_get(item, "holds");
		if (!json_is_true(json_object_get(item, "required")) ||
		    !json_is_string(name) || !json_is_string(holds) ||
		    strcmp(json_string_value(holds), "no") != 0)
			continue;
		return (struct against){ "a required item does not hold on the "
					 "target: its takeover might be given "
					 "up for it",
			"ssh %s hactl drift" };
	}
	return (struct against){ NULL, NULL };
}

/* What stands against its claim beside the lease that runs here. */
struct against
switchover_said(const json_t *said)
{
	static const struct {
		const char *part, *key, *is;
		bool wanted; /* refused when it is not so, else when it is */
		struct against a;
	} rows[] = {
		{ NULL, "mode", "auto", true,
		    { "the target's mode is not auto: it would not take over",
			"ssh %s hactl status" } },
		{ "durable", "latch", "true", false,
		    { "the target is latched", "ssh %s hactl status" } },
		{ "register", "read", "true", true,
		    { "the target does not read the register, and could not "
		      "take over",
			"ssh %s hactl register show" } },
		{ "register", "cold", "true", false,
		    { "the register is cold: nobody could take over",
			"hactl register show" } },
		{ "register", "amnesiac", "true", false,
		    { "the register shows less than the target has seen",
			"hactl register show" } },
		{ "fence", "armed", "yes", true,
		    { "the target is not armed: it could not be fenced, and "
		      "so does not take over",
			"ssh %s hactl plan promote %s" } },
		{ "postgres", "no_room", "", true,
		    { "the target's PostgreSQL has no room to write",
			"ssh %s hactl status" } },
	};
	const json_t *part, *value;
	const char *text;
	size_t i;

	if (said == NULL || json_has(said, "silent"))
		return (struct against){
			"the target's engine does not answer: it could not "
			"take over",
			"ssh %s hactl ping"
		};
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		part = rows[i].part == NULL ?
			   said :
			   json_object_get(said, rows[i].part);
		value = json_object_get(part, rows[i].key);
		text = json_is_true(value)   ? "true" :
		       json_is_string(value) ? json_string_value(value) :
					       "false";
		if ((strcmp(text, rows[i].is) == 0) != rows[i].wanted)
			return rows[i].a;
	}
	return switchover_items(said);
}
