/*
 * A real supervisord and its programs: the list, restarts, stops that leave
 * nothing behind, and each way in which supervisord itself can be gone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/supervisor.h"
#include "suptest.h"

#define MS(t) ((long)((t) / USEC_MSEC))

struct fixture {
	struct suptest sup;
	struct loop *loop;
	struct http *web;
	struct timer *timer;
	int done;
	enum answer ans;
	char reason[64];
	pid_t pid;
	usec_t took;
	int count;
	struct sup_program program[SUP_PROGRAMS_MAX];
	struct sup_work *work;
};

static const char programs[] =
    "[program:good]\ncommand=/bin/sleep 1000\nautostart=false\n"
    "[program:slow]\ncommand=/bin/bash @/slow.sh\nautostart=false\n"
    "[program:deaf]\ncommand=@/deaf.sh\nautostart=false\nstopwaitsecs=2\n"
    "[program:puller]\ncommand=@/pull.sh\nautostart=false\n"
    "redirect_stderr=true\n"
    "[program:fatal]\ncommand=/bin/false\nautostart=false\nstartretries=0\n"
    "[program:missing]\ncommand=/nonexistent/x\nautostart=false\n"
    "[program:ends]\ncommand=/bin/sleep 1003\nautostart=false\n"
    "startsecs=0\nautorestart=true\nredirect_stderr=true\n"
    "[program:once]\ncommand=/bin/true\nautostart=false\nstartsecs=0\n"
    "autorestart=false\n"
    "[program:auto]\ncommand=/bin/sleep 2000\nautostart=true\n"
    "[program:api]\ncommand=/bin/sleep 1001\nautostart=false\n"
    "[group:web]\nprograms=api\n"
    "[program:many]\ncommand=/bin/sleep 1002\nautostart=false\n"
    "numprocs=5\nprocess_name=%(process_num)d\n";

static void
on_list(void *arg, const struct sup_list *list)
{
	struct fixture *f = arg;

	f->done++;
	f->ans = list->ans;
	snprintf(f->reason, sizeof(f->reason), "%s", list->reason);
	f->count = list->count;
	if (list->count > 0)
		memcpy(f->program, list->program,
		    sizeof(f->program[0]) * (size_t)list->count);
	loop_stop(f->loop);
}

static void
on_work(void *arg, enum answer ans, const char *reason, pid_t pid)
{
	struct fixture *f = arg;

	f->done++;
	f->ans = ans;
	f->pid = pid;
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
	loop_stop(f->loop);
}

static void
on_left(void *arg, int count)
{
	struct fixture *f = arg;

	f->done++;
	f->count = count;
	loop_stop(f->loop);
}

static void
on_stop(void *arg)
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
list(struct fixture *f, usec_t deadline)
{
	struct error err;

	f->done = 0;
	f->took = clock_now().raw;
	assert_non_null(
	    sup_list_start(f->web, f->sup.socket, deadline, on_list, f, &err));
	assert_int_equal(f->done, 0);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	f->took = clock_now().raw - f->took;
}

static const struct sup_program *
program(struct fixture *f, const char *name)
{
	static struct sup_program found;
	struct sup_list l = { .program = f->program };
	const struct sup_program *p;

	list(f, 5 * USEC_SEC);
	assert_int_equal(f->ans, ANS_YES);
	l.count = f->count;
	p = sup_find(&l, name);
	assert_non_null(p);
	found = *p;
	return &found;
}

static void
wait_state(struct fixture *f, const char *name, enum sup_state state)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	while (program(f, name)->state != state) {
		assert_true(clock_now().raw < end);
		run_for(f, 10 * USEC_MSEC);
	}
}

static void
work(struct fixture *f, struct sup_goal goal)
{
	goal.socket = f->sup.socket;
	if (goal.deadline == 0)
		goal.deadline = 10 * USEC_SEC;
	f->done = 0;
	f->took = clock_now().raw;
	f->work = sup_work_start(f->loop, f->web, &goal, on_work, f);
	assert_int_equal(f->done, 0);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	f->took = clock_now().raw - f->took;
}

static void
expect(struct fixture *f, enum answer ans, const char *reason)
{
	assert_string_equal(f->reason, reason);
	assert_int_equal(f->ans, ans);
}

static pid_t
started(struct fixture *f, const char *name)
{
	work(f, (struct sup_goal){
		    .program = name, .running = true, .started = true });
	expect(f, ANS_YES, "");
	assert_true(f->pid > 1);
	return f->pid;
}

static const char *
path(struct fixture *f, const char *name)
{
	static char text[200];

	snprintf(text, sizeof(text), "%s/%s", f->sup.dir, name);
	return text;
}

/* Nor is it merely not reaped, which the init of a container may forget. */
static bool
lives(pid_t pid)
{
	char name[64], text[200] = "";
	const char *s;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	file = fopen(name, "r");
	if (file == NULL)
		return false;
	s = fgets(text, sizeof(text), file);
	fclose(file);
	s = s == NULL ? NULL : strrchr(s, ')');
	return s != NULL && s[2] != 'Z';
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->timer = timer_new(f->loop, on_stop, f);
	f->web = http_new(f->loop, NULL, &err);
	assert_non_null(f->web);
	suptest_new(&f->sup, programs);
	suptest_script(&f->sup, "slow.sh",
	    "#!/bin/bash\ntrap 'sleep 1; exit 0' TERM\necho > @/slow.ready\n"
	    "while :; do sleep 0.02; done\n");
	suptest_script(&f->sup, "deaf.sh",
	    "#!/bin/bash\ntrap '' TERM\necho > @/deaf.ready\n"
	    "while :; do sleep 0.1; done\n");
	/* As the scripts that synchronise directories: a child in the
	 * background, a trap that does not work. */
	suptest_script(&f->sup, "pull.sh",
	    "#!/bin/bash\ntrap 'kill $nobody' TERM\n"
	    "sleep 5000 &\n(exec sleep 5001) &\necho > @/pull.ready\n"
	    "while :; do sleep 5; done\n");
	suptest_start(&f->sup);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	http_free(f->web);
	timer_free(f->timer);
	loop_free(f->loop);
	suptest_free(&f->sup);
	free(f);
	return 0;
}

/* Until the script has set its trap. */
static void
wait_ready(struct fixture *f, const char *file)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	while (access(path(f, file), F_OK) == -1) {
		assert_true(clock_now().raw < end);
		run_for(f, 5 * USEC_MSEC);
	}
}

static void
test_list(void **state)
{
	struct fixture *f = *state;
	const struct sup_program *p;

	p = program(f, "auto");
	assert_int_equal(f->count, 15);
	assert_string_equal(p->group, "auto");
	assert_true(p->state == SUP_STARTING || p->state == SUP_RUNNING ||
		    p->state == SUP_STOPPED);
	print_message("list: %ld ms\n", MS(f->took));
	p = program(f, "web:api");
	assert_string_equal(p->name, "api");
	assert_int_equal(p->state, SUP_STOPPED);
	assert_int_equal(p->pid, 0);
	assert_int_equal(p->start, 0);
	assert_true(p->now > 1600000000);
	assert_null(sup_find(
	    &(struct sup_list){ .count = f->count, .program = f->program },
	    "api"));
	assert_null(sup_find(
	    &(struct sup_list){ .count = f->count, .program = f->program },
	    "goo"));
	work(f, (struct sup_goal){
		    .program = "web:api", .running = true, .started = true });
	expect(f, ANS_YES, "");
	p = program(f, "web:api");
	assert_int_equal(p->pid, f->pid);
}

static void
test_restart(void **state)
{
	struct fixture *f = *state;
	pid_t first, second;

	first = started(f, "good");
	print_message("start: %ld ms\n", MS(f->took));
	/* It is so already. */
	assert_int_equal(started(f, "good"), first);
	print_message("nothing to do: %ld ms\n", MS(f->took));
	work(f, (struct sup_goal){ .program = "good",
		    .running = true,
		    .started = true,
		    .not_pid = first });
	expect(f, ANS_YES, "");
	second = f->pid;
	assert_true(second > 1 && second != first);
	assert_false(lives(first));
	assert_true(lives(second));
	print_message("restart while STARTING: %ld ms\n", MS(f->took));
	assert_true(f->took < 150 * USEC_MSEC);
	/* RUNNING means after startsecs. */
	work(f, (struct sup_goal){ .program = "good", .running = true });
	expect(f, ANS_YES, "");
	assert_int_equal(f->pid, second);
	print_message("until RUNNING: %ld ms\n", MS(f->took));
	assert_int_equal(program(f, "good")->state, SUP_RUNNING);
	work(f, (struct sup_goal){ .program = "good",
		    .running = true,
		    .started = true,
		    .not_pid = second });
	expect(f, ANS_YES, "");
	print_message("restart: %ld ms\n", MS(f->took));
	assert_true(f->took < 150 * USEC_MSEC);
	/* A repeated request finds it done. */
	second = f->pid;
	work(f, (struct sup_goal){ .program = "good",
		    .running = true,
		    .started = true,
		    .not_pid = first });
	expect(f, ANS_YES, "");
	assert_int_equal(f->pid, second);
}

struct one {
	struct fixture *f;
	char name[16];
	pid_t pid;
	enum answer ans;
};

static void
on_one(void *arg, enum answer ans, const char *reason, pid_t pid)
{
	struct one *one = arg;

	one->ans = ans;
	one->pid = pid;
	if (++one->f->done == 5)
		loop_stop(one->f->loop);
}

static void
test_parallel(void **state)
{
	struct fixture *f = *state;
	struct one one[5];
	struct sup_goal goal = { .socket = f->sup.socket,
		.running = true,
		.started = true,
		.deadline = 10 * USEC_SEC };
	usec_t began;
	int i;

	for (i = 0; i < 5; i++) {
		one[i].f = f;
		snprintf(one[i].name, sizeof(one[i].name), "many:%d", i);
		one[i].pid = started(f, one[i].name);
	}
	f->done = 0;
	began = clock_now().raw;
	for (i = 0; i < 5; i++) {
		goal.program = one[i].name;
		goal.not_pid = one[i].pid;
		sup_work_start(f->loop, f->web, &goal, on_one, &one[i]);
	}
	loop_run(f->loop, NULL, NULL);
	print_message("restart of five: %ld ms\n", MS(clock_now().raw - began));
	for (i = 0; i < 5; i++) {
		assert_int_equal(one[i].ans, ANS_YES);
		assert_int_equal(program(f, one[i].name)->pid, one[i].pid);
	}
}

static void
test_stop(void **state)
{
	struct fixture *f = *state;
	pid_t pid = started(f, "good");

	work(f, (struct sup_goal){ .program = "good" });
	expect(f, ANS_YES, "");
	assert_int_equal(f->pid, 0);
	print_message("stop: %ld ms\n", MS(f->took));
	assert_false(lives(pid));
	assert_int_equal(program(f, "good")->state, SUP_STOPPED);
	work(f, (struct sup_goal){ .program = "good" });
	expect(f, ANS_YES, "");
	/* Never started, so that supervisord may be about to. */
	work(f, (struct sup_goal){ .program = "auto" });
	expect(f, ANS_YES, "");
	run_for(f, 100 * USEC_MSEC);
	assert_int_equal(program(f, "auto")->state, SUP_STOPPED);
}

/* A start while it is stopping returns true and does nothing. */
static void
test_stopping(void **state)
{
	struct fixture *f = *state;
	struct sup_goal stop = { .program = "slow", .deadline = 2 * USEC_SEC };
	pid_t first = started(f, "slow"), second;

	wait_ready(f, "slow.ready");
	stop.socket = f->sup.socket;
	f->work = sup_work_start(f->loop, f->web, &stop, on_work, f);
	wait_state(f, "slow", SUP_STOPPING);
	sup_work_cancel(f->work);
	work(f, (struct sup_goal){
		    .program = "slow", .running = true, .started = true });
	expect(f, ANS_YES, "");
	assert_true(f->pid != first);
	assert_true(f->took > 500 * USEC_MSEC && f->took < 3 * USEC_SEC);
	assert_int_equal(program(f, "slow")->pid, f->pid);
	second = f->pid;
	unlink(path(f, "slow.ready"));
	run_for(f, 50 * USEC_MSEC);
	work(f, (struct sup_goal){ .program = "slow",
		    .running = true,
		    .started = true,
		    .not_pid = second });
	expect(f, ANS_YES, "");
	print_message("restart of what needs 1 s: %ld ms\n", MS(f->took));
}

/* supervisord's own KILL comes after stopwaitsecs; the deadline may be before.
 */
static void
test_deaf(void **state)
{
	struct fixture *f = *state;
	pid_t pid = started(f, "deaf");

	wait_ready(f, "deaf.ready");
	work(f, (struct sup_goal){
		    .program = "deaf", .deadline = 300 * USEC_MSEC });
	expect(f, ANS_NO, "program-stopping");
	assert_true(f->took < 600 * USEC_MSEC);
	work(f, (struct sup_goal){ .program = "deaf" });
	expect(f, ANS_YES, "");
	assert_false(lives(pid));
	assert_true(f->took > USEC_SEC && f->took < 4 * USEC_SEC);
	started(f, "deaf");
	work(f, (struct sup_goal){
		    .program = "deaf", .sweep = path(f, "deaf.sh") });
	expect(f, ANS_YES, "");
	assert_true(f->took < 500 * USEC_MSEC);
	print_message("sweep of a deaf one: %ld ms\n", MS(f->took));
}

static void
test_sweep(void **state)
{
	struct fixture *f = *state;
	usec_t before;
	int alone;

	run_for(f, 50 * USEC_MSEC);
	wait_state(f, "auto", SUP_RUNNING);
	alone = suptest_processes(&f->sup);
	started(f, "puller");
	wait_ready(f, "pull.ready");
	/* The last of them may not have become what it will be. */
	before = clock_now().raw;
	while (suptest_left(f->loop, path(f, "pull.sh")) < 4)
		assert_true(clock_now().raw - before < 5 * USEC_SEC);
	assert_int_equal(suptest_left(f->loop, path(f, "pull")), 0);
	before = clock_now().raw;
	(void)suptest_left(f->loop, path(f, "pull.sh"));
	print_message("scan: %ld us\n", (long)(clock_now().raw - before));
	work(f, (struct sup_goal){
		    .program = "puller", .sweep = path(f, "pull.sh") });
	expect(f, ANS_YES, "");
	assert_int_equal(suptest_left(f->loop, path(f, "pull.sh")), 0);
	assert_int_equal(suptest_processes(&f->sup), alone);
	print_message("stop with sweep: %ld ms\n", MS(f->took));
}

/* Somebody stopped it by hand: supervisord says STOPPED, what it started lives
 * on, without its leader and without its path in any command. */
static void
test_sweep_after(void **state)
{
	struct fixture *f = *state;
	pid_t pid;
	int alone;

	wait_state(f, "auto", SUP_RUNNING);
	alone = suptest_processes(&f->sup);
	pid = started(f, "puller");
	wait_ready(f, "pull.ready");
	kill(pid, SIGKILL);
	work(f, (struct sup_goal){ .program = "puller" });
	expect(f, ANS_YES, "");
	assert_true(suptest_processes(&f->sup) > alone);
	work(f, (struct sup_goal){
		    .program = "puller", .sweep = path(f, "pull.sh") });
	expect(f, ANS_YES, "");
	assert_int_equal(suptest_processes(&f->sup), alone);
}

/* Who reads the script is not the script; nor is another program, nor we. */
static void
test_sweep_spares(void **state)
{
	struct fixture *f = *state;
	char script[200];
	pid_t reader, own, inner, other;

	snprintf(script, sizeof(script), "%s", path(f, "pull.sh"));
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
	other = started(f, "good");
	wait_ready(f, "pull.ready");
	work(f, (struct sup_goal){ .program = "puller", .sweep = script });
	expect(f, ANS_YES, "");
	assert_true(lives(reader));
	assert_true(lives(other));
	assert_int_equal(waitpid(reader, NULL, WNOHANG), 0);
	/* It was in our group, and is gone without us. */
	assert_int_equal(waitpid(own, NULL, 0), own);
	run_for(f, 20 * USEC_MSEC);
	assert_int_equal(waitpid(inner, NULL, WNOHANG), 0);
	kill(inner, SIGKILL);
	assert_int_equal(waitpid(inner, NULL, 0), inner);
	kill(reader, SIGKILL);
	assert_int_equal(waitpid(reader, NULL, 0), reader);
}

static void
test_fatal(void **state)
{
	struct fixture *f = *state;

	work(f, (struct sup_goal){ .program = "fatal", .running = true });
	expect(f, ANS_NO, "program-fatal");
	print_message("FATAL given up: %ld ms\n", MS(f->took));
	assert_true(f->took > USEC_SEC && f->took < 10 * USEC_SEC);
	work(f, (struct sup_goal){ .program = "fatal" });
	expect(f, ANS_YES, "");
	work(f, (struct sup_goal){ .program = "missing",
		    .running = true,
		    .started = true,
		    .deadline = 500 * USEC_MSEC });
	expect(f, ANS_NO, "program-start");
	work(f, (struct sup_goal){ .program = "nosuch", .running = true });
	expect(f, ANS_NO, "program-missing");
	assert_true(f->took < 500 * USEC_MSEC);
	work(f, (struct sup_goal){ .program = "nosuch" });
	expect(f, ANS_NO, "program-missing");
}

/* EXITED is the end only where supervisord leaves it so. */
static void
test_exited(void **state)
{
	struct fixture *f = *state;

	/* Reaped by the end of its output, restarted a round later. */
	kill(started(f, "ends"), SIGKILL);
	run_for(f, 100 * USEC_MSEC);
	work(f, (struct sup_goal){ .program = "ends" });
	expect(f, ANS_YES, "");
	run_for(f, 200 * USEC_MSEC);
	assert_int_equal(program(f, "ends")->state, SUP_STOPPED);
	work(f, (struct sup_goal){
		    .program = "once", .running = true, .deadline = USEC_SEC });
	wait_state(f, "once", SUP_EXITED);
	work(f, (struct sup_goal){ .program = "once" });
	expect(f, ANS_YES, "");
	assert_int_equal(program(f, "once")->state, SUP_EXITED);
}

/* Its directory is gone with a clean end, the socket stays after a KILL. */
static void
test_gone(void **state)
{
	struct fixture *f = *state;
	struct sup_goal up = { .program = "good", .running = true };

	suptest_end(&f->sup, SIGTERM);
	list(f, 5 * USEC_SEC);
	expect(f, ANS_UNKNOWN, "no-socket");
	assert_int_equal(f->count, 0);
	work(f, up);
	expect(f, ANS_NO, "no-socket");
	assert_true(f->took < 4 * USEC_SEC);
	work(f, (struct sup_goal){
		    .program = "puller", .sweep = path(f, "pull.sh") });
	expect(f, ANS_YES, "");
	assert_true(f->took < 500 * USEC_MSEC);
}

static void
test_killed(void **state)
{
	struct fixture *f = *state;
	pid_t old, fresh;
	int left;

	started(f, "puller");
	wait_ready(f, "pull.ready");
	old = started(f, "good");
	suptest_end(&f->sup, SIGKILL);
	list(f, 5 * USEC_SEC);
	expect(f, ANS_UNKNOWN, "connect-refused");
	work(f, (struct sup_goal){ .program = "good", .running = true });
	expect(f, ANS_NO, "connect-refused");
	/* Without a sweep it is seen, not ended. */
	work(f, (struct sup_goal){
		    .program = "good", .deadline = 200 * USEC_MSEC });
	expect(f, ANS_NO, "program-left");
	left = suptest_left(f->loop, path(f, "pull.sh"));
	assert_true(left >= 4);
	work(f, (struct sup_goal){
		    .program = "puller", .sweep = path(f, "pull.sh") });
	expect(f, ANS_YES, "");
	assert_int_equal(suptest_left(f->loop, path(f, "pull.sh")), 0);
	print_message("sweep of %d orphans: %ld ms\n", left, MS(f->took));
	/* A new one knows nothing of the old process; the sweep does. */
	assert_true(lives(old));
	suptest_start(&f->sup);
	work(f, (struct sup_goal){ .program = "good",
		    .running = true,
		    .started = true,
		    .sweep = "/nonexistent" });
	expect(f, ANS_YES, "");
	fresh = f->pid;
	assert_false(lives(old));
	assert_true(lives(fresh));
}

/* A supervisord that comes back while it is awaited. */
static void
test_back(void **state)
{
	struct fixture *f = *state;
	struct sup_goal up = { .program = "good",
		.running = true,
		.started = true,
		.deadline = 10 * USEC_SEC };

	suptest_end(&f->sup, SIGTERM);
	up.socket = f->sup.socket;
	f->done = 0;
	f->work = sup_work_start(f->loop, f->web, &up, on_work, f);
	run_for(f, 100 * USEC_MSEC);
	assert_int_equal(f->done, 0);
	suptest_start(&f->sup);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	expect(f, ANS_YES, "");
}

static void
test_hung(void **state)
{
	struct fixture *f = *state;

	started(f, "puller");
	wait_ready(f, "pull.ready");
	kill(f->sup.pid, SIGSTOP);
	list(f, 300 * USEC_MSEC);
	expect(f, ANS_UNKNOWN, "timeout");
	assert_true(f->took < USEC_SEC);
	work(f, (struct sup_goal){ .program = "good",
		    .running = true,
		    .deadline = 400 * USEC_MSEC });
	expect(f, ANS_NO, "timeout");
	assert_true(f->took < USEC_SEC);
	/* What pulls is ended, but may be started again: that is not "yes". */
	work(f, (struct sup_goal){ .program = "puller",
		    .sweep = path(f, "pull.sh"),
		    .deadline = 1500 * USEC_MSEC });
	expect(f, ANS_NO, "timeout");
	assert_int_equal(suptest_left(f->loop, path(f, "pull.sh")), 0);
	kill(f->sup.pid, SIGCONT);
	work(f, (struct sup_goal){
		    .program = "puller", .sweep = path(f, "pull.sh") });
	expect(f, ANS_YES, "");
}

static void
test_forbidden(void **state)
{
	struct fixture *f = *state;

	if (seteuid(65534) == -1)
		skip();
	list(f, 5 * USEC_SEC);
	expect(f, ANS_UNKNOWN, "no-permission");
	work(f, (struct sup_goal){ .program = "good", .running = true });
	expect(f, ANS_NO, "no-permission");
	assert_true(f->took < USEC_SEC);
	assert_int_equal(seteuid(0), 0);
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	struct sup_goal goal = { .program = "good",
		.running = true,
		.socket = f->sup.socket,
		.deadline = USEC_SEC };
	struct sup_left *left;
	struct sup_call *call;
	struct error err;
	int i;

	f->done = 0;
	for (i = 0; i < 20; i++) {
		f->work = sup_work_start(f->loop, f->web, &goal, on_work, f);
		run_for(f, i * USEC_MSEC / 2);
		sup_work_cancel(f->work);
	}
	assert_int_equal(f->done, 0);
	/* In the midst of a sweep, which may be done before. */
	goal.running = false;
	goal.sweep = path(f, "pull.sh");
	for (i = 0; i < 20; i++) {
		f->done = 0;
		f->work = sup_work_start(f->loop, f->web, &goal, on_work, f);
		run_for(f, i * USEC_MSEC / 4);
		if (f->done == 0)
			sup_work_cancel(f->work);
	}
	f->done = 0;
	left =
	    sup_left_start(f->loop, path(f, "pull.sh"), USEC_SEC, on_left, f);
	sup_left_cancel(left);
	sup_left_cancel(NULL);
	call =
	    sup_list_start(f->web, f->sup.socket, USEC_SEC, on_list, f, &err);
	sup_list_cancel(call);
	sup_list_cancel(NULL);
	sup_work_cancel(NULL);
	run_for(f, 50 * USEC_MSEC);
	assert_int_equal(f->done, 0);
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
	struct fixture *f = *state;
	struct beat b = { .last = clock_now().raw };
	char script[200], fifo[200];
	int own = threads(); /* a sanitizer has one, too */
	usec_t end;
	pid_t held;
	int i;

	snprintf(script, sizeof(script), "%s", path(f, "pull.sh"));
	snprintf(fifo, sizeof(fifo), "%s", path(f, "held"));
	held = fork();
	if (held == 0) {
		setpgid(0, 0);
		suptest_quiet();
		execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(127);
	}
	kill(started(f, "puller"), SIGKILL);
	work(f, (struct sup_goal){ .program = "puller" });
	expect(f, ANS_YES, "");
	if (!hold(held, fifo))
		skip();
	b.timer = timer_new(f->loop, on_beat, &b);
	timer_arm(b.timer, 0);
	for (i = 0; i < 12; i++) {
		work(f, (struct sup_goal){ .program = "puller",
			    .sweep = script,
			    .deadline = 100 * USEC_MSEC });
		expect(f, ANS_NO, "not-known");
		assert_true(f->took < 500 * USEC_MSEC);
	}
	f->done = 0;
	sup_left_start(f->loop, script, 100 * USEC_MSEC, on_left, f);
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
		run_for(f, 5 * USEC_MSEC);
	}
	work(f, (struct sup_goal){ .program = "puller", .sweep = script });
	expect(f, ANS_YES, "");
	assert_int_equal(suptest_left(f->loop, script), 0);
	timer_free(b.timer);
	kill(held, SIGKILL);
	assert_int_equal(waitpid(held, NULL, 0), held);
}

/* Told to stop right after its start, it would not have heard. */
static void
test_young(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 15; i++) {
		kill(started(f, "ends"), SIGKILL);
		run_for(f, 20 * USEC_MSEC);
		work(f, (struct sup_goal){
			    .program = "ends", .deadline = 5 * USEC_SEC });
		expect(f, ANS_YES, "");
		assert_true(f->took < 2 * USEC_SEC);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		T(test_list),
		T(test_restart),
		T(test_parallel),
		T(test_stop),
		T(test_stopping),
		T(test_deaf),
		T(test_sweep),
		T(test_sweep_after),
		T(test_sweep_spares),
		T(test_fatal),
		T(test_exited),
		T(test_young),
		T(test_gone),
		T(test_killed),
		T(test_back),
		T(test_hung),
		T(test_forbidden),
		T(test_cancel),
		/* Last: it leaves the mounts of the others. */
		T(test_held),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
