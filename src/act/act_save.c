/*
 * Action "save": what only this data has, from the last checkpoint that the
 * primary shares with it, is kept beside it with a listing, before it is
 * rewritten.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/disk_work.h"
#include "act/env.h"
#include "act/modules.h"
#include "act/saved.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define AGAIN (5 * USEC_SEC)
#define LISTING_LIMIT (60 * USEC_SEC)
#define LOOK USEC_SEC
#define LISTING_MAX ((size_t)4 << 20)

/* What the worker gets, and gives back. */
struct save_work {
	struct saved_goal goal;
	struct saved_told told;
	struct saved saved;
	char *listing;
	size_t len;
};

struct act_save_priv {
	struct disk_work *work;
	struct save_work *copying; /* lives as long as the work */
	struct timer *timer;
	struct job *job;
	struct saved saved;
	bool done; /* since this was asked */
};

static int act_save_observe(struct act *a, struct error *err);
static int act_save_apply(struct act *a, struct error *err);
static void act_save_cancel(struct act *a);

const struct act_ops act_save = {
	.name = "save",
	.kind = ACT_SAVE,
	.priv_size = sizeof(struct act_save_priv),
	.observe = act_save_observe,
	.apply = act_save_apply,
	.cancel = act_save_cancel,
	.again = AGAIN,
};

static int
act_save_observe(struct act *a, struct error *err)
{
	struct act_save_priv *p = act_priv(a);

	act_done(a, p->done ? ANS_YES : ANS_NO, "");
	return 0;
}

static void
act_save_cancel(struct act *a)
{
	struct act_save_priv *p = act_priv(a);

	disk_work_cancel(p->work);
	p->work = NULL;
	timer_free(p->timer);
	p->timer = NULL;
	job_cancel(p->job);
	p->job = NULL;
}

static void
save_work_free(void *what)
{
	struct save_work *work = what;

	free(work->listing);
	free(work);
}

static int
save_work_end(void *what, const struct disk_work *self, struct error *err)
{
	struct save_work *work = what;

	return saved_complete(work->saved.dir, work->listing, work->len, err);
}

static void
act_save_ended(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_save_priv *p = act_priv(a);

	p->work = NULL;
	p->done = ok;
	if (ok)
		EMIT(rejoin_saved, kv_i("epoch", act_goal(a)->epoch),
		    kv_s("where", p->saved.dir), kv_i("bytes", p->saved.bytes));
	act_done(a, ok ? ANS_YES : ANS_UNKNOWN, ok ? "" : err->msg);
}

/* It ends with an error, where the log ends. */
static void
act_save_listed(void *arg, const struct job_result *res)
{
	struct act *a = arg;
	struct act_save_priv *p = act_priv(a);
	struct save_work *work = xcalloc(1, sizeof(*work));

	p->job = NULL;
	work->saved = p->saved;
	work->len = res->output_len;
	work->listing = xmemdup(res->output, res->output_len + 1);
	p->work = disk_work_start(
	    a, save_work_end, work, save_work_free, act_save_ended);
}

static void
act_save_list(struct act *a)
{
	struct act_save_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	char from[32], timeline[24], text[24];
	char *program = xasprintf("%s/pg_waldump", env->conf->pg.bin_directory);
	char *path = xasprintf("--path=%s/pg_wal", p->saved.dir);
	const char *argv[] = { program, path, from, timeline, NULL };
	const struct job_spec spec = {
		.argv = argv,
		.deadline = LISTING_LIMIT,
		.output_max = LISTING_MAX,
		.keep_fd = -1,
	};
	struct error err;

	snprintf(
	    from, sizeof(from), "--start=%s", lsn_str(act_goal(a)->lsn, text));
	snprintf(
	    timeline, sizeof(timeline), "--timeline=%u", p->saved.timeline);
	p->job = job_start(env->loop, &spec, act_save_listed, a, &err);
	free(program);
	free(path);
	if (p->job == NULL)
		act_done(a, ANS_UNKNOWN, err.msg);
}

static int
save_work_copy(void *what, const struct disk_work *self, struct error *err)
{
	struct save_work *work = what;

	work->goal.work = self;
	return saved_make(&work->goal, &work->saved, err);
}

static void
act_save_look(void *arg)
{
	struct act *a = arg;
	struct act_save_priv *p = act_priv(a);
	struct saved_told *told = &p->copying->told;
	char line[80];

	snprintf(line, sizeof(line), "%llu/%llu kB saved",
	    (unsigned long long)told->done >> 10,
	    (unsigned long long)told->all >> 10);
	if (told->all > 0)
		act_say(a, line);
	timer_arm(p->timer, LOOK);
}

static void
act_save_copied(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_save_priv *p = act_priv(a);
	struct save_work *work = what;

	p->work = NULL;
	timer_free(p->timer);
	p->timer = NULL;
	p->saved = work->saved;
	if (ok)
		act_save_list(a);
	else
		act_done(
		    a, err->code == ERR_LIMIT ? ANS_NO : ANS_UNKNOWN, err->msg);
}

static int
act_save_apply(struct act *a, struct error *err)
{
	struct act_save_priv *p = act_priv(a);
	struct save_work *work = xcalloc(1, sizeof(*work));
	const struct conf *conf = act_env(a)->conf;

	work->goal.state_dir = conf->state_dir;
	work->goal.data_directory = conf->pg.data_directory;
	work->goal.wall = clock_now().wall;
	work->goal.epoch = act_goal(a)->epoch;
	work->goal.from = act_goal(a)->lsn;
	work->goal.told = &work->told;
	p->copying = work;
	p->timer = timer_new(act_env(a)->loop, act_save_look, a);
	timer_arm(p->timer, LOOK);
	p->work = disk_work_start(
	    a, save_work_copy, work, save_work_free, act_save_copied);
	return 0;
}
