/*
 * Two network namespaces of the test's own, joined by a cable: "here" with
 * 10.9.0.1 and "there" with 10.9.0.2, and TCP sockets in either.
 */
#ifndef HAWATCH_TEST_NETNS_H
#define HAWATCH_TEST_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#define NETNS_HERE "10.9.0.1"
#define NETNS_THERE "10.9.0.2"

/* Leaves the process in "here". Dies when it cannot: a test must not pass
 * because it could not run. */
void netns_setup(void);
/* A command of the system; dies unless it succeeds. */
void netns_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same; how it ended, as from system(). */
int netns_try(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Listening on every address of "here" or "there". */
int netns_listen(bool there, int port);
/* Connected, or -1 with errno; took (may be NULL): microseconds. */
int netns_connect(bool there, const char *address, int port, int64_t *took);
/* Waits so long; -1 with errno ETIMEDOUT. */
int netns_accept(int fd, int ms);
/* One byte across: 0, or errno (ETIMEDOUT after ms; EPIPE at the end). */
int netns_pass(int from, int to, int ms);
int netns_wait_error(int fd, int ms, int64_t *took);
int64_t netns_usec(void);
/* Waits that long, for what has to run out by itself. */
void netns_until(int64_t usec);

#endif
