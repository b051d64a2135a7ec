/*
 * Hosts of the version before beside those of this one: what they do not say,
 * do not read and do not take, and how they are upgraded, each at some moment,
 * or not within the run.
 *
 * The core on them is the one of now: what is modelled is what the others see
 * of theirs. That version knows no register but the arbiter's, no proof but the
 * lease's, and nobody rejoins by himself.
 */
#include "sim.h"

/* When all else is drawn; a stream of its own, the seeds without it are as they
 * were. */
void
before_draw(struct world *w, const bool *only)
{
	struct rng *r = &w->odds[F_BEFORE];
	int n;

	r->s = w->seed ^ 0x41b649e041b649eu;
	r->s = rng_next(r);
	w->drawn[F_BEFORE] = rng_ppm(r, 200000) && !w->drawn[F_PAIR] &&
			     !w->drawn[F_COUNTS_BACK] && !w->drawn[F_AGENT];
	w->on[F_BEFORE] =
	    w->drawn[F_BEFORE] && (only == NULL || only[F_BEFORE]);
	for (n = 0; n <= ARB(w) && w->on[F_BEFORE]; n++) {
		w->host[n].before = rng_ppm(r, 600000);
		w->host[n].upgrade_at = rng_in(r, USEC_SEC, 2 * w->heal_at);
		if (!w->host[n].before)
			continue;
		w->tot->faults[F_BEFORE]++;
		if (n == ARB(w))
			continue;
		w->host[n].rejoins = w->conf[n].rejoin;
		w->conf[n].rejoin = CORE_REJOIN_NONE;
	}
}

/* It is stopped, and started as the one of now. */
static void
before_upgrade(struct world *w, int n)
{
	struct host *h = &w->host[n];
	usec_t back = rng_log(&w->odds[F_BEFORE], 50 * USEC_MSEC, 5 * USEC_SEC);

	h->before = false;
	if (n == ARB(w)) {
		trace(w, "arbiter is upgraded");
		reg_down(w);
		ev_at(w, w->t + back, EV_REG_START, n, w->reg.inc, 0);
		return;
	}
	trace(w, "s%d is upgraded", n + 1);
	engine_crash(w, n);
	w->conf[n].rejoin = h->rejoins;
	ev_at(w, w->t + back, EV_ENGINE_START, n, 0, 0);
}

void
before_turn(struct world *w)
{
	const struct host *h;
	int n;

	for (n = 0; n <= ARB(w) && !w->healed; n++) {
		h = &w->host[n];
		if (h->before && w->t >= h->upgrade_at &&
		    (n == ARB(w) ? w->reg.up : engine_can_run(w, n)))
			before_upgrade(w, n);
	}
}

/* What it says goes without what it does not know, and so it reads. */
void
before_report(const struct world *w, int from, int to, struct site_report *rep)
{
	if (w->host[from].before || w->host[to].before)
		rep->config = rep->automatic = rep->room = ANS_UNKNOWN;
}

void
before_answer(const struct world *w, int n, struct ask_answer *a)
{
	if (!w->host[n].before)
		return;
	a->timeline = 0;
	a->wal_end = 0;
}

/* A record with a pause is of a format that it refuses. */
bool
before_refuses(const struct world *w, int n, const struct record *rec)
{
	return w->host[n].before && rec->paused_until != 0;
}

/* Nor does its arbiter take one. */
void
judge_before(struct world *w, int n, const struct do_cas *cas)
{
	if (before_refuses(w, ARB(w), &cas->rec))
		violated(w, "PAUSE",
		    "s%d writes a pause to a register that does not take it",
		    n + 1);
}
