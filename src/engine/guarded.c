/*
 * The file that says so is missing at the first start of this version, on a
 * host that an older one guarded. A disk that is full then is no reason to stay
 * down, and not to renew what is open in the kernel: what must be on the disk
 * to promise anything has its place there already.
 */
#include "engine/guarded.h"

#include <stdlib.h>
#include <unistd.h>

#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

struct guarded {
	struct worker *worker;
	struct timer *timer;
	char *dir;
	usec_t again;
	bool told;
	/* The worker's: */
	struct error err;
	bool ok;
};

static void
guarded_work(void *arg)
{
	struct guarded *g = arg;

	g->ok = conf_guard_write(g->dir, &g->err) == 0;
}

static void
guarded_back_cb(void *arg)
{
	struct guarded *g = arg;

	if (g->ok)
		return;
	if (!g->told)
		EMIT(guarded_unsaved, kv_s("reason", g->err.msg));
	g->told = true;
	timer_arm(g->timer, g->again);
}

static void
guarded_timer_cb(void *arg)
{
	struct guarded *g = arg;

	worker_submit(g->worker, guarded_work, guarded_back_cb, g);
}

/* The journal of an engine that was here before. */
static bool
guarded_ran(const struct conf *conf)
{
	char *path = xasprintf("%s/state", conf->state_dir);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

struct guarded *
guarded_new(struct loop *loop, struct worker *worker, const struct conf *conf,
    usec_t again, struct error *err)
{
	struct guarded *g;
	bool ok = conf_guard_mark(conf, err) == 0;

	if (!ok && (conf->mode == MODE_OBSERVE || !guarded_ran(conf)))
		return NULL;
	g = xcalloc(1, sizeof(*g));
	g->worker = worker;
	g->dir = xstrdup(conf->state_dir);
	g->again = again;
	g->timer = timer_new(loop, guarded_timer_cb, g);
	/* At once, where what is told is heard. */
	if (!ok)
		timer_arm(g->timer, 0);
	return g;
}

void
guarded_free(struct guarded *g)
{
	if (g == NULL)
		return;
	timer_free(g->timer);
	free(g->dir);
	free(g);
}
