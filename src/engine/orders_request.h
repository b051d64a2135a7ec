/*
 * What came with a verb, checked.
 */
#ifndef HAWATCH_ORDERS_REQUEST_H
#define HAWATCH_ORDERS_REQUEST_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct conf;

#define ORDER_WHY_MAX 120
#define ORDER_SEEN_MAX 700
#define ORDER_BY_MAX 64
/* A pause that is forgotten leaves a cluster without failover. */
#define ORDER_PAUSE_MAX (24 * 3600 * USEC_SEC)

struct order_request {
	uint64_t id;
	node_t node; /* NODE_NONE: none was named */
	char fenced[ORDER_WHY_MAX];
	bool is_fenced;
	unsigned accept;	   /* switchover: a set of enum order_accept */
	char is[16];		   /* role: primary or standby */
	usec_t pause_for;	   /* whole seconds; 0: not said */
	char why[ORDER_WHY_MAX];   /* pause, fence */
	char by[ORDER_BY_MAX];	   /* what hactl's user is called */
	uint64_t epoch;		   /* history, report; 0: none was named */
	bool all, verify;	   /* history */
	bool clone;		   /* rejoin: a copy of all of it, if need be */
	bool apply;		   /* reload: not only look */
	bool look;		   /* only: would it be refused? */
	char seen[ORDER_SEEN_MAX]; /* reload: what was shown before */
};

/* Of the members that are missing, req keeps what it has. */
int orders_request_read(const struct conf *conf, struct order_request *req,
    const char *args_json, struct error *err) MUST_CHECK;

#endif
