/*
 * The write-ahead logs, the one replication connection, and the clients whose
 * commits must not be lost. A record is an id that is never used twice, so two
 * logs agree up to a place where they show the same id.
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
		commits_add(&w->acked, &a->v[i]);
		w->tot->acked++;
		judge_delivered(w, n, &a->v[i]);
	}
	a->n = 0;
}

/* Commits that have nothing left to wait for are answered. */
void
wal_release(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	struct conn *c = &w->conn;
	uint32_t i, left = 0;
	bool sync = p->flag != 0;
	struct commit one;

	for (i = 0; i < p->open.n; i++) {
		one = p->open.v[i];
		if (one.idx >= p->flushed ||
		    (one.waits && sync &&
			!(c->up && c->p == n && (p->flag & NODE_BIT(c->s)) &&
			    c->known > one.idx)) ||
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

void
wal_ship(struct world *w)
{
	struct conn *c = &w->conn;
	uint32_t have;

	if (!c->up || c->shipping)
		return;
	have = w->host[c->p].pg.flushed;
	if (have <= c->sent)
		return;
	c->shipping = true;
	c->sent = have;
	if (c->behind_since == 0)
		c->behind_since = w->t;
	ev_at(w, w->t + net_delay(w) + rng_in(&w->rng, 200, 3 * USEC_MSEC),
	    EV_SHIP, c->s, c->gen, have);
}

/* The connection between the servers is gone. */
void
conn_cut(struct world *w, bool zombie)
{
	struct conn *c = &w->conn;

	if (!c->up)
		return;
	trace(w, "replication s%d to s%d ends", c->p + 1, c->s + 1);
	c->up = c->shipping = false;
	c->bad_since = w->t;
	if (zombie)
		w->host[c->p].pg.zombie_until =
		    w->t + rng_log(&w->rng, 10 * USEC_MSEC, 10 * USEC_SEC);
}

static bool
conn_flows(const struct world *w, int from, int to)
{
	return net_up(w, from, to) && fence_passes(w, w->conn.p) &&
	       pg_held_until(w, to) == 0;
}

static void
conn_try(struct world *w, int p, int s)
{
	struct conn *c = &w->conn;
	struct pg *a = &w->host[p].pg, *b = &w->host[s].pg;

	if (!pg_writable(w, p) || !pg_runs(w, s) || !b->recovery ||
	    b->promoting || pg_held_until(w, p) != 0 ||
	    pg_held_until(w, s) != 0 || !net_up(w, p, s) || !net_up(w, s, p) ||
	    !fence_passes(w, p) || b->tl > a->tl || !wal_prefix(w, p, s))
		return;
	memset(c, 0, sizeof(*c));
	c->up = true;
	c->p = p;
	c->s = s;
	c->gen = ++w->gens;
	c->sent = c->known = b->flushed;
	trace(w, "replication s%d to s%d from %u", p + 1, s + 1, c->sent);
	wal_ship(w);
}

/* Every half second: connect, or notice that it is broken. */
void
conn_turn(struct world *w)
{
	struct conn *c = &w->conn;

	if (c->up &&
	    (!conn_flows(w, c->p, c->s) || !conn_flows(w, c->s, c->p))) {
		if (c->bad_since == 0)
			c->bad_since = w->t;
		else if (w->t - c->bad_since > 4 * USEC_SEC)
			conn_cut(w, rng_ppm(&w->rng, 300000));
	} else if (c->up)
		c->bad_since = 0;
	if (!c->up && rng_ppm(&w->rng, 700000)) {
		conn_try(w, 0, 1);
		if (!c->up)
			conn_try(w, 1, 0);
	}
	wal_ship(w);
}

static void
wal_shipped(struct world *w, const struct ev *ev)
{
	struct conn *c = &w->conn;

	if (ev->kind == EV_SHIP) {
		c->shipping = false;
		wal_copy(w, c->s, c->p, ev->arg);
		w->host[c->s].pg.tl = w->host[c->p].pg.tl;
		ev_at(w, w->t + net_delay(w), EV_REPLY, c->p, c->gen, ev->arg);
		wal_ship(w);
		return;
	}
	if (ev->arg > c->known)
		c->known = ev->arg;
	if (c->known >= w->host[c->p].pg.flushed)
		c->behind_since = 0;
	wal_release(w, c->p);
}

void
wal_event(struct world *w, const struct ev *ev)
{
	struct conn *c = &w->conn;
	struct pg *p = &w->host[ev->node].pg;
	usec_t held;

	if (ev->kind == EV_SHIP || ev->kind == EV_REPLY) {
		if (!c->up || c->gen != ev->gen)
			return;
		if (!conn_flows(
			w, ev->kind == EV_SHIP ? c->p : c->s, ev->node)) {
			ev_at(w,
			    w->t + rng_in(&w->rng, 20 * USEC_MSEC,
				       200 * USEC_MSEC),
			    ev->kind, ev->node, ev->gen, ev->arg);
			return;
		}
		wal_shipped(w, ev);
		return;
	}
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
	wal_ship(w);
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
		one.at = w->t;
		commits_add(&w->acked, &one);
	}
	p->restarted = 0;
	judge_members(w);
}

/* Clients try every server: the port decides. */
void
client_turn(struct world *w)
{
	struct commit one = { 0 };
	struct pg *p;
	int n;

	for (n = 0; n < DATA; n++) {
		p = &w->host[n].pg;
		wal_deliver(w, n);
		if (!pg_accepts(w, n) || pg_rogue(w, n) ||
		    pg_held_until(w, n) != 0 || w->t < p->stalled_until ||
		    p->open.n > 200)
			continue;
		if (p->restarted > 0 && fence_writers(w, n))
			client_sees(w, n);
		one.idx = p->len;
		one.id = wal_append(w, n);
		one.at = w->t;
		commits_add(&p->open, &one);
		wal_flush_soon(w, n);
	}
}
