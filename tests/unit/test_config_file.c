/*
 * The file that an engine was started by, while people edit it: real files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/config_file.h"
#include "hawatch/file.h"
#include "hawatch/loop.h"

#define PERIOD (20 * USEC_MSEC)
#define BASE \
	"cluster = \"c\"; nodes = (\n" \
	" { name = \"s1\"; address = \"10.0.0.1\"; repmgr_id = 1; },\n" \
	" { name = \"s2\"; address = \"10.0.0.2\"; repmgr_id = 2; },\n" \
	" { name = \"a1\"; address = \"10.0.0.3\"; role = \"witness\"; } );\n" \
	"register = { node = \"a1\"; };\n" \
	"postgres = { data_directory = \"/d\"; socket_directory = \"/s\";\n" \
	" backend = \"argv\"; start = [ \"/bin/start\" ]; };\n"

static struct {
	char dir[64], path[100], state[200];
	struct conf *conf;
	struct loop *loop;
	struct config_file *f;
	struct config_file_word word, want;
	usec_t until;
} t;

static void
file(const char *head)
{
	struct error err;
	char text[2000];
	int n;

	n = snprintf(text, sizeof(text), "%s%s%s", head, t.state, BASE);
	assert_int_equal(file_replace(t.path, text, (size_t)n, 0600, &err), 0);
}

static void
turn(void *arg, const struct now *now)
{
	if (memcmp(&t.word, &t.want, sizeof(t.word)) == 0 || now->raw > t.until)
		loop_stop(t.loop);
}

/* Until it is said. */
static void
says(int errors, bool observe, const char *at)
{
	memset(&t.want, 0, sizeof(t.want));
	t.want.errors = errors;
	t.want.observe = observe;
	(void)snprintf(t.want.at, sizeof(t.want.at), "%s%s",
	    at == NULL ? "" : t.path, at == NULL ? "" : at);
	t.until = clock_now().raw + 10 * USEC_SEC;
	loop_run(t.loop, turn, NULL);
	assert_int_equal(t.word.errors, errors);
	assert_int_equal(t.word.observe, observe);
	assert_string_equal(t.word.at, t.want.at);
}

static int
setup(void **state)
{
	struct conf_errors errors;
	struct error err;

	memset(&t, 0, sizeof(t));
	(void)snprintf(t.dir, sizeof(t.dir), "/dev/shm/hawatch-conf-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	(void)snprintf(t.path, sizeof(t.path), "%s/hawatch.conf", t.dir);
	(void)snprintf(
	    t.state, sizeof(t.state), "\nstate_dir = \"%s\";\n", t.dir);
	file("mode = \"auto\";");
	t.conf = conf_load(t.path, "s1", &errors);
	assert_non_null(t.conf);
	t.loop = loop_new(&err);
	assert_non_null(t.loop);
	t.f = config_file_new(t.loop, t.conf, &t.word, PERIOD);
	return 0;
}

static int
teardown(void **state)
{
	char guarded[100];

	config_file_free(t.f);
	loop_free(t.loop);
	conf_free(t.conf);
	(void)snprintf(guarded, sizeof(guarded), "%s/guarded", t.dir);
	unlink(guarded);
	unlink(t.path);
	rmdir(t.dir);
	return 0;
}

/* Its place, and no word of it. */
static void
test_broken(void **state)
{
	file("mode = \"auto\"; modes = 3; x = 4;");
	says(2, false, ":1");
	file("mode = \"auto\";\n\nmax_loss = hunter2;");
	says(1, false, ":3");
	file("mode = \"manual\";");
	says(0, false, NULL);
	unlink(t.path);
	says(1, false, "");
	file("mode = \"auto\";");
	says(0, false, NULL);
}

/* Right, and yet this host does not start by it. */
static void
test_observe(void **state)
{
	struct error err;

	assert_int_equal(conf_guard_write(t.dir, &err), 0);
	file("mode = \"observe\";");
	says(1, true, "");
	file("mode = \"manual\";");
	says(0, false, NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_broken), T(test_observe) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
