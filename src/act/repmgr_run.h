/*
 * repmgr's own commands about the local server, which runs, by configuration in
 * the place of what hawatchd would do itself. What repmgr says in the end is
 * logged and not believed.
 */
#ifndef HAWATCH_REPMGR_RUN_H
#define HAWATCH_REPMGR_RUN_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct act_env;
struct repmgr_run;

/* Ended after limit. Freed before
 * done is called. words live until then. */
typedef void (*repmgr_run_fn)(void *arg, bool ok);
struct repmgr_run *repmgr_run_start(struct act_env *env,
    const char *const *words, usec_t limit, repmgr_run_fn done, void *arg,
    struct error *err) MUST_CHECK;
/* It is killed; no done follows. */
void repmgr_run_cancel(struct repmgr_run *run);
/* It does not go on beyond the end of this engine's lease, even when that
 * hangs. To be said again whenever the lease may have moved, by what does no
 * more than that; NULL: there is none. */
void repmgr_run_lease(struct repmgr_run *run);
/* What was wanted of it is there: it goes on by itself with what is left, no
 * done follows, and env ends it. */
void repmgr_run_leave(struct repmgr_run *run);

#endif
