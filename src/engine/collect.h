/*
 * One question to several engines: their answers, as far as they come. Each is
 * bounded by its own deadline; all are in when nothing is pending.
 */
#ifndef HAWATCH_ENGINE_COLLECT_H
#define HAWATCH_ENGINE_COLLECT_H

#include <jansson.h>

#include "hawatch/types.h"

struct collect;
struct engine;

/* kick is called whenever an answer came: the loop has to turn. */
struct collect *collect_new(struct engine *e, void (*kick)(struct engine *e));
/* After peers are freed, or when nothing is pending. */
void collect_free(struct collect *c);
/* body is copied. */
void collect_ask(struct collect *c, node_t node, const char *path,
    const char *body, usec_t deadline);
/* This host's own answer, or what stands for one; takes obj. */
void collect_put(struct collect *c, node_t node, json_t *obj);
/* One that comes later, by collect_put: it is pending until then. */
void collect_expect(struct collect *c, node_t node);
/* Nested so little that it can become a part of one answer. */
bool collect_shallow(const json_t *value);
bool collect_pending(const struct collect *c);
/* Borrowed; {"silent": why} for one that did not answer, NULL for one that was
 * not asked. */
json_t *collect_at(const struct collect *c, node_t node);

#endif
