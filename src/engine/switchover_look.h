/*
 * The look at this host's PostgreSQL before it is told to hand over: what the
 * stop would end, wait for, or leave behind.
 */
#ifndef HAWATCH_SWITCHOVER_LOOK_H
#define HAWATCH_SWITCHOVER_LOOK_H

#include "hawatch/types.h"

struct engine;
struct orders;

/* Asks it once, bounded, and refuses the order for what is found and not
 * accepted, a set of enum order_accept; else the target's engine is asked. */
void switchover_look(struct engine *e, uint64_t id, node_t to, unsigned accept);
void switchover_look_free_all(struct orders *o);

#endif
