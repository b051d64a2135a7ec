/*
 * Actions "settle" and "commit": a commit returns, on the Unix socket and
 * through the TCP port as a client would come. The commit is a small message
 * in the log of writes, which no table sees.
 *
 * One commit is given as long as the row allows: a try that is dropped leaves
 * a backend that waits for its standby, and a fresh try every half second
 * would use up the server's connections. What is dropped at the end is ended.
 */
#include "act/env.h"
#include "act/modules.h"
#include "check/pglink.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

#define ACT_CONNECT_LIMIT (500 * USEC_MSEC)
#define ACT_COMMIT_LIMIT (10 * USEC_SEC)
#define ACT_COMMIT_OPTIONS "-c synchronous_commit=on"

struct act_commit_priv {
	struct pgc *pgc;
	int backend; /* its process, once a commit was sent */
};

static int act_settle_observe(struct act *a, struct error *err);
static int act_commit_tcp(struct act *a, struct error *err);
static int act_commit_apply(struct act *a, struct error *err);
static void act_commit_cancel(struct act *a);

const struct act_ops act_settle = {
	.name = "settle",
	.kind = ACT_SETTLE,
	.priv_size = sizeof(struct act_commit_priv),
	.observe = act_settle_observe,
	.apply = act_commit_apply,
	.cancel = act_commit_cancel,
};

const struct act_ops act_commit = {
	.name = "commit",
	.kind = ACT_COMMIT,
	.priv_size = sizeof(struct act_commit_priv),
	.observe = act_commit_tcp,
	.apply = act_commit_apply,
	.cancel = act_commit_cancel,
};

static void
act_commit_cancel(struct act *a)
{
	struct act_commit_priv *p = act_priv(a);

	act_clean_start(act_env(a), NODE_NONE, p->backend);
	p->backend = 0;
	pgc_free(p->pgc);
	p->pgc = NULL;
}

static void
act_commit_finish(struct act *a, enum answer ans, const char *reason)
{
	act_commit_cancel(a);
	act_done(a, ans, reason);
}

static void
act_commit_done_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_commit_priv *p = act_priv(a);

	if (r->ok != ANS_UNKNOWN)
		p->backend = 0;
	if (r->ok != ANS_YES)
		act_commit_finish(a, r->ok, r->reason);
	else if (r->warned)
		act_commit_finish(a, ANS_NO, reason_str(REASON_commit_warned));
	else
		act_commit_finish(a, ANS_YES, "");
}

static void
act_commit_connected_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_commit_priv *p = act_priv(a);
	struct error err;

	if (r->ok != ANS_YES) {
		act_commit_finish(a, ANS_NO, r->reason);
		return;
	}
	p->backend = pgc_backend(p->pgc);
	if (pgc_query(p->pgc,
		"SELECT pg_logical_emit_message(true, 'hawatch', 'commit')",
		ACT_COMMIT_LIMIT, act_commit_done_cb, a, &err) == -1)
		act_commit_finish(a, ANS_UNKNOWN, err.msg);
}

/* Takes pgc. */
static int
act_commit_observe(struct act *a, struct pgc *pgc, struct error *err)
{
	struct act_commit_priv *p = act_priv(a);

	p->pgc = pgc;
	if (pgc_query(pgc, "SELECT 1", ACT_CONNECT_LIMIT,
		act_commit_connected_cb, a, err) == -1) {
		act_commit_cancel(a);
		return -1;
	}
	return 0;
}

static int
act_settle_observe(struct act *a, struct error *err)
{
	const struct act_env *env = act_env(a);

	return act_commit_observe(a,
	    pglink_local(env->loop, env->conf, NULL, ACT_COMMIT_OPTIONS), err);
}

static int
act_commit_tcp(struct act *a, struct error *err)
{
	const struct act_env *env = act_env(a);

	return act_commit_observe(a,
	    pglink_node(
		env->loop, env->conf, env->conf->self, ACT_COMMIT_OPTIONS),
	    err);
}

/* Nothing can be done about it but to look again. */
static int
act_commit_apply(struct act *a, struct error *err)
{
	act_done(a, ANS_YES, "");
	return 0;
}
