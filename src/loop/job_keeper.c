/*
 * A subreaper that does nothing but wait: for its child to end, for our death,
 * for a word of ours, for the deadline. Each of them is a signal.
 *
 * Everything that the program starts is a child of the keeper, or a child of
 * one that is: when a parent dies, its children become the keeper's before its
 * end is told. So who kills its children and looks again after each end, until
 * it has none, has killed everything, whatever left its group or its session.
 */
#include "loop/job_keeper.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/loop.h"

#define KEEPER_NAME "hawatch-keeper"
#define KEEPER_END SIGUSR1 /* from us, and from the kernel when we died */
/* We press a program that is late first, and more gently. */
#define KEEPER_LATE USEC_SEC
#define KEEPER_LOOK (50 * USEC_MSEC) /* whether it was told another time */
#define KEEPER_CHILDREN "/proc/thread-self/children"

struct job_kept {
	_Atomic pid_t group;  /* the program's; 0: not yet, or no more */
	_Atomic usec_t until; /* 0: it has no other limit than its deadline */
};

struct job_kept *
job_kept_new(usec_t until)
{
	struct job_kept *kept = mmap(NULL, sizeof(*kept),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (kept == MAP_FAILED)
		return NULL;
	atomic_store(&kept->until, until);
	return kept;
}

void
job_kept_until(struct job_kept *kept, usec_t until)
{
	atomic_store(&kept->until, until);
}

void
job_kept_free(struct job_kept *kept)
{
	if (kept != NULL)
		munmap(kept, sizeof(*kept));
}

void
job_keeper_kill(struct job_kept *kept, pid_t keeper, int signo)
{
	pid_t group = atomic_load(&kept->group);

	/* Not through the keeper alone: what is killed does nothing more once
	 * the call returns, and a keeper has to get its turn first. */
	if (group > 0) {
		kill(-group, signo);
		kill(group, signo);
	}
	if (signo == SIGKILL)
		kill(keeper, KEEPER_END);
}

/* Those that do not fit come in a later round: after an end it looks again. */
static void
keeper_kill_children(void)
{
	char text[4096], *at = text, *end;
	ssize_t n = 0;
	long pid;
	int fd = open(KEEPER_CHILDREN, O_RDONLY | O_CLOEXEC);

	if (fd != -1) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	/* Each is followed by a space; what is cut off is not. */
	while ((pid = strtol(at, &end, 10)) > 1 && *end == ' ') {
		kill((pid_t)pid, SIGKILL);
		at = end;
	}
}

/* Returns the program's status. What the kernel does not let die is waited
 * for: as long as it is there, the keeper is. */
static int
keeper_end(struct job_kept *kept, pid_t program)
{
	int status, of_program = 0;
	pid_t got;

	/* It is not reaped yet: nobody else has its number. */
	kill(program, SIGKILL);
	atomic_store(&kept->group, 0);
	do {
		keeper_kill_children();
		got = waitpid(-1, &status, 0);
		if (got == program)
			of_program = status;
	} while (got != -1);
	return of_program;
}

/* A timer runs by a clock that may be slewed; so it only wakes. */
static bool
keeper_late(struct job_kept *kept, usec_t end)
{
	usec_t until = atomic_load(&kept->until), left;
	struct itimerval timer = { .it_interval = { 0 } };

	left = (until != 0 && until < end ? until : end) - clock_now().raw;
	if (left <= 0)
		return true;
	if (until != 0 && left > KEEPER_LOOK)
		left = KEEPER_LOOK;
	timer.it_value.tv_sec = left / USEC_SEC;
	timer.it_value.tv_usec = left % USEC_SEC;
	setitimer(ITIMER_REAL, &timer, NULL);
	return false;
}

/* All signals are blocked. The program stays a zombie, and so its number its
 * own; who lost their parents and ended are reaped. */
static void
keeper_wait(struct job_kept *kept, pid_t program, usec_t end)
{
	siginfo_t info;
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, KEEPER_END);
	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ==
			-1 ||
		    info.si_pid == program)
			return;
		if (info.si_pid != 0)
			waitpid(info.si_pid, NULL, WNOHANG);
		else if (sigwait(&set, &signo) != 0 || signo == KEEPER_END ||
			 (signo == SIGALRM && keeper_late(kept, end)))
			return;
	}
}

/* As the program ended, but that it leaves no core. */
static void __attribute__((noreturn)) keeper_exit(int status)
{
	int signo = WTERMSIG(status);
	sigset_t set;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	prctl(PR_SET_DUMPABLE, 0);
	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	kill(getpid(), signo);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(127);
}

/* Nothing of ours stays open but the lock: not even the program's output. */
static void
keeper_descriptors(int lock)
{
	if (lock != -1 && dup2(lock, 0) == -1)
		lock = -1;
	close_range(lock == -1 ? 0 : 1, ~0U, 0);
}

pid_t
job_keeper(struct job_kept *kept, pid_t parent, int lock, usec_t deadline)
{
	const usec_t end = clock_now().raw + deadline + KEEPER_LATE;
	pid_t self = getpid(), program;

	prctl(PR_SET_NAME, KEEPER_NAME);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, KEEPER_END);
	if (getppid() != parent)
		_exit(127);
	program = fork();
	if (program == -1)
		return -1;
	if (program == 0)
		return self;
	atomic_store(&kept->group, program);
	keeper_descriptors(lock);
	if (!keeper_late(kept, end))
		keeper_wait(kept, program, end);
	keeper_exit(keeper_end(kept, program));
}
