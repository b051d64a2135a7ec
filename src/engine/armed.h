/* Whether this host could be fenced with certainty. */
#ifndef HAWATCH_ENGINE_ARMED_H
#define HAWATCH_ENGINE_ARMED_H

#include "hawatch/types.h"

struct engine;

/* At the start of every turn: asked twice a second, and the core is told. */
void armed_turn(struct engine *e, const struct now *now);

#endif
