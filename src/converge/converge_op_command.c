/*
 * A command that says whether something is so, and one that brings it about.
 */
#include "converge/converge_job.h"

#include "hawatch/emit.h"

static void command_start(struct op *op);
static void command_again(struct op *op);

const struct op_ops op_command = {
	.start = command_start,
	.again = command_again,
	.cancel = opjob_cancel,
	.backoff = 100 * USEC_MSEC,
};

static void
command_proven(struct op *op, enum answer ans, const char *why)
{
	if (ans == ANS_YES)
		EMIT(converge_change, kv_i("epoch", op->epoch),
		    kv_s("item", op->item->conf->name));
	op_end(op, ans == ANS_YES ? ANS_YES : ANS_NO, why);
}

static void
command_fixed(struct op *op, enum answer ans, const char *why)
{
	op->acted = true;
	if (ans == ANS_YES)
		opjob_run(op, "test", op->item->conf->test, command_proven);
	else
		op_end(op, ANS_NO, why);
}

static void
command_tested(struct op *op, enum answer ans, const char *why)
{
	if (ans == ANS_NO && op->bring)
		command_again(op);
	else
		op_end(op, ans == ANS_YES ? ANS_YES : ANS_NO, why);
}

static void
command_start(struct op *op)
{
	opjob_run(op, "test", op->item->conf->test, command_tested);
}

static void
command_again(struct op *op)
{
	if (op_may_act(op))
		opjob_run(op, "fix", op->item->conf->fix, command_fixed);
}
