/*
 * What goes wrong between the hosts, and at the arbiter.
 */
#include "sim.h"

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

/* Another data node, or the arbiter by such odds. */
static int
fault_peer(struct world *w, int n, int64_t arbiter_ppm)
{
	int o = other_node(w, &w->moment, n);

	return rng_ppm(&w->moment, arbiter_ppm) ? ARB(w) : o;
}

/* From and to the others, and from and to the arbiter. */
static void
fault_cut_off(struct world *w, int n, usec_t nodes, usec_t arbiter)
{
	int o;

	for (o = 0; o < w->data; o++)
		if (o != n)
			w->cut_until[n][o] = w->cut_until[o][n] = nodes;
	w->cut_until[n][ARB(w)] = w->cut_until[ARB(w)][n] = arbiter;
}

/* Slow first, and then often cut: what is on its way stays there for long. */
static void
fault_slow(struct world *w, int n)
{
	usec_t until =
	    w->t + rng_log(&w->moment, 200 * USEC_MSEC, 8 * USEC_SEC);
	int peer = fault_peer(w, n, 700000), o;

	w->slow_by = rng_log(&w->moment, 20 * USEC_MSEC, 3 * USEC_SEC);
	trace(w, "slow %d - %d by %lld ms for %lld ms", n, peer,
	    (long long)w->slow_by / USEC_MSEC,
	    (long long)(until - w->t) / USEC_MSEC);
	if (rng_ppm(&w->moment, 700000))
		w->slow_until[peer][n] = until;
	if (rng_ppm(&w->moment, 400000))
		w->slow_until[n][peer] = until;
	if (!rng_ppm(&w->moment, 500000))
		return;
	/* Only towards the others: late replies still come in. */
	until += rng_in(&w->moment, 0, 15) * USEC_SEC;
	for (o = 0; o <= ARB(w); o++)
		if (o != n)
			w->cut_until[n][o] = until;
}

/* From everybody. And sometimes, while another takes over, the register's
 * file becomes one of before, which the one that was cut off sees first. */
static void
fault_cut_host(struct world *w, int n)
{
	usec_t back, until = w->t + fault_long(w);

	trace(w, "cut %d from all for %lld ms", n,
	    (long long)(until - w->t) / USEC_MSEC);
	fault_cut_off(w, n, until, until);
	if (!w->on[F_ARB_REVERT] || !rng_ppm(&w->moment, 400000))
		return;
	back = rng_in(&w->moment, 5, 20) * USEC_SEC;
	fault_cut_off(w, n, w->t + back + rng_in(&w->moment, 0, 20) * USEC_SEC,
	    w->t + back);
	fault_soon(w, F_ARB_REVERT, n, back - USEC_SEC);
}

void
fault_net(struct world *w, int n, enum fault f)
{
	if (f == F_CUT_NODES)
		fault_cut(w, n, other_node(w, &w->moment, n), true);
	else if (f == F_CUT_ARBITER)
		fault_cut(w, n, ARB(w), true);
	else if (f == F_CUT_ONE_WAY)
		fault_cut(w, n, fault_peer(w, n, 500000), false);
	else if (f == F_CUT_HOST)
		fault_cut_host(w, n);
	else
		fault_slow(w, n);
}

void
fault_arbiter(struct world *w, enum fault f)
{
	struct reg *r = &w->reg;
	usec_t back = f == F_ARB_GONE ?
			  rng_in(&w->moment, 61, 90) * USEC_SEC :
			  rng_log(&w->moment, 20 * USEC_MSEC, 20 * USEC_SEC);

	if (w->pair && (f == F_ARB_REVERT || f == F_ARB_GONE))
		pair_revert(w, (int)rng_in(&w->moment, 0, 1), f == F_ARB_GONE);
	if (!r->up)
		return;
	if (f == F_ARB_FULL) {
		r->full_until = w->t + fault_long(w);
		return;
	}
	if (f == F_ARB_DEAF) {
		r->deaf_until = w->t + fault_long(w);
		r->deaf = (unsigned)rng_in(&w->moment, 0, 2);
		return;
	}
	trace(w, "arbiter dies");
	reg_down(w);
	r->revert_pending = f == F_ARB_REVERT;
	/* Who holds it now may not see what comes back. */
	if (r->revert_pending && rng_ppm(&w->moment, 250000))
		fault_cut(
		    w, (int)rng_in(&w->moment, 0, w->data - 1), ARB(w), true);
	ev_at(w, w->t + back, EV_REG_START, ARB(w), r->inc, 0);
}

/* Of etcd, once a second: others write there, too; and now and then, while one
 * node does not see it, a snapshot is put back, which people notice later. */
void
fault_counts(struct world *w)
{
	struct rng *r = &w->odds[F_COUNTS_BACK];
	node_t holder = w->reg.now.value.rec.holder;
	usec_t back;
	int n;

	reg_others(w);
	if (w->reg.back && w->t - w->reg.back_at > rng_in(r, 3, 40) * USEC_SEC)
		reg_forth(w);
	if (w->healed || w->reg.back || holder < 0 || holder >= w->data ||
	    !fault_odds(w, F_COUNTS_BACK, 30000))
		return;
	n = other_node(w, r, holder);
	back = rng_log(r, 500 * USEC_MSEC, 15 * USEC_SEC);
	trace(w, "cut %d from all, and the register goes back in %lld ms", n,
	    (long long)back / USEC_MSEC);
	fault_cut_off(
	    w, n, w->t + back + rng_in(r, 1, 20) * USEC_SEC, w->t + back);
	fault_soon(w, F_COUNTS_BACK, n, back - rng_in(r, 1, 400) * USEC_MSEC);
}
