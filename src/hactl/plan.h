/*
 * What the files of hactl plan share.
 */
#ifndef HAWATCH_HACTL_PLAN_H
#define HAWATCH_HACTL_PLAN_H

#include <jansson.h>
#include <stdbool.h>

#include "hactl/hactl.h"
#include "hawatch/types.h"

#define PLAN_SEEN_MAX 400

/* The rows of that plan in the answer, beneath each what was seen of its goal,
 * where wanted. */
void plan_print_rows(const json_t *answer, const char *plan, bool seen);
/* The same on the host that hands over. */
void plan_seen_handover(const json_t *answer, const char *row);
/* plan_conditions.c: what must hold on that node for a takeover by it. */
void plan_conditions(const json_t *node);
/* One row of a plan. */
void plan_step(int number, bool forward, const char *row, usec_t limit,
    const char *late, const char *goal);
/* Prints what was seen of that row's goal on the node of the answer. */
void plan_seen(const json_t *answer, const char *row);
/* One line of what was seen, beneath the row; of PLAN_SEEN_MAX bytes. */
void plan_seen_line(const char *text);
/* Of a check: "up", "down", "not known". */
const char *plan_state(const json_t *check);

/* plan_if.c: what --if asks; *text is for the caller to free, NULL where the
 * code is not 0. */
enum exitcode plan_if(const struct call *call, char **text);
/* It is the node of the plan that is supposed to be lost: there is no plan. */
bool plan_if_itself(const struct call *call);

#endif
