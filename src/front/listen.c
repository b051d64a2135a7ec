/*
 * Listening sockets: binding, accepting a few at a time, and the sweep that
 * ends what is late. Who gives way when there is no room is decided in room.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/conn.h"
#include "front/frame.h"
#include "hawatch/clock.h"
#include "hawatch/mem.h"

/* So many connections are taken before other events get their turn. */
#define LISTEN_BATCH 16
#define LISTEN_BACKLOG 1024
/* After so many connections at once, what they held goes back. */
#define LISTEN_FLOOD 128
#define LISTEN_TICK (50 * USEC_MSEC)

static const usec_t listener_limits[CONN_STATES] = {
	[CONN_LINGER] = 1 * USEC_SEC,
	[CONN_IDLE] = 0, /* configured */
	[CONN_HANDSHAKE] = 3 * USEC_SEC,
	[CONN_READING] = 3 * USEC_SEC,
	[CONN_WAITING] = 5 * USEC_SEC,
	[CONN_WRITING] = 5 * USEC_SEC,
	/* The engine ends every order; who is gone is found by the kernel. */
	[CONN_STREAM] = 24 * 3600 * USEC_SEC,
	[CONN_STREAM_OUT] = 30 * USEC_SEC,
};

static const struct timeval listener_pause = { .tv_usec = 100000 };

static void listener_accept_cb(evutil_socket_t fd, short what, void *arg);
static void listener_resume_cb(evutil_socket_t fd, short what, void *arg);
static void listener_sweep_cb(evutil_socket_t fd, short what, void *arg);

usec_t
front_raw(void)
{
	return clock_read(CLOCK_MONOTONIC_RAW);
}

static int
listener_sockaddr(const struct listener_spec *spec, bool any6,
    struct sockaddr_storage *ss, socklen_t *len, struct error *err)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (any6 || strchr(spec->address, ':') != NULL) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)spec->port);
		*len = sizeof(*in6);
		if (any6 ||
		    inet_pton(AF_INET6, spec->address, &in6->sin6_addr) == 1)
			return 0;
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)spec->port);
		*len = sizeof(*in);
		if (spec->address[0] == '\0' ||
		    inet_pton(AF_INET, spec->address, &in->sin_addr) == 1)
			return 0;
	}
	return error_set(
	    err, ERR_CONFIG, "\"%s\" is not an address", spec->address);
}

static int
listener_bind(const struct listener_spec *spec, bool any6, struct error *err)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, on = 1, off = 0;

	if (listener_sockaddr(spec, any6, &ss, &len, err) == -1)
		return -1;
	fd =
	    socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return error_sys(err, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    (any6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
			 sizeof(off)) == -1) ||
	    bind(fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, LISTEN_BACKLOG) == -1) {
		error_sys(err, "listen on %s port %d",
		    spec->address[0] == '\0' ? "every address" : spec->address,
		    spec->port);
		close(fd);
		return -1;
	}
	return fd;
}

struct listener *
listener_open(
    struct front *f, const struct listener_spec *spec, struct error *err)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	int i;

	l->front = f;
	l->spec = *spec;
	l->sweep_at = USEC_NEVER;
	for (i = 0; i < CONN_STATES; i++) {
		TAILQ_INIT(&l->list[i]);
		l->limit[i] = listener_limits[i];
	}
	l->limit[CONN_IDLE] = spec->idle;
	l->fd = -1;
	l->fd = listener_bind(spec, spec->address[0] == '\0', err);
	/* A kernel without IPv6 is no reason not to answer by IPv4. */
	if (l->fd == -1 && spec->address[0] == '\0' &&
	    (err->sys == EAFNOSUPPORT || err->sys == EADDRNOTAVAIL))
		l->fd = listener_bind(spec, false, err);
	if (l->fd == -1) {
		listener_free(l);
		return NULL;
	}
	return l;
}

void
listener_start(struct listener *l)
{
	struct event_base *base = l->front->base;

	l->accept =
	    event_new(base, l->fd, EV_READ | EV_PERSIST, listener_accept_cb, l);
	l->resume = event_new(base, -1, 0, listener_resume_cb, l);
	l->sweep = event_new(base, -1, 0, listener_sweep_cb, l);
	if (l->accept == NULL || l->resume == NULL || l->sweep == NULL)
		abort();
	event_priority_set(l->accept, l->spec.priority);
	event_priority_set(l->sweep, 0);
	event_add(l->accept, NULL);
}

void
listener_free(struct listener *l)
{
	int i;

	if (l == NULL)
		return;
	for (i = 0; i < CONN_STATES; i++)
		while (!TAILQ_EMPTY(&l->list[i]))
			conn_free(TAILQ_FIRST(&l->list[i]));
	if (l->accept != NULL)
		event_free(l->accept);
	if (l->resume != NULL)
		event_free(l->resume);
	if (l->sweep != NULL)
		event_free(l->sweep);
	if (l->fd != -1)
		close(l->fd);
	SSL_CTX_free(l->spec.tls);
	free(l);
}

static void
listener_address(const struct sockaddr_storage *ss, char *buf, socklen_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	const void *addr = &in->sin_addr;
	int family = ss->ss_family;

	if (family == AF_INET6) {
		addr = &in6->sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			addr = &in6->sin6_addr.s6_addr[12];
			family = AF_INET;
		}
	}
	if (inet_ntop(family, addr, buf, size) == NULL)
		buf[0] = '\0';
}

static bool
listener_known(const struct listener *l, const char *address)
{
	const struct front_conf *conf = &l->front->conf;
	int i;

	for (i = 0; i < conf->node_count; i++)
		if (strcmp(conf->node[i].address, address) == 0)
			return true;
	return false;
}

/* One connection; false: there is none, or none can be taken now. */
static bool
listener_accept(struct listener *l)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char address[INET6_ADDRSTRLEN];
	bool known;
	int fd;

	fd = accept4(
	    l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == ECONNABORTED || errno == EINTR)
			return true;
		if (errno != EAGAIN) {
			/* No descriptor or memory: trying again at once would
			 * only burn time. */
			event_del(l->accept);
			event_add(l->resume, &listener_pause);
		}
		return false;
	}
	listener_address(&ss, address, sizeof(address));
	known = l->spec.tls != NULL && listener_known(l, address);
	if (room_make(l, known)) {
		conn_new(l, fd, address, known);
		return true;
	}
	link_refused(l->front->link, REFUSAL_FULL, address,
	    l->spec.tls == NULL ? "health port" : "peer port");
	close(fd);
	return true;
}

static void
listener_accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	int i;

	for (i = 0; i < LISTEN_BATCH; i++)
		if (!listener_accept(l))
			break;
}

static void
listener_resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	event_add(l->accept, NULL);
}

void
listener_wake(struct listener *l, usec_t at)
{
	usec_t after;
	struct timeval tv;

	if (at >= l->sweep_at)
		return;
	after = at - front_raw();
	if (after < LISTEN_TICK)
		after = LISTEN_TICK;
	tv.tv_sec = after / USEC_SEC;
	tv.tv_usec = after % USEC_SEC;
	event_add(l->sweep, &tv);
	l->sweep_at = at;
}

bool
listener_ebbed(const struct listener *l)
{
	return l->peak >= LISTEN_FLOOD && l->total <= l->peak / 8;
}

static void
listener_sweep_cb(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	usec_t now = front_raw(), next = USEC_NEVER;
	struct conn *c;
	int i;

	/* Ending one may put it into another list, never back into its own
	 * with the time that it had. */
	l->sweep_at = 0;
	for (i = 0; i < CONN_STATES; i++) {
		while ((c = TAILQ_FIRST(&l->list[i])) != NULL &&
		       c->since + l->limit[i] <= now)
			conn_late(c);
	}
	for (i = 0; i < CONN_STATES; i++) {
		c = TAILQ_FIRST(&l->list[i]);
		if (c != NULL && c->since + l->limit[i] < next)
			next = c->since + l->limit[i];
	}
	l->sweep_at = USEC_NEVER;
	listener_wake(l, next);
	/* Here, and not when the last one goes: libevent frees later. */
	if (listener_ebbed(l)) {
		l->peak = l->total;
		malloc_trim(0);
	}
}
