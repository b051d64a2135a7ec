/*
 * What a kind of balancer offers and what it is given. A provider speaks its
 * protocol with one endpoint, once; traffic.c owns the endpoints, deadlines,
 * results and events.
 */
#ifndef TRAFFIC_PROVIDER_H
#define TRAFFIC_PROVIDER_H

#include <stddef.h>

#include "hawatch/traffic.h"

struct balancer;

#define TRAFFIC_REASON_MAX 240

/* One endpoint of one balancer. */
struct traffic_part {
	/* What is asked; the provider reads it. */
	struct loop *loop;
	const struct conf *conf;
	const struct conf_traffic *lb;
	const char *endpoint;
	struct traffic_goal goal;
	bool look;  /* compare, and change nothing */
	void *priv; /* the provider's; zeroed once, kept between runs */
	/* What is found; the provider writes it while it runs. */
	const char *doing; /* for the reason when the time is over */
	nodeset_t in, out; /* as read back */
	bool seen;	   /* something was read */
	/* traffic.c's own. */
	struct balancer *balancer;
	bool running;
	enum answer ans;
	char reason[TRAFFIC_REASON_MAX];
};

struct traffic_ops {
	const char *name; /* type in the configuration */
	size_t priv_size;
	/* Begins one exchange and returns at once; it ends in exactly one
	 * traffic_part_done. -1 with err is the same as unknown with that
	 * text. */
	int (*start)(struct traffic_part *p, struct error *err);
	/* Synchronous, idempotent, final. */
	void (*cancel)(struct traffic_part *p);
};

extern const struct traffic_ops traffic_haproxy;

/* Yes: read back as wanted. No: the balancer answered, and it is not so.
 * Unknown: no whole answer. The last statement of whoever calls it. */
void traffic_part_done(
    struct traffic_part *p, enum answer ans, const char *reason);
/* The balancer was changed, and it was read back. */
void traffic_part_changed(struct traffic_part *p, const char *what);

#endif
