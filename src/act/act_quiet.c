/*
 * Action "quiet": the items that are marked for it have stopped on this host,
 * in their order, before its PostgreSQL is handed over. How is the converging's
 * own matter; one that does not stop refuses it.
 */
#include "act/env.h"
#include "act/modules.h"
#include "hawatch/converge.h"
#include "hawatch/str.h"

static int act_quiet_observe(struct act *a, struct error *err);
static int act_quiet_apply(struct act *a, struct error *err);
static void act_quiet_cancel(struct act *a);

struct act_quiet_priv {
	bool asked;
	char missed[200]; /* which item, and why */
};

const struct act_ops act_quiet = {
	.name = "quiet",
	.kind = ACT_QUIET,
	.priv_size = sizeof(struct act_quiet_priv),
	.observe = act_quiet_observe,
	.apply = act_quiet_apply,
	.cancel = act_quiet_cancel,
};

static void
act_quiet_done_cb(void *arg, enum answer ans, const char *reason)
{
	struct act *a = arg;
	struct act_quiet_priv *p = act_priv(a);

	p->asked = false;
	str_cut(p->missed, sizeof(p->missed), reason);
	act_done(a, ans, reason);
}

static int
act_quiet_observe(struct act *a, struct error *err)
{
	struct act_quiet_priv *p = act_priv(a);

	p->asked = true;
	converge_quiet(
	    act_env(a)->converge, act_goal(a)->epoch, act_quiet_done_cb, a);
	return 0;
}

static int
act_quiet_apply(struct act *a, struct error *err)
{
	const struct act_quiet_priv *p = act_priv(a);

	act_done(a, ANS_NO, p->missed);
	return 0;
}

static void
act_quiet_cancel(struct act *a)
{
	struct act_quiet_priv *p = act_priv(a);

	if (p->asked)
		converge_quiet_cancel(act_env(a)->converge);
	p->asked = false;
}
