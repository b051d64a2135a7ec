/*
 * Action "repmgr-metadata": repmgr knows this host as its only active primary,
 * or as a standby of the goal's node.
 * repmgr's own command writes it, SQL looks whether it did.
 */
#include <stdio.h>

#include "act/env.h"
#include "act/modules.h"
#include "act/tool_line.h"
#include "check/pglink.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

#define ACT_METADATA_LIMIT (2 * USEC_SEC)
#define ACT_METADATA_JOB (10 * USEC_SEC)
#define ACT_METADATA_TRIES 5
#define ACT_METADATA_APART (1 * USEC_SEC)

struct act_metadata_priv {
	struct pgc *pgc;
	struct job *job;
	int tries;
	usec_t failed_at; /* 0: the last try did not */
};

static int act_metadata_observe(struct act *a, struct error *err);
static int act_metadata_apply(struct act *a, struct error *err);
static void act_metadata_cancel(struct act *a);

const struct act_ops act_metadata = {
	.name = "repmgr-metadata",
	.kind = ACT_METADATA,
	.priv_size = sizeof(struct act_metadata_priv),
	.observe = act_metadata_observe,
	.apply = act_metadata_apply,
	.cancel = act_metadata_cancel,
};

static void
act_metadata_cancel(struct act *a)
{
	struct act_metadata_priv *p = act_priv(a);

	pgc_free(p->pgc);
	p->pgc = NULL;
	job_cancel(p->job);
	p->job = NULL;
}

static void
act_metadata_finish(struct act *a, enum answer ans, const char *reason)
{
	act_metadata_cancel(a);
	act_done(a, ans, reason);
}

static void
act_metadata_seen_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	int64_t mine, others;

	if (r->ok != ANS_YES)
		act_metadata_finish(a, ANS_UNKNOWN, r->reason);
	else if (pglink_num(r, 0, 0, &mine) == -1 ||
		 pglink_num(r, 0, 1, &others) == -1)
		act_metadata_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
	else if (mine == 1 && others == 0)
		act_metadata_finish(a, ANS_YES, "");
	else
		act_metadata_finish(a, ANS_NO, reason_str(REASON_repmgr_stale));
}

static int
act_metadata_observe(struct act *a, struct error *err)
{
	struct act_metadata_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	int id = env->conf->node[env->conf->self].repmgr_id;
	char sql[240];

	if (!env->conf->repmgr.enabled) {
		act_done(a, ANS_YES, "");
		return 0;
	}
	if (act_goal(a)->standby)
		snprintf(sql, sizeof(sql),
		    "SELECT count(*), 0 FROM repmgr.nodes WHERE node_id = %d"
		    " AND type = 'standby' AND active"
		    " AND upstream_node_id = %d",
		    id, env->conf->node[act_goal(a)->node].repmgr_id);
	else
		snprintf(sql, sizeof(sql),
		    "SELECT count(*) FILTER (WHERE node_id = %d),"
		    " count(*) FILTER (WHERE node_id <> %d)"
		    " FROM repmgr.nodes WHERE type = 'primary' AND active",
		    id, id);
	p->pgc =
	    pglink_local(env->loop, env->conf, env->conf->repmgr.dbname, NULL);
	if (pgc_query(p->pgc, sql, ACT_METADATA_LIMIT, act_metadata_seen_cb, a,
		err) == -1) {
		act_metadata_cancel(a);
		return -1;
	}
	return 0;
}

static void
act_metadata_job_cb(void *arg, const struct job_result *res)
{
	struct act *a = arg;
	struct act_metadata_priv *p = act_priv(a);
	char text[REPMGR_SAID];

	tool_why(res->output, res->output_len, text, sizeof(text));
	p->job = NULL;
	p->failed_at = res->status == 0 ? 0 : clock_now().raw;
	EMIT(repmgr_register, kv_i("status", tool_status(res->status)),
	    kv_s("output", res->status == 0 ? "" : text));
	act_metadata_finish(a, res->status == 0 ? ANS_YES : ANS_UNKNOWN,
	    reason_str(REASON_repmgr_stale));
}

static int
act_metadata_apply(struct act *a, struct error *err)
{
	struct act_metadata_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	const struct conf_repmgr *repmgr = &env->conf->repmgr;
	const char *argv[] = { repmgr->program, "-f", repmgr->config,
		act_goal(a)->standby ? "standby" : "primary", "register",
		"--force", NULL };
	const struct job_spec spec = {
		.argv = argv,
		.user = env->conf->pg.run_as,
		.deadline = ACT_METADATA_JOB,
		.keep_fd = -1,
	};

	/* The one that promoted writes the same. */
	if (env->left != NULL ||
	    (p->failed_at != 0 &&
		clock_now().raw - p->failed_at < ACT_METADATA_APART)) {
		act_metadata_finish(
		    a, ANS_UNKNOWN, reason_str(REASON_repmgr_stale));
		return 0;
	}
	if (p->tries++ >= ACT_METADATA_TRIES) {
		act_metadata_finish(
		    a, ANS_NO, reason_str(REASON_repmgr_failed));
		return 0;
	}
	p->job = job_start(env->loop, &spec, act_metadata_job_cb, a, err);
	return p->job == NULL ? -1 : 0;
}
