/*
 * Bringing about the items of one phase for one role. Every item has a step,
 * and everything that ends only records it and asks for the next turn of the
 * run: there it is decided what begins, what is given up, and whether it is
 * over.
 */
#include <stdio.h>
#include <string.h>

#include "converge/converge_op.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

/* Nobody waits longer for what a promotion can do without. */
#define RUN_BEFORE_LIMIT (2 * USEC_SEC)
#define RUN_LOOK_AFTER (2 * USEC_SEC)
#define RUN_BACKOFF_LINE (10 * USEC_MSEC)
#define RUN_BACKOFF_MAX USEC_SEC

static void run_timer_cb(void *arg);

void
run_init(struct run *r, struct converge *c, enum conf_item_when when)
{
	*r = (struct run){ .c = c, .when = when };
	r->timer = timer_new(c->env.loop, run_timer_cb, r);
}

void
run_fini(struct run *r)
{
	run_cancel(r);
	timer_free(r->timer);
}

void
run_kick(struct run *r)
{
	if (r->active)
		timer_arm(r->timer, 0);
}

bool
run_has(const struct run *r, const struct item *item)
{
	return item->run == r;
}

static void
run_release(struct item *item)
{
	op_cancel(item->op);
	item->op = NULL;
	item->run = NULL;
}

void
run_cancel(struct run *r)
{
	struct converge *c = r->c;
	struct item *item;

	if (!r->active)
		return;
	for (item = c->item; item < c->item + c->count; item++)
		if (run_has(r, item))
			run_release(item);
	files_cancel(r);
	timer_disarm(r->timer);
	r->active = false;
}

/* A promotion does not wait for what is made after one: it takes the items
 * that both have. Nor does a handover. */
static bool
run_may_have(const struct run *r, const struct item *item)
{
	if (r->when == ITEM_BEFORE)
		return item->conf->when == ITEM_BEFORE;
	if (r->when == ITEM_HANDOVER)
		return item->conf->handover[0] != '\0';
	return item->run == NULL;
}

static void
run_take(struct run *r, struct item *item)
{
	usec_t limit = item->conf->timeout;

	if (item->run != NULL) {
		run_kick(item->run);
		run_release(item);
	}
	look_leave(item);
	item->sig.valid = item->misfit = item->mended = false;
	if (item_want(item, r->primary)[0] == '\0') {
		pending_clear(item);
		item_mark(item, ANS_YES, "");
		return;
	}
	item->run = r;
	item->step = STEP_WAIT;
	item->backoff = 0;
	item->deadline = USEC_NEVER;
	if (item->ops == NULL)
		item->deadline = r->began + limit;
	if (r->when == ITEM_BEFORE && !item->conf->required) {
		if (limit > RUN_BEFORE_LIMIT)
			limit = RUN_BEFORE_LIMIT;
		item->deadline = r->began + limit;
	}
}

void
run_start(struct run *r, node_t primary, uint64_t epoch, uint64_t items,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	struct converge *c = r->c;
	struct item *item;

	run_cancel(r);
	r->active = true;
	r->primary = primary;
	r->epoch = epoch;
	r->began = clock_now().raw;
	r->done = done;
	r->arg = arg;
	for (item = c->item; item < c->item + c->count; item++)
		if ((items & ITEM_BIT(item->index)) != 0 &&
		    run_may_have(r, item))
			run_take(r, item);
	run_kick(r);
}

static void
run_give_up(struct item *item)
{
	struct run *r = item->run;

	op_cancel(item->op);
	item->op = NULL;
	item->step = STEP_GIVEN_UP;
	/* It is the role's demand that is tried again, and that comes back. */
	if (r->when != ITEM_HANDOVER)
		item_give_up(item, r->epoch);
	if (strcmp(item->told, item->reason) == 0)
		return;
	str_cut(item->told, sizeof(item->told), item->reason);
	EMIT(converge_failed, kv_i("epoch", r->epoch),
	    kv_s("item", item->conf->name), kv_s("reason", item->reason));
}

void
run_failed(struct item *item, const char *reason)
{
	usec_t first =
	    item->ops == NULL ? RUN_BACKOFF_LINE : item->ops->backoff;

	item_mark(item, ANS_NO, reason);
	item->backoff = item->backoff == 0 ? first : 2 * item->backoff;
	if (item->backoff > RUN_BACKOFF_MAX)
		item->backoff = RUN_BACKOFF_MAX;
	item->again_at = clock_now().raw + item->backoff;
	item->step = STEP_BACK_OFF;
}

void
run_ok(struct item *item)
{
	item_mark(item, ANS_YES, "");
	item->told[0] = '\0';
	if (item->run == NULL || item->run->when != ITEM_HANDOVER)
		item_take_up(item);
	item->step = STEP_OK;
}

static void
run_op_done(struct item *item, enum answer ans, const char *reason)
{
	item->op = NULL;
	run_kick(item->run);
	if (ans != ANS_YES) {
		run_failed(item, reason);
		return;
	}
	run_ok(item);
	if (!item->due.on)
		return;
	/* What changed while it was being restarted needs another one. */
	if (item->due.serial == item->serial)
		pending_clear(item);
	else
		item->step = STEP_WAIT;
}

/* Whether the items after this one need not wait for it any longer. */
static bool
run_settled(const struct item *item)
{
	if (item->step == STEP_OK || item->step == STEP_GIVEN_UP)
		return true;
	return item->ops == NULL && item->step == STEP_BACK_OFF;
}

static bool
run_ready(const struct run *r, const struct item *item)
{
	const struct converge *c = r->c;
	const struct item *other;
	bool before, cause;

	for (other = c->item; other < c->item + c->count; other++) {
		before = other < item;
		cause = (item->restart_on & ITEM_BIT(other->index)) != 0 &&
			(before || other->ops == NULL);
		if (!cause && (!before || item->conf->independent))
			continue;
		if (run_has(r, other) && !run_settled(other))
			return false;
	}
	return true;
}

static void
run_begin(struct run *r, struct item *item, usec_t now)
{
	if (item->deadline == USEC_NEVER)
		item->deadline = now + item->conf->timeout;
	if (item->step == STEP_WAIT)
		item->began = now;
	item->step = STEP_UNDER_WAY;
	item->serial = item->due.serial;
	item->op = op_start(
	    item, true, r->primary, r->epoch, item->deadline, run_op_done);
}

static void
run_late(struct item *item)
{
	const char *why = item->op == NULL ? "" : item->op->why;
	char reason[ITEM_REASON];

	if (item->step == STEP_WAIT)
		why = "those above it took all the time";
	else if (item->ops == NULL && item->step == STEP_UNDER_WAY)
		why = "the disk does not answer";
	else if (why[0] == '\0')
		why = item->backoff > 0 ? item->reason : "no answer in time";
	str_cut(reason, sizeof(reason), why);
	item_mark(item, ANS_NO, reason);
	run_give_up(item);
}

static void
run_item(struct run *r, struct item *item, usec_t now)
{
	if (item->step == STEP_GIVEN_UP)
		return;
	/* A later round of lines changed what it reads. */
	if (item->step == STEP_OK) {
		if (!item->due.on || item->due.serial == item->serial)
			return;
		item->step = STEP_WAIT;
		item->deadline = USEC_NEVER;
	}
	if (item->deadline <= now) {
		run_late(item);
		return;
	}
	if (item->ops == NULL)
		return;
	if (item->step == STEP_WAIT ?
		run_ready(r, item) :
		item->step == STEP_BACK_OFF && item->again_at <= now)
		run_begin(r, item, now);
}

static void
run_end(struct run *r, enum answer ans, const char *reason)
{
	void (*done)(void *, enum answer, const char *) = r->done;
	void *arg = r->arg;
	struct converge *c = r->c;

	run_cancel(r);
	converge_tell_drift(c);
	/* What died as soon as it had been started is seen soon. */
	if (c->retry == 0)
		timer_arm(c->minute, RUN_LOOK_AFTER);
	if (done != NULL)
		done(arg, ans, reason);
}

/* Until when there is nothing to do; 0: it is over. */
static usec_t
run_until(struct run *r)
{
	struct converge *c = r->c;
	struct item *item;
	usec_t until = 0, at;

	for (item = c->item; item < c->item + c->count; item++) {
		if (!run_has(r, item) || item->step == STEP_OK ||
		    item->step == STEP_GIVEN_UP)
			continue;
		at = item->deadline;
		if (item->step == STEP_BACK_OFF && item->again_at < at &&
		    (item->ops != NULL || r->files == FILES_IDLE))
			at = item->again_at;
		if (until == 0 || at < until)
			until = at;
	}
	return until;
}

static const struct item *
run_missed(const struct run *r)
{
	const struct converge *c = r->c;
	const struct item *item;

	if (r->when == ITEM_AFTER)
		return NULL;
	for (item = c->item; item < c->item + c->count; item++)
		if (run_has(r, item) && item->step == STEP_GIVEN_UP &&
		    (item->conf->required || r->when == ITEM_HANDOVER))
			return item;
	return NULL;
}

static void
run_timer_cb(void *arg)
{
	struct run *r = arg;
	struct converge *c = r->c;
	usec_t now = clock_now().raw, until;
	const struct item *missed;
	struct item *item;
	char reason[ITEM_REASON + 70];

	files_step(r, now);
	for (item = c->item; item < c->item + c->count; item++)
		if (run_has(r, item))
			run_item(r, item, now);
	missed = run_missed(r);
	if (missed != NULL) {
		(void)snprintf(reason, sizeof(reason), "%s: %s",
		    missed->conf->name, missed->reason);
		run_end(r, ANS_NO, reason);
		return;
	}
	until = run_until(r);
	if (until != 0) {
		if (until != USEC_NEVER)
			timer_arm(r->timer, until > now ? until - now : 0);
		return;
	}
	/* A restart that was proven is on disk as such before the end is
	 * told; a disk that takes nothing is not waited for. */
	if (pending_saved(c->pending, c->pending->wanted) == ANS_UNKNOWN)
		return;
	run_end(r, ANS_YES, "");
}
