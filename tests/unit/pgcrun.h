/*
 * One asynchronous connection to PostgreSQL, and how its last query ended.
 */
#ifndef PGCRUN_H
#define PGCRUN_H

#include "hawatch/loop.h"
#include "hawatch/pgc.h"
#include "pgtest.h"

/* What the program that is no PostgreSQL does with a connection. */
enum fake {
	FAKE_HTTP,
	FAKE_CLOSE,
	FAKE_SILENT,
	FAKE_HALF_ROW,
	FAKE_NOISE,
	FAKE_HUGE,
	FAKE_CLOSE_ASKED,
	FAKE_FLOOD
};

struct pgcrun {
	struct loop *loop;
	struct pgc *c;
	struct timer *tick;
	usec_t last_tick, gap;
	int done, lost, rounds;
	enum answer ok;
	char reason[64], message[600], sqlstate[8], cell[200];
	bool warned, free_in_done, query_in_done;
	int rows, cols;

	enum fake fake;
	const char *sslmode;
	int listener, peer, port;
	struct watch *accepts, *reads;
	int messages;
};

extern struct pgtest pr_pg;

/* The server of all tests of the file. */
int pr_group_setup(void **state);
int pr_group_teardown(void **state);
int pr_setup(void **state);
int pr_teardown(void **state);

/* Where conf is silent, to that server. */
void pr_connect_to(struct pgcrun *f, struct pgc_conf conf);
/* To its end. */
void pr_ask(struct pgcrun *f, const char *sql, usec_t deadline);
/* Lets the loop run for a while. */
void pr_run_for(struct pgcrun *f, usec_t t);
/* Of a query; arg is the pgcrun. */
void pr_on_done(void *arg, const struct pgc_result *r);
/* From then on, gap is the longest round of the loop. */
void pr_on_tick(void *arg);

#endif
