/*
 * The one source of chance: splitmix64. The seed decides everything.
 */
#include "sim.h"

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
