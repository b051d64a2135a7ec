/*
 * The deeds of the plans' rows: each asks for a goal, or writes the record.
 * One that cannot be done now is tried again in the next turn.
 */
#include "core/steps.h"

void
deed_claim(struct core *c, const struct now *now)
{
	if (!c->dur.claim)
		claim_begin(c, now);
}

void
deed_start_standby(struct core *c, const struct now *now)
{
	/* What was promoted under this very claim comes back as it is. */
	bool promoted = c->dur.primary_epoch == core_rec(c)->epoch &&
			steps_ours(c, REC_CLAIMED) && !c->pg.signal;
	struct goal g = { .standby = !promoted };

	/* Apart from all others, until where its log ends is known. */
	g.aside = c->plan.id == PLAN_REJOIN &&
		  !plan_at_or_past(c, PLAN_REJOIN, "ended");
	/* Not before it was looked at. */
	if (core_pgs(c) != PGS_GONE) {
		c->plan.acted = false;
		return;
	}
	goal_ask(c, ACT_START, &g);
}

void
deed_start_primary(struct core *c, const struct now *now)
{
	struct goal g = { .standby = false };

	/* What it writes from now on nobody else will have. */
	if (c->dur.handed_epoch != 0) {
		c->dur.handed_epoch = 0;
		c->hand_version = core_save(c);
	}
	if (!core_saved(c, c->hand_version)) {
		c->plan.acted = false;
		return;
	}
	goal_ask(c, ACT_START, &g);
}

void
deed_nothing(struct core *c, const struct now *now)
{
}

void
deed_names_claim(struct core *c, const struct now *now)
{
	struct goal g = { .names = core_rec(c)->candidates };

	goal_ask(c, ACT_NAMES, &g);
}

void
deed_names_none(struct core *c, const struct now *now)
{
	/* Nobody, here; a name never leaves while its node may claim. */
	struct goal g = { .names = c->conf.bounded ? 0 : lease_possible(c) };

	goal_ask(c, ACT_NAMES, &g);
}

void
deed_pullers(struct core *c, const struct now *now)
{
	struct goal g = { .node = c->conf.self };

	goal_ask(c, ACT_PULLERS, &g);
}

static void
deed_tell_loss(struct core *c)
{
	lsn_t end = c->pg.wal_end, floor = claim_floor(c);

	core_tell(c, EMIT_takeover_loss,
	    "at most %llu bytes of what is known to have been written are "
	    "missing here, and what was written in the last %lld ms before "
	    "the loss",
	    (unsigned long long)(floor > end ? floor - end : 0),
	    (long long)core_rec(c)->ttl / USEC_MSEC);
}

/* From here on this data may hold what others do not have. */
void
deed_mark(struct core *c, const struct now *now)
{
	if (c->dur.primary_epoch == core_rec(c)->epoch)
		return;
	if (c->conf.bounded)
		deed_tell_loss(c);
	/* What was a primary's before stays one's, whatever comes of this. */
	c->plan.marked = c->dur.primary_epoch == 0;
	c->dur.primary_epoch = core_rec(c)->epoch;
	c->mark_version = core_save(c);
}

void
deed_promote(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	c->plan.promoted = true;
	goal_ask(c, ACT_PROMOTE, &g);
}

void
deed_held(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	rec.state = REC_HELD;
	rec.candidates = 0;
	/* Nothing of this epoch is acknowledged: our own end is its floor. */
	rec.lsn = 0;
	if (!cas_send(c, now, FOR_HELD, &rec))
		c->plan.acted = false;
}

void
deed_settle(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_SETTLE, &g);
}

void
deed_commit(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_COMMIT, &g);
}

void
deed_verify(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_SITE, &g);
}

void
deed_metadata(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_METADATA, &g);
}

void
deed_checkpoint(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_CHECKPOINT, &g);
}

void
deed_pg_stop(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_STOP, &g);
}

void
deed_signal(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_SIGNAL, &g);
}

void
deed_release(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	if (!lease_mine(c))
		return;
	rec.state = REC_RELEASED;
	if (!cas_send(c, now, FOR_RELEASE, &rec)) {
		c->plan.acted = false;
		return;
	}
	/* To be had again by this node, should it take the record back: more
	 * than each candidate has may have been acknowledged by another. */
	if (c->position_epoch == rec.epoch) {
		c->dur.told = c->position;
		c->dur.told_epoch = rec.epoch;
		core_save(c);
	}
}

void
deed_alone(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	rec.candidates = 0;
	if (!cas_send(c, now, FOR_REMOVE, &rec))
		c->plan.acted = false;
}
