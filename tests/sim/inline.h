/*
 * What is called at every instant: chance (splitmix64: the seed decides
 * everything), clocks, links.
 */
#ifndef INLINE_H
#define INLINE_H

#include "world.h"

#define WALL_BASE ((usec_t)1700000000 * USEC_SEC)

static inline uint64_t
rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline int64_t
rng_in(struct rng *r, int64_t lo, int64_t hi)
{
	if (hi <= lo)
		return lo;
	return lo + (int64_t)(rng_next(r) % (uint64_t)(hi - lo + 1));
}

static inline bool
rng_ppm(struct rng *r, int64_t ppm)
{
	return rng_in(r, 0, 999999) < ppm;
}

static inline usec_t
clk_raw_at(const struct clk *c, usec_t t)
{
	usec_t gone = t - c->base_t;

	if (c->stopped)
		return c->base_raw;
	return c->base_raw + gone + gone * c->ppm / 1000000;
}

static inline usec_t
clk_raw(const struct world *w, int host)
{
	return clk_raw_at(&w->host[host].clk, w->t);
}

static inline usec_t
clk_wall(const struct world *w, int host)
{
	return WALL_BASE + w->t + w->host[host].clk.wall_off;
}

static inline struct now
clk_now(const struct world *w, int host)
{
	return (struct now){ .raw = clk_raw(w, host),
		.wall = clk_wall(w, host),
		.suspended = w->host[host].clk.suspended };
}

static inline void
mix(struct world *w, uint64_t v)
{
	w->hash = (w->hash ^ v) * 0x100000001b3u;
	w->hash ^= w->hash >> 29;
}

static inline bool
net_up(const struct world *w, int from, int to)
{
	return w->host[from].up && w->host[to].up &&
	       w->t >= w->cut_until[from][to];
}

#endif
