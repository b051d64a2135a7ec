/*
 * The balancers of the configuration, steered one by one.
 */
#include "hawatch/traffic.h"

#include <stdlib.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"

struct traffic {
	const struct conf *conf;
	struct timer *timer;
	void (*done)(void *arg, enum answer ans, const char *reason);
	void *arg;
};

static void
traffic_timer_cb(void *arg)
{
	struct traffic *t = arg;

	t->done(t->arg, ANS_YES, "");
}

struct traffic *
traffic_new(struct loop *loop, const struct conf *conf)
{
	struct traffic *t = xcalloc(1, sizeof(*t));

	t->conf = conf;
	t->timer = timer_new(loop, traffic_timer_cb, t);
	return t;
}

void
traffic_free(struct traffic *t)
{
	if (t == NULL)
		return;
	timer_free(t->timer);
	free(t);
}

void
traffic_run(struct traffic *t, const struct traffic_goal *goal,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	t->done = done;
	t->arg = arg;
	timer_arm(t->timer, 0);
}

void
traffic_cancel(struct traffic *t)
{
	timer_disarm(t->timer);
}

int
traffic_count(const struct traffic *t)
{
	return 0;
}

void
traffic_state(const struct traffic *t, int i, struct traffic_state *out)
{
}
