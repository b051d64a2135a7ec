/*
 * The engine's end of the socketpair to hawatch-front. The front owns every
 * network listener; through this link it gets its configuration and the
 * snapshots that it answers from, and hands in the peers' requests with the
 * name that their certificate proved. The engine checks that name again.
 *
 * Frames: 4 bytes of length in network order, then that many bytes of JSON.
 *
 * A peer gets 503 with {"error":"busy"} when its request certainly never
 * reached the engine, and 503 with {"error":"engine-silent"} when it may have:
 * nothing came back for five seconds.
 */
#ifndef HAWATCH_FRONTLINK_H
#define HAWATCH_FRONTLINK_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct conf;
struct frontlink;

/* What the front may say without asking. All text is rendered here, once. */
struct snapshot {
	usec_t fresh_until;   /* raw; past it /live and /health say 503 */
	usec_t primary_until; /* raw; 0 not primary, USEC_NEVER without end */
	usec_t standby_until; /* raw; 0 not a standby */
	uint64_t lag;	      /* bytes behind, for /standby?lag= */
	bool healthy;	      /* this host should get traffic */
	const char *reasons;  /* "": failing checks' names, comma-separated */
	const char *unready;  /* "": a takeover is possible; else why not; NULL:
				 that is not known */
	const char *status;   /* JSON document of /status */
};

struct front_request {
	uint64_t id;
	const char *peer; /* verified certificate name, of an operator with
			     "/v1/control", else of a node */
	const char *path; /* "/v1/cas" */
	const char *body;
	size_t len;
};

/* req is valid during the call. frontlink_reply may be called in it or any
 * time later, frontlink_free may not. */
typedef void (*front_request_fn)(void *arg, const struct front_request *req);

/* Starts hawatch-front and starts it again when it dies (back-off up to 1 s).
 * program NULL: beside the running executable, in libexec, or in ../front of
 * an uninstalled build. conf is borrowed for the life of the link. */
struct frontlink *frontlink_new(struct loop *loop, const struct conf *conf,
    const char *program, front_request_fn fn, void *arg, struct error *err);
void frontlink_free(struct frontlink *l);
/* Never waits; keeps the newest only, and a new front gets it at once. */
void frontlink_publish(struct frontlink *l, const struct snapshot *snap);
/* Answers request id; a request whose asker is gone is ignored. */
void frontlink_reply(
    struct frontlink *l, uint64_t id, int status, const char *json);
/* A line of the answer to an operator's request; the last one ends it. */
void frontlink_line(
    struct frontlink *l, uint64_t id, const char *json, bool last);
/* 0: none at the moment. */
int frontlink_pid(const struct frontlink *l);

#endif
