/*
 * The child's side of a job, from fork to exec.
 */
#ifndef HAWATCH_JOB_CHILD_H
#define HAWATCH_JOB_CHILD_H

struct job_spec;

/* Becomes the program, or writes to trouble why not, and exits. All signals
 * are blocked on entry. */
void job_child(const struct job_spec *spec, int parent, int out, int trouble)
    __attribute__((noreturn));

#endif
