/*
 * Orders that take a while: the asker sees each step of the plan as it
 * happens, what it waits for, and the end, which is always an observed state
 * and comes within a limit. It only watches: the core runs the plan.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/orderlimit.h"
#include "hawatch/str.h"

#define WAIT_TAKEOVER (60 * USEC_SEC)
#define WAIT_INIT (30 * USEC_SEC)
#define WAIT_SWITCHOVER ORDER_WATCH_MAX /* its first steps take a while */
#define WAIT_FENCE ORDER_WATCH_SHORT
#define WAIT_REJOIN (280 * USEC_SEC)
#define WAIT_NOTE (5 * USEC_SEC)
#define WAIT_IDLE (2 * USEC_SEC)

#define WAIT_HOPELESS USEC_SEC
#define WAIT_QUIET (200 * USEC_MSEC) /* what passes at once is not told */

_Static_assert(
    WAIT_TAKEOVER <= ORDER_WATCH_MAX && WAIT_INIT <= ORDER_WATCH_MAX &&
	WAIT_REJOIN <= ORDER_WATCH_MAX && WAIT_NOTE <= ORDER_WATCH_SHORT,
    "hactl must not give up before the engine");

enum wait_end { WAIT_ON, WAIT_DONE, WAIT_FAILED, WAIT_STUCK, WAIT_DEAF };

/* What stands against a claim and does not pass with time. */
static const char *const wait_hopeless[] = { "not-candidate", "paused",
	"abdicated", "wal-behind", "timeline", "latched", "not-armed",
	"no-proof", "not-met" };

static bool wait_step(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);
static void wait_tell_row(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);
static void wait_tell_waits(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);
static void wait_tell_progress(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);
static enum wait_end wait_look(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);
static void wait_done(struct engine *e, const struct order_wait *w,
    const struct core_status *st, const struct now *now);
static void wait_late(struct engine *e, const struct order_wait *w,
    const struct core_status *st, const struct now *now);
static const char *wait_reason(
    const struct order_wait *w, const struct core_status *st);
static bool wait_is_stuck(
    const struct order_wait *w, const struct core_status *st);
static void wait_stuck(
    struct engine *e, const struct order_wait *w, const struct core_status *st);
static bool wait_is_deaf(
    const struct order_wait *w, const struct core_status *st);
static void wait_deaf(struct engine *e, const struct order_wait *w);

void
orders_wait(struct engine *e, uint64_t id, enum long_order what, node_t node)
{
	const struct now now = clock_now();
	struct order_wait *w = xcalloc(1, sizeof(*w));
	struct core_status st;
	usec_t limit;

	core_status(e->core, &now, &st);
	limit = what == LONG_PROMOTE	? WAIT_TAKEOVER :
		what == LONG_SWITCHOVER ? WAIT_SWITCHOVER :
		what == LONG_INIT	? WAIT_INIT :
		what == LONG_FENCE	? WAIT_FENCE :
		what == LONG_REJOIN	? WAIT_REJOIN :
					  WAIT_NOTE;
	w->id = id;
	w->what = what;
	w->node = node;
	w->since = now.raw;
	w->until = now.raw + limit + ORDER_WATCH_TTLS * e->conf->ttl;
	w->epoch = st.rec.epoch;
	TAILQ_INSERT_TAIL(&e->orders->waits, w, entry);
	orders_wake_by(e, 0);
}

void
orders_wait_turn(struct engine *e, const struct now *now)
{
	struct order_wait *w, *next;
	struct core_status st;

	if (TAILQ_EMPTY(&e->orders->waits))
		return;
	core_status(e->core, now, &st);
	TAILQ_FOREACH_SAFE(w, &e->orders->waits, entry, next) {
		if (!wait_step(e, w, &st, now))
			continue;
		TAILQ_REMOVE(&e->orders->waits, w, entry);
		free(w);
	}
	if (!TAILQ_EMPTY(&e->orders->waits))
		orders_wake_by(e, 200 * USEC_MSEC);
}

/* True when it is over and the asker was told. */
static bool
wait_step(struct engine *e, struct order_wait *w, const struct core_status *st,
    const struct now *now)
{
	wait_tell_row(e, w, st, now);
	wait_tell_waits(e, w, st, now);
	if (w->what == LONG_REJOIN)
		wait_tell_progress(e, w, st, now);
	if (w->what == LONG_SWITCHOVER && orders_switchover_over(e, w, st, now))
		return true;
	switch (wait_look(e, w, st, now)) {
	case WAIT_DONE:
		wait_done(e, w, st, now);
		return true;
	case WAIT_FAILED:
		orders_failed(e, w, st);
		return true;
	case WAIT_STUCK:
		wait_stuck(e, w, st);
		return true;
	case WAIT_DEAF:
		wait_deaf(e, w);
		return true;
	case WAIT_ON:
		break;
	}
	if (now->raw < w->until)
		return false;
	wait_late(e, w, st, now);
	return true;
}

static void
wait_tell_row(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	json_t *obj;

	if (st->plan == NULL || st->row == NULL) {
		if (w->ran && w->idle_since == 0)
			w->idle_since = now->raw;
		return;
	}
	w->ran = true;
	w->idle_since = 0;
	/* That it follows then is its part as a standby, not of the order. */
	if (strcmp(w->row, st->row) == 0 ||
	    (w->what == LONG_SWITCHOVER && strcmp(st->plan, "follow") == 0))
		return;
	str_cut(w->row, sizeof(w->row), st->row);
	obj = json_object();
	json_put_string(obj, "step", st->row);
	json_put_string(obj, "goal", orders_step_goal(st->plan, st->row));
	json_put_i64(obj, "ms", (now->raw - w->since) / USEC_MSEC);
	orders_reply(e, w->id, obj);
}

/* What takes long says how far it is. */
static void
wait_tell_progress(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	const char *text = status_progress(e, st->row);
	json_t *obj;

	if (text[0] == '\0' ||
	    strncmp(w->progress, text, sizeof(w->progress) - 1) == 0)
		return;
	str_cut(w->progress, sizeof(w->progress), text);
	obj = json_object();
	json_put_string(obj, "note", text);
	json_put_i64(obj, "ms", (now->raw - w->since) / USEC_MSEC);
	orders_reply(e, w->id, obj);
}

static void
wait_tell_waits(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	const char *reason = wait_reason(w, st);
	json_t *obj;

	if (strcmp(w->waits, reason) == 0 || now->raw - w->since < WAIT_QUIET)
		return;
	str_cut(w->waits, sizeof(w->waits), reason);
	if (w->waits[0] == '\0')
		return;
	obj = json_object();
	json_put_string(obj, "waits", reason);
	json_put_string(obj, "text", status_block_text(reason));
	json_put_i64(obj, "ms", (now->raw - w->since) / USEC_MSEC);
	orders_reply(e, w->id, obj);
}

/* Who no longer holds the record has dropped the order. */
static enum wait_end
wait_written(const struct core_status *st, bool written)
{
	if (written)
		return WAIT_DONE;
	return st->rel == REL_HELD ? WAIT_ON : WAIT_FAILED;
}

static enum wait_end
wait_look(struct engine *e, struct order_wait *w, const struct core_status *st,
    const struct now *now)
{
	switch (w->what) {
	case LONG_ACK:
		return st->rec.acked >= w->epoch ? WAIT_DONE : WAIT_ON;
	case LONG_UNFENCE:
		return st->durable->latch ? WAIT_ON : WAIT_DONE;
	case LONG_PAUSE:
		return wait_written(st, st->paused_written);
	case LONG_RESUME:
		return wait_written(st, st->rec.paused_until == 0);
	case LONG_FENCE:
		if (!st->durable->latch)
			return WAIT_FAILED;
		return orders_fence_over(e, w, st, now) ? WAIT_DONE : WAIT_ON;
	case LONG_SWITCHOVER:
		return WAIT_ON;
	case LONG_REJOIN:
		if (!st->durable->latch && st->plan == NULL)
			return WAIT_DONE;
		return w->idle_since != 0 &&
			       now->raw - w->idle_since > WAIT_IDLE ?
			   WAIT_FAILED :
			   WAIT_ON;
	case LONG_PROMOTE:
	case LONG_INIT:
		break;
	}
	if (status_is_primary(st, now) && st->plan == NULL)
		return WAIT_DONE;
	if (st->rel == REL_OTHER && st->rec.epoch > w->epoch)
		return WAIT_FAILED;
	if (w->idle_since != 0 && now->raw - w->idle_since > WAIT_IDLE &&
	    st->rel != REL_HELD)
		return WAIT_FAILED;
	if (now->raw - w->since > WAIT_HOPELESS && wait_is_stuck(w, st))
		return WAIT_STUCK;
	if (now->raw - w->since > WAIT_NOTE && wait_is_deaf(w, st))
		return WAIT_DEAF;
	return WAIT_ON;
}

static void
wait_done(struct engine *e, const struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	static const char *const words[] = {
		[LONG_PROMOTE] = "this node is the primary and open",
		[LONG_INIT] = "the first record is written, the primary open",
		[LONG_ACK] = "the last failover is acknowledged",
		[LONG_UNFENCE] = "the latch is cleared; nothing was opened",
		[LONG_SWITCHOVER] = "the target has taken over",
		[LONG_PAUSE] = "failover is paused: nobody takes over",
		[LONG_RESUME] =
		    ("failover is no longer paused; each standby is a "
		     "candidate once it is seen to have all"),
		[LONG_FENCE] = "", /* orders_fence_words */
		[LONG_REJOIN] = "this node streams from the primary",
	};
	json_t *obj = json_object();

	json_put_i64(obj, "exit", EXITCODE_DONE);
	json_put_string(obj, "done",
	    w->what == LONG_FENCE ? orders_fence_words(e, st) : words[w->what]);
	json_put_u64(obj, "epoch", st->rec.epoch);
	json_put_i64(obj, "ms", (now->raw - w->since) / USEC_MSEC);
	orders_reply(e, w->id, obj);
}

static void
wait_late(struct engine *e, const struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	const char *reason = wait_reason(w, st);
	char *why;

	why = xasprintf("not finished within %lld s, and not given up: %s",
	    (long long)((now->raw - w->since) / USEC_SEC),
	    reason[0] == '\0' ? "the plan goes on" : status_block_text(reason));
	orders_refuse(e, w->id, EXITCODE_UNKNOWN, why, "hactl status");
	free(why);
}

static bool
wait_is_stuck(const struct order_wait *w, const struct core_status *st)
{
	const char *reason = wait_reason(w, st);
	size_t i;

	if (w->what != LONG_PROMOTE || w->ran)
		return false;
	for (i = 0; i < sizeof(wait_hopeless) / sizeof(*wait_hopeless); i++) {
		if (strcmp(reason, wait_hopeless[i]) == 0)
			return true;
	}
	return false;
}

/* The order stands for a minute, in case that it changes after all. */
static void
wait_stuck(
    struct engine *e, const struct order_wait *w, const struct core_status *st)
{
	const char *reason = wait_reason(w, st);
	const char *self = e->conf->names.node[e->conf->self];
	bool forced =
	    strcmp(reason, "not-candidate") == 0 ||
	    strcmp(reason, "paused") == 0 || strcmp(reason, "abdicated") == 0 ||
	    strcmp(reason, "wal-behind") == 0 ||
	    strcmp(reason, "no-proof") == 0 || strcmp(reason, "not-met") == 0;
	char *why, *next;

	why = xasprintf("nothing happens while this stands against it: %s%s",
	    status_block_text(reason),
	    forced ? ". Once a person made sure that the primary is off, and "
		     "only then, say how" :
		     "");
	next = xasprintf(
	    forced ? "hactl promote %s --fenced HOW" : "hactl plan promote %s",
	    self);
	orders_refuse(e, w->id, EXITCODE_UNKNOWN, why, next);
	free(why);
	free(next);
}

/* Without the register no claim can begin, or end. */
static bool
wait_is_deaf(const struct order_wait *w, const struct core_status *st)
{
	return w->what == LONG_PROMOTE && !st->register_ok &&
	       st->rel == REL_OTHER;
}

char *
orders_register_next(const struct engine *e)
{
	const struct conf *conf = e->conf;

	if (conf->reg.type == REGISTER_ETCD)
		return xasprintf("etcdctl --endpoints %s endpoint status",
		    conf->reg.endpoints[0]);
	return xasprintf("ssh %s systemctl status hawatchd",
	    conf->names.node[conf->reg.type == REGISTER_NONE ? 1 - conf->self :
							       conf->arbiter]);
}

static void
wait_deaf(struct engine *e, const struct order_wait *w)
{
	char *next = orders_register_next(e);

	orders_refuse(e, w->id, EXITCODE_UNKNOWN,
	    "nothing happens while the register does not answer: bring it "
	    "back first; the order stands for a minute",
	    next);
	free(next);
}

/* Before a takeover has begun, what stands against its first step. */
static const char *
wait_reason(const struct order_wait *w, const struct core_status *st)
{
	if ((w->what == LONG_PAUSE || w->what == LONG_RESUME ||
		w->what == LONG_FENCE) &&
	    !st->register_ok)
		return "register-down";
	if (st->waits_for[0] != '\0' || w->what != LONG_PROMOTE ||
	    st->plan != NULL || st->rel == REL_HELD)
		return st->waits_for;
	return st->claim_block;
}
