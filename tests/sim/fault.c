/*
 * What goes wrong. Each seed draws which kinds are on and how often; in the
 * end all is healed.
 */
#include <string.h>

#include "sim.h"

const char *const fault_name[F_COUNT] = {
#define X(id, name) [F_##id] = name,
	FAULTS(X)
#undef X
};

void
fault_draw(struct world *w)
{
	struct rng *r = &w->rng;
	int64_t share = rng_in(r, 50000, 500000);
	int f;

	for (f = 0; f < F_COUNT; f++)
		w->on[f] = rng_ppm(r, share);
	/* Both at once would be more than the two limits of an element are
	 * for: a wall clock set back while the host sleeps. */
	if (w->on[F_WALL_STEP])
		w->on[F_SUSPEND] = w->on[F_CALL_PAUSE] = false;
	w->fault_every = rng_log(r, USEC_SEC, 40 * USEC_SEC);
	if (w->on[F_LOSS])
		w->loss = rng_log(r, 1000, 200000);
	if (w->on[F_REPEAT])
		w->repeat = rng_log(r, 1000, 200000);
	if (w->on[F_DELAY])
		w->delay = rng_log(r, 500, 60000);
	if (w->on[F_STEP_PAUSE])
		w->step_pause = rng_log(r, 20, 1000);
	if (w->on[F_STEP_CRASH])
		w->step_crash = rng_log(r, 20, 1000);
}

static usec_t
fault_long(struct world *w)
{
	return rng_log(&w->rng, 20 * USEC_MSEC, 40 * USEC_SEC);
}

void
host_crash(struct world *w, int n)
{
	struct host *h = &w->host[n];

	if (!h->up || h->suspended)
		return;
	trace(w, "s%d host dies", n + 1);
	h->down_at = w->t;
	h->down_raw = clk_raw(w, n);
	engine_crash(w, n);
	pg_die(w, n, false);
	pg_die(w, n, false);
	h->pg.acks.n = 0;
	h->fence.present = false;
	h->fence.readers_end = 0;
	h->fence.flushed_until = 0;
	h->up = false;
}

void
host_boot(struct world *w, int n)
{
	struct host *h = &w->host[n];

	if (h->up)
		return;
	trace(w, "s%d host boots", n + 1);
	h->clk.base_t = w->t;
	h->clk.base_raw = rng_in(&w->rng, USEC_SEC, 9 * USEC_SEC);
	h->clk.suspended = 0;
	h->up = true;
	/* The judge's memory of a promise, on the new clock. */
	h->promised.until +=
	    h->clk.base_raw - h->down_raw - (w->t - h->down_at);
	h->probe_wal_at = 0;
	/* What starts at boot is what its role said last. */
	h->around.pulling = h->around.primary != n;
	ev_at(w, w->t + rng_log(&w->rng, 100 * USEC_MSEC, 3 * USEC_SEC),
	    EV_ENGINE_START, n, 0, 0);
}

/* This one too, a little later. */
static void
fault_soon(struct world *w, enum fault f, int n, usec_t after)
{
	ev_at(w, w->t + after, EV_FAULT, n, 0, (uint32_t)f + 1);
}

static void
fault_suspend(struct world *w, int n, bool at_once)
{
	struct host *h = &w->host[n];

	if (!h->up || h->suspended)
		return;
	if (!at_once && rng_ppm(&w->rng, 400000)) {
		/* What was sent before is received after the sleep. */
		w->slow_by = rng_in(&w->rng, 1, 4) * USEC_SEC;
		w->slow_until[1 - n][n] = w->slow_until[ARB][n] =
		    w->t + 3 * USEC_SEC;
		fault_soon(w, F_SUSPEND, n, rng_in(&w->rng, 1, 2) * USEC_SEC);
		return;
	}
	trace(w, "s%d host sleeps", n + 1);
	clk_stop(w, n);
	h->suspended = true;
	h->suspended_until = w->t + fault_long(w);
	ev_at(w, h->suspended_until, EV_UNSUSPEND, n, 0, 0);
}

static void
fault_unsuspend(struct world *w, int n)
{
	struct host *h = &w->host[n];

	if (!h->suspended)
		return;
	h->suspended = false;
	h->e.ran_since = w->t;
	clk_go(w, n);
	trace(w, "s%d host wakes", n + 1);
	h->e.wake_t = 0;
	engine_run(w, n);
}

static void
fault_cut(struct world *w, int a, int b, bool both)
{
	usec_t until = w->t + fault_long(w);

	trace(w, "cut %d %s %d for %lld ms", a, both ? "-" : ">", b,
	    (long long)(until - w->t) / USEC_MSEC);
	w->cut_until[a][b] = until;
	if (both)
		w->cut_until[b][a] = until;
}

/* Slow first, and then often cut: what is on its way stays there for long. */
static void
fault_slow(struct world *w, int n)
{
	usec_t until = w->t + rng_log(&w->rng, 200 * USEC_MSEC, 8 * USEC_SEC);
	int peer = rng_ppm(&w->rng, 700000) ? ARB : 1 - n;

	w->slow_by = rng_log(&w->rng, 20 * USEC_MSEC, 3 * USEC_SEC);
	trace(w, "slow %d - %d by %lld ms for %lld ms", n, peer,
	    (long long)w->slow_by / USEC_MSEC,
	    (long long)(until - w->t) / USEC_MSEC);
	if (rng_ppm(&w->rng, 700000))
		w->slow_until[peer][n] = until;
	if (rng_ppm(&w->rng, 400000))
		w->slow_until[n][peer] = until;
	if (!rng_ppm(&w->rng, 500000))
		return;
	/* Only towards the others: late replies still come in. */
	w->cut_until[n][1 - n] = w->cut_until[n][ARB] =
	    until + rng_in(&w->rng, 0, 15) * USEC_SEC;
}

static void
fault_arbiter(struct world *w, enum fault f)
{
	struct reg *r = &w->reg;
	usec_t back = f == F_ARB_GONE ?
			  rng_in(&w->rng, 61, 90) * USEC_SEC :
			  rng_log(&w->rng, 20 * USEC_MSEC, 20 * USEC_SEC);

	if (!r->up)
		return;
	if (f == F_ARB_FULL) {
		r->full_until = w->t + fault_long(w);
		return;
	}
	trace(w, "arbiter dies");
	reg_down(w);
	r->revert_pending = f == F_ARB_REVERT;
	/* Who holds it now may not see what comes back. */
	if (r->revert_pending && rng_ppm(&w->rng, 250000))
		fault_cut(w, (int)rng_in(&w->rng, 0, 1), ARB, true);
	ev_at(w, w->t + back, EV_REG_START, ARB, r->inc, 0);
}

static void
fault_by_hand(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	const struct record *rec = &w->reg.now.value.rec;

	/* Somebody starts a stopped server: as a standby, or, when the record
	 * is given back, as what it was. */
	if (p->st == PG_GONE && w->host[n].up) {
		p->by_hand = rec->state == REC_RELEASED && rec->holder == n &&
			     rng_ppm(&w->rng, 500000);
		p->tainted = p->tainted || p->by_hand;
		p->signal = !p->by_hand;
		pg_start(w, n);
		return;
	}
	if (!pg_runs(w, n) || !p->recovery || p->promoting ||
	    !(rec->state == REC_RELEASED ||
		(rec->state == REC_HELD && rec->holder != n)))
		return;
	p->promoting = p->by_hand = p->tainted = true;
	ev_at(w, w->t + rng_in(&w->rng, 10, 200) * USEC_MSEC, EV_PROMOTED, n,
	    p->gen, 0);
}

static void
fault_postgres(struct world *w, int n, enum fault f)
{
	struct pg *p = &w->host[n].pg;

	if (f == F_PG_STALL) {
		if (w->t >= p->stalled_until)
			p->stalled_at = w->t;
		p->stalled_until = w->t + fault_long(w);
		return;
	}
	pg_die(w, n, f == F_POSTMASTER);
	if (p->st == PG_ORPHANS) {
		ev_at(w, w->t + fault_long(w), EV_STOPPED, n, p->gen, 0);
		pg_view_send(w, n);
	}
}

/* The table is put back within the slack, by the engine that listens. */
static void
fault_flush(struct world *w, int n)
{
	struct host *h = &w->host[n];
	usec_t open_for = rng_log(&w->rng, 100, 48 * USEC_MSEC);

	if (!engine_can_run(w, n))
		return;
	h->fence.flushed_until = w->t + open_for;
	trace(w, "s%d table flushed for %lld us", n + 1, (long long)open_for);
	ev_at(w, h->fence.flushed_until, EV_UNFLUSH, n, h->e.inc,
	    (uint32_t)open_for);
}

static void
fault_host(struct world *w, int n, enum fault f)
{
	struct host *h = &w->host[n];

	if (f == F_HOST_CRASH && h->up) {
		host_crash(w, n);
		ev_at(w, w->t + fault_long(w), EV_BOOT, n, 0, 0);
	} else if (f == F_ENGINE_CRASH) {
		engine_crash(w, n);
		ev_at(w, w->t + rng_log(&w->rng, 50 * USEC_MSEC, 10 * USEC_SEC),
		    EV_ENGINE_START, n, 0, 0);
	} else if (f == F_ENGINE_PAUSE || f == F_HOST_PAUSE) {
		engine_pause(w, n, fault_long(w));
		if (f == F_HOST_PAUSE)
			h->pg.paused_until = h->e.paused_until;
	} else if (f == F_UNARMED && h->up) {
		h->unarmed_at = w->t;
		h->unarmed_until = w->t + fault_long(w);
		engine_tell_armed(w, n);
	}
}

static void
fault_clock(struct world *w, int n, enum fault f)
{
	struct clk *c = &w->host[n].clk;
	usec_t step = rng_log(&w->rng, USEC_MSEC, 100 * USEC_SEC);

	if (f == F_CLOCK_RATE) {
		if (!w->host[n].suspended)
			clk_rate(w, n, (int)rng_in(&w->rng, -1000, 1000));
	} else {
		c->wall_off += rng_ppm(&w->rng, 500000) ? step : -step;
		trace(w, "s%d wall clock steps", n + 1);
	}
}

static void
fault_order(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	struct now now = clk_now(w, n);
	const char *no;

	if (!engine_can_run(w, n) || e->draining || e->call)
		return;
	no = core_order_promote(e->core, &now, NULL);
	trace(
	    w, "s%d is told to promote: %s", n + 1, no == NULL ? "taken" : no);
	engine_poke(w, n);
}

/* From everybody. And sometimes, while another takes over, the register's
 * file becomes one of before, which the one that was cut off sees first. */
static void
fault_cut_host(struct world *w, int n)
{
	usec_t back;

	fault_cut(w, n, ARB, true);
	w->cut_until[n][1 - n] = w->cut_until[1 - n][n] = w->cut_until[n][ARB];
	if (!w->on[F_ARB_REVERT] || !rng_ppm(&w->rng, 400000))
		return;
	back = rng_in(&w->rng, 5, 20) * USEC_SEC;
	w->cut_until[n][ARB] = w->cut_until[ARB][n] = w->t + back;
	w->cut_until[n][1 - n] = w->cut_until[1 - n][n] =
	    w->t + back + rng_in(&w->rng, 0, 20) * USEC_SEC;
	fault_soon(w, F_ARB_REVERT, n, back - USEC_SEC);
}

static void
fault_begin(struct world *w, enum fault f, int n, bool at_once)
{
	trace(w, "fault %s on %d", fault_name[f], n);
	w->tot->faults[f]++;
	switch ((int)f) {
	case F_ENGINE_CRASH:
	case F_ENGINE_PAUSE:
	case F_HOST_CRASH:
	case F_HOST_PAUSE:
	case F_UNARMED:
		fault_host(w, n, f);
		break;
	case F_SUSPEND:
		fault_suspend(w, n, at_once);
		break;
	case F_PG_CRASH:
	case F_POSTMASTER:
	case F_PG_STALL:
		fault_postgres(w, n, f);
		break;
	case F_BY_HAND:
		fault_by_hand(w, n);
		break;
	case F_DISK_FULL:
		w->host[n].disk_full_until = w->t + fault_long(w);
		break;
	case F_DISK_SLOW:
		w->host[n].disk_slow_until = w->t + fault_long(w);
		break;
	case F_CUT_NODES:
		fault_cut(w, 0, 1, true);
		break;
	case F_CUT_ARBITER:
		fault_cut(w, n, ARB, true);
		break;
	case F_CUT_ONE_WAY:
		fault_cut(
		    w, n, (int)rng_in(&w->rng, 1, 2) == 1 ? 1 - n : ARB, false);
		break;
	case F_CUT_HOST:
		fault_cut_host(w, n);
		break;
	case F_SLOW_LINK:
		fault_slow(w, n);
		break;
	case F_ARB_CRASH:
	case F_ARB_GONE:
	case F_ARB_REVERT:
	case F_ARB_FULL:
		fault_arbiter(w, f);
		break;
	case F_WALL_STEP:
	case F_CLOCK_RATE:
		fault_clock(w, n, f);
		break;
	case F_FLUSH:
		fault_flush(w, n);
		break;
	case F_ORDER:
		fault_order(w, n);
		break;
	}
}

void
fault_turn(struct world *w, const struct ev *ev)
{
	int64_t f, tries;

	if (w->healed)
		return;
	if (ev->arg > 0) {
		fault_begin(w, (enum fault)(ev->arg - 1), ev->node, true);
		return;
	}
	for (tries = 0; tries < 60 && w->max_open_epoch > 0; tries++) {
		f = rng_in(&w->rng, 0, F_TIMED - 1);
		if (!w->on[f])
			continue;
		fault_begin(
		    w, (enum fault)f, (int)rng_in(&w->rng, 0, 1), false);
		break;
	}
	ev_at(w,
	    w->t + rng_log(&w->rng, w->fault_every / 8, w->fault_every * 2),
	    EV_FAULT, 0, 0, 0);
}

void
fault_event(struct world *w, const struct ev *ev)
{
	struct msg *m;

	if (ev->kind == EV_UNSUSPEND) {
		if (w->t >= w->host[ev->node].suspended_until)
			fault_unsuspend(w, ev->node);
	} else if (ev->kind == EV_BOOT)
		host_boot(w, ev->node);
	else if (ev->kind == EV_UNFLUSH) {
		if (w->host[ev->node].e.inc != ev->gen)
			return;
		m = msg_new(w, M_FENCE_LOST, ev->node, ev->node);
		m->u.lost.restored = true;
		m->u.lost.open_for = ev->arg;
		engine_local(w, m, 10);
	}
}

void
fault_heal(struct world *w)
{
	struct host *h;
	int a, b;

	trace(w, "all faults end");
	w->healed = true;
	memset(w->on, 0, sizeof(w->on));
	w->loss = w->repeat = w->delay = w->step_pause = w->step_crash = 0;
	w->reg.full_until = 0;
	reg_up(w);
	for (a = 0; a < HOSTS; a++)
		for (b = 0; b < HOSTS; b++)
			w->cut_until[a][b] = w->slow_until[a][b] = 0;
	for (a = 0; a < DATA; a++) {
		h = &w->host[a];
		h->disk_full_until = h->disk_slow_until = 0;
		h->pg.stalled_until = h->pg.paused_until = 0;
		h->unarmed_until = 0;
		h->e.paused_until = 0;
		h->suspended_until = w->t;
		fault_unsuspend(w, a);
		host_boot(w, a);
		if (w->conf[a].mode == CORE_OBSERVE)
			engine_crash(w, a);
		w->conf[a].mode = CORE_AUTO;
		engine_start(w, a);
		if (h->e.core != NULL)
			engine_tell_armed(w, a);
		engine_run(w, a);
	}
}
