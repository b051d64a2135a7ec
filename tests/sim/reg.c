/*
 * The arbiter's host around the pure arbiter: requests wait while a write is
 * under way, nothing is shown that is not durable, a failed write ends the
 * process, a start tells a plain restart from a restored copy.
 */
#include <string.h>

#include "sim.h"

#define WALL_GAP (60 * USEC_SEC)

static void
reg_id(struct world *w, char *id, char kind)
{
	snprintf(id, ID_MAX, "%c%u", kind, ++w->reg.ids);
}

/* A free-standing copy may be put back later. */
static void
reg_durable(struct world *w, const struct arbiter *next)
{
	struct reg *r = &w->reg;
	struct arbiter old = r->now;
	const struct reg_value *v = &r->now.value, *o = &old.value;

	r->now = *next;
	if (r->counts && (v->revision != o->revision || v->cold != o->cold ||
			     v->reported != o->reported)) {
		r->now.value.head = ++r->head;
		if (v->revision > o->revision)
			r->now.value.revision = r->head;
	}
	r->image[r->images++ % IMAGES] = r->now;
	mix(w, r->now.value.revision);
	/* Renewals would hide all else. */
	if (w->verbose || o->rec.seq != v->rec.seq || o->cold != v->cold ||
	    o->rec.epoch != v->rec.epoch ||
	    strcmp(o->instance, v->instance) != 0)
		trace(w,
		    "register %s rev %llu epoch %llu seq %llu %s holder "
		    "%d candidates %x%s",
		    v->instance, (unsigned long long)v->revision,
		    (unsigned long long)v->rec.epoch,
		    (unsigned long long)v->rec.seq, rec_state_str(v->rec.state),
		    v->rec.holder, v->rec.candidates, v->cold ? " COLD" : "");
	if (o->cold && !v->cold)
		r->reverted = false;
	if (r->counts && !r->back && rng_ppm(&w->odds[F_COUNTS_BACK], 500000))
		r->head++;
	judge_written(w, &old);
}

void
reg_begin(struct world *w)
{
	w->reg.queue_tail = &w->reg.queue;
	reg_up(w);
}

static void
reg_show(struct world *w, struct msg *req)
{
	struct reg *r = &w->reg;
	struct msg *m = msg_new(w, M_READ, ARB(w), req->from);
	const struct arbiter *a = &r->now;

	if (r->images > 3 && !req->poll && fault_odds(w, F_STALE_READ, 30000)) {
		a = &r->image[(r->images - 1 -
				  (uint64_t)rng_in(
				      &w->odds[F_STALE_READ], 1, 2)) %
			      IMAGES];
		if (strcmp(a->value.instance, r->now.value.instance) != 0 ||
		    a->value.cold != r->now.value.cold ||
		    /* Of an earlier start, which has taken its readers along.
		     */
		    strcmp(a->value.next, r->now.value.next) != 0)
			a = &r->now;
	}
	m->inc = req->inc;
	m->sent = req->sent;
	m->poll = req->poll;
	m->u.value = a->value;
	m->u.value.older = w->host[ARB(w)].before;
	if (r->counts)
		m->u.value.head = r->head;
	net_send(w, m);
}

static void
reg_polls(struct world *w)
{
	int n;

	for (n = 0; n < w->data; n++) {
		if (w->reg.poll[n] == NULL)
			continue;
		reg_show(w, w->reg.poll[n]);
		msg_free(w, w->reg.poll[n]);
		w->reg.poll[n] = NULL;
	}
}

static void
reg_reply(struct world *w, const struct msg *req, enum cas_result result)
{
	struct msg *m;

	if (w->t < w->reg.deaf_until && w->reg.deaf == DEAF_FORGETS_REPLY)
		return;
	if (req->kind == M_CAS_REQ) {
		m = msg_new(w, M_CAS, ARB(w), req->from);
		m->u.res.id = req->u.cas.id;
		m->u.res.result = result;
		m->u.res.revision = w->reg.now.value.revision;
		snprintf(
		    m->u.res.instance, ID_MAX, "%s", w->reg.now.value.instance);
	} else {
		m = msg_new(w, M_REPORTED, ARB(w), req->from);
		m->u.res.result = result;
	}
	m->inc = req->inc;
	net_send(w, m);
}

static void
reg_write(struct world *w, struct msg *m)
{
	struct reg *r = &w->reg;
	usec_t took = rng_in(&w->rng, 300, 3 * USEC_MSEC);

	if (fault_odds(w, F_DISK_SLOW, 5000))
		took =
		    rng_log(&w->odds[F_DISK_SLOW], 3 * USEC_MSEC, 3 * USEC_SEC);
	r->next.written_at = clk_wall(w, ARB(w));
	r->writing = true;
	r->job = m;
	ev_at(w, w->t + took, EV_REG_WRITTEN, ARB(w), r->inc, 0);
}

/* True when the request is dealt with and may be freed. */
static bool
reg_handle(struct world *w, struct msg *m)
{
	struct reg *r = &w->reg;
	enum cas_result res;
	bool changed = false;

	if (m->kind == M_CAS_REQ) {
		r->next = r->now;
		res = arbiter_cas(&r->now, &m->u.cas, NODE_BIT(w->data) - 1,
		    &r->next, &changed);
		if (changed) {
			reg_write(w, m);
			return false;
		}
		reg_reply(w, m, res);
	} else if (m->kind == M_REPORT_REQ) {
		r->next = r->now;
		if (arbiter_report(&r->now, m->from, m->u.report.instance,
			m->u.report.epoch, m->u.report.seq,
			NODE_BIT(w->data) - 1, &r->next)) {
			reg_write(w, m);
			return false;
		}
		reg_reply(w, m, CAS_REFUSED);
	}
	return true;
}

static void
reg_work(struct world *w)
{
	struct reg *r = &w->reg;
	struct msg *m;

	while (r->up && !r->writing && (m = r->queue) != NULL) {
		r->queue = m->next;
		if (r->queue == NULL)
			r->queue_tail = &r->queue;
		m->next = NULL;
		if (reg_handle(w, m))
			msg_free(w, m);
	}
}

void
reg_receive(struct world *w, struct msg *m)
{
	struct reg *r = &w->reg;
	struct msg *fail;

	if (!r->up || r->broken) {
		if (m->kind == M_READ_REQ) {
			fail = msg_new(w, M_READ_FAILED, ARB(w), m->from);
			fail->inc = m->inc;
			net_send(w, fail);
		}
		msg_free(w, m);
		return;
	}
	if (m->kind == M_READ_REQ) {
		reg_show(w, m);
		msg_free(w, m);
		return;
	}
	if (m->kind == M_POLL_REQ) {
		/* The older one was held for long enough. */
		if (r->poll[m->from] != NULL) {
			reg_show(w, r->poll[m->from]);
			msg_free(w, r->poll[m->from]);
		}
		r->poll[m->from] = m;
		if (strcmp(m->u.value.instance, r->now.value.instance) != 0 ||
		    m->u.value.revision != r->now.value.revision ||
		    m->u.value.cold != r->now.value.cold ||
		    m->u.value.reported != r->now.value.reported) {
			reg_show(w, m);
			msg_free(w, m);
			r->poll[m->from] = NULL;
		}
		return;
	}
	if (w->t < r->deaf_until && r->deaf != DEAF_FORGETS_REPLY) {
		if (r->deaf == DEAF_REFUSES)
			reg_reply(w, m, CAS_REFUSED);
		msg_free(w, m);
		return;
	}
	*r->queue_tail = m;
	r->queue_tail = &m->next;
	reg_work(w);
}

void
reg_written(struct world *w, uint64_t inc)
{
	struct reg *r = &w->reg;
	struct msg *m = r->job;

	if (!r->writing || r->inc != inc)
		return;
	if (w->t < r->full_until) {
		trace(w, "arbiter: write failed, ends");
		reg_down(w);
		r->restart_at = w->t + USEC_SEC;
		ev_at(w, r->restart_at, EV_REG_START, ARB(w), r->inc, 0);
		return;
	}
	r->writing = false;
	r->job = NULL;
	reg_durable(w, &r->next);
	reg_reply(w, m, CAS_CONFIRMED);
	msg_free(w, m);
	reg_polls(w);
	reg_work(w);
}

/* The process ends. A write that was under way is whole or not at all. */
void
reg_down(struct world *w)
{
	struct reg *r = &w->reg;
	struct msg *m;
	int n;

	if (!r->up)
		return;
	if (r->writing && w->t >= r->full_until && rng_ppm(&w->rng, 500000))
		reg_durable(w, &r->next);
	r->up = r->writing = false;
	r->inc++;
	if (r->job != NULL)
		msg_free(w, r->job);
	r->job = NULL;
	while ((m = r->queue) != NULL) {
		r->queue = m->next;
		msg_free(w, m);
	}
	r->queue_tail = &r->queue;
	for (n = 0; n < w->data; n++) {
		if (r->poll[n] != NULL)
			msg_free(w, r->poll[n]);
		r->poll[n] = NULL;
	}
}

/* How many writes ago the copy was made that is put back: any, or the last
 * one of an earlier epoch. */
static uint64_t
reg_older(struct world *w)
{
	const struct reg *r = &w->reg;
	uint64_t max = r->images < IMAGES ? r->images - 1 : IMAGES - 1, back;

	if (rng_ppm(&w->rng, 500000))
		for (back = 1; back <= max; back++)
			if (r->image[(r->images - 1 - back) % IMAGES]
				.value.rec.epoch < r->now.value.rec.epoch)
				return back;
	return (uint64_t)rng_log(&w->rng, 1, (int64_t)max);
}

void
reg_up(struct world *w)
{
	struct reg *r = &w->reg;
	struct arbiter_origin origin = { .found = r->made,
		.same_file = !r->revert_pending,
		.wall = clk_wall(w, ARB(w)) };
	char instance[ID_MAX], next[ID_MAX];
	struct arbiter a = r->now;
	uint64_t back;

	if (r->up)
		return;
	if (r->revert_pending && r->images > 1) {
		back = reg_older(w);
		a = r->image[(r->images - 1 - back) % IMAGES];
		r->reverted = true;
		trace(w, "arbiter: file put back by %llu writes",
		    (unsigned long long)back);
	}
	r->revert_pending = false;
	reg_id(w, instance, 'I');
	reg_id(w, next, 'I');
	r->up = r->made = true;
	r->inc++;
	if (arbiter_start(&a, &origin, instance, next, WALL_GAP))
		a.written_at = clk_wall(w, ARB(w));
	reg_durable(w, &a);
}

/* Could this request still change the register? */
bool
reg_may_land(const struct world *w, const struct do_cas *cas)
{
	const struct reg_value *v = &w->reg.now.value;

	if (cas->reseed)
		return v->cold && strcmp(cas->instance, v->next) == 0;
	/* Revisions are given again, nonces are not. */
	if (w->reg.back)
		return cas->revision == v->revision &&
		       strcmp(cas->nonce, v->rec.nonce) == 0;
	return !v->cold && strcmp(cas->instance, v->instance) == 0 &&
	       cas->revision >= v->revision;
}

void
reg_adopt(struct world *w)
{
	struct arbiter next = w->reg.now;

	if (!w->reg.up || w->reg.writing || !arbiter_adopt(&w->reg.now, &next))
		return;
	next.written_at = clk_wall(w, ARB(w));
	reg_durable(w, &next);
	reg_polls(w);
}

/* What is there was agreed by nobody: cold, or put back in silence. */
bool
reg_lost(const struct world *w)
{
	return w->reg.now.value.cold || w->reg.back;
}

/* Keys of others in the same cluster. After it was put back they write again
 * when every node has seen that it was: one that comes too late for that is
 * excluded, too. */
void
reg_others(struct world *w)
{
	struct reg *r = &w->reg;
	int n;

	for (n = 0; n < w->data && r->back; n++)
		if (w->host[n].disk_has && w->host[n].disk.back)
			r->noticed |= NODE_BIT(n);
	if (r->counts && r->up &&
	    (!r->back || r->noticed == NODE_BIT(w->data) - 1))
		r->head += (uint64_t)rng_in(&w->odds[F_COUNTS_BACK], 0, 3);
}

/* The highest count that a node has seen: the least of all. */
static uint64_t
reg_noticed(struct world *w)
{
	uint64_t least = UINT64_MAX, head;
	struct core_status st;
	struct now now;
	int n;

	for (n = 0; n < w->data; n++) {
		head = w->host[n].disk_has ? w->host[n].disk.head : 0;
		if (w->host[n].e.core != NULL) {
			now = clk_now(w, n);
			core_status(w->host[n].e.core, &now, &st);
			head = st.durable->head;
		}
		if (head < least)
			least = head;
	}
	return least;
}

/* Is a write on its way that would land there? */
static bool
reg_claimed(struct world *w, const struct arbiter *a)
{
	struct msg *m;

	for (m = w->cas; m != NULL; m = m->cas_next)
		if (m->u.cas.revision == a->value.revision)
			return true;
	return false;
}

/* A snapshot, put back as the same cluster. That of which a node cannot have
 * noticed anything is excluded: operators are told so. */
void
reg_back(struct world *w)
{
	struct reg *r = &w->reg;
	uint64_t noticed = reg_noticed(w), i, oldest;
	const struct arbiter *a = NULL;

	if (!r->up || r->back || r->now.value.cold || r->images == 0)
		return;
	oldest = r->images > IMAGES ? r->images - IMAGES : 0;
	for (i = r->images; i-- > oldest;) {
		a = &r->image[i % IMAGES];
		if (a->value.head < noticed)
			break;
		a = NULL;
	}
	if (a == NULL || a->value.cold ||
	    strcmp(a->value.instance, r->now.value.instance) != 0 ||
	    reg_claimed(w, a))
		return;
	reg_down(w);
	trace(w, "register put back: %llu writes, it had %llu, all saw %llu",
	    (unsigned long long)a->value.head, (unsigned long long)r->head,
	    (unsigned long long)noticed);
	r->now = *a;
	r->head = a->value.head;
	r->back = r->up = true;
	r->back_at = w->t;
	r->noticed = 0;
	r->inc++;
}

/* Noticed by people: once more, as another cluster. */
void
reg_forth(struct world *w)
{
	struct reg *r = &w->reg;
	struct arbiter next = r->now;

	if (!r->back || !r->up)
		return;
	reg_down(w);
	trace(w, "register put back as another one");
	next.value.cold = true;
	next.value.reported = 0;
	next.value.floor = 0;
	next.ahead = 0;
	reg_id(w, next.value.next, 'I');
	r->back = false;
	r->reverted = r->up = true;
	r->inc++;
	reg_durable(w, &next);
}

/* An engine starts whose disk says nothing of it: excluded as well. */
void
reg_starts(struct world *w, int n)
{
	const struct host *h = &w->host[n];

	if (w->reg.back &&
	    (!h->disk_has || (!h->disk.back && h->disk.head <= w->reg.head)))
		reg_forth(w);
}
