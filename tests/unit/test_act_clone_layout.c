/*
 * What of a data directory's layout no copy is made beside of, and what is
 * told of it: mounts, in a namespace of the test's own, tablespaces, and file
 * systems that exchange nothing. And this host's own settings, a link too.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/clone_dir.h"
#include "scratch.h"

static struct clone_dir dir;
static int no_exchange; /* the errno that it ends with */

/* The kernel's, or that of a file system which knows no such thing. */
int
renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	if (no_exchange != 0 && (flags & RENAME_EXCHANGE) != 0) {
		errno = no_exchange;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static int
setup(void **arg)
{
	static char data[100];

	snprintf(data, sizeof(data), "%s/data", scratch);
	memset(&dir, 0, sizeof(dir));
	dir.data = data;
	dir.source = "s2";
	dir.epoch = 8;
	dir.wall = (usec_t)1795262400 * USEC_SEC;
	no_exchange = 0;
	shell(
	    "awk -v t=$PWD '$2 ~ t { print $2 }' /proc/self/mounts | "
	    "xargs -r umount -l && rm -rf data* && mkdir -p data/pg_wal data/base/5 'data/a b' data/pg_tblspc "
	    "&& echo old > data/what && touch data/postgresql.auto.conf");
	return 0;
}

static void
copied(void)
{
	shell("mkdir -p data.new/pg_wal && echo copy > data.new/what && "
	      "touch data.new/postgresql.auto.conf");
}

static void
begins(void)
{
	struct error err;
	bool whole;

	if (clone_dir_begin(&dir, &whole, &err) == -1)
		fail_msg("%s", err.msg);
	assert_false(whole);
	shell("! ls -d data.* 2> /dev/null");
}

static void
says(const struct error *err, const char *name)
{
	assert_int_equal(err->code, ERR_REFUSED);
	if (strstr(err->msg, scratch_path(name)) == NULL ||
	    strstr(err->msg, "by hand") == NULL)
		fail_msg("%s", err->msg);
}

/* A person is told of that, before anything is copied. */
static void
refuses(const char *name)
{
	struct error err;
	bool whole;

	assert_int_equal(clone_dir_begin(&dir, &whole, &err), -1);
	says(&err, name);
	shell("! ls -d data.* 2> /dev/null");
}

/* And, where it came to be so meanwhile, before the two change places. */
static void
places_not(const char *name)
{
	struct error err;

	copied();
	assert_int_equal(clone_dir_place(&dir, "host=s2", &err), -1);
	says(&err, name);
	shell("! grep -sq copy data/what && rm -r data.new");
}

static void
mounted(const char *name)
{
	begins();
	assert_int_equal(mount("none", scratch_path(name), "tmpfs", 0,
			     "size=64k,nr_inodes=9"),
	    0);
	refuses(name);
	places_not(name);
	assert_int_equal(umount(scratch_path(name)), 0);
	begins();
}

static void
test_disks(void **arg)
{
	mounted("data/pg_wal");
	mounted("data/base");
	mounted("data/base/5");
	mounted("data");
}

/* Of the same disk: no number of a device differs. */
static void
bound(const char *name)
{
	char path[200];

	strcpy(path, scratch_path(name));
	assert_int_equal(mount(path, path, NULL, MS_BIND, NULL), 0);
	refuses(name);
	places_not(name);
	assert_int_equal(umount(path), 0);
	begins();
}

static void
test_binds(void **arg)
{
	bound("data");
	bound("data/pg_wal");
	bound("data/base/5");
	bound("data/a b");
	bound("data/what");
}

/* Beside it, with almost its name; and above it. */
static void
test_others(void **arg)
{
	shell("mkdir data2");
	assert_int_equal(
	    mount("none", scratch_path("data2"), "tmpfs", 0, NULL), 0);
	begins();
	assert_int_equal(umount(scratch_path("data2")), 0);
	assert_int_equal(mount(scratch, scratch, NULL, MS_BIND, NULL), 0);
	begins();
	assert_int_equal(umount(scratch), 0);
}

static void
test_links(void **arg)
{
	shell("rmdir data/pg_wal && mkdir data2 && ln -s ../data2 data/pg_wal");
	refuses("data/pg_wal");
	shell("rm data/pg_wal && mkdir data/pg_wal && mv data data2/ && "
	      "ln -s data2/data data");
	refuses("data");
}

/* What is kept would be written to by the copy's server. */
static void
test_tablespaces(void **arg)
{
	shell("mkdir data2 && ln -s ../../data2 data/pg_tblspc/16400");
	refuses("data/pg_tblspc");
	places_not("data/pg_tblspc");
	shell("rm data/pg_tblspc/16400");
	begins();
	shell("rmdir data/pg_tblspc");
	begins();
}

static void
test_no_exchange(void **arg)
{
	static const int ends[] = { EINVAL, ENOSYS };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		no_exchange = ends[i];
		refuses("data");
		places_not("data");
	}
	no_exchange = 0;
	/* What a crash in the midst of the trial left. */
	shell("mkdir data.try1 data.try2");
	begins();
}

static void
places(void)
{
	struct error err;

	copied();
	shell("echo theirs > data.new/postgresql.conf && "
	      "echo theirs > data.new/pg_hba.conf");
	if (clone_dir_place(&dir, "host=s2", &err) == -1)
		fail_msg("%s", err.msg);
}

/* What it leads to is read by nobody, and its rights are its own. */
static void
test_settings(void **arg)
{
	shell("echo secret > data2 && chmod 600 data2 && "
	      "ln -s ../data2 data/pg_hba.conf && "
	      "ln -s ../nowhere data/pg_ident.conf && "
	      "echo own > data/postgresql.conf && "
	      "chmod 640 data/postgresql.conf && "
	      "chown -h 65534:65533 data data/p*.conf");
	begins();
	places();
	shell("test $(readlink data/pg_hba.conf) = ../data2 && "
	      "test $(readlink data/pg_ident.conf) = ../nowhere && "
	      "test $(stat -c %u data/pg_hba.conf) = 65534 && "
	      "test $(stat -c %a:%u data2) = 600:0 && "
	      "grep -q own data/postgresql.conf && "
	      "test $(stat -c %a:%u:%g data/postgresql.conf) = "
	      "640:65534:65533");
}

static void
test_no_settings(void **arg)
{
	struct error err;

	begins();
	shell("mkfifo data/postgresql.conf");
	copied();
	assert_int_equal(clone_dir_place(&dir, "host=s2", &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	assert_non_null(strstr(err.msg, scratch_path("data/postgresql.conf")));
	shell("grep -q old data/what");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_disks, setup),
		cmocka_unit_test_setup(test_binds, setup),
		cmocka_unit_test_setup(test_others, setup),
		cmocka_unit_test_setup(test_links, setup),
		cmocka_unit_test_setup(test_tablespaces, setup),
		cmocka_unit_test_setup(test_no_exchange, setup),
		cmocka_unit_test_setup(test_settings, setup),
		cmocka_unit_test_setup(test_no_settings, setup),
	};
	int rc;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		perror("a mount namespace of its own");
		return 77;
	}
	if (scratch_make() == -1)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	setup(NULL);
	scratch_free();
	return rc;
}
