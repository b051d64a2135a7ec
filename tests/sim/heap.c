/*
 * What will happen, in the order of true time; what is due at one instant
 * happens in the order in which it was put in.
 */
#include "hawatch/mem.h"
#include "sim.h"

static bool
ev_before(const struct ev *a, const struct ev *b)
{
	return a->t < b->t || (a->t == b->t && a->order < b->order);
}

static void
ev_push(struct world *w, struct ev ev)
{
	size_t i, up;

	if (ev.t < w->t)
		ev.t = w->t;
	ev.order = ++w->order;
	if (w->heap_n == w->heap_cap) {
		w->heap_cap = w->heap_cap == 0 ? 256 : w->heap_cap * 2;
		w->heap = xrealloc(w->heap, w->heap_cap, sizeof(*w->heap));
	}
	for (i = w->heap_n++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (ev_before(&w->heap[up], &ev))
			break;
		w->heap[i] = w->heap[up];
	}
	w->heap[i] = ev;
}

void
ev_at(struct world *w, usec_t t, enum ev_kind kind, int node, uint64_t gen,
    uint32_t arg)
{
	ev_push(w,
	    (struct ev){
		.t = t, .kind = kind, .node = node, .gen = gen, .arg = arg });
}

void
ev_msg(struct world *w, usec_t t, struct msg *m)
{
	ev_push(
	    w, (struct ev){ .t = t, .kind = EV_MSG, .node = m->to, .msg = m });
}

bool
ev_pop(struct world *w, struct ev *ev)
{
	struct ev last;
	size_t i = 0, down;

	if (w->heap_n == 0)
		return false;
	*ev = w->heap[0];
	last = w->heap[--w->heap_n];
	while ((down = 2 * i + 1) < w->heap_n) {
		if (down + 1 < w->heap_n &&
		    ev_before(&w->heap[down + 1], &w->heap[down]))
			down++;
		if (ev_before(&last, &w->heap[down]))
			break;
		w->heap[i] = w->heap[down];
		i = down;
	}
	w->heap[i] = last;
	return true;
}
