/*
 * Requests of the other nodes: checked for their form, given to the engine
 * with the name that the certificate proved, and answered when the engine
 * replies. An asker that is gone is forgotten; its late reply finds nobody.
 * Those of operators come by here too, and go on in control.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "front/conn.h"
#include "front/frame.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

/* One node that asks without end must leave room for the others. */
#define PEER_WAITING_MAX (FRAME_WAITING_MAX / 4)

void
peer_refuse(struct conn *c, int status, const char *error)
{
	char *body = xasprintf("{\"error\":\"%s\"}", error);

	conn_say(c, &(struct response_spec){ .status = status,
			.reason = error,
			.type = "application/json",
			.allow = status == 405 ? "POST" : NULL,
			.body = body });
	free(body);
}

static bool
peer_room(const struct conn *c)
{
	const struct conn *other;
	int mine = 0;

	if (c->on->count[CONN_WAITING] >= FRAME_WAITING_MAX)
		return false;
	TAILQ_FOREACH(other, &c->on->list[CONN_WAITING], entry)
		if (other->peer == c->peer)
			mine++;
	return mine < PEER_WAITING_MAX;
}

/* "busy" means that the engine never saw the request. */
static void
peer_forward(struct conn *c, const struct http1 *req, json_t *text)
{
	struct front *f = c->on->front;
	char path[64];
	json_t *frame = json_object();
	uint64_t id = ++f->last_id;

	memcpy(path, req->path, req->path_len);
	path[req->path_len] = '\0';
	json_put_u64(frame, "req", id);
	json_put_string(frame, "peer", c->peer);
	json_put_string(frame, "path", path);
	json_put(frame, "body", text);
	if (peer_room(c) && link_send(f->link, frame)) {
		c->request = id;
		conn_enter(c, CONN_WAITING);
	} else {
		link_refused(f->link, REFUSAL_BUSY, c->address, c->peer);
		peer_refuse(c, 503, "busy");
	}
	json_decref(frame);
}

/* Each certificate is for one of the two: a node gives no orders, and a
 * person's name promises nothing. */
static bool
peer_is_control(struct conn *c, const struct http1 *req)
{
	bool control = req->path_len == strlen(FRAME_CONTROL) &&
		       memcmp(req->path, FRAME_CONTROL, req->path_len) == 0;

	if (control == c->is_operator)
		return true;
	link_refused(c->on->front->link, REFUSAL_ROLE, c->address, c->peer);
	peer_refuse(c, 403, control ? "no-operator" : "no-node");
	return false;
}

void
peer_handle(struct conn *c, const struct http1 *req, const char *body)
{
	json_t *text;

	if (!frame_path_ok(req->path, req->path_len) || req->query != NULL) {
		peer_refuse(c, 404, "no-such-path");
		return;
	}
	if (!peer_is_control(c, req))
		return;
	if (!http1_method(req, "POST")) {
		peer_refuse(c, 405, "method");
		return;
	}
	if (!req->has_length) {
		peer_refuse(c, 411, "length-required");
		return;
	}
	/* NULL for what is no UTF-8. A NUL would be no valid frame. */
	text = json_stringn(body, (size_t)req->length);
	if (text == NULL || memchr(body, '\0', (size_t)req->length) != NULL) {
		json_decref(text);
		peer_refuse(c, 400, "not-utf8");
		return;
	}
	if (c->is_operator)
		control_forward(c, text);
	else
		peer_forward(c, req, text);
}

static struct conn *
peer_asker(struct listener *l, uint64_t id)
{
	struct conn *c;

	TAILQ_FOREACH(c, &l->list[CONN_WAITING], entry)
		if (c->request == id)
			return c;
	return NULL;
}

int
peer_reply(struct front *f, const json_t *reply, struct error *err)
{
	const char *body = json_string_value(json_object_get(reply, "body"));
	struct conn *c;
	uint64_t id;
	int status;

	if (body == NULL || strlen(body) > FRAME_REPLY_MAX)
		return error_set(err, ERR_PROTOCOL, "a reply without a body");
	if (json_want_u64(reply, "reply", &id, err) == -1 ||
	    json_want_int(reply, "status", 200, 599, &status, err) == -1)
		return error_wrap(err, "reply");
	c = peer_asker(f->peer, id);
	if (c == NULL)
		return 0;
	conn_say(c, &(struct response_spec){ .status = status,
			.reason = status < 300 ? "ok" : "refused",
			.type = "application/json",
			.body = body });
	conn_next(c);
	return 0;
}
