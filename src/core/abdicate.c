/*
 * A member of P leaves by its own durable word, for when the register cannot be
 * written: "no candidate of this epoch until a seq above s". The holder drops
 * it from P.
 *
 * s is the highest seq that was sent, so no write of ours that is still under
 * way can make it a candidate again; and its word counts only while nothing
 * later was sent. It counts once it is on our disk, too: an engine that forgot
 * it would list the node again, for whom commits do not wait any more.
 *
 * Each member is asked for itself. Whoever was asked and not heard may have
 * left all the same: the next write of the record raises seq, so that who is
 * still listed there is one again.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define AGAIN (USEC_SEC / 2)

void
abdicate_ask(struct core *c, const struct now *now, node_t n)
{
	struct abdication *b = &c->lease.abdication[n];
	const struct record *rec = core_rec(c);
	struct action *a;

	if (!c->lease.answers_count || now->raw - b->at < AGAIN)
		return;
	b->id = ++c->ids;
	b->at = now->raw;
	b->epoch = rec->epoch;
	b->seq = rec->seq;
	if (c->dur.sent_epoch == rec->epoch && c->dur.sent_seq > rec->seq)
		b->seq = c->dur.sent_seq;
	c->lease.abdication_asked |= NODE_BIT(n);
	a = core_do(c, DO_ASK);
	a->node = n;
	a->ask.id = b->id;
	a->ask.from = c->conf.self;
	a->ask.epoch = b->epoch;
	a->ask.seq = b->seq;
	a->ask.ttl = rec->ttl;
	a->ask.abdicate = true;
	str_cut(a->ask.instance, sizeof(a->ask.instance), c->dur.instance);
}

/* From a member of our own epoch, or one before. */
void
abdicate_answer(struct core *c, const struct ask_answer *ans)
{
	struct abdication *b = &c->lease.abdication[ans->from];
	struct durable *d = &c->dur;

	if (!ans->abdicated || b->id == 0 || ans->id != b->id ||
	    b->epoch != d->sent_epoch || b->seq < d->sent_seq)
		return;
	b->id = 0;
	/* Who left a moment ago may still be on its way to the disk. */
	if (d->left_epoch != core_rec(c)->epoch)
		d->left = 0;
	d->left |= c->lease.abdicated | NODE_BIT(ans->from);
	d->left_epoch = core_rec(c)->epoch;
	c->lease.left_version = core_save(c);
}

void
abdicate_turn(struct core *c)
{
	if (c->dur.left_epoch != core_rec(c)->epoch ||
	    !core_saved(c, c->lease.left_version))
		return;
	/* What is left of P may do at once. */
	if (c->dur.left & ~c->lease.abdicated)
		c->lease.next_renewal = 0;
	c->lease.abdicated |= c->dur.left;
}

/* A CAS is sent, above whatever was asked for: no answer counts any more. */
void
abdicate_overtake(struct core *c)
{
	node_t n;

	for (n = 0; n < NODES_MAX; n++)
		c->lease.abdication[n].id = 0;
	c->lease.abdication_asked = 0;
}
