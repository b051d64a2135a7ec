/*
 * What waits long for a disk: beside what does not, and no longer than it is
 * wanted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/clone_old.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "act/saved.h"
#include "hawatch/conf.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"
#include "pgpair.h"

#define LIMIT (10 * USEC_SEC)

/* An action, as far as this asks for it. */
struct act {
	struct act_env *env;
};

static struct {
	struct loop *loop;
	struct worker *worker;
	struct conf conf;
	struct act a;
	atomic_int begun, ended, flag;
	int done;
} t;

struct act_env *
act_env(struct act *a)
{
	return a->env;
}

static int
setup(void **state)
{
	struct error err;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new(&err);
	assert_non_null(t.loop);
	t.worker = worker_new(t.loop);
	t.a.env = act_env_new(t.loop, &t.conf, t.worker);
	return 0;
}

static int
teardown(void **state)
{
	act_env_free(t.a.env);
	worker_free(t.worker);
	loop_free(t.loop);
	return 0;
}

static bool
is_done(void *arg)
{
	return t.done == *(int *)arg;
}

/* What a thread does needs no turn of the loop. */
static void
comes(bool (*cond)(int n), int n)
{
	int i;

	for (i = 0; i < 1000 && !cond(n); i++)
		usleep(10000);
	assert_true(cond(n));
}

static bool
has_begun(int n)
{
	return atomic_load(&t.begun) == n;
}

static bool
has_ended(int n)
{
	return atomic_load(&t.ended) == n;
}

static void
done_cb(struct act *a, bool ok, void *what, const struct error *err)
{
	assert_true(ok);
	t.done++;
}

static void
nothing(void *arg)
{
}

static void
set_flag(void *arg)
{
	atomic_store(&t.flag, 1);
}

/* It ends when the flag is set, or is called off. */
static int
waits(void *what, const struct disk_work *self, struct error *err)
{
	int rc = 0;

	atomic_fetch_add(&t.begun, 1);
	while (rc == 0 && atomic_load(&t.flag) == 0) {
		rc = disk_work_goes_on(self, err);
		usleep(1000);
	}
	atomic_fetch_add(&t.ended, 1);
	return rc;
}

static int
at_once(void *what, const struct disk_work *self, struct error *err)
{
	return 0;
}

/* The register's copy, the journal: they are written while it lasts. */
static void
test_beside(void **state)
{
	int one = 1;

	disk_work_start(&t.a, waits, NULL, free, done_cb);
	worker_submit(t.worker, set_flag, nothing, NULL);
	assert_true(pump(t.loop, is_done, &one, LIMIT));
}

static void
test_cancelled(void **state)
{
	int one = 1;

	disk_work_cancel(disk_work_start(&t.a, waits, NULL, free, done_cb));
	disk_work_start(&t.a, at_once, NULL, free, done_cb);
	assert_true(pump(t.loop, is_done, &one, LIMIT));
	assert_int_equal(atomic_load(&t.flag), 0);
}

/* What is done when there is nothing else to do gets its turn, also. */
static void
test_idle(void **state)
{
	int one = 1;

	disk_work_idle(t.a.env, waits, NULL, free);
	comes(has_begun, 1);
	disk_work_idle(t.a.env, at_once, xstrdup("dropped"), free);
	disk_work_start(&t.a, at_once, NULL, free, done_cb);
	assert_true(pump(t.loop, is_done, &one, LIMIT));
	assert_int_equal(atomic_load(&t.ended), 1);
	set_flag(NULL);
	comes(has_ended, 2);
	assert_int_equal(atomic_load(&t.begun), 2);
}

/* An engine that ends does not wait for it. */
static void
test_idle_ends(void **state)
{
	disk_work_idle(t.a.env, waits, NULL, free);
	comes(has_begun, 1);
}

static struct error said;
static char top[] = "/tmp/hawatch-disk-XXXXXX";

/* A log that takes its time: 1 GB of nothing. */
static int
saves(void *what, const struct disk_work *self, struct error *err)
{
	struct saved_goal *goal = what;
	struct saved out;
	int rc;

	goal->work = self;
	rc = saved_make(goal, &out, err);
	if (rc == -1)
		said = *err;
	return rc;
}

static bool
is_copying(int n)
{
	char line[200];

	snprintf(line, sizeof(line),
	    "test -s %s/saved/*-epoch8-1/pg_wal/00000001*", top);
	return system(line) == 0;
}

static void
test_copy_is_called_off(void **state)
{
	struct saved_goal goal = {
		.state_dir = top, .data_directory = top, .epoch = 8
	};
	struct disk_work *work;
	char line[300];
	int one = 1;

	assert_non_null(mkdtemp(top));
	snprintf(line, sizeof(line),
	    "cd %s && mkdir global pg_wal && touch global/pg_control && "
	    "truncate -s 1G pg_wal/000000010000000000000000",
	    top);
	assert_int_equal(system(line), 0);
	work = disk_work_start(
	    &t.a, saves, xmemdup(&goal, sizeof(goal)), free, done_cb);
	comes(is_copying, 0);
	disk_work_cancel(work);
	disk_work_start(&t.a, at_once, NULL, free, done_cb);
	assert_true(pump(t.loop, is_done, &one, LIMIT));
	assert_string_equal(said.msg, "called off");
	snprintf(line, sizeof(line), "rm -r %s", top);
	assert_int_equal(system(line), 0);
}

static char data[] = "/tmp/hawatch-old-XXXXXX/data";

static bool
is_settled(int n)
{
	char line[200];

	snprintf(line, sizeof(line),
	    "cd %.*s && test -e data.old-*-epoch9-1/*-old && "
	    "test -d data.old-*-epoch8-1 && ! test -e data.old-*-epoch7-1",
	    n, data);
	return system(line) == 0;
}

/* Data streams: what it took the place of is noted, and what was old before
 * goes but for the newest, when nothing else is to be done. */
static void
test_settle(void **state)
{
	const int n = (int)strlen(data) - 5;
	char line[400];

	data[n] = '\0';
	assert_non_null(mkdtemp(data));
	snprintf(line, sizeof(line),
	    "cd %s && for i in 7 8 9; do "
	    "mkdir -p data.old-20261121T12000${i}Z-epoch$i-1/base; done; "
	    "for d in data.old-*-epoch[78]-1; do "
	    "echo $d > $d/pg_internal.init.hawatch-old; done",
	    data);
	assert_int_equal(system(line), 0);
	data[n] = '/';
	t.conf.pg.data_directory = data;
	clone_old_settle(t.a.env);
	comes(is_settled, n);
	snprintf(line, sizeof(line), "rm -r %.*s", n, data);
	assert_int_equal(system(line), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_beside),
		T(test_cancelled),
		T(test_idle),
		T(test_idle_ends),
		T(test_copy_is_called_off),
		T(test_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
