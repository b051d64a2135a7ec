/*
 * The parts of the engine that a new configuration may change while it runs:
 * checks, items, balancers, and what the core knows of them. They are made
 * here at the start, and made anew by a reload.
 */
#include <stdlib.h>
#include <string.h>

#include "act/env.h"
#include "engine/crash.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/orders.h"
#include "engine/parts.h"
#include "engine/reports.h"
#include "hawatch/agent.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/files.h"
#include "hawatch/probe.h"
#include "hawatch/traffic.h"

static bool
parts_items(const struct conf *conf, enum conf_item_when when)
{
	int i;

	for (i = 0; i < conf->item_count; i++)
		if (conf->item[i].when == when &&
		    conf_on(conf, conf->item[i].on, conf->self))
			return true;
	return false;
}

static bool
parts_traffic(const struct conf *conf, enum conf_traffic_from from)
{
	int i;

	for (i = 0; i < conf->traffic_count; i++)
		if (conf->traffic[i].from == from)
			return true;
	return false;
}

static bool
parts_verify(const struct conf *conf)
{
	int i;

	for (i = 0; i < conf->check_count; i++)
		if (conf->check[i].verify &&
		    conf_on(conf, conf->check[i].on, conf->self))
			return true;
	return false;
}

static bool
parts_quiet(const struct conf *conf)
{
	int i;

	for (i = 0; i < conf->item_count; i++)
		if (conf->item[i].handover[0] != '\0' &&
		    conf_on(conf, conf->item[i].on, conf->self))
			return true;
	return false;
}

/* What is asked of the surroundings: nothing that the file does not name. */
static void
parts_core_site(const struct conf *conf, struct core_conf *cc)
{
	cc->before = parts_items(conf, ITEM_BEFORE);
	cc->after = cc->before || parts_items(conf, ITEM_AFTER);
	cc->traffic_every = parts_traffic(conf, FROM_EVERY);
	cc->traffic = cc->traffic_every || parts_traffic(conf, FROM_HOLDER);
	cc->verify = parts_verify(conf);
	cc->quiet = parts_quiet(conf);
	cc->files = conf->files.paths[0] != NULL;
}

static enum core_rejoin
parts_core_rejoin(const struct conf *conf)
{
	return conf->rejoin == CONF_REJOIN_CLONE  ? CORE_REJOIN_CLONE :
	       conf->rejoin == CONF_REJOIN_REWIND ? CORE_REJOIN_REWIND :
						    CORE_REJOIN_NONE;
}

static void
parts_core_loss(const struct conf *conf, struct core_conf *cc)
{
	node_t node;

	for (node = 0; node < conf->node_count; node++)
		cc->priority[node] = conf->node[node].priority;
	cc->proof_lease = conf->proof_lease;
	cc->proof_agent = conf->proof_agent;
	cc->pair = conf->reg.type == REGISTER_NONE;
	cc->agents = agents_nodes(conf);
	cc->agent_after = conf->agent_after;
	cc->bounded = conf->durability == DURABILITY_BOUNDED;
	cc->max_loss = conf->max_loss;
}

void
parts_core_conf(const struct conf *conf, struct core_conf *cc)
{
	*cc = (struct core_conf){ .names = &conf->names,
		.self = conf->self,
		.data = conf_data_nodes(conf),
		.ttl = conf->ttl,
		.slack = conf->slack,
		.clock_ppm = conf->clock_ppm,
		.min_interval = conf->min_interval,
		.rejoin = parts_core_rejoin(conf),
		.standby_timeout = conf->pg.standby_timeout,
		.start_timeout = conf->pg.start_timeout,
		.mode = conf->mode == MODE_AUTO	  ? CORE_AUTO :
			conf->mode == MODE_MANUAL ? CORE_MANUAL :
						    CORE_OBSERVE };
	parts_core_site(conf, cc);
	parts_core_loss(conf, cc);
}

static node_t
parts_primary(void *arg)
{
	struct engine *e = arg;
	const struct now now = clock_now();
	struct core_status st;

	if (e->core == NULL)
		return NODE_NONE;
	core_status(e->core, &now, &st);
	return st.site.primary;
}

static int
parts_checks(struct engine *e, struct error *err)
{
	const struct check_env env = { .loop = e->loop,
		.conf = e->conf,
		.pg = e->pg,
		.web = e->web,
		.probe = e->probe,
		.primary = parts_primary,
		.arg = e };

	e->checks = checks_new(&env, NULL, NULL, err);
	if (e->act_env != NULL)
		e->act_env->checks = e->checks;
	return e->checks == NULL ? -1 : 0;
}

/* What is around the database: it is compared, changed and steered only where
 * there is a database that it belongs to. */
static void
parts_converge(struct engine *e)
{
	const struct converge_env env = { .loop = e->loop,
		.conf = e->conf,
		.worker = e->worker,
		.web = e->web,
		.probe = e->probe,
		.point = crash_point };

	e->converge = converge_new(&env);
	if (e->act_env != NULL)
		e->act_env->converge = e->converge;
}

static void
parts_steer(struct engine *e)
{
	if (e->act_env == NULL)
		return;
	e->traffic = traffic_new(e->loop, e->conf);
	e->act_env->traffic = e->traffic;
}

int
parts_live(struct engine *e, struct error *err)
{
	if (parts_checks(e, err) != 0)
		return -1;
	parts_converge(e);
	parts_steer(e);
	return 0;
}

/* Nothing is under way that the old file began; NULL, or what is. */
static const char *
parts_busy(const struct engine *e)
{
	static const char busy[] = "this host is being brought to its role: "
				   "reload when it is over\nhactl drift";

	if (e->orders != NULL && e->orders->drift != NULL)
		return busy;
	if (e->converge != NULL && !converge_idle(e->converge))
		return busy;
	if (e->files != NULL && files_pulls(e->files) != NODE_NONE)
		return "files are copied here for a switchover: reload when "
		       "it is over\nhactl status";
	return NULL;
}

/* What no wait helps is said first. */
const char *
parts_may_renew(const struct engine *e, const struct conf *next, bool *waits)
{
	const char *against = NULL, *busy;
	struct core_conf cc;

	*waits = false;
	parts_core_conf(next, &cc);
	if (e->core != NULL)
		against = core_may_tune(e->core, &cc, waits);
	if (against != NULL && !*waits)
		return against;
	busy = parts_busy(e);
	*waits = *waits || busy != NULL;
	return busy != NULL ? busy : against;
}

static int
parts_make(struct engine *e, enum conf_part part, struct error *err)
{
	switch (part) {
	case CONF_CHECKS:
		checks_free(e->checks);
		e->checks = NULL;
		return parts_checks(e, err);
	case CONF_CONVERGE:
		converge_free(e->converge);
		parts_converge(e);
		e->expect_primary = NODE_NONE;
		break;
	case CONF_TRAFFIC:
		traffic_free(e->traffic);
		parts_steer(e);
		break;
	case CONF_REST:
		break;
	}
	return 0;
}

/* One whose strings nobody uses any more. */
static void
parts_disown(struct engine *e, enum conf_part part, struct conf *next)
{
	struct conf *old = e->owner[part];
	int p;

	e->owner[part] = next;
	for (p = 0; p < CONF_PARTS; p++)
		if (e->owner[p] == old)
			return;
	conf_free(old);
}

const char *
parts_renew(struct engine *e, struct conf *next, const bool part[CONF_PARTS])
{
	struct core_conf cc;
	struct error err;
	const char *busy;
	bool waits;
	int p;

	busy = parts_may_renew(e, next, &waits);
	if (busy != NULL)
		return busy;
	parts_core_conf(next, &cc);
	if (e->core != NULL && core_tune(e->core, &cc) != NULL)
		abort(); /* it said that it may */
	/* It asks the balancers and the checks, which are to be others. */
	if (e->acts != NULL)
		acts_cancel(e->acts, ACT_TRAFFIC);
	if (part[CONF_CHECKS])
		health_keep(e->health, e->conf, next);
	/* The settings are of the file as a whole: the rest always goes. */
	for (p = 0; p < CONF_PARTS; p++) {
		if (!part[p] && p != CONF_REST)
			continue;
		conf_swap(e->conf, next, (enum conf_part)p);
		if (parts_make(e, (enum conf_part)p, &err) != 0)
			abort(); /* every type of the schema has its module */
		parts_disown(e, (enum conf_part)p, next);
	}
	reports_renew(e->reports, part[CONF_CHECKS]);
	e->rendered_at = 0;
	loop_wake(e->loop);
	return NULL;
}

void
parts_live_free(struct engine *e)
{
	int p;

	for (p = 0; p < CONF_PARTS; p++)
		if (e->owner[p] != NULL)
			parts_disown(e, (enum conf_part)p, NULL);
}
