/*
 * When this node's data may not be anybody's primary any more, nor a standby
 * as it is: the latch, which is on disk and stops everything here but its
 * removal, by a rejoin or a person.
 *
 * The data diverged (it was a primary's of an epoch that another has passed),
 * was promoted by hand, or was set back behind what its own record says. What
 * the data is by now is looked at in each turn, before anything is decided.
 */
#include "core/core_i.h"
#include "hawatch/str.h"

/* Data that was primary under an older epoch than one that is held elsewhere
 * may hold what nobody acknowledged: rejoin.c, or a person, rebuilds it. */
bool
latch_diverged(const struct core *c)
{
	return core_rel(c) == REL_OTHER && c->dur.primary_epoch != 0 &&
	       core_rec(c)->state == REC_HELD &&
	       core_rec(c)->epoch >= c->dur.primary_epoch && !hand_clean(c);
}

void
latch_set(struct core *c, const char *why)
{
	if (c->dur.latch)
		return;
	c->dur.latch = true;
	c->dur.follower =
	    core_pgs(c) == PGS_STANDBY && c->dur.primary_epoch == 0;
	c->signal_looked = false;
	/* To be had again, should this node take back what it releases now:
	 * until the register answers, its data may become another. */
	if (lease_mine(c) && c->position_epoch == core_rec(c)->epoch &&
	    (c->dur.told_epoch != c->position_epoch ||
		c->dur.told < c->position)) {
		c->dur.told = c->position;
		c->dur.told_epoch = c->position_epoch;
	}
	str_cut(c->dur.latch_why, sizeof(c->dur.latch_why), why);
	core_save(c);
	core_tell(c, EMIT_node_latched, "%s", why);
}

/* Below what the record says that this holder had, or may say by now: the data
 * was set back. By where it ended when it was first seen, which may be before
 * the record is: what the server writes carries it past that. */
static bool
latch_set_back(struct core *c)
{
	const struct record *rec = core_rec(c), *sent = &c->pending.cas.rec;
	lsn_t had = rec->lsn;

	if (c->end_looked || core_pgs(c) != PGS_PRIMARY || c->end_first == 0 ||
	    (core_rel(c) == REL_UNKNOWN && !watch_usable(c)))
		return false;
	/* Also where there is no record yet: the first one is of later. */
	c->end_looked = true;
	/* What it wrote itself may be in the register without its knowing. */
	if (c->pending.on && sent->epoch == rec->epoch && sent->lsn > had)
		had = sent->lsn;
	return core_rel(c) == REL_HELD && c->pg.timeline == rec->timeline &&
	       c->pg.system_id == rec->system_id && c->end_first < had;
}

/* What this node's data is by now: a primary's, or of no use. */
void
latch_turn(struct core *c)
{
	if (core_rel(c) == REL_HELD && core_pgs(c) == PGS_PRIMARY &&
	    c->dur.primary_epoch != core_rec(c)->epoch) {
		c->dur.primary_epoch = core_rec(c)->epoch;
		c->mark_version = core_save(c);
	}
	if (core_rel(c) == REL_OTHER && core_pgs(c) == PGS_PRIMARY &&
	    c->dur.primary_epoch == 0)
		latch_set(c, "PostgreSQL here was promoted by hand while "
			     "another node holds the cluster; hactl rejoin");
	if (latch_set_back(c))
		latch_set(c,
		    "the WAL here ends before what the record says this "
		    "holder had: an old copy of the data; rebuild it, then "
		    "hactl unfence");
	/* Out of recovery since, by whomever: it may hold more by now. */
	if (c->dur.handed_epoch != 0 && core_pgs(c) == PGS_PRIMARY) {
		c->dur.handed_epoch = 0;
		core_save(c);
	}
	if (core_pgs(c) == PGS_PRIMARY)
		rejoin_written(c);
	/* Everything that is here is there: it follows like any other, once
	 * whoever starts it starts a standby. */
	if (hand_clean(c) && (core_pgs(c) == PGS_STANDBY ||
				 (core_pgs(c) == PGS_GONE && c->pg.signal))) {
		c->dur.primary_epoch = 0;
		core_save(c);
	}
	if (latch_diverged(c) && !c->dur.latch) {
		c->dur.diverged = true;
		latch_set(c,
		    "another node holds a later epoch: this data may have "
		    "diverged; hactl rejoin");
	}
}
