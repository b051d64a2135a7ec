/*
 * A service that commands start, stop and restart. Whether it runs is what its
 * test says; without one, what the last command's end says.
 */
#include "converge/converge_job.h"

#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

static void service_start(struct op *op);
static void service_again(struct op *op);

const struct op_ops op_service = {
	.start = service_start,
	.again = service_again,
	.cancel = opjob_cancel,
	.backoff = 100 * USEC_MSEC,
};

enum service_step { SERVICE_LOOK, SERVICE_ACT, SERVICE_PROVE };

static void service_act(struct op *op);

static bool
service_due(const struct op *op)
{
	return op->item->due.on && op->running;
}

static void
service_done(struct op *op)
{
	usec_t ms = (clock_now().raw - op->began) / USEC_MSEC;

	converge_point(op->c, "restarted");
	if (service_due(op))
		EMIT(service_restart, kv_i("epoch", op->epoch),
		    kv_s("item", op->item->conf->name), kv_i("pid", 0),
		    kv_i("was", 0), kv_i("ms", ms));
	else
		EMIT(service_state, kv_i("epoch", op->epoch),
		    kv_s("item", op->item->conf->name),
		    kv_s("to", op->running ? "running" : "stopped"),
		    kv_i("pid", 0), kv_i("ms", ms));
	op_end(op, ANS_YES, "");
}

/* It may need a while after its command ended. */
static void
service_proven(struct op *op, enum answer ans, const char *why)
{
	if (ans == (op->running ? ANS_YES : ANS_NO)) {
		service_done(op);
		return;
	}
	str_cut(op->why, sizeof(op->why), why);
	op_again(op, 0);
}

static void
service_acted(struct op *op, enum answer ans, const char *why)
{
	op->acted = true;
	op->step = SERVICE_PROVE;
	if (ans != ANS_YES)
		op_end(op, ANS_NO, why);
	else if (op->item->conf->test[0] == NULL)
		service_done(op);
	else
		opjob_run(op, "test", op->item->conf->test, service_proven);
}

static void
service_stopped(struct op *op, enum answer ans, const char *why)
{
	op->acted = true;
	if (ans == ANS_YES)
		opjob_run(op, "start", op->item->conf->start, service_acted);
	else
		op_end(op, ANS_NO, why);
}

static void
service_act(struct op *op)
{
	const struct conf_item *conf = op->item->conf;

	op->step = SERVICE_ACT;
	if (!op_may_act(op))
		return;
	converge_point(op->c, "restart");
	if (!op->running)
		opjob_run(op, "stop", conf->stop, service_acted);
	else if (conf->restart[0] != NULL &&
		 (service_due(op) || conf->start[0] == NULL))
		opjob_run(op, "restart", conf->restart, service_acted);
	else if (service_due(op))
		opjob_run(op, "stop", conf->stop, service_stopped);
	else
		opjob_run(op, "start", conf->start, service_acted);
}

static void
service_tested(struct op *op, enum answer ans, const char *why)
{
	enum answer want = op->running ? ANS_YES : ANS_NO;

	if (ans == want)
		op_end(op, ANS_YES, "");
	else if (ans == ANS_UNKNOWN || !op->bring)
		op_end(op, ANS_NO, op->running ? why : "its test says it runs");
	else
		service_act(op);
}

static void
service_start(struct op *op)
{
	if (service_due(op) && op->bring)
		/* NOLINTNEXTLINE(bugprone-branch-clone): in this order */
		service_act(op);
	else if (service_due(op))
		op_end(op, ANS_NO, "a restart is due");
	else if (op->item->conf->test[0] != NULL)
		opjob_run(op, "test", op->item->conf->test, service_tested);
	else if (op->running || !op->bring)
		op_end(op, ANS_YES, "");
	else
		service_act(op);
}

static void
service_again(struct op *op)
{
	if (op->step == SERVICE_ACT)
		service_act(op);
	else
		opjob_run(op, "test", op->item->conf->test, service_proven);
}
