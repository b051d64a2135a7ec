/*
 * sys/queue.h with the walks that allow removing the element at hand, which
 * glibc leaves out.
 */
#ifndef HAWATCH_QUEUE_H
#define HAWATCH_QUEUE_H

#include <sys/queue.h>

#define TAILQ_FOREACH_SAFE(var, head, field, next) \
	for ((var) = TAILQ_FIRST(head); \
	     (var) != NULL && ((next) = TAILQ_NEXT(var, field), 1); \
	     (var) = (next))

#define LIST_FOREACH_SAFE(var, head, field, next) \
	for ((var) = LIST_FIRST(head); \
	     (var) != NULL && ((next) = LIST_NEXT(var, field), 1); \
	     (var) = (next))

#endif
