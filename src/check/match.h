/*
 * An extended regular expression looked for in a text that a stranger sent,
 * beside the loop.
 */
#ifndef CHECK_MATCH_H
#define CHECK_MATCH_H

#include <stddef.h>

#include "hawatch/types.h"

struct loop;
struct matcher;

struct matcher *matcher_new(struct loop *loop);
/* Waits for the search that runs. */
void matcher_free(struct matcher *m);

/* Whether a search runs, be it that nobody waits for it any more. */
bool matcher_busy(const struct matcher *m);
/* The matcher is not busy. Borrows both texts until it returns; done is called
 * once, never from within, unless cancelled. */
void matcher_start(struct matcher *m, const char *want, const char *text,
    void (*done)(void *arg, bool yes), void *arg);
void matcher_cancel(struct matcher *m);

#endif
