/*
 * Switching one host off. The devices of the first level begin, each after its
 * delay: off, again after a failure as often as it may, then status until that
 * says off, all of it within the device's own limit. When each of them is off,
 * so is the host; when one is not, the next level begins. What an agent's off
 * returns is never enough.
 *
 * Where a host is only looked at, each device has to answer monitor first: a
 * shell, or an interpreter, that cannot read its script ends with the very
 * status by which an agent says "off".
 */
#include "agent/agent_off.h"

#include <stdio.h>
#include <stdlib.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define OFF_AGAIN (300 * USEC_MSEC) /* after an off or a status that failed */
#define OFF_LEAST (50 * USEC_MSEC)  /* no run is begun with less time left */

enum device_state {
	DEVICE_DELAYED,
	DEVICE_OFF,    /* to be told */
	DEVICE_WELL,   /* or, only looked at: does it work? */
	DEVICE_STATUS, /* told: to be asked */
	DEVICE_YES,
	DEVICE_NO
};

struct device {
	struct agent_off *off;
	const struct conf_agent *conf;
	enum device_state state;
	struct agent_call *call;
	struct timer *timer;
	usec_t until;
	int tries;
	bool on;		  /* seen so, where it is not to be switched */
	char why[AGENT_TEXT_MAX]; /* not, so far */
};

struct agent_off {
	const struct agent_env *env;
	const struct conf *conf;
	node_t node;
	bool look; /* it is only asked about */
	int level;
	struct device device[CONF_AGENTS_MAX]; /* of this level */
	int count;
	char why[2 * AGENT_TEXT_MAX];
	agents_done_fn done;
	void *arg;
};

static void device_next(struct device *d);

static void
off_clear(struct agent_off *off)
{
	int i;

	for (i = 0; i < off->count; i++) {
		agent_call_cancel(off->device[i].call);
		timer_free(off->device[i].timer);
	}
	off->count = 0;
}

static void
device_timer_cb(void *arg)
{
	struct device *d = arg;

	if (d->state == DEVICE_DELAYED) {
		d->state = d->off->look ? DEVICE_WELL : DEVICE_OFF;
		d->until = clock_now().raw + d->conf->timeout;
	}
	device_next(d);
}

/* The least level above this one that has devices; 0 none. */
static int
off_level_after(const struct agent_off *off)
{
	const struct conf_agent *a;
	int i, best = 0;

	for (i = 0; i < off->conf->agent_count; i++) {
		a = &off->conf->agent[i];
		if (a->target == off->node && a->level > off->level &&
		    (best == 0 || a->level < best))
			best = a->level;
	}
	return best;
}

/* False: there is none. */
static bool
off_level(struct agent_off *off)
{
	const struct conf_agent *a;
	struct device *d;
	int i, level = off_level_after(off);

	off_clear(off);
	off->level = level;
	for (i = 0; i < off->conf->agent_count && level != 0; i++) {
		a = &off->conf->agent[i];
		if (a->target != off->node || a->level != level)
			continue;
		d = &off->device[off->count++];
		*d = (struct device){
			.off = off, .conf = a, .state = DEVICE_DELAYED
		};
		d->timer = timer_new(off->env->loop, device_timer_cb, d);
		timer_arm(d->timer, a->delay);
	}
	return level != 0;
}

static void
off_end(struct agent_off *off, enum answer ans)
{
	off_clear(off);
	off->done(off->arg, ans, off->why);
	free(off);
}

/* A device of the level is off, or is not going to be. */
static void
off_device_ended(struct agent_off *off, struct device *d)
{
	int i;

	if (d->state == DEVICE_NO) {
		(void)snprintf(off->why, sizeof(off->why), "%.60s: %s",
		    d->conf->name, d->why);
		/* What one sees on, is on. */
		if (d->on || !off_level(off))
			off_end(off, ANS_NO);
		return;
	}
	for (i = 0; i < off->count; i++)
		if (off->device[i].state != DEVICE_YES)
			return;
	off_end(off, ANS_YES);
}

static void
device_end(struct device *d, enum device_state state)
{
	timer_disarm(d->timer);
	d->state = state;
	off_device_ended(d->off, d);
}

static void
device_said_cb(void *arg, enum answer ok, const char *text)
{
	struct device *d = arg;

	d->call = NULL;
	str_cut(d->why, sizeof(d->why), text);
	if ((d->state == DEVICE_OFF || d->state == DEVICE_WELL) &&
	    ok == ANS_YES) {
		d->state = DEVICE_STATUS;
		timer_arm(d->timer, 0);
		return;
	}
	if (d->state == DEVICE_OFF && d->tries++ >= d->conf->retries) {
		device_end(d, DEVICE_NO);
		return;
	}
	if (d->state == DEVICE_STATUS) {
		if (ok == ANS_YES) {
			device_end(d, DEVICE_YES);
			return;
		}
		if (ok == ANS_NO)
			str_cut(d->why, sizeof(d->why), "status says on");
		if (ok == ANS_NO && d->off->look) {
			d->on = true;
			device_end(d, DEVICE_NO);
			return;
		}
	}
	timer_arm(d->timer, OFF_AGAIN);
}

static enum agent_action
device_action(const struct device *d)
{
	if (d->state == DEVICE_OFF)
		return AGENT_OFF;
	return d->state == DEVICE_WELL ? AGENT_MONITOR : AGENT_STATUS;
}

static void
device_next(struct device *d)
{
	usec_t left = d->until - clock_now().raw;

	if (left < OFF_LEAST) {
		if (d->why[0] == '\0')
			str_cut(d->why, sizeof(d->why), "too late");
		device_end(d, DEVICE_NO);
		return;
	}
	d->call = agent_call_start(
	    d->off->env, d->conf, device_action(d), left, device_said_cb, d);
}

struct agent_off *
agent_off_start(const struct agent_env *env, const struct conf *conf,
    node_t node, bool look, agents_done_fn done, void *arg)
{
	struct agent_off *off = xcalloc(1, sizeof(*off));

	off->env = env;
	off->conf = conf;
	off->node = node;
	off->look = look;
	off->done = done;
	off->arg = arg;
	(void)off_level(off);
	return off;
}

void
agent_off_cancel(struct agent_off *off)
{
	if (off == NULL)
		return;
	off_clear(off);
	free(off);
}
