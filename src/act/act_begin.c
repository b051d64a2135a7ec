/*
 * Action "start": PostgreSQL answers on its Unix socket, in the role that was
 * asked for. The role is decided by standby.signal alone; this file looks at
 * it, refuses when it does not fit, and never creates or removes it.
 *
 * Data that was set aside is started as such for no more than the recovery that
 * it was set aside for; before every other start that is taken back, whoever
 * left it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/auto_conf.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/modules.h"
#include "act/pg_backend.h"
#include "check/pglink.h"
#include "hawatch/emit.h"
#include "hawatch/instance.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"

#define ACT_BEGIN_LIMIT (1 * USEC_SEC)
/* Between the end of a start command and the postmaster's first sign of life.
 */
#define ACT_BEGIN_GRACE (2 * USEC_SEC)
#define ACT_BEGIN_TRIES 3

struct act_begin_priv {
	struct pgc *pgc;
	struct disk_work *work;
	bool mismatch; /* it answers, in the other role */
	int starts;
	usec_t started;
};

static int act_begin_observe(struct act *a, struct error *err);
static int act_begin_apply(struct act *a, struct error *err);
static void act_begin_cancel(struct act *a);

const struct act_ops act_begin = {
	.name = "start",
	.kind = ACT_START,
	.priv_size = sizeof(struct act_begin_priv),
	.observe = act_begin_observe,
	.apply = act_begin_apply,
	.cancel = act_begin_cancel,
};

static void
act_begin_cancel(struct act *a)
{
	struct act_begin_priv *p = act_priv(a);

	act_leave(a, &p->pgc);
	disk_work_cancel(p->work);
	p->work = NULL;
}

static void
act_begin_finish(struct act *a, enum answer ans, enum reason reason)
{
	act_begin_cancel(a);
	act_done(a, ans, reason_str(reason));
}

static void
act_begin_answer_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_begin_priv *p = act_priv(a);
	const char *reason = r->reason;
	bool recovery;

	if (r->ok != ANS_YES) {
		act_leave(a, &p->pgc);
		act_done(a, ANS_NO, reason);
		return;
	}
	if (pglink_bool(r, 0, 0, &recovery) == -1) {
		act_begin_finish(a, ANS_UNKNOWN, REASON_garbage);
		return;
	}
	p->mismatch = recovery != act_goal(a)->standby;
	if (p->mismatch)
		act_begin_finish(a, ANS_NO, REASON_role_mismatch);
	else
		act_begin_finish(a, ANS_YES, REASON_ok);
}

static int
act_begin_observe(struct act *a, struct error *err)
{
	struct act_begin_priv *p = act_priv(a);

	p->mismatch = false;
	return act_ask(a, &p->pgc, "SELECT pg_is_in_recovery()",
	    ACT_BEGIN_LIMIT, act_begin_answer_cb, err);
}

/* The socket's lock file is ours when it names our data directory. */
static bool
act_begin_owns(const char *path, const char *dir)
{
	char text[1024], *line, *rest = text;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	strsep(&rest, "\n");
	line = strsep(&rest, "\n");
	return line != NULL && strcmp(line, dir) == 0;
}

/* A zombie that nobody has reaped keeps its pid, and PostgreSQL would take a
 * lock file that names it for a living one's. Only when this instance provably
 * has no process, and before anything was started that might write its own. */
static void
act_begin_unlock(const struct conf_postgres *pg)
{
	char path[1024];

	if (snprintf(path, sizeof(path), "%s/postmaster.pid",
		pg->data_directory) < (int)sizeof(path))
		unlink(path);
	if (snprintf(path, sizeof(path), "%s/.s.PGSQL.%d.lock",
		pg->socket_directory, pg->port) < (int)sizeof(path) &&
	    act_begin_owns(path, pg->data_directory))
		unlink(path);
}

/* Yes: nothing of it lives, a start command may be given. */
static enum answer
act_begin_clear(struct act *a, struct error *err, enum reason *why)
{
	const char *dir = act_env(a)->conf->pg.data_directory;
	pid_t pid;
	int n;

	pid = instance_postmaster(dir, err);
	if (pid == -1)
		return ANS_UNKNOWN;
	if (pid > 0) {
		*why = REASON_starting;
		return ANS_NO;
	}
	n = instance_scan(dir, &pid, 1, err);
	if (n == -1)
		return ANS_UNKNOWN;
	if (n > 0) {
		*why = REASON_process_left;
		return ANS_NO;
	}
	return ANS_YES;
}

/* No and why: refused. Unknown and why: not now. */
static enum answer
act_begin_may(struct act *a, enum reason *why)
{
	struct act_begin_priv *p = act_priv(a);
	struct act_env *env = act_env(a);
	enum answer signal;

	*why = REASON_role_mismatch;
	if (p->mismatch)
		return ANS_NO;
	signal = instance_signal_file(env->conf->pg.data_directory);
	*why = REASON_not_known;
	if (signal == ANS_UNKNOWN)
		return ANS_UNKNOWN;
	*why = act_goal(a)->standby ? REASON_no_signal : REASON_signal_present;
	if ((signal == ANS_YES) != act_goal(a)->standby)
		return ANS_NO;
	*why = REASON_stop_pending;
	if (env->stopping != NULL)
		return ANS_UNKNOWN;
	*why = REASON_starting;
	if (env->starting != NULL ||
	    (p->starts > 0 && clock_now().raw - p->started < ACT_BEGIN_GRACE))
		return ANS_UNKNOWN;
	*why = REASON_start_failed;
	return p->starts >= ACT_BEGIN_TRIES ? ANS_NO : ANS_YES;
}

static int
act_begin_start(struct act *a, struct error *err)
{
	struct act_begin_priv *p = act_priv(a);
	struct act_env *env = act_env(a);

	if (p->starts == 0)
		act_begin_unlock(&env->conf->pg);
	p->starts++;
	p->started = clock_now().raw;
	if (pg_backend_start(env, err) == -1)
		return -1;
	act_begin_finish(a, ANS_YES, REASON_ok);
	return 0;
}

static int
act_begin_back(void *what, const struct disk_work *self, struct error *err)
{
	return auto_conf_back(what, err);
}

/* Yes: a start command may be given now. No: the try has ended. Unknown: err
 * says why. */
static enum answer
act_begin_ready(struct act *a, struct error *err)
{
	enum reason why = REASON_ok;
	enum answer clear = ANS_YES, may;

	may = act_begin_may(a, &why);
	/* What lives needs no start, only to be waited for. */
	if (may == ANS_YES || (may == ANS_NO && why == REASON_start_failed))
		clear = act_begin_clear(a, err, &why);
	if (clear == ANS_UNKNOWN)
		return ANS_UNKNOWN;
	if (clear == ANS_NO)
		may = ANS_UNKNOWN;
	if (may == ANS_YES)
		return ANS_YES;
	act_begin_finish(a, may, why);
	return ANS_NO;
}

/* Asked again: the disk may have taken long, and somebody started it. */
static void
act_begin_backed(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_begin_priv *p = act_priv(a);
	struct error own = *err;
	enum answer ready;

	p->work = NULL;
	ready = ok ? act_begin_ready(a, &own) : ANS_UNKNOWN;
	if (ready == ANS_UNKNOWN ||
	    (ready == ANS_YES && act_begin_start(a, &own) == -1))
		act_done(a, ANS_UNKNOWN, own.msg);
}

static int
act_begin_apply(struct act *a, struct error *err)
{
	struct act_begin_priv *p = act_priv(a);
	enum answer ready = act_begin_ready(a, err);

	if (ready != ANS_YES)
		return ready == ANS_NO ? 0 : -1;
	if (act_goal(a)->aside)
		return act_begin_start(a, err);
	p->work = disk_work_start(a, act_begin_back,
	    xstrdup(act_env(a)->conf->pg.data_directory), free,
	    act_begin_backed);
	return 0;
}
