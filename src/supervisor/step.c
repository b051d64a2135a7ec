/*
 * What a look at the program, or at a supervisord that does not answer, means
 * for the goal: the next act, or the end. Nothing is awaited here.
 */
#include <string.h>

#include "hawatch/loop.h"
#include "hawatch/reason.h"
#include "supervisor/work.h"

/* So often a program that does not stay is started, first at once, then after
 * 250 ms, and each time after twice that. */
#define STEP_STARTS_MAX 5
#define STEP_START_GAP (250 * USEC_MSEC)
/* For so long a supervisord that is gone may come back, as in a restart. */
#define STEP_ABSENT_LIMIT (2 * USEC_SEC)

static bool
step_is(const char *token, enum reason reason)
{
	return strcmp(token, reason_str(reason)) == 0;
}

/* The group has to be known before its leader is gone. */
static void
step_stop_aged(struct sup_work *w)
{
	pid_t pid = w->seen.pid;
	enum answer young = w->look->young;

	if (young == ANS_YES || (young == ANS_UNKNOWN && w->unseen != pid)) {
		w->unseen = young == ANS_UNKNOWN ? pid : 0;
		sup_work_wait(w, w->why);
		return;
	}
	sup_work_watch(w, pid);
	sup_sweep_leader(w->look->sweep, pid);
	sup_work_stop(w, w->why);
}

static void
step_stop(struct sup_work *w, const char *why)
{
	if (w->seen.pid == 0)
		sup_work_stop(w, why);
	else
		sup_work_young(w, w->seen.pid, why, step_stop_aged);
}

/* A start while it is stopping would return success and do nothing. */
static void
step_stopping(struct sup_work *w)
{
	sup_work_watch(w, w->seen.pid);
	sup_sweep_leader(w->look->sweep, w->seen.pid);
	sup_work_sweep_wait(w, sup_state_reason(w->seen.state));
}

static void
step_begin(struct sup_work *w)
{
	const char *why = sup_state_reason(w->seen.state);

	if (w->refused != NULL)
		why = w->refused;
	w->start_at = clock_now().raw + (STEP_START_GAP << w->starts);
	w->starts++;
	w->refused = NULL;
	sup_work_begin(w, why);
}

static void
step_begin_swept(struct sup_work *w)
{
	if (w->look->count == 0)
		step_begin(w);
	else
		sup_work_wait(w, w->left);
}

static void
step_start(struct sup_work *w)
{
	const char *why = sup_state_reason(w->seen.state);

	if (w->refused != NULL)
		why = w->refused;
	if (clock_now().raw < w->start_at)
		sup_work_wait(w, why);
	else if (w->starts == STEP_STARTS_MAX)
		sup_work_finish(w, ANS_NO, why, 0);
	/* Only what is stopped can be started; supervisord's own next attempt
	 * may be seconds away. */
	else if (w->seen.state == SUP_BACKOFF)
		step_stop(w, why);
	else if (w->ends)
		sup_work_sweep(w, w->left, step_begin_swept);
	else
		step_begin(w);
}

static void
step_to_running(struct sup_work *w)
{
	const struct sup_program *p = &w->seen;
	bool old = p->pid != 0 && p->pid == w->not_pid;

	switch (p->state) {
	case SUP_RUNNING:
	case SUP_STARTING:
		if (old)
			step_stop(w, reason_str(REASON_program_old));
		else if (p->state == SUP_RUNNING || w->started)
			sup_work_finish(w, ANS_YES, "", p->pid);
		else
			sup_work_wait(w, sup_state_reason(p->state));
		return;
	case SUP_STOPPING:
		step_stopping(w);
		return;
	case SUP_STOPPED:
	case SUP_BACKOFF:
	case SUP_EXITED:
	case SUP_FATAL:
		step_start(w);
		return;
	case SUP_UNKNOWN:
		break;
	}
	sup_work_finish(w, ANS_NO, sup_state_reason(p->state), 0);
}

static void
step_stopped_end(struct sup_work *w)
{
	if (w->settled)
		sup_work_finish(w, ANS_YES, "", 0);
	else
		sup_work_wait(w, reason_str(REASON_program_running));
}

static void
step_stopped_swept(struct sup_work *w)
{
	if (w->look->count == 0)
		step_stopped_end(w);
	else
		sup_work_wait(w, w->left);
}

/*
 * What has ended by itself may be restarted, and what was never started be
 * started, in supervisord's next round; each request is a round, so that it has
 * not been by the second look says that it will not be.
 */
static void
step_stopped(struct sup_work *w)
{
	const struct sup_program *p = &w->seen;

	w->settled = w->still || p->state == SUP_FATAL ||
		     (p->state == SUP_STOPPED && p->start != 0);
	w->still = true;
	if (w->ends)
		sup_work_sweep(w, w->left, step_stopped_swept);
	else
		step_stopped_end(w);
}

static void
step_to_stopped(struct sup_work *w)
{
	const struct sup_program *p = &w->seen;

	switch (p->state) {
	case SUP_RUNNING:
	case SUP_STARTING:
	case SUP_BACKOFF:
		w->still = false;
		step_stop(w, reason_str(REASON_program_running));
		return;
	case SUP_STOPPING:
		w->still = false;
		step_stopping(w);
		return;
	case SUP_STOPPED:
	case SUP_EXITED:
	case SUP_FATAL:
		step_stopped(w);
		return;
	case SUP_UNKNOWN:
		break;
	}
	/* It has lost track of the process; the sweep has not. */
	if (w->ends)
		step_stopped(w);
	else
		sup_work_finish(w, ANS_NO, sup_state_reason(p->state), 0);
}

void
sup_step(struct sup_work *w, const struct sup_program *p)
{
	w->seen = *p;
	w->absent_at = 0;
	if (w->running)
		step_to_running(w);
	else
		step_to_stopped(w);
}

static void
step_gone_swept(struct sup_work *w)
{
	if (w->look->count == 0)
		sup_work_finish(w, ANS_YES, "", 0);
	else
		sup_work_wait(w, w->left);
}

/* Its programs live on without it, so that only a look at all processes tells;
 * it starts no new ones. */
static void
step_gone(struct sup_work *w, const char *reason)
{
	usec_t now = clock_now().raw;

	if (!w->running) {
		sup_work_sweep(w, w->left, step_gone_swept);
		return;
	}
	if (w->absent_at == 0)
		w->absent_at = now;
	if (now - w->absent_at < STEP_ABSENT_LIMIT)
		sup_work_wait(w, reason);
	else
		sup_work_finish(w, ANS_NO, reason, 0);
}

/* What a person must change fails at once, what passes is awaited. */
void
sup_step_absent(struct sup_work *w, const char *reason)
{
	w->still = false;
	if (step_is(reason, REASON_no_socket) ||
	    step_is(reason, REASON_connect_refused)) {
		step_gone(w, reason);
		return;
	}
	w->absent_at = 0;
	if (step_is(reason, REASON_no_permission) ||
	    step_is(reason, REASON_supervisor_login) ||
	    step_is(reason, REASON_garbage)) {
		sup_work_finish(w, ANS_NO, reason, 0);
		return;
	}
	/* It may hang and be told to stop the program when it goes on. */
	if (w->running)
		sup_work_wait(w, reason);
	else
		sup_work_sweep_wait(w, reason);
}
