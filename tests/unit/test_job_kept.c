/*
 * Kept children: nothing that they started outlives them, nor the engine,
 * however it ends. A process of the test's stands for the engine; the programs
 * tell their numbers by descriptor 3.
 */
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/job.h"
#include "hawatch/loop.h"

#define SOON 3000 /* ms */
#define FAMILY_MAX 8

/* One in its group, one in a session of its own, one whose parent is gone, and
 * one that is stopped. */
#define FAMILY 5
#define FAMILY_TEXT \
	"sh -c 'echo $$ >&3; exec sleep 60' & " \
	"setsid sh -c 'trap \"\" TERM; echo $$ >&3; while :; do sleep 1; " \
	"done' & " \
	"sh -c 'setsid sh -c \"echo \\$\\$ >&3; exec sleep 60\" & exit 0' & " \
	"setsid sh -c 'echo $$ >&3; kill -STOP $$' & " \
	"echo $$ >&3; "

struct fixture {
	struct loop *loop;
	struct job *job;
	struct timer *timer;
	int done, status;
	bool late;
	char output[200], path[64];
	int told[2], n;
	int family[FAMILY_MAX]; /* pidfds */
	pid_t pids[FAMILY_MAX];
	pid_t engine;
};

static void
on_done(void *arg, const struct job_result *res)
{
	struct fixture *f = arg;

	f->done++;
	f->job = NULL;
	f->status = res->status;
	f->late = res->late;
	snprintf(f->output, sizeof(f->output), "%s", res->output);
	loop_stop(f->loop);
}

static void
on_timer(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

static void
loop_up(struct fixture *f)
{
	struct error err;

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->timer = timer_new(f->loop, on_timer, f);
}

static void
loop_down(struct fixture *f)
{
	timer_free(f->timer);
	loop_free(f->loop);
	f->loop = NULL;
	f->timer = NULL;
}

static void
run_for(struct fixture *f, usec_t t)
{
	timer_arm(f->timer, t);
	loop_run(f->loop, NULL, NULL);
	timer_disarm(f->timer);
}

static void
start(struct fixture *f, const char *text, struct job_spec spec)
{
	struct error err;

	spec.argv = (const char *const[]){ "/bin/sh", "-c", text, NULL };
	spec.keep_fd = f->told[1];
	if (spec.deadline == 0)
		spec.deadline = 30 * USEC_SEC;
	f->done = 0;
	f->job = job_start(f->loop, &spec, on_done, f, &err);
	assert_non_null(f->job);
}

static void
run(struct fixture *f, const char *text, struct job_spec spec)
{
	start(f, text, spec);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
}

static void
engine(struct fixture *f, const char *text, struct job_spec spec)
{
	int lock;

	f->engine = fork();
	if (f->engine != 0)
		return;
	loop_up(f);
	lock = open(f->path, O_RDWR | O_CLOEXEC);
	if (lock == -1 || flock(lock, LOCK_EX | LOCK_NB) == -1)
		_exit(1);
	job_lock(f->loop, lock);
	start(f, text, spec);
	loop_run(f->loop, NULL, NULL);
	/* It ends as it should, like who is told to. */
	loop_down(f);
	_exit(0);
}

/* The numbers come before their owners can be waited for. */
static void
family(struct fixture *f, int n)
{
	struct pollfd pfd = { .fd = f->told[0], .events = POLLIN };
	char text[200] = "", *at;
	size_t len = 0;

	for (f->n = 0; f->n < n;) {
		assert_int_equal(poll(&pfd, 1, SOON), 1);
		assert_int_equal(read(f->told[0], text + len, 1), 1);
		if (text[len++] != '\n')
			continue;
		f->pids[f->n] = (pid_t)strtol(text, &at, 10);
		f->family[f->n] = pidfd_open(f->pids[f->n], 0);
		assert_int_not_equal(f->family[f->n], -1);
		f->n++;
		memset(text, 0, sizeof(text));
		len = 0;
	}
}

static bool
ended(const struct fixture *f, int i, int ms)
{
	struct pollfd pfd = { .fd = f->family[i], .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static void
all_ended(const struct fixture *f)
{
	int i;

	for (i = 0; i < f->n; i++)
		assert_true(ended(f, i, SOON));
}

static bool
lock_free(const struct fixture *f)
{
	int fd = open(f->path, O_RDWR | O_CLOEXEC);
	bool is = flock(fd, LOCK_EX | LOCK_NB) == 0;

	close(fd);
	return is;
}

static bool
lock_free_soon(const struct fixture *f)
{
	usec_t end = clock_now().raw + SOON * USEC_MSEC;

	while (!lock_free(f)) {
		if (clock_now().raw > end)
			return false;
		poll(NULL, 0, 5);
	}
	return true;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/hawatch-kept.XXXXXX");
	fd = mkstemp(f->path);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(pipe2(f->told, O_CLOEXEC), 0);
	loop_up(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	int i;

	if (f->engine > 0) {
		kill(f->engine, SIGKILL);
		waitpid(f->engine, NULL, 0);
	}
	for (i = 0; i < f->n; i++) {
		pidfd_send_signal(f->family[i], SIGKILL, NULL, 0);
		close(f->family[i]);
	}
	if (f->loop != NULL)
		loop_down(f);
	close(f->told[0]);
	close(f->told[1]);
	unlink(f->path);
	free(f);
	return 0;
}

/* Seen from outside, the keeper is not there. */
static void
test_like_any_other(void **state)
{
	struct fixture *f = *state;
	struct error err;

	run(f, "read x; echo \"[$x]\"; exit 3",
	    (struct job_spec){ .kept = true, .input = "a\n", .input_len = 2 });
	assert_string_equal(f->output, "[a]\n");
	assert_int_equal(WEXITSTATUS(f->status), 3);
	run(f, "kill -9 $$", (struct job_spec){ .kept = true });
	assert_int_equal(WTERMSIG(f->status), SIGKILL);
	run(f, "kill -SEGV $$", (struct job_spec){ .kept = true });
	assert_int_equal(WTERMSIG(f->status), SIGSEGV);
	assert_false(f->late);
	run(f, "true",
	    (struct job_spec){ .kept = true, .user = "nobody-of-that-name" });
	assert_int_equal(f->status, -1);
	assert_string_equal(
	    f->output, "become user nobody-of-that-name: no such user");
	f->job = job_start(f->loop,
	    &(struct job_spec){
		.argv = (const char *const[]){ "/bin/grep", "-E",
		    "Sig(Blk|Ign|Pnd)", "/proc/self/status", NULL },
		.deadline = USEC_SEC,
		.keep_fd = -1,
		.kept = true },
	    on_done, f, &err);
	loop_run(f->loop, NULL, NULL);
	assert_string_equal(f->output,
	    "SigPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n"
	    "SigIgn:\t0000000000000000\n");
	run(f, "ls /proc/self/fd | tr '\\n' ' '; ps -o comm= $PPID",
	    (struct job_spec){ .kept = true });
	assert_string_equal(f->output, "0 1 2 3 4 hawatch-keeper\n");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The program has ended, and so what it left behind. */
static void
test_the_program_ends(void **state)
{
	struct fixture *f = *state;

	start(f, FAMILY_TEXT "sleep 0.3; exit 4",
	    (struct job_spec){ .kept = true });
	family(f, FAMILY);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(WEXITSTATUS(f->status), 4);
	assert_false(f->late);
	/* Not soon: before the job was told to have ended. */
	for (int i = 0; i < f->n; i++)
		assert_true(ended(f, i, 0));
}

static void
test_deadline(void **state)
{
	struct fixture *f = *state;
	usec_t from = clock_now().raw;

	start(f, FAMILY_TEXT "exec sleep 60",
	    (struct job_spec){ .kept = true, .deadline = 700 * USEC_MSEC });
	family(f, FAMILY);
	loop_run(f->loop, NULL, NULL);
	assert_true(f->late);
	assert_int_equal(WTERMSIG(f->status), SIGTERM);
	all_ended(f);
	assert_true(clock_now().raw - from < 2 * USEC_SEC);
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	struct job *job;

	start(f, FAMILY_TEXT "wait", (struct job_spec){ .kept = true });
	family(f, FAMILY);
	job = f->job;
	job_cancel(job);
	all_ended(f);
	while (waitpid(-1, NULL, WNOHANG) == 0)
		run_for(f, 5 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	/* Before there is a program. */
	start(f, FAMILY_TEXT "wait", (struct job_spec){ .kept = true });
	job_cancel(f->job);
	while (waitpid(-1, NULL, WNOHANG) == 0)
		run_for(f, 5 * USEC_MSEC);
}

/* The loop ends first; the keeper is this process' child yet. */
static void
test_orderly_end(void **state)
{
	struct fixture *f = *state;

	start(f, FAMILY_TEXT "wait", (struct job_spec){ .kept = true });
	family(f, FAMILY);
	loop_down(f);
	all_ended(f);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* The engine is killed: all that it started is gone before another begins. */
static void
test_engine_killed(void **state)
{
	struct fixture *f = *state;
	struct job_spec spec = { .kept = true };
	int i;

	if (getuid() == 0 && getpwnam("postgres") != NULL)
		spec.user = "postgres";
	engine(f, FAMILY_TEXT "exec sleep 60", spec);
	family(f, FAMILY);
	assert_false(lock_free(f));
	kill(f->engine, SIGKILL);
	assert_true(lock_free_soon(f));
	for (i = 0; i < f->n; i++)
		assert_true(ended(f, i, 0));
}

/* One that cannot end: a process that is traced is not gone before its tracer
 * has seen its end. */
static void
test_lock_until_gone(void **state)
{
	struct fixture *f = *state;

	engine(f, "setsid sh -c 'echo $$ >&3; exec sleep 60' & wait",
	    (struct job_spec){ .kept = true });
	family(f, 1);
	assert_int_equal(ptrace(PTRACE_SEIZE, f->pids[0], NULL, NULL), 0);
	kill(f->engine, SIGKILL);
	assert_true(ended(f, 0, SOON));
	poll(NULL, 0, 100);
	assert_false(lock_free(f));
	assert_int_equal(waitpid(f->pids[0], NULL, __WALL), f->pids[0]);
	assert_true(lock_free_soon(f));
}

/* The engine hangs: its program ends all the same, soon after its time. */
static void
test_engine_stopped(void **state)
{
	struct fixture *f = *state;
	usec_t from = clock_now().raw;

	engine(f, FAMILY_TEXT "exec sleep 60",
	    (struct job_spec){ .kept = true, .deadline = 700 * USEC_MSEC });
	family(f, FAMILY);
	kill(f->engine, SIGSTOP);
	all_ended(f);
	assert_true(clock_now().raw - from < 3 * USEC_SEC);
}

/* Until it is told another time. */
static void
test_until(void **state)
{
	struct fixture *f = *state;
	usec_t now = clock_now().raw;

	start(f, FAMILY_TEXT "exec sleep 60",
	    (struct job_spec){ .kept = true, .until = now + 400 * USEC_MSEC });
	family(f, FAMILY);
	job_until(f->job, now + 900 * USEC_MSEC);
	run_for(f, 600 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	loop_run(f->loop, NULL, NULL);
	assert_in_range(
	    clock_now().raw - now, 900 * USEC_MSEC, 1900 * USEC_MSEC);
	assert_int_equal(WTERMSIG(f->status), SIGKILL);
	all_ended(f);
}

/* Its new parent waits for who lost the old one. */
static void
test_no_zombies(void **state)
{
	struct fixture *f = *state;
	usec_t end = clock_now().raw + SOON * USEC_MSEC;

	start(f,
	    "sh -c 'sh -c \"echo \\$\\$ >&3; sleep 0.1\" & exit 0'; "
	    "exec sleep 60",
	    (struct job_spec){ .kept = true });
	family(f, 1);
	while (kill(f->pids[0], 0) == 0) {
		assert_true(clock_now().raw < end);
		run_for(f, 5 * USEC_MSEC);
	}
	assert_int_equal(f->done, 0);
}

/* Which is why a server is never started so. */
static void
test_not_kept_stays(void **state)
{
	struct fixture *f = *state;

	engine(f, "setsid sh -c 'echo $$ >&3; exec sleep 60' & exit 0",
	    (struct job_spec){ 0 });
	family(f, 1);
	kill(f->engine, SIGKILL);
	assert_true(lock_free_soon(f));
	assert_false(ended(f, 0, 100));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_like_any_other),
		TEST(test_the_program_ends),
		TEST(test_deadline),
		TEST(test_cancel),
		TEST(test_orderly_end),
		TEST(test_engine_killed),
		TEST(test_lock_until_gone),
		TEST(test_engine_stopped),
		TEST(test_until),
		TEST(test_no_zombies),
		TEST(test_not_kept_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
