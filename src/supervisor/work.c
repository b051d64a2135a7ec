/*
 * One program to where it should be: look, act, look again, until it is so or
 * time is up. What a look means for the goal is in step.c.
 *
 * supervisord takes notice of a child's end when its loop turns: once a second,
 * and at each request. So it is asked often while something is awaited, and at
 * once when the pidfd of the process that should end tells of its end.
 */
#include "supervisor/work.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hawatch/aside.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"

/* A supervisord that hangs is asked again after this. */
#define WORK_CALL_LIMIT USEC_SEC
#define WORK_WAIT_FIRST (5 * USEC_MSEC)
#define WORK_WAIT_MAX (40 * USEC_MSEC)
/* Between the end of a process and that supervisord has reaped it. */
#define WORK_WAIT_ENDED USEC_MSEC

static void sup_work_tick_cb(void *arg);
static void sup_work_looked_cb(void *arg, const struct sup_reply *reply);
static void sup_work_stopped_cb(void *arg, const struct sup_reply *reply);
static void sup_work_begun_cb(void *arg, const struct sup_reply *reply);

static void sup_work_look_free(void *data);

/* Of the parameter "wait": the answer comes at once. */
static const bool sup_work_no = false;

struct sup_work *
sup_work_start(struct loop *loop, struct http *web, const struct sup_goal *goal,
    void (*done)(void *arg, enum answer ans, const char *reason, pid_t pid),
    void *arg)
{
	struct sup_work *w = xcalloc(1, sizeof(*w));
	bool sweep = goal->sweep != NULL && goal->sweep[0] != '\0';

	w->loop = loop;
	w->web = web;
	w->socket = xstrdup(goal->socket);
	w->program = xstrdup(goal->program);
	w->running = goal->running;
	w->started = goal->started;
	w->not_pid = goal->not_pid;
	w->ends = sweep;
	w->look = xcalloc(1, sizeof(*w->look));
	w->look->sweep = sup_sweep_new(goal->sweep, w->socket, w->program);
	w->aside = aside_new(loop, sup_work_look_free, w->look);
	w->end = clock_now().raw + goal->deadline;
	w->why = reason_str(REASON_timeout);
	w->left = reason_str(REASON_not_known);
	w->wait = WORK_WAIT_FIRST;
	w->done = done;
	w->arg = arg;
	w->tick = timer_new(loop, sup_work_tick_cb, w);
	timer_arm(w->tick, 0);
	return w;
}

static void
sup_work_look_free(void *data)
{
	struct sup_look *look = data;

	sup_sweep_free(look->sweep);
	free(look);
}

static void
sup_work_unwatch(struct sup_work *w)
{
	if (w->watch == NULL)
		return;
	watch_free(w->watch);
	w->watch = NULL;
	close(w->pidfd);
}

void
sup_work_cancel(struct sup_work *w)
{
	if (w == NULL)
		return;
	sup_rpc_cancel(w->rpc);
	sup_work_unwatch(w);
	timer_free(w->tick);
	aside_free(w->aside);
	free(w->socket);
	free(w->program);
	free(w);
}

void
sup_work_finish(
    struct sup_work *w, enum answer ans, const char *reason, pid_t pid)
{
	void (*done)(void *arg, enum answer ans, const char *reason,
	    pid_t pid) = w->done;
	void *arg = w->arg;

	sup_work_cancel(w);
	done(arg, ans, reason, pid);
}

void
sup_work_wait(struct sup_work *w, const char *why)
{
	w->why = why;
	timer_arm(w->tick, w->wait);
	w->wait *= 2;
	if (w->wait > WORK_WAIT_MAX)
		w->wait = WORK_WAIT_MAX;
}

/* Only makes the next look come at once: a wrong process would merely delay it.
 */
static void
sup_work_ended_cb(void *arg, int what)
{
	struct sup_work *w = arg;

	sup_work_unwatch(w);
	w->wait = WORK_WAIT_ENDED;
	if (w->rpc == NULL && !aside_busy(w->aside))
		timer_arm(w->tick, 0);
}

void
sup_work_watch(struct sup_work *w, pid_t pid)
{
	if (pid <= 0 || pid == w->watched)
		return;
	sup_work_unwatch(w);
	w->watched = pid;
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (w->pidfd != -1)
		w->watch = watch_new(
		    w->loop, w->pidfd, WATCH_READ, sup_work_ended_cb, w);
}

static void
sup_work_call(struct sup_work *w, const char *method, const bool *wait,
    void (*done)(void *arg, const struct sup_reply *reply))
{
	usec_t limit = w->end - clock_now().raw;
	struct error err;

	if (limit > WORK_CALL_LIMIT)
		limit = WORK_CALL_LIMIT;
	if (limit < USEC_MSEC)
		limit = USEC_MSEC;
	w->rpc = sup_rpc_start(
	    w->web, w->socket, method, w->program, wait, limit, done, w, &err);
	if (w->rpc == NULL)
		sup_work_finish(
		    w, ANS_NO, reason_str(REASON_connect_failed), 0);
}

static void
sup_work_look_young(void *data)
{
	struct sup_look *look = data;

	look->young = sup_young(look->pid);
}

static void
sup_work_look_sweep(void *data)
{
	struct sup_look *look = data;

	look->count = sup_sweep_look(look->sweep);
}

/* Only here is anything ended: who gives up the work in the midst of a look can
 * be sure of what runs afterwards. */
static void
sup_work_swept_cb(void *arg)
{
	struct sup_work *w = arg;

	timer_disarm(w->tick);
	if (w->look->count != 0)
		w->left =
		    reason_str(w->look->count == -1 ? REASON_not_known :
						      REASON_program_left);
	if (w->ends)
		sup_sweep_end(w->look->sweep);
	w->next(w);
}

static void
sup_work_aged_cb(void *arg)
{
	struct sup_work *w = arg;

	timer_disarm(w->tick);
	w->next(w);
}

static void
sup_work_aside(struct sup_work *w, void (*look)(void *data),
    void (*done)(void *arg), const char *why, void (*next)(struct sup_work *w))
{
	usec_t left = w->end - clock_now().raw;

	w->why = why;
	w->next = next;
	if (aside_start(w->aside, look, done, w))
		timer_arm(w->tick, left > USEC_MSEC ? left : USEC_MSEC);
	else
		sup_work_wait(w, why);
}

void
sup_work_young(struct sup_work *w, pid_t pid, const char *why,
    void (*next)(struct sup_work *w))
{
	w->look->pid = pid;
	sup_work_aside(w, sup_work_look_young, sup_work_aged_cb, why, next);
}

void
sup_work_sweep(
    struct sup_work *w, const char *why, void (*next)(struct sup_work *w))
{
	sup_work_aside(w, sup_work_look_sweep, sup_work_swept_cb, why, next);
}

static void
sup_work_next_wait(struct sup_work *w)
{
	sup_work_wait(w, w->why);
}

void
sup_work_sweep_wait(struct sup_work *w, const char *why)
{
	if (w->ends)
		sup_work_sweep(w, why, sup_work_next_wait);
	else
		sup_work_wait(w, why);
}

static void
sup_work_tick_cb(void *arg)
{
	struct sup_work *w = arg;
	usec_t left = w->end - clock_now().raw;

	if (left <= 0)
		sup_work_finish(w, ANS_NO, w->why, 0);
	else if (aside_busy(w->aside))
		timer_arm(w->tick, left);
	else
		sup_work_call(
		    w, "supervisor.getProcessInfo", NULL, sup_work_looked_cb);
}

static void
sup_work_looked_cb(void *arg, const struct sup_reply *reply)
{
	struct sup_work *w = arg;
	struct sup_program program;

	w->rpc = NULL;
	/* Cut short by the work's own end: what was seen last is more. */
	if (strcmp(reply->reason, reason_str(REASON_timeout)) == 0 &&
	    clock_now().raw >= w->end)
		sup_work_finish(w, ANS_NO, w->why, 0);
	else if (reply->reason[0] != '\0')
		sup_step_absent(w, reply->reason);
	else if (reply->fault == SUP_FAULT_BAD_NAME)
		sup_work_finish(
		    w, ANS_NO, reason_str(REASON_program_missing), 0);
	else if (reply->fault != 0)
		sup_work_wait(w, reason_str(REASON_supervisor_fault));
	else if (sup_program_read(reply->value, &program) == -1)
		sup_work_finish(w, ANS_NO, reason_str(REASON_garbage), 0);
	else
		sup_step(w, &program);
}

void
sup_work_stop(struct sup_work *w, const char *why)
{
	w->why = why;
	w->wait = WORK_WAIT_FIRST;
	sup_work_call(
	    w, "supervisor.stopProcess", &sup_work_no, sup_work_stopped_cb);
}

void
sup_work_begin(struct sup_work *w, const char *why)
{
	w->why = why;
	w->wait = WORK_WAIT_FIRST;
	sup_work_call(
	    w, "supervisor.startProcess", &sup_work_no, sup_work_begun_cb);
}

/* What became of a stop or a start is for the next look to say. */
static void
sup_work_stopped_cb(void *arg, const struct sup_reply *reply)
{
	struct sup_work *w = arg;

	w->rpc = NULL;
	sup_work_sweep_wait(
	    w, reply->reason[0] != '\0' ? reply->reason : w->why);
}

static void
sup_work_begun_cb(void *arg, const struct sup_reply *reply)
{
	struct sup_work *w = arg;

	w->rpc = NULL;
	/* One that it could start and that ended at once is in BACKOFF. */
	if (reply->fault == SUP_FAULT_NO_FILE ||
	    reply->fault == SUP_FAULT_NOT_EXECUTABLE)
		w->refused = reason_str(REASON_program_start);
	sup_work_wait(w, reply->reason[0] != '\0' ? reply->reason : w->why);
}
