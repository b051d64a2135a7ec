/*
 * Two lone hosts: which worlds have that register, what becomes of its files,
 * what people say, and what is asserted of who goes on alone.
 */
#include <string.h>

#include "sim.h"

/* A stream of its own: the worlds with another register are as before. */
void
pair_draw(struct world *w, const bool *only)
{
	struct rng *r = &w->odds[F_PAIR];
	bool agents;

	r->s = w->seed ^ 0x9a129a129a129a12u;
	r->s = rng_next(r);
	agents = rng_ppm(r, 500000);
	w->drawn[F_PAIR] = w->data == 2 && rng_ppm(r, 300000);
	w->pair = w->on[F_PAIR] =
	    w->drawn[F_PAIR] && (only == NULL || only[F_PAIR]);
	if (!w->pair)
		return;
	w->tot->faults[F_PAIR]++;
	w->reg.counts = w->on[F_COUNTS_BACK] = w->drawn[F_COUNTS_BACK] = false;
	if (agents) {
		w->drawn[F_AGENT] = true;
		w->on[F_AGENT] = only == NULL || only[F_AGENT];
	}
}

void
pair_conf(struct world *w)
{
	int n;

	for (n = 0; n < w->data && w->pair; n++) {
		w->conf[n].pair = true;
		w->conf[n].proof_lease = false;
	}
}

/* The file of this host's copy is another one from the next start on. */
void
pair_revert(struct world *w, int n, bool gone)
{
	struct copy *c = &w->host[n].copy;
	const struct copy *o = &w->host[PAIR_OTHER(n)].copy;

	if (w->t < w->host[n].e.paused_until || o->now.lost || o->revert ||
	    !o->made || o->now.value.revision == 0)
		return;
	engine_crash(w, n);
	trace(w, "s%d: the copy of the register is %s", n + 1,
	    gone ? "gone" : "another file");
	if (gone)
		memset(&c->now, 0, sizeof(c->now));
	c->made = c->made && !gone;
	c->revert = true;
	c->now.lost = true;
	pair_truth(w);
	ev_at(w, w->t + rng_log(&w->moment, 50 * USEC_MSEC, 10 * USEC_SEC),
	    EV_ENGINE_START, n, 0, 0);
}

/* Somebody sees that a host is off, and says so where it matters: he knows
 * whose data is right. */
void
pair_people(struct world *w)
{
	const struct reg_value *v = &w->reg.now.value;
	struct now now;
	const char *no;
	int n;

	for (n = 0; n < 2 && w->pair; n++) {
		if (w->host[PAIR_OTHER(n)].up || w->healed || v->cold ||
		    w->host[PAIR_OTHER(n)].copy.revert ||
		    !engine_can_run(w, n) || w->host[n].e.draining ||
		    w->host[n].e.call ||
		    (v->rec.holder != n &&
			!(judge_effective(w, &v->rec) & NODE_BIT(n))) ||
		    !fault_odds(w, F_PAIR, 150000))
			continue;
		now = clk_now(w, n);
		no = core_order_promote(w->host[n].e.core, &now, "it is off");
		w->host[n].copy.told = w->host[n].copy.told || no == NULL;
		w->host[n].chosen =
		    w->host[n].chosen || (no == NULL && w->host[n].old);
		trace(w, "s%d is told that the other is off: %s", n + 1,
		    no == NULL ? "taken" : no);
		engine_poke(w, n);
	}
}

/* Both copies name a holder of one epoch, or one is lost and the other behind:
 * where votes were cast last, if anything is there, else of the other one. */
void
pair_choose(struct world *w)
{
	struct reg_value other;
	struct copy *c;
	int n = w->last_open < 0 ? 0 : w->last_open;

	if (!w->pair || !w->healed || w->t - w->heal_at < 10 * USEC_SEC)
		return;
	if (w->host[n].copy.now.value.rec.state == REC_NONE)
		n = PAIR_OTHER(n);
	c = &w->host[n].copy;
	pair_tell(&w->host[PAIR_OTHER(n)].copy.now, &other);
	if (w->host[n].e.core == NULL || c->writing ||
	    !pair_adopt(&c->now, &other, &c->next))
		return;
	trace(w, "the copy of s%d is adopted", n + 1);
	w->host[n].chosen = w->last_open != n;
	pair_durable(w, n);
}

/* It goes on by a lie, and the other one has a later epoch. */
bool
judge_forked(const struct world *w, int n)
{
	return w->pair && judge_lied_to(w, n) &&
	       w->host[n].fence.epoch < w->max_open_epoch;
}

/* Alone, only with a word that the other is off, and nothing heard since. */
void
judge_alone(struct world *w, int n, const struct do_cas *cas)
{
	const struct shot *s = &w->host[n].shot;

	/* By a lie: what is acknowledged from now on, the other has not. */
	w->forked = w->forked || (cas->without != 0 && s->lied && s->off);
	if (cas->without != 0 && s->lied && s->off &&
	    cas->rec.state == REC_HELD &&
	    !(cas->rec.candidates & NODE_BIT(PAIR_OTHER(n))))
		w->host[PAIR_OTHER(n)].chosen = true;
	if (cas->without != 0 && !w->host[n].copy.told)
		violated(w, "ALONE",
		    "s%d writes its copy alone, and nobody said that the "
		    "other is off",
		    n + 1);
}
