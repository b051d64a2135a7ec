/*
 * Two questions to the holder's server: what it is, and, in repmgr's database,
 * how repmgr reaches it. Connections of their own, which end with the answer:
 * the server shows the last statement of one to whoever monitors it.
 */
#include "act/primary_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/env.h"
#include "act/point.h"
#include "check/pglink.h"
#include "hawatch/conninfo.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define PRIMARY_ASK_LIMIT (3 * USEC_SEC)

struct primary_ask {
	struct act *a;
	primary_ask_fn done;
	struct pgc *pgc;
	struct primary_said said;
};

void
primary_ask_cancel(struct primary_ask *ask)
{
	if (ask == NULL)
		return;
	pgc_free(ask->pgc);
	free(ask);
}

static void
primary_ask_end(struct primary_ask *ask, enum answer ok, const char *why)
{
	struct primary_said said = ask->said;
	primary_ask_fn done = ask->done;
	struct act *a = ask->a;
	char text[200];

	str_cut(text, sizeof(text), why);
	primary_ask_cancel(ask);
	done(a, ok, &said, text);
}

static void
primary_ask_repmgr_cb(void *arg, const struct pgc_result *r)
{
	struct primary_ask *ask = arg;
	const char *text;

	if (r->ok != ANS_YES) {
		primary_ask_end(ask, r->ok, r->reason);
		return;
	}
	text = r->get(r, 0, 0);
	if (text == NULL || strlen(text) >= sizeof(ask->said.conninfo)) {
		primary_ask_end(
		    ask, ANS_NO, reason_str(REASON_repmgr_unknown_node));
		return;
	}
	str_cut(ask->said.conninfo, sizeof(ask->said.conninfo), text);
	primary_ask_end(ask, ANS_YES, "");
}

/* In repmgr's own database; a name that is not the configured one. */
static void
primary_ask_repmgr(struct primary_ask *ask)
{
	const struct act_env *env = act_env(ask->a);
	const struct conf *conf = env->conf;
	node_t node = act_goal(ask->a)->node;
	const struct pgc_conf link = {
		.hostaddr = conf->node[node].address,
		.port = conf->pg.port,
		.user = conf->pg.user,
		.dbname = conf->repmgr.dbname,
		.app = "hawatch",
	};
	struct error err;
	char sql[100];

	pgc_free(ask->pgc);
	ask->pgc = pgc_new(env->loop, &link);
	snprintf(sql, sizeof(sql),
	    "SELECT conninfo FROM repmgr.nodes WHERE node_id = %d",
	    conf->node[node].repmgr_id);
	if (pgc_query(ask->pgc, sql, PRIMARY_ASK_LIMIT, primary_ask_repmgr_cb,
		ask, &err) == -1)
		primary_ask_end(ask, ANS_UNKNOWN, err.msg);
}

static void
primary_ask_cb(void *arg, const struct pgc_result *r)
{
	struct primary_ask *ask = arg;
	struct primary_said *said = &ask->said;
	int64_t system, timeline, checkpoint, bytes, spaces;
	bool recovery;

	if (r->ok != ANS_YES) {
		primary_ask_end(ask, ANS_UNKNOWN, r->reason);
		return;
	}
	if (pglink_bool(r, 0, 0, &recovery) == -1 ||
	    pglink_num(r, 0, 1, &system) == -1 ||
	    pglink_num(r, 0, 2, &checkpoint) == -1 ||
	    pglink_num(r, 0, 3, &timeline) == -1 ||
	    pglink_lsn(r, 0, 4, &said->flushed) == -1 ||
	    pglink_num(r, 0, 5, &bytes) == -1 ||
	    pglink_num(r, 0, 6, &spaces) == -1) {
		primary_ask_end(ask, ANS_UNKNOWN, reason_str(REASON_garbage));
		return;
	}
	said->primary = !recovery;
	said->system_id = (uint64_t)system;
	said->checkpoint = (uint32_t)checkpoint;
	said->timeline = (uint32_t)timeline;
	said->bytes = (uint64_t)bytes;
	said->tablespaces = spaces > 0;
	if (act_env(ask->a)->conf->repmgr.enabled)
		primary_ask_repmgr(ask);
	else
		primary_ask_end(ask, ANS_YES, "");
}

struct primary_ask *
primary_ask_start(struct act *a, primary_ask_fn done, struct error *err)
{
	static const char sql[] =
	    "SELECT r, (SELECT system_identifier FROM pg_control_system()),"
	    " (SELECT timeline_id FROM pg_control_checkpoint()),"
	    " CASE WHEN r THEN 0 ELSE ('x' || substr("
	    "pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,"
	    " CASE WHEN r THEN NULL ELSE pg_current_wal_flush_lsn() - '0/0'"
	    " END, (SELECT sum(pg_database_size(oid)) FROM pg_database),"
	    " (SELECT count(*) FROM pg_tablespace"
	    " WHERE spcname NOT IN ('pg_default', 'pg_global')) FROM (SELECT pg_is_in_recovery() AS r OFFSET 0) AS i";
	const struct act_env *env = act_env(a);
	struct primary_ask *ask = xcalloc(1, sizeof(*ask));

	ask->a = a;
	ask->done = done;
	ask->pgc = pglink_node(env->loop, env->conf, act_goal(a)->node, NULL);
	if (pgc_query(ask->pgc, sql, PRIMARY_ASK_LIMIT, primary_ask_cb, ask,
		err) == 0)
		return ask;
	primary_ask_cancel(ask);
	return NULL;
}

char *
primary_ask_source(
    struct act *a, const struct primary_said *said, struct error *err)
{
	const struct conf *conf = act_env(a)->conf;
	const struct conf_node *node = &conf->node[act_goal(a)->node];
	struct conninfo to = { .port = conf->pg.port };
	char *own = NULL, *made, *bare = NULL, *password = NULL;

	if (said->conninfo[0] == '\0')
		own = xasprintf(
		    "user=%s dbname=%s", conf->pg.user, conf->pg.dbname);
	str_cut(to.host, sizeof(to.host), node->address);
	str_cut(to.app, sizeof(to.app), "hawatch-rejoin");
	made = conninfo_point(own != NULL ? own : said->conninfo, &to, err);
	free(own);
	if (made != NULL)
		bare = conninfo_bare(made, &password, err);
	free(made);
	free(password);
	return bare;
}

char *
primary_ask_secret(const struct primary_said *said)
{
	char *password = NULL, *bare, *made = NULL;
	struct error ignored;

	bare = conninfo_bare(said->conninfo, &password, &ignored);
	if (password != NULL)
		made = xasprintf("PGPASSWORD=%s", password);
	free(bare);
	free(password);
	return made;
}

char *
primary_ask_follow(
    const struct conf *conf, node_t node, const char *base, struct error *err)
{
	struct conninfo old, to = { .port = conf->pg.port };

	if (conninfo_read(base, &old, err) == -1)
		return NULL;
	point_host(conf, node, old.host, &to);
	str_cut(to.app, sizeof(to.app), conf->names.node[conf->self]);
	return conninfo_point(base, &to, err);
}
