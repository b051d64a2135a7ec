/*
 * The look at what an ended PostgreSQL left: pg_controldata as a child, then
 * the record of its last checkpoint in the worker, since both wait for a disk.
 * It has no opinion on what follows from it.
 */
#include "act/stop_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/env.h"
#include "act/pg_control.h"
#include "hawatch/job.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define STOP_LOOK_LIMIT (1 * USEC_SEC)

/* Lives until child and worker are through with it, cancelled or not. */
struct stop_look {
	struct act *a; /* NULL: cancelled */
	stop_look_fn done;
	struct job *job; /* NULL: the worker has it */
	char *program, *dir;
	struct pg_control ctl;
	bool standby;
	lsn_t end; /* 0: not found, err says why */
	struct error err;
};

static void
stop_look_free(void *arg)
{
	struct stop_look *look = arg;

	free(look->program);
	free(look->dir);
	free(look);
}

static void
stop_look_end(
    struct stop_look *look, enum answer clean, lsn_t end, const char *why)
{
	stop_look_fn done = look->done;
	struct act *a = look->a;
	char text[200];

	str_cut(text, sizeof(text), why);
	stop_look_free(look);
	if (a != NULL)
		done(a, clean, end, text);
}

/* In the worker's thread. */
static void
stop_look_work(void *arg)
{
	struct stop_look *look = arg;

	if (pg_control_record(&look->ctl, look->dir, &look->end, &look->err) ==
	    -1)
		look->end = 0;
}

static void
stop_look_work_done(void *arg)
{
	struct stop_look *look = arg;

	if (look->end == 0)
		stop_look_end(look, ANS_UNKNOWN, 0, look->err.msg);
	else
		stop_look_end(look, ANS_YES, look->end, "");
}

static void
stop_look_job_cb(void *arg, const struct job_result *res)
{
	struct stop_look *look = arg;
	struct error err;

	look->job = NULL;
	if (res->status != 0 || res->late) {
		error_set(&err, ERR_PROTOCOL, "pg_controldata: %s",
		    res->late ? "not in time" : res->output);
		err.msg[strcspn(err.msg, "\n")] = '\0';
		stop_look_end(look, ANS_UNKNOWN, 0, err.msg);
	} else if (pg_control_parse(&look->ctl, res->output, &err) == -1) {
		stop_look_end(look, ANS_UNKNOWN, 0, err.msg);
	} else if (look->standby && look->ctl.ended) {
		stop_look_end(look, ANS_YES, 0, "");
	} else if (look->standby || !look->ctl.clean) {
		stop_look_end(look, ANS_NO, 0, "");
	} else {
		worker_submit_own(act_env(look->a)->worker, stop_look_work,
		    stop_look_work_done, stop_look_free, look);
	}
}

struct stop_look *
stop_look_start(struct act *a, stop_look_fn done, struct error *err)
{
	const struct conf_postgres *pg = &act_env(a)->conf->pg;
	struct stop_look *look = xcalloc(1, sizeof(*look));
	const char *argv[] = { NULL, "-D", pg->data_directory, NULL };
	const struct job_spec spec = {
		.argv = argv,
		.deadline = STOP_LOOK_LIMIT,
		.keep_fd = -1,
	};

	look->a = a;
	look->done = done;
	look->standby = act_goal(a)->standby;
	look->program = xasprintf("%s/pg_controldata", pg->bin_directory);
	look->dir = xstrdup(pg->data_directory);
	argv[0] = look->program;
	look->job =
	    job_start(act_env(a)->loop, &spec, stop_look_job_cb, look, err);
	if (look->job == NULL) {
		stop_look_free(look);
		return NULL;
	}
	return look;
}

void
stop_look_cancel(struct stop_look *look)
{
	if (look == NULL)
		return;
	look->a = NULL;
	if (look->job == NULL)
		return;
	job_cancel(look->job);
	stop_look_free(look);
}
