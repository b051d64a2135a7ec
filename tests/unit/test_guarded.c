/*
 * That a host is guarded is written down: before the first engine that guards
 * it starts, and later where there was no room.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/guarded.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/worker.h"

#define AGAIN (50 * USEC_MSEC)

static struct {
	char dir[64];
	struct conf conf;
	struct loop *loop;
	struct worker *worker;
	struct guarded *g;
	struct rlimit room;
	int told;
} t;

static void
line_cb(void *arg, enum level level, const char *line)
{
	t.told += strstr(line, "ev=guarded.unsaved") != NULL;
}

static void
shell(const char *text)
{
	char line[300];

	snprintf(line, sizeof(line), "cd %s && %s", t.dir, text);
	assert_int_equal(system(line), 0);
}

static void
full(bool on)
{
	struct rlimit none = t.room;

	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, on ? &none : &t.room), 0);
}

static int
setup(void **state)
{
	struct error err;

	memset(&t, 0, sizeof(t));
	strcpy(t.dir, "/tmp/hawatch-guarded-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	t.conf.state_dir = t.dir;
	t.conf.mode = MODE_AUTO;
	emit_to(line_cb, NULL);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &t.room), 0);
	t.loop = loop_new(&err);
	assert_non_null(t.loop);
	t.worker = worker_new(t.loop);
	return 0;
}

static int
teardown(void **state)
{
	full(false);
	worker_free(t.worker);
	guarded_free(t.g);
	loop_free(t.loop);
	shell("rm -f state guarded");
	rmdir(t.dir);
	return 0;
}

static bool
starts(void)
{
	struct error err;

	t.g = guarded_new(t.loop, t.worker, &t.conf, AGAIN, &err);
	return t.g != NULL;
}

static void
stop_cb(void *loop)
{
	loop_stop(loop);
}

static void
turn(void *arg, const struct now *now)
{
}

static void
runs(usec_t us)
{
	struct timer *timer = timer_new(t.loop, stop_cb, t.loop);

	timer_arm(timer, us);
	loop_run(t.loop, turn, NULL);
	timer_free(timer);
}

static void
test_first_start(void **state)
{
	full(true);
	assert_false(starts());
	full(false);
	assert_true(starts());
	shell("test -s guarded");
	t.conf.mode = MODE_OBSERVE;
	guarded_free(t.g);
	assert_false(starts());
	/* Not for want of room. */
	shell("touch state");
	assert_false(starts());
}

static void
test_only_looks(void **state)
{
	t.conf.mode = MODE_OBSERVE;
	assert_true(starts());
	runs(AGAIN);
	shell("! test -e guarded");
}

/* An engine of before was here, which wrote no such file: told once, and
 * written when there is room. */
static void
test_upgrade(void **state)
{
	shell("touch state");
	full(true);
	assert_true(starts());
	runs(5 * AGAIN);
	assert_int_equal(t.told, 1);
	full(false);
	shell("! test -e guarded");
	runs(5 * AGAIN);
	shell("test -s guarded");
	assert_int_equal(t.told, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_first_start),
		T(test_only_looks),
		T(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
