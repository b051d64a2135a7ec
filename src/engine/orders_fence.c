/*
 * When the order to fence this host is over, and what is so then: PostgreSQL is
 * stopped, and nobody counts on it any more.
 */
#include "engine/engine.h"
#include "engine/orders.h"
#include "hawatch/json.h"

#define FENCE_LISTED (10 * USEC_SEC)

/* Stopped, and the record not this node's any more. */
static bool
fence_stopped(const struct core_status *st)
{
	return st->pg == PGS_GONE && st->plan == NULL && st->rel != REL_HELD &&
	       st->rel != REL_CLAIMED;
}

/* As far as the record can be read. Whoever takes over from here lists this
 * node first. */
static bool
fence_listed(const struct engine *e, const struct core_status *st)
{
	if (!st->register_ok)
		return false;
	if (st->rel == REL_RELEASED)
		return st->rec.candidates != 0;
	return (st->rec.candidates & NODE_BIT(e->conf->self)) != 0;
}

/* The order is over without that, too: the primary may be slow, and who waits
 * for it is told to look. */
bool
orders_fence_over(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	json_t *obj;

	if (!fence_stopped(st))
		return false;
	if (!fence_listed(e, st))
		return true;
	if (w->stopped_at == 0) {
		w->stopped_at = now->raw;
		obj = json_object();
		json_put_string(obj, "note",
		    "PostgreSQL is stopped; the primary takes this host off "
		    "its candidates");
		json_put_i64(obj, "ms", (now->raw - w->since) / USEC_MSEC);
		orders_reply(e, w->id, obj);
	}
	return now->raw - w->stopped_at >= FENCE_LISTED ||
	       now->raw + USEC_SEC >= w->until;
}

const char *
orders_fence_words(const struct engine *e, const struct core_status *st)
{
	if (st->register_ok && st->rel == REL_OTHER &&
	    st->rec.state == REC_HELD && !fence_listed(e, st))
		return "PostgreSQL is stopped here, and stays so until hactl "
		       "unfence. It is no candidate any more, and commits do not "
		       "wait for it";
	return "PostgreSQL is stopped here, and stays so until hactl unfence. "
	       "Before you switch this host off, wait until hactl status no "
	       "longer lists it as a candidate";
}
