/*
 * Private to the two halves of the engine's end of the link: frontlink.c, the
 * life of the process, and frontlink_io.c, the frames.
 */
#ifndef ENGINE_FRONTLINK_H
#define ENGINE_FRONTLINK_H

#include <limits.h>

#include "front/frame.h"
#include "hawatch/companion.h"
#include "hawatch/conf.h"
#include "hawatch/frontlink.h"
#include "hawatch/loop.h"
#include "hawatch/queue.h"

/* A front that reads nothing for so long is of no use; nor one that does not
 * become ready. */
#define FRONTLINK_STALL (2 * USEC_SEC)
#define FRONTLINK_READY (5 * USEC_SEC)

struct frontlink_reply {
	STAILQ_ENTRY(frontlink_reply) entry;
	char *frame;
	size_t len;
};

STAILQ_HEAD(frontlink_replies, frontlink_reply);

struct frontlink {
	struct loop *loop;
	const struct conf *conf;
	front_request_fn fn;
	void *arg;
	char program[PATH_MAX];
	uid_t uid;
	gid_t gid;

	struct companion proc;
	struct watch *link, *end;
	struct timer *again; /* starts it anew */
	struct timer *stall;
	usec_t backoff, started_at;
	int64_t generation;
	uint64_t last_id; /* the greatest request id that came */
	bool ready;
	char why[200];	/* it ended, or is to end */
	char said[200]; /* reported last; "" since it was ready */

	struct frame_in in;
	char *out; /* the frame under way */
	size_t out_len, out_at;
	uint64_t sent; /* bytes, ever */
	char *snap;    /* the newest */
	size_t snap_len;
	bool snap_sent, snap_last; /* of this snapshot; the frame before */
	char *doc_text;		   /* the newest status document */
	char *doc;		   /* and its frame */
	size_t doc_len;
	bool doc_sent;
	struct frontlink_replies replies;
	size_t replies_bytes;
	struct frontlink_replies lines; /* to operators */
	size_t lines_bytes;

	usec_t log_from; /* this second's lines are counted from here */
	int log_count;
};

/* frontlink.c: ends the process; another one is started. why is cut. */
void frontlink_fail(struct frontlink *l, const char *why);

/* frontlink_io.c. Takes frame. */
void frontlink_queue(
    struct frontlink_replies *list, size_t *bytes, json_t *frame);
/* Not of a front that is gone, nor a number that never came. */
bool frontlink_asked(const struct frontlink *l, uint64_t id);
void frontlink_config(struct frontlink *l);
void frontlink_flush(struct frontlink *l);
/* True when bytes came. */
bool frontlink_read(struct frontlink *l);
/* Forgets what belongs to the process that is gone. */
void frontlink_reset(struct frontlink *l);

#endif
