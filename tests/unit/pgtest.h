/*
 * A real PostgreSQL for a test: its own directory under /tmp, its own port,
 * run as user postgres when the test is root. Every function ends the test
 * when something fails.
 */
#ifndef PGTEST_H
#define PGTEST_H

#include <stddef.h>
#include <sys/types.h>

struct pgtest {
	char dir[64];	    /* temporary directory, of PostgreSQL's user */
	char data[96];	    /* dir/data; the socket's directory is dir */
	const char *user;   /* database superuser and operating-system user */
	int port;	    /* on the Unix socket and on 127.0.0.1 */
	pid_t postmaster;   /* a child of ours; 0 not running */
	char conninfo[256]; /* for psql and others */
};

/* PostgreSQL's programs: "/usr/lib/postgresql/15/bin/NAME". */
void pgtest_bin(char *buf, size_t size, const char *name);

/* initdb with trust for everything local, and the directory. */
void pgtest_init(struct pgtest *pg);
/* Starts the postmaster and waits until it accepts connections. settings: NULL,
 * or lines for postgresql.auto.conf. */
void pgtest_start(struct pgtest *pg, const char *settings);
/* Starts it and does not wait. */
void pgtest_launch(struct pgtest *pg, const char *settings);
void pgtest_wait_ready(struct pgtest *pg);
/* SIGINT (fast), SIGQUIT (immediate), SIGKILL; waits for the postmaster. */
void pgtest_stop(struct pgtest *pg, int signo);
/* Every process of the instance: SIGSTOP, SIGCONT, or SIGKILL, which waits
 * until none is left. */
void pgtest_signal_all(struct pgtest *pg, int signo);
/* Kills what runs and removes the directory. */
void pgtest_free(struct pgtest *pg);
/* A free TCP port of 127.0.0.1. */
int pgtest_port(void);

/* Runs a program as PostgreSQL's user, quietly; its exit status. */
int pgtest_run(struct pgtest *pg, const char *const *argv);
/* One SQL text by psql; 0 or psql's exit status. */
int pgtest_sql(struct pgtest *pg, const char *sql);

#endif
