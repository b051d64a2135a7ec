/*
 * What goes out on a connection: an answer, whole and as soon as the socket
 * takes it, and what becomes of the connection then.
 */
#include "front/conn.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

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

void
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
