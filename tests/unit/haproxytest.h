/*
 * A real HAProxy for tests, with a directory, sockets and ports of its own,
 * ended by its pid; the other side of its servers; and runs of traffic with
 * what they said.
 */
#ifndef HAPROXYTEST_H
#define HAPROXYTEST_H

#include <stddef.h>

#include "hawatch/conf.h"
#include "hawatch/loop.h"
#include "hawatch/traffic.h"

#define HAPT_PATH_MAX 100

struct hapt {
	char dir[64];
	char admin[HAPT_PATH_MAX]; /* its socket, level admin */
	int pid;
};

/* proxies is the configuration's end: backends. In it and in more, lines of
 * section global, DIR is the directory. Ready when it returns. */
void hapt_start(struct hapt *h, const char *more, const char *proxies);
void hapt_stop(struct hapt *h);
/* SIGSTOP, and returns when all its threads stand still. */
void hapt_freeze(const struct hapt *h);
/* One line to the admin socket; the whole answer, caller frees. */
char *hapt_say(const struct hapt *h, const char *line);
/* A column of "show servers state": "srv_admin_state"; caller frees. */
char *hapt_column(const struct hapt *h, const char *backend, const char *server,
    const char *column);
void hapt_assert(const struct hapt *h, const char *backend, const char *server,
    const char *column, const char *want);
/* Waits until it is so, five seconds at most. */
void hapt_await(const struct hapt *h, const char *backend, const char *server,
    const char *column, const char *want);
/* A port of 127.0.0.1 that nobody has; with fd, one that listens. */
int hapt_port(int *fd);
/* A connection to a Unix socket; one that arrives; -1 after five seconds. */
int hapt_connect(const char *path);
int hapt_accept(int fd);
/* 1: the other side closed within ms; 0: it did not. */
int hapt_closed(int fd, int ms);

/* Two data nodes s1, s2 and a witness a1; this is s1. */
struct world {
	struct conf conf;
	struct loop *loop;
	struct traffic *traffic;
	struct timer *limit;
	/* Of the last run. */
	enum answer ans;
	char reason[640];
	int calls;
	usec_t took;
	/* All events since the last world_quiet. */
	char events[8192];
};

void world_init(struct world *w);
void world_fini(struct world *w);
/* The next balancer, with what is usual. */
struct conf_traffic *world_balancer(
    struct world *w, const char *name, const char *socket, const char *backend);
/* Begins, when it must, and turns the loop until done. */
void world_run(struct world *w, node_t primary, nodeset_t out);
void world_turn(struct world *w);
void world_done_cb(void *arg, enum answer ans, const char *reason);
void world_quiet(struct world *w);
/* How often the text is in the events. */
int world_said(const struct world *w, const char *text);

#define assert_reason(w, text) \
	do { \
		if (strstr((w)->reason, (text)) == NULL) \
			fail_msg("reason is \"%s\"", (w)->reason); \
	} while (0)

#endif
