/*
 * The kernel's table: an element that lives for a time counted by a clock that
 * a time daemon may slew, and the wall clock at D as the other limit. It knows
 * nothing of engines; a reboot installs the closed table.
 */
#include "sim.h"

#define SLEW 80000 /* ppm */

static bool
fence_element(const struct world *w, int n)
{
	const struct klease *f = &w->host[n].fence;

	return f->present &&
	       (f->end_raw == USEC_NEVER || clk_raw(w, n) < f->end_raw);
}

bool
fence_writers(const struct world *w, int n)
{
	const struct klease *f = &w->host[n].fence;

	return fence_element(w, n) &&
	       (f->limit_wall == USEC_NEVER || clk_wall(w, n) < f->limit_wall);
}

bool
fence_flushed(const struct world *w, int n)
{
	return w->t < w->host[n].fence.flushed_until;
}

/* Does the port let a client in and the server's answer out? */
bool
fence_passes(const struct world *w, int n)
{
	return fence_writers(w, n) || fence_flushed(w, n) ||
	       clk_raw(w, n) < w->host[n].fence.readers_end;
}

/* The end of the element that is there, as the engine's start reads it. Where
 * the wall clock is stepped it is the element's own end. */
usec_t
fence_until(const struct world *w, int n)
{
	const struct klease *f = &w->host[n].fence;
	usec_t wall;

	if (f->limit_wall == USEC_NEVER || w->on[F_WALL_STEP])
		return f->end_raw;
	wall = clk_raw(w, n) + f->limit_wall - clk_wall(w, n);
	return f->end_raw < wall ? f->end_raw : wall;
}

static void
fence_close_now(struct world *w, int n)
{
	struct host *h = &w->host[n];

	h->fence.present = false;
	h->fence.readers_end = 0;
	if (rng_ppm(&w->rng, 500000))
		conn_cut_from(w, n);
	/* Where the kernel can, what was on its way goes with it. */
	if (rng_ppm(&w->rng, 500000))
		h->pg.acks.n = 0;
}

/* raw and wall are the clocks as the engine read them before the call, which
 * may be long ago. */
enum answer
fence_do(struct world *w, int n, enum fence_op op, usec_t deadline, usec_t raw,
    usec_t wall)
{
	struct klease *f = &w->host[n].fence;
	usec_t left, slew;

	if (op == FENCE_OP_CLOSE) {
		fence_close_now(w, n);
		return ANS_YES;
	}
	if (op == FENCE_OP_OPEN && deadline - raw < USEC_MSEC) {
		fence_close_now(w, n);
		return ANS_NO;
	}
	if (op == FENCE_OP_RENEW && !fence_element(w, n)) {
		f->present = false;
		return ANS_NO;
	}
	f->present = true;
	f->end_raw = f->limit_wall = USEC_NEVER;
	if (deadline != USEC_NEVER) {
		left = deadline - raw > 0 ? deadline - raw : 0;
		slew = rng_in(&w->rng, -SLEW, SLEW);
		left = left * 9 / 10;
		f->end_raw = clk_raw(w, n) + left + left * slew / 1000000;
		f->limit_wall = wall + deadline - raw;
	}
	/* The clock is read again right after. */
	if (clk_raw(w, n) >= deadline) {
		fence_close_now(w, n);
		return ANS_NO;
	}
	return ANS_YES;
}
