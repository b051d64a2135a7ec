/*
 * How a PostgreSQL instance without a postmaster ended; for the action "stop".
 */
#ifndef HAWATCH_STOP_LOOK_H
#define HAWATCH_STOP_LOOK_H

#include "hawatch/act.h"

struct stop_look;

/* Yes: by a primary's own shutdown, of which the last record ends there; where
 * the goal is a standby's, by any shutdown of its own, and no end is said. No:
 * otherwise. Unknown: why says why. The look is freed before done is called,
 * and never calls it from within. */
typedef void (*stop_look_fn)(
    struct act *a, enum answer clean, lsn_t end, const char *why);
struct stop_look *stop_look_start(
    struct act *a, stop_look_fn done, struct error *err) MUST_CHECK;
/* No done follows. */
void stop_look_cancel(struct stop_look *look);

#endif
