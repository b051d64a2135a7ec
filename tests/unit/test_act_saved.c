/*
 * Which saving a rewind begins with, and which ones go: by the epoch and the
 * number, whatever the clock said when they were made.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/env.h"
#include "act/saved.h"
#include "hawatch/file.h"
#include "hawatch/loop.h"
#include "hawatch/worker.h"
#include "scratch.h"

#define NOON ((usec_t)1795262400 * USEC_SEC) /* 20261121T120000Z */
#define HOUR (3600 * USEC_SEC)

static struct saved_goal goal;

static int reads_left; /* names that a directory has before it breaks */

/* In the place of libc's: -1 is no fault. */
struct dirent *
readdir(DIR *d)
{
	static struct dirent *(*real)(DIR *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	if (reads_left == 0) {
		errno = EIO;
		return NULL;
	}
	if (reads_left > 0)
		reads_left--;
	return real(d);
}

static int
setup(void **arg)
{
	static char state[100], data[100];

	reads_left = -1;
	snprintf(state, sizeof(state), "%s/state", scratch);
	snprintf(data, sizeof(data), "%s/data", scratch);
	goal =
	    (struct saved_goal){ .state_dir = state, .data_directory = data };
	shell("rm -rf state data && mkdir -p state data/global data/pg_wal");
	return 0;
}

static void
control(const char *text)
{
	struct error err;

	assert_int_equal(file_replace(scratch_path("data/global/pg_control"),
			     text, strlen(text), 0600, &err),
	    0);
}

static void
control_is(const char *text)
{
	struct error err;
	char *found =
	    file_read(scratch_path("data/global/pg_control"), 100, NULL, &err);

	assert_non_null(found);
	assert_string_equal(found, text);
	free(found);
}

/* What is there now is saved, by a clock that shows that. */
static void
save(uint64_t epoch, usec_t wall, bool whole, struct saved *out)
{
	struct error err;

	goal.epoch = epoch;
	goal.wall = wall;
	assert_int_equal(saved_make(&goal, out, &err), 0);
	if (whole)
		assert_int_equal(saved_complete(out->dir, "", 0, &err), 0);
}

static void
begins(uint64_t epoch, const char *dir)
{
	char found[SAVED_MAX];
	struct error err;

	goal.epoch = epoch;
	assert_int_equal(saved_begin(&goal, found, sizeof(found), &err), 0);
	assert_string_equal(found, dir);
}

/* What was saved two hours later by the clock, and two epochs before, is not
 * this rewind's; its own is, when it is begun again. */
static void
test_clock_ahead(void **arg)
{
	struct saved old, own;

	control("first");
	save(6, NOON + 2 * HOUR, true, &old);
	begins(6, old.dir);
	control("second");
	save(8, NOON, true, &own);
	begins(8, own.dir);
	control_is("second");
	control("half");
	begins(8, own.dir);
	control_is("second");
}

/* Twice in one epoch, the clock set back between. */
static void
test_same_epoch(void **arg)
{
	struct saved first, second, third;

	control("first");
	save(8, NOON + HOUR, true, &first);
	begins(8, first.dir);
	control("second");
	save(8, NOON, true, &second);
	save(8, NOON + 2 * HOUR, false, &third);
	begins(8, second.dir);
	control_is("second");
	assert_string_equal(
	    strrchr(first.dir, '/'), "/20261121T130000Z-epoch8-1");
	assert_string_equal(
	    strrchr(third.dir, '/'), "/20261121T140000Z-epoch8-3");
}

/* Another epoch's is not put back, however new. */
static void
test_none_of_this_epoch(void **arg)
{
	char found[SAVED_MAX];
	struct saved old;
	struct error err;

	control("first");
	save(9, NOON, true, &old);
	begins(9, old.dir);
	save(8, NOON, false, &old);
	control("second");
	goal.epoch = 8;
	assert_int_equal(saved_begin(&goal, found, sizeof(found), &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	control_is("second");
}

/* Begun by a version whose names had no number. */
static void
test_older_version(void **arg)
{
	struct saved own;

	control("half");
	shell("mkdir -p state/saved/20261121T140000Z-epoch8/pg_wal && "
	      "cd state/saved/20261121T140000Z-epoch8 && touch complete begun "
	      "&& printf first > pg_control");
	begins(8, scratch_path("state/saved/20261121T140000Z-epoch8"));
	control_is("first");
	control("second");
	save(8, NOON, true, &own);
	begins(8, own.dir);
	control_is("second");
}

/* Ten are kept: not those of the latest clock. What a person put there, and
 * what was just made, stay; even where the epochs began anew. */
static void
test_prune(void **arg)
{
	struct saved s;
	uint64_t i;

	control("old");
	shell("mkdir -p state/saved/notes state/saved/20261121-epochs");
	for (i = 0; i < SAVED_KEEP; i++)
		save(6 + i, NOON + (usec_t)(24 - i) * HOUR, true, &s);
	save(18, NOON, true, &s);
	begins(18, s.dir);
	shell("test -e state/saved/20261121T120000Z-epoch18-1/complete && "
	      "! test -e state/saved/*-epoch6-1 && "
	      "test $(ls state/saved | grep -c Z-epoch) = 10");
	save(1, NOON, true, &s);
	begins(1, s.dir);
	shell(
	    "test -e state/saved/20261121T120000Z-epoch1-1/complete && "
	    "test -d state/saved/notes && test -d state/saved/20261121-epochs "
	    "&& test $(ls state/saved | grep -c Z-epoch) -le 11");
	save(19, NOON, true, &s);
	shell("! test -e state/saved/*-epoch1-1 && "
	      "test $(ls state/saved | grep -c Z-epoch) = 10");
}

/* A file that cannot be copied is tried again and again, for an hour: what came
 * of the tries before, or of a crash, does not fill the disk, nor push out what
 * is whole. */
static void
test_cannot_be_copied(void **arg)
{
	struct saved old, out;
	struct error err;
	int i;

	control("first");
	save(6, NOON, true, &old);
	shell("rm data/global/pg_control");
	shell("head -c 1048576 /dev/zero > "
	      "data/pg_wal/00000001000000000000000F");
	goal.epoch = 8;
	for (i = 0; i < 12; i++)
		assert_int_equal(saved_make(&goal, &out, &err), -1);
	shell("test $(ls state/saved | grep -c epoch8) = 0");
	control("at last");
	shell("mkdir -p state/saved/20261121T110000Z-epoch8-7/pg_wal && "
	      "touch state/saved/20261121T110000Z-epoch8-7/pg_wal/half");
	/* And what cannot be removed. */
	shell("for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p "
	      "state/saved/20261121T110000Z-epoch9-$i/pg_wal/a/b; done");
	save(8, NOON, true, &out);
	shell("! test -e state/saved/*-epoch8-7");
	assert_int_equal(access(old.dir, F_OK), 0);
}

/* What is put back is whole, or what was there stays; with its rights. */
static void
test_no_room(void **arg)
{
	struct rlimit was, one = { 1, 1 };
	struct saved out;
	struct error err;

	control("first");
	shell("echo own > data/postgresql.conf && "
	      "chmod 640 data/postgresql.conf data/global/pg_control");
	save(8, NOON, true, &out);
	begins(8, out.dir);
	control("half");
	shell("echo theirs > data/postgresql.conf");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	one.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &one), 0);
	assert_int_equal(saved_own(out.dir, goal.data_directory, &err), -1);
	assert_int_equal(
	    saved_begin(&goal, out.dir, sizeof(out.dir), &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	control_is("half");
	shell(
	    "grep -q theirs data/postgresql.conf && "
	    "chmod 640 data/global/pg_control && test $(ls data | wc -l) = 3");
	assert_int_equal(saved_own(out.dir, goal.data_directory, &err), 0);
	begins(8, out.dir);
	control_is("first");
	shell("grep -q own data/postgresql.conf && test 640640 = "
	      "$(stat -c %a data/postgresql.conf data/global/* | tr -d '\\n')");
}

/* However many names were read before the disk broke: what is not all of it is
 * not saved, nor begun with. */
static void
test_directory_breaks(void **arg)
{
	char found[SAVED_MAX];
	struct saved out, old;
	struct error err;
	int i, rc = -1;

	control("first");
	shell("for i in 1 2 3 4 5; do echo $i > "
	      "data/pg_wal/0000000$i.history; done");
	goal.epoch = 8;
	for (i = 0; rc == -1; i++) {
		reads_left = i;
		rc = saved_make(&goal, &out, &err);
		reads_left = -1;
		if (rc == -1) {
			assert_int_equal(err.code, ERR_SYS);
			assert_int_equal(err.sys, EIO);
		}
	}
	/* Twice the log, of 7 names, and what was saved before. */
	assert_in_range(i, 16, 40);
	shell("test $(ls state/saved/*-epoch8-*/pg_wal | wc -l) = 5");
	save(9, NOON, true, &old);
	begins(9, old.dir);
	for (rc = -1, i = 0; rc == -1; i++) {
		control("half");
		reads_left = i;
		rc = saved_begin(&goal, found, sizeof(found), &err);
		reads_left = -1;
		if (rc == -1)
			control_is("half");
	}
	assert_in_range(i, 9, 20);
	control_is("first");
}

static void
never(void *arg, enum act_kind kind, const struct goal *of, enum answer ans,
    const char *reason)
{
	fail();
}

static void
stop(void *loop)
{
	loop_stop(loop);
}

static void
turn(void *arg, const struct now *now)
{
}

/* Not many times a second, either. */
static void
test_pace(void **arg)
{
	struct conf conf = { .state_dir = goal.state_dir,
		.pg.data_directory = goal.data_directory };
	struct error err;
	struct loop *loop = loop_new(&err);
	struct worker *worker = worker_new(loop);
	struct act_env *env = act_env_new(loop, &conf, worker);
	struct acts *acts = acts_new(env, never, NULL);
	struct timer *timer = timer_new(loop, stop, loop);
	struct goal save = { .epoch = 8 };
	char events[4096];
	int fd = inotify_init1(IN_NONBLOCK);

	shell("mkdir state/saved");
	assert_true(inotify_add_watch(
			fd, scratch_path("state/saved"), IN_CREATE) != -1);
	acts_start(acts, ACT_SAVE, &save);
	timer_arm(timer, USEC_SEC / 2);
	loop_run(loop, turn, NULL);
	/* One: a name of at most 32. */
	assert_in_range(read(fd, events, sizeof(events)), 1,
	    sizeof(struct inotify_event) + 32);
	timer_free(timer);
	acts_free(acts);
	act_env_free(env);
	worker_free(worker);
	loop_free(loop);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_clock_ahead, setup),
		cmocka_unit_test_setup(test_same_epoch, setup),
		cmocka_unit_test_setup(test_none_of_this_epoch, setup),
		cmocka_unit_test_setup(test_older_version, setup),
		cmocka_unit_test_setup(test_prune, setup),
		cmocka_unit_test_setup(test_cannot_be_copied, setup),
		cmocka_unit_test_setup(test_no_room, setup),
		cmocka_unit_test_setup(test_directory_breaks, setup),
		cmocka_unit_test_setup(test_pace, setup),
	};
	int rc;

	if (scratch_make() == -1)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_free();
	return rc;
}
