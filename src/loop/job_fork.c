/*
 * The pipes of a child, and the fork.
 */
#include "loop/job_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "hawatch/job.h"
#include "loop/job_child.h"
#include "loop/job_keeper.h"

/* Both ends of its pipes. */
struct job_pipes {
	int in, out[2], trouble[2];
};

static void
job_pipes_close(const struct job_pipes *p)
{
	const int fds[] = { p->in, p->out[0], p->out[1], p->trouble[0],
		p->trouble[1] };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] != -1)
			close(fds[i]);
	}
}

/* What it is to read, all of it, in a pipe whose other end is closed. */
static int
job_input(const struct job_spec *spec, int *in)
{
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	*in = fds[0];
	n = write(fds[1], spec->input, spec->input_len);
	close(fds[1]);
	/* To who reads it, it is a file like any other. */
	return n == (ssize_t)spec->input_len && fcntl(*in, F_SETFL, 0) == 0 ?
		   0 :
		   -1;
}

static int
job_pipes_open(const struct job_spec *spec, struct job_pipes *p)
{
	if (pipe2(p->out, O_CLOEXEC) == -1 ||
	    pipe2(p->trouble, O_CLOEXEC) == -1 ||
	    fcntl(p->out[0], F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(p->trouble[0], F_SETFL, O_NONBLOCK) == -1)
		return -1;
	return spec->input_len > 0 ? job_input(spec, &p->in) : 0;
}

/*
 * Signals are blocked over the fork: before it resets them, the child would
 * run the daemon's handlers, which write into the daemon's own pipe.
 */
int
job_fork(const struct job_spec *spec, int lock, struct job_ends *ends,
    struct error *err)
{
	struct job_pipes p = { -1, { -1, -1 }, { -1, -1 } };
	struct job_start start = { .parent = getpid(), .lock = lock };
	sigset_t all, before;

	if (job_pipes_open(spec, &p) == -1 ||
	    (spec->kept && (start.kept = job_kept_new(spec->until)) == NULL))
		goto fail;
	start.in = p.in;
	start.out = p.out[1];
	start.trouble = p.trouble[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ends->pid = fork();
	if (ends->pid == 0)
		job_child(spec, &start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ends->pid == -1)
		goto fail;
	ends->out = p.out[0];
	ends->trouble = p.trouble[0];
	ends->kept = start.kept;
	p.out[0] = p.trouble[0] = -1;
	job_pipes_close(&p);
	return 0;
fail:
	error_sys(err, "start %s", spec->argv[0]);
	job_kept_free(start.kept);
	job_pipes_close(&p);
	return -1;
}
