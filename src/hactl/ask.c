/*
 * A question to the engine over its Unix socket: one line out, lines back, all
 * within one limit. It knows no verb.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ASK_LINE_MAX ((size_t)1024 * 1024)
#define ASK_RUN_DIR "/run/hawatch"
#define ASK_TICK (100 * USEC_MSEC)

/* What is read so far; a line ends at '\n'. */
struct ask_buffer {
	char *data;
	size_t len;
};

static char *ask_path(const struct call *call, enum exitcode *code);
static int ask_connect(const char *path, usec_t until, struct error *err);
static int ask_send(int fd, const char *text, usec_t until, struct error *err);
static json_t *ask_line(
    int fd, struct ask_buffer *in, usec_t until, struct error *err);
static int ask_wait(int fd, short what, usec_t until, struct error *err);
/* Of the question that is being asked; one at a time is. */
static struct {
	void (*tick)(void *arg, bool over);
	void *arg;
} ask_waiting;

static enum exitcode ask_silent(const char *path, const struct error *err);

json_t *
ask_request(const char *verb)
{
	json_t *obj = json_object();

	json_put_string(obj, "verb", verb);
	return obj;
}

enum exitcode
ask_engine(const struct call *call, json_t *request, usec_t limit,
    void (*line)(void *arg, const json_t *obj), void *arg, json_t **last)
{
	struct ask_buffer in = { .len = 0 };
	enum exitcode code = EXITCODE_NO_ENGINE;
	long long number;
	struct error err;
	usec_t until = ask_now() + limit;
	char *path, *text;
	json_t *obj = NULL;
	int fd = -1;

	*last = NULL;
	text = json_text(request);
	json_decref(request);
	path = ask_path(call, &code);
	if (path == NULL)
		goto out;
	fd = ask_connect(path, until, &err);
	if (fd == -1 || ask_send(fd, text, until, &err) == -1) {
		code = ask_silent(path, &err);
		goto out;
	}
	for (;;) {
		obj = ask_line(fd, &in, until, &err);
		if (ask_waiting.tick != NULL)
			ask_waiting.tick(ask_waiting.arg, true);
		if (obj == NULL) {
			code = ask_silent(path, &err);
			goto out;
		}
		if (json_has(obj, "exit"))
			break;
		if (line != NULL)
			line(arg, obj);
		json_decref(obj);
	}
	/* Anything but a number of its own must not pass for a yes. */
	if (!json_is_integer(json_object_get(obj, "exit"))) {
		error_set(&err, ERR_PROTOCOL, "its answer has no exit code");
		code = ask_silent(path, &err);
		json_decref(obj);
		goto out;
	}
	number = get_int(obj, "exit");
	code =
	    number < 0 || number > 255 ? EXITCODE_LOCAL : (enum exitcode)number;
	if (json_has(obj, "refused"))
		print_wrong(get_str(obj, "refused"), get_str(obj, "next"));
	*last = obj;
out:
	if (fd != -1)
		close(fd);
	free(in.data);
	free(path);
	free(text);
	return code;
}

struct conf *
ask_conf(const struct call *call, const char *next)
{
	const char *path =
	    call->opt[OPT_CONFIG] == NULL ? CONF_PATH : call->opt[OPT_CONFIG];
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;
	char *text, *then;
	int i;

	conf = conf_load(path, call->opt[OPT_NODE], &errors);
	for (i = 0; conf == NULL && i < errors.count; i++) {
		print_folded(stderr, "", 8, errors.text[i]);
		print_json_error(errors.text[i]);
	}
	if (conf == NULL) {
		text = xasprintf("%d error%s in the configuration",
		    errors.count, errors.count == 1 ? "" : "s");
		then = xasprintf("hactl config check %s", path);
		print_wrong(text, next == NULL ? then : next);
		free(text);
		free(then);
	}
	conf_errors_free(&errors);
	return conf;
}

/* Without --config a broken file must not keep a person from asking what is
 * wrong, so the usual place is tried. */
static char *
ask_path(const struct call *call, enum exitcode *code)
{
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;
	char *path;

	if (call->opt[OPT_SOCKET] != NULL)
		return xstrdup(call->opt[OPT_SOCKET]);
	if (call->opt[OPT_CONFIG] != NULL) {
		conf = ask_conf(call, NULL);
		if (conf == NULL) {
			*code = EXITCODE_CONFIG;
			return NULL;
		}
	} else {
		conf = conf_load(CONF_PATH, call->opt[OPT_NODE], &errors);
		conf_errors_free(&errors);
	}
	path = xasprintf(
	    "%s/hactl.sock", conf == NULL ? ASK_RUN_DIR : conf->run_dir);
	conf_free(conf);
	return path;
}

static int
ask_connect(const char *path, usec_t until, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (str_copy(sun.sun_path, sizeof(sun.sun_path), path) == -1)
		return error_set(
		    err, ERR_LIMIT, "%s: the path is too long", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return error_sys(err, "socket");
	while (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		/* EAGAIN: the engine's queue is full, and no event tells
		 * when it is not. */
		if (errno != EAGAIN || ask_now() >= until) {
			error_sys(err, "connect");
			close(fd);
			return -1;
		}
		poll(NULL, 0, 20);
	}
	return fd;
}

static int
ask_send(int fd, const char *text, usec_t until, struct error *err)
{
	char *line = xasprintf("%s\n", text);
	size_t len = strlen(line), done = 0;
	ssize_t n;
	int rc = -1;

	while (done < len) {
		n = send(fd, line + done, len - done, MSG_NOSIGNAL);
		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			error_sys(err, "send");
			goto out;
		}
		if (ask_wait(fd, POLLOUT, until, err) == -1)
			goto out;
	}
	rc = 0;
out:
	free(line);
	return rc;
}

static json_t *
ask_line(int fd, struct ask_buffer *in, usec_t until, struct error *err)
{
	json_t *obj;
	char *end;
	ssize_t n;

	if (in->data == NULL)
		in->data = xcalloc(1, ASK_LINE_MAX);
	while ((end = memchr(in->data, '\n', in->len)) == NULL) {
		if (in->len == ASK_LINE_MAX) {
			error_set(err, ERR_LIMIT, "the answer is too long");
			return NULL;
		}
		n = recv(fd, in->data + in->len, ASK_LINE_MAX - in->len, 0);
		if (n > 0) {
			in->len += (size_t)n;
			continue;
		}
		if (n == 0) {
			error_set(err, ERR_PROTOCOL,
			    "it closed the connection before its answer ended");
			return NULL;
		}
		if (errno != EAGAIN && errno != EINTR) {
			error_sys(err, "recv");
			return NULL;
		}
		if (ask_wait(fd, POLLIN, until, err) == -1)
			return NULL;
	}
	*end = '\0';
	obj = json_read(in->data, (size_t)(end - in->data), err);
	in->len -= (size_t)(end + 1 - in->data);
	memmove(in->data, end + 1, in->len);
	return obj;
}

void
ask_tick(void (*tick)(void *arg, bool over), void *arg)
{
	ask_waiting.tick = tick;
	ask_waiting.arg = arg;
}

static int
ask_wait(int fd, short what, usec_t until, struct error *err)
{
	struct pollfd pfd = { .fd = fd, .events = what };
	usec_t left = until - ask_now();
	int ready;

	if (left <= 0)
		return error_set(err, ERR_TIMEOUT, "no answer in time");
	if (ask_waiting.tick != NULL && left > ASK_TICK)
		left = ASK_TICK;
	ready = poll(&pfd, 1, (int)(left / USEC_MSEC) + 1);
	if (ready == -1 && errno != EINTR)
		return error_sys(err, "poll");
	if (ready == 0 && ask_waiting.tick != NULL)
		ask_waiting.tick(ask_waiting.arg, false);
	return 0;
}

usec_t
ask_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_SEC + ts.tv_nsec / 1000;
}

static enum exitcode
ask_silent(const char *path, const struct error *err)
{
	char *text;

	if (err->code == ERR_SYS && (err->sys == EACCES || err->sys == EPERM)) {
		print_wrong("only root and the group of the configuration "
			    "may ask the engine",
		    verb_again("sudo ", ""));
		return EXITCODE_DENIED;
	}
	text =
	    xasprintf("the engine does not answer on %s: %s", path, err->msg);
	print_wrong(text, "systemctl status hawatchd");
	free(text);
	return EXITCODE_NO_ENGINE;
}
