/*
 * Action "seen-waiting": a commit was seen waiting for the standby, so from
 * now on every commit waits for it. The settings do not prove that: backends
 * obey a shared flag that the checkpointer sets when it gets round to it, and
 * until then SHOW and sync_state say what is not so.
 *
 * Replay on the standby is paused, a commit is given that wants it to be
 * replayed, and the backend is looked at until it waits for synchronous
 * replication. Then replay is resumed, the commit has to return without a
 * warning, and the insert position of then is what the standby must have
 * flushed before it may count. Other standbys of the goal must have replayed
 * the commit while it still waits, else it may be them that it waits for.
 *
 * Replay is resumed on every way out; if this host dies first, the standby's
 * own engine does it.
 */
#include <stdio.h>
#include <string.h>

#include "act/env.h"
#include "act/modules.h"
#include "check/pglink.h"
#include "hawatch/reason.h"

#define ACT_WAITING_LIMIT (1 * USEC_SEC)
#define ACT_WAITING_COMMIT (5 * USEC_SEC)

struct act_waiting_priv {
	struct pgc *standby, *commit, *look;
	int backend; /* of commit, while a commit may be under way */
	bool paused; /* replay may be */
	bool passed; /* the others have replayed it */
	bool seen;   /* it waits for this standby */
	bool resumed, returned;
	bool proved; /* all of it */
	lsn_t end;   /* a position behind the commit; 0 not yet known */
};

static int act_waiting_observe(struct act *a, struct error *err);
static int act_waiting_apply(struct act *a, struct error *err);
static void act_waiting_cancel(struct act *a);
static void act_waiting_look(struct act *a);

const struct act_ops act_waiting = {
	.name = "seen-waiting",
	.kind = ACT_WAITING,
	.priv_size = sizeof(struct act_waiting_priv),
	.observe = act_waiting_observe,
	.apply = act_waiting_apply,
	.cancel = act_waiting_cancel,
};

/* It is a proof, made by apply, and not a state that can be looked up. */
static int
act_waiting_observe(struct act *a, struct error *err)
{
	struct act_waiting_priv *p = act_priv(a);

	if (p->proved)
		act_done(a, ANS_YES, "");
	else
		act_done(a, ANS_NO, "");
	return 0;
}

static void
act_waiting_cancel(struct act *a)
{
	struct act_waiting_priv *p = act_priv(a);
	bool proved = p->proved;

	act_clean_start(
	    act_env(a), p->paused ? act_goal(a)->node : NODE_NONE, p->backend);
	act_leave(a, &p->look);
	pgc_free(p->standby);
	pgc_free(p->commit);
	memset(p, 0, sizeof(*p));
	p->proved = proved;
}

static void
act_waiting_finish(struct act *a, enum answer ans, const char *reason)
{
	act_waiting_cancel(a);
	act_done(a, ans, reason);
}

static void
act_waiting_lost(struct act *a, const struct error *err)
{
	act_waiting_finish(a, ANS_UNKNOWN, err->msg);
}

static void
act_waiting_position_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_waiting_priv *p = act_priv(a);

	if (r->ok != ANS_YES) {
		act_waiting_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	if (pglink_lsn(r, 0, 0, &act_goal(a)->lsn) == -1) {
		act_waiting_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
		return;
	}
	p->proved = act_goal(a)->lsn != 0;
	act_waiting_finish(a, ANS_YES, "");
}

static void
act_waiting_both(struct act *a)
{
	struct act_waiting_priv *p = act_priv(a);
	struct error err;

	if (!p->resumed || !p->returned)
		return;
	if (act_ask(a, &p->look,
		"SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn",
		ACT_WAITING_LIMIT, act_waiting_position_cb, &err) == -1)
		act_waiting_lost(a, &err);
}

static void
act_waiting_resumed_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_waiting_priv *p = act_priv(a);

	if (r->ok != ANS_YES) {
		act_waiting_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	p->paused = false;
	p->resumed = true;
	act_waiting_both(a);
}

static void
act_waiting_returned_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_waiting_priv *p = act_priv(a);

	if (r->ok != ANS_UNKNOWN)
		p->backend = 0;
	if (r->ok != ANS_YES) {
		act_waiting_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	if (r->warned || !p->seen) {
		act_waiting_finish(a, ANS_UNKNOWN,
		    reason_str(r->warned ? REASON_commit_warned :
					   REASON_not_in_force));
		return;
	}
	p->returned = true;
	act_waiting_both(a);
}

static void
act_waiting_resume(struct act *a)
{
	struct act_waiting_priv *p = act_priv(a);
	struct error err;

	p->seen = true;
	if (pgc_query(p->standby, "SELECT pg_wal_replay_resume()",
		ACT_WAITING_LIMIT, act_waiting_resumed_cb, a, &err) == -1)
		act_waiting_lost(a, &err);
}

static void
act_waiting_look_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_waiting_priv *p = act_priv(a);
	nodeset_t others;
	int64_t count;
	lsn_t insert;
	bool waits;

	if (r->ok != ANS_YES) {
		act_waiting_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	if (pglink_bool(r, 0, 0, &waits) == -1 ||
	    pglink_lsn(r, 0, 1, &insert) == -1 ||
	    pglink_num(r, 0, 2, &count) == -1) {
		act_waiting_finish(a, ANS_UNKNOWN, reason_str(REASON_garbage));
		return;
	}
	others = act_goal(a)->names & ~NODE_BIT(act_goal(a)->node);
	if (waits && (others == 0 || p->passed)) {
		act_waiting_resume(a);
		return;
	}
	/* They had passed its end; what counts is whether it waits after. */
	if (waits && p->end == 0)
		p->end = insert;
	else if (p->end != 0 && count == __builtin_popcount(others))
		p->passed = true;
	act_waiting_look(a);
}

/* The names of the others, for IN (...); the configuration's names need no
 * quoting but the quotes. */
static void
act_waiting_others(struct act *a, char *buf, size_t size)
{
	const struct names *names = &act_env(a)->conf->names;
	nodeset_t others;
	node_t node;
	size_t n;

	others = act_goal(a)->names & ~NODE_BIT(act_goal(a)->node);
	n = (size_t)snprintf(buf, size, "''");
	for (node = 0; node < names->count && n < size; node++)
		if ((others & NODE_BIT(node)) != 0)
			n += (size_t)snprintf(
			    buf + n, size - n, ", '%s'", names->node[node]);
}

static void
act_waiting_look(struct act *a)
{
	struct act_waiting_priv *p = act_priv(a);
	char others[NODES_MAX * (NODE_NAME_MAX + 4)], sql[1400];
	struct error err;

	act_waiting_others(a, others, sizeof(others));
	snprintf(sql, sizeof(sql),
	    "SELECT pg_sleep(0.001); SELECT EXISTS (SELECT FROM"
	    " pg_stat_activity WHERE pid = %d AND wait_event = 'SyncRep'),"
	    " pg_current_wal_insert_lsn() - '0/0'::pg_lsn,"
	    " (SELECT count(DISTINCT application_name)"
	    " FROM pg_stat_replication WHERE application_name IN (%s)"
	    " AND replay_lsn - '0/0'::pg_lsn >= %llu)",
	    p->backend, others, (unsigned long long)p->end);
	if (act_ask(a, &p->look, sql, ACT_WAITING_LIMIT, act_waiting_look_cb,
		&err) == -1)
		act_waiting_lost(a, &err);
}

static void
act_waiting_paused_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_waiting_priv *p = act_priv(a);
	struct error err;

	if (r->ok != ANS_YES) {
		act_waiting_finish(
		    a, ANS_UNKNOWN, reason_str(REASON_not_paused));
		return;
	}
	p->backend = pgc_backend(p->commit);
	if (pgc_query(p->commit,
		"SELECT pg_logical_emit_message(true, 'hawatch', 'waiting')",
		ACT_WAITING_COMMIT, act_waiting_returned_cb, a, &err) == -1) {
		act_waiting_lost(a, &err);
		return;
	}
	act_waiting_look(a);
}

static void
act_waiting_connected_cb(void *arg, const struct pgc_result *r)
{
	struct act *a = arg;
	struct act_waiting_priv *p = act_priv(a);
	struct error err;

	if (r->ok != ANS_YES) {
		act_waiting_finish(a, ANS_UNKNOWN, r->reason);
		return;
	}
	/* A record that comes after the request is not replayed. */
	p->paused = true;
	if (pgc_query(p->standby, "SELECT pg_wal_replay_pause()",
		ACT_WAITING_LIMIT, act_waiting_paused_cb, a, &err) == -1)
		act_waiting_lost(a, &err);
}

static int
act_waiting_apply(struct act *a, struct error *err)
{
	struct act_waiting_priv *p = act_priv(a);
	const struct act_env *env = act_env(a);

	p->standby = pglink_node(env->loop, env->conf, act_goal(a)->node, NULL);
	p->commit = pglink_local(
	    env->loop, env->conf, NULL, "-c synchronous_commit=remote_apply");
	/* Connected first, so that replay is paused for less long. */
	if (pgc_query(p->commit, "SELECT 1", ACT_WAITING_LIMIT,
		act_waiting_connected_cb, a, err) == -1) {
		act_waiting_cancel(a);
		return -1;
	}
	return 0;
}
