/*
 * What the files of a report share: all hosts' lines, by one clock.
 */
#ifndef HAWATCH_HACTL_STORY_I_H
#define HAWATCH_HACTL_STORY_I_H

#include <jansson.h>
#include <stdbool.h>

#include "hawatch/types.h"

struct story {
	long long epoch;
	long long before; /* the epoch before; it need not be one less; 0 */
	const json_t *hosts;
	const char *self;
	bool away;		     /* another host was asked */
	const char *holder;	     /* of that epoch; "" */
	const char *old;	     /* of the one before; "" */
	bool again;		     /* it is no change: the old one stayed */
	long long offset[NODES_MAX]; /* of a host's clock, to the holder's */
	json_t *doc, *lines;
};

bool story_is(const json_t *line, const char *ev);
const json_t *story_host(const struct story *s, const char *name);
/* Who holds in that epoch, by whoever wrote it down, or sees it now; "". */
const char *story_holder(const struct story *s, long long epoch);
/* story_clock.c: "clocks", "silent", and how far each is off. */
void story_clocks(struct story *s);
/* story_outage.c: "from", "to", "lost", "outage_ms", "old", the proof. */
void story_outage(struct story *s);
/* story_say.c: "summary", and "gaps" where lines are missing. */
void story_say(struct story *s);

#endif
