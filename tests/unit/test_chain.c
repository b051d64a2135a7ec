/*
 * The chained file: what was appended is read, and whatever is changed is found
 * at its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "chaintest.h"
#include "hawatch/mem.h"

static void
test_appended_is_read(void **state)
{
	int i;

	ch_look();
	assert_int_equal(ch.seen.lines, 0);
	assert_false(ch.seen.broken);
	for (i = 0; i < 5; i++)
		ch_add(i);
	ch_again(CH_FILES);
	ch_add(5);
	ch_look();
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.lines, 6);
	assert_int_equal(ch.seen.files, 1);
	assert_string_equal(ch.last, "{\"n\":5}");
}

/* It stays small, and the chain goes on from file to file. */
static void
test_rotation(void **state)
{
	struct stat st;
	char name[128];
	int i;

	for (i = 0; i < 60; i++)
		ch_add(i);
	ch_look();
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.files, CH_FILES);
	assert_true(ch.seen.lines < 60 && ch.seen.lines > 20);
	assert_string_equal(ch.last, "{\"n\":59}");
	for (i = 0; i < CH_FILES; i++) {
		(void)snprintf(
		    name, sizeof(name), i == 0 ? "%s" : "%s.%d", ch.path, i);
		assert_int_equal(stat(name, &st), 0);
		assert_true(st.st_size <= CH_FULL);
	}
	(void)snprintf(name, sizeof(name), "%s.%d", ch.path, CH_FILES);
	assert_int_not_equal(stat(name, &st), 0);
}

static void
test_a_change_is_found(void **state)
{
	char *text, *at;
	size_t len;
	int i;

	for (i = 0; i < 5; i++)
		ch_add(i);
	text = ch_get("", &len);
	at = strstr(text, "{\"n\":2}");
	at[5] = '7';
	ch_put("", text, len);
	ch_look();
	assert_true(ch.seen.broken);
	assert_string_equal(ch.seen.file, "history");
	assert_int_equal(ch.seen.line, 4);
	assert_int_equal(ch.unlinked, 1);
	assert_int_equal(ch.seen.lines, 5);
	free(text);
}

static void
test_a_line_taken_out_is_found(void **state)
{
	char *text, *from, *to;
	size_t len;
	int i;

	for (i = 0; i < 5; i++)
		ch_add(i);
	text = ch_get("", &len);
	from = strchr(strstr(text, "{\"n\":1}"), '\n') + 1;
	to = strchr(from, '\n') + 1;
	memmove(from, to, (size_t)(text + len - to));
	ch_put("", text, len - (size_t)(to - from));
	ch_look();
	assert_true(ch.seen.broken);
	assert_int_equal(ch.seen.line, 4);
	free(text);
}

static void
test_a_file_taken_out_is_found(void **state)
{
	char name[128];
	int i;

	for (i = 0; i < 60; i++)
		ch_add(i);
	(void)snprintf(name, sizeof(name), "%s.1", ch.path);
	assert_int_equal(unlink(name), 0);
	ch_look();
	assert_true(ch.seen.broken);
	assert_string_equal(ch.seen.file, "history.1");
}

/* One of the files in the place of another: each is whole in itself. */
static void
test_a_file_exchanged_is_found(void **state)
{
	size_t len;
	char *text;
	int i;

	for (i = 0; i < 60; i++)
		ch_add(i);
	text = ch_get(".2", &len);
	ch_put(".1", text, len);
	ch_look();
	assert_true(ch.seen.broken);
	assert_string_equal(ch.seen.file, "history.1");
	assert_int_equal(ch.seen.line, 1);
	free(text);
}

/* What is of no form is kept, and does not keep the next line out. */
static void
test_garbage_is_put_aside(void **state)
{
	char *text;
	size_t len;

	ch_put("", "nonsense\nmore of it\n", 20);
	ch_add(0);
	ch_look();
	assert_true(ch.seen.broken);
	assert_string_equal(ch.seen.file, "history.1");
	assert_string_equal(ch.last, "{\"n\":0}");
	text = ch_get(".1", &len);
	assert_int_equal(len, 20);
	free(text);
	ch_put("", "", 0);
	ch_add(1);
	ch_look();
	assert_string_equal(ch.last, "{\"n\":1}");
}

/* Moved away under the writer, or written to by another. */
static void
test_another_file(void **state)
{
	char *text;
	size_t len;

	ch_add(0);
	assert_int_equal(unlink(ch.path), 0);
	ch_add(1);
	ch_look();
	assert_false(ch.seen.broken);
	assert_int_equal(ch.seen.lines, 1);
	text = ch_get("", &len);
	ch_put("", "x", 1);
	ch_add(2);
	ch_look();
	assert_string_equal(ch.last, "{\"n\":2}");
	free(text);
}

/* Written to by another: kept, and not written over. */
static void
test_somebody_writes(void **state)
{
	FILE *to;

	ch_add(3);
	to = fopen(ch.path, "a");
	assert_non_null(to);
	assert_true(fputs("somebody was here\n", to) >= 0);
	assert_int_equal(fclose(to), 0);
	ch_add(4);
	ch_look();
	assert_true(ch.seen.broken);
	assert_string_equal(ch.last, "{\"n\":4}");
}

/* A free place where something was taken out is told by its name. */
static void
test_each_file_taken_out_is_found(void **state)
{
	char name[16];
	int i;

	ch_again(CH_MANY);
	for (i = 0; i < 100; i++)
		ch_add(i);
	for (i = 1; i < CH_MANY - 1; i++) {
		(void)snprintf(name, sizeof(name), ".%d", i);
		ch_move(name, ".out");
		(void)ch_first();
		assert_true(ch.seen.broken);
		assert_string_equal(ch.seen.file + strlen("history"), name);
		assert_string_equal(ch.seen.why, "it is missing");
		ch_move(".out", name);
	}
	/* Of two of them the elder. */
	ch_move(".2", ".out");
	ch_move(".3", ".gone");
	(void)ch_first();
	assert_string_equal(ch.seen.file, "history.3");
	ch_move(".gone", ".3");
	ch_move(".out", ".2");
	/* Nothing follows the newest that could say so. */
	ch_move("", ".out");
	(void)ch_first();
	assert_true(ch.seen.broken);
	assert_string_equal(ch.seen.file, "history");
	assert_string_equal(ch.seen.why, "it is missing");
}

static void
test_what_does_not_fit(void **state)
{
	char *text = xcalloc(1, CHAIN_LINE_MAX + 2);

	memset(text, 'x', CHAIN_LINE_MAX + 1);
	assert_int_equal(chain_append(ch.chain, text, &ch.err), -1);
	assert_int_equal(chain_append(ch.chain, "a\nb", &ch.err), -1);
	free(text);
	ch_add(0);
	ch_look();
	assert_int_equal(ch.seen.lines, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, ch_setup, ch_teardown)
	const struct CMUnitTest tests[] = {
		T(test_appended_is_read),
		T(test_rotation),
		T(test_a_change_is_found),
		T(test_a_line_taken_out_is_found),
		T(test_a_file_taken_out_is_found),
		T(test_a_file_exchanged_is_found),
		T(test_garbage_is_put_aside),
		T(test_another_file),
		T(test_somebody_writes),
		T(test_each_file_taken_out_is_found),
		T(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, ch_group_setup, ch_group_teardown);
}
