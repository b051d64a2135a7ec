/*
 * Data that may hold what nobody else has is made a standby's again.
 *
 * A node that was the primary and is not any more is latched: nothing is
 * started from what lies there. It may be rewritten when that is known to be
 * no loss. Another node holds, `held` and not merely claimed, by a record that
 * is read after this began, seen renewed since, and below no epoch that is
 * known of; it is not released, and its register is neither cold nor amnesiac.
 * That record lists this node nowhere: so nobody counts on this data. The
 * holder's server is asked itself, before anything is rewritten, whether it is
 * a primary, of the same system, past the record's position, and has ended a
 * checkpoint on its own timeline.
 *
 * Before the first change it is on disk for whom, in which epoch, this data is
 * set aside; before the first byte is rewritten, that it may be half
 * rewritten; and when it is whole. Until it streams, the latch stays: it does
 * not claim, and is started by this plan alone. What is half rewritten is not
 * started at all. It may be rewritten again from the same holder in the same
 * epoch, since all that this begins with is kept; what another holder has may
 * be of another history, and then only a copy of all of it will do. A copy is
 * made beside, and takes the data's place when it is whole.
 *
 * By itself only what is latched for a divergence, as far as the configuration
 * says, and not in a pause; all else when a person orders it.
 */
#include <string.h>

#include "core/steps.h"

#define AGAIN (5 * USEC_SEC)
#define DOUBLINGS 3
#define HALVES_MAX 3 /* attempts at half rewritten data, then it is a copy */

bool
rejoin_may_clone(const struct core *c)
{
	return c->rejoin.clone || c->conf.rejoin == CORE_REJOIN_CLONE;
}

/* It was begun with what another holds, or held in another epoch. */
static bool
rejoin_others(const struct core *c)
{
	return c->dur.rejoin_from != core_rec(c)->holder ||
	       c->dur.rejoin_epoch != core_rec(c)->epoch;
}

/* Half of what another has, or too many attempts: all has to be new. */
bool
rejoin_lost(const struct core *c)
{
	return c->dur.rejoin == REJOIN_HALF &&
	       (c->rejoin.halves >= HALVES_MAX || rejoin_others(c));
}

/* Is there a reason to, by a person's word or by the configuration? */
bool
rejoin_wanted(const struct core *c)
{
	if (!c->dur.latch || c->conf.mode == CORE_OBSERVE)
		return false;
	if (c->rejoin.ordered)
		return true;
	return c->conf.mode == CORE_AUTO && core_rec(c)->paused_until == 0 &&
	       c->conf.rejoin != CORE_REJOIN_NONE &&
	       (c->dur.diverged || c->dur.rejoin != REJOIN_NO);
}

/* The record as it is known now: may what lies here be touched? */
enum block
rejoin_record(const struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);

	if (c->reg.failing || now->raw - c->reg.read_at >= rec->ttl)
		return BLOCK_REGISTER_DOWN;
	if (c->reg.cold)
		return BLOCK_COLD;
	if (c->reg.amnesiac)
		return BLOCK_AMNESIAC;
	if (c->reg.hint_epoch > rec->epoch || rec->epoch < c->dur.epoch)
		return BLOCK_HIGHER_EPOCH;
	if (c->dur.claim || c->pending.on)
		return BLOCK_CLAIM_OPEN;
	if (core_rel(c) != REL_OTHER || rec->state != REC_HELD)
		return BLOCK_NOBODY_HOLDS;
	if (rec->candidates & NODE_BIT(c->conf.self))
		return BLOCK_LISTED;
	return BLOCK_NONE;
}

enum block
rejoin_check(const struct core *c, const struct now *now)
{
	enum block b = rejoin_record(c, now);

	if (b != BLOCK_NONE)
		return b;
	if (c->rejoin.stuck == core_rec(c)->epoch && !rejoin_may_clone(c))
		return BLOCK_STUCK;
	return BLOCK_NONE;
}

/* The holder as at the plan's first row, its record alive. */
bool
may_rejoin(const struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);

	return rejoin_record(c, now) == BLOCK_NONE &&
	       rec->holder == c->rejoin.from && rec->epoch == c->rejoin.epoch &&
	       now->raw - c->reg.first_seen < core_wait(c, rec->ttl);
}

bool
rejoin_stands(const struct core *c)
{
	const struct record *rec = core_rec(c);

	if (core_rel(c) != REL_OTHER || rec->state != REC_HELD)
		return false;
	if (c->rejoin.from != NODE_NONE &&
	    (rec->holder != c->rejoin.from || rec->epoch != c->rejoin.epoch))
		return false;
	return c->dur.latch || plan_at_or_past(c, PLAN_REJOIN, "clear");
}

bool
rejoin_apart(const struct core *c)
{
	return c->dur.rejoin == REJOIN_HALF;
}

void
rejoin_set(struct core *c, enum rejoin stage)
{
	if (c->dur.rejoin == stage)
		return;
	c->dur.rejoin = stage;
	c->rejoin_version = core_save(c);
}

void
rejoin_begin(struct core *c)
{
	c->rejoin.from = NODE_NONE;
	c->rejoin.epoch = 0;
	c->rejoin.fork = FORK_UNKNOWN;
}

void
rejoin_failed(struct core *c, const struct now *now)
{
	struct rejoin_state *r = &c->rejoin;

	if (plan_at_or_past(c, PLAN_REJOIN, "rewind"))
		r->halves++;
	/* Whole, and still it does not follow: to be looked at anew. One that
	 * does not even start is no copy of what this holder has. */
	if (c->dur.rejoin == REJOIN_WHOLE &&
	    plan_at_or_past(c, PLAN_REJOIN, "streams"))
		rejoin_set(c, REJOIN_ASIDE);
	else if (c->dur.rejoin == REJOIN_WHOLE &&
		 plan_at_or_past(c, PLAN_REJOIN, "start") &&
		 (r->halves >= HALVES_MAX || rejoin_others(c)))
		rejoin_set(c, REJOIN_HALF);
	r->next = now->raw + (AGAIN << r->times);
	if (r->times < DOUBLINGS)
		r->times++;
	r->ordered = r->clone = false;
}

/* Whoever made a primary of what was whole: it holds more by now. */
void
rejoin_written(struct core *c)
{
	if (c->dur.rejoin == REJOIN_WHOLE)
		rejoin_set(c, REJOIN_ASIDE);
}

void
rejoin_done(struct core *c)
{
	memset(&c->rejoin, 0, sizeof(c->rejoin));
	c->rejoin.from = NODE_NONE;
	c->rejoin.tell = true;
}

/* repmgr, whose commands come by TCP: once readers are let in. Nothing depends
 * on it. */
void
rejoin_turn(struct core *c)
{
	struct goal g = { .node = core_rec(c)->holder, .standby = true };

	if (!c->rejoin.tell || c->plan.id != PLAN_NONE ||
	    c->fence.readers_until == 0)
		return;
	c->rejoin.tell = false;
	if (core_rel(c) == REL_OTHER && core_pgs(c) == PGS_STANDBY)
		goal_ask(c, ACT_METADATA, &g);
}

const char *
core_order_rejoin(struct core *c, const struct now *now, bool clone)
{
	const struct record *rec = core_rec(c);
	enum block b = rejoin_record(c, now);

	if (c->conf.mode == CORE_OBSERVE)
		return "the mode is observe: set mode = \"manual\"\n"
		       "systemctl restart hawatchd";
	if (rec->holder == c->conf.self && rec->state != REC_NONE)
		return "this node holds the record itself: there is nobody to "
		       "rejoin\nhactl status";
	if (b != BLOCK_NONE)
		return block_str(b);
	if (c->plan.id != PLAN_NONE)
		return "a plan runs\nhactl status";
	if (!c->dur.latch && core_pgs(c) == PGS_STANDBY && c->pg.receiver)
		return "this standby receives from the primary: there is "
		       "nothing to rejoin\nhactl status";
	if (rejoin_lost(c) && !clone && !rejoin_may_clone(c))
		return "this data is half rewritten, from a primary that is "
		       "none any more: only a copy of all of it will do\n"
		       "hactl rejoin --clone";
	memset(&c->rejoin, 0, sizeof(c->rejoin));
	c->rejoin.from = NODE_NONE;
	c->rejoin.ordered = true;
	c->rejoin.clone = clone;
	if (!c->dur.latch)
		role_latch(c, "a person ordered that it rejoins");
	return NULL;
}
