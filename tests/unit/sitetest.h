/*
 * A node of coretest.h with everything around its database configured, for the
 * tests of the site's rules.
 */
#ifndef HAWATCH_SITETEST_H
#define HAWATCH_SITETEST_H

#include "coretest.h"

/* Node self of A and B, brought to its role for epoch 5. */
void site_init(struct ct *t, node_t self);
/* Index of the first request of that kind from i on; t->n if none. */
int site_asked_at(const struct ct *t, int i, enum act_kind kind);
int site_asked(const struct ct *t, enum act_kind kind);
int site_cancelled(const struct ct *t, enum act_kind kind);
/* Time passes, and that node says each half second how it is. */
void site_heard(
    struct ct *t, usec_t us, node_t n, uint64_t epoch, bool serving);
/* As ct_holder and ct_candidate, with what is on disk. */
void site_holder(struct ct *t, nodeset_t candidates);
void site_candidate(struct ct *t);
/* The record is the other's, in that epoch and state; this node may not take
 * it. */
void site_moves(struct ct *t, uint64_t epoch, enum rec_state state);

#endif
