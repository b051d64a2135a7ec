/*
 * What work.c and step.c share: the work on one program.
 */
#ifndef HAWATCH_SUP_WORK_H
#define HAWATCH_SUP_WORK_H

#include <sys/types.h>

#include "hawatch/supervisor.h"
#include "supervisor/rpc.h"
#include "supervisor/sweep.h"

struct sup_work {
	struct loop *loop;
	struct http *web;
	char *socket, *program;
	bool running, started;
	pid_t not_pid;
	bool ends; /* by the sweep */
	struct sup_sweep *sweep;
	usec_t end; /* raw */
	void (*done)(void *arg, enum answer ans, const char *reason, pid_t pid);
	void *arg;

	struct timer *tick; /* next look; not armed while rpc is set */
	struct sup_rpc *rpc;
	usec_t wait;	  /* before the next look */
	const char *why;  /* it is not so yet; static */
	usec_t absent_at; /* raw, supervisord has been gone since; 0 */
	pid_t unseen;	  /* supervisord's, and not to be seen */
	bool still;	  /* it did not run at the look before */
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

/* A look at once when this process has ended. */
void sup_work_watch(struct sup_work *w, pid_t pid);

/* It has not executed its command yet, or has ended and is not reaped; unknown:
 * there is no such process, or none that is seen from here. */
enum answer sup_young(pid_t pid);

/* What to do after a look that saw the program, or after none. */
void sup_step(struct sup_work *w, const struct sup_program *p);
void sup_step_absent(struct sup_work *w, const char *reason);

#endif
