/*
 * What the files of converging share: the items of this host, the list of
 * restarts that are due, runs and looks.
 */
#ifndef CONVERGE_I_H
#define CONVERGE_I_H

#include <sys/types.h>

#include "converge/converge_batch.h"
#include "hawatch/converge.h"

struct item;
struct op;
struct run;
struct sup_call;
struct sup_work;
struct job;
struct probe_call;
struct pending_write;

#define ITEM_BIT(i) ((uint64_t)1 << (i))
/* In place of where the primary is: on this host, which is handing over. */
#define NODE_LEAVES ((node_t)NODES_MAX)
#define ITEM_REASON 160

/* A restart that is due since one of these items changed. It is on disk before
 * the change is made, and until the restart is proven. */
struct due {
	bool on;
	uint64_t items; /* of this host, as bits; 0: none that is known */
	uint64_t epoch;
	pid_t pid; /* that ran when the change had been made; 0 none; -1 not
		      known, and whoever runs is to go */
	unsigned serial; /* changes with every new cause */
};

/* Where an item is within a run. */
enum item_step {
	STEP_WAIT, /* for its turn */
	STEP_UNDER_WAY,
	STEP_BACK_OFF, /* failed, will be tried again */
	STEP_OK,
	STEP_GIVEN_UP
};

struct item {
	struct converge *c;
	int index; /* its bit */
	const struct conf_item *conf;
	const struct op_ops *ops; /* NULL: a line */
	uint64_t restart_on;	  /* as bits */
	bool causes;		  /* a restart of others; not for lines */

	enum answer holds;
	char reason[ITEM_REASON];
	usec_t seen_at, changed_at;
	char told[ITEM_REASON]; /* with converge.failed; "": nothing */

	struct cfile_sig sig; /* line: of the last look, for that text */
	char *sig_text;
	bool misfit;	  /* the file had no line that could be made */
	bool mended;	  /* it has one now */
	struct due due;	  /* service */
	uint64_t flushed; /* cache: the epoch for which it was emptied */

	bool looking;
	struct op *look;

	struct run *run; /* whose it is now; NULL none */
	enum item_step step;
	uint64_t undo; /* services whose restart its change makes due */
	struct op *op;
	unsigned serial; /* of due, when op began */
	usec_t began, deadline, again_at, backoff;
};

enum files_step {
	FILES_IDLE,
	FILES_PREPARING,
	FILES_PREPARED,
	FILES_SAVING, /* what is to be restarted */
	FILES_COMMITTING,
	FILES_COMMITTED
};

struct run {
	struct converge *c;
	enum conf_item_when when;
	bool active;
	node_t primary;
	uint64_t epoch;
	usec_t began;
	struct timer *timer; /* makes the next step */
	enum files_step files;
	struct batch *batch;
	uint64_t mark; /* the save that a commit waits for */
	void (*done)(void *arg, enum answer ans, const char *reason);
	void *arg;
};

/* The list of restarts, numbered by its changes. */
struct pending {
	char *path;
	struct pending_write *write; /* under way */
	uint64_t wanted, written, saved, failed;
	struct error err;
};

struct look {
	bool active;
	int left; /* items without an answer */
	struct batch *batch;
};

struct converge {
	struct converge_env env;
	int count;
	struct item *item;
	struct run run[ITEM_WHENS]; /* by enum conf_item_when */
	struct lane lane[2];	    /* the same; who hands over has no lines */
	struct look look;
	struct pending *pending;
	struct timer *minute;
	node_t primary;
	uint64_t epoch;
	uint64_t retry; /* items given up for that epoch, as bits; on disk */
	uint64_t retry_epoch;
	usec_t again_at; /* they are not tried again before */
	/* What stopped for a handover in that epoch stays so; 0 none. */
	uint64_t quiet_epoch;
	uint64_t drift; /* items told of last, as bits */
};

/* converge.c */
/* What the configuration demands of it; "": nothing. */
const char *item_want(const struct item *item, node_t primary);
/* With its variables; caller frees. */
char *item_text(const struct item *item, node_t primary);
void item_mark(struct item *item, enum answer holds, const char *reason);
void item_changed(struct item *item);
void converge_tell_drift(struct converge *c);
/* A look has ended: what does not hold is looked at again soon. */
void converge_looked(struct converge *c);
void converge_point(struct converge *c, const char *place);

/* converge_retry.c */
/* Given up for that epoch; and that it is, or no longer is. */
bool item_given_up(const struct item *item, uint64_t epoch);
void item_give_up(struct item *item, uint64_t epoch);
void item_take_up(struct item *item);
/* What was given up, and whoever is to be restarted when it is made; none
 * while nothing may be changed, as in the midst of a handover. */
uint64_t retry_items(const struct converge *c);
/* A line of these need not wait for its minute: it can be made by now, or
 * holds, and who reads it may not know. */
bool retry_mended(const struct converge *c);

/* converge_look.c */
void look_start(struct converge *c);
void look_leave(struct item *item); /* a run has it now */
void look_cancel(struct converge *c);

/* converge_run.c; fn NULL: nobody waits for it. */
void run_init(struct run *r, struct converge *c, enum conf_item_when when);
void run_fini(struct run *r);
void run_start(struct run *r, node_t primary, uint64_t epoch, uint64_t items,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg);
void run_cancel(struct run *r);
void run_kick(struct run *r);
bool run_has(const struct run *r, const struct item *item);
void run_failed(struct item *item, const char *reason);
void run_ok(struct item *item);

/* converge_files.c: the lines of a run. */
void files_step(struct run *r, usec_t now);
void files_cancel(struct run *r);

/* converge_pending.c */
struct pending *pending_new(struct converge *c);
void pending_free(struct pending *p);
/* Makes the restarts due that this item causes; the save to wait for. */
uint64_t pending_cause(struct item *item, node_t primary, uint64_t epoch);
/* The change was not made after all. */
void pending_undo(struct item *item);
void pending_clear(struct item *service);
/* Saves the list; which save that is. */
uint64_t pending_save(struct converge *c);
/* yes: on disk; no: err says why not. */
enum answer pending_saved(const struct pending *p, uint64_t mark);

#endif
