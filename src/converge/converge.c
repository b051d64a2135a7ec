/*
 * The items of this host: compared, and brought about.
 */
#include "hawatch/converge.h"

#include <stdlib.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"

struct converge {
	struct converge_env env;
	struct timer *timer;
	void (*done)(void *arg, enum answer ans, const char *reason);
	void *arg;
};

static void
converge_timer_cb(void *arg)
{
	struct converge *c = arg;

	c->done(c->arg, ANS_YES, "");
}

struct converge *
converge_new(const struct converge_env *env)
{
	struct converge *c = xcalloc(1, sizeof(*c));

	c->env = *env;
	c->timer = timer_new(env->loop, converge_timer_cb, c);
	return c;
}

void
converge_free(struct converge *c)
{
	if (c == NULL)
		return;
	timer_free(c->timer);
	free(c);
}

void
converge_expect(struct converge *c, node_t primary, uint64_t epoch)
{
}

void
converge_look(struct converge *c)
{
}

void
converge_run(struct converge *c, enum conf_item_when when, node_t primary,
    uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	c->done = done;
	c->arg = arg;
	timer_arm(c->timer, 0);
}

void
converge_cancel(struct converge *c, enum conf_item_when when)
{
	timer_disarm(c->timer);
}

int
converge_count(const struct converge *c)
{
	return 0;
}

void
converge_state(const struct converge *c, int i, struct converge_state *out)
{
}

int
converge_drift(const struct converge *c)
{
	return 0;
}

const char *
converge_doing(const struct converge *c, usec_t *since)
{
	return NULL;
}
