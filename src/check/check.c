/*
 * The scheduler of checks: interval, deadline, jitter, damping, and the event
 * of a transition. It knows no protocol, and what a state means for the host
 * is decided elsewhere.
 */
#include "hawatch/check.h"

#include <assert.h>
#include <stdlib.h>

#include "hawatch/damp.h"
#include "hawatch/emit.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/random.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"
#include "hawatch/template.h"

#define FIRST_MAX USEC_SEC /* a seldom check is not unknown for long */

enum check_phase { PHASE_WAITING, PHASE_ASKING, PHASE_ENDED };

struct check {
	struct check_env env;
	const struct check_ops *ops;
	struct conf_check conf;
	void (*settled)(void *arg, struct check *c);
	void *arg;
	void *priv;
	struct timer *timer; /* of the phase: next probe, deadline, end */
	enum check_phase phase;
	bool again; /* once more, out of turn */
	bool extra; /* the probe that runs is out of turn */
	usec_t started;

	enum answer last;
	char reason[160];
	struct damp damp;
	enum answer up;
	usec_t seen_at, since, took;
};

static void check_timer_cb(void *arg);

struct check *
check_new(const struct check_env *env, const struct check_ops *ops,
    const struct conf_check *conf, void (*settled)(void *arg, struct check *c),
    void *arg)
{
	struct check *c;
	usec_t first;

	c = xcalloc(1, sizeof(*c));
	c->env = *env;
	c->ops = ops;
	c->conf = *conf;
	c->settled = settled;
	c->arg = arg;
	c->priv = xcalloc(1, ops->priv_size == 0 ? 1 : ops->priv_size);
	damp_init(&c->damp, conf->window, conf->threshold, conf->threshold - 1);
	if (env->web != NULL)
		http_trust(env->web, conf->ca);
	c->timer = timer_new(env->loop, check_timer_cb, c);
	first = conf->interval < FIRST_MAX ? conf->interval : FIRST_MAX;
	timer_arm(c->timer, (usec_t)(random_u64() % (uint64_t)(first + 1)));
	return c;
}

void
check_free(struct check *c)
{
	if (c == NULL)
		return;
	if (c->phase == PHASE_ASKING)
		c->ops->cancel(c);
	timer_free(c->timer);
	free(c->priv);
	free(c);
}

void *
check_priv(struct check *c)
{
	return c->priv;
}

void *
check_arg(struct check *c)
{
	return c->arg;
}

const struct check_env *
check_env(const struct check *c)
{
	return &c->env;
}

const struct conf_check *
check_conf(const struct check *c)
{
	return &c->conf;
}

const char *
check_address(const struct check *c, struct error *err)
{
	const char *text = c->conf.address, *rest = text;
	struct template_piece piece = template_next(&rest);
	node_t primary = NODE_NONE;

	if (piece.kind != TEMPLATE_VARIABLE)
		return text;
	if (c->env.primary != NULL)
		primary = c->env.primary(c->env.arg);
	text = template_value(c->env.conf, &piece, primary);
	if (text == NULL)
		error_set(
		    err, ERR_CONFIG, "%s", reason_str(REASON_primary_unknown));
	return text;
}

void
check_done(struct check *c, enum answer ans, const char *reason)
{
	assert(c->phase == PHASE_ASKING);
	c->last = ans;
	str_cut(c->reason, sizeof(c->reason), ans == ANS_YES ? "" : reason);
	c->took = clock_now().raw - c->started;
	c->phase = PHASE_ENDED;
	timer_arm(c->timer, 0);
}

static void
check_begin(struct check *c)
{
	struct error err;

	c->phase = PHASE_ASKING;
	c->extra = c->again;
	c->again = false;
	c->started = clock_now().raw;
	timer_arm(c->timer, c->conf.timeout);
	if (c->ops->start(c, &err) == -1)
		check_done(c, ANS_UNKNOWN, err.msg);
}

/* Around the interval by a tenth, so that checks do not march in step. */
static usec_t
check_wait(const struct check *c)
{
	usec_t wait, tenth;

	if (c->again)
		return 0;
	tenth = c->conf.interval / 10;
	wait = c->conf.interval - tenth / 2;
	wait += (usec_t)(random_u64() % (uint64_t)(tenth + 1));
	wait -= clock_now().raw - c->started;
	return wait < USEC_MSEC ? USEC_MSEC : wait;
}

static void
check_settle(struct check *c)
{
	enum answer up;

	if (c->last != ANS_UNKNOWN)
		c->seen_at = c->started;
	/* Who asks again and again for a moment must not bring the check down
	 * sooner than its own rhythm would. */
	if (!c->extra || c->last == ANS_YES || c->conf.window == 1)
		damp_put(&c->damp, c->last);
	up = damp_up(&c->damp);
	if (up != c->up) {
		c->up = up;
		c->since = clock_now().raw;
		EMIT(check_change, kv_s("check", c->conf.name),
		    kv_s("to", up == ANS_YES ? "up" : "down"),
		    kv_s("reason", c->reason), kv_i("ms", c->took / 1000));
	}
	c->phase = PHASE_WAITING;
	timer_arm(c->timer, check_wait(c));
	if (c->settled != NULL)
		c->settled(c->arg, c);
}

static void
check_timer_cb(void *arg)
{
	struct check *c = arg;

	switch (c->phase) {
	case PHASE_WAITING:
		check_begin(c);
		return;
	case PHASE_ASKING:
		c->ops->cancel(c);
		check_done(c, ANS_NO, reason_str(REASON_timeout));
		check_settle(c);
		return;
	case PHASE_ENDED:
		check_settle(c);
		return;
	}
}

void
check_poke(struct check *c)
{
	c->again = true;
	if (c->phase == PHASE_WAITING)
		timer_arm(c->timer, 0);
}

void
check_pace(struct check *c, usec_t interval)
{
	bool shorter;

	shorter = interval < c->conf.interval;
	c->conf.interval = interval;
	if (shorter && c->phase == PHASE_WAITING && !c->again)
		timer_arm(c->timer, check_wait(c));
}

/* What was not answered for three intervals is not known any more. */
void
check_state(const struct check *c, struct check_state *out)
{
	const char *address = NULL;
	struct error err;
	usec_t limit;

	if (c->conf.address != NULL)
		address = check_address(c, &err);
	limit = 3 * (c->conf.interval + c->conf.timeout);
	out->name = c->conf.name;
	out->type = c->conf.type;
	out->up = c->up;
	if (c->seen_at == 0 || clock_now().raw - c->seen_at > limit)
		out->up = ANS_UNKNOWN;
	out->last = c->last;
	out->reason = c->reason;
	out->seen_at = c->seen_at;
	out->since = c->since;
	out->took = c->took;
	out->health = c->conf.health;
	out->shared = c->conf.shared;
	out->verify = c->conf.verify;
	out->conf = &c->conf;
	out->address = address == NULL ? "" : address;
}
