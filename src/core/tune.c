/*
 * A new configuration while the engine runs: what of it the core takes over.
 *
 * The mode between manual and auto, min_interval, what this node does by itself
 * with data that has diverged, and whether there are items, balancers and
 * checks to ask for. All else stays as it was at the start: T is the record's,
 * and what the waits count with was promised to others.
 *
 * Nothing is taken over while something is under way that was begun by the old
 * one: a plan, be it a takeover, a handover or a rejoin, a claim, a host that
 * is being switched off, an order that is not in the record yet, or what was
 * asked of the surroundings. Between two attempts to rejoin nothing runs, and
 * what keeps the next from it may be this very configuration: that is no
 * obstacle. Nor is a pause: whatever changes while it lasts, it goes on to keep
 * the record without candidates. From observe needs a start: who only looked
 * on has no table in the kernel. Nobody goes back there (conf/guard.c).
 *
 * Leaving auto empties the candidates first, by a write of the record whose
 * outcome is known, and only then do commits wait for nobody: that is the rule
 * for whoever is lost. Until then this node goes on renewing, and its
 * candidates may take over, as before. A candidate that leaves auto claims
 * nothing from that moment on.
 */
#include "core/core_i.h"

static bool
tune_busy(const struct core *c)
{
	return c->plan.id != PLAN_NONE || c->dur.claim || c->order.on ||
	       c->hand.on || c->pausing.on || shoot_near(c) ||
	       core_rel(c) == REL_CLAIMED || c->act[ACT_PULLERS].running ||
	       c->act[ACT_CONVERGE].running || c->act[ACT_SITE].running;
}

const char *
core_may_tune(const struct core *c, const struct core_conf *conf, bool *waits)
{
	*waits = false;
	if (conf->mode != c->conf.mode &&
	    (conf->mode == CORE_OBSERVE || c->conf.mode == CORE_OBSERVE))
		return conf->mode == CORE_OBSERVE ?
			   "mode observe is for hosts that were never guarded: "
			   "set mode = \"manual\", in which only people act\n"
			   "hactl config check" :
			   "from mode observe needs a start\n"
			   "systemctl restart hawatchd";
	*waits = tune_busy(c);
	return *waits ? "a plan runs, or this host is being brought to its "
			"role: reload when it is over\nhactl status" :
			NULL;
}

const char *
core_tune(struct core *c, const struct core_conf *conf)
{
	bool waits;
	const char *against = core_may_tune(c, conf, &waits);

	if (against != NULL)
		return against;
	c->conf.mode = conf->mode;
	c->conf.min_interval = conf->min_interval;
	c->conf.rejoin = conf->rejoin;
	c->conf.quiet = conf->quiet;
	c->conf.before = conf->before;
	c->conf.after = conf->after;
	c->conf.traffic = conf->traffic;
	c->conf.traffic_every = conf->traffic_every;
	c->conf.verify = conf->verify;
	/* The balancers may be others: they are steered anew, at once. */
	goal_stop(c, ACT_TRAFFIC);
	c->site.traffic_epoch = 0;
	return NULL;
}
