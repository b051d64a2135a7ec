/*
 * Whether this host should get traffic: what voters would notice of it.
 */
#ifndef HAWATCH_ENGINE_HEALTH_H
#define HAWATCH_ENGINE_HEALTH_H

#include "engine/report.h"
#include "hawatch/core.h"

#define HEALTH_REASONS_MAX 512

struct engine;

struct health {
	bool ok;
	checkset_t passes; /* shared checks that are up, and passed last */
	usec_t passed_at[CONF_CHECKS_MAX]; /* of these: raw, start of a probe */
	int at[CONF_CHECKS_MAX];	   /* of these: among e->checks */
	checkset_t fails;		   /* checks that are down */
	checkset_t counts;   /* of these, the ones that /health counts */
	checkset_t spared;   /* shared, down, and not counted: nobody passes */
	checkset_t disputes; /* shared, down, of /health: is it this host? */
	usec_t disputed;     /* raw: the last one of these failed; 0 */
	bool stale;	     /* its applications are not as its role demands */
	usec_t stale_since;  /* raw, as seen here; 0 */
	checkset_t
	    was_down; /* before they were made anew, and not known since */
	char reasons[HEALTH_REASONS_MAX]; /* "": none; comma-separated */
};

/* st: zeroed on a witness; h: as it was looked at last. */
void health_look(const struct engine *e, const struct core_status *st,
    const struct now *now, struct health *h);
/* The checks are made anew by another configuration: one that was down stays
 * so until it has been asked. */
void health_keep(
    struct health *h, const struct conf *old, const struct conf *next);
/* Into the engine's own. */
void health_look_now(struct engine *e, const struct now *now);

#endif
