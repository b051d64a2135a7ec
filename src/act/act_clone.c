/*
 * Action "clone": in the place of this data is a new copy of the goal's node's,
 * which names it. By pg_basebackup into a directory beside; or, where repmgr's
 * commands are configured, by its clone, which calls the same and would empty
 * the directory that there is, were it given that. The old one is kept, under
 * another name.
 *
 * The two change places in one call of the kernel: there is no moment without
 * a data directory. A file in the copy says that it is whole, whose copy it is
 * and of which epoch; where just that is found in the data directory, an
 * earlier life had come so far.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/child.h"
#include "act/clone_dir.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/make.h"
#include "act/modules.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

struct clone_work {
	struct clone_dir dir;
	char *conninfo;
	bool whole; /* it had come so far before */
};

static int act_clone_apply(struct act *a, struct error *err);

const struct act_ops act_clone = {
	.name = "clone",
	.kind = ACT_CLONE,
	.priv_size = sizeof(struct make),
	.observe = make_observe,
	.apply = act_clone_apply,
	.cancel = make_cancel,
};

static void
clone_work_free(void *what)
{
	struct clone_work *work = what;

	free(work->conninfo);
	free(work);
}

/* NULL: libpq does not understand how repmgr reaches the primary. */
static struct clone_work *
clone_work_new(struct act *a, struct error *err)
{
	struct make *m = act_priv(a);
	const struct conf *conf = act_env(a)->conf;
	struct clone_work *work = xcalloc(1, sizeof(*work));
	char own[200];

	snprintf(own, sizeof(own), "user=%s", conf->pg.user);
	work->dir.data = conf->pg.data_directory;
	work->dir.source = conf->names.node[act_goal(a)->node];
	work->dir.epoch = act_goal(a)->epoch;
	work->dir.wall = clock_now().wall;
	work->dir.bytes = m->said.bytes;
	work->dir.state_dir = conf->state_dir;
	work->conninfo = primary_ask_follow(conf, act_goal(a)->node,
	    m->said.conninfo[0] == '\0' ? own : m->said.conninfo, err);
	if (work->conninfo != NULL)
		return work;
	clone_work_free(work);
	return NULL;
}

static int
clone_work_place(void *what, const struct disk_work *self, struct error *err)
{
	struct clone_work *work = what;

	work->dir.work = self;
	return clone_dir_place(&work->dir, work->conninfo, err);
}

static void
act_clone_placed(struct act *a, bool ok, void *what, const struct error *err)
{
	struct clone_work *work = what;

	if (ok)
		EMIT(rejoin_kept, kv_i("epoch", act_goal(a)->epoch),
		    kv_s("where", work->dir.old));
	make_made(a, ok, err);
}

static void
act_clone_place(struct act *a)
{
	struct make *m = act_priv(a);
	struct error err;
	struct clone_work *work = clone_work_new(a, &err);

	if (work == NULL)
		act_done(a, ANS_NO, reason_str(REASON_conninfo_garbage));
	else
		m->work = disk_work_start(a, clone_work_place, work,
		    clone_work_free, act_clone_placed);
}

static void
act_clone_ended(struct act *a, bool ok, const char *why)
{
	struct make *m = act_priv(a);

	m->child = NULL;
	if (ok)
		act_clone_place(a);
	else
		act_done(a, ANS_NO,
		    why[0] == '\0' ? reason_str(REASON_clone_failed) : why);
}

static void
act_clone_run(struct act *a, const struct clone_dir *dir)
{
	struct make *m = act_priv(a);
	struct error err;
	char *conninfo = primary_ask_source(a, &m->said, &err);
	char *program =
	    xasprintf("%s/pg_basebackup", act_env(a)->conf->pg.bin_directory);
	const char *argv[] = { program, "--progress", "--checkpoint=fast",
		"--wal-method=stream", "-D", dir->made, "-d", conninfo, NULL };

	if (conninfo != NULL)
		m->child =
		    child_start(a, argv, -1, &m->said, act_clone_ended, &err);
	free(conninfo);
	free(program);
	if (m->child == NULL)
		act_done(a, ANS_UNKNOWN, err.msg);
}

/* It would go to another backup that its file names. */
static void
act_clone_repmgr(struct act *a, const struct clone_dir *dir)
{
	const char *words[] = { "standby", "clone", "--fast-checkpoint",
		"--without-barman", "-d", NULL, NULL };

	make_repmgr(a, dir->made, words, 5, act_clone_ended);
}

static int
clone_work_begin(void *what, const struct disk_work *self, struct error *err)
{
	struct clone_work *work = what;

	work->dir.work = self;
	return clone_dir_begin(&work->dir, &work->whole, err);
}

static void
act_clone_begun(struct act *a, bool ok, void *what, const struct error *err)
{
	struct make *m = act_priv(a);
	struct clone_work *work = what;

	m->work = NULL;
	if (!ok)
		act_done(a, make_answer(err), err->msg);
	else if (work->whole)
		act_clone_place(a);
	else if (act_env(a)->conf->pg.commands == COMMANDS_REPMGR)
		act_clone_repmgr(a, &work->dir);
	else
		act_clone_run(a, &work->dir);
}

static void
act_clone_said(struct act *a, enum answer ok, const struct primary_said *said,
    const char *why)
{
	struct make *m = act_priv(a);
	struct clone_work *work;
	struct error err;

	m->ask = NULL;
	m->said = *said;
	if (ok != ANS_YES) {
		act_done(a, ANS_UNKNOWN, why);
		return;
	}
	if (!said->primary || said->flushed < act_goal(a)->lsn) {
		act_done(a, ANS_UNKNOWN, reason_str(REASON_source_behind));
		return;
	}
	if (said->tablespaces) {
		act_done(a, ANS_NO, reason_str(REASON_tablespaces));
		return;
	}
	work = clone_work_new(a, &err);
	if (work == NULL)
		act_done(a, ANS_NO, reason_str(REASON_conninfo_garbage));
	else
		m->work = disk_work_start(a, clone_work_begin, work,
		    clone_work_free, act_clone_begun);
}

static int
act_clone_apply(struct act *a, struct error *err)
{
	struct make *m = act_priv(a);

	m->ask = primary_ask_start(a, act_clone_said, err);
	return m->ask == NULL ? -1 : 0;
}
