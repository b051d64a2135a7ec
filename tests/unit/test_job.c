/*
 * Children: every way to end, and what a child inherits.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/job.h"
#include "hawatch/loop.h"

struct fixture {
	struct loop *loop;
	struct job *job;
	int done, status;
	bool late;
	size_t len;
	char output[8192];
	bool cancel_in_done;
	struct job *other;
	struct timer *timer;
};

static void
on_done(void *arg, const struct job_result *res)
{
	struct fixture *f = arg;

	f->done++;
	f->status = res->status;
	f->late = res->late;
	f->len = res->output_len;
	assert_int_equal(strlen(res->output), res->output_len);
	snprintf(f->output, sizeof(f->output), "%s", res->output);
	if (f->cancel_in_done) {
		job_cancel(f->job);
		job_cancel(f->other);
	}
	loop_stop(f->loop);
}

static void
on_timer(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

static void
run_for(struct fixture *f, usec_t t)
{
	timer_arm(f->timer, t);
	loop_run(f->loop, NULL, NULL);
	timer_disarm(f->timer);
}

static void
start(struct fixture *f, struct job_spec spec)
{
	struct error err;

	if (spec.deadline == 0)
		spec.deadline = 5 * USEC_SEC;
	f->job = job_start(f->loop, &spec, on_done, f, &err);
	assert_non_null(f->job);
	assert_int_equal(f->done, 0);
}

/* Runs a shell text, without a shell in the product. */
static void
run(struct fixture *f, const char *text, struct job_spec spec)
{
	spec.argv = (const char *const[]){ "/bin/sh", "-c", text, NULL };
	if (spec.keep_fd == 0)
		spec.keep_fd = -1;
	f->done = 0;
	start(f, spec);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
}

/* A zombie counts as dead: process 1 takes its time. */
static bool
is_dead(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "r");
	if (stat == NULL)
		return true;
	(void)!fgets(line, sizeof(line), stat);
	fclose(stat);
	return line[0] == '\0' || strstr(line, ") Z ") != NULL;
}

static void
wait_dead(struct fixture *f, pid_t pid)
{
	usec_t end = clock_now().raw + 3 * USEC_SEC;

	while (!is_dead(pid)) {
		assert_true(clock_now().raw < end);
		run_for(f, 5 * USEC_MSEC);
	}
}

/* Waits until no process has this number, zombies included. */
static void
wait_reaped(struct fixture *f, pid_t pid)
{
	usec_t end = clock_now().raw + 3 * USEC_SEC;

	while (kill(pid, 0) == 0) {
		assert_true(clock_now().raw < end);
		run_for(f, 5 * USEC_MSEC);
	}
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->timer = timer_new(f->loop, on_timer, f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	timer_free(f->timer);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
test_output_and_status(void **state)
{
	struct fixture *f = *state;

	run(f, "echo out; echo err >&2; exit 3", (struct job_spec){ 0 });
	assert_string_equal(f->output, "out\nerr\n");
	assert_true(WIFEXITED(f->status));
	assert_int_equal(WEXITSTATUS(f->status), 3);
	assert_false(f->late);
	run(f, "kill -9 $$", (struct job_spec){ 0 });
	assert_true(WIFSIGNALED(f->status));
	assert_int_equal(WTERMSIG(f->status), SIGKILL);
	assert_string_equal(f->output, "");
}

static void
test_output_is_cut(void **state)
{
	struct fixture *f = *state;

	run(f,
	    "i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); "
	    "done; echo end",
	    (struct job_spec){ .output_max = 1000 });
	assert_int_equal(f->status, 0);
	assert_int_equal(f->len, 1000);
	assert_memory_equal(f->output, "0123456789\n0123", 15);
}

static void
test_cannot_start(void **state)
{
	struct fixture *f = *state;

	start(f, (struct job_spec){
		     .argv = (const char *const[]){ "/no/such", NULL },
		     .keep_fd = -1 });
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->status, -1);
	assert_string_equal(
	    f->output, "run /no/such: No such file or directory");
	run(f, "true", (struct job_spec){ .user = "nobody-of-that-name" });
	assert_int_equal(f->status, -1);
	assert_string_equal(
	    f->output, "become user nobody-of-that-name: no such user");
	run(f, "true", (struct job_spec){ .dir = "/no" });
	assert_int_equal(f->status, -1);
}

static void
test_bad_spec(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_null(job_start(f->loop,
	    &(struct job_spec){ .argv = (const char *const[]){ "sh", NULL },
		.deadline = USEC_SEC },
	    on_done, f, &err));
	assert_null(job_start(f->loop,
	    &(struct job_spec){
		.argv = (const char *const[]){ "/bin/sh", NULL } },
	    on_done, f, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

static void
test_exits_before_end_of_file(void **state)
{
	struct fixture *f = *state;

	run(f, "(sleep 0.2; echo late) & echo early", (struct job_spec){ 0 });
	assert_string_equal(f->output, "early\nlate\n");
	assert_int_equal(f->status, 0);
	assert_false(f->late);
}

static void
test_end_of_file_before_exit(void **state)
{
	struct fixture *f = *state;

	run(f, "echo a; exec >/dev/null 2>&1; sleep 0.2; exit 7",
	    (struct job_spec){ 0 });
	assert_string_equal(f->output, "a\n");
	assert_int_equal(WEXITSTATUS(f->status), 7);
}

static void
test_deadline_term(void **state)
{
	struct fixture *f = *state;
	usec_t from = clock_now().raw;

	run(f, "echo a; sleep 30",
	    (struct job_spec){ .deadline = USEC_MSEC * 100 });
	assert_true(f->late);
	assert_true(WIFSIGNALED(f->status));
	assert_int_equal(WTERMSIG(f->status), SIGTERM);
	assert_string_equal(f->output, "a\n");
	assert_in_range(
	    clock_now().raw - from, 100 * USEC_MSEC, 290 * USEC_MSEC);
}

/* The grandchild ignores TERM too; both are gone after the KILL. */
static void
test_deadline_kill(void **state)
{
	struct fixture *f = *state;
	usec_t from = clock_now().raw, took;
	int child, grandchild;

	run(f,
	    "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; "
	    "while :; do sleep 1; done' & echo $$; wait; sleep 30",
	    (struct job_spec){ .deadline = USEC_MSEC * 200 });
	took = clock_now().raw - from;
	assert_true(f->late);
	assert_int_equal(WTERMSIG(f->status), SIGKILL);
	assert_in_range(took, 400 * USEC_MSEC, 800 * USEC_MSEC);
	assert_int_equal(sscanf(f->output, "%d\n%d", &child, &grandchild), 2);
	wait_dead(f, child);
	wait_dead(f, grandchild);
}

/* One that left the group keeps the output open: the job ends all the same. */
static void
test_deserter_holds_the_output(void **state)
{
	struct fixture *f = *state;
	usec_t from = clock_now().raw;
	int pid;

	run(f, "setsid sh -c 'echo $$; exec sleep 3' & exit 0",
	    (struct job_spec){ .deadline = USEC_MSEC * 200 });
	assert_true(f->late);
	assert_int_equal(f->status, 0);
	assert_true(clock_now().raw - from < USEC_SEC);
	assert_int_equal(sscanf(f->output, "%d", &pid), 1);
	kill(pid, SIGKILL);
}

static void
test_user(void **state)
{
	struct fixture *f = *state;
	struct passwd *pw = getpwnam("postgres");
	gid_t ours[2] = { 0, 4 };

	if (getuid() != 0 || pw == NULL)
		skip();
	/* None of our groups may come along. */
	assert_int_equal(setgroups(2, ours), 0);
	run(f, "id -un; id -gn; id -Gn | tr ' ' '\\n' | grep -c .; echo $HOME",
	    (struct job_spec){ .user = "postgres" });
	assert_non_null(strstr(f->output, "postgres\npostgres\n"));
	assert_null(strstr(f->output, "root"));
	assert_non_null(strstr(f->output, pw->pw_dir));
	run(f, "id -G; id -G postgres",
	    (struct job_spec){ .user = "postgres" });
	assert_memory_equal(f->output, f->output + f->len / 2, f->len / 2);
}

static void
test_clean_environment(void **state)
{
	struct fixture *f = *state;
	const char *const env[] = { "ONE=1", NULL };

	setenv("SECRET", "x", 1);
	run(f, "/usr/bin/env; pwd", (struct job_spec){ 0 });
	unsetenv("SECRET");
	assert_null(strstr(f->output, "SECRET"));
	assert_non_null(strstr(f->output, "LANG=C\n"));
	assert_non_null(strstr(f->output, "PATH=/usr/local/sbin:"));
	assert_non_null(strstr(f->output, "\n/\n"));
	run(f, "echo $ONE $LANG; pwd",
	    (struct job_spec){ .env = env, .dir = "/tmp" });
	assert_string_equal(f->output, "1\n/tmp\n");
}

static void
test_signals_and_descriptors(void **state)
{
	struct fixture *f = *state;
	int leak, keep[2];

	/* On purpose without O_CLOEXEC. */
	leak = open("/dev/null", O_RDONLY);
	assert_int_equal(pipe(keep), 0);
	run(f, "ls /proc/self/fd", (struct job_spec){ 0 });
	assert_string_equal(f->output, "0\n1\n2\n3\n");
	/* SIGPIPE is ignored here, and must not be there. Without a shell,
	 * which may set signals right by itself. */
	f->done = 0;
	start(f,
	    (struct job_spec){ .argv = (const char *const[]){ "/bin/grep", "-E",
				   "Sig(Blk|Ign)", "/proc/self/status", NULL },
		.keep_fd = -1 });
	loop_run(f->loop, NULL, NULL);
	assert_string_equal(f->output,
	    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	run(f, "echo through >&3; read x; echo \"[$x]\"",
	    (struct job_spec){ .keep_fd = keep[1] });
	assert_string_equal(f->output, "[]\n");
	assert_int_equal(read(keep[0], f->output, 20), 8);
	assert_memory_equal(f->output, "through\n", 8);
	close(keep[0]);
	close(keep[1]);
	close(leak);
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	start(f, (struct job_spec){
		     .argv = (const char *const[]){ "/bin/sleep", "30", NULL },
		     .keep_fd = -1 });
	pid = job_pid(f->job);
	job_cancel(f->job);
	wait_reaped(f, pid);
	assert_int_equal(f->done, 0);
	/* One that has exited, and only its output is still open. */
	start(f, (struct job_spec){ .argv = (const char *const[]){ "/bin/sh",
					"-c", "sleep 2 & exit 0", NULL },
		     .keep_fd = -1 });
	pid = job_pid(f->job);
	run_for(f, 100 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	job_cancel(f->job);
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_cancel_at_the_end(void **state)
{
	struct fixture *f = *state;

	start(f, (struct job_spec){
		     .argv = (const char *const[]){ "/bin/sleep", "30", NULL },
		     .keep_fd = -1 });
	f->other = f->job;
	f->cancel_in_done = true;
	run(f, "true", (struct job_spec){ 0 });
	wait_reaped(f, job_pid(f->other));
}

/* The loop goes while the child is killed: nothing leaks, nothing stays. */
static void
test_loop_ends_first(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	start(f, (struct job_spec){
		     .argv = (const char *const[]){ "/bin/sleep", "30", NULL },
		     .keep_fd = -1 });
	pid = job_pid(f->job);
	job_cancel(f->job);
	timer_free(f->timer);
	loop_free(f->loop);
	f->loop = NULL;
	f->timer = NULL;
	assert_true(waitpid(pid, NULL, 0) == pid || errno == ECHILD);
}

static void
test_many_at_once(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 20; i++)
		start(f, (struct job_spec){
			     .argv = (const char *const[]){ "/bin/true", NULL },
			     .keep_fd = -1 });
	while (f->done < 20)
		loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->status, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The daemon is killed: its child does not act on. */
static void
test_child_ends_with_us(void **state)
{
	struct fixture *f = *state;
	int out[2], child = 0;
	struct error err;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	timer_free(f->timer);
	loop_free(f->loop);
	pid = fork();
	f->loop = loop_new(&err);
	f->timer = timer_new(f->loop, on_timer, f);
	if (pid == 0) {
		start(f, (struct job_spec){
			     .argv = (const char *const[]){ "/bin/sleep", "30",
				 NULL },
			     .keep_fd = -1 });
		child = job_pid(f->job);
		run_for(f, 50 * USEC_MSEC);
		(void)!write(out[1], &child, sizeof(child));
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(out[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	wait_dead(f, child);
	close(out[0]);
	close(out[1]);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_and_status),
		TEST(test_output_is_cut),
		TEST(test_cannot_start),
		TEST(test_bad_spec),
		TEST(test_exits_before_end_of_file),
		TEST(test_end_of_file_before_exit),
		TEST(test_deadline_term),
		TEST(test_deadline_kill),
		TEST(test_deserter_holds_the_output),
		TEST(test_user),
		TEST(test_clean_environment),
		TEST(test_signals_and_descriptors),
		TEST(test_cancel),
		TEST(test_cancel_at_the_end),
		TEST(test_loop_ends_first),
		TEST(test_many_at_once),
		TEST(test_child_ends_with_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
