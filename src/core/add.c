/*
 * A standby becomes a candidate, one at a time.
 *
 * Its name is set; a probe commit is *seen waiting* (the setting alone proves
 * nothing: backends obey a flag that the checkpointer sets later); the
 * standby's flush passes the insert position taken after that; D is finite;
 * then, and only then, the CAS. The other candidates' names stay set all the
 * while, and the probe must still wait when each of them has replayed it: a
 * walsender that has not read the new setting would let it go by the old one.
 * So must those whose names have left the setting since they connected: one of
 * them that is slow to read would let commits go by a setting that named it,
 * and not this standby.
 * The position in the record stays what *every* candidate has flushed; one of
 * the others may be behind the position that this one had to reach.
 *
 * An add is given up when another candidate is lost: names leave the setting
 * only when none is under way, and commits wait for the lost one until then.
 *
 * Bounded: it streams steadily and is close; D is finite; then the CAS.
 *
 * None is added that says that its configuration differs from this one's in
 * what matters for safety: it would take over by other rules than these. Such
 * an add is given up, and a candidate that comes to say so is removed like one
 * that is lost.
 */
#include "core/core_i.h"

#define STEADY USEC_SEC /* a standby streams so long before an add */
#define ADD_LIMIT (10 * USEC_SEC)
#define ADD_AGAIN (2 * USEC_SEC)

/* Only a host that can really be fenced lets others wait for its end. */
static bool
durability_wanted(const struct core *c, const struct now *now)
{
	return c->conf.mode == CORE_AUTO && !pause_on(c, now) &&
	       core_armed(c, now) &&
	       (c->pg.unsound & NODE_BIT(c->conf.self)) == 0;
}

void
add_fail(struct core *c, const struct now *now, const char *why)
{
	core_tell(c, EMIT_standby_not_added, "%s: %s",
	    c->conf.names->node[c->sync.adding], why);
	goal_stop(c, ACT_WAITING);
	goal_stop(c, ACT_NAMES);
	c->lease.finite = false;
	c->sync.add = ADD_NONE;
	c->sync.add_retry_at[c->sync.adding] = now->raw + ADD_AGAIN;
	c->sync.adding = NODE_NONE;
}

static void
add_enter(struct core *c, const struct now *now, enum add_row row)
{
	c->sync.add = row;
	c->sync.add_since = now->raw;
}

/* Bounded: well within what it may lack, so that it is not lost at once. */
static bool
add_close(const struct core *c, node_t n)
{
	return c->pg.sender[n].streaming &&
	       durability_lag(c, n) <= c->conf.max_loss / 2;
}

/* Streams steadily, and is no candidate yet. */
static bool
add_ripe(const struct core *c, const struct now *now, node_t n)
{
	const struct durability *s = &c->sync;

	return (c->conf.data & NODE_BIT(n)) && n != c->conf.self &&
	       !(core_rec(c)->candidates & NODE_BIT(n)) &&
	       site_unfit(c, n) == NULL && s->good_since[n] != 0 &&
	       now->raw - s->good_since[n] >= STEADY &&
	       (!c->conf.bounded || add_close(c, n)) &&
	       now->raw >= s->add_retry_at[n];
}

/* The next one in turn: who fails again and again holds up nobody. */
static node_t
add_next(const struct core *c, const struct now *now)
{
	node_t i, n;

	for (i = 1; i <= NODES_MAX; i++) {
		n = (c->sync.add_last + i) % NODES_MAX;
		if (add_ripe(c, now, n))
			return n;
	}
	return NODE_NONE;
}

static void
add_begin(struct core *c, const struct now *now)
{
	struct durability *s = &c->sync;
	struct goal g = { 0 };
	node_t n = add_next(c, now);

	if (n == NODE_NONE || !durability_wanted(c, now) || !watch_usable(c) ||
	    c->fence.writers != WRITERS_OPEN)
		return;
	s->adding = s->add_last = n;
	if (c->conf.bounded) {
		c->lease.finite = true;
		add_enter(c, now, ADD_FINITE);
		return;
	}
	s->add_names = g.names = lease_possible(c) | NODE_BIT(n);
	s->named |= g.names;
	goal_ask(c, ACT_NAMES, &g);
	add_enter(c, now, ADD_NAMES);
}

static void
add_row_names(struct core *c, const struct now *now)
{
	struct goal g = { .node = c->sync.adding,
		.names = c->sync.add_names | c->sync.named };

	if (goal_result(c, ACT_NAMES) != ANS_YES)
		return;
	goal_ask(c, ACT_WAITING, &g);
	add_enter(c, now, ADD_WAITING);
}

static void
add_row_waiting(struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_WAITING) != ANS_YES)
		return;
	c->sync.add_lsn = c->act[ACT_WAITING].lsn;
	c->sync.named = c->sync.add_names;
	add_enter(c, now, ADD_FLUSH);
}

static void
add_row_flush(struct core *c, const struct now *now)
{
	const struct pg_sender *p = &c->pg.sender[c->sync.adding];

	if (c->pg.seen_at < c->sync.add_since || !p->streaming || p->doubled ||
	    p->flush < c->sync.add_lsn)
		return;
	c->lease.finite = true;
	add_enter(c, now, ADD_FINITE);
}

/* D first, then the kernel's element; cas_send refuses until both are. */
static void
add_row_finite(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	if (c->lease.deadline == USEC_NEVER || c->pending.on)
		return;
	if (c->conf.bounded) {
		if (!add_close(c, c->sync.adding))
			return;
	} else if (!(c->pg.sync_names & NODE_BIT(c->sync.adding)) ||
		   c->pg.sender[c->sync.adding].flush < rec.lsn) {
		/* The record's own position has moved on meanwhile. */
		return;
	}
	rec.candidates |= NODE_BIT(c->sync.adding);
	c->lease.abdicated &= ~NODE_BIT(c->sync.adding);
	c->dur.left &= ~NODE_BIT(c->sync.adding);
	if (cas_send(c, now, FOR_ADD, &rec))
		add_enter(c, now, ADD_CAS);
}

static void
add_row_cas(struct core *c, const struct now *now)
{
	if (c->pending.on)
		return;
	if (core_rec(c)->candidates & NODE_BIT(c->sync.adding)) {
		core_tell(c, EMIT_standby_added, "%s",
		    c->conf.names->node[c->sync.adding]);
		c->lease.finite = false;
		c->sync.add = ADD_NONE;
		c->sync.adding = NODE_NONE;
		return;
	}
	add_fail(c, now, "the register took another write");
}

/* What the row waits for was refused, or is not under way any more. */
static bool
add_broken(const struct core *c)
{
	enum act_kind kind = c->sync.add == ADD_NAMES ? ACT_NAMES : ACT_WAITING;

	return c->sync.add <= ADD_WAITING && !c->act[kind].running &&
	       goal_result(c, kind) != ANS_YES;
}

void
add_turn(struct core *c, const struct now *now)
{
	static void (*const rows[])(struct core *, const struct now *) = {
		[ADD_NONE] = add_begin,
		[ADD_NAMES] = add_row_names,
		[ADD_WAITING] = add_row_waiting,
		[ADD_FLUSH] = add_row_flush,
		[ADD_FINITE] = add_row_finite,
		[ADD_CAS] = add_row_cas,
	};
	struct durability *s = &c->sync;

	/* Once the CAS is under way only its outcome ends the row. */
	if (s->add != ADD_NONE && s->add != ADD_CAS) {
		if (site_unfit(c, s->adding) != NULL)
			add_fail(c, now, site_unfit(c, s->adding));
		else if (durability_lost(c, now, s->adding))
			add_fail(c, now, "it does not stream any more");
		else if (now->raw - s->add_since > ADD_LIMIT)
			add_fail(c, now, "it took too long");
		else if (add_broken(c))
			add_fail(c, now, "refused");
	}
	rows[s->add](c, now);
}
