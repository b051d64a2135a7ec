/*
 * The register of two lone hosts: one copy of it on each of the two data nodes,
 * and nothing besides. Pure: whoever runs a copy (the engine, the simulator)
 * writes it to disk before anybody sees its effect. pair.c has the reasons.
 */
#ifndef HAWATCH_PAIR_H
#define HAWATCH_PAIR_H

#include "hawatch/core.h"
#include "hawatch/record.h"

/* Of one host; sure alone is not on disk. */
struct pair_copy {
	struct reg_value value; /* revision 0: nothing was ever written */
	bool lost;  /* the file is not the one that was written here */
	bool first; /* of the two that is written first */
	bool sure;  /* the other copy has had it, or its host was off */
	uint64_t seen_epoch, seen_seq; /* of this node, at the start */
};

/* A copy after a start of its host's engine, c->value as it was read. found:
 * its file was there; same: and is the very one; seen: the node's memory, NULL
 * for none; instance: a fresh random id. */
void pair_start(struct pair_copy *c, bool first, bool found, bool same,
    const struct durable *seen, const char *instance);
/* What another is told of it: a lost copy is told as a cold one, its floor what
 * the node has seen. */
void pair_tell(const struct pair_copy *c, struct reg_value *v);

/* By whom a write comes, and whether the other host is off. */
struct pair_write {
	bool own;   /* of the engine of this very copy */
	bool alone; /* the other one is not asked */
};

/* Fills next with the copy as it has to be written, if *changed; only then is
 * the result told. Unknown: not now. */
enum cas_result pair_cas(const struct pair_copy *c, const struct do_cas *cas,
    struct pair_write by, nodeset_t data, struct pair_copy *next,
    bool *changed);
/* The other copy took what stands here under that nonce. */
void pair_sure(struct pair_copy *c, const char *nonce);

/* What a node goes by, with what the other copy says; NULL: it is silent. */
enum pair_view {
	PAIR_SHOW, /* out, now */
	PAIR_TAKE, /* next has to be written first; then look again */
	PAIR_NONE  /* nothing is here, and the other one does not say */
};
enum pair_view pair_look(struct pair_copy *c, const struct reg_value *other,
    struct reg_value *out, struct pair_copy *next);

/* A person says that this copy is right. False: nothing is wrong with it and
 * with the other one, or nothing is here. */
bool pair_adopt(const struct pair_copy *c, const struct reg_value *other,
    struct pair_copy *next);

#endif
