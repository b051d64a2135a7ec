/*
 * One connection of hactl: one line of JSON in, lines of JSON out. It never
 * waits: an asker that is slow, silent or too long is dropped.
 */
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/control.h"
#include "engine/engine.h"
#include "hawatch/emit.h"
#include "hawatch/exitcode.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define CONTROL_ARRIVE (5 * USEC_SEC)
#define CONTROL_STALL (5 * USEC_SEC)

static void conn_ready_cb(void *arg, int what);
static void conn_late_cb(void *arg);
static void conn_read(struct conn *n);
static void conn_request(struct conn *n, size_t len);
static void conn_write(struct conn *n);
static void conn_refuse(
    struct conn *n, enum exitcode code, const char *why, const char *next);
static void conn_free_cb(void *arg);

void
conn_new(struct control *c, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct conn *n;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1) {
		close(fd);
		return;
	}
	n = xcalloc(1, sizeof(*n));
	n->c = c;
	n->id = c->next_id++;
	n->fd = fd;
	n->uid = cred.uid;
	n->pid = cred.pid;
	n->watch = watch_new(c->loop, fd, WATCH_READ, conn_ready_cb, n);
	n->timer = timer_new(c->loop, conn_late_cb, n);
	timer_arm(n->timer, CONTROL_ARRIVE);
	TAILQ_INSERT_TAIL(&c->conns, n, entry);
	c->count++;
	if (!control_may_ask(c, fd, &cred))
		conn_refuse(n, EXITCODE_DENIED,
		    "only root and the members of the group of the "
		    "configuration may ask, and the front never",
		    "sudo hactl status");
	else if (c->count > CONTROL_CONNS)
		conn_refuse(n, EXITCODE_NO_ENGINE, "too many askers at once",
		    "hactl ping");
}

static void
conn_ready_cb(void *arg, int what)
{
	struct conn *n = arg;

	if (n->c == NULL)
		return;
	if ((what & WATCH_WRITE) != 0)
		conn_write(n);
	if (n->c != NULL && (what & WATCH_READ) != 0 && !n->asked)
		conn_read(n);
}

static void
conn_late_cb(void *arg)
{
	struct conn *n = arg;

	if (n->c == NULL)
		return;
	conn_drop(n, n->asked ? "answer-not-read" : "request-late");
}

static void
conn_read(struct conn *n)
{
	char *end;
	ssize_t got;

	if (n->in == NULL)
		n->in = xcalloc(1, CONTROL_REQUEST_MAX + 1);
	got =
	    recv(n->fd, n->in + n->in_len, CONTROL_REQUEST_MAX - n->in_len, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_drop(n, NULL);
		return;
	}
	end = memchr(n->in + n->in_len, '\n', (size_t)got);
	n->in_len += (size_t)got;
	if (end != NULL)
		conn_request(n, (size_t)(end - n->in));
	else if (n->in_len == CONTROL_REQUEST_MAX)
		conn_refuse(n, EXITCODE_USAGE,
		    "a request is one line of at most 16384 bytes",
		    "hactl --help");
}

int
control_verb(
    const char *buf, size_t len, char *verb, size_t size, struct error *err)
{
	json_t *obj = json_read(buf, len, err);
	int rc = -1;

	if (obj != NULL)
		rc = json_want_string(obj, "verb", verb, size, err);
	json_decref(obj);
	return rc;
}

static void
conn_request(struct conn *n, size_t len)
{
	struct error err;

	n->asked = true;
	watch_set(n->watch, 0);
	timer_disarm(n->timer);
	n->in[len] = '\0';
	if (control_verb(n->in, len, n->verb, sizeof(n->verb), &err) == -1)
		conn_refuse(n, EXITCODE_USAGE, err.msg, "hactl --help");
	else
		n->c->fn(n->c->arg, n->id, n->verb, n->in);
}

void
conn_append(struct conn *n, const char *json)
{
	size_t len = strlen(json);

	if (n->out_len + len + 1 > CONTROL_ANSWER_MAX) {
		conn_drop(n, "answer-too-long");
		return;
	}
	n->out = xrealloc(n->out, n->out_len + len + 1, 1);
	memcpy(n->out + n->out_len, json, len);
	n->out[n->out_len + len] = '\n';
	n->out_len += len + 1;
	conn_write(n);
}

static void
conn_write(struct conn *n)
{
	ssize_t put;

	put = send(n->fd, n->out, n->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (put == -1 && errno != EAGAIN && errno != EINTR) {
		conn_drop(n, NULL);
		return;
	}
	if (put > 0) {
		n->out_len -= (size_t)put;
		memmove(n->out, n->out + put, n->out_len);
	}
	if (n->out_len == 0 && n->final) {
		conn_drop(n, NULL);
		return;
	}
	if (n->out_len == 0)
		timer_disarm(n->timer);
	else if (put > 0 || !timer_armed(n->timer))
		timer_arm(n->timer, CONTROL_STALL);
	watch_set(n->watch, n->out_len == 0 ? 0 : WATCH_WRITE);
}

char *
control_refusal(enum exitcode code, const char *why, const char *next)
{
	json_t *obj = json_object();

	json_put_i64(obj, "exit", code);
	json_put_string(obj, "refused", why);
	json_put_string(obj, "next", next);
	return json_take_text(obj);
}

static void
conn_refuse(
    struct conn *n, enum exitcode code, const char *why, const char *next)
{
	char *text = control_refusal(code, why, next);

	n->asked = true;
	n->final = true;
	timer_disarm(n->timer);
	conn_append(n, text);
	free(text);
}

/* Out of the list at once, so that no reply finds it; its memory goes after
 * the callbacks of this turn, one of which may be its own. */
void
conn_drop(struct conn *n, const char *reason)
{
	struct control *c = n->c;

	assert(c != NULL);
	if (reason != NULL)
		EMIT(control_drop, kv_s("reason", reason), kv_i("uid", n->uid),
		    kv_i("pid", n->pid));
	TAILQ_REMOVE(&c->conns, n, entry);
	c->count--;
	n->c = NULL;
	watch_set(n->watch, 0);
	timer_disarm(n->timer);
	loop_reap(c->loop, conn_free_cb, n);
}

static void
conn_free_cb(void *arg)
{
	struct conn *n = arg;

	watch_free(n->watch);
	timer_free(n->timer);
	close(n->fd);
	free(n->in);
	free(n->out);
	free(n);
}
