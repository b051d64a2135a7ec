/*
 * The watch over PostgreSQL on one host of a real pair, what it has told, and
 * what to wait for.
 */
#ifndef WATCHTEST_H
#define WATCHTEST_H

#include "hawatch/pgwatch.h"
#include "pgpair.h"

#define WATCHTEST_WAIT (10 * USEC_SEC)

struct watchtest {
	struct loop *loop;
	struct pgwatch *w;
	const struct pg_view *v;
	int changed, gone;
	double gone_at;	 /* by pair_ms */
	usec_t mark;	 /* of a condition: since when */
	char reason[64]; /* of a check: "up", or why not */
};

void watchtest_up(struct watchtest *x, struct pghost *h);
void watchtest_down(struct watchtest *x);
/* It has looked once more. */
void watchtest_again(struct watchtest *x);

/* Conditions; arg: the watchtest. */
bool watchtest_primary(void *arg); /* with its standby */
bool watchtest_standby(void *arg);
bool watchtest_gone(void *arg);
bool watchtest_new(void *arg); /* seen since the mark */

#endif
