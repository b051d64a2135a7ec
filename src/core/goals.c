/*
 * What the core asked of the shell: one request a kind, the newest counts. A
 * result of an older one is dropped.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

const char *
act_kind_str(enum act_kind kind)
{
	static const char *const names[] = {
#define X(id, name, goal) [ACT_##id] = name,
		ACT_KINDS(X)
#undef X
	};

	return names[kind];
}

const char *
act_kind_goal(enum act_kind kind)
{
	static const char *const goals[] = {
#define X(id, name, goal) [ACT_##id] = goal,
		ACT_KINDS(X)
#undef X
	};

	return goals[kind];
}

void
goal_ask(struct core *c, enum act_kind kind, const struct goal *goal)
{
	struct act_state *st = &c->act[kind];
	struct action *a = core_do(c, DO_ACT);

	memset(st, 0, sizeof(*st));
	st->id = ++c->ids;
	st->running = true;
	st->standby = goal->standby;
	a->act = kind;
	a->goal = *goal;
	a->goal.id = st->id;
	a->goal.epoch = core_rec(c)->epoch;
}

void
goal_stop(struct core *c, enum act_kind kind)
{
	if (c->act[kind].running)
		core_do(c, DO_ACT_CANCEL)->act = kind;
	memset(&c->act[kind], 0, sizeof(c->act[kind]));
}

enum answer
goal_result(const struct core *c, enum act_kind kind)
{
	return c->act[kind].result;
}

void
core_on_act(struct core *c, const struct now *now, enum act_kind kind,
    const struct goal *goal, enum answer result, const char *reason)
{
	struct act_state *st = &c->act[kind];

	if (!st->running || goal->id != st->id)
		return;
	st->running = false;
	st->result = result;
	st->ended = now->raw;
	st->lsn = goal->lsn;
	st->fork = goal->fork;
	str_cut(st->reason, sizeof(st->reason),
	    result == ANS_YES ? goal->why : reason);
	/* Seen in /proc: views that are older tell of before. */
	if (kind == ACT_STOP && result == ANS_YES) {
		core_on_pg_gone(c, now);
		c->hand.end = goal->lsn;
	}
	if (result == ANS_NO)
		core_tell(
		    c, EMIT_act_refused, "%s: %s", act_kind_str(kind), reason);
}
