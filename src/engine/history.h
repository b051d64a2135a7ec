/*
 * What changed the cluster, as this host saw it, kept in its state directory:
 * each event that counts becomes a line of a chained file. It never disturbs
 * the engine: a thread of its own writes and reads, what a full disk keeps out
 * waits as long as there is room in memory, and nobody waits for either. What
 * is left out, for want of room or as too much of one kind, is counted in a
 * line of its own, history.left-out; see history_limit.h.
 */
#ifndef HAWATCH_ENGINE_HISTORY_H
#define HAWATCH_ENGINE_HISTORY_H

#include <jansson.h>

#include "hawatch/emit.h"
#include "hawatch/types.h"

#define HISTORY_FULL ((size_t)128 * 1024)
#define HISTORY_FILES 32
#define HISTORY_NAME "history"

struct history;
struct loop;

struct history *history_new(
    struct loop *loop, const char *dir, const char *node);
/* Writes what waits, unless the disk is busy with it. */
void history_free(struct history *h);
/* more is taken: what the event does not carry; may be NULL. */
void history_event(struct history *h, const struct now *now, enum event_name ev,
    const struct kv *kv, size_t n, json_t *more);
/* A line that is no event of the log, and a decision. */
void history_detail(
    struct history *h, const struct now *now, const char *what, json_t *more);
/* At the end of every turn. Returns the raw time of the next. */
usec_t history_turn(struct history *h, const struct now *now);

struct history_query {
	uint64_t epoch; /* what belongs to the change to that one; 0: the
			   newest changes; with all, all lines */
	bool all;
	bool verify;	/* only whether the chain holds */
	size_t records; /* at most, */
	size_t bytes;	/* and of so many bytes */
};
/* found is an object, borrowed: "records", "lines", "files", "sum", and
 * "broken" where the chain is; or "error"; "asked_ms", when that was by this
 * host's clock. Never called after history_free. */
void history_read(struct history *h, const struct history_query *q,
    void (*done)(void *arg, uint64_t id, const json_t *found), void *arg,
    uint64_t id);

/* history_read.c: in the thread. Caller json_decref()s. */
json_t *history_find(const char *path, const struct history_query *q);

/* history_tap.c: what emit_tap calls; arg is the engine. */
void history_tap(
    void *engine, enum event_name ev, const struct kv *kv, size_t n);
/* At the end of every turn: what this host sees of the record. */
void history_look(void *engine, const struct now *now);

#endif
