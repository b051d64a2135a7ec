/*
 * The orders of one host, with the real core and the real loop; what lies
 * behind the network is a fake that answers, is silent or talks garbage, as the
 * test says.
 */
#ifndef ORDERSTEST_H
#define ORDERSTEST_H

#include "engine/engine.h"
#include "engine/report.h"
#include "engine/tell.h"
#include "hawatch/converge.h"
#include "hawatch/json.h"
#include "hawatch/pgwatch.h"

#define A 0 /* holder */
#define B 1 /* this host */
#define W 2 /* witness */

struct orderstest {
	struct engine eng;
	struct conf conf;
	struct now at;
	struct core *watcher;	 /* the same in mode observe */
	const char *remote_name; /* the operator of another host; or NULL */
	bool remote_orders;
	const char *verb;     /* as it was asked for */
	struct record served; /* where this host is the arbiter */
	json_t *lines[32];
	int n;
	bool final;
	const char *peer[3]; /* answers; NULL: silent */
	bool peer_never;     /* not even a callback */
	void (*held)(void *arg, node_t node, const char *json, const char *why);
	void *held_arg[4];
	int held_n;
	const char *reg;
	enum answer signal;
	const char *repmgrd; /* why it is another manager; NULL: none */
	struct pg_view view;
	struct pg_peer pg_peer;
	struct pg_findings findings;
	bool port_silent; /* no result of the question comes */
	struct converge_state item[3];
	int runs;
	void (*run)(void *arg, enum answer ans, const char *reason);
	void *run_arg;
	int items;
	char noted[240];
	const char *doing;
	struct host_report report;
	const char *found;   /* in the history of this host */
	const char *told[3]; /* by the history of a peer; NULL: silent */
	void (*told_done)(void *arg, const struct tell_result *res);
	void *told_arg;
};

extern struct orderstest ot;

int ot_setup(void **state);
int ot_teardown(void **state);

/* The record says that n-a holds, as a read of the register. */
void ot_read(enum rec_state state);
/* And failover is paused until then, wall clock. */
void ot_read_paused(enum rec_state state, usec_t until);
/* The record of the next epoch is read. */
void ot_overtaken(void);
void ot_ask(const char *verb, const char *json);
const json_t *ot_last(void);
/* Of what was said so far. */
void ot_forget(void);
/* Refused with that code, a reason and a next command. */
void ot_refused(int code, const char *word, const char *next);

#endif
