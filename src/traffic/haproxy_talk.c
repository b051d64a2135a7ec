/*
 * The connection to HAProxy's runtime API: connect, send one line, read until
 * HAProxy closes, as it does after the answers to the commands of that line.
 * What is said is not looked at here.
 */
#include "traffic/haproxy_talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hawatch/endpoint.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

#define HAP_READ_MIN ((size_t)8192)

static int hap_talk_connect(
    struct hap_talk *t, const char *endpoint, struct error *err);
static void hap_talk_cb(void *arg, int what);
static void hap_talk_write(struct hap_talk *t);
static void hap_talk_read(struct hap_talk *t);
static void hap_talk_whole(struct hap_talk *t);
static void hap_talk_finish(
    struct hap_talk *t, char *answer, const char *wrong);

int
hap_talk_start(struct hap_talk *t, struct loop *loop, const char *endpoint,
    char *line, struct error *err)
{
	if (hap_talk_connect(t, endpoint, err) == -1) {
		free(line);
		return -1;
	}
	t->line = line;
	t->line_len = strlen(line);
	t->sent = 0;
	t->answer_len = 0;
	t->watch = watch_new(loop, t->fd, WATCH_WRITE, hap_talk_cb, t);
	return 0;
}

void
hap_talk_stop(struct hap_talk *t)
{
	if (t->watch == NULL)
		return;
	watch_free(t->watch);
	t->watch = NULL;
	close(t->fd);
	free(t->line);
	t->line = NULL;
	free(t->answer);
	t->answer = NULL;
	t->answer_size = 0;
}

static int
hap_talk_connect(struct hap_talk *t, const char *endpoint, struct error *err)
{
	struct endpoint to;

	if (endpoint_parse(endpoint, &to, err) == -1)
		return -1;
	t->fd = socket(
	    to.ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd == -1)
		return error_sys(err, "socket");
	/* A Unix socket never says EINPROGRESS; EAGAIN is a full queue. */
	if (connect(t->fd, (struct sockaddr *)&to.ss, to.len) == 0 ||
	    errno == EINPROGRESS)
		return 0;
	error_sys(err, "connect");
	close(t->fd);
	return -1;
}

static void
hap_talk_cb(void *arg, int what)
{
	struct hap_talk *t = arg;

	if (t->sent < t->line_len)
		hap_talk_write(t);
	else
		hap_talk_read(t);
}

/* Also where a connect that failed is seen: send returns its error. */
static void
hap_talk_write(struct hap_talk *t)
{
	ssize_t n =
	    send(t->fd, t->line + t->sent, t->line_len - t->sent, MSG_NOSIGNAL);
	struct error err;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		error_sys(&err, t->sent == 0 ? "connect" : "write");
		hap_talk_finish(t, NULL, err.msg);
		return;
	}
	t->sent += (size_t)n;
	if (t->sent == t->line_len)
		watch_set(t->watch, WATCH_READ);
}

static void
hap_talk_read(struct hap_talk *t)
{
	struct error err;
	ssize_t n;

	/* One byte more than allowed tells too long from just fitting. */
	if (t->answer_size - t->answer_len < HAP_READ_MIN) {
		t->answer_size = t->answer_size * 2 + 2 * HAP_READ_MIN;
		t->answer = xrealloc(t->answer, t->answer_size, 1);
	}
	n = read(t->fd, t->answer + t->answer_len,
	    t->answer_size - t->answer_len - 1);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		error_sys(&err, "read");
		hap_talk_finish(t, NULL, err.msg);
		return;
	}
	if (n == 0) {
		hap_talk_whole(t);
		return;
	}
	t->answer_len += (size_t)n;
	if (t->answer_len > HAP_ANSWER_MAX)
		hap_talk_finish(t, NULL, "its answer is longer than 1 MiB");
}

static void
hap_talk_whole(struct hap_talk *t)
{
	t->answer[t->answer_len] = '\0';
	if (t->answer_len == 0)
		hap_talk_finish(t, NULL, "it closed without an answer");
	else if (strlen(t->answer) != t->answer_len)
		hap_talk_finish(t, NULL, "bytes 0 in its answer");
	else
		hap_talk_finish(t, t->answer, NULL);
}

/* The connection ends first, so that done may begin the next one. */
static void
hap_talk_finish(struct hap_talk *t, char *answer, const char *wrong)
{
	if (answer != NULL)
		t->answer = NULL;
	hap_talk_stop(t);
	t->done(t->arg, answer, wrong);
	free(answer);
}
