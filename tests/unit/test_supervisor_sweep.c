/*
 * Stops that leave nothing behind, though a program does not hear, has children
 * or cannot be looked at.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "suprun.h"

/* supervisord's own KILL comes after stopwaitsecs; the deadline may be before.
 */
static void
test_deaf(void **state)
{
	struct suprun *f = *state;
	pid_t pid = sr_started(f, "deaf");

	sr_wait_ready(f, "deaf.ready");
	sr_work(f, (struct sup_goal){
		       .program = "deaf", .deadline = 300 * USEC_MSEC });
	sr_expect(f, ANS_NO, "program-stopping");
	assert_true(f->took < 600 * USEC_MSEC);
	sr_work(f, (struct sup_goal){ .program = "deaf" });
	sr_expect(f, ANS_YES, "");
	assert_false(sr_lives(pid));
	assert_true(f->took > USEC_SEC && f->took < 4 * USEC_SEC);
	sr_started(f, "deaf");
	sr_work(f, (struct sup_goal){
		       .program = "deaf", .sweep = sr_path(f, "deaf.sh") });
	sr_expect(f, ANS_YES, "");
	assert_true(f->took < 500 * USEC_MSEC);
	print_message("sweep of a deaf one: %ld ms\n", MS(f->took));
}

static void
test_sweep(void **state)
{
	struct suprun *f = *state;
	usec_t before;
	int alone;

	sr_run_for(f, 50 * USEC_MSEC);
	sr_wait_state(f, "auto", SUP_RUNNING);
	alone = suptest_processes(&f->sup);
	sr_started(f, "puller");
	sr_wait_ready(f, "pull.ready");
	/* The last of them may not have become what it will be. */
	before = clock_now().raw;
	while (suptest_left(f->loop, sr_path(f, "pull.sh")) < 4)
		assert_true(clock_now().raw - before < 5 * USEC_SEC);
	assert_int_equal(suptest_left(f->loop, sr_path(f, "pull")), 0);
	before = clock_now().raw;
	(void)suptest_left(f->loop, sr_path(f, "pull.sh"));
	print_message("scan: %ld us\n", (long)(clock_now().raw - before));
	sr_work(f, (struct sup_goal){
		       .program = "puller", .sweep = sr_path(f, "pull.sh") });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(suptest_left(f->loop, sr_path(f, "pull.sh")), 0);
	assert_int_equal(suptest_processes(&f->sup), alone);
	print_message("stop with sweep: %ld ms\n", MS(f->took));
}

/* Somebody stopped it by hand: supervisord says STOPPED, what it started lives
 * on, without its leader and without its path in any command. */
static void
test_sweep_after(void **state)
{
	struct suprun *f = *state;
	pid_t pid;
	int alone;

	sr_wait_state(f, "auto", SUP_RUNNING);
	alone = suptest_processes(&f->sup);
	pid = sr_started(f, "puller");
	sr_wait_ready(f, "pull.ready");
	kill(pid, SIGKILL);
	sr_work(f, (struct sup_goal){ .program = "puller" });
	sr_expect(f, ANS_YES, "");
	assert_true(suptest_processes(&f->sup) > alone);
	sr_work(f, (struct sup_goal){
		       .program = "puller", .sweep = sr_path(f, "pull.sh") });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(suptest_processes(&f->sup), alone);
}

/* Who reads the script is not the script; nor is another program, nor we. */
static void
test_sweep_spares(void **state)
{
	struct suprun *f = *state;
	char script[200];
	pid_t reader, own, inner, other;

	snprintf(script, sizeof(script), "%s", sr_path(f, "pull.sh"));
	reader = fork();
	if (reader == 0) {
		setpgid(0, 0);
		suptest_quiet();
		execl("/usr/bin/tail", "tail", "-f", script, NULL);
		_exit(127);
	}
	own = fork();
	if (own == 0) {
		suptest_quiet();
		execl("/bin/bash", "bash", "-e", script, NULL);
		_exit(127);
	}
	/* In a container with the host's network. */
	inner = fork();
	if (inner == 0) {
		setpgid(0, 0);
		suptest_quiet();
		execl("/usr/bin/unshare", "unshare", "--pid", "--fork",
		    "--kill-child", "/bin/bash", script, NULL);
		_exit(127);
	}
	other = sr_started(f, "good");
	sr_wait_ready(f, "pull.ready");
	sr_work(f, (struct sup_goal){ .program = "puller", .sweep = script });
	sr_expect(f, ANS_YES, "");
	assert_true(sr_lives(reader));
	assert_true(sr_lives(other));
	assert_int_equal(waitpid(reader, NULL, WNOHANG), 0);
	/* It was in our group, and is gone without us. */
	assert_int_equal(waitpid(own, NULL, 0), own);
	sr_run_for(f, 20 * USEC_MSEC);
	assert_int_equal(waitpid(inner, NULL, WNOHANG), 0);
	kill(inner, SIGKILL);
	assert_int_equal(waitpid(inner, NULL, 0), inner);
	kill(reader, SIGKILL);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
}

static int
threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	int count = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		count += e->d_name[0] != '.';
	closedir(dir);
	return count;
}

struct beat {
	struct timer *timer;
	usec_t last, gap; /* the longest round of the loop */
};

static void
on_beat(void *arg)
{
	struct beat *b = arg;
	usec_t now = clock_now().raw;

	if (now - b->last > b->gap)
		b->gap = now - b->last;
	b->last = now;
	timer_arm(b->timer, 2 * USEC_MSEC);
}

/* Of a process whose memory is locked for ever: whoever reads, waits. */
static bool
hold(pid_t pid, const char *fifo)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/cmdline", (int)pid);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	if (unshare(CLONE_NEWNS) == -1)
		return false;
	assert_int_equal(mount("", "/", "", MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(fifo, name, "", MS_BIND, NULL), 0);
	return true;
}

static void
let_go(pid_t pid, const char *fifo)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/cmdline", (int)pid);
	assert_int_equal(umount2(name, MNT_DETACH), 0);
	while ((fd = open(fifo, O_WRONLY | O_NONBLOCK)) == -1)
		assert_true(clock_now().raw > 0);
	close(fd);
}

/* One process that cannot be looked at: not known, and the loop goes on; it is
 * not asked after for ever. */
static void
test_held(void **state)
{
	struct suprun *f = *state;
	struct beat b = { .last = clock_now().raw };
	char script[200], fifo[200];
	int own = threads(); /* a sanitizer has one, too */
	usec_t end;
	pid_t held;
	int i;

	snprintf(script, sizeof(script), "%s", sr_path(f, "pull.sh"));
	snprintf(fifo, sizeof(fifo), "%s", sr_path(f, "held"));
	held = fork();
	if (held == 0) {
		setpgid(0, 0);
		suptest_quiet();
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(127);
	}
	kill(sr_started(f, "puller"), SIGKILL);
	sr_work(f, (struct sup_goal){ .program = "puller" });
	sr_expect(f, ANS_YES, "");
	if (!hold(held, fifo))
		skip();
	b.timer = timer_new(f->loop, on_beat, &b);
	timer_arm(b.timer, 0);
	for (i = 0; i < 12; i++) {
		sr_work(f, (struct sup_goal){ .program = "puller",
			       .sweep = script,
			       .deadline = 100 * USEC_MSEC });
		sr_expect(f, ANS_NO, "not-known");
		assert_true(f->took < 500 * USEC_MSEC);
	}
	f->done = 0;
	sup_left_start(f->loop, script, 100 * USEC_MSEC, sr_on_left, f);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->count, -1);
	print_message(
	    "held: %d threads, longest round %ld ms\n", threads(), MS(b.gap));
	assert_in_range(threads(), own + 1, own + 9);
	assert_true(b.gap < 200 * USEC_MSEC);
	end = clock_now().raw + 5 * USEC_SEC;
	let_go(held, fifo);
	while (threads() != own) {
		assert_true(clock_now().raw < end);
		sr_run_for(f, 5 * USEC_MSEC);
	}
	sr_work(f, (struct sup_goal){ .program = "puller", .sweep = script });
	sr_expect(f, ANS_YES, "");
	assert_int_equal(suptest_left(f->loop, script), 0);
	timer_free(b.timer);
	kill(held, SIGKILL);
	assert_int_equal(waitpid(held, NULL, 0), held);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sr_setup, sr_teardown)
	const struct CMUnitTest tests[] = {
		T(test_deaf),
		T(test_sweep),
		T(test_sweep_after),
		T(test_sweep_spares),
		/* Last: it leaves the mounts of the others. */
		T(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
