/*
 * The event loop: one per process, passed, never global. Callbacks record;
 * the function given to loop_run decides, once after each round of callbacks.
 * Only src/loop/ and src/front/ include libevent.
 */
#ifndef HAWATCH_LOOP_H
#define HAWATCH_LOOP_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct event_base;
struct loop;
struct timer;
struct watch;

/* Also makes the process ignore SIGPIPE. */
struct loop *loop_new(struct error *err) MUST_CHECK;
void loop_free(struct loop *loop);
struct event_base *loop_base(struct loop *loop);

/* Runs until loop_stop. turn is called after every round of callbacks, and
 * may be NULL. Then what was handed to loop_reap is freed. */
void loop_run(struct loop *loop, void (*turn)(void *arg, const struct now *now),
    void *arg);
void loop_stop(struct loop *loop);
/* Makes the loop turn once more without waiting. */
void loop_wake(struct loop *loop);
/* Calls fn(arg) after the last callback and the turn of this round. */
void loop_reap(struct loop *loop, void (*fn)(void *arg), void *arg);

/* The clocks now: reads them anew at every call. suspended is exact to 50 us:
 * compare it with a tolerance. */
struct now clock_now(void);

/* One-shot timers. An object owns its timer; its callback may free it.
 * USEC_NEVER disarms. They run on CLOCK_MONOTONIC, which a time daemon may
 * slew: a timer only wakes, the clock decides. */
struct timer *timer_new(struct loop *loop, void (*cb)(void *arg), void *arg);
void timer_free(struct timer *t);
void timer_arm(struct timer *t, usec_t after);
void timer_disarm(struct timer *t);
bool timer_armed(const struct timer *t);

/* A file descriptor that a library or the caller owns; never closed here. */
#define WATCH_READ 1
#define WATCH_WRITE 2
struct watch *watch_new(struct loop *loop, int fd, int what,
    void (*cb)(void *arg, int what), void *arg);
void watch_free(struct watch *w);
/* Changes what is waited for: WATCH_READ, WATCH_WRITE, both, or 0. */
void watch_set(struct watch *w, int what);

/* Signals, delivered on the loop. */
struct sigwatch *sigwatch_new(
    struct loop *loop, int signo, void (*cb)(void *arg, int signo), void *arg);
void sigwatch_free(struct sigwatch *s);

#endif
