/*
 * Checks: what is asked again and again. A module speaks one protocol and
 * starts one probe at a time; the scheduler (check.c) owns interval, deadline,
 * jitter, damping and the event of a transition. Facts that are more than up
 * or down have a typed home of their own (pg_view.h).
 */
#ifndef HAWATCH_CHECK_H
#define HAWATCH_CHECK_H

#include "hawatch/conf.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

struct check;
struct checks;
struct http;
struct loop;
struct matcher;
struct pgwatch;
struct probe;

struct check_env {
	struct loop *loop;
	const struct conf *conf;
	struct pgwatch *pg; /* NULL on a host without PostgreSQL */
	struct http *web;   /* for http and supervisor: no client certificate */
	struct probe *probe;	 /* for what can only block */
	struct matcher *matcher; /* for http with a body; checks_new's own */
	/* Where the primary is, by the record; NODE_NONE: not known. NULL:
	 * nobody knows. */
	node_t (*primary)(void *arg);
	void *arg;
};

/* Every member is required. start begins one probe and ends in exactly one
 * check_done, which may come before it returns; -1 with err: could not be
 * asked. cancel is synchronous, idempotent and final. */
struct check_ops {
	const char *name; /* type in the configuration */
	size_t priv_size; /* zeroed, allocated by the framework */
	int (*start)(struct check *c, struct error *err);
	void (*cancel)(struct check *c);
};

/* For modules. check_done only records; no's reason is a stable token. */
void check_done(struct check *c, enum answer ans, const char *reason);
void *check_priv(struct check *c);
const struct check_env *check_env(const struct check *c);
const struct conf_check *check_conf(const struct check *c);
/* The numeric address to connect to, at this moment; NULL with err: it is the
 * primary's, which is not known. */
const char *check_address(const struct check *c, struct error *err) MUST_CHECK;

struct check_state {
	const char *name;
	const char *type;
	enum answer up;	    /* damped; unknown also when it grew old */
	enum answer last;   /* of the last probe */
	const char *reason; /* of the last no or unknown; "" */
	usec_t seen_at;	    /* raw, start of the last answered probe; 0 never */
	usec_t since;	    /* raw, of the last transition; 0 never */
	usec_t took;	    /* by the last probe */
	bool health, shared, verify;
	const struct conf_check *conf;
	const char *address; /* it asks now; "": none, or not known */
};

/* One check. conf is copied, its strings are borrowed; arg goes to ops through
 * check_arg. settled is called from a clean turn after each probe and must not
 * free the check; it may be NULL. The first probe starts at a random point of
 * one interval, but within a second. */
struct check *check_new(const struct check_env *env,
    const struct check_ops *ops, const struct conf_check *conf,
    void (*settled)(void *arg, struct check *c), void *arg);
void check_free(struct check *c);
void *check_arg(struct check *c);
/* Probes now, or once more after the probe that runs. A no of a probe out of
 * turn is told as the last result, and does not count towards down. */
void check_poke(struct check *c);
/* From the next probe on; a shorter interval counts at once. */
void check_pace(struct check *c, usec_t interval);
void check_state(const struct check *c, struct check_state *out);

/* The module of a type of the configuration; NULL when there is none. */
const struct check_ops *checks_type(const char *type);

/* The checks of the configuration that are for this node. changed is called
 * from a clean turn after every transition; it may be NULL. */
struct checks *checks_new(const struct check_env *env,
    void (*changed)(void *arg), void *arg, struct error *err) MUST_CHECK;
void checks_free(struct checks *checks);
int checks_count(const struct checks *checks);
void checks_state(const struct checks *checks, int i, struct check_state *out);
/* Probes now. */
void checks_poke(struct checks *checks, int i);

#endif
