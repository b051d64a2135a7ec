/*
 * Children: the only place that forks. A job ends when both its output is at
 * end of file and the process has exited, in either order; at its deadline the
 * process group gets TERM, 200 ms later KILL, and at most 200 ms after that the
 * job ends, even if a process that left the group holds the output open or the
 * kernel does not let the child die. argv arrays, never a shell. A child reads
 * from /dev/null or the input it is given, has a session of its own and ends
 * when we end.
 *
 * The kernel ends the child when we are killed, but not what the child has
 * started: repmgr would die, and its pg_rewind write on into data that our
 * successor has meanwhile rewound and started. So what changes data or switches
 * hosts is kept: it has a keeper (loop/job_keeper.h), and nothing that it
 * started outlives it, however it ends, nor us, however we end; and the keeper
 * holds the lock that our successor needs until nothing is left. What starts a
 * server that is to stay must never be kept.
 *
 * A mark in the environment, by which a successor would find what is left,
 * would be lost with the environment, and not end anything before there is a
 * successor.
 */
#ifndef HAWATCH_JOB_H
#define HAWATCH_JOB_H

#include <stddef.h>
#include <sys/types.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct job;

/* A pipe takes that much at once, whoever reads it. */
#define JOB_INPUT_MAX ((size_t)16384)

struct job_spec {
	const char *const *argv; /* NULL-terminated; argv[0] a full path */
	const char *const *env;	 /* NULL: a clean one with PATH and LANG=C,
				    and HOME, USER, LOGNAME of user */
	const char *also;  /* "NAME=value", one more in the clean one; NULL:
			      none */
	const char *user;  /* NULL: as we are; else its groups too */
	const char *dir;   /* NULL: "/" */
	usec_t deadline;   /* after the start; 0 is not allowed */
	size_t output_max; /* stdout and stderr together; 0: 16 KiB */
	const char *input; /* on its standard input; NULL: none */
	size_t input_len;  /* at most JOB_INPUT_MAX */
	int keep_fd;	   /* passed as fd 3; -1 none */
	bool kept;	   /* what it starts ends with it */
	usec_t until;	   /* kept: killed at this time, on the raw clock,
			      though we hang; 0: not before it is late */
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
/* Kills the process group now, reaps it in the background; no done. NULL: there
 * is none. */
void job_cancel(struct job *job);
/* What it has printed so far; borrowed, until the loop turns. */
const char *job_output(const struct job *job, size_t *len);
pid_t job_pid(const struct job *job); /* its keeper's, if it is kept */
/* Another until, for one that was given one. */
void job_until(struct job *job, usec_t until);
/* From now on the keepers hold this lock of flock(2): it is free when it is
 * closed here and nothing kept is left. Borrows; while the loop is. */
void job_lock(struct loop *loop, int fd);

#endif
