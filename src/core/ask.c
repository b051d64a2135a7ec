/*
 * The questions of the plans' rows. Each is about what was observed; unknown
 * waits, then is late.
 */
#include "core/steps.h"

bool
steps_ours(const struct core *c, enum rec_state state)
{
	return core_rec(c)->holder == c->conf.self &&
	       core_rec(c)->state == state;
}

static enum answer
yes_if(bool b)
{
	return b ? ANS_YES : ANS_UNKNOWN;
}

enum answer
ask_claimed(const struct core *c, const struct now *now)
{
	if (steps_ours(c, REC_CLAIMED) || steps_ours(c, REC_HELD))
		return ANS_YES;
	return c->plan.acted && !c->dur.claim ? ANS_NO : ANS_UNKNOWN;
}

enum answer
ask_proof(const struct core *c, const struct now *now)
{
	if (c->dur.proof_epoch != core_rec(c)->epoch)
		return ANS_NO;
	return yes_if(core_saved(c, c->claim_version));
}

enum answer
ask_runs(const struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_START) == ANS_NO)
		return ANS_NO;
	return yes_if(core_pgs(c) == PGS_STANDBY || core_pgs(c) == PGS_PRIMARY);
}

enum answer
ask_wal(const struct core *c, const struct now *now)
{
	enum block b = claim_wal(c);

	if (core_pgs(c) == PGS_PRIMARY) /* checked before it was promoted */
		return ANS_YES;
	if (b == BLOCK_NONE)
		return ANS_YES;
	return b == BLOCK_PG_UNKNOWN ? ANS_UNKNOWN : ANS_NO;
}

enum answer
ask_readers(const struct core *c, const struct now *now)
{
	return yes_if(c->fence.readers_until == 0);
}

enum answer
ask_names(const struct core *c, const struct now *now)
{
	if (core_pgs(c) == PGS_PRIMARY && steps_ours(c, REC_HELD))
		return ANS_YES;
	/* Prepared while it followed; who is named beside them only makes
	 * commits wait that nobody may acknowledge yet. */
	if (core_pgs(c) == PGS_STANDBY && !c->pg.sync_other &&
	    (core_rec(c)->candidates & ~c->pg.sync_names) == 0)
		return ANS_YES;
	return goal_result(c, ACT_NAMES);
}

enum answer
ask_pullers(const struct core *c, const struct now *now)
{
	/* What is promoted already was asked before it was. */
	if (!c->conf.before || core_pgs(c) == PGS_PRIMARY)
		return ANS_YES;
	return goal_result(c, ACT_PULLERS);
}

enum answer
ask_marked(const struct core *c, const struct now *now)
{
	return yes_if(c->dur.primary_epoch == core_rec(c)->epoch &&
		      core_saved(c, c->mark_version));
}

enum answer
ask_primary(const struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_PROMOTE) == ANS_NO ||
	    goal_result(c, ACT_START) == ANS_NO)
		return ANS_NO;
	return yes_if(core_pgs(c) == PGS_PRIMARY);
}

/* Only while the record is ours and its lease is ahead. */
bool
may_promote(const struct core *c, const struct now *now)
{
	/* A person may have adopted the record since, in another epoch: for
	 * that there is no proof. */
	return steps_ours(c, REC_CLAIMED) && lease_ahead(c, now) &&
	       c->dur.proof_epoch == core_rec(c)->epoch;
}

enum answer
ask_held(const struct core *c, const struct now *now)
{
	return yes_if(
	    steps_ours(c, REC_HELD) && c->lease.confirmed && !c->pending.on);
}

enum answer
ask_relaxed(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_NAMES);
}

enum answer
ask_settled(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_SETTLE);
}

enum answer
ask_open(const struct core *c, const struct now *now)
{
	return yes_if(c->fence.writers == WRITERS_OPEN);
}

enum answer
ask_committed(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_COMMIT);
}

enum answer
ask_arrived(const struct core *c, const struct now *now)
{
	return yes_if(
	    !c->act[ACT_CONVERGE].running && !c->act[ACT_TRAFFIC].running);
}

enum answer
ask_verified(const struct core *c, const struct now *now)
{
	return c->conf.verify ? goal_result(c, ACT_SITE) : ANS_YES;
}

enum answer
ask_beside(const struct core *c, const struct now *now)
{
	return yes_if(
	    !c->act[ACT_METADATA].running && !c->act[ACT_CHECKPOINT].running);
}

enum answer
ask_closed(const struct core *c, const struct now *now)
{
	return yes_if(c->fence.writers == WRITERS_CLOSED);
}

enum answer
ask_stopped(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_STOP);
}

enum answer
ask_signal(const struct core *c, const struct now *now)
{
	/* Half rewritten, it is not to be started as a standby either. */
	return rejoin_apart(c) ? ANS_YES : goal_result(c, ACT_SIGNAL);
}

enum answer
ask_released(const struct core *c, const struct now *now)
{
	/* Only what is ours is ours to release. */
	return yes_if(!lease_mine(c));
}

enum answer
ask_alone(const struct core *c, const struct now *now)
{
	return yes_if(lease_possible(c) == 0 && core_rec(c)->candidates == 0 &&
		      c->lease.confirmed);
}

enum answer
ask_follows(const struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_START) == ANS_NO)
		return ANS_NO;
	return yes_if(core_pgs(c) == PGS_STANDBY);
}
