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

/* Whether nothing is left of it; with the sweep, which ends what is. */
static bool
step_swept(struct sup_work *w)
{
	int count;

	if (!w->ends)
		return true;
	count = sup_sweep_run(w->sweep, true);
	if (count == 0)
		return true;
	w->why =
	    reason_str(count == -1 ? REASON_not_known : REASON_program_left);
	return false;
}

/* The group has to be known before its leader is gone. */
static void
step_stop(struct sup_work *w, const struct sup_program *p, const char *why)
{
	enum answer young = p->pid == 0 ? ANS_NO : sup_young(p->pid);

	if (young == ANS_YES || (young == ANS_UNKNOWN && w->unseen != p->pid)) {
		w->unseen = young == ANS_UNKNOWN ? p->pid : 0;
		sup_work_wait(w, why);
		return;
	}
	sup_work_watch(w, p->pid);
	sup_sweep_leader(w->sweep, p->pid);
	sup_work_stop(w, why);
}

/* A start while it is stopping would return success and do nothing. */
static void
step_stopping(struct sup_work *w, const struct sup_program *p)
{
	sup_work_watch(w, p->pid);
	sup_sweep_leader(w->sweep, p->pid);
	if (w->ends)
		(void)sup_sweep_run(w->sweep, true);
	sup_work_wait(w, sup_state_reason(p->state));
}

static void
step_start(struct sup_work *w, const struct sup_program *p)
{
	const char *why = sup_state_reason(p->state);
	usec_t now = clock_now().raw;

	if (w->refused != NULL)
		why = w->refused;
	if (now < w->start_at) {
		sup_work_wait(w, why);
		return;
	}
	if (w->starts == STEP_STARTS_MAX) {
		sup_work_finish(w, ANS_NO, why, 0);
		return;
	}
	/* Only what is stopped can be started; supervisord's own next attempt
	 * may be seconds away. */
	if (p->state == SUP_BACKOFF) {
		step_stop(w, p, why);
		return;
	}
	if (!step_swept(w)) {
		sup_work_wait(w, w->why);
		return;
	}
	w->start_at = now + (STEP_START_GAP << w->starts);
	w->starts++;
	w->refused = NULL;
	sup_work_begin(w, why);
}

static void
step_to_running(struct sup_work *w, const struct sup_program *p)
{
	bool old = p->pid != 0 && p->pid == w->not_pid;

	switch (p->state) {
	case SUP_RUNNING:
	case SUP_STARTING:
		if (old)
			step_stop(w, p, reason_str(REASON_program_old));
		else if (p->state == SUP_RUNNING || w->started)
			sup_work_finish(w, ANS_YES, "", p->pid);
		else
			sup_work_wait(w, sup_state_reason(p->state));
		return;
	case SUP_STOPPING:
		step_stopping(w, p);
		return;
	case SUP_STOPPED:
	case SUP_BACKOFF:
	case SUP_EXITED:
	case SUP_FATAL:
		step_start(w, p);
		return;
	case SUP_UNKNOWN:
		break;
	}
	sup_work_finish(w, ANS_NO, sup_state_reason(p->state), 0);
}

/*
 * What has ended by itself may be restarted, and what was never started be
 * started, in supervisord's next round; each request is a round, so that it has
 * not been by the second look says that it will not be.
 */
static void
step_stopped(struct sup_work *w, const struct sup_program *p)
{
	bool final, still = w->still;

	final =
	    p->state == SUP_FATAL || (p->state == SUP_STOPPED && p->start != 0);
	w->still = true;
	if (!step_swept(w))
		sup_work_wait(w, w->why);
	else if (final || still)
		sup_work_finish(w, ANS_YES, "", 0);
	else
		sup_work_wait(w, reason_str(REASON_program_running));
}

static void
step_to_stopped(struct sup_work *w, const struct sup_program *p)
{
	switch (p->state) {
	case SUP_RUNNING:
	case SUP_STARTING:
	case SUP_BACKOFF:
		w->still = false;
		step_stop(w, p, reason_str(REASON_program_running));
		return;
	case SUP_STOPPING:
		w->still = false;
		step_stopping(w, p);
		return;
	case SUP_STOPPED:
	case SUP_EXITED:
	case SUP_FATAL:
		step_stopped(w, p);
		return;
	case SUP_UNKNOWN:
		break;
	}
	/* It has lost track of the process; the sweep has not. */
	if (w->ends)
		step_stopped(w, p);
	else
		sup_work_finish(w, ANS_NO, sup_state_reason(p->state), 0);
}

void
sup_step(struct sup_work *w, const struct sup_program *p)
{
	w->absent_at = 0;
	if (w->running)
		step_to_running(w, p);
	else
		step_to_stopped(w, p);
}

/* Its programs live on without it, so that only a look at all processes tells;
 * it starts no new ones. */
static void
step_gone(struct sup_work *w, const char *reason)
{
	usec_t now = clock_now().raw;
	int count;

	if (!w->running) {
		count = sup_sweep_run(w->sweep, w->ends);
		if (count == 0)
			sup_work_finish(w, ANS_YES, "", 0);
		else
			sup_work_wait(
			    w, reason_str(count == -1 ? REASON_not_known :
							REASON_program_left));
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
	if (!w->running && w->ends)
		(void)sup_sweep_run(w->sweep, true);
	sup_work_wait(w, reason);
}
