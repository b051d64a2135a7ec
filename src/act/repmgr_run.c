/*
 * A command about the local server: first the server says as whom repmgr comes.
 */
#include "act/repmgr_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/env.h"
#include "act/tool_line.h"
#include "check/pglink.h"
#include "check/repmgr_conf.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ASK_LIMIT (2 * USEC_SEC)

struct repmgr_run {
	struct act_env *env;
	struct pgc *pgc;
	struct job *job;
	char words[120]; /* for the log */
	const char *argv[REPMGR_WORDS];
	usec_t limit, started;
	bool leased;	    /* not beyond the lease, whatever becomes of us */
	repmgr_run_fn done; /* NULL: left */
	void *arg;
};

void
repmgr_run_cancel(struct repmgr_run *run)
{
	if (run == NULL)
		return;
	if (run->env->left == run)
		run->env->left = NULL;
	pgc_free(run->pgc);
	job_cancel(run->job);
	free(run);
}

static usec_t
repmgr_run_until(const struct repmgr_run *run)
{
	if (!run->leased)
		return 0;
	return run->env->lease == 0 ? USEC_NEVER : run->env->lease;
}

void
repmgr_run_lease(struct repmgr_run *run)
{
	if (run == NULL)
		return;
	run->leased = true;
	if (run->job != NULL)
		job_until(run->job, repmgr_run_until(run));
}

void
repmgr_run_leave(struct repmgr_run *run)
{
	if (run == NULL)
		return;
	repmgr_run_cancel(run->env->left);
	if (run->leased && run->job != NULL)
		job_until(run->job, USEC_NEVER);
	run->done = NULL;
	run->env->left = run;
}

static void
repmgr_run_end(struct repmgr_run *run, bool ok)
{
	repmgr_run_fn done = run->done;
	void *arg = run->arg;

	repmgr_run_cancel(run);
	if (done != NULL)
		done(arg, ok);
}

/* One that fails is tried every second, and says the same each time. */
static void
repmgr_run_tell(
    const struct repmgr_run *run, int status, bool late, const char *text)
{
	struct act_env *env = run->env;

	if (status != 0 && strcmp(text, env->repmgr_said) == 0)
		return;
	str_cut(env->repmgr_said, sizeof(env->repmgr_said),
	    status == 0 ? "" : text);
	EMIT(repmgr_command, kv_s("command", run->words),
	    kv_i("status", tool_status(status)),
	    kv_s("late", late ? "yes" : "no"),
	    kv_i("ms", (clock_now().raw - run->started) / USEC_MSEC),
	    kv_s("output", text));
}

static void
repmgr_run_ended_cb(void *arg, const struct job_result *res)
{
	struct repmgr_run *run = arg;
	char text[REPMGR_SAID];

	run->job = NULL;
	tool_why(res->output, res->output_len, text, sizeof(text));
	repmgr_run_tell(run, res->status, res->late, text);
	repmgr_run_end(run, res->status == 0);
}

static int
repmgr_run_job(struct repmgr_run *run, const char *account, struct error *err)
{
	const struct conf *conf = run->env->conf;
	struct job_spec spec = {
		.argv = run->argv,
		.user = conf->pg.run_as,
		.deadline = run->limit,
		.kept = true,
		.until = repmgr_run_until(run),
	};

	spec.keep_fd =
	    repmgr_conf_file(conf, account, conf->pg.data_directory, err);
	if (spec.keep_fd == -1)
		return -1;
	run->job =
	    job_start(run->env->loop, &spec, repmgr_run_ended_cb, run, err);
	close(spec.keep_fd);
	return run->job == NULL ? -1 : 0;
}

static void
repmgr_run_account_cb(void *arg, const struct pgc_result *r)
{
	struct repmgr_run *run = arg;
	struct error err;
	const char *text = r->ok == ANS_YES ? r->get(r, 0, 0) : NULL;
	char *account;

	if (text == NULL) {
		repmgr_run_tell(run, -1, false,
		    r->ok == ANS_YES ? "repmgr.nodes has no such node" :
				       r->reason);
		repmgr_run_end(run, false);
		return;
	}
	account = xstrdup(text);
	pgc_free(run->pgc);
	run->pgc = NULL;
	if (repmgr_run_job(run, account, &err) == -1) {
		repmgr_run_tell(run, -1, false, err.msg);
		repmgr_run_end(run, false);
	}
	free(account);
}

struct repmgr_run *
repmgr_run_start(struct act_env *env, const char *const *words, usec_t limit,
    repmgr_run_fn done, void *arg, struct error *err)
{
	const struct conf *conf = env->conf;
	struct repmgr_run *run = xcalloc(1, sizeof(*run));
	char sql[100];

	run->env = env;
	run->limit = limit;
	run->done = done;
	run->arg = arg;
	run->started = clock_now().raw;
	repmgr_conf_argv(conf, words, run->argv);
	snprintf(run->words, sizeof(run->words), "%s %s", words[0], words[1]);
	snprintf(sql, sizeof(sql),
	    "SELECT conninfo FROM repmgr.nodes WHERE node_id = %d",
	    conf->node[conf->self].repmgr_id);
	run->pgc = pglink_local(env->loop, conf, conf->repmgr.dbname, NULL);
	if (pgc_query(
		run->pgc, sql, ASK_LIMIT, repmgr_run_account_cb, run, err) == 0)
		return run;
	repmgr_run_cancel(run);
	return NULL;
}
