/*
 * A program that rewrites or copies data: it may run for hours, so it is ended
 * not by a limit but when nothing moves in it any more; what it prints of its
 * progress is what the action says of itself.
 */
#ifndef HAWATCH_CHILD_H
#define HAWATCH_CHILD_H

#include "hawatch/act.h"

struct child;
struct primary_said;

/* ok: it ended with 0. Else why is a token, "" where it said so itself, in the
 * log. Freed before done is called. */
typedef void (*child_fn)(struct act *a, bool ok, const char *why);
/* argv and keep_fd as for a job, as PostgreSQL's own user. to: where it
 * connects, whose password it gets. */
struct child *child_start(struct act *a, const char *const *argv, int keep_fd,
    const struct primary_said *to, child_fn done, struct error *err) MUST_CHECK;
/* The program does not say how far it is: the kernel knows what it wrote. */
void child_counted(struct child *c);
/* It is killed; no done follows. */
void child_cancel(struct child *c);

#endif
