/*
 * What all attempts have in common: they begin on a turn of their own, have
 * one deadline and end once. What is done is the kind's matter.
 */
#include "converge/converge_op.h"

#include <stdlib.h>
#include <string.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define OP_AGAIN_MIN (10 * USEC_MSEC)
#define OP_AGAIN_MAX (500 * USEC_MSEC)

static void
op_timer_cb(void *arg)
{
	struct op *op = arg;

	if (op->begun) {
		op->item->ops->again(op);
		return;
	}
	op->begun = true;
	op->item->ops->start(op);
}

struct op *
op_start(struct item *item, bool bring, node_t primary, uint64_t epoch,
    usec_t deadline, op_done_fn done)
{
	struct op *op = xcalloc(1, sizeof(*op));

	op->item = item;
	op->c = item->c;
	op->bring = bring;
	op->running = strcmp(item_want(item, primary), "stopped") != 0;
	op->primary = primary;
	op->epoch = epoch;
	op->began = clock_now().raw;
	op->deadline = deadline;
	op->done = done;
	op->timer = timer_new(op->c->env.loop, op_timer_cb, op);
	timer_arm(op->timer, 0);
	return op;
}

void
op_cancel(struct op *op)
{
	if (op == NULL)
		return;
	op->item->ops->cancel(op);
	timer_free(op->timer);
	free(op);
}

void
op_end(struct op *op, enum answer ans, const char *reason)
{
	struct item *item = op->item;
	op_done_fn done = op->done;
	char copy[ITEM_REASON];

	str_cut(copy, sizeof(copy), ans == ANS_YES ? "" : reason);
	if (op->acted && ans == ANS_YES)
		item_changed(item);
	op_cancel(op);
	done(item, ans, copy);
}

void
op_again(struct op *op, usec_t after)
{
	if (after == 0) {
		after = op->backoff == 0 ? OP_AGAIN_MIN : op->backoff;
		op->backoff =
		    2 * after < OP_AGAIN_MAX ? 2 * after : OP_AGAIN_MAX;
	}
	timer_arm(op->timer, after);
}

usec_t
op_left(const struct op *op)
{
	usec_t left = op->deadline - clock_now().raw;

	return left > USEC_MSEC ? left : USEC_MSEC;
}

bool
op_may_act(struct op *op)
{
	if (!op->item->causes)
		return true;
	if (!op->caused) {
		op->caused = true;
		op->mark = pending_cause(op->item, op->primary, op->epoch);
	}
	/* A list that cannot be saved is told, and stops nothing. */
	if (pending_saved(op->c->pending, op->mark) != ANS_UNKNOWN)
		return true;
	op_again(op, 2 * USEC_MSEC);
	return false;
}
