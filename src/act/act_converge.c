/*
 * Actions "pullers" and "converge": the items of the configuration that belong
 * before and after the promotion are as the role of this host demands. How is
 * the converging's own matter.
 */
#include "act/env.h"
#include "act/modules.h"
#include "hawatch/converge.h"
#include "hawatch/str.h"

static int act_converge_observe(struct act *a, struct error *err);
static int act_converge_apply(struct act *a, struct error *err);
static void act_converge_cancel(struct act *a);

/* Which phase is in the private memory, so that cancel knows it, too. */
struct act_converge_priv {
	bool asked;
	enum conf_item_when when;
	char missed[200]; /* which required item, and why */
};

static int act_pullers_observe(struct act *a, struct error *err);

const struct act_ops act_pullers = {
	.name = "pullers",
	.kind = ACT_PULLERS,
	.priv_size = sizeof(struct act_converge_priv),
	.observe = act_pullers_observe,
	.apply = act_converge_apply,
	.cancel = act_converge_cancel,
};

const struct act_ops act_converge = {
	.name = "converge",
	.kind = ACT_CONVERGE,
	.priv_size = sizeof(struct act_converge_priv),
	.observe = act_converge_observe,
	.apply = act_converge_apply,
	.cancel = act_converge_cancel,
};

static void
act_converge_done_cb(void *arg, enum answer ans, const char *reason)
{
	struct act *a = arg;
	struct act_converge_priv *p = act_priv(a);

	p->asked = false;
	str_cut(p->missed, sizeof(p->missed), reason);
	act_done(a, ans, reason);
}

static int
act_converge_ask(struct act *a, enum conf_item_when when)
{
	struct act_converge_priv *p = act_priv(a);
	const struct goal *goal = act_goal(a);

	p->asked = true;
	p->when = when;
	converge_run(act_env(a)->converge, when, goal->node, goal->epoch,
	    act_converge_done_cb, a);
	return 0;
}

static int
act_pullers_observe(struct act *a, struct error *err)
{
	return act_converge_ask(a, ITEM_BEFORE);
}

static int
act_converge_observe(struct act *a, struct error *err)
{
	return act_converge_ask(a, ITEM_AFTER);
}

/* A required item that could not be brought about ends it for good. */
static int
act_converge_apply(struct act *a, struct error *err)
{
	const struct act_converge_priv *p = act_priv(a);

	act_done(a, ANS_NO, p->missed);
	return 0;
}

static void
act_converge_cancel(struct act *a)
{
	struct act_converge_priv *p = act_priv(a);

	if (p->asked)
		converge_cancel(act_env(a)->converge, p->when);
	p->asked = false;
}
