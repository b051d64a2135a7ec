/*
 * How this host starts and stops PostgreSQL: its own commands, pg_ctlcluster,
 * or a systemd unit.
 */
#ifndef HAWATCH_PG_BACKEND_H
#define HAWATCH_PG_BACKEND_H

#include "hawatch/conf.h"
#include "hawatch/error.h"

struct act_env;

enum pg_verb { PG_START, PG_STOP };

struct pg_command {
	const char *argv[CONF_ARGV_MAX]; /* argv[0] NULL: there is none */
	const char *user;		 /* NULL: as we are */
	char version[16];		 /* argv points here */
};

/* Pure. Strings are borrowed from pg. */
int pg_backend_command(const struct conf_postgres *pg, enum pg_verb verb,
    struct pg_command *cmd, struct error *err) MUST_CHECK;

/* Gives the stop command, once, and does not wait for it. */
void pg_backend_stop(struct act_env *env);
/* Gives the start command; env->starting is set until it has ended. */
int pg_backend_start(struct act_env *env, struct error *err) MUST_CHECK;

#endif
