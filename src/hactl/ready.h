/*
 * Whether a takeover would go well now, as all hosts together say it.
 */
#ifndef HAWATCH_HACTL_READY_H
#define HAWATCH_HACTL_READY_H

#include "hactl/hactl.h"

#define READY_WRONG_MAX 40

struct ready {
	const char *primary; /* of the answer; "" */
	const char *standby; /* the first that could take over; "" */
	bool by_person;	     /* but not where the primary's host is lost */
	bool observed;	     /* all only look on */
	/* Not by itself yet, so soon after the last failover; "" */
	const char *later;
	long long later_ms;
	struct wrong wrong[READY_WRONG_MAX];
	size_t wrongs;
};

/* answer: of the request "status"; borrowed by r. */
void ready_find(struct ready *r, const json_t *answer);
bool ready_holds(const struct ready *r);
/* Whether that one could take over from the primary. */
bool ready_takes_over(const json_t *answer, const char *node);
/* By the policy there neither the end of a lease nor fence agents are a proof:
 * a lost host is left to people. */
bool ready_by_person(const json_t *node);
/* In how many ms it could at the earliest, by itself, after all that stands
 * against it and is known to end; 0: nothing of that kind does. */
long long ready_by_itself_ms(const json_t *node);
/* And if so because the last takeover is too recent. */
bool ready_interval(const json_t *node);
/* What happens by itself then, and what a person does. */
void ready_person_text(
    char *buf, size_t size, const char *standby, const char *primary);
/* What is wrong, each with the command that comes next. */
void ready_print_wrong(const struct ready *r);

/* plan_conditions.c: what stands against it beside the holder's lease. */
bool plan_ready(const json_t *node);
/* cmd_order.c: an order and its steps; last is its answer: caller
 * json_decref()s. Takes request. */
enum exitcode order_give(
    const struct call *call, json_t *request, usec_t limit, json_t **last);
void order_done(const json_t *last);

#endif
