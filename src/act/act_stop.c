/*
 * Action "stop": no process of this PostgreSQL instance lives. Signals do the
 * work, since a fast stop may wait for a partitioned standby for a minute and
 * a service manager for its own reasons; its stop command is given as well, so
 * that it does not start the service again, and is not waited for.
 *
 * A postmaster that was killed leaves its backends: an idle one ends by itself,
 * a busy one, or one in the middle of a COMMIT, may go on for long. So the goal
 * is asked of /proc, not of the postmaster.
 *
 * A clean stop is the server's own: it is told once and then waited for, by
 * whoever has a limit, and how it ended is read from its disk.
 */
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "act/env.h"
#include "act/modules.h"
#include "act/pg_backend.h"
#include "act/stop_look.h"
#include "hawatch/emit.h"
#include "hawatch/fence.h"
#include "hawatch/instance.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

#define ACT_STOP_FAST (1 * USEC_SEC)
#define ACT_STOP_IMMEDIATE (300 * USEC_MSEC)
/* Longer than a server that is healthy takes to end; who asks has a limit. */
#define ACT_STOP_TURN (5 * USEC_SEC)
#define ACT_STOP_PIDS 512 /* at a time; a next round takes the rest */

enum act_stop_stage { STOP_NOT_YET, STOP_FAST, STOP_IMMEDIATE, STOP_KILL };

struct act_stop_priv {
	enum act_stop_stage stage;
	int fd; /* pidfd of the postmaster; valid while watch is set */
	struct watch *watch;
	struct timer *timer; /* of the escalation */
	struct stop_look *look;
	bool warm;  /* looked at while it lives: the next look is quick */
	bool dirty; /* it ended, and not by its own shutdown */
	bool turned; /* new connections are refused meanwhile */
};

static int act_stop_observe(struct act *a, struct error *err);
static int act_stop_apply(struct act *a, struct error *err);
static void act_stop_cancel(struct act *a);

const struct act_ops act_stop = {
	.name = "stop",
	.kind = ACT_STOP,
	.priv_size = sizeof(struct act_stop_priv),
	.observe = act_stop_observe,
	.apply = act_stop_apply,
	.cancel = act_stop_cancel,
};

/* Two scans that find none: a process may be born behind the first one's
 * back, but not without a parent that the second one finds. */
static int
act_stop_scan(struct act *a, struct error *err)
{
	const char *dir = act_env(a)->conf->pg.data_directory;
	pid_t pid;
	int i, n;

	pid = instance_postmaster(dir, err);
	if (pid == -1)
		return -1;
	n = pid;
	for (i = 0; n == 0 && i < 2; i++)
		n = instance_scan(dir, &pid, 1, err);
	if (n == -1)
		return -1;
	if (n > 0)
		act_done(a, ANS_NO, reason_str(REASON_process_left));
	else
		act_done(a, ANS_YES, "");
	return 0;
}

static void
act_stop_look_cb(struct act *a, enum answer clean, lsn_t end, const char *why)
{
	struct act_stop_priv *p = act_priv(a);
	struct error err;

	p->look = NULL;
	if (!p->warm) {
		p->warm = true;
		act_done(a, ANS_NO, reason_str(REASON_process_left));
		return;
	}
	p->dirty = clean == ANS_NO;
	if (clean == ANS_NO)
		why = reason_str(REASON_not_clean);
	if (clean != ANS_YES) {
		act_done(a, clean, why);
		return;
	}
	act_goal(a)->lsn = end;
	if (act_stop_scan(a, &err) == -1)
		act_done(a, ANS_UNKNOWN, err.msg);
}

/* How it ended is asked before whether something of it lives: what is started
 * in between is seen. The first time that tells nothing while it lives; but
 * clients wait for the second, and then no disk is waited for. */
static int
act_stop_observe(struct act *a, struct error *err)
{
	struct act_stop_priv *p = act_priv(a);
	pid_t pid;

	if (!act_goal(a)->clean)
		return act_stop_scan(a, err);
	pid = instance_postmaster(act_env(a)->conf->pg.data_directory, err);
	if (pid == -1)
		return -1;
	if (pid > 0 && p->warm) {
		act_done(a, ANS_NO, reason_str(REASON_process_left));
		return 0;
	}
	p->warm = p->warm || pid == 0;
	p->look = stop_look_start(a, act_stop_look_cb, err);
	return p->look == NULL ? -1 : 0;
}

/* Whoever connects comes back to a port that refuses; what a server that is
 * shutting down says to them is an error that nobody hides. The stop goes on
 * without it. */
static void
act_stop_turn(struct act *a, usec_t life)
{
	struct act_stop_priv *p = act_priv(a);
	struct error err;

	p->turned = life > 0;
	if (fence_turn_away(act_env(a)->conf->pg.port, life, &err) == -1)
		EMIT(fence_turn, kv_s("reason", err.msg));
}

static void
act_stop_cancel(struct act *a)
{
	struct act_stop_priv *p = act_priv(a);

	if (p->turned)
		act_stop_turn(a, 0);
	stop_look_cancel(p->look);
	p->look = NULL;
	timer_free(p->timer);
	p->timer = NULL;
	if (p->watch == NULL)
		return;
	watch_free(p->watch);
	p->watch = NULL;
	close(p->fd);
}

static void
act_stop_finish(struct act *a)
{
	act_stop_cancel(a);
	act_done(a, ANS_YES, "");
}

static bool
act_stop_has(const pid_t *pids, int n, pid_t pid)
{
	while (n-- > 0)
		if (pids[n] == pid)
			return true;
	return false;
}

/* Each process is held by its pidfd first and looked at again then, so that a
 * number that was given to another process meanwhile is not killed. */
static void
act_stop_kill_all(struct act *a)
{
	const char *dir = act_env(a)->conf->pg.data_directory;
	pid_t pids[ACT_STOP_PIDS], again[ACT_STOP_PIDS];
	int fds[ACT_STOP_PIDS];
	struct error err;
	int i, n, m, killed = 0;

	n = instance_scan(dir, pids, ACT_STOP_PIDS, &err);
	if (n > ACT_STOP_PIDS)
		n = ACT_STOP_PIDS;
	for (i = 0; i < n; i++)
		fds[i] = instance_pidfd(pids[i]);
	m = n > 0 ? instance_scan(dir, again, ACT_STOP_PIDS, &err) : 0;
	if (m > ACT_STOP_PIDS)
		m = ACT_STOP_PIDS;
	for (i = 0; i < n; i++) {
		if (fds[i] == -1)
			continue;
		if (act_stop_has(again, m, pids[i]) &&
		    pidfd_send_signal(fds[i], SIGKILL, NULL, 0) == 0)
			killed++;
		close(fds[i]);
	}
	if (killed > 0)
		EMIT(pg_signal, kv_s("signal", "KILL"), kv_i("pids", killed));
}

static void
act_stop_signal(struct act_stop_priv *p, int signo, const char *name)
{
	if (pidfd_send_signal(p->fd, signo, NULL, 0) == 0)
		EMIT(pg_signal, kv_s("signal", name), kv_i("pids", 1));
}

static void
act_stop_gone_cb(void *arg, int what)
{
	struct act *a = arg;

	if (!act_goal(a)->clean)
		act_stop_kill_all(a);
	act_stop_finish(a);
}

static void
act_stop_timer_cb(void *arg)
{
	struct act *a = arg;
	struct act_stop_priv *p = act_priv(a);

	if (p->stage == STOP_FAST) {
		p->stage = STOP_IMMEDIATE;
		act_stop_signal(p, SIGQUIT, "QUIT");
		timer_arm(p->timer, ACT_STOP_IMMEDIATE);
		return;
	}
	p->stage = STOP_KILL;
	act_stop_kill_all(a);
	act_stop_finish(a);
}

/* Holds the postmaster by its pidfd; 0 when there is none (any more). */
static int
act_stop_hold(struct act *a, struct error *err)
{
	struct act_stop_priv *p = act_priv(a);
	const char *dir = act_env(a)->conf->pg.data_directory;
	pid_t pid;

	pid = instance_postmaster(dir, err);
	if (pid <= 0)
		return (int)pid;
	p->fd = instance_pidfd(pid);
	if (p->fd == -1)
		return 0;
	if (instance_postmaster(dir, err) != pid) {
		close(p->fd);
		return 0;
	}
	p->watch =
	    watch_new(act_env(a)->loop, p->fd, WATCH_READ, act_stop_gone_cb, a);
	return 1;
}

/* The service manager's stop may send more than a signal, but not sooner than
 * after its own limit. */
static int
act_stop_apply_clean(struct act *a, struct error *err)
{
	struct act_stop_priv *p = act_priv(a);
	int held;

	if (p->dirty) {
		act_done(a, ANS_NO, reason_str(REASON_not_clean));
		return 0;
	}
	held = act_stop_hold(a, err);
	if (held == -1)
		return -1;
	if (held == 0) {
		act_done(a, ANS_UNKNOWN, "");
		return 0;
	}
	act_stop_turn(a, ACT_STOP_TURN);
	act_stop_signal(p, SIGINT, "INT");
	if (p->stage == STOP_NOT_YET)
		pg_backend_stop(act_env(a));
	p->stage = STOP_FAST;
	return 0;
}

static int
act_stop_apply(struct act *a, struct error *err)
{
	struct act_stop_priv *p = act_priv(a);
	int held;

	if (act_goal(a)->clean)
		return act_stop_apply_clean(a, err);
	if (p->stage == STOP_NOT_YET)
		pg_backend_stop(act_env(a));
	held = p->stage == STOP_KILL ? 0 : act_stop_hold(a, err);
	if (held == -1)
		return -1;
	if (held == 0) {
		p->stage = STOP_KILL;
		act_stop_kill_all(a);
		act_stop_finish(a);
		return 0;
	}
	p->timer = timer_new(act_env(a)->loop, act_stop_timer_cb, a);
	if (p->stage == STOP_NOT_YET) {
		p->stage = STOP_FAST;
		act_stop_signal(p, SIGINT, "INT");
		timer_arm(p->timer, ACT_STOP_FAST);
		return 0;
	}
	/* Another postmaster came up meanwhile. */
	timer_arm(p->timer, 0);
	return 0;
}
