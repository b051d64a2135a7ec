/*
 * The clocks, read together. Nothing else in the daemon reads one, except where
 * a log line is stamped.
 */
#include "hawatch/clock.h"
#include "hawatch/loop.h"

/* How far apart the two readings of CLOCK_MONOTONIC may be. */
#define CLOCK_GAP_MAX ((usec_t)50)
#define CLOCK_TRIES 8

static usec_t clock_suspended(void);

struct now
clock_now(void)
{
	struct now now;

	now.suspended = clock_suspended();
	now.wall = clock_read(CLOCK_REALTIME);
	now.raw = clock_read(CLOCK_MONOTONIC_RAW);
	return now;
}

/*
 * A process that is preempted between reading the two clocks would see a
 * suspend that was none. So the one is read on both sides of the other, and
 * the tightest of a few tries counts.
 */
static usec_t
clock_suspended(void)
{
	usec_t before, boot, after, gap, best = USEC_NEVER, suspended = 0;
	int i;

	for (i = 0; i < CLOCK_TRIES && best > CLOCK_GAP_MAX; i++) {
		before = clock_read(CLOCK_MONOTONIC);
		boot = clock_read(CLOCK_BOOTTIME);
		after = clock_read(CLOCK_MONOTONIC);
		gap = after - before;
		if (gap < best) {
			best = gap;
			suspended = boot - after;
		}
	}
	return suspended < 0 ? 0 : suspended;
}
