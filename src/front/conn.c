/*
 * The life of one connection: bytes in, one request at a time, answer out
 * (conn_answer.c), the next one. What the request means is the listener's
 * handler's business. A connection is freed by its own events, its lateness,
 * or to make room; never by a handler.
 */
#include "front/conn.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	if (ssl != NULL)
		tls_claimed(ssl, c->claimed);
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
	l->operators -= c->is_operator;
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

	if (c->state == CONN_STREAM_OUT && !c->last) {
		conn_enter(c, CONN_STREAM);
		return;
	}
	if (c->state != CONN_WRITING && c->state != CONN_STREAM_OUT)
		return;
	conn_sent(c);
	conn_next(c);
}

/* The certificate was verified; true when it is a node's or an operator's. */
static bool
conn_greet(struct conn *c)
{
	c->peer = tls_peer(c->ssl, &c->on->front->conf, &c->is_operator);
	if (c->peer == NULL)
		return false;
	conn_enter(c, CONN_IDLE);
	if (!c->is_operator || control_greet(c))
		conn_next(c);
	return true;
}

/* The kernel would throw the last words away with what was not read. */
static void
conn_drain(struct conn *c)
{
	char buf[4096];
	int i;

	for (i = 0; i < 8; i++)
		if (recv(bufferevent_getfd(c->bev), buf, sizeof(buf),
			MSG_DONTWAIT) <= 0)
			break;
}

/* The other end is gone, or the connection is broken. */
static void
conn_lost(struct conn *c)
{
	struct link *link = c->on->front->link;
	char why[128];

	if (c->state == CONN_HANDSHAKE)
		conn_drain(c);
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
conn_slow(struct conn *c)
{
	link_refused(c->on->front->link, REFUSAL_SLOW, c->address, "reader");
	conn_abort(c);
	conn_free(c);
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
	case CONN_STREAM_OUT:
		conn_slow(c);
		return;
	case CONN_STREAM:
	case CONN_LINGER:
	case CONN_IDLE:
	case CONN_STATES:
		break;
	}
	conn_free(c);
}
