/*
 * Orders of a person. Each is accepted, or refused: the reason, and after a
 * newline the next command to run.
 *
 * An order to promote is about the record as it was read then, and about its
 * holder: it ends when another takes over. What a person says to have fenced is
 * no more fenced when it writes the record, or is heard, afterwards.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

const char *
core_may_init(const struct core *c)
{
	if (c->conf.mode == CORE_OBSERVE)
		return "the mode is observe: set mode = \"auto\"\n"
		       "systemctl restart hawatchd";
	if (core_rec(c)->state != REC_NONE)
		return "the register holds a record already\n"
		       "hactl register show";
	if (c->reg.read_at == 0 || c->reg.failing)
		return "the register does not answer: start hawatchd on the "
		       "arbiter, or etcd\nhactl register show";
	if (c->reg.cold)
		return "the register waits for a report of every data node: "
		       "start hawatchd on all of them; only if one is lost for "
		       "good, adopt what it holds\nhactl register adopt";
	if (c->reg.amnesiac)
		return "the register is not the one this node has seen\n"
		       "hactl register show";
	if (core_pgs(c) != PGS_PRIMARY)
		return "PostgreSQL here is not seen out of recovery: the first "
		       "holder must be the primary\nhactl status";
	return NULL;
}

const char *
core_order_init(struct core *c, const struct now *now)
{
	const char *why = core_may_init(c);
	struct record rec;

	if (why != NULL)
		return why;
	memset(&rec, 0, sizeof(rec));
	/* Above all that was, if any was. */
	rec.epoch = c->dur.epoch + 1;
	if (rec.epoch <= c->reg.value.floor)
		rec.epoch = c->reg.value.floor + 1;
	rec.state = REC_HELD;
	rec.holder = c->conf.self;
	rec.target = NODE_NONE;
	if (!cas_send(c, now, FOR_INIT, &rec))
		return "a write of the register is under way\nhactl status";
	return NULL;
}

/* What the person says of the other host must be so as far as can be seen. */
static const char *
order_heard(const struct core *c, const struct now *now, bool fenced)
{
	const struct record *rec = core_rec(c);

	if (c->conf.pair && fenced && rec->state != REC_RELEASED &&
	    !alone_silent(c, now, 2 * rec->ttl))
		return "the other host was heard of a moment ago, or this "
		       "engine has just started: nobody is fenced by a word; "
		       "if it is off, order again in some seconds\n"
		       "hactl status";
	if (rec->holder != c->conf.self && c->heard_at[rec->holder] != 0 &&
	    now->raw - c->heard_at[rec->holder] < 2 * rec->ttl &&
	    (rec->state == REC_HELD || (rec->state == REC_CLAIMED && fenced)))
		return "the primary's host answered a moment ago: if it is "
		       "there, stop PostgreSQL on it, and this node takes over "
		       "by itself; if it is off, order again in some seconds\n"
		       "hactl status";
	return NULL;
}

/* Two lone hosts: the holder goes on, by the word that the other is off. */
static bool
order_alone(const struct core *c, const char *fenced)
{
	const struct record *rec = core_rec(c);

	return c->conf.pair && fenced != NULL && !c->dur.latch &&
	       rec->holder == c->conf.self && rec->state != REC_RELEASED &&
	       !c->alone.on;
}

const char *
core_may_promote(
    const struct core *c, const struct now *now, const char *fenced)
{
	const struct record *rec = core_rec(c);

	if (c->conf.mode == CORE_OBSERVE)
		return "the mode is observe: set mode = \"manual\"\n"
		       "systemctl restart hawatchd";
	if (rec->state == REC_NONE)
		return "the register holds no record yet\n"
		       "hactl init --holder NODE";
	if (order_alone(c, fenced))
		return order_heard(c, now, true);
	if (rec->holder == c->conf.self && rec->state != REC_RELEASED)
		return "this node is the holder already\nhactl status";
	if (c->dur.latch && c->dur.fenced && !latch_diverged(c))
		return "this node is fenced by a person's word\nhactl unfence";
	if (c->dur.latch)
		return "this node is latched: its data has to be made the "
		       "primary's first\nhactl rejoin";
	return order_heard(c, now, fenced != NULL);
}

const char *
core_order_promote(struct core *c, const struct now *now, const char *fenced)
{
	const char *why = core_may_promote(c, now, fenced);
	const struct record *rec = core_rec(c);
	struct order *o = &c->order;

	if (why != NULL)
		return why;
	if (order_alone(c, fenced)) {
		alone_begin(c, now->raw, PROOF_OPERATOR);
		return NULL;
	}
	memset(o, 0, sizeof(*o));
	o->on = true;
	o->fenced = fenced != NULL;
	str_cut(o->why, sizeof(o->why), fenced == NULL ? "" : fenced);
	o->at = now->raw;
	o->until = now->raw + 60 * USEC_SEC;
	str_cut(o->instance, sizeof(o->instance), c->reg.value.instance);
	str_cut(o->nonce, sizeof(o->nonce), rec->nonce);
	o->epoch = rec->epoch;
	o->holder = rec->holder;
	c->plan.retry_at = 0;
	c->pullers_no = 0;
	if (o->fenced && c->conf.pair && alone_silent(c, now, 2 * rec->ttl))
		alone_begin(c, o->at, PROOF_OPERATOR);
	return NULL;
}

void
order_turn(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	struct order *o = &c->order;
	const char *why = NULL;
	bool same;

	if (!o->on)
		return;
	same = strcmp(o->instance, c->reg.value.instance) == 0;
	/* It is being carried out. */
	if (same && rec->holder == c->conf.self && rec->epoch > o->epoch &&
	    c->dur.proof_epoch == rec->epoch) {
		/* What its server died of was mended in place. */
		if (rec->state == REC_HELD && c->plan.id != PLAN_TAKEOVER)
			o->on = false;
		return;
	}
	if (!same || rec->epoch != o->epoch || rec->holder != o->holder)
		why = "the record names another holder than when it was given";
	else if (o->fenced && strcmp(o->nonce, rec->nonce) != 0)
		why = "the holder, said to be fenced, has written the record";
	else if (o->fenced && (c->heard_at[o->holder] > o->at ||
				  c->site.report_at[o->holder] > o->at))
		why = "the holder, said to be fenced, was heard";
	else if (now->raw > o->until)
		why = "nothing came of it for a minute";
	if (why == NULL)
		return;
	o->on = false;
	core_tell(c, EMIT_order_over, "promote: %s", why);
}

const char *
core_order_ack(struct core *c, const struct now *now)
{
	if (core_rel(c) != REL_HELD)
		return "only the holder writes this, and this node is not: "
		       "hactl status says who is\nhactl status";
	c->ack_epoch = core_rec(c)->epoch;
	return NULL;
}

const char *
core_order_fence(struct core *c, const struct now *now, const char *why)
{
	if (c->conf.mode == CORE_OBSERVE)
		return "the mode is observe: nothing is stopped here\n"
		       "hactl status";
	if (c->dur.latch)
		return "this node is latched already\nhactl status";
	c->dur.fenced = true;
	latch_set(c, why);
	return NULL;
}

/* It follows nobody as it runs now: it is being stopped. */
static bool
order_aside_runs(const struct core *c)
{
	return core_pgs(c) == PGS_STANDBY && c->dur.rejoin != REJOIN_NO;
}

const char *
core_may_unfence(const struct core *c)
{
	if (!c->dur.latch)
		return "this node is not latched\nhactl status";
	if (core_pgs(c) == PGS_PRIMARY)
		return "PostgreSQL still runs here as a primary\nhactl status";
	if (c->plan.id == PLAN_REJOIN)
		return "this data is being made the primary's: that clears the "
		       "latch\nhactl status";
	if (order_aside_runs(c))
		return "PostgreSQL still runs here, as it was set aside: in a "
		       "moment it is stopped\nhactl unfence";
	if (c->dur.fenced && latch_diverged(c))
		return "another node has taken over since: this data may have "
		       "diverged; it is made a standby's by\n"
		       "hactl rejoin";
	return NULL;
}

const char *
core_order_unfence(struct core *c, const struct now *now)
{
	const char *why = core_may_unfence(c);

	/* A person stopped good data; it has become old since. */
	if (why != NULL && c->dur.latch && c->dur.fenced && latch_diverged(c) &&
	    core_pgs(c) != PGS_PRIMARY && c->plan.id != PLAN_REJOIN &&
	    !order_aside_runs(c)) {
		c->dur.fenced = false;
		c->dur.diverged = true;
		str_cut(c->dur.latch_why, sizeof(c->dur.latch_why),
		    "another node has taken over since this one was fenced; "
		    "hactl rejoin");
		core_save(c);
	}
	if (why != NULL)
		return why;
	/* Else it is other data now. */
	if (!c->dur.fenced) {
		c->dur.primary_epoch = 0;
		c->dur.handed_epoch = 0;
	}
	c->dur.latch = c->dur.fenced = false;
	c->dur.latch_why[0] = '\0';
	c->dur.diverged = c->dur.follower = false;
	c->dur.rejoin = REJOIN_NO;
	/* Nor is what was ordered before, and not begun, for another time. */
	c->rejoin.ordered = c->rejoin.clone = false;
	core_save(c);
	return NULL;
}

/* hactl gate, from the server's own unit: may it start without
 * standby.signal? Only while a plan of this engine starts it. */
const char *
core_may_start_primary(struct core *c, const struct now *now)
{
	if (c->act[ACT_START].running && !c->act[ACT_START].standby)
		return NULL;
	return "only hawatchd starts a primary, and it does not want one now\n"
	       "hactl status";
}
