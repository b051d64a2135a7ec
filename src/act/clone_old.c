/*
 * What is old from now on is written down before whatever else is done for
 * this disk: a copy that is placed after this took the place of something that
 * is not. Removing takes its time, and nobody waits for it.
 */
#include "act/clone_old.h"

#include <stdlib.h>

#include "act/clone_dir.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "hawatch/mem.h"

static int
note_work(void *what, const struct disk_work *self, struct error *err)
{
	struct clone_dir dir = { .data = what, .work = self };

	return clone_dir_note(&dir, err);
}

static int
prune_work(void *what, const struct disk_work *self, struct error *err)
{
	struct clone_dir dir = { .data = what, .work = self };

	return clone_dir_prune(&dir, err);
}

void
clone_old_settle(struct act_env *env)
{
	const char *data = env->conf->pg.data_directory;

	disk_work_note(env, note_work, xstrdup(data), free);
	disk_work_idle(env, prune_work, xstrdup(data), free);
}
