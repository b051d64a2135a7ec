/*
 * What the loop waits for: timers, descriptors of libraries and callers,
 * signals. Each callback may free its own object; nothing is touched after it.
 */
#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"

/* Longer than any deadline, short of what the kernel's timers refuse. */
#define TIMER_MAX (USEC_SEC * 86400 * 365)

struct timer {
	struct event *ev;
	void (*cb)(void *arg);
	void *arg;
};

struct watch {
	struct event_base *base;
	struct event *ev; /* NULL while nothing is waited for */
	int fd;
	int what;
	void (*cb)(void *arg, int what);
	void *arg;
};

struct sigwatch {
	struct event *ev;
	void (*cb)(void *arg, int signo);
	void *arg;
};

static void timer_fire(evutil_socket_t fd, short what, void *arg);
static void watch_fire(evutil_socket_t fd, short events, void *arg);
static void sigwatch_fire(evutil_socket_t signo, short what, void *arg);

struct timer *
timer_new(struct loop *loop, void (*cb)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));

	t->cb = cb;
	t->arg = arg;
	t->ev = event_new(loop_base(loop), -1, 0, timer_fire, t);
	if (t->ev == NULL)
		abort();
	return t;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}

void
timer_arm(struct timer *t, usec_t after)
{
	struct timeval tv;

	if (after == USEC_NEVER) {
		timer_disarm(t);
		return;
	}
	if (after < 0)
		after = 0;
	if (after > TIMER_MAX)
		after = TIMER_MAX;
	tv.tv_sec = (time_t)(after / USEC_SEC);
	tv.tv_usec = (suseconds_t)(after % USEC_SEC);
	if (event_add(t->ev, &tv) != 0)
		abort();
}

void
timer_disarm(struct timer *t)
{
	event_del(t->ev);
}

bool
timer_armed(const struct timer *t)
{
	return event_pending(t->ev, EV_TIMEOUT, NULL) != 0;
}

static void
timer_fire(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	t->cb(t->arg);
}

struct watch *
watch_new(struct loop *loop, int fd, int what, void (*cb)(void *arg, int what),
    void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	assert(fd >= 0);
	w->base = loop_base(loop);
	w->fd = fd;
	w->cb = cb;
	w->arg = arg;
	watch_set(w, what);
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->ev != NULL)
		event_free(w->ev);
	free(w);
}

void
watch_set(struct watch *w, int what)
{
	short events = EV_PERSIST;

	if (what == w->what)
		return;
	if (w->ev != NULL)
		event_free(w->ev);
	w->ev = NULL;
	w->what = what;
	if (what == 0)
		return;
	if ((what & WATCH_READ) != 0)
		events |= EV_READ;
	if ((what & WATCH_WRITE) != 0)
		events |= EV_WRITE;
	w->ev = event_new(w->base, w->fd, events, watch_fire, w);
	if (w->ev == NULL || event_add(w->ev, NULL) != 0)
		abort();
}

static void
watch_fire(evutil_socket_t fd, short events, void *arg)
{
	struct watch *w = arg;
	int what = 0;

	if ((events & EV_READ) != 0)
		what |= WATCH_READ;
	if ((events & EV_WRITE) != 0)
		what |= WATCH_WRITE;
	w->cb(w->arg, what);
}

struct sigwatch *
sigwatch_new(
    struct loop *loop, int signo, void (*cb)(void *arg, int signo), void *arg)
{
	struct sigwatch *s = xcalloc(1, sizeof(*s));

	s->cb = cb;
	s->arg = arg;
	s->ev = evsignal_new(loop_base(loop), signo, sigwatch_fire, s);
	if (s->ev == NULL || event_add(s->ev, NULL) != 0)
		abort();
	return s;
}

void
sigwatch_free(struct sigwatch *s)
{
	if (s == NULL)
		return;
	event_free(s->ev);
	free(s);
}

static void
sigwatch_fire(evutil_socket_t signo, short what, void *arg)
{
	struct sigwatch *s = arg;

	s->cb(s->arg, (int)signo);
}
