/*
 * What tests of works on a real supervisord share.
 */
#include "suprun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

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
    "stopwaitsecs=60\n"
    "[program:once]\ncommand=/bin/true\nautostart=false\nstartsecs=0\n"
    "autorestart=false\n"
    "[program:auto]\ncommand=/bin/sleep 2000\nautostart=true\n"
    "[program:api]\ncommand=/bin/sleep 1001\nautostart=false\n"
    "[group:web]\nprograms=api\n"
    "[program:many]\ncommand=/bin/sleep 1002\nautostart=false\n"
    "numprocs=5\nprocess_name=%(process_num)d\n";

void
sr_on_list(void *arg, const struct sup_list *list)
{
	struct suprun *f = arg;

	f->done++;
	f->ans = list->ans;
	snprintf(f->reason, sizeof(f->reason), "%s", list->reason);
	f->count = list->count;
	if (list->count > 0)
		memcpy(f->program, list->program,
		    sizeof(f->program[0]) * (size_t)list->count);
	loop_stop(f->loop);
}

void
sr_on_work(void *arg, enum answer ans, const char *reason, pid_t pid)
{
	struct suprun *f = arg;

	f->done++;
	f->ans = ans;
	f->pid = pid;
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
	loop_stop(f->loop);
}

void
sr_on_left(void *arg, int count)
{
	struct suprun *f = arg;

	f->done++;
	f->count = count;
	loop_stop(f->loop);
}

static void
on_stop(void *arg)
{
	struct suprun *f = arg;

	loop_stop(f->loop);
}

void
sr_run_for(struct suprun *f, usec_t t)
{
	timer_arm(f->timer, t);
	loop_run(f->loop, NULL, NULL);
	timer_disarm(f->timer);
}

void
sr_list(struct suprun *f, usec_t deadline)
{
	struct error err;

	f->done = 0;
	f->took = clock_now().raw;
	assert_non_null(sup_list_start(
	    f->web, f->sup.socket, deadline, sr_on_list, f, &err));
	assert_int_equal(f->done, 0);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	f->took = clock_now().raw - f->took;
}

const struct sup_program *
sr_program(struct suprun *f, const char *name)
{
	static struct sup_program found;
	struct sup_list l = { .program = f->program };
	const struct sup_program *p;

	sr_list(f, 5 * USEC_SEC);
	assert_int_equal(f->ans, ANS_YES);
	l.count = f->count;
	p = sup_find(&l, name);
	assert_non_null(p);
	found = *p;
	return &found;
}

void
sr_wait_state(struct suprun *f, const char *name, enum sup_state state)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	while (sr_program(f, name)->state != state) {
		assert_true(clock_now().raw < end);
		sr_run_for(f, 10 * USEC_MSEC);
	}
}

void
sr_work(struct suprun *f, struct sup_goal goal)
{
	goal.socket = f->sup.socket;
	if (goal.deadline == 0)
		goal.deadline = 10 * USEC_SEC;
	f->done = 0;
	f->took = clock_now().raw;
	f->work = sup_work_start(f->loop, f->web, &goal, sr_on_work, f);
	assert_int_equal(f->done, 0);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
	f->took = clock_now().raw - f->took;
}

void
sr_expect(struct suprun *f, enum answer ans, const char *reason)
{
	assert_string_equal(f->reason, reason);
	assert_int_equal(f->ans, ans);
}

pid_t
sr_started(struct suprun *f, const char *name)
{
	sr_work(f, (struct sup_goal){
		       .program = name, .running = true, .started = true });
	sr_expect(f, ANS_YES, "");
	assert_true(f->pid > 1);
	return f->pid;
}

const char *
sr_path(struct suprun *f, const char *name)
{
	static char text[200];

	snprintf(text, sizeof(text), "%s/%s", f->sup.dir, name);
	return text;
}

/* Nor is it merely not reaped, which the init of a container may forget. */
bool
sr_lives(pid_t pid)
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

int
sr_setup(void **state)
{
	struct suprun *f = calloc(1, sizeof(*f));
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

int
sr_teardown(void **state)
{
	struct suprun *f = *state;

	http_free(f->web);
	timer_free(f->timer);
	loop_free(f->loop);
	suptest_free(&f->sup);
	free(f);
	return 0;
}

void
sr_wait_ready(struct suprun *f, const char *file)
{
	usec_t end = clock_now().raw + 10 * USEC_SEC;

	while (access(sr_path(f, file), F_OK) == -1) {
		assert_true(clock_now().raw < end);
		sr_run_for(f, 5 * USEC_MSEC);
	}
}
