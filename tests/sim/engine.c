/*
 * One node's engine around its core: what came in is recorded, a turn decides,
 * actions are carried out one by one. It may be stopped, or die, between any
 * two of them; what comes in meanwhile waits in the sockets.
 */
#include <string.h>

#include "sim.h"

bool
engine_can_run(const struct world *w, int n)
{
	const struct host *h = &w->host[n];

	return h->up && !h->suspended && h->e.core != NULL &&
	       w->t >= h->e.paused_until;
}

/* To the engine that runs now, from its own host, after so long. */
void
engine_local(struct world *w, struct msg *m, usec_t after)
{
	m->from = m->to;
	if (m->inc == 0)
		m->inc = w->host[m->to].e.inc;
	ev_msg(w, w->t + after, m);
}

/* How the host's fence looks to the engine, now and when that changes. */
void
engine_tell_armed(struct world *w, int n)
{
	usec_t left = w->host[n].unarmed_until - w->t;
	struct msg *m = msg_new(w, M_ARMED, n, n);

	engine_local(w, m, rng_in(&w->rng, 100, 50 * USEC_MSEC));
	if (left <= 0)
		return;
	m = msg_new(w, M_ARMED, n, n);
	engine_local(w, m, left + 60 * USEC_MSEC);
}

/* A start reads the file, which somebody may have changed on this host alone;
 * what is promised is the weakest of all that were there at the beginning. */
static void
engine_drift(struct world *w, int n)
{
	struct rng *r = &w->odds[F_DRIFT];
	struct core_conf *c = &w->conf[n];

	if (!fault_odds(w, F_DRIFT, 300000))
		return;
	if (w->bounded && rng_ppm(r, 700000)) {
		c->bounded = !c->bounded || rng_ppm(r, 500000);
		c->max_loss =
		    rng_ppm(r, 500000) ? w->max_loss : w->common.max_loss;
	} else {
		c->bounded = w->common.bounded;
		c->max_loss = w->common.max_loss;
	}
}

void
engine_start(struct world *w, int n)
{
	struct host *h = &w->host[n];
	struct engine *e = &h->e;
	struct now now = clk_now(w, n);
	char seed[ID_MAX];
	int o;

	if (e->core != NULL || !h->up)
		return;
	reg_starts(w, n);
	e->inc++;
	if (w->retune && rng_ppm(&w->rng, 150000))
		w->conf[n].ttl = rng_in(&w->rng, 1, 5) * USEC_SEC;
	engine_drift(w, n);
	snprintf(seed, sizeof(seed), "n%d.%u", n, e->inc);
	e->core =
	    core_new(&w->conf[n], h->disk_has ? &h->disk : NULL, seed, &now);
	e->start_raw = now.raw;
	e->start_ttl = h->disk_has && h->disk.t_max > w->conf[n].ttl ?
			   h->disk.t_max :
			   w->conf[n].ttl;
	e->ran_since = w->t;
	e->paused_until = 0;
	e->draining = e->call = false;
	e->held_confirmed = 0;
	e->in = NULL;
	e->in_tail = &e->in;
	e->wake_t = 0;
	e->turns_at_once = 0;
	e->turn_raw = 0;
	e->read_until = 0;
	memset(e->act, 0, sizeof(e->act));
	for (o = 0; o < DATA_MAX; o++)
		e->heard_raw[o] = -100 * USEC_SEC;
	memset(&e->polled, 0, sizeof(e->polled));
	memset(e->sent, 0, sizeof(e->sent));
	memset(e->asked, 0, sizeof(e->asked));
	memset(e->watched, 0, sizeof(e->watched));
	e->late_close_at = 0;
	e->differ = 0;
	memset(&h->view, 0, sizeof(h->view));
	h->probe_at = 0;
	pair_up(w, n);
	e->found_open = fence_writers(w, n);
	trace(w, "s%d engine starts, element %s", n + 1,
	    e->found_open ? "open" : "closed");
	core_on_start_fence(e->core, e->found_open ? fence_until(w, n) : 0);
	engine_tell_armed(w, n);
	ev_at(w, w->t + 500, EV_POLL, n, e->inc, 0);
	ev_at(w, w->t + 1000, EV_VIEW, n, e->inc, 0);
	ev_at(w, w->t + 2000, EV_REPORT, n, e->inc, 0);
	e->wake_raw = now.raw;
	e->wake_t = w->t;
	ev_at(w, w->t, EV_WAKE, n, e->inc, 0);
}

void
engine_crash(struct world *w, int n)
{
	struct host *h = &w->host[n];
	struct engine *e = &h->e;
	struct durable old = h->disk;
	struct msg *m;

	if (e->core == NULL)
		return;
	trace(w, "s%d engine dies", n + 1);
	if (h->saves > 0)
		cover_fail(w, FAIL_SAVE_CUT);
	/* The write that was under way is whole or not at all. */
	if (h->saves > 0 && w->t >= h->disk_full_until &&
	    rng_ppm(&w->rng, 500000)) {
		h->disk = h->save[0].d;
		h->disk_has = true;
		judge_saved(w, n, &old);
	}
	h->saves = 0;
	pair_down(w, n);
	core_free(e->core);
	e->core = NULL;
	e->inc++;
	e->deadline = 0;
	e->held_confirmed = 0;
	e->call = e->draining = false;
	while ((m = e->in) != NULL) {
		e->in = m->next;
		msg_free(w, m);
	}
	e->in_tail = &e->in;
}

void
engine_pause(struct world *w, int n, usec_t for_us)
{
	struct engine *e = &w->host[n].e;

	if (e->core == NULL || w->t + for_us <= e->paused_until)
		return;
	trace(w, "s%d engine stopped for %lld ms", n + 1,
	    (long long)for_us / USEC_MSEC);
	e->paused_until = e->ran_since = w->t + for_us;
	ev_at(w, e->paused_until, EV_RESUME, n, e->inc, 0);
}

/* The long poll: ask again, and say what is known already. */
void
engine_poll(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	struct msg *m;

	if (w->pair) {
		pair_read(w, n, true);
		return;
	}
	m = msg_new(w, M_POLL_REQ, n, ARB(w));
	m->inc = e->inc;
	m->poll = true;
	m->sent = clk_raw(w, n);
	m->u.value = e->polled;
	net_send(w, m);
}

/* Their configurations agree in what matters for safety. */
static bool
engine_same(const struct world *w, int n, int o)
{
	const struct core_conf *a = &w->conf[n], *b = &w->conf[o];

	return a->bounded == b->bounded &&
	       (!a->bounded || a->max_loss == b->max_loss);
}

/* How this host is, to the others. */
void
engine_report(struct world *w, int n)
{
	struct now now = clk_now(w, n);
	struct core_status st;
	struct msg *m;
	bool serving = w->healed || !rng_ppm(&w->rng, 20000);
	int o;

	core_status(w->host[n].e.core, &now, &st);
	for (o = 0; o < w->data; o++) {
		if (o == n)
			continue;
		m = msg_new(w, M_SITE, n, o);
		m->u.site.site_epoch = st.site.epoch;
		m->u.site.serving = serving;
		m->u.site.config = engine_same(w, n, o) ? ANS_YES : ANS_NO;
		m->u.site.automatic =
		    w->conf[n].mode == CORE_AUTO ? ANS_YES : ANS_NO;
		m->u.site.room = fault_roomless(w, n) ? ANS_NO : ANS_YES;
		before_report(w, n, o, &m->u.site);
		net_send(w, m);
	}
}

static void
engine_take(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	struct msg *m = e->in;

	e->in = m->next;
	if (e->in == NULL)
		e->in_tail = &e->in;
	mix(w, (uint64_t)m->kind);
	if (pair_take_msg(w, n, m))
		return;
	if (m->kind == M_READ && before_refuses(w, n, &m->u.value.rec))
		m->kind = M_READ_FAILED;
	judge_input(w, n, m);
	engine_feed(w, n, m);
	if (m->kind == M_READ_FAILED || (m->kind == M_READ && !m->poll))
		e->read_until = 0;
	if (m->kind == M_READ && m->poll) {
		/* The answer to a poll that another has replaced asks for
		 * nothing. */
		if (strcmp(e->polled.instance, m->u.value.instance) != 0 ||
		    e->polled.revision != m->u.value.revision ||
		    e->polled.cold != m->u.value.cold) {
			e->polled = m->u.value;
			engine_poll(w, n);
		}
	}
	msg_free(w, m);
}

void
engine_input(struct world *w, struct msg *m)
{
	struct host *h = &w->host[m->to];
	struct engine *e = &h->e;

	if (!h->up || e->core == NULL ||
	    (m->inc != 0 && m->inc != e->inc &&
		!(w->pair && m->kind <= M_REPORT_REQ))) {
		pair_refused(w, m);
		msg_free(w, m);
		return;
	}
	m->next = NULL;
	*e->in_tail = m;
	e->in_tail = &m->next;
	engine_run(w, m->to);
}

static void
engine_wake_at(struct world *w, int n, usec_t raw)
{
	struct engine *e = &w->host[n].e;
	usec_t t = clk_true(w, n, raw);

	if (t <= w->t)
		t = w->t + 100;
	if (e->wake_t > w->t && e->wake_t <= t)
		return;
	e->wake_t = t;
	ev_at(w, t, EV_WAKE, n, e->inc, 0);
}

/* Nothing may spin: many turns without the clock moving is a fault. */
static void
engine_count(struct world *w, int n, usec_t raw)
{
	struct engine *e = &w->host[n].e;

	if (raw - e->turn_raw > 20 * USEC_MSEC) {
		e->turn_raw = raw;
		e->turns_at_once = 0;
	}
	if (++e->turns_at_once > 600)
		violated(w, "COST", "s%d turns without end", n + 1);
}

static bool
engine_turn(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	struct now now = clk_now(w, n);
	int some = (int)rng_in(&w->rng, 1, 4);

	while (e->in != NULL && some-- > 0)
		engine_take(w, n);
	now = clk_now(w, n);
	if (now.raw < e->armed_raw || now.raw - e->armed_raw >= USEC_SEC / 2) {
		e->armed_raw = now.raw;
		core_on_armed(e->core, &now,
		    w->t < w->host[n].unarmed_until ? ANS_NO : ANS_YES,
		    "socket");
	}
	e->wake_raw = core_turn(e->core, &now);
	core_status(e->core, &now, &e->st);
	e->deadline = e->st.deadline;
	e->turn_suspended = now.suspended;
	e->turn_at = now.raw;
	e->draining = true;
	engine_count(w, n, now.raw);
	judge_turn(w, n);
	if (fault_odds(w, F_STEP_PAUSE, w->step_pause / 4)) {
		engine_pause(w, n,
		    rng_log(&w->odds[F_STEP_PAUSE], USEC_MSEC, 20 * USEC_SEC));
		return false;
	}
	return true;
}

/* What was decided; false when the engine was stopped or died meanwhile. */
static bool
engine_drain(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	const struct action *a;

	while ((a = core_take(e->core)) != NULL) {
		carry(w, n, a);
		if (e->call || w->stop)
			return false;
		if (a->kind == DO_TELL)
			continue;
		if (fault_odds(w, F_STEP_PAUSE, w->step_pause))
			engine_pause(w, n,
			    rng_log(&w->odds[F_STEP_PAUSE], USEC_MSEC,
				20 * USEC_SEC));
		if (fault_odds(w, F_STEP_CRASH, w->step_crash)) {
			engine_crash(w, n);
			ev_at(w,
			    w->t + rng_log(&w->odds[F_STEP_CRASH],
				       50 * USEC_MSEC, 5 * USEC_SEC),
			    EV_ENGINE_START, n, 0, 0);
			return false;
		}
		if (w->t < e->paused_until)
			return false;
	}
	e->draining = false;
	judge_drained(w, n);
	return true;
}

void
engine_run(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	struct now now;

	while (engine_can_run(w, n) && !w->stop) {
		if (e->call)
			carry_call(w, n);
		if (e->draining && !engine_drain(w, n))
			return;
		now = clk_now(w, n);
		if (e->in == NULL && now.raw < e->wake_raw) {
			engine_wake_at(w, n, e->wake_raw);
			return;
		}
		if (!engine_turn(w, n))
			return;
	}
}

/* A person's order was taken: it is decided on at once. */
void
engine_poke(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;

	e->wake_raw = 0;
	engine_run(w, n);
}
