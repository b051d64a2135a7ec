/*
 * The checks of the configuration, each with the module of its type.
 */
#include "hawatch/check.h"

#include <stdlib.h>
#include <string.h>

#include "check/match.h"
#include "check/modules.h"
#include "hawatch/mem.h"

struct checks {
	void (*changed)(void *arg);
	void *arg;
	int count;
	struct check *check[CONF_CHECKS_MAX];
	struct matcher *matcher[CONF_CHECKS_MAX]; /* NULL: needs none */
	usec_t since[CONF_CHECKS_MAX]; /* of the transition told last */
};

static const struct check_ops *const checks_ops[] = {
	&check_tcp,
	&check_postgres,
	&check_repmgr,
	&check_memcached,
	&check_http,
	&check_command,
	&check_disk,
	&check_supervisor,
};

const struct check_ops *
checks_type(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(checks_ops) / sizeof(checks_ops[0]); i++)
		if (strcmp(checks_ops[i]->name, type) == 0)
			return checks_ops[i];
	return NULL;
}

static void
checks_settled(void *arg, struct check *c)
{
	struct checks *checks = arg;
	struct check_state st;
	int i;

	for (i = 0; i < checks->count; i++)
		if (checks->check[i] == c)
			break;
	check_state(c, &st);
	if (i == checks->count || st.since == checks->since[i])
		return;
	checks->since[i] = st.since;
	if (checks->changed != NULL)
		checks->changed(checks->arg);
}

/* Where there is no PostgreSQL, on = [ ... ] brings none. */
static bool
checks_here(const struct conf *conf, const struct conf_check *row)
{
	if (conf->node[conf->self].role != ROLE_DATA &&
	    (strcmp(row->type, "postgres") == 0 ||
		strcmp(row->type, "repmgr") == 0))
		return false;
	return conf_on(conf, row->on, conf->self);
}

/* Its own, so that a search without end delays no other check. */
static struct matcher *
checks_matcher(const struct check_env *env, const struct conf_check *row)
{
	if (strcmp(row->type, "http") != 0 || row->body[0] == '\0')
		return NULL;
	return matcher_new(env->loop);
}

struct checks *
checks_new(const struct check_env *env, void (*changed)(void *arg), void *arg,
    struct error *err)
{
	struct checks *checks;
	const struct check_ops *ops;
	struct check_env own = *env;
	int i;

	checks = xcalloc(1, sizeof(*checks));
	checks->changed = changed;
	checks->arg = arg;
	for (i = 0; i < env->conf->check_count; i++) {
		if (!checks_here(env->conf, &env->conf->check[i]))
			continue;
		ops = checks_type(env->conf->check[i].type);
		if (ops == NULL) {
			error_set(err, ERR_CONFIG,
			    "check %s: this version has no type %s",
			    env->conf->check[i].name, env->conf->check[i].type);
			checks_free(checks);
			return NULL;
		}
		own.matcher = checks_matcher(&own, &env->conf->check[i]);
		checks->matcher[checks->count] = own.matcher;
		checks->check[checks->count++] = check_new(
		    &own, ops, &env->conf->check[i], checks_settled, checks);
	}
	return checks;
}

void
checks_free(struct checks *checks)
{
	int i;

	if (checks == NULL)
		return;
	for (i = 0; i < checks->count; i++) {
		check_free(checks->check[i]);
		matcher_free(checks->matcher[i]);
	}
	free(checks);
}

int
checks_count(const struct checks *checks)
{
	return checks->count;
}

void
checks_state(const struct checks *checks, int i, struct check_state *out)
{
	check_state(checks->check[i], out);
}

void
checks_poke(struct checks *checks, int i)
{
	check_poke(checks->check[i]);
}
