/*
 * A service that is a program of supervisord. How a program is stopped and
 * started is the supervisor's client's matter; here is which process is to be
 * gone after a change.
 */
#include <stdio.h>
#include <string.h>

#include "converge/converge_op.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"
#include "hawatch/supervisor.h"

#define PROGRAM_LOOK_LIMIT (2 * USEC_SEC)

static void program_start(struct op *op);
static void program_again(struct op *op);
static void program_cancel(struct op *op);

const struct op_ops op_program = {
	.start = program_start,
	.again = program_again,
	.cancel = program_cancel,
	.backoff = 10 * USEC_MSEC,
};

static usec_t
program_limit(const struct op *op)
{
	usec_t left = op_left(op);

	return left < PROGRAM_LOOK_LIMIT ? left : PROGRAM_LOOK_LIMIT;
}

static bool
program_runs(const struct sup_program *p)
{
	return p->state == SUP_RUNNING || p->state == SUP_STARTING;
}

static bool
program_stopped(const struct sup_program *p)
{
	return p->state == SUP_STOPPED || p->state == SUP_EXITED ||
	       p->state == SUP_FATAL;
}

/* Whether the process that read what was changed is gone. A restart whose
 * predecessor is not known is never proven. */
static bool
program_proven(const struct op *op, const struct sup_program *p)
{
	const struct due *due = &op->item->due;

	return !due->on ||
	       (due->pid != -1 && p->pid != 0 && p->pid != due->pid);
}

/* Unknown: it is stopped, and something of it may be left. */
static enum answer
program_judge(
    const struct op *op, const struct sup_program *p, const char **why)
{
	*why = sup_state_reason(p->state);
	if (op->running) {
		if (program_runs(p) && program_proven(op, p))
			return ANS_YES;
		if (program_runs(p))
			*why = reason_str(REASON_program_old);
		return ANS_NO;
	}
	if (!program_stopped(p))
		return ANS_NO;
	return op->item->conf->sweep[0] == '\0' ? ANS_YES : ANS_UNKNOWN;
}

static void
program_bring(struct op *op, const struct sup_program *p)
{
	struct due *due = &op->item->due;

	/* Everything that changed has been changed by now, so who runs now is
	 * the last who may have read it before. Noted on disk beside the
	 * restart: at worst it is made once more. */
	if (due->on && op->running && due->pid == -1) {
		due->pid = p->pid;
		(void)pending_save(op->c);
	}
	op->not_pid = due->on && op->running ? due->pid : 0;
	program_again(op);
}

static void
program_left_cb(void *arg, int count)
{
	struct op *op = arg;

	op->left = NULL;
	if (count == 0)
		op_end(op, ANS_YES, "");
	else if (op->bring)
		program_again(op);
	else
		op_end(op, ANS_NO,
		    reason_str(
			count == -1 ? REASON_not_known : REASON_program_left));
}

static void
program_list_cb(void *arg, const struct sup_list *list)
{
	struct op *op = arg;
	const struct sup_program *p;
	char absent[ITEM_REASON];
	const char *why;
	enum answer ans;

	op->list = NULL;
	/* That it runs nowhere can be brought about without supervisord. */
	if (list->ans != ANS_YES && op->bring && !op->running) {
		program_again(op);
		return;
	}
	if (list->ans != ANS_YES) {
		(void)snprintf(absent, sizeof(absent), "supervisord: %s",
		    list->reason[0] == '\0' ? "no answer" : list->reason);
		op_end(op, ANS_NO, absent);
		return;
	}
	p = sup_find(list, op->item->conf->program);
	if (p == NULL) {
		op_end(op, ANS_NO, reason_str(REASON_program_missing));
		return;
	}
	ans = program_judge(op, p, &why);
	if (ans == ANS_UNKNOWN)
		op->left =
		    sup_left_start(op->c->env.loop, op->item->conf->sweep,
			program_limit(op), program_left_cb, op);
	else if (ans == ANS_YES || !op->bring)
		op_end(op, ans, why);
	else
		program_bring(op, p);
}

static void
program_start(struct op *op)
{
	struct error err;

	op->list = sup_list_start(op->c->env.web, op->item->conf->socket,
	    program_limit(op), program_list_cb, op, &err);
	if (op->list == NULL)
		op_end(op, ANS_NO, err.msg);
}

static void
program_tell(const struct op *op, pid_t pid)
{
	usec_t ms = (clock_now().raw - op->began) / USEC_MSEC;

	if (op->item->due.on && op->running)
		EMIT(service_restart, kv_i("epoch", op->epoch),
		    kv_s("item", op->item->conf->name), kv_i("pid", pid),
		    kv_i("was", op->not_pid), kv_i("ms", ms));
	else
		EMIT(service_state, kv_i("epoch", op->epoch),
		    kv_s("item", op->item->conf->name),
		    kv_s("to", op->running ? "running" : "stopped"),
		    kv_i("pid", pid), kv_i("ms", ms));
}

static void
program_work_cb(void *arg, enum answer ans, const char *reason, pid_t pid)
{
	struct op *op = arg;

	op->work = NULL;
	op->acted = true;
	if (ans == ANS_YES) {
		converge_point(op->c, "restarted");
		program_tell(op, pid);
	}
	op_end(op, ans == ANS_YES ? ANS_YES : ANS_NO, reason);
}

static void
program_again(struct op *op)
{
	const struct conf_item *conf = op->item->conf;
	struct sup_goal goal = { .socket = conf->socket,
		.program = conf->program,
		.running = op->running,
		.started = true,
		.not_pid = op->not_pid,
		.sweep = conf->sweep,
		.deadline = op_left(op) };

	if (!op_may_act(op))
		return;
	converge_point(op->c, "restart");
	str_cut(op->why, sizeof(op->why),
	    op->running ? "it does not run yet" : "it has not stopped yet");
	op->work = sup_work_start(
	    op->c->env.loop, op->c->env.web, &goal, program_work_cb, op);
}

static void
program_cancel(struct op *op)
{
	sup_list_cancel(op->list);
	sup_left_cancel(op->left);
	sup_work_cancel(op->work);
	op->list = NULL;
	op->left = NULL;
	op->work = NULL;
}
