/*
 * A memcached that is to be empty after a change of roles: what it holds may
 * be older than what the database says. In between it fills, and that is as
 * it should be.
 */
#include <string.h>

#include "converge/converge_op.h"
#include "hawatch/emit.h"
#include "hawatch/probe.h"

#define CACHE_LIMIT USEC_SEC

static void cache_start(struct op *op);
static void cache_again(struct op *op);
static void cache_cancel(struct op *op);

const struct op_ops op_cache = {
	.start = cache_start,
	.again = cache_again,
	.cancel = cache_cancel,
	.backoff = 10 * USEC_MSEC,
};

static void
cache_done_cb(void *arg, const struct probe_result *res)
{
	struct op *op = arg;

	op->probe = NULL;
	if (res->ans != ANS_YES) {
		op_end(op, ANS_NO, res->reason);
		return;
	}
	op->acted = true;
	op->item->flushed = op->epoch;
	EMIT(converge_change, kv_i("epoch", op->epoch),
	    kv_s("item", op->item->conf->name));
	op_end(op, ANS_YES, "");
}

static void
cache_again(struct op *op)
{
	usec_t left = op_left(op);
	const struct probe_request req = { .op = PROBE_MEMCACHED_FLUSH,
		.address = op->item->conf->address,
		.port = op->item->conf->port,
		.deadline = left < CACHE_LIMIT ? left : CACHE_LIMIT };

	if (op_may_act(op))
		op->probe =
		    probe_ask(op->c->env.probe, &req, cache_done_cb, op);
}

static void
cache_start(struct op *op)
{
	if (op->item->flushed == op->epoch && op->epoch != 0)
		/* NOLINTNEXTLINE(bugprone-branch-clone): in this order */
		op_end(op, ANS_YES, "");
	else if (op->bring)
		cache_again(op);
	else if (op->c->retry_epoch == op->epoch &&
		 (op->c->retry & ITEM_BIT(op->item->index)) != 0)
		op_end(op, ANS_NO, op->item->reason);
	else
		op_end(op, ANS_YES, "");
}

static void
cache_cancel(struct op *op)
{
	probe_cancel(op->probe);
	op->probe = NULL;
}
