/*
 * The core's actions, carried out: what the daemon's driver does, in the
 * simulated world.
 */
#include <string.h>

#include "sim.h"

static void
carry_cas(struct world *w, int n, const struct do_cas *cas)
{
	const struct record *rec = &w->reg.now.value.rec;
	struct msg *m;

	if (w->verbose || cas->rec.seq != rec->seq ||
	    cas->rec.epoch != rec->epoch || cas->reseed)
		trace(w,
		    "s%d CAS %llu on rev %llu: epoch %llu seq %llu %s "
		    "holder %d candidates %x%s%s",
		    n + 1, (unsigned long long)cas->id,
		    (unsigned long long)cas->revision,
		    (unsigned long long)cas->rec.epoch,
		    (unsigned long long)cas->rec.seq,
		    rec_state_str(cas->rec.state), cas->rec.holder,
		    cas->rec.candidates, cas->reseed ? " RESEED" : "",
		    cas->without != 0 ? " ALONE" : "");
	if (w->pair) {
		judge_alone(w, n, cas);
		judge_cas(w, n, cas);
		pair_write(w, n, cas);
		return;
	}
	m = msg_new(w, M_CAS_REQ, n, ARB(w));
	m->inc = w->host[n].e.inc;
	m->u.cas = *cas;
	msg_cas_track(w, m);
	judge_cas(w, n, cas);
	judge_before(w, n, cas);
	net_send(w, m);
}

static void
carry_save(struct world *w, int n, uint64_t version)
{
	struct host *h = &w->host[n];
	usec_t took = rng_in(&w->rng, 500, 5 * USEC_MSEC);

	if (h->saves == SAVES_MAX) {
		violated(
		    w, "COST", "s%d has %d saves under way", n + 1, h->saves);
		return;
	}
	h->save[h->saves].d = *h->e.st.durable;
	h->save[h->saves].version = version;
	if (h->saves++ > 0)
		return;
	if (w->t < h->disk_slow_until)
		took = rng_log(&w->rng, 5 * USEC_MSEC, 4 * USEC_SEC);
	ev_at(w, w->t + took, EV_SAVE, n, h->e.inc, 0);
}

/* A write to the disk has ended; the worker takes the next. */
void
carry_saved(struct world *w, int n, uint64_t inc)
{
	struct host *h = &w->host[n];
	struct durable old = h->disk;
	struct msg *m;

	if (h->e.core == NULL || h->e.inc != inc || h->saves == 0)
		return;
	m = msg_new(w, M_SAVED, n, n);
	m->u.saved.version = h->save[0].version;
	m->u.saved.ok = w->t >= h->disk_full_until;
	if (m->u.saved.ok) {
		h->disk = h->save[0].d;
		h->disk_has = true;
		judge_saved(w, n, &old);
	} else
		cover_fail(w, FAIL_SAVE);
	h->saves--;
	memmove(
	    &h->save[0], &h->save[1], (size_t)h->saves * sizeof(h->save[0]));
	if (h->saves > 0)
		ev_at(w, w->t + rng_in(&w->rng, 500, 5 * USEC_MSEC), EV_SAVE, n,
		    inc, 0);
	engine_local(w, m, 10);
}

static const char *const op_name[] = { "open", "renew", "close" };

static void
carry_fence_done(
    struct world *w, int n, enum fence_op op, usec_t deadline, enum answer ans)
{
	struct engine *e = &w->host[n].e;
	struct now now = clk_now(w, n);

	if (op != FENCE_OP_RENEW || ans != ANS_YES || w->verbose)
		trace(w, "s%d fence %s: %s, D in %lld ms", n + 1, op_name[op],
		    ans == ANS_YES ? "yes" :
		    ans == ANS_NO  ? "no" :
				     "unknown",
		    deadline == USEC_NEVER ?
			-1LL :
			(long long)(deadline - now.raw) / USEC_MSEC);
	mix(w, (uint64_t)op * 4 + (uint64_t)ans);
	if (ans != ANS_YES && op != FENCE_OP_CLOSE)
		cover_fail(w,
		    op == FENCE_OP_OPEN ?
			(ans == ANS_NO ? FAIL_OPEN_NO : FAIL_OPEN_UNKNOWN) :
			(ans == ANS_NO ? FAIL_RENEW_NO : FAIL_RENEW_UNKNOWN));
	else if (ans != ANS_YES)
		cover_fail(w, FAIL_CLOSE_UNKNOWN);
	if (op != FENCE_OP_CLOSE && fence_writers(w, n))
		judge_opened(w, n);
	core_on_fence(e->core, &now, op, deadline, ans);
}

/* Carried out at once; or the engine is stopped between its reading of the
 * clocks and the call. */
static void
carry_fence(struct world *w, int n, enum fence_op op, usec_t deadline)
{
	struct engine *e = &w->host[n].e;
	struct now now = clk_now(w, n);
	enum answer ans;

	judge_fence(w, n, op, deadline);
	if (op != FENCE_OP_CLOSE &&
	    fault_odds(
		w, F_CALL_PAUSE, op == FENCE_OP_OPEN ? 50000 : w->call_pause)) {
		e->call = true;
		e->call_op = op;
		e->call_deadline = deadline;
		e->call_raw = now.raw;
		e->call_wall = now.wall;
		engine_pause(w, n,
		    rng_log(&w->odds[F_CALL_PAUSE], USEC_MSEC, 20 * USEC_SEC));
		return;
	}
	if (w->t < w->host[n].deaf_until ||
	    fault_odds(w, F_FENCE_ERROR, 2000)) {
		if (rng_ppm(&w->odds[F_FENCE_ERROR], 500000))
			fence_do(w, n, op, deadline, now.raw, now.wall);
		carry_fence_done(w, n, op, deadline, ANS_UNKNOWN);
		return;
	}
	ans = fence_do(w, n, op, deadline, now.raw, now.wall);
	carry_fence_done(w, n, op, deadline, ans);
}

void
carry_call(struct world *w, int n)
{
	struct engine *e = &w->host[n].e;
	enum answer ans;

	e->call = false;
	ans = fence_do(
	    w, n, e->call_op, e->call_deadline, e->call_raw, e->call_wall);
	carry_fence_done(w, n, e->call_op, e->call_deadline, ans);
}

static void
carry_readers(struct world *w, int n, usec_t life)
{
	struct now now = clk_now(w, n);

	bool ok = w->t >= w->host[n].deaf_until &&
		  !fault_odds(w, F_FENCE_ERROR, 20000);

	/* What failed may have been done. */
	if (ok || rng_ppm(&w->odds[F_FENCE_ERROR], 500000))
		w->host[n].fence.readers_end = life == 0 ? 0 : now.raw + life;
	if (!ok)
		cover_fail(w, FAIL_READERS);
	core_on_readers(w->host[n].e.core, &now, life, ok);
}

/* An answer goes back on the connection of the question, which is gone when
 * the asker is. */
static void
carry_answer(struct world *w, int n, const struct ask_answer *a)
{
	const struct engine *e = &w->host[n].e;
	struct msg *m;
	unsigned i, at;

	for (i = 1; i <= ASKED_MAX; i++) {
		at = (e->askeds - i) % ASKED_MAX;
		if (e->asked[at].id == a->id)
			break;
	}
	judge_answer(w, n, a, i <= ASKED_MAX ? &e->asked[at] : NULL);
	if (i > ASKED_MAX)
		return;
	m = msg_new(w, M_ANSWER, n, e->asked[at].from);
	m->inc = e->asked_inc[at];
	m->u.answer = *a;
	before_answer(w, n, &m->u.answer);
	net_send(w, m);
}

static void
carry_peer(struct world *w, int n, const struct action *a)
{
	struct msg *m;

	if (a->node < 0 || a->node >= w->data || a->node == n) {
		if (a->kind != DO_NUDGE)
			violated(
			    w, "SHAPE", "s%d message to %d", n + 1, a->node);
		return;
	}
	if (a->kind == DO_ASK) {
		m = msg_new(w, M_ASK, n, a->node);
		m->u.ask = a->ask;
		judge_ask(w, n, &a->ask);
		m->sender = w->host[n].e.inc;
	} else if (a->kind == DO_ANSWER) {
		carry_answer(w, n, &a->answer);
		return;
	} else
		m = msg_new(w, M_NUDGE, n, a->node);
	net_send(w, m);
}

static void
carry_register(struct world *w, int n, const struct action *a)
{
	struct msg *m;

	if (a->kind == DO_READ) {
		/* One at a time, until its own deadline. */
		if (w->t < w->host[n].e.read_until)
			return;
		w->host[n].e.read_until = w->t + w->conf[n].ttl / 4;
		if (w->pair) {
			pair_read(w, n, false);
			return;
		}
		m = msg_new(w, M_READ_REQ, n, ARB(w));
		m->sent = clk_raw(w, n);
	} else {
		m = msg_new(w, M_REPORT_REQ, n, ARB(w));
		m->u.report.epoch = a->epoch;
		m->u.report.seq = a->seq;
		snprintf(m->u.report.instance, ID_MAX, "%s", a->instance);
		trace(w, "s%d reports epoch %llu seq %llu for %s", n + 1,
		    (unsigned long long)a->epoch, (unsigned long long)a->seq,
		    a->instance);
	}
	m->inc = w->host[n].e.inc;
	net_send(w, m);
}

void
carry(struct world *w, int n, const struct action *a)
{
	mix(w, (uint64_t)a->kind * 8 + (uint64_t)n);
	switch (a->kind) {
	case DO_READ:
	case DO_REPORT:
		carry_register(w, n, a);
		break;
	case DO_CAS:
		carry_cas(w, n, &a->cas);
		break;
	case DO_ASK:
	case DO_ANSWER:
	case DO_NUDGE:
		carry_peer(w, n, a);
		break;
	case DO_SAVE:
		carry_save(w, n, a->version);
		break;
	case DO_FENCE:
		carry_fence(w, n, a->op, a->deadline);
		break;
	case DO_READERS:
		carry_readers(w, n, a->life);
		break;
	case DO_ACT:
		act_begin(w, n, a->act, &a->goal);
		break;
	case DO_ACT_CANCEL:
		act_cancel(w, n, a->act);
		break;
	case DO_LOOK:
		if (!pg_runs(w, n) || pg_held_until(w, n) != 0)
			cover_fail(w, FAIL_LOOK);
		pg_view_send(w, n);
		break;
	case DO_TELL:
		trace(w, "s%d tells: %s", n + 1, a->text);
		if (a->tell == EMIT_rejoin_stuck)
			w->host[n].stuck = true;
		cover_tell(w, n, a->tell, a->text);
		if (a->tell == EMIT_plan_start)
			fault_strike(w);
		break;
	case DO_REJOINED:
		break;
	}
}
