/*
 * The pool of local connections, and the tidying up after an action that was
 * cancelled or failed half-way. A pool, since a connection that is kept spares
 * the fork of a backend on the way of a promotion.
 */
#include "act/env.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "act/disk_work.h"
#include "act/repmgr_run.h"
#include "check/pglink.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

#define CLEAN_LIMIT (2 * USEC_SEC)
#define STALL (120 * USEC_SEC)

struct act_clean {
	LIST_ENTRY(act_clean) entry;
	struct act_env *env;
	struct pgc *standby, *local;
	int pending;
};

struct act_env *
act_env_new(struct loop *loop, const struct conf *conf, struct worker *worker)
{
	struct act_env *env;

	env = xcalloc(1, sizeof(*env));
	env->loop = loop;
	env->conf = conf;
	env->worker = worker;
	env->disk = worker_new(loop);
	env->stall = STALL;
	LIST_INIT(&env->cleans);
	return env;
}

void
act_env_free(struct act_env *env)
{
	size_t i;

	if (env == NULL)
		return;
	disk_work_idle_end(env);
	worker_free(env->disk);
	act_clean_free_all(env);
	for (i = 0; i < ACT_POOL; i++) {
		assert(!env->taken[i]);
		pgc_free(env->pool[i]);
	}
	job_cancel(env->starting);
	job_cancel(env->stopping);
	repmgr_run_cancel(env->left);
	free(env);
}

int
act_ask(struct act *a, struct pgc **slot, const char *sql, usec_t deadline,
    void (*done)(void *arg, const struct pgc_result *r), struct error *err)
{
	struct act_env *env = act_env(a);
	size_t i;

	for (i = 0; *slot == NULL && i < ACT_POOL; i++) {
		if (env->taken[i])
			continue;
		if (env->pool[i] == NULL)
			env->pool[i] =
			    pglink_local(env->loop, env->conf, NULL, NULL);
		env->taken[i] = true;
		*slot = env->pool[i];
	}
	assert(*slot != NULL);
	return pgc_query(*slot, sql, deadline, done, a, err);
}

void
act_leave(struct act *a, struct pgc **slot)
{
	struct act_env *env = act_env(a);
	size_t i;

	if (*slot == NULL)
		return;
	if (pgc_busy(*slot))
		pgc_drop(*slot);
	for (i = 0; i < ACT_POOL; i++)
		if (env->pool[i] == *slot)
			env->taken[i] = false;
	*slot = NULL;
}

static void
act_clean_free(void *arg)
{
	struct act_clean *clean = arg;

	LIST_REMOVE(clean, entry);
	pgc_free(clean->standby);
	pgc_free(clean->local);
	free(clean);
}

/* Whether it worked is not asked: the standby's own engine resumes a replay
 * that stays paused, and a backend that waits is seen in the next attempt. */
static void
act_clean_done_cb(void *arg, const struct pgc_result *r)
{
	struct act_clean *clean = arg;

	if (--clean->pending == 0)
		act_clean_free(clean);
}

void
act_clean_start(struct act_env *env, node_t resume, int backend)
{
	struct act_clean *clean;
	struct error err;
	char sql[160];

	if (resume == NODE_NONE && backend == 0)
		return;
	clean = xcalloc(1, sizeof(*clean));
	clean->env = env;
	LIST_INSERT_HEAD(&env->cleans, clean, entry);
	if (resume != NODE_NONE) {
		clean->standby =
		    pglink_node(env->loop, env->conf, resume, NULL);
		clean->pending +=
		    pgc_query(clean->standby, "SELECT pg_wal_replay_resume()",
			CLEAN_LIMIT, act_clean_done_cb, clean, &err) == 0;
	}
	if (backend != 0) {
		clean->local = pglink_local(env->loop, env->conf, NULL, NULL);
		snprintf(sql, sizeof(sql),
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		    " WHERE pid = %d AND application_name = 'hawatch'",
		    backend);
		clean->pending += pgc_query(clean->local, sql, CLEAN_LIMIT,
				      act_clean_done_cb, clean, &err) == 0;
	}
	if (clean->pending == 0)
		act_clean_free(clean);
}

void
act_clean_free_all(struct act_env *env)
{
	while (!LIST_EMPTY(&env->cleans))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
		act_clean_free(LIST_FIRST(&env->cleans));
}
