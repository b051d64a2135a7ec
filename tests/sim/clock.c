/*
 * Each host's clocks. Raw runs at a rate of its own and stops while the host
 * is suspended or down; wall runs on and is stepped; the difference of
 * BOOTTIME and MONOTONIC grows by each suspend.
 */
#include "sim.h"

/* The first true time at which raw shows this, if nothing changes its rate. */
usec_t
clk_true(const struct world *w, int host, usec_t raw)
{
	const struct clk *c = &w->host[host].clk;
	usec_t left = raw - clk_raw_at(c, w->t), t;

	if (left <= 0)
		return w->t;
	if (left > 1000 * USEC_SEC)
		left = 1000 * USEC_SEC;
	t = w->t + left * 1000000 / (1000000 + c->ppm);
	while (!c->stopped && clk_raw_at(c, t) < raw && t < w->t + left * 2)
		t++;
	return t;
}

static void
clk_rebase(struct world *w, int host)
{
	struct clk *c = &w->host[host].clk;

	c->base_raw = clk_raw_at(c, w->t);
	c->base_t = w->t;
}

void
clk_rate(struct world *w, int host, int ppm)
{
	clk_rebase(w, host);
	w->host[host].clk.ppm = ppm;
}

void
clk_stop(struct world *w, int host)
{
	clk_rebase(w, host);
	w->host[host].clk.stopped = true;
}

void
clk_go(struct world *w, int host)
{
	struct clk *c = &w->host[host].clk;

	c->suspended += w->t - c->base_t;
	c->base_t = w->t;
	c->stopped = false;
}
