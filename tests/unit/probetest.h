/*
 * The real hawatch-probe, and what it asks: a real memcached, or a child that
 * says something else in its place.
 */
#ifndef PROBETEST_H
#define PROBETEST_H

#include <sys/types.h>

#include "hawatch/loop.h"
#include "hawatch/probe.h"

struct probetest {
	struct loop *loop;
	struct probe *probe;
	struct timer *timer;
	int port;
	pid_t server;
	int done;
	enum answer ans[8];
	char reason[8][64];
	struct probe_result last;
	usec_t took, started;
};

/* The path of hawatch-probe. */
const char *probetest_program(void);
/* A port that nobody has; with fd, bound to it. */
int probetest_port(int *fd);
/* Begins a memcached there, with that option or NULL. */
pid_t probetest_memcached(int port, const char *option);

/* For cmocka: a probe, and nothing for it to ask. */
int probetest_setup(void **state);
int probetest_teardown(void **state);

/* A memcached that answers; or a child that serves the port with fn. */
void probetest_start(struct probetest *f, const char *option);
void probetest_start_other(struct probetest *f, void (*fn)(int fd));
void probetest_stop(struct probetest *f);

struct probe_call *probetest_ask(
    struct probetest *f, enum probe_op op, usec_t deadline);
/* Writes an answer down; arg: the probetest. */
void probetest_done(void *arg, const struct probe_result *res);
/* Until n answers are there, and no more. */
void probetest_wait(struct probetest *f, int n);
void probetest_ask_once(struct probetest *f, enum probe_op op);
/* The last answer. */
void probetest_expect(struct probetest *f, enum answer ans, const char *reason);

#endif
