/*
 * One attempt at one item that is no line: looking at it, or bringing it
 * about.
 */
#ifndef CONVERGE_OP_H
#define CONVERGE_OP_H

#include "converge/converge_i.h"

/* One for each kind of item. Every member is required. start begins and every
 * path ends in one op_end; again is called after op_again; cancel releases
 * what is under way, and is called before the end, too. */
struct op_ops {
	void (*start)(struct op *op);
	void (*again)(struct op *op);
	void (*cancel)(struct op *op);
	usec_t backoff; /* after the first failure */
};

extern const struct op_ops op_program; /* service of supervisord */
extern const struct op_ops op_service; /* service of commands */
extern const struct op_ops op_command;
extern const struct op_ops op_cache;

typedef void (*op_done_fn)(
    struct item *item, enum answer ans, const char *reason);

struct op {
	struct item *item;
	struct converge *c;
	bool bring;   /* else only look */
	bool running; /* service: demanded */
	bool acted;   /* something was changed */
	node_t primary;
	uint64_t epoch;
	usec_t began, deadline; /* raw */
	int step;		/* the kind's own */
	pid_t not_pid;		/* program */
	bool caused;		/* op_may_act */
	uint64_t mark;
	char why[ITEM_REASON]; /* what it waits for */
	struct timer *timer;
	usec_t backoff;
	bool begun;
	struct job *job;
	const char *what; /* its name in messages */
	void (*job_done)(struct op *op, enum answer ans, const char *why);
	struct sup_call *list;
	struct sup_left *left;
	struct sup_work *work;
	struct probe_call *probe;
	op_done_fn done;
};

/* done is called once, never from within, unless cancelled. */
struct op *op_start(struct item *item, bool bring, node_t primary,
    uint64_t epoch, usec_t deadline, op_done_fn done);
void op_cancel(struct op *op);

/* For the kinds. */
void op_end(struct op *op, enum answer ans, const char *reason);
/* Calls again after that time, or a growing one for 0. */
void op_again(struct op *op, usec_t after);
usec_t op_left(const struct op *op);
/* Whether the restarts that this item causes are on disk, or cannot be; if
 * not, op_again was called. To be asked before anything is changed. */
bool op_may_act(struct op *op);

#endif
