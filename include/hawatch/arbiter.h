/*
 * The register as a value with rules: reads, compare-and-swap, cold and warm.
 * Pure: whoever runs it (the witness's engine, the simulator) writes the image
 * to disk before anybody sees its effect.
 */
#ifndef HAWATCH_ARBITER_H
#define HAWATCH_ARBITER_H

#include "hawatch/core.h"
#include "hawatch/record.h"

/* The whole of it, as it is on disk. */
struct arbiter {
	struct reg_value value;
	nodeset_t ahead;   /* cold: who reported more than the value shows */
	usec_t written_at; /* wall */
};

/* What tells a plain restart from a restored copy or another machine. */
struct arbiter_origin {
	bool found;	/* a file was there */
	bool same_file; /* device, inode, birth, machine id as written inside */
	usec_t wall;	/* now */
};

/* Prepares the image after a start; instance and next are fresh random ids.
 * True when the image changed and must be written before anything is served. */
bool arbiter_start(struct arbiter *a, const struct arbiter_origin *origin,
    const char *instance, const char *next, usec_t wall_gap);

/* Each fills next with the image to be written; only when that is durable
 * does *next become the arbiter and the result be told. CAS_CONFIRMED with
 * an unchanged image (a repeated request) needs no write: *changed. */
enum cas_result arbiter_cas(const struct arbiter *a, const struct do_cas *cas,
    nodeset_t data, struct arbiter *next, bool *changed);
/* A node's report to a cold register. False: it is not cold, or of another
 * next instance. */
bool arbiter_report(const struct arbiter *a, node_t node, const char *instance,
    uint64_t epoch, uint64_t seq, nodeset_t data, struct arbiter *next);
/* A person says that this value is right. */
bool arbiter_adopt(const struct arbiter *a, struct arbiter *next);

#endif
