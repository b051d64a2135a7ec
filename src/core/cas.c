/*
 * The one compare-and-swap of this node whose outcome is not known.
 *
 * While it is unknown, the identical request (same revision, same nonce) is
 * sent again. Confirmed by a reply, or by a read that shows its nonce. Over
 * when a read shows another, newer revision: lost, or won and superseded. Of
 * two copies (pair.c) each counts its own, and the later epoch is the newer.
 * Neither an unmoved revision nor a conflict proves anything: another copy of
 * it may have been, or may yet be, applied.
 */
#include <stdio.h>
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

static usec_t
cas_resend_after(const struct core *c)
{
	return c->conf.ttl / 5;
}

/*
 * On a register that counts, and may have been put back in a silence, nothing
 * is sent before it has been read: since it was last sent, and just now. That
 * is wanted now and then.
 */
static bool
cas_behind_silence(struct core *c, const struct now *now)
{
	struct pending *p = &c->pending;

	if (c->reg.value.head == 0 || p->cas.reseed ||
	    (c->reg.read_at >= p->last_sent &&
		now->raw - c->reg.read_at <= CAS_FRESH))
		return false;
	if (now->raw - p->asked_at >= cas_resend_after(c)) {
		p->asked_at = now->raw;
		c->read_wanted = true;
	}
	return true;
}

/* A claim by the proof that the other host is off, which does not stand now:
 * its copy must not have it, and be left with it. */
static bool
cas_held_back(struct core *c, const struct now *now)
{
	const struct pending *p = &c->pending;

	return (c->conf.pair && p->why == FOR_CLAIM &&
		   p->cas.rec.epoch > core_rec(c)->epoch + 1 &&
		   alone_without(c) == 0) ||
	       cas_behind_silence(c, now);
}

static void
cas_emit(struct core *c, const struct now *now)
{
	struct pending *p = &c->pending;

	/* As it is now: a host that was off may be back. */
	p->cas.without = alone_without(c);
	core_do(c, DO_CAS)->cas = p->cas;
	p->last_sent = now->raw;
}

/* What of the record is this node's to say: T, position, timeline, author. */
static void
cas_complete(
    struct core *c, const struct now *now, struct record *rec, enum cas_for why)
{
	const struct record *now_is = core_rec(c);

	snprintf(rec->nonce, sizeof(rec->nonce), "%.24s-%llu", c->seed,
	    (unsigned long long)++c->nonces);
	rec->written_by = c->conf.self;
	rec->ttl = c->conf.ttl;
	rec->candidates &= ~c->lease.abdicated;
	/* In a record that is written anew, too: an answer that is on its way
	 * to the disk would else take a candidate of that one out of P. */
	if (c->dur.left_epoch == rec->epoch ||
	    (why == FOR_RESEED && c->dur.left_epoch == now_is->epoch))
		rec->candidates &= ~c->dur.left;
	if (c->conf.bounded && rec->state == REC_RELEASED &&
	    c->position_epoch == rec->epoch && rec->lsn < c->position)
		rec->lsn = c->position;
	if (rec->state == REC_HELD && core_pgs(c) == PGS_PRIMARY) {
		rec->timeline = c->pg.timeline;
		rec->system_id = c->pg.system_id;
		/* Nobody is a candidate for whom commits do not wait; an
		 * abdication that a restart made us forget shows here. */
		if (!c->conf.bounded)
			rec->candidates &= c->pg.sync_names;
		rec->lsn = durability_lsn(c, rec);
	} else if (rec->state == REC_HELD) {
		rec->candidates = 0;
	}
	pause_write(c, now, rec);
	rec->seq = now_is->seq;
	/* The first write of an incarnation raises seq: what an earlier one
	 * sent and forgot is then never ahead of what is seen. An abdication
	 * that was asked for and not heard is overtaken likewise. */
	if (rec->epoch != now_is->epoch || rec->state != now_is->state ||
	    rec->candidates != now_is->candidates || rec->ttl != now_is->ttl ||
	    !c->lease.confirmed || c->lease.abdication_asked != 0)
		rec->seq++;
}

/*
 * Sends the record that change describes (state, epoch, candidates, target,
 * holder, acked count; the rest is filled in here) against the newest known
 * revision. False: not now (one is under way, the register cannot be written,
 * or the lease must become shorter first).
 */
bool
cas_send(struct core *c, const struct now *now, enum cas_for why,
    const struct record *change)
{
	struct pending *p = &c->pending;
	struct record rec = *change;
	bool reseed = why == FOR_RESEED;

	if (p->on || c->conf.mode == CORE_OBSERVE)
		return false;
	if (!reseed && !watch_usable(c))
		return false;
	if (alone_anew(c)) {
		rec.epoch = c->alone.from;
		rec.candidates = 0;
	}
	cas_complete(c, now, &rec, why);
	if (!lease_capped(c, now, &rec))
		return false;
	memset(p, 0, sizeof(*p));
	p->on = true;
	p->why = why;
	p->first_sent = now->raw;
	p->t_s = rec.state == REC_HELD ? durability_seen(c, now) : now->raw;
	p->cas.id = ++c->ids;
	p->cas.rec = rec;
	p->cas.revision = c->reg.value.revision;
	p->cas.reseed = reseed;
	str_cut(p->cas.instance, sizeof(p->cas.instance),
	    reseed ? c->reg.next : c->reg.value.instance);
	str_cut(p->cas.nonce, sizeof(p->cas.nonce), c->reg.value.rec.nonce);
	if (c->dur.sent_epoch != rec.epoch || c->dur.sent_seq != rec.seq) {
		c->dur.sent_epoch = rec.epoch;
		c->dur.sent_seq = rec.seq;
		core_save(c);
	}
	abdicate_overtake(c);
	if (why == FOR_RELEASE) {
		lease_void(c, now);
		c->lease.answers_count = false;
	}
	if (!cas_held_back(c, now))
		cas_emit(c, now);
	return true;
}

/* The claim as it will be sent: epoch + 1, the old holder among those who may
 * still claim if this node stops half-way. */
void
cas_prepare_claim(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	rec.epoch = claim_epoch(c);
	rec.state = REC_CLAIMED;
	rec.candidates =
	    (rec.candidates | NODE_BIT(rec.holder)) & ~NODE_BIT(c->conf.self);
	/* What this node was told, whoever goes on from here was not; what it
	 * had when it released the record itself is asked of no other. */
	if (rec.holder != c->conf.self)
		rec.lsn = claim_floor(c);
	/* Another's pause ends with its epoch. */
	if (rec.holder != c->conf.self)
		rec.paused_until = 0;
	rec.holder = c->conf.self;
	rec.target = NODE_NONE;
	rec.taken_at = now->wall;
	/* What was released or half-way does not count for min_interval. */
	if (core_rec(c)->state == REC_HELD)
		rec.counted = true;
	else if (core_rec(c)->state == REC_RELEASED)
		rec.counted = false;
	cas_complete(c, now, &rec, FOR_CLAIM);
	c->dur.claim_rec = rec;
}

void
cas_send_claim(struct core *c, const struct now *now)
{
	struct pending *p = &c->pending;

	memset(p, 0, sizeof(*p));
	p->on = true;
	p->why = FOR_CLAIM;
	p->first_sent = p->t_s = now->raw;
	p->cas.id = ++c->ids;
	p->cas.rec = c->dur.claim_rec;
	p->cas.revision = c->dur.claim_revision;
	str_cut(
	    p->cas.instance, sizeof(p->cas.instance), c->dur.claim_instance);
	str_cut(p->cas.nonce, sizeof(p->cas.nonce), c->dur.claim_nonce);
	c->dur.sent_epoch = p->cas.rec.epoch;
	c->dur.sent_seq = p->cas.rec.seq;
	core_save(c);
	if (!cas_held_back(c, now))
		cas_emit(c, now);
}

static void
cas_end(struct core *c)
{
	memset(&c->pending, 0, sizeof(c->pending));
	if (c->dur.claim) {
		c->dur.claim = false;
		core_save(c);
	}
}

static void
cas_tell(struct core *c, const struct record *rec)
{
	char names[96] = "";
	size_t len = 0;
	node_t n;

	for (n = 0; n < c->conf.names->count; n++) {
		if (!(rec->candidates & NODE_BIT(n)))
			continue;
		str_cut(names + len, sizeof(names) - len, " ");
		len = strlen(names);
		str_cut(
		    names + len, sizeof(names) - len, c->conf.names->node[n]);
		len = strlen(names);
	}
	core_tell(c, EMIT_record_written,
	    "%s epoch %llu seq %llu, candidates%s", rec_state_str(rec->state),
	    (unsigned long long)rec->epoch, (unsigned long long)rec->seq,
	    len == 0 ? " none" : names);
}

/* It is, or was, in the register. */
static void
cas_won(struct core *c, const struct now *now, uint64_t revision,
    const char *instance)
{
	struct pending p = c->pending;
	struct watched *r = &c->reg;

	r->believed_at = now->raw;
	if (strcmp(r->value.instance, instance) != 0 ||
	    r->value.revision < revision) {
		str_cut(r->value.instance, sizeof(r->value.instance), instance);
		r->value.revision = revision;
		r->value.rec = p.cas.rec;
		r->first_seen = now->raw;
	}
	if (p.cas.reseed) {
		r->cold = false;
		r->amnesiac = false;
	}
	if (p.cas.rec.acked == c->ack_epoch)
		c->ack_epoch = 0;
	watch_seen(c, instance, p.cas.rec.epoch, p.cas.rec.seq);
	cas_end(c);
	c->lease.unknown = 0;
	/* An abdication matters while the record still names the node. */
	c->lease.abdicated &= p.cas.rec.candidates;
	if (c->dur.left & ~p.cas.rec.candidates) {
		c->dur.left &= p.cas.rec.candidates;
		core_save(c);
	}
	if (p.cas.rec.state != REC_RELEASED)
		lease_confirmed(c, now, p.t_s, &p.cas.rec);
	if (p.why != FOR_RENEW)
		cas_tell(c, &p.cas.rec);
}

void
core_on_cas(struct core *c, const struct now *now, uint64_t id,
    enum cas_result result, uint64_t revision, const char *instance)
{
	struct pending *p = &c->pending;

	if (!p->on || id != p->cas.id)
		return;
	if (result == CAS_CONFIRMED) {
		cas_won(c, now, revision, instance);
		return;
	}
	c->read_wanted = true;
}

/* A believed value was read: does it tell what became of the pending one? */
void
cas_by_read(struct core *c, const struct now *now)
{
	const struct reg_value *v = &c->reg.value;
	struct pending *p = &c->pending;

	if (!p->on) {
		c->lease.unknown = 0;
		return;
	}
	/* The register that it was for is no more: it can never land. */
	if (strcmp(v->instance, p->cas.instance) != 0) {
		cas_end(c);
		c->lease.unknown = 0;
		return;
	}
	/* The cold state that a reseed was for is left only once. */
	if (v->revision <= p->cas.revision && !p->cas.reseed &&
	    !(c->conf.pair && v->rec.epoch > p->cas.rec.epoch))
		return;
	if (strcmp(v->rec.nonce, p->cas.rec.nonce) == 0) {
		/* In one copy of two: that is not the register. */
		if (v->half)
			return;
		cas_won(c, now, v->revision, v->instance);
		return;
	}
	cas_end(c);
	c->lease.unknown = 0;
}

/* A report to a cold register: it can never land any more, but may have
 * landed before; until a warm read tells, its candidates count. */
void
cas_void(struct core *c)
{
	if (c->pending.on)
		c->lease.unknown |= c->pending.cas.rec.candidates;
	cas_end(c);
}

void
cas_turn(struct core *c, const struct now *now)
{
	struct pending *p = &c->pending;

	if (!p->on || c->conf.mode == CORE_OBSERVE)
		return;
	if (p->last_sent != 0 && now->raw - p->last_sent < cas_resend_after(c))
		return;
	if (cas_held_back(c, now))
		return;
	c->read_wanted = true;
	p->last_sent = now->raw;
	if (!watch_usable(c) && !p->cas.reseed)
		return;
	cas_emit(c, now);
}
