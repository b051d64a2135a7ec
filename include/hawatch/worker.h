/*
 * The one thread for what waits for a disk: fsync and its relatives. The loop
 * hands it a job and goes on; the result comes back as an event of the loop.
 */
#ifndef HAWATCH_WORKER_H
#define HAWATCH_WORKER_H

struct loop;
struct worker;

struct worker *worker_new(struct loop *loop);
/* Waits for the job that runs, drops the others without their done. */
void worker_free(struct worker *w);

/* work runs in the thread, in order of submission; done runs on the loop. Both
 * get arg; work must touch nothing else that the loop touches. */
void worker_submit(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void *arg);
/* The same for an arg that nobody else frees: drop gets it when worker_free
 * drops the job, in place of done. */
void worker_submit_own(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void (*drop)(void *arg), void *arg);

#endif
