/*
 * What the parts of the fence share: fence.c (what is asked),
 * fence_install.c (the table at start and put back), fence_rules.c (its
 * rules), fence_elem.c (its sets), fence_look.c (what the kernel has),
 * fence_monitor.c (what others do to it).
 */
#ifndef HAWATCH_FENCE_PRIV_H
#define HAWATCH_FENCE_PRIV_H

#include "fence/nl.h"
#include "hawatch/fence.h"

#define FENCE_TABLE "hawatch"
#define FENCE_WALL "wall"	/* chain: the limit by the wall clock */
#define FENCE_WRITERS "writers" /* set */
#define FENCE_READERS "readers" /* set */

/* Nearer than this an opening is refused. */
#define FENCE_NEAR ((usec_t)20 * USEC_MSEC)

/* What the table allows: at start what was found, later what was asked for.
 * The table is put back with this, never with more. */
struct allowed {
	bool open;
	usec_t end;	/* raw: writers' element; USEC_NEVER without timeout */
	usec_t wall;	/* wall: writers' other limit; USEC_NEVER none */
	usec_t readers; /* raw: readers' element; 0 none */
};

struct nftnl_rule;

struct fence {
	struct nl nl;
	int port;
	struct allowed allowed;

	struct loop *loop;
	struct nl events; /* subscribed to what anybody changes */
	struct watch *watch;
	struct timer *tell;
	void (*lost)(void *arg, bool restored, usec_t open_for);
	void *arg;
	usec_t whole_at; /* raw: the table was last known to be ours */
	usec_t missing;	 /* to be told */
	bool restored;
};

/* fence.c, with the clock given: as if read just before. */
enum fence_result fence_open_at(struct fence *f, usec_t deadline,
    const struct now *now, struct error *err) MUST_CHECK;
enum fence_result fence_renew_at(struct fence *f, usec_t deadline,
    const struct now *now, struct error *err) MUST_CHECK;

/* fence_install.c: at start, keeps a table that is as expected. */
int fence_adopt(struct fence *f, struct error *err) MUST_CHECK;
/* Replaces whatever is there; what a says that is over is left out. */
int fence_install(struct nl *nl, int port, const struct allowed *a,
    struct error *err) MUST_CHECK;

/* 0 or an errno: the writers' element and the wall limit are gone. */
int fence_shut_writers(struct nl *nl) MUST_CHECK;
/* Either limit is over, or so near that the kernel could not count it. */
bool allowed_over(const struct allowed *a, const struct now *now);
/* Returns -1. */
int fence_error(struct error *err, int error, const char *what);

/* fence_rules.c: messages that replace the table by one with empty sets and
 * an empty chain of the wall limit. */
void rules_add_all(struct nl *nl, int port);
/* Empties the wall chain, then gives it its one rule. */
void rules_add_wall_none(struct nl *nl);
void rules_add_wall(struct nl *nl, usec_t wall);
/* The parts of a table, one message each. hook -1: a chain that is jumped to.
 */
void rules_msg_table(struct nl *nl, const char *table, int type);
void rules_msg_chain(struct nl *nl, const char *table, const char *name,
    int hook, int priority);
void rules_msg_rule(struct nl *nl, struct nftnl_rule *r);
/* fence_look.c. Yes: the table is there as we write it. wall is what its limit
 * says, 0 for a chain without a rule. Unknown: the kernel did not tell. */
enum answer rules_look(struct nl *nl, int port, usec_t *wall);

/* fence_elem.c. life USEC_NEVER: without timeout. */
void elem_add(struct nl *nl, const char *set, int port, usec_t life);
void elem_add_delete(struct nl *nl, const char *set, int port);
void elem_add_flush(struct nl *nl, const char *set);
/* Yes: the port's element is there, alone, and lives for so long. No: the
 * set is empty. Unknown: something else is in it, or the kernel did not tell.
 */
enum answer elem_look(struct nl *nl, const char *set, int port, usec_t *life);

/* fence_monitor.c */
int monitor_open(struct fence *f, struct error *err) MUST_CHECK;
void monitor_close(struct fence *f);
/* Reads what is waiting; true when others changed the table, which was then
 * put back; lost will be told from a clean turn of the loop. */
bool monitor_drain(struct fence *f);
/* Puts back what is allowed, in one transaction, and lets lost be told. */
void monitor_restore(struct fence *f);

#endif
