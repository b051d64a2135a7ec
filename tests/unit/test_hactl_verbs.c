/*
 * hactl's command line: what is accepted, what is refused with which code, and
 * that the table's usage parses as the table says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hactl/hactl.h"

#define WORDS_MAX 12

static struct call call;
static enum exitcode code;

/* Splits at blanks; the words outlive the call. */
static bool
parse(const char *line)
{
	static char buf[256];
	static char *argv[WORDS_MAX + 1];
	char *rest = NULL, *word;
	int argc = 0;

	(void)snprintf(buf, sizeof(buf), "hactl %s", line);
	for (word = strtok_r(buf, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return verb_parse(&call, argc, argv, &code);
}

static void
test_accepted(void **state)
{
	assert_false(parse("status"));
	assert_string_equal(call.verb->words, "status");
	assert_null(call.opt[OPT_JSON]);
	assert_false(parse("status --json -c /x"));
	assert_non_null(call.opt[OPT_JSON]);
	assert_string_equal(call.opt[OPT_CONFIG], "/x");
	assert_false(parse("--node=n1 plan promote s2"));
	assert_string_equal(call.verb->words, "plan promote");
	assert_string_equal(call.opt[OPT_NODE], "n1");
	assert_string_equal(call.arg[0], "s2");
	assert_false(parse("plan --tables"));
	assert_string_equal(call.verb->words, "plan");
	assert_false(parse("promote s2 --fenced off --yes"));
	assert_string_equal(call.opt[OPT_FENCED], "off");
	assert_false(parse("switchover"));
	assert_int_equal(call.args, 0);
	assert_false(parse("switchover s2 --yes"));
	assert_string_equal(call.arg[0], "s2");
	assert_null(call.opt[OPT_END_TRANSACTIONS]);
	assert_false(parse("switchover --end-transactions --leave-slots s2"));
	assert_non_null(call.opt[OPT_END_TRANSACTIONS]);
	assert_non_null(call.opt[OPT_LEAVE_SLOTS]);
	assert_null(call.opt[OPT_LEAVE_ARCHIVE]);
	assert_false(parse("plan switchover s2"));
	assert_string_equal(call.verb->words, "plan switchover");
	assert_false(parse("config check"));
	assert_int_equal(call.args, 0);
	assert_false(parse("config check /x"));
	assert_string_equal(call.arg[0], "/x");
}

static void
test_refused(void **state)
{
	static const char *const wrong[] = { "", "frob", "plan", "pki",
		"register", "promote", "promote a b", "status x",
		"status --fenced x", "status --frob", "--json=1 status", "init",
		"init s1", "role", "role --is", "config check a b",
		"plan promote", "promote --holder x s2", "a b c d e f g h",
		"promote s2 --fenced=", "frob --help", "plan promot",
		"register sho", "switchover a b", "switchover --fenced x",
		"switchover --leave-slots=1", "promote s2 --leave-slots",
		"plan switchover", "status --color", "status --color=blue",
		"promote s2 --fenced --yes" };
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		code = EXITCODE_DONE;
		if (!parse(wrong[i]))
			fail_msg("accepted: %s", wrong[i]);
		assert_int_equal(code, EXITCODE_USAGE);
	}
}

static void
test_help_and_version(void **state)
{
	static const char *const right[] = { "--help", "--version",
		"plan --help", "pki -h", "plan promote --help",
		"promote --help", "init -h", "-V" };
	size_t i;

	for (i = 0; i < sizeof(right) / sizeof(*right); i++) {
		code = EXITCODE_USAGE;
		if (!parse(right[i]))
			fail_msg("no help: %s", right[i]);
		assert_int_equal(code, EXITCODE_DONE);
	}
}

/* Every row is found by its own words, and its needs are among its options. */
static void
test_table(void **state)
{
	const struct verb *v;
	char line[128];
	size_t i;
	int a;

	for (i = 0; i < verb_count(); i++) {
		v = &verb_table[i];
		assert_int_equal(v->needs & ~v->options, 0);
		assert_non_null(v->run);
		assert_true(strlen(v->help) < 70);
		(void)snprintf(line, sizeof(line), "%s", v->words);
		for (a = 0; a < v->min; a++)
			strcat(line, " word");
		if ((v->needs & OPT_BIT(HOLDER)) != 0)
			strcat(line, " --holder x");
		if ((v->needs & OPT_BIT(IS)) != 0)
			strcat(line, " --is primary");
		if ((v->needs & OPT_BIT(TABLES)) != 0)
			strcat(line, " --tables");
		if ((v->needs & OPT_BIT(FOR)) != 0)
			strcat(line, " --for 30m");
		if ((v->needs & OPT_BIT(TEST)) != 0)
			strcat(line, " --test");
		if (parse(line))
			fail_msg("refused: %s", line);
		assert_ptr_equal(call.verb, v);
		assert_int_equal(call.args, v->min);
		verb_usage(v, line, sizeof(line));
		assert_true(strlen(line) < sizeof(line) - 1);
	}
}

static void
again(int argc, const char *const *argv, const char *word, const char *other,
    const char *want)
{
	verb_keep(argc, (char **)(uintptr_t)argv);
	assert_string_equal(verb_again_with(word, other), want);
}

/* The word itself, not where it is part of another, nor of a sentence. */
static void
test_again(void **state)
{
	const char *const host[] = { "hactl", "status", "--host", "s" };
	const char *const equals[] = { "hactl", "--host=s", "status" };
	const char *const name[] = { "hactl", "ping", "--host", "hactl" };
	const char *const said[] = { "hactl", "promote", "s2", "--fenced",
		"it's off, s too", "--host", "s" };
	const char *const time[] = { "hactl", "pause", "--for", "3", "3 disks",
		"--for30" };
	const char *const blank[] = { "hactl", "plan", "promote", "s2", "--if",
		"s 1=off" };

	again(4, host, "s", "prod-s1", "hactl status --host prod-s1");
	again(3, equals, "s", "prod-s1", "hactl --host=prod-s1 status");
	again(4, name, "hactl", "prod-s1", "hactl ping --host prod-s1");
	again(7, said, "s", "prod-s1",
	    "hactl promote s2 --fenced 'it'\\''s off, s too' --host prod-s1");
	again(6, time, "--for 3", "--for 3m",
	    "hactl pause --for 3m '3 disks' --for30");
	again(6, blank, "s 1=off", "s 1=dead",
	    "hactl plan promote s2 --if 's 1=dead'");
	again(4, host, "st", "x", "hactl --help");
	again(4, host, "--hos", "x", "hactl --help");
}

static void
test_clean(void **state)
{
	char buf[32];

	print_clean(buf, sizeof(buf), "a\033[31mb\nc\xff");
	assert_string_equal(buf, "a?[31mb?c?");
	print_clean(buf, 4, "ab\xc3\xa4");
	assert_string_equal(buf, "ab");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
