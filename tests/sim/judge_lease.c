/*
 * The promises about promises: who answered what, and who claims when.
 */
#include <string.h>

#include "sim.h"

#define PPM 1000
#define SLACK (50 * USEC_MSEC)

/* W, computed here on its own. */
usec_t
judge_wait(const struct world *w, usec_t ttl)
{
	(void)w;
	return ttl + ttl * 2 * PPM / 1000000 + SLACK;
}

bool
judge_promise_ended(const struct world *w, int n)
{
	return clk_raw(w, n) >= w->host[n].promised.until;
}

bool
judge_up_for_wait(const struct world *w, int n)
{
	const struct host *h = &w->host[n];

	return clk_raw(w, n) - h->e.start_raw >= judge_wait(w, h->e.start_ttl);
}

static struct watched_rec *
judge_watched(struct engine *e, const char *instance, uint64_t revision,
    const char *nonce)
{
	int i;

	for (i = 0; i < WATCHED_MAX; i++)
		if (e->watched[i].revision == revision &&
		    strcmp(e->watched[i].nonce, nonce) == 0 &&
		    strcmp(e->watched[i].instance, instance) == 0)
			return &e->watched[i];
	return NULL;
}

/* When this very value first came to this engine. */
static void
judge_watch(struct world *w, int n, const struct reg_value *v)
{
	struct engine *e = &w->host[n].e;
	struct watched_rec *r =
	    judge_watched(e, v->instance, v->revision, v->rec.nonce);

	if (r != NULL)
		return;
	r = &e->watched[e->watcheds++ % WATCHED_MAX];
	memcpy(r->instance, v->instance, ID_MAX);
	memcpy(r->nonce, v->rec.nonce, ID_MAX);
	r->revision = v->revision;
	r->first = clk_raw(w, n);
}

/* What the core is told now. */
void
judge_input(struct world *w, int n, const struct msg *m)
{
	struct host *h = &w->host[n];
	struct engine *e = &h->e;
	const struct record *rec = &m->u.value.rec;
	char seed[ID_MAX];
	size_t i;

	judge_shot(w, n, m);
	if (m->kind == M_PG || m->kind == M_PG_GONE)
		e->end_seen = 0;
	if (m->kind == M_PG && m->u.view.recovery == ANS_NO) {
		e->end_seen = m->u.view.wal_end;
		e->end_seen_at = m->u.view.seen_at;
	}
	if (m->kind == M_ASK) {
		e->asked_inc[e->askeds % ASKED_MAX] = m->sender;
		e->asked[e->askeds++ % ASKED_MAX] = m->u.ask;
	}
	if (m->kind == M_CAS && m->u.res.result == CAS_CONFIRMED)
		for (i = 0; i < 16; i++)
			if (e->sent[i].id == m->u.res.id &&
			    e->sent[i].state == REC_HELD &&
			    e->sent[i].epoch > e->held_confirmed)
				e->held_confirmed = e->sent[i].epoch;
	if (m->kind != M_READ || m->u.value.cold)
		return;
	judge_watch(w, n, &m->u.value);
	/* A release by the promisee ends the promise. */
	if (rec->state == REC_RELEASED && rec->holder == h->promised.to &&
	    rec->epoch >= h->promised.epoch)
		h->promised.until = 0;
	snprintf(seed, sizeof(seed), "n%d.%u-", n, e->inc);
	if (rec->state == REC_HELD && rec->holder == n && !m->u.value.half &&
	    rec->epoch > e->held_confirmed &&
	    strncmp(rec->nonce, seed, strlen(seed)) == 0)
		e->held_confirmed = rec->epoch;
}

/* Bounded: the lease goes on from when that was seen which is told with it. */
void
judge_told(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	usec_t d = e->st.deadline, was = e->told_deadline;

	e->told_deadline = d;
	/* While it is closed nothing is acknowledged that could be lost. */
	if (!fence_writers(w, n))
		return;
	if (w->conf[n].bounded && e->st.rel == REL_HELD &&
	    e->st.pg == PGS_PRIMARY && e->end_seen != 0 && was != USEC_NEVER &&
	    d != USEC_NEVER && d > was &&
	    d > e->end_seen_at + w->conf[n].ttl + SLACK)
		violated(w, "TOLD",
		    "s%d prolongs D by what it has not looked for", n + 1);
}

/* The record that it goes by is not older than one that it has seen. */
void
judge_believes(struct world *w, int n)
{
	const struct core_status *st = &w->host[n].e.st;
	const struct durable *d = st->durable;
	const struct record *rec = &st->rec;

	if (st->cold || st->amnesiac || rec->state == REC_NONE ||
	    strcmp(st->instance, d->instance) != 0)
		return;
	if (rec->epoch < d->epoch ||
	    (rec->epoch == d->epoch && rec->seq < d->seq))
		violated(w, "FORGETS",
		    "s%d goes by epoch %llu seq %llu, and has seen %llu %llu",
		    n + 1, (unsigned long long)rec->epoch,
		    (unsigned long long)rec->seq, (unsigned long long)d->epoch,
		    (unsigned long long)d->seq);
}

/* And that is told in each question. */
void
judge_ask(struct world *w, int n, const struct ask *ask)
{
	const struct host *h = &w->host[n];

	if (w->conf[n].bounded && h->e.st.rel == REL_HELD && !ask->abdicate &&
	    !ask->position && ask->ttl > USEC_MSEC && ask->lsn < h->e.end_seen)
		violated(w, "TOLD",
		    "s%d asks with another position than it has seen", n + 1);
}

/* A yes: a promise from now on. */
void
judge_answer(
    struct world *w, int n, const struct ask_answer *a, const struct ask *ask)
{
	struct host *h = &w->host[n];
	const struct engine *e = &h->e;
	const struct record *rec = &w->reg.now.value.rec;
	struct msg *m;
	usec_t until;

	if (!a->yes)
		return;
	if (ask == NULL) {
		violated(
		    w, "ANSWER", "s%d answers what it was not asked", n + 1);
		return;
	}
	if (rec->holder == n && rec->epoch >= ask->epoch &&
	    rec->state != REC_RELEASED && !reg_lost(w))
		violated(w, "HOLDER", "s%d says yes, and is the holder", n + 1);
	if (e->st.durable->epoch > ask->epoch)
		violated(w, "ANSWER",
		    "s%d says yes to epoch %llu, but has "
		    "seen %llu",
		    n + 1, (unsigned long long)ask->epoch,
		    (unsigned long long)e->st.durable->epoch);
	if (ask->ttl > h->disk.t_max)
		violated(w, "ANSWER",
		    "s%d says yes to a T that is not on its "
		    "disk",
		    n + 1);
	if (ask->bounded &&
	    (h->disk.told_epoch != ask->epoch || h->disk.told < ask->lsn))
		violated(w, "TOLD",
		    "s%d says yes to a position that is not on its disk",
		    n + 1);
	for (m = w->cas; m != NULL; m = m->cas_next)
		if (m->u.cas.rec.state == REC_CLAIMED &&
		    m->u.cas.rec.holder == n && reg_may_land(w, &m->u.cas))
			violated(w, "ANSWER",
			    "s%d says yes with a claim "
			    "under way",
			    n + 1);
	/* From when it was decided: the asker counts from before it asked. */
	until = e->turn_at + judge_wait(w, ask->ttl);
	if (h->promised.until < until)
		h->promised.until = until;
	h->promised.to = ask->from;
	h->promised.epoch = ask->epoch;
}

void
judge_claim(struct world *w, int n, const struct do_cas *cas)
{
	struct host *h = &w->host[n];
	const struct reg_value *v = &w->reg.now.value;
	const char *why = NULL;
	nodeset_t must = v->rec.candidates;
	struct watched_rec *r;
	char seed[ID_MAX];
	bool this_run;

	if (v->rec.holder >= 0)
		must |= NODE_BIT(v->rec.holder);
	must &= ~NODE_BIT(n);
	snprintf(seed, sizeof(seed), "n%d.%u-", n, h->e.inc);
	this_run = strncmp(cas->rec.nonce, seed, strlen(seed)) == 0;
	r = judge_watched(&h->e, cas->instance, cas->revision, cas->nonce);
	if (!h->disk_has || !h->disk.claim ||
	    strcmp(h->disk.claim_rec.nonce, cas->rec.nonce) != 0)
		why = "before it is on its disk";
	else if (!judge_promise_ended(w, n))
		why = "against a promise of its own";
	else if (this_run && !judge_up_for_wait(w, n))
		why = "before its engine is up for W";
	else if (cas->revision != v->revision ||
		 strcmp(cas->instance, v->instance) != 0 || v->cold)
		return; /* it cannot land, or the base is not known here */
	else if (!(cas->without != 0 && cas->rec.epoch > v->rec.epoch + 1) &&
		 cas->rec.epoch != v->rec.epoch + 1)
		why = "not in the next epoch";
	else if (cas->rec.candidates != must)
		why = "with other candidates than those who may have all";
	else if (h->disk.proof == PROOF_OPERATOR)
		return; /* a person's word replaces eligibility */
	else if (w->pair && cas->without != 0)
		why = h->copy.told ? NULL : "alone, and nobody said why";
	else if (h->disk.proof == PROOF_AGENT && this_run &&
		 (r == NULL || !judge_shot_proves(w, n, v->rec.holder, r->first,
				   cas->rec.nonce)))
		why = "without its holder's host having been seen off";
	else if (h->disk.proof == PROOF_LEASE && !w->conf[n].proof_lease)
		why = "by a proof that the policy does not take";
	else if (h->disk.proof != PROOF_AGENT && v->rec.state != REC_RELEASED &&
		 this_run &&
		 (r == NULL ||
		     clk_raw(w, n) - r->first < judge_wait(w, v->rec.ttl)))
		why = "a record that it has not watched for W";
	else if (!(v->rec.candidates & NODE_BIT(n)) &&
		 !(v->rec.state == REC_RELEASED && v->rec.holder == n))
		why = "without being eligible";
	if (why != NULL)
		violated(w, "CLAIM", "s%d claims %s", n + 1, why);
}
