/*
 * A switchover by order, on the primary's host: what this engine sees of the
 * target, and what the target's engine says of itself just now, before the core
 * is told; then how it ended: with the target as the holder, or taken back.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"
#include "engine/switchover_look.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"

#define REPLAY_FAR ((lsn_t)64 * 1024 * 1024) /* bytes: about a second */
#define SWITCHOVER_IDLE (2 * USEC_SEC)

/* A refusal: why, and the command that comes next, with the target's name in
 * place of %s. */
struct against {
	const char *why, *next;
};

static const char switchover_paused[] =
    "failover is paused by a person's word: nobody may take over; end the "
    "pause, and wait until the target is a candidate again";

static node_t switchover_only(
    struct engine *e, uint64_t id, const struct core_status *st);
static void switchover_elsewhere(
    struct engine *e, uint64_t id, node_t to, const struct core_status *st);
static struct against switchover_seen(
    const struct engine *e, node_t to, const struct core_status *st);
static struct against switchover_said(const json_t *said);
static struct against switchover_items(const json_t *said);
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

void
orders_switchover_ask(struct engine *e, uint64_t id, node_t to, unsigned accept)
{
	const struct now now = clock_now();
	struct against a;
	struct core_status st;

	core_status(e->core, &now, &st);
	if (st.rel != REL_HELD) {
		switchover_elsewhere(e, id, to, &st);
		return;
	}
	if (to == NODE_NONE)
		to = switchover_only(e, id, &st);
	if (to == NODE_NONE)
		return;
	a = switchover_seen(e, to, &st);
	if (a.why != NULL)
		switchover_refuse(e, id, to, &a);
	else
		switchover_look(e, id, to, accept);
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
	char *why, *list = xstrdup(""), *longer;
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
	why = count == 0 ?
		  xstrdup("there is no candidate: nobody could take over") :
		  xasprintf("which one? The candidates are %s", list);
	orders_refuse(e, id, EXITCODE_REFUSED, why,
	    count == 0 ? "hactl status" : "hactl switchover NODE");
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
	next = xasprintf("ssh %s hactl switchover %s",
	    e->conf->names.node[st->rec.holder],
	    e->conf->names.node[to == NODE_NONE ? e->conf->self : to]);
	orders_refuse(e, id, EXITCODE_REFUSED,
	    "only the primary hands over: run it there", next);
	free(next);
}

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
static struct against
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

/* What stands against its claim beside the lease that runs here. */
static struct against
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
