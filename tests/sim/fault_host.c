/*
 * What goes wrong on a host: its power, its clocks, its kernel, its engine, its
 * database, its people.
 */
#include <string.h>

#include "sim.h"

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
	h->clk.base_raw = rng_in(&w->moment, USEC_SEC, 9 * USEC_SEC);
	h->clk.suspended = 0;
	h->up = true;
	/* The judge's memory of a promise, on the new clock. */
	h->promised.until +=
	    h->clk.base_raw - h->down_raw - (w->t - h->down_at);
	h->probe_wal_at = 0;
	/* What starts at boot is what its role said last. */
	h->around.pulling = h->around.primary != n;
	ev_at(w, w->t + rng_log(&w->moment, 100 * USEC_MSEC, 3 * USEC_SEC),
	    EV_ENGINE_START, n, 0, 0);
}

void
fault_suspend(struct world *w, int n, bool at_once)
{
	struct host *h = &w->host[n];
	int o;

	if (!h->up || h->suspended)
		return;
	if (!at_once && rng_ppm(&w->moment, 400000)) {
		/* What was sent before is received after the sleep. */
		w->slow_by = rng_in(&w->moment, 1, 4) * USEC_SEC;
		for (o = 0; o <= ARB(w); o++)
			if (o != n)
				w->slow_until[o][n] = w->t + 3 * USEC_SEC;
		fault_soon(
		    w, F_SUSPEND, n, rng_in(&w->moment, 1, 2) * USEC_SEC);
		return;
	}
	trace(w, "s%d host sleeps", n + 1);
	client_writes(w, n);
	clk_stop(w, n);
	h->suspended = true;
	h->suspended_until = w->t + fault_long(w);
	ev_at(w, h->suspended_until, EV_UNSUSPEND, n, 0, 0);
}

void
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

void
fault_by_hand(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	const struct record *rec = &w->reg.now.value.rec;

	/* Who does both, chose that copy; what the gate refuses as a primary
	 * nobody makes a standby of. */
	if (w->host[n].old || p->half)
		return;
	/* Somebody starts a stopped server: as a standby, or, when the record
	 * is given back, as what it was. */
	if (p->st == PG_GONE && w->host[n].up) {
		p->by_hand = rec->state == REC_RELEASED && rec->holder == n &&
			     rng_ppm(&w->moment, 500000);
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
	ev_at(w, w->t + rng_in(&w->moment, 10, 200) * USEC_MSEC, EV_PROMOTED, n,
	    p->gen, 0);
}

static void
fault_stall(struct world *w, int n, usec_t until)
{
	struct pg *p = &w->host[n].pg;

	client_writes(w, n);
	if (w->t >= p->stalled_until)
		p->stalled_at = w->t;
	p->stalled_until = until;
}

void
fault_postgres(struct world *w, int n, enum fault f)
{
	struct pg *p = &w->host[n].pg;

	if (f == F_PG_STALL) {
		fault_stall(w, n, w->t + fault_long(w));
		return;
	}
	if (f == F_HANG) {
		/* A start or a promotion that does not end. */
		p->hang_until = w->t + 4 * fault_long(w);
		return;
	}
	if (f == F_REPLAY_LAG) {
		if (w->t >= p->replay_until)
			p->replayed = p->flushed;
		p->replay_until = w->t + fault_long(w);
		return;
	}
	pg_die(w, n, f == F_POSTMASTER);
	if (p->st == PG_ORPHANS) {
		ev_at(w, w->t + fault_long(w), EV_STOPPED, n, p->gen, 0);
		pg_view_send(w, n);
	}
}

/* The table is put back within the slack, by the engine that listens. */
void
fault_flush(struct world *w, int n)
{
	struct host *h = &w->host[n];
	usec_t open_for = rng_log(&w->moment, 100, 48 * USEC_MSEC);

	if (!engine_can_run(w, n))
		return;
	h->fence.flushed_until = w->t + open_for;
	trace(w, "s%d table flushed for %lld us", n + 1, (long long)open_for);
	ev_at(w, h->fence.flushed_until, EV_UNFLUSH, n, h->e.inc,
	    (uint32_t)open_for);
}

void
fault_host(struct world *w, int n, enum fault f)
{
	struct host *h = &w->host[n];

	if (f == F_HOST_CRASH && h->up) {
		host_crash(w, n);
		ev_at(w, w->t + fault_long(w), EV_BOOT, n, 0, 0);
	} else if (f == F_ENGINE_CRASH) {
		engine_crash(w, n);
		ev_at(w,
		    w->t + rng_log(&w->moment, 50 * USEC_MSEC, 10 * USEC_SEC),
		    EV_ENGINE_START, n, 0, 0);
	} else if (f == F_ENGINE_PAUSE || f == F_HOST_PAUSE) {
		/* In the midst of a commit. */
		if (f == F_HOST_PAUSE)
			client_writes(w, n);
		engine_pause(w, n, fault_long(w));
		if (f == F_HOST_PAUSE)
			h->pg.paused_until = h->e.paused_until;
	} else if (f == F_UNARMED && h->up) {
		h->unarmed_at = w->t;
		h->unarmed_until = w->t + fault_long(w);
		engine_tell_armed(w, n);
	}
}

void
fault_clock(struct world *w, int n, enum fault f)
{
	struct clk *c = &w->host[n].clk;
	usec_t step = rng_log(&w->moment, USEC_MSEC, 100 * USEC_SEC);

	if (f == F_CLOCK_RATE) {
		if (!w->host[n].suspended)
			clk_rate(w, n, (int)rng_in(&w->moment, -1000, 1000));
	} else {
		c->wall_off += rng_ppm(&w->moment, 500000) ? step : -step;
		trace(w, "s%d wall clock steps", n + 1);
	}
}

void
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

/*
 * Somebody has set restart_after_crash: the server starts anew by itself, and
 * behind an open fence. The host is not armed then, so it has no candidates;
 * where the register was away and still lists them, nothing crashes here.
 */
void
fault_self_restart(struct world *w, int n, bool at_once)
{
	const struct record *rec = &w->reg.now.value.rec;
	struct host *h = &w->host[n];
	bool lists = rec->holder == n && rec->candidates != 0;
	struct msg *m;

	if (!h->up)
		return;
	if (!at_once) {
		h->unarmed_at = w->t;
		h->unarmed_until = w->t + rng_in(&w->moment, 10, 30) * USEC_SEC;
		engine_tell_armed(w, n);
		fault_soon(
		    w, F_SELF_RESTART, n, rng_in(&w->moment, 4, 9) * USEC_SEC);
		return;
	}
	for (m = w->cas; m != NULL; m = m->cas_next)
		lists = lists || (m->u.cas.rec.holder == n &&
				     m->u.cas.rec.candidates != 0 &&
				     reg_may_land(w, &m->u.cas));
	if (w->t < h->unarmed_until && !lists)
		pg_restart_itself(w, n);
}

/* A person switches the holder's host off, and tells this one to take over
 * whatever it lacks. The other stays off until that is long done. */
void
fault_fenced(struct world *w, int n, bool at_once)
{
	const struct record *rec = &w->reg.now.value.rec;
	struct engine *e = &w->host[n].e;
	struct now now = clk_now(w, n);
	const char *no;

	if (!at_once) {
		if (rec->state != REC_HELD || rec->holder == n ||
		    w->heal_at - w->t < 100 * USEC_SEC ||
		    w->host[rec->holder].suspended ||
		    !w->host[rec->holder].up || reg_lost(w))
			return;
		w->switched_off = rec->holder;
		host_crash(w, rec->holder);
		ev_at(w, w->t + rng_in(&w->moment, 70, 90) * USEC_SEC, EV_BOOT,
		    rec->holder, 0, 0);
		fault_soon(w, F_FENCED, n, rng_in(&w->moment, 1, 5) * USEC_SEC);
		return;
	}
	if (!engine_can_run(w, n) || e->draining || e->call ||
	    rec->holder != w->switched_off || w->host[rec->holder].up)
		return;
	no = core_order_promote(e->core, &now, "switched off");
	w->host[n].copy.told = w->host[n].copy.told || no == NULL;
	w->host[n].chosen = w->host[n].chosen || no == NULL;
	w->forked = w->forked ||
		    (w->pair && no == NULL && !(rec->candidates & NODE_BIT(n)));
	trace(w, "s%d is told to promote, the other is off: %s", n + 1,
	    no == NULL ? "taken" : no);
	engine_poke(w, n);
}

/* An old copy of a host's data directory, of a time when its end was before
 * what the register says now, is put back. */
void
fault_old_data(struct world *w, int n)
{
	const struct record *rec = &w->reg.now.value.rec;
	uint32_t len = w->host[n].pg.flushed, back;
	lsn_t lsn = rec->lsn;

	if (!w->host[n].up || w->host[n].suspended || w->host[n].pg.half ||
	    rec->state != REC_HELD || rec->system_id == 0 ||
	    (rec->holder != n && w->host[n].e.st.rel != REL_OTHER))
		return;
	/* A register that was put back too has forgotten how far it was. */
	if (w->on[F_ARB_REVERT])
		return;
	/* Nor may this host's own copy of it, by the one write that was on its
	 * way: nobody puts data back so fast. */
	if (w->pair && w->host[n].copy.now.value.rec.lsn < lsn)
		lsn = w->host[n].copy.now.value.rec.lsn;
	back = (uint32_t)rng_log(&w->moment, 1, 200);
	while (len > 1 && (wal_lsn(len) >= lsn || back-- > 0))
		len--;
	if (wal_lsn(len) < lsn && w->host[n].pg.tl == rec->timeline)
		pg_set_back(w, n, len);
}

/* Where a lease that ran out is no proof, a primary that commits nothing has to
 * go by itself; a stream of its own. */
void
fault_draw_stuck(struct world *w, const bool *only)
{
	struct rng *r = &w->odds[F_STUCK];

	r->s = w->seed ^ 0x100267c0100267cu;
	r->s = rng_next(r);
	w->drawn[F_STUCK] = rng_ppm(r, 400000) && !w->conf[0].proof_lease;
	w->on[F_STUCK] = w->drawn[F_STUCK] && (only == NULL || only[F_STUCK]);
}

/* Its server takes no writes: nobody is to get the record who says so. */
bool
fault_roomless(const struct world *w, int n)
{
	return w->drawn[F_STUCK] && w->t < w->host[n].pg.stalled_until;
}

/* Once a second: the primary's disk, and now and then the other's, too. */
void
fault_stuck(struct world *w)
{
	struct rng *r = &w->odds[F_STUCK];
	const struct record *rec = &w->reg.now.value.rec;
	int n, p = rec->holder;

	if (w->healed || rec->state != REC_HELD || rec->candidates == 0 ||
	    !w->was_open[p] || w->t < w->host[p].pg.stalled_until ||
	    !fault_odds(w, F_STUCK, 15000))
		return;
	trace(w, "s%d commits nothing", p + 1);
	fault_stall(w, p, w->t + rng_in(r, 5, 40) * USEC_SEC);
	for (n = 0; n < w->data; n++)
		if (n != p && rng_ppm(r, 250000))
			fault_stall(w, n, w->t + rng_in(r, 2, 40) * USEC_SEC);
}
