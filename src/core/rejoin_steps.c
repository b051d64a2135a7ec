/*
 * The rows of the plan "rejoin": its questions, and its deeds. By which rules
 * is in rejoin.c.
 */
#include "core/steps.h"

/* Read after the plan began, and written since. */
enum answer
ask_apart(const struct core *c, const struct now *now)
{
	if (rejoin_record(c, now) != BLOCK_NONE)
		return ANS_UNKNOWN;
	return c->rejoin.from != NODE_NONE && may_rejoin(c, now) ? ANS_YES :
								   ANS_UNKNOWN;
}

void
deed_apart(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);

	c->plan.acted = false;
	if (rejoin_record(c, now) != BLOCK_NONE ||
	    c->reg.first_seen <= c->plan.started)
		return;
	c->rejoin.from = rec->holder;
	c->rejoin.epoch = rec->epoch;
	c->rejoin.floor = rec->lsn;
}

static enum answer
rejoin_is(const struct core *c, enum rejoin stage)
{
	return c->dur.rejoin >= stage && core_saved(c, c->rejoin_version) ?
		   ANS_YES :
		   ANS_UNKNOWN;
}

enum answer
ask_aside_marked(const struct core *c, const struct now *now)
{
	return rejoin_is(c, REJOIN_ASIDE);
}

void
deed_aside_mark(struct core *c, const struct now *now)
{
	if (c->dur.rejoin >= REJOIN_ASIDE)
		return;
	c->dur.rejoin_from = c->rejoin.from;
	c->dur.rejoin_epoch = c->rejoin.epoch;
	rejoin_set(c, REJOIN_ASIDE);
}

/* What is to be done needs no look at what is here. */
static bool
rejoin_known(const struct core *c)
{
	return c->dur.rejoin > REJOIN_ASIDE || c->rejoin.clone;
}

enum answer
ask_aside(const struct core *c, const struct now *now)
{
	return rejoin_known(c) ? ANS_YES : goal_result(c, ACT_ASIDE);
}

void
deed_aside(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_ASIDE, &g);
}

enum answer
ask_recovered(const struct core *c, const struct now *now)
{
	return rejoin_known(c) ? ANS_YES : ask_follows(c, now);
}

enum answer
ask_ended(const struct core *c, const struct now *now)
{
	return rejoin_known(c) ? ANS_YES : goal_result(c, ACT_STOP);
}

void
deed_pg_end_standby(struct core *c, const struct now *now)
{
	struct goal g = { .clean = true, .standby = true };

	goal_ask(c, ACT_STOP, &g);
}

enum answer
ask_compared(const struct core *c, const struct now *now)
{
	if (c->rejoin.fork == FORK_UNKNOWN)
		return goal_result(c, ACT_COMPARE) == ANS_NO ? ANS_NO :
							       ANS_UNKNOWN;
	return c->rejoin.fork == FORK_CLONE && !rejoin_may_clone(c) ? ANS_NO :
								      ANS_YES;
}

void
deed_compare(struct core *c, const struct now *now)
{
	struct rejoin_state *r = &c->rejoin;
	struct goal g = {
		.node = r->from, .lsn = r->floor, .standby = c->dur.follower
	};
	const struct act_state *st = &c->act[ACT_COMPARE];

	c->plan.acted = false;
	if (r->clone)
		r->fork = FORK_CLONE;
	else if (c->dur.rejoin == REJOIN_WHOLE)
		r->fork = FORK_NONE;
	else if (c->dur.rejoin == REJOIN_HALF)
		r->fork = rejoin_lost(c) ? FORK_CLONE : FORK_REWIND;
	else if (st->result == ANS_YES) {
		r->fork = st->fork;
		r->common = st->lsn;
	} else if (!st->running && st->result == ANS_UNKNOWN)
		goal_ask(c, ACT_COMPARE, &g);
	if (r->fork != FORK_CLONE || rejoin_may_clone(c))
		return;
	r->stuck = r->epoch;
	if (c->dur.rejoin == REJOIN_HALF)
		core_tell(c, EMIT_rejoin_stuck,
		    "half rewritten, from a primary that is none any more");
	else
		core_tell(c, EMIT_rejoin_stuck,
		    "this data cannot be rewound: %s", st->reason);
}

enum answer
ask_kept(const struct core *c, const struct now *now)
{
	if (c->rejoin.fork != FORK_REWIND || c->dur.rejoin > REJOIN_ASIDE)
		return ANS_YES;
	return goal_result(c, ACT_SAVE);
}

void
deed_keep(struct core *c, const struct now *now)
{
	struct goal g = { .lsn = c->rejoin.common };

	goal_ask(c, ACT_SAVE, &g);
}

/* What can follow as it is, is not rewritten; nor is what a copy is made beside
 * of, but if it was half rewritten once, nobody may ever go on with that. */
enum answer
ask_half(const struct core *c, const struct now *now)
{
	if (c->rejoin.fork == FORK_REWIND)
		return rejoin_is(c, REJOIN_HALF);
	if (c->dur.rejoin != REJOIN_HALF)
		return ANS_YES;
	return c->dur.rejoin_from == NODE_NONE ? rejoin_is(c, REJOIN_HALF) :
						 ANS_UNKNOWN;
}

void
deed_half(struct core *c, const struct now *now)
{
	if (c->rejoin.fork != FORK_REWIND) {
		c->dur.rejoin_from = NODE_NONE;
		c->rejoin_version = core_save(c);
		return;
	}
	c->dur.rejoin_from = c->rejoin.from;
	c->dur.rejoin_epoch = c->rejoin.epoch;
	rejoin_set(c, REJOIN_HALF);
}

enum answer
ask_made(const struct core *c, const struct now *now)
{
	return goal_result(
	    c, c->rejoin.fork == FORK_CLONE ? ACT_CLONE : ACT_REWIND);
}

void
deed_make(struct core *c, const struct now *now)
{
	struct goal g = { .node = c->rejoin.from, .fork = c->rejoin.fork };

	g.lsn = c->rejoin.floor;
	goal_ask(c, g.fork == FORK_CLONE ? ACT_CLONE : ACT_REWIND, &g);
}

enum answer
ask_whole(const struct core *c, const struct now *now)
{
	return rejoin_is(c, REJOIN_WHOLE);
}

void
deed_whole(struct core *c, const struct now *now)
{
	rejoin_set(c, REJOIN_WHOLE);
}

enum answer
ask_streams(const struct core *c, const struct now *now)
{
	const struct pg_view *pg = &c->pg;

	if (core_pgs(c) == PGS_GONE)
		return ANS_NO;
	return core_pgs(c) == PGS_STANDBY && pg->receiver &&
		       pg->seen_at > c->plan.since &&
		       pg->source == NODE_BIT(c->rejoin.from) &&
		       pg->timeline == core_rec(c)->timeline &&
		       pg->wal_end >= c->rejoin.floor ?
		   ANS_YES :
		   ANS_UNKNOWN;
}

void
deed_streams(struct core *c, const struct now *now)
{
	struct goal g = { .node = c->rejoin.from };

	goal_ask(c, ACT_FOLLOW, &g);
}

enum answer
ask_cleared(const struct core *c, const struct now *now)
{
	return !c->dur.latch && core_saved(c, c->rejoin_version) ? ANS_YES :
								   ANS_UNKNOWN;
}

void
deed_clear(struct core *c, const struct now *now)
{
	struct durable *d = &c->dur;

	d->latch = d->fenced = d->diverged = d->follower = false;
	d->latch_why[0] = '\0';
	d->primary_epoch = 0;
	d->handed_epoch = 0;
	d->rejoin = REJOIN_NO;
	c->rejoin_version = core_save(c);
}
