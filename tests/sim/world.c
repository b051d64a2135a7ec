/*
 * One world: made from a seed, run to its end, freed.
 */
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "sim.h"

#define HEALING (80 * USEC_SEC)

/* Mostly two or three. */
static void
world_size(struct world *w, int nodes)
{
	static const char *const name[] = { "s1", "s2", "s3", "s4" };
	static const int size[] = { 2, 2, 2, 2, 3, 3, 3, 3, 3, 4 };
	int n;

	w->data = size[rng_in(&w->rng, 0, 9)];
	if (nodes != 0)
		w->data = nodes;
	w->names.cluster = "sim";
	w->names.count = w->data + 1;
	for (n = 0; n < w->data; n++)
		w->names.node[n] = name[n];
	w->names.node[ARB(w)] = "a1";
	w->bounded = w->common.bounded = rng_ppm(&w->rng, 200000);
	w->max_loss = w->common.max_loss =
	    (lsn_t)rng_log(&w->rng, 1, 200) * LSN_STEP;
	for (n = 0; n < w->data; n++)
		w->common.priority[n] = (int)rng_in(&w->rng, 0, 2);
	w->switched_off = NODE_NONE;
}

static void
world_conf(struct world *w)
{
	static const usec_t ttl[] = { 1, 2, 2, 5 };
	usec_t t = ttl[rng_in(&w->rng, 0, 3)] * USEC_SEC;
	bool site[5];
	struct core_conf *c;
	int n;

	for (n = 0; n < 5; n++)
		site[n] = rng_ppm(&w->rng, 700000);

	w->retune = rng_ppm(&w->rng, 300000);
	for (n = 0; n < w->data; n++) {
		c = &w->conf[n];
		c->names = &w->names;
		c->self = n;
		c->data = NODE_BIT(w->data) - 1;
		c->mode = CORE_AUTO;
		/* Sometimes a new T has reached one of them only. */
		c->ttl = rng_ppm(&w->rng, 250000) ?
			     ttl[rng_in(&w->rng, 0, 3)] * USEC_SEC :
			     t;
		c->slack = 50 * USEC_MSEC;
		c->clock_ppm = 1000;
		c->min_interval = rng_ppm(&w->rng, 500000) ?
				      0 :
				      rng_in(&w->rng, 5, 60) * USEC_SEC;
		c->proof_lease = true;
		c->standby_timeout = rng_in(&w->rng, 500, 3000) * USEC_MSEC;
		c->start_timeout = 30 * USEC_SEC;
		c->bounded = w->common.bounded;
		c->max_loss = w->common.max_loss;
		memcpy(c->priority, w->common.priority, sizeof(c->priority));
		c->before = site[0] && site[1];
		c->after = site[1];
		c->traffic = site[2];
		c->traffic_every = site[3];
		c->verify = site[4];
		c->quiet = site[1];
		c->files = site[3];
	}
	/* One is still being tried out, and only looks on until the end. */
	if (rng_ppm(&w->rng, 30000))
		w->conf[rng_in(&w->rng, 1, w->data - 1)].mode = CORE_OBSERVE;
}

/* Not every host has got the new configuration; the weakest of them is what is
 * promised. */
static void
world_drift(struct world *w)
{
	struct rng *r = &w->odds[F_DRIFT];
	struct core_conf *c;
	int n, of;

	for (n = 0; n < w->data; n++) {
		c = &w->conf[n];
		if (!w->on[F_DRIFT] || !rng_ppm(r, 500000))
			continue;
		c->bounded = rng_ppm(r, 300000) ? !c->bounded : c->bounded;
		c->max_loss = (lsn_t)rng_log(r, 1, 200) * LSN_STEP;
		for (of = 0; of < w->data; of++)
			c->priority[of] = (int)rng_in(r, 0, 2);
		w->tot->faults[F_DRIFT]++;
		w->bounded = w->bounded || c->bounded;
		if (w->max_loss < c->max_loss)
			w->max_loss = c->max_loss;
	}
}

/* What is by a kind of its own: the seeds without it are as before. */
static void
world_rejoin(struct world *w)
{
	struct rng *r = &w->odds[F_REJOIN];
	enum core_rejoin how;
	int n;

	if (!w->on[F_REJOIN] || !rng_ppm(r, 700000))
		return;
	how = rng_ppm(r, 500000) ? CORE_REJOIN_CLONE : CORE_REJOIN_REWIND;
	for (n = 0; n < w->data; n++)
		w->conf[n].rejoin = how;
}

/* A primary on the first, its standbys on the others, and no record yet. */
static void
world_host(struct world *w, int n)
{
	struct host *h = &w->host[n];

	h->up = true;
	h->clk.base_raw = rng_in(&w->rng, 10, 100) * USEC_SEC;
	h->clk.ppm = rng_ppm(&w->rng, 300000) ?
			 (rng_ppm(&w->rng, 500000) ? 1000 : -1000) :
			 (int)rng_in(&w->rng, -1000, 1000);
	h->promised.to = NODE_NONE;
	h->e.in_tail = &h->e.in;
	if (n == ARB(w))
		return;
	h->pg.st = PG_UP;
	h->pg.tl = 1;
	h->pg.gen = ++w->gens;
	h->pg.recovery = h->pg.signal = h->around.pulling = n > 0;
	h->pg.source = h->pg.source_set = n > 0 ? 0 : NODE_NONE;
	if (n == 0)
		wal_append(w, 0);
	else
		wal_copy(w, n, 0, 1);
	h->pg.flushed = h->pg.len;
	ev_at(w, rng_in(&w->rng, 0, USEC_SEC), EV_ENGINE_START, n, 0, 0);
}

struct world *
world_new(const struct plan *plan, uint64_t seed, struct totals *tot)
{
	struct world *w = xcalloc(1, sizeof(*w));
	int n;

	w->seed = seed;
	/* Streams of neighbours must not be the same one, shifted. */
	w->rng.s = seed;
	w->rng.s = rng_next(&w->rng) ^ seed << 32;
	w->tot = tot;
	w->trace = plan->trace;
	w->end = plan->length;
	w->heal_at = w->end > 2 * HEALING ? w->end - HEALING : w->end / 2;
	w->verbose = plan->verbose;
	w->tail = plan->tail;
	w->keep = plan->keep;
	w->keeps = plan->keeps;
	w->last_open = w->lied = NODE_NONE;
	fault_draw(w, plan->only);
	world_size(w, plan->nodes);
	pair_draw(w, plan->only);
	world_conf(w);
	world_drift(w);
	world_rejoin(w);
	agent_conf(w);
	pair_conf(w);
	before_draw(w, plan->only);
	fault_draw_stuck(w, plan->only);
	for (n = 0; n <= ARB(w); n++)
		world_host(w, n);
	if (!w->pair)
		reg_begin(w);
	ev_at(w, 0, EV_CONN, 0, 0, 0);
	ev_at(w, 0, EV_CLIENT, 0, 0, 0);
	ev_at(w, USEC_SEC, EV_OPER, 0, 0, 0);
	ev_at(w, rng_in(&w->rng, 1, 20) * USEC_SEC, EV_FAULT, 0, 0, 0);
	return w;
}

void
world_free(struct world *w)
{
	struct msg *m;
	size_t i;
	int n;

	for (n = 0; n < w->data; n++) {
		engine_crash(w, n);
		free(w->host[n].pg.log);
		free(w->host[n].pg.open.v);
		free(w->host[n].pg.acks.v);
	}
	w->reg.up = !w->pair;
	w->reg.writing = false;
	reg_down(w);
	for (i = 0; i < w->heap_n; i++)
		if (w->heap[i].msg != NULL)
			msg_free(w, w->heap[i].msg);
	while ((m = w->pool) != NULL) {
		w->pool = m->next;
		free(m);
	}
	free(w->heap);
	free(w->acked.v);
	free(w->gone.v);
	free(w->kept);
	free(w->struck);
	free(w);
}

static void
world_view(struct world *w, const struct ev *ev)
{
	struct host *h = &w->host[ev->node];
	bool fast = pg_writable(w, ev->node);

	if (h->e.inc != ev->gen || h->e.core == NULL)
		return;
	if (engine_can_run(w, ev->node))
		pg_view_send(w, ev->node);
	ev_at(w,
	    w->t + (fast ? rng_in(&w->rng, 150, 260) :
			   rng_in(&w->rng, 400, 1000)) *
		       USEC_MSEC,
	    EV_VIEW, ev->node, ev->gen, 0);
}

static void
world_engine(struct world *w, const struct ev *ev)
{
	struct engine *e = &w->host[ev->node].e;

	if (ev->kind == EV_ENGINE_START) {
		engine_start(w, ev->node);
		return;
	}
	if (e->core == NULL || e->inc != ev->gen)
		return;
	if (ev->kind == EV_WAKE && e->wake_t == ev->t)
		e->wake_t = 0;
	if (ev->kind == EV_POLL || ev->kind == EV_REPORT) {
		if (engine_can_run(w, ev->node))
			(ev->kind == EV_POLL ? engine_poll : engine_report)(
			    w, ev->node);
		ev_at(w, w->t + (ev->kind == EV_POLL ? 1500 : 1000) * USEC_MSEC,
		    ev->kind, ev->node, ev->gen, 0);
		return;
	}
	engine_run(w, ev->node);
}

/* What comes again and again. */
static void
world_tick(struct world *w, const struct ev *ev)
{
	usec_t next = rng_in(&w->rng, 60, 140) * USEC_MSEC;

	if (ev->kind == EV_CLIENT)
		client_turn(w);
	else if (ev->kind == EV_CONN) {
		conn_turn(w);
		next = 500 * USEC_MSEC;
	} else {
		oper_turn(w);
		next = USEC_SEC;
	}
	ev_at(w, w->t + next, ev->kind, 0, 0, 0);
}

static void
world_event(struct world *w, const struct ev *ev)
{
	switch (ev->kind) {
	case EV_MSG:
		net_arrive(w, ev->msg);
		break;
	case EV_WAKE:
	case EV_RESUME:
	case EV_ENGINE_START:
	case EV_POLL:
	case EV_REPORT:
		world_engine(w, ev);
		break;
	case EV_SAVE:
		carry_saved(w, ev->node, ev->gen);
		break;
	case EV_REG_WRITTEN:
		reg_written(w, ev->gen);
		break;
	case EV_REG_START:
		if (ev->gen == w->reg.inc)
			reg_up(w);
		break;
	case EV_COPY:
		pair_written(w, ev->node, ev->gen);
		break;
	case EV_VIEW:
		world_view(w, ev);
		break;
	case EV_CLIENT:
	case EV_CONN:
	case EV_OPER:
		world_tick(w, ev);
		break;
	case EV_SHIP:
	case EV_REPLY:
		conn_event(w, ev);
		break;
	case EV_OBEY:
		conn_obey(w, ev);
		break;
	case EV_WAL:
		wal_flushed(w, ev);
		break;
	case EV_FLAG:
	case EV_STOPPED:
	case EV_ENDING:
	case EV_STARTED:
	case EV_PROMOTED:
	case EV_POINTED:
		pg_event(w, ev);
		break;
	case EV_ACT:
		act_step(w, ev);
		break;
	case EV_AGENT:
		agent_step(w, ev);
		break;
	case EV_FAULT:
		fault_turn(w, ev);
		break;
	case EV_BOOT:
	case EV_UNSUSPEND:
	case EV_UNFLUSH:
		fault_event(w, ev);
		break;
	case EV_COUNT:
		break;
	}
}

void
world_run(struct world *w)
{
	struct ev ev;

	while (!w->stop && ev_pop(w, &ev)) {
		if (ev.t > w->end) {
			if (ev.msg != NULL)
				msg_free(w, ev.msg);
			break;
		}
		w->t = ev.t;
		mix(w, (uint64_t)ev.t * 32 + (uint64_t)ev.kind);
		if (!w->healed && w->t >= w->heal_at)
			fault_heal(w);
		world_event(w, &ev);
		judge_instant(w);
		w->tot->events++;
	}
	if (!w->stop)
		judge_end(w);
	w->tot->runs++;
	w->tot->sizes[w->data]++;
	w->tot->time += w->t;
}
