/*
 * The life of a data node: whose record it is, and what PostgreSQL is here,
 * say what this node has to do. One table; one function reads it.
 *
 * A cell names a duty, and the plan that fulfils it if there is something to
 * do step by step. Only in `serve` do clients write.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define LOOK_EVERY (10 * USEC_MSEC)
#define CLAIMED_MAX (120 * USEC_SEC)
#define PREPARE_EVERY (5 * USEC_SEC)

/* clang-format off */
static const struct duty role_table[REL_COUNT][PGS_COUNT] = {
[REL_UNKNOWN] = {
 [PGS_UNKNOWN] = { "wait", PLAN_NONE, "nothing is known yet: closed" },
 [PGS_GONE]    = { "wait", PLAN_NONE, "without the register nobody is started" },
 [PGS_STANDBY] = { "follow", PLAN_NONE, "a standby harms nobody; readers are let in" },
 [PGS_PRIMARY] = { "wait", PLAN_NONE, "a primary that does not know that it may be one stays closed" } },
[REL_OTHER] = {
 [PGS_UNKNOWN] = { "wait", PLAN_NONE, "PostgreSQL was not seen yet: closed" },
 [PGS_GONE]    = { "rejoin", PLAN_FOLLOW, "start as a standby, unless the data may have diverged" },
 [PGS_STANDBY] = { "follow", PLAN_TAKEOVER, "promise, watch the record, claim when all conditions hold" },
 [PGS_PRIMARY] = { "yield", PLAN_STEPDOWN, "a rogue primary: another node holds the cluster" } },
[REL_HELD] = {
 [PGS_UNKNOWN] = { "wait", PLAN_NONE, "PostgreSQL was not seen yet" },
 [PGS_GONE]    = { "recover", PLAN_RESTART, "release to a candidate that is there, else restart in place" },
 [PGS_STANDBY] = { "release", PLAN_STEPDOWN, "the holder is in recovery: the record goes back" },
 [PGS_PRIMARY] = { "serve", PLAN_NONE, "clients write while the lease is ahead" } },
[REL_CLAIMED] = {
 [PGS_UNKNOWN] = { "take over", PLAN_TAKEOVER, "the claim is ours: go on" },
 [PGS_GONE]    = { "take over", PLAN_TAKEOVER, "the claim is ours: go on" },
 [PGS_STANDBY] = { "take over", PLAN_TAKEOVER, "the claim is ours: go on" },
 [PGS_PRIMARY] = { "take over", PLAN_TAKEOVER, "promoted, and not yet held: closed until it is" } },
[REL_RELEASED] = {
 [PGS_UNKNOWN] = { "wait", PLAN_NONE, "released: a candidate goes first" },
 [PGS_GONE]    = { "take back", PLAN_FOLLOW, "nobody claimed for W: start as a standby, then claim" },
 [PGS_STANDBY] = { "take back", PLAN_TAKEOVER, "nobody claimed for W: claim again" },
 [PGS_PRIMARY] = { "yield", PLAN_STEPDOWN, "released, so PostgreSQL must stop" } },
};
/* clang-format on */

static const char *const rel_words[REL_COUNT] = { [REL_UNKNOWN] = "unknown",
	[REL_OTHER] = "other",
	[REL_HELD] = "held",
	[REL_CLAIMED] = "claimed",
	[REL_RELEASED] = "released" };
static const char *const pgs_words[PGS_COUNT] = { [PGS_UNKNOWN] = "unknown",
	[PGS_GONE] = "gone",
	[PGS_STANDBY] = "standby",
	[PGS_PRIMARY] = "primary" };

const struct duty *
role_duty(const struct core *c)
{
	return &role_table[core_rel(c)][core_pgs(c)];
}

/* May clients write, as far as duty and plan go? */
bool
role_serves(const struct core *c)
{
	if (core_rel(c) != REL_HELD || core_pgs(c) != PGS_PRIMARY)
		return false;
	switch (c->plan.id) {
	case PLAN_TAKEOVER:
	case PLAN_RESTART:
		return plan_at_or_past(c, c->plan.id, "open");
	case PLAN_SWITCHOVER:
		return !plan_at_or_past(c, PLAN_SWITCHOVER, "closed");
	case PLAN_NONE:
		return true;
	case PLAN_STEPDOWN:
	case PLAN_FOLLOW:
	case PLAN_REJOIN:
	case PLAN_COUNT:
		break;
	}
	return false;
}

/* May this host's PostgreSQL be started as a standby now? */
static bool
role_may_follow(const struct core *c, const struct now *now)
{
	if (c->conf.mode == CORE_OBSERVE || now->raw < c->plan.retry_at)
		return false;
	/* What it released itself is this node's own, signal or not; the plan
	 * puts that first. */
	if (hand_clean(c))
		return true;
	if (c->dur.primary_epoch == 0)
		return core_rel(c) == REL_OTHER ? c->pg.signal :
						  claim_waited(c, now);
	/* Our own data, and nobody took over: to be asked what it holds. */
	return (core_rel(c) == REL_RELEASED ||
		   core_rec(c)->state != REC_HELD) &&
	       claim_waited(c, now);
}

static bool
role_may_claim(struct core *c, const struct now *now)
{
	enum block b = claim_check(c, now, &c->claim_when);

	if (b == BLOCK_NONE && now->raw >= c->plan.retry_at)
		b = rank_check(c, now, &c->claim_when);
	if (b != BLOCK_NONE)
		c->waits = b;
	/* All else holds: a view that is a second old must not decide. */
	if ((b == BLOCK_WAL_BEHIND || b == BLOCK_PG_UNKNOWN) &&
	    now->raw - c->looked_at >= LOOK_EVERY) {
		core_do(c, DO_LOOK);
		c->looked_at = now->raw;
	}
	return b == BLOCK_NONE && now->raw >= c->plan.retry_at;
}

/* A latched node whose PostgreSQL runs, or would start as a primary. */
static bool
role_unsafe(struct core *c)
{
	if (core_pgs(c) == PGS_STANDBY || core_pgs(c) == PGS_PRIMARY)
		return true;
	/* A claim that landed late: the record goes back. */
	if (lease_mine(c))
		return true;
	/* What is half rewritten nobody starts, as whatever. */
	if (c->pg.running != ANS_NO || rejoin_apart(c))
		return false;
	/* Looked at once: later, a person may be rebuilding the data. */
	if (c->signal_looked)
		return false;
	c->signal_looked = true;
	return !c->pg.signal;
}

static bool
role_may_rejoin(struct core *c, const struct now *now)
{
	enum block b;

	if (!rejoin_wanted(c))
		return false;
	b = rejoin_check(c, now);
	if (b != BLOCK_NONE)
		c->waits = b;
	return b == BLOCK_NONE && now->raw >= c->rejoin.next;
}

/* A cell's plan, if there is a reason to start it now. */
static enum plan_id
role_plan(struct core *c, const struct now *now)
{
	enum plan_id id = role_duty(c)->plan;

	if (c->conf.mode == CORE_OBSERVE)
		return PLAN_NONE;
	/* Now or not at all. */
	if (c->hand.on && core_rel(c) == REL_HELD &&
	    core_pgs(c) == PGS_PRIMARY && !c->dur.latch)
		return PLAN_SWITCHOVER;
	c->hand.on = false;
	if (c->dur.latch && role_unsafe(c))
		return PLAN_STEPDOWN;
	if (c->dur.latch)
		return role_may_rejoin(c, now) ? PLAN_REJOIN : PLAN_NONE;
	if (yield_wanted(c, now))
		return PLAN_STEPDOWN;
	if (id == PLAN_FOLLOW)
		return role_may_follow(c, now) ? id : PLAN_NONE;
	if (id == PLAN_TAKEOVER && core_rel(c) != REL_CLAIMED)
		return role_may_claim(c, now) ? id : PLAN_NONE;
	/* Promoted by another claim than this: for that there is a proof, for
	 * the epoch that a person raised it to there will be none. */
	if (core_rel(c) == REL_CLAIMED && core_pgs(c) == PGS_PRIMARY &&
	    c->dur.proof_epoch != core_rec(c)->epoch)
		return PLAN_STEPDOWN;
	/* A candidate that was not heard of yet may answer within T. */
	if (id == PLAN_RESTART && core_rec(c)->candidates != 0 &&
	    !yield_heir(c, now) && c->conf.mode == CORE_AUTO &&
	    now->raw - (c->gone_at > c->started ? c->gone_at : c->started) <
		core_rec(c)->ttl)
		return PLAN_NONE;
	/* With standby.signal in place a stepdown was under way. */
	if (id == PLAN_RESTART &&
	    (c->pg.signal || (yield_heir(c, now) && c->conf.mode == CORE_AUTO)))
		return PLAN_STEPDOWN;
	return id;
}

/*
 * While it follows, a standby already names the others as those that commits
 * would wait for: a takeover finds it done, and a promotion by hand can
 * acknowledge nothing.
 */
static void
role_prepare(struct core *c, const struct now *now)
{
	struct goal g = { .names = c->conf.data & ~NODE_BIT(c->conf.self) };

	if (core_rel(c) != REL_OTHER || core_pgs(c) != PGS_STANDBY ||
	    c->conf.mode != CORE_AUTO || c->plan.id != PLAN_NONE ||
	    (c->pg.sync_names == g.names && !c->pg.sync_other) ||
	    c->act[ACT_NAMES].running || now->raw < c->prepare_at)
		return;
	c->prepare_at = now->raw + PREPARE_EVERY;
	goal_ask(c, ACT_NAMES, &g);
}

static void
role_tell(struct core *c, const struct now *now)
{
	if (core_rel(c) == c->rel_last && core_pgs(c) == c->pgs_last)
		return;
	/* However often the plan begins anew since. */
	if (core_rel(c) == REL_CLAIMED && c->rel_last != REL_CLAIMED)
		c->claimed_at = now->raw;
	c->rel_last = core_rel(c);
	c->pgs_last = core_pgs(c);
	core_tell(c, EMIT_duty_change, "%s: record %s, postgres %s",
	    role_duty(c)->name, rel_words[c->rel_last], pgs_words[c->pgs_last]);
}

/* Plans that the table does not ask for any more come to their end here. */
static bool
role_plan_stands(const struct core *c)
{
	enum relation rel = core_rel(c);

	switch (c->plan.id) {
	case PLAN_NONE:
	case PLAN_STEPDOWN:
	case PLAN_COUNT:
		return true;
	case PLAN_TAKEOVER:
		if (rel == REL_OTHER || rel == REL_RELEASED)
			return c->dur.claim; /* not yet ours, still asked */
		if (rel == REL_CLAIMED)	     /* what died is started again */
			return (core_pgs(c) != PGS_GONE ||
				   !plan_at_or_past(c, PLAN_TAKEOVER, "wal")) &&
			       /* adopted by a person since, in another one */
			       (c->dur.proof_epoch == core_rec(c)->epoch ||
				   !plan_at_or_past(
				       c, PLAN_TAKEOVER, "running"));
		return core_pgs(c) == PGS_PRIMARY;
	case PLAN_RESTART:
		return rel == REL_HELD &&
		       (core_pgs(c) != PGS_GONE ||
			   !plan_at_or_past(c, PLAN_RESTART, "relax"));
	case PLAN_FOLLOW:
		return !c->dur.latch && rel != REL_HELD;
	case PLAN_SWITCHOVER:
		/* Released, it ends by its last row. */
		if (plan_at_or_past(c, PLAN_SWITCHOVER, "release"))
			return true;
		return rel == REL_HELD &&
		       (core_pgs(c) == PGS_PRIMARY ||
			   plan_at_or_past(c, PLAN_SWITCHOVER, "stopped"));
	case PLAN_REJOIN:
		return rejoin_stands(c);
	}
	return true;
}

/* Somebody started the server behind a plan's back: it is stopped again. */
static bool
role_started(const struct core *c)
{
	if (core_pgs(c) != PGS_STANDBY && core_pgs(c) != PGS_PRIMARY)
		return false;
	switch (c->plan.id) {
	case PLAN_STEPDOWN:
		return plan_at_or_past(c, PLAN_STEPDOWN, "signal");
	/* Before the record is released. */
	case PLAN_SWITCHOVER:
		return plan_at_or_past(c, PLAN_SWITCHOVER, "closed");
	/* It would take for good what is half rewritten; or keep from being
	 * looked at what ended. */
	case PLAN_REJOIN:
		return rejoin_apart(c) ||
		       (plan_at_or_past(c, PLAN_REJOIN, "compare") &&
			   !plan_at_or_past(c, PLAN_REJOIN, "start"));
	case PLAN_NONE:
	case PLAN_TAKEOVER:
	case PLAN_RESTART:
	case PLAN_FOLLOW:
	case PLAN_COUNT:
		break;
	}
	return false;
}

/* What ends a plan by stepping down; true: nothing else is decided now. */
static bool
role_overtaken(struct core *c, const struct now *now)
{
	if (role_started(c)) {
		if (c->plan.id != PLAN_STEPDOWN)
			plan_end(c, now, "started by another");
		plan_start(c, now, PLAN_STEPDOWN);
		return true;
	}
	/* Nothing of a claimed epoch is acknowledged: better given back than
	 * held half-way by a server that does not come out of recovery. */
	if (c->plan.id == PLAN_TAKEOVER && core_rel(c) == REL_CLAIMED &&
	    now->raw - c->claimed_at >= CLAIMED_MAX) {
		plan_end(c, now, "too late");
		plan_start(c, now, PLAN_STEPDOWN);
		return true;
	}
	return c->plan.id == PLAN_STEPDOWN;
}

void
role_turn(struct core *c, const struct now *now)
{
	enum plan_id id;

	c->waits = BLOCK_NONE;
	order_turn(c, now);
	role_tell(c, now);
	if (!role_plan_stands(c))
		plan_end(c, now, "overtaken");
	latch_turn(c);
	if (role_overtaken(c, now))
		return;
	if (c->plan.id != PLAN_NONE) {
		/* Only stopping goes before a plan that runs. */
		if (role_duty(c)->plan == PLAN_STEPDOWN ||
		    (yield_doubt(c, now) && core_rel(c) == REL_HELD &&
			core_pgs(c) == PGS_PRIMARY) ||
		    (c->dur.latch && c->plan.id != PLAN_REJOIN))
			plan_end(c, now, "stepping down");
		else
			return;
	}
	role_prepare(c, now);
	if (core_rel(c) == REL_HELD && core_pgs(c) == PGS_PRIMARY &&
	    c->lease.confirmed && c->resume_epoch == core_rec(c)->epoch &&
	    c->conf.mode != CORE_OBSERVE && !c->dur.latch &&
	    !yield_doubt(c, now)) {
		c->hand.on = false;
		plan_resume(c, now);
		return;
	}
	id = role_plan(c, now);
	if (id != PLAN_NONE && now->raw >= c->plan.retry_at)
		plan_start(c, now, id);
}

size_t
core_duty_doc(const struct duty_doc **cells)
{
	static struct duty_doc doc[REL_COUNT * PGS_COUNT];
	int r, p;
	size_t n = 0;

	for (r = 0; r < REL_COUNT; r++)
		for (p = 0; p < PGS_COUNT; p++)
			doc[n++] = (struct duty_doc){ rel_words[r],
				pgs_words[p], role_table[r][p].name,
				role_table[r][p].why };
	*cells = doc;
	return n;
}
