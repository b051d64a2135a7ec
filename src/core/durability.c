/*
 * Whose flush a commit waits for, and who is therefore a candidate.
 *
 * Invariant: every member of any `candidates` that is, or may still become,
 * the register's value has flushed every acknowledged commit.
 *
 * Adding is add.c's. Remove: the CAS first, its outcome known, then the name is
 * taken away. A name leaves the setting only when its node is not in P.
 *
 * What a standby has flushed may end within a record, of which it knows nothing
 * any more once it was restarted. So what the record says that they have is
 * where a record ends: an insert position of one of the last looks, which all
 * have flushed since.
 *
 * Bounded: commits wait for nobody, and no name is set. Of the two that follow
 * each other closely enough one is never further behind than max_loss: who is,
 * is removed. What the holder has, it says with every write of the record and
 * in every question (b), and D counts from when that was seen. So a candidate,
 * which may not lack more than max_loss of the greatest that it was told,
 * knows all but what was written in the last T.
 */
#include <string.h>

#include "core/core_i.h"

#define LOOK_EVERY (100 * USEC_MSEC)

void
durability_reset(struct core *c)
{
	nodeset_t named = c->sync.named;

	memset(&c->sync, 0, sizeof(c->sync));
	c->sync.named = named;
	c->sync.adding = NODE_NONE;
	c->lease.finite = false;
	goal_stop(c, ACT_WAITING);
}

/* What this node and all of these have flushed. */
static lsn_t
durability_flushed(const struct core *c, nodeset_t set)
{
	lsn_t lsn = c->pg.wal_end;
	node_t n;

	for (n = 0; n < NODES_MAX; n++)
		if ((set & NODE_BIT(n)) && c->pg.sender[n].flush < lsn)
			lsn = c->pg.sender[n].flush;
	return lsn;
}

/* By a new view: where does the last record end that all have flushed? */
void
durability_end(struct core *c)
{
	lsn_t insert = c->pg.insert,
	      flushed = durability_flushed(c, core_rec(c)->candidates);
	struct durability *s = &c->sync;

	if (core_rel(c) != REL_HELD || core_pgs(c) != PGS_PRIMARY)
		s->end = s->next_end = 0;
	else if (insert <= flushed)
		s->end = s->next_end = insert;
	else if (s->next_end == 0 || s->next_end > insert)
		s->next_end = insert;
	else if (s->next_end <= flushed) {
		s->end = s->next_end;
		s->next_end = insert;
	}
}

/* What every candidate has flushed, up to the end of a record; without
 * candidates our own position. It never goes backwards within an epoch. */
lsn_t
durability_lsn(const struct core *c, const struct record *rec)
{
	lsn_t lsn = c->pg.wal_end;

	if (rec->candidates != 0 && !c->conf.bounded) {
		lsn = durability_flushed(c, rec->candidates);
		lsn = lsn < c->sync.end ? 0 : c->sync.end;
	}
	return lsn > rec->lsn ? lsn : rec->lsn;
}

/* How much of what is flushed here it has not flushed. */
lsn_t
durability_lag(const struct core *c, node_t n)
{
	lsn_t flush = c->pg.sender[n].flush;

	return flush < c->pg.wal_end ? c->pg.wal_end - flush : 0;
}

bool
durability_tells(const struct core *c)
{
	return c->conf.bounded && core_rel(c) == REL_HELD &&
	       core_pgs(c) == PGS_PRIMARY;
}

usec_t
durability_seen(const struct core *c, const struct now *now)
{
	return c->conf.bounded && core_pgs(c) == PGS_PRIMARY &&
		       c->pg.seen_at < now->raw ?
		   c->pg.seen_at :
		   now->raw;
}

/* A walsender lets commits go by the names that it has read itself, long ago
 * perhaps, before this engine started; one that has ended, lets none go. */
static void
durability_named(struct core *c)
{
	const struct pg_sender *p = c->pg.sender;
	node_t n;

	for (n = 0; n < NODES_MAX && c->pg.seen_at != 0; n++)
		if (!p[n].streaming && !p[n].doubled)
			c->sync.named &= ~NODE_BIT(n);
	c->sync.named |= c->pg.sync_names;
}

/* Since when each standby streams and keeps up, or does not. */
static void
durability_watch(struct core *c, const struct now *now)
{
	struct durability *s = &c->sync;
	const struct pg_sender *p;
	bool good;
	node_t n;

	for (n = 0; n < NODES_MAX; n++) {
		p = &c->pg.sender[n];
		/* By the time of the view, not of the clock: a primary that
		 * stalls must not call its standby lost. */
		good = p->streaming && !p->doubled &&
		       (c->pg.unsound & NODE_BIT(n)) == 0 &&
		       (c->conf.bounded || p->behind_since == 0 ||
			   c->pg.seen_at - p->behind_since <
			       c->conf.standby_timeout);
		if (!good) {
			s->good_since[n] = 0;
			/* What was written may be waiting since then. */
			if (s->bad_since[n] == 0)
				s->bad_since[n] =
				    p->streaming && p->behind_since != 0 ?
					p->behind_since :
					now->raw;
		} else {
			s->bad_since[n] = 0;
			if (s->good_since[n] == 0)
				s->good_since[n] = now->raw;
		}
	}
}

bool
durability_lost(const struct core *c, const struct now *now, node_t n)
{
	const struct durability *s = &c->sync;

	if (c->conf.bounded && c->pg.sender[n].streaming &&
	    durability_lag(c, n) > c->conf.max_loss)
		return true;
	/* Not with its last breath: this primary has written since, itself. */
	return c->conf.mode != CORE_AUTO || pause_on(c, now) ||
	       c->armed == ANS_NO || site_unfit(c, n) != NULL ||
	       (s->bad_since[n] != 0 && c->pg.probe_at > s->bad_since[n] &&
		   c->pg.seen_at - s->bad_since[n] >= c->conf.standby_timeout);
}

static void
durability_names(struct core *c, nodeset_t names)
{
	struct goal g = { .names = names };

	goal_ask(c, ACT_NAMES, &g);
	c->sync.relaxing = true;
}

/* A candidate looks bad: the proof that this primary is not is wanted soon. */
static void
durability_look(struct core *c, const struct now *now, node_t n)
{
	if (now->raw - c->sync.bad_since[n] < c->conf.standby_timeout / 2 ||
	    now->raw - c->looked_at < LOOK_EVERY)
		return;
	core_do(c, DO_LOOK);
	c->looked_at = now->raw;
}

/* The register cannot be written, or does not say what became of a write. */
static bool
durability_stuck(const struct core *c, const struct now *now)
{
	return c->reg.failing || !watch_usable(c) ||
	       (c->pending.on &&
		   now->raw - c->pending.first_sent > c->conf.ttl / 5);
}

static void
removed_tell(struct core *c, const struct now *now, nodeset_t lost)
{
	const char *why = "it does not flush what is written";
	node_t n;

	if (c->conf.mode != CORE_AUTO)
		why = "the mode of this node is not auto";
	else if (pause_on(c, now))
		why = "failover is paused";
	else if (c->armed == ANS_NO)
		why = "this host could not be fenced";
	else if (c->conf.bounded)
		why = "it does not stream, or lacks more than max_loss";
	for (n = 0; n < NODES_MAX; n++)
		if (lost & core_rec(c)->candidates & NODE_BIT(n))
			core_tell(c, EMIT_standby_removed,
			    "%s: %s; commits go on without it",
			    c->conf.names->node[n],
			    site_unfit(c, n) != NULL ? site_unfit(c, n) : why);
}

/*
 * Remove: CAS out whoever is lost; with the register down, ask the candidate
 * to leave by its own word. Then relax. True while this has work to do.
 */
static bool
durability_remove(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);
	nodeset_t lost = 0, keep;
	node_t n;

	for (n = 0; n < NODES_MAX; n++) {
		if (!(lease_possible(c) & NODE_BIT(n)))
			continue;
		if (durability_lost(c, now, n))
			lost |= NODE_BIT(n);
		else if (c->sync.bad_since[n] != 0)
			durability_look(c, now, n);
	}
	if (lost != 0) {
		rec.candidates &= ~lost;
		/* Whoever waits must wait no longer than the removal takes. */
		if (c->sync.add != ADD_NONE && c->sync.add != ADD_CAS)
			add_fail(c, now, "another standby was lost");
		if (!c->pending.on && cas_send(c, now, FOR_REMOVE, &rec))
			removed_tell(c, now, lost);
		for (n = 0; n < NODES_MAX && durability_stuck(c, now); n++)
			if (lost & NODE_BIT(n))
				abdicate_ask(c, now, n);
		return true;
	}
	if (c->sync.add == ADD_CAS &&
	    (c->lease.abdicated & NODE_BIT(c->sync.adding)))
		add_fail(c, now, "it abdicated");
	keep = c->conf.bounded ? 0 : lease_possible(c);
	if (c->sync.add != ADD_NONE)
		keep |= NODE_BIT(c->sync.adding);
	if (c->sync.relaxing) {
		if (c->act[ACT_NAMES].running)
			return true;
		c->sync.relaxing = false;
		c->sync.relaxed_at = now->raw;
		return false;
	}
	if (c->lease.confirmed &&
	    ((c->pg.sync_names & ~keep) != 0 || c->pg.sync_other) &&
	    c->sync.add == ADD_NONE && c->pg.seen_at > c->sync.relaxed_at) {
		durability_names(c, keep);
		return true;
	}
	return false;
}

void
durability_turn(struct core *c, const struct now *now)
{
	durability_watch(c, now);
	durability_named(c);
	if (c->conf.mode == CORE_OBSERVE)
		return;
	if (core_rel(c) != REL_HELD || core_pgs(c) != PGS_PRIMARY ||
	    c->plan.id == PLAN_STEPDOWN || c->plan.id == PLAN_RESTART ||
	    (c->plan.id == PLAN_TAKEOVER &&
		!plan_at_or_past(c, PLAN_TAKEOVER, "arrive"))) {
		if (c->sync.add != ADD_NONE && !c->pending.on)
			durability_reset(c);
		return;
	}
	if (!durability_remove(c, now))
		add_turn(c, now);
}
