/*
 * The one function that steps a plan, and the only place where a plan's row is
 * assigned. A row is entered: journal, event, deed; it is left by its question,
 * by its limit, or by the plan's end.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define REST (2 * USEC_SEC)	  /* after an abandoned plan, before another */
#define ANSWERS (300 * USEC_MSEC) /* a view that is younger: it does */
#define RESTS_MAX 5 /* doublings, when it was the pullers' fault */

bool
plan_at_or_past(const struct core *c, enum plan_id id, const char *row)
{
	return c->plan.id == id && c->plan.row >= plan_find(id, row);
}

static const struct plan_row *
plan_row(const struct core *c)
{
	int count;

	const struct plan_row *rows = plan_rows(c->plan.id, &count);

	return &rows[c->plan.row < count ? c->plan.row : count - 1];
}

/* Not a row's to stop: what the site's own rules asked for, what runs beside,
 * the look at the other host, which may take longer than a row has, and, once
 * clients write, what their commits wait for. */
static bool
plan_leaves(const struct core *c, int kind)
{
	if (kind == ACT_CONVERGE || kind == ACT_TRAFFIC || kind == ACT_FENCE)
		return true;
	if (kind == ACT_NAMES || kind == ACT_WAITING)
		return plan_at_or_past(c, PLAN_TAKEOVER, "arrive");
	return kind == ACT_METADATA || kind == ACT_CHECKPOINT;
}

static void
plan_enter(struct core *c, const struct now *now, int row)
{
	int k;

	c->plan.row = row;
	c->plan.since = now->raw;
	c->plan.acted = false;
	/* Results belong to a row. */
	for (k = 0; k < ACT_COUNT; k++)
		if (!plan_leaves(c, k))
			goal_stop(c, (enum act_kind)k);
	c->dur.plan = (int)c->plan.id;
	c->dur.row = row;
	c->dur.plan_epoch = core_rec(c)->epoch;
	core_save(c);
}

void
plan_start(struct core *c, const struct now *now, enum plan_id id)
{
	usec_t retry_at = c->plan.retry_at;
	int k;

	memset(&c->plan, 0, sizeof(c->plan));
	c->plan.retry_at = retry_at;
	c->plan.id = id;
	c->plan.started = now->raw;
	/* What is stopped after it says no more of it. */
	if (id != PLAN_STEPDOWN)
		c->over.plan = PLAN_NONE;
	/* A takeover is the end of what this host was brought to before. */
	for (k = 0; k < ACT_COUNT; k++)
		if (id == PLAN_TAKEOVER ||
		    (k != ACT_CONVERGE && k != ACT_TRAFFIC))
			goal_stop(c, (enum act_kind)k);
	durability_reset(c);
	if (id == PLAN_STEPDOWN || id == PLAN_RESTART)
		lease_void(c, now);
	if (id == PLAN_REJOIN)
		rejoin_begin(c);
	plan_enter(c, now, 0);
	core_tell(
	    c, EMIT_plan_start, "%s: %s", plan_name[id], role_duty(c)->name);
}

void
plan_resume(struct core *c, const struct now *now)
{
	/* An open element, or a candidate, proves all up to the opening; what
	 * ran beside is done anew. */
	bool open = c->fence.writers == WRITERS_OPEN || lease_possible(c) != 0;

	c->resume_epoch = 0;
	plan_start(c, now, PLAN_TAKEOVER);
	plan_enter(
	    c, now, plan_find(PLAN_TAKEOVER, open ? "metadata" : "relax"));
}

/* For people: which row it was, and who said no. */
static void
plan_note_over(struct core *c, bool late)
{
	int k;

	memset(&c->over, 0, sizeof(c->over));
	c->over.plan = c->plan.id;
	c->over.row = c->plan.row;
	c->over.late = late;
	for (k = 0; k < ACT_COUNT; k++)
		if (!plan_leaves(c, k) && c->act[k].reason[0] != '\0')
			str_cut(
			    c->over.why, sizeof(c->over.why), c->act[k].reason);
}

/* An abandoned claim becomes `released`. */
static void
plan_abandon(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);
	bool before = c->plan.id == PLAN_TAKEOVER && !c->plan.promoted &&
		      core_pgs(c) != PGS_PRIMARY;

	if (c->plan.id == PLAN_REJOIN) {
		rejoin_failed(c, now);
		return;
	}
	/* Nothing was begun that another plan would have to wait for. */
	if (c->plan.id == PLAN_SWITCHOVER)
		return;

	if (before && core_rel(c) == REL_CLAIMED) {
		rec.state = REC_RELEASED;
		cas_send(c, now, FOR_RELEASE, &rec);
	}
	/* A record that is taken and given back again and again helps nobody.
	 */
	if (c->plan.id == PLAN_TAKEOVER &&
	    c->plan.row == plan_find(PLAN_TAKEOVER, "pullers") &&
	    c->pullers_no < RESTS_MAX)
		c->pullers_no++;
	c->plan.retry_at = now->raw + (REST << c->pullers_no);
}

void
plan_end(struct core *c, const struct now *now, const char *why)
{
	usec_t retry_at;
	int k;

	core_tell(c, EMIT_plan_end, "%s: %s at %s after %lld ms",
	    plan_name[c->plan.id], why, plan_row(c)->name,
	    (long long)(now->raw - c->plan.started) / USEC_MSEC);
	for (k = 0; k < ACT_COUNT; k++)
		if (k != ACT_CONVERGE && k != ACT_TRAFFIC)
			goal_stop(c, (enum act_kind)k);
	/* A mark that this plan set, and nothing was promoted under it. */
	if (c->plan.id == PLAN_TAKEOVER && c->plan.marked &&
	    !c->plan.promoted && core_pgs(c) == PGS_STANDBY)
		c->dur.primary_epoch = 0;
	if (c->plan.id == PLAN_SWITCHOVER)
		memset(&c->hand, 0, sizeof(c->hand));
	retry_at = c->plan.retry_at;
	memset(&c->plan, 0, sizeof(c->plan));
	c->plan.retry_at = retry_at;
	c->dur.plan = PLAN_NONE;
	c->dur.row = 0;
	core_save(c);
}

static void
plan_late(struct core *c, const struct now *now)
{
	const struct plan_row *r = plan_row(c);
	bool back, dead;

	core_tell(c, EMIT_plan_late, "%s: %s", r->name, r->goal);
	if (r->late == LATE_BACK) {
		/* What answers still, was never told to end. */
		back = c->hand.end != 0 || core_pgs(c) != PGS_PRIMARY ||
		       c->lease.primary_since > c->plan.started ||
		       now->raw - c->pg.seen_at > ANSWERS;
		/* What died under it, or has no room, may not start again: as
		 * at any other time the heir goes first. */
		dead =
		    c->pg.full || (c->hand.end == 0 && core_pgs(c) == PGS_GONE);
		plan_end(c, now, back && !dead ? "taken back" : "given up");
		if (back && !dead)
			plan_start(c, now, PLAN_RESTART);
	} else if (r->late == LATE_ABANDON) {
		plan_note_over(c, true);
		plan_abandon(c, now);
		plan_end(c, now, "abandoned");
	} else if (r->late == LATE_AGAIN) {
		plan_enter(c, now, c->plan.row);
	} else {
		plan_enter(c, now, c->plan.row + 1);
	}
}

/* What the row asked for must not go on now. */
static void
plan_pause(struct core *c)
{
	int k;

	for (k = 0; k < ACT_COUNT && c->plan.acted; k++)
		if (!plan_leaves(c, k))
			goal_stop(c, (enum act_kind)k);
	c->plan.acted = false;
}

static void
plan_done(struct core *c, const struct now *now)
{
	node_t n;

	if (c->plan.id == PLAN_STEPDOWN || c->plan.id == PLAN_SWITCHOVER)
		for (n = 0; n < NODES_MAX; n++)
			if (n != c->conf.self &&
			    (core_rec(c)->candidates & NODE_BIT(n)))
				core_do(c, DO_NUDGE)->node = n;
	if (c->plan.id == PLAN_TAKEOVER) {
		c->order.on = false;
		c->pullers_no = 0;
	}
	if (c->plan.id == PLAN_REJOIN)
		rejoin_done(c);
	plan_end(c, now, "done");
}

/* Steps as far as the world allows in this turn. */
void
plan_turn(struct core *c, const struct now *now)
{
	const struct plan_row *r;
	enum answer ans;
	int count = 0;

	while (c->plan.id != PLAN_NONE) {
		plan_rows(c->plan.id, &count);
		if (c->plan.row >= count) {
			plan_done(c, now);
			return;
		}
		r = plan_row(c);
		ans = r->beside ? ANS_UNKNOWN : r->ask(c, now);
		if (ans == ANS_NO && r->late == LATE_BACK) {
			plan_late(c, now);
			continue;
		}
		if (ans == ANS_NO && r->late == LATE_ABANDON) {
			plan_note_over(c, false);
			plan_abandon(c, now);
			plan_end(c, now, "refused");
			return;
		}
		if (ans != ANS_YES && r->may != NULL && !r->may(c, now)) {
			plan_pause(c);
		} else if (ans != ANS_YES && !c->plan.acted) {
			c->plan.acted = true;
			r->act(c, now);
			ans = r->beside ? ANS_YES : r->ask(c, now);
		}
		if (ans == ANS_YES) {
			core_tell(c, EMIT_plan_row, "%s: %s after %lld ms",
			    plan_name[c->plan.id], r->name,
			    (long long)(now->raw - c->plan.since) / USEC_MSEC);
			plan_enter(c, now, c->plan.row + 1);
			continue;
		}
		if (now->raw - c->plan.since >= r->limit ||
		    (ans == ANS_NO && now->raw - c->plan.since >= USEC_SEC)) {
			plan_late(c, now);
			continue;
		}
		return;
	}
}
