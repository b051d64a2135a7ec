/*
 * Action "traffic": every balancer that this node steers was read back as
 * wanted.
 */
#include "act/env.h"
#include "act/modules.h"
#include "hawatch/traffic.h"

static int act_traffic_observe(struct act *a, struct error *err);
static int act_traffic_apply(struct act *a, struct error *err);
static void act_traffic_cancel(struct act *a);

const struct act_ops act_traffic = {
	.name = "traffic",
	.kind = ACT_TRAFFIC,
	.priv_size = 0,
	.repeats = true,
	.observe = act_traffic_observe,
	.apply = act_traffic_apply,
	.cancel = act_traffic_cancel,
};

static void
act_traffic_done_cb(void *arg, enum answer ans, const char *reason)
{
	act_done(arg, ans, reason);
}

static int
act_traffic_observe(struct act *a, struct error *err)
{
	const struct goal *goal = act_goal(a);
	const struct act_env *env = act_env(a);
	const struct traffic_goal want = { .primary = goal->node,
		.holder = goal->node == env->conf->self,
		.out = goal->names,
		.drain = goal->drain };

	traffic_run(env->traffic, &want, act_traffic_done_cb, a);
	return 0;
}

/* The run has changed what it could; looked at again, it may have worked. */
static int
act_traffic_apply(struct act *a, struct error *err)
{
	act_done(a, ANS_YES, "");
	return 0;
}

static void
act_traffic_cancel(struct act *a)
{
	traffic_cancel(act_env(a)->traffic);
}
