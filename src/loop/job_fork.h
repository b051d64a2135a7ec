/*
 * A child's beginning: its pipes and the fork.
 */
#ifndef HAWATCH_JOB_FORK_H
#define HAWATCH_JOB_FORK_H

#include <sys/types.h>

#include "hawatch/error.h"

struct job_kept;
struct job_spec;

/* What is ours of it. */
struct job_ends {
	pid_t pid;	  /* the program, or its keeper */
	int out, trouble; /* to be read: its output; why it did not start */
	struct job_kept *kept; /* NULL: it has no keeper */
};

/* lock: what its keeper is to hold, -1 nothing. */
int job_fork(const struct job_spec *spec, int lock, struct job_ends *ends,
    struct error *err) MUST_CHECK;

#endif
