#include "chaintest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "hawatch/file.h"
#include "scratch.h"

struct chaintest ch;

int
ch_group_setup(void **state)
{
	return scratch_make();
}

int
ch_group_teardown(void **state)
{
	scratch_free();
	return 0;
}

int
ch_setup(void **state)
{
	(void)snprintf(ch.path, sizeof(ch.path), "%s", scratch_path("history"));
	ch.chain = chain_new(ch.path, CH_FULL, CH_FILES);
	return 0;
}

int
ch_teardown(void **state)
{
	chain_free(ch.chain);
	shell("rm -f history*");
	return 0;
}

void
ch_add(int n)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"n\":%d}", n);
	assert_int_equal(chain_append(ch.chain, text, &ch.err), 0);
}

static void
ch_each(void *arg, const struct chain_at *at)
{
	(void)snprintf(ch.last, sizeof(ch.last), "%s", at->text);
	ch.unlinked += at->linked ? 0 : 1;
}

void
ch_look(void)
{
	ch.unlinked = 0;
	assert_int_equal(
	    chain_read(ch.path, CH_FILES, ch_each, NULL, &ch.seen, &ch.err), 0);
}

static void
ch_first_each(void *arg, const struct chain_at *at)
{
	int *first = arg;

	if (*first == -1)
		assert_int_equal(sscanf(at->text, "{\"n\":%d}", first), 1);
}

int
ch_first(void)
{
	int n = -1;

	assert_int_equal(
	    chain_read(ch.path, CH_MANY, ch_first_each, &n, &ch.seen, &ch.err),
	    0);
	return n;
}

void
ch_again(int files)
{
	chain_free(ch.chain);
	ch.chain = chain_new(ch.path, CH_FULL, files);
}

static void
ch_name(char name[128], const char *suffix)
{
	(void)snprintf(name, 128, "%s%s", ch.path, suffix);
}

char *
ch_get(const char *suffix, size_t *len)
{
	char name[128];
	char *text;

	ch_name(name, suffix);
	text = file_read(name, 100000, len, &ch.err);
	assert_non_null(text);
	return text;
}

void
ch_put(const char *suffix, const char *text, size_t len)
{
	char name[128];

	ch_name(name, suffix);
	assert_int_equal(file_replace(name, text, len, 0600, &ch.err), 0);
}

void
ch_move(const char *from, const char *to)
{
	char a[128], b[128];

	ch_name(a, from);
	ch_name(b, to);
	assert_int_equal(rename(a, b), 0);
}
