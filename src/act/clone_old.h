/*
 * What copies took the place of, once the data streams.
 */
#ifndef HAWATCH_CLONE_OLD_H
#define HAWATCH_CLONE_OLD_H

struct act_env;

/* In the background, and after whatever else waits for the disk. */
void clone_old_settle(struct act_env *env);

#endif
