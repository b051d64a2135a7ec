/*
 * The network between the hosts: messages are late, lost, repeated and
 * overtake each other; a link may be cut in one direction. A request in a
 * kernel's buffer outlives its sender and may arrive when the cut has healed.
 */
#include <string.h>

#include "hawatch/mem.h"
#include "sim.h"

struct msg *
msg_new(struct world *w, enum msg_kind kind, int from, int to)
{
	struct msg *m = w->pool;

	if (m != NULL)
		w->pool = m->next;
	else
		m = xcalloc(1, sizeof(*m));
	m->kind = kind;
	m->from = from;
	m->to = to;
	m->inc = m->sender = 0;
	m->poll = m->raw = false;
	m->asked_t = 0;
	m->sent = 0;
	m->next = NULL;
	m->cas_at = NULL;
	memset(&m->u, 0, sizeof(m->u));
	return m;
}

/* Another data node. */
node_t
other_node(struct world *w, struct rng *r, int n)
{
	int o = (int)rng_in(r, 0, w->data - 2);

	return o < n ? o : o + 1;
}

void
msg_free(struct world *w, struct msg *m)
{
	if (m->cas_at != NULL) {
		*m->cas_at = m->cas_next;
		if (m->cas_next != NULL)
			m->cas_next->cas_at = m->cas_at;
	}
	m->cas_at = NULL;
	m->next = w->pool;
	w->pool = m;
}

void
msg_cas_track(struct world *w, struct msg *m)
{
	m->cas_next = w->cas;
	if (w->cas != NULL)
		w->cas->cas_at = &m->cas_next;
	w->cas = m;
	m->cas_at = &w->cas;
}

usec_t
net_delay(struct world *w)
{
	if (fault_odds(w, F_DELAY, w->delay))
		return rng_log(&w->odds[F_DELAY], 2 * USEC_MSEC, 8 * USEC_SEC);
	return rng_in(&w->rng, 60, 900);
}

/* The client side of a request gives up in time when no answer can come. */
static void
net_lost(struct world *w, struct msg *m)
{
	struct msg *r = NULL;
	int asker = m->from;

	if (m->kind == M_ASK || m->kind == M_ANSWER || m->kind == M_NUDGE)
		cover_fail(w, m->kind == M_ASK	  ? FAIL_ASK :
			      m->kind == M_ANSWER ? FAIL_ANSWER :
						    FAIL_NUDGE);
	if (m->kind == M_READ_REQ)
		r = msg_new(w, M_READ_FAILED, ARB(w), asker);
	else if (m->kind == M_CAS_REQ && rng_ppm(&w->rng, 500000)) {
		r = msg_new(w, M_CAS, ARB(w), asker);
		r->u.res.id = m->u.cas.id;
		r->u.res.result = CAS_UNKNOWN;
	} else if (m->kind == M_REPORT_REQ)
		r = msg_new(w, M_REPORTED, ARB(w), asker);
	else if ((m->kind == M_READ && !m->poll) || m->kind == M_REPORTED) {
		asker = m->to;
		r = msg_new(w, m->kind == M_READ ? M_READ_FAILED : M_REPORTED,
		    ARB(w), asker);
	}
	if (m->kind == M_CAS || (m->kind == M_CAS_REQ && r == NULL))
		cover_fail(w, FAIL_CAS_SILENT);
	if (r != NULL && r->kind == M_REPORTED)
		r->u.res.result = CAS_UNKNOWN;
	if (r != NULL) {
		r->raw = w->pair;
		r->inc = m->inc;
		engine_local(w, r, rng_in(&w->rng, 200 * USEC_MSEC, USEC_SEC));
	}
	msg_free(w, m);
}

/* A link that has become slow, for a while. */
static usec_t
net_slow(struct world *w, const struct msg *m)
{
	if (w->t >= w->slow_until[m->from][m->to])
		return 0;
	return rng_in(&w->rng, w->slow_by / 4, w->slow_by);
}

void
net_send(struct world *w, struct msg *m)
{
	struct msg *copy;

	if (fault_odds(w, F_LOSS, w->loss)) {
		net_lost(w, m);
		return;
	}
	if (m->kind <= M_REPORT_REQ && fault_odds(w, F_REPEAT, w->repeat)) {
		copy = msg_new(w, m->kind, m->from, m->to);
		copy->inc = m->inc;
		copy->sender = m->sender;
		copy->poll = m->poll;
		copy->raw = m->raw;
		copy->asked_t = m->asked_t;
		copy->sent = m->sent;
		copy->u = m->u;
		if (m->kind == M_CAS_REQ)
			msg_cas_track(w, copy);
		ev_msg(w,
		    w->t + net_delay(w) + rng_log(&w->rng, 100, 5 * USEC_SEC),
		    copy);
	}
	ev_msg(w, w->t + net_delay(w) + net_slow(w, m), m);
}

void
net_arrive(struct world *w, struct msg *m)
{
	if (m->from != m->to && w->t < w->cut_until[m->from][m->to]) {
		if (rng_ppm(&w->rng, 400000))
			net_lost(w, m);
		else
			ev_msg(w,
			    w->t + rng_log(&w->rng, 10 * USEC_MSEC, USEC_SEC),
			    m);
		return;
	}
	if (m->to == ARB(w))
		reg_receive(w, m);
	else
		engine_input(w, m);
}
