/*
 * Switching one host off: its levels in order, all devices of a level at once.
 */
#ifndef HAWATCH_AGENT_OFF_H
#define HAWATCH_AGENT_OFF_H

#include "agent/agent_i.h"

/* done is called once, not before this returned, unless it is cancelled. */
struct agent_off;
struct agent_off *agent_off_start(const struct agent_env *env,
    const struct conf *conf, node_t node, bool look, agents_done_fn done,
    void *arg);
void agent_off_cancel(struct agent_off *off);

#endif
