/*
 * Bringing a host to its role: the items of the configuration are compared with
 * what is there, what differs is changed, and what reads it is restarted. The
 * comparison alone is the drift check.
 */
#ifndef HAWATCH_CONVERGE_H
#define HAWATCH_CONVERGE_H

#include "hawatch/conf.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

struct converge;
struct http;
struct loop;
struct probe;
struct worker;

struct converge_env {
	struct loop *loop;
	const struct conf *conf;
	struct worker *worker;
	struct http *web;
	struct probe *probe;
	/* Called at places where a test may end the process; NULL: nowhere.
	 * Some are in a worker. */
	void (*point)(const char *place);
};

/* Reads the list of restarts that are due. env's members must live longer,
 * but the worker may go first. */
struct converge *converge_new(const struct converge_env *env);
void converge_free(struct converge *c);

/* Where the primary is, by the record of this epoch; NODE_NONE: not known.
 * From then on the items are compared with it, at once and every minute. */
void converge_expect(struct converge *c, node_t primary, uint64_t epoch);
/* Compares now. */
void converge_look(struct converge *c);

/* Brings about the items of that phase for that role. All files are rendered
 * before the first is renamed; what is to be restarted is on disk before the
 * first rename, so that an end at any point loses no restart. done is called
 * once, never from within, unless cancelled: yes: every item was brought about,
 * or given up after its timeout (its state tells, and it is tried again each
 * minute); no: a required item was given up. A run replaces one of the same
 * phase. */
void converge_run(struct converge *c, enum conf_item_when when, node_t primary,
    uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg);
void converge_cancel(struct converge *c, enum conf_item_when when);

/* As a run, for the primary that is about to hand over: the items that have a
 * demand for it, in their order, take it. No: one was given up, reason says
 * which. What another run has of them it loses. The role's own demand is
 * brought about by the next run after, which is the caller's to ask for: until
 * then nothing that was given up is tried again in this epoch. */
void converge_quiet(struct converge *c, uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg);
void converge_quiet_cancel(struct converge *c);

/* The items of this host. */
struct converge_state {
	const char *name;
	enum conf_item_type type;
	enum answer holds;  /* yes: as it should be, or left alone */
	const char *reason; /* why not, for people, without any secret; "" */
	bool required;	    /* no promotion without it */
	usec_t seen_at;	    /* raw, of the last look; 0 never */
	usec_t changed_at;  /* raw, when it was changed last; 0 never */
};
int converge_count(const struct converge *c);
void converge_state(
    const struct converge *c, int i, struct converge_state *out);
/* How many items are known not to hold. */
int converge_drift(const struct converge *c);
/* Applications of this host are not as its role in this epoch demands, because
 * a run could not bring it about: a line was given up, or fails for so long
 * that it is no chance, or a restart that is due since was. Survives an end of
 * the engine. What differs by somebody's edit alone is no such thing. */
bool converge_stale(const struct converge *c);
/* Nothing is compared, changed or written at this moment. */
bool converge_idle(const struct converge *c);
/* Something runs now: its name and since when (raw); NULL: nothing. */
const char *converge_doing(const struct converge *c, usec_t *since);

#endif
