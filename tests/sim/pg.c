/*
 * PostgreSQL on one host: processes, role, timeline, the names that commits
 * are to wait for and the flag that backends really obey. The write-ahead log
 * is in wal.c.
 */
#include <string.h>

#include "hawatch/mem.h"
#include "sim.h"

#define SYSTEM_ID 7

/* Until when its processes get no turns; 0 when they do. */
usec_t
pg_held_until(const struct world *w, int n)
{
	const struct host *h = &w->host[n];

	if (h->suspended)
		return h->suspended_until;
	return w->t < h->pg.paused_until ? h->pg.paused_until : 0;
}

bool
pg_runs(const struct world *w, int n)
{
	return w->host[n].up && w->host[n].pg.st == PG_UP &&
	       !w->host[n].pg.ending;
}

/* Would it take a write, if one got through the port? */
bool
pg_writable(const struct world *w, int n)
{
	return pg_runs(w, n) && !w->host[n].suspended &&
	       !w->host[n].pg.recovery;
}

bool
pg_accepts(const struct world *w, int n)
{
	return pg_writable(w, n) && fence_passes(w, n);
}

/* Promoted by hand, and the record is not its own: outside of what is promised
 * until the engine has noticed. */
bool
pg_rogue(const struct world *w, int n)
{
	const struct record *rec = &w->reg.now.value.rec;

	return w->host[n].pg.by_hand &&
	       (reg_lost(w) ||
		   !(rec->holder == n &&
		       (rec->state == REC_CLAIMED || rec->state == REC_HELD)));
}

/* The postmaster ends; orphans: one backend in mid-COMMIT stays. */
void
pg_die(struct world *w, int n, bool orphans)
{
	struct pg *p = &w->host[n].pg;
	struct msg *m;
	uint32_t i;

	if (p->st == PG_GONE)
		return;
	trace(w, "s%d postgres ends%s", n + 1, orphans ? ", orphans" : "");
	if (p->st != PG_ORPHANS && w->host[n].e.core != NULL) {
		/* Its pidfd says so at once. */
		m = msg_new(w, M_PG_GONE, n, n);
		engine_local(w, m, rng_in(&w->rng, 10, 300));
	}
	if (orphans && p->st == PG_UP && !p->recovery) {
		p->st = PG_ORPHANS;
		return;
	}
	p->st = PG_GONE;
	p->gen = ++w->gens;
	p->promoting = p->by_hand = p->ending = false;
	p->flushing = 0;
	p->flag = false;
	p->paused_until = 0;
	conn_cut_all(w, n);
	/* What was not flushed is lost; what waits for a standby is not
	 * acknowledged, but will be visible after a restart. */
	p->len = p->flushed;
	for (i = 0; i < p->open.n; i++)
		mix(w, p->open.v[i].id);
	p->open.n = 0;
	pg_view_send(w, n);
}

void
pg_start(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	if (p->st != PG_GONE || !w->host[n].up)
		return;
	if (p->half)
		violated(w, "COPY", "s%d starts what is half rewritten", n + 1);
	p->st = PG_STARTING;
	p->clean = false;
	p->gen = ++w->gens;
	ev_at(w, w->t + rng_log(&w->rng, 30 * USEC_MSEC, 4 * USEC_SEC),
	    EV_STARTED, n, p->gen, 0);
}

/* Its own shutdown: nobody is served any more, what was under way is answered
 * to nobody; a last record is written, and sent to those who stream. */
void
pg_shut_down(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;
	uint32_t i;

	if (p->st != PG_UP || p->ending)
		return;
	trace(w, "s%d postgres shuts down", n + 1);
	for (i = 0; i < p->open.n; i++)
		mix(w, p->open.v[i].id);
	p->open.n = 0;
	p->ending = true;
	ev_at(w, w->t + rng_log(&w->rng, 2 * USEC_MSEC, 500 * USEC_MSEC),
	    EV_ENDING, n, p->gen, 0);
}

static bool
pg_all_have(const struct world *w, int n)
{
	int s;

	for (s = 0; s < w->data; s++)
		if (w->conn[s].up && w->conn[s].p == n &&
		    w->conn[s].known < w->host[n].pg.len)
			return false;
	return true;
}

static void
pg_ending(struct world *w, int n, bool sent)
{
	struct pg *p = &w->host[n].pg;

	if (p->st != PG_UP || !p->ending)
		return;
	if (!sent) {
		if (!p->recovery)
			wal_append(w, n);
		p->flushed = p->len;
		wal_ship(w, n);
	} else if (pg_all_have(w, n)) {
		p->clean = true;
		pg_die(w, n, false);
		return;
	}
	ev_at(w, w->t + rng_in(&w->rng, USEC_MSEC, 5 * USEC_MSEC), EV_ENDING, n,
	    p->gen, 1);
}

/* A backend crashed, and the postmaster starts the others anew: the same
 * process lives on, so nobody is told. */
void
pg_restart_itself(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	if (p->st != PG_UP || p->ending || w->host[n].suspended)
		return;
	trace(w, "s%d postgres restarts itself", n + 1);
	conn_cut_all(w, n);
	p->st = PG_STARTING;
	p->gen = ++w->gens;
	p->promoting = false;
	p->flushing = 0;
	p->len = p->flushed;
	p->open.n = 0;
	ev_at(w, w->t + rng_log(&w->rng, 30 * USEC_MSEC, 2 * USEC_SEC),
	    EV_STARTED, n, p->gen, 0);
}

static usec_t
pg_flag_delay(struct world *w)
{
	if (fault_odds(w, F_FLAG_LATE, 300000))
		return rng_log(
		    &w->odds[F_FLAG_LATE], 10 * USEC_MSEC, 5 * USEC_SEC);
	return rng_in(&w->rng, 200, 20 * USEC_MSEC);
}

static void
pg_started(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	if (rng_ppm(&w->rng, 30000)) {
		pg_die(w, n, false);
		return;
	}
	p->st = PG_UP;
	p->recovery = p->signal;
	p->source = p->source_set;
	p->flag = false;
	p->open.n = 0;
	if (!p->recovery && p->restarted < p->len)
		p->restarted = p->len;
	trace(w, "s%d postgres up as %s, timeline %u, WAL %u", n + 1,
	    p->recovery ? "standby" : "primary", p->tl, p->len);
	ev_at(w, w->t + pg_flag_delay(w), EV_FLAG, n, p->gen, 0);
	pg_view_send(w, n);
}

static void
pg_promoted(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	if (p->st != PG_UP || !p->recovery || p->ending)
		return;
	if (w->conn[n].up)
		conn_cut(w, n, true);
	p->promoting = p->recovery = p->signal = false;
	if (p->by_hand)
		p->hand_at = w->t;
	p->tl++;
	wal_append(w, n);
	p->flushed = p->len;
	trace(w, "s%d postgres promoted, timeline %u, WAL %u", n + 1, p->tl,
	    p->len);
	pg_view_send(w, n);
}

/* A walsender reads the setting before the next reply that it takes, once the
 * signal is there; which may be late. */
static usec_t
pg_obey_delay(struct world *w, nodeset_t names, int s)
{
	return names & NODE_BIT(s) || rng_ppm(&w->rng, 500000) ?
		   pg_flag_delay(w) :
		   rng_in(&w->rng, 50, 900);
}

void
pg_set_names(struct world *w, int n, nodeset_t names)
{
	struct pg *p = &w->host[n].pg;
	int s;

	trace(w, "s%d synchronous_standby_names %x", n + 1, names);
	p->names = names;
	ev_at(w, w->t + pg_flag_delay(w), EV_FLAG, n, p->gen, 0);
	for (s = 0; s < w->data; s++)
		if (w->conn[s].up && w->conn[s].p == n)
			ev_at(w, w->t + pg_obey_delay(w, names, s), EV_OBEY, n,
			    w->conn[s].gen, (uint32_t)s);
}

/* primary_conninfo names another node; the reload comes later. */
void
pg_point(struct world *w, int n, int to)
{
	struct pg *p = &w->host[n].pg;

	trace(w, "s%d primary_conninfo names s%d", n + 1, to + 1);
	p->source_set = to;
	ev_at(w, w->t + rng_log(&w->rng, 2 * USEC_MSEC, 500 * USEC_MSEC),
	    EV_POINTED, n, p->gen, 0);
}

static void
pg_pointed(struct world *w, int n)
{
	struct pg *p = &w->host[n].pg;

	p->source = p->source_set;
	if (w->conn[n].up && w->conn[n].p != p->source)
		conn_cut(w, n, rng_ppm(&w->rng, 500000));
}

/* Its own processes are stopped too: what is due waits. */
void
pg_event(struct world *w, const struct ev *ev)
{
	struct pg *p = &w->host[ev->node].pg;
	usec_t held = pg_held_until(w, ev->node);

	if (ev->gen != p->gen || !w->host[ev->node].up)
		return;
	if (ev->kind == EV_PROMOTED && held < p->replay_until)
		held = p->replay_until; /* all is replayed first */
	if (ev->kind == EV_PROMOTED || ev->kind == EV_STARTED)
		held = held < p->hang_until ? p->hang_until : held;
	if (ev->kind == EV_ENDING && held < p->stalled_until)
		held = p->stalled_until;
	if (held > w->t && ev->kind != EV_STOPPED) {
		/* Not at that moment: faults may end before. */
		if (held > w->t + USEC_SEC)
			held = w->t + USEC_SEC;
		ev_at(w, held + rng_in(&w->rng, 0, 3 * USEC_MSEC), ev->kind,
		    ev->node, ev->gen, ev->arg);
		return;
	}
	if (ev->kind == EV_STARTED && p->st == PG_STARTING)
		pg_started(w, ev->node);
	else if (ev->kind == EV_PROMOTED)
		pg_promoted(w, ev->node);
	else if (ev->kind == EV_ENDING)
		pg_ending(w, ev->node, ev->arg == 1);
	else if (ev->kind == EV_POINTED)
		pg_pointed(w, ev->node);
	else if (ev->kind == EV_STOPPED) {
		/* Orphans that nobody kills may go on for a while. */
		if (p->st == PG_ORPHANS || ev->arg == 1)
			pg_die(w, ev->node, false);
	} else if (ev->kind == EV_FLAG && p->st == PG_UP) {
		p->flag = p->names != 0;
		trace(w, "s%d commits %s", ev->node + 1,
		    p->flag ? "wait" : "wait for nobody");
		wal_release(w, ev->node);
	}
}

/* Somebody puts an old copy of this node's own data back. */
void
pg_set_back(struct world *w, int n, uint32_t len)
{
	struct pg *p = &w->host[n].pg;

	pg_die(w, n, false);
	trace(w, "s%d data is set back to %u records", n + 1, len);
	p->len = p->flushed = len;
	if (p->restarted > len)
		p->restarted = len;
	p->acks.n = 0;
	w->host[n].verified = 0;
	w->host[n].old = true;
}

/* A person puts a copy of the primary's data in the place of this node's. */
void
pg_rebuild(struct world *w, int n, int from)
{
	struct pg *p = &w->host[n].pg;
	const struct pg *q = &w->host[from].pg;

	pg_die(w, n, false);
	trace(w, "s%d rebuilt from s%d", n + 1, from + 1);
	p->len = p->flushed = 0;
	wal_copy(w, n, from, q->flushed);
	p->tl = q->tl;
	p->names = q->names;
	p->source = p->source_set = from;
	p->signal = true;
	p->restarted = 0;
	p->tainted = p->half = false;
	p->diverged_at = 0;
	p->acks.n = 0;
	w->host[n].verified = 0;
	w->host[n].stuck = false;
}

/* From now on it is nobody's data. */
void
pg_rewrite(struct world *w, int n, const struct goal *g)
{
	struct pg *p = &w->host[n].pg;

	if (p->half && p->half_from == g->node && p->half_epoch == g->epoch)
		return;
	judge_rewrite(w, n, g);
	trace(w, "s%d data is rewritten from s%d", n + 1, g->node + 1);
	p->half = true;
	p->half_from = g->node;
	p->half_epoch = g->epoch;
	p->signal = false;
	p->len = p->flushed = 0;
	p->restarted = 0;
	w->host[n].verified = 0;
}

/* It has all that the other has on its disk by now. */
void
pg_rewound(struct world *w, int n, int from, enum fork fork)
{
	bool old = w->host[n].old || w->host[from].old;

	/* A copy is made beside, and the old data stays. */
	if (fork == FORK_CLONE)
		wal_keep(w, n);
	if (fork != FORK_NONE) {
		pg_rebuild(w, n, from);
		w->host[n].old = old;
		w->host[n].pg.tainted = w->host[from].pg.tainted;
	}
	w->host[n].pg.source_set = from;
}

/* How far it has replayed of what it has. */
static uint32_t
pg_replayed(const struct world *w, int n, uint32_t flushed)
{
	const struct pg *p = &w->host[n].pg;

	return w->t < p->replay_until && p->replayed < flushed ? p->replayed :
								 flushed;
}

/* The walsenders of one standby, as pg_stat_replication has them. */
static void
pg_view_sender(
    const struct world *w, int n, int s, usec_t raw, struct pg_sender *out)
{
	const struct zombie *z = &w->host[n].pg.zombie[s];
	const struct conn *c = &w->conn[s];
	bool live = c->up && c->p == n, dead = w->t < z->until;

	memset(out, 0, sizeof(*out));
	out->doubled = live && dead;
	if (live == dead)
		return;
	out->streaming = true;
	out->sent = wal_lsn(live ? c->sent : z->sent);
	out->flush = wal_lsn(live ? c->known : z->known);
	/* The walwriter sends whole pages: half of a record is on its disk,
	 * too, and is worth nothing to it once it was restarted. */
	if (live && c->known < w->host[n].pg.len)
		out->flush += LSN_STEP / 2;
	out->replay = wal_lsn(pg_replayed(w, s, live ? c->known : z->known));
	if (dead)
		out->behind_since = raw - (w->t - z->since);
	else if (c->behind_since != 0)
		out->behind_since = raw - (w->t - c->behind_since);
}

static void
pg_view_query(struct world *w, int n, struct pg_view *v)
{
	struct host *h = &w->host[n];
	const struct pg *p = &h->pg;
	usec_t raw = clk_raw(w, n);
	int s;

	v->seen_at = raw;
	v->recovery = p->recovery ? ANS_YES : ANS_NO;
	v->timeline = p->tl;
	v->system_id = SYSTEM_ID;
	v->wal_end = wal_lsn(p->flushed);
	v->insert = p->recovery ? 0 : wal_lsn(p->len);
	v->sync_names = p->names;
	v->fsync = true;
	v->version = 150020;
	v->replay = p->recovery ? wal_lsn(pg_replayed(w, n, p->flushed)) : 0;
	v->receiver = w->conn[n].up;
	v->source = p->source >= 0 ? NODE_BIT(p->source) : 0;
	memset(v->sender, 0, sizeof(v->sender));
	for (s = 0; s < w->data && !p->recovery; s++)
		if (s != n)
			pg_view_sender(w, n, s, raw, &v->sender[s]);
}

/* What the engine's watch sees now, on its way to the core. */
void
pg_view_send(struct world *w, int n)
{
	struct host *h = &w->host[n];
	struct pg *p = &h->pg;
	struct pg_view *v = &h->view;
	struct msg *m;

	if (h->e.core == NULL || !h->up || h->suspended)
		return;
	v->signal = p->signal;
	v->system_id = SYSTEM_ID;
	v->probe_at = h->probe_at;
	v->running = p->st == PG_GONE			    ? ANS_NO :
		     p->st == PG_UP || p->st == PG_STARTING ? ANS_YES :
							      ANS_UNKNOWN;
	if (p->st == PG_GONE) {
		v->seen_at = clk_raw(w, n);
		v->recovery = ANS_UNKNOWN;
		v->wal_end = v->insert = 0;
		v->receiver = false;
		memset(v->sender, 0, sizeof(v->sender));
	} else if (pg_runs(w, n) && pg_held_until(w, n) == 0)
		pg_view_query(w, n, v);
	/* Dead before this engine started: a pidfd would not tell. */
	if (p->st == PG_ORPHANS)
		engine_local(w, msg_new(w, M_PG_GONE, n, n), 100);
	m = msg_new(w, M_PG, n, n);
	m->u.view = *v;
	/* One connection: what was seen later does not arrive earlier. */
	h->view_due += rng_in(&w->rng, 1, 50);
	if (h->view_due < w->t + 200)
		h->view_due = w->t + rng_in(&w->rng, 200, 6 * USEC_MSEC);
	engine_local(w, m, h->view_due - w->t);
	/* A probe of its own connection, committed on local disk only. */
	if (pg_writable(w, n) && pg_held_until(w, n) == 0 &&
	    w->t >= p->stalled_until &&
	    w->t - h->probe_wal_at > 300 * USEC_MSEC) {
		h->probe_at = clk_raw(w, n);
		h->probe_wal_at = w->t;
		wal_append(w, n);
		wal_flush_soon(w, n);
	}
}
