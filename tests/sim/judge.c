/*
 * The promises, asserted while the world runs. What is looked at is the world
 * itself: the kernel's table, the logs, the requests under way; the core's own
 * opinion (core_status) only where the promise is about that opinion.
 */
#include <string.h>

#include "sim.h"

#define LATE (150 * USEC_MSEC)
#define NOTICED (4 * USEC_SEC)	 /* a view of a standby may be that old */
#define DEAF_LATE (3 * USEC_SEC) /* calls to the kernel failed until then */

void
judge_delivered(struct world *w, int n, const struct commit *c)
{
	const struct klease *f = &w->host[n].fence;

	(void)c;
	/* Who is alone again, by a proof, goes on by what both had agreed. */
	if (!fence_flushed(w, n) && f->epoch < w->max_open_epoch &&
	    !judge_lied_to(w, n) && !w->forked)
		violated(w, "S1",
		    "s%d delivers an acknowledgement under "
		    "epoch %llu, epoch %llu was opened",
		    n + 1, (unsigned long long)f->epoch,
		    (unsigned long long)w->max_open_epoch);
	judge_members(w);
}

/* The port of a standby is open for readers until the engine has noticed a
 * promotion by hand, or for as long as the element may live: also where the
 * node claims meanwhile, and the record is its own. */
static bool
judge_readers(const struct world *w, int n)
{
	const struct pg *p = &w->host[n].pg;

	return clk_raw(w, n) < w->host[n].fence.readers_end &&
	       !(p->by_hand && w->t - p->hand_at < NOTICED);
}

/* Two writers at one instant. A table that others flushed is not counted. */
void
judge_instant(struct world *w)
{
	bool open;
	int n, count = 0;

	judge_sick(w);
	judge_stuck(w);
	for (n = 0; n < w->data; n++) {
		open = pg_writable(w, n) && !pg_rogue(w, n) &&
		       (fence_writers(w, n) || judge_readers(w, n));
		if (open && !fence_writers(w, n))
			violated(w, "S1",
			    "s%d is a primary while its port is "
			    "open for readers",
			    n + 1);
		count += open && !judge_lied_to(w, n);
		if (open && !w->was_open[n]) {
			mix(w, (uint64_t)n + 77);
			trace(w, "s%d accepts writes", n + 1);
			judge_holds(w, n);
		} else if (!open && w->was_open[n]) {
			trace(w, "s%d accepts no writes", n + 1);
			judge_closed(w, n);
		}
		w->was_open[n] = open;
	}
	if (count > 1)
		violated(w, "S1", "%d accept writes", count);
}

/* P covers every record of this node that is, or may come, in the register. */
static void
judge_possible(struct world *w, int n)
{
	const struct engine *e = &w->host[n].e;
	const struct reg_value *v = &w->reg.now.value;
	nodeset_t set = 0, p = e->st.possible | NODE_BIT(n);
	struct msg *m;

	if (e->core == NULL || e->deadline <= clk_raw(w, n) ||
	    (e->st.rel != REL_HELD && e->st.rel != REL_CLAIMED) ||
	    reg_lost(w) || v->rec.holder != n || w->host[n].suspended)
		return;
	set = judge_effective(w, &v->rec);
	for (m = w->cas; m != NULL; m = m->cas_next)
		if (m->u.cas.rec.holder == n && reg_may_land(w, &m->u.cas))
			set |= judge_effective(w, &m->u.cas.rec);
	if ((set & ~p) != 0)
		violated(w, "P", "s%d believes P = %x, but %x may claim", n + 1,
		    p & ~NODE_BIT(n), set);
}

void
judge_turn(struct world *w, int n)
{
	judge_handed(w, n);
	judge_possible(w, n);
	judge_gives_way(w, n);
	judge_told(w, n);
	judge_believes(w, n);
	cover_turn(w, n);
}

/* All that was decided is done: what is not allowed any more is closed, at
 * once, or after the few retries that a failing call to the kernel takes. */
void
judge_drained(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	usec_t raw = clk_raw(w, n), d = e->st.deadline;
	bool open =
	    fence_writers(w, n) && !(e->found_open && e->held_confirmed == 0);
	bool long_open =
	    open && d > raw && fence_until(w, n) - d > 10 * USEC_MSEC;

	/* What cannot be closed ends by itself; and PostgreSQL is stopped. */
	if (w->t < w->host[n].deaf_until) {
		e->late_close_at = 0;
		return;
	}
	judge_stalled(w, n);
	if (!long_open && !(open && d <= raw)) {
		e->late_close_at = 0;
		return;
	}
	if (e->late_close_at == 0)
		e->late_close_at = w->t;
	if (w->t - e->late_close_at <= LATE)
		return;
	if (long_open)
		violated(w, "ELEMENT",
		    "s%d has an element that ends %lld us "
		    "after D",
		    n + 1, (long long)(fence_until(w, n) - d));
	else
		violated(w, "S6", "s%d stays open without a lease", n + 1);
}

static void
judge_release(struct world *w, int n)
{
	const struct pg *p = &w->host[n].pg;
	const struct reg_value *v = &w->reg.now.value;

	if (fence_writers(w, n) &&
	    (p->st != PG_GONE || w->t - w->host[n].deaf_until > DEAF_LATE))
		violated(w, "S1", "s%d releases with an open fence", n + 1);
	if (v->rec.holder == n && v->rec.state == REC_HELD &&
	    p->st != PG_GONE && !(p->st == PG_UP && p->recovery) &&
	    !(p->st == PG_STARTING && p->signal))
		violated(w, "S3",
		    "s%d releases while a process of "
		    "PostgreSQL may live",
		    n + 1);
}

void
judge_cas(struct world *w, int n, const struct do_cas *cas)
{
	struct engine *e = &w->host[n].e;
	const struct klease *f = &w->host[n].fence;
	const struct reg_value *v = &w->reg.now.value;
	usec_t raw = clk_raw(w, n);
	bool again = false;
	int i;

	for (i = 0; i < 16; i++)
		again = again || e->sent[i].id == cas->id;
	e->sent[e->sents++ % 16] = (struct sent_cas){
		.id = cas->id, .epoch = cas->rec.epoch, .state = cas->rec.state
	};
	/* Not the renewals of a claim that was won. */
	if (cas->rec.state == REC_CLAIMED &&
	    (e->st.rel != REL_CLAIMED || e->st.rec.epoch != cas->rec.epoch))
		judge_claim(w, n, cas);
	if (cas->rec.state == REC_RELEASED)
		judge_release(w, n);
	/* Who left durably is none of those who might claim by it. */
	if (cas->rec.state == REC_HELD && judge_effective(w, &cas->rec) != 0 &&
	    fence_writers(w, n) && f->end_raw == USEC_NEVER)
		violated(w, "FINITE",
		    "s%d sends candidates %x while its "
		    "element has no end",
		    n + 1, cas->rec.candidates);
	/* What was sent before is sent again until its outcome is known. */
	if (!again && cas->rec.state == REC_HELD &&
	    e->st.rec.state == REC_HELD &&
	    (cas->rec.candidates & ~e->st.rec.candidates & e->differ) != 0)
		violated(w, "CONFIG",
		    "s%d adds %x, of whom %x said that their configuration "
		    "differs, or their mode is not auto",
		    n + 1, cas->rec.candidates, e->differ);
	if (cas->rec.state == REC_HELD && cas->rec.ttl < v->rec.ttl &&
	    v->rec.holder == n && cas->rec.candidates != 0 &&
	    fence_writers(w, n) && f->end_raw > raw + cas->rec.ttl)
		violated(w, "TTL",
		    "s%d sends a shorter T before its element "
		    "is shorter",
		    n + 1);
	if (cas->rec.state == REC_HELD && cas->rec.candidates != 0 &&
	    cas->rec.paused_until > clk_now(w, n).wall)
		violated(w, "PAUSE", "s%d lists candidates %x in a pause",
		    n + 1, cas->rec.candidates);
	judge_floor(w, n, &cas->rec);
	judge_possible(w, n);
	judge_members(w);
}

/* A claim has landed: no other may believe that it has a lease. */
static void
judge_landed(struct world *w, const struct record *rec)
{
	const struct host *h;
	int o;

	judge_lied(w, rec->holder);
	for (o = 0; o < w->data; o++) {
		if (o == rec->holder || judge_lied_to(w, o))
			continue;
		h = &w->host[o];
		if (h->up && !h->suspended && h->e.core != NULL &&
		    h->e.turn_suspended == h->clk.suspended &&
		    h->e.deadline > clk_raw(w, o))
			violated(w, "LEASE",
			    "the claim of s%d landed while D of s%d "
			    "is ahead by %lld ms",
			    rec->holder + 1, o + 1,
			    h->e.deadline == USEC_NEVER ?
				-1LL :
				(long long)(h->e.deadline - clk_raw(w, o)) /
				    USEC_MSEC);
		if (w->was_open[o] && fence_writers(w, o) && pg_writable(w, o))
			violated(w, "LEASE",
			    "the claim of s%d landed while s%d "
			    "accepts writes",
			    rec->holder + 1, o + 1);
	}
}

/* Some copy of the register says so. */
void
judge_held(struct world *w, const struct record *rec)
{
	if (rec->state == REC_HELD)
		w->held_by[rec->epoch % 256] |= NODE_BIT(rec->holder);
}

void
judge_written(struct world *w, const struct arbiter *old)
{
	const struct record *rec = &w->reg.now.value.rec;
	int n;

	/* Whom a holder lists has all, whatever it was told once; a file that
	 * is only read again says nothing new. */
	for (n = 0; n < w->data && rec->state == REC_HELD; n++)
		if ((rec->candidates & NODE_BIT(n)) &&
		    w->reg.now.value.revision > old->value.revision)
			w->host[n].chosen = false;
	judge_held(w, rec);
	if (!reg_lost(w) && w->reg.now.value.revision > old->value.revision &&
	    rec->state == REC_CLAIMED && rec->epoch > old->value.rec.epoch &&
	    rec->holder >= 0 && rec->holder < w->data)
		judge_landed(w, rec);
	for (n = 0; n < w->data; n++)
		if (w->host[n].e.core != NULL)
			judge_possible(w, n);
	judge_members(w);
}

/* The conditions of opening, each by the world's own knowledge. */
static void
judge_open(struct world *w, int n)
{
	const struct engine *e = &w->host[n].e;
	const struct core_status *st = &e->st;
	const char *why = NULL;

	if (st->rel != REL_HELD || st->rec.holder != n)
		why = "is not held by it";
	else if (e->held_confirmed != st->rec.epoch)
		why = "was not confirmed in this run of the engine";
	else if (!judge_promise_ended(w, n))
		why = "would break a promise of its own";
	else if (!judge_up_for_wait(w, n))
		why = "its engine is not up for W";
	else if (w->t < w->host[n].unarmed_until &&
		 w->t - w->host[n].unarmed_at > USEC_SEC &&
		 clk_raw(w, n) - e->start_raw > USEC_SEC)
		why = "its fence is not armed";
	else if (w->host[n].disk.primary_epoch != st->rec.epoch)
		why = "is not on its disk";
	if (why != NULL)
		violated(w, "OPEN", "s%d opens: the record %s", n + 1, why);
}

void
judge_fence(struct world *w, int n, enum fence_op op, usec_t deadline)
{
	const struct engine *e = &w->host[n].e;

	if (op == FENCE_OP_CLOSE)
		return;
	if (deadline > e->st.deadline)
		violated(w, "ELEMENT",
		    "s%d asks for an element that ends "
		    "after D",
		    n + 1);
	if (op == FENCE_OP_OPEN)
		judge_open(w, n);
	else if (e->st.rel != REL_HELD)
		violated(w, "OPEN", "s%d prolongs without holding", n + 1);
}

void
judge_opened(struct world *w, int n)
{
	struct klease *f = &w->host[n].fence;
	uint64_t epoch = w->host[n].e.st.rec.epoch;

	w->tot->opens += f->epoch != epoch;
	f->epoch = epoch;
	if (epoch <= w->max_open_epoch)
		return;
	w->max_open_epoch = epoch;
	if (w->last_open != n)
		w->tot->takeovers++;
	w->last_open = n;
	trace(w, "s%d opens epoch %llu", n + 1, (unsigned long long)epoch);
}

void
judge_saved(struct world *w, int n, const struct durable *old)
{
	const struct durable *d = &w->host[n].disk;

	if (strcmp(old->instance, d->instance) == 0 &&
	    (d->epoch < old->epoch ||
		(d->epoch == old->epoch && d->seq < old->seq)))
		violated(w, "FORGETS",
		    "s%d saves epoch %llu seq %llu after "
		    "%llu %llu",
		    n + 1, (unsigned long long)d->epoch,
		    (unsigned long long)d->seq, (unsigned long long)old->epoch,
		    (unsigned long long)old->seq);
	if (d->site_epoch != old->site_epoch && old->site_epoch != 0 &&
	    (d->site_epoch < old->site_epoch ||
		(w->conf[n].after && d->site_epoch > w->host[n].around.epoch)))
		violated(w, "SITE",
		    "s%d saves that it was brought to its role for epoch %llu, "
		    "it was for %llu",
		    n + 1, (unsigned long long)d->site_epoch,
		    (unsigned long long)w->host[n].around.epoch);
	if (d->t_max < old->t_max)
		violated(w, "FORGETS", "s%d saves a smaller T", n + 1);
}

static bool
judge_other_open(const struct world *w, int n)
{
	int o;

	for (o = 0; o < w->data; o++)
		if (o != n && w->was_open[o] && !judge_lied_to(w, o))
			return true;
	return false;
}

void
judge_promote(struct world *w, int n, const struct goal *goal)
{
	const struct host *h = &w->host[n];
	const struct core_status *st = &h->e.st;
	const char *why = NULL;

	(void)goal;
	if (!h->disk_has || h->disk.proof == PROOF_NONE ||
	    h->disk.proof_epoch != st->rec.epoch)
		why = "no proof is on its disk";
	else if (st->rel != REL_CLAIMED || st->rec.holder != n)
		why = "the record is not its claim";
	else if (st->deadline <= h->e.turn_at) /* when it was decided */
		why = "its own lease is over";
	else if (fence_writers(w, n) || clk_raw(w, n) < h->fence.readers_end)
		why = "its port is open";
	else if (judge_other_open(w, n))
		why = "another accepts writes";
	else if ((st->rec.candidates & ~h->pg.names) != 0)
		why = "commits would not wait for the claim's candidates";
	if (why != NULL)
		violated(w, "S3", "s%d promotes: %s", n + 1, why);
	if (w->conf[n].before && h->around.pulling)
		violated(w, "SITE",
		    "s%d promotes while it pulls from the old primary", n + 1);
}
