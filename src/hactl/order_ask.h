/*
 * What comes before an order where a person is asked whether it is meant; and
 * after one that kept something.
 */
#ifndef HAWATCH_HACTL_ORDER_ASK_H
#define HAWATCH_HACTL_ORDER_ASK_H

#include <jansson.h>

#include "hactl/hactl.h"
#include "hawatch/orderlimit.h"

/* The engine bounds its orders itself, below this. */
#define ORDER_LIMIT ORDER_WAIT(ORDER_WATCH_MAX)

struct order_ask {
	const json_t *request; /* would it be refused? NULL: not looked at */
	const char *what;      /* it means */
	const char *plan;      /* whose steps would run; NULL: none would */
	const char *question;
};

enum exitcode order_confirm(
    const struct call *call, const struct order_ask *ask);
/* What this host's engine says, for what the question means there; NULL where
 * nobody is asked, or it cannot be told. Caller json_decref()s. */
json_t *order_status(const struct call *call);
/* Of hactl promote: the order of a switchover, where it is given on the
 * primary, or the takeover; NULL where nothing is taken over, nobody is asked,
 * or it cannot be told. */
const char *order_promote_plan(const struct call *call);
/* order_saved.c: puts into the answer to a rejoin that is done what it kept of
 * the data before, as far as this host can tell; and for people. */
void order_saved(const struct call *call, json_t *last);
void order_print_saved(const json_t *last);
/* A plan's steps with their goals. */
void order_print_steps(const char *plan);

#endif
