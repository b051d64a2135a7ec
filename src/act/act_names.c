/*
 * Action "sync-names": synchronous_standby_names is as decided, in the file
 * and in this server's settings. That every backend obeys it is a different
 * question, which the action "seen-waiting" answers.
 */
#include <stdio.h>

#include "act/env.h"
#include "act/modules.h"
#include "check/pglink.h"
#include "hawatch/pgsync.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define ACT_NAMES_LIMIT (2 * USEC_SEC)

struct act_names_priv {
	struct pgc *pgc;
	bool written; /* the file says so, only the reload is missing */
};

static int act_names_observe(struct act *a, struct error *err);
static int act_names_apply(struct act *a, struct error *err);
static void act_names_cancel(struct act *a);

const struct act_ops act_names = {
	.name = "sync-names",
	.kind = ACT_NAMES,
	.priv_size = sizeof(struct act_names_priv),
	.observe = act_names_observe,
	.apply = act_names_apply,
	.cancel = act_names_cancel,
};

static void
act_names_cancel(struct act *a)
{
	struct act_names_priv *p = act_priv(a);

	act_leave(a, &p->pgc);
}

static void
act_names_finish(struct act *a, enum answer ans, const char *reason)
{
	act_names_cancel(a);
	act_done(a, ans, reason);
}

/* The value as an SQL literal. Names are the configuration's: they hold no
 * backslash; quotes are doubled all the same. */
static int
act_names_literal(struct act *a, char *buf, size_t size, struct error *err)
{
	char text[PGSYNC_MAX];
	size_t i, n = 0;

	if (pgsync_render(text, sizeof(text), act_goal(a)->names,
		&act_env(a)->conf->names) == -1)
		return error_set(err, ERR_LIMIT, "too many synchronous names");
	buf[n++] = '\'';
	for (i = 0; text[i] != '\0'; i++) {
		if (n + 4 > size)
			return error_set(
			    err, ERR_LIMIT, "too many synchronous names");
		if (text[i] == '\'')
			buf[n++] = '\'';
		buf[n++] = text[i];
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return 0;
}

static void
act_names_seen_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_names_priv *p = act_priv(a);
	bool in_force;

	if (r->ok != ANS_YES) {
		act_names_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	if (pglink_bool(r, 0, 0, &in_force) == -1 ||
	    pglink_bool(r, 0, 1, &p->written) == -1)
		act_names_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
	else if (in_force && p->written)
		act_names_finish(a, ANS_YES, "");
	else
		act_names_finish(a, ANS_NO, reason_str(REASON_other_value));
}

/* The file too: a value that was written and not loaded by an earlier life
 * would come into force with the next reload by anybody. */
static int
act_names_observe(struct act *a, struct error *err)
{
	struct act_names_priv *p = act_priv(a);
	char value[PGSYNC_MAX * 2], sql[PGSYNC_MAX * 4 + 400];

	if (act_names_literal(a, value, sizeof(value), err) == -1)
		return -1;
	snprintf(sql, sizeof(sql),
	    "SELECT current_setting('synchronous_standby_names') = %s,"
	    " coalesce((SELECT setting FROM pg_file_settings"
	    " WHERE name = 'synchronous_standby_names'"
	    " ORDER BY seqno DESC LIMIT 1), '') = %s",
	    value, value);
	return act_ask(
	    a, &p->pgc, sql, ACT_NAMES_LIMIT, act_names_seen_cb, err);
}

static void
act_names_loaded_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;

	act_names_finish(
	    a, r->ok == ANS_YES ? ANS_YES : ANS_UNKNOWN, r->reason);
}

static void
act_names_reload(struct act *a)
{
	struct act_names_priv *p = act_priv(a);
	struct error err;

	if (act_ask(a, &p->pgc, "SELECT pg_reload_conf()", ACT_NAMES_LIMIT,
		act_names_loaded_cb, &err) == -1)
		act_names_finish(a, ANS_UNKNOWN, err.msg);
}

static void
act_names_written_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;

	if (r->ok == ANS_YES)
		act_names_reload(a);
	else
		act_names_finish(a, ANS_UNKNOWN, r->reason);
}

static int
act_names_apply(struct act *a, struct error *err)
{
	struct act_names_priv *p = act_priv(a);
	char value[PGSYNC_MAX * 2], sql[PGSYNC_MAX * 2 + 80];

	if (p->written) {
		act_names_reload(a);
		return 0;
	}
	if (act_names_literal(a, value, sizeof(value), err) == -1)
		return -1;
	snprintf(sql, sizeof(sql),
	    "ALTER SYSTEM SET synchronous_standby_names = %s", value);
	return act_ask(
	    a, &p->pgc, sql, ACT_NAMES_LIMIT, act_names_written_cb, err);
}
