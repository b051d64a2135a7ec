/*
 * The surroundings of the action modules: loop, configuration, worker, the
 * connections to the local PostgreSQL, and what has to be tidied up after an
 * action that was ended half-way.
 */
#ifndef HAWATCH_ACT_ENV_H
#define HAWATCH_ACT_ENV_H

#include "hawatch/act.h"
#include "hawatch/conf.h"
#include "hawatch/pgc.h"
#include "hawatch/queue.h"

#define REPMGR_SAID 400
#define ACT_POOL ACT_COUNT /* at most one request of a kind runs */

struct act_clean;
struct agents;
struct checks;
struct files;
struct converge;
struct disk_work;
struct job;
struct loop;
struct repmgr_run;
struct traffic;
struct worker;

struct act_env {
	struct loop *loop;
	const struct conf *conf;
	struct worker *worker;
	struct worker *disk;	/* disk_work.h */
	struct disk_work *idle; /* there, for no action */
	struct converge *converge;
	struct traffic *traffic;
	struct checks *checks;
	struct files *files;
	usec_t lease; /* D, on the raw clock; 0: there is none */
	usec_t stall; /* a child in which nothing moves for so long is ended */
	struct agents *agents;
	struct job *starting, *stopping; /* backend commands under way */
	char repmgr_said[REPMGR_SAID];	 /* as it failed last; "": it did not */
	struct repmgr_run *left;	 /* what goes on without an action */
	struct pgc *pool[ACT_POOL];
	bool taken[ACT_POOL];
	LIST_HEAD(, act_clean) cleans;
};

/* All are borrowed and must live longer. */
struct act_env *act_env_new(
    struct loop *loop, const struct conf *conf, struct worker *worker);
/* After acts_free. */
void act_env_free(struct act_env *env);

/* Asks on a connection to the local server by its Unix socket: *slot is taken
 * from the pool when it is NULL. act_leave gives it back, dropping a query in
 * flight, and sets *slot to NULL. */
int act_ask(struct act *a, struct pgc **slot, const char *sql, usec_t deadline,
    void (*done)(void *arg, const struct pgc_result *r),
    struct error *err) MUST_CHECK;
void act_leave(struct act *a, struct pgc **slot);

/* In the background, beyond the life of the action: resumes replay on that
 * node (NODE_NONE: none) and ends the wait of that local backend (0: none),
 * which would else wait for ever for a standby, on behalf of nobody. */
void act_clean_start(struct act_env *env, node_t resume, int backend);
void act_clean_free_all(struct act_env *env);

#endif
