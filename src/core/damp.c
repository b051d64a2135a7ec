/*
 * Damping of check results, as varnish damps its backend probes. It knows
 * nothing of what is checked, nor of time: who feeds it decides how often.
 */
#include "hawatch/damp.h"

#include <assert.h>

static uint64_t
damp_mask(int count)
{
	if (count >= DAMP_WINDOW_MAX)
		return UINT64_MAX;
	return ((uint64_t)1 << count) - 1;
}

void
damp_init(struct damp *d, int window, int threshold, int initial)
{
	assert(window >= 1 && window <= DAMP_WINDOW_MAX);
	assert(threshold >= 1 && threshold <= window);
	assert(initial >= 0 && initial <= window);
	d->bits = damp_mask(initial);
	d->window = window;
	d->threshold = threshold;
	d->fed = false;
}

void
damp_put(struct damp *d, enum answer result)
{
	if (result == ANS_UNKNOWN)
		return;
	d->bits = (d->bits << 1) | (result == ANS_NO ? 1 : 0);
	d->bits &= damp_mask(d->window);
	d->fed = true;
}

enum answer
damp_up(const struct damp *d)
{
	if (!d->fed)
		return ANS_UNKNOWN;
	if (__builtin_popcountll(d->bits) >= d->threshold)
		return ANS_NO;
	return ANS_YES;
}
