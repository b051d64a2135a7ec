/*
 * One thread for what waits for a disk. Submissions go through a queue under a
 * lock that is held for a few instructions only; completions come back through
 * an eventfd.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/worker.h"

/* The whole stack counts where memory is locked. */
#define WORKER_STACK ((size_t)128 * 1024)

struct task {
	STAILQ_ENTRY(task) entry;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void (*drop)(void *arg); /* or NULL */
	void *arg;
};

STAILQ_HEAD(tasks, task);

struct worker {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct tasks todo, finished; /* under the lock */
	bool stop;		     /* under the lock */
	bool freed;		     /* on the loop only */
	int efd;
	struct watch *watch;
};

static void worker_start(struct worker *w);
static void *worker_main(void *arg);
static void worker_cb(void *arg, int what);
static struct task *worker_take(struct worker *w);
static void worker_release(void *arg);
static void worker_forget(struct tasks *tasks);

struct worker *
worker_new(struct loop *loop)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->loop = loop;
	STAILQ_INIT(&w->todo);
	STAILQ_INIT(&w->finished);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	w->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->efd == -1)
		abort();
	w->watch = watch_new(loop, w->efd, WATCH_READ, worker_cb, w);
	worker_start(w);
	return w;
}

/* Signals are the loop's: the thread has them all blocked. */
static void
worker_start(struct worker *w)
{
	pthread_attr_t attr;
	sigset_t all, before;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&w->thread, &attr, worker_main, w) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
}

void
worker_free(struct worker *w)
{
	if (w == NULL || w->freed)
		return;
	w->freed = true;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	worker_forget(&w->todo);
	worker_forget(&w->finished);
	watch_free(w->watch);
	w->watch = NULL;
	close(w->efd);
	/* A done may be what called this. */
	loop_reap(w->loop, worker_release, w);
}

static void
worker_release(void *arg)
{
	struct worker *w = arg;

	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void
worker_forget(struct tasks *tasks)
{
	struct task *task;

	while ((task = STAILQ_FIRST(tasks)) != NULL) {
		STAILQ_REMOVE_HEAD(tasks, entry);
		if (task->drop != NULL)
			task->drop(task->arg);
		free(task);
	}
}

void
worker_submit(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void *arg)
{
	worker_submit_own(w, work, done, NULL, arg);
}

void
worker_submit_own(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void (*drop)(void *arg), void *arg)
{
	struct task *task = xcalloc(1, sizeof(*task));

	task->work = work;
	task->done = done;
	task->drop = drop;
	task->arg = arg;
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->todo, task, entry);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct task *task;
	uint64_t one = 1;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->stop && STAILQ_EMPTY(&w->todo))
			pthread_cond_wait(&w->wake, &w->lock);
		if (w->stop)
			break;
		task = STAILQ_FIRST(&w->todo);
		STAILQ_REMOVE_HEAD(&w->todo, entry);
		pthread_mutex_unlock(&w->lock);
		task->work(task->arg);
		pthread_mutex_lock(&w->lock);
		STAILQ_INSERT_TAIL(&w->finished, task, entry);
		/* It can only be full when the loop is due to wake anyway. */
		if (write(w->efd, &one, sizeof(one)) == -1)
			continue;
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void
worker_cb(void *arg, int what)
{
	struct worker *w = arg;
	struct task *task;
	uint64_t count;

	if (read(w->efd, &count, sizeof(count)) == -1)
		return;
	/* A done may free the worker: then there is nothing to take. */
	while ((task = worker_take(w)) != NULL) {
		task->done(task->arg);
		free(task);
	}
}

static struct task *
worker_take(struct worker *w)
{
	struct task *task;

	pthread_mutex_lock(&w->lock);
	task = STAILQ_FIRST(&w->finished);
	if (task != NULL)
		STAILQ_REMOVE_HEAD(&w->finished, entry);
	pthread_mutex_unlock(&w->lock);
	return task;
}
