/*
 * Work for a disk in the worker's thread. It lives until the worker is through
 * with it, whether somebody still waits or not.
 */
#include "act/disk_work.h"

#include <stdlib.h>

#include "act/env.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

struct disk_work {
	struct act *a; /* NULL: cancelled */
	disk_work_fn fn;
	disk_work_done_fn done;
	void *what;
	void (*free_what)(void *what);
	struct error err;
	bool ok;
};

static void
disk_work_free(void *arg)
{
	struct disk_work *work = arg;

	work->free_what(work->what);
	free(work);
}

static void
disk_work_do(void *arg)
{
	struct disk_work *work = arg;

	work->ok = work->fn(work->what, &work->err) == 0;
}

static void
disk_work_done(void *arg)
{
	struct disk_work *work = arg;

	if (work->a != NULL)
		work->done(work->a, work->ok, work->what, &work->err);
	disk_work_free(work);
}

struct disk_work *
disk_work_start(struct act *a, disk_work_fn fn, void *what,
    void (*free_what)(void *what), disk_work_done_fn done)
{
	struct disk_work *work = xcalloc(1, sizeof(*work));

	work->a = a;
	work->fn = fn;
	work->done = done;
	work->what = what;
	work->free_what = free_what;
	worker_submit_own(act_env(a)->worker, disk_work_do, disk_work_done,
	    disk_work_free, work);
	return work;
}

void
disk_work_cancel(struct disk_work *work)
{
	if (work != NULL)
		work->a = NULL;
}
