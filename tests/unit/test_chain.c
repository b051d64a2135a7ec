/*
 * The chained file: what was appended is read, whatever is changed is found at
 * its place, a full disk and a crash leave nothing half.
 */
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

#include "hawatch/chain.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"

#define FULL 1000
#define FILES 3
#define MANY 5

static char dir[64], path[96], last[64];
static struct chain *chain;
static struct chain_seen seen;
static struct error err;
static size_t unlinked;

static int
setup(void **state)
{
	strcpy(dir, "/tmp/hawatch-chain-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/history", dir);
	chain = chain_new(path, FULL, FILES);
	return 0;
}

static int
teardown(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);

	chain_free(chain);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	return 0;
}

static void
add(int n)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"n\":%d}", n);
	assert_int_equal(chain_append(chain, text, &err), 0);
}

static void
each(void *arg, const struct chain_at *at)
{
	(void)snprintf(last, sizeof(last), "%s", at->text);
	unlinked += at->linked ? 0 : 1;
}

static void
look(void)
{
	unlinked = 0;
	assert_int_equal(chain_read(path, FILES, each, NULL, &seen, &err), 0);
}

/* The content of a file, changed by the caller and put back. */
static char *
get(const char *suffix, size_t *len)
{
	char name[128];
	char *text;

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	text = file_read(name, 100000, len, &err);
	assert_non_null(text);
	return text;
}

static void
put(const char *suffix, const char *text, size_t len)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	assert_int_equal(file_replace(name, text, len, 0600, &err), 0);
}

static void
again(void)
{
	chain_free(chain);
	chain = chain_new(path, FULL, FILES);
}

static void
test_appended_is_read(void **state)
{
	int i;

	look();
	assert_int_equal(seen.lines, 0);
	assert_false(seen.broken);
	for (i = 0; i < 5; i++)
		add(i);
	again();
	add(5);
	look();
	assert_false(seen.broken);
	assert_int_equal(seen.lines, 6);
	assert_int_equal(seen.files, 1);
	assert_string_equal(last, "{\"n\":5}");
}

/* It stays small, and the chain goes on from file to file. */
static void
test_rotation(void **state)
{
	struct stat st;
	char name[128];
	int i;

	for (i = 0; i < 60; i++)
		add(i);
	look();
	assert_false(seen.broken);
	assert_int_equal(seen.files, FILES);
	assert_true(seen.lines < 60 && seen.lines > 20);
	assert_string_equal(last, "{\"n\":59}");
	for (i = 0; i < FILES; i++) {
		(void)snprintf(
		    name, sizeof(name), i == 0 ? "%s" : "%s.%d", path, i);
		assert_int_equal(stat(name, &st), 0);
		assert_true(st.st_size <= FULL);
	}
	(void)snprintf(name, sizeof(name), "%s.%d", path, FILES);
	assert_int_not_equal(stat(name, &st), 0);
}

static void
test_a_change_is_found(void **state)
{
	char *text, *at;
	size_t len;
	int i;

	for (i = 0; i < 5; i++)
		add(i);
	text = get("", &len);
	at = strstr(text, "{\"n\":2}");
	at[5] = '7';
	put("", text, len);
	look();
	assert_true(seen.broken);
	assert_string_equal(seen.file, "history");
	assert_int_equal(seen.line, 4);
	assert_int_equal(unlinked, 1);
	assert_int_equal(seen.lines, 5);
	free(text);
}

static void
test_a_line_taken_out_is_found(void **state)
{
	char *text, *from, *to;
	size_t len;
	int i;

	for (i = 0; i < 5; i++)
		add(i);
	text = get("", &len);
	from = strchr(strstr(text, "{\"n\":1}"), '\n') + 1;
	to = strchr(from, '\n') + 1;
	memmove(from, to, (size_t)(text + len - to));
	put("", text, len - (size_t)(to - from));
	look();
	assert_true(seen.broken);
	assert_int_equal(seen.line, 4);
	free(text);
}

static void
test_a_file_taken_out_is_found(void **state)
{
	char name[128];
	int i;

	for (i = 0; i < 60; i++)
		add(i);
	(void)snprintf(name, sizeof(name), "%s.1", path);
	assert_int_equal(unlink(name), 0);
	look();
	assert_true(seen.broken);
	assert_string_equal(seen.file, "history.1");
}

/* One of the files in the place of another: each is whole in itself. */
static void
test_a_file_exchanged_is_found(void **state)
{
	size_t len;
	char *text;
	int i;

	for (i = 0; i < 60; i++)
		add(i);
	text = get(".2", &len);
	put(".1", text, len);
	look();
	assert_true(seen.broken);
	assert_string_equal(seen.file, "history.1");
	assert_int_equal(seen.line, 1);
	free(text);
}

/* The power went while a line was written. */
static void
test_half_a_line_is_cut_off(void **state)
{
	char *text;
	size_t len;

	add(0);
	add(1);
	assert_int_equal(
	    chain_append(chain, "{\"much longer than the next\":1}", &err), 0);
	text = get("", &len);
	put("", text, len - 3);
	look();
	assert_true(seen.broken);
	again();
	add(2);
	look();
	assert_false(seen.broken);
	assert_int_equal(seen.lines, 3);
	assert_string_equal(last, "{\"n\":2}");
	free(text);
}

/* What is of no form is kept, and does not keep the next line out. */
static void
test_garbage_is_put_aside(void **state)
{
	char *text;
	size_t len;

	put("", "nonsense\nmore of it\n", 20);
	add(0);
	look();
	assert_true(seen.broken);
	assert_string_equal(seen.file, "history.1");
	assert_string_equal(last, "{\"n\":0}");
	text = get(".1", &len);
	assert_int_equal(len, 20);
	free(text);
	put("", "", 0);
	add(1);
	look();
	assert_string_equal(last, "{\"n\":1}");
}

/* Moved away under the writer, or written to by another. */
static void
test_another_file(void **state)
{
	char *text;
	size_t len;

	add(0);
	assert_int_equal(unlink(path), 0);
	add(1);
	look();
	assert_false(seen.broken);
	assert_int_equal(seen.lines, 1);
	text = get("", &len);
	put("", "x", 1);
	add(2);
	look();
	assert_string_equal(last, "{\"n\":2}");
	free(text);
}

/* Written to by another: kept, and not written over. */
static void
test_somebody_writes(void **state)
{
	FILE *to;

	add(3);
	to = fopen(path, "a");
	assert_non_null(to);
	assert_true(fputs("somebody was here\n", to) >= 0);
	assert_int_equal(fclose(to), 0);
	add(4);
	look();
	assert_true(seen.broken);
	assert_string_equal(last, "{\"n\":4}");
}

/* A disk that is full: nothing half, and on it goes when there is room. */
static void
test_full_disk(void **state)
{
	struct rlimit old, limit;
	char longer[300];
	size_t len;
	char *text;

	add(0);
	text = get("", &len);
	free(text);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	limit.rlim_cur = len + 200;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(chain_append(chain, longer, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	add(2);
	look();
	assert_false(seen.broken);
	assert_int_equal(seen.lines, 2);
	assert_string_equal(last, "{\"n\":2}");
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
		(void)!chain_append(chain, "{\"n\":-1}", &err);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		add(i);
		look();
		assert_false(seen.broken);
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
			add(n);
		look();
		assert_false(seen.broken);
		n = snprintf(cmd, sizeof(cmd),
		    "cd %s && mv history.1 history.2 && mv history history.1 "
		    "&& echo hawatch-history 1 %s > history%s",
		    dir, seen.last, i == 0 ? ".next" : ".lost");
		assert_in_range(n, 1, sizeof(cmd) - 1);
		assert_int_equal(system(cmd), 0);
		again();
		add(20);
		look();
		assert_int_equal(seen.broken, i);
		assert_string_equal(last, "{\"n\":20}");
	}
}

static void
move(const char *from, const char *to)
{
	char a[128], b[128];

	(void)snprintf(a, sizeof(a), "%s%s", path, from);
	(void)snprintf(b, sizeof(b), "%s%s", path, to);
	assert_int_equal(rename(a, b), 0);
}

/* The number of the first line that is left. */
static void
first_each(void *arg, const struct chain_at *at)
{
	int *first = arg;

	if (*first == -1)
		assert_int_equal(sscanf(at->text, "{\"n\":%d}", first), 1);
}

static int
first(void)
{
	int n = -1;

	assert_int_equal(
	    chain_read(path, MANY, first_each, &n, &seen, &err), 0);
	return n;
}

/* The power went when some files had their new names: nothing is missing, and
 * the place that is free is the next one's, so that none goes before its turn.
 */
static void
test_crash_between_files(void **state)
{
	int i, oldest, files;

	chain_free(chain);
	chain = chain_new(path, FULL, MANY);
	for (i = 0; i < 100; i++)
		add(i);
	oldest = first();
	assert_int_equal(seen.files, MANY);
	assert_true(oldest > 0);
	move(".3", ".4");
	move(".2", ".3");
	assert_true(first() > oldest);
	assert_false(seen.broken);
	assert_int_equal(seen.files, MANY - 1);
	oldest = first();
	chain_free(chain);
	chain = chain_new(path, FULL, MANY);
	for (files = 0; files < MANY && i < 200; i++) {
		add(i);
		assert_int_equal(first(), oldest);
		assert_false(seen.broken);
		files = (int)seen.files;
	}
	assert_int_equal(files, MANY);
	for (; i < 200; i++)
		add(i);
	assert_true(first() > oldest);
	assert_false(seen.broken);
	assert_int_equal(seen.files, MANY);
}

/* A free place where something was taken out is told by its name. */
static void
test_each_file_taken_out_is_found(void **state)
{
	char name[16];
	int i;

	chain_free(chain);
	chain = chain_new(path, FULL, MANY);
	for (i = 0; i < 100; i++)
		add(i);
	for (i = 1; i < MANY - 1; i++) {
		(void)snprintf(name, sizeof(name), ".%d", i);
		move(name, ".out");
		(void)first();
		assert_true(seen.broken);
		assert_string_equal(seen.file + strlen("history"), name);
		assert_string_equal(seen.why, "it is missing");
		move(".out", name);
	}
	/* Of two of them the elder. */
	move(".2", ".out");
	move(".3", ".gone");
	(void)first();
	assert_string_equal(seen.file, "history.3");
	move(".gone", ".3");
	move(".out", ".2");
	/* Nothing follows the newest that could say so. */
	move("", ".out");
	(void)first();
	assert_true(seen.broken);
	assert_string_equal(seen.file, "history");
	assert_string_equal(seen.why, "it is missing");
}

static void
test_what_does_not_fit(void **state)
{
	char *text = xcalloc(1, CHAIN_LINE_MAX + 2);

	memset(text, 'x', CHAIN_LINE_MAX + 1);
	assert_int_equal(chain_append(chain, text, &err), -1);
	assert_int_equal(chain_append(chain, "a\nb", &err), -1);
	free(text);
	add(0);
	look();
	assert_int_equal(seen.lines, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_appended_is_read),
		T(test_rotation),
		T(test_a_change_is_found),
		T(test_a_line_taken_out_is_found),
		T(test_a_file_taken_out_is_found),
		T(test_a_file_exchanged_is_found),
		T(test_half_a_line_is_cut_off),
		T(test_garbage_is_put_aside),
		T(test_another_file),
		T(test_somebody_writes),
		T(test_full_disk),
		T(test_full_disk_at_rotation),
		T(test_crash_at_rotation),
		T(test_crash_between_files),
		T(test_each_file_taken_out_is_found),
		T(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
