/*
 * The checks of what is around the database, each against the real thing: an
 * HTTP server, memcached by way of hawatch-probe, commands, file systems.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/match.h"
#include "check/modules.h"
#include "hawatch/emit.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/probe.h"
#include "httptest.h"

struct fixture {
	struct loop *loop;
	struct http *web;
	struct probe *probe;
	struct httptest *server;
	struct conf conf;
	struct check_env env;
	char socket[100], ca[100];
	struct check_state st;
	int settled;
	struct timer *tick;
	usec_t ticked, gap; /* the longest round of the loop */
};

static char pki[64], program[512];

static void
no_line(void *arg, enum level level, const char *line)
{
}

static int
group_setup(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 64);

	if (n <= 0)
		return -1;
	program[n] = '\0';
	strcpy(strrchr(program, '/'), "/../../src/probe/hawatch-probe");
	emit_to(no_line, NULL);
	httptest_pki(pki, (const char *const[]){ "prod-s2", NULL });
	return 0;
}

static int
group_teardown(void **state)
{
	httptest_pki_free(pki);
	return 0;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->web = http_new(f->loop, NULL, &err);
	f->probe = probe_new(f->loop, program, &err);
	if (f->probe == NULL)
		fail_msg("%s", err.msg);
	f->env = (struct check_env){ .loop = f->loop,
		.conf = &f->conf,
		.web = f->web,
		.probe = f->probe,
		.matcher = matcher_new(f->loop) };
	snprintf(f->socket, sizeof(f->socket), "%s/web.sock", pki);
	snprintf(f->ca, sizeof(f->ca), "%s/ca.crt", pki);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	httptest_free(f->server);
	matcher_free(f->env.matcher);
	unlink(f->socket);
	probe_free(f->probe);
	http_free(f->web);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* As the schema fills it. */
static struct conf_check
row(const char *type)
{
	return (struct conf_check){ .name = type,
		.type = type,
		.interval = 20 * USEC_MSEC,
		.timeout = 5 * USEC_SEC,
		.window = 1,
		.threshold = 1,
		.address = "",
		.socket = "",
		.ca = "",
		.host = "prod-s2",
		.path = "",
		.nonce = "",
		.status = 200,
		.body = "",
		.json = "",
		.header = "",
		.run_as = "" };
}

static void
on_settled(void *arg, struct check *c)
{
	struct fixture *f = arg;

	check_state(c, &f->st);
	f->settled++;
	loop_stop(f->loop);
}

static char reason[160];

/* One probe of it; its reason is "" for yes. */
static const char *
probe_once(struct fixture *f, const struct conf_check *conf)
{
	struct check *c;

	c = check_new(&f->env, checks_type(conf->type), conf, on_settled, f);
	loop_run(f->loop, NULL, NULL);
	snprintf(reason, sizeof(reason), "%s", f->st.reason);
	if (f->st.last == ANS_UNKNOWN)
		snprintf(reason, sizeof(reason), "unknown: %s", f->st.reason);
	assert_true((f->st.last == ANS_YES) == (reason[0] == '\0'));
	check_free(c);
	return reason;
}

static void
test_http(void **state)
{
	struct fixture *f = *state;
	struct conf_check c = row("http");

	f->server = httptest_plain(f->loop, NULL);
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.path = "/seen";
	assert_string_equal(probe_once(f, &c), "");
	/* The status, and that a redirect is one. */
	c.path = "/404";
	assert_string_equal(probe_once(f, &c), "http-status 404");
	c.status = 404;
	assert_string_equal(probe_once(f, &c), "");
	c.path = "/moved";
	c.status = 200;
	assert_string_equal(probe_once(f, &c), "http-status 302");
	/* Host and nonce are in the request. */
	c.path = "/seen";
	c.nonce = "hactl";
	c.body = "^GET /seen[?]hactl=[0-9a-f]{16} HTTP/1.1\r\nHost: prod-s2:";
	assert_string_equal(probe_once(f, &c), "");
	c.path = "/seen?a=1";
	c.body = "^GET /seen[?]a=1&hactl=[0-9a-f]{16} ";
	assert_string_equal(probe_once(f, &c), "");
	c.body = "^POST";
	assert_string_equal(probe_once(f, &c), "http-body");
	c.body = "";
	c.header = "x-test: yes";
	assert_string_equal(probe_once(f, &c), "");
	c.header = "X-Test: no";
	assert_string_equal(probe_once(f, &c), "http-header");
	c.header = "X-Cache-Status: MISS";
	assert_string_equal(probe_once(f, &c), "http-header");
}

static void
on_tick(void *arg)
{
	struct fixture *f = arg;
	usec_t now = clock_now().raw;

	if (f->ticked != 0 && now - f->ticked > f->gap)
		f->gap = now - f->ticked;
	f->ticked = now;
	timer_arm(f->tick, USEC_MSEC);
}

/* An answer for which the expression needs half a second. */
static void
test_http_slow_body(void **state)
{
	struct fixture *f = *state;
	struct conf_check c = row("http");
	char path[16000];

	f->server = httptest_plain(f->loop, NULL);
	f->tick = timer_new(f->loop, on_tick, f);
	timer_arm(f->tick, 0);
	memset(path, 'a', sizeof(path));
	memcpy(path, "/seen?", 6);
	path[sizeof(path) - 1] = '\0';
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.path = path;
	c.timeout = 60 * USEC_MSEC;
	c.body = "a.*UP";
	assert_string_equal(probe_once(f, &c), "timeout");
	assert_true(matcher_busy(f->env.matcher));
	/* It cannot be ended, and none waits behind it. */
	assert_string_equal(probe_once(f, &c), "timeout");
	assert_true(f->gap < 200 * USEC_MSEC);
	c.timeout = 5 * USEC_SEC;
	c.body = "a HTTP";
	while (matcher_busy(f->env.matcher))
		probe_once(f, &c);
	assert_string_equal(probe_once(f, &c), "");
	timer_free(f->tick);
}

static void
test_http_json(void **state)
{
	static const struct {
		const char *want;
		bool holds;
	} rows[] = {
		{ "events.id=1", true },
		{ "events.id=2", false },
		{ "status=ok", true },
		{ "status=\"ok\"", false },
		{ "status=", false },
		{ "events.open=true", true },
		{ "events.none=null", true },
		{ "events.list.0.n=7", true },
		{ "events.list.1=x=y", true },
		{ "events.list.2=7", false },
		{ "events.list.x=7", false },
		{ "events.id.deeper=1", false },
		{ "missing=1", false },
	};
	struct fixture *f = *state;
	struct conf_check c = row("http");
	size_t i;

	f->server = httptest_plain(f->loop, NULL);
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.path = "/json";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.json = rows[i].want;
		if (strcmp(probe_once(f, &c),
			rows[i].holds ? "" : "http-json") != 0)
			fail_msg("%s: %s", rows[i].want, reason);
	}
	c.path = "/seen";
	c.json = "status=ok";
	assert_string_equal(probe_once(f, &c), "http-json");
}

static void
test_http_that_fails(void **state)
{
	struct fixture *f = *state;
	struct conf_check c = row("http");

	f->server = httptest_plain(f->loop, NULL);
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.path = "/big";
	assert_string_equal(probe_once(f, &c), "too-long");
	c.path = "/close";
	assert_string_equal(probe_once(f, &c), "server-closed");
	c.path = "/noise";
	assert_string_equal(probe_once(f, &c), "garbage");
	/* The check's own deadline ends it, and the client's the same. */
	c.path = "/hold";
	c.timeout = 100 * USEC_MSEC;
	assert_string_equal(probe_once(f, &c), "timeout");
	assert_in_range(f->st.took, 99 * USEC_MSEC, 300 * USEC_MSEC);
	httptest_free(f->server);
	f->server = NULL;
	c.timeout = 5 * USEC_SEC;
	assert_string_equal(probe_once(f, &c), "connect-refused");
}

static void
test_http_socket_and_tls(void **state)
{
	struct fixture *f = *state;
	struct conf_check c = row("http");

	c.path = "/seen";
	c.socket = f->socket;
	assert_string_equal(probe_once(f, &c), "no-socket");
	f->server = httptest_plain(f->loop, f->socket);
	assert_string_equal(probe_once(f, &c), "");
	httptest_free(f->server);
	f->server = httptest_public(f->loop, pki, "prod-s2");
	c.socket = "";
	c.address = "127.0.0.1";
	c.port = httptest_port(f->server);
	c.tls = true;
	c.ca = f->ca;
	assert_string_equal(probe_once(f, &c), "");
	c.ca = "";
	assert_string_equal(probe_once(f, &c), "tls-name");
	c.ca = f->ca;
	c.host = "prod-s3";
	assert_string_equal(probe_once(f, &c), "tls-name");
}

static int
free_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	close(fd);
	return ntohs(sin.sin_port);
}

static void
test_memcached(void **state)
{
	struct fixture *f = *state;
	struct conf_check c = row("memcached");
	usec_t end = clock_now().raw + 10 * USEC_SEC;
	char port[8];
	pid_t pid;

	c.address = "127.0.0.1";
	c.port = free_port();
	snprintf(port, sizeof(port), "%d", c.port);
	assert_string_equal(probe_once(f, &c), "connect-refused");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/usr/bin/memcached", "memcached", "-u", "nobody", "-l",
		    "127.0.0.1", "-U", "0", "-p", port, NULL);
		_exit(127);
	}
	while (strcmp(probe_once(f, &c), "") != 0)
		assert_true(clock_now().raw < end);
	kill(pid, SIGSTOP);
	c.timeout = 150 * USEC_MSEC;
	assert_string_equal(probe_once(f, &c), "timeout");
	assert_true(f->st.took < 300 * USEC_MSEC);
	kill(pid, SIGCONT);
	c.timeout = 5 * USEC_SEC;
	assert_string_equal(probe_once(f, &c), "");
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
	struct fixture *f = *state;
	struct conf_check c = row("command");

	command(&c, "exit 0");
	assert_string_equal(probe_once(f, &c), "");
	command(&c, "echo why; exit 3");
	assert_string_equal(probe_once(f, &c), "exit-status 3");
	command(&c, "kill -9 $$");
	assert_string_equal(probe_once(f, &c), "exit-signal 9");
	c.command[0] = "/no/such/program";
	assert_string_equal(probe_once(f, &c), "not-started");
	c.timeout = 100 * USEC_MSEC;
	command(&c, "sleep 20");
	assert_string_equal(probe_once(f, &c), "timeout");
	assert_in_range(f->st.took, 99 * USEC_MSEC, 400 * USEC_MSEC);
	if (geteuid() != 0)
		return;
	c.timeout = 5 * USEC_SEC;
	c.run_as = "nobody";
	command(&c, "test $(id -un) = nobody");
	assert_string_equal(probe_once(f, &c), "");
}

static void
test_disk(void **state)
{
	struct fixture *f = *state;
	struct conf_check c = row("disk");
	char dir[100], file[120], before[160];

	c.path = "/";
	assert_string_equal(probe_once(f, &c), "");
	c.free_percent = 100;
	assert_string_equal(probe_once(f, &c), "disk-space");
	c.free_percent = 0;
	c.free_mb = 1000000000;
	assert_string_equal(probe_once(f, &c), "disk-space");
	c.free_mb = 0;
	c.path = "/no/such/directory";
	assert_string_equal(probe_once(f, &c), "disk-missing");
	/* None has free files of a system that does not count them. */
	c.path = "/proc";
	assert_string_equal(probe_once(f, &c), "");
	/* A file system of two files has no room for the third. */
	snprintf(dir, sizeof(dir), "%s/mount", pki);
	if (geteuid() != 0 || mkdir(dir, 0700) != 0)
		return;
	if (mount("tmpfs", dir, "tmpfs", 0, "size=4m,nr_inodes=2") == 0) {
		c.path = dir;
		(void)probe_once(f, &c);
		snprintf(before, sizeof(before), "%s", reason);
		snprintf(file, sizeof(file), "%s/mount/file", pki);
		close(creat(file, 0600));
		(void)probe_once(f, &c);
		assert_int_equal(umount2(dir, MNT_DETACH), 0);
		assert_string_equal(before, "");
		assert_string_equal(reason, "disk-inodes");
	}
	rmdir(dir);
}

/* A look that came to nothing does not keep the next one from being had. */
static void
test_disk_again_after_timeout(void **state)
{
	struct fixture *f = *state;
	struct conf_check conf = row("disk");
	struct check *c;
	int i;

	conf.path = "/";
	conf.interval = 50 * USEC_MSEC;
	conf.timeout = 1;
	c = check_new(&f->env, &check_disk, &conf, on_settled, f);
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
	struct fixture *f = *state;
	struct checks *checks;
	struct error err;
	int i;

	f->conf.node_count = 2;
	f->conf.node[0].name = "prod-s1";
	f->conf.node[1].name = "prod-a1";
	f->conf.node[1].role = ROLE_WITNESS;
	f->conf.check_count = 5;
	for (i = 0; i < 5; i++)
		f->conf.check[i] = row(types[i]);
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

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_http),
		TEST(test_http_slow_body),
		TEST(test_http_json),
		TEST(test_http_that_fails),
		TEST(test_http_socket_and_tls),
		TEST(test_memcached),
		TEST(test_command),
		TEST(test_disk),
		TEST(test_disk_again_after_timeout),
		TEST(test_which_run_here),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
