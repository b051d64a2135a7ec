/*
 * The framework of actions over a real pair: one call runs one request to its
 * end and says how it ended and how long it took.
 */
#ifndef ACTTEST_H
#define ACTTEST_H

#include "hawatch/act.h"
#include "pgpair.h"

struct acttest {
	struct loop *loop;
	struct worker *worker;
	struct act_env *env;
	struct acts *acts;
	int done;
	enum act_kind kind;
	enum answer ans;
	char reason[200];
	struct goal goal;
	double ms;
};

/* The engine of that host. */
void acttest_up(struct acttest *t, struct pghost *h);
void acttest_down(struct acttest *t);
/* Runs until done or late; whether it was done. */
bool acttest_run(struct acttest *t, enum act_kind kind, const struct goal *goal,
    usec_t limit);
/* Lets the loop turn for so long, for what goes on in the background. */
void acttest_idle(struct acttest *t, usec_t time);
bool acttest_wait(
    struct acttest *t, bool (*cond)(void *arg), void *arg, usec_t limit);

#endif
