/*
 * The control API for operators of other hosts.
 */
#ifndef HAWATCH_ENGINE_REMOTE_H
#define HAWATCH_ENGINE_REMOTE_H

#include "engine/engine.h"

#define REMOTE_PATH "/v1/control"

struct front_request;

/* False: it is none of an operator's. */
bool remote_request(struct engine *e, const struct front_request *req);

#endif
