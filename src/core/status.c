/*
 * What the core knows and waits for, for people, tests and the simulator.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

static void
status_plan(const struct core *c, struct core_status *st)
{
	const struct plan_row *rows;
	int count;

	st->over_why = c->over.why;
	if (c->over.plan != PLAN_NONE) {
		rows = plan_rows(c->over.plan, &count);
		st->over_plan = plan_name[c->over.plan];
		st->over_row = rows[c->over.row].name;
		st->over_late = c->over.late;
	}
	st->stuck =
	    c->rejoin.stuck != 0 && c->rejoin.stuck == core_rec(c)->epoch;
	if (c->plan.id == PLAN_NONE)
		return;
	rows = plan_rows(c->plan.id, &count);
	st->plan = plan_name[c->plan.id];
	st->row = rows[c->plan.row < count ? c->plan.row : count - 1].name;
	st->row_since = c->plan.since;
}

/* The latest of all that stand against it and are known to end. */
static usec_t
status_by_itself(
    const struct core *c, const struct now *now, const struct core_status *st)
{
	usec_t at = st->claim_at, left = claim_interval_left(c, now);

	if (at < c->plan.retry_at)
		at = c->plan.retry_at;
	if (st->gives_way_to != NODE_NONE && at < c->rank.until)
		at = c->rank.until;
	if (!c->order.on && left > 0 && at < now->raw + left)
		at = now->raw + left;
	return at;
}

static void
status_claim(
    const struct core *c, const struct now *now, struct core_status *st)
{
	usec_t when, promised = c->promise.until;

	enum block b = claim_check(c, now, &when);

	st->gives_way_to = rank_first(c, now);
	if (b == BLOCK_NONE && st->gives_way_to != NODE_NONE)
		b = BLOCK_GIVES_WAY;
	st->claim_block = block_str(b);
	st->claim_at = c->reg.first_seen + core_wait(c, core_rec(c)->ttl);
	if (st->claim_at < promised)
		st->claim_at = promised;
	if (st->claim_at < c->no_claim_before)
		st->claim_at = c->no_claim_before;
	st->by_itself_at = status_by_itself(c, now, st);
}

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	node_t n;

	memset(st, 0, sizeof(*st));
	st->rel = core_rel(c);
	st->pg = core_pgs(c);
	st->full = c->pg.full;
	st->duty = c->dur.latch ? "latched" : role_duty(c)->name;
	st->duty_why = c->dur.latch ? c->dur.latch_why : role_duty(c)->why;
	status_plan(c, st);
	st->waits_for = block_str(c->waits);
	st->rec = *core_rec(c);
	str_cut(st->instance, sizeof(st->instance), c->reg.value.instance);
	st->revision = c->reg.value.revision;
	st->register_ok = c->reg.read_at != 0 && !c->reg.failing &&
			  now->raw - c->reg.read_at < 2 * c->conf.ttl;
	st->cold = c->reg.cold;
	st->amnesiac = c->reg.amnesiac;
	st->deadline = c->lease.deadline;
	st->possible = lease_possible(c);
	pause_status(c, now, st);
	st->writers = c->fence.writers;
	st->element = c->fence.element;
	st->readers_until = c->fence.readers_until;
	st->promised_until = c->promise.until;
	status_claim(c, now, st);
	for (n = 0; n < NODES_MAX; n++)
		if (site_differs(c, n))
			st->differ |= NODE_BIT(n);
	st->armed = c->armed;
	str_cut(st->armed_why, sizeof(st->armed_why), c->armed_why);
	st->probe = lease_probe(c, now);
	st->in_force = core_rel(c) == REL_HELD && !c->conf.bounded ?
			   core_rec(c)->candidates :
			   0;
	st->floor = claim_floor(c);
	st->durable = &c->dur;
	st->overtaken = latch_diverged(c);
	memcpy(st->heard_at, c->heard_at, sizeof(st->heard_at));
	memcpy(st->peer, c->peer, sizeof(st->peer));
	st->shooting = c->shoot.asked ? c->shoot.of.rec.holder : NODE_NONE;
	st->off = shoot_proof(c) ? c->shoot.of.rec.holder : NODE_NONE;
	st->shoot_why = c->act[ACT_FENCE].reason;
	st->without = alone_without(c) == 0 ? NODE_NONE : alone_other(c);
	st->met = c->reg.met;
	st->half = c->reg.value.half;
	st->split = c->reg.split;
	st->adding = c->sync.add == ADD_NONE ? NODE_NONE : c->sync.adding;
	memcpy(st->good_since, c->sync.good_since, sizeof(st->good_since));
	st->follow = c->act[ACT_FOLLOW].running ? c->follow.node : NODE_NONE;
	st->follow_why = c->act[ACT_FOLLOW].reason;
	site_status(c, &st->site);
	st->hand_end = c->hand.end;
	st->hand_flushed = c->hand.wal_end;
}
