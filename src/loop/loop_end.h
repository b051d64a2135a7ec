/*
 * What must outlive its owner until the loop itself ends: for instance a child
 * that was killed and still has to be reaped. loop_free calls what is left, in
 * reverse order.
 */
#ifndef HAWATCH_LOOP_END_H
#define HAWATCH_LOOP_END_H

#include "hawatch/queue.h"

struct loop;

struct loop_end {
	LIST_ENTRY(loop_end) entry;
	void (*fn)(struct loop_end *end);
};

void loop_end_add(struct loop *loop, struct loop_end *end);
/* The first with this function, NULL when there is none. */
struct loop_end *loop_end_find(
    struct loop *loop, void (*fn)(struct loop_end *end));

#endif
