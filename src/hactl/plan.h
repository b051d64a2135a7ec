/*
 * What the files of hactl plan share.
 */
#ifndef HAWATCH_HACTL_PLAN_H
#define HAWATCH_HACTL_PLAN_H

#include <jansson.h>
#include <stdbool.h>

#include "hawatch/types.h"

/* The rows of that plan in the answer, beneath each what was seen of its goal,
 * where wanted. */
void plan_print_rows(const json_t *answer, const char *plan, bool seen);
/* One row of a plan. */
void plan_step(int number, bool forward, const char *row, usec_t limit,
    const char *late, const char *goal);
/* Prints what was seen of that row's goal on the node of the answer. */
void plan_seen(const json_t *answer, const char *row);
/* Of a check: "up", "down", "not known". */
const char *plan_state(const json_t *check);

#endif
