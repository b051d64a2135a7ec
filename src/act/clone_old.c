/*
 * Removing old data takes its time, and nobody waits for it.
 */
#include "act/clone_old.h"

#include <stdlib.h>

#include "act/clone_dir.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "hawatch/mem.h"

static int
settle_work(void *what, const struct disk_work *self, struct error *err)
{
	struct clone_dir dir = { .data = what, .work = self };

	return clone_dir_settle(&dir, err);
}

void
clone_old_settle(struct act_env *env)
{
	disk_work_idle(
	    env, settle_work, xstrdup(env->conf->pg.data_directory), free);
}
