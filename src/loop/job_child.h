/*
 * The child's side of a job, from fork to exec.
 */
#ifndef HAWATCH_JOB_CHILD_H
#define HAWATCH_JOB_CHILD_H

struct job_kept;
struct job_spec;

struct job_start {
	int parent;	       /* who forked it */
	int in;		       /* what it is to read; -1 nothing */
	int out, trouble;      /* what it is to write */
	struct job_kept *kept; /* NULL: it has no keeper */
	int lock;	       /* what the keeper is to hold; -1 nothing */
};

/* Becomes the program, or writes to trouble why not, and exits. All signals
 * are blocked on entry. */
void job_child(const struct job_spec *spec, const struct job_start *start)
    __attribute__((noreturn));

#endif
