/*
 * What reads of the register mean to this node.
 *
 * The newest value that is believed is kept, with the moment at which this
 * node first received exactly that (instance, revision, nonce): the wait of a
 * candidate counts from there. A register that shows less than this node has
 * seen, or another instance, is amnesiac: no claim and no renewal on it. A
 * node adopts another instance only by reporting to a cold register, or when
 * that register is warm and shows a higher epoch. A report voids the node's
 * own unconfirmed writes (the register leaves the cold state with another
 * instance, so they can never land) and restarts all its waits.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

/* What of dur.head an engine that ends at once forgets. */
#define HEAD_SAVE (10 * USEC_SEC)

/* Another register counts anew. */
static void
watch_instance(struct core *c, const char *instance)
{
	if (strcmp(c->dur.instance, instance) == 0)
		return;
	str_cut(c->dur.instance, sizeof(c->dur.instance), instance);
	c->dur.head = 0;
	c->dur.back = false;
	c->reg.head_at = c->reg.head_saved_at = 0;
}

/* Of a register that is not believed, even an old copy's higher epoch was
 * somebody's, and closes here; higher than the record, and, after a start that
 * has read none yet, than what this node was the holder of. */
static void
watch_hint(struct core *c, const struct reg_value *v)
{
	uint64_t epoch = v->rec.epoch;

	if (epoch > core_rec(c)->epoch && epoch > c->dur.primary_epoch &&
	    c->reg.hint_epoch < epoch)
		c->reg.hint_epoch = epoch;
}

/* Renewals change neither epoch nor seq, which else write it with them. */
static void
watch_count(struct core *c, const struct now *now, uint64_t head)
{
	struct watched *r = &c->reg;

	r->head_at = now->raw;
	if (c->dur.head == head)
		return;
	c->dur.head = head;
	if (r->head_saved_at == 0 || now->raw - r->head_saved_at >= HEAD_SAVE) {
		r->head_saved_at = now->raw;
		core_save(c);
	}
}

/* Raises what this node has seen. */
void
watch_seen(struct core *c, const char *instance, uint64_t epoch, uint64_t seq)
{
	struct durable *d = &c->dur;

	if (strcmp(d->instance, instance) == 0 &&
	    (epoch < d->epoch || (epoch == d->epoch && seq <= d->seq)))
		return;
	watch_instance(c, instance);
	d->epoch = epoch;
	d->seq = seq;
	c->seen_version = core_save(c);
}

/* Every wait of this node starts again. */
void
watch_restart(struct core *c, const struct now *now)
{
	usec_t hold = now->raw + core_wait(c, c->dur.t_max);

	shoot_void(c);
	alone_void(c);
	c->reg.met = false;
	c->reg.first_seen = now->raw;
	if (c->no_claim_before < hold)
		c->no_claim_before = hold;
}

bool
watch_usable(const struct core *c)
{
	return c->reg.read_at != 0 && !c->reg.cold && !c->reg.amnesiac;
}

static bool
watch_less(const struct durable *d, const struct record *rec)
{
	return rec->epoch < d->epoch ||
	       (rec->epoch == d->epoch && rec->seq < d->seq);
}

/* Another instance, or less than was seen: not to be acted on. */
static bool
watch_amnesiac(const struct core *c, const struct reg_value *v)
{
	const struct durable *d = &c->dur;

	if (d->instance[0] == '\0')
		return false;
	/* Empty, and of the instance that was reported to: a person adopted
	 * it, and says by hactl init who holds. */
	if (strcmp(v->instance, d->instance) == 0)
		return v->rec.state != REC_NONE && watch_less(d, &v->rec);
	return v->rec.epoch <= d->epoch;
}

/*
 * A register that counts all writes of the place where it lies shows fewer than
 * it had: it was put back from a copy, kept its name, and gives the same
 * revisions again. What it shows may be what this node saw last although others
 * have written since, so it is never believed again, however far it counts: by
 * the next answer, others may have written it past what was seen here. One
 * answer is enough, since it is read linearizably: what was asked for after
 * another answer came shows no less, whichever member gives it.
 */
static bool
watch_went_back(
    struct core *c, const struct now *now, const struct reg_value *v)
{
	struct durable *d = &c->dur;

	if (strcmp(v->cold ? v->next : v->instance, d->instance) != 0)
		return false;
	if (d->back)
		return true;
	if (v->head >= d->head) {
		watch_count(c, now, v->head);
		return false;
	}
	watch_restart(c, now);
	d->back = true;
	core_save(c);
	core_tell(c, EMIT_register_amnesiac,
	    "it was put back from a copy as the same one: put it back as "
	    "another, with a new --initial-cluster-token");
	return true;
}

/* The very same write? */
bool
watch_same(const struct reg_value *a, const struct reg_value *b)
{
	return a->revision == b->revision &&
	       strcmp(a->instance, b->instance) == 0 &&
	       strcmp(a->rec.nonce, b->rec.nonce) == 0;
}

/* An abdication ends when a holder's own later record lists this node again:
 * claims and releases only copy what was listed before. */
static void
watch_readmitted(struct core *c, const struct record *rec)
{
	struct durable *d = &c->dur;

	if (d->abdicated_epoch == 0 || rec->state != REC_HELD ||
	    !(rec->candidates & NODE_BIT(c->conf.self)) ||
	    rec->epoch < d->abdicated_epoch ||
	    (rec->epoch == d->abdicated_epoch && rec->seq <= d->abdicated_seq))
		return;
	d->abdicated_epoch = 0;
	d->abdicated_seq = 0;
	core_save(c);
}

/* A value of the believed register, newer than or as new as the known one. */
static void
watch_accept(struct core *c, const struct now *now, const struct reg_value *v)
{
	struct watched *r = &c->reg;

	r->believed_at = now->raw;
	if (r->first_seen == 0 || !watch_same(&r->value, v))
		r->first_seen = now->raw;
	r->value = *v;
	if (v->revision > 0)
		watch_seen(c, v->instance, v->rec.epoch, v->rec.seq);
	else if (c->dur.instance[0] == '\0')
		watch_seen(c, v->instance, 0, 0);
	/* A release by the promisee ends the promises. */
	if (v->rec.state == REC_RELEASED && c->promise.to == v->rec.holder &&
	    v->rec.epoch >= c->promise.epoch)
		c->promise.until = 0;
	if (c->reg.hint_epoch <= v->rec.epoch)
		c->reg.hint_epoch = 0;
	watch_readmitted(c, &v->rec);
	/* An epoch that no write of ours confirmed: a person adopted it. */
	if (v->rec.epoch != c->dur.left_epoch)
		c->lease.abdicated = 0;
	if (v->rec.epoch != c->lease.epoch) {
		c->lease.confirmed = false;
		c->lease.answers_count = false;
	}
	cas_by_read(c, now);
}

static void
watch_forgets(struct core *c, const struct reg_value *v)
{
	const struct durable *d = &c->dur;

	if (!c->reg.amnesiac && v->head < d->head)
		core_tell(c, EMIT_register_amnesiac,
		    "it counts %llu writes, seen were %llu",
		    (unsigned long long)v->head, (unsigned long long)d->head);
	else if (!c->reg.amnesiac)
		core_tell(c, EMIT_register_amnesiac,
		    "it shows epoch %llu seq %llu, seen were %llu, %llu",
		    (unsigned long long)v->rec.epoch,
		    (unsigned long long)v->rec.seq,
		    (unsigned long long)d->epoch, (unsigned long long)d->seq);
	c->reg.amnesiac = true;
}

/*
 * What contradicts the belief must have been asked for after it was formed: a
 * late reply tells of the past, of a cold state that was left or of an instance
 * that was given up. One that another overtook shows fewer writes, too; or the
 * register was put back after that other was given. It is no answer at all.
 */
static bool
watch_late(const struct core *c, usec_t sent, const struct reg_value *v)
{
	const struct durable *d = &c->dur;

	if (sent <= c->reg.believed_at &&
	    (v->cold || watch_amnesiac(c, v) ||
		strcmp(v->instance, d->instance) != 0))
		return true;
	return sent <= c->reg.head_at && v->head < d->head && !d->back &&
	       strcmp(v->cold ? v->next : v->instance, d->instance) == 0;
}

static void
watch_tell_cold(struct core *c)
{
	const char *why = "it waits for a report of every data node";

	if (c->reg.split)
		why = "the two copies name two holders of one epoch: a proof "
		      "was false, and a person has to choose one";
	else if (c->conf.pair)
		why = "the copy on this host is not the one that was written "
		      "here: it waits for the other one's";
	core_tell(c, EMIT_register_cold, "%s", why);
}

/* Our own write, in one copy of two: not in the register, as far as is known.
 * What was before it is shown on. */
static bool
watch_half(const struct core *c, const struct reg_value *v)
{
	return v->half && c->pending.on && core_rec(c)->state != REC_NONE &&
	       strcmp(v->rec.nonce, c->pending.cas.rec.nonce) == 0;
}

void
core_on_read(struct core *c, const struct now *now, usec_t sent,
    const struct reg_value *v)
{
	struct watched *r = &c->reg;
	bool was_cold = r->cold;

	if (watch_late(c, sent, v)) {
		c->read_wanted = true;
		return;
	}
	r->failing = false;
	r->read_at = sent;
	r->cold = v->cold;
	r->reported = v->reported;
	str_cut(r->next, sizeof(r->next), v->next);
	if (watch_went_back(c, now, v)) {
		watch_hint(c, v);
		watch_forgets(c, v);
		return;
	}
	r->met = r->met || v->met;
	r->split = v->split;
	if (v->cold) {
		r->believed_at = now->raw;
		/* Both copies tell of a holder of one epoch: neither is. */
		if (v->split && r->hint_epoch <= v->rec.epoch)
			r->hint_epoch = v->rec.epoch + 1;
		watch_hint(c, v);
		if (!was_cold)
			watch_tell_cold(c);
		return;
	}
	if (watch_amnesiac(c, v)) {
		watch_forgets(c, v);
		return;
	}
	r->amnesiac = false;
	if (watch_half(c, v))
		return;
	/* Of two copies the later epoch counts, whatever was written in the
	 * other one alone. */
	if (strcmp(v->instance, r->value.instance) == 0 &&
	    v->revision < r->value.revision &&
	    !(c->conf.pair && v->rec.epoch > r->value.rec.epoch)) {
		/* Overtaken by a newer reply; or asked for after that, and
		 * then the register went back under our eyes. */
		r->amnesiac = sent > r->believed_at;
		return;
	}
	watch_accept(c, now, v);
}

void
core_on_read_failed(struct core *c, const struct now *now)
{
	c->reg.failing = true;
}

void
core_on_nudge(struct core *c, const struct now *now)
{
	c->read_wanted = true;
}

void
core_on_reported(struct core *c, const struct now *now, bool ok)
{
	/* The register's own word, in the next read, says what it took. */
	c->reg.reporting = false;
	c->read_wanted = true;
}

/* Has this node reported to the cold register as it is now? */
bool
watch_reported(const struct core *c)
{
	return (c->reg.reported & NODE_BIT(c->conf.self)) != 0 &&
	       strcmp(c->dur.instance, c->reg.next) == 0;
}

/* Reports to a cold register, once what the report promises is on disk. */
static void
watch_report(struct core *c, const struct now *now)
{
	struct watched *r = &c->reg;
	struct durable *d = &c->dur;
	struct action *a;
	bool sent_more;

	if (watch_reported(c))
		return;
	if (strcmp(d->instance, r->next) != 0 || d->claim || c->pending.on) {
		watch_instance(c, r->next);
		cas_void(c);
		watch_restart(c, now);
		r->report_version = core_save(c);
		r->reporting = false;
	}
	if (r->reporting || !core_saved(c, r->report_version) ||
	    now->raw < r->report_at)
		return;
	r->report_at = now->raw + c->conf.ttl / 5;
	sent_more = d->sent_epoch > d->epoch ||
		    (d->sent_epoch == d->epoch && d->sent_seq > d->seq);
	a = core_do(c, DO_REPORT);
	a->epoch = sent_more ? d->sent_epoch : d->epoch;
	a->seq = sent_more ? d->sent_seq : d->seq;
	str_cut(a->instance, sizeof(a->instance), r->next);
	r->reporting = true;
}

void
watch_turn(struct core *c, const struct now *now)
{
	if (c->conf.mode != CORE_OBSERVE && c->reg.cold && !c->reg.failing &&
	    c->reg.next[0] != '\0')
		watch_report(c, now);
	claim_ask_again(c, now);
}
