/*
 * What may have to wait without limit: for another process' memory, for a file
 * on a server that is gone. It is done in a thread of its own, one thing at a
 * time, and whoever asked may give up waiting at any moment. Then the thread is
 * left behind, with what it works on, until it gets through: the end of the
 * process is never held up by it.
 */
#ifndef HAWATCH_ASIDE_H
#define HAWATCH_ASIDE_H

#include "hawatch/types.h"

struct aside;
struct loop;

/* data belongs to the thread while work runs, else to the loop. release gets
 * it when neither needs it any more: maybe long after aside_free. */
struct aside *aside_new(
    struct loop *loop, void (*release)(void *data), void *data);
/* May be called from within a done. */
void aside_free(struct aside *a);
/* work(data) runs in the thread, then done(arg) on the loop, never from within,
 * unless freed. False: nothing was begun, because too many threads have been
 * left behind, or one is under way here. */
bool aside_start(struct aside *a, void (*work)(void *data),
    void (*done)(void *arg), void *arg) MUST_CHECK;
bool aside_busy(const struct aside *a);

#endif
