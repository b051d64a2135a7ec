/*
 * Whether anything is left of a program: one look at all processes, which ends
 * none.
 */
#include <stdlib.h>

#include "hawatch/aside.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/supervisor.h"
#include "supervisor/sweep.h"

/* The thread's while it looks. */
struct left_look {
	struct sup_sweep *sweep;
	int count;
};

struct sup_left {
	struct left_look *look;
	struct aside *aside; /* owns look */
	struct timer *timer;
	void (*done)(void *arg, int count);
	void *arg;
};

static void
left_release(void *data)
{
	struct left_look *look = data;

	sup_sweep_free(look->sweep);
	free(look);
}

static void
left_work(void *data)
{
	struct left_look *look = data;

	look->count = sup_sweep_look(look->sweep);
}

static void
left_end(struct sup_left *l, int count)
{
	void (*done)(void *arg, int count) = l->done;
	void *arg = l->arg;

	sup_left_cancel(l);
	done(arg, count);
}

static void
left_done_cb(void *arg)
{
	struct sup_left *l = arg;

	left_end(l, l->look->count);
}

static void
left_late_cb(void *arg)
{
	left_end(arg, -1);
}

struct sup_left *
sup_left_start(struct loop *loop, const char *path, usec_t deadline,
    void (*done)(void *arg, int count), void *arg)
{
	struct sup_left *l = xcalloc(1, sizeof(*l));

	l->look = xcalloc(1, sizeof(*l->look));
	l->look->sweep = sup_sweep_new(path, NULL, NULL);
	l->aside = aside_new(loop, left_release, l->look);
	l->done = done;
	l->arg = arg;
	l->timer = timer_new(loop, left_late_cb, l);
	if (!aside_start(l->aside, left_work, left_done_cb, l))
		deadline = 0;
	timer_arm(l->timer, deadline);
	return l;
}

void
sup_left_cancel(struct sup_left *l)
{
	if (l == NULL)
		return;
	timer_free(l->timer);
	aside_free(l->aside);
	free(l);
}
