/*
 * Check "repmgr": its metadata says of this host what is true of it. repmgr's
 * own commands are not used: they connect to other hosts and may hang there.
 */
#include <stdio.h>
#include <string.h>

#include "check/modules.h"
#include "check/pglink.h"
#include "hawatch/pgwatch.h"
#include "hawatch/reason.h"

struct check_repmgr_priv {
	struct pgc *pgc; /* while a probe runs */
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
}

static void
check_repmgr_finish(struct check *c, enum answer ans, const char *reason)
{
	check_repmgr_cancel(c);
	check_done(c, ans, reason);
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
	if (r->rows != 1 || r->cols != 4 || type == NULL ||
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
		check_repmgr_finish(c, ANS_YES, "");
}

static int
check_repmgr_start(struct check *c, struct error *err)
{
	struct check_repmgr_priv *p = check_priv(c);
	const struct conf *conf = check_env(c)->conf;
	char sql[400];

	if (!conf->repmgr.enabled || check_env(c)->pg == NULL)
		return error_set(err, ERR_CONFIG,
		    "repmgr is not enabled on this host: remove the check");
	snprintf(sql, sizeof(sql),
	    "SELECT pg_is_in_recovery(), n.type, n.active,"
	    " (SELECT count(*) FROM repmgr.nodes o WHERE o.type = 'primary'"
	    " AND o.active AND o.node_id <> n.node_id)"
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
