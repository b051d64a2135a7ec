/*
 * The promises about what was acknowledged: who has to have it, who opens
 * without it, whose data may follow as it is.
 */
#include "sim.h"

/* Clocks differ, and an answer takes its way. */
#define SEEN_LATE (100 * USEC_MSEC)

static bool
judge_has(const struct world *w, int n, const struct commit *c)
{
	const struct pg *p = &w->host[n].pg;

	return c->idx < p->flushed && p->log[c->idx] == c->id;
}

/* Every acknowledged commit is in the log of this node, on its disk. */
static bool
judge_has_all(struct world *w, int n, const char *promise, const char *as)
{
	struct host *h = &w->host[n];
	const struct commit *c;

	for (; h->verified < w->acked.n; h->verified++) {
		c = &w->acked.v[h->verified];
		if (judge_has(w, n, c))
			continue;
		violated(w, promise,
		    "s%d %s without the acknowledged commit "
		    "%u at %u (its log ends at %u)",
		    n + 1, as, c->id, c->idx, h->pg.flushed);
		return false;
	}
	return true;
}

/* What is gone is gone: no later primary has to have it. */
static void
judge_forget(struct world *w, int n)
{
	struct commits *all = &w->acked;
	uint32_t i, left = 0;

	for (i = 0; i < all->n; i++)
		if (judge_has(w, n, &all->v[i]))
			all->v[left++] = all->v[i];
		else
			commits_add(&w->gone, &all->v[i]);
	w->tot->lost += all->n - left;
	all->n = left;
	for (i = 0; i < (uint32_t)w->data; i++)
		w->host[i].verified = 0;
}

/*
 * Bounded: what is missing reaches at most max_loss past this node's end, but
 * for what was written in the last T before the last of it.
 */
static void
judge_bounded(struct world *w, int n)
{
	const struct pg *p = &w->host[n].pg;
	const struct commit *c, *worst = NULL;
	usec_t last = 0, ttl = 0;
	uint32_t i;
	int o;

	for (o = 0; o < w->data; o++)
		if (ttl < w->host[o].disk.t_max)
			ttl = w->host[o].disk.t_max;
	for (i = 0; i < w->acked.n; i++)
		if (!judge_has(w, n, &w->acked.v[i]) && last < w->acked.v[i].at)
			last = w->acked.v[i].at;
	if (last == 0)
		return;
	for (i = 0; i < w->acked.n; i++) {
		c = &w->acked.v[i];
		if (!judge_has(w, n, c) && c->at < last - ttl - SEEN_LATE &&
		    (worst == NULL || worst->idx < c->idx))
			worst = c;
	}
	trace(w, "s%d opens without what was acknowledged up to %lld ms", n + 1,
	    (long long)last / USEC_MSEC);
	if (worst != NULL &&
	    wal_lsn(worst->idx + 1) > wal_lsn(p->flushed) + w->max_loss)
		violated(w, "BOUND",
		    "s%d opens with %u records, and lacks %u, more than T "
		    "older than the last that is missing: above %llu bytes",
		    n + 1, p->flushed, worst->idx,
		    (unsigned long long)w->max_loss);
	judge_forget(w, n);
}

/* An old copy here, and of another host, too: with a third one's help this
 * passes for what it was, and nobody has more to tell. */
static bool
judge_copies(const struct world *w, int n)
{
	int o, others = 0;

	for (o = 0; o < w->data; o++)
		others += o != n && w->host[o].old;
	return w->host[n].old && others > 0;
}

/* It opens: it has what it must have. */
void
judge_holds(struct world *w, int n)
{
	w->host[n].verified = 0;
	/* A person's choice, of what this node had: once. */
	if (w->host[n].chosen || judge_copies(w, n)) {
		judge_forget(w, n);
		w->host[n].chosen = w->host[n].old = false;
	} else if (w->bounded)
		judge_bounded(w, n);
	else
		judge_has_all(w, n, "S2", "opens");
}

/* Some intact data has it, or it was saved. */
static bool
judge_elsewhere(const struct world *w, int n, const struct commit *c)
{
	int o;

	for (o = 0; o < w->data; o++)
		if (o != n && judge_has(w, o, c))
			return true;
	return c->id < w->kept_n && w->kept[c->id];
}

/* The data of this node is rewritten: no acknowledged commit is lost by it. */
void
judge_rewrite(struct world *w, int n, const struct goal *g)
{
	const struct commits *all[] = { &w->acked, &w->gone };
	const struct pg *p = &w->host[n].pg;
	const struct durable *d = &w->host[n].disk;
	size_t k;
	uint32_t i;

	if (d->rejoin != REJOIN_HALF)
		violated(w, "COPY",
		    "s%d is rewritten, and its disk does not say so", n + 1);
	if (p->half)
		violated(w, "COPY",
		    "s%d, half rewritten from another, is rewritten from s%d",
		    n + 1, g->node + 1);
	for (k = 0; k < 2; k++)
		for (i = 0; i < all[k]->n; i++)
			if (judge_has(w, n, &all[k]->v[i]) &&
			    !judge_elsewhere(w, n, &all[k]->v[i])) {
				violated(w, "COPY",
				    "s%d is rewritten from s%d, and has the "
				    "only copy of the acknowledged commit %u",
				    n + 1, g->node + 1, all[k]->v[i].id);
				return;
			}
}

/* Who left durably may not claim until a holder lists it again, later: claims
 * and releases only copy what was listed. */
nodeset_t
judge_effective(const struct world *w, const struct record *rec)
{
	nodeset_t set = rec->candidates;
	const struct durable *d;
	int n;

	for (n = 0; n < w->data; n++) {
		d = &w->host[n].disk;
		if (d->abdicated_epoch != 0 && rec->holder != n &&
		    (rec->state != REC_HELD ||
			rec->epoch < d->abdicated_epoch ||
			(rec->epoch == d->abdicated_epoch &&
			    rec->seq <= d->abdicated_seq)))
			set &= ~NODE_BIT(n);
		/* Nor who may be half rewritten, until it is whole. */
		if (d->rejoin >= REJOIN_HALF)
			set &= ~NODE_BIT(n);
	}
	return set;
}

/* Strict: the position in a record is one that every candidate has reached. */
void
judge_floor(struct world *w, int n, const struct record *rec)
{
	nodeset_t set = judge_effective(w, rec);
	int o;

	for (o = 0; o < w->data && !w->bounded && rec->state == REC_HELD; o++)
		if ((set & NODE_BIT(o)) && !w->host[o].chosen &&
		    !w->host[o].old &&
		    wal_lsn(w->host[o].pg.flushed) < rec->lsn)
			violated(w, "FLOOR",
			    "s%d writes a position that the candidate s%d has "
			    "not reached",
			    n + 1, o + 1);
}

/* The strict invariant: whoever may take over has every acknowledged one. */
void
judge_members(struct world *w)
{
	const struct reg_value *v = &w->reg.now.value;
	nodeset_t set = 0;
	struct msg *m;
	int n;

	if (w->bounded)
		return;
	if (!reg_lost(w))
		set = judge_effective(w, &v->rec);
	for (m = w->cas; m != NULL; m = m->cas_next)
		if (reg_may_land(w, &m->u.cas))
			set |= judge_effective(w, &m->u.cas.rec);
	for (n = 0; n < w->data; n++)
		if ((set & NODE_BIT(n)) && !w->host[n].chosen &&
		    !w->host[n].old)
			judge_has_all(w, n, "STRICT",
			    "is, or may become, a "
			    "candidate");
}

/* A commit was seen waiting: that says nothing of a walsender which still goes
 * by names without the new one, unless it was asked for as well. */
void
judge_act_done(
    struct world *w, int n, enum act_kind kind, const struct goal *goal)
{
	const struct conn *c = w->conn;
	int s;

	for (s = 0; s < w->data && kind == ACT_WAITING; s++)
		if (c[s].up && c[s].p == n && (c[s].obeys & NODE_BIT(s)) &&
		    !(c[s].obeys & NODE_BIT(goal->node)) &&
		    !(goal->names & NODE_BIT(s)))
			violated(w, "WAITING",
			    "s%d has seen a commit wait for s%d, and s%d may "
			    "let it go",
			    n + 1, goal->node + 1, s + 1);
}

/* It was a primary's, nobody was handed it, and who holds has not all of it. */
static void
judge_forgets(struct world *w, int n)
{
	const struct host *h = &w->host[n];
	const struct durable *d = h->e.st.durable;
	const struct record *rec = &w->reg.now.value.rec;

	if (h->e.primary_was == 0 || d->primary_epoch != 0 || d->latch ||
	    d->handed_epoch != 0 || reg_lost(w) || rec->state == REC_NONE ||
	    rec->holder == n || !h->pg.recovery || h->pg.st != PG_UP ||
	    h->pg.tainted || wal_prefix(w, rec->holder, n))
		return;
	violated(w, "HANDED",
	    "s%d forgets that it was a primary, and has what s%d has not",
	    n + 1, rec->holder + 1);
}

/* From now on this data may follow, and no person was asked. */
void
judge_handed(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	const struct durable *d = e->st.durable;

	if (d->handed_epoch != 0 && e->primary_was == d->handed_epoch &&
	    d->primary_epoch == 0 && !w->host[d->handed_to].old &&
	    !wal_prefix(w, d->handed_to, n))
		violated(w, "HANDED",
		    "s%d follows as it is, and has what s%d has not", n + 1,
		    d->handed_to + 1);
	judge_forgets(w, n);
	e->primary_was = d->primary_epoch;
}
