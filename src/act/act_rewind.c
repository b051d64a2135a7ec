/*
 * Action "rewind": this data is the goal's node's, and names it as the one to
 * follow. By pg_rewind itself and not by repmgr's rejoin, which would start the
 * server on its own, past the service manager and its gate, and look at it for
 * a minute; repmgr is told afterwards.
 *
 * What is begun anew, begins with the control file and the log as they were
 * saved. Data that can follow as it is, is only pointed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "act/auto_conf.h"
#include "act/child.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/modules.h"
#include "act/primary_ask.h"
#include "act/saved.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

struct rewind_work {
	const char *state_dir, *data_directory; /* of the configuration */
	const struct conf *conf;
	node_t node;
	char *base; /* of primary_conninfo; NULL: what is in the file */
	char dir[SAVED_MAX];
};

struct act_rewind_priv {
	struct primary_ask *ask;
	struct disk_work *work;
	struct child *child;
	struct primary_said said;
	char dir[SAVED_MAX]; /* what was saved; "": nothing is rewound */
	bool done;	     /* since this was asked */
};

static int act_rewind_observe(struct act *a, struct error *err);
static int act_rewind_apply(struct act *a, struct error *err);
static void act_rewind_cancel(struct act *a);

const struct act_ops act_rewind = {
	.name = "rewind",
	.kind = ACT_REWIND,
	.priv_size = sizeof(struct act_rewind_priv),
	.observe = act_rewind_observe,
	.apply = act_rewind_apply,
	.cancel = act_rewind_cancel,
};

static int
act_rewind_observe(struct act *a, struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);

	act_done(a, p->done ? ANS_YES : ANS_NO, "");
	return 0;
}

static void
act_rewind_cancel(struct act *a)
{
	struct act_rewind_priv *p = act_priv(a);

	primary_ask_cancel(p->ask);
	p->ask = NULL;
	disk_work_cancel(p->work);
	p->work = NULL;
	child_cancel(p->child);
	p->child = NULL;
}

static void
rewind_work_free(void *what)
{
	struct rewind_work *work = what;

	free(work->base);
	free(work);
}

static struct rewind_work *
rewind_work_new(struct act *a)
{
	struct rewind_work *work = xcalloc(1, sizeof(*work));

	work->conf = act_env(a)->conf;
	work->state_dir = work->conf->state_dir;
	work->data_directory = work->conf->pg.data_directory;
	work->node = act_goal(a)->node;
	return work;
}

/* In the worker: what the file that came from the primary says, was once true
 * there, of whom it followed: the same account and certificates. */
static int
rewind_work_point(void *what, struct error *err)
{
	struct rewind_work *work = what;
	char *text = NULL, *found = NULL, *conninfo;
	char own[200];
	int rc;

	if (work->dir[0] != '\0' &&
	    saved_own(work->dir, work->data_directory, err) == -1)
		return -1;
	if (work->base == NULL) {
		text = auto_conf_read(work->data_directory, err);
		if (text == NULL)
			return -1;
		found = auto_conf_conninfo(text);
		free(text);
	}
	snprintf(own, sizeof(own), "user=%s", work->conf->pg.user);
	conninfo = primary_ask_follow(work->conf, work->node,
	    work->base != NULL ? work->base :
	    found != NULL      ? found :
				 own,
	    err);
	free(found);
	if (conninfo == NULL)
		return -1;
	rc = auto_conf_follow(work->data_directory, conninfo, err);
	free(conninfo);
	return rc;
}

static void
act_rewind_pointed(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);

	p->work = NULL;
	p->done = ok;
	act_done(a, ok ? ANS_YES : ANS_UNKNOWN, ok ? "" : err->msg);
}

static void
act_rewind_point(struct act *a)
{
	struct act_rewind_priv *p = act_priv(a);
	struct rewind_work *work = rewind_work_new(a);

	str_cut(work->dir, sizeof(work->dir), p->dir);
	if (p->said.conninfo[0] != '\0')
		work->base = xstrdup(p->said.conninfo);
	p->work = disk_work_start(
	    a, rewind_work_point, work, rewind_work_free, act_rewind_pointed);
}

static void
act_rewind_ended(struct act *a, bool ok, const char *why)
{
	struct act_rewind_priv *p = act_priv(a);

	p->child = NULL;
	if (ok)
		act_rewind_point(a);
	else
		act_done(a, ANS_NO,
		    why[0] == '\0' ? reason_str(REASON_rewind_failed) : why);
}

static void
act_rewind_run(struct act *a)
{
	struct act_rewind_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	const struct conf_postgres *pg = &env->conf->pg;
	struct error err;
	char *conninfo = primary_ask_source(a, &p->said, &err);
	char *program = xasprintf("%s/pg_rewind", pg->bin_directory);
	char *source =
	    conninfo == NULL ? NULL : xasprintf("--source-server=%s", conninfo);
	const char *argv[] = { program, "--progress", "--no-ensure-shutdown",
		"-D", pg->data_directory, source, NULL };

	if (source != NULL)
		p->child = child_start(a, argv, act_rewind_ended, &err);
	free(conninfo);
	free(program);
	free(source);
	if (p->child == NULL)
		act_done(a, ANS_UNKNOWN, err.msg);
}

static int
rewind_work_begin(void *what, struct error *err)
{
	struct rewind_work *work = what;

	return saved_begin(work->state_dir, work->data_directory, work->dir,
	    sizeof(work->dir), err);
}

static void
act_rewind_begun(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);
	const struct rewind_work *work = what;

	p->work = NULL;
	str_cut(p->dir, sizeof(p->dir), work->dir);
	if (ok)
		act_rewind_run(a);
	else
		act_done(a, ANS_UNKNOWN, err->msg);
}

static void
act_rewind_said(struct act *a, enum answer ok, const struct primary_said *said,
    const char *why)
{
	struct act_rewind_priv *p = act_priv(a);

	p->ask = NULL;
	p->said = *said;
	if (ok != ANS_YES)
		act_done(a, ANS_UNKNOWN, why);
	else if (!said->primary || said->checkpoint != said->timeline ||
		 said->flushed < act_goal(a)->lsn)
		act_done(a, ANS_UNKNOWN, reason_str(REASON_source_behind));
	else if (act_goal(a)->fork == FORK_NONE)
		act_rewind_point(a);
	else
		p->work = disk_work_start(a, rewind_work_begin,
		    rewind_work_new(a), rewind_work_free, act_rewind_begun);
}

static int
act_rewind_apply(struct act *a, struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);

	p->ask = primary_ask_start(a, act_rewind_said, err);
	return p->ask == NULL ? -1 : 0;
}
