/*
 * What goes wrong, and when. Each seed draws which kinds are on and how often;
 * in the end all is healed.
 *
 * The schedule has a stream of chance of its own, each of its moments one, and
 * each kind that strikes by odds one: so a run in which a kind or a moment is
 * left out differs, as far as possible, by nothing else.
 */
#include <string.h>

#include "hawatch/mem.h"
#include "sim.h"

#define STRIKES 1000000 /* their moments count from there */

const char *const fault_name[F_COUNT] = {
#define X(id, name) [F_##id] = name,
	FAULTS(X)
#undef X
};

static void
fault_rates(struct world *w)
{
	struct rng *r = &w->schedule;
	int64_t loss = rng_log(r, 1000, 200000),
		repeat = rng_log(r, 1000, 200000),
		delay = rng_log(r, 500, 60000), pause = rng_log(r, 20, 1000),
		crash = rng_log(r, 20, 1000);

	w->call_pause = rng_log(r, 500, 20000);
	w->strikes.s = rng_next(r);
	w->strike_ppm = rng_in(r, 0, 3) == 0 ? 0 : rng_in(r, 0, 900000);
	w->fault_every = rng_log(r, USEC_SEC, 40 * USEC_SEC);
	w->loss = loss;
	w->repeat = repeat;
	w->delay = delay;
	w->step_pause = pause;
	w->step_crash = crash;
}

/* None of what is not on. */
static void
fault_rates_on(struct world *w)
{
	w->loss = w->on[F_LOSS] ? w->loss : 0;
	w->repeat = w->on[F_REPEAT] ? w->repeat : 0;
	w->delay = w->on[F_DELAY] ? w->delay : 0;
	w->step_pause = w->on[F_STEP_PAUSE] ? w->step_pause : 0;
	w->step_crash = w->on[F_STEP_CRASH] ? w->step_crash : 0;
}

/* The register is etcd, which reads linearizably, and never an arbiter's file;
 * a stream of its own. */
static void
fault_draw_counts(struct world *w)
{
	struct rng *r = &w->odds[F_COUNTS_BACK];

	r->s = w->seed * 0x9e3779b97f4a7c15u;
	w->on[F_COUNTS_BACK] = rng_ppm(r, 300000) && !w->on[F_STALE_READ] &&
			       !w->on[F_ARB_REVERT] && !w->on[F_ARB_GONE];
	w->reg.counts = w->on[F_COUNTS_BACK];
}

/* only: of the kinds that were drawn these are kept. */
void
fault_draw(struct world *w, const bool *only)
{
	struct rng *r = &w->schedule, orders = { .s = ~w->seed },
		   agents = { .s = w->seed ^ 0xa6e9a6e9a6e9a6e9u };
	int64_t share;
	int f;

	r->s = w->seed ^ 0xfa017fa017fa017fu;
	r->s = rng_next(r);
	share = rng_in(r, 50000, 500000);
	for (f = 0; f < F_SWITCHOVER; f++) {
		w->on[f] = rng_ppm(r, share);
		w->odds[f].s = rng_next(r);
	}
	/* Both at once would be more than the two limits of an element are
	 * for: a wall clock set back while the host sleeps. */
	if (w->on[F_WALL_STEP])
		w->on[F_SUSPEND] = w->on[F_CALL_PAUSE] = false;
	fault_rates(w);
	/* A stream of its own: the seeds of before have the faults of before.
	 */
	orders.s = rng_next(&orders);
	for (f = F_SWITCHOVER; f < F_COUNTS_BACK; f++) {
		w->on[f] = rng_ppm(&orders, 250000);
		w->odds[f].s = rng_next(&orders);
	}
	fault_draw_counts(w);
	agents.s = rng_next(&agents);
	for (f = F_AGENT; f <= F_AGENT_LIE; f++) {
		w->on[f] = rng_ppm(&agents, f == F_AGENT ? 150000 : 400000);
		w->odds[f].s = rng_next(&agents);
	}
	memcpy(w->drawn, w->on, sizeof(w->drawn));
	for (f = 0; f < F_COUNT && only != NULL; f++)
		w->on[f] = w->on[f] && only[f];
	fault_rates_on(w);
}

/* Does this kind strike here? */
bool
fault_odds(struct world *w, enum fault f, int64_t ppm)
{
	if (!w->on[f] || !rng_ppm(&w->odds[f], ppm))
		return false;
	w->tot->faults[f]++;
	return true;
}

usec_t
fault_long(struct world *w)
{
	return rng_log(&w->moment, 20 * USEC_MSEC, 40 * USEC_SEC);
}

/* This one too, a little later. */
void
fault_soon(struct world *w, enum fault f, int n, usec_t after)
{
	ev_at(w, w->t + after, EV_FAULT, n, w->moment_of, (uint32_t)f + 1);
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
	case F_REPLAY_LAG:
	case F_HANG:
		fault_postgres(w, n, f);
		break;
	case F_SELF_RESTART:
		fault_self_restart(w, n, at_once);
		break;
	case F_OLD_DATA:
		fault_old_data(w, n);
		break;
	case F_FENCE_DEAF:
		w->host[n].deaf_until = w->t + fault_long(w);
		break;
	case F_FENCED:
		fault_fenced(w, n, at_once);
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
	case F_CUT_ARBITER:
	case F_CUT_ONE_WAY:
	case F_CUT_HOST:
	case F_SLOW_LINK:
		fault_net(w, n, f);
		break;
	case F_ARB_CRASH:
	case F_ARB_GONE:
	case F_ARB_REVERT:
	case F_ARB_FULL:
	case F_ARB_DEAF:
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
	case F_COUNTS_BACK:
		reg_back(w);
		break;
	}
}

/* The stream of this moment of the schedule. */
static void
fault_moment(struct world *w, uint64_t moment)
{
	w->moment_of = moment;
	w->moment.s = w->seed * 0x2545f4914f6cdd1du ^ moment << 40;
	w->moment.s = rng_next(&w->moment);
}

static bool
fault_kept(const struct world *w, uint64_t moment)
{
	size_t i;

	for (i = 0; i < w->keeps; i++)
		if (w->keep[i] == moment)
			return true;
	return w->keep == NULL;
}

static void
fault_struck(struct world *w, uint64_t moment)
{
	w->struck = xrealloc(w->struck, w->strucks + 1, sizeof(*w->struck));
	w->struck[w->strucks++] = moment;
}

/* One of the kinds that were drawn, on any node. */
static void
fault_any(struct world *w, struct rng *r, uint64_t moment)
{
	int64_t f, tries = 0;
	int n = (int)rng_in(r, 0, w->data - 1);

	do
		f = rng_in(r, 0, F_TIMED - 1);
	while (!w->drawn[f] && ++tries < 80);
	fault_moment(w, moment);
	if (!w->drawn[f] || !w->on[f] || !fault_kept(w, moment))
		return;
	fault_struck(w, moment);
	fault_begin(w, (enum fault)f, n, false);
}

/* A plan begins, which is the moment for things to go wrong. */
void
fault_strike(struct world *w)
{
	if (w->max_open_epoch > 0 && !w->healed &&
	    rng_ppm(&w->strikes, w->strike_ppm))
		ev_at(w, w->t + rng_log(&w->strikes, USEC_MSEC, 10 * USEC_SEC),
		    EV_FAULT, 0, ++w->strike, 0);
}

void
fault_turn(struct world *w, const struct ev *ev)
{
	if (w->healed)
		return;
	if (ev->arg > 0) {
		fault_moment(w, ev->gen + 2 * STRIKES);
		fault_begin(w, (enum fault)(ev->arg - 1), ev->node, true);
		return;
	}
	if (ev->gen > 0) {
		fault_any(w, &w->strikes, STRIKES + ev->gen);
		return;
	}
	ev_at(w,
	    w->t +
		rng_log(&w->schedule, w->fault_every / 8, w->fault_every * 2),
	    EV_FAULT, 0, 0, 0);
	if (w->max_open_epoch > 0)
		fault_any(w, &w->schedule, ++w->moments);
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

static void
fault_heal_host(struct world *w, int n)
{
	struct host *h = &w->host[n];
	struct core_conf *c = &w->conf[n];
	bool drifted =
	    c->mode != CORE_AUTO || c->bounded != w->common.bounded ||
	    c->max_loss != w->common.max_loss ||
	    memcmp(c->priority, w->common.priority, sizeof(c->priority)) != 0;

	h->disk_full_until = h->disk_slow_until = h->deaf_until = 0;
	h->pg.stalled_until = h->pg.paused_until = 0;
	h->pg.hang_until = h->pg.replay_until = 0;
	h->unarmed_until = 0;
	h->e.paused_until = 0;
	h->suspended_until = w->t;
	fault_unsuspend(w, n);
	host_boot(w, n);
	if (drifted)
		engine_crash(w, n);
	c->mode = CORE_AUTO;
	c->bounded = w->common.bounded;
	c->max_loss = w->common.max_loss;
	memcpy(c->priority, w->common.priority, sizeof(c->priority));
	engine_start(w, n);
	if (h->e.core != NULL)
		engine_tell_armed(w, n);
	engine_run(w, n);
}

void
fault_heal(struct world *w)
{
	int n;

	trace(w, "all faults end");
	w->healed = true;
	memset(w->on, 0, sizeof(w->on));
	w->loss = w->repeat = w->delay = w->step_pause = w->step_crash = 0;
	w->reg.full_until = w->reg.deaf_until = 0;
	if (!w->pair)
		reg_up(w);
	reg_forth(w);
	memset(w->cut_until, 0, sizeof(w->cut_until));
	memset(w->slow_until, 0, sizeof(w->slow_until));
	for (n = 0; n < w->data; n++)
		fault_heal_host(w, n);
}
