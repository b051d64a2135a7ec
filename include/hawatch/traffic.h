/*
 * Steering the balancers of the configuration: what is sent is read back, and
 * only what was read back counts. A balancer is asked only by whoever steers
 * it; what it says is data of a stranger.
 */
#ifndef HAWATCH_TRAFFIC_H
#define HAWATCH_TRAFFIC_H

#include "hawatch/conf.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct traffic;

struct traffic_goal {
	node_t primary;
	bool holder;   /* this node holds the cluster: balancers of all, too */
	nodeset_t out; /* nodes that should get nothing; the others are ready */
	nodeset_t drain; /* of these, who lives and ends what it has begun: it
			    gets nothing new, whatever out is set to */
};

struct traffic *traffic_new(struct loop *loop, const struct conf *conf);
void traffic_free(struct traffic *t);
/* done is called once, never from within, unless cancelled: yes: all that this
 * node steers was read back as wanted; unknown: not yet, reason names the first
 * that is not. A run replaces the one that runs. */
void traffic_run(struct traffic *t, const struct traffic_goal *goal,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg);
void traffic_cancel(struct traffic *t);

struct traffic_state {
	const char *name;
	enum answer ok;	    /* of the last run; unknown: none, or no answer */
	const char *reason; /* "" */
	usec_t seen_at;	    /* raw; 0 never */
	nodeset_t in, out;  /* as read back; none in with an address */
};
/* The balancers that this node may steer. */
int traffic_count(const struct traffic *t);
void traffic_state(const struct traffic *t, int i, struct traffic_state *out);

#endif
