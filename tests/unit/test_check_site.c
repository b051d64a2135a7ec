/*
 * The checks of what else is around the database, each against the real thing:
 * memcached by way of hawatch-probe, commands, file systems. And which checks
 * run on which host.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "checktest.h"
#include "hawatch/loop.h"
#include "probetest.h"

static void
test_memcached(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = checktest_row("memcached");
	usec_t end = clock_now().raw + 10 * USEC_SEC;
	pid_t pid;

	c.address = "127.0.0.1";
	c.port = probetest_port(NULL);
	assert_string_equal(checktest_once(f, &c), "connect-refused");
	pid = probetest_memcached(c.port, NULL);
	while (strcmp(checktest_once(f, &c), "") != 0)
		assert_true(clock_now().raw < end);
	kill(pid, SIGSTOP);
	c.timeout = 150 * USEC_MSEC;
	assert_string_equal(checktest_once(f, &c), "timeout");
	assert_true(f->st.took < 300 * USEC_MSEC);
	kill(pid, SIGCONT);
	c.timeout = 5 * USEC_SEC;
	assert_string_equal(checktest_once(f, &c), "");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
command(struct conf_check *c, const char *script)
{
	c->command[0] = "/bin/sh";
	c->command[1] = "-c";
	c->command[2] = script;
	c->command[3] = NULL;
}

static void
test_command(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = checktest_row("command");

	command(&c, "exit 0");
	assert_string_equal(checktest_once(f, &c), "");
	command(&c, "echo why; exit 3");
	assert_string_equal(checktest_once(f, &c), "exit-status 3");
	command(&c, "kill -9 $$");
	assert_string_equal(checktest_once(f, &c), "exit-signal 9");
	c.command[0] = "/no/such/program";
	assert_string_equal(checktest_once(f, &c), "not-started");
	c.timeout = 100 * USEC_MSEC;
	command(&c, "sleep 20");
	assert_string_equal(checktest_once(f, &c), "timeout");
	assert_in_range(f->st.took, 99 * USEC_MSEC, 400 * USEC_MSEC);
	if (geteuid() != 0)
		return;
	c.timeout = 5 * USEC_SEC;
	c.run_as = "nobody";
	command(&c, "test $(id -un) = nobody");
	assert_string_equal(checktest_once(f, &c), "");
}

static void
test_disk(void **state)
{
	struct checktest *f = *state;
	struct conf_check c = checktest_row("disk");
	char dir[100], file[120], before[160];

	c.path = "/";
	assert_string_equal(checktest_once(f, &c), "");
	c.free_percent = 100;
	assert_string_equal(checktest_once(f, &c), "disk-space");
	c.free_percent = 0;
	c.free_mb = 1000000000;
	assert_string_equal(checktest_once(f, &c), "disk-space");
	c.free_mb = 0;
	c.path = "/no/such/directory";
	assert_string_equal(checktest_once(f, &c), "disk-missing");
	/* None has free files of a system that does not count them. */
	c.path = "/proc";
	assert_string_equal(checktest_once(f, &c), "");
	/* A file system of two files has no room for the third. */
	snprintf(dir, sizeof(dir), "%s/mount", checktest_pki);
	if (geteuid() != 0 || mkdir(dir, 0700) != 0)
		return;
	if (mount("tmpfs", dir, "tmpfs", 0, "size=4m,nr_inodes=2") == 0) {
		c.path = dir;
		(void)checktest_once(f, &c);
		snprintf(before, sizeof(before), "%s", checktest_reason);
		snprintf(file, sizeof(file), "%s/mount/file", checktest_pki);
		close(creat(file, 0600));
		(void)checktest_once(f, &c);
		assert_int_equal(umount2(dir, MNT_DETACH), 0);
		assert_string_equal(before, "");
		assert_string_equal(checktest_reason, "disk-inodes");
	}
	rmdir(dir);
}

/* A look that came to nothing does not keep the next one from being had. */
static void
test_disk_again_after_timeout(void **state)
{
	struct checktest *f = *state;
	struct conf_check conf = checktest_row("disk");
	struct check *c;
	int i;

	conf.path = "/";
	conf.interval = 50 * USEC_MSEC;
	conf.timeout = 1;
	c = check_new(&f->env, &check_disk, &conf, checktest_settled, f);
	for (i = 0; i < 3; i++) {
		loop_run(f->loop, NULL, NULL);
		assert_string_equal(f->st.reason, "timeout");
	}
	check_free(c);
}

/* on = [ ... ] and the node's role decide which of them there are. */
static void
test_which_run_here(void **state)
{
	static const char *const types[] = { "disk", "disk", "postgres",
		"repmgr", "disk" };
	struct checktest *f = *state;
	struct checks *checks;
	struct error err;
	int i;

	f->conf.node_count = 2;
	f->conf.node[0].name = "prod-s1";
	f->conf.node[1].name = "prod-a1";
	f->conf.node[1].role = ROLE_WITNESS;
	f->conf.check_count = 5;
	for (i = 0; i < 5; i++)
		f->conf.check[i] = checktest_row(types[i]);
	f->conf.check[1].on[0] = "prod-a1";
	f->conf.check[1].verify = f->conf.check[1].shared = true;
	f->conf.check[2].on[0] = "prod-a1";
	f->conf.check[4].on[0] = "prod-a1";
	f->conf.check[4].on[1] = "prod-s1";
	f->conf.self = 1;
	checks = checks_new(&f->env, NULL, NULL, &err);
	assert_int_equal(checks_count(checks), 2);
	checks_state(checks, 0, &f->st);
	assert_true(f->st.verify && f->st.shared && !f->st.health);
	checks_free(checks);
	f->conf.self = 0;
	checks = checks_new(&f->env, NULL, NULL, &err);
	assert_int_equal(checks_count(checks), 3);
	checks_free(checks);
}

#define TEST(t) \
	cmocka_unit_test_setup_teardown(t, checktest_setup, checktest_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memcached),
		TEST(test_command),
		TEST(test_disk),
		TEST(test_disk_again_after_timeout),
		TEST(test_which_run_here),
	};

	return cmocka_run_group_tests(
	    tests, checktest_group_setup, checktest_group_teardown);
}
