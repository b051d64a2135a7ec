/*
 * The configuration of the running engine: a new file is read aside, compared
 * with what runs, and what may change is made anew.
 */
#ifndef HAWATCH_ENGINE_RELOAD_H
#define HAWATCH_ENGINE_RELOAD_H

#include <jansson.h>

#include "hawatch/types.h"

struct engine;
struct now;
struct reload;

/* said is taken: "digest" of the file, and "shared" of what is to be the same
 * on all hosts; "errors", what is wrong with it, line by line; "changes", with
 * "key", "old", "new", "live", "safety"; "refused" and "next", why nothing was
 * taken over, or could be, and, where only a restart brings it, "restart", by
 * which keys, "safety", whether one of them matters for it, and "holder", of
 * the cluster; "applied". Its callers know the engine to be there: what
 * is under way when it ends is dropped. */
typedef void (*reload_fn)(struct engine *e, uint64_t id, json_t *said);

struct reload *reload_new(struct engine *e);
void reload_free(struct reload *r);
/* digest "": only looks. Else the file with that digest is taken over, as soon
 * as nothing is under way, within a few seconds, or not at all. fn is called
 * once, never from within. */
void reload_start(
    struct engine *e, const char *digest, reload_fn fn, uint64_t id);
/* By SIGHUP, once all hosts found their files right, this host's alone: the log
 * says what came of it. reload_signal.c */
void reload_signal(struct engine *e);
void reload_signal_refused(const char *why, const char *next);
void reload_signal_same(void); /* nothing differs from what runs */
void reload_signal_shows(const json_t *said);
void reload_signal_log(const struct engine *e, node_t n, const json_t *said);
/* At the end of every turn. */
void reload_turn(struct engine *e, const struct now *now);
/* What runs here, for the other hosts: keys and texts. Caller frees. */
char *reload_settings(const struct engine *e);

#endif
