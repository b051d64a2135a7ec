/*
 * hactl's side of the control socket, with engines that are silent, dead or
 * talk nonsense: the gate must deny in all of these cases, and in time.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hactl/hactl.h"
#include "hawatch/file.h"

struct fix {
	char dir[64], path[96], conf[96], signal[96];
	pid_t pid;
};

/* Answers each connection with that text after the request; NULL accepts and
 * is silent; "" closes at once. */
static void
serve(struct fix *f, const char *answer, bool accepts)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;
	char buf[512];

	strcpy(sun.sun_path, f->path);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	f->pid = fork();
	if (f->pid != 0) {
		close(fd);
		return;
	}
	alarm(30);
	while (accepts && (one = accept(fd, NULL, NULL)) != -1) {
		if (answer == NULL)
			continue; /* stays open */
		(void)!read(one, buf, sizeof(buf));
		(void)!write(one, answer, strlen(answer));
		close(one);
	}
	for (;;)
		pause();
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static enum exitcode
gate(struct fix *f)
{
	char *argv[] = { "hactl", "gate", "-s", f->path, "-c", f->conf, "-N",
		"prod-s1", NULL };
	struct call call;
	enum exitcode code;

	assert_false(verb_parse(&call, 8, argv, &code));
	return call.verb->run(&call);
}

static int
setup(void **state)
{
	static struct fix f;
	struct error err;
	char *text, *at, *out;
	size_t len;

	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/hawatch-ask-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	(void)snprintf(f.path, sizeof(f.path), "%s/s", f.dir);
	(void)snprintf(f.conf, sizeof(f.conf), "%s/c", f.dir);
	(void)snprintf(f.signal, sizeof(f.signal), "%s/standby.signal", f.dir);
	text = file_read(SOURCE_ROOT "/conf/hawatch.conf", 100000, &len, &err);
	assert_non_null(text);
	at = strstr(text, "/var/lib/postgresql/15/main\"");
	assert_non_null(at);
	*at = '\0';
	if (asprintf(&out, "%s%s%s", text, f.dir,
		at + strlen("/var/lib/postgresql/15/main")) == -1)
		abort();
	assert_int_equal(file_replace(f.conf, out, strlen(out), 0600, &err), 0);
	free(out);
	free(text);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	if (f->pid != 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	unlink(f->path);
	unlink(f->conf);
	unlink(f->signal);
	rmdir(f->dir);
	return 0;
}

static void
test_no_engine(void **state)
{
	assert_int_equal(gate(*state), EXITCODE_NO_ENGINE);
}

static void
test_standby_needs_no_engine(void **state)
{
	struct fix *f = *state;
	struct error err;

	assert_int_equal(file_replace(f->signal, "", 0, 0600, &err), 0);
	assert_int_equal(gate(f), EXITCODE_DONE);
}

static void
test_yes_and_no(void **state)
{
	struct fix *f = *state;

	serve(f, "{\"step\":1}\n{\"exit\":0,\"as\":\"primary\"}\n", true);
	assert_int_equal(gate(f), EXITCODE_DONE);
	assert_int_equal(teardown(state), 0);
	setup(state);
	serve(f, "{\"exit\":1,\"refused\":\"no\",\"next\":\"x\"}\n", true);
	assert_int_equal(gate(f), EXITCODE_REFUSED);
}

static void
test_nonsense_is_no(void **state)
{
	static const char *const odd[] = { "", "\n", "garbage\n", "[]\n",
		"{\"exit\":\"0\"}\n", "{\"exit\":null}\n", "{\"exit\":false}\n",
		"{\"exit\":0", "{}\n", "{\"exit\":0,\"exit\":1}\n" };
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		serve(f, odd[i], true);
		if (gate(f) != EXITCODE_NO_ENGINE)
			fail_msg("passed: %s", odd[i]);
		assert_int_equal(teardown(state), 0);
		setup(state);
	}
}

/* What was begun goes on without whoever watches it: only an engine that has
 * said nothing of it is one that does not answer. */
static void
test_begun(void **state)
{
	static const char *const lines[] = {
		"{\"step\":\"rewound\",\"goal\":\"x\",\"ms\":1}\n",
		"{\"waits\":\"lease-runs\",\"ms\":1}\n",
		"{\"note\":\"1 of 2 kB\",\"ms\":1}\n",
		"{\"step\":\"rewound\",\"ms\":1}\n{\"exit\":\"0\"}\n"
	};
	char *argv[] = { "hactl", "rejoin", "--yes", "-s", NULL, NULL };
	struct fix *f = *state;
	enum exitcode code;
	struct call call;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		serve(f, lines[i], true);
		argv[4] = f->path;
		assert_false(verb_parse(&call, 5, argv, &code));
		if (call.verb->run(&call) != EXITCODE_UNKNOWN)
			fail_msg("not begun: %s", lines[i]);
		assert_int_equal(teardown(state), 0);
		setup(state);
	}
}

static void
test_silence_is_no_in_time(void **state)
{
	struct fix *f = *state;
	double before = now();

	serve(f, NULL, true);
	assert_int_equal(gate(f), EXITCODE_NO_ENGINE);
	assert_true(now() - before > 1.5 && now() - before < 4);
}

/* Whom the socket's mode keeps out is told whom it lets in. */
static void
test_denied(void **state)
{
	char *argv[] = { "hactl", "ping", "-s", NULL, NULL }, buf[512] = "";
	struct fix *f = *state;
	enum exitcode code;
	struct call call;
	int fds[2], status;
	pid_t pid;

	serve(f, "{\"exit\":0}\n", true);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chmod(f->path, 0), 0);
	assert_int_equal(pipe(fds), 0);
	argv[3] = f->path;
	pid = fork();
	if (pid == 0) {
		if (dup2(fds[1], STDERR_FILENO) == -1 ||
		    (getuid() == 0 && setuid(65534) == -1) ||
		    verb_parse(&call, 4, argv, &code))
			_exit(99);
		_exit((int)call.verb->run(&call));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EXITCODE_DENIED);
	(void)!read(fds[0], buf, sizeof(buf) - 1);
	close(fds[0]);
	close(fds[1]);
	assert_non_null(strstr(buf, "only root and the group root of the"));
	assert_non_null(strstr(buf, "may ask the engine"));
	assert_non_null(strstr(buf, "next:  sudo hactl"));
}

/* A stopped engine still has its queue of connections. */
static void
test_stopped_engine_is_no(void **state)
{
	struct fix *f = *state;

	serve(f, NULL, false);
	assert_int_equal(gate(f), EXITCODE_NO_ENGINE);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_no_engine),
		T(test_standby_needs_no_engine),
		T(test_yes_and_no),
		T(test_nonsense_is_no),
		T(test_begun),
		T(test_silence_is_no_in_time),
		T(test_denied),
		T(test_stopped_engine_is_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
