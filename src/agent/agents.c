/*
 * The agents of all other hosts: whether each of them answers, asked one after
 * another now and then, since what nobody tried does not work on the day; and
 * the one host that is being switched off.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/agent_i.h"
#include "agent/agent_off.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define WATCH_FIRST USEC_SEC
#define WATCH_EVERY (60 * USEC_SEC) /* each of them, at most so often */

struct watched_agent {
	const struct conf_agent *conf;
	enum answer ok;
	char why[AGENT_TEXT_MAX];
	usec_t seen_at;
};

struct agents {
	struct agent_env env;
	const struct conf *conf;
	struct watched_agent watched[CONF_AGENTS_MAX];
	int count, next;
	struct timer *timer;
	struct agent_call *monitor;
	struct agent_off *off;
	agents_done_fn done;
	void *arg;
};

nodeset_t
agents_nodes(const struct conf *conf)
{
	nodeset_t set = 0;
	int i;

	for (i = 0; i < conf->agent_count; i++)
		set |= NODE_BIT(conf->agent[i].target);
	return set & ~NODE_BIT(conf->self);
}

static void
watch_said_cb(void *arg, enum answer ok, const char *text)
{
	struct agents *a = arg;
	struct watched_agent *w = &a->watched[a->next];

	a->monitor = NULL;
	if (ok != w->ok || w->seen_at == 0)
		EMIT(agent_change, kv_s("agent", w->conf->name),
		    kv_s("node", w->conf->node),
		    kv_s("to", ok == ANS_YES ? "yes" : "no"),
		    kv_s("reason", ok == ANS_YES ? "" : text));
	w->ok = ok;
	str_cut(w->why, sizeof(w->why), ok == ANS_YES ? "" : text);
	w->seen_at = clock_now().raw;
	a->next = (a->next + 1) % a->count;
	timer_arm(a->timer,
	    a->watched[a->next].seen_at == 0 ? 0 : WATCH_EVERY / a->count);
}

static void
watch_timer_cb(void *arg)
{
	struct agents *a = arg;
	const struct conf_agent *conf = a->watched[a->next].conf;

	/* A device may take one caller at a time. */
	if (a->off != NULL) {
		timer_arm(a->timer, WATCH_FIRST);
		return;
	}
	a->monitor = agent_call_start(
	    &a->env, conf, AGENT_MONITOR, conf->timeout, watch_said_cb, a);
}

struct agents *
agents_new(struct loop *loop, const struct conf *conf, struct worker *worker)
{
	struct agents *a = xcalloc(1, sizeof(*a));
	int i;

	a->env = (struct agent_env){ .loop = loop, .worker = worker };
	a->conf = conf;
	a->timer = timer_new(loop, watch_timer_cb, a);
	for (i = 0; i < conf->agent_count; i++)
		if (conf->agent[i].target != conf->self)
			a->watched[a->count++].conf = &conf->agent[i];
	if (a->count > 0)
		timer_arm(a->timer, WATCH_FIRST);
	return a;
}

void
agents_free(struct agents *a)
{
	if (a == NULL)
		return;
	agents_cancel(a);
	agent_call_cancel(a->monitor);
	timer_free(a->timer);
	free(a);
}

static void
agents_off_cb(void *arg, enum answer off, const char *why)
{
	struct agents *a = arg;

	a->off = NULL;
	a->done(a->arg, off, why);
}

static void
agents_start(
    struct agents *a, node_t node, bool look, agents_done_fn done, void *arg)
{
	agents_cancel(a);
	/* What only looks gives way. */
	if (a->monitor != NULL) {
		agent_call_cancel(a->monitor);
		a->monitor = NULL;
		timer_arm(a->timer, WATCH_FIRST);
	}
	a->done = done;
	a->arg = arg;
	a->off =
	    agent_off_start(&a->env, a->conf, node, look, agents_off_cb, a);
}

void
agents_off(struct agents *a, node_t node, agents_done_fn done, void *arg)
{
	agents_start(a, node, false, done, arg);
}

void
agents_look(struct agents *a, node_t node, agents_done_fn done, void *arg)
{
	agents_start(a, node, true, done, arg);
}

void
agents_cancel(struct agents *a)
{
	agent_off_cancel(a->off);
	a->off = NULL;
}

int
agents_count(const struct agents *a)
{
	return a->count;
}

void
agents_state(const struct agents *a, int i, struct agent_state *st)
{
	const struct watched_agent *w = &a->watched[i];

	*st = (struct agent_state){ .conf = w->conf,
		.ok = w->ok,
		.why = w->why,
		.seen_at = w->seen_at };
}
