/*
 * The one source of chance: splitmix64. The seed decides everything.
 */
#include "sim.h"

uint64_t
rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t
rng_in(struct rng *r, int64_t lo, int64_t hi)
{
	if (hi <= lo)
		return lo;
	return lo + (int64_t)(rng_next(r) % (uint64_t)(hi - lo + 1));
}

int64_t
rng_log(struct rng *r, int64_t lo, int64_t hi)
{
	int64_t a = lo, b = hi;
	int bits = 0, pick;

	while ((a << 1) <= b) {
		a <<= 1;
		bits++;
	}
	pick = (int)rng_in(r, 0, bits);
	a = lo << pick;
	b = a << 1 > hi ? hi : a << 1;
	return rng_in(r, a, b);
}

bool
rng_ppm(struct rng *r, int64_t ppm)
{
	return rng_in(r, 0, 999999) < ppm;
}
