/*
 * A node of coretest.h whose data diverged from the holder's, for the tests of
 * what makes it the holder's again.
 */
#ifndef HAWATCH_REJOINTEST_H
#define HAWATCH_REJOINTEST_H

#include "coretest.h"

/* B, once the primary of epoch 3, and a record of epoch 5. */
void rejointest_replaced(
    struct ct *t, enum core_rejoin rejoin, enum rec_state state);
/* The same, and a person had fenced it before another took over. */
void rejointest_fenced(struct ct *t);
/* What runs streams from A, past where its record is. */
void rejointest_streams(struct ct *t);
/* How often it was said that what copies took the place of may go. */
int rejointest_done(const struct ct *t);

#endif
