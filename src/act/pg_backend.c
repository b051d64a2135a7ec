/*
 * The three ways to start and stop PostgreSQL, as commands. What a command
 * returns is logged and not believed: whether PostgreSQL runs is observed.
 */
#include "act/pg_backend.h"

#include <string.h>

#include "act/env.h"
#include "act/tool_line.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

#define PG_CTLCLUSTER "/usr/bin/pg_ctlcluster"
#define PG_SYSTEMCTL "/usr/bin/systemctl"
#define PG_STOP_LIMIT (5 * USEC_SEC)

static const char *const pg_verb_word[] = {
	[PG_START] = "start",
	[PG_STOP] = "stop",
};

static void
pg_backend_own(
    const struct conf_postgres *pg, enum pg_verb verb, struct pg_command *cmd)
{
	const char *const *from;
	size_t i;

	from = verb == PG_START ? pg->start : pg->stop;
	cmd->user = pg->run_as;
	if (from[0] == NULL || from[0][0] == '\0')
		return;
	for (i = 0; i < CONF_ARGV_MAX - 1 && from[i] != NULL; i++)
		cmd->argv[i] = from[i];
}

static int
pg_backend_cluster(const struct conf_postgres *pg, enum pg_verb verb,
    struct pg_command *cmd, struct error *err)
{
	const char *slash;
	size_t len;

	slash = strchr(pg->cluster, '/');
	len = slash == NULL ? 0 : (size_t)(slash - pg->cluster);
	if (len == 0 || len >= sizeof(cmd->version) || slash[1] == '\0')
		return error_set(err, ERR_CONFIG,
		    "postgres.cluster %s: write VERSION/NAME, such as 15/main",
		    pg->cluster);
	memcpy(cmd->version, pg->cluster, len);
	cmd->argv[0] = PG_CTLCLUSTER;
	cmd->argv[1] = cmd->version;
	cmd->argv[2] = slash + 1;
	cmd->argv[3] = pg_verb_word[verb];
	if (verb == PG_STOP) {
		cmd->argv[4] = "-m";
		cmd->argv[5] = "fast";
	}
	return 0;
}

/* Without waiting: the manager queues the job, and a later start is put behind
 * a stop that has not ended. */
static void
pg_backend_unit(
    const struct conf_postgres *pg, enum pg_verb verb, struct pg_command *cmd)
{
	cmd->argv[0] = PG_SYSTEMCTL;
	cmd->argv[1] = "--no-block";
	cmd->argv[2] = pg_verb_word[verb];
	cmd->argv[3] = pg->unit;
}

int
pg_backend_command(const struct conf_postgres *pg, enum pg_verb verb,
    struct pg_command *cmd, struct error *err)
{
	memset(cmd, 0, sizeof(*cmd));
	switch (pg->backend) {
	case BACKEND_ARGV:
		pg_backend_own(pg, verb, cmd);
		return 0;
	case BACKEND_PG_CTLCLUSTER:
		return pg_backend_cluster(pg, verb, cmd, err);
	case BACKEND_SYSTEMD:
		pg_backend_unit(pg, verb, cmd);
		return 0;
	}
	return error_set(err, ERR_CONFIG, "unknown backend");
}

/* The last line is where a command says what was wrong. */
static void
pg_backend_tell(const struct job_result *res)
{
	char line[200];

	tool_last(res->output, res->output_len, line, sizeof(line));
	EMIT(pg_command, kv_i("status", tool_status(res->status)),
	    kv_s("late", res->late ? "yes" : "no"), kv_s("output", line));
}

static void
pg_backend_stopped_cb(void *arg, const struct job_result *res)
{
	struct act_env *env = arg;

	env->stopping = NULL;
	pg_backend_tell(res);
}

static void
pg_backend_started_cb(void *arg, const struct job_result *res)
{
	struct act_env *env = arg;

	env->starting = NULL;
	pg_backend_tell(res);
}

static struct job *
pg_backend_run(struct act_env *env, enum pg_verb verb, usec_t deadline,
    void (*done)(void *arg, const struct job_result *res), struct error *err)
{
	struct pg_command cmd;
	struct job_spec spec = { .deadline = deadline, .keep_fd = -1 };

	if (pg_backend_command(&env->conf->pg, verb, &cmd, err) == -1)
		return NULL;
	if (cmd.argv[0] == NULL) {
		error_set(err, ERR_CONFIG, "postgres.%s is not configured",
		    pg_verb_word[verb]);
		return NULL;
	}
	spec.argv = cmd.argv;
	spec.user = cmd.user;
	return job_start(env->loop, &spec, done, env, err);
}

void
pg_backend_stop(struct act_env *env)
{
	struct error err;

	job_cancel(env->starting);
	env->starting = NULL;
	if (env->stopping == NULL)
		env->stopping = pg_backend_run(
		    env, PG_STOP, PG_STOP_LIMIT, pg_backend_stopped_cb, &err);
}

int
pg_backend_start(struct act_env *env, struct error *err)
{
	env->starting = pg_backend_run(env, PG_START,
	    env->conf->pg.start_timeout, pg_backend_started_cb, err);
	return env->starting == NULL ? -1 : 0;
}
