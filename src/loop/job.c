/*
 * Children, seen from the daemon: output, end, deadline. How they come about is
 * in job_fork.c, what happens between fork and exec in job_child.c, and who
 * stands between us and what must not outlive us in job_keeper.c.
 *
 * A child that has exited stays a zombie until its job ends: as long as it is
 * one, no other process can get its number, so that signals to the process
 * group reach the right one. SIGCHLD tells of exits, and not a pidfd, since
 * valgrind knows only the first.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "loop/job_fork.h"
#include "loop/job_keeper.h"
#include "loop/loop_end.h"

#define JOB_OUTPUT_DEFAULT ((size_t)16384)
#define JOB_GRACE (200 * USEC_MSEC)

/* How far the job was pressed to end. */
enum job_press { JOB_RUNS = 0, JOB_TERMED, JOB_KILLED, JOB_GIVEN_UP };

struct job {
	LIST_ENTRY(job) entry;
	struct children *children;
	struct job_ends ends; /* pipes: -1 closed */
	enum job_press press;
	bool exited, eof, ending;
	struct watch *watch;
	struct timer *timer;
	char *output;
	size_t len, max;
	void (*done)(void *arg, const struct job_result *res);
	void *arg;
};

/* Every child of one loop, the cancelled ones too until they are reaped. */
struct children {
	struct loop_end end;
	struct loop *loop;
	struct sigwatch *sigchld;
	int lock; /* that keepers hold; -1 none */
	LIST_HEAD(jobs, job) jobs;
};

static struct children *children_of(struct loop *loop);
static void children_end(struct loop_end *end);
static void children_cb(void *arg, int signo);
static bool children_finish_one(struct children *all);
static void job_out_cb(void *arg, int what);
static void job_timer_cb(void *arg);
static void job_kill(const struct job *job, int signo);
static bool job_over(const struct job *job);
static void job_finish(struct job *job);
static void job_close(struct job *job);
static void job_free(struct job *job);

static struct children *
children_of(struct loop *loop)
{
	struct children *all;

	/* end is the first member. */
	all = (struct children *)loop_end_find(loop, children_end);
	if (all != NULL)
		return all;
	all = xcalloc(1, sizeof(*all));
	LIST_INIT(&all->jobs);
	all->loop = loop;
	all->lock = -1;
	all->end.fn = children_end;
	all->sigchld = sigwatch_new(loop, SIGCHLD, children_cb, all);
	loop_end_add(loop, &all->end);
	return all;
}

void
job_lock(struct loop *loop, int fd)
{
	children_of(loop)->lock = fd;
}

/* The process ends: nobody waits for the last children any more. */
static void
children_end(struct loop_end *end)
{
	struct children *all = (struct children *)end;
	struct job *job;

	while ((job = LIST_FIRST(&all->jobs)) != NULL) {
		/* What job_free frees it has taken out.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		job_kill(job, SIGKILL);
		waitpid(job->ends.pid, NULL, WNOHANG);
		job_free(job);
	}
	sigwatch_free(all->sigchld);
	free(all);
}

static void
children_cb(void *arg, int signo)
{
	struct children *all = arg;
	struct job *job;
	siginfo_t info;

	LIST_FOREACH(job, &all->jobs, entry) {
		info.si_pid = 0;
		if (!job->exited &&
		    waitid(P_PID, (id_t)job->ends.pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == job->ends.pid)
			job->exited = true;
	}
	/* A done may start and cancel jobs: the walk begins anew after each. */
	while (children_finish_one(all))
		;
}

static bool
children_finish_one(struct children *all)
{
	struct job *job;

	LIST_FOREACH(job, &all->jobs, entry) {
		/* What job_free frees it has taken out.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (!job_over(job) || job->ending)
			continue;
		job_finish(job);
		return true;
	}
	return false;
}

struct job *
job_start(struct loop *loop, const struct job_spec *spec,
    void (*done)(void *arg, const struct job_result *res), void *arg,
    struct error *err)
{
	struct job *job;

	if (spec->argv[0] == NULL || spec->argv[0][0] != '/') {
		error_set(err, ERR_CONFIG, "program %s: give its full path",
		    spec->argv[0] == NULL ? "\"\"" : spec->argv[0]);
		return NULL;
	}
	if (spec->deadline <= 0 || spec->deadline == USEC_NEVER) {
		error_set(
		    err, ERR_CONFIG, "program %s: no deadline", spec->argv[0]);
		return NULL;
	}
	if (spec->input_len > JOB_INPUT_MAX) {
		error_set(err, ERR_LIMIT, "program %s: too much to read",
		    spec->argv[0]);
		return NULL;
	}
	job = xcalloc(1, sizeof(*job));
	job->children = children_of(loop);
	job->done = done;
	job->arg = arg;
	job->max =
	    spec->output_max == 0 ? JOB_OUTPUT_DEFAULT : spec->output_max;
	if (job_fork(spec, job->children->lock, &job->ends, err) == -1) {
		free(job);
		return NULL;
	}
	LIST_INSERT_HEAD(&job->children->jobs, job, entry);
	job->watch =
	    watch_new(loop, job->ends.out, WATCH_READ, job_out_cb, job);
	job->timer = timer_new(loop, job_timer_cb, job);
	timer_arm(job->timer, spec->deadline);
	return job;
}

void
job_cancel(struct job *job)
{
	if (job == NULL || job->ending)
		return;
	job->done = NULL;
	job->press = JOB_KILLED;
	job_kill(job, SIGKILL);
	job_close(job);
	/* Of one that has exited no further signal tells. */
	if (job->exited)
		job_finish(job);
}

const char *
job_output(const struct job *job, size_t *len)
{
	*len = job->len;
	return job->output == NULL ? "" : job->output;
}

pid_t
job_pid(const struct job *job)
{
	return job->ends.pid;
}

void
job_until(struct job *job, usec_t until)
{
	job_kept_until(job->ends.kept, until);
}

static void
job_out_cb(void *arg, int what)
{
	struct job *job = arg;
	char buf[4096];
	ssize_t n = read(job->ends.out, buf, sizeof(buf));
	size_t take;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		job->eof = true;
		watch_set(job->watch, 0);
		if (job_over(job))
			job_finish(job);
		return;
	}
	take =
	    (size_t)n < job->max - job->len ? (size_t)n : job->max - job->len;
	if (take == 0)
		return;
	job->output = xrealloc(job->output, job->len + take + 1, 1);
	memcpy(job->output + job->len, buf, take);
	job->len += take;
	job->output[job->len] = '\0';
}

static void
job_timer_cb(void *arg)
{
	struct job *job = arg;

	switch (job->press) {
	case JOB_RUNS:
		job->press = JOB_TERMED;
		job_kill(job, SIGTERM);
		break;
	case JOB_TERMED:
		job->press = JOB_KILLED;
		job_kill(job, SIGKILL);
		break;
	case JOB_KILLED:
	case JOB_GIVEN_UP:
		job->press = JOB_GIVEN_UP;
		break;
	}
	if (job_over(job))
		job_finish(job);
	else
		timer_arm(job->timer, JOB_GRACE);
}

/* To the group, and to the child itself before it has made the group. */
static void
job_kill(const struct job *job, int signo)
{
	if (job->ends.kept != NULL) {
		job_keeper_kill(job->ends.kept, job->ends.pid, signo);
		return;
	}
	kill(-job->ends.pid, signo);
	kill(job->ends.pid, signo);
}

static bool
job_over(const struct job *job)
{
	return (job->exited && (job->eof || job->press >= JOB_KILLED)) ||
	       job->press == JOB_GIVEN_UP;
}

/* The only way to the end of a job. */
static void
job_finish(struct job *job)
{
	struct job_result res = { .status = -1,
		.late = job->press != JOB_RUNS };
	char why[512];
	ssize_t n;

	job->ending = true;
	/* The keeper that was killed itself has left something. */
	if (res.late || job->ends.kept != NULL)
		job_kill(job, SIGKILL);
	if (job->exited)
		waitpid(job->ends.pid, &res.status, WNOHANG);
	n = job->ends.trouble == -1 ?
		-1 :
		read(job->ends.trouble, why, sizeof(why) - 1);
	res.output = job->output == NULL ? "" : job->output;
	res.output_len = job->len;
	if (n > 0) {
		why[n] = '\0';
		res.status = -1;
		res.output = why;
		res.output_len = (size_t)n;
	}
	job_close(job);
	if (job->done != NULL)
		job->done(job->arg, &res);
	if (job->exited) {
		job_free(job);
		return;
	}
	/* It does not die: reaped when it does. */
	job->done = NULL;
	job->press = JOB_KILLED;
	job->ending = false;
}

static void
job_close(struct job *job)
{
	watch_free(job->watch);
	timer_free(job->timer);
	job->watch = NULL;
	job->timer = NULL;
	if (job->ends.out != -1)
		close(job->ends.out);
	if (job->ends.trouble != -1)
		close(job->ends.trouble);
	job->ends.out = job->ends.trouble = -1;
}

static void
job_free(struct job *job)
{
	LIST_REMOVE(job, entry);
	job_close(job);
	job_kept_free(job->ends.kept);
	free(job->output);
	free(job);
}
