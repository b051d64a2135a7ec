/*
 * Check "repmgr": its metadata says of this host what is true of it; and its
 * own commands, where they are configured, would work here. Not used otherwise:
 * they connect to other hosts and may hang there.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/modules.h"
#include "check/pglink.h"
#include "check/repmgr_conf.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/pgwatch.h"
#include "hawatch/reason.h"

#define NODE_LIMIT (5 * USEC_SEC)
#define NODE_APART (60 * USEC_SEC) /* a program is dear */
#define NODE_STATUS 25		   /* it reached it, and something is wrong */
#define NODE_LOGIN 6

struct check_repmgr_priv {
	struct job *job;
	usec_t proven_at; /* that its commands would work; 0: not yet */
	struct pgc *pgc;  /* while a probe runs */
};

static int check_repmgr_start(struct check *c, struct error *err);
static void check_repmgr_cancel(struct check *c);

const struct check_ops check_repmgr = {
	.name = "repmgr",
	.priv_size = sizeof(struct check_repmgr_priv),
	.start = check_repmgr_start,
	.cancel = check_repmgr_cancel,
};

static void
check_repmgr_cancel(struct check *c)
{
	struct check_repmgr_priv *p = check_priv(c);

	pgc_free(p->pgc);
	p->pgc = NULL;
	job_cancel(p->job);
	p->job = NULL;
}

static void
check_repmgr_finish(struct check *c, enum answer ans, const char *reason)
{
	check_repmgr_cancel(c);
	check_done(c, ans, reason);
}

static void
check_repmgr_node_cb(void *arg, const struct job_result *res)
{
	struct check *c = arg;
	struct check_repmgr_priv *p = check_priv(c);
	int code = !res->late && res->status != -1 && WIFEXITED(res->status) ?
		       WEXITSTATUS(res->status) :
		       -1;

	p->job = NULL;
	if (code == 0 || code == NODE_STATUS) {
		p->proven_at = clock_now().raw;
		check_repmgr_finish(c, ANS_YES, "");
	} else
		check_repmgr_finish(c, ANS_NO,
		    reason_str(code == NODE_LOGIN || res->late ?
				   REASON_repmgr_login :
				   REASON_repmgr_config));
}

/* Where its commands are to do what the plans demand, it is run now and then,
 * as they would be, and without any effect. */
static void
check_repmgr_commands(struct check *c, const struct pgc_result *r)
{
	static const char *const words[] = { "node", "status", NULL };
	struct check_repmgr_priv *p = check_priv(c);
	const struct conf *conf = check_env(c)->conf;
	const char *argv[REPMGR_WORDS], *account = r->get(r, 0, 4);
	struct job_spec spec = {
		.argv = argv, .user = conf->pg.run_as, .deadline = NODE_LIMIT
	};
	struct error err;
	bool may;

	if (conf->pg.commands == COMMANDS_NATIVE ||
	    (p->proven_at != 0 &&
		clock_now().raw - p->proven_at < NODE_APART)) {
		check_repmgr_finish(c, ANS_YES, "");
		return;
	}
	if (account == NULL || pglink_bool(r, 0, 5, &may) == -1 || !may) {
		check_repmgr_finish(
		    c, ANS_NO, reason_str(REASON_repmgr_rights));
		return;
	}
	spec.keep_fd =
	    repmgr_conf_file(conf, account, conf->pg.data_directory, &err);
	if (spec.keep_fd != -1) {
		repmgr_conf_argv(conf, words, argv);
		p->job = job_start(
		    check_env(c)->loop, &spec, check_repmgr_node_cb, c, &err);
		close(spec.keep_fd);
	}
	if (p->job == NULL)
		check_repmgr_finish(
		    c, ANS_NO, reason_str(REASON_repmgr_config));
}

static void
check_repmgr_done_cb(void *arg, const struct pgc_result *r)
{
	struct check *c = arg;
	const char *type;
	bool recovery, active;
	int64_t others;

	if (r->ok != ANS_YES) {
		check_repmgr_finish(c, ANS_NO, r->reason);
		return;
	}
	if (r->rows == 0) {
		check_repmgr_finish(
		    c, ANS_NO, reason_str(REASON_repmgr_unknown_node));
		return;
	}
	type = r->get(r, 0, 1);
	if (r->rows != 1 || r->cols != 6 || type == NULL ||
	    pglink_bool(r, 0, 0, &recovery) == -1 ||
	    pglink_bool(r, 0, 2, &active) == -1 ||
	    pglink_num(r, 0, 3, &others) == -1) {
		check_repmgr_finish(c, ANS_NO, reason_str(REASON_garbage));
		return;
	}
	if (strcmp(type, recovery ? "standby" : "primary") != 0)
		check_repmgr_finish(c, ANS_NO, reason_str(REASON_repmgr_type));
	else if (!active)
		check_repmgr_finish(
		    c, ANS_NO, reason_str(REASON_repmgr_inactive));
	else if (others != (recovery ? 1 : 0))
		check_repmgr_finish(
		    c, ANS_NO, reason_str(REASON_repmgr_primaries));
	else
		check_repmgr_commands(c, r);
}

static int
check_repmgr_start(struct check *c, struct error *err)
{
	struct check_repmgr_priv *p = check_priv(c);
	const struct conf *conf = check_env(c)->conf;
	char sql[600];

	if (!conf->repmgr.enabled || check_env(c)->pg == NULL)
		return error_set(err, ERR_CONFIG,
		    "repmgr is not enabled on this host: remove the check");
	snprintf(sql, sizeof(sql),
	    "SELECT pg_is_in_recovery(), n.type, n.active,"
	    " (SELECT count(*) FROM repmgr.nodes o WHERE o.type = 'primary'"
	    " AND o.active AND o.node_id <> n.node_id), n.conninfo,"
	    " coalesce((SELECT rolsuper OR rolreplication FROM pg_roles"
	    " WHERE rolname = n.repluser), false)"
	    " FROM repmgr.nodes n WHERE n.node_id = %d",
	    conf->node[conf->self].repmgr_id);
	p->pgc =
	    pglink_local(check_env(c)->loop, conf, conf->repmgr.dbname, NULL);
	if (pgc_query(p->pgc, sql, check_conf(c)->timeout, check_repmgr_done_cb,
		c, err) == -1) {
		check_repmgr_cancel(c);
		return -1;
	}
	return 0;
}
