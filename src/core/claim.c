/*
 * Whether this node may take over, and taking the record.
 *
 * A claim is a CAS from exactly the revision that was watched, to epoch + 1,
 * state `claimed`, candidates = (old candidates and old holder) without self.
 * All of claim_check must hold. The claim, and the proof on which it stands,
 * are on disk before it is sent, so that "unresolved" survives a restart.
 *
 * A register that counts its writes is asked once more when all waits are over,
 * and just before a claim: it may have been put back meanwhile, unheard, and
 * hold what was watched. Nobody puts one back within CAS_FRESH.
 *
 * Only a person's word (fenced) replaces eligibility, the wait and the
 * position. That the holder's host was seen off by its fence agents (shoot.c)
 * replaces the wait, and the promises to that holder; nothing replaces the
 * promises to another and the hold-off. Where the policy does not take the
 * lease for a proof, the wait alone is not enough.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define FRESH \
	(3 * USEC_SEC) /* a view of PostgreSQL older than this is none \
			*/

static usec_t
claim_wait_end(const struct core *c)
{
	return c->reg.first_seen + core_wait(c, core_rec(c)->ttl);
}

/* The record was seen unchanged for W. */
bool
claim_waited(const struct core *c, const struct now *now)
{
	return c->reg.first_seen != 0 && now->raw >= claim_wait_end(c);
}

static bool
claim_fenced(const struct core *c)
{
	return c->order.on && c->order.fenced;
}

/* A promise to the holder, which ends with the holder's host. */
static bool
claim_promised_it(const struct core *c)
{
	const struct record *rec = core_rec(c);

	return c->promise.to == rec->holder && c->promise.epoch <= rec->epoch;
}

/* After all that had to be waited for, or what stands for it. */
static usec_t
claim_read_from(const struct core *c, bool off)
{
	usec_t from = off ? c->shoot.off_at : claim_wait_end(c);

	if (claim_fenced(c))
		from = c->order.at;
	if (from < c->no_claim_before)
		from = c->no_claim_before;
	if (from < c->promise.until && !(off && claim_promised_it(c)))
		from = c->promise.until;
	return from;
}

/* off: by the word of fence agents; or as if by it, before they are asked. */
static bool
claim_asked_again(const struct core *c, const struct now *now, bool off)
{
	return c->reg.value.head == 0 || (off && !c->shoot.off) ||
	       (c->reg.read_at >= claim_read_from(c, off) &&
		   now->raw - c->reg.read_at <= CAS_FRESH);
}

/* Wants that read, now and then. */
void
claim_ask_again(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	bool off = shoot_proof(c);

	if (rec->state == REC_NONE || rec->state == REC_RELEASED ||
	    rec->holder == c->conf.self || claim_asked_again(c, now, off) ||
	    (!off && !claim_fenced(c) && !claim_waited(c, now)) ||
	    now->raw < claim_read_from(c, off) ||
	    now->raw - c->reg.asked_again < CAS_FRESH)
		return;
	c->reg.asked_again = now->raw;
	c->read_wanted = true;
}

/* By the record alone: may this node take it at all? */
static enum block
claim_eligible(const struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	bool self = rec->holder == c->conf.self;
	bool listed = rec->candidates & NODE_BIT(c->conf.self);

	if (rec->state == REC_NONE)
		return BLOCK_NO_RECORD;
	if (self && rec->state != REC_RELEASED)
		return BLOCK_HOLDER;
	if (claim_fenced(c))
		return BLOCK_NONE;
	if (!listed && !self)
		return rec->paused_until > now->wall ? BLOCK_PAUSED :
						       BLOCK_NOT_CANDIDATE;
	if (c->dur.abdicated_epoch != 0 && !self)
		return BLOCK_ABDICATED;
	return BLOCK_NONE;
}

/* By time: the holder's lease, the target's precedence, our own promises. */
static enum block
claim_time(const struct core *c, const struct now *now, bool off, usec_t *when)
{
	const struct record *rec = core_rec(c);
	bool first = rec->target == c->conf.self ||
		     (rec->target == NODE_NONE && rec->holder != c->conf.self);

	*when = claim_wait_end(c);
	if (rec->state == REC_RELEASED) {
		if (!first && now->raw < *when)
			return BLOCK_TARGET_FIRST;
	} else if (!claim_fenced(c) && !off) {
		if (now->raw < *when)
			return BLOCK_LEASE_RUNS;
		if (!c->conf.proof_lease)
			return BLOCK_NO_PROOF;
	}
	if (rec->state != REC_RELEASED && !claim_asked_again(c, now, off)) {
		*when = 0;
		return BLOCK_LEASE_RUNS;
	}
	*when = c->promise.until;
	if (now->raw < *when && !(off && claim_promised_it(c)))
		return BLOCK_PROMISED;
	*when = c->no_claim_before;
	if (now->raw < *when)
		return BLOCK_HOLD_OFF;
	*when = 0;
	return BLOCK_NONE;
}

/* What the holder has had, as far as is known here: by its record, or by what
 * it told, and this node promised, since. A claim of the next epoch that was
 * never held changes nothing of that: nobody acknowledged anything since. */
lsn_t
claim_floor(const struct core *c)
{
	const struct record *rec = core_rec(c);
	uint64_t of = rec->epoch - (rec->state == REC_CLAIMED ? 1 : 0);

	if ((c->dur.told_epoch == rec->epoch || c->dur.told_epoch == of) &&
	    c->dur.told > rec->lsn)
		return c->dur.told;
	return rec->lsn;
}

/* In bounded, a candidate may lack so much of it; a holder, nothing. */
static bool
claim_reaches(const struct core *c)
{
	const struct record *rec = core_rec(c);
	lsn_t end = c->pg.wal_end;

	if (c->conf.bounded &&
	    !(rec->holder == c->conf.self && rec->state == REC_HELD))
		end += c->conf.max_loss;
	return end >= claim_floor(c);
}

/* Our WAL against that floor. PostgreSQL must have been seen. */
enum block
claim_wal(const struct core *c)
{
	const struct record *rec = core_rec(c);

	if (core_pgs(c) != PGS_STANDBY && core_pgs(c) != PGS_PRIMARY)
		return BLOCK_PG_UNKNOWN;
	if (c->pg.seen_at == 0)
		return BLOCK_PG_UNKNOWN;
	if (rec->system_id != 0 && c->pg.system_id != rec->system_id)
		return BLOCK_TIMELINE;
	/* The last holder was this node: what it promoted itself goes on from
	 * there, one timeline further. */
	if (rec->holder == c->conf.self && c->dur.primary_epoch != 0 &&
	    c->dur.primary_epoch <= rec->epoch &&
	    c->pg.timeline > rec->timeline)
		return claim_reaches(c) || claim_fenced(c) ? BLOCK_NONE :
							     BLOCK_WAL_BEHIND;
	/* The position that a person may override is one on a timeline. */
	if (claim_fenced(c))
		return BLOCK_NONE;
	if (rec->timeline != 0 && c->pg.timeline != rec->timeline)
		return BLOCK_TIMELINE;
	return claim_reaches(c) ? BLOCK_NONE : BLOCK_WAL_BEHIND;
}

/* A disaster that repeats must not walk from host to host by itself: how long
 * not yet; 0. */
usec_t
claim_interval_left(const struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	usec_t since = now->wall - rec->taken_at;

	if (rec->state != REC_HELD || !rec->counted || rec->taken_at == 0 ||
	    rec->acked >= rec->epoch || since >= c->conf.min_interval ||
	    since <= -c->conf.min_interval)
		return 0;
	return c->conf.min_interval - since;
}

/* The first thing that stands against a claim now; when: until about when. */
enum block
claim_check_if(
    const struct core *c, const struct now *now, bool off, usec_t *when)
{
	enum block b;

	*when = 0;
	if (c->conf.mode == CORE_OBSERVE ||
	    (c->conf.mode == CORE_MANUAL && !c->order.on))
		return BLOCK_MODE;
	if (c->dur.latch)
		return BLOCK_LATCHED;
	/* It could not leave, and would only keep us from promising. */
	if (c->reg.failing)
		return BLOCK_REGISTER_DOWN;
	if (c->reg.cold)
		return BLOCK_COLD;
	if (c->reg.amnesiac)
		return BLOCK_AMNESIAC;
	b = claim_eligible(c, now);
	if (b != BLOCK_NONE)
		return b;
	if (c->dur.claim || c->pending.on)
		return BLOCK_CLAIM_OPEN;
	if (c->conf.pair && off && !claim_fenced(c) && !alone_by_agents(c))
		return BLOCK_NOT_MET;
	/* The word was about a host that was heard, or is not known to be off
	 * any more: then both copies would have to have the claim. */
	if (c->conf.pair && claim_fenced(c) &&
	    core_rec(c)->state != REC_RELEASED && alone_without(c) == 0)
		return BLOCK_NO_PROOF;
	b = claim_time(c, now, off, when);
	if (b != BLOCK_NONE)
		return b;
	b = claim_wal(c);
	if (b != BLOCK_NONE)
		return b;
	if (now->raw - c->pg.seen_at > FRESH)
		return BLOCK_PG_UNKNOWN;
	/* It would lose the lease again, and the next one might, too. */
	if (c->pg.full)
		return BLOCK_DISK_FULL;
	if (!core_armed(c, now))
		return BLOCK_NOT_ARMED;
	if (!c->order.on && claim_interval_left(c, now) > 0)
		return BLOCK_MIN_INTERVAL;
	return BLOCK_NONE;
}

enum block
claim_check(const struct core *c, const struct now *now, usec_t *when)
{
	return claim_check_if(c, now, shoot_proof(c), when);
}

/* But for the WAL, and for what a release ends: the wait, promises, and that it
 * is too soon. */
bool
claim_could(const struct core *c, const struct now *now, usec_t within)
{
	return c->conf.mode == CORE_AUTO && !c->dur.latch && !c->reg.failing &&
	       watch_usable(c) && claim_eligible(c, now) == BLOCK_NONE &&
	       !c->pg.full && core_armed(c, now) &&
	       c->no_claim_before <= now->raw + within;
}

/*
 * Could this node claim within so long, if it has the WAL? Not asked by itself,
 * but by another candidate; unless that one goes by the same record, it may
 * know of a release, which ends waits and promises.
 */
bool
claim_near(
    const struct core *c, const struct now *now, bool same, usec_t within)
{
	const struct record *rec = core_rec(c);
	usec_t end = now->raw + within;

	if (!claim_could(c, now, within) || claim_interval_left(c, now) > 0)
		return false;
	return !same || shoot_near(c) ||
	       (c->promise.until <= end &&
		   (rec->state == REC_RELEASED || claim_wait_end(c) <= end));
}

/* Has it the WAL, as last seen? */
bool
claim_has_wal(const struct core *c, const struct now *now)
{
	return claim_wal(c) == BLOCK_NONE && now->raw - c->pg.seen_at <= FRESH;
}

/* The epoch of a claim of now. What the first of two copies may hold that
 * nobody confirmed is a claim, too; by a proof that leaves that copy out, the
 * next epoch is left to it. A person may choose this host although the other
 * has gone on without it: whatever that one wrote then is to be older. */
uint64_t
claim_epoch(const struct core *c)
{
	return core_rec(c)->epoch + alone_epochs(c);
}

/* Its agents say so, or did for what stands since. */
static bool
claim_off(const struct core *c)
{
	return shoot_proof(c) || alone_without(c) != 0;
}

static void
claim_proof(struct core *c)
{
	static const char *const words[] = { [PROOF_NONE] = "none",
		[PROOF_RELEASED] = "released",
		[PROOF_LEASE] = "lease",
		[PROOF_OPERATOR] = "operator",
		[PROOF_AGENT] = "agent" };
	struct durable *d = &c->dur;

	d->proof_epoch = claim_epoch(c);
	d->proof_why[0] = '\0';
	/* A word first: it may have replaced more than a wait. */
	if (claim_fenced(c)) {
		d->proof = PROOF_OPERATOR;
		str_cut(d->proof_why, sizeof(d->proof_why), c->order.why);
	} else if (core_rec(c)->state == REC_RELEASED &&
		   alone_without(c) == 0) {
		d->proof = PROOF_RELEASED;
	} else if (claim_off(c)) {
		d->proof = PROOF_AGENT;
		str_cut(d->proof_why, sizeof(d->proof_why),
		    c->conf.names->node[c->alone.on ? alone_other(c) :
						      core_rec(c)->holder]);
	} else {
		d->proof = PROOF_LEASE;
	}
	core_tell(c, EMIT_claim_proof, "%s%s%s", words[d->proof],
	    d->proof_why[0] == '\0' ? "" : ": ", d->proof_why);
}

/* Decides to claim; claim_turn sends it when the decision is on disk. */
void
claim_begin(struct core *c, const struct now *now)
{
	c->dur.claim = true;
	c->dur.claim_revision = c->reg.value.revision;
	str_cut(c->dur.claim_instance, sizeof(c->dur.claim_instance),
	    c->reg.value.instance);
	str_cut(
	    c->dur.claim_nonce, sizeof(c->dur.claim_nonce), core_rec(c)->nonce);
	memset(&c->dur.claim_rec, 0, sizeof(c->dur.claim_rec));
	claim_proof(c);
	cas_prepare_claim(c, now);
	c->claim_version = core_save(c);
}

/* The claim's save is done: send it, unless the record moved meanwhile, or what
 * it stands on does not hold any more: the register, a person's word, a host
 * that is off. */
void
claim_turn(struct core *c, const struct now *now)
{
	if (!c->dur.claim || c->pending.on || !core_saved(c, c->claim_version))
		return;
	if (!watch_usable(c) ||
	    c->reg.value.revision != c->dur.claim_revision ||
	    strcmp(c->reg.value.instance, c->dur.claim_instance) != 0 ||
	    (c->dur.proof == PROOF_OPERATOR && !claim_fenced(c)) ||
	    (c->dur.proof == PROOF_AGENT && !claim_off(c)) ||
	    c->dur.claim_rec.epoch != claim_epoch(c)) {
		/* It was never sent. */
		c->dur.claim = false;
		core_save(c);
		return;
	}
	cas_send_claim(c, now);
}
