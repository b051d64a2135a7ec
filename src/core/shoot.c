/*
 * Having the holder's host switched off by its fence agents, and the proof
 * that comes of it.
 *
 * Who: only a candidate that lacks nothing for a claim but what the proof
 * replaces: the wait for the holder's lease and its own promises to that very
 * holder. Nobody shoots a host of which it could not take over; a node whose
 * own network is gone does not read the register, and shoots nobody. Where the
 * register is a copy on each host that says nothing: hawatch(7), TWO LONE
 * HOSTS, has by which network the agents must go then. Only in mode auto.
 *
 * When: the policy has the proof `agent`, the holder's host has agents, and
 * the holder has been silent for long enough: the record was not renewed, by a
 * read that was asked for after all that time, and nothing was heard from its
 * engine, by an engine here that ran all the while. A late reader, or one that
 * was stopped itself, must not take its own silence for the other's.
 *
 * What: the agents' yes counts for the very write of the record (instance,
 * revision, nonce) that this node watched when it asked them. Whatever is
 * newer from that holder voids it: a renewal, a message; so does all that
 * starts the waits of this node anew. It is enough, since a host that was off
 * after that write has lost its lease and the element in its kernel, and opens
 * again only by a write of its own, after which a claim of the old one fails.
 *
 * How it ends: refused, or too late, the lease's wait goes on as without, and
 * ends the shooting; where the policy does not take the lease for a proof, the
 * agents are asked again, as long as all this holds.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define SHOOT_AGAIN (10 * USEC_SEC)
#define SHOOT_LOOK (100 * USEC_MSEC)  /* between reads that were asked for */
#define SHOOT_FRESH (500 * USEC_MSEC) /* a read that is older says nothing */

/* The newest that was heard from its engine; 0 never. */
usec_t
shoot_heard(const struct core *c, node_t n)
{
	return c->heard_at[n] > c->site.report_at[n] ? c->heard_at[n] :
						       c->site.report_at[n];
}

/* Is what was asked for, or has come of it, about the record as it is, and has
 * nothing been heard from its holder since? */
static bool
shoot_stands(const struct core *c)
{
	const struct shoot *s = &c->shoot;

	return s->of.rec.state != REC_NONE &&
	       watch_same(&c->reg.value, &s->of) &&
	       shoot_heard(c, s->of.rec.holder) < s->at;
}

/* The holder's host is off, since after it last wrote the record. */
bool
shoot_proof(const struct core *c)
{
	return c->shoot.off && shoot_stands(c);
}

/* This node is at it, or has done it. */
bool
shoot_near(const struct core *c)
{
	return (c->shoot.asked || c->shoot.off) && shoot_stands(c);
}

void
shoot_void(struct core *c)
{
	struct shoot *s = &c->shoot;

	if (s->asked)
		goal_stop(c, ACT_FENCE);
	/* Not of what was used, or is of no use any more. */
	if (s->off && core_rec(c)->epoch == s->of.rec.epoch)
		core_tell(c, EMIT_shoot_void, "%s",
		    c->conf.names->node[s->of.rec.holder]);
	s->asked = s->off = false;
}

static bool
shoot_allowed(const struct core *c)
{
	const struct record *rec = core_rec(c);

	return c->conf.proof_agent && c->conf.mode == CORE_AUTO &&
	       (rec->state == REC_HELD || rec->state == REC_CLAIMED) &&
	       rec->holder != c->conf.self && c->reg.hint_epoch <= rec->epoch &&
	       (c->conf.agents & NODE_BIT(rec->holder));
}

/* Never within the rhythm of who holds it: that is a fifth of its T, and T is
 * not this node's to know. */
usec_t
shoot_after(const struct core *c)
{
	usec_t half = core_rec(c)->ttl / 2;

	return c->conf.agent_after > half ? c->conf.agent_after : half;
}

/* Nothing of its engine for so long, here, and as the register was read. */
static bool
shoot_silent(struct core *c, const struct now *now)
{
	usec_t after = shoot_after(c), first = c->reg.first_seen;

	if (now->raw - shoot_heard(c, core_rec(c)->holder) < after ||
	    !site_ran(c, now, after) || first == 0 || now->raw - first < after)
		return false;
	if (c->reg.read_at - first >= after &&
	    now->raw - c->reg.read_at <= SHOOT_FRESH)
		return true;
	if (now->raw - c->shoot.look_at >= SHOOT_LOOK) {
		c->shoot.look_at = now->raw;
		c->read_wanted = true;
	}
	return false;
}

/* All that a claim needs, but for what the proof replaces. */
static bool
shoot_wanted(struct core *c, const struct now *now)
{
	usec_t when;

	/* What a person has fenced needs no second time. */
	if (!shoot_allowed(c) || c->plan.id != PLAN_NONE ||
	    (c->order.on && c->order.fenced) || now->raw < c->plan.retry_at ||
	    now->raw < c->shoot.again ||
	    (c->conf.proof_lease && claim_waited(c, now)))
		return false;
	return claim_check_if(c, now, true, &when) == BLOCK_NONE &&
	       shoot_silent(c, now);
}

/* And a disk that takes what has to be on it before a claim is sent: whatever
 * it is, it is written now. */
static bool
shoot_saved(struct core *c)
{
	if (c->shoot.version == 0)
		c->shoot.version = core_save(c);
	return core_saved(c, c->shoot.version);
}

static void
shoot_begin(struct core *c, const struct now *now)
{
	struct goal g = { .node = core_rec(c)->holder };
	struct shoot *s = &c->shoot;

	s->of = c->reg.value;
	s->at = now->raw;
	s->asked = true;
	s->version = 0;
	core_tell(c, EMIT_shoot_start, "%s: silent for %lld ms",
	    c->conf.names->node[g.node],
	    (long long)(now->raw - c->reg.first_seen) / USEC_MSEC);
	goal_ask(c, ACT_FENCE, &g);
}

/* Off: with the lease of that holder ended what was promised for it. A register
 * that counts is read once more, as after the lease's wait. */
static void
shoot_off(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	struct shoot *s = &c->shoot;

	s->asked = false;
	s->off = true;
	s->off_at = now->raw;
	c->read_wanted = true;
	alone_begin(c, s->at, PROOF_AGENT);
	if (c->promise.to == rec->holder && c->promise.epoch <= rec->epoch)
		c->promise.until = 0;
	core_tell(c, EMIT_shoot_off, "%s", c->conf.names->node[rec->holder]);
}

static void
shoot_failed(struct core *c, const struct now *now)
{
	struct shoot *s = &c->shoot;

	s->asked = false;
	s->again = now->raw + SHOOT_AGAIN;
	core_tell(c, EMIT_shoot_failed, "%s: %s",
	    c->conf.names->node[s->of.rec.holder], c->act[ACT_FENCE].reason);
}

void
shoot_turn(struct core *c, const struct now *now)
{
	struct shoot *s = &c->shoot;
	usec_t when;

	if ((s->asked || s->off) && !shoot_stands(c))
		shoot_void(c);
	if (s->asked && goal_result(c, ACT_FENCE) == ANS_YES)
		shoot_off(c, now);
	else if (s->asked && goal_result(c, ACT_FENCE) == ANS_NO)
		shoot_failed(c, now);
	/* Not, or no more, ours to do; or the wait is over, as without. */
	if (s->asked && (!shoot_allowed(c) || c->plan.id != PLAN_NONE ||
			    (c->conf.proof_lease && claim_waited(c, now)) ||
			    claim_check_if(c, now, true, &when) != BLOCK_NONE))
		shoot_void(c);
	if (s->asked || s->off || !shoot_wanted(c, now))
		s->version = 0;
	else if (shoot_saved(c))
		shoot_begin(c, now);
}
