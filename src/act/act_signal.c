/*
 * Action "standby-signal": standby.signal is in the data directory and stays
 * there over a loss of power, so that whoever starts this instance next, and
 * however, gets a standby. The disk is waited for in the worker. Nothing here
 * removes that file.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/env.h"
#include "act/modules.h"
#include "hawatch/instance.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/worker.h"

/* Lives until the worker is through with it, cancelled or not. */
struct act_signal_work {
	struct act *a; /* NULL: cancelled */
	char *dir;
	struct error err;
	bool ok;
};

struct act_signal_priv {
	struct act_signal_work *work;
	bool synced; /* since this was asked */
};

static int act_signal_observe(struct act *a, struct error *err);
static int act_signal_apply(struct act *a, struct error *err);
static void act_signal_cancel(struct act *a);

const struct act_ops act_signal = {
	.name = "standby-signal",
	.kind = ACT_SIGNAL,
	.priv_size = sizeof(struct act_signal_priv),
	.observe = act_signal_observe,
	.apply = act_signal_apply,
	.cancel = act_signal_cancel,
};

/* That the file is there does not say that it is on the disk: an earlier life
 * may have ended between creating and syncing it. */
static int
act_signal_observe(struct act *a, struct error *err)
{
	struct act_signal_priv *p = act_priv(a);
	enum answer there;

	there = instance_signal_file(act_env(a)->conf->pg.data_directory);
	if (there == ANS_YES && p->synced)
		act_done(a, ANS_YES, "");
	else if (there == ANS_UNKNOWN)
		act_done(a, ANS_UNKNOWN, reason_str(REASON_not_known));
	else
		act_done(a, ANS_NO, reason_str(REASON_not_written));
	return 0;
}

static void
act_signal_cancel(struct act *a)
{
	struct act_signal_priv *p = act_priv(a);

	if (p->work != NULL)
		p->work->a = NULL;
	p->work = NULL;
}

/* Owned by whom the directory belongs to, which PostgreSQL insists on. */
static int
act_signal_write(int dir, struct error *err)
{
	struct stat st;
	int fd, ret = -1;

	fd = openat(dir, "standby.signal",
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_sys(err, "open standby.signal");
	if (fstat(dir, &st) == -1 ||
	    (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1))
		error_sys(err, "chown standby.signal");
	else if (fsync(fd) == -1)
		error_sys(err, "fsync standby.signal");
	else if (fsync(dir) == -1)
		error_sys(err, "fsync of its directory");
	else
		ret = 0;
	close(fd);
	return ret;
}

/* In the worker's thread. */
static void
act_signal_work(void *arg)
{
	struct act_signal_work *work = arg;
	int dir;

	dir = open(work->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		error_sys(&work->err, "open %s", work->dir);
		return;
	}
	work->ok = act_signal_write(dir, &work->err) == 0;
	close(dir);
}

static void
act_signal_work_done(void *arg)
{
	struct act_signal_work *work = arg;
	struct act *a = work->a;
	struct act_signal_priv *p;
	struct error err = work->err;
	bool ok = work->ok;

	free(work->dir);
	free(work);
	if (a == NULL)
		return;
	p = act_priv(a);
	p->work = NULL;
	p->synced = ok;
	act_done(a, ok ? ANS_YES : ANS_UNKNOWN, ok ? "" : err.msg);
}

static int
act_signal_apply(struct act *a, struct error *err)
{
	struct act_signal_priv *p = act_priv(a);
	const char *dir = act_env(a)->conf->pg.data_directory;

	p->work = xcalloc(1, sizeof(*p->work));
	p->work->a = a;
	p->work->dir = xstrdup(dir);
	worker_submit(
	    act_env(a)->worker, act_signal_work, act_signal_work_done, p->work);
	return 0;
}
