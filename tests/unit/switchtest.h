/*
 * The orders that wait for a plan, with nothing around them: core, PostgreSQL
 * and peers say what the test wants, and what is asked of them, or said to who
 * gave the order, is written down.
 */
#ifndef SWITCHTEST_H
#define SWITCHTEST_H

#include "engine/engine.h"
#include "engine/orders.h"
#include "hawatch/pgwatch.h"

#define A 0 /* this host, the primary */
#define B 1 /* a candidate */
#define C 2 /* another data node */
#define W 3 /* witness */

extern struct switchtest {
	struct engine eng;
	struct conf conf;
	struct orders orders;
	struct now at;
	struct core_status st;
	struct pg_view view;
	bool primary;
	const char *core; /* refuses so */
	node_t asked, ordered;
	unsigned accept;
	int exit; /* -1: no end was told */
	char why[400], next[200], done[400];
	int steps;
} sw;

/* For cmocka. The group has a directory of PostgreSQL's programs. */
int sw_group_setup(void **state);
int sw_group_teardown(void **state);
int sw_setup(void **state);
int sw_teardown(void **state);

/* B answers that all is well with it, but for these members, of which the last
 * of one name counts; or "". Then the order is given. */
void sw_says(const char *more);
/* A moment later the core is at that row of that plan. */
void sw_turn(const char *plan, const char *row);
/* It ended with that code, a reason and just that next command. */
void sw_refused(int code, const char *word, const char *next);

#endif
