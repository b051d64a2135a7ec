/*
 * That there is a primary: a healthy one goes on (losing the register, or the
 * standbys, or the standbys and then the register, does not take it down), one
 * that cannot write does not, and a while after all faults one is there.
 */
#include <string.h>

#include "sim.h"

#define WELL (12 * USEC_SEC) /* nothing was wrong for so long */

/* Something here is not as it should be, apart from links and the register. */
static bool
judge_ill(const struct world *w, int n)
{
	const struct host *h = &w->host[n];

	return !h->up || h->suspended || h->e.core == NULL || h->e.call ||
	       w->t < h->e.paused_until || h->pg.st != PG_UP ||
	       pg_held_until(w, n) != 0 || w->t < h->pg.stalled_until ||
	       w->t < h->disk_full_until || w->t < h->disk_slow_until ||
	       w->t < h->deaf_until || w->t < h->unarmed_until ||
	       fence_flushed(w, n);
}

/* What any seed may have on all the time, and what people do. */
static bool
judge_noise(const struct world *w)
{
	return w->loss > 0 || w->delay > 0 || w->step_pause > 0 ||
	       w->step_crash > 0 || w->on[F_CALL_PAUSE] ||
	       w->on[F_FENCE_ERROR] || w->on[F_WALL_STEP] || w->on[F_BY_HAND] ||
	       w->on[F_FENCED] || w->on[F_SLOW_LINK] || w->on[F_ACT_HANG] ||
	       w->on[F_ACT_REFUSED] || w->on[F_SUSPEND] ||
	       w->on[F_ARB_REVERT] || w->on[F_ARB_GONE] ||
	       w->on[F_COUNTS_BACK] || w->on[F_DRIFT] || w->on[F_CLOCK_RATE] ||
	       w->on[F_DISK_SLOW] || w->on[F_SWITCHOVER] || w->on[F_FENCE];
}

void
judge_sick(struct world *w)
{
	struct host *h;
	int n, o;

	if (judge_noise(w))
		return;
	for (n = 0; n < w->data; n++) {
		h = &w->host[n];
		if (judge_ill(w, n))
			h->sick_at = w->t;
		for (o = 0; o <= ARB(w); o++)
			if (!net_up(w, n, o) || !net_up(w, o, n))
				h->apart_at[o] = w->t;
		if (w->pair || !w->reg.up || w->t < w->reg.full_until ||
		    w->t < w->reg.deaf_until || reg_lost(w))
			h->apart_at[ARB(w)] = w->t;
	}
}

/* It accepts no writes any more: by one of those losses alone? */
void
judge_closed(struct world *w, int n)
{
	const struct host *h = &w->host[n];
	bool nobody = h->e.st.possible == 0, all = true;
	int o;

	if (judge_noise(w) || w->healed || w->t < WELL ||
	    w->t - h->sick_at < WELL || h->e.st.rel != REL_HELD ||
	    w->conf[n].mode != CORE_AUTO)
		return;
	for (o = 0; o < w->data; o++)
		if (h->e.st.possible & NODE_BIT(o))
			all = all && w->t - h->apart_at[o] >= WELL &&
			      w->t - w->host[o].sick_at >= WELL;
	if (nobody || all || w->t - h->apart_at[ARB(w)] >= WELL)
		violated(w, "L3",
		    "s%d was well for long and closes; P %x, the register "
		    "was there for %lld ms",
		    n + 1, h->e.st.possible,
		    (long long)(w->t - h->apart_at[ARB(w)]) / USEC_MSEC);
}

/* A primary that cannot write loses its lease, where its engine runs. */
void
judge_stalled(struct world *w, int n)
{
	const struct host *h = &w->host[n];
	usec_t limit = w->conf[n].ttl > 3 * USEC_SEC ? w->conf[n].ttl :
						       3 * USEC_SEC,
	       since = h->pg.stalled_at;

	if (since < h->e.ran_since)
		since = h->e.ran_since;
	if (since < h->deaf_until)
		since = h->deaf_until;
	if (w->t < h->pg.stalled_until && fence_writers(w, n) &&
	    pg_writable(w, n) && w->t - since > limit + 4 * USEC_SEC)
		violated(w, "L4",
		    "s%d is open and could not write for %lld "
		    "ms",
		    n + 1, (long long)(w->t - since) / USEC_MSEC);
}

/* It runs, and nothing keeps it from hearing of the other, nor from writing. */
static bool
judge_able(const struct world *w, int n, int o)
{
	const struct host *h = &w->host[n];

	return h->up && !h->suspended && h->e.core != NULL && !h->e.call &&
	       w->t >= h->e.paused_until && pg_runs(w, n) &&
	       pg_held_until(w, n) == 0 && w->t >= h->disk_full_until &&
	       w->t >= h->disk_slow_until && w->conf[n].mode == CORE_AUTO &&
	       net_up(w, n, o) && w->t >= w->slow_until[n][o];
}

static bool
judge_writes(const struct world *w, int n)
{
	return w->pair ||
	       (w->reg.up && !reg_lost(w) && w->t >= w->reg.full_until &&
		   w->t >= w->reg.deaf_until && net_up(w, n, ARB(w)) &&
		   net_up(w, ARB(w), n) && w->t >= w->slow_until[n][ARB(w)] &&
		   w->t >= w->slow_until[ARB(w)][n]);
}

/* By its own clock it took over a short while ago, and nobody acknowledged it:
 * what keeps it from committing is not to walk from host to host. */
static bool
judge_too_soon(const struct world *w, int n)
{
	const struct record *rec = &w->host[n].e.st.rec;
	struct now now = clk_now(w, n);
	usec_t since = now.wall - rec->taken_at;
	usec_t rest = w->conf[n].min_interval;

	return rec->taken_at != 0 && rec->acked < rec->epoch && since < rest &&
	       since > -rest;
}

/* It holds, commits nothing, does nothing else, and could hand over. */
static bool
judge_hands(const struct world *w, int n)
{
	const struct engine *e = &w->host[n].e;
	nodeset_t heirs;
	int o;

	if (w->t >= w->host[n].pg.stalled_until || e->core == NULL ||
	    e->st.rel != REL_HELD || e->st.plan != NULL ||
	    w->host[n].disk.latch || !pg_writable(w, n) ||
	    !judge_writes(w, n) || judge_too_soon(w, n))
		return false;
	heirs = judge_effective(w, &e->st.rec);
	for (o = 0; o < w->data; o++)
		if ((heirs & NODE_BIT(o)) && judge_able(w, n, o) &&
		    judge_able(w, o, n) && w->host[o].pg.recovery &&
		    !w->host[o].pg.promoting && !fault_roomless(w, o))
			return true;
	return false;
}

/* Where a lease that ran out is no proof, nobody ever takes over from it. */
void
judge_stuck(struct world *w)
{
	struct host *h;
	usec_t t, limit;
	int n;

	if (w->conf[0].proof_lease || w->healed || w->loss > 0 ||
	    w->delay > 0 || w->step_pause > 0 || w->step_crash > 0 ||
	    w->on[F_DISK_SLOW] || w->on[F_STALE_READ])
		return;
	for (n = 0; n < w->data; n++) {
		h = &w->host[n];
		if (!judge_hands(w, n)) {
			h->handed_at = w->t;
			continue;
		}
		t = h->e.st.rec.ttl > w->conf[n].ttl ? h->e.st.rec.ttl :
						       w->conf[n].ttl;
		limit =
		    (t > 3 * USEC_SEC ? t : 3 * USEC_SEC) + t + 4 * USEC_SEC;
		if (w->t - h->handed_at > limit)
			violated(w, "LIVE",
			    "s%d commits nothing for %lld ms, and hands over "
			    "to nobody",
			    n + 1,
			    (long long)(w->t - h->handed_at) / USEC_MSEC);
	}
}

/* Who gives way to another candidate does not do so for long. */
void
judge_gives_way(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	const struct record *rec = &e->st.rec;
	usec_t limit =
		   rec->ttl / 2 > USEC_SEC / 2 ? rec->ttl / 2 : USEC_SEC / 2,
	       raw = clk_raw(w, n);

	if (e->core == NULL || e->st.waits_for == NULL ||
	    strcmp(e->st.waits_for, "gives-way") != 0) {
		e->gave_way_at = 0;
		return;
	}
	if (e->gave_way_at == 0 || e->gave_way_for.epoch != rec->epoch ||
	    e->gave_way_for.state != rec->state) {
		e->gave_way_at = raw;
		e->gave_way_for = *rec;
	}
	if (raw - e->gave_way_at > limit)
		violated(w, "RANK", "s%d gives way for %lld ms", n + 1,
		    (long long)(raw - e->gave_way_at) / USEC_MSEC);
}

static bool
judge_any_tainted(const struct world *w)
{
	int n;

	for (n = 0; n < w->data; n++)
		if (w->host[n].pg.tainted)
			return true;
	return false;
}

/* All faults are healed for a while: one primary, all others candidates. */
void
judge_end(struct world *w)
{
	const struct record *rec = &w->reg.now.value.rec;
	int p = rec->holder;

	/* Where only a person can know which data is right. */
	if ((reg_lost(w) && w->reg.reverted) ||
	    (w->last_open >= 0 && w->host[w->last_open].pg.tainted) ||
	    (rec->state == REC_RELEASED && judge_any_tainted(w))) {
		w->tot->skipped_live++;
		return;
	}
	if (w->reg.now.value.cold || p < 0 || rec->state != REC_HELD ||
	    !w->was_open[p])
		violated(w, "LIVE",
		    "no open primary, long after the faults; "
		    "record %s holder %d epoch %llu%s",
		    rec_state_str(rec->state), p,
		    (unsigned long long)rec->epoch,
		    w->reg.now.value.cold ? " cold" : "");
	else if (rec->candidates != (w->conf[p].data & ~NODE_BIT(p)))
		violated(w, "LIVE",
		    "%x are no candidates, long after the faults",
		    w->conf[p].data & ~NODE_BIT(p) & ~rec->candidates);
	else
		judge_end_site(w);
}
