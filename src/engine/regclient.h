/*
 * The register as a client sees it: one long poll always under way, reads on
 * demand, writes, reports. Replies become events of the core.
 */
#ifndef HAWATCH_ENGINE_REGCLIENT_H
#define HAWATCH_ENGINE_REGCLIENT_H

#include "hawatch/core.h"

struct engine;
struct regclient;

struct regclient *regclient_new(struct engine *e, struct error *err) MUST_CHECK;
void regclient_free(struct regclient *r);
/* Begins the long poll. */
void regclient_start(struct regclient *r);
void regclient_read(struct regclient *r);
void regclient_cas(struct regclient *r, const struct do_cas *cas);
void regclient_report(
    struct regclient *r, const char *instance, uint64_t epoch, uint64_t seq);

#endif
