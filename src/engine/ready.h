/*
 * Whether a takeover is possible now, as far as this host can know.
 */
#ifndef HAWATCH_ENGINE_READY_H
#define HAWATCH_ENGINE_READY_H

#include "hawatch/core.h"

#define READY_MAX 256

struct engine;

/* "", or why not: tokens of blockers.def, comma-separated. */
void ready_look(const struct engine *e, const struct core_status *st,
    const struct now *now, char *reasons, size_t size);

#endif
