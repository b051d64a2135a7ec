/*
 * Whole files: limits, odd file types, replacement that leaves no rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hawatch/file.h"
#include "hawatch/mem.h"

static char dir[] = "/tmp/hawatch-file-XXXXXX";

static int
setup(void **state)
{
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	return rmdir(dir);
}

static int
count_files(void)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
test_replace(void **state)
{
	char *path = xasprintf("%s/state", dir);
	struct error err;
	struct stat st;
	char *data;
	size_t len;

	assert_int_equal(file_replace(path, "old", 3, 0600, &err), 0);
	assert_int_equal(file_replace(path, "n\0w!", 4, 0640, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	data = file_read(path, 4, &len, &err);
	assert_non_null(data);
	assert_int_equal(len, 4);
	assert_memory_equal(data, "n\0w!", 5);
	free(data);
	assert_int_equal(count_files(), 1);
	assert_int_equal(file_replace(path, "", 0, 0600, &err), 0);
	data = file_read(path, 0, NULL, &err);
	assert_non_null(data);
	assert_string_equal(data, "");
	free(data);
	unlink(path);
	free(path);
}

static void
test_replace_fails(void **state)
{
	char *path = xasprintf("%s/none/state", dir);
	struct error err;

	assert_int_equal(file_replace(path, "x", 1, 0600, &err), -1);
	assert_int_equal(err.code, ERR_SYS);
	assert_int_equal(err.sys, ENOENT);
	free(path);
	/* The name is taken by a directory: the temporary file goes away. */
	path = xasprintf("%s/sub", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(file_replace(path, "x", 1, 0600, &err), -1);
	assert_int_equal(err.code, ERR_SYS);
	assert_int_equal(count_files(), 1);
	rmdir(path);
	free(path);
}

/* A write that fails half-way, as on a full disk, leaves the old content. */
static void
test_replace_no_room(void **state)
{
	char *path = xasprintf("%s/state", dir);
	struct rlimit old, small;
	struct error err;
	char *data;
	char *big = xcalloc(1, 10000);

	assert_int_equal(file_replace(path, "kept", 4, 0600, &err), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 5000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_replace(path, big, 10000, 0600, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err.code, ERR_SYS);
	assert_int_equal(err.sys, EFBIG);
	data = file_read(path, 100, NULL, &err);
	assert_non_null(data);
	assert_string_equal(data, "kept");
	assert_int_equal(count_files(), 1);
	free(data);
	free(big);
	unlink(path);
	free(path);
}

static void
test_sync_dir(void **state)
{
	struct error err;

	assert_int_equal(file_sync_dir(dir, &err), 0);
	assert_int_equal(file_sync_dir("/nonexistent/x", &err), -1);
	assert_int_equal(err.code, ERR_FSYNC);
	assert_int_equal(err.sys, ENOENT);
}

static void
test_read_refuses(void **state)
{
	char *path = xasprintf("%s/x", dir);
	struct error err;

	assert_null(file_read(path, 10, NULL, &err));
	assert_int_equal(err.sys, ENOENT);
	assert_null(file_read(dir, 10, NULL, &err));
	assert_non_null(strstr(err.msg, "is a directory"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(file_read(path, 10, NULL, &err));
	assert_non_null(strstr(err.msg, "not a regular file"));
	unlink(path);
	assert_int_equal(file_replace(path, "12345678901", 11, 0600, &err), 0);
	assert_null(file_read(path, 10, NULL, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	unlink(path);
	free(path);
}

static void
test_read_long(void **state)
{
	char *path = xasprintf("%s/long", dir);
	char *data = xcalloc(1, 100000);
	struct error err;
	size_t len;
	char *back;

	memset(data, 'a', 99999);
	assert_int_equal(file_replace(path, data, 99999, 0600, &err), 0);
	back = file_read(path, 1000000, &len, &err);
	assert_non_null(back);
	assert_int_equal(len, 99999);
	assert_string_equal(back, data);
	unlink(path);
	free(back);
	free(data);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_fails),
		cmocka_unit_test(test_replace_no_room),
		cmocka_unit_test(test_sync_dir),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_read_long),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
