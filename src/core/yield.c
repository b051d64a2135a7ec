/*
 * When a holder whose server runs stops it of its own accord, for somebody
 * else's good: nothing ordered it, and no other holds the record.
 */
#include "core/core_i.h"

#define DOUBT_MAX USEC_SEC

/* A candidate that answered lately, whose PostgreSQL runs and has room. */
bool
yield_heir(const struct core *c, const struct now *now)
{
	node_t n;

	for (n = 0; n < NODES_MAX; n++)
		if ((core_rec(c)->candidates & NODE_BIT(n)) &&
		    !(c->lease.abdicated & NODE_BIT(n)) &&
		    c->heard_at[n] != 0 &&
		    now->raw - c->heard_at[n] < core_rec(c)->ttl &&
		    c->peer[n].recovery == ANS_YES &&
		    c->peer[n].running == ANS_YES &&
		    c->site.report[n].room != ANS_NO)
			return true;
	return false;
}

/* A server that commits nothing, where no lease that ran out would be proof:
 * it is closed and heard, and nobody would ever take over from it. Not because
 * this engine was stopped itself; and what makes it stuck must not walk from
 * host to host. */
static bool
yield_stuck(const struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	struct now then = { .raw = now->raw - DOUBT_MAX };
	usec_t since = now->wall - rec->taken_at;

	if (c->conf.proof_lease || core_rel(c) != REL_HELD ||
	    core_pgs(c) != PGS_PRIMARY || c->conf.mode != CORE_AUTO)
		return false;
	if (rec->taken_at != 0 && rec->acked < rec->epoch &&
	    since < c->conf.min_interval && since > -c->conf.min_interval)
		return false;
	return site_ran(c, now, 2 * DOUBT_MAX) &&
	       lease_probe(c, &then) == ANS_NO && yield_heir(c, now) &&
	       hand_register(c, now);
}

/* A fence that cannot be closed, with an heir: the next layer stops PostgreSQL
 * itself, whichever plan runs. */
bool
yield_doubt(const struct core *c, const struct now *now)
{
	return c->conf.mode != CORE_OBSERVE && c->lease.doubt &&
	       lease_mine(c) && lease_possible(c) != 0 &&
	       now->raw - c->lease.doubt_since >= DOUBT_MAX;
}

bool
yield_wanted(const struct core *c, const struct now *now)
{
	return yield_doubt(c, now) || yield_stuck(c, now);
}
