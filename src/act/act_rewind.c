/*
 * Action "rewind": this data is the goal's node's, and names it as the one to
 * follow. By pg_rewind itself, and repmgr is told afterwards; or, where its
 * commands are configured, by repmgr's rejoin, whose start of the server is
 * none: that is not for it to decide. It compares by its own rules, and does
 * not rewind what it takes for equal; so what pg_rewind leaves behind is looked
 * for.
 *
 * What is begun anew, begins with the control file and the log as they were
 * saved. Data that can follow as it is, is only pointed.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/auto_conf.h"
#include "act/child.h"
#include "act/clone_dir.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/make.h"
#include "act/modules.h"
#include "act/saved.h"
#include "hawatch/file.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define LABEL_MAX ((size_t)64 << 10)

struct rewind_work {
	struct saved_goal goal; /* of the configuration */
	const struct conf *conf;
	node_t node;
	char *base;	 /* of primary_conninfo; NULL: what is in the file */
	bool file_first; /* what is in the file goes before that */
	char dir[SAVED_MAX];
};

struct act_rewind_priv {
	struct make make;    /* the first */
	char dir[SAVED_MAX]; /* what was saved; "": nothing is rewound */
	bool joined;	     /* repmgr has written what it writes */
};

static int act_rewind_apply(struct act *a, struct error *err);
static void act_rewind_ended(struct act *a, bool ok, const char *why);

const struct act_ops act_rewind = {
	.name = "rewind",
	.kind = ACT_REWIND,
	.priv_size = sizeof(struct act_rewind_priv),
	.observe = make_observe,
	.apply = act_rewind_apply,
	.cancel = make_cancel,
};

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
	work->goal.state_dir = work->conf->state_dir;
	work->goal.data_directory = work->conf->pg.data_directory;
	work->goal.wall = clock_now().wall;
	work->goal.epoch = act_goal(a)->epoch;
	work->node = act_goal(a)->node;
	return work;
}

/* In the worker: a copy that was made and not put in order before is not what
 * this data is any more. */
static int
rewind_tidy(const struct rewind_work *work, struct error *err)
{
	struct clone_dir dir = {
		.data = work->goal.data_directory,
		.source = work->conf->names.node[work->node],
		.epoch = work->goal.epoch,
		.wall = work->goal.wall,
		.state_dir = work->goal.state_dir,
	};

	return clone_dir_tidy(&dir, err);
}

/* In the worker: pg_rewind ends with a label from which the server is to
 * replay. Without it this data is the old one, and not to be started. */
static int
rewind_seen(const char *dir, struct error *err)
{
	char path[PATH_MAX], *text = NULL;
	bool seen = false;

	if (snprintf(path, sizeof(path), "%s/backup_label", dir) <
	    (int)sizeof(path))
		text = file_read(path, LABEL_MAX, NULL, err);
	if (text != NULL)
		seen = strstr(text, "BACKUP METHOD: pg_rewind") != NULL;
	free(text);
	if (seen)
		return 0;
	if (snprintf(path, sizeof(path), "%s/standby.signal", dir) <
	    (int)sizeof(path))
		unlink(path);
	return error_set(
	    err, ERR_REFUSED, "%s", reason_str(REASON_not_rewound));
}

/* In the worker: what the file that came from the primary says, was once true
 * there, of whom it followed: the same account and certificates. */
static int
rewind_work_point(void *what, const struct disk_work *self, struct error *err)
{
	struct rewind_work *work = what;
	char *text = NULL, *found = NULL, *conninfo;
	char own[200];
	int rc;

	if (rewind_tidy(work, err) == -1)
		return -1;
	if (work->dir[0] != '\0' &&
	    (rewind_seen(work->goal.data_directory, err) == -1 ||
		saved_own(work->dir, work->goal.data_directory, err) == -1))
		return -1;
	if (work->base == NULL || work->file_first) {
		text = auto_conf_read(work->goal.data_directory, err);
		if (text == NULL)
			return -1;
		found = auto_conf_conninfo(text);
		free(text);
	}
	snprintf(own, sizeof(own), "user=%s", work->conf->pg.user);
	conninfo = primary_ask_follow(work->conf, work->node,
	    found != NULL      ? found :
	    work->base != NULL ? work->base :
				 own,
	    err);
	free(found);
	if (conninfo == NULL)
		return -1;
	rc = auto_conf_follow(work->goal.data_directory, conninfo, err);
	free(conninfo);
	return rc;
}

/* Without --force-rewind it refuses what would have to be rewound. It writes
 * the settings anew, each once: data that follows as it is, is pointed before,
 * and everything after, to the node's own name. */
static void
act_rewind_repmgr(struct act *a)
{
	struct make *m = act_priv(a);
	const char *words[] = { "node", "rejoin", "--no-wait", "-d", NULL,
		act_goal(a)->fork == FORK_NONE ? NULL : "--force-rewind",
		NULL };

	m->work = NULL;
	make_repmgr(
	    a, act_env(a)->conf->pg.data_directory, words, 4, act_rewind_ended);
}

static void
act_rewind_pointed(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);

	if (ok && !p->joined &&
	    act_env(a)->conf->pg.commands == COMMANDS_REPMGR)
		act_rewind_repmgr(a);
	else
		make_made(a, ok, err);
}

static void
act_rewind_point(struct act *a)
{
	struct act_rewind_priv *p = act_priv(a);
	struct rewind_work *work = rewind_work_new(a);

	str_cut(work->dir, sizeof(work->dir), p->dir);
	if (p->make.said.conninfo[0] != '\0')
		work->base = xstrdup(p->make.said.conninfo);
	work->file_first = p->joined;
	p->make.work = disk_work_start(
	    a, rewind_work_point, work, rewind_work_free, act_rewind_pointed);
}

static void
act_rewind_ended(struct act *a, bool ok, const char *why)
{
	struct act_rewind_priv *p = act_priv(a);

	p->make.child = NULL;
	p->joined = true;
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
	char *conninfo = primary_ask_source(a, &p->make.said, &err);
	char *program = xasprintf("%s/pg_rewind", pg->bin_directory);
	char *source =
	    conninfo == NULL ? NULL : xasprintf("--source-server=%s", conninfo);
	const char *argv[] = { program, "--progress", "--no-ensure-shutdown",
		"-D", pg->data_directory, source, NULL };

	if (source != NULL)
		p->make.child = child_start(
		    a, argv, -1, &p->make.said, act_rewind_ended, &err);
	free(conninfo);
	free(program);
	free(source);
	if (p->make.child == NULL)
		act_done(a, ANS_UNKNOWN, err.msg);
}

static int
rewind_work_begin(void *what, const struct disk_work *self, struct error *err)
{
	struct rewind_work *work = what;

	work->goal.work = self;
	if (rewind_tidy(work, err) == -1)
		return -1;
	return saved_begin(&work->goal, work->dir, sizeof(work->dir), err);
}

static void
act_rewind_begun(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);
	const struct rewind_work *work = what;

	p->make.work = NULL;
	str_cut(p->dir, sizeof(p->dir), work->dir);
	if (!ok)
		act_done(a, make_answer(err), err->msg);
	else if (act_env(a)->conf->pg.commands == COMMANDS_REPMGR)
		act_rewind_repmgr(a);
	else
		act_rewind_run(a);
}

static void
act_rewind_said(struct act *a, enum answer ok, const struct primary_said *said,
    const char *why)
{
	struct act_rewind_priv *p = act_priv(a);

	p->make.ask = NULL;
	p->make.said = *said;
	if (ok != ANS_YES)
		act_done(a, ANS_UNKNOWN, why);
	else if (!said->primary || said->checkpoint != said->timeline ||
		 said->flushed < act_goal(a)->lsn)
		act_done(a, ANS_UNKNOWN, reason_str(REASON_source_behind));
	else if (act_goal(a)->fork == FORK_NONE)
		act_rewind_point(a);
	else
		p->make.work = disk_work_start(a, rewind_work_begin,
		    rewind_work_new(a), rewind_work_free, act_rewind_begun);
}

static int
act_rewind_apply(struct act *a, struct error *err)
{
	struct act_rewind_priv *p = act_priv(a);

	p->make.ask = primary_ask_start(a, act_rewind_said, err);
	return p->make.ask == NULL ? -1 : 0;
}
