/*
 * Action "checkpoint": a checkpoint of the current timeline has ended. Without
 * it pg_rewind of the old primary takes the new timeline for the old one, on
 * PostgreSQL 15 and older. It may take minutes on a large cache. A clean one is
 * one that began after it was asked for: what a shutdown has to write after it
 * is little.
 */
#include "act/env.h"
#include "act/modules.h"
#include "check/pglink.h"
#include "hawatch/reason.h"

#define ACT_CHECKPOINT_LOOK (2 * USEC_SEC)
#define ACT_CHECKPOINT_LIMIT (3600 * USEC_SEC)

struct act_checkpoint_priv {
	struct pgc *pgc;
	bool ended; /* one that was asked for here */
};

static int act_checkpoint_observe(struct act *a, struct error *err);
static int act_checkpoint_apply(struct act *a, struct error *err);
static void act_checkpoint_cancel(struct act *a);

const struct act_ops act_checkpoint = {
	.name = "checkpoint",
	.kind = ACT_CHECKPOINT,
	.priv_size = sizeof(struct act_checkpoint_priv),
	.observe = act_checkpoint_observe,
	.apply = act_checkpoint_apply,
	.cancel = act_checkpoint_cancel,
};

static void
act_checkpoint_cancel(struct act *a)
{
	struct act_checkpoint_priv *p = act_priv(a);

	act_leave(a, &p->pgc);
}

static void
act_checkpoint_finish(struct act *a, enum answer ans, const char *reason)
{
	act_checkpoint_cancel(a);
	act_done(a, ans, reason);
}

static void
act_checkpoint_seen_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	bool current;

	if (r->ok != ANS_YES)
		act_checkpoint_finish(a, ANS_UNKNOWN, r->reason);
	else if (pglink_bool(r, 0, 0, &current) == -1)
		act_checkpoint_finish(
		    a, ANS_NO, reason_str(REASON_in_recovery));
	else if (!current)
		act_checkpoint_finish(
		    a, ANS_NO, reason_str(REASON_old_timeline));
	else
		act_checkpoint_finish(a, ANS_YES, "");
}

static int
act_checkpoint_observe(struct act *a, struct error *err)
{
	struct act_checkpoint_priv *p = act_priv(a);

	/* One that ended before is none of those that are meant. */
	if (act_goal(a)->clean && !p->ended) {
		act_done(a, ANS_NO, "");
		return 0;
	}
	return act_ask(a, &p->pgc,
	    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN (SELECT timeline_id"
	    " FROM pg_control_checkpoint()) = ('x' || substr(pg_walfile_name("
	    "pg_current_wal_lsn()), 1, 8))::bit(32)::int END",
	    ACT_CHECKPOINT_LOOK, act_checkpoint_seen_cb, err);
}

static void
act_checkpoint_done_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_checkpoint_priv *p = act_priv(a);

	p->ended = r->ok == ANS_YES;
	act_checkpoint_finish(
	    a, r->ok == ANS_YES ? ANS_YES : ANS_UNKNOWN, r->reason);
}

static int
act_checkpoint_apply(struct act *a, struct error *err)
{
	struct act_checkpoint_priv *p = act_priv(a);

	return act_ask(a, &p->pgc, "CHECKPOINT", ACT_CHECKPOINT_LIMIT,
	    act_checkpoint_done_cb, err);
}
