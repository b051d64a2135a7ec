/*
 * Damping: turns a stream of single results into up or down. A shift register
 * of the last results; down when at least threshold of the last window were
 * bad, else up. So a single bad result of a flaky path changes nothing, and
 * coming back takes longer than going. Pure.
 */
#ifndef HAWATCH_DAMP_H
#define HAWATCH_DAMP_H

#include "hawatch/types.h"

#define DAMP_WINDOW_MAX 64

struct damp {
	uint64_t bits; /* 1 bad; bit 0 is the newest */
	int window, threshold;
	bool fed; /* at least one result was put in */
};

/* initial: so many bad results are taken for seen before the first; with
 * threshold - 1 the first result alone decides. */
void damp_init(struct damp *d, int window, int threshold, int initial);
/* Unknown is no result: it moves nothing. */
void damp_put(struct damp *d, enum answer result);
/* Yes up, no down, unknown before the first result. */
enum answer damp_up(const struct damp *d);

#endif
