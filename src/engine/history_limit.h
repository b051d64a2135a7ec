/*
 * What of the log goes into the history, and how much of it: a decision and a
 * change of who may write is what the history is for; the steps on the way make
 * the report readable, and may not push the others out.
 *
 * Each kind of event has its own bucket of bytes, so that a storm of one costs
 * the others nothing. What does not fit is counted by its kind.
 */
#ifndef HAWATCH_ENGINE_HISTORY_LIMIT_H
#define HAWATCH_ENGINE_HISTORY_LIMIT_H

#include <jansson.h>

#include "hawatch/emit.h"
#include "hawatch/types.h"

enum history_rank {
	HISTORY_NOT,	  /* in the log only */
	HISTORY_STEP,	  /* a step on the way */
	HISTORY_DECISION, /* as a change, but shown only with all */
	HISTORY_CHANGE,
};

/* A bucket holds so much, and is given so much more each minute. */
#define HISTORY_STEP_BURST ((long long)32 * 1024)
#define HISTORY_STEP_MINUTE ((long long)4 * 1024)
#define HISTORY_DECISION_BURST ((long long)64 * 1024)
#define HISTORY_DECISION_MINUTE ((long long)16 * 1024)

/* A line's kind: an event, or HISTORY_OTHER, of this host's own making, which
 * is a decision. */
#define HISTORY_OTHER EMIT_COUNT
#define HISTORY_KINDS (EMIT_COUNT + 1)

struct history_limit {
	struct {
		long long left; /* bytes */
		usec_t at;	/* raw; 0: the bucket was never used */
		unsigned out;	/* lines left out since they were told */
	} kind[HISTORY_KINDS];
	usec_t since; /* raw, of the first of those; 0: none */
};

enum history_rank history_rank(int kind);
/* By the name that is in a line. */
int history_kind(const char *name);
/* May a line of so many bytes be written? */
bool history_limit_take(
    struct history_limit *l, int kind, size_t bytes, usec_t raw);
/* It was not. */
void history_limit_out(struct history_limit *l, int kind, usec_t raw);
/* "12 of plan.row, 3 of act.done", counted anew from here on; *worst: of what
 * is among them. Caller json_decref()s. */
json_t *history_limit_told(struct history_limit *l, enum history_rank *worst);

#endif
