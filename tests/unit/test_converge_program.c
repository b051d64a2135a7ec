/*
 * Runs with programs of a real supervisord: another process after a change and
 * only then, pullers that are really gone, a supervisord that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "convtest.h"
#include "hawatch/loop.h"
#include "hawatch/supervisor.h"
#include "suptest.h"

struct fixture {
	struct convtest t;
	struct suptest sup;
	char sweep[80];
};

static const char *const app[] = { "app-a", "app-b", "app-c" };
static const char *const file[] = { "a.conf", "b.conf", "c.conf" };

static struct conf_item *
program(struct fixture *f, const char *name)
{
	struct conf_item *item = conv_item(&f->t, name, ITEM_SERVICE);

	item->program = item->name;
	item->socket = f->sup.socket;
	item->primary = item->standby = "running";
	return item;
}

static bool
read_by_all(struct convtest *t)
{
	char seen[24];
	int i;

	for (i = 0; i < 3; i++) {
		(void)snprintf(seen, sizeof(seen), "seen-%s", app[i]);
		if (strcmp(conv_text(t, seen), conv_text(t, file[i])) != 0)
			return false;
	}
	return true;
}

static void
wait_read(struct convtest *t)
{
	int i;

	for (i = 0; i < 1000 && !read_by_all(t); i++)
		conv_turn(t, 10 * USEC_MSEC);
	assert_true(read_by_all(t));
}

/* Five lines in three files, three programs that read them, and one that
 * copies from the primary with children that nobody ends. */
static void
setup(struct fixture *f)
{
	char text[4096];
	size_t len = 0;
	int i;

	conv_open(&f->t);
	conv_write(&f->t, "a.conf", "host=?\nport=?\n");
	conv_write(&f->t, "b.conf", "host=?\nuser=?\n");
	conv_write(&f->t, "c.conf", "host=?\n");
	for (i = 0; i < 3; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "[program:%s]\ncommand=/bin/sh @/app.sh %s %s %s\n", app[i],
		    f->t.dir, file[i], app[i]);
	(void)snprintf(text + len, sizeof(text) - len,
	    "[program:pullers]\ncommand=/bin/bash @/pull.sh\n"
	    "autostart=false\nstopwaitsecs=1\n");
	suptest_new(&f->sup, text);
	suptest_script(&f->sup, "app.sh",
	    "echo $3 >> $1/log\n"
	    "cat $1/$2 > $1/seen-$3.new && mv $1/seen-$3.new $1/seen-$3\n"
	    "exec sleep 1000\n");
	suptest_script(&f->sup, "pull.sh",
	    "#!/bin/bash\ntrap 'kill $nobody' TERM\nsleep 5000 &\n"
	    "while :; do sleep 5; done\n");
	suptest_start(&f->sup);
	conv_line(&f->t, "a-host", "a.conf", "host");
	conv_line(&f->t, "a-port", "a.conf", "port");
	conv_line(&f->t, "b-host", "b.conf", "host");
	conv_line(&f->t, "b-user", "b.conf", "user");
	conv_line(&f->t, "c-host", "c.conf", "host");
	for (i = 0; i < 3; i++)
		program(f, app[i])->independent = true;
	conv_on(&f->t.conf.item[5], "a-host");
	conv_on(&f->t.conf.item[5], "a-port");
	conv_on(&f->t.conf.item[6], "b-host");
	conv_on(&f->t.conf.item[7], "c-host");
	conv_restart(&f->t);
	wait_read(&f->t);
}

static void
teardown(struct fixture *f)
{
	suptest_free(&f->sup);
	conv_close(&f->t);
}

static int
started(struct fixture *f)
{
	return conv_count(&f->t, "log", "app-");
}

/* Once started, a program writes its name a moment later. */
static void
expect_started(struct fixture *f, int n)
{
	int i;

	for (i = 0; i < 500 && started(f) < n; i++)
		conv_turn(&f->t, 10 * USEC_MSEC);
	assert_int_equal(started(f), n);
}

static void
test_restarts(void **state)
{
	struct fixture f;
	usec_t began, took[5];
	int i;

	setup(&f);
	expect_started(&f, 3);
	for (i = 0; i < 5; i++) {
		began = clock_now().raw;
		assert_int_equal(
		    conv_run(&f.t, ITEM_AFTER,
			i % 2 == 0 ? CONV_SELF : CONV_OTHER, (uint64_t)i + 7),
		    ANS_YES);
		took[i] = clock_now().raw - began;
		assert_int_equal(converge_drift(f.t.c), 0);
		wait_read(&f.t);
		expect_started(&f, 6 + 3 * i);
		/* Half a second is a lot on a machine that does nothing. */
		assert_in_range((int)took[i], 1, 3000000);
	}
	print_message("five lines, three files, three restarts: %d %d %d %d "
		      "%d ms\n",
	    (int)(took[0] / 1000), (int)(took[1] / 1000), (int)(took[2] / 1000),
	    (int)(took[3] / 1000), (int)(took[4] / 1000));
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 20), ANS_YES);
	conv_turn(&f.t, 200 * USEC_MSEC);
	assert_int_equal(started(&f), 18);
	assert_int_equal(conv_count(&f.t, "events", "ev=service.restart "), 15);
	teardown(&f);
}

static void
test_pullers(void **state)
{
	struct fixture f;
	struct conf_item *item;

	setup(&f);
	item = program(&f, "pullers");
	item->when = ITEM_BEFORE;
	item->required = true;
	item->primary = "stopped";
	(void)snprintf(f.sweep, sizeof(f.sweep), "%s/pull.sh", f.sup.dir);
	item->sweep = f.sweep;
	conv_restart(&f.t);
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_OTHER, 7), ANS_YES);
	assert_int_equal(conv_state(&f.t, "pullers").holds, ANS_YES);
	while (suptest_left(f.t.loop, item->sweep) == 0)
		conv_turn(&f.t, 10 * USEC_MSEC);
	assert_int_equal(conv_run(&f.t, ITEM_BEFORE, CONV_SELF, 8), ANS_YES);
	assert_int_equal(suptest_left(f.t.loop, item->sweep), 0);
	assert_int_equal(conv_count(&f.t, "events", "to=stopped"), 1);
	/* Without supervisord it is still stopped, and proven so. */
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_OTHER, 9), ANS_YES);
	while (suptest_left(f.t.loop, item->sweep) == 0)
		conv_turn(&f.t, 10 * USEC_MSEC);
	suptest_end(&f.sup, SIGKILL);
	assert_int_equal(conv_run(&f.t, ITEM_BEFORE, CONV_SELF, 10), ANS_YES);
	assert_int_equal(suptest_left(f.t.loop, item->sweep), 0);
	teardown(&f);
}

/* Where it stops for a handover, programs of one batch beside each other; then
 * its role has it again, though a run that failed had it meanwhile. */
static void
test_handover(void **state)
{
	struct fixture f;
	const char *events;

	setup(&f);
	expect_started(&f, 3);
	f.t.conf.item[5].handover = f.t.conf.item[7].handover = "stopped";
	conv_restart(&f.t);
	conv_quiet(&f.t, 7);
	assert_int_equal(f.t.ans, ANS_YES);
	assert_int_equal(conv_count(&f.t, "events", "to=stopped"), 2);
	events = conv_text(&f.t, "events");
	assert_non_null(strstr(events, "app-a"));
	assert_non_null(strstr(events, "app-c"));
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_int_equal(converge_drift(f.t.c), 0);
	teardown(&f);
}

static bool
looked(struct convtest *t)
{
	return conv_state(t, "app-c").holds == ANS_NO;
}

/* The restart is not forgotten while there is nobody who could make it. */
static void
test_absent(void **state)
{
	struct fixture f;
	int i;

	setup(&f);
	expect_started(&f, 3);
	suptest_end(&f.sup, SIGTERM);
	for (i = 5; i < 8; i++)
		f.t.conf.item[i].timeout = 300 * USEC_MSEC;
	converge_expect(f.t.c, CONV_SELF, 7);
	assert_true(conv_wait(&f.t, looked));
	assert_string_equal(
	    conv_state(&f.t, "app-c").reason, "supervisord: no-socket");
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_int_equal(converge_drift(f.t.c), 3);
	/* Each as a restart that is due, and as given up. */
	assert_int_equal(conv_count(&f.t, "state/converge", "app-"), 6);
	conv_expect(&f.t, "c.conf", "host=primary\n");
	/* The engine starts anew, and so does supervisord. */
	conv_restart(&f.t);
	suptest_start(&f.sup);
	assert_int_equal(conv_run(&f.t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	wait_read(&f.t);
	conv_expect(&f.t, "state/converge", "{\"format\":1,\"restart\":[]}");
	assert_int_equal(converge_drift(f.t.c), 0);
	teardown(&f);
}

struct pid_of {
	pid_t pid;
	bool done;
};

static void
listed(void *arg, const struct sup_list *list)
{
	struct pid_of *p = arg;

	assert_int_equal(list->ans, ANS_YES);
	p->pid = sup_find(list, "app-c")->pid;
	p->done = true;
}

static pid_t
pid_of(struct fixture *f)
{
	struct pid_of p = { 0 };
	struct error err;

	assert_non_null(sup_list_start(
	    f->t.web, f->sup.socket, USEC_SEC, listed, &p, &err));
	while (!p.done)
		conv_turn(&f->t, 5 * USEC_MSEC);
	return p.pid;
}

/* What an engine that ended had noted, and what it means for the next. */
static void
test_noted(void **state)
{
	struct fixture f;
	pid_t before, pids[4];
	char text[200];
	size_t i;

	setup(&f);
	conv_write(&f.t, "a.conf", "host=primary\nport=primary\n");
	conv_write(&f.t, "b.conf", "host=primary\nuser=primary\n");
	conv_write(&f.t, "c.conf", "host=primary\n");
	expect_started(&f, 3);
	before = pid_of(&f);
	/* Nobody, another one, not known, the one that runs. */
	pids[0] = 0;
	pids[1] = before + 1;
	pids[2] = -1;
	for (i = 0; i < 4; i++) {
		before = pid_of(&f);
		pids[3] = before;
		(void)snprintf(text, sizeof(text),
		    "{\"format\":1,\"restart\":[{\"service\":\"app-c\","
		    "\"epoch\":7,\"pid\":%d,\"items\":[\"c-host\"]}]}",
		    (int)pids[i]);
		conv_stop(&f.t);
		conv_write(&f.t, "state/converge", text);
		conv_restart(&f.t);
		assert_int_equal(
		    conv_run(&f.t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
		if (i < 2)
			assert_int_equal(pid_of(&f), before);
		else
			assert_int_not_equal(pid_of(&f), before);
		conv_expect(
		    &f.t, "state/converge", "{\"format\":1,\"restart\":[]}");
	}
	teardown(&f);
}

static void
child(struct convtest *t)
{
	(void)conv_run(t, ITEM_AFTER, CONV_SELF, 7);
}

/* Killed beside a restart: made once, or once more, never not at all. */
static void
test_crash(void **state)
{
	static const char *const places[] = { "listed", "synced", "restart",
		"restarted" };
	struct fixture f;
	size_t i;
	int nth, n, status;
	char name[16];

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		for (nth = 1; nth <= 2; nth++) {
			setup(&f);
			expect_started(&f, 3);
			conv_stop(&f.t);
			status = conv_fork(&f.t, places[i], nth, child);
			conv_restart(&f.t);
			assert_true(WIFSIGNALED(status) || nth == 2);
			assert_int_equal(
			    conv_run(&f.t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
			wait_read(&f.t);
			for (n = 0; n < 3; n++) {
				(void)snprintf(
				    name, sizeof(name), "%s\n", app[n]);
				assert_in_range(
				    conv_count(&f.t, "log", name), 2, 3);
			}
			conv_expect(&f.t, "state/converge",
			    "{\"format\":1,\"restart\":[]}");
			teardown(&f);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_pullers),
		cmocka_unit_test(test_handover),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_noted),
		cmocka_unit_test(test_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
