/*
 * For how long an order is watched. By then the engine has said how it ended,
 * or that it goes on; hactl, which gave it, waits longer than any engine that
 * runs, or an order on its way would look like an engine that does not answer.
 */
#ifndef HAWATCH_ORDERLIMIT_H
#define HAWATCH_ORDERLIMIT_H

#include "hawatch/conf.h"
#include "hawatch/types.h"

/* By the engine, from the moment when it was taken: at most. */
#define ORDER_WATCH_MAX (400 * USEC_SEC)
#define ORDER_WATCH_SHORT (30 * USEC_SEC) /* pause, resume, fence */
/* So many times lease.ttl longer, each of them. */
#define ORDER_WATCH_TTLS 4

/* By hactl: others are asked before an order is taken, too. */
#define ORDER_WAIT(watch) \
	((watch) + ORDER_WATCH_TTLS * CONF_TTL_MAX + 30 * USEC_SEC)

#endif
