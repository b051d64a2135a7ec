/*
 * Bytes out and in, over whichever way was opened, within one limit.
 */
#include "hactl/way.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAY_TICK (100 * USEC_MSEC)

/* Of the question that is being asked; one at a time is. */
static struct {
	void (*tick)(void *arg, bool over);
	void *arg;
} way_waiting;

void
ask_tick(void (*tick)(void *arg, bool over), void *arg)
{
	way_waiting.tick = tick;
	way_waiting.arg = arg;
}

void
ask_tick_over(void)
{
	if (way_waiting.tick != NULL)
		way_waiting.tick(way_waiting.arg, true);
}

int
way_wait(int fd, short what, usec_t until, struct error *err)
{
	struct pollfd pfd = { .fd = fd, .events = what };
	usec_t left = until - ask_now();
	int ready;

	if (left <= 0)
		return error_set(err, ERR_TIMEOUT, "no answer in time");
	if (way_waiting.tick != NULL && left > WAY_TICK)
		left = WAY_TICK;
	ready = poll(&pfd, 1, (int)(left / USEC_MSEC) + 1);
	if (ready == -1 && errno != EINTR)
		return error_sys(err, "poll");
	if (ready == 0 && way_waiting.tick != NULL)
		way_waiting.tick(way_waiting.arg, false);
	return 0;
}

/* Bytes that went; -1 wait for *what, -2 err. */
static ssize_t
way_put(
    struct way *w, const char *data, size_t len, short *what, struct error *err)
{
	ssize_t n;

	if (w->ssl != NULL)
		return remote_tls_send(w, data, len, what, err);
	*what = POLLOUT;
	n = send(w->fd, data, len, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		error_sys(err, "send");
		return -2;
	}
	return n;
}

static ssize_t
way_get(struct way *w, char *buf, size_t size, short *what, struct error *err)
{
	ssize_t n;

	if (w->ssl != NULL)
		return remote_tls_recv(w, buf, size, what, err);
	*what = POLLIN;
	n = recv(w->fd, buf, size, 0);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		error_sys(err, "recv");
		return -2;
	}
	return n;
}

int
way_send(struct way *w, const char *data, size_t len, usec_t until,
    struct error *err)
{
	size_t done = 0;
	ssize_t n;
	short what;

	while (done < len) {
		n = way_put(w, data + done, len - done, &what, err);
		if (n == 0)
			return error_set(
			    err, ERR_PROTOCOL, "it closed the connection");
		if (n > 0)
			done += (size_t)n;
		else if (n == -2 || way_wait(w->fd, what, until, err) == -1)
			return -1;
	}
	return 0;
}

ssize_t
way_recv(struct way *w, char *buf, size_t size, usec_t until, struct error *err)
{
	ssize_t n;
	short what;

	while ((n = way_get(w, buf, size, &what, err)) == -1)
		if (way_wait(w->fd, what, until, err) == -1)
			return -1;
	return n == -2 ? -1 : n;
}

void
way_close(struct way *w)
{
	remote_tls_close(w->ssl);
	w->ssl = NULL;
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}
