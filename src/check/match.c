/*
 * Searches in a thread: regexec tries every beginning, and for "a.*b" in a
 * text of 64 KiB without a b that is eight seconds, which whoever answers a
 * check may choose. The loop has no such time. One search at a time, since one
 * that is not waited for any more cannot be ended.
 */
#include "check/match.h"

#include <stdlib.h>

#include "check/answer.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

struct matcher {
	struct worker *worker;
	bool busy;
	char *want, *text; /* the thread's while busy */
	bool yes;
	void (*done)(void *arg, bool yes); /* NULL: nobody waits */
	void *arg;
};

struct matcher *
matcher_new(struct loop *loop)
{
	struct matcher *m = xcalloc(1, sizeof(*m));

	m->worker = worker_new(loop);
	return m;
}

void
matcher_free(struct matcher *m)
{
	if (m == NULL)
		return;
	worker_free(m->worker);
	free(m->want);
	free(m->text);
	free(m);
}

bool
matcher_busy(const struct matcher *m)
{
	return m->busy;
}

static void
matcher_work(void *arg)
{
	struct matcher *m = arg;

	m->yes = answer_body(m->want, m->text);
}

static void
matcher_done_cb(void *arg)
{
	struct matcher *m = arg;
	void (*done)(void *arg, bool yes) = m->done;

	m->busy = false;
	m->done = NULL;
	free(m->want);
	free(m->text);
	m->want = m->text = NULL;
	if (done != NULL)
		done(m->arg, m->yes);
}

void
matcher_start(struct matcher *m, const char *want, const char *text,
    void (*done)(void *arg, bool yes), void *arg)
{
	m->busy = true;
	m->want = xstrdup(want);
	m->text = xstrdup(text);
	m->done = done;
	m->arg = arg;
	worker_submit(m->worker, matcher_work, matcher_done_cb, m);
}

void
matcher_cancel(struct matcher *m)
{
	if (m != NULL)
		m->done = NULL;
}
