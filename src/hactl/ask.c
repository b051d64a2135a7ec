/*
 * A question to the engine, over its Unix socket or from another host: one line
 * out, lines back, all within one limit. It knows no verb.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hactl/way.h"
#include "hawatch/clock.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ASK_LINE_MAX ((size_t)1024 * 1024)
#define ASK_RUN_DIR "/run/hawatch"
#define ASK_HEAD_MAX 40

/* What is read so far; a line ends at '\n'. */
struct ask_buffer {
	char *data;
	size_t len;
};

static char *ask_path(const struct call *call, enum exitcode *code);
static int ask_connect(const char *path, usec_t until, struct error *err);
static int ask_open(
    const struct call *call, struct way *w, usec_t until, enum exitcode *code);
static int ask_send(
    struct way *w, const char *text, usec_t until, struct error *err);
static int ask_head(
    struct way *w, struct ask_buffer *in, usec_t until, struct error *err);
static char *ask_text(
    struct way *w, struct ask_buffer *in, usec_t until, struct error *err);
static json_t *ask_line(
    struct way *w, struct ask_buffer *in, usec_t until, struct error *err);
static enum exitcode ask_silent(const struct way *w, const struct error *err);
static enum exitcode ask_lost(
    const struct way *w, const struct error *err, bool begun);

json_t *
ask_request(const char *verb)
{
	json_t *obj = json_object();

	json_put_string(obj, "verb", verb);
	return obj;
}

/* The last line decides. Anything but a number of its own must not pass for a
 * yes. */
static enum exitcode
ask_verdict(
    const struct call *call, const struct way *w, json_t *obj, bool begun)
{
	struct error err;
	long long number;

	if (!json_is_integer(json_object_get(obj, "exit"))) {
		error_set(&err, ERR_PROTOCOL, "its answer has no exit code");
		return ask_lost(w, &err, begun);
	}
	if (w->ssl == NULL && get_has(obj, "self"))
		next_self(get_str(obj, "self"));
	if (json_has(obj, "refused"))
		print_wrong(get_str(obj, "refused"),
		    next_kept(call, get_str(obj, "next")));
	number = get_int(obj, "exit");
	return number < 0 || number > 255 ? EXITCODE_LOCAL :
					    (enum exitcode)number;
}

/* That is said of an order only once it runs. */
static bool
ask_is_begun(const json_t *obj)
{
	return get_str(obj, "step")[0] != '\0' ||
	       get_str(obj, "waits")[0] != '\0' ||
	       get_str(obj, "note")[0] != '\0';
}

enum exitcode
ask_engine(const struct call *call, json_t *request, usec_t limit,
    void (*line)(void *arg, const json_t *obj), void *arg, json_t **last)
{
	struct ask_buffer in = { .len = 0 };
	enum exitcode code = EXITCODE_NO_ENGINE;
	struct way w = { .fd = -1 };
	struct error err;
	usec_t until = ask_now() + limit;
	json_t *obj = NULL;
	bool begun = false;
	char *text;

	*last = NULL;
	text = json_text(request);
	json_decref(request);
	if (ask_open(call, &w, until, &code) == -1)
		goto out;
	if (ask_send(&w, text, until, &err) == -1 ||
	    (w.ssl != NULL && ask_head(&w, &in, until, &err) == -1)) {
		code = ask_silent(&w, &err);
		goto out;
	}
	while ((obj = ask_line(&w, &in, until, &err)) != NULL &&
	       !json_has(obj, "exit")) {
		ask_tick_over();
		begun = begun || ask_is_begun(obj);
		if (line != NULL)
			line(arg, obj);
		json_decref(obj);
	}
	ask_tick_over();
	if (obj == NULL)
		code = ask_lost(&w, &err, begun);
	else
		code = ask_verdict(call, &w, obj, begun);
	if (json_is_integer(json_object_get(obj, "exit")))
		*last = obj;
	else
		json_decref(obj);
out:
	way_close(&w);
	free(in.data);
	free(text);
	return code;
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
ask_open(
    const struct call *call, struct way *w, usec_t until, enum exitcode *code)
{
	struct error err;
	char *path;

	if (remote_meant(call))
		return remote_open(call, w, until, code);
	path = ask_path(call, code);
	if (path == NULL)
		return -1;
	str_cut(w->where, sizeof(w->where), path);
	w->fd = ask_connect(path, until, &err);
	free(path);
	if (w->fd != -1)
		return 0;
	*code = ask_silent(w, &err);
	return -1;
}

static int
ask_send(struct way *w, const char *text, usec_t until, struct error *err)
{
	char *out;
	int rc;

	if (w->ssl == NULL)
		out = xasprintf("%s\n", text);
	else
		out = xasprintf("POST /v1/control HTTP/1.1\r\n"
				"Host: hawatch\r\n"
				"Content-Type: application/json\r\n"
				"Content-Length: %zu\r\n"
				"Connection: close\r\n\r\n%s",
		    strlen(text), text);
	rc = way_send(w, out, strlen(out), until, err);
	free(out);
	return rc;
}

/* 0: that is no answer of HTTP. */
static int
ask_status(const char *line)
{
	static const char version[] = "HTTP/1.1 ";
	char digits[4];
	int status;

	if (strncmp(line, version, sizeof(version) - 1) != 0)
		return 0;
	(void)snprintf(
	    digits, sizeof(digits), "%.3s", line + sizeof(version) - 1);
	return str_parse_int(digits, 100, 599, &status) == -1 ? 0 : status;
}

/* The head of the answer. All but 200 is the front's own, and its first words
 * are the reason. */
static int
ask_head(struct way *w, struct ask_buffer *in, usec_t until, struct error *err)
{
	static const char reason[] = "X-Hawatch-Reason: ";
	char said[64] = "", *text;
	int status = 0, i;
	bool end;

	for (i = 0; i < ASK_HEAD_MAX; i++) {
		text = ask_text(w, in, until, err);
		if (text == NULL)
			return -1;
		text[strcspn(text, "\r")] = '\0';
		if (i == 0)
			status = ask_status(text);
		if (strncmp(text, reason, sizeof(reason) - 1) == 0)
			print_clean(
			    said, sizeof(said), text + sizeof(reason) - 1);
		end = text[0] == '\0';
		free(text);
		if (end || (i == 0 && status == 0))
			break;
	}
	if (status == 200 && end)
		return 0;
	if (status == 0)
		return error_set(err, ERR_PROTOCOL,
		    "what listens there is no hawatch: the port is peer.port");
	return error_set(err, status == 403 ? ERR_REFUSED : ERR_PROTOCOL,
	    "it answers %d %s%s", status, said,
	    strcmp(said, "no-operator") == 0 ?
		": the name of your certificate has to be in operators of "
		"hawatch.conf there, read at a start of hawatchd" :
		"");
}

/* Without its end; caller frees. */
static char *
ask_text(struct way *w, struct ask_buffer *in, usec_t until, struct error *err)
{
	char *end, *text;
	ssize_t n;

	if (in->data == NULL)
		in->data = xcalloc(1, ASK_LINE_MAX);
	while ((end = memchr(in->data, '\n', in->len)) == NULL) {
		if (in->len == ASK_LINE_MAX) {
			error_set(err, ERR_LIMIT, "the answer is too long");
			return NULL;
		}
		n = way_recv(
		    w, in->data + in->len, ASK_LINE_MAX - in->len, until, err);
		if (n == -1)
			return NULL;
		if (n == 0) {
			error_set(err, ERR_PROTOCOL,
			    "it closed the connection before its answer ended");
			return NULL;
		}
		in->len += (size_t)n;
	}
	text = xstrndup(in->data, (size_t)(end - in->data));
	in->len -= (size_t)(end + 1 - in->data);
	memmove(in->data, end + 1, in->len);
	return text;
}

static json_t *
ask_line(struct way *w, struct ask_buffer *in, usec_t until, struct error *err)
{
	char *text = ask_text(w, in, until, err);
	json_t *obj;

	if (text == NULL)
		return NULL;
	obj = json_read(text, strlen(text), err);
	free(text);
	return obj;
}

usec_t
ask_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/* The directory of the socket may be entered by that group only. */
static void
ask_denied(const struct way *w)
{
	const char *end = strrchr(w->where, '/');
	const struct group *group = NULL;
	struct stat st;
	char *dir, *text;

	dir = xstrndup(w->where, end == NULL ? 0 : (size_t)(end - w->where));
	if (stat(w->where, &st) == 0 || stat(dir, &st) == 0)
		group = getgrgid(st.st_gid);
	text = xasprintf("only root and the group %s of the configuration may "
			 "ask the engine",
	    group == NULL ? "" : group->gr_name);
	print_wrong(text, verb_again("sudo ", ""));
	free(text);
	free(dir);
}

static enum exitcode
ask_silent(const struct way *w, const struct error *err)
{
	char *text;

	if (w->ssl != NULL)
		return remote_silent(w, err);
	if (err->code == ERR_SYS && (err->sys == EACCES || err->sys == EPERM)) {
		ask_denied(w);
		return EXITCODE_DENIED;
	}
	text = xasprintf(
	    "the engine does not answer on %s: %s", w->where, err->msg);
	print_wrong(text, "systemctl status hawatchd");
	free(text);
	return EXITCODE_NO_ENGINE;
}

/* What was begun goes on, whoever watches it; a program that is told that the
 * engine does not answer would give the order again, or another. */
static enum exitcode
ask_lost(const struct way *w, const struct error *err, bool begun)
{
	char *text;

	if (!begun)
		return ask_silent(w, err);
	text = xasprintf("the order was begun, and goes on as long as the "
			 "engine runs; how it ends cannot be seen from here: "
			 "%s",
	    err->msg);
	print_wrong(text, "hactl status");
	free(text);
	return EXITCODE_UNKNOWN;
}
