/*
 * The people: they write the first record, order a switchover, acknowledge a
 * failover, rebuild what was fenced from the primary, clear its latch, and
 * adopt a register that waits for them, when they can know that its value is
 * right.
 */
#include <string.h>

#include "sim.h"

static bool
oper_reaches(const struct world *w, int n)
{
	const struct engine *e = &w->host[n].e;

	return engine_can_run(w, n) && !e->draining && !e->call;
}

/* What the version before does not know is not ordered there. */
static bool
oper_takes(const struct world *w, int n)
{
	return oper_reaches(w, n) && !w->host[n].before;
}

static void
oper_init(struct world *w)
{
	struct now now = clk_now(w, 0);
	const char *no;

	if (!oper_reaches(w, 0))
		return;
	no = core_order_init(w->host[0].e.core, &now);
	trace(w, "init: %s", no == NULL ? "taken" : no);
	engine_poke(w, 0);
}

/* The open primary, when this node is not one of its candidates. */
static node_t
oper_leader(const struct world *w, int n)
{
	const struct reg_value *v = &w->reg.now.value;
	node_t p = v->rec.holder;

	return !reg_lost(w) && v->rec.state == REC_HELD && p != n &&
		       !(v->rec.candidates & NODE_BIT(n)) && w->was_open[p] &&
		       w->last_open == p ?
		   p :
		   NODE_NONE;
}

static void
oper_rebuild(struct world *w, int n)
{
	pg_rebuild(w, n, oper_leader(w, n));
	w->host[n].chosen = w->host[n].old = false;
}

/* It makes its data new by itself, or is about to. */
static bool
oper_rejoins(const struct world *w, int n)
{
	const struct host *h = &w->host[n];

	if (h->e.core == NULL || h->e.st.durable == NULL)
		return false;
	if (h->e.st.plan != NULL && strcmp(h->e.st.plan, "rejoin") == 0)
		return true;
	return w->conf[n].rejoin != CORE_REJOIN_NONE && !h->stuck &&
	       w->conf[n].mode == CORE_AUTO &&
	       (h->e.st.durable->diverged ||
		   h->e.st.durable->rejoin != REJOIN_NO);
}

static void
oper_latched(struct world *w, int n)
{
	struct host *h = &w->host[n];
	struct now now = clk_now(w, n);
	const char *no;

	if (!oper_reaches(w, n) || h->e.st.durable == NULL ||
	    !h->e.st.durable->latch) {
		h->latched_at = 0;
		return;
	}
	if (h->latched_at == 0)
		h->latched_at = w->t;
	/* By itself, if it is to, and can. */
	if (w->t - h->latched_at < 6 * USEC_SEC || oper_rejoins(w, n))
		return;
	/* Stopped by somebody, who has done his work. */
	if (h->e.st.durable->fenced) {
		no = core_order_unfence(h->e.core, &now);
		trace(w, "s%d unfence as it is: %s", n + 1,
		    no == NULL ? "taken" : no);
		engine_poke(w, n);
		return;
	}
	if (oper_leader(w, n) != NODE_NONE)
		oper_rebuild(w, n);
	else if (w->reg.now.value.rec.holder != n ||
		 (w->last_open != n && !h->old) ||
		 w->t - h->latched_at < 15 * USEC_SEC)
		return;
	else if (h->old) {
		/* Nobody has more: what the copy lacks is given up. */
		h->chosen = true;
		h->old = false;
	}
	no = core_order_unfence(h->e.core, &now);
	trace(w, "s%d unfence: %s", n + 1, no == NULL ? "taken" : no);
	engine_poke(w, n);
}

/* A standby whose history is not the primary's never streams again; one that
 * was promoted by hand and died is not started by anybody. */
static bool
oper_is_diverged(const struct world *w, int n)
{
	const struct pg *p = &w->host[n].pg;
	node_t leader = oper_leader(w, n);

	if (leader == NODE_NONE)
		return false;
	if (p->st == PG_GONE)
		return !p->signal;
	return pg_runs(w, n) && p->recovery && !p->promoting &&
	       !(wal_prefix(w, leader, n) && p->tl <= w->host[leader].pg.tl);
}

static void
oper_diverged(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	/* What is latched has its own turn, in which it is unfenced, too. */
	if (!oper_is_diverged(w, n) || oper_rejoins(w, n) ||
	    w->host[n].disk.latch) {
		p->diverged_at = 0;
		return;
	}
	if (p->diverged_at == 0)
		p->diverged_at = w->t;
	if (w->t - p->diverged_at > 8 * USEC_SEC)
		oper_rebuild(w, n);
}

static void
oper_ack(struct world *w, int n)
{
	struct now now = clk_now(w, n);

	if (!oper_reaches(w, n) || w->host[n].e.st.claim_block == NULL ||
	    strcmp(w->host[n].e.st.claim_block, "min-interval") != 0)
		return;
	if (!w->healed && !rng_ppm(&w->rng, 30000))
		return;
	core_order_ack(w->host[n].e.core, &now);
	trace(w, "s%d ack", n + 1);
	engine_poke(w, n);
}

/* Who released it, and all who might take it, were set back, or may lack more
 * than they were told: nobody takes over by itself, so a person gives up what
 * they lack. */
static void
oper_gives_up(struct world *w)
{
	const struct reg_value *v = &w->reg.now.value;
	nodeset_t set = judge_effective(w, &v->rec);
	node_t n = v->rec.holder;
	struct now now;
	const char *no;
	int o;

	if (reg_lost(w) || v->rec.state != REC_RELEASED || !oper_reaches(w, n))
		return;
	/* He does not say of a host that is there that it is off; but of one
	 * that is heard he need not. */
	if (w->pair && w->host[1 - n].up && !w->healed)
		return;
	set |= NODE_BIT(n);
	for (o = 0; o < w->data; o++)
		if ((set & NODE_BIT(o)) && !w->host[o].old &&
		    !w->host[o].chosen && (o == n || !w->bounded))
			return;
	if (!w->healed && !rng_ppm(&w->rng, 100000))
		return;
	now = clk_now(w, n);
	no = core_order_promote(w->host[n].e.core, &now, "nobody has more");
	w->host[n].copy.told = w->host[n].copy.told || no == NULL;
	w->host[n].chosen = w->host[n].chosen || no == NULL;
	trace(w, "s%d is told to promote, it was set back: %s", n + 1,
	    no == NULL ? "taken" : no);
	engine_poke(w, n);
}

/* A file that was never put back by an older one says what was agreed. First
 * every node that runs has had the time to report: who did not would not
 * believe the adopted instance. */
static void
oper_adopt(struct world *w)
{
	const struct reg_value *v = &w->reg.now.value;
	struct reg *r = &w->reg;

	if (!r->up || !v->cold) {
		r->cold_since = 0;
		return;
	}
	if (r->cold_since == 0)
		r->cold_since = w->t;
	if (!w->healed || w->t - r->cold_since < 15 * USEC_SEC || r->reverted ||
	    w->t - w->heal_at < 10 * USEC_SEC)
		return;
	trace(w, "the register is adopted");
	reg_adopt(w);
}

/* On which host an order for the holder is typed: now and then the wrong one.
 */
static node_t
oper_where(const struct world *w, struct rng *r)
{
	if (rng_ppm(r, 150000))
		return (node_t)rng_in(r, 0, w->data - 1);
	return w->reg.now.value.rec.holder;
}

/* What only the holder may do was taken, or refused, by that node. */
static void
oper_told(struct world *w, node_t n, const char *what, const char *no)
{
	const struct now now = clk_now(w, n);
	struct core_status st;

	trace(w, "s%d %s: %s", n + 1, what, no == NULL ? "taken" : no);
	core_status(w->host[n].e.core, &now, &st);
	if (no == NULL && (st.rec.state != REC_HELD || st.rec.holder != n))
		violated(w, "ORDER",
		    "s%d takes it to %s, and is not the holder", n + 1, what);
}

/* Somebody wants another to be the primary; whom, he does not think over. */
static void
oper_switchover(struct world *w)
{
	const struct reg_value *v = &w->reg.now.value;
	node_t n, to;
	struct now now;
	const char *no;

	if (!fault_odds(w, F_SWITCHOVER, 60000) || v->rec.state != REC_HELD)
		return;
	n = oper_where(w, &w->odds[F_SWITCHOVER]);
	if (!oper_takes(w, n))
		return;
	to = (node_t)rng_in(&w->odds[F_SWITCHOVER], 0, w->data - 1);
	now = clk_now(w, n);
	no = core_order_switchover(w->host[n].e.core, &now, to);
	oper_told(w, n, "hand over", no);
	engine_poke(w, n);
}

/* A new file is read while the engine runs. */
static void
oper_reload(struct world *w)
{
	struct rng *r = &w->odds[F_DRIFT];
	struct core_conf conf;
	const char *no;
	int n;

	if (!fault_odds(w, F_DRIFT, 30000))
		return;
	n = (int)rng_in(r, 0, w->data - 1);
	if (!oper_takes(w, n))
		return;
	conf = w->conf[n];
	if (rng_ppm(r, 100000))
		conf.mode = CORE_OBSERVE;
	else if (conf.mode != CORE_OBSERVE)
		conf.mode = rng_ppm(r, 600000) ? CORE_AUTO : CORE_MANUAL;
	conf.min_interval = rng_in(r, 0, 60) * USEC_SEC;
	conf.verify = rng_ppm(r, 500000);
	conf.quiet = conf.after && rng_ppm(r, 500000);
	if (w->on[F_REJOIN] && conf.rejoin != CORE_REJOIN_NONE)
		conf.rejoin =
		    rng_ppm(r, 500000) ? CORE_REJOIN_CLONE : CORE_REJOIN_REWIND;
	no = core_tune(w->host[n].e.core, &conf);
	trace(w, "s%d reloads, mode %d: %s", n + 1, (int)conf.mode,
	    no == NULL ? "taken" : no);
	if (no == NULL)
		w->conf[n] = conf;
	engine_poke(w, n);
}

/* In the end all work is done; what ends soon is left to end by itself. */
static bool
oper_resumes(struct world *w, const struct now *now)
{
	usec_t left = w->reg.now.value.rec.paused_until - now->wall;

	if (w->healed)
		return (w->seed & 1) != 0 || left > 10 * USEC_SEC;
	return fault_odds(w, F_PAUSE, 100000);
}

/* Somebody has work to do. */
static void
oper_pause(struct world *w)
{
	const struct reg_value *v = &w->reg.now.value;
	struct rng *r = &w->odds[F_PAUSE];
	node_t n = oper_where(w, r);
	struct now now;
	const char *no;

	if (v->rec.state != REC_HELD || !oper_takes(w, n))
		return;
	now = clk_now(w, n);
	if (v->rec.paused_until != 0 && oper_resumes(w, &now)) {
		no = core_order_resume(w->host[n].e.core, &now);
		oper_told(w, n, "resume", no);
	} else if (fault_odds(w, F_PAUSE, 30000)) {
		no = core_order_pause(w->host[n].e.core, &now,
		    now.wall + rng_log(r, USEC_SEC, 60 * USEC_SEC), "work",
		    "somebody");
		oper_told(w, n, "pause", no);
	} else {
		return;
	}
	engine_poke(w, n);
}

/* Somebody stops a host for good, whatever it is just then. */
static void
oper_fence(struct world *w)
{
	node_t n = (node_t)rng_in(&w->odds[F_FENCE], 0, w->data - 1);
	struct now now;
	const char *no;

	if (!oper_takes(w, n) || !fault_odds(w, F_FENCE, 20000))
		return;
	now = clk_now(w, n);
	no = core_order_fence(w->host[n].e.core, &now, "by somebody: work");
	trace(w, "s%d fence: %s", n + 1, no == NULL ? "taken" : no);
	engine_poke(w, n);
}

/* Somebody thinks that this one does not follow. */
static void
oper_rejoin(struct world *w, int n)
{
	struct now now = clk_now(w, n);
	const char *no;

	if (!fault_odds(w, F_REJOIN, 20000) || !oper_takes(w, n))
		return;
	no = core_order_rejoin(
	    w->host[n].e.core, &now, rng_ppm(&w->odds[F_REJOIN], 500000));
	trace(w, "s%d is told to rejoin: %s", n + 1, no == NULL ? "taken" : no);
	engine_poke(w, n);
}

void
oper_turn(struct world *w)
{
	int n;

	if (w->reg.now.value.revision == 0) {
		oper_init(w);
		return;
	}
	for (n = 0; n < w->data; n++) {
		oper_latched(w, n);
		oper_diverged(w, n);
		oper_ack(w, n);
		oper_rejoin(w, n);
	}
	oper_gives_up(w);
	oper_adopt(w);
	oper_switchover(w);
	oper_reload(w);
	oper_pause(w);
	oper_fence(w);
	fault_counts(w);
	pair_people(w);
	pair_choose(w);
	before_turn(w);
	fault_stuck(w);
}
