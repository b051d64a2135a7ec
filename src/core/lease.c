/*
 * The holder's lease: D, until when this node may accept writes.
 *
 * D moves to t_s + T, t_s taken before the request left, when (a) a CAS of our
 * own was confirmed, or (b) every member of P answered one request with "I
 * will not claim before my now + W". (b) counts only after a CAS of our own
 * was confirmed in this incarnation, and not after a `released` was sent.
 *
 * P over-estimates who may claim: the candidates of the last value of ours
 * that is known to be in the register, those of a CAS whose outcome is not
 * known, those that a report voided; before the first confirmed CAS of an
 * incarnation every other data node. With P empty nobody can take over: D is
 * without end.
 *
 * D is now when `released` is sent, a higher epoch is known, the fence is in
 * doubt, the host was suspended, or the local write probe is late, as it gets
 * by a full disk, too; requests that left before do not move it any more.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

/* The record names this node, in a state that carries a lease. */
bool
lease_mine(const struct core *c)
{
	enum relation rel = core_rel(c);

	return rel == REL_HELD || rel == REL_CLAIMED;
}

static nodeset_t
lease_others(const struct core *c)
{
	return c->conf.data & ~NODE_BIT(c->conf.self);
}

nodeset_t
lease_possible(const struct core *c)
{
	nodeset_t p = c->lease.unknown | core_rec(c)->candidates;

	if (c->pending.on)
		p |= c->pending.cas.rec.candidates;
	/* An abdicated member durably promised not to be one, for every seq
	 * that was sent before; later ones do not name it. */
	p &= ~c->lease.abdicated;
	/* An element without a timeout proves that nobody was ever added. */
	if (!c->lease.confirmed &&
	    !(c->fence.inherited && c->fence.element == USEC_NEVER))
		p |= lease_others(c);
	return p & lease_others(c);
}

static usec_t
lease_period(const struct core *c)
{
	return c->conf.ttl / 5;
}

/* The write probe of a held primary: late after max(T, 3 s). */
enum answer
lease_probe(const struct core *c, const struct now *now)
{
	usec_t limit = c->conf.ttl > 3 * USEC_SEC ? c->conf.ttl : 3 * USEC_SEC;
	usec_t last = c->pg.probe_at;

	if (core_pgs(c) != PGS_PRIMARY)
		return ANS_UNKNOWN;
	if (last < c->lease.primary_since)
		last = c->lease.primary_since;
	return now->raw - last <= limit ? ANS_YES : ANS_NO;
}

/* What to say when it is late. */
enum block
lease_no_probe(const struct core *c)
{
	return c->pg.full ? BLOCK_DISK_FULL : BLOCK_PROBE;
}

void
lease_void(struct core *c, const struct now *now)
{
	struct lease *l = &c->lease;

	if (l->deadline > now->raw)
		l->deadline = now->raw;
	l->lapsed = true;
	l->void_before = now->raw + 1;
}

/* D moves forward; with our own T where that is shorter than the record's. */
static void
lease_move(struct core *c, const struct now *now, usec_t sent, usec_t ttl)
{
	struct lease *l = &c->lease;
	usec_t d = sent + (ttl < c->conf.ttl ? ttl : c->conf.ttl);

	if (sent == 0 || sent < l->void_before)
		return;
	if (l->deadline <= now->raw)
		l->lapsed = true;
	if (d > l->deadline)
		l->deadline = d;
}

void
lease_confirmed(struct core *c, const struct now *now, usec_t sent,
    const struct record *rec)
{
	struct lease *l = &c->lease;

	if (sent != 0) {
		l->confirmed = true;
		l->epoch = rec->epoch;
		l->answers_count = true;
	}
	lease_move(c, now, sent, rec->ttl);
	if (l->deadline > now->raw)
		l->lapsed = false;
}

/*
 * A CAS that names a candidate, or shortens T, may leave only when D is at most
 * now + T and the kernel element says so too: after a crash nobody remembers
 * D, but the element is there, and without a timeout it says that nobody was
 * ever named.
 */
bool
lease_capped(struct core *c, const struct now *now, const struct record *rec)
{
	struct lease *l = &c->lease;
	usec_t limit = now->raw + rec->ttl;

	bool shorter = rec->ttl < core_rec(c)->ttl && lease_possible(c) != 0;

	/* What is released has been stopped; nothing is left to be capped. */
	if (rec->state == REC_RELEASED || (rec->candidates == 0 && !shorter))
		return true;
	if (l->deadline > limit)
		l->deadline = limit;
	/* writers_turn shortens it, or closes what is in doubt, first. */
	return c->fence.writers == WRITERS_CLOSED ||
	       (c->fence.writers == WRITERS_OPEN && c->fence.element <= limit);
}

/* Why the lease must not be prolonged; BLOCK_NONE when it may. */
static enum block
lease_block(const struct core *c, const struct now *now)
{
	if (!lease_mine(c))
		return BLOCK_NOT_HOLDER;
	if (c->reg.hint_epoch > core_rec(c)->epoch)
		return BLOCK_HIGHER_EPOCH;
	if (c->plan.id == PLAN_STEPDOWN)
		return BLOCK_STEPPING_DOWN;
	if (c->pending.on && c->pending.why == FOR_RELEASE)
		return BLOCK_STEPPING_DOWN;
	if (c->lease.doubt)
		return BLOCK_FENCE_DOUBT;
	if (core_rel(c) == REL_HELD && lease_probe(c, now) == ANS_NO)
		return BLOCK_PROBE;
	return BLOCK_NONE;
}

/* D is ahead, and nothing ends it in this turn. */
bool
lease_ahead(const struct core *c, const struct now *now)
{
	return c->lease.deadline > now->raw &&
	       lease_block(c, now) == BLOCK_NONE;
}

/* (b): asks every member of P, each request with an id and a t_s. */
static void
lease_ask(struct core *c, const struct now *now)
{
	struct lease *l = &c->lease;
	struct ask_slot *slot;
	nodeset_t p = lease_possible(c);
	struct action *a;
	bool idle = core_rel(c) == REL_HELD &&
		    (core_pgs(c) == PGS_GONE || lease_probe(c, now) == ANS_NO);
	usec_t ttl = core_rec(c)->ttl;
	node_t n;

	/* With PostgreSQL gone, or stuck, only who is there is asked: a promise
	 * of next to nothing, that keeps nobody from taking over. */
	if (idle)
		ttl = USEC_MSEC;
	else if (!l->answers_count)
		return;
	slot = &l->ask[l->next_ask++ % ASK_SLOTS];
	memset(slot, 0, sizeof(*slot));
	slot->id = ++c->ids;
	slot->sent = durability_tells(c) ? durability_seen(c, now) : now->raw;
	slot->ttl = ttl;
	for (n = 0; n < NODES_MAX; n++) {
		/* Those who are no candidates are asked too, for the evidence
		 * that they are there; their answers are not needed. */
		if (!(lease_others(c) & NODE_BIT(n)))
			continue;
		a = core_do(c, DO_ASK);
		a->node = n;
		a->ask.id = slot->id;
		a->ask.from = c->conf.self;
		a->ask.epoch = core_rec(c)->epoch;
		a->ask.seq = core_rec(c)->seq;
		a->ask.ttl = ttl;
		a->ask.bounded = durability_tells(c);
		a->ask.lsn = core_rec(c)->lsn;
		if (a->ask.bounded && a->ask.lsn < c->pg.wal_end)
			a->ask.lsn = c->pg.wal_end;
		str_cut(
		    a->ask.instance, sizeof(a->ask.instance), c->dur.instance);
	}
	if (l->answers_count && p == 0 && l->deadline != USEC_NEVER)
		lease_move(c, now, slot->sent, ttl);
}

/* A peer that is not the holder says that its PostgreSQL is a primary. */
static void
rogue_watch(struct core *c, const struct ask_answer *ans)
{
	bool was = c->peer[ans->from].recovery == ANS_NO;

	if (ans->recovery == ANS_NO && ans->running == ANS_YES && !was &&
	    lease_mine(c) && ans->epoch <= core_rec(c)->epoch)
		core_tell(c, EMIT_rogue_primary, "%s",
		    c->conf.names->node[ans->from]);
}

void
core_on_answer(
    struct core *c, const struct now *now, const struct ask_answer *ans)
{
	struct lease *l = &c->lease;
	int i;

	c->heard_at[ans->from] = now->raw;
	rogue_watch(c, ans);
	if (!rank_answer(c, ans) && !hand_answer(c, ans))
		c->peer[ans->from] = *ans;
	if (ans->epoch > core_rec(c)->epoch && ans->epoch > c->reg.hint_epoch) {
		c->reg.hint_epoch = ans->epoch;
		c->read_wanted = true;
	}
	if (!lease_mine(c) || ans->epoch > core_rec(c)->epoch)
		return;
	abdicate_answer(c, ans);
	for (i = 0; i < ASK_SLOTS && ans->yes; i++) {
		if (l->ask[i].id != ans->id)
			continue;
		l->ask[i].yes |= NODE_BIT(ans->from);
		if (l->answers_count && lease_block(c, now) == BLOCK_NONE &&
		    (lease_possible(c) & ~l->ask[i].yes) == 0)
			lease_move(c, now, l->ask[i].sent, l->ask[i].ttl);
	}
}

static void
lease_renew(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	if (c->ack_epoch == rec.epoch)
		rec.acked = rec.epoch;
	c->lease.next_renewal = now->raw + lease_period(c);
	lease_ask(c, now);
	/* A postmaster that is gone has nothing to renew for. */
	if (core_rel(c) == REL_HELD && core_pgs(c) != PGS_PRIMARY)
		return;
	if (!c->pending.on)
		cas_send(c, now, FOR_RENEW, &rec);
}

/*
 * A register that came back with less than is known: a holder whose D never
 * lapsed may write the record anew, in the next epoch, once every member of P
 * has adopted the new instance.
 */
static void
lease_reseed(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);
	const struct watched *r = &c->reg;

	if (!r->cold || c->lease.lapsed || !c->lease.confirmed ||
	    c->pending.on || core_rel(c) != REL_HELD || !watch_reported(c) ||
	    (lease_possible(c) & ~r->reported) != 0)
		return;
	rec.epoch++;
	cas_send(c, now, FOR_RESEED, &rec);
}

/* Blocked, and nobody takes over from who is heard: to whom could it go, and is
 * the register there? */
static void
lease_there(struct core *c, const struct now *now)
{
	if (now->raw < c->lease.next_there)
		return;
	c->lease.next_there = now->raw + lease_period(c);
	c->read_wanted = true;
	lease_ask(c, now);
}

/* D without end while nobody can take over. */
static void
lease_alone(struct core *c, const struct now *now)
{
	struct lease *l = &c->lease;
	bool alone = lease_possible(c) == 0 && core_rec(c)->candidates == 0 &&
		     core_rel(c) == REL_HELD && l->confirmed && !l->finite &&
		     core_saved(c, c->seen_version);

	if (alone)
		l->deadline = USEC_NEVER;
	else if (l->deadline == USEC_NEVER &&
		 (l->finite || lease_possible(c) != 0))
		l->deadline = now->raw + core_rec(c)->ttl;
}

void
lease_turn(struct core *c, const struct now *now)
{
	struct lease *l = &c->lease;
	bool was = l->deadline > now->raw;
	enum block b = lease_block(c, now);

	if (b != BLOCK_NONE) {
		if (was)
			core_tell(c, EMIT_lease_lost, "%s",
			    block_str(
				b == BLOCK_PROBE ? lease_no_probe(c) : b));
		lease_void(c, now);
		/* The first moment without the block renews. */
		l->next_renewal = 0;
		if (b == BLOCK_PROBE && !c->conf.proof_lease)
			lease_there(c, now);
		return;
	}
	abdicate_turn(c);
	lease_alone(c, now);
	if (l->deadline <= now->raw) {
		if (!l->lapsed && l->deadline != 0)
			core_tell(c, EMIT_lease_lost,
			    "no confirmation within "
			    "T: the register is silent, and not every "
			    "candidate answered");
		l->lapsed = true;
	}
	if (now->raw >= l->next_renewal)
		lease_renew(c, now);
	lease_reseed(c, now);
}

usec_t
lease_next(const struct core *c)
{
	return lease_mine(c) && c->lease.next_renewal != 0 ?
		   c->lease.next_renewal :
		   USEC_NEVER;
}
