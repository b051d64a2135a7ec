/*
 * Action "promote": PostgreSQL is out of recovery. The command is given once
 * an attempt and does not wait; then the server is asked every few
 * milliseconds, since its own waiting looks only ten times a second, and
 * repmgr's once.
 */
#include "act/env.h"
#include "act/modules.h"
#include "act/repmgr_run.h"
#include "check/pglink.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

#define ACT_PROMOTE_LIMIT (2 * USEC_SEC)
#define ACT_PROMOTE_LOOKS 50
#define ACT_PROMOTE_LOOK "SELECT pg_sleep(0.004), pg_is_in_recovery()"
#define ACT_PROMOTE_RESUME \
	"SELECT pg_wal_replay_resume() WHERE pg_is_wal_replay_paused(); "
/* repmgr tries the old primary first, and waits for one that hangs. */
#define ACT_PROMOTE_REPMGR (20 * USEC_SEC)
#define ACT_PROMOTE_APART (1 * USEC_SEC)

struct act_promote_priv {
	struct pgc *pgc;
	struct repmgr_run *run;
	usec_t failed_at; /* of repmgr's last try; 0: none has */
	bool seen;	  /* out of recovery */
	int looks;
};

static int act_promote_observe(struct act *a, struct error *err);
static int act_promote_apply(struct act *a, struct error *err);
static void act_promote_cancel(struct act *a);

const struct act_ops act_promote = {
	.name = "promote",
	.kind = ACT_PROMOTE,
	.priv_size = sizeof(struct act_promote_priv),
	.observe = act_promote_observe,
	.apply = act_promote_apply,
	.cancel = act_promote_cancel,
};

/* repmgr has its metadata still to write when the promotion is seen; before
 * that nobody is to be promoted by it any more. */
static void
act_promote_cancel(struct act *a)
{
	struct act_promote_priv *p = act_priv(a);

	act_leave(a, &p->pgc);
	if (p->seen)
		repmgr_run_leave(p->run);
	else
		repmgr_run_cancel(p->run);
	p->run = NULL;
}

static void
act_promote_finish(struct act *a, enum answer ans, const char *reason)
{
	struct act_promote_priv *p = act_priv(a);

	act_leave(a, &p->pgc);
	act_done(a, ans, reason);
}

static void
act_promote_seen_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_promote_priv *p = act_priv(a);
	bool recovery;

	if (r->ok != ANS_YES)
		act_promote_finish(a, ANS_UNKNOWN, r->reason);
	else if (pglink_bool(r, 0, 0, &recovery) == -1)
		act_promote_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
	else if (recovery)
		act_promote_finish(a, ANS_NO, reason_str(REASON_in_recovery));
	else {
		p->seen = true;
		act_promote_finish(a, ANS_YES, "");
	}
}

static int
act_promote_observe(struct act *a, struct error *err)
{
	struct act_promote_priv *p = act_priv(a);

	return act_ask(a, &p->pgc, "SELECT pg_is_in_recovery()",
	    ACT_PROMOTE_LIMIT, act_promote_seen_cb, err);
}

static void
act_promote_look_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_promote_priv *p = act_priv(a);
	struct error err;
	bool recovery = false;

	repmgr_run_lease(p->run);
	if (r->ok != ANS_YES) {
		act_promote_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	/* The answer to pg_promote itself has no second column. */
	if (r->cols == 2 && pglink_bool(r, 0, 1, &recovery) == -1) {
		act_promote_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
		return;
	}
	if ((r->cols == 2 && !recovery) || p->looks++ >= ACT_PROMOTE_LOOKS) {
		act_promote_finish(a, ANS_YES, "");
		return;
	}
	if (act_ask(a, &p->pgc, ACT_PROMOTE_LOOK, ACT_PROMOTE_LIMIT,
		act_promote_look_cb, &err) == -1)
		act_promote_finish(a, ANS_UNKNOWN, err.msg);
}

static void
act_promote_ran(void *arg, bool ok)
{
	struct act_promote_priv *p = act_priv(arg);

	p->run = NULL;
	p->failed_at = ok ? 0 : clock_now().raw;
}

/* One at a time, and apart. */
static int
act_promote_repmgr(struct act *a, struct error *err)
{
	static const char *const words[] = { "standby", "promote", NULL };
	struct act_promote_priv *p = act_priv(a);

	repmgr_run_lease(p->run);
	if (p->run != NULL ||
	    (p->failed_at != 0 &&
		clock_now().raw - p->failed_at < ACT_PROMOTE_APART))
		return 0;
	p->run = repmgr_run_start(
	    act_env(a), words, ACT_PROMOTE_REPMGR, act_promote_ran, a, err);
	repmgr_run_lease(p->run);
	return p->run == NULL ? -1 : 0;
}

/* A replay that is paused would look for the promotion once a second only, and
 * repmgr refuses. */
static int
act_promote_apply(struct act *a, struct error *err)
{
	struct act_promote_priv *p = act_priv(a);

	p->looks = 0;
	if (act_env(a)->conf->pg.commands == COMMANDS_NATIVE)
		return act_ask(a, &p->pgc,
		    ACT_PROMOTE_RESUME "SELECT pg_promote(false)",
		    ACT_PROMOTE_LIMIT, act_promote_look_cb, err);
	if (act_promote_repmgr(a, err) == -1)
		return -1;
	return act_ask(a, &p->pgc, ACT_PROMOTE_RESUME ACT_PROMOTE_LOOK,
	    ACT_PROMOTE_LIMIT, act_promote_look_cb, err);
}
