/*
 * The front's end of the link. Snapshots and replies come in, requests and
 * refusals go out. The front waits for nobody here: what the engine does not
 * take in time is not sent. An end or a broken frame ends the process, and
 * the engine starts a new one.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "front/frame.h"
#include "front/front.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define LINK_OUT_MAX ((size_t)256 * 1024)
#define LINK_FRAMES 16 /* in one callback */
#define LINK_REPEAT (10 * USEC_SEC)

struct link_refusals {
	usec_t said_at; /* raw; 0 never */
	int64_t count;	/* not said yet */
	char address[INET6_ADDRSTRLEN];
	char why[128];
};

struct link {
	struct front *front;
	int fd;
	struct event *read, *write, *say;
	struct evbuffer *out;
	struct frame_in in;
	struct link_refusals refused[REFUSAL_COUNT];
};

static const struct {
	const char *name, *text;
} link_refusals[REFUSAL_COUNT] = {
#define X(id, n, t) [REFUSAL_##id] = { .name = (n), .text = (t) },
	REFUSALS(X)
#undef X
};

static void link_read_cb(evutil_socket_t fd, short what, void *arg);
static void link_write_cb(evutil_socket_t fd, short what, void *arg);
static void link_say_cb(evutil_socket_t fd, short what, void *arg);

struct link *
link_new(struct front *f, int fd, struct error *err)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->front = f;
	l->fd = fd;
	l->read = event_new(f->base, fd, EV_READ | EV_PERSIST, link_read_cb, l);
	l->write = event_new(f->base, fd, EV_WRITE, link_write_cb, l);
	l->say = event_new(f->base, -1, 0, link_say_cb, l);
	l->out = evbuffer_new();
	if (l->read == NULL || l->write == NULL || l->say == NULL ||
	    l->out == NULL) {
		error_set(err, ERR_SYS, "no events for the link");
		link_free(l);
		return NULL;
	}
	event_priority_set(l->read, 0);
	event_priority_set(l->write, 0);
	event_priority_set(l->say, 0);
	event_add(l->read, NULL);
	return l;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	if (l->read != NULL)
		event_free(l->read);
	if (l->write != NULL)
		event_free(l->write);
	if (l->say != NULL)
		event_free(l->say);
	if (l->out != NULL)
		evbuffer_free(l->out);
	frame_in_fini(&l->in);
	free(l);
}

static void
link_end(struct link *l, int exit_code)
{
	l->front->exit_code = exit_code;
	event_base_loopbreak(l->front->base);
}

static int
link_frame(struct link *l, const json_t *frame, struct error *err)
{
	const json_t *snap = json_object_get(frame, "snap");

	if (snap != NULL)
		return routes_update(l->front->routes, snap, err);
	if (json_object_get(frame, "doc") != NULL)
		return routes_document(
		    l->front->routes, json_object_get(frame, "doc"), err);
	if (json_object_get(frame, "reply") != NULL)
		return peer_reply(l->front, frame, err);
	if (json_object_get(frame, "line") != NULL)
		return control_line(l->front, frame, err);
	return error_set(err, ERR_PROTOCOL, "a frame of no known kind");
}

static int
link_read(struct link *l, struct error *err)
{
	json_t *frame;
	int rc, i;

	rc = frame_in_read(&l->in, l->fd, err);
	if (rc != 1)
		return rc;
	/* All that came must be taken: what stays in memory wakes nobody. */
	for (i = 0; (rc = frame_in_next(&l->in, &frame, err)) == 1; i++) {
		rc = link_frame(l, frame, err);
		json_decref(frame);
		if (rc == -1)
			break;
	}
	return rc;
}

static void
link_read_cb(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	struct error err;

	if (link_read(l, &err) != -1)
		return;
	link_end(l, err.code == ERR_NONE ? 0 : 2);
}

static void
link_flush(struct link *l)
{
	int n;

	while (evbuffer_get_length(l->out) > 0) {
		n = evbuffer_write(l->out, l->fd);
		if (n > 0)
			continue;
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			link_end(l, 0);
		else
			event_add(l->write, NULL);
		return;
	}
}

static void
link_write_cb(evutil_socket_t fd, short what, void *arg)
{
	link_flush(arg);
}

bool
link_crowded(const struct link *l)
{
	return evbuffer_get_length(l->out) > LINK_OUT_MAX / 2;
}

bool
link_send(struct link *l, const json_t *obj)
{
	char *frame;
	size_t len;

	if (evbuffer_get_length(l->out) > LINK_OUT_MAX)
		return false;
	frame = frame_pack(obj, &len);
	if (frame == NULL)
		return false;
	if (evbuffer_add(l->out, frame, len) == -1)
		abort();
	free(frame);
	link_flush(l);
	return true;
}

/* One line for all refusals of a kind since the last one. */
static void
link_say(struct link *l, enum refusal what, usec_t now)
{
	struct link_refusals *r = &l->refused[what];
	json_t *frame = json_object(), *log = json_object();

	json_put_string(log, "what", link_refusals[what].name);
	json_put_string(log, "text", link_refusals[what].text);
	json_put_string(log, "address", r->address);
	json_put_string(log, "reason", r->why);
	json_put_i64(log, "count", r->count);
	json_put(frame, "log", log);
	if (link_send(l, frame)) {
		r->said_at = now;
		r->count = 0;
	}
	json_decref(frame);
}

void
link_refused(
    struct link *l, enum refusal what, const char *address, const char *why)
{
	static const struct timeval repeat = { LINK_REPEAT / USEC_SEC, 0 };
	struct link_refusals *r = &l->refused[what];
	usec_t now = front_raw();

	if (r->count++ == 0) {
		str_cut(r->address, sizeof(r->address), address);
		str_cut(r->why, sizeof(r->why), why);
	}
	if (r->said_at == 0 || now - r->said_at >= LINK_REPEAT)
		link_say(l, what, now);
	else if (!event_pending(l->say, EV_TIMEOUT, NULL))
		event_add(l->say, &repeat);
}

static void
link_say_cb(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	usec_t now = front_raw();
	int i;

	for (i = 0; i < REFUSAL_COUNT; i++)
		if (l->refused[i].count > 0)
			link_say(l, (enum refusal)i, now);
}
