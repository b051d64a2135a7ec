/*
 * The chained file on a disk that is full or fails, and after a power cut:
 * nothing half remains, and nothing that was written is missing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "chaintest.h"
#include "scratch.h"

#define BATCH 60

/* What a power cut would leave of the file that is written to. */
static struct {
	ino_t ino;
	off_t size;
} durable;
static int syncs_left = -1; /* then they fail; -1 never */
static int followed;	    /* so many files got a successor */
static bool may_follow = true;
static bool lost; /* one of them when it was not durable */

/* In the place of libc's. */
int
fdatasync(int fd)
{
	static int (*real)(int);
	struct stat st;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	if (syncs_left == 0) {
		errno = EIO;
		return -1;
	}
	if (syncs_left > 0)
		syncs_left--;
	assert_int_equal(fstat(fd, &st), 0);
	durable.ino = st.st_ino;
	durable.size = st.st_size;
	return real(fd);
}

static bool
is_durable(void)
{
	struct stat st;

	assert_int_equal(stat(ch.path, &st), 0);
	return durable.ino == st.st_ino && durable.size == st.st_size;
}

/* In the place of libc's. */
int
rename(const char *from, const char *to)
{
	static int (*real)(const char *, const char *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "rename");
	if (strcmp(from, ch.path) == 0) {
		if (!may_follow) {
			errno = EACCES;
			return -1;
		}
		followed++;
		lost = lost || !is_durable();
	}
	return real(from, to);
}

static int
disk_setup(void **state)
{
	memset(&durable, 0, sizeof(durable));
	syncs_left = -1;
	followed = 0;
	may_follow = true;
	lost = false;
	return ch_setup(state);
}

static int
batch(size_t *done)
{
	char text[BATCH][20], *texts[BATCH];
	int i;

	for (i = 0; i < BATCH; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "{\"n\":%d}", i);
		texts[i] = text[i];
	}
	return chain_append_all(ch.chain, texts, BATCH, done, &ch.err);
}

/* The next file names the last sum of the one before: were that lost, somebody
 * would seem to have taken lines out. */
static void
test_full_file_is_durable(void **state)
{
	size_t done;

	assert_int_equal(batch(&done), 0);
	assert_true(followed > 2);
	assert_false(lost);
	assert_true(is_durable());
}

/* What is not known to be durable has no successor. */
static void
test_full_file_is_not_durable(void **state)
{
	size_t done;

	syncs_left = 0;
	assert_int_equal(batch(&done), -1);
	assert_in_range(done, 1, BATCH - 1);
	assert_non_null(strstr(ch.err.msg, "fsync"));
	assert_int_equal(followed, 0);
	syncs_left = -1;
	ch_add(BATCH);
	ch_look();
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.lines, done + 1);
}

/* The next one cannot be begun: what was written before is durable. */
static void
test_next_file_fails(void **state)
{
	size_t done;

	may_follow = false;
	assert_int_equal(batch(&done), -1);
	assert_in_range(done, 1, BATCH - 1);
	assert_true(is_durable());
	ch_look();
	assert_int_equal(ch.seen.lines, done);
}

/* The power went while a line was written. */
static void
test_half_a_line_is_cut_off(void **state)
{
	char *text;
	size_t len;

	ch_add(0);
	ch_add(1);
	assert_int_equal(chain_append(ch.chain,
			     "{\"much longer than the next\":1}", &ch.err),
	    0);
	text = ch_get("", &len);
	ch_put("", text, len - 3);
	ch_look();
	assert_true(ch.seen.broken);
	ch_again(CH_FILES);
	ch_add(2);
	ch_look();
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.lines, 3);
	assert_string_equal(ch.last, "{\"n\":2}");
	free(text);
}

/* A disk that is full: nothing half, and on it goes when there is room. */
static void
test_full_disk(void **state)
{
	struct rlimit old, limit;
	char longer[300];
	size_t len;
	char *text;

	ch_add(0);
	text = ch_get("", &len);
	free(text);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	limit.rlim_cur = len + 200;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(chain_append(ch.chain, longer, &ch.err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	ch_add(2);
	ch_look();
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.lines, 2);
	assert_string_equal(ch.last, "{\"n\":2}");
}

/* Just when the next file has to be begun: nothing is missing, and nobody has
 * changed anything. */
static void
test_full_disk_at_rotation(void **state)
{
	struct rlimit old, small;
	int i;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 0;
	for (i = 0; i < 60; i++) {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		(void)!chain_append(ch.chain, "{\"n\":-1}", &ch.err);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		ch_add(i);
		ch_look();
		assert_false(ch.seen.broken);
	}
}

/* The power went when the last file had its new name, and the next one had not:
 * that one is known. Without it a file was taken away. */
static void
test_crash_at_rotation(void **state)
{
	char cmd[300];
	int i, n;

	for (i = 0; i < 2; i++) {
		for (n = 0; n < 20; n++)
			ch_add(n);
		ch_look();
		assert_false(ch.seen.broken);
		n = snprintf(cmd, sizeof(cmd),
		    "mv history.1 history.2 && mv history history.1 "
		    "&& echo hawatch-history 1 %s > history%s",
		    ch.seen.last, i == 0 ? ".next" : ".lost");
		assert_in_range(n, 1, sizeof(cmd) - 1);
		shell(cmd);
		ch_again(CH_FILES);
		ch_add(20);
		ch_look();
		assert_int_equal(ch.seen.broken, i);
		assert_string_equal(ch.last, "{\"n\":20}");
	}
}

/* The power went when some files had their new names: nothing is missing, and
 * the place that is free is the next one's, so that none goes before its turn.
 */
static void
test_crash_between_files(void **state)
{
	int i, oldest, files;

	ch_again(CH_MANY);
	for (i = 0; i < 100; i++)
		ch_add(i);
	oldest = ch_first();
	assert_int_equal(ch.seen.files, CH_MANY);
	assert_true(oldest > 0);
	ch_move(".3", ".4");
	ch_move(".2", ".3");
	assert_true(ch_first() > oldest);
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.files, CH_MANY - 1);
	oldest = ch_first();
	ch_again(CH_MANY);
	for (files = 0; files < CH_MANY && i < 200; i++) {
		ch_add(i);
		assert_int_equal(ch_first(), oldest);
		assert_false(ch.seen.broken);
		files = (int)ch.seen.files;
	}
	assert_int_equal(files, CH_MANY);
	for (; i < 200; i++)
		ch_add(i);
	assert_true(ch_first() > oldest);
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.files, CH_MANY);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, disk_setup, ch_teardown)
	const struct CMUnitTest tests[] = {
		T(test_full_file_is_durable),
		T(test_full_file_is_not_durable),
		T(test_next_file_fails),
		T(test_half_a_line_is_cut_off),
		T(test_full_disk),
		T(test_full_disk_at_rotation),
		T(test_crash_at_rotation),
		T(test_crash_between_files),
	};

	return cmocka_run_group_tests(tests, ch_group_setup, ch_group_teardown);
}
