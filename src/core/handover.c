/*
 * A switchover, from the side of the primary that hands over.
 *
 * Both are healthy and a person wants it, so nothing need be given up for it:
 * until the record is released, whatever fails or takes too long leads back to
 * where it began. The primary ends by its own shutdown, which sends all that it
 * has, its last checkpoint too, to the standbys that are connected; the fence
 * stays open meanwhile, for them, under a lease that is renewed as before, and
 * PostgreSQL itself turns clients away. Then the target is asked how far it
 * has flushed. Only when that is the end of the shutdown's checkpoint is the
 * record released to it.
 *
 * What surrounds it goes first, and in the order in which it disturbs: the long
 * checkpoint, while all serve; then voters are sent to the other hosts, where
 * there are any; what stops for a handover stops, in its order; then the target
 * copies the files a last time, which nothing here changes any more. All that
 * is undone by the rules that hold anyway: a holder is not drained, and its
 * host is brought to its role again, since it is on disk, from before the first
 * stop, that something may be missing there in this epoch.
 *
 * So nothing is in this data that the target has not. That is noted with the
 * epoch before the release: if it is the target that holds the next one, this
 * node follows it as it is. If another does, or a crash came before the note,
 * the data counts as diverged as always. The note goes, and is seen to be gone
 * on the disk, before this data is started as a primary again, since a release
 * that was sent may land at any time; and when it is seen as one.
 */
#include <string.h>

#include "core/steps.h"
#include "hawatch/str.h"

#define ASK_EVERY (10 * USEC_MSEC)
#define ASK_AGAIN (100 * USEC_MSEC) /* what was not answered */
#define NEAR (1024 * 1024) /* bytes: some ten milliseconds on any network */

/* A candidate that answered lately, and is a standby that runs. */
static bool
hand_ready(const struct core *c, const struct now *now, node_t n)
{
	return (core_rec(c)->candidates & NODE_BIT(n)) &&
	       !(c->lease.abdicated & NODE_BIT(n)) && c->heard_at[n] != 0 &&
	       now->raw - c->heard_at[n] < core_rec(c)->ttl &&
	       c->peer[n].recovery == ANS_YES && c->peer[n].running == ANS_YES;
}

bool
hand_register(const struct core *c, const struct now *now)
{
	return watch_usable(c) && !c->reg.failing && !c->pending.on &&
	       now->raw - c->reg.read_at < core_rec(c)->ttl;
}

const char *
core_order_switchover(struct core *c, const struct now *now, node_t to)
{
	if (c->conf.mode != CORE_AUTO)
		return "the mode is not auto: nobody may take over from here\n"
		       "hactl status";
	if (core_rel(c) != REL_HELD || core_pgs(c) != PGS_PRIMARY)
		return "only the primary hands over, and this node is not: "
		       "hactl status says who is\nhactl status";
	if (to == c->conf.self)
		return "this node is the primary already\nhactl status";
	if (c->fence.writers != WRITERS_OPEN || !lease_ahead(c, now))
		return "this primary does not serve: what it lacks comes first"
		       "\nhactl status";
	if (c->plan.id != PLAN_NONE || c->hand.on ||
	    now->raw < c->plan.retry_at)
		return "a plan runs, or ended a moment ago\nhactl status";
	if (pause_on(c, now))
		return "failover is paused: nobody may take over\n"
		       "hactl resume";
	if (!(c->conf.data & NODE_BIT(to)) || !hand_ready(c, now, to))
		return "the target is no candidate that answers: it could not "
		       "take over\nhactl status";
	memset(&c->hand, 0, sizeof(c->hand));
	c->hand.on = true;
	c->hand.to = to;
	return NULL;
}

/* What is here, all of it, the very next holder has. */
bool
hand_clean(const struct core *c)
{
	const struct record *rec = core_rec(c);
	const struct durable *d = &c->dur;

	return d->handed_epoch != 0 && d->primary_epoch == d->handed_epoch &&
	       core_rel(c) == REL_OTHER && core_pgs(c) != PGS_PRIMARY &&
	       rec->state == REC_HELD && rec->epoch == d->handed_epoch + 1 &&
	       rec->holder == d->handed_to;
}

enum answer
ask_heir(const struct core *c, const struct now *now)
{
	return hand_ready(c, now, c->hand.to) ? ANS_YES : ANS_UNKNOWN;
}

enum answer
ask_checkpoint(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_CHECKPOINT);
}

bool
hand_drains(const struct core *c)
{
	return plan_at_or_past(c, PLAN_SWITCHOVER, "drain");
}

bool
hand_quiet(const struct core *c)
{
	return plan_at_or_past(c, PLAN_SWITCHOVER, "quiet");
}

enum answer
ask_drained(const struct core *c, const struct now *now)
{
	return site_drained(c, now);
}

enum answer
ask_quiet(const struct core *c, const struct now *now)
{
	return c->conf.quiet ? goal_result(c, ACT_QUIET) : ANS_YES;
}

enum answer
ask_files(const struct core *c, const struct now *now)
{
	return c->conf.files ? goal_result(c, ACT_FILES) : ANS_YES;
}

enum answer
ask_near(const struct core *c, const struct now *now)
{
	node_t to = c->hand.to;

	if (!hand_ready(c, now, to))
		return ANS_NO;
	return c->pg.seen_at > c->plan.since && c->pg.sender[to].streaming &&
		       durability_lag(c, to) <= NEAR && c->hand.wal_end != 0 &&
		       hand_register(c, now) ?
		   ANS_YES :
		   ANS_UNKNOWN;
}

enum answer
ask_flushed(const struct core *c, const struct now *now)
{
	const struct handover *h = &c->hand;

	if (!(core_rec(c)->candidates & NODE_BIT(h->to)) || h->end == 0)
		return ANS_NO;
	return h->timeline == core_rec(c)->timeline && h->wal_end >= h->end &&
		       hand_register(c, now) ?
		   ANS_YES :
		   ANS_UNKNOWN;
}

void
deed_checkpoint_now(struct core *c, const struct now *now)
{
	struct goal g = { .clean = true };

	goal_ask(c, ACT_CHECKPOINT, &g);
}

/* An end of the engine must not leave it stopped: on disk first. */
void
deed_quiet(struct core *c, const struct now *now)
{
	struct goal g = { .node = c->conf.self };

	if (c->dur.quiet_epoch != core_rec(c)->epoch) {
		c->dur.quiet_epoch = core_rec(c)->epoch;
		c->quiet_version = core_save(c);
	}
	if (!core_saved(c, c->quiet_version)) {
		c->plan.acted = false;
		return;
	}
	goal_stop(c, ACT_CONVERGE);
	goal_ask(c, ACT_QUIET, &g);
}

void
deed_files(struct core *c, const struct now *now)
{
	struct goal g = { .node = c->hand.to };

	goal_ask(c, ACT_FILES, &g);
}

void
deed_pg_end(struct core *c, const struct now *now)
{
	struct goal g = { .clean = true };

	goal_ask(c, ACT_STOP, &g);
}

/* How far it is, if it could take over: asked again and again, since what was
 * sent last may still be on its way. One id, so that an answer to any of these
 * questions will do; who does not know them says nothing of that. */
void
deed_ask_heir(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	struct handover *h = &c->hand;
	struct action *a;

	c->plan.acted = false;
	if (h->id != 0 &&
	    now->raw - h->asked_at < (h->answered ? ASK_EVERY : ASK_AGAIN))
		return;
	if (h->id == 0)
		h->id = ++c->ids;
	h->answered = false;
	h->asked_at = now->raw;
	a = core_do(c, DO_ASK);
	a->node = h->to;
	a->ask.id = h->id;
	a->ask.from = c->conf.self;
	a->ask.epoch = rec->epoch;
	a->ask.seq = rec->seq;
	a->ask.ttl = rec->ttl;
	a->ask.lsn = rec->lsn;
	a->ask.position = true;
	str_cut(a->ask.instance, sizeof(a->ask.instance), c->dur.instance);
}

/* True: it was an answer to that. */
bool
hand_answer(struct core *c, const struct ask_answer *ans)
{
	struct handover *h = &c->hand;

	if (!h->on || h->id == 0 || ans->id != h->id || ans->from != h->to)
		return false;
	h->answered = true;
	h->timeline = ans->timeline;
	if (h->wal_end < ans->wal_end)
		h->wal_end = ans->wal_end;
	return true;
}

void
deed_note(struct core *c, const struct now *now)
{
	c->dur.handed_epoch = core_rec(c)->epoch;
	c->dur.handed_to = c->hand.to;
	core_save(c);
	deed_signal(c, now);
}

void
deed_hand(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	if (!lease_mine(c))
		return;
	if (core_pgs(c) != PGS_GONE) {
		c->plan.acted = false;
		return;
	}
	rec.state = REC_RELEASED;
	rec.target = c->hand.to;
	if (!cas_send(c, now, FOR_RELEASE, &rec))
		c->plan.acted = false;
}
