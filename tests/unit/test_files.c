/*
 * The last copy of the files, with real directories, commands and children: the
 * target's answers, and what two hosts' lines say of each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files/files_i.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "scratch.h"

#define PATIENCE (10 * USEC_SEC)

static struct loop *loop;
static struct conf conf;
static struct files *files;
static char here[64], there[64], sum[FILES_SUM_MAX];

static void
on_timer(void *arg)
{
	loop_stop(loop);
}

static void
on_sum(void *arg, const struct job_result *res)
{
	char why[FILES_WHY_MAX];

	if (files_sum_read(res, "it", sum, why) == -1)
		(void)snprintf(sum, sizeof(sum), "%s", why);
	loop_stop(loop);
}

/* The lines of that directory. */
static const char *
lines(const char *path)
{
	static char copy[2][FILES_SUM_MAX];
	static int n;
	struct error err;

	conf.files.paths[0] = path;
	sum[0] = '\0';
	assert_non_null(files_sum_start(files, on_sum, NULL, &err));
	loop_run(loop, NULL, NULL);
	n = 1 - n;
	(void)snprintf(copy[n], sizeof(copy[n]), "%s", sum);
	return copy[n];
}

static int
setup(void **state)
{
	const struct files_env env = { .conf = &conf,
		.program = "/proc/self/exe" };
	struct files_env e = env;

	shell(
	    "rm -rf a b && mkdir -p a/x b/x && echo one > 'a/x/of two words' && "
	    "ln -s x a/link && cp -a a/. b");
	memset(&conf, 0, sizeof(conf));
	conf.files.paths[0] = here;
	conf.files.run_as = "";
	conf.mode = MODE_AUTO;
	conf.files.timeout = 5 * USEC_SEC;
	conf.node_count = 2;
	conf.node[0].name = "n-a";
	conf.node[0].address = conf.node[0].private_ip = "127.0.0.1";
	conf.node[1] = conf.node[0];
	conf.node[1].name = "n-b";
	e.loop = loop;
	files = files_new(&e);
	return 0;
}

static int
teardown(void **state)
{
	files_free(files);
	return 0;
}

/* Names, contents and kinds count; nothing else does. */
static void
test_same_and_not(void **state)
{
	static const char *const changes[] = { "echo two > 'b/x/of two words'",
		"touch b/more", "rm b/link", "ln -sfn y b/link", "mv b/x b/y",
		"rm b/link && echo x > b/link" };
	char why[FILES_WHY_MAX];
	const char *one;
	size_t i;

	one = lines(here);
	assert_int_equal(strlen(one), 64 + strlen(" 2 4\n"));
	assert_string_equal(one, lines(there));
	shell("touch -d 2001-01-01 b/x && chmod 700 b/x");
	assert_int_equal(files_sum_compare(&conf, one, lines(there), why), 0);
	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		shell("rm -rf b && cp -a a b");
		shell(changes[i]);
		assert_int_equal(
		    files_sum_compare(&conf, lines(here), lines(there), why),
		    1);
		assert_non_null(strstr(why, "differs: 2 files of 4 bytes"));
	}
	assert_int_equal(files_sum_compare(&conf, one, "", why), -1);
	assert_int_equal(files_sum_compare(&conf, one, "0 1 2\n", why), -1);
	assert_non_null(strstr(lines("/nowhere/at/all"), "No such file"));
}

/* The target's side until its answer has that word. */
static char *
answer(uint64_t id, const char *word)
{
	usec_t end = clock_now().raw + PATIENCE;
	struct timer *timer;
	char *text;

	for (;;) {
		text = files_answer(files, 0, id);
		if (strstr(text, word) != NULL)
			return text;
		if (clock_now().raw > end)
			fail_msg("%s", text);
		free(text);
		timer = timer_new(loop, on_timer, NULL);
		timer_arm(timer, 20 * USEC_MSEC);
		loop_run(loop, NULL, NULL);
		timer_free(timer);
	}
}

static void
test_pull(void **state)
{
	char command[400];

	conf.files.paths[0] = there;
	conf.files.pull[0] = "/bin/sh";
	conf.files.pull[1] = "-c";
	conf.files.pull[2] = command;
	(void)snprintf(command, sizeof(command),
	    "cp -a %s/. %s && echo ${primary.name} > %s/from && exit 3", here,
	    there, scratch);
	shell("rm -rf b && mkdir b");
	free(answer(1, "working"));
	assert_int_equal(files_pulls(files), 0);
	/* What is there counts, not the exit; which explains a difference. */
	free(answer(1, "\"done\""));
	assert_int_equal(files_pulls(files), NODE_NONE);
	shell("grep -qx n-a from && test -f 'b/x/of two words'");
	free(answer(1, "it failed"));
	free(answer(1, " 2 4"));
	/* Another question pulls anew. */
	shell("rm from");
	free(answer(2, "working"));
	free(answer(2, "\"done\""));
	shell("test -f from");
	/* It is stopped with all that it has started. */
	conf.files.pull[2] = "sleep 1000 & sleep 1000";
	free(answer(3, "working"));
	files_stop(files);
	free(answer(3, "other work"));
	assert_int_equal(files_pulls(files), NODE_NONE);
	/* Nothing is touched. */
	conf.mode = MODE_OBSERVE;
	conf.files.pull[2] = "touch from";
	shell("rm -f from");
	free(answer(5, "mode observe copies nothing"));
	assert_int_equal(files_pulls(files), NODE_NONE);
	shell("test ! -e from");
	conf.mode = MODE_AUTO;
	conf.files.pull[0] = "/no/such/program";
	free(answer(4, "\"why\":\"the target's pull"));
}

int
main(int argc, char **argv)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_same_and_not),
		T(test_pull),
	};
	struct error err;
	int failed;

	if (argc > 1 && strcmp(argv[1], "--digest") == 0)
		return files_digest_main(argc - 2, argv + 2);
	if (scratch_make() == -1 || (loop = loop_new(&err)) == NULL)
		return 1;
	(void)snprintf(here, sizeof(here), "%s/a", scratch);
	(void)snprintf(there, sizeof(there), "%s/b", scratch);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_free(loop);
	scratch_free();
	return failed;
}
