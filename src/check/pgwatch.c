/*
 * The watch over PostgreSQL: owns the connections and the checks that fill the
 * view, follows the postmaster by its pidfd, and chooses how often to look.
 *
 * It does one thing to the server: a replay that has been paused on a standby
 * for more than three seconds is resumed, in mode auto. The probe that shows a
 * commit waiting pauses replay for some milliseconds from another host, and
 * that host may die at this moment; a standby that stays paused would wait for
 * ever. Who wants to pause replay by hand sets another mode first.
 */
#include "hawatch/pgwatch.h"

#include <stdlib.h>
#include <unistd.h>

#include "check/pg_room.h"
#include "check/pglink.h"
#include "check/pgwatch_priv.h"
#include "hawatch/emit.h"
#include "hawatch/instance.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

#define PGWATCH_FAST (200 * USEC_MSEC) /* a standby's loss shows in it */
#define PGWATCH_SLOW (1 * USEC_SEC)
#define PGWATCH_ENDING (50 * USEC_MSEC) /* dead, but some process is left */
#define PGWATCH_LIMIT (1 * USEC_SEC)
#define PGWATCH_SETTINGS (60 * USEC_SEC)
#define PGWATCH_SETTINGS_LIMIT (5 * USEC_SEC)
#define PGWATCH_PAUSED (3 * USEC_SEC)
/* A probe that hangs holds one backend; a new one each second would not stop
 * before max_connections. */
#define PGWATCH_PROBE_LIMIT (10 * USEC_SEC)

static const struct conf_check pgwatch_status = {
	.name = "postgres-local",
	.type = "pg-local",
	.interval = PGWATCH_SLOW,
	.timeout = PGWATCH_LIMIT,
	.window = 1,
	.threshold = 1,
};
static const struct conf_check pgwatch_probe = {
	.name = "postgres-write",
	.type = "pg-write",
	.interval = PGWATCH_SLOW,
	.timeout = PGWATCH_PROBE_LIMIT,
	.window = 1,
	.threshold = 1,
};

static const struct conf_check pgwatch_settings = {
	.name = "postgres-settings",
	.type = "pg-settings",
	.interval = PGWATCH_SETTINGS,
	.timeout = PGWATCH_SETTINGS_LIMIT,
	.window = 1,
	.threshold = 1,
};

static void
pgwatch_postmaster_close(struct pgwatch *w)
{
	if (w->postmaster == NULL)
		return;
	watch_free(w->postmaster);
	w->postmaster = NULL;
	close(w->postmaster_fd);
}

static void
pgwatch_postmaster_cb(void *arg, int what)
{
	struct pgwatch *w = arg;

	(void)what;
	pgwatch_postmaster_close(w);
	w->view.running = ANS_UNKNOWN;
	w->view.up_at = 0;
	EMIT(pg_gone, kv_s("directory", w->conf->pg.data_directory));
	check_poke(w->status);
	if (w->calls.gone != NULL)
		w->calls.gone(w->calls.arg);
}

void
pgwatch_follow(struct pgwatch *w)
{
	struct error err;
	pid_t pid;

	if (w->postmaster != NULL)
		return;
	pid = instance_postmaster(w->conf->pg.data_directory, &err);
	if (pid <= 0)
		return;
	w->postmaster_fd = instance_pidfd(pid);
	if (w->postmaster_fd == -1)
		return;
	w->postmaster = watch_new(
	    w->loop, w->postmaster_fd, WATCH_READ, pgwatch_postmaster_cb, w);
	w->view.up_at = clock_now().raw;
}

static void
pgwatch_resumed_cb(void *arg, const struct pgc_result *r)
{
	struct pgwatch *w = arg;

	EMIT(pg_resume, kv_s("ok", r->ok == ANS_YES ? "yes" : "no"),
	    kv_s("reason", r->reason));
	w->paused_since = 0;
	check_poke(w->status);
}

static void
pgwatch_unpause(struct pgwatch *w)
{
	struct error err;

	if (w->view.recovery != ANS_YES || !w->view.paused ||
	    w->conf->mode != MODE_AUTO) {
		w->paused_since = 0;
		return;
	}
	if (w->paused_since == 0)
		w->paused_since = w->view.seen_at;
	if (w->view.seen_at - w->paused_since < PGWATCH_PAUSED ||
	    pgc_busy(w->resume_pgc))
		return;
	if (pgc_query(w->resume_pgc, "SELECT pg_wal_replay_resume()",
		PGWATCH_LIMIT, pgwatch_resumed_cb, w, &err) == -1)
		EMIT(pg_resume, kv_s("ok", "no"), kv_s("reason", err.msg));
}

static usec_t
pgwatch_interval(const struct pgwatch *w)
{
	const struct pg_view *v = &w->view;
	node_t node;

	if (v->running == ANS_UNKNOWN)
		return v->seen_at == 0 ? PGWATCH_FAST : PGWATCH_ENDING;
	if (v->running == ANS_NO || v->recovery != ANS_NO)
		return PGWATCH_SLOW;
	if (v->sync_names != 0)
		return PGWATCH_FAST;
	for (node = 0; node < NODES_MAX; node++)
		if (v->sender[node].streaming)
			return PGWATCH_FAST;
	return PGWATCH_SLOW;
}

/* What the view sees of the settings by itself, and five times a second. */
static bool
pgwatch_is_bad(const struct pg_view *v)
{
	return v->seen_at != 0 && v->running == ANS_YES &&
	       (!v->fsync || !v->full_page_writes);
}

static void
pgwatch_settled_cb(void *arg, struct check *c)
{
	struct pgwatch *w = arg;

	if (c == w->status) {
		check_pace(c, pgwatch_interval(w));
		pgwatch_unpause(w);
		/* A new primary: whether it can write is wanted now. */
		if (w->view.recovery == ANS_NO && w->view.probe_at == 0 &&
		    w->probe_sent < w->view.seen_at)
			check_poke(w->probe);
		/* In another role other settings count; the same after a start
		 * with other ones. */
		if (w->settings_role != w->view.recovery ||
		    w->settings_bad != pgwatch_is_bad(&w->view))
			check_poke(w->settings);
		w->settings_role = w->view.recovery;
		w->settings_bad = pgwatch_is_bad(&w->view);
	}
	if (w->calls.changed != NULL)
		w->calls.changed(w->calls.arg);
}

static void
pgwatch_room_cb(void *arg)
{
	struct pgwatch *w = arg;

	w->view.full = pgwatch_no_room(w, NULL)[0] != '\0';
	/* Room again: a primary that was closed for it is wanted back. */
	check_poke(w->probe);
	if (w->calls.changed != NULL)
		w->calls.changed(w->calls.arg);
}

static void
pgwatch_peer_settled_cb(void *arg, struct check *c)
{
	struct pg_peer_link *link = arg;

	(void)c;
	if (link->w->calls.changed != NULL)
		link->w->calls.changed(link->w->calls.arg);
}

static void
pgwatch_peer_new(struct pgwatch *w, node_t node, const struct check_env *env)
{
	struct pg_peer_link *link = &w->peer[node];

	link->w = w;
	link->node = node;
	link->peer.reason = "";
	link->pgc = pglink_node(w->loop, w->conf, node, NULL);
	link->conf = pgwatch_status;
	link->conf.name = xasprintf("postgres-%s", w->conf->node[node].name);
	link->conf.type = "pg-peer";
	link->check = check_new(
	    env, &pg_peer_ops, &link->conf, pgwatch_peer_settled_cb, link);
}

struct pgwatch *
pgwatch_new(struct loop *loop, const struct conf *conf,
    const struct pgwatch_calls *calls)
{
	struct pgwatch *w;
	struct check_env env = { .loop = loop, .conf = conf };
	node_t node;

	w = xcalloc(1, sizeof(*w));
	w->loop = loop;
	w->conf = conf;
	w->calls = *calls;
	w->local = conf->node[conf->self].role == ROLE_DATA;
	env.pg = w;
	if (w->local) {
		w->status_pgc = pglink_local(loop, conf, NULL, NULL);
		w->resume_pgc = pglink_local(loop, conf, NULL, NULL);
		w->probe_pgc = pglink_local(
		    loop, conf, NULL, "-c synchronous_commit=local");
		w->status = check_new(&env, &pg_local_ops, &pgwatch_status,
		    pgwatch_settled_cb, w);
		w->probe = check_new(
		    &env, &pg_probe_ops, &pgwatch_probe, pgwatch_settled_cb, w);
		w->room = pg_room_new(loop, conf->pg.data_directory,
		    PGWATCH_PROBE_LIMIT, pgwatch_room_cb, w);
		w->settings_pgc = pglink_local(loop, conf, NULL, NULL);
		w->settings = check_new(&env, &pg_settings_ops,
		    &pgwatch_settings, pgwatch_settled_cb, w);
		pgwatch_follow(w);
		check_poke(w->status);
	}
	for (node = 0; node < conf->node_count; node++)
		if (node != conf->self && conf->node[node].role == ROLE_DATA)
			pgwatch_peer_new(w, node, &env);
	return w;
}

void
pgwatch_free(struct pgwatch *w)
{
	node_t node;

	if (w == NULL)
		return;
	for (node = 0; node < NODES_MAX; node++) {
		if (w->peer[node].check == NULL)
			continue;
		check_free(w->peer[node].check);
		pgc_free(w->peer[node].pgc);
		free((char *)(uintptr_t)w->peer[node].conf.name);
	}
	if (w->local) {
		check_free(w->status);
		check_free(w->probe);
		check_free(w->settings);
		pgc_free(w->settings_pgc);
		pgc_free(w->status_pgc);
		pgc_free(w->probe_pgc);
		pgc_free(w->resume_pgc);
		pg_room_free(w->room);
		pgwatch_postmaster_close(w);
	}
	free(w);
}

const struct pg_view *
pgwatch_view(const struct pgwatch *w)
{
	return &w->view;
}

const struct pg_findings *
pgwatch_findings(const struct pgwatch *w)
{
	return &w->findings;
}

const char *
pgwatch_no_room(const struct pgwatch *w, const char **where)
{
	const char *path;

	if (where == NULL)
		where = &path;
	*where = "";
	return w->room == NULL ? "" : pg_room_why(w->room, where);
}

const struct pg_finding *
pgwatch_blocks(const struct pgwatch *w)
{
	int i;

	for (i = 0; i < w->findings.count; i++)
		if (w->findings.row[i].level == FINDING_BLOCKS)
			return &w->findings.row[i];
	return NULL;
}

nodeset_t
pgwatch_unsound(const struct pgwatch *w, const struct pg_view *view)
{
	nodeset_t set = 0;
	node_t node;

	if (!view->fsync || !view->full_page_writes ||
	    pgwatch_blocks(w) != NULL)
		set |= NODE_BIT(w->conf->self);
	for (node = 0; node < NODES_MAX; node++)
		if (w->peer[node].check != NULL && w->peer[node].peer.unsound)
			set |= NODE_BIT(node);
	return set;
}

void
pgwatch_poke(struct pgwatch *w)
{
	if (!w->local)
		return;
	check_poke(w->status);
	if (w->view.recovery == ANS_NO)
		check_poke(w->probe);
}

const struct pg_peer *
pgwatch_peer(const struct pgwatch *w, node_t node)
{
	if (node < 0 || node >= NODES_MAX || w->peer[node].check == NULL)
		return NULL;
	return &w->peer[node].peer;
}

void
pgwatch_poke_peer(struct pgwatch *w, node_t node)
{
	if (node >= 0 && node < NODES_MAX && w->peer[node].check != NULL)
		check_poke(w->peer[node].check);
}
