/*
 * What the core asked to be made true, carried out: observe, apply, observe
 * with back-off. What was applied may take effect after the engine that asked
 * is gone. "Yes" is told only when it holds.
 */
#include <string.h>

#include "sim.h"

static bool
act_writes(const struct world *w, int n)
{
	return pg_writable(w, n) && pg_held_until(w, n) == 0 &&
	       w->t >= w->host[n].pg.stalled_until;
}

/* Some walsender lets a commit of now go; or one that is to be applied, while
 * replay on paused stands still. */
static bool
act_let_go(const struct world *w, int n, node_t paused)
{
	nodeset_t have = 0;
	int of;

	for (of = 0; of < w->data; of++)
		if (of != paused && conn_answers(w, n, of) &&
		    (paused == NODE_NONE ||
			w->t >= w->host[of].pg.replay_until))
			have |= NODE_BIT(of);
	return conn_lets_go(w, n, have);
}

static bool
act_commit_returns(const struct world *w, int n)
{
	return act_writes(w, n) &&
	       (!w->host[n].pg.flag || act_let_go(w, n, NODE_NONE));
}

/*
 * Replay is paused on the standby, and a commit that wants to be applied there
 * still waits when each other one of the names has applied it; it returns when
 * replay goes on.
 */
static bool
act_seen_waiting(const struct world *w, int n, const struct goal *g)
{
	const struct pg *p = &w->host[n].pg;
	int s;

	if (!act_writes(w, n) || !fence_passes(w, n) || !p->flag ||
	    !conn_answers(w, n, g->node) || w->t < p->zombie[g->node].until)
		return false;
	for (s = 0; s < w->data; s++)
		if ((g->names & NODE_BIT(s)) &&
		    (!conn_answers(w, n, s) ||
			(s != g->node && w->t < w->host[s].pg.replay_until)))
			return false;
	return !act_let_go(w, n, g->node) && act_let_go(w, n, NODE_NONE);
}

/* What has no other model takes its time, or does not end while there are
 * faults. */
static bool
act_due(const struct world *w, int n, enum act_kind kind)
{
	const struct act_run *r = &w->host[n].e.act[kind];

	return r->applied &&
	       (w->t >= r->due || (w->healed && r->due == USEC_NEVER));
}

/* The primary's server answers, and has passed what this node asks for. */
static bool
act_asks_primary(const struct world *w, int n, const struct goal *g)
{
	const struct pg *q = &w->host[g->node].pg;

	return net_up(w, n, g->node) && net_up(w, g->node, n) &&
	       pg_writable(w, g->node) && pg_held_until(w, g->node) == 0 &&
	       !q->half && wal_lsn(q->flushed) >= g->lsn;
}

/* By both histories. That of a timeline which both have is told apart by
 * nothing; and now and then what it takes to rewind is not there. */
static enum fork
act_fork(struct world *w, int n, const struct goal *g)
{
	const struct pg *p = &w->host[n].pg, *q = &w->host[g->node].pg;

	/* Of two on one timeline it knows no more than it is told. */
	if (p->tl == q->tl)
		return g->standby ? FORK_NONE : FORK_CLONE;
	if (fault_odds(w, F_REJOIN, 50000))
		return FORK_CLONE;
	return wal_prefix(w, g->node, n) ? FORK_NONE : FORK_REWIND;
}

static void
act_effect(struct world *w, int n, enum act_kind kind, const struct goal *g)
{
	struct around *a = &w->host[n].around;

	if (kind == ACT_COMPARE)
		w->host[n].e.act[kind].goal.fork = act_fork(w, n, g);
	else if (kind == ACT_SAVE)
		wal_keep(w, n);
	else if (kind == ACT_REWIND || kind == ACT_CLONE)
		pg_rewound(w, n, g->node, g->fork);
	else if (kind == ACT_PULLERS)
		a->pulling = false;
	else if (kind == ACT_CONVERGE) {
		a->epoch = g->epoch;
		a->primary = g->node;
		a->pulling = g->node != n;
		a->quiet = false;
	} else if (kind == ACT_QUIET) {
		a->quiet = true;
	} else if (kind == ACT_TRAFFIC) {
		a->balancer = g->node;
		if (g->node == n)
			w->drained = g->names;
	}
}

static bool
act_holds(
    const struct world *w, int n, enum act_kind kind, const struct goal *g)
{
	const struct pg *p = &w->host[n].pg;
	bool answers = pg_runs(w, n) && pg_held_until(w, n) == 0;

	switch (kind) {
	case ACT_STOP:
		return p->st == PG_GONE && (!g->clean || p->clean);
	case ACT_SIGNAL:
		return p->signal;
	case ACT_START:
		return answers;
	case ACT_NAMES:
		return answers && p->names == g->names;
	case ACT_WAITING:
		return act_seen_waiting(w, n, g);
	case ACT_PROMOTE:
		return answers && !p->recovery;
	case ACT_SETTLE:
	case ACT_CHECKPOINT:
		return act_commit_returns(w, n);
	case ACT_METADATA:
		return answers && p->recovery == g->standby;
	case ACT_COMMIT:
		return act_commit_returns(w, n) && fence_passes(w, n);
	case ACT_FOLLOW:
		return answers && p->source == g->node;
	case ACT_PULLERS:
		return !w->host[n].around.pulling || act_due(w, n, kind);
	case ACT_CONVERGE:
	case ACT_TRAFFIC:
	case ACT_SITE:
	case ACT_QUIET:
	case ACT_FILES:
	case ACT_SAVE:
		return act_due(w, n, kind);
	case ACT_ASIDE:
		return p->source_set == NODE_NONE;
	case ACT_COMPARE:
	case ACT_REWIND:
	case ACT_CLONE:
		return act_due(w, n, kind) && act_asks_primary(w, n, g) &&
		       p->st == PG_GONE;
	case ACT_FENCE: /* agent.c */
	case ACT_COUNT:
		break;
	}
	return false;
}

static void
act_end(struct world *w, int n, enum act_kind kind, enum answer ans)
{
	struct act_run *r = &w->host[n].e.act[kind];
	struct msg *m = msg_new(w, M_ACT, n, n);

	r->on = false;
	w->tot->act[kind][ans == ANS_YES ? 0 : 1]++;
	if (ans == ANS_YES) {
		act_effect(w, n, kind, &r->goal);
		judge_act_done(w, n, kind, &r->goal);
	}
	m->u.act.kind = kind;
	m->u.act.goal = r->goal;
	m->u.act.result = ans;
	m->u.act.refused = ans == ANS_NO;
	if (kind == ACT_WAITING || (kind == ACT_STOP && r->goal.clean))
		m->u.act.goal.lsn = wal_lsn(w->host[n].pg.len);
	trace(w, "s%d act %s: %s", n + 1, act_kind_str(kind),
	    ans == ANS_YES ? "yes" : "no");
	engine_local(w, m, rng_in(&w->rng, 10, 2 * USEC_MSEC));
}

/* The gate: a start as primary needs the engine's word. */
static bool
act_gate(struct world *w, int n)
{
	struct now now = clk_now(w, n);

	return w->host[n].e.core != NULL &&
	       core_may_start_primary(w->host[n].e.core, &now) == NULL;
}

/* False: refused for good. */
static bool
act_apply(struct world *w, int n, enum act_kind kind, const struct goal *g)
{
	struct pg *p = &w->host[n].pg;
	usec_t t = w->t + rng_log(&w->rng, 3 * USEC_MSEC, 300 * USEC_MSEC);

	if (fault_odds(w, F_ACT_REFUSED, 20000))
		return false;
	/* No room. */
	if (kind == ACT_SAVE && fault_odds(w, F_REJOIN, 50000))
		return false;
	/* Of a large database it takes a while. */
	if ((kind == ACT_REWIND || kind == ACT_CLONE) &&
	    w->host[n].e.act[kind].due == 0)
		w->host[n].e.act[kind].due =
		    w->t +
		    rng_log(&w->odds[F_REJOIN], 100 * USEC_MSEC, 20 * USEC_SEC);
	else if (kind != ACT_REWIND && kind != ACT_CLONE)
		w->host[n].e.act[kind].due =
		    fault_odds(w, F_ACT_HANG, 200000) ? USEC_NEVER : t;
	if (kind == ACT_STOP && g->clean) {
		/* Ended already, and not so. */
		if (p->st == PG_GONE || p->st == PG_ORPHANS)
			return false;
		pg_shut_down(w, n);
	} else if (kind == ACT_STOP)
		ev_at(w, t, EV_STOPPED, n, p->gen, 1);
	else if (kind == ACT_SIGNAL)
		p->signal = true;
	else if (kind == ACT_START && p->st == PG_GONE) {
		if (g->standby && !p->signal)
			return false;
		if (p->signal || act_gate(w, n))
			pg_start(w, n);
	} else if (kind == ACT_NAMES && pg_runs(w, n) &&
		   pg_held_until(w, n) == 0)
		pg_set_names(w, n, g->names);
	else if (kind == ACT_FOLLOW && pg_runs(w, n) &&
		 pg_held_until(w, n) == 0)
		pg_point(w, n, g->node);
	else if (kind == ACT_ASIDE)
		p->source_set = NODE_NONE;
	else if (kind == ACT_REWIND && act_asks_primary(w, n, g) &&
		 p->st == PG_GONE && g->fork == FORK_REWIND)
		pg_rewrite(w, n, g);
	else if (kind == ACT_PROMOTE && pg_runs(w, n) && !p->promoting &&
		 p->recovery && pg_held_until(w, n) == 0) {
		p->promoting = true;
		ev_at(w, t, EV_PROMOTED, n, p->gen, 0);
	}
	return true;
}

void
act_begin(struct world *w, int n, enum act_kind kind, const struct goal *goal)
{
	struct act_run *r = &w->host[n].e.act[kind];

	trace(w, "s%d act %s ordered, names %x node %d%s", n + 1,
	    act_kind_str(kind), goal->names, goal->node,
	    goal->standby ? " as standby" : "");
	if (kind == ACT_PROMOTE)
		judge_promote(w, n, goal);
	judge_act(w, n, kind, goal);
	if (kind == ACT_FENCE) {
		agent_begin(w, n, goal);
		return;
	}
	r->on = true;
	r->applied = false;
	r->goal = *goal;
	r->gen = ++w->gens;
	r->backoff = 5 * USEC_MSEC;
	r->stuck_until = r->due = 0;
	/* What is seldom asked for hangs in some run of the budget, too. */
	if (fault_odds(w, F_ACT_HANG, kind == ACT_SAVE ? 200000 : 50000)) {
		w->tot->act[kind][2]++;
		r->stuck_until = w->t + rng_log(&w->odds[F_ACT_HANG],
					    20 * USEC_MSEC, 60 * USEC_SEC);
		r->withheld = rng_ppm(&w->odds[F_ACT_HANG], 500000);
	}
	ev_at(w, w->t + rng_in(&w->rng, 100, 3 * USEC_MSEC), EV_ACT, n, r->gen,
	    (uint32_t)kind);
}

void
act_cancel(struct world *w, int n, enum act_kind kind)
{
	w->host[n].e.act[kind].on = false;
}

/* What is not there to be seen before it was done. */
static bool
act_first(enum act_kind kind)
{
	return kind == ACT_METADATA || kind == ACT_CHECKPOINT ||
	       kind == ACT_COMMIT || kind == ACT_SETTLE ||
	       kind == ACT_WAITING || kind == ACT_COMPARE || kind == ACT_SAVE ||
	       kind == ACT_REWIND || kind == ACT_CLONE;
}

void
act_step(struct world *w, const struct ev *ev)
{
	enum act_kind kind = (enum act_kind)ev->arg;
	struct host *h = &w->host[ev->node];
	struct act_run *r = &h->e.act[kind];

	if (h->e.core == NULL || !r->on || r->gen != ev->gen)
		return;
	if (!engine_can_run(w, ev->node)) {
		ev_at(w,
		    h->suspended ? h->suspended_until + 1000 :
				   h->e.paused_until + 1000,
		    EV_ACT, ev->node, ev->gen, ev->arg);
		return;
	}
	if (w->t < r->stuck_until && !w->healed &&
	    (r->applied || r->withheld)) {
		ev_at(w, w->t + 100 * USEC_MSEC, EV_ACT, ev->node, ev->gen,
		    ev->arg);
		return;
	}
	if ((r->applied || !act_first(kind)) &&
	    act_holds(w, ev->node, kind, &r->goal)) {
		act_end(w, ev->node, kind, ANS_YES);
		return;
	}
	if (!r->applied || r->backoff >= 200 * USEC_MSEC) {
		r->applied = true;
		if (!act_apply(w, ev->node, kind, &r->goal)) {
			act_end(w, ev->node, kind, ANS_NO);
			return;
		}
	}
	if (r->backoff < 400 * USEC_MSEC)
		r->backoff *= 2;
	ev_at(w, w->t + r->backoff, EV_ACT, ev->node, ev->gen, ev->arg);
}
