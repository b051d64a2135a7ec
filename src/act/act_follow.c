/*
 * Action "follow": this standby's primary_conninfo names the primary, in the
 * file and in force; PostgreSQL then starts its walreceiver anew by itself.
 * Whether the primary answers is not asked: a standby has to follow it as soon
 * as it is there.
 *
 * Only where to connect to is changed. User, password, certificates and
 * whatever else the string says are kept as they are. The string never leaves
 * this file and the server: what is said of it is a token. (The server's own
 * log has it with every change; a password belongs into a passfile.)
 *
 * repmgr, where its commands are configured, makes the string anew from what
 * repmgr.nodes has, and asks the primary first; so it is asked again until the
 * primary is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "act/env.h"
#include "act/modules.h"
#include "act/point.h"
#include "act/repmgr_run.h"
#include "check/pglink.h"
#include "hawatch/conninfo.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"

#define ACT_FOLLOW_LIMIT (2 * USEC_SEC)
#define ACT_FOLLOW_REPMGR (40 * USEC_SEC)
#define ACT_FOLLOW_APART (1 * USEC_SEC)
#define ACT_FOLLOW_RELOADS \
	130000 /* from this version on it needs no restart \
		*/

struct act_follow_priv {
	struct pgc *pgc;
	char *now;    /* what the file says, else what is in force; NULL: it
			 could not be read */
	bool written; /* the file is right, only the reload is missing */
	bool forced;  /* by the command line */
	int version;
	struct repmgr_run *run;
	char upstream[40]; /* repmgr's word */
	usec_t failed_at;  /* of its last try; 0: none has */
};

static int act_follow_observe(struct act *a, struct error *err);
static int act_follow_apply(struct act *a, struct error *err);
static void act_follow_cancel(struct act *a);

const struct act_ops act_follow = {
	.name = "follow",
	.kind = ACT_FOLLOW,
	.priv_size = sizeof(struct act_follow_priv),
	.repeats = true,
	.observe = act_follow_observe,
	.apply = act_follow_apply,
	.cancel = act_follow_cancel,
};

/* A connection of its own, which ends with each step: the server shows the
 * last statement of a connection to whoever monitors it. */
static void
act_follow_close(struct act_follow_priv *p)
{
	pgc_free(p->pgc);
	p->pgc = NULL;
}

static void
act_follow_cancel(struct act *a)
{
	struct act_follow_priv *p = act_priv(a);

	act_follow_close(p);
	repmgr_run_cancel(p->run);
	p->run = NULL;
	free(p->now);
	p->now = NULL;
}

static void
act_follow_finish(struct act *a, enum answer ans, enum reason reason)
{
	act_follow_close(act_priv(a));
	act_done(a, ans, reason_str(reason));
}

static void
act_follow_failed(struct act *a, const struct pgc_result *r)
{
	act_follow_close(act_priv(a));
	act_done(a, ANS_UNKNOWN, r->reason);
}

/* On the connection that there is, else on a new one. */
static int
act_follow_ask(struct act *a, const char *dbname, const char *sql,
    void (*done)(void *arg, const struct pgc_result *r), struct error *err)
{
	struct act_follow_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);

	if (p->pgc == NULL)
		p->pgc = pglink_local(env->loop, env->conf, dbname, NULL);
	if (pgc_query(p->pgc, sql, ACT_FOLLOW_LIMIT, done, a, err) == 0)
		return 0;
	act_follow_close(p);
	return -1;
}

static void
act_follow_next(struct act *a, const char *dbname, const char *sql,
    void (*done)(void *arg, const struct pgc_result *r))
{
	struct error err;

	if (act_follow_ask(a, dbname, sql, done, &err) == -1)
		act_done(a, ANS_UNKNOWN, err.msg);
}

/* The primary counts a walsender by this name. */
static bool
act_follow_right(struct act *a, const char *conninfo)
{
	const struct conf *conf = act_env(a)->conf;
	struct conninfo c;
	struct error err;

	return conninfo_read(conninfo, &c, &err) == 0 &&
	       strcmp(c.app, conf->names.node[conf->self]) == 0 &&
	       pglink_source(conf, conninfo) == act_goal(a)->node;
}

static void
act_follow_seen_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_follow_priv *p = act_priv(a);
	const char *force, *file;
	int64_t version;

	if (r->ok != ANS_YES) {
		act_follow_failed(a, r);
		return;
	}
	force = r->get(r, 0, 0);
	file = r->get(r, 0, 1);
	free(p->now);
	p->now = NULL;
	if (pglink_bool(r, 0, 2, &p->forced) == -1 ||
	    pglink_num(r, 0, 3, &version) == -1) {
		act_follow_finish(a, ANS_UNKNOWN, REASON_garbage);
		return;
	}
	p->version = (int)version;
	if (force == NULL) { /* apply refuses */
		act_follow_finish(a, ANS_NO, REASON_conninfo_denied);
		return;
	}
	p->now = xstrdup(file != NULL && file[0] != '\0' ? file : force);
	p->written = file != NULL && act_follow_right(a, file);
	if (p->written && act_follow_right(a, force))
		act_follow_finish(a, ANS_YES, REASON_ok);
	else
		act_follow_finish(a, ANS_NO, REASON_other_value);
}

/* Who may not read it is told NULL. What is read in the file has to be right
 * as well: a value that was written and not loaded would come into force with
 * the next reload by anybody. The same holds for a line that the server itself
 * did not accept. */
static int
act_follow_observe(struct act *a, struct error *err)
{
	static const char sql[] =
	    "SELECT CASE WHEN m.may THEN current_setting('primary_conninfo')"
	    " END, CASE WHEN m.may THEN (SELECT setting FROM pg_file_settings"
	    " WHERE name = 'primary_conninfo' ORDER BY seqno DESC LIMIT 1) END,"
	    " EXISTS (SELECT FROM pg_settings WHERE name = 'primary_conninfo'"
	    " AND source = 'command line'),"
	    " current_setting('server_version_num')::int"
	    " FROM (SELECT pg_has_role('pg_read_all_settings', 'USAGE')"
	    " AND has_table_privilege('pg_file_settings', 'SELECT')"
	    " AND has_function_privilege('pg_show_all_file_settings()',"
	    " 'EXECUTE') AS may OFFSET 0) m";

	return act_follow_ask(a, NULL, sql, act_follow_seen_cb, err);
}

static void
act_follow_loaded_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;

	if (r->ok == ANS_YES)
		act_follow_finish(a, ANS_YES, REASON_ok);
	else
		act_follow_failed(a, r);
}

static void
act_follow_reload(struct act *a)
{
	act_follow_next(
	    a, NULL, "SELECT pg_reload_conf()", act_follow_loaded_cb);
}

/* 42501 is insufficient_privilege. The message itself may quote the value. */
static void
act_follow_written_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;

	if (r->ok == ANS_YES)
		act_follow_reload(a);
	else if (r->ok == ANS_NO && strcmp(r->sqlstate, "42501") == 0)
		act_follow_finish(a, ANS_NO, REASON_conninfo_denied);
	else
		act_follow_failed(a, r);
}

static char *
act_follow_literal(const char *value)
{
	char *text = xcalloc(1, 2 * strlen(value) + 4);
	size_t n = 0;

	text[n++] = 'E';
	text[n++] = '\'';
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			text[n++] = *value;
		text[n++] = *value;
	}
	text[n++] = '\'';
	return text;
}

void
point_host(
    const struct conf *conf, node_t goal, const char *old, struct conninfo *to)
{
	const struct conf_node *node = &conf->node[goal];
	size_t len = strcspn(old, ".");
	node_t n;

	for (n = 0; n < conf->node_count; n++)
		if (strlen(conf->node[n].name) == len &&
		    strncasecmp(conf->node[n].name, old, len) == 0)
			break;
	if (n < conf->node_count &&
	    snprintf(to->host, sizeof(to->host), "%s%s", node->name,
		old + len) < (int)sizeof(to->host))
		snprintf(
		    to->hostaddr, sizeof(to->hostaddr), "%s", node->address);
	else
		snprintf(to->host, sizeof(to->host), "%s", node->address);
}

static void
act_follow_write(struct act *a, const char *base)
{
	const struct conf *conf = act_env(a)->conf;
	struct conninfo old, to = { .port = conf->pg.port };
	char *conninfo, *literal, *sql;
	struct error err;

	if (conninfo_read(base, &old, &err) == -1) {
		act_follow_finish(a, ANS_NO, REASON_conninfo_garbage);
		return;
	}
	point_host(conf, act_goal(a)->node, old.host, &to);
	snprintf(to.app, sizeof(to.app), "%s", conf->names.node[conf->self]);
	conninfo = conninfo_point(base, &to, &err);
	if (conninfo == NULL) {
		act_follow_finish(a, ANS_NO, REASON_conninfo_garbage);
		return;
	}
	literal = act_follow_literal(conninfo);
	sql = xasprintf("ALTER SYSTEM SET primary_conninfo = %s", literal);
	act_follow_next(a, NULL, sql, act_follow_written_cb);
	free(sql);
	free(literal);
	free(conninfo);
}

static void
act_follow_repmgr_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_follow_priv *p = act_priv(a);
	const char *conninfo = NULL;
	char *base;

	if (r->ok == ANS_UNKNOWN) {
		act_follow_failed(a, r);
		return;
	}
	if (r->ok == ANS_YES)
		conninfo = r->get(r, 0, 0);
	if (conninfo == NULL) {
		act_follow_finish(a, ANS_NO, REASON_conninfo_missing);
		return;
	}
	base = xstrdup(conninfo);
	act_follow_close(p);
	act_follow_write(a, base);
	free(base);
}

/* A standby that has none: repmgr knows how its servers are reached, and a
 * clone by it would have got the same. */
static int
act_follow_new(struct act *a, struct error *err)
{
	const struct conf *conf = act_env(a)->conf;
	char sql[120];

	if (!conf->repmgr.enabled) {
		act_follow_finish(a, ANS_NO, REASON_conninfo_missing);
		return 0;
	}
	snprintf(sql, sizeof(sql),
	    "SELECT conninfo FROM repmgr.nodes WHERE node_id = %d",
	    conf->node[act_goal(a)->node].repmgr_id);
	return act_follow_ask(
	    a, conf->repmgr.dbname, sql, act_follow_repmgr_cb, err);
}

static void
act_follow_ran(void *arg, bool ok)
{
	struct act *a = arg;
	struct act_follow_priv *p = act_priv(a);

	p->run = NULL;
	p->failed_at = ok ? 0 : clock_now().raw;
	act_done(a, ok ? ANS_YES : ANS_UNKNOWN,
	    reason_str(ok ? REASON_ok : REASON_repmgr_command));
}

static int
act_follow_repmgr(struct act *a, struct error *err)
{
	struct act_follow_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);
	const char *words[] = { "standby", "follow", p->upstream, NULL };

	if (p->failed_at != 0 &&
	    clock_now().raw - p->failed_at < ACT_FOLLOW_APART) {
		act_done(a, ANS_UNKNOWN, reason_str(REASON_repmgr_command));
		return 0;
	}
	snprintf(p->upstream, sizeof(p->upstream), "--upstream-node-id=%d",
	    env->conf->node[act_goal(a)->node].repmgr_id);
	p->run = repmgr_run_start(
	    act_env(a), words, ACT_FOLLOW_REPMGR, act_follow_ran, a, err);
	return p->run == NULL ? -1 : 0;
}

static int
act_follow_apply(struct act *a, struct error *err)
{
	struct act_follow_priv *p = act_priv(a);

	if (p->now == NULL)
		act_follow_finish(a, ANS_NO, REASON_conninfo_denied);
	else if (p->forced)
		act_follow_finish(a, ANS_NO, REASON_conninfo_forced);
	else if (p->written && p->version < ACT_FOLLOW_RELOADS)
		act_follow_finish(a, ANS_NO, REASON_conninfo_restart);
	else if (p->written)
		act_follow_reload(a);
	else if (act_env(a)->conf->pg.commands == COMMANDS_REPMGR)
		return act_follow_repmgr(a, err);
	else if (p->now[0] == '\0')
		return act_follow_new(a, err);
	else
		act_follow_write(a, p->now);
	return 0;
}
