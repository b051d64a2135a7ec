/*
 * The life of one connection: bytes in, one request at a time, answer out,
 * the next one. What the request means is the listener's handler's business.
 * A connection is freed by its own events, its lateness, or to make room;
 * never by a handler.
 */
#include "front/conn.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

static void conn_read_cb(struct bufferevent *bev, void *arg);
static void conn_write_cb(struct bufferevent *bev, void *arg);
static void conn_event_cb(struct bufferevent *bev, short what, void *arg);

static struct bufferevent *
conn_bev(struct listener *l, int fd, SSL **ssl)
{
	struct event_base *base = l->front->base;

	if (l->spec.tls == NULL)
		return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	*ssl = SSL_new(l->spec.tls);
	if (*ssl == NULL)
		return NULL;
	return bufferevent_openssl_socket_new(
	    base, fd, *ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

void
conn_new(struct listener *l, int fd, const char *address, bool known)
{
	SSL *ssl = NULL;
	struct bufferevent *bev = conn_bev(l, fd, &ssl);
	struct conn *c;

	if (bev == NULL) {
		SSL_free(ssl);
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->on = l;
	c->bev = bev;
	c->ssl = ssl;
	c->known = known;
	str_cut(c->address, sizeof(c->address), address);
	c->state = ssl == NULL ? CONN_IDLE : CONN_HANDSHAKE;
	c->since = front_raw();
	TAILQ_INSERT_TAIL(&l->list[c->state], c, entry);
	l->count[c->state]++;
	l->total++;
	if (l->total > l->peak)
		l->peak = l->total;
	listener_wake(l, c->since + l->limit[c->state]);
	if (ssl != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	(void)bufferevent_priority_set(bev, l->spec.priority);
	bufferevent_setcb(bev, conn_read_cb, conn_write_cb, conn_event_cb, c);
	/* One byte more than is allowed, so that too much can be seen. */
	bufferevent_setwatermark(
	    bev, EV_READ, 0, HTTP1_HEAD_MAX + l->spec.body_max + 1);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void
conn_free(struct conn *c)
{
	struct listener *l = c->on;

	TAILQ_REMOVE(&l->list[c->state], c, entry);
	l->count[c->state]--;
	l->total--;
	bufferevent_free(c->bev);
	free(c);
	if (listener_ebbed(l))
		listener_wake(l, front_raw() + USEC_SEC);
}

void
conn_enter(struct conn *c, enum conn_state state)
{
	struct listener *l = c->on;

	TAILQ_REMOVE(&l->list[c->state], c, entry);
	l->count[c->state]--;
	c->state = state;
	c->since = front_raw();
	TAILQ_INSERT_TAIL(&l->list[state], c, entry);
	l->count[state]++;
	listener_wake(l, c->since + l->limit[state]);
}

/* Lets the other end read the last answer: closing with unread input would
 * make the kernel throw the answer away. */
static void
conn_linger(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->ssl != NULL)
		(void)SSL_shutdown(c->ssl);
	(void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	evbuffer_drain(in, evbuffer_get_length(in));
	conn_enter(c, CONN_LINGER);
}

static void
conn_sent(struct conn *c)
{
	if (c->close)
		conn_linger(c);
	else
		conn_enter(c, CONN_IDLE);
}

/* What the plain socket takes at once; an error shows at the next event. */
static size_t
conn_send_now(struct conn *c, struct iovec *iov, size_t n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t sent;

	if (c->ssl != NULL)
		return 0;
	sent = sendmsg(bufferevent_getfd(c->bev), &msg, MSG_NOSIGNAL);
	return sent < 0 ? 0 : (size_t)sent;
}

static void
conn_write(struct conn *c, struct iovec *iov, size_t n)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t sent = conn_send_now(c, iov, n), i;

	for (i = 0; i < n; i++) {
		if (sent >= iov[i].iov_len) {
			sent -= iov[i].iov_len;
			continue;
		}
		if (evbuffer_add(out, (char *)iov[i].iov_base + sent,
			iov[i].iov_len - sent) == -1)
			abort();
		sent = 0;
	}
	if (evbuffer_get_length(out) == 0)
		conn_sent(c);
	else
		conn_enter(c, CONN_WRITING);
}

void
conn_answer(struct conn *c, const struct response *a)
{
	static char closing[] = "Connection: close\r\n\r\n";
	size_t len = c->head_only ? a->head : a->len;
	struct iovec iov[3] = { { a->buf, len } };

	if (!c->close) {
		conn_write(c, iov, 1);
		return;
	}
	iov[0].iov_len = a->head - 2;
	iov[1] = (struct iovec){ closing, sizeof(closing) - 1 };
	iov[2] = (struct iovec){ a->buf + a->head, len - a->head };
	conn_write(c, iov, 3);
}

void
conn_say(struct conn *c, const struct response_spec *spec)
{
	struct response a = { 0 };

	response_make(&a, spec);
	conn_answer(c, &a);
	response_fini(&a);
}

void
conn_refuse(struct conn *c, int status, const char *reason)
{
	struct response_spec spec = { .status = status, .reason = reason };

	c->close = true;
	c->head_only = false;
	conn_say(c, &spec);
}

static void
conn_bad(struct conn *c, int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{ 413, "body-too-large" },
		{ 417, "no-expectations" },
		{ 431, "head-too-large" },
		{ 501, "no-transfer-coding" },
		{ 505, "http-version" },
	};
	const char *reason = "malformed";
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			reason = table[i].reason;
	link_refused(c->on->front->link, REFUSAL_REQUEST, c->address, reason);
	conn_refuse(c, status, reason);
}

/* One request, when it is whole. False: nothing more to do now. */
static bool
conn_request(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t have = evbuffer_get_length(in);
	size_t look = have < HTTP1_HEAD_MAX ? have : HTTP1_HEAD_MAX;
	size_t max = c->on->spec.body_max;
	struct http1 req;
	const char *buf;
	size_t all;
	int rc, status;

	if (have == 0)
		return false;
	buf = (const char *)evbuffer_pullup(in, (ev_ssize_t)look);
	rc = http1_parse(buf, look, &req, &status);
	if (rc == 1 && req.length > max && max > 0) {
		rc = -1;
		status = 413;
	}
	if (rc == -1) {
		conn_bad(c, status);
		return false;
	}
	/* A port without bodies never waits for one: it answers the head and
	 * closes. */
	if (req.length > max) {
		req.keep = false;
		req.length = 0;
	}
	if (rc == 0 || have < req.head + req.length) {
		if (c->state == CONN_IDLE)
			conn_enter(c, CONN_READING);
		return false;
	}
	all = req.head + (size_t)req.length;
	if (all > look) {
		/* Moves the bytes that req points to. */
		buf = (const char *)evbuffer_pullup(in, (ev_ssize_t)all);
		if (http1_parse(buf, look, &req, &status) != 1)
			abort();
	}
	c->close = !req.keep;
	c->head_only = http1_method(&req, "HEAD");
	c->on->spec.handle(c, &req, buf + req.head);
	evbuffer_drain(in, all);
	return true;
}

void
conn_next(struct conn *c)
{
	while (c->state == CONN_IDLE || c->state == CONN_READING)
		if (!conn_request(c))
			break;
}

static void
conn_read_cb(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (c->state == CONN_LINGER)
		evbuffer_drain(in, evbuffer_get_length(in));
	else
		conn_next(c);
}

static void
conn_write_cb(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (c->state != CONN_WRITING)
		return;
	conn_sent(c);
	conn_next(c);
}

/* The certificate was verified; true when it is a node's. */
static bool
conn_greet(struct conn *c)
{
	c->peer = tls_peer(c->ssl, &c->on->front->conf);
	if (c->peer == NULL)
		return false;
	conn_enter(c, CONN_IDLE);
	conn_next(c);
	return true;
}

/* The other end is gone, or the connection is broken. */
static void
conn_lost(struct conn *c)
{
	struct link *link = c->on->front->link;
	char why[128];

	if (c->state == CONN_HANDSHAKE)
		link_refused(link,
		    tls_foreign(c->ssl) ? REFUSAL_NAME : REFUSAL_TLS,
		    c->address,
		    tls_reason(c->ssl, bufferevent_get_openssl_error(c->bev),
			why, sizeof(why)));
	else if (c->state == CONN_READING)
		link_refused(link, REFUSAL_REQUEST, c->address, "truncated");
	conn_free(c);
}

static void
conn_event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	if (what & BEV_EVENT_CONNECTED) {
		if (!conn_greet(c))
			conn_lost(c);
		return;
	}
	if ((what & BEV_EVENT_EOF) && c->state == CONN_WRITING) {
		/* It shut down its own half and still reads. */
		c->close = true;
		return;
	}
	conn_lost(c);
}

/* Closing must also free what the kernel still wants to send. */
static void
conn_abort(struct conn *c)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &now,
	    sizeof(now));
}

void
conn_late(struct conn *c)
{
	struct link *link = c->on->front->link;

	switch (c->state) {
	case CONN_READING:
		link_refused(link, REFUSAL_SLOW, c->address, "request");
		conn_refuse(c, 408, "request-late");
		return;
	case CONN_WAITING:
		link_refused(link, REFUSAL_SILENT, c->address, "engine-silent");
		conn_say(c, &(struct response_spec){ .status = 503,
				.reason = "engine-silent",
				.type = "application/json",
				.body = "{\"error\":\"engine-silent\"}" });
		conn_next(c);
		return;
	case CONN_HANDSHAKE:
		link_refused(link, REFUSAL_HANDSHAKE, c->address, "late");
		break;
	case CONN_WRITING:
		link_refused(link, REFUSAL_SLOW, c->address, "reader");
		conn_abort(c);
		break;
	case CONN_LINGER:
	case CONN_IDLE:
	case CONN_STATES:
		break;
	}
	conn_free(c);
}
