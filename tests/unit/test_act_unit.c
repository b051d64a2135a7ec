/*
 * PostgreSQL as a unit of the service manager: what is called, and that a call
 * that fails or hangs keeps nothing up. The manager is a script in the place of
 * systemctl that starts and stops a real server behind the caller's back, as
 * the manager does.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "acttest.h"
#include "hawatch/emit.h"
#include "hawatch/file.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

#define LIMIT (20 * USEC_SEC)
#define SYSTEMCTL "/usr/bin/systemctl"
#define UNIT "postgresql@15-main.service"
#define START "--no-block start " UNIT "\n"
#define STOP "--no-block stop " UNIT "\n"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static const struct goal goal = { .epoch = 7 };
static char last[400]; /* that a command ended */
static int waits;      /* lines that say why an action goes on */

static void
tells(void *arg, enum level level, const char *line)
{
	if (getenv("VERBOSE") != NULL)
		fprintf(stderr, "  %s\n", line);
	if (strstr(line, "pg.command") != NULL)
		str_cut(last, sizeof(last), line);
	waits += strstr(line, "act.wait") != NULL;
}

static const char *
path(const char *name)
{
	static char text[120];

	snprintf(text, sizeof(text), "%s/%s", pgpair_one.dir, name);
	return text;
}

static void
put(const char *name, const char *text, mode_t mode)
{
	struct error err;

	assert_int_equal(
	    file_replace(path(name), text, strlen(text), mode, &err), 0);
}

/* What the manager does with a call: "does", "refuses", "hangs". */
static void
manager(const char *word)
{
	put("mode", word, 0644);
}

static bool
has_called(void *arg)
{
	struct error err;
	char *found = file_read(path("calls"), 1000, NULL, &err);
	bool same = found != NULL && strcmp(found, arg) == 0;

	free(found);
	return same;
}

/* Just this, since the last time. */
static void
called(struct acttest *t, const char *text)
{
	char want[100];

	snprintf(want, sizeof(want), "%s", text);
	assert_true(acttest_wait(t, has_called, want, LIMIT));
	assert_int_equal(unlink(path("calls")), 0);
}

static int
setup(void **arg)
{
	char text[900];

	pgpair_up(&pgpair_one);
	s1->conf.pg.backend = BACKEND_SYSTEMD;
	s1->conf.pg.unit = UNIT;
	snprintf(text, sizeof(text),
	    "#!/bin/sh\n"
	    "mode=$(cat %s/mode)\n"
	    "echo \"$*\" >> %s/calls\n"
	    "case $mode in\n"
	    "refuses) echo \"Failed to $2 $3: Unit $3 not found.\" >&2\n"
	    "	exit 5 ;;\n"
	    "hangs) exec sleep 60 ;;\n"
	    "esac\n"
	    "setsid -f runuser -u postgres -- %s/pg_ctl -D %s -l %s -W $2 "
	    "> /dev/null 2>&1\n",
	    pgpair_one.dir, pgpair_one.dir, s1->conf.pg.bin_directory, s1->data,
	    s1->log);
	put("systemctl", text, 0755);
	assert_int_equal(
	    mount(path("systemctl"), SYSTEMCTL, NULL, MS_BIND, NULL), 0);
	return 0;
}

static int
teardown(void **arg)
{
	assert_int_equal(umount2(SYSTEMCTL, MNT_DETACH), 0);
	pgpair_down(&pgpair_one);
	return 0;
}

static bool
serves(void *arg)
{
	return pghost_sql(s1, "SELECT 1", NULL, 0) == 0;
}

/* arg: what the last command's end is to be. */
static bool
told(void *arg)
{
	return strstr(last, arg) != NULL;
}

static bool
is_done(void *arg)
{
	return ((struct acttest *)arg)->done > 0;
}

static bool
waits_for_stop(void *arg)
{
	struct acttest *t = arg;

	return strcmp(acts_reason(t->acts, ACT_START), "stop-pending") == 0;
}

static void
up(struct acttest *t)
{
	acttest_up(t, s1);
	emit_to(tells, NULL);
	last[0] = '\0';
	waits = 0;
}

static void
test_does(void **arg)
{
	struct acttest t;

	up(&t);
	manager("does");
	assert_true(acttest_run(&t, ACT_STOP, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	pghost_reap(s1);
	assert_true(acttest_wait(&t, told, "status=0", LIMIT));
	called(&t, STOP);
	assert_true(acttest_run(&t, ACT_START, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(serves(NULL));
	called(&t, START);
	/* This one is the manager's, and no child of ours. */
	assert_true(acttest_run(&t, ACT_STOP, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_int_equal(pghost_count(s1), 0);
	called(&t, STOP);
	acttest_down(&t);
}

/* The stop is done by signals, whatever the manager says; a start waits until
 * its stop is through, for it would be stopped by it. */
static void
test_wrong(void **arg)
{
	struct acttest t;

	up(&t);
	manager("hangs");
	assert_true(acttest_run(&t, ACT_STOP, &goal, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_string_equal(last, "");
	pghost_reap(s1);
	called(&t, STOP);
	manager("refuses");
	acts_start(t.acts, ACT_START, &goal);
	t.done = 0;
	assert_true(acttest_wait(&t, waits_for_stop, &t, LIMIT));
	assert_int_equal(access(path("calls"), F_OK), -1);
	assert_true(acttest_wait(&t, told, "late=yes", LIMIT));
	assert_true(acttest_wait(&t, told, "status=5", LIMIT));
	assert_non_null(strstr(last, "Unit " UNIT " not found."));
	called(&t, START);
	assert_int_equal(t.done, 0);
	manager("does");
	assert_true(acttest_wait(&t, is_done, &t, LIMIT));
	assert_int_equal(t.ans, ANS_YES);
	assert_true(serves(NULL));
	called(&t, START);
	/* Said once each, not at every look for seconds. */
	assert_in_range(waits, 1, 12);
	acttest_down(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_does, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
	};
	int failed;

	pgpair_own_mounts();
	pgpair_init(&pgpair_one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgpair_free(&pgpair_one);
	return failed;
}
