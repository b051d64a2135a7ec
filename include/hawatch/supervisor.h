/*
 * supervisord, by XML-RPC on its Unix socket, without waiting: what its
 * programs do, and bringing one of them to where it should be.
 *
 * Its traps are handled here: a start while a program is still stopping returns
 * success and does nothing; stopping kills one process and leaves what it
 * started; a supervisord that was killed leaves everything running.
 */
#ifndef HAWATCH_SUPERVISOR_H
#define HAWATCH_SUPERVISOR_H

#include <sys/types.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct http;
struct loop;

/* The numbers are supervisord's. */
enum sup_state {
	SUP_STOPPED = 0,
	SUP_STARTING = 10,
	SUP_RUNNING = 20,
	SUP_BACKOFF = 30,
	SUP_STOPPING = 40,
	SUP_EXITED = 100,
	SUP_FATAL = 200,
	SUP_UNKNOWN = 1000
};
const char *sup_state_str(enum sup_state state); /* "RUNNING" */
/* The token of a program that is in that state and should not be. */
const char *sup_state_reason(enum sup_state state);

struct sup_program {
	char name[64], group[64];
	enum sup_state state;
	pid_t pid;	    /* 0: none */
	int64_t start, now; /* seconds since the epoch, supervisord's */
	char spawnerr[120];
};

#define SUP_PROGRAMS_MAX 64
struct sup_list {
	enum answer ans;    /* unknown: no whole answer */
	const char *reason; /* token: no-socket, connect-refused (killed),
			       no-permission, timeout (hung), ... "" */
	int count;
	const struct sup_program *program;
};

/* All programs, once. done is called once, never from within, unless
 * cancelled. */
struct sup_call;
struct sup_call *sup_list_start(struct http *web, const char *socket,
    usec_t deadline, void (*done)(void *arg, const struct sup_list *list),
    void *arg, struct error *err) MUST_CHECK;
void sup_list_cancel(struct sup_call *call);
/* "group:name", or "name" when both are the same; NULL: none. */
const struct sup_program *sup_find(
    const struct sup_list *list, const char *program);

/* One program to where it should be. */
struct sup_goal {
	const char *socket, *program;
	bool running;	   /* else stopped */
	bool started;	   /* running: STARTING is enough. RUNNING comes only
			      after startsecs, 1 s by default */
	pid_t not_pid;	   /* running means another process than this one: a
			      restart; 0 any */
	const char *sweep; /* stopped means also that no process with this
			      path in its argv lives, nor one of its group;
			      NULL or "" */
	usec_t deadline;   /* after now */
};
/* Observes and acts until it is so; done once, never from within, unless
 * cancelled: yes, or no with why. pid is the one that runs, or 0. */
struct sup_work;
struct sup_work *sup_work_start(struct loop *loop, struct http *web,
    const struct sup_goal *goal,
    void (*done)(void *arg, enum answer ans, const char *reason, pid_t pid),
    void *arg);
void sup_work_cancel(struct sup_work *w);

/* How many processes the sweep of that path would end; -1: not known by then.
 * done is called once, never from within, unless cancelled. */
struct sup_left;
struct sup_left *sup_left_start(struct loop *loop, const char *path,
    usec_t deadline, void (*done)(void *arg, int count), void *arg);
void sup_left_cancel(struct sup_left *l);

#endif
