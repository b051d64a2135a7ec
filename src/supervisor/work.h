/*
 * What work.c and step.c share: the work on one program.
 */
#ifndef HAWATCH_SUP_WORK_H
#define HAWATCH_SUP_WORK_H

#include <sys/types.h>

#include "hawatch/supervisor.h"
#include "supervisor/rpc.h"
#include "supervisor/sweep.h"

/* What is asked of processes whose memory may be held: the thread's while it
 * looks. */
struct sup_look {
	struct sup_sweep *sweep;
	int count; /* what the sweep found; -1: not known */
	pid_t pid;
	enum answer young; /* that process */
};

struct aside;

struct sup_work {
	struct loop *loop;
	struct http *web;
	char *socket, *program;
	bool running, started;
	pid_t not_pid;
	bool ends; /* by the sweep */
	struct sup_look *look;
	struct aside *aside; /* owns look */
	usec_t end;	     /* raw */
	void (*done)(void *arg, enum answer ans, const char *reason, pid_t pid);
	void *arg;

	/* The next round, or the end of the time of what is aside; not armed
	 * while rpc is set. */
	struct timer *tick;
	struct sup_rpc *rpc;
	struct sup_program seen;	  /* in the last look */
	void (*next)(struct sup_work *w); /* with what is aside */
	usec_t wait;			  /* before the next look */
	const char *why;		  /* it is not so yet; static */
	const char *left; /* as the last sweep found it; static */
	usec_t absent_at; /* raw, supervisord has been gone since; 0 */
	pid_t unseen;	  /* supervisord's, and not to be seen */
	bool still;	  /* it did not run at the look before */
	bool settled;	  /* nor will it be started */
	int starts;
	usec_t start_at;     /* raw, not before */
	const char *refused; /* by supervisord, of the last start; or NULL */

	struct watch *watch; /* of pidfd; NULL none */
	int pidfd;
	pid_t watched;
};

/* Each of these ends a round of the work; w may be gone after it. */
void sup_work_finish(
    struct sup_work *w, enum answer ans, const char *reason, pid_t pid);
void sup_work_wait(struct sup_work *w, const char *why);
void sup_work_stop(struct sup_work *w, const char *why);
void sup_work_begin(struct sup_work *w, const char *why);

/* These go on in next, unless time is up before: with look->young, or with
 * look->count when what was found is ended already, if it is to be. why: it is
 * not so until then. */
void sup_work_young(struct sup_work *w, pid_t pid, const char *why,
    void (*next)(struct sup_work *w));
void sup_work_sweep(
    struct sup_work *w, const char *why, void (*next)(struct sup_work *w));
/* sup_work_wait, after a sweep if what is found is to be ended. */
void sup_work_sweep_wait(struct sup_work *w, const char *why);

/* A look at once when this process has ended. */
void sup_work_watch(struct sup_work *w, pid_t pid);

/* It has not executed its command yet, or has ended and is not reaped; unknown:
 * there is no such process, or none that is seen from here. Waits for its
 * memory: never to be called on the loop. */
enum answer sup_young(pid_t pid);

/* What to do after a look that saw the program, or after none. */
void sup_step(struct sup_work *w, const struct sup_program *p);
void sup_step_absent(struct sup_work *w, const char *reason);

#endif
