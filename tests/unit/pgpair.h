/*
 * A primary "s1" and a streaming standby "s2" on loopback, as user postgres,
 * with the configuration that makes them a cluster for the code under test.
 * The standby's address is the one that loopback gives to outgoing
 * connections, so that the primary sees it come from there.
 */
#ifndef PGPAIR_H
#define PGPAIR_H

#include <sys/types.h>

#include "hawatch/conf.h"

struct loop;

#define PAIR_S1 0
#define PAIR_S2 1
#define PAIR_A1 2 /* a witness, without PostgreSQL */
#define PAIR_S3 3 /* a second standby, for who asks for it */

struct pghost {
	char dir[80]; /* the socket's, mode 0700 */
	char data[96];
	char log[96];
	pid_t postmaster;   /* 0: not started by us */
	const char *option; /* of its command line, "name=value"; or NULL */
	struct conf conf;   /* as this host reads it */
};

struct pgpair {
	char dir[64];
	bool third;
	struct pghost host[4];
};

/* initdb and clone, once; neither runs then. */
void pgpair_init(struct pgpair *pair);
/* The same with a second standby, "s3". It connects from s2's address. */
void pgpair_init_three(struct pgpair *pair);
void pgpair_free(struct pgpair *pair);
/* Both fresh and running, the standby streaming. */
void pgpair_up(struct pgpair *pair);
/* All processes of both are killed. */
void pgpair_down(struct pgpair *pair);
/* A program that needs one pair has this one; for cmocka, fresh for each
 * test. */
extern struct pgpair pgpair_one;
int pgpair_setup(void **state);
int pgpair_teardown(void **state);
/* What this process mounts from now on nobody else sees. Before init. */
void pgpair_own_mounts(void);

void pghost_launch(struct pghost *h);
void pghost_wait_ready(struct pghost *h);
/* Every process of the instance; or the one with that word in its title. */
int pghost_signal(struct pghost *h, int signo, const char *word);
int pghost_count(struct pghost *h);
void pghost_reap(struct pghost *h);
/* A file in the data directory is there. */
bool pghost_has(struct pghost *h, const char *name);
/* One value by psql into buf; 0 or psql's exit status. */
int pghost_sql(struct pghost *h, const char *sql, char *buf, size_t size);
/* Is that true there? Not if there is no answer. */
bool pghost_true(struct pghost *h, const char *sql);
/* Of the primary of pgpair_one: no commit waits for a standby. For loops. */
bool pghost_nobody_waits(void *arg);
/* psql in the background, its pid. */
pid_t pghost_psql(struct pghost *h, const char *sql);
/* A program as PostgreSQL's user: its exit status, or its pid. */
int pgpair_run(const char *const *argv);
pid_t pgpair_start(const char *const *argv);

/* Turns the loop until cond(arg), at most for so long; whether it came. */
bool pump(struct loop *loop, bool (*cond)(void *arg), void *arg, usec_t limit);
double pair_ms(void);

#endif
