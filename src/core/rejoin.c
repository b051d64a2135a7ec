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
 * Data that was latched as a standby's, and was no primary's since, is its
 * primary's: on one timeline with it, it follows as it is. Any other data on
 * that timeline was promoted for itself. A person who orders a copy gets one:
 * nothing is asked of what is thrown away, which may not even start.
 *
 * Before the first change it is on disk for whom, in which epoch, this data is
 * set aside; before the first byte is rewritten, that it may be half
 * rewritten; and when it is whole. Until it streams, the latch stays: it does
 * not claim, and is started by this plan alone. What is half rewritten is not
 * started at all. It may be rewritten again from the same holder in the same
 * epoch, since all that this begins with is kept; what another holder has may
 * be of another history, and then only a copy of all of it will do. A copy is
 * made beside, and takes the data's place when it is whole. Where copies do not
 * stream either, the reason is not in the data: after a few the last one is
 * only tried again now and then, until a person goes on.
 * What the first one took the place of may be the only copy of what was
 * acknowledged, and is not old before there is one that streams.
 *
 * By itself only what is latched for a divergence, as far as the configuration
 * says, and not in a pause; all else when a person orders it.
 */
#include <stdio.h>
#include <string.h>

#include "core/steps.h"
#include "hawatch/str.h"

#define AGAIN (5 * USEC_SEC)
#define DOUBLINGS 3
#define HALVES_MAX 3 /* attempts at half rewritten data, then it is a copy */
#define COPY_TRIES 3 /* that it streams, then there is another copy; */
#define COPIES_MAX 2 /* for one holder's epoch */
#define COPY_AGAIN (300 * USEC_SEC) /* then the last one, now and then */

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

/* Another copy would do no better. */
static bool
rejoin_in_vain(const struct core *c)
{
	const struct rejoin_state *r = &c->rejoin;

	return r->copied == core_rec(c)->epoch && r->copies >= COPIES_MAX &&
	       r->tried >= COPY_TRIES;
}

enum block
rejoin_check(const struct core *c, const struct now *now)
{
	enum block b = rejoin_record(c, now);

	if (b != BLOCK_NONE)
		return b;
	if (rejoin_in_vain(c) && now->raw < c->rejoin.vain_until)
		return BLOCK_COPIES;
	if (c->rejoin.stuck == core_rec(c)->epoch && !rejoin_may_clone(c))
		return BLOCK_STUCK;
	return BLOCK_NONE;
}

/* The holder as at the plan's first row, its record alive. */
bool
may_rejoin(const struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);

	/* What is kept beside this data harms nobody: it is not begun anew for
	 * a register that is silent for a while. */
	if (c->act[ACT_SAVE].running)
		return true;
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

/* In this plan a copy took the place of what was here. */
static void
rejoin_was_copied(struct core *c)
{
	struct rejoin_state *r = &c->rejoin;

	r->copies = r->copied == r->epoch ? r->copies + 1 : 1;
	r->copied = r->epoch;
	r->tried = 0;
}

/* A copy is tried again, and after that another one; and then nothing. True of
 * all else. */
static bool
rejoin_anew(struct core *c)
{
	struct rejoin_state *r = &c->rejoin;

	if (r->copied != r->epoch)
		return true;
	r->tried++;
	if (rejoin_in_vain(c))
		core_tell(c, EMIT_rejoin_stuck,
		    "%d copies of the primary's data do not start, or do not "
		    "stream",
		    r->copies);
	return r->tried >= COPY_TRIES && !rejoin_in_vain(c);
}

/* Whole, and still it does not follow: to be looked at anew. One that does not
 * even start is no copy of what this holder has. */
static void
rejoin_no_good(struct core *c)
{
	if (!rejoin_anew(c))
		return;
	if (plan_at_or_past(c, PLAN_REJOIN, "streams"))
		rejoin_set(c, REJOIN_ASIDE);
	else if (c->rejoin.halves >= HALVES_MAX || rejoin_others(c))
		rejoin_set(c, REJOIN_HALF);
}

void
rejoin_failed(struct core *c, const struct now *now)
{
	struct rejoin_state *r = &c->rejoin;

	if (plan_at_or_past(c, PLAN_REJOIN, "rewind"))
		r->halves++;
	if (r->fork == FORK_CLONE && plan_at_or_past(c, PLAN_REJOIN, "whole"))
		rejoin_was_copied(c);
	if (c->dur.rejoin == REJOIN_WHOLE &&
	    plan_at_or_past(c, PLAN_REJOIN, "start"))
		rejoin_no_good(c);
	r->next = now->raw + (AGAIN << r->times);
	r->vain_until = now->raw + COPY_AGAIN;
	if (r->times < DOUBLINGS)
		r->times++;
	r->ordered = r->clone = false;
}

/* Whoever made a primary of what was whole, or its primary's: it holds more by
 * now. */
void
rejoin_written(struct core *c)
{
	if (c->dur.rejoin == REJOIN_WHOLE)
		rejoin_set(c, REJOIN_ASIDE);
	if (!c->dur.follower)
		return;
	c->dur.follower = false;
	core_save(c);
}

void
rejoin_done(struct core *c)
{
	memset(&c->rejoin, 0, sizeof(c->rejoin));
	c->rejoin.from = NODE_NONE;
	c->follow.tell = true;
	core_do(c, DO_REJOINED);
}

/* Good data that a person stopped is not rewritten by another one's word; where
 * it has become old since, that is said of it. */
static const char *
rejoin_fenced(struct core *c)
{
	char *at;

	if (!c->dur.latch || !c->dur.fenced || latch_diverged(c))
		return NULL;
	(void)snprintf(c->refusal, sizeof(c->refusal),
	    "this host was %s: nothing is rewritten, or started, before that "
	    "is taken back",
	    c->dur.latch_why);
	for (at = c->refusal; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	str_cut(at, sizeof(c->refusal) - (size_t)(at - c->refusal),
	    "\nhactl unfence");
	return c->refusal;
}

/* It follows: a copy of all of it can be asked for all the same, where nobody
 * counts on what is there. */
static const char *
rejoin_needless(const struct core *c, enum block b, bool clone)
{
	if (c->dur.latch || core_pgs(c) != PGS_STANDBY || !c->pg.receiver)
		return NULL;
	if (b == BLOCK_LISTED)
		return "a standby already, and a candidate: there is nothing "
		       "to rejoin\nhactl status";
	if (b == BLOCK_NONE && !clone)
		return "this standby receives from the primary: there is "
		       "nothing to rejoin\nhactl status";
	return NULL;
}

const char *
core_may_order_rejoin(struct core *c, const struct now *now, bool clone)
{
	const struct record *rec = core_rec(c);
	enum block b = rejoin_record(c, now);
	const char *why;

	if (c->conf.mode == CORE_OBSERVE)
		return "the mode is observe: set mode = \"manual\"\n"
		       "systemctl restart hawatchd";
	why = rejoin_fenced(c);
	if (why == NULL)
		why = rejoin_needless(c, b, clone);
	if (why != NULL)
		return why;
	if (rec->holder == c->conf.self && rec->state != REC_NONE)
		return "this node holds the record itself: there is nobody to "
		       "rejoin\nhactl status";
	if (b != BLOCK_NONE)
		return block_str(b);
	if (c->plan.id != PLAN_NONE)
		return "a plan runs\nhactl status";
	if (rejoin_lost(c) && !clone && !rejoin_may_clone(c))
		return "this data is half rewritten, from a primary that is "
		       "none any more: only a copy of all of it will do\n"
		       "hactl rejoin --clone";
	return NULL;
}

const char *
core_order_rejoin(struct core *c, const struct now *now, bool clone)
{
	const char *why = core_may_order_rejoin(c, now, clone);

	if (why != NULL)
		return why;
	memset(&c->rejoin, 0, sizeof(c->rejoin));
	c->rejoin.from = NODE_NONE;
	c->rejoin.ordered = true;
	c->rejoin.clone = clone;
	if (!c->dur.latch)
		latch_set(c, "a person ordered that it rejoins");
	return NULL;
}
