/*
 * repmgr on the hosts of a pair, as an operator sets it up.
 */
#ifndef REPMGRTEST_H
#define REPMGRTEST_H

#include "pgpair.h"

/* Its file on that host, the i-th, and the configuration that names it. */
void repmgrtest_configure(struct pghost *h, int i);
/* type: "primary" or "standby", which waits for the primary's to come. */
void repmgrtest_register(struct pghost *h, const char *type);
/* That is its answer, one value. */
bool repmgrtest_says(struct pghost *h, const char *sql, const char *want);
/* Both are registered, as far as that host has replayed. */
bool repmgrtest_both(struct pghost *h);

#endif
