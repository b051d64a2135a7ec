/*
 * Work for a disk in a thread. It lives until the thread is through with it,
 * whether somebody still waits or not.
 */
#include "act/disk_work.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "act/env.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

struct disk_work {
	struct act_env *env;
	struct act *a;	 /* NULL: cancelled, or for none */
	atomic_bool off; /* it is to end */
	disk_work_fn fn;
	disk_work_done_fn done;
	void *what;
	void (*free_what)(void *what);
	struct error err;
	bool ok;
	bool again; /* asked for since it was begun */
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

	work->ok = work->fn(work->what, work, &work->err) == 0;
}

static void
disk_work_done(void *arg)
{
	struct disk_work *work = arg;

	if (work->a != NULL)
		work->done(work->a, work->ok, work->what, &work->err);
	disk_work_free(work);
}

static void
disk_work_idle_done(void *arg)
{
	struct disk_work *work = arg;

	if ((atomic_exchange(&work->off, false) && !work->ok) || work->again) {
		work->again = false;
		worker_submit_own(work->env->disk, disk_work_do,
		    disk_work_idle_done, disk_work_free, work);
		return;
	}
	work->env->idle = NULL;
	disk_work_free(work);
}

static struct disk_work *
disk_work_new(struct act_env *env, disk_work_fn fn, void *what,
    void (*free_what)(void *what))
{
	struct disk_work *work = xcalloc(1, sizeof(*work));

	work->env = env;
	work->fn = fn;
	work->what = what;
	work->free_what = free_what;
	return work;
}

struct disk_work *
disk_work_start(struct act *a, disk_work_fn fn, void *what,
    void (*free_what)(void *what), disk_work_done_fn done)
{
	struct act_env *env = act_env(a);
	struct disk_work *work = disk_work_new(env, fn, what, free_what);

	work->a = a;
	work->done = done;
	disk_work_idle_end(env);
	worker_submit_own(
	    env->disk, disk_work_do, disk_work_done, disk_work_free, work);
	return work;
}

void
disk_work_cancel(struct disk_work *work)
{
	if (work == NULL)
		return;
	work->a = NULL;
	atomic_store(&work->off, true);
}

int
disk_work_goes_on(const struct disk_work *self, struct error *err)
{
	if (self == NULL || !atomic_load(&self->off))
		return 0;
	return error_set(err, ERR_REFUSED, "called off");
}

void
disk_work_note(struct act_env *env, disk_work_fn fn, void *what,
    void (*free_what)(void *what))
{
	worker_submit_own(env->disk, disk_work_do, disk_work_done,
	    disk_work_free, disk_work_new(env, fn, what, free_what));
}

void
disk_work_idle(struct act_env *env, disk_work_fn fn, void *what,
    void (*free_what)(void *what))
{
	if (env->idle != NULL) {
		env->idle->again = true;
		free_what(what);
		return;
	}
	env->idle = disk_work_new(env, fn, what, free_what);
	worker_submit_own(env->disk, disk_work_do, disk_work_idle_done,
	    disk_work_free, env->idle);
}

void
disk_work_idle_end(struct act_env *env)
{
	if (env->idle != NULL)
		atomic_store(&env->idle->off, true);
}
