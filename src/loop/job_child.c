/*
 * The child's side of a job: what it must not inherit from the daemon is put
 * back to normal, then it becomes the program.
 *
 * The daemon forks, and does not vfork: the loop must not wait while the
 * child looks up its user or the kernel reads the program from a disk that
 * hangs. So this may use all of libc, which survives a fork.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hawatch/job.h"
#include "hawatch/mem.h"
#include "loop/job_child.h"
#include "loop/job_keeper.h"

#define JOB_PATH \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* Out of the way of the descriptors that the program is given. */
#define JOB_FD_HIGH 16

static void job_child_die(int trouble, const char *what, const char *which)
    __attribute__((noreturn));
static void job_child_signals(void);
static void job_child_priority(void);
static int job_child_high(int fd);
static int job_child_fds(const struct job_spec *spec, int in, int out);
static int job_child_user(const struct job_spec *spec, struct passwd **pw);
static char *const *job_child_env(
    const struct job_spec *spec, const struct passwd *pw);

void
job_child(const struct job_spec *spec, const struct job_start *start)
{
	int in = start->in == -1 ? -1 : job_child_high(start->in);
	int out = job_child_high(start->out);
	int trouble = job_child_high(start->trouble), parent = start->parent;
	struct passwd *pw = NULL;

	setsid();
	if (start->kept != NULL) {
		parent = job_keeper(
		    start->kept, parent, start->lock, spec->deadline);
		if (parent == -1)
			job_child_die(trouble, "fork", "");
		setsid();
	}
	job_child_signals();
	job_child_priority();
	if (job_child_fds(spec, in, out) == -1)
		job_child_die(trouble, "descriptors", "");
	if (job_child_user(spec, &pw) == -1)
		job_child_die(trouble, "become user ", spec->user);
	/* After the change of user, which clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (chdir(spec->dir == NULL ? "/" : spec->dir) == -1)
		job_child_die(trouble, "change to ", spec->dir);
	umask(022);
	execve(spec->argv[0], (char *const *)(uintptr_t)spec->argv,
	    job_child_env(spec, pw));
	job_child_die(trouble, "run ", spec->argv[0]);
}

/* The child has one thread. */
static void
job_child_die(int trouble, const char *what, const char *which)
{
	dprintf(trouble, "%s%s: %s", what, which == NULL ? "/" : which,
	    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	    errno == 0 ? "no such user" : strerror(errno));
	_exit(127);
}

/* Ignored signals stay ignored over exec, and so does the mask. */
static void
job_child_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int i;

	sigemptyset(&sa.sa_mask);
	for (i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* The daemon may be nearer to real time, and further from the reach of the
 * kernel's memory killer, than what it starts, PostgreSQL for instance. */
static void
job_child_priority(void)
{
	struct sched_param normal = { 0 };
	char now[16] = "";
	int fd;

	if (sched_getscheduler(0) != SCHED_OTHER)
		sched_setscheduler(0, SCHED_OTHER, &normal);
	if (getpriority(PRIO_PROCESS, 0) < 0)
		setpriority(PRIO_PROCESS, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	if (read(fd, now, sizeof(now) - 1) > 0 && now[0] == '-' &&
	    write(fd, "0", 1) != 1)
		now[0] = '\0';
	close(fd);
}

static int
job_child_high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, JOB_FD_HIGH);
}

static int
job_child_fds(const struct job_spec *spec, int in, int out)
{
	int keep = -1;

	if (spec->keep_fd >= 0) {
		keep = job_child_high(spec->keep_fd);
		if (keep == -1)
			return -1;
	}
	if (in == -1) {
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (in == -1 || (in = job_child_high(in)) == -1)
			return -1;
	}
	if (dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(out, 2) == -1)
		return -1;
	if (keep != -1 && dup2(keep, 3) == -1)
		return -1;
	/* Everything is opened with O_CLOEXEC; this is for the libraries. */
	close_range(keep != -1 ? 4 : 3, ~0U, CLOSE_RANGE_CLOEXEC);
	return 0;
}

/* -1 with errno 0: there is no such user. */
static int
job_child_user(const struct job_spec *spec, struct passwd **pw)
{
	if (spec->user == NULL)
		return 0;
	errno = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the child has one thread */
	*pw = getpwnam(spec->user);
	if (*pw == NULL)
		return -1;
	if (geteuid() != 0 && geteuid() == (*pw)->pw_uid)
		return 0;
	if (initgroups(spec->user, (*pw)->pw_gid) == -1 ||
	    setresgid((*pw)->pw_gid, (*pw)->pw_gid, (*pw)->pw_gid) == -1 ||
	    setresuid((*pw)->pw_uid, (*pw)->pw_uid, (*pw)->pw_uid) == -1)
		return -1;
	return 0;
}

static char *const *
job_child_env(const struct job_spec *spec, const struct passwd *pw)
{
	const char **env = xcalloc(7, sizeof(*env));
	size_t n = 0;

	if (spec->env != NULL)
		return (char *const *)(uintptr_t)spec->env;
	env[n++] = JOB_PATH;
	env[n++] = "LANG=C";
	if (spec->also != NULL)
		env[n++] = spec->also;
	if (pw != NULL) {
		env[n++] = xasprintf("HOME=%s", pw->pw_dir);
		env[n++] = xasprintf("USER=%s", pw->pw_name);
		env[n++] = xasprintf("LOGNAME=%s", pw->pw_name);
	}
	return (char *const *)(uintptr_t)env;
}
