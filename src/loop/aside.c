/*
 * Threads that may be left behind. Each has a worker of its own: what waits for
 * the disk in the daemon's does not wait for this.
 *
 * A thread that hangs for ever is never joined, and what it holds never freed:
 * that is the price of going on without it. What it waits for gives way to a
 * signal that kills, so that it goes with the process. How many there may be is
 * limited, since whoever asks will ask again.
 */
#include "hawatch/aside.h"

#include <stdlib.h>

#include "hawatch/mem.h"
#include "hawatch/worker.h"

#define ASIDE_LEFT_MAX 8

struct aside {
	struct loop *loop;
	struct worker *worker; /* from the first work on */
	void (*release)(void *data);
	void *data;
	bool busy, left;
	void (*work)(void *data);
	void (*done)(void *arg);
	void *arg;
};

/* Of the process, as its threads are; only the loop's thread counts. */
static int aside_left;

struct aside *
aside_new(struct loop *loop, void (*release)(void *data), void *data)
{
	struct aside *a = xcalloc(1, sizeof(*a));

	a->loop = loop;
	a->release = release;
	a->data = data;
	return a;
}

static void
aside_release(struct aside *a)
{
	worker_free(a->worker);
	a->release(a->data);
	free(a);
}

void
aside_free(struct aside *a)
{
	if (a == NULL)
		return;
	if (!a->busy) {
		aside_release(a);
		return;
	}
	a->left = true;
	aside_left++;
}

bool
aside_busy(const struct aside *a)
{
	return a->busy;
}

static void
aside_work(void *arg)
{
	struct aside *a = arg;

	a->work(a->data);
}

static void
aside_done_cb(void *arg)
{
	struct aside *a = arg;

	a->busy = false;
	if (a->left) {
		aside_left--;
		aside_release(a);
		return;
	}
	a->done(a->arg);
}

bool
aside_start(struct aside *a, void (*work)(void *data), void (*done)(void *arg),
    void *arg)
{
	if (a->busy || aside_left >= ASIDE_LEFT_MAX)
		return false;
	if (a->worker == NULL)
		a->worker = worker_new(a->loop);
	a->busy = true;
	a->work = work;
	a->done = done;
	a->arg = arg;
	worker_submit(a->worker, aside_work, aside_done_cb, a);
	return true;
}
