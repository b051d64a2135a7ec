/*
 * A register of two copies (pair.c), and the other host is off: whose word says
 * so, and how long it stands. While it stands, every write of the record is
 * applied to this host's copy alone.
 *
 * A person's word (--fenced) is enough, as for all else. He says it on either
 * host: on a candidate, which takes over; or on the holder, which goes on
 * without a standby that is silent, or opens again after a start.
 *
 * The word of fence agents is enough where this host can know that the other
 * has not gone on without it: its copy was seen since this engine started, and
 * nobody can have been told since that this host is off, for it was not. That
 * by the record here nobody may take over does not say so: a person may have
 * chosen the other one all the same. A candidate
 * shoots the holder (shoot.c); a holder shoots nobody, it has the agents asked
 * how the silent standby's host is. So has who claims what the other released:
 * nothing of PostgreSQL lives there by its own word, and who is shot by both
 * would be of no use.
 *
 * A holder that goes on by a person's word, and cannot know it either, does so
 * in a much later epoch: what the other one may have written meanwhile is to be
 * older, as with a claim by such a word.
 *
 * It stands until that host is heard, by anything, and no longer than the
 * clock: who was suspended does not know what went on meanwhile. It is not kept
 * over a start of the engine, either.
 */
#include "core/core_i.h"

#define ASK_AGAIN (2 * USEC_SEC)

node_t
alone_other(const struct core *c)
{
	node_t n;

	for (n = 0; n < NODES_MAX; n++)
		if ((c->conf.data & NODE_BIT(n)) && n != c->conf.self)
			return n;
	return NODE_NONE;
}

/* Nothing was heard of it since. */
static bool
alone_stands(const struct core *c)
{
	return c->conf.pair && c->alone.on &&
	       shoot_heard(c, alone_other(c)) < c->alone.at;
}

nodeset_t
alone_without(const struct core *c)
{
	return alone_stands(c) ? NODE_BIT(alone_other(c)) : 0;
}

void
alone_begin(struct core *c, usec_t at, enum proof by)
{
	if (!c->conf.pair)
		return;
	c->alone.on = true;
	c->alone.at = at;
	c->alone.by = by;
	c->alone.from = core_rec(c)->epoch + alone_epochs(c);
	core_tell(c, EMIT_register_alone, "%s is off, by the word of %s",
	    c->conf.names->node[alone_other(c)],
	    by == PROOF_OPERATOR ? "a person" : "its agents");
	/* What waits for that host's copy is sent again without it; but a claim
	 * that was made with it, and may stand there, is made anew. */
	if (c->pending.on &&
	    (alone_anew(c) ||
		(c->pending.why == FOR_CLAIM &&
		    c->pending.cas.rec.epoch == core_rec(c)->epoch + 1))) {
		cas_void(c);
		/* A plan's row that waits for it sends it anew. */
		c->plan.acted = false;
	}
	c->pending.last_sent = 0;
}

void
alone_void(struct core *c)
{
	if (c->alone.asked)
		goal_stop(c, ACT_FENCE);
	c->alone.asked = false;
	if (c->alone.on)
		core_tell(c, EMIT_register_both, "%s",
		    c->conf.names->node[alone_other(c)]);
	c->alone.on = false;
}

void
core_on_heard(struct core *c, const struct now *now, node_t node)
{
	c->heard_at[node] = now->raw;
}

/* Nothing was heard of it for so long. */
bool
alone_silent(const struct core *c, const struct now *now, usec_t limit)
{
	return now->raw - shoot_heard(c, alone_other(c)) >= limit &&
	       now->raw - c->started >= limit;
}

/* Can this host know that the other did not go on without it? */
bool
alone_by_agents(const struct core *c)
{
	return c->reg.met;
}

uint64_t
alone_epochs(const struct core *c)
{
	return alone_without(c) == 0 ? 1 : alone_by_agents(c) ? 2 : 16;
}

/* Does this holder's record have to begin anew? */
bool
alone_anew(const struct core *c)
{
	const struct record *rec = core_rec(c);

	return alone_without(c) != 0 && !alone_by_agents(c) &&
	       rec->state == REC_HELD && rec->holder == c->conf.self &&
	       rec->epoch < c->alone.from;
}

/* Who cannot go on without it. */
static bool
alone_needs(const struct core *c)
{
	const struct record *rec = core_rec(c);
	bool self = rec->holder == c->conf.self;

	switch (rec->state) {
	case REC_HELD:
		/* Before a switchover's release it goes back by itself. */
		return self &&
		       (c->plan.id != PLAN_SWITCHOVER ||
			   plan_at_or_past(c, PLAN_SWITCHOVER, "release")) &&
		       (c->pending.on || !c->lease.confirmed);
	case REC_CLAIMED:
		return self && c->pending.on;
	case REC_RELEASED:
		return c->pending.on && c->pending.why == FOR_CLAIM;
	case REC_NONE:
		break;
	}
	return false;
}

/* And may believe it. */
static bool
alone_looks(const struct core *c, const struct now *now)
{
	return c->conf.pair && c->conf.proof_agent && !c->alone.on &&
	       c->conf.mode == CORE_AUTO &&
	       (c->conf.agents & NODE_BIT(alone_other(c))) && alone_needs(c) &&
	       alone_by_agents(c) && alone_silent(c, now, shoot_after(c));
}

static void
alone_look(struct core *c, const struct now *now)
{
	struct goal g = { .node = alone_other(c), .standby = true };
	struct alone *a = &c->alone;
	enum answer off = ANS_UNKNOWN;

	if (a->asked)
		off = goal_result(c, ACT_FENCE);
	if (a->asked && (off == ANS_NO || !alone_looks(c, now))) {
		goal_stop(c, ACT_FENCE);
		a->asked = false;
		a->again = now->raw + ASK_AGAIN;
	} else if (off == ANS_YES) {
		goal_stop(c, ACT_FENCE);
		a->asked = false;
		alone_begin(c, a->asked_at, PROOF_AGENT);
	} else if (!c->act[ACT_FENCE].running && now->raw >= a->again &&
		   alone_looks(c, now)) {
		a->asked = true;
		a->asked_at = now->raw;
		goal_ask(c, ACT_FENCE, &g);
	}
}

void
alone_turn(struct core *c, const struct now *now)
{
	if (c->alone.on && !alone_stands(c))
		alone_void(c);
	if (c->conf.pair)
		alone_look(c, now);
}
