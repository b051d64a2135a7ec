/* The engine's parts are made, in the order of their need, and unmade. */
#ifndef HAWATCH_ENGINE_PARTS_H
#define HAWATCH_ENGINE_PARTS_H

#include "hawatch/error.h"

struct conf;
struct engine;

/* Takes conf in any case. */
struct engine *parts_new(struct conf *conf, struct error *err) MUST_CHECK;
void parts_free(struct engine *e);

#endif
