/*
 * A copy takes the data's place, and what a crash in the midst of that leaves:
 * only this epoch's copy of this source is taken for whole, and what was just
 * replaced stays, whatever the clock says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/clone_dir.h"
#include "act/saved.h"
#include "scratch.h"

#define NOON ((usec_t)1795262400 * USEC_SEC) /* 20261121T120000Z */
#define HOUR (3600 * USEC_SEC)

static struct clone_dir dir;

static int
setup(void **arg)
{
	static char data[100];

	snprintf(data, sizeof(data), "%s/data", scratch);
	memset(&dir, 0, sizeof(dir));
	dir.data = data;
	dir.source = "s2";
	dir.epoch = 8;
	dir.wall = NOON;
	shell(
	    "rm -rf data* state && mkdir -p state data/pg_wal data/global && echo old > data/what && "
	    "touch data/postgresql.auto.conf data/global/pg_control");
	return 0;
}

/* As a program made it, and as an earlier life left it: the mark in it. */
static void
copied(void)
{
	shell("cp -r data data.new && echo copy > data.new/what");
}

static void
begins(bool whole)
{
	struct error err;
	bool found;

	assert_int_equal(clone_dir_begin(&dir, &found, &err), 0);
	assert_int_equal(found, whole);
}

static void
places(void)
{
	struct error err;

	assert_int_equal(clone_dir_place(&dir, "host=s2", &err), 0);
	shell("! test -e data/" CLONE_MARK " && ! test -e data/hawatch.whole "
	      "&& ! test -e data.new && test -e data/standby.signal && "
	      "grep -q host=s2 data/postgresql.auto.conf");
}

/* It streams. */
static void
settles(void)
{
	struct error err;

	if (clone_dir_note(&dir, &err) != 0 || clone_dir_prune(&dir, &err) != 0)
		fail_msg("%s", err.msg);
}

/* A crash after the exchange: the copy is the data, the data lies beside. */
static void
left(const char *mark)
{
	char text[400];

	snprintf(text, sizeof(text),
	    "mv data data.new && cp -r data.new data && "
	    "echo copy > data/what && touch data/standby.signal && %s",
	    mark);
	shell(text);
}

static void
test_place(void **arg)
{
	begins(false);
	copied();
	places();
	shell("grep -q copy data/what && "
	      "grep -q old data.old-20261121T120000Z-epoch8-1/what");
	assert_non_null(strstr(dir.old, "/data.old-20261121T120000Z-epoch8-1"));
}

/* This copy, by an earlier life, before or after the old data was renamed. */
static void
test_own_mark(void **arg)
{
	left("echo copy of s2 in epoch 8 > data/" CLONE_MARK);
	begins(true);
	places();
	shell("grep -q copy data/what && "
	      "grep -q old data.old-20261121T120000Z-epoch8-1/what");
	shell("echo copy of s2 in epoch 8 > data/" CLONE_MARK);
	begins(true);
	places();
	assert_non_null(strstr(dir.old, "/data.old-20261121T120000Z-epoch8-1"));
	shell("test $(ls -d data.old-* | wc -l) = 1");
}

/* A mark of another copy: what lies there diverged since, and is replaced; what
 * lies beside is old data, and kept. */
static void
test_other_mark(void **arg)
{
	static const char *const marks[] = {
		"echo copy of s2 in epoch 6 > data/" CLONE_MARK,
		"echo copy of s1 in epoch 8 > data/" CLONE_MARK,
		"touch data/" CLONE_MARK,
		"touch data/hawatch.whole",
	};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		setup(NULL);
		left(marks[i]);
		shell("echo diverged > data/what");
		begins(false);
		shell("! test -e data.new && ! test -e data/" CLONE_MARK
		      " && ! test -e data/hawatch.whole && "
		      "grep -q old data.old-*-epoch8-1/what");
		copied();
		places();
		shell("grep -q copy data/what && "
		      "grep -q diverged data.old-*-epoch8-2/what && "
		      "grep -q old data.old-*-epoch8-1/what");
	}
}

/* It follows as it is, or is rewound: then there is no copy any more. */
static void
test_tidy(void **arg)
{
	struct error err;

	shell("mkdir data.new && echo part > data.new/what");
	assert_int_equal(clone_dir_tidy(&dir, &err), 0);
	shell("grep -q part data.new/what && rm -r data.new");
	left("echo copy of s2 in epoch 8 > data/" CLONE_MARK);
	assert_int_equal(clone_dir_tidy(&dir, &err), 0);
	shell("! test -e data/" CLONE_MARK " && grep -q copy data/what && "
	      "! test -e data.new && grep -q old data.old-*-epoch8-1/what");
}

/* Two of a clock ahead, one of a version before: what was replaced for data
 * that streams now stays, and what was old when that came; what was so before
 * goes, by its epoch. */
static void
test_clock_ahead(void **arg)
{
	shell("mkdir data.old-20991231T000000Z "
	      "data.old-20991231T000000Z-epoch6-1 "
	      "data.old-20991230T000000Z-epoch7-1 data.old-mine");
	begins(false);
	copied();
	places();
	settles();
	shell("test $(ls -d data.old-* | wc -l) = 5");
	begins(false);
	copied();
	places();
	shell("test $(ls -d data.old-* | wc -l) = 6");
	settles();
	shell("test $(ls -d data.old-* | wc -l) = 6");
	begins(false);
	copied();
	places();
	settles();
	shell("! test -e data.old-20261121T120000Z-epoch8-1 && "
	      "test -d data.old-20261121T120000Z-epoch8-2 && "
	      "test -d data.old-20261121T120000Z-epoch8-3 && "
	      "test -d data.old-mine && test $(ls -d data.old-* | wc -l) = 3");
}

/* Copies that never came to be standbys do not push out the data that they
 * were made for, then or later: they are old together. */
static void
test_copies_of_nothing(void **arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		begins(false);
		copied();
		places();
	}
	shell("grep -q old data.old-*-epoch8-1/what");
	settles();
	shell("grep -q old data.old-*-epoch8-1/what && "
	      "test $(ls -d data.old-* | wc -l) = 3");
	/* A crash, or something more important, in the midst of removing. */
	shell("mkdir -p data.gone/base");
	settles();
	shell("! test -e data.gone && test $(ls -d data.old-* | wc -l) = 3");
	begins(false);
	copied();
	places();
	settles();
	shell("grep -q old data.old-*-epoch8-1/what && "
	      "test $(ls -d data.old-* | wc -l) = 4");
	begins(false);
	copied();
	places();
	settles();
	shell("! test -e data.old-*-epoch8-1 && "
	      "test $(ls -d data.old-* | wc -l) = 2");
}

static struct saved_goal
saving(void)
{
	static char state[100];

	snprintf(state, sizeof(state), "%s/state", scratch);
	dir.state_dir = state;
	return (struct saved_goal){ .state_dir = state,
		.data_directory = dir.data,
		.epoch = dir.epoch,
		.wall = NOON };
}

/* A rewind has begun, and copied what the primary has. */
static void
rewound(char *found)
{
	struct saved_goal goal = saving();
	struct saved out;
	struct error err;

	assert_int_equal(saved_make(&goal, &out, &err), 0);
	assert_int_equal(saved_complete(out.dir, "", 0, &err), 0);
	assert_int_equal(saved_begin(&goal, found, SAVED_MAX, &err), 0);
	shell("echo theirs > data/postgresql.conf");
}

static void
cloned(const char *own)
{
	char line[200];

	dir.epoch++;
	begins(false);
	copied();
	shell("echo theirs > data.new/postgresql.conf && "
	      "chown -R 65534 data.new");
	places();
	snprintf(line, sizeof(line),
	    "test $(cat data/postgresql.conf) = %s &&"
	    " test $(stat -c %%a:%%u data/postgresql.conf) = 640:65534",
	    own);
	shell(line);
}

#define OWN(text) \
	"echo " text " > data/postgresql.conf && chown 65534 data " \
	"data/postgresql.conf && chmod 640 data/postgresql.conf"

/* Data that is half the primary's has settings that are not this host's. */
static void
test_half_rewritten(void **arg)
{
	char found[SAVED_MAX];

	shell(OWN("own"));
	rewound(found);
	cloned("own");
	/* By now they are the data's, and a person changes them. */
	shell(OWN("newer"));
	cloned("newer");
}

/* It came to its end, and so did what was saved and never begun with. */
static void
test_rewritten(void **arg)
{
	char found[SAVED_MAX];
	struct saved_goal goal;
	struct saved out;
	struct error err;

	shell(OWN("own"));
	rewound(found);
	assert_int_equal(saved_own(found, dir.data, &err), 0);
	shell(OWN("newer"));
	cloned("newer");
	rewound(found);
	dir.epoch++;
	shell(OWN("newest"));
	goal = saving();
	assert_int_equal(saved_make(&goal, &out, &err), 0);
	assert_int_equal(saved_complete(out.dir, "", 0, &err), 0);
	cloned("newest");
}

/* A crash after the exchange: what is owed is paid. */
static void
test_paid_late(void **arg)
{
	char found[SAVED_MAX];

	shell(OWN("own"));
	rewound(found);
	left("echo copy of s2 in epoch 8 > data/" CLONE_MARK " && " OWN("own"));
	begins(true);
	places();
	shell(OWN("newer"));
	cloned("newer");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_copies_of_nothing, setup),
		cmocka_unit_test_setup(test_place, setup),
		cmocka_unit_test_setup(test_own_mark, setup),
		cmocka_unit_test_setup(test_other_mark, setup),
		cmocka_unit_test_setup(test_tidy, setup),
		cmocka_unit_test_setup(test_clock_ahead, setup),
		cmocka_unit_test_setup(test_half_rewritten, setup),
		cmocka_unit_test_setup(test_rewritten, setup),
		cmocka_unit_test_setup(test_paid_late, setup),
	};
	int rc;

	if (scratch_make() == -1)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_free();
	return rc;
}
