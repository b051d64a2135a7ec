/*
 * Action "fence": the holder's host was seen off by its agents, after this was
 * asked for. That it is off already is not looked at first: it could be
 * starting. Or, where a standby is silent, it was only looked at: one that has
 * been off has to ask this host before it does anything.
 */
#include "act/env.h"
#include "act/modules.h"
#include "hawatch/agent.h"

struct act_fence_priv {
	bool off;
};

static int act_fence_observe(struct act *a, struct error *err);
static int act_fence_apply(struct act *a, struct error *err);
static void act_fence_cancel(struct act *a);

const struct act_ops act_fence = {
	.name = "fence",
	.kind = ACT_FENCE,
	.priv_size = sizeof(struct act_fence_priv),
	.observe = act_fence_observe,
	.apply = act_fence_apply,
	.cancel = act_fence_cancel,
};

static int
act_fence_observe(struct act *a, struct error *err)
{
	const struct act_fence_priv *p = act_priv(a);

	act_done(a, p->off ? ANS_YES : ANS_UNKNOWN, "");
	return 0;
}

static void
act_fence_done_cb(void *arg, enum answer off, const char *why)
{
	struct act *a = arg;
	struct act_fence_priv *p = act_priv(a);

	p->off = off == ANS_YES;
	act_done(a, off, why);
}

static int
act_fence_apply(struct act *a, struct error *err)
{
	struct agents *agents = act_env(a)->agents;
	const struct goal *g = act_goal(a);

	if (g->standby)
		agents_look(agents, g->node, act_fence_done_cb, a);
	else
		agents_off(agents, g->node, act_fence_done_cb, a);
	return 0;
}

static void
act_fence_cancel(struct act *a)
{
	agents_cancel(act_env(a)->agents);
}
