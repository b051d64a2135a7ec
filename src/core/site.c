/*
 * The host around its PostgreSQL, and the balancers in front of the hosts.
 *
 * A host is brought to its role (ACT_CONVERGE) once for each epoch that is
 * *held*: as the primary's host by the node that holds it, from the moment at
 * which clients can write, as a standby's by every other data node, whatever
 * its own PostgreSQL does. What is claimed or released is nobody's yet. On
 * disk is the epoch that it was reached for; a first start takes the epoch
 * that it finds, and changes nothing.
 *
 * The balancers are asserted by the holder, only while its lease is ahead:
 * often after a change, since a late call of an earlier holder must not win,
 * and then now and then. A balancer that every node steers for itself follows
 * the record, and always often: when it starts anew, its own file names a
 * primary of once, and what connects through it has no other. Out is who was
 * not heard of for T, is not yet brought to its role for this epoch, or says
 * that it does not serve; never the holder, unless it is handing over and there
 * is another. After a handover, who lives and is out only until it is brought
 * to its role ends what it has begun; after a loss it may wait for ever for
 * what is lost, and is cut off.
 *
 * Nothing of this has a say in lease, claim, fence or promotion.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define RETRY (60 * USEC_SEC)
#define OFTEN (5 * USEC_SEC)
#define OFTEN_FOR (180 * USEC_SEC)
#define SELDOM (60 * USEC_SEC)
#define AT_ONCE USEC_SEC	    /* while the one before may still steer */
#define STEER_LIMIT (10 * USEC_SEC) /* then it is asked again in its time */
#define SILENT_MIN (2 * USEC_SEC)
#define HOLD_OFF (5 * USEC_SEC) /* of listening, before silence counts */

void
core_on_site(struct core *c, const struct now *now, node_t from,
    const struct site_report *report)
{
	c->site.report[from] = *report;
	c->site.report_at[from] = now->raw;
}

bool
site_ran(const struct core *c, const struct now *now, usec_t us)
{
	return now->raw - c->site.turn_at <= USEC_SEC &&
	       now->raw - c->site.listening >= us;
}

/* By its last word, however old: a host that is cut off has not read a new file
 * for that. Silence is no difference. */
bool
site_differs(const struct core *c, node_t n)
{
	return n != c->conf.self && c->site.report[n].config == ANS_NO;
}

/* Why it is no candidate, by its last word; NULL. Commits would wait for who
 * takes over nothing, and what is released, be released to him. */
const char *
site_unfit(const struct core *c, node_t n)
{
	const char *why = NULL;

	if (site_differs(c, n))
		why = "its configuration differs";
	else if (n != c->conf.self && c->site.report[n].automatic == ANS_NO)
		why = "its mode is not auto";
	return why;
}

/* By a record that is believed, and held. */
node_t
site_primary(const struct core *c)
{
	const struct record *rec = core_rec(c);

	if (!watch_usable(c) || rec->state != REC_HELD ||
	    c->reg.hint_epoch > rec->epoch)
		return NODE_NONE;
	return rec->holder;
}

/* May something be begun now, by what this node is? */
bool
site_may(const struct core *c, const struct now *now)
{
	node_t primary = site_primary(c);

	if (c->conf.mode == CORE_OBSERVE || primary == NODE_NONE)
		return false;
	if (primary != c->conf.self)
		return c->plan.id != PLAN_TAKEOVER;
	return role_serves(c) && c->fence.writers == WRITERS_OPEN &&
	       lease_ahead(c, now);
}

static void
site_reached(struct core *c, uint64_t epoch)
{
	if (c->dur.quiet_epoch != 0 && c->dur.quiet_epoch <= epoch) {
		c->dur.quiet_epoch = 0;
		core_save(c);
	}
	if (c->dur.site_epoch >= epoch)
		return;
	if (c->dur.site_epoch != 0 && c->conf.after)
		core_tell(c, EMIT_site_reached, "epoch %llu",
		    (unsigned long long)epoch);
	c->dur.site_epoch = epoch;
	core_save(c);
}

void
site_converge(struct core *c, const struct now *now)
{
	const struct act_state *st = &c->act[ACT_CONVERGE];
	struct goal g = { .node = site_primary(c) };
	struct site *s = &c->site;
	uint64_t epoch = core_rec(c)->epoch;

	/* What stopped for a handover that was not is started again. */
	if ((c->dur.site_epoch >= epoch && c->dur.quiet_epoch != epoch) ||
	    hand_quiet(c))
		return;
	if (!c->conf.after) {
		site_reached(c, epoch);
		return;
	}
	if (s->epoch == epoch && (st->running || now->raw < s->retry_at))
		return;
	s->epoch = epoch;
	s->retry_at = 0;
	goal_ask(c, ACT_CONVERGE, &g);
}

static void
site_converged(struct core *c, const struct now *now)
{
	struct act_state *st = &c->act[ACT_CONVERGE];

	if (st->running || st->result == ANS_UNKNOWN)
		return;
	str_cut(c->site.why, sizeof(c->site.why), st->reason);
	if (st->result == ANS_YES)
		site_reached(c, c->site.epoch);
	else
		c->site.retry_at = now->raw + RETRY;
	goal_stop(c, ACT_CONVERGE);
}

static bool
site_silent(const struct core *c, const struct now *now, node_t n)
{
	usec_t limit = core_rec(c)->ttl;

	if (limit < SILENT_MIN)
		limit = SILENT_MIN;
	return c->site.report_at[n] == 0 ||
	       now->raw - c->site.report_at[n] >= limit;
}

/* Who else could get what this host would. */
static nodeset_t
site_others(const struct core *c, nodeset_t out)
{
	return c->conf.data & ~out & ~NODE_BIT(c->conf.self);
}

/* Who is out. False: not to be said yet, since who has just begun to listen
 * has heard nobody: a new engine must not drain the other hosts. */
static bool
site_out(const struct core *c, const struct now *now, nodeset_t *out,
    nodeset_t *drain)
{
	const struct site_report *r = c->site.report;
	bool listened = now->raw - c->site.listening >= HOLD_OFF;
	node_t n;

	*out = *drain = 0;
	for (n = 0; n < NODES_MAX; n++) {
		if (!(c->conf.data & NODE_BIT(n)) || n == c->conf.self ||
		    n == core_rec(c)->holder)
			continue;
		if (site_silent(c, now, n) && !listened)
			return false;
		if (site_silent(c, now, n) || !r[n].serving ||
		    r[n].site_epoch < core_rec(c)->epoch)
			*out |= NODE_BIT(n);
		if (!site_silent(c, now, n) &&
		    c->site.handed == core_rec(c)->epoch &&
		    r[n].site_epoch < core_rec(c)->epoch)
			*drain |= NODE_BIT(n);
	}
	if (hand_drains(c) && site_others(c, *out) != 0) {
		*out |= NODE_BIT(c->conf.self);
		*drain |= NODE_BIT(c->conf.self);
	}
	return true;
}

enum answer
site_drained(const struct core *c, const struct now *now)
{
	const struct site *s = &c->site;
	nodeset_t out, drain;

	if (!c->conf.traffic || !site_may(c, now))
		return ANS_YES;
	if (!site_out(c, now, &out, &drain))
		return ANS_UNKNOWN;
	if (!(out & NODE_BIT(c->conf.self)))
		return ANS_YES;
	return s->out == out && s->drain == drain ?
		   goal_result(c, ACT_TRAFFIC) :
		   ANS_UNKNOWN;
}

/* Who is out now, for people. */
static void
site_tell_out(struct core *c, nodeset_t out)
{
	char names[120] = "";
	size_t len = 0;
	node_t n;

	for (n = 0; n < c->conf.names->count; n++) {
		if (!(out & NODE_BIT(n)))
			continue;
		str_cut(names + len, sizeof(names) - len, " ");
		len = strlen(names);
		str_cut(
		    names + len, sizeof(names) - len, c->conf.names->node[n]);
		len = strlen(names);
	}
	core_tell(c, EMIT_traffic_out, "no traffic for%s",
	    len == 0 ? " nobody: all are in" : names);
}

/* Is what is to be asserted another than it was? */
static bool
site_steers_anew(
    struct core *c, const struct now *now, nodeset_t out, nodeset_t drain)
{
	node_t primary = site_primary(c);
	struct site *s = &c->site;

	if (s->traffic_epoch == core_rec(c)->epoch && s->primary == primary &&
	    s->out == out && s->drain == drain)
		return false;
	if (s->out != out && primary == c->conf.self)
		site_tell_out(c, out);
	if (s->traffic_epoch != core_rec(c)->epoch)
		s->old_until =
		    now->raw + core_wait(c, core_rec(c)->ttl) + AT_ONCE;
	s->traffic_epoch = core_rec(c)->epoch;
	s->primary = primary;
	s->out = out;
	s->drain = drain;
	s->often_until = now->raw + OFTEN_FOR;
	return true;
}

void
site_traffic(struct core *c, const struct now *now)
{
	struct site *s = &c->site;
	struct act_state *st = &c->act[ACT_TRAFFIC];
	bool holder = site_primary(c) == c->conf.self;
	struct goal g = { 0 };
	nodeset_t out, drain;
	usec_t every;

	if (holder ? !c->conf.traffic : !c->conf.traffic_every)
		return;
	if (st->running && now->raw - s->asked_at >= STEER_LIMIT)
		goal_stop(c, ACT_TRAFFIC);
	if (!site_out(c, now, &out, &drain) ||
	    (!site_steers_anew(c, now, out, drain) &&
		(st->running || now->raw < s->next)))
		return;
	s->asked_at = now->raw;
	every =
	    c->conf.traffic_every || now->raw < s->often_until ? OFTEN : SELDOM;
	s->next = now->raw + (now->raw < s->old_until ? AT_ONCE : every);
	g.node = s->primary;
	g.names = s->out;
	g.drain = s->drain;
	goal_ask(c, ACT_TRAFFIC, &g);
}

void
site_turn(struct core *c, const struct now *now)
{
	/* Who was stopped has heard nobody, and says nothing of them. */
	if (now->raw - c->site.turn_at > USEC_SEC)
		c->site.listening = now->raw;
	c->site.turn_at = now->raw;
	if (core_rec(c)->state == REC_RELEASED &&
	    core_rec(c)->target == c->conf.self)
		c->site.handed = core_rec(c)->epoch + 1;
	site_converged(c, now);
	if (c->dur.site_epoch == 0 && site_primary(c) != NODE_NONE)
		site_reached(c, core_rec(c)->epoch);
	if (!site_may(c, now)) {
		goal_stop(c, ACT_TRAFFIC);
		return;
	}
	site_converge(c, now);
	site_traffic(c, now);
}

void
site_status(const struct core *c, struct site_status *st)
{
	st->primary = site_primary(c);
	st->role = st->primary == NODE_NONE    ? SITE_UNKNOWN :
		   st->primary == c->conf.self ? SITE_PRIMARY :
						 SITE_STANDBY;
	st->epoch = c->dur.site_epoch;
	st->out = c->site.traffic_epoch == core_rec(c)->epoch &&
			  c->site.primary == st->primary ?
		      c->site.out :
		      0;
	st->converging = c->act[ACT_CONVERGE].running;
	st->steering = c->act[ACT_TRAFFIC].running;
	st->converge_why = c->site.why;
}
