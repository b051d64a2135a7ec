/*
 * Something that waits for a disk, done on behalf of an action that may be
 * cancelled meanwhile. It has a thread of its own, in which one thing is done
 * after another: what takes long does not keep waiting what is promised on this
 * disk, to the register or by the journal.
 */
#ifndef HAWATCH_DISK_WORK_H
#define HAWATCH_DISK_WORK_H

#include "hawatch/act.h"

struct act_env;
struct disk_work;

/* In that thread; it touches nothing but what it gets. */
typedef int (*disk_work_fn)(
    void *what, const struct disk_work *self, struct error *err);
/* ok: the function returned 0. what is freed after this. */
typedef void (*disk_work_done_fn)(
    struct act *a, bool ok, void *what, const struct error *err);

/* what is owned, and freed in the end by free_what. */
struct disk_work *disk_work_start(struct act *a, disk_work_fn fn, void *what,
    void (*free_what)(void *what), disk_work_done_fn done);
/* No done follows; what runs ends where it looks next, or at its end. */
void disk_work_cancel(struct disk_work *work);
/* For what takes long: -1 when it is to end. NULL: it goes on. */
int disk_work_goes_on(
    const struct disk_work *self, struct error *err) MUST_CHECK;

/* For no action, and short: in its turn, and not called off. */
void disk_work_note(struct act_env *env, disk_work_fn fn, void *what,
    void (*free_what)(void *what));
/* For no action, and one at a time, another is dropped and the one that there
 * is done once more: it ends for whatever an action starts, and is begun again
 * after that, unless it was done. */
void disk_work_idle(struct act_env *env, disk_work_fn fn, void *what,
    void (*free_what)(void *what));
/* Before the thread is ended. */
void disk_work_idle_end(struct act_env *env);

#endif
