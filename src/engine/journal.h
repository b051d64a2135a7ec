/*
 * The engine's state file: what must survive a crash (struct durable), written
 * whole and as text, into one of two preallocated slots in turn, so that a
 * full disk does not keep a node from remembering and a torn write leaves the
 * other slot.
 */
#ifndef HAWATCH_ENGINE_JOURNAL_H
#define HAWATCH_ENGINE_JOURNAL_H

#include "hawatch/core.h"

struct journal;
struct worker;

typedef void (*journal_fn)(void *arg, uint64_t version, bool ok);

/* *found: dur was filled from the file. A file of which no slot can be read
 * is an error: what it held is not known. */
struct journal *journal_open(const char *path, struct worker *w,
    const struct names *names, struct durable *dur, bool *found,
    struct error *err) MUST_CHECK;
void journal_free(struct journal *j);
/* done comes on the loop. A newer image replaces one that waits; done for it
 * covers both. */
void journal_save(struct journal *j, uint64_t version,
    const struct durable *dur, journal_fn done, void *arg);

/* The text, for tests. Caller frees. */
char *journal_str(const struct durable *dur, const struct names *names);
int journal_parse(struct durable *dur, const char *json, size_t len,
    const struct names *names, struct error *err) MUST_CHECK;

#endif
