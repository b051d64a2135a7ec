/*
 * The local instance seen from outside: with a real PostgreSQL, and with
 * processes of the test's own where a real one would not do what is asked for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/conf.h"
#include "hawatch/instance.h"
#include "pgtest.h"

static struct pgtest pg;
static char gate[96];

static int64_t
usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct conf_postgres
conf(void)
{
	struct conf_postgres c = { .port = pg.port };

	c.data_directory = pg.data;
	c.socket_directory = pg.dir;
	c.run_as = "postgres";
	c.gate = gate;
	return c;
}

static int
group_setup(void **state)
{
	pgtest_init(&pg);
	pgtest_start(&pg, NULL);
	snprintf(gate, sizeof(gate), "%s/gate", pg.dir);
	put(gate, "[Service]\nExecStartPre=/usr/bin/hactl gate\n");
	return 0;
}

static int
group_teardown(void **state)
{
	pgtest_free(&pg);
	return 0;
}

#define OWNER 65534 /* of the directories here; PostgreSQL is never root */

/* A child that works in the directory as its owner, until the test ends. */
static pid_t
worker(const char *dir, void (*fn)(void))
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (chdir(dir) == -1)
			_exit(1);
		if (fn != NULL)
			fn();
		if (setuid(OWNER) == -1)
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_real(void **state)
{
	struct conf_postgres c = conf();
	struct error err = { .code = ERR_NONE };
	pid_t pids[64];
	int64_t start, took;
	int i, n, fd;

	assert_int_equal(instance_postmaster(pg.data, &err), pg.postmaster);
	n = instance_scan(pg.data, pids, 64, &err);
	if (n == -1)
		fail_msg("%s", err.msg);
	assert_true(n >= 5 && n < 20);
	for (i = 0; i < n && pids[i] != pg.postmaster; i++)
		;
	assert_true(i < n);
	assert_true(instance_scan(pg.data, pids, 1, &err) > 1);
	if (instance_armed(&c, &err) != ANS_YES)
		fail_msg("%s", err.msg);
	start = usec();
	for (i = 0; i < 100; i++)
		assert_int_equal(instance_armed(&c, &err), ANS_YES);
	took = usec() - start;
	start = usec();
	for (i = 0; i < 100; i++)
		assert_true(instance_scan(pg.data, pids, 64, &err) >= 5);
	printf("instance_armed: %lld us; instance_scan: %lld us\n",
	    (long long)took / 100, (long long)(usec() - start) / 100);
	fd = instance_pidfd(pg.postmaster);
	assert_true(fd >= 0);
	assert_int_equal(
	    poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 0);
	close(fd);
}

/* The postmaster alone is killed; what is left of it is still found. */
static void
test_killed(void **state)
{
	struct conf_postgres c = conf();
	struct error err;
	pid_t pids[64];
	int fd = instance_pidfd(pg.postmaster);
	int64_t until = usec() + 10000000;

	assert_int_equal(kill(pg.postmaster, SIGKILL), 0);
	assert_int_equal(
	    poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 5000), 1);
	close(fd);
	/* A zombie now, since nobody has waited for it; kill(pid, 0) lies. */
	assert_int_equal(kill(pg.postmaster, 0), 0);
	assert_int_equal(instance_postmaster(pg.data, &err), 0);
	assert_int_equal(instance_armed(&c, &err), ANS_UNKNOWN);
	while (instance_scan(pg.data, pids, 64, &err) != 0 && usec() < until)
		poll(NULL, 0, 5);
	assert_int_equal(instance_scan(pg.data, pids, 64, &err), 0);
	pgtest_stop(&pg, SIGKILL);
	pgtest_start(&pg, NULL);
}

/* By device and inode, whatever the path is called. */
static void
test_other_names(void **state)
{
	char dir[] = "/tmp/hawatch-inst.XXXXXX", real[64], link[64], moved[64];
	struct error err;
	pid_t pid, pids[4];

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chown(dir, OWNER, OWNER), 0);
	snprintf(real, sizeof(real), "%s/real", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(chown(real, OWNER, OWNER), 0);
	assert_int_equal(symlink("real", link), 0);
	pid = worker(real, NULL);
	assert_int_equal(instance_scan(link, pids, 4, &err), 1);
	assert_int_equal(pids[0], pid);
	/* The path is another directory now. */
	assert_int_equal(rename(real, moved), 0);
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(chown(real, OWNER, OWNER), 0);
	assert_int_equal(instance_scan(real, pids, 4, &err), 0);
	assert_int_equal(instance_scan(moved, pids, 4, &err), 1);
	/* Somebody else's shell that stands there. */
	assert_int_equal(chown(moved, OWNER - 1, OWNER), 0);
	assert_int_equal(instance_scan(moved, pids, 4, &err), 0);
	assert_int_equal(chown(moved, OWNER, OWNER), 0);
	/* A zombie does not live. */
	kill(pid, SIGKILL);
	while (instance_scan(moved, pids, 4, &err) != 0)
		poll(NULL, 0, 1);
	waitpid(pid, NULL, 0);
	assert_int_equal(instance_scan("/nonexistent", pids, 4, &err), -1);
	unlink(link);
	rmdir(real);
	rmdir(moved);
	rmdir(dir);
}

static void
own_mounts(void)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) == -1)
		_exit(1);
}

/* A process whose mount namespace shows the path as something else. */
static void
test_other_mounts(void **state)
{
	char dir[] = "/tmp/hawatch-inst.XXXXXX";
	struct error err;
	pid_t pid, pids[4];

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chown(dir, OWNER, OWNER), 0);
	pid = worker(dir, own_mounts);
	assert_int_equal(instance_scan(dir, pids, 4, &err), 1);
	assert_int_equal(pids[0], pid);
	end(pid);
	rmdir(dir);
}

static void
test_pid_file(void **state)
{
	char dir[] = "/tmp/hawatch-inst.XXXXXX", path[64], text[32];
	struct error err;
	pid_t pid;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chown(dir, OWNER, OWNER), 0);
	snprintf(path, sizeof(path), "%s/postmaster.pid", dir);
	assert_int_equal(instance_postmaster(dir, &err), 0);
	assert_int_equal(instance_postmaster("/nonexistent", &err), -1);
	put(path, "");
	assert_int_equal(instance_postmaster(dir, &err), -1);
	put(path, "garbage\n");
	assert_int_equal(instance_postmaster(dir, &err), -1);
	/* Left over by an instance before; its number is another process. */
	snprintf(text, sizeof(text), "%d\n%s\n", (int)getpid(), dir);
	put(path, text);
	assert_int_equal(instance_postmaster(dir, &err), 0);
	pid = worker(dir, NULL);
	snprintf(text, sizeof(text), "%d\n%s\n", (int)pid, dir);
	put(path, text);
	assert_int_equal(instance_postmaster(dir, &err), pid);
	/* Single-user mode. */
	snprintf(text, sizeof(text), "-%d\n%s\n", (int)pid, dir);
	put(path, text);
	assert_int_equal(instance_postmaster(dir, &err), pid);
	end(pid);
	assert_int_equal(instance_postmaster(dir, &err), 0);
	assert_int_equal(instance_signal_file(dir), ANS_NO);
	unlink(path);
	snprintf(path, sizeof(path), "%s/standby.signal", dir);
	put(path, "");
	assert_int_equal(instance_signal_file(dir), ANS_YES);
	unlink(path);
	rmdir(dir);
}

static void
assert_no(const struct conf_postgres *c, const char *words)
{
	struct error err = { .code = ERR_NONE };

	assert_int_equal(instance_armed(c, &err), ANS_NO);
	if (strstr(err.msg, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, err.msg);
}

static void
test_directory(void **state)
{
	struct conf_postgres c = conf();
	struct error err;

	assert_int_equal(chmod(pg.dir, 0750), 0);
	assert_no(&c, "chmod 0700");
	assert_int_equal(chmod(pg.dir, 0711), 0);
	assert_no(&c, "chmod 0700");
	assert_int_equal(chmod(pg.dir, 0700), 0);
	assert_int_equal(instance_armed(&c, &err), ANS_YES);
	/* It listens elsewhere than in the directory that was declared. */
	c.socket_directory = "/root";
	assert_int_equal(chmod("/root", 0700), 0);
	assert_no(&c, "unix_socket_directories");
	c.socket_directory = "/nonexistent";
	assert_int_equal(instance_armed(&c, &err), ANS_UNKNOWN);
}

static void
test_gate(void **state)
{
	struct conf_postgres c = conf();
	struct error err;

	put(gate, "[Service]\n# ExecStartPre=/usr/bin/hactl gate\n");
	assert_no(&c, "hactl gate");
	assert_int_equal(unlink(gate), 0);
	assert_no(&c, "gate");
	put(gate, "#!/bin/sh\nhactl gate || exit 1\n");
	assert_int_equal(instance_armed(&c, &err), ANS_YES);
}

static int tcp_ports[2];
static char unix_path[108];
static bool other_namespace;

/* What a postmaster holds, of a kind that a real one would not. */
static void
hold_sockets(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int i, fd, one = 1;

	if (other_namespace && unshare(CLONE_NEWNET) == -1)
		_exit(1);
	for (i = 0; i < 2 && tcp_ports[i] != 0; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		sin.sin_port = htons((uint16_t)tcp_ports[i]);
		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
		    listen(fd, 1) == -1)
			_exit(1);
	}
	if (unix_path[0] == '\0')
		return;
	memcpy(sun.sun_path, unix_path, sizeof(unix_path));
	if (unix_path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 1) == -1)
		_exit(1);
}

static void
test_sockets(void **state)
{
	char dir[] = "/tmp/hawatch-inst.XXXXXX", path[64], text[32];
	struct conf_postgres c = conf();
	struct error err;
	int i, port = pgtest_port(), other = pgtest_port();
	const struct {
		int ports[2];
		bool namespace, outside, abstract;
		const char *words; /* NULL: armed */
	} cases[] = {
		{ { port }, false, false, false, NULL },
		{ { 0 }, false, false, false, NULL },
		{ { other, port }, false, false, false, "listens on port" },
		{ { other }, false, false, false, "listens on port" },
		{ { port }, true, false, false, "network namespace" },
		{ { port }, false, true, false, "unix_socket_directories" },
		{ { port }, false, false, true, "unix_socket_directories" },
	};
	pid_t pid;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chown(dir, OWNER, OWNER), 0);
	snprintf(path, sizeof(path), "%s/postmaster.pid", dir);
	c.data_directory = c.socket_directory = dir;
	c.port = port;
	for (i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
		memcpy(tcp_ports, cases[i].ports, sizeof(tcp_ports));
		other_namespace = cases[i].namespace;
		snprintf(unix_path, sizeof(unix_path), "%s%s%s.s.PGSQL.%d",
		    cases[i].abstract ? "@" : "",
		    cases[i].outside ? "/tmp" : dir, "/", port);
		pid = worker(dir, hold_sockets);
		snprintf(text, sizeof(text), "%d\n", (int)pid);
		put(path, text);
		if (cases[i].words != NULL)
			assert_no(&c, cases[i].words);
		else if (instance_armed(&c, &err) != ANS_YES)
			fail_msg("case %d: %s", i, err.msg);
		end(pid);
		unlink(unix_path);
	}
	unlink(path);
	rmdir(dir);
}

/* A process of that name, with these words, until *end is closed. */
static pid_t
named(const char *path, const char *word, const char *file, int *end)
{
	int in[2];
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		close(in[0]);
		close(in[1]);
		execl(path, path, "-d", word, file, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	close(in[0]);
	*end = in[1];
	return pid;
}

/* Until the process has its name, or for a second. */
static enum answer
looked(enum answer want, struct error *err)
{
	enum answer ans = ANS_UNKNOWN;
	int i;

	for (i = 0; i < 100; i++) {
		ans = instance_repmgrd("/data/of/test", err);
		if (ans == want)
			break;
		poll(NULL, 0, 10);
	}
	return ans;
}

/* Of this data directory, and by its own judgement: that is another manager. */
static void
test_repmgrd(void **state)
{
	static const struct {
		const char *text;
		enum answer ans;
	} cases[] = {
		{ "data_directory='/data/of/test'\nfailover=automatic\n",
		    ANS_NO },
		{ "failover = 'automatic' # yes\n"
		  "  data_directory = '/data/of/test'\n",
		    ANS_NO },
		{ "data_directory='/data/of/test'\nfailover=manual\n",
		    ANS_YES },
		{ "data_directory='/data/of/test'\n#failover=automatic\n",
		    ANS_YES },
		{ "data_directory='/data/of/another'\nfailover=automatic\n",
		    ANS_YES },
		{ "data_directory='/data/of/test'\nfailover=automatic\n"
		  "failover=manual\n",
		    ANS_YES },
	};
	char dir[] = "/tmp/hawatch-repmgrd-XXXXXX", path[64], file[64];
	struct error err = { 0 };
	pid_t pid;
	size_t i;
	int end;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/repmgrd", dir);
	snprintf(file, sizeof(file), "%s/repmgr.conf", dir);
	put(path, "#!/bin/sh\nread x\n");
	assert_int_equal(chmod(path, 0755), 0);
	put(file, cases[0].text);
	assert_int_equal(instance_repmgrd("/data/of/test", &err), ANS_YES);
	pid = named(path, "-f", file, &end);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put(file, cases[i].text);
		assert_int_equal(looked(cases[i].ans, &err), cases[i].ans);
		if (cases[i].ans == ANS_NO)
			assert_non_null(strstr(err.msg, file));
	}
	close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	put(file, cases[0].text);
	assert_int_equal(instance_repmgrd("/data/of/test", &err), ANS_YES);
	unlink(file);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_other_names),
		cmocka_unit_test(test_other_mounts),
		cmocka_unit_test(test_pid_file),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_repmgrd),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
