/*
 * The engine's end of hawatch-probe: a child, forked before anything else runs,
 * that holds the libraries whose calls can only block. It is never trusted with
 * a deadline: this end holds the timer, and a probe that overruns is killed and
 * another one started. One request is under way at a time, the others wait in
 * order; waiting counts against the deadline.
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
	PROBE_MEMCACHED,      /* stats, then set, get and delete of one key */
	PROBE_MEMCACHED_FLUSH /* flush_all, then how much is left */
};

struct probe_request {
	enum probe_op op;
	const char *address; /* numeric */
	int port;
	usec_t deadline; /* after now */
};

struct probe_result {
	enum answer ans;    /* unknown: no probe could run */
	const char *reason; /* token of reasons.def; "" for yes */
	uint32_t pid, uptime;	/* of the server */
	uint64_t items, bytes, limit, gets, hits, evictions;
	uint32_t connections;
};

/* program NULL: hawatch-probe beside the running executable, in libexec, or in
 * ../probe of an uninstalled build. It is started at once. */
struct probe *probe_new(
    struct loop *loop, const char *program, struct error *err) MUST_CHECK;
void probe_free(struct probe *p);
/* done is called once, never from within probe_ask, unless cancelled. */
struct probe_call *probe_ask(struct probe *p, const struct probe_request *req,
    void (*done)(void *arg, const struct probe_result *res), void *arg);
void probe_cancel(struct probe_call *call);

#endif
