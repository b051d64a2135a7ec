/*
 * What makes a node unable to take over, one condition at a time.
 */
#ifndef HAWATCH_TEST_SPOIL_H
#define HAWATCH_TEST_SPOIL_H

#include "coretest.h"

/* Each spoils one condition of a claim, and only that one. */
void spoil_not_auto(struct ct *t);
void spoil_observe(struct ct *t);
void spoil_not_listed(struct ct *t);
void spoil_latched(struct ct *t);
void spoil_wal_short(struct ct *t);
void spoil_unarmed(struct ct *t);
void spoil_too_soon(struct ct *t);
void spoil_abdicated(struct ct *t);
void spoil_cold(struct ct *t);
void spoil_forgetful(struct ct *t);

#endif
