/*
 * Opening, prolonging and closing the fence of this host.
 *
 * It opens only when everything in open_check holds. It stays open while the
 * lease is ahead and this node is to serve. An element that was found alive at
 * the start of the engine is kept to its end, and prolonged once a CAS of our
 * own was confirmed, so that an upgrade of the engine is silent. A standby's
 * port is open for readers by an element of its own, which is gone before a
 * promotion begins.
 */
#include "core/core_i.h"

#define READERS_LIFE (2 * USEC_SEC)
#define READERS_EVERY (USEC_SEC / 2)
#define VIEW_FRESH (3 * USEC_SEC)
#define MARGIN (20 * USEC_MSEC) /* a lease that ends sooner opens nothing */

void
core_on_start_fence(struct core *c, usec_t element)
{
	struct fence_state *f = &c->fence;

	f->known = true;
	f->inherited = element != 0;
	f->element = element;
	f->writers = element != 0 ? WRITERS_OPEN : WRITERS_UNKNOWN;
}

/* Section by section of the promise: who, until when, how, with what data. */
enum block
open_check(const struct core *c, const struct now *now)
{
	if (core_rel(c) != REL_HELD)
		return BLOCK_NOT_HOLDER;
	if (c->conf.pair && !c->alone.on &&
	    c->lease.deadline <= now->raw + MARGIN &&
	    alone_silent(c, now, core_rec(c)->ttl))
		return BLOCK_OTHER_SILENT;
	if (!c->lease.confirmed)
		return BLOCK_NOT_HELD;
	if (c->reg.hint_epoch > core_rec(c)->epoch)
		return BLOCK_HIGHER_EPOCH;
	if (c->lease.doubt)
		return BLOCK_FENCE_DOUBT;
	if (c->dur.latch)
		return BLOCK_LATCHED;
	/* Said first: that there is no lease comes from it. */
	if (lease_probe(c, now) == ANS_NO)
		return lease_no_probe(c);
	if (c->lease.deadline <= now->raw + MARGIN)
		return BLOCK_NO_LEASE;
	if (c->promise.until > now->raw)
		return BLOCK_PROMISED;
	if (now->raw < c->started + core_wait(c, c->dur.t_max))
		return BLOCK_HOLD_OFF;
	if (!core_armed(c, now))
		return BLOCK_NOT_ARMED;
	if (core_pgs(c) != PGS_PRIMARY || c->pg.seen_at == 0 ||
	    now->raw - c->pg.seen_at > VIEW_FRESH)
		return BLOCK_PG_UNKNOWN;
	if (claim_wal(c) != BLOCK_NONE)
		return claim_wal(c);
	if (!c->conf.bounded &&
	    (core_rec(c)->candidates & ~c->pg.sync_names) != 0)
		return BLOCK_PLAN;
	if (c->dur.primary_epoch != core_rec(c)->epoch ||
	    !core_saved(c, c->mark_version))
		return BLOCK_NOT_SAVED;
	return BLOCK_NONE;
}

/* An element that an earlier incarnation left: is there nothing against it? */
static bool
writers_inherit(const struct core *c, const struct now *now)
{
	const struct fence_state *f = &c->fence;
	usec_t unseen = c->conf.ttl > VIEW_FRESH ? c->conf.ttl : VIEW_FRESH;

	if (core_rel(c) != REL_HELD && core_rel(c) != REL_UNKNOWN)
		return false;
	if (c->plan.id != PLAN_NONE || now->raw >= f->element)
		return false;
	/* Without a timeout, but somebody is named: one of them is wrong. */
	if (f->element == USEC_NEVER && core_rec(c)->candidates != 0)
		return false;
	if (core_pgs(c) == PGS_UNKNOWN)
		return now->raw - c->started <= unseen;
	return core_pgs(c) == PGS_PRIMARY && lease_probe(c, now) != ANS_NO;
}

/* May an open fence stay open? Less is asked: opening proved the rest. */
static bool
writers_keep(const struct core *c, const struct now *now)
{
	const struct fence_state *f = &c->fence;

	if (c->lease.doubt || c->dur.latch ||
	    c->reg.hint_epoch > core_rec(c)->epoch)
		return false;
	if (f->inherited && !c->lease.confirmed)
		return writers_inherit(c, now);
	return role_serves(c) && c->lease.deadline > now->raw;
}

/* What to say of a fence that is closed now. */
static enum block
writers_why(const struct core *c, const struct now *now)
{
	enum block b = open_check(c, now);

	if (c->plan.id == PLAN_STEPDOWN || c->plan.id == PLAN_SWITCHOVER)
		return BLOCK_STEPPING_DOWN;
	return b != BLOCK_NONE ? b : BLOCK_PLAN;
}

static void
writers_do(struct core *c, enum fence_op op, usec_t deadline)
{
	struct action *a = core_do(c, DO_FENCE);

	a->op = op;
	a->deadline = deadline;
}

static void
writers_doubt(struct core *c, const struct now *now)
{
	if (!c->lease.doubt)
		c->lease.doubt_since = now->raw;
	c->lease.doubt = true;
}

/* A close is to be tried again soon. */
bool
writers_unsure(const struct core *c)
{
	return c->fence.known && c->fence.writers == WRITERS_UNKNOWN &&
	       c->conf.mode != CORE_OBSERVE;
}

void
core_on_fence(struct core *c, const struct now *now, enum fence_op op,
    usec_t deadline, enum answer result)
{
	struct fence_state *f = &c->fence;

	if (result == ANS_UNKNOWN) {
		f->writers = WRITERS_UNKNOWN;
		f->retry_at = now->raw + 20 * USEC_MSEC;
		writers_doubt(c, now);
		return;
	}
	c->lease.doubt = false;
	if (op == FENCE_OP_CLOSE || result == ANS_NO) {
		if (f->writers == WRITERS_OPEN)
			core_tell(c, EMIT_fence_closed, "%s",
			    op == FENCE_OP_CLOSE ? block_str(f->why) :
						   "expired");
		f->writers = WRITERS_CLOSED;
		f->element = 0;
		f->inherited = false;
		if (op == FENCE_OP_CLOSE)
			f->readers_until = 0;
		return;
	}
	if (op == FENCE_OP_OPEN)
		core_tell(c, EMIT_fence_open, "epoch %llu",
		    (unsigned long long)core_rec(c)->epoch);
	f->writers = WRITERS_OPEN;
	f->element = deadline;
	f->inherited = false;
}

void
core_on_fence_lost(
    struct core *c, const struct now *now, bool restored, usec_t open_for)
{
	core_tell(c, EMIT_fence_lost, "restored=%s after %lld us",
	    restored ? "yes" : "no", (long long)open_for);
	/* What passed while the table was missing, passed under a lease that
	 * is still ahead; had D come in between, nothing earlier counts. A
	 * table that stays away is told again and again, and is doubt. */
	if (restored && c->lease.deadline > now->raw)
		return;
	lease_void(c, now);
	if (!restored) {
		writers_doubt(c, now);
		c->fence.writers = WRITERS_UNKNOWN;
	}
}

void
core_on_readers(struct core *c, const struct now *now, usec_t life, bool ok)
{
	struct fence_state *f = &c->fence;

	if (ok)
		f->readers_until = life == 0 ? 0 : now->raw + life;
	else if (life > 0 && f->readers_until < now->raw + life)
		f->readers_until = now->raw + life; /* it may be there */
}

/* Readers, while PostgreSQL is seen in recovery and nothing promotes it. */
static void
readers_turn(struct core *c, const struct now *now)
{
	struct fence_state *f = &c->fence;
	/* Who is marked may be a standby for moments only. */
	bool allow = c->dur.primary_epoch == 0 && c->pg.recovery == ANS_YES &&
		     c->pg.running != ANS_NO &&
		     now->raw - c->pg.seen_at < READERS_LIFE &&
		     !plan_at_or_past(c, PLAN_TAKEOVER, "readers") &&
		     c->plan.id != PLAN_STEPDOWN;

	if (allow && now->raw >= f->readers_next) {
		core_do(c, DO_READERS)->life = READERS_LIFE;
		f->readers_next = now->raw + READERS_EVERY;
	} else if (!allow && f->readers_until != 0) {
		core_do(c, DO_READERS)->life = 0;
		f->readers_next = now->raw;
	}
}

void
writers_turn(struct core *c, const struct now *now)
{
	struct fence_state *f = &c->fence;
	enum block b;

	if (!f->known || c->conf.mode == CORE_OBSERVE)
		return;
	if (f->writers == WRITERS_UNKNOWN) {
		if (now->raw >= f->retry_at)
			writers_do(c, FENCE_OP_CLOSE, 0);
		return;
	}
	readers_turn(c, now);
	if (f->writers == WRITERS_OPEN) {
		if (!writers_keep(c, now)) {
			f->why = writers_why(c, now);
			writers_do(c, FENCE_OP_CLOSE, 0);
		} else if (f->element != c->lease.deadline &&
			   (c->lease.confirmed ||
			       (!f->inherited &&
				   c->lease.deadline < f->element))) {
			/* Never longer than a write of ours was confirmed. */
			writers_do(c, FENCE_OP_RENEW, c->lease.deadline);
		}
		return;
	}
	if (!role_serves(c))
		return;
	b = open_check(c, now);
	if (b == BLOCK_NONE)
		writers_do(c, FENCE_OP_OPEN, c->lease.deadline);
	else
		c->waits = b;
}
