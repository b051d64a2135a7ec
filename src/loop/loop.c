/*
 * The turning of the loop: a round of callbacks, then one call of the turn
 * function, then the frees that were put off. Timers and descriptors are in
 * watch.c.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "loop/loop_end.h"

struct reap {
	STAILQ_ENTRY(reap) entry;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	bool stop;
	STAILQ_HEAD(reaps, reap) reaps;
	LIST_HEAD(loop_ends, loop_end) ends;
};

static struct event_base *loop_base_new(void);
static void loop_wake_cb(evutil_socket_t fd, short what, void *arg);
static void loop_reap_all(struct loop *loop);

struct loop *
loop_new(struct error *err)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	STAILQ_INIT(&loop->reaps);
	LIST_INIT(&loop->ends);
	/* A peer that goes away is an error of the write, not of us. */
	(void)signal(SIGPIPE, SIG_IGN);
	loop->base = loop_base_new();
	if (loop->base == NULL) {
		error_set(err, ERR_SYS, "libevent finds no usable epoll");
		loop_free(loop);
		return NULL;
	}
	loop->wake = event_new(loop->base, -1, 0, loop_wake_cb, loop);
	if (loop->wake == NULL)
		abort();
	return loop;
}

/*
 * No cached time: a deadline that is set late in a long round would otherwise
 * be early by what the round took.
 */
static struct event_base *
loop_base_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (cfg == NULL)
		abort();
	event_config_set_flag(
	    cfg, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME |
		     EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

void
loop_free(struct loop *loop)
{
	struct loop_end *end;

	if (loop == NULL)
		return;
	loop_reap_all(loop);
	while ((end = LIST_FIRST(&loop->ends)) != NULL) {
		LIST_REMOVE(end, entry);
		end->fn(end);
	}
	if (loop->wake != NULL)
		event_free(loop->wake);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop);
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

void
loop_run(struct loop *loop, void (*turn)(void *arg, const struct now *now),
    void *arg)
{
	struct now now;

	while (!loop->stop) {
		event_base_loop(
		    loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
		if (turn != NULL) {
			now = clock_now();
			turn(arg, &now);
		}
		loop_reap_all(loop);
	}
	loop->stop = false;
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
	loop_wake(loop);
}

void
loop_wake(struct loop *loop)
{
	event_active(loop->wake, EV_TIMEOUT, 0);
}

static void
loop_wake_cb(evutil_socket_t fd, short what, void *arg)
{
}

void
loop_reap(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct reap *reap = xcalloc(1, sizeof(*reap));

	reap->fn = fn;
	reap->arg = arg;
	STAILQ_INSERT_TAIL(&loop->reaps, reap, entry);
}

static void
loop_reap_all(struct loop *loop)
{
	struct reap *reap;

	while ((reap = STAILQ_FIRST(&loop->reaps)) != NULL) {
		STAILQ_REMOVE_HEAD(&loop->reaps, entry);
		reap->fn(reap->arg);
		free(reap);
	}
}

void
loop_end_add(struct loop *loop, struct loop_end *end)
{
	LIST_INSERT_HEAD(&loop->ends, end, entry);
}

struct loop_end *
loop_end_find(struct loop *loop, void (*fn)(struct loop_end *end))
{
	struct loop_end *end;

	LIST_FOREACH(end, &loop->ends, entry)
		if (end->fn == fn)
			return end;
	return NULL;
}
