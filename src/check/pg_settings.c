/*
 * The settings that would void what a commit's success is taken for, or that
 * are in the way of a takeover: looked at once a minute, with who set them for
 * whom. What follows from it is decided elsewhere; here is only which setting
 * is how bad.
 */
#include <stdio.h>
#include <string.h>

#include "check/pglink.h"
#include "check/pgwatch_priv.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

static int pg_settings_start(struct check *c, struct error *err);
static void pg_settings_cancel(struct check *c);

const struct check_ops pg_settings_ops = {
	.name = "pg-settings",
	.priv_size = 0,
	.start = pg_settings_start,
	.cancel = pg_settings_cancel,
};

static const struct {
	enum reason reason;
	enum pg_finding_level level;
} pg_settings_rows[] = {
	{ REASON_fsync_off, FINDING_BLOCKS },
	{ REASON_full_pages_off, FINDING_BLOCKS },
	{ REASON_names_forced, FINDING_BLOCKS },
	{ REASON_alter_system_off, FINDING_BLOCKS },
	{ REASON_commit_async, FINDING_WARNS },
	{ REASON_apply_delay, FINDING_WARNS },
	{ REASON_replay_paused, FINDING_WARNS },
	{ REASON_no_rewind, FINDING_WARNS },
	{ REASON_conninfo_denied, FINDING_WARNS },
	{ REASON_slot_name, FINDING_WARNS },
	{ REASON_set_aside, FINDING_WARNS },
	{ REASON_timeline_fixed, FINDING_WARNS },
	{ REASON_statement_timeout, FINDING_NOTES },
};

/* s: the server's settings, but for one that the asking role has of its own.
 * p: those that can differ, with for whom. Values are spelt as a person may
 * have written them. What set data aside has a mark of its own, auto_conf.c; a
 * server that follows nobody with it is in the recovery that it is there for.
 */
static const char pg_settings_sql[] =
    "WITH s AS MATERIALIZED (SELECT name, setting, source FROM pg_settings"
    " WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit',"
    " 'statement_timeout', 'synchronous_standby_names', 'allow_alter_system',"
    " 'wal_log_hints', 'data_checksums', 'recovery_min_apply_delay',"
    " 'primary_slot_name', 'recovery_target_timeline', 'primary_conninfo')),"
    " p AS MATERIALIZED ("
    "SELECT name, setting AS val, 'the server' AS place FROM s"
    " WHERE source IN ('default', 'configuration file', 'command line')"
    " UNION ALL SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1),"
    " concat_ws(' in ', 'role ' || r.rolname, 'database ' || d.datname)"
    " FROM pg_db_role_setting x CROSS JOIN unnest(x.setconfig) c"
    " LEFT JOIN pg_roles r ON r.oid = x.setrole"
    " LEFT JOIN pg_database d ON d.oid = x.setdatabase"
    " UNION ALL SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1),"
    " 'function ' || f.proname || ' in database ' || current_database()"
    " FROM pg_proc f CROSS JOIN unnest(f.proconfig) c)"
    " SELECT t, place FROM ("
    "SELECT 1 AS n, 'fsync-off' AS t, '' AS place FROM s"
    " WHERE name = 'fsync' AND setting = 'off'"
    " UNION ALL SELECT 2, 'full-pages-off', '' FROM s"
    " WHERE name = 'full_page_writes' AND setting = 'off'"
    " UNION ALL SELECT 3, 'names-forced', '' FROM s"
    " WHERE name = 'synchronous_standby_names' AND source = 'command line'"
    " UNION ALL SELECT 4, 'alter-system-off', '' FROM s"
    " WHERE name = 'allow_alter_system' AND setting = 'off'"
    " UNION ALL SELECT 5, 'apply-delay', setting || ' ms' FROM s"
    " WHERE name = 'recovery_min_apply_delay' AND setting <> '0'"
    " AND pg_is_in_recovery()"
    " UNION ALL SELECT 6, 'replay-paused', ''"
    " WHERE CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END"
    " UNION ALL SELECT 7, 'conninfo-denied', '' WHERE pg_is_in_recovery()"
    " AND NOT (pg_has_role('pg_read_all_settings', 'USAGE') AND %s)"
    " UNION ALL SELECT 8, 'no-rewind', '' FROM s"
    " WHERE name IN ('wal_log_hints', 'data_checksums') AND setting = 'off'"
    " GROUP BY () HAVING count(*) = 2"
    " UNION ALL SELECT 9, 'slot-name', setting FROM s"
    " WHERE name = 'primary_slot_name' AND setting <> ''"
    " UNION ALL SELECT 10, 'commit-async', place FROM p"
    " WHERE name = 'synchronous_commit' AND lower(val) IN (%s)"
    " UNION ALL SELECT 11, 'statement-timeout', place FROM p"
    " WHERE name = 'statement_timeout' AND val !~ '^ *0+ *[a-z]* *$'"
    " UNION ALL SELECT 12, 'set-aside', ''"
    " WHERE current_setting('hawatch.aside_begin', true) <> ''"
    " AND EXISTS (SELECT FROM s WHERE name = 'primary_conninfo'"
    " AND setting <> '')"
    " UNION ALL SELECT 13, 'timeline-fixed', setting FROM s"
    " WHERE name = 'recovery_target_timeline' AND setting <> 'latest'"
    " AND pg_is_in_recovery()"
    " AND coalesce(current_setting('hawatch.aside_begin', true), '') = ''"
    ") a ORDER BY n, place LIMIT %d";

/* Names of roles and databases may hold anything. */
static void
pg_settings_place(char *buf, size_t size, const char *text)
{
	size_t n = 0, step;

	for (; *text != '\0' && n + 4 < size; text += step) {
		step = str_utf8(text);
		if (step == 0) {
			buf[n++] = '?';
			step = 1;
			continue;
		}
		memcpy(buf + n, text, step);
		n += step;
	}
	buf[n] = '\0';
}

static bool
pg_settings_same(const struct pg_finding *a, const struct pg_finding *b)
{
	return a->reason == b->reason && strcmp(a->where, b->where) == 0;
}

static bool
pg_settings_has(const struct pg_findings *list, const struct pg_finding *f)
{
	int i;

	for (i = 0; i < list->count; i++)
		if (pg_settings_same(&list->row[i], f))
			return true;
	return false;
}

static void
pg_settings_tell(const struct pg_findings *was, const struct pg_findings *is)
{
	static const char *const words[] = { [FINDING_NOTES] = "notes",
		[FINDING_WARNS] = "warns",
		[FINDING_BLOCKS] = "blocks" };
	const struct pg_finding *f;
	int i;

	for (i = 0; i < is->count; i++) {
		f = &is->row[i];
		if (!pg_settings_has(was, f))
			EMIT(pg_setting, kv_s("reason", f->reason),
			    kv_s("effect", words[f->level]),
			    kv_s("where", f->where));
	}
	for (i = 0; i < was->count; i++) {
		f = &was->row[i];
		if (!pg_settings_has(is, f))
			EMIT(pg_setting_gone, kv_s("reason", f->reason),
			    kv_s("where", f->where));
	}
}

static void
pg_settings_take(struct pg_findings *list, const char *token, const char *where)
{
	struct pg_finding *f = &list->row[list->count];
	size_t i;

	for (i = 0; i < sizeof(pg_settings_rows) / sizeof(*pg_settings_rows);
	     i++) {
		if (strcmp(reason_str(pg_settings_rows[i].reason), token) != 0)
			continue;
		f->reason = reason_str(pg_settings_rows[i].reason);
		f->level = pg_settings_rows[i].level;
		pg_settings_place(f->where, sizeof(f->where), where);
		list->count++;
	}
}

/* One node follows another only where there are three. */
static bool
pg_settings_matters(const struct pgwatch *w, const char *token)
{
	nodeset_t data = conf_data_nodes(w->conf);

	if (strcmp(token, reason_str(REASON_slot_name)) == 0)
		return __builtin_popcount(data) > 2;
	/* The probe pauses it for a moment, and a longer one is ended. */
	if (strcmp(token, reason_str(REASON_replay_paused)) == 0)
		return w->conf->mode != MODE_AUTO;
	return true;
}

static void
pg_settings_done_cb(void *arg, const struct pgc_result *r)
{
	struct check *c = arg;
	struct pgwatch *w = check_arg(c);
	struct pg_findings list = { .seen_at = w->settings_sent };
	const char *token, *where;
	int row;

	for (row = 0;
	     r->ok == ANS_YES && row < r->rows && list.count < PG_FINDINGS_MAX;
	     row++) {
		token = r->get(r, row, 0);
		where = r->get(r, row, 1);
		if (token != NULL && where != NULL &&
		    pg_settings_matters(w, token))
			pg_settings_take(&list, token, where);
	}
	if (r->ok != ANS_YES) {
		check_done(c, ANS_NO, r->reason);
		return;
	}
	pg_settings_tell(&w->findings, &list);
	w->findings = list;
	check_done(c, ANS_YES, "");
}

/* Where there are several standbys, one has to be able to follow another.
 * Single settings can be granted from PostgreSQL 15 on. */
static const char *
pg_settings_may_follow(const struct pgwatch *w)
{
	if (__builtin_popcount(conf_data_nodes(w->conf)) <= 2)
		return "true";
	if (w->view.version >= 150000)
		return "has_parameter_privilege('primary_conninfo',"
		       " 'ALTER SYSTEM')";
	return "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)";
}

static int
pg_settings_start(struct check *c, struct error *err)
{
	struct pgwatch *w = check_arg(c);
	char sql[sizeof(pg_settings_sql) + 200];

	if (w->view.running != ANS_YES) {
		check_done(c, ANS_UNKNOWN, reason_str(REASON_not_running));
		return 0;
	}
	/* Where nothing waits for a standby, only what does not wait for the
	 * own disk either is less than it seems. */
	snprintf(sql, sizeof(sql), pg_settings_sql, pg_settings_may_follow(w),
	    w->conf->durability == DURABILITY_BOUNDED ?
		"'off', 'false', 'no', '0'" :
		"'off', 'false', 'no', '0', 'local', 'remote_write'",
	    PG_FINDINGS_MAX);
	w->settings_sent = clock_now().raw;
	return pgc_query(w->settings_pgc, sql, check_conf(c)->timeout,
	    pg_settings_done_cb, c, err);
}

static void
pg_settings_cancel(struct check *c)
{
	struct pgwatch *w = check_arg(c);

	pgc_drop(w->settings_pgc);
}
