/*
 * Carries out what the core decided, and tells it what happened. It decides
 * nothing.
 */
#ifndef HAWATCH_ENGINE_DRIVER_H
#define HAWATCH_ENGINE_DRIVER_H

#include "hawatch/act.h"
#include "hawatch/types.h"

struct core_status;
struct engine;

/* The callbacks of the parts; arg is the engine. */
void driver_act_done(void *arg, enum act_kind kind, const struct goal *goal,
    enum answer ans, const char *reason);
void driver_pg_changed(void *arg);
void driver_pg_gone(void *arg);
void driver_fence_lost(void *arg, bool restored, usec_t open_for);

/* What the kernel has at the start, before the first turn. */
void driver_start(struct engine *e);
/* One turn of the loop. */
void driver_turn(void *arg, const struct now *now);

/* snapshot.c: what the front may say without asking. */
void snapshot_publish(struct engine *e, const struct now *now);

/* This host is a standby of that one, and about to become nothing else. */
bool driver_follows(const struct core_status *st, node_t holder);

#endif
