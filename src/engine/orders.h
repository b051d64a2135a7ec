/*
 * What the files of the orders share: orders.c knows the verbs,
 * orders_request.c what comes with them, orders_ask.c those that ask other
 * hosts first, orders_promote.c the one that must not be given beside a working
 * primary, orders_switchover.c the one that is given to a working primary,
 * switchover_look.c what that one's PostgreSQL says first, orders_pause.c those
 * of maintenance, orders_plan.c the plan, orders_drift.c the one that changes
 * this host's files, orders_reload.c the one to read the configuration again,
 * orders_restart.c what comes of it where only restarts bring the new one,
 * orders_config.c the question how the hosts' configurations differ,
 * orders_observe.c what mode observe makes of all these,
 * orders_wait.c those that take a while and say each step as it happens.
 */
#ifndef HAWATCH_ENGINE_ORDERS_H
#define HAWATCH_ENGINE_ORDERS_H

#include <jansson.h>

#include "hawatch/exitcode.h"
#include "hawatch/queue.h"
#include "hawatch/types.h"

struct core_status;
struct engine;
struct order_request;

enum long_order {
	LONG_PROMOTE,
	LONG_INIT,
	LONG_ACK,
	LONG_UNFENCE,
	LONG_SWITCHOVER,
	LONG_PAUSE,
	LONG_RESUME,
	LONG_FENCE,
	LONG_REJOIN
};

/* One that was accepted, and whose end somebody waits for. */
struct order_wait {
	TAILQ_ENTRY(order_wait) entry;
	uint64_t id; /* of the asker */
	enum long_order what;
	usec_t since, until;
	usec_t idle_since; /* a plan ran, and none does now; 0 */
	uint64_t epoch;	   /* of the record when it was given */
	bool ran;
	char row[48];
	char waits[48];
	char progress[80]; /* REJOIN: that was told */
	usec_t stopped_at; /* FENCE: but the record lists this node; 0 */
	/* SWITCHOVER: */
	node_t node;	    /* the target */
	char at[48];	    /* the last step of the plan that was seen */
	bool back;	    /* PostgreSQL is started here again */
	lsn_t end, flushed; /* of the last checkpoint; by the target */
};

enum ask_for { ASK_STATUS, ASK_PLAN, ASK_PROMOTE, ASK_LOOK, ASK_SWITCHOVER };

/* One answer that is collected from several hosts. */
struct order_ask {
	TAILQ_ENTRY(order_ask) entry;
	uint64_t id;
	uint64_t serial; /* callbacks carry it, not a pointer */
	enum ask_for what;
	node_t node; /* PLAN: whose; PROMOTE: the holder;
			SWITCHOVER: the target */
	int pending;
	usec_t since, until;
	json_t *nodes; /* by index of the configuration */
	json_t *reg;
	char *fenced; /* PROMOTE: what the person says */
	json_t *look; /* PLAN: what this host's PostgreSQL said; NULL */
};

/* One request to another part, until its callback. */
struct order_question {
	TAILQ_ENTRY(order_question) entry;
	struct engine *e;
	uint64_t serial; /* of the ask */
	uint64_t id;	 /* of the asker, where there is no ask */
	bool order;	 /* it changes something */
};

/* What a person has to accept by name before a switchover. */
enum order_accept {
	ACCEPT_TRANSACTIONS = 1, /* are ended */
	ACCEPT_ARCHIVE = 2,	 /* is left behind */
	ACCEPT_SLOTS = 4,	 /* are left behind */
};

struct order_config;
struct order_drift;
struct order_tell;
struct order_look;
struct order_reload;
struct order_report;
struct order_request;

struct orders {
	struct timer *wake;
	struct order_drift *drift; /* NULL: none runs */
	struct order_reload *reload;
	struct order_config *config;
	struct order_tell *tell; /* likewise */
	uint64_t serials;
	TAILQ_HEAD(, order_wait) waits;
	TAILQ_HEAD(, order_ask) asks;
	TAILQ_HEAD(, order_question) questions;
	TAILQ_HEAD(, order_look) looks;
	TAILQ_HEAD(, order_report) reports;
};

/* From another host: who may order, who only looks, nobody. */
enum order_reach { REACH_ORDER, REACH_READ, REACH_LOCAL };

/* orders_reply.c. False: the asker was told that he may not. */
bool orders_allowed(struct engine *e, uint64_t id, enum order_reach reach);
/* obj is taken. */
void orders_reply(struct engine *e, uint64_t id, json_t *obj);
void orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next);
/* The same of a question, which is nobody's order: it is in no log. */
void orders_no(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next);
/* For the holder alone, which is another host; what: behind its name. */
void orders_refuse_holder(struct engine *e, uint64_t id, node_t holder,
    const char *what, const char *command);
/* text is the core's: a token of blockers.def, or the reason and after a
 * newline the command to run next. */
void orders_refuse_core(struct engine *e, uint64_t id, const char *text);
/* What a person does next when the register does not answer; caller frees. */
char *orders_register_next(const struct engine *e) MUST_CHECK;
void orders_taken(struct engine *e, uint64_t id, const char *verb);
/* With what the person gave as the reason. */
void orders_taken_why(
    struct engine *e, uint64_t id, const char *verb, const char *why);
/* orders.c: the loop turns again by then, so that a limit is seen. */
void orders_wake_by(struct engine *e, usec_t after);

/* orders_over.c */
const char *orders_step_goal(const char *plan, const char *row);
void orders_failed(
    struct engine *e, const struct order_wait *w, const struct core_status *st);

/* orders_rejoin.c */
void orders_rejoin(struct engine *e, const struct order_request *req);
void orders_rejoin_may(struct engine *e, const struct order_request *req);

/* orders_tell.c */
void orders_tell(struct engine *e, const struct order_request *req);

/* orders_promote.c. fenced: what the person did to the old primary, or NULL.
 * holder: what the holder's engine has just said; NULL when there is no other
 * holder to be asked. since: when the order came. */
void orders_promote_ask(struct engine *e, uint64_t id, const char *fenced);
void orders_promote(struct engine *e, uint64_t id, const char *fenced,
    const json_t *holder, usec_t since, bool look);
void orders_promote_look(struct engine *e, uint64_t id, const char *fenced);
/* orders_look.c: an order is not given, only what would be said to it. */
void orders_look(
    struct engine *e, const char *verb, const struct order_request *req);
/* With what the core says to it; NULL: nothing. */
void orders_look_over(struct engine *e, uint64_t id, const char *refused);
/* Whether a first record may be written here; else the asker was told. */
bool orders_may_init(struct engine *e, uint64_t id);
/* orders.c: false when it has to be given on another host: the asker was told.
 */
bool orders_is_here(struct engine *e, const struct order_request *req,
    const char *verb, const char *option);
/* orders_witness.c: on a host without PostgreSQL, the order where it is to be
 * given; caller frees. */
char *orders_witness_next(const struct engine *e, const char *verb,
    const struct order_request *req) MUST_CHECK;
/* The port of the holder's PostgreSQL was asked after that moment. */
bool orders_promote_asked(const struct engine *e, node_t holder, usec_t since);

/* orders_switchover.c. meant: a promotion of that node, ordered here, is one.
 * to: NODE_NONE for the only candidate. accept: a set of enum order_accept.
 * said: what the target's engine has just said; NULL or "silent" in it when
 * nothing. */
bool orders_switchover_meant(const struct engine *e, node_t to);
void orders_switchover_ask(
    struct engine *e, uint64_t id, node_t to, unsigned accept);
/* The same, and no more than would it be refused, as far as is known here. */
void orders_switchover_may(struct engine *e, uint64_t id, node_t to);
void orders_switchover(
    struct engine *e, uint64_t id, node_t to, const json_t *said);
/* True when it is over and the asker was told. */
bool orders_switchover_over(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);

/* orders_pause.c */
void orders_pause(struct engine *e, const struct order_request *req);
void orders_resume(struct engine *e, const struct order_request *req);
void orders_fence(struct engine *e, const struct order_request *req);
/* orders_fence.c: is a fence that stands over? And what is so then. */
bool orders_fence_over(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now);
const char *orders_fence_words(
    const struct engine *e, const struct core_status *st);
/* Would a pause be refused? */
void orders_pause_may(struct engine *e, const struct order_request *req);
/* The same pause, for ssh; caller frees. */
char *orders_pause_command(const struct order_request *req) MUST_CHECK;

/* orders_ask.c */
/* As a plan of a switchover from here; takes look. */
void orders_ask_plan(struct engine *e, uint64_t id, node_t node, json_t *look);
void orders_ask(struct engine *e, uint64_t id, enum ask_for what, node_t node,
    const char *fenced);
void orders_ask_turn(struct engine *e, const struct now *now);
void orders_ask_free(struct order_ask *a, struct orders *o);
void orders_ask_register(struct engine *e, uint64_t id, bool adopt);

/* orders_plan.c. said: what the engine of that node has just said; borrowed. */
void orders_plan(
    struct engine *e, uint64_t id, node_t node, json_t *said, json_t *look);

/* orders_drift.c */
void orders_drift(struct engine *e, const struct order_request *req);
void orders_drift_turn(struct engine *e, const struct now *now);
void orders_drift_free(struct orders *o);

/* orders_observe.c. True: it would touch something, and this mode does not. */
bool orders_observed(
    struct engine *e, const char *verb, const struct order_request *req);
void orders_would(struct engine *e, const struct order_request *req);

/* orders_reload.c */
void orders_reload(struct engine *e, const struct order_request *req);
void orders_reload_signal(struct engine *e); /* by SIGHUP */
void orders_reload_turn(struct engine *e);
void orders_reload_free(struct orders *o);

/* orders_config.c */
void orders_config(struct engine *e, const struct order_request *req);
void orders_config_turn(struct engine *e);
void orders_config_free(struct orders *o);
/* orders_history.c */
void orders_history(struct engine *e, const struct order_request *req);
void orders_report(struct engine *e, const struct order_request *req);
void orders_report_turn(struct engine *e, const struct now *now);
void orders_report_free(struct orders *o);
/* Beside what was found: this host's clock, and what it sees of the record now.
 */
void orders_history_now(const struct engine *e, json_t *host);

/* orders_wait.c */
/* node: SWITCHOVER: the target. */
void orders_wait(
    struct engine *e, uint64_t id, enum long_order what, node_t node);
void orders_wait_turn(struct engine *e, const struct now *now);

#endif
