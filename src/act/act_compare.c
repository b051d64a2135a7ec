/*
 * Action "compare": how this data, ended and not running, relates to that of
 * the goal's node. By both histories, which pg_rewind reads, and never by the
 * number of a timeline: two servers that were promoted each for itself have the
 * same. Of the primary it is asked whether it is one, of this system, past the
 * position that is asked for, and whether the checkpoint after its promotion
 * has ended: before that, its control file names the old timeline, and
 * pg_rewind of versions up to 15 takes the two for equal. Nor is that believed
 * of data that went on past the primary's timeline, and ended before such a
 * checkpoint of its own.
 *
 * What set this data aside has had its use by now, and is taken back first:
 * whatever becomes of the plan, nothing of it is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/auto_conf.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/modules.h"
#include "act/pg_control.h"
#include "act/primary_ask.h"
#include "act/tool_line.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define CONTROL_LIMIT (5 * USEC_SEC)
#define DRY_LIMIT (110 * USEC_SEC)

struct act_compare_priv {
	struct disk_work *work;
	struct job *job;
	struct primary_ask *ask;
	struct pg_control ctl;
	bool beyond; /* this data has a later timeline than the primary */
	bool known;
};

static int act_compare_observe(struct act *a, struct error *err);
static int act_compare_apply(struct act *a, struct error *err);
static void act_compare_cancel(struct act *a);

const struct act_ops act_compare = {
	.name = "compare",
	.kind = ACT_COMPARE,
	.priv_size = sizeof(struct act_compare_priv),
	.observe = act_compare_observe,
	.apply = act_compare_apply,
	.cancel = act_compare_cancel,
};

static int
act_compare_observe(struct act *a, struct error *err)
{
	struct act_compare_priv *p = act_priv(a);

	act_done(a, p->known ? ANS_YES : ANS_NO, "");
	return 0;
}

static void
act_compare_cancel(struct act *a)
{
	struct act_compare_priv *p = act_priv(a);

	disk_work_cancel(p->work);
	p->work = NULL;
	job_cancel(p->job);
	p->job = NULL;
	primary_ask_cancel(p->ask);
	p->ask = NULL;
}

static void
act_compare_wait(struct act *a, const char *why)
{
	act_done(a, ANS_UNKNOWN, why);
}

static void
act_compare_found(struct act *a, enum fork fork, const char *why)
{
	static const char *const words[] = { [FORK_UNKNOWN] = "",
		[FORK_NONE] = "follows",
		[FORK_REWIND] = "rewind",
		[FORK_CLONE] = "clone" };
	struct act_compare_priv *p = act_priv(a);
	char lsn[LSN_STR_MAX];

	p->known = true;
	act_goal(a)->fork = fork;
	EMIT(rejoin_compared, kv_i("epoch", act_goal(a)->epoch),
	    kv_s("how", words[fork]), kv_s("why", why),
	    kv_s("common", lsn_str(act_goal(a)->lsn, lsn)));
	str_cut(act_goal(a)->why, sizeof(act_goal(a)->why), why);
	act_done(a, ANS_YES, "");
}

/* The rest of the line after those words; false: they are not there. */
static bool
act_compare_after(const char *text, const char *words, char *out, size_t size)
{
	const char *at = strstr(text, words);

	if (at == NULL)
		return false;
	str_cut(out, size, at + strlen(words));
	out[strcspn(out, " \n")] = '\0';
	return true;
}

/* What pg_rewind says when this data lacks what it needs. */
static bool
act_compare_hopeless(const char *text)
{
	static const char *const words[] = { "could not find previous WAL",
		"could not find common ancestor", "could not read WAL record",
		"could not open file", "needs to use either data checksums",
		"invalid record", NULL };
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

static void
act_compare_dry_cb(void *arg, const struct job_result *res)
{
	struct act *a = arg;
	struct act_compare_priv *p = act_priv(a);
	char lsn[64], last[160];

	p->job = NULL;
	tool_last(res->output, res->output_len, last, sizeof(last));
	if (res->status == 0 && strstr(res->output, "no rewind required"))
		act_compare_found(a, p->beyond ? FORK_CLONE : FORK_NONE,
		    p->beyond ? reason_str(REASON_not_rewound) : "");
	else if (res->status == 0 &&
		 act_compare_after(res->output, "last common checkpoint at ",
		     lsn, sizeof(lsn)) &&
		 lsn_parse(lsn, &act_goal(a)->lsn) == 0)
		act_compare_found(a, FORK_REWIND, "");
	else if (!res->late && act_compare_hopeless(res->output))
		act_compare_found(a, FORK_CLONE, last);
	else
		act_compare_wait(a, last);
}

static void
act_compare_dry(struct act *a, const struct primary_said *said)
{
	struct act_compare_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	const struct conf_postgres *pg = &env->conf->pg;
	struct error err;
	char *conninfo = primary_ask_source(a, said, &err);
	char *secret = primary_ask_secret(said);
	char *program = xasprintf("%s/pg_rewind", pg->bin_directory);
	char *source =
	    conninfo == NULL ? NULL : xasprintf("--source-server=%s", conninfo);
	const char *argv[] = { program, "--dry-run", "--no-ensure-shutdown",
		"-D", pg->data_directory, source, NULL };
	const struct job_spec spec = {
		.argv = argv,
		.also = secret,
		.user = pg->run_as,
		.deadline = DRY_LIMIT,
		.keep_fd = -1,
	};

	if (source == NULL)
		act_done(a, ANS_NO, reason_str(REASON_conninfo_garbage));
	else {
		p->job =
		    job_start(env->loop, &spec, act_compare_dry_cb, a, &err);
		if (p->job == NULL)
			act_compare_wait(a, err.msg);
	}
	free(conninfo);
	free(secret);
	free(program);
	free(source);
}

static void
act_compare_said(struct act *a, enum answer ok, const struct primary_said *said,
    const char *why)
{
	struct act_compare_priv *p = act_priv(a);
	uint32_t own = p->ctl.timeline > p->ctl.recovered ? p->ctl.timeline :
							    p->ctl.recovered;

	p->ask = NULL;
	p->beyond = ok == ANS_YES && own > said->timeline;
	if (ok != ANS_YES)
		act_compare_wait(a, why);
	else if (!said->primary)
		act_compare_wait(a, reason_str(REASON_role_mismatch));
	else if (said->system_id != p->ctl.system_id)
		act_done(a, ANS_NO, reason_str(REASON_other_system));
	else if (said->checkpoint != said->timeline)
		act_compare_wait(a, reason_str(REASON_no_checkpoint));
	else if (said->flushed < act_goal(a)->lsn)
		act_compare_wait(a, reason_str(REASON_source_behind));
	else if (own == said->timeline && act_goal(a)->standby)
		act_compare_found(a, FORK_NONE, "");
	else if (own == said->timeline)
		act_compare_found(
		    a, FORK_CLONE, reason_str(REASON_same_timeline));
	else if (!p->ctl.hints)
		act_compare_found(a, FORK_CLONE, reason_str(REASON_no_hints));
	else
		act_compare_dry(a, said);
}

static void
act_compare_control_cb(void *arg, const struct job_result *res)
{
	struct act *a = arg;
	struct act_compare_priv *p = act_priv(a);
	struct error err;

	p->job = NULL;
	if (res->status != 0 || res->late) {
		act_compare_wait(a, reason_str(REASON_not_known));
		return;
	}
	if (pg_control_parse(&p->ctl, res->output, &err) == -1) {
		act_compare_wait(a, err.msg);
		return;
	}
	if (!p->ctl.ended) {
		act_compare_wait(a, reason_str(REASON_not_clean));
		return;
	}
	p->ask = primary_ask_start(a, act_compare_said, &err);
	if (p->ask == NULL)
		act_compare_wait(a, err.msg);
}

static void
act_compare_control(struct act *a)
{
	struct act_compare_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	const struct conf_postgres *pg = &env->conf->pg;
	char *program = xasprintf("%s/pg_controldata", pg->bin_directory);
	const char *argv[] = { program, "-D", pg->data_directory, NULL };
	const struct job_spec spec = {
		.argv = argv,
		.deadline = CONTROL_LIMIT,
		.keep_fd = -1,
	};
	struct error err;

	p->job = job_start(env->loop, &spec, act_compare_control_cb, a, &err);
	free(program);
	if (p->job == NULL)
		act_compare_wait(a, err.msg);
}

static int
act_compare_back(void *what, const struct disk_work *self, struct error *err)
{
	return auto_conf_back(what, err);
}

static void
act_compare_backed(struct act *a, bool ok, void *what, const struct error *err)
{
	struct act_compare_priv *p = act_priv(a);

	p->work = NULL;
	if (ok)
		act_compare_control(a);
	else
		act_compare_wait(a, err->msg);
}

static int
act_compare_apply(struct act *a, struct error *err)
{
	struct act_compare_priv *p = act_priv(a);

	p->work = disk_work_start(a, act_compare_back,
	    xstrdup(act_env(a)->conf->pg.data_directory), free,
	    act_compare_backed);
	return 0;
}
