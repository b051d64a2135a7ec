/*
 * The register of two lone hosts: a copy on each, in the engine of its host.
 * What an engine asks for goes to both of them, as pair.c has it; requests
 * wait while a write is under way, nothing is shown that is not durable.
 *
 * What the judges go by, w->reg.now, is the newer of the two copies.
 */
#include <string.h>

#include "sim.h"

#define PATIENCE (2 * USEC_SEC) /* then the asker has hung up */

/* With its host's engine. */
void
pair_up(struct world *w, int n)
{
	struct copy *c = &w->host[n].copy;
	char instance[ID_MAX];

	if (!w->pair)
		return;
	snprintf(instance, sizeof(instance), "P%u", ++w->reg.ids);
	pair_start(&c->now, n == 0, c->made, !c->revert,
	    w->host[n].disk_has ? &w->host[n].disk : NULL, instance);
	if (c->now.lost)
		trace(w, "s%d has another copy of the register", n + 1);
	c->told = false;
	c->heard_at = w->t;
	c->queue = NULL;
	c->queue_tail = &c->queue;
	c->cas_on = false;
	c->read_until = 0;
	memset(&c->seen, 0, sizeof(c->seen));
}

static bool
pair_less(const struct record *rec, uint64_t epoch, uint64_t seq)
{
	return rec->epoch < epoch || (rec->epoch == epoch && rec->seq < seq);
}

/* A node remembers more. */
static bool
pair_known(const struct world *w, const struct record *rec)
{
	int n;

	for (n = 0; n < w->data; n++)
		if (w->host[n].disk_has &&
		    pair_less(rec, w->host[n].disk.epoch, w->host[n].disk.seq))
			return true;
	return false;
}

void
pair_truth(struct world *w)
{
	const struct pair_copy *a = &w->host[0].copy.now,
			       *b = &w->host[1].copy.now;
	const struct reg_value *v = &a->value;
	struct arbiter old = w->reg.now;
	bool gone;

	if (a->lost || (!b->lost && (b->value.rec.epoch > v->rec.epoch ||
					(b->value.rec.epoch == v->rec.epoch &&
					    b->value.revision > v->revision))))
		v = &b->value;
	/* What was there is on no disk any more: it is not the register that
	 * went back. Unless nobody was ever told of it. */
	gone = pair_less(&v->rec, old.value.rec.epoch, old.value.rec.seq) &&
	       pair_known(w, &v->rec);
	if (!gone)
		w->reg.now.value = *v;
	w->reg.now.value.cold =
	    gone || (a->lost && b->lost) ||
	    (!a->lost && !b->lost && a->value.revision > 0 &&
		b->value.revision > 0 &&
		a->value.rec.epoch == b->value.rec.epoch &&
		a->value.rec.holder != b->value.rec.holder);
	if (old.value.revision == v->revision && old.value.cold == v->cold &&
	    strcmp(old.value.rec.nonce, v->rec.nonce) == 0)
		return;
	mix(w, v->revision);
	if (w->verbose || old.value.rec.seq != v->rec.seq ||
	    old.value.rec.epoch != v->rec.epoch)
		trace(w,
		    "register rev %llu epoch %llu seq %llu %s holder %d "
		    "candidates %x",
		    (unsigned long long)v->revision,
		    (unsigned long long)v->rec.epoch,
		    (unsigned long long)v->rec.seq, rec_state_str(v->rec.state),
		    v->rec.holder, v->rec.candidates);
	/* Also where it is not what the register was. */
	judge_held(w, &v->rec);
	judge_written(w, &old);
}

void
pair_durable(struct world *w, int n)
{
	struct copy *c = &w->host[n].copy;

	c->now = c->next;
	c->writing = false;
	c->made = true;
	c->revert = false;
	memcpy(c->had[c->hads++ % COPY_HAD], c->now.value.rec.nonce, ID_MAX);
	if (w->verbose || c->now.value.rec.seq != c->next.value.rec.seq)
		trace(w, "s%d copy rev %llu epoch %llu%s", n + 1,
		    (unsigned long long)c->now.value.revision,
		    (unsigned long long)c->now.value.rec.epoch,
		    c->now.sure ? "" : " half");
	pair_truth(w);
}

/* The engine dies: what was under way is whole or not at all. */
void
pair_down(struct world *w, int n)
{
	struct copy *c = &w->host[n].copy;
	struct msg *m;

	if (!w->pair)
		return;
	if (c->writing && w->t >= w->host[n].disk_full_until &&
	    rng_ppm(&w->rng, 500000))
		pair_durable(w, n);
	c->writing = false;
	if (c->job != NULL)
		msg_free(w, c->job);
	c->job = NULL;
	while ((m = c->queue) != NULL) {
		c->queue = m->next;
		msg_free(w, m);
	}
	c->queue_tail = &c->queue;
}

/* To the core of that node. */
static void
pair_core(struct world *w, int n, const struct reg_value *v, usec_t sent)
{
	struct msg *m = msg_new(w, v == NULL ? M_READ_FAILED : M_READ, n, n);

	m->sent = sent;
	if (v != NULL)
		m->u.value = *v;
	engine_local(w, m, 10);
}

static void
pair_result(
    struct world *w, int n, const struct do_cas *cas, enum cas_result res)
{
	const struct copy *c = &w->host[n].copy,
			  *o = &w->host[PAIR_OTHER(n)].copy;
	struct msg *m = msg_new(w, M_CAS, n, n);
	bool had = false;
	int i;

	m->u.res.id = cas->id;
	m->u.res.result = res;
	m->u.res.revision = c->now.value.revision;
	snprintf(m->u.res.instance, ID_MAX, "%s", c->now.value.instance);
	for (i = 0; i < COPY_HAD; i++)
		had = had || strcmp(o->had[i], cas->rec.nonce) == 0;
	if (res == CAS_CONFIRMED && !had &&
	    strcmp(c->alone, cas->rec.nonce) != 0)
		violated(
		    w, "PAIR", "s%d is told of a write of one copy", n + 1);
	engine_local(w, m, 10);
}

static void
pair_look_now(
    struct world *w, int n, const struct reg_value *other, usec_t sent)
{
	struct copy *c = &w->host[n].copy;
	struct reg_value out;
	struct pair_copy next;
	struct msg *m;

	switch (pair_look(&c->now, other, &out, &next)) {
	case PAIR_SHOW:
		pair_core(w, n, &out, sent);
		break;
	case PAIR_NONE:
		pair_core(w, n, NULL, sent);
		break;
	case PAIR_TAKE:
		m = msg_new(w, M_READ, n, n);
		m->raw = true;
		m->sent = sent;
		m->u.value = *other;
		*c->queue_tail = m;
		m->next = NULL;
		c->queue_tail = &m->next;
		pair_work(w, n);
		break;
	}
}

/* Both copies; a poll that the other one did not answer, what is here. */
void
pair_read(struct world *w, int n, bool poll)
{
	struct copy *c = &w->host[n].copy;
	struct msg *m;

	/* One at a time, until its own deadline. */
	if (w->t < c->read_until && !poll)
		return;
	c->read_until = w->t + w->conf[n].ttl / 4;
	m = msg_new(w, M_READ_REQ, n, PAIR_OTHER(n));
	m->inc = w->host[n].e.inc;
	m->sent = clk_raw(w, n);
	m->asked_t = w->t;
	net_send(w, m);
	if (poll && w->t - c->heard_at >= USEC_SEC)
		pair_look_now(w, n, NULL, clk_raw(w, n));
}

static void
pair_push(struct world *w, int n, const struct do_cas *cas, bool own)
{
	struct copy *c = &w->host[n].copy;
	struct msg *m;

	m = msg_new(w, M_CAS_REQ, n, own ? n : PAIR_OTHER(n));
	m->inc = w->host[n].e.inc;
	m->u.cas = *cas;
	m->asked_t = w->t;
	msg_cas_track(w, m);
	if (!own) {
		net_send(w, m);
		return;
	}
	m->next = NULL;
	*c->queue_tail = m;
	c->queue_tail = &m->next;
	pair_work(w, n);
}

void
pair_write(struct world *w, int n, const struct do_cas *cas)
{
	struct copy *c = &w->host[n].copy;

	c->cas = *cas;
	c->cas_on = true;
	if (cas->without != 0)
		memcpy(c->alone, cas->rec.nonce, sizeof(c->alone));
	pair_push(w, n, cas, c->now.first || cas->without != 0);
}

/* What has become of a write of this node's here. */
static void
pair_here(struct world *w, int n, const struct do_cas *cas, enum cas_result res)
{
	struct copy *c = &w->host[n].copy;

	if (res == CAS_CONFIRMED && c->now.first && !c->now.sure &&
	    cas->without == 0) {
		pair_push(w, n, cas, false);
		return;
	}
	if (res != CAS_CONFIRMED && cas->without == 0)
		pair_read(w, n, false);
	pair_result(w, n, cas, res);
}

/* And there. */
static void
pair_there(struct world *w, int n, const struct msg *m)
{
	struct copy *c = &w->host[n].copy;
	enum cas_result res = m->u.res.result;

	if (!c->cas_on || c->cas.id != m->u.res.id)
		return;
	if (res == CAS_CONFIRMED && !c->now.first) {
		pair_push(w, n, &c->cas, true);
		return;
	}
	if (res == CAS_CONFIRMED)
		pair_sure(&c->now, c->cas.rec.nonce);
	else
		pair_read(w, n, false);
	pair_result(w, n, &c->cas, res);
}

static void
pair_reply(struct world *w, int n, const struct msg *req, enum cas_result res)
{
	struct msg *m;

	if (w->t - req->asked_t > PATIENCE)
		return;
	m = msg_new(w, M_CAS, n, req->from);
	m->raw = true;
	m->inc = req->inc;
	m->u.res.id = req->u.cas.id;
	m->u.res.result = res;
	net_send(w, m);
}

static void
pair_done(struct world *w, int n, const struct msg *m, enum cas_result res)
{
	if (m->kind == M_READ)
		pair_look_now(w, n, &m->u.value, m->sent);
	else if (m->from == n)
		pair_here(w, n, &m->u.cas, res);
	else
		pair_reply(w, n, m, res);
}

/* True when the request is dealt with. */
static bool
pair_handle(struct world *w, int n, struct msg *m)
{
	struct copy *c = &w->host[n].copy;
	struct pair_write by = { .own = m->from == n,
		.alone = m->from == n && m->u.cas.without != 0 };
	enum cas_result res = CAS_CONFIRMED;
	struct reg_value out;
	bool changed;
	usec_t took = rng_in(&w->rng, 300, 3 * USEC_MSEC);

	if (m->kind == M_READ)
		changed = pair_look(&c->now, &m->u.value, &out, &c->next) ==
			  PAIR_TAKE;
	else
		res = pair_cas(&c->now, &m->u.cas, by, 3, &c->next, &changed);
	if (!changed) {
		if (m->kind == M_CAS_REQ && res == CAS_CONFIRMED)
			c->now.sure = c->next.sure;
		pair_done(w, n, m, res);
		return true;
	}
	if (w->t < w->host[n].disk_slow_until)
		took = rng_log(&w->rng, 5 * USEC_MSEC, 4 * USEC_SEC);
	c->writing = true;
	c->job = m;
	ev_at(w, w->t + took, EV_COPY, n, w->host[n].e.inc, 0);
	return false;
}

void
pair_work(struct world *w, int n)
{
	struct copy *c = &w->host[n].copy;
	struct msg *m;

	while (!c->writing && (m = c->queue) != NULL) {
		c->queue = m->next;
		if (c->queue == NULL)
			c->queue_tail = &c->queue;
		m->next = NULL;
		if (pair_handle(w, n, m))
			msg_free(w, m);
	}
}

void
pair_written(struct world *w, int n, uint64_t inc)
{
	struct copy *c = &w->host[n].copy;
	struct msg *m = c->job;

	if (!c->writing || w->host[n].e.inc != inc)
		return;
	c->job = NULL;
	if (w->t < w->host[n].disk_full_until) {
		c->writing = false;
		if (m->kind == M_CAS_REQ)
			pair_done(w, n, m, CAS_UNKNOWN);
	} else {
		pair_durable(w, n);
		pair_done(w, n, m, CAS_CONFIRMED);
	}
	msg_free(w, m);
	pair_work(w, n);
}

/* What came over the network, while the engine runs. False: it is not the
 * register's. Takes m. */
bool
pair_take_msg(struct world *w, int n, struct msg *m)
{
	struct copy *c = &w->host[n].copy;
	struct now now = clk_now(w, n);
	struct msg *r;
	bool heard = m->from != n;

	if (!w->pair || (!m->raw && m->kind > M_REPORT_REQ))
		return false;
	if (heard) {
		core_on_heard(w->host[n].e.core, &now, m->from);
		if (w->lied == n && w->lied_until == USEC_NEVER)
			w->lied_until = w->t + 500 * USEC_MSEC;
		c->told = false;
		w->host[n].e.heard_raw[m->from] = now.raw;
	}
	if (m->kind == M_READ_REQ && w->t - m->asked_t > PATIENCE) {
		msg_free(w, m);
		return true;
	} else if (m->kind == M_READ_REQ) {
		r = msg_new(w, M_READ, n, m->from);
		r->raw = true;
		r->inc = m->inc;
		r->sent = m->sent;
		pair_tell(&c->now, &r->u.value);
		net_send(w, r);
	} else if (m->kind == M_CAS_REQ) {
		m->next = NULL;
		*c->queue_tail = m;
		c->queue_tail = &m->next;
		pair_work(w, n);
		return true;
	} else if (m->kind == M_READ) {
		c->heard_at = w->t;
		c->read_until = 0;
		pair_look_now(w, n, &m->u.value, m->sent);
	} else if (m->kind == M_READ_FAILED) {
		c->read_until = 0;
		pair_look_now(w, n, NULL, now.raw);
	} else if (m->kind == M_CAS) {
		pair_there(w, n, m);
	}
	w->host[n].e.read_until = 0;
	msg_free(w, m);
	return true;
}

/* Nobody is there to answer. */
void
pair_refused(struct world *w, const struct msg *req)
{
	struct msg *m;

	if (!w->pair || req->from == req->to || req->kind > M_CAS_REQ)
		return;
	m = msg_new(w, req->kind == M_CAS_REQ ? M_CAS : M_READ_FAILED,
	    req->from, req->from);
	m->raw = true;
	m->inc = req->inc;
	if (req->kind == M_CAS_REQ) {
		m->u.res.id = req->u.cas.id;
		m->u.res.result = CAS_UNKNOWN;
	}
	engine_local(w, m, rng_in(&w->rng, 200, 5 * USEC_MSEC));
}
