/*
 * Children: the only place that forks. A job ends when both its output is at
 * end of file and the process has exited, in either order; at its deadline the
 * process group gets TERM, 200 ms later KILL, and at most 200 ms after that the
 * job ends, even if a process that left the group holds the output open or the
 * kernel does not let the child die. argv arrays, never a shell. A child reads
 * from /dev/null, has a session of its own and ends when we end.
 */
#ifndef HAWATCH_JOB_H
#define HAWATCH_JOB_H

#include <stddef.h>
#include <sys/types.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct job;

struct job_spec {
	const char *const *argv; /* NULL-terminated; argv[0] a full path */
	const char *const *env;	 /* NULL: a clean one with PATH and LANG=C,
				    and HOME, USER, LOGNAME of user */
	const char *user;	 /* NULL: as we are; else its groups too */
	const char *dir;	 /* NULL: "/" */
	usec_t deadline;	 /* after the start; 0 is not allowed */
	size_t output_max;	 /* stdout and stderr together; 0: 16 KiB */
	int keep_fd;		 /* passed as fd 3; -1 none */
};

struct job_result {
	int status;	    /* as from waitpid; -1: could not be started, and
			       output says why, or (late) does not die */
	bool late;	    /* ended by its deadline */
	const char *output; /* what it printed, cut to output_max; owned by
			       job; followed by a 0 that is not counted */
	size_t output_len;
};

/* done is called once unless the job is cancelled; the job is freed after. */
struct job *job_start(struct loop *loop, const struct job_spec *spec,
    void (*done)(void *arg, const struct job_result *res), void *arg,
    struct error *err) MUST_CHECK;
/* Kills the process group now, reaps it in the background; no done. */
void job_cancel(struct job *job);
/* What it has printed so far; borrowed, until the loop turns. */
const char *job_output(const struct job *job, size_t *len);
pid_t job_pid(const struct job *job);

#endif
