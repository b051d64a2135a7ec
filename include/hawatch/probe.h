/*
 * The engine's end of hawatch-probe: a program of its own that holds the
 * libraries whose calls can only block. It is never trusted with a deadline:
 * this end holds the timer, and a probe that overruns is killed and another one
 * started. One request is under way at a time, the others wait in order;
 * waiting counts against the deadline.
 */
#ifndef HAWATCH_PROBE_H
#define HAWATCH_PROBE_H

#include <stdint.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct probe;
struct probe_call;

enum probe_op {
	PROBE_MEMCACHED, /* set, get and delete of a key of this host's own,
			    then stats */
	PROBE_MEMCACHED_FLUSH /* flush_all until a key that was there before
				 is gone, then stats. items may stay as
				 they were: memcached forgets lazily */
};

struct probe_request {
	enum probe_op op;
	const char *address; /* numeric */
	int port;
	usec_t deadline; /* after now */
};

struct probe_result {
	enum answer ans;      /* unknown: no probe could run, or none was
				 free in time */
	const char *reason;   /* token of reasons.def; "" for yes */
	uint32_t pid, uptime; /* of the server */
	uint64_t items, bytes, limit, gets, hits, evictions;
	uint32_t connections;
};

/* program NULL: hawatch-probe beside the running executable, in libexec, or in
 * ../probe of an uninstalled build. It is started by the first question: a host
 * without one has no such process. */
struct probe *probe_new(
    struct loop *loop, const char *program, struct error *err) MUST_CHECK;
void probe_free(struct probe *p);
/* done is called once, never from within probe_ask, unless cancelled. */
struct probe_call *probe_ask(struct probe *p, const struct probe_request *req,
    void (*done)(void *arg, const struct probe_result *res), void *arg);
void probe_cancel(struct probe_call *call);
/* The process, 0 when there is none; for status and tests. */
int probe_pid(const struct probe *p);

#endif
