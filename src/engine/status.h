/*
 * What the files of the status document share, and what orders.c asks of
 * them.
 */
#ifndef HAWATCH_ENGINE_STATUS_H
#define HAWATCH_ENGINE_STATUS_H

#include <jansson.h>

#include "hawatch/core.h"

struct engine;

/* Clients may write here at this moment. */
bool status_is_primary(const struct core_status *st, const struct now *now);
/* The sentence for a token of core/blockers.def; "" for another one. */
const char *status_block_text(const char *token);

/* status_core.c */
void status_core(const struct engine *e, const struct now *now, json_t *doc);

/* status_pg.c */
json_t *status_postgres(const struct engine *e, const struct core_status *st,
    const struct now *now);
json_t *status_peers(const struct engine *e, const struct core_status *st,
    const struct now *now);

/* status_site.c */
json_t *status_checks(const struct engine *e, const struct now *now);
json_t *status_config(const struct engine *e);
json_t *status_ready(const struct engine *e, const struct core_status *st,
    const struct now *now);
json_t *status_health(const struct engine *e);
json_t *status_site(const struct engine *e, const struct core_status *st);
json_t *status_drift(const struct engine *e, const struct now *now);
json_t *status_agents(const struct engine *e, const struct now *now);
json_t *status_traffic(const struct engine *e, const struct now *now);
json_t *status_hosts(const struct engine *e, const struct now *now);

/* Parts that more than one of them writes. */
json_t *status_set(const struct engine *e, nodeset_t set);
json_t *status_node(const struct engine *e, node_t node);
/* Milliseconds until then; null when there is no end, or it is past. */
json_t *status_left(usec_t until, const struct now *now);
void status_wall(json_t *obj, const char *key, usec_t wall);
/* Milliseconds since then; null for never. */
json_t *status_age(usec_t at, const struct now *now);
const char *status_proof(enum proof proof);

/* How far the step of that name is, in its program's own words; "" when it does
 * not say. */
const char *status_progress(const struct engine *e, const char *row);

#endif
