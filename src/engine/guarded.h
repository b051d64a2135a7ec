/*
 * That this host is guarded is written down before it is: conf/guard.c has the
 * reasons.
 */
#ifndef HAWATCH_GUARDED_H
#define HAWATCH_GUARDED_H

#include "hawatch/conf.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

struct guarded;
struct loop;
struct worker;

/* NULL: this engine may not start. Where it cannot be written and an engine was
 * here before, it may; then it is tried again, each so often. */
struct guarded *guarded_new(struct loop *loop, struct worker *worker,
    const struct conf *conf, usec_t again, struct error *err);
/* After worker_free. */
void guarded_free(struct guarded *g);

#endif
