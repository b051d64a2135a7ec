/*
 * Replication: one connection a standby, to the node that its primary_conninfo
 * names. It streams only while its own log is a beginning of that node's and
 * the timeline allows it; from another standby as well as from a primary.
 */
#include <string.h>

#include "sim.h"

/* It is gone; its walsender may still show for a while. */
void
conn_cut(struct world *w, int s, bool zombie)
{
	struct conn *c = &w->conn[s];
	struct zombie *z = &w->host[c->p].pg.zombie[s];

	if (!c->up)
		return;
	trace(w, "replication s%d to s%d ends", c->p + 1, s + 1);
	c->up = c->shipping = false;
	if (!zombie)
		return;
	z->until = w->t + rng_log(&w->rng, 10 * USEC_MSEC, 10 * USEC_SEC);
	z->since = w->t;
	z->sent = c->sent;
	z->known = c->known;
}

/* The connections to the standbys of n. */
void
conn_cut_from(struct world *w, int n)
{
	int s;

	for (s = 0; s < w->data; s++)
		if (w->conn[s].up && w->conn[s].p == n)
			conn_cut(w, s, rng_ppm(&w->rng, 500000));
}

/* Its server ends. */
void
conn_cut_all(struct world *w, int n)
{
	int s;

	for (s = 0; s < w->data; s++)
		if (w->conn[s].up && w->conn[s].p == n)
			conn_cut(w, s, false);
	if (w->conn[n].up)
		conn_cut(w, n, rng_ppm(&w->rng, 500000));
}

static bool
conn_flows(const struct world *w, const struct conn *c, int from, int to)
{
	return net_up(w, from, to) && fence_passes(w, c->p) &&
	       pg_held_until(w, to) == 0;
}

static void
conn_try(struct world *w, int s)
{
	struct conn *c = &w->conn[s];
	struct pg *b = &w->host[s].pg, *a;
	int p = b->source;

	if (p == s || p < 0)
		return;
	a = &w->host[p].pg;
	if (!pg_runs(w, p) || !pg_runs(w, s) || !b->recovery || b->promoting ||
	    pg_held_until(w, p) != 0 || pg_held_until(w, s) != 0 ||
	    !net_up(w, p, s) || !net_up(w, s, p) || !fence_passes(w, p) ||
	    b->tl > a->tl || !wal_prefix(w, p, s))
		return;
	memset(c, 0, sizeof(*c));
	c->up = true;
	c->p = p;
	c->s = s;
	c->gen = ++w->gens;
	c->sent = c->known = b->flushed;
	c->obeys = a->names;
	trace(w, "replication s%d to s%d from %u", p + 1, s + 1, c->sent);
	conn_ship(w, s);
}

static void
conn_look(struct world *w, int s)
{
	struct conn *c = &w->conn[s];

	if (c->up &&
	    (!conn_flows(w, c, c->p, c->s) || !conn_flows(w, c, c->s, c->p))) {
		if (c->bad_since == 0)
			c->bad_since = w->t;
		else if (w->t - c->bad_since > 4 * USEC_SEC)
			conn_cut(w, s, rng_ppm(&w->rng, 300000));
	} else if (c->up)
		c->bad_since = 0;
	if (!c->up && rng_ppm(&w->rng, 700000))
		conn_try(w, s);
	conn_ship(w, s);
}

/* Every half second: connect, or notice that it is broken. */
void
conn_turn(struct world *w)
{
	int s;

	for (s = 0; s < w->data; s++)
		conn_look(w, s);
}

void
conn_ship(struct world *w, int s)
{
	struct conn *c = &w->conn[s];
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
	    EV_SHIP, s, c->gen, have);
}

static void
conn_shipped(struct world *w, struct conn *c, const struct ev *ev)
{
	struct pg *a = &w->host[c->p].pg, *b = &w->host[c->s].pg;

	if (ev->kind == EV_SHIP) {
		c->shipping = false;
		wal_copy(w, c->s, c->p, ev->arg);
		b->tl = a->tl;
		b->tainted = b->tainted || a->tainted;
		ev_at(w, w->t + net_delay(w), EV_REPLY, c->p, c->gen, ev->arg);
		conn_ship(w, c->s);
		wal_ship(w, c->s);
		return;
	}
	if (ev->arg > c->known)
		c->known = ev->arg;
	if (c->known >= a->flushed)
		c->behind_since = 0;
	wal_release(w, c->p);
}

void
conn_event(struct world *w, const struct ev *ev)
{
	struct conn *c = NULL;
	int s;

	for (s = 0; s < w->data; s++)
		if (w->conn[s].up && w->conn[s].gen == ev->gen)
			c = &w->conn[s];
	if (c == NULL)
		return;
	if (conn_flows(w, c, ev->kind == EV_SHIP ? c->p : c->s, ev->node)) {
		conn_shipped(w, c, ev);
		return;
	}
	ev_at(w, w->t + rng_in(&w->rng, 20 * USEC_MSEC, 200 * USEC_MSEC),
	    ev->kind, ev->node, ev->gen, ev->arg);
}

/* A walsender has read the new names. */
void
conn_obey(struct world *w, const struct ev *ev)
{
	struct conn *c = &w->conn[ev->arg];

	if (!c->up || c->p != ev->node || c->gen != ev->gen)
		return;
	c->obeys = w->host[c->p].pg.names;
	trace(w, "s%d walsender of s%d obeys names %x", c->p + 1, c->s + 1,
	    c->obeys);
	wal_release(w, c->p);
}

/* Does n know that s has flushed this record? */
bool
conn_has(const struct world *w, int n, int s, uint32_t idx)
{
	const struct conn *c = &w->conn[s];

	return c->up && c->p == n && c->known > idx;
}

/* Does what n writes come to s, and its word back? */
bool
conn_answers(const struct world *w, int n, int s)
{
	return w->conn[s].up && w->conn[s].p == n && net_up(w, n, s) &&
	       net_up(w, s, n);
}

/* By the names as that process has read them: FIRST n of n names, so when all
 * of them have it. */
bool
conn_lets_go(const struct world *w, int n, nodeset_t have)
{
	const struct conn *c = w->conn;
	int s;

	for (s = 0; s < w->data; s++)
		if (c[s].up && c[s].p == n && (c[s].obeys & NODE_BIT(s)) &&
		    (c[s].obeys & ~have) == 0)
			return true;
	return false;
}
