/* The engine's parts are made, in the order of their need, and unmade. */
#ifndef HAWATCH_ENGINE_PARTS_H
#define HAWATCH_ENGINE_PARTS_H

#include "hawatch/conf.h"
#include "hawatch/error.h"

struct core_conf;
struct engine;

/* Takes conf in any case. */
struct engine *parts_new(struct conf *conf, struct error *err) MUST_CHECK;
void parts_free(struct engine *e);

/* parts_live.c */
void parts_core_conf(const struct conf *conf, struct core_conf *cc);
int parts_live(struct engine *e, struct error *err) MUST_CHECK;
/* These parts of next instead of what runs, next is then the engine's; or why
 * not now, and after a newline what to do. */
const char *parts_renew(
    struct engine *e, struct conf *next, const bool part[CONF_PARTS]);
/* What it would say; *waits: that ends by itself. */
const char *parts_may_renew(
    const struct engine *e, const struct conf *next, bool *waits);
void parts_live_free(struct engine *e);

#endif
