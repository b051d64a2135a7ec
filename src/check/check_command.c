/*
 * Check "command": a program ends with 0. What it prints is not looked at: it
 * may quote what it was given to read.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "check/modules.h"
#include "hawatch/job.h"
#include "hawatch/reason.h"

struct check_command_priv {
	struct job *job; /* while a probe runs */
};

static int check_command_start(struct check *c, struct error *err);
static void check_command_cancel(struct check *c);

const struct check_ops check_command = {
	.name = "command",
	.priv_size = sizeof(struct check_command_priv),
	.start = check_command_start,
	.cancel = check_command_cancel,
};

static void
check_command_cancel(struct check *c)
{
	struct check_command_priv *p = check_priv(c);

	job_cancel(p->job);
	p->job = NULL;
}

static void
check_command_done(void *arg, const struct job_result *res)
{
	struct check *c = arg;
	struct check_command_priv *p = check_priv(c);
	char reason[64];

	p->job = NULL;
	if (res->late) {
		check_done(c, ANS_NO, reason_str(REASON_timeout));
	} else if (res->status == -1) {
		check_done(c, ANS_NO, reason_str(REASON_not_started));
	} else if (WIFSIGNALED(res->status)) {
		(void)snprintf(reason, sizeof(reason), "%s %d",
		    reason_str(REASON_exit_signal), WTERMSIG(res->status));
		check_done(c, ANS_NO, reason);
	} else if (WEXITSTATUS(res->status) != 0) {
		(void)snprintf(reason, sizeof(reason), "%s %d",
		    reason_str(REASON_exit_status), WEXITSTATUS(res->status));
		check_done(c, ANS_NO, reason);
	} else {
		check_done(c, ANS_YES, "");
	}
}

static int
check_command_start(struct check *c, struct error *err)
{
	struct check_command_priv *p = check_priv(c);
	const struct conf_check *conf = check_conf(c);
	const struct job_spec spec = { .argv = conf->command,
		.user = conf->run_as[0] == '\0' ? NULL : conf->run_as,
		.deadline = conf->timeout,
		.keep_fd = -1 };

	p->job =
	    job_start(check_env(c)->loop, &spec, check_command_done, c, err);
	return p->job == NULL ? -1 : 0;
}
