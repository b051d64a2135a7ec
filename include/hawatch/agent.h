/*
 * Fence agents: programs that switch a host off, and say whether it is off.
 *
 * An agent speaks the protocol of ClusterLabs: lines of key=value on its
 * standard input, action among them; it ends with 0 when that was done. The
 * end of status is 0 when the host is on, 2 when it is off, and nothing else
 * says anything. A plain command gets the action as its last argument, and
 * ends in the same way.
 *
 * A host is off when every device of one level was told so and then said that
 * it is: what an agent's off returns proves nothing. Levels are tried in order.
 */
#ifndef HAWATCH_AGENT_H
#define HAWATCH_AGENT_H

#include "hawatch/conf.h"
#include "hawatch/types.h"

struct agents;
struct loop;
struct worker;

/* All are borrowed and must live longer. */
struct agents *agents_new(
    struct loop *loop, const struct conf *conf, struct worker *worker);
void agents_free(struct agents *a);
/* The nodes whose hosts have agents, this one not among them. */
nodeset_t agents_nodes(const struct conf *conf);

/* Switches that node's host off. done is called once, from a clean turn of the
 * loop, unless it is cancelled: yes, seen off; no, and why. One at a time. */
typedef void (*agents_done_fn)(void *arg, enum answer off, const char *why);
void agents_off(struct agents *a, node_t node, agents_done_fn done, void *arg);
/* The same without switching: one device that says on, and it is. */
void agents_look(struct agents *a, node_t node, agents_done_fn done, void *arg);
/* Kills what runs. What was switched off stays so. */
void agents_cancel(struct agents *a);

/* Whether each device of another host can be reached: asked now and then. */
struct agent_state {
	const struct conf_agent *conf;
	enum answer ok; /* unknown: not asked yet */
	const char *why;
	usec_t seen_at; /* 0 never */
};
int agents_count(const struct agents *a);
void agents_state(const struct agents *a, int i, struct agent_state *st);

#endif
