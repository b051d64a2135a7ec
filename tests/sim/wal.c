/*
 * The write-ahead logs, and the clients whose commits must not be lost. A
 * record is an id that is never used twice, so two logs agree up to a place
 * where they show the same id.
 */
#include <string.h>

#include "hawatch/mem.h"
#include "sim.h"

lsn_t
wal_lsn(uint32_t len)
{
	return LSN_BASE + (lsn_t)len * LSN_STEP;
}

static void
wal_put(struct pg *p, uint32_t id)
{
	if (p->len == p->cap) {
		p->cap = p->cap == 0 ? 1024 : p->cap * 2;
		p->log = xrealloc(p->log, p->cap, sizeof(*p->log));
	}
	p->log[p->len++] = id;
}

uint32_t
wal_append(struct world *w, int n)
{
	wal_put(&w->host[n].pg, ++w->recs);
	return w->recs;
}

void
wal_copy(struct world *w, int to, int from, uint32_t len)
{
	struct pg *p = &w->host[to].pg;
	const struct pg *q = &w->host[from].pg;

	while (p->len < len && p->len < q->len)
		wal_put(p, q->log[p->len]);
	p->flushed = p->len;
}

/* What this log has is kept beside it. */
void
wal_keep(struct world *w, int n)
{
	const struct pg *p = &w->host[n].pg;
	uint32_t i;

	if (w->kept_n <= w->recs) {
		w->kept = xrealloc(w->kept, 2 * w->recs + 1, sizeof(*w->kept));
		memset(w->kept + w->kept_n, 0, 2 * w->recs + 1 - w->kept_n);
		w->kept_n = 2 * w->recs + 1;
	}
	for (i = 0; i < p->flushed; i++)
		w->kept[p->log[i]] = true;
}

/* Is everything that n has on disk also in the log of the other? */
bool
wal_prefix(const struct world *w, int of, int n)
{
	const struct pg *p = &w->host[n].pg, *q = &w->host[of].pg;

	return p->flushed <= q->flushed &&
	       (p->flushed == 0 ||
		   p->log[p->flushed - 1] == q->log[p->flushed - 1]);
}

void
commits_add(struct commits *c, const struct commit *one)
{
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		c->v = xrealloc(c->v, c->cap, sizeof(*c->v));
	}
	c->v[c->n++] = *one;
}

void
wal_flush_soon(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	if (p->flushing > w->t)
		return;
	p->flushing = w->t + rng_in(&w->rng, 300, 4 * USEC_MSEC);
	ev_at(w, p->flushing, EV_WAL, n, p->gen, p->len);
}

/* The server's answer gets out while the port lets it out, at this moment. */
static void
wal_deliver(struct world *w, int n)
{
	struct commits *a = &w->host[n].pg.acks;
	uint32_t i;

	if (a->n == 0 || w->host[n].suspended || !w->host[n].up ||
	    !fence_passes(w, n))
		return;
	for (i = 0; i < a->n; i++) {
		if (w->t - a->v[i].at > 15 * USEC_SEC)
			continue;
		commits_add(
		    judge_forked(w, n) ? &w->gone : &w->acked, &a->v[i]);
		w->tot->acked++;
		judge_delivered(w, n, &a->v[i]);
	}
	a->n = 0;
}

/* Whether a commit waits is decided by the flag that its backend sees, who lets
 * it go is a walsender. */
static bool
wal_let_go(const struct world *w, int n, uint32_t idx)
{
	nodeset_t have = 0;
	int of;

	for (of = 0; of < w->data; of++)
		if (conn_has(w, n, of, idx))
			have |= NODE_BIT(of);
	return conn_lets_go(w, n, have);
}

/* Commits that have nothing left to wait for are answered. */
void
wal_release(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	uint32_t i, left = 0;
	bool sync = p->flag;
	struct commit one;

	for (i = 0; i < p->open.n; i++) {
		one = p->open.v[i];
		if (one.idx >= p->flushed ||
		    (one.waits && sync && !wal_let_go(w, n, one.idx)) ||
		    (!one.waits && sync)) {
			/* Flushed now: does the backend see the flag? */
			if (one.idx < p->flushed && sync)
				one.waits = true;
			p->open.v[left++] = one;
			continue;
		}
		one.at = w->t;
		commits_add(&p->acks, &one);
	}
	p->open.n = left;
	wal_deliver(w, n);
}

/* To all who stream from here. */
void
wal_ship(struct world *w, int from)
{
	int s;

	for (s = 0; s < w->data; s++)
		if (w->conn[s].up && w->conn[s].p == from)
			conn_ship(w, s);
}

/* A flush of the log has ended. */
void
wal_flushed(struct world *w, const struct ev *ev)
{
	struct pg *p = &w->host[ev->node].pg;
	usec_t held;

	if (p->gen != ev->gen)
		return;
	held = pg_held_until(w, ev->node);
	if (held < p->stalled_until && w->t < p->stalled_until)
		held = p->stalled_until;
	if (held != 0) {
		p->flushing = held + rng_in(&w->rng, 0, USEC_MSEC);
		ev_at(w, p->flushing, EV_WAL, ev->node, ev->gen, p->len);
		return;
	}
	p->flushing = 0;
	p->flushed = ev->arg;
	if (p->len > p->flushed)
		wal_flush_soon(w, ev->node);
	wal_release(w, ev->node);
	wal_ship(w, ev->node);
}

/* Rows that a restart made visible: whoever reads them takes them for done. */
static void
client_sees(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	struct commit one = { 0 };
	uint32_t i, from = p->restarted > 40 ? p->restarted - 40 : 0;

	for (i = from; i < p->restarted; i++) {
		one.id = p->log[i];
		one.idx = i;
		one.wrote = one.at = w->t;
		commits_add(&w->acked, &one);
	}
	p->restarted = 0;
	judge_members(w);
}

/* One transaction, if the server takes it. */
void
client_writes(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	struct commit one = { 0 };

	if (!pg_accepts(w, n) || pg_rogue(w, n) || pg_held_until(w, n) != 0 ||
	    w->t < p->stalled_until || p->open.n > 200)
		return;
	if (p->restarted > 0 && fence_writers(w, n))
		client_sees(w, n);
	one.idx = p->len;
	one.id = wal_append(w, n);
	one.wrote = one.at = w->t;
	commits_add(&p->open, &one);
	wal_flush_soon(w, n);
}

/* Clients try every server: the port decides. */
void
client_turn(struct world *w)
{
	int n;

	for (n = 0; n < w->data; n++) {
		wal_deliver(w, n);
		client_writes(w, n);
	}
}
