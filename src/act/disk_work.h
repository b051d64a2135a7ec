/*
 * Something that waits for a disk, done in the worker on behalf of an action
 * that may be cancelled meanwhile.
 */
#ifndef HAWATCH_DISK_WORK_H
#define HAWATCH_DISK_WORK_H

#include "hawatch/act.h"

struct act_env;
struct disk_work;

/* In the worker's thread; it touches nothing but what it gets. */
typedef int (*disk_work_fn)(void *what, struct error *err);
/* ok: the function returned 0. what is freed after this. */
typedef void (*disk_work_done_fn)(
    struct act *a, bool ok, void *what, const struct error *err);

/* what is owned, and freed in the end by free_what. */
struct disk_work *disk_work_start(struct act *a, disk_work_fn fn, void *what,
    void (*free_what)(void *what), disk_work_done_fn done);
/* No done follows; what runs, runs to its end. */
void disk_work_cancel(struct disk_work *work);

#endif
