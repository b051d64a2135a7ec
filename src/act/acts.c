/*
 * The framework of actions: observe, apply, observe, with back-off, until the
 * goal is seen or an apply refuses. It has no limit in time of its own, the
 * row that wants the goal has; and it knows nothing of any goal.
 */
#include "hawatch/act.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "act/env.h"
#include "act/modules.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ACT_BACKOFF_MIN (5 * USEC_MSEC)
#define ACT_BACKOFF_MAX (100 * USEC_MSEC)

enum act_phase {
	PHASE_IDLE,
	PHASE_WAITING, /* for the timer, then observe */
	PHASE_OBSERVING,
	PHASE_OBSERVED,
	PHASE_APPLYING,
	PHASE_APPLIED
};

struct act {
	struct acts *acts;
	const struct act_ops *ops;
	struct goal goal;
	void *priv;
	struct timer *timer;
	enum act_phase phase;
	enum answer ans;
	char said[200];	    /* with the last answer */
	char reason[200];   /* why not yet */
	char waits[2][200]; /* the last one told, of a look and of an apply */
	usec_t backoff;
	usec_t started;
	int tries;
	struct goal told;  /* at the last start that was told */
	bool quiet;	   /* the same again */
	enum answer ended; /* what was told of its end; unknown: none */
};

struct acts {
	struct act_env *env;
	acts_done_fn fn;
	void *arg;
	struct act act[ACT_COUNT];
};

static const struct act_ops *const acts_ops[ACT_COUNT] = {
	[ACT_STOP] = &act_stop,
	[ACT_SIGNAL] = &act_signal,
	[ACT_START] = &act_begin,
	[ACT_NAMES] = &act_names,
	[ACT_WAITING] = &act_waiting,
	[ACT_PROMOTE] = &act_promote,
	[ACT_SETTLE] = &act_settle,
	[ACT_METADATA] = &act_metadata,
	[ACT_CHECKPOINT] = &act_checkpoint,
	[ACT_COMMIT] = &act_commit,
	[ACT_FOLLOW] = &act_follow,
	[ACT_PULLERS] = &act_pullers,
	[ACT_CONVERGE] = &act_converge,
	[ACT_TRAFFIC] = &act_traffic,
	[ACT_SITE] = &act_site,
	[ACT_QUIET] = &act_quiet,
	[ACT_FILES] = &act_files,
	[ACT_ASIDE] = &act_aside,
	[ACT_COMPARE] = &act_compare,
	[ACT_SAVE] = &act_save,
	[ACT_REWIND] = &act_rewind,
	[ACT_CLONE] = &act_clone,
	[ACT_FENCE] = &act_fence,
};

static void act_timer_cb(void *arg);

struct goal *
act_goal(struct act *a)
{
	return &a->goal;
}

void *
act_priv(struct act *a)
{
	return a->priv;
}

struct act_env *
act_env(struct act *a)
{
	return a->acts->env;
}

struct acts *
acts_new(struct act_env *env, acts_done_fn fn, void *arg)
{
	struct acts *acts;
	int kind;

	acts = xcalloc(1, sizeof(*acts));
	acts->env = env;
	acts->fn = fn;
	acts->arg = arg;
	for (kind = 0; kind < ACT_COUNT; kind++) {
		assert((int)acts_ops[kind]->kind == kind);
		acts->act[kind].acts = acts;
		acts->act[kind].ops = acts_ops[kind];
		acts->act[kind].timer =
		    timer_new(env->loop, act_timer_cb, &acts->act[kind]);
	}
	return acts;
}

void
acts_free(struct acts *acts)
{
	int kind;

	if (acts == NULL)
		return;
	for (kind = 0; kind < ACT_COUNT; kind++) {
		acts_cancel(acts, (enum act_kind)kind);
		timer_free(acts->act[kind].timer);
	}
	free(acts);
}

const char *
acts_reason(const struct acts *acts, enum act_kind kind)
{
	return acts->act[kind].reason;
}

static bool
act_repeats(const struct act *a, const struct goal *goal)
{
	return a->ops->repeats && a->told.epoch == goal->epoch &&
	       a->told.node == goal->node && a->told.names == goal->names;
}

/* The timer makes the first step: nothing happens inside acts_start. */
void
acts_start(struct acts *acts, enum act_kind kind, const struct goal *goal)
{
	struct act *a = &acts->act[kind];

	acts_cancel(acts, kind);
	a->goal = *goal;
	a->priv = xcalloc(1, a->ops->priv_size == 0 ? 1 : a->ops->priv_size);
	a->backoff = 0;
	a->tries = 0;
	a->started = clock_now().raw;
	a->phase = PHASE_WAITING;
	timer_arm(a->timer, 0);
	a->quiet = act_repeats(a, goal);
	if (a->quiet)
		return;
	a->told = *goal;
	a->ended = ANS_UNKNOWN;
	EMIT(act_start, kv_s("kind", a->ops->name), kv_i("epoch", goal->epoch));
}

static void
act_idle(struct act *a)
{
	timer_disarm(a->timer);
	free(a->priv);
	a->priv = NULL;
	a->phase = PHASE_IDLE;
	a->reason[0] = a->waits[0][0] = a->waits[1][0] = '\0';
}

void
acts_cancel(struct acts *acts, enum act_kind kind)
{
	struct act *a = &acts->act[kind];

	if (a->phase == PHASE_IDLE)
		return;
	a->ops->cancel(a);
	act_idle(a);
}

void
act_done(struct act *a, enum answer ans, const char *reason)
{
	assert(a->phase == PHASE_OBSERVING || a->phase == PHASE_APPLYING);
	a->ans = ans;
	str_cut(a->said, sizeof(a->said), ans == ANS_YES ? "" : reason);
	a->phase = a->phase == PHASE_OBSERVING ? PHASE_OBSERVED : PHASE_APPLIED;
	timer_arm(a->timer, 0);
}

void
act_say(struct act *a, const char *text)
{
	str_cut(a->reason, sizeof(a->reason), text);
}

static void
act_tell_done(struct act *a, enum answer ans)
{
	if (a->quiet && ans == a->ended)
		return;
	EMIT(act_done, kv_s("kind", a->ops->name), kv_i("epoch", a->goal.epoch),
	    kv_s("answer", ans == ANS_YES ? "yes" : "no"),
	    kv_s("reason", a->said),
	    kv_i("ms", (clock_now().raw - a->started) / 1000),
	    kv_i("tries", a->tries));
	a->ended = ans;
}

static void
act_finish(struct act *a, enum answer ans)
{
	struct acts *acts = a->acts;
	struct goal goal = a->goal;
	char reason[sizeof(a->said)];

	str_cut(reason, sizeof(reason), a->said);
	act_tell_done(a, ans);
	a->ops->cancel(a);
	act_idle(a);
	acts->fn(acts->arg, a->ops->kind, &goal, ans, reason);
}

/* A look and an apply may each have their own reason, in turns. */
static void
act_not_yet(struct act *a)
{
	char *waits = a->waits[a->phase == PHASE_APPLIED];

	if (a->said[0] == '\0')
		return;
	str_cut(a->reason, sizeof(a->reason), a->said);
	if (a->quiet || strcmp(a->said, waits) == 0)
		return;
	str_cut(waits, sizeof(a->waits[0]), a->said);
	EMIT(act_wait, kv_s("kind", a->ops->name), kv_i("epoch", a->goal.epoch),
	    kv_s("reason", a->reason));
}

static void
act_begin_observe(struct act *a)
{
	struct error err;

	a->phase = PHASE_OBSERVING;
	if (a->ops->observe(a, &err) == -1)
		act_done(a, ANS_UNKNOWN, err.msg);
}

static void
act_begin_apply(struct act *a)
{
	struct error err;

	a->phase = PHASE_APPLYING;
	a->tries++;
	if (a->ops->apply(a, &err) == -1)
		act_done(a, ANS_UNKNOWN, err.msg);
}

/* The first look after an apply is at once, the later ones wait longer. */
static void
act_back_off(struct act *a)
{
	a->phase = PHASE_WAITING;
	if (a->ops->again != 0 && a->ans != ANS_YES) {
		timer_arm(a->timer, a->ops->again);
		return;
	}
	timer_arm(a->timer, a->backoff);
	a->backoff = a->backoff == 0 ? ACT_BACKOFF_MIN : 2 * a->backoff;
	if (a->backoff > ACT_BACKOFF_MAX)
		a->backoff = ACT_BACKOFF_MAX;
}

static void
act_timer_cb(void *arg)
{
	struct act *a = arg;

	switch (a->phase) {
	case PHASE_WAITING:
		act_begin_observe(a);
		return;
	case PHASE_OBSERVED:
		if (a->ans == ANS_YES) {
			act_finish(a, ANS_YES);
			return;
		}
		act_not_yet(a);
		act_begin_apply(a);
		return;
	case PHASE_APPLIED:
		if (a->ans == ANS_NO) {
			act_finish(a, ANS_NO);
			return;
		}
		act_not_yet(a);
		act_back_off(a);
		return;
	/* A timer without a step. */
	case PHASE_IDLE:
	case PHASE_OBSERVING:
	case PHASE_APPLYING:
		assert(false);
	}
}
