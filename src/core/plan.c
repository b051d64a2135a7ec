/*
 * The plans: what is done, in which order, until when, and what becomes of it.
 * These tables run, and these tables are printed. A row is done when its
 * question says yes about the world; only then comes the next.
 */
#include <string.h>

#include "core/core_i.h"

#define MSEC USEC_MSEC
#define SEC USEC_SEC

const char *const plan_name[PLAN_COUNT] = { [PLAN_NONE] = "",
	[PLAN_TAKEOVER] = "takeover", [PLAN_RESTART] = "restart",
	[PLAN_STEPDOWN] = "stepdown", [PLAN_FOLLOW] = "follow" };

static enum answer
yes_if(bool b)
{
	return b ? ANS_YES : ANS_UNKNOWN;
}

static bool
ours(const struct core *c, enum rec_state state)
{
	return core_rec(c)->holder == c->conf.self &&
	    core_rec(c)->state == state;
}

/* Questions. Each is about what was observed; unknown waits, then is late. */

static enum answer
ask_claimed(const struct core *c, const struct now *now)
{
	if (ours(c, REC_CLAIMED) || ours(c, REC_HELD))
		return ANS_YES;
	return c->plan.acted && !c->dur.claim ? ANS_NO : ANS_UNKNOWN;
}

static enum answer
ask_proof(const struct core *c, const struct now *now)
{
	if (c->dur.proof_epoch != core_rec(c)->epoch)
		return ANS_NO;
	return yes_if(core_saved(c, c->claim_version));
}

static enum answer
ask_runs(const struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_START) == ANS_NO)
		return ANS_NO;
	return yes_if(core_pgs(c) == PGS_STANDBY ||
	    core_pgs(c) == PGS_PRIMARY);
}

static enum answer
ask_wal(const struct core *c, const struct now *now)
{
	enum block b = claim_wal(c);

	if (core_pgs(c) == PGS_PRIMARY) /* checked before it was promoted */
		return ANS_YES;
	if (b == BLOCK_NONE)
		return ANS_YES;
	return b == BLOCK_PG_UNKNOWN ? ANS_UNKNOWN : ANS_NO;
}

static enum answer
ask_readers(const struct core *c, const struct now *now)
{
	return yes_if(c->fence.readers_until == 0);
}

static enum answer
ask_names(const struct core *c, const struct now *now)
{
	if (core_pgs(c) == PGS_PRIMARY && ours(c, REC_HELD))
		return ANS_YES;
	return goal_result(c, ACT_NAMES);
}

static enum answer
ask_marked(const struct core *c, const struct now *now)
{
	return yes_if(c->dur.primary_epoch == core_rec(c)->epoch &&
	    core_saved(c, c->mark_version));
}

static enum answer
ask_primary(const struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_PROMOTE) == ANS_NO ||
	    goal_result(c, ACT_START) == ANS_NO)
		return ANS_NO;
	return yes_if(core_pgs(c) == PGS_PRIMARY);
}

static enum answer
ask_held(const struct core *c, const struct now *now)
{
	return yes_if(ours(c, REC_HELD) && c->lease.confirmed &&
	    !c->pending.on);
}

static enum answer
ask_relaxed(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_NAMES);
}

static enum answer
ask_settled(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_SETTLE);
}

static enum answer
ask_open(const struct core *c, const struct now *now)
{
	return yes_if(c->fence.writers == WRITERS_OPEN);
}

static enum answer
ask_verified(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_VERIFY);
}

static enum answer
ask_beside(const struct core *c, const struct now *now)
{
	return yes_if(!c->act[ACT_METADATA].running &&
	    !c->act[ACT_CHECKPOINT].running);
}

static enum answer
ask_closed(const struct core *c, const struct now *now)
{
	return yes_if(c->fence.writers == WRITERS_CLOSED);
}

static enum answer
ask_stopped(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_STOP);
}

static enum answer
ask_signal(const struct core *c, const struct now *now)
{
	return goal_result(c, ACT_SIGNAL);
}

static enum answer
ask_released(const struct core *c, const struct now *now)
{
	/* Only what is ours is ours to release. */
	return yes_if(!lease_mine(c));
}

static enum answer
ask_alone(const struct core *c, const struct now *now)
{
	return yes_if(lease_possible(c) == 0 &&
	    core_rec(c)->candidates == 0 && c->lease.confirmed);
}

static enum answer
ask_follows(const struct core *c, const struct now *now)
{
	if (goal_result(c, ACT_START) == ANS_NO)
		return ANS_NO;
	return yes_if(core_pgs(c) == PGS_STANDBY);
}

/* Deeds. */

static void
act_claim(struct core *c, const struct now *now)
{
	if (!c->dur.claim)
		claim_begin(c, now);
}

static void
act_start_standby(struct core *c, const struct now *now)
{
	/* What was promoted under this very claim comes back as it is. */
	bool promoted = c->dur.primary_epoch == core_rec(c)->epoch &&
	    ours(c, REC_CLAIMED) && !c->pg.signal;
	struct goal g = { .standby = !promoted };

	goal_ask(c, ACT_START, &g);
}

static void
act_start_primary(struct core *c, const struct now *now)
{
	struct goal g = { .standby = false };

	goal_ask(c, ACT_START, &g);
}

static void
act_nothing(struct core *c, const struct now *now)
{
}

static void
act_names_claim(struct core *c, const struct now *now)
{
	struct goal g = { .names = core_rec(c)->candidates };

	goal_ask(c, ACT_NAMES, &g);
}

static void
act_names_none(struct core *c, const struct now *now)
{
	struct goal g = { .names = 0 };

	goal_ask(c, ACT_NAMES, &g);
}

/* From here on this data may hold what others do not have. */
static void
act_mark(struct core *c, const struct now *now)
{
	if (c->dur.primary_epoch == core_rec(c)->epoch)
		return;
	c->dur.primary_epoch = core_rec(c)->epoch;
	c->mark_version = core_save(c);
}

static void
act_promote(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	/* Only while the record is ours and its lease is ahead. */
	if (!ours(c, REC_CLAIMED) || c->lease.deadline <= now->raw) {
		c->plan.acted = false;
		return;
	}
	c->plan.promoted = true;
	goal_ask(c, ACT_PROMOTE, &g);
}

static void
act_held(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	rec.state = REC_HELD;
	rec.candidates = 0;
	if (!cas_send(c, now, FOR_HELD, &rec))
		c->plan.acted = false;
}

static void
act_settle(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_SETTLE, &g);
}

static void
act_verify(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_VERIFY, &g);
}

static void
act_metadata(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_METADATA, &g);
}

static void
act_checkpoint(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_CHECKPOINT, &g);
}

static void
act_pg_stop(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_STOP, &g);
}

static void
act_signal(struct core *c, const struct now *now)
{
	struct goal g = { 0 };

	goal_ask(c, ACT_SIGNAL, &g);
}

static void
act_release(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	if (!lease_mine(c))
		return;
	rec.state = REC_RELEASED;
	if (!cas_send(c, now, FOR_RELEASE, &rec))
		c->plan.acted = false;
}

static void
act_alone(struct core *c, const struct now *now)
{
	struct record rec = *core_rec(c);

	rec.candidates = 0;
	if (!cas_send(c, now, FOR_REMOVE, &rec))
		c->plan.acted = false;
}

/* clang-format off */
static const struct plan_row plan_takeover[] = {
{ "claim",   "the register names this node, in the next epoch", ask_claimed, act_claim, 10 * SEC, LATE_ABANDON, false, false,
  "one winner: a compare-and-swap from the very record that was watched" },
{ "prove",   "the proof that the old primary can acknowledge nothing is on disk", ask_proof, act_nothing, 5 * SEC, LATE_ABANDON, false, false,
  "no promotion without a recorded proof" },
{ "running", "PostgreSQL runs here", ask_runs, act_start_standby, 60 * SEC, LATE_ABANDON, false, false,
  "taking back a released record starts the stopped server as a standby first" },
{ "wal",     "its WAL covers what the record demands", ask_wal, act_nothing, 5 * SEC, LATE_ABANDON, false, false,
  "every acknowledged commit is here: looked at again after the claim" },
{ "readers", "the readers' element is gone", ask_readers, act_nothing, 2 * SEC, LATE_ABANDON, false, false,
  "a promoted node is closed until it is held" },
{ "names",   "commits would wait for the claim's candidates", ask_names, act_names_claim, 5 * SEC, LATE_ABANDON, false, false,
  "a second defence, until the record says held" },
{ "mark",    "it is on disk that this data is a primary's", ask_marked, act_mark, 5 * SEC, LATE_ABANDON, false, false,
  "a crash from here on must not make this node an innocent standby" },
{ "promote", "PostgreSQL is out of recovery", ask_primary, act_promote, 60 * SEC, LATE_AGAIN, false, true,
  "the point of no return; only while the lease is ahead" },
{ "held",    "the register says held, without candidates", ask_held, act_held, 10 * SEC, LATE_AGAIN, false, true,
  "nobody else may claim any more" },
{ "relax",   "commits wait for nobody", ask_relaxed, act_names_none, 5 * SEC, LATE_AGAIN, false, true,
  "the settings that were inherited are the old primary's" },
{ "settle",  "a commit returns on the Unix socket", ask_settled, act_settle, 5 * SEC, LATE_AGAIN, false, true,
  "observed, not assumed, before anybody is let in" },
{ "open",    "clients can write", ask_open, act_nothing, 30 * SEC, LATE_AGAIN, false, true,
  "every condition of opening holds" },
{ "metadata", "repmgr knows this primary", ask_beside, act_metadata, 30 * SEC, LATE_GO_ON, true, true,
  "off the critical path" },
{ "checkpoint", "a checkpoint on the new timeline ended", ask_beside, act_checkpoint, 300 * SEC, LATE_GO_ON, true, true,
  "pg_rewind of the old primary needs it" },
{ "verify",  "a commit returns through the TCP port", ask_verified, act_verify, 5 * SEC, LATE_GO_ON, false, true,
  "the way the clients come" },
{ "announce", "what ran beside has ended", ask_beside, act_nothing, 300 * SEC, LATE_GO_ON, false, true,
  "the takeover is over" },
};

static const struct plan_row plan_restart[] = {
{ "closed",  "the fence is closed", ask_closed, act_nothing, 5 * SEC, LATE_AGAIN, false, true,
  "every start of a primary happens behind a closed fence" },
{ "stopped", "no process of the instance lives", ask_stopped, act_pg_stop, 30 * SEC, LATE_AGAIN, false, true,
  "a killed postmaster can leave a backend that is busy" },
{ "alone",   "the register lists no candidates", ask_alone, act_alone, 10 * SEC, LATE_AGAIN, false, true,
  "rows that were never replicated become visible at the restart" },
{ "start",   "PostgreSQL is primary again", ask_primary, act_start_primary, 600 * SEC, LATE_AGAIN, false, true,
  "crash recovery takes its time" },
{ "relax",   "commits wait for nobody", ask_relaxed, act_names_none, 5 * SEC, LATE_AGAIN, false, true,
  "behind the fence no standby can connect" },
{ "settle",  "a commit returns on the Unix socket", ask_settled, act_settle, 5 * SEC, LATE_AGAIN, false, true,
  "observed, not assumed, before anybody is let in" },
{ "open",    "clients can write", ask_open, act_nothing, 30 * SEC, LATE_AGAIN, false, true,
  "every condition of opening holds" },
{ "verify",  "a commit returns through the TCP port", ask_verified, act_verify, 5 * SEC, LATE_GO_ON, false, true,
  "the way the clients come" },
};

static const struct plan_row plan_stepdown[] = {
{ "closed",  "the fence is closed", ask_closed, act_nothing, 5 * SEC, LATE_AGAIN, false, true,
  "first of all, nobody can write here" },
{ "stopped", "no process of the instance lives", ask_stopped, act_pg_stop, 30 * SEC, LATE_AGAIN, false, true,
  "seen in /proc, not believed from an exit code" },
{ "signal",  "standby.signal is in the data directory", ask_signal, act_signal, 500 * MSEC, LATE_GO_ON, false, true,
  "whoever starts this server starts a standby" },
{ "release", "the record is released, or not ours", ask_released, act_release, 10 * SEC, LATE_AGAIN, false, true,
  "a candidate need not wait for the lease to run out" },
};

static const struct plan_row plan_follow[] = {
{ "signal",  "standby.signal is in the data directory", ask_signal, act_signal, 5 * SEC, LATE_ABANDON, false, false,
  "never by accident a primary" },
{ "start",   "PostgreSQL runs in recovery", ask_follows, act_start_standby, 600 * SEC, LATE_ABANDON, false, false,
  "a standby harms nobody" },
};
/* clang-format on */

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

static const struct {
	const struct plan_row *rows;
	int count;
} plan_table[PLAN_COUNT] = {
	[PLAN_TAKEOVER] = { plan_takeover, ROWS(plan_takeover) },
	[PLAN_RESTART] = { plan_restart, ROWS(plan_restart) },
	[PLAN_STEPDOWN] = { plan_stepdown, ROWS(plan_stepdown) },
	[PLAN_FOLLOW] = { plan_follow, ROWS(plan_follow) },
};

const struct plan_row *
plan_rows(enum plan_id id, int *count)
{
	*count = plan_table[id].count;
	return plan_table[id].rows;
}

int
plan_find(enum plan_id id, const char *row)
{
	int i;

	for (i = 0; i < plan_table[id].count; i++)
		if (strcmp(plan_table[id].rows[i].name, row) == 0)
			return i;
	return -1;
}

size_t
core_plan_doc(const struct plan_doc **rows)
{
	static const char *const late[] = { [LATE_AGAIN] = "try again",
		[LATE_GO_ON] = "go on", [LATE_ABANDON] = "abandon" };
	static struct plan_doc doc[ROWS(plan_takeover) + ROWS(plan_restart) +
	    ROWS(plan_stepdown) + ROWS(plan_follow)];
	const struct plan_row *r;
	size_t n = 0;
	int id, i;

	for (id = PLAN_NONE + 1; id < PLAN_COUNT; id++)
		for (i = 0; i < plan_table[id].count; i++) {
			r = &plan_table[id].rows[i];
			doc[n++] = (struct plan_doc){ plan_name[id], r->name,
				r->goal, late[r->late], r->why, r->limit,
				r->forward };
		}
	*rows = doc;
	return n;
}
