/*
 * Operators of other hosts at the control socket: requests like any other,
 * each with its own lines, and never more than a few at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/control.h"
#include "hawatch/mem.h"

static struct {
	struct loop *loop;
	struct control *control;
	char dir[64], path[96];
	int asked;
	uint64_t id[64];
	char verb[32];
	char said[2048]; /* "7:{...}." with a dot after the last */
} f;

static void
handle(void *arg, uint64_t id, const char *verb, const char *args_json)
{
	f.id[f.asked++] = id;
	(void)snprintf(f.verb, sizeof(f.verb), "%s", verb);
}

static void
line(void *arg, uint64_t request, const char *json, bool last)
{
	size_t len = strlen(f.said);

	(void)snprintf(f.said + len, sizeof(f.said) - len, "%d:%.200s%s",
	    (int)request, json, last ? "." : ",");
}

static int
setup(void **state)
{
	struct error err;

	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/hawatch-remote-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	(void)snprintf(f.path, sizeof(f.path), "%s/s", f.dir);
	f.loop = loop_new(&err);
	f.control = control_new(f.loop, f.path, "daemon", handle, NULL, &err);
	assert_non_null(f.control);
	return 0;
}

static int
teardown(void **state)
{
	control_free(f.control);
	loop_free(f.loop);
	rmdir(f.dir);
	return 0;
}

static void
ask(const char *name, bool may_order, uint64_t request, const char *body)
{
	const struct control_asked asked = { .name = name,
		.may_order = may_order,
		.request = request,
		.line = line };

	control_remote(f.control, &asked, body, strlen(body));
}

static void
test_lines(void **state)
{
	bool may;
	uid_t uid;
	pid_t pid;

	ask("ann", true, 7, "{\"verb\":\"promote\",\"node\":\"a\"}");
	assert_int_equal(f.asked, 1);
	assert_string_equal(f.verb, "promote");
	assert_string_equal(control_operator(f.control, f.id[0], &may), "ann");
	assert_string_equal(control_asked_for(f.control, f.id[0]), "promote");
	assert_true(may);
	/* He is no user of this host. */
	assert_false(control_asker(f.control, f.id[0], &uid, &pid));
	ask("bob", false, 8, "{\"verb\":\"status\"}");
	assert_string_equal(control_operator(f.control, f.id[1], &may), "bob");
	assert_false(may);
	assert_true(f.id[0] != f.id[1]);
	control_reply(f.control, f.id[0], "{\"step\":1}", false);
	control_reply(f.control, f.id[1], "{\"exit\":1}", true);
	control_reply(f.control, f.id[0], "{\"exit\":0}", true);
	control_reply(f.control, f.id[0], "{\"late\":1}", true);
	assert_string_equal(
	    f.said, "7:{\"step\":1},8:{\"exit\":1}.7:{\"exit\":0}.");
	assert_null(control_operator(f.control, f.id[0], &may));
	assert_true(may);
}

static void
test_wrong_requests(void **state)
{
	static const char *const wrong[] = { "", "garbage", "[]", "{}",
		"{\"verb\":1}", "{\"verb\":\"a\",\"verb\":\"b\"}" };
	char *text = xcalloc(1, 20001);
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		f.said[0] = '\0';
		ask("ann", true, i, wrong[i]);
		assert_non_null(strstr(f.said, "\"exit\":2"));
		assert_non_null(strstr(f.said, "\"next\":\"hactl"));
		assert_int_equal(f.said[strlen(f.said) - 1], '.');
	}
	memset(text, 'x', 20000);
	f.said[0] = '\0';
	ask("ann", true, 9, text);
	assert_non_null(
	    strstr(f.said, "a request is one line of at most 16384 bytes"));
	assert_int_equal(f.asked, 0);
	free(text);
}

/* Whoever hangs up keeps his place until his answer is there: so there are
 * never more at work than this. */
static void
test_few_at_once(void **state)
{
	int i;

	for (i = 0; i < 8; i++)
		ask("ann", true, 1, "{\"verb\":\"status\"}");
	assert_int_equal(f.asked, 8);
	ask("ann", true, 2, "{\"verb\":\"status\"}");
	assert_int_equal(f.asked, 8);
	assert_non_null(strstr(f.said, "too many askers at once"));
	for (i = 0; i < 8; i++)
		ask("bob", true, 1, "{\"verb\":\"status\"}");
	assert_int_equal(f.asked, 16);
	ask("cid", true, 3, "{\"verb\":\"status\"}");
	assert_int_equal(f.asked, 16);
	control_reply(f.control, f.id[3], "{\"exit\":0}", true);
	ask("cid", true, 3, "{\"verb\":\"status\"}");
	assert_int_equal(f.asked, 17);
}

static void
test_too_long(void **state)
{
	char *text = xcalloc(1, 300001);
	bool may;

	memset(text, 'x', 300000);
	ask("ann", true, 1, "{\"verb\":\"status\"}");
	control_reply(f.control, f.id[0], text, false);
	control_reply(f.control, f.id[0], text, false);
	assert_non_null(strstr(f.said, "\"exit\":7"));
	assert_int_equal(f.said[strlen(f.said) - 1], '.');
	assert_null(control_operator(f.control, f.id[0], &may));
	free(text);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_wrong_requests),
		TEST(test_few_at_once),
		TEST(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
