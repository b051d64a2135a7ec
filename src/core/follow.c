/*
 * A standby takes its WAL from the node that holds the cluster.
 *
 * Where the record says held by another node, and PostgreSQL here is a standby
 * that replicates from anywhere else, it is pointed to the holder; again after
 * a while if that was refused, or did not help. What a person wrote and this
 * node cannot tell whose it is, another name of the holder perhaps, or several
 * hosts, is left alone as long as WAL comes in by it. Never by a record that is
 * claimed or released: nothing of such an epoch is acknowledged, it may end
 * without having been, and a standby that had gone along could not take over
 * from the node before any more. Nor while a plan runs, nor with a latch: what
 * lies there may not be a copy of what the others have.
 *
 * repmgr is told of whom it follows when another holds the cluster, and after a
 * rejoin. Its commands come by TCP: once readers are let in. Nothing depends on
 * it. What it says when the engine starts is left as it is.
 *
 * One that receives nothing for long although the holder is there is told to
 * people: its data may have ended elsewhere than the holder's goes on, as that
 * of a server which somebody started and stopped while nobody looked.
 */
#include "core/core_i.h"

#define AGAIN (5 * USEC_SEC)
#define DOUBLINGS 4
#define ALONE (30 * USEC_SEC)

/* Whom this standby has to be pointed to; nobody if it is as it should be. */
static node_t
follow_whom(const struct core *c)
{
	node_t n = site_primary(c);

	if (c->conf.mode == CORE_OBSERVE || c->dur.latch ||
	    c->plan.id != PLAN_NONE || core_rel(c) != REL_OTHER ||
	    core_pgs(c) != PGS_STANDBY || n == NODE_NONE ||
	    c->pg.source == NODE_BIT(n) ||
	    (c->pg.source == 0 && c->pg.receiver))
		return NODE_NONE;
	return n;
}

/* It could receive from the holder, and does not. */
static bool
follow_alone(const struct core *c, const struct now *now)
{
	node_t n = site_primary(c);

	return n != NODE_NONE && n != c->conf.self && !c->dur.latch &&
	       c->plan.id == PLAN_NONE && core_rel(c) == REL_OTHER &&
	       core_pgs(c) == PGS_STANDBY && !c->pg.receiver &&
	       c->heard_at[n] != 0 &&
	       now->raw - c->heard_at[n] < core_rec(c)->ttl;
}

static void
follow_tell_alone(struct core *c, const struct now *now)
{
	struct follow *f = &c->follow;

	if (!follow_alone(c, now)) {
		f->alone_since = 0;
		f->alone_told = false;
		return;
	}
	if (f->alone_since == 0)
		f->alone_since = now->raw;
	if (f->alone_told || now->raw - f->alone_since < ALONE)
		return;
	f->alone_told = true;
	core_tell(c, EMIT_standby_alone,
	    "receives nothing from %s, which is there: the log of "
	    "PostgreSQL here says why; if its data ended elsewhere, rebuild it",
	    c->conf.names->node[site_primary(c)]);
}

static void
follow_register(struct core *c)
{
	struct goal g = { .node = site_primary(c), .standby = true };
	struct follow *f = &c->follow;
	uint64_t epoch = core_rec(c)->epoch;

	if (g.node == NODE_NONE)
		return;
	if (epoch != f->held) {
		f->tell = f->tell || f->held != 0;
		f->held = epoch;
	}
	if (!f->tell || c->conf.mode == CORE_OBSERVE ||
	    c->plan.id != PLAN_NONE || c->fence.readers_until == 0 ||
	    core_rel(c) != REL_OTHER || core_pgs(c) != PGS_STANDBY)
		return;
	f->tell = false;
	goal_ask(c, ACT_METADATA, &g);
}

void
follow_turn(struct core *c, const struct now *now)
{
	struct goal g = { .node = follow_whom(c) };
	uint64_t epoch = core_rec(c)->epoch;
	struct follow *f = &c->follow;
	bool anew = g.node != f->node || epoch != f->epoch;

	follow_tell_alone(c, now);
	follow_register(c);
	/* It ended, one way or another; the next view says what is so. */
	if (f->asked && !c->act[ACT_FOLLOW].running) {
		f->asked = false;
		f->next = now->raw + (AGAIN << f->times);
		if (f->times < DOUBLINGS)
			f->times++;
	}
	if (g.node == NODE_NONE) {
		goal_stop(c, ACT_FOLLOW);
		f->asked = false;
		return;
	}
	if (!anew && (f->asked || now->raw < f->next))
		return;
	if (anew) {
		core_tell(
		    c, EMIT_standby_follow, "%s", c->conf.names->node[g.node]);
		f->times = 0;
	}
	f->node = g.node;
	f->epoch = epoch;
	f->asked = true;
	goal_ask(c, ACT_FOLLOW, &g);
}
