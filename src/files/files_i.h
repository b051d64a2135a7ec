/*
 * What the two sides of the last copy share: reading what is here, by a child,
 * and what its lines say.
 */
#ifndef FILES_I_H
#define FILES_I_H

#include "hawatch/files.h"

#define FILES_SUM_MAX 4096
#define FILES_WHY_MAX 240

struct job;
struct job_result;

enum files_state { FILES_NONE, FILES_WORKING, FILES_DONE, FILES_FAILED };

/* The target's side: one pull, for one question. */
struct files_pull {
	uint64_t id;
	node_t holder;
	enum files_state state;
	struct job *job;
	char sum[FILES_SUM_MAX]; /* DONE */
	char why[FILES_WHY_MAX]; /* FAILED; else what the pull said */
};

/* The holder's side. */
struct files_hand {
	node_t to;
	uint64_t id;
	struct http_call *call;
	struct job *job;
	struct timer *timer;
	usec_t until;
	char theirs[FILES_SUM_MAX];
	char why[FILES_WHY_MAX];
	enum answer ans; /* to be told by the timer */
	void (*done)(void *arg, enum answer ans, const char *reason);
	void *arg;
};

struct files {
	struct files_env env;
	struct files_pull pull;
	struct files_hand hand;
};

/* sum.c: a job that reads all paths of the configuration. */
struct job *files_sum_start(struct files *f,
    void (*done)(void *arg, const struct job_result *res), void *arg,
    struct error *err) MUST_CHECK;
/* The lines of such a job. -1: it did not end well, why says how. */
int files_sum_read(const struct job_result *res, const char *what, char *sum,
    char *why) MUST_CHECK;
/* 0: the same; 1: not, why says what differs; -1: theirs is not understood. */
int files_sum_compare(const struct conf *conf, const char *here,
    const char *there, char *why) MUST_CHECK;

void files_hand_init(struct files *f);
void files_hand_fini(struct files *f);

#endif
