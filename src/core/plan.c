/*
 * The plans: what is done, in which order, until when, and what becomes of it.
 * These tables run, and these tables are printed. A row is done when its
 * question says yes about the world; only then comes the next.
 */
#include <string.h>

#include "core/steps.h"

#define MSEC USEC_MSEC
#define SEC USEC_SEC

const char *const plan_name[PLAN_COUNT] = { [PLAN_NONE] = "",
	[PLAN_TAKEOVER] = "takeover",
	[PLAN_RESTART] = "restart",
	[PLAN_STEPDOWN] = "stepdown",
	[PLAN_FOLLOW] = "follow",
	[PLAN_SWITCHOVER] = "switchover",
	[PLAN_REJOIN] = "rejoin" };

/* clang-format off */
static const struct plan_row plan_takeover[] = {
{ "claim",   "the register names this node, in the next epoch", ask_claimed, deed_claim, NULL, 10 * SEC, LATE_ABANDON, false, false,
  "one winner: a compare-and-swap from the very record that was watched" },
{ "prove",   "the proof that the old primary can acknowledge nothing is on disk", ask_proof, deed_nothing, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "no promotion without a recorded proof" },
{ "running", "PostgreSQL runs here", ask_runs, deed_start_standby, NULL, 60 * SEC, LATE_ABANDON, false, false,
  "taking back a released record starts the stopped server as a standby first" },
{ "wal",     "its WAL covers what the record demands", ask_wal, deed_nothing, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "every acknowledged commit is here: looked at again after the claim" },
{ "readers", "the readers' element is gone", ask_readers, deed_nothing, NULL, 2 * SEC, LATE_ABANDON, false, false,
  "a promoted node is closed until it is held" },
{ "names",   "commits would wait for the claim's candidates", ask_names, deed_names_claim, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "a second defence, until the record says held" },
{ "pullers", "nothing pulls from the old primary any more", ask_pullers, deed_pullers, NULL, 10 * SEC, LATE_ABANDON, false, false,
  "what is pulled after the promotion would overwrite what is newer here" },
{ "mark",    "it is on disk that this data is a primary's", ask_marked, deed_mark, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "a crash from here on must not make this node an innocent standby" },
{ "promote", "PostgreSQL is out of recovery", ask_primary, deed_promote, may_promote, 60 * SEC, LATE_AGAIN, false, true,
  "the point of no return; only while the lease is ahead" },
{ "held",    "the register says held, without candidates", ask_held, deed_held, NULL, 10 * SEC, LATE_AGAIN, false, true,
  "nobody else may claim any more" },
{ "relax",   "commits wait for nobody", ask_relaxed, deed_names_none, NULL, 5 * SEC, LATE_AGAIN, false, true,
  "the settings that were inherited are the old primary's" },
{ "settle",  "a commit returns on the Unix socket", ask_settled, deed_settle, NULL, 5 * SEC, LATE_AGAIN, false, true,
  "observed, not assumed, before anybody is let in" },
{ "open",    "clients can write", ask_open, deed_nothing, NULL, 30 * SEC, LATE_AGAIN, false, true,
  "every condition of opening holds" },
{ "metadata", "repmgr knows this primary", ask_beside, deed_metadata, NULL, 30 * SEC, LATE_GO_ON, true, true,
  "off the critical path" },
{ "checkpoint", "a checkpoint on the new timeline ended", ask_beside, deed_checkpoint, NULL, 300 * SEC, LATE_GO_ON, true, true,
  "pg_rewind of the old primary needs it" },
{ "converge", "this host is as its role demands", ask_beside, site_converge, site_may, 10 * SEC, LATE_GO_ON, true, true,
  "its applications write to this primary" },
{ "traffic", "the balancers send voters to where it works", ask_beside, site_traffic, site_may, 10 * SEC, LATE_GO_ON, true, true,
  "an outside action: only while the lease is ahead" },
{ "commit",  "a commit returns through the TCP port", ask_committed, deed_commit, NULL, 5 * SEC, LATE_GO_ON, false, true,
  "the way the clients come" },
{ "arrive",  "converging and steering the balancers have ended", ask_arrived, deed_nothing, NULL, 150 * SEC, LATE_GO_ON, false, true,
  "a check that passes before that proves little" },
{ "verify",  "every check marked verify passes", ask_verified, deed_verify, NULL, 150 * SEC, LATE_GO_ON, false, true,
  "the site works again when a voter's way through it does" },
{ "announce", "what ran beside has ended", ask_beside, deed_nothing, NULL, 300 * SEC, LATE_GO_ON, false, true,
  "the takeover is over" },
};

static const struct plan_row plan_restart[] = {
{ "closed",  "the fence is closed", ask_closed, deed_nothing, NULL, 5 * SEC, LATE_AGAIN, false, true,
  "every start of a primary happens behind a closed fence" },
{ "stopped", "no process of the instance lives", ask_stopped, deed_pg_stop, NULL, 30 * SEC, LATE_AGAIN, false, true,
  "a killed postmaster can leave a backend that is busy" },
{ "alone",   "the register lists no candidates", ask_alone, deed_alone, NULL, 10 * SEC, LATE_AGAIN, false, true,
  "rows that were never replicated become visible at the restart" },
{ "start",   "PostgreSQL is primary again", ask_primary, deed_start_primary, NULL, 600 * SEC, LATE_AGAIN, false, true,
  "crash recovery takes its time" },
{ "relax",   "commits wait for nobody", ask_relaxed, deed_names_none, NULL, 5 * SEC, LATE_AGAIN, false, true,
  "behind the fence no standby can connect" },
{ "settle",  "a commit returns on the Unix socket", ask_settled, deed_settle, NULL, 5 * SEC, LATE_AGAIN, false, true,
  "observed, not assumed, before anybody is let in" },
{ "open",    "clients can write", ask_open, deed_nothing, NULL, 30 * SEC, LATE_AGAIN, false, true,
  "every condition of opening holds" },
{ "commit",  "a commit returns through the TCP port", ask_committed, deed_commit, NULL, 5 * SEC, LATE_GO_ON, false, true,
  "the way the clients come" },
};

static const struct plan_row plan_stepdown[] = {
{ "closed",  "the fence is closed", ask_closed, deed_nothing, NULL, 1 * SEC, LATE_GO_ON, false, true,
  "first of all, nobody can write here" },
{ "stopped", "no process of the instance lives", ask_stopped, deed_pg_stop, NULL, 30 * SEC, LATE_AGAIN, false, true,
  "seen in /proc, not believed from an exit code" },
{ "signal",  "standby.signal is in the data directory", ask_signal, deed_signal, NULL, 500 * MSEC, LATE_GO_ON, false, true,
  "whoever starts this server starts a standby" },
{ "release", "the record is released, or not ours", ask_released, deed_release, NULL, 10 * SEC, LATE_AGAIN, false, true,
  "a candidate need not wait for the lease to run out" },
};

static const struct plan_row plan_follow[] = {
{ "signal",  "standby.signal is in the data directory", ask_signal, deed_signal, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "never by accident a primary" },
{ "start",   "PostgreSQL runs in recovery", ask_follows, deed_start_standby, NULL, 600 * SEC, LATE_ABANDON, false, false,
  "a standby harms nobody" },
};

static const struct plan_row plan_switchover[] = {
{ "heir",    "the target is a candidate, and answers", ask_heir, deed_nothing, NULL, 2 * SEC, LATE_ABANDON, false, false,
  "it has every acknowledged commit, and could take over" },
{ "checkpoint", "a checkpoint ended a moment ago", ask_checkpoint, deed_checkpoint_now, NULL, 120 * SEC, LATE_ABANDON, false, false,
  "the last one, for which clients wait, is then short" },
{ "drain",   "the balancers send nobody to this host", ask_drained, deed_nothing, NULL, 5 * SEC, LATE_GO_ON, false, false,
  "voters are at a host whose applications are not about to change" },
{ "quiet",   "what stops for a handover has stopped here", ask_quiet, deed_quiet, NULL, 60 * SEC, LATE_ABANDON, false, false,
  "what runs on one host only is not to run on two, nor a queue be cut in the middle" },
{ "files",   "the target has this host's files", ask_files, deed_files, NULL, 120 * SEC, LATE_ABANDON, false, false,
  "it copies them no more once it is the primary" },
{ "near",    "the target lacks next to nothing", ask_near, deed_ask_heir, NULL, 30 * SEC, LATE_ABANDON, false, false,
  "what it lacks is sent while clients wait; asked whether it could take over now" },
{ "stopped", "PostgreSQL ended here by itself, all sent to its standbys", ask_stopped, deed_pg_end, NULL, 3 * SEC, LATE_BACK, false, false,
  "its own shutdown waits for them; the fence, still open, serves nobody any more" },
{ "closed",  "the fence is closed", ask_closed, deed_nothing, NULL, 500 * MSEC, LATE_BACK, false, false,
  "nobody can write here, whatever is started" },
{ "flushed", "the target has flushed this server's last checkpoint", ask_flushed, deed_ask_heir, NULL, 1 * SEC, LATE_BACK, false, false,
  "nothing is only here: this data can follow the target's" },
{ "signal",  "standby.signal is in the data directory", ask_signal, deed_note, NULL, 500 * MSEC, LATE_GO_ON, false, true,
  "whoever starts this server starts a standby; what may be written does not lead back" },
{ "release", "the record is released to the target, or not ours", ask_released, deed_hand, NULL, 10 * SEC, LATE_AGAIN, false, true,
  "the point of no return: it may claim from the moment in which this is sent" },
};

static const struct plan_row plan_rejoin[] = {
{ "apart",   "another holds, its record was renewed since, and lists this node nowhere", ask_apart, deed_apart, NULL, 15 * SEC, LATE_ABANDON, false, false,
  "what may still be asked to take over, or may be the only copy, is left as it is" },
{ "stopped", "no process of the instance lives", ask_stopped, deed_pg_stop, NULL, 30 * SEC, LATE_ABANDON, false, false,
  "seen in /proc, not believed from an exit code" },
{ "mark",    "it is on disk that this data is set aside, for whose", ask_aside_marked, deed_aside_mark, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "a crash from here on must not make this node an innocent standby" },
{ "aside",   "a start here replays what is here, and follows nobody", ask_aside, deed_aside, may_rejoin, 10 * SEC, LATE_ABANDON, false, false,
  "a server of another history could be taken for its own by the timeline's number" },
{ "standby", "standby.signal is in the data directory", ask_signal, deed_signal, may_rejoin, 5 * SEC, LATE_ABANDON, false, false,
  "never by accident a primary" },
{ "recover", "PostgreSQL has replayed its own log, as a standby", ask_recovered, deed_start_standby, may_rejoin, 600 * SEC, LATE_ABANDON, false, false,
  "data of a crash cannot be rewound; nobody is let in" },
{ "ended",   "PostgreSQL ended by itself again", ask_ended, deed_pg_end_standby, NULL, 120 * SEC, LATE_ABANDON, false, false,
  "where its log ends is then known" },
{ "compare", "it is known how far this data is the primary's", ask_compared, deed_compare, may_rejoin, 120 * SEC, LATE_ABANDON, false, false,
  "by the histories of both, not by the timeline's number; the primary has ended a checkpoint on its own" },
{ "save",    "what only this data has is kept beside it", ask_kept, deed_keep, may_rejoin, 3600 * SEC, LATE_ABANDON, false, false,
  "nobody acknowledged it, and somebody may want to read it" },
{ "half",    "it is on disk that this data may be half rewritten", ask_half, deed_half, may_rejoin, 5 * SEC, LATE_ABANDON, false, false,
  "never started until it is whole" },
{ "rewind",  "this data is the primary's, and names it", ask_made, deed_make, NULL, 86400 * SEC, LATE_ABANDON, false, false,
  "only while the same node holds the same epoch; begun again, it starts from what was kept" },
{ "whole",   "it is on disk that this data is whole", ask_whole, deed_whole, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "it need not be rewritten once more" },
{ "signal",  "standby.signal is in the data directory", ask_signal, deed_signal, NULL, 5 * SEC, LATE_ABANDON, false, false,
  "a rewind takes it away" },
{ "start",   "PostgreSQL runs in recovery", ask_follows, deed_start_standby, NULL, 600 * SEC, LATE_ABANDON, false, false,
  "a standby harms nobody" },
{ "streams", "it streams from the primary, past where that was when this began", ask_streams, deed_streams, NULL, 30 * SEC, LATE_ABANDON, false, false,
  "seen to work before it counts" },
{ "clear",   "it is on disk that this is a standby as any other", ask_cleared, deed_clear, NULL, 5 * SEC, LATE_AGAIN, false, true,
  "from here on it may become a candidate" },
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
	[PLAN_SWITCHOVER] = { plan_switchover, ROWS(plan_switchover) },
	[PLAN_REJOIN] = { plan_rejoin, ROWS(plan_rejoin) },
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
		[LATE_GO_ON] = "go on",
		[LATE_ABANDON] = "abandon",
		[LATE_BACK] = "take back" };
	static struct plan_doc doc[ROWS(plan_takeover) + ROWS(plan_restart) +
				   ROWS(plan_stepdown) + ROWS(plan_follow) +
				   ROWS(plan_switchover) + ROWS(plan_rejoin)];
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
