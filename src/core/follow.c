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
 */
#include "core/core_i.h"

#define AGAIN (5 * USEC_SEC)
#define DOUBLINGS 4

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

void
follow_turn(struct core *c, const struct now *now)
{
	struct goal g = { .node = follow_whom(c) };
	uint64_t epoch = core_rec(c)->epoch;
	struct follow *f = &c->follow;
	bool anew = g.node != f->node || epoch != f->epoch;

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
