/*
 * The keeper of a program: its parent, and the parent of whatever it starts
 * that loses its own. When the program ends, or is to end, or we have died,
 * the keeper kills all of it, and ends when nothing of it is left.
 *
 * It is a fork of ours that runs no program, so that no descriptor, signal or
 * name of a user has to be handed on, and it remains who we are: no program
 * that changes its user gets out of its reach, and the kernel's memory killer
 * comes to it as late as to us. Only when somebody kills it by hand may
 * something be left: the program itself dies then, and its group by us.
 */
#ifndef HAWATCH_JOB_KEEPER_H
#define HAWATCH_JOB_KEEPER_H

#include <sys/types.h>

#include "hawatch/types.h"

/* What the keeper shares with us. */
struct job_kept;

/* NULL with errno. */
struct job_kept *job_kept_new(usec_t until) MUST_CHECK;
void job_kept_free(struct job_kept *kept);

/* Of the raw clock; not for one that was made with 0, and never is 0. */
void job_kept_until(struct job_kept *kept, usec_t until);

/* In the child: becomes the keeper, and returns in a child of that, with the
 * keeper's number, -1 when there could be none. parent: who forked it. lock: a
 * descriptor that it holds as long as it is; -1 none. All signals are blocked
 * on entry. It ends everything soon after the deadline, though we hang. */
pid_t job_keeper(
    struct job_kept *kept, pid_t parent, int lock, usec_t deadline) MUST_CHECK;

/* To the program's group; SIGKILL to everything of it. */
void job_keeper_kill(struct job_kept *kept, pid_t keeper, int signo);

#endif
