/*
 * The control socket: who may ask, what is refused, that nobody slow, silent
 * or too long holds anything up.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "hawatch/mem.h"

#define GROUP "daemon"
#define NOBODY 65534

struct fix {
	char dir[64], path[96];
	struct loop *loop;
	struct control *control;
	struct timer *tick;
	usec_t until;
	bool (*done)(struct fix *f);
	int asked;
	uint64_t id;
	char verb[32];
	char *echo; /* sent back with final */
	int fd;
	char in[1024];
	size_t len;
	bool eof;
	size_t read_max; /* 0: the client does not read */
};

static void
tick(void *arg)
{
	struct fix *f = arg;

	timer_arm(f->tick, 5 * USEC_MSEC);
}

static void
turn(void *arg, const struct now *now)
{
	struct fix *f = arg;
	ssize_t n;

	if (f->fd != -1 && f->read_max > 0 && f->len < sizeof(f->in) - 1) {
		n = recv(f->fd, f->in + f->len, sizeof(f->in) - 1 - f->len,
		    MSG_DONTWAIT);
		if (n > 0)
			f->len += (size_t)n;
		if (n == 0 || (n == -1 && errno != EAGAIN))
			f->eof = true;
	}
	if (f->done(f) || now->raw > f->until)
		loop_stop(f->loop);
}

/* Turns the loop until it is so, or for eight seconds. */
static bool
pump(struct fix *f, bool (*done)(struct fix *f))
{
	f->done = done;
	f->until = clock_now().raw + 8 * USEC_SEC;
	timer_arm(f->tick, 0);
	loop_run(f->loop, turn, f);
	return done(f);
}

static bool
is_eof(struct fix *f)
{
	return f->eof;
}

static bool
is_asked(struct fix *f)
{
	return f->asked > 0;
}

static void
handle(void *arg, uint64_t id, const char *verb, const char *args_json)
{
	struct fix *f = arg;

	f->asked++;
	f->id = id;
	(void)snprintf(f->verb, sizeof(f->verb), "%s", verb);
	if (f->echo != NULL)
		control_reply(f->control, id, f->echo, true);
}

static int
dial(const struct fix *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	strcpy(sun.sun_path, f->path);
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
say(struct fix *f, const char *text)
{
	f->fd = dial(f);
	f->len = 0;
	f->eof = false;
	memset(f->in, 0, sizeof(f->in));
	assert_int_not_equal(f->fd, -1);
	assert_int_equal(
	    send(f->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
hang_up(struct fix *f)
{
	close(f->fd);
	f->fd = -1;
}

static int
setup(void **state)
{
	struct fix *f = xcalloc(1, sizeof(*f));
	struct error err;

	strcpy(f->dir, "/tmp/hawatch-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(chmod(f->dir, 0755), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	f->loop = loop_new(&err);
	f->fd = -1;
	f->read_max = sizeof(f->in);
	f->tick = timer_new(f->loop, tick, f);
	f->control = control_new(f->loop, f->path, GROUP, handle, f, &err);
	if (f->control == NULL)
		fail_msg("%s", err.msg);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	if (f->fd != -1)
		close(f->fd);
	control_free(f->control);
	timer_free(f->tick);
	loop_free(f->loop);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void
test_lines_and_end(void **state)
{
	struct fix *f = *state;
	uid_t uid = 1;
	pid_t pid = 0;

	say(f, "{\"verb\":\"promote\",\"node\":\"a\"}\nrest");
	assert_true(pump(f, is_asked));
	assert_string_equal(f->verb, "promote");
	assert_string_equal(control_asked_for(f->control, f->id), "promote");
	assert_string_equal(control_asked_for(f->control, f->id + 1), "");
	assert_true(control_asker(f->control, f->id, &uid, &pid));
	assert_int_equal(uid, getuid());
	assert_int_equal(pid, getpid());
	control_reply(f->control, f->id, "{\"step\":1}", false);
	control_reply(f->control, f->id, "{\"exit\":0}", true);
	control_reply(f->control, f->id, "{\"late\":1}", true);
	assert_true(pump(f, is_eof));
	assert_string_equal(f->in, "{\"step\":1}\n{\"exit\":0}\n");
	assert_false(control_asker(f->control, f->id, &uid, &pid));
}

static void
test_wrong_requests(void **state)
{
	static const char *const wrong[] = { "garbage\n", "[]\n", "{}\n",
		"{\"verb\":1}\n",
		"{\"verb\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n",
		"{\"verb\":\"a\",\"verb\":\"b\"}\n" };
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		say(f, wrong[i]);
		assert_true(pump(f, is_eof));
		assert_non_null(strstr(f->in, "\"exit\":2"));
		assert_non_null(strstr(f->in, "\"next\":\"hactl"));
		hang_up(f);
	}
	assert_int_equal(f->asked, 0);
}

static void
test_too_long(void **state)
{
	struct fix *f = *state;
	char *text = xcalloc(1, 20001);

	memset(text, 'x', 20000);
	say(f, text);
	assert_true(pump(f, is_eof));
	assert_non_null(
	    strstr(f->in, "a request is one line of at most 16384 bytes"));
	free(text);
}

static void
test_silent(void **state)
{
	struct fix *f = *state;
	usec_t before = clock_now().raw;

	say(f, "{\"verb\":");
	assert_true(pump(f, is_eof));
	assert_true(clock_now().raw - before > 4 * USEC_SEC);
	assert_int_equal(f->len, 0);
}

/* Sixteen who say nothing keep a seventeenth out, with an answer. */
static void
test_too_many(void **state)
{
	struct fix *f = *state;
	int fds[16], i;

	for (i = 0; i < 16; i++)
		assert_int_not_equal(fds[i] = dial(f), -1);
	say(f, "{\"verb\":\"ping\"}\n");
	assert_true(pump(f, is_eof));
	assert_non_null(strstr(f->in, "\"exit\":3"));
	assert_non_null(strstr(f->in, "too many askers at once"));
	hang_up(f);
	for (i = 0; i < 16; i++)
		close(fds[i]);
	f->echo = "{\"exit\":0}";
	do {
		say(f, "{\"verb\":\"ping\"}\n");
		assert_true(pump(f, is_eof));
		hang_up(f);
	} while (strstr(f->in, "\"exit\":3") != NULL);
	assert_string_equal(f->in, "{\"exit\":0}\n");
}

/* One who does not read loses the connection, not the engine its memory. */
static void
test_slow_reader(void **state)
{
	struct fix *f = *state;
	char *text = xcalloc(1, 300 * 1024 + 1);
	uid_t uid;
	pid_t pid;

	memset(text, 'y', 300 * 1024);
	f->read_max = 0;
	say(f, "{\"verb\":\"status\"}\n");
	assert_true(pump(f, is_asked));
	control_reply(f->control, f->id, text, false);
	assert_true(control_asker(f->control, f->id, &uid, &pid));
	control_reply(f->control, f->id, text, false);
	control_reply(f->control, f->id, text, false);
	assert_false(control_asker(f->control, f->id, &uid, &pid));
	free(text);
}

static void
test_gone_asker(void **state)
{
	struct fix *f = *state;

	say(f, "{\"verb\":\"status\"}\n");
	assert_true(pump(f, is_asked));
	hang_up(f);
	control_reply(f->control, f->id, "{\"step\":1}", false);
	control_reply(f->control, f->id, "{\"exit\":0}", true);
	control_reply(f->control, f->id + 7, "{\"exit\":0}", true);
}

/* Asks as somebody else; the answer's first exit code, -1 for none. */
static int
ask_as(struct fix *f, gid_t gid, bool member)
{
	const struct group *gr = getgrnam(GROUP);
	gid_t group = gr->gr_gid;
	char buf[256] = "";
	int status, fds[2];
	struct pollfd pfd;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (setgroups(member ? 1 : 0, &group) == -1 ||
		    setgid(gid) == -1 || setuid(NOBODY) == -1)
			_exit(1);
		f->fd = dial(f);
		if (f->fd == -1)
			_exit(2);
		(void)!write(f->fd, "{\"verb\":\"ping\"}\n", 16);
		pfd = (struct pollfd){ .fd = f->fd, .events = POLLIN };
		poll(&pfd, 1, 5000);
		(void)!read(f->fd, buf, sizeof(buf) - 1);
		(void)!write(fds[1], buf, strlen(buf));
		_exit(0);
	}
	close(fds[1]);
	f->fd = fds[0];
	f->len = 0;
	f->eof = false;
	f->echo = "{\"exit\":0}";
	/* The pipe is read by the turn too: recv fails, so wait for its end. */
	f->read_max = 0;
	do {
		f->done = is_eof;
		f->until = clock_now().raw + 20 * USEC_MSEC;
		timer_arm(f->tick, 0);
		loop_run(f->loop, turn, f);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	(void)!read(fds[0], buf, sizeof(buf) - 1);
	close(fds[0]);
	f->fd = -1;
	(void)snprintf(f->in, sizeof(f->in), "%s", buf);
	if (strstr(buf, "\"exit\":") == NULL)
		return -1;
	return atoi(strstr(buf, "\"exit\":") + 7);
}

static void
test_who_may_ask(void **state)
{
	struct fix *f = *state;
	struct stat st;

	if (getuid() != 0)
		skip();
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getgrnam(GROUP)->gr_gid);
	/* The mode keeps strangers out; then the engine does. */
	assert_int_equal(ask_as(f, NOBODY, false), -1);
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(ask_as(f, NOBODY, false), 6);
	assert_non_null(strstr(f->in,
	    "only root and the members of the group of the configuration may "
	    "ask, and the front never"));
	assert_int_equal(ask_as(f, NOBODY, true), 0);
	assert_int_equal(ask_as(f, getgrnam(GROUP)->gr_gid, false), 0);
	control_refuse_user(f->control, "nobody");
	assert_int_equal(ask_as(f, NOBODY, true), 6);
}

static void
test_stale_and_living(void **state)
{
	struct fix *f = *state;
	struct control *second;
	struct error err;
	int fd;

	second = control_new(f->loop, f->path, GROUP, handle, f, &err);
	assert_null(second);
	assert_non_null(strstr(err.msg, "another engine"));
	control_free(f->control);
	/* What a killed engine leaves: a name that nobody listens on. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	{
		struct sockaddr_un sun = { .sun_family = AF_UNIX };

		strcpy(sun.sun_path, f->path);
		assert_int_equal(
		    bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	}
	close(fd);
	f->control = control_new(f->loop, f->path, GROUP, handle, f, &err);
	assert_non_null(f->control);
	f->echo = "{\"exit\":0}";
	say(f, "{\"verb\":\"ping\"}\n");
	assert_true(pump(f, is_eof));
	assert_string_equal(f->in, "{\"exit\":0}\n");
}

static void
test_no_such_group(void **state)
{
	struct fix *f = *state;
	struct error err;

	assert_null(control_new(
	    f->loop, "/tmp/x", "no-such-group-here", handle, f, &err));
	assert_non_null(strstr(err.msg, "groupadd"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_lines_and_end),
		T(test_wrong_requests),
		T(test_too_long),
		T(test_silent),
		T(test_too_many),
		T(test_slow_reader),
		T(test_gone_asker),
		T(test_who_may_ask),
		T(test_stale_and_living),
		T(test_no_such_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
