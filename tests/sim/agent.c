/*
 * Fence agents: what a candidate has done to the holder's host, and what it is
 * told of that. They tell the truth, fail, hang, or lie; a host that was
 * switched off may be switched on again at any moment. And what is asserted of
 * who shoots, and of a claim that stands on it.
 *
 * Chance is drawn from the streams of these faults alone.
 */
#include <string.h>

#include "sim.h"

enum agent_step { AGENT_STRIKES = 1, AGENT_TELLS };

/* Some of those seeds go by the agents' word alone. */
void
agent_conf(struct world *w)
{
	struct rng *r = &w->odds[F_AGENT];
	usec_t after = rng_log(r, 200 * USEC_MSEC, 8 * USEC_SEC);
	bool lease = rng_ppm(r, 800000);
	int n;

	for (n = 0; n < w->data && w->on[F_AGENT]; n++) {
		w->conf[n].proof_agent = true;
		w->conf[n].proof_lease = lease;
		w->conf[n].agents = w->conf[n].data;
		w->conf[n].agent_after = after;
	}
	if (w->on[F_AGENT])
		w->tot->faults[F_AGENT]++;
}

/* The power goes, and with it all that ran there. */
static bool
agent_off(struct world *w, int target)
{
	struct rng *r = &w->odds[F_AGENT];
	struct host *h = &w->host[target];

	if (h->suspended)
		return false;
	trace(w, "s%d is switched off", target + 1);
	if (!h->up)
		return true;
	host_crash(w, target);
	ev_at(w,
	    w->t + rng_log(r, 50 * USEC_MSEC,
		       w->healed ? 2 * USEC_SEC : 40 * USEC_SEC),
	    EV_BOOT, target, 0, 0);
	return true;
}

/* Nobody shoots who could not take over, nor one that it has heard of. */
static void
judge_shoot(struct world *w, int n, const struct goal *goal)
{
	const struct host *h = &w->host[n];
	const struct engine *e = &h->e;
	const struct record *rec = &e->st.rec;
	usec_t raw = clk_raw(w, n), after = w->conf[n].agent_after;
	const char *why = NULL;

	if (after < rec->ttl / 2)
		after = rec->ttl / 2;
	if (w->conf[n].mode != CORE_AUTO || !w->conf[n].proof_agent)
		why = "and may not";
	else if (rec->holder != goal->node || rec->state == REC_RELEASED)
		why = "who is not the holder";
	else if (!(rec->candidates & NODE_BIT(n)))
		why = "and is no candidate";
	else if (e->st.cold || e->st.amnesiac)
		why = "and does not believe the register";
	else if (h->disk.latch || h->disk.claim)
		why = "and could not claim";
	else if (!judge_up_for_wait(w, n))
		why = "and is not up for W";
	else if (w->t < h->unarmed_until && w->t - h->unarmed_at > USEC_SEC)
		why = "and is not armed";
	else if (raw - e->heard_raw[goal->node] < after - USEC_MSEC)
		why = "and has heard of it a moment ago";
	if (why != NULL)
		violated(w, "SHOOT", "s%d shoots s%d, %s", n + 1,
		    goal->node + 1, why);
}

void
agent_begin(struct world *w, int n, const struct goal *goal)
{
	struct act_run *r = &w->host[n].e.act[ACT_FENCE];
	struct shot *s = &w->host[n].shot;

	if (!goal->standby)
		judge_shoot(w, n, goal);
	memset(s, 0, sizeof(*s));
	s->node = goal->node;
	s->look = goal->standby;
	s->asked_raw = clk_raw(w, n);
	s->fails = fault_odds(w, F_AGENT_FAIL, 300000);
	s->hangs = fault_odds(w, F_AGENT_HANG, 300000);
	s->lies = fault_odds(w, F_AGENT_LIE, 300000);
	w->tot->act[ACT_FENCE][2] += s->hangs;
	r->on = true;
	r->goal = *goal;
	r->gen = ++w->gens;
	ev_at(w,
	    w->t + rng_log(&w->odds[F_AGENT], 30 * USEC_MSEC, 4 * USEC_SEC),
	    EV_AGENT, n, r->gen, AGENT_STRIKES);
}

static void
agent_tell(struct world *w, int n, bool off)
{
	struct act_run *r = &w->host[n].e.act[ACT_FENCE];
	struct msg *m = msg_new(w, M_ACT, n, n);

	r->on = false;
	w->tot->act[ACT_FENCE][off ? 0 : 1]++;
	m->u.act.kind = ACT_FENCE;
	m->u.act.goal = r->goal;
	m->u.act.result = off ? ANS_YES : ANS_NO;
	m->u.act.refused = !off;
	trace(w, "s%d is told that s%d is %s", n + 1, r->goal.node + 1,
	    off ? "off" : "not seen off");
	engine_local(w, m, rng_log(&w->odds[F_AGENT], 10, 20 * USEC_MSEC));
}

/* Two lone hosts: what one of them acknowledges from then on, the other has
 * not; and a holder goes on until it hears the truth. */
static void
agent_lied(struct world *w, int n)
{
	const struct shot *s = &w->host[n].shot;

	if (!w->pair)
		return;
	w->host[s->node].chosen = true;
	if (!s->look)
		return;
	w->host[n].chosen = true;
	w->lied = n;
	w->lied_until = USEC_NEVER;
	w->tot->faults[F_AGENT_LIE]++;
	trace(w, "s%d goes on by a lie", n + 1);
}

/* off, and then status. */
void
agent_step(struct world *w, const struct ev *ev)
{
	struct host *h = &w->host[ev->node];
	const struct act_run *r = &h->e.act[ACT_FENCE];
	struct shot *s = &h->shot;
	struct rng *rng = &w->odds[F_AGENT];
	bool up;

	if (h->e.core == NULL || !r->on || r->gen != ev->gen)
		return;
	up = w->host[s->node].up;
	if (ev->arg == AGENT_TELLS) {
		if (s->lies && up)
			s->lied = true;
		if (s->lied && !s->fails && !s->hangs)
			agent_lied(w, ev->node);
		agent_tell(
		    w, ev->node, !s->fails && !s->hangs && (s->lies || !up));
		return;
	}
	/* Who lies, or fails, may have done it all the same. */
	if (!s->look &&
	    ((!s->lies && !s->fails && !s->hangs) || rng_ppm(rng, 300000)))
		s->fails = !agent_off(w, s->node) || s->fails;
	ev_at(w,
	    w->t + (s->hangs ? rng_in(rng, 5, 40) * USEC_SEC :
			       rng_log(rng, 5 * USEC_MSEC, USEC_SEC)),
	    EV_AGENT, ev->node, ev->gen, AGENT_TELLS);
}

/* What the engine is told: by a yes, what was promised to that holder ends. */
void
judge_shot(struct world *w, int n, const struct msg *m)
{
	struct host *h = &w->host[n];

	if (m->kind == M_ASK || m->kind == M_ANSWER || m->kind == M_SITE)
		h->e.heard_raw[m->from] = clk_raw(w, n);
	if (m->kind != M_ACT || m->u.act.kind != ACT_FENCE ||
	    m->u.act.result != ANS_YES)
		return;
	h->shot.off = true;
	h->copy.told = true;
	if (h->promised.to == h->shot.node && !h->shot.look)
		h->promised.until = 0;
}

/* May a claim of this very record, seen first at that time, stand on it? What
 * was sent once is sent again until its outcome is known. */
bool
judge_shot_proves(
    struct world *w, int n, node_t holder, usec_t first, const char *nonce)
{
	struct host *h = &w->host[n];
	struct shot *s = &h->shot;
	bool ok = w->conf[n].proof_agent && s->off && s->node == holder &&
		  s->asked_raw >= first &&
		  h->e.heard_raw[holder] <= s->asked_raw;

	if (ok)
		memcpy(s->claim, nonce, sizeof(s->claim));
	return ok || strcmp(s->claim, nonce) == 0;
}

/* A claim has landed that stands on a lie: the other believes in its lease
 * until it reads the register, or it ends. That is what a lie costs; in strict
 * no vote. */
void
judge_lied(struct world *w, int n)
{
	const struct host *h = &w->host[n];

	if (h->disk.proof != PROOF_AGENT || !h->shot.lied)
		return;
	if (w->pair && w->lied == h->shot.node && w->lied_until == USEC_NEVER)
		return;
	w->lied = h->shot.node;
	w->lied_until =
	    w->t + judge_wait(w, w->host[w->lied].disk.t_max) + 50 * USEC_MSEC;
	w->tot->faults[F_AGENT_LIE]++;
	trace(w, "s%d has claimed by a lie", n + 1);
}

bool
judge_lied_to(const struct world *w, int n)
{
	return n == w->lied && w->t <= w->lied_until;
}
