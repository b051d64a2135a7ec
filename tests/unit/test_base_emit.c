/*
 * Events: one line whatever the values hold, and sinks that never wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/emit.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

struct seen {
	char line[4096];
	enum level level;
	int count;
};

static void
seen_sink(void *arg, enum level level, const char *line)
{
	struct seen *seen = arg;

	assert_int_equal(str_copy(seen->line, sizeof(seen->line), line), 0);
	seen->level = level;
	seen->count++;
}

static void
test_line(void **state)
{
	struct seen seen = { .count = 0 };

	emit_to(seen_sink, &seen);
	EMIT(daemon_start, kv_s("node", "prod-s1"), kv_i("epoch", -3));
	assert_string_equal(
	    seen.line, "ev=daemon.start level=notice node=prod-s1 epoch=-3");
	assert_int_equal(seen.level, L_NOTICE);
	EMIT(daemon_stop, kv_s("reason", ""));
	assert_string_equal(
	    seen.line, "ev=daemon.stop level=notice reason=\"\"");
	EMIT(daemon_stop, kv_s("reason", NULL));
	assert_string_equal(
	    seen.line, "ev=daemon.stop level=notice reason=\"\"");
	emit(EMIT_daemon_stop, NULL, 0);
	assert_string_equal(seen.line, "ev=daemon.stop level=notice");
	emit_threshold(L_WARN);
	EMIT(daemon_stop, kv_s("reason", "x"));
	assert_int_equal(seen.count, 4);
	emit_threshold(L_INFO);
	emit_to(sink_stderr, NULL);
}

static void
test_quote(void **state)
{
	static const struct {
		const char *value;
		const char *out;
	} rows[] = {
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "x\nev=lease.lost", "\"x\\nev=lease.lost\"" },
		{ "say \"no\"", "\"say \\\"no\\\"\"" },
		{ "c:\\x", "\"c:\\\\x\"" },
		{ "\t\r\x1b[2J", "\"\\t\\x0d\\x1b[2J\"" },
		{ "caf\xc3\xa9", "\"caf\xc3\xa9\"" },
		{ "M\xfcnchen", "\"M\\xfcnchen\"" },
		{ "\xc2\x9b", "\"\\xc2\\x9b\"" },
	};
	struct seen seen = { .count = 0 };
	char want[256];
	size_t i;

	emit_to(seen_sink, &seen);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EMIT(daemon_stop, kv_s("reason", rows[i].value));
		(void)snprintf(want, sizeof(want),
		    "ev=daemon.stop level=notice reason=%s", rows[i].out);
		assert_string_equal(seen.line, want);
	}
	emit_to(sink_stderr, NULL);
}

/* Lengths around every limit; the sanitizers watch the bounds. */
static void
test_long(void **state)
{
	struct seen seen = { .count = 0 };
	char value[3000];
	size_t len;

	emit_to(seen_sink, &seen);
	for (len = 900; len < sizeof(value); len++) {
		memset(value,
		    len % 3 == 0 ? '\n' :
		    len % 3 == 1 ? 'a' :
				   ' ',
		    len);
		value[len] = '\0';
		EMIT(daemon_start, kv_s("node", value), kv_s("mode", value),
		    kv_s("also", value), kv_s("version", "1"));
		assert_true(strlen(seen.line) < 2048);
		assert_null(strchr(seen.line, '\n'));
		/* What does not fit is left out, what does is still there. */
		assert_null(strstr(seen.line, " also="));
		if (len > 1030)
			assert_non_null(strstr(seen.line, " version=1"));
	}
	assert_non_null(strstr(seen.line, "...\" version=1"));
	emit_to(sink_stderr, NULL);
}

static void
test_names(void **state)
{
	int i, j;

	for (i = 0; i < EMIT_COUNT; i++) {
		assert_non_null(strchr(emit_name((enum event_name)i), '.'));
		for (j = 0; j < i; j++)
			assert_string_not_equal(emit_name((enum event_name)i),
			    emit_name((enum event_name)j));
	}
}

#define LINES 20000

/* Says 20000 things that nobody reads, tells that it is through, and says two
 * more when told to. */
static void
talker(int out, int through, int go)
{
	char c;
	int i;

	dup2(out, STDERR_FILENO);
	emit_to(sink_stderr, NULL);
	for (i = 0; i < LINES; i++)
		EMIT(daemon_stop, kv_s("reason", "nobody reads this"));
	if (write(through, "x", 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	EMIT(daemon_stop, kv_s("reason", "next"));
	EMIT(daemon_stop, kv_s("reason", "last"));
	_exit(0);
}

/* Reads all that is there now; counts whole lines, fails on torn ones. */
static int
count_lines(int in, char *last, size_t size)
{
	static char buf[4 * 1024 * 1024];
	char *line, *end;
	size_t used = 0;
	ssize_t n;
	int lines = 0;

	while ((n = read(in, buf + used, sizeof(buf) - used - 1)) > 0)
		used += (size_t)n;
	buf[used] = '\0';
	for (line = buf; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = '\0';
		assert_true(str_starts(line, "ts=2"));
		assert_non_null(strstr(line, "Z ev="));
		str_cut(last, size, line);
		lines++;
		if (strstr(line, "ev=log.dropped") != NULL)
			lines += atoi(strstr(line, "count=") + 6) - 1;
	}
	return lines;
}

static void
stderr_full(int out, int in)
{
	int flags = fcntl(out, F_GETFL);
	int through[2], go[2], status, lines;
	char last[256];
	char c;
	pid_t pid;

	assert_int_equal(pipe(through), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20); /* a sink that waits ends here, by a signal */
		talker(out, through[1], go[0]);
	}
	close(through[1]);
	assert_int_equal(read(through[0], &c, 1), 1);
	assert_int_equal(fcntl(out, F_GETFL), flags);
	assert_int_equal(fcntl(in, F_SETFL, O_NONBLOCK), 0);
	lines = count_lines(in, last, sizeof(last));
	assert_true(lines > 0 && lines < LINES);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	lines += count_lines(in, last, sizeof(last));
	assert_int_equal(lines, LINES + 2);
	assert_non_null(strstr(last, "reason=last"));
	close(through[0]);
	close(go[0]);
	close(go[1]);
	close(in);
	close(out);
}

static void
test_stderr_pipe(void **state)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	stderr_full(fd[1], fd[0]);
}

static void
test_stderr_socket(void **state)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	stderr_full(fd[1], fd[0]);
}

static int
syslog_listen(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(str_copy(sun.sun_path, sizeof(sun.sun_path), path), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void
test_syslog(void **state)
{
	char dir[] = "/tmp/hawatch-emit-XXXXXX";
	char buf[4096];
	char *path;
	ssize_t n;
	int fd, i;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/log", dir);
	emit_to(sink_syslog, path);
	EMIT(daemon_stop, kv_s("reason", "nobody listens"));
	fd = syslog_listen(path);
	alarm(20);
	for (i = 0; i < 5000; i++)
		EMIT(daemon_stop, kv_s("reason", "full"));
	alarm(0);
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_true(str_starts(buf, "<29>"));
	assert_non_null(strstr(
	    buf, "]: ev=daemon.stop level=notice reason=full dropped=1"));
	while (recv(fd, buf, sizeof(buf) - 1, 0) > 0)
		continue;
	close(fd);
	unlink(path);
	/* A restarted syslog daemon has a new socket of the same name. */
	fd = syslog_listen(path);
	EMIT(daemon_stop, kv_s("reason", "again"));
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_non_null(strstr(buf, "reason=again dropped=49"));
	emit_to(sink_stderr, NULL);
	close(fd);
	unlink(path);
	rmdir(dir);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_stderr_pipe),
		cmocka_unit_test(test_stderr_socket),
		cmocka_unit_test(test_syslog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
