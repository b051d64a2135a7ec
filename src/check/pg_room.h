/*
 * Whether PostgreSQL has room to write: see pg_room.c.
 */
#ifndef HAWATCH_PG_ROOM_H
#define HAWATCH_PG_ROOM_H

#include "hawatch/types.h"

struct loop;
struct pg_room;

/* limit: a look that takes longer hangs. news: on the loop, after a look that
 * changed the answer. */
struct pg_room *pg_room_new(struct loop *loop, const char *directory,
    usec_t limit, void (*news)(void *arg), void *arg);
void pg_room_free(struct pg_room *r);
/* Looks, unless a look is under way; never waits for it. runs: the server is
 * known to, so that its directories must be there. */
void pg_room_look(struct pg_room *r, bool runs);
/* Why there is no room: a token of reasons.def; "": there is, or nobody
 * knows. where: the path of which that was found. */
const char *pg_room_why(const struct pg_room *r, const char **where);

#endif
