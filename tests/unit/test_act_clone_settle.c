/*
 * How much stays of what copies took the place of, and when it is old: from
 * when the data streams that it was replaced for, however late that is written
 * down, and in however many pieces.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/clone_dir.h"
#include "act/clone_old.h"
#include "act/disk_work.h"
#include "act/env.h"
#include "hawatch/conf.h"
#include "hawatch/loop.h"
#include "hawatch/worker.h"
#include "pgpair.h"
#include "scratch.h"

#define LIMIT (10 * USEC_SEC)
#define NOON ((usec_t)1795262400 * USEC_SEC)
#define OLD "pg_internal.init.hawatch-old"

/* An action, as far as this asks for it. */
struct act {
	struct act_env *env;
};

static struct {
	struct loop *loop;
	struct worker *worker;
	struct conf conf;
	struct act a;
	atomic_int go;
	int done;
} t;

static char data[100];

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
	t.conf.pg.data_directory = data;
	t.a.env = act_env_new(t.loop, &t.conf, t.worker);
	shell("rm -rf data* && mkdir -p data/pg_wal && "
	      "touch data/postgresql.auto.conf");
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

static struct clone_dir
of(uint64_t epoch)
{
	return (struct clone_dir){
		.data = data, .source = "s2", .epoch = epoch, .wall = NOON
	};
}

static void
copied(void)
{
	shell(
	    "mkdir -p data.new/pg_wal && touch data.new/postgresql.auto.conf");
}

static void
copy(uint64_t epoch)
{
	struct clone_dir dir = of(epoch);
	struct error err;
	bool whole;

	assert_int_equal(clone_dir_begin(&dir, &whole, &err), 0);
	copied();
	if (clone_dir_place(&dir, "host=s2", &err) != 0)
		fail_msg("%s", err.msg);
}

static bool
is_idle(void *arg)
{
	return t.a.env->idle == NULL;
}

static void
streams(void)
{
	clone_old_settle(t.a.env);
	assert_true(pump(t.loop, is_idle, NULL, LIMIT));
}

/* The work that it waits for, in its thread. */
static int
waits(void *what, const struct disk_work *self, struct error *err)
{
	while (atomic_load(&t.go) == 0)
		usleep(1000);
	return 0;
}

static int
place(void *what, const struct disk_work *self, struct error *err)
{
	return clone_dir_place(what, "host=s2", err);
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

static bool
is_placed(void *arg)
{
	return t.done == 2 && is_idle(NULL);
}

/* What another copy takes the place of before that is written down is not old:
 * nothing has streamed since. */
static void
test_late(void **state)
{
	struct clone_dir dir = of(8);

	copy(7);
	disk_work_start(&t.a, waits, NULL, nothing, done_cb);
	clone_old_settle(t.a.env);
	copied();
	disk_work_start(&t.a, place, &dir, nothing, done_cb);
	atomic_store(&t.go, 1);
	assert_true(pump(t.loop, is_placed, NULL, LIMIT));
	shell("test -e data.old-*-epoch7-1/" OLD
	      " && test -d data.old-*-epoch8-1 && "
	      "! test -e data.old-*-epoch8-1/" OLD);
	copy(8);
	streams();
	shell("cmp data.old-*-epoch8-[12]/" OLD
	      " && ! cmp -s data.old-*-epoch[78]-1/" OLD);
}

static void
gone(const char *name)
{
	char line[200];
	int i;

	snprintf(line, sizeof(line), "! test -d %s/%s", scratch, name);
	for (i = 0; i < 1000 && system(line) != 0; i++)
		usleep(10000);
	assert_int_not_equal(i, 1000);
}

/* Asked for once more when the last time is not through yet. */
static void
test_twice(void **state)
{
	copy(5);
	streams();
	copy(6);
	streams();
	copy(7);
	clone_old_settle(t.a.env);
	gone("data.old-*-epoch5-1");
	copy(8);
	streams();
	shell("! test -e data.old-*-epoch6-1 && "
	      "test -d data.old-*-epoch7-1 && test -d data.old-*-epoch8-1");
}

/* As by a crash: the second of three is not marked. */
static void
test_cut(void **state)
{
	char path[200];

	copy(8);
	copy(8);
	copy(8);
	snprintf(path, sizeof(path), "%s/data.old-20261121T120000Z-epoch8-2",
	    scratch);
	assert_int_equal(mount(path, path, NULL, MS_BIND, NULL), 0);
	assert_int_equal(
	    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	streams();
	assert_int_equal(umount(path), 0);
	shell("! test -e data.old-*-2/" OLD);
	copy(9);
	streams();
	shell("cmp data.old-*-epoch8-[12]/" OLD
	      " && cmp data.old-*-epoch8-[23]/" OLD
	      " && ! cmp -s data.old-*-epoch8-3/" OLD
	      " data.old-*-epoch9-1/" OLD);
	copy(10);
	streams();
	shell("! ls -d data.old-*-epoch8-* 2> /dev/null && "
	      "test -d data.old-*-epoch9-1 && test -d data.old-*-epoch10-1");
}

/* Each time is newer than what it finds, whatever epoch it was in. */
static void
test_epochs_anew(void **state)
{
	copy(8);
	streams();
	copy(9);
	streams();
	copy(1);
	streams();
	shell("! test -e data.old-*-epoch8-1 && "
	      "test -d data.old-*-epoch9-1 && test -d data.old-*-epoch1-1");
	streams();
	copy(2);
	streams();
	shell("! test -e data.old-*-epoch9-1 && "
	      "test -d data.old-*-epoch1-1 && test -d data.old-*-epoch2-1");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_late),
		T(test_twice),
		T(test_cut),
		T(test_epochs_anew),
	};
	int rc;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		perror("a mount namespace of its own");
		return 77;
	}
	if (scratch_make() == -1)
		return 1;
	snprintf(data, sizeof(data), "%s/data", scratch);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_free();
	return rc;
}
