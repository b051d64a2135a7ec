/*
 * The face of the loop without a loop. One object at a time has few watches, so
 * a list will do.
 */
#include "fakeloop.h"

#include <stdlib.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"

struct watch {
	TAILQ_ENTRY(watch) entry;
	int fd, what;
	void (*cb)(void *arg, int what);
	void *arg;
};

struct timer {
	bool armed;
};

struct reap {
	TAILQ_ENTRY(reap) entry;
	void (*fn)(void *arg);
	void *arg;
};

static TAILQ_HEAD(, watch) watches = TAILQ_HEAD_INITIALIZER(watches);
static TAILQ_HEAD(, reap) reaps = TAILQ_HEAD_INITIALIZER(reaps);
static int timers;

struct watch *
watch_new(struct loop *loop, int fd, int what, void (*cb)(void *arg, int what),
    void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	*w = (struct watch){ .fd = fd, .what = what, .cb = cb, .arg = arg };
	TAILQ_INSERT_TAIL(&watches, w, entry);
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	TAILQ_REMOVE(&watches, w, entry);
	free(w);
}

void
watch_set(struct watch *w, int what)
{
	w->what = what;
}

struct timer *
timer_new(struct loop *loop, void (*cb)(void *arg), void *arg)
{
	timers++;
	return xcalloc(1, sizeof(struct timer));
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	timers--;
	free(t);
}

void
timer_arm(struct timer *t, usec_t after)
{
	t->armed = after != USEC_NEVER;
}

void
timer_disarm(struct timer *t)
{
	t->armed = false;
}

bool
timer_armed(const struct timer *t)
{
	return t->armed;
}

void
loop_reap(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct reap *r = xcalloc(1, sizeof(*r));

	r->fn = fn;
	r->arg = arg;
	TAILQ_INSERT_TAIL(&reaps, r, entry);
}

int
fakeloop_ready(int fd, int what)
{
	struct watch *w;

	TAILQ_FOREACH(w, &watches, entry) {
		if (w->fd != fd || (w->what & what) == 0)
			continue;
		w->cb(w->arg, w->what & what);
		return 1;
	}
	return 0;
}

void
fakeloop_reap(void)
{
	struct reap *r;

	while ((r = TAILQ_FIRST(&reaps)) != NULL) {
		TAILQ_REMOVE(&reaps, r, entry);
		r->fn(r->arg);
		free(r);
	}
}

int
fakeloop_left(void)
{
	struct watch *w;
	int n = timers;

	TAILQ_FOREACH(w, &watches, entry)
		n++;
	return n;
}
