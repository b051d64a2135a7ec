/*
 * Commands of items. What they print is not told: they are asked about files
 * with passwords in them, and quote what they do not understand.
 */
#include "converge/converge_job.h"

#include <stdio.h>
#include <sys/wait.h>

#include "hawatch/job.h"

static void
opjob_done_cb(void *arg, const struct job_result *res)
{
	struct op *op = arg;
	enum answer ans = ANS_UNKNOWN;
	char why[ITEM_REASON];

	op->job = NULL;
	if (res->late) {
		(void)snprintf(
		    why, sizeof(why), "%s did not end in time", op->what);
	} else if (res->status == -1) {
		(void)snprintf(why, sizeof(why), "%s could not be run: %s",
		    op->what, res->output);
	} else if (WIFSIGNALED(res->status)) {
		(void)snprintf(why, sizeof(why), "%s was ended by signal %d",
		    op->what, WTERMSIG(res->status));
	} else {
		ans = WEXITSTATUS(res->status) == 0 ? ANS_YES : ANS_NO;
		(void)snprintf(why, sizeof(why), "%s ended with status %d",
		    op->what, WEXITSTATUS(res->status));
	}
	op->job_done(op, ans, why);
}

void
opjob_run(struct op *op, const char *what, const char *const *argv,
    void (*done)(struct op *op, enum answer ans, const char *why))
{
	const char *user = op->item->conf->run_as;
	struct job_spec spec = { .argv = argv,
		.user = user[0] == '\0' ? NULL : user,
		.deadline = op_left(op),
		.keep_fd = -1 };
	struct error err;

	op->what = what;
	op->job_done = done;
	op->job = job_start(op->c->env.loop, &spec, opjob_done_cb, op, &err);
	if (op->job == NULL)
		op_end(op, ANS_NO, err.msg);
}

void
opjob_cancel(struct op *op)
{
	job_cancel(op->job);
	op->job = NULL;
}
