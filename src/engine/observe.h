/*
 * Mode observe: what is seen goes to the rules of would.h, and what they would
 * have done to the log.
 */
#ifndef HAWATCH_ENGINE_OBSERVE_H
#define HAWATCH_ENGINE_OBSERVE_H

#include <jansson.h>

#include "hawatch/types.h"

struct engine;
struct now;
struct observe;

/* NULL in another mode, and on a witness: it watches no PostgreSQL. */
struct observe *observe_new(struct engine *e);
void observe_free(struct observe *o);
/* Something else that would have been done; o may be NULL. */
void observe_note(struct observe *o, const struct now *now, const char *text);
void observe_turn(struct engine *e, const struct now *now);
/* Where the primary is seen, and how often that changed; o may be NULL. */
node_t observe_primary(const struct observe *o, uint64_t *changes);
/* All that would have been done, as far as it is kept. */
json_t *observe_json(const struct observe *o);

#endif
