/*
 * Requests of operators from other hosts: given to the engine with the name
 * that the certificate proved, and answered line by line as the engine says
 * them, until its last. What they mean is the engine's business alone.
 */
#include <event2/buffer.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "front/conn.h"
#include "front/frame.h"
#include "hawatch/json.h"

/* Their own places, so that they take none of the nodes'. */
#define CONTROL_OPERATORS 16
#define CONTROL_OF_ONE 8 /* of these, so that nobody takes them all */
/* More than any one answer of the engine. */
#define CONTROL_WAITING_MAX ((size_t)1024 * 1024)

/* A laptop that was closed ends no connection; an order may take long. */
static void
control_watch(struct conn *c)
{
	static const struct {
		int level, name, value;
	} table[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 15 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
	};
	int fd = bufferevent_getfd(c->bev);
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		(void)setsockopt(fd, table[i].level, table[i].name,
		    &table[i].value, sizeof(table[i].value));
}

/* Connections of that operator, this one among them. */
static int
control_of(const struct conn *c)
{
	const struct conn *other;
	int state, n = 0;

	for (state = 0; state < CONN_STATES; state++)
		TAILQ_FOREACH(other, &c->on->list[state], entry)
			n += other->is_operator && other->peer == c->peer;
	return n;
}

bool
control_greet(struct conn *c)
{
	struct listener *l = c->on;

	control_watch(c);
	if (++l->operators <= CONTROL_OPERATORS &&
	    control_of(c) <= CONTROL_OF_ONE)
		return true;
	link_refused(l->front->link, REFUSAL_OPERATORS, c->address, c->peer);
	conn_refuse(c, 503, "too-many-operators");
	return false;
}

void
control_forward(struct conn *c, json_t *text)
{
	struct front *f = c->on->front;
	json_t *frame = json_object();
	uint64_t id = ++f->last_id;

	json_put_u64(frame, "req", id);
	json_put_string(frame, "peer", c->peer);
	json_put_string(frame, "path", FRAME_CONTROL);
	json_put(frame, "body", text);
	if (!link_crowded(f->link) && link_send(f->link, frame)) {
		c->request = id;
		c->close = true;
		conn_enter(c, CONN_STREAM);
	} else {
		link_refused(f->link, REFUSAL_BUSY, c->address, c->peer);
		peer_refuse(c, 503, "busy");
	}
	json_decref(frame);
}

static struct conn *
control_asker(struct listener *l, uint64_t id)
{
	static const enum conn_state states[] = { CONN_STREAM,
		CONN_STREAM_OUT };
	struct conn *c;
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		TAILQ_FOREACH(c, &l->list[states[i]], entry)
			if (c->request == id && !c->last)
				return c;
	return NULL;
}

/* A part of an answer without a length; the last one ends it. May free c. */
static void
control_part(struct conn *c, const char *text, size_t len, bool last)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (evbuffer_get_length(out) + len > CONTROL_WAITING_MAX) {
		conn_slow(c);
		return;
	}
	c->begun = true;
	c->last = last;
	if (evbuffer_add(out, text, len) == -1)
		abort();
	if (c->state == CONN_STREAM)
		conn_enter(c, CONN_STREAM_OUT);
}

/* The end of the answer is the end of the connection: its length is not known
 * when it begins. */
int
control_line(struct front *f, const json_t *line, struct error *err)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: application/x-ndjson\r\n"
				   "Cache-Control: no-store\r\n"
				   "Connection: close\r\n\r\n";
	const char *text = json_string_value(json_object_get(line, "text"));
	struct conn *c;
	uint64_t id;
	bool last;

	if (text == NULL || strlen(text) > FRAME_PART_MAX)
		return error_set(err, ERR_PROTOCOL, "a line without a text");
	if (json_want_u64(line, "line", &id, err) == -1 ||
	    json_want_bool(line, "last", &last, err) == -1)
		return error_wrap(err, "line");
	c = control_asker(f->peer, id);
	if (c == NULL)
		return 0;
	if (!c->begun)
		control_part(c, head, sizeof(head) - 1, false);
	/* Nothing was waiting, so the head found room. */
	control_part(c, text, strlen(text), last);
	return 0;
}
