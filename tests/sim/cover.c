/*
 * What of the core the seeds have taken: the cells of the node table, the rows
 * of the plans and each way out of them, and how each action has failed. What
 * was never taken counts as a failure, unless the table here says why it
 * cannot be: a table that does not drive is worse than none.
 */
#include <string.h>

#include "sim.h"

static const char *const exit_name[EXIT_COUNT] = {
	[EXIT_DONE] = "done",
	[EXIT_LATE] = "late",
	[EXIT_REFUSED] = "refused",
	[EXIT_LEFT] = "overtaken",
};

static const char *const fail_name[FAIL_COUNT] = {
#define X(id, name) [FAIL_##id] = name,
	FAILURES(X)
#undef X
};

#define AT_ONCE "answered in the turn that enters it"
#define BESIDE "beside: nobody waits for it"
#define TOO_LONG "its limit is longer than a run"
#define STANDS "the node table lets a stepdown come to its end"
#define RARE "not in ten thousand seeds: "
#define SELDOM "not in each three thousand seeds: "

/* What no run of the budget takes, and why. */
static const struct {
	const char *plan, *row;
	enum row_exit exit;
	const char *why;
} excused[] = {
	{ "takeover", "claim", EXIT_REFUSED,
	    "a lost claim ends the plan by the node table, before" },
	{ "takeover", "prove", EXIT_LATE, AT_ONCE },
	{ "takeover", "prove", EXIT_LEFT, AT_ONCE },
	{ "takeover", "running", EXIT_LATE,
	    RARE "a start of a minute that is not overtaken" },
	{ "takeover", "running", EXIT_REFUSED,
	    RARE "a refused start in a record that was taken back" },
	{ "takeover", "running", EXIT_LEFT,
	    RARE "the record moves while a taken back one starts" },
	{ "takeover", "wal", EXIT_LATE, AT_ONCE },
	{ "takeover", "wal", EXIT_LEFT, AT_ONCE },
	{ "takeover", "wal", EXIT_REFUSED,
	    RARE "it was looked at before the claim, a moment ago" },
	{ "takeover", "readers", EXIT_REFUSED, "its question never says no" },
	{ "takeover", "readers", EXIT_LEFT,
	    RARE "two seconds in which the record moves" },
	{ "takeover", "names", EXIT_LATE,
	    RARE "the names were set while it followed" },
	{ "takeover", "names", EXIT_REFUSED,
	    RARE "the names were set while it followed" },
	{ "takeover", "names", EXIT_LEFT,
	    RARE "the names were set while it followed" },
	{ "takeover", "mark", EXIT_REFUSED, "its question never says no" },
	{ "takeover", "mark", EXIT_LEFT,
	    RARE "the record moves while the disk is written" },
	{ "takeover", "metadata", EXIT_LATE, BESIDE },
	{ "takeover", "metadata", EXIT_LEFT, AT_ONCE },
	{ "takeover", "checkpoint", EXIT_LATE, BESIDE },
	{ "takeover", "checkpoint", EXIT_LEFT, AT_ONCE },
	{ "takeover", "converge", EXIT_LATE,
	    RARE "ten seconds in which it may not begin" },
	{ "takeover", "converge", EXIT_LEFT, AT_ONCE },
	{ "takeover", "traffic", EXIT_LATE,
	    RARE "ten seconds in which it may not begin" },
	{ "takeover", "traffic", EXIT_LEFT, AT_ONCE },
	{ "takeover", "arrive", EXIT_LATE,
	    RARE "what hangs here hangs for a minute, not for two and a half" },
	{ "takeover", "announce", EXIT_LATE, TOO_LONG },
	{ "restart", "closed", EXIT_LEFT, RARE "five seconds of a closing" },
	{ "restart", "stopped", EXIT_LEFT,
	    RARE "the record moves while it is stopped" },
	{ "restart", "start", EXIT_LEFT,
	    RARE "the record moves, without candidates" },
	{ "restart", "relax", EXIT_LATE, RARE "names that hang for long" },
	{ "restart", "relax", EXIT_LEFT,
	    RARE "the server dies while they are set" },
	{ "restart", "commit", EXIT_LEFT,
	    RARE "the server dies in its first commit" },
	{ "stepdown", "closed", EXIT_LEFT, STANDS },
	{ "stepdown", "stopped", EXIT_LEFT, STANDS },
	{ "stepdown", "signal", EXIT_LEFT, STANDS },
	{ "stepdown", "release", EXIT_LEFT, STANDS },
	{ "follow", "signal", EXIT_REFUSED,
	    RARE "the file is there where a server follows" },
	{ "follow", "signal", EXIT_LEFT, RARE "a moment's work" },
	{ "follow", "start", EXIT_LATE, TOO_LONG },
	{ "switchover", "heir", EXIT_LATE, AT_ONCE },
	{ "switchover", "heir", EXIT_REFUSED, "its question never says no" },
	{ "switchover", "heir", EXIT_LEFT, AT_ONCE },
	{ "switchover", "checkpoint", EXIT_LATE,
	    "what hangs here hangs for a minute, not for two" },
	{ "switchover", "drain", EXIT_REFUSED, "it goes on without" },
	{ "switchover", "quiet", EXIT_LATE,
	    RARE "what hangs here hangs for a minute at most" },
	{ "switchover", "closed", EXIT_LATE,
	    RARE "half a second of a closing, just then" },
	{ "switchover", "closed", EXIT_LEFT,
	    RARE "the record moves while it is closed" },
	{ "switchover", "files", EXIT_LATE,
	    "what hangs here hangs for a minute, not for two" },
	{ "switchover", "files", EXIT_LEFT,
	    SELDOM "the record moves while files are copied" },
	{ "switchover", "release", EXIT_LEFT,
	    SELDOM "the record moves while a release is on its way" },
	{ "switchover", "signal", EXIT_LEFT,
	    RARE "somebody starts the server in half a second" },
	{ "rejoin", "apart", EXIT_REFUSED, "its question never says no" },
	{ "rejoin", "stopped", EXIT_LATE, "what is latched is stopped before" },
	{ "rejoin", "stopped", EXIT_REFUSED,
	    "what is latched is stopped before" },
	{ "rejoin", "stopped", EXIT_LEFT, "what is latched is stopped before" },
	{ "rejoin", "mark", EXIT_REFUSED, "its question never says no" },
	{ "rejoin", "mark", EXIT_LEFT,
	    RARE "the record moves while the disk is written" },
	{ "rejoin", "aside", EXIT_LATE, RARE "a moment's work" },
	{ "rejoin", "aside", EXIT_LEFT, RARE "a moment's work" },
	{ "rejoin", "standby", EXIT_LATE, RARE "a moment's work" },
	{ "rejoin", "standby", EXIT_REFUSED, RARE "a moment's work" },
	{ "rejoin", "standby", EXIT_LEFT, RARE "a moment's work" },
	{ "rejoin", "recover", EXIT_LATE, TOO_LONG },
	{ "rejoin", "ended", EXIT_LATE,
	    "what hangs here hangs for a minute, not for two" },
	{ "rejoin", "save", EXIT_LATE, TOO_LONG },
	{ "rejoin", "save", EXIT_LEFT,
	    RARE "the record moves while it copies" },
	{ "rejoin", "half", EXIT_REFUSED, "its question never says no" },
	{ "rejoin", "half", EXIT_LATE, RARE "five seconds of a full disk" },
	{ "rejoin", "half", EXIT_LEFT,
	    RARE "the record moves while the disk is written" },
	{ "rejoin", "rewind", EXIT_LATE, TOO_LONG },
	{ "rejoin", "whole", EXIT_LATE, SELDOM "five seconds of a full disk" },
	{ "rejoin", "whole", EXIT_REFUSED, "its question never says no" },
	{ "rejoin", "whole", EXIT_LEFT,
	    RARE "the record moves while the disk is written" },
	{ "rejoin", "signal", EXIT_LATE, RARE "a moment's work" },
	{ "rejoin", "signal", EXIT_REFUSED, RARE "a moment's work" },
	{ "rejoin", "signal", EXIT_LEFT, RARE "a moment's work" },
	{ "rejoin", "start", EXIT_LATE, TOO_LONG },
	{ "rejoin", "clear", EXIT_LATE, RARE "five seconds of a full disk" },
	{ "rejoin", "clear", EXIT_LEFT, RARE "a moment's work" },
};

static size_t
cover_find(const char *plan, size_t plan_len, const char *row, size_t row_len)
{
	const struct plan_doc *rows;
	size_t i, count = core_plan_doc(&rows);

	for (i = 0; i < count && i < ROWS_MAX; i++)
		if (strlen(rows[i].plan) == plan_len &&
		    strlen(rows[i].row) == row_len &&
		    memcmp(rows[i].plan, plan, plan_len) == 0 &&
		    memcmp(rows[i].row, row, row_len) == 0)
			return i;
	return ROWS_MAX;
}

static void
cover_exit(struct world *w, size_t i, enum row_exit x)
{
	if (i < ROWS_MAX) {
		w->tot->row[i]++;
		w->tot->exit[i][x]++;
	}
}

/* "takeover: wal after 3 ms" */
static void
cover_row(struct world *w, const char *text)
{
	const char *row = strstr(text, ": "), *end = strstr(text, " after ");

	if (row != NULL && end != NULL)
		cover_exit(w,
		    cover_find(text, (size_t)(row - text), row + 2,
			(size_t)(end - row - 2)),
		    EXIT_DONE);
}

/* "wal: its WAL covers what the record demands" */
static void
cover_late(struct world *w, const char *plan, const char *text)
{
	const char *end = strstr(text, ": ");

	if (plan != NULL && end != NULL)
		cover_exit(w,
		    cover_find(plan, strlen(plan), text, (size_t)(end - text)),
		    EXIT_LATE);
}

/* "takeover: refused at wal after 3 ms" */
static void
cover_end(struct world *w, const char *text)
{
	const char *why = strstr(text, ": "), *at = strstr(text, " at "),
		   *end = strstr(text, " after ");
	size_t i;

	if (why == NULL || at == NULL || end == NULL)
		return;
	i = cover_find(
	    text, (size_t)(why - text), at + 4, (size_t)(end - at - 4));
	if (strncmp(why, ": refused", 9) == 0)
		cover_exit(w, i, EXIT_REFUSED);
	else if (strncmp(why, ": done", 6) != 0 &&
		 strncmp(why, ": abandoned", 11) != 0)
		cover_exit(w, i, EXIT_LEFT);
}

/* A row that is done within one turn is seen by what is told of it. */
void
cover_tell(struct world *w, int n, enum event_name ev, const char *text)
{
	struct engine *e = &w->host[n].e;

	if (ev == EMIT_plan_start)
		snprintf(e->plan, sizeof(e->plan), "%.*s",
		    (int)strcspn(text, ":"), text);
	else if (ev == EMIT_plan_row)
		cover_row(w, text);
	else if (ev == EMIT_plan_late)
		cover_late(w, e->plan, text);
	else if (ev == EMIT_plan_end)
		cover_end(w, text);
}

void
cover_turn(struct world *w, int n)
{
	const struct core_status *st = &w->host[n].e.st;

	w->tot->duty[st->rel][st->pg]++;
}

void
cover_fail(struct world *w, enum failure f)
{
	w->tot->fail[f]++;
}

static const char *
cover_excuse(const struct plan_doc *r, enum row_exit x)
{
	size_t i;

	if (x == EXIT_REFUSED && strcmp(r->limit_name, "abandon") != 0)
		return "a no is asked again until it is late";
	for (i = 0; i < sizeof(excused) / sizeof(excused[0]); i++)
		if (excused[i].exit == x &&
		    strcmp(excused[i].plan, r->plan) == 0 &&
		    strcmp(excused[i].row, r->row) == 0)
			return excused[i].why;
	return NULL;
}

static int
cover_rows(const struct totals *tot)
{
	const struct plan_doc *rows;
	size_t i, count = core_plan_doc(&rows);
	int x, never = 0;
	const char *why;

	for (i = 0; i < count && i < ROWS_MAX; i++) {
		printf("row  %-10s %-11s", rows[i].plan, rows[i].row);
		for (x = 0; x < EXIT_COUNT; x++) {
			why = cover_excuse(&rows[i], (enum row_exit)x);
			printf(" %s %llu%s", exit_name[x],
			    (unsigned long long)tot->exit[i][x],
			    tot->exit[i][x] > 0 ? "" :
			    why != NULL		? " (excused)" :
						  " NEVER");
			never += tot->exit[i][x] == 0 && why == NULL;
		}
		putchar('\n');
	}
	return never;
}

static int
cover_acts(const struct totals *tot)
{
	static const char *const how[] = { "done", "refused", "hung" };
	int k, i, never = 0;

	for (k = 0; k < ACT_COUNT; k++) {
		printf("act  %-22s", act_kind_str((enum act_kind)k));
		for (i = 0; i < 3; i++) {
			printf(" %s %llu%s", how[i],
			    (unsigned long long)tot->act[k][i],
			    tot->act[k][i] == 0 ? " NEVER" : "");
			never += tot->act[k][i] == 0;
		}
		putchar('\n');
	}
	for (k = 0; k < FAIL_COUNT; k++) {
		printf("fail %-22s %10llu%s\n", fail_name[k],
		    (unsigned long long)tot->fail[k],
		    tot->fail[k] == 0 ? " NEVER" : "");
		never += tot->fail[k] == 0;
	}
	return never;
}

/* How many were never taken. */
int
cover_print(const struct totals *tot)
{
	const struct duty_doc *cells;
	size_t i, count = core_duty_doc(&cells);
	int never = 0;
	uint64_t n;

	for (i = 0; i < count && i < (size_t)REL_COUNT * PGS_COUNT; i++) {
		n = tot->duty[i / PGS_COUNT][i % PGS_COUNT];
		printf("duty %-10s %-9s %-12s %10llu%s\n", cells[i].rel,
		    cells[i].pg, cells[i].duty, (unsigned long long)n,
		    n == 0 ? " NEVER" : "");
		never += n == 0;
	}
	return never + cover_rows(tot) + cover_acts(tot);
}
