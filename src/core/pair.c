/*
 * The register of two lone hosts, where nothing outlives both data nodes: one
 * copy on each.
 *
 * A write is confirmed when both copies have it on disk. They are written in
 * one order, whoever writes: what the first one takes is what comes next, so
 * two writers cannot both win. So the first may be one write ahead of the
 * second, and never more: it takes nothing upon what the other copy is not
 * known to have (sure). Its own engine does not take that for confirmed
 * (half); whoever reads both copies brings the older one up before it shows
 * anything, and with that ends what was half-way.
 *
 * So for a holder the silence of the other host is the loss of the register: no
 * lease by a write, no removal of a candidate. And what is read here while the
 * other host is silent is no older than the last confirmed write.
 *
 * Alone: with a proof that the other host is off (alone.c says when), one copy
 * is enough. Such a write steps two revisions, and such a claim two epochs, so
 * that it is newer than what a first copy may hold that nobody confirmed. The
 * other host's copy is behind from then on, which that host cannot know: after
 * a start a node has to have met the other copy before the word of agents lets
 * it go on alone. Two proofs that are both true, one after the other, would
 * else bring back what was before the first of them.
 *
 * Two writes of one holder with one number, the older of which was still on its
 * way when the first copy's file was lost: what the second one has may have
 * been confirmed, what the first has was not.
 *
 * One epoch with two holders, or two registers, can only come of a proof that
 * was false: neither is believed, and both hosts close, until a person adopts
 * one. A copy whose file is not the one that was written here (lost, put back
 * from a backup, another machine's) is worth what the other copy says, if that
 * is not less than this node has seen: the other may be behind by all that was
 * written here alone. Else it takes a person's word again.
 */
#include "hawatch/pair.h"

#include <stdio.h>
#include <string.h>

#include "core/reg_cas.h"
#include "hawatch/str.h"

void
pair_start(struct pair_copy *c, bool first, bool found, bool same,
    const struct durable *seen, const char *instance)
{
	struct reg_value *v = &c->value;

	c->first = first;
	c->sure = !first;
	c->seen_epoch = seen == NULL ? 0 : seen->epoch;
	c->seen_seq = seen == NULL ? 0 : seen->seq;
	c->lost = found && v->revision > 0 ? !same : c->seen_epoch > 0;
	if (found && v->instance[0] != '\0')
		return;
	memset(v, 0, sizeof(*v));
	str_cut(v->instance, sizeof(v->instance), instance);
	v->rec.holder = NODE_NONE;
	v->rec.target = NODE_NONE;
}

void
pair_tell(const struct pair_copy *c, struct reg_value *v)
{
	*v = c->value;
	v->cold = c->lost;
	v->floor = c->lost ? c->seen_epoch : 0;
}

/* Less than this node has seen. */
static bool
pair_below(const struct pair_copy *c, const struct reg_value *other)
{
	return other->rec.epoch < c->seen_epoch ||
	       (other->rec.epoch == c->seen_epoch &&
		   other->rec.seq < c->seen_seq);
}

static bool
pair_newer(const struct reg_value *a, const struct reg_value *b)
{
	if (a->rec.epoch != b->rec.epoch)
		return a->rec.epoch > b->rec.epoch;
	return a->revision > b->revision;
}

static bool
pair_same(const struct reg_value *a, const struct reg_value *b)
{
	return strcmp(a->instance, b->instance) == 0 &&
	       a->revision == b->revision && a->rec.epoch == b->rec.epoch &&
	       strcmp(a->rec.nonce, b->rec.nonce) == 0;
}

/* Not one history: somebody's proof was false. */
static bool
pair_apart(const struct reg_value *a, const struct reg_value *b)
{
	if (strcmp(a->instance, b->instance) != 0)
		return true;
	return a->rec.epoch == b->rec.epoch && a->rec.holder != b->rec.holder;
}

enum cas_result
pair_cas(const struct pair_copy *c, const struct do_cas *cas,
    struct pair_write by, nodeset_t data, struct pair_copy *next, bool *changed)
{
	const struct reg_value *v = &c->value;
	enum cas_result may;

	*changed = false;
	*next = *c;
	if (c->lost)
		return CAS_REFUSED;
	if (reg_cas_won(v, cas)) {
		next->sure = c->sure || by.alone || !c->first;
		return CAS_CONFIRMED;
	}
	may = reg_cas_check(v, cas, data);
	if (may != CAS_CONFIRMED)
		return may;
	/* Who writes upon it from over there, has it there. */
	if (c->first && !c->sure && by.own && !by.alone && v->revision > 0)
		return CAS_UNKNOWN;
	next->value.rec = cas->rec;
	next->value.revision = v->revision + (by.alone ? 2 : 1);
	next->sure = by.alone || !c->first;
	*changed = true;
	return CAS_CONFIRMED;
}

void
pair_sure(struct pair_copy *c, const char *nonce)
{
	if (strcmp(c->value.rec.nonce, nonce) == 0)
		c->sure = true;
}

static void
pair_take(const struct pair_copy *c, const struct reg_value *other,
    struct pair_copy *next)
{
	*next = *c;
	next->value = *other;
	next->lost = false;
	next->sure = true;
}

/* Shown, and not to be gone by. */
static enum pair_view
pair_cold(const struct pair_copy *c, const struct reg_value *other, bool split,
    struct reg_value *out)
{
	*out = c->value;
	if (split && pair_newer(other, out))
		*out = *other;
	out->cold = true;
	out->split = split;
	return PAIR_SHOW;
}

enum pair_view
pair_look(struct pair_copy *c, const struct reg_value *other,
    struct reg_value *out, struct pair_copy *next)
{
	const struct reg_value *v = &c->value;
	bool nothing = c->lost || v->revision == 0;

	if (other == NULL && nothing && !c->lost)
		return PAIR_NONE;
	if (other != NULL && !other->cold && other->revision > 0) {
		if (!nothing && pair_apart(v, other))
			return pair_cold(c, other, true, out);
		if (nothing && pair_below(c, other))
			return pair_cold(c, other, false, out);
		if (nothing || pair_newer(other, v) ||
		    (c->first && v->revision == other->revision &&
			!pair_same(v, other))) {
			pair_take(c, other, next);
			return PAIR_TAKE;
		}
		if (pair_same(v, other))
			c->sure = true;
	}
	if (c->lost || (nothing && other->cold))
		return pair_cold(c, other, false, out);
	/* Nothing was ever written: the first one's name is the name. */
	if (nothing && !c->first && strcmp(v->instance, other->instance) != 0) {
		pair_take(c, other, next);
		return PAIR_TAKE;
	}
	*out = *v;
	out->half = !c->sure && v->revision > 0;
	out->met = other != NULL && !other->cold &&
		   (other->revision > 0 || v->revision == 0);
	return PAIR_SHOW;
}

bool
pair_adopt(const struct pair_copy *c, const struct reg_value *other,
    struct pair_copy *next)
{
	bool there = other != NULL && other->revision > 0,
	     cold = other != NULL && other->cold,
	     split = there && !cold && pair_apart(&c->value, other);
	struct record *rec = &next->value.rec;

	if (c->value.rec.state == REC_NONE || (!c->lost && !split && !cold))
		return false;
	*next = *c;
	next->lost = false;
	next->sure = true;
	/* Above all that either node has seen, so that both take it. */
	if (rec->epoch < c->seen_epoch)
		rec->epoch = c->seen_epoch;
	if (cold && rec->epoch < other->floor)
		rec->epoch = other->floor;
	if (there && rec->epoch < other->rec.epoch)
		rec->epoch = other->rec.epoch;
	if (there && next->value.revision < other->revision)
		next->value.revision = other->revision;
	if (split)
		str_cut(next->value.instance, sizeof(next->value.instance),
		    other->instance);
	next->value.revision += 2;
	rec->epoch++;
	rec->seq++;
	/* Whom it lists may have been removed since: the holder adds anew. */
	rec->candidates = 0;
	(void)snprintf(rec->nonce, sizeof(rec->nonce), "adopted-%llu",
	    (unsigned long long)rec->epoch);
	return true;
}
