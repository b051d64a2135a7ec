/*
 * Action "promote": PostgreSQL is out of recovery. The command is given once
 * an attempt and does not wait; then the server is asked every few
 * milliseconds, since its own waiting looks only ten times a second.
 */
#include "act/env.h"
#include "act/modules.h"
#include "check/pglink.h"
#include "hawatch/reason.h"

#define ACT_PROMOTE_LIMIT (2 * USEC_SEC)
#define ACT_PROMOTE_LOOKS 50

struct act_promote_priv {
	struct pgc *pgc;
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

static void
act_promote_cancel(struct act *a)
{
	struct act_promote_priv *p = act_priv(a);

	act_leave(a, &p->pgc);
}

static void
act_promote_finish(struct act *a, enum answer ans, const char *reason)
{
	act_promote_cancel(a);
	act_done(a, ans, reason);
}

static void
act_promote_seen_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	bool recovery;

	if (r->ok != ANS_YES)
		act_promote_finish(a, ANS_UNKNOWN, r->reason);
	else if (pglink_bool(r, 0, 0, &recovery) == -1)
		act_promote_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
	else if (recovery)
		act_promote_finish(a, ANS_NO, reason_str(REASON_in_recovery));
	else
		act_promote_finish(a, ANS_YES, "");
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
	if (act_ask(a, &p->pgc, "SELECT pg_sleep(0.004), pg_is_in_recovery()",
		ACT_PROMOTE_LIMIT, act_promote_look_cb, &err) == -1)
		act_promote_finish(a, ANS_UNKNOWN, err.msg);
}

/* A replay that is paused would look for the promotion once a second only. */
static int
act_promote_apply(struct act *a, struct error *err)
{
	struct act_promote_priv *p = act_priv(a);

	p->looks = 0;
	return act_ask(a, &p->pgc,
	    "SELECT pg_wal_replay_resume() WHERE pg_is_wal_replay_paused();"
	    " SELECT pg_promote(false)",
	    ACT_PROMOTE_LIMIT, act_promote_look_cb, err);
}
