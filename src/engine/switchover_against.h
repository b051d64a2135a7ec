/*
 * What stands against a switchover to a node, before the core is told.
 */
#ifndef HAWATCH_ENGINE_SWITCHOVER_AGAINST_H
#define HAWATCH_ENGINE_SWITCHOVER_AGAINST_H

#include <jansson.h>

#include "hawatch/types.h"

struct core_status;
struct engine;

/* A refusal: why, and the command that comes next, with the target's name in
 * place of %s. why NULL: nothing stands against it. */
struct against {
	const char *why, *next;
};

extern const char switchover_paused[];

/* What this host sees of the target. */
struct against switchover_seen(
    const struct engine *e, node_t to, const struct core_status *st);
/* What stands against its claim beside the lease that runs here. said: its own
 * status; NULL: it does not answer. */
struct against switchover_said(const json_t *said);

#endif
