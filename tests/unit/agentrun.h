/*
 * Fence agents that do what a test tells them, and how switching a host off by
 * them ended.
 */
#ifndef AGENTRUN_H
#define AGENTRUN_H

#include <sys/types.h>

#include "hawatch/agent.h"
#include "hawatch/conf.h"
#include "hawatch/loop.h"

#define SEC USEC_SEC
#define MSEC USEC_MSEC

struct agentrun {
	char dir[64];
	struct loop *loop;
	struct worker *worker;
	struct timer *timer;
	struct agents *agents;
	struct conf conf;
	int done;
	enum answer off;
	char why[400];
};

/* All events, a line each. */
extern char ar_emitted[65536];

int ar_setup(void **state);
int ar_teardown(void **state);

/* In the directory; of the last four. */
const char *ar_path(const struct agentrun *f, const char *name);
void ar_put(
    const struct agentrun *f, const char *name, const char *text, mode_t mode);
/* "" when it is not there. */
const char *ar_got(const struct agentrun *f, const char *name);
/* One that notes what it is told: NAME.in, NAME.log, NAME.cmdline. */
struct conf_agent *ar_add(struct agentrun *f, const char *name, int level);
/* What the agent does when it is told so: a shell text. */
void ar_does(const struct agentrun *f, const char *name, const char *action,
    const char *text);
void ar_run_for(struct agentrun *f, usec_t t);
/* The host is to be switched off. */
void ar_begin(struct agentrun *f);
/* To its end. */
void ar_shoot(struct agentrun *f);
void ar_on_off(void *arg, enum answer off, const char *why);

#endif
