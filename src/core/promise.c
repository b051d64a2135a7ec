/*
 * Answering the holder's question: "will you not claim before your now + W?"
 *
 * Yes only if this node has seen no higher epoch, is not the holder itself,
 * and has no claim whose outcome it does not know. A T above the largest that
 * is on disk is promised only once that is written, since the hold-off after a
 * restart uses it. Bounded: a yes says, too, that the position which the holder
 * told is on disk here. A "no" carries the record that this node knows.
 *
 * A position, that another candidate asks for, is rank.c's to tell.
 *
 * Abdication: this node writes durably "no candidate of this epoch until a seq
 * above s", and then says so.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

void
core_on_ask(struct core *c, const struct now *now, const struct ask *ask)
{
	struct asked *q = NULL;
	int i;

	c->heard_at[ask->from] = now->raw;
	if (ask->epoch > core_rec(c)->epoch && ask->epoch > c->reg.hint_epoch) {
		c->reg.hint_epoch = ask->epoch;
		c->read_wanted = true;
	}
	/* An abdication that waits for the disk, or a position that waits for a
	 * view, is asked for anew: the newer question is the one to be
	 * answered. */
	for (i = 0; i < c->asked_count && (ask->abdicate || ask->position); i++)
		if (c->asked[i].waiting && c->asked[i].ask.from == ask->from &&
		    c->asked[i].ask.abdicate == ask->abdicate &&
		    c->asked[i].ask.position == ask->position)
			q = &c->asked[i];
	/* A full list drops the question: silence promises nothing. */
	if (q == NULL && c->asked_count == ASKED_MAX)
		return;
	if (q == NULL)
		q = &c->asked[c->asked_count++];
	memset(q, 0, sizeof(*q));
	q->at = now->raw;
	q->ask = *ask;
}

static const char *
promise_refusal(struct core *c, const struct ask *ask)
{
	if (ask->epoch < c->dur.epoch || ask->epoch < core_rec(c)->epoch ||
	    ask->epoch < c->reg.hint_epoch || ask->epoch < c->dur.told_epoch)
		return "higher-epoch";
	if (core_rel(c) != REL_OTHER && core_rel(c) != REL_UNKNOWN &&
	    ask->epoch == core_rec(c)->epoch)
		return "is-holder";
	if (c->dur.claim || c->pending.on)
		return "claim-unresolved";
	if (ask->ttl > c->dur.t_max) {
		c->dur.t_max = ask->ttl;
		c->t_max_version = core_save(c);
	}
	return core_saved(c, c->t_max_version) ? NULL : "not-saved";
}

void
promise_facts(const struct core *c, struct ask_answer *ans, uint64_t id)
{
	ans->id = id;
	ans->from = c->conf.self;
	str_cut(ans->instance, sizeof(ans->instance), c->dur.instance);
	ans->epoch = c->dur.epoch;
	ans->seq = c->dur.seq;
	ans->running = c->pg.running;
	ans->recovery = c->pg.recovery;
	ans->timeline = c->pg.timeline;
	ans->wal_end = c->pg.wal_end;
}

static void
promise_answer(struct core *c, const struct now *now, const struct ask *ask,
    const char *refusal, bool abdicated)
{
	struct action *a = core_do(c, DO_ANSWER);
	struct ask_answer *ans = &a->answer;

	a->node = ask->from;
	promise_facts(c, ans, ask->id);
	ans->yes = refusal == NULL && !ask->abdicate;
	ans->abdicated = abdicated;
	str_cut(
	    ans->reason, sizeof(ans->reason), refusal == NULL ? "" : refusal);
	if (!ans->yes)
		return;
	if (c->promise.until < now->raw + core_wait(c, ask->ttl))
		c->promise.until = now->raw + core_wait(c, ask->ttl);
	c->promise.to = ask->from;
	c->promise.epoch = ask->epoch;
}

/* Bounded: is on disk what the holder told of its position? Each question waits
 * for its own: one that is replaced by the next would never be answered where
 * the disk is slower than the questions come. */
static bool
promise_told(struct core *c, struct asked *q)
{
	struct durable *d = &c->dur;

	if (!q->ask.bounded)
		return true;
	if (d->told_epoch < q->ask.epoch || d->told < q->ask.lsn) {
		d->told = q->ask.lsn;
		d->told_epoch = q->ask.epoch;
		c->told_version = core_save(c);
	}
	if (q->version == 0)
		q->version = c->told_version;
	return core_saved(c, q->version);
}

/* True when the question is dealt with; false while it waits for the disk. */
static bool
promise_one(struct core *c, const struct now *now, struct asked *q)
{
	const char *refusal;

	if (q->ask.position)
		return rank_reply(c, now, q);
	refusal = promise_refusal(c, &q->ask);
	if (refusal == NULL && !q->ask.abdicate && !promise_told(c, q)) {
		q->waiting = now->raw - q->at < q->ask.ttl;
		if (q->waiting)
			return false;
		refusal = "not-saved";
	}
	if (refusal != NULL || !q->ask.abdicate) {
		promise_answer(c, now, &q->ask, refusal, false);
		return true;
	}
	q->waiting = true;
	if (c->dur.abdicated_epoch != q->ask.epoch ||
	    c->dur.abdicated_seq < q->ask.seq) {
		c->dur.abdicated_epoch = q->ask.epoch;
		c->dur.abdicated_seq = q->ask.seq;
		c->abdicated_version = core_save(c);
	}
	if (!core_saved(c, c->abdicated_version))
		return false;
	promise_answer(c, now, &q->ask, NULL, true);
	return true;
}

void
promise_turn(struct core *c, const struct now *now)
{
	int i, left = 0;

	for (i = 0; i < c->asked_count; i++)
		if (!promise_one(c, now, &c->asked[i]))
			c->asked[left++] = c->asked[i];
	c->asked_count = left;
}
