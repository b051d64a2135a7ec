/*
 * Frames to and from hawatch-front. Out: the configuration, then always the
 * newest snapshot and the replies, in turn; what is not taken waits here,
 * bounded. In: requests of peers, checked again, and refusals to be logged.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/frontlink.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define FRONTLINK_REPLIES_MAX ((size_t)FRAME_WAITING_MAX * 4096)
#define FRONTLINK_LOGS 20 /* lines a second */

static void
frontlink_forget(struct frontlink_replies *list)
{
	struct frontlink_reply *r;

	while ((r = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		free(r->frame);
		free(r);
	}
}

void
frontlink_reset(struct frontlink *l)
{
	frontlink_forget(&l->replies);
	frontlink_forget(&l->lines);
	l->replies_bytes = l->lines_bytes = 0;
	free(l->out);
	l->out = NULL;
	l->snap_sent = false;
	l->doc_sent = false;
	l->ready = false;
	frame_in_fini(&l->in);
}

void
frontlink_config(struct frontlink *l)
{
	const struct conf *conf = l->conf;
	const struct conf_node *node;
	json_t *frame = json_object(), *o = json_object();
	json_t *nodes = json_array(), *operators = json_array(), *n;
	int i;

	json_put_string(o, "cluster", conf->cluster);
	json_put_string(o, "self", conf->node[conf->self].name);
	json_put_string(o, "ping_body", conf->ping_body);
	json_put_string(o, "health_address", conf->health_address);
	json_put_i64(o, "health_port", conf->health_port);
	json_put_string(o, "peer_address", conf->node[conf->self].address);
	json_put_i64(o, "peer_port", conf->peer_port);
	json_put_string(o, "ca", conf->ca);
	json_put_string(o, "cert", conf->cert);
	json_put_string(o, "key", conf->key);
	json_put_i64(o, "uid", (int64_t)l->uid);
	json_put_i64(o, "gid", (int64_t)l->gid);
	json_put_i64(o, "connections_max", conf->connections_max);
	json_put_i64(o, "idle", conf->idle_timeout);
	json_put_i64(o, "generation", l->generation);
	for (i = 0; i < conf->node_count; i++) {
		node = &conf->node[i];
		n = json_object();
		json_put_string(n, "name", node->name);
		json_put_string(n, "address", node->address);
		json_array_append_new(nodes, n);
	}
	json_put(o, "nodes", nodes);
	for (i = 0; i < conf->operator_count; i++)
		json_array_append_new(
		    operators, json_string(conf->operator[i].name));
	json_put(o, "operators", operators);
	json_put(frame, "config", o);
	l->out = frame_pack(frame, &l->out_len);
	l->out_at = 0;
	json_decref(frame);
	if (l->out == NULL)
		abort();
	frontlink_flush(l);
}

static void
frontlink_take(
    struct frontlink *l, struct frontlink_replies *list, size_t *bytes)
{
	struct frontlink_reply *r = STAILQ_FIRST(list);

	STAILQ_REMOVE_HEAD(list, entry);
	l->out = r->frame;
	l->out_len = r->len;
	*bytes -= r->len;
	free(r);
}

/* The next frame, if there is one; a stream of snapshots starves no reply.
 * What people read comes last. */
static bool
frontlink_next(struct frontlink *l)
{
	struct frontlink_reply *r = STAILQ_FIRST(&l->replies);

	if (!l->ready)
		return false;
	/* Before the snapshot that vouches for it. */
	if (l->doc != NULL && !l->doc_sent && (r == NULL || !l->snap_last)) {
		l->out = xmemdup(l->doc, l->doc_len);
		l->out_len = l->doc_len;
		l->doc_sent = true;
	} else if (l->snap != NULL && !l->snap_sent &&
		   (r == NULL || !l->snap_last)) {
		l->out = xmemdup(l->snap, l->snap_len);
		l->out_len = l->snap_len;
		l->snap_sent = l->snap_last = true;
	} else if (r != NULL) {
		frontlink_take(l, &l->replies, &l->replies_bytes);
		l->snap_last = false;
	} else if (!STAILQ_EMPTY(&l->lines)) {
		frontlink_take(l, &l->lines, &l->lines_bytes);
	} else {
		return false;
	}
	l->out_at = 0;
	return true;
}

void
frontlink_flush(struct frontlink *l)
{
	ssize_t n;

	while (l->link != NULL && (l->out != NULL || frontlink_next(l))) {
		n = send(l->proc.fd, l->out + l->out_at, l->out_len - l->out_at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			watch_set(l->link, WATCH_READ | WATCH_WRITE);
			if (l->ready && !timer_armed(l->stall))
				timer_arm(l->stall, FRONTLINK_STALL);
			return;
		}
		if (n == -1) {
			/* Its end is seen, with the reason, at the pidfd. */
			watch_set(l->link, WATCH_READ);
			return;
		}
		l->out_at += (size_t)n;
		l->sent += (uint64_t)n;
		if (l->ready)
			timer_disarm(l->stall);
		if (l->out_at == l->out_len) {
			free(l->out);
			l->out = NULL;
		}
	}
	if (l->link != NULL)
		watch_set(l->link, WATCH_READ);
}

/* It is long, and the same in most snapshots: sent when it is new. */
static void
frontlink_document(struct frontlink *l, const char *text)
{
	json_t *frame;

	if (l->doc_text != NULL && strcmp(l->doc_text, text) == 0)
		return;
	frame = json_object();
	json_put_string(frame, "doc", text);
	free(l->doc);
	l->doc = frame_pack(frame, &l->doc_len);
	if (l->doc == NULL) {
		/* The rest matters more than a document of this length. */
		json_put_string(frame, "doc", "{\"error\":\"too long\"}");
		l->doc = frame_pack(frame, &l->doc_len);
	}
	json_decref(frame);
	if (l->doc == NULL)
		abort();
	free(l->doc_text);
	l->doc_text = xstrdup(text);
	l->doc_sent = false;
}

void
frontlink_publish(struct frontlink *l, const struct snapshot *snap)
{
	json_t *frame = json_object(), *o = json_object();
	char *bytes;
	size_t len;

	json_put_i64(o, "fresh", snap->fresh_until);
	json_put_i64(o, "primary", snap->primary_until);
	json_put_i64(o, "standby", snap->standby_until);
	json_put_i64(
	    o, "lag", snap->lag > INT64_MAX ? INT64_MAX : (int64_t)snap->lag);
	json_put_bool(o, "healthy", snap->healthy);
	json_put_string(o, "reasons", snap->reasons);
	if (snap->unready != NULL) {
		json_put_bool(o, "ready", snap->unready[0] == '\0');
		json_put_string(o, "unready", snap->unready);
	}
	json_put(frame, "snap", o);
	frontlink_document(l, snap->status);
	bytes = frame_pack(frame, &len);
	json_decref(frame);
	if (bytes == NULL)
		abort();
	free(l->snap);
	l->snap = bytes;
	l->snap_len = len;
	l->snap_sent = false;
	frontlink_flush(l);
}

void
frontlink_queue(struct frontlink_replies *list, size_t *bytes, json_t *frame)
{
	struct frontlink_reply *r = xcalloc(1, sizeof(*r));

	r->frame = frame_pack(frame, &r->len);
	json_decref(frame);
	if (r->frame == NULL)
		abort();
	STAILQ_INSERT_TAIL(list, r, entry);
	*bytes += r->len;
}

bool
frontlink_asked(const struct frontlink *l, uint64_t id)
{
	return l->ready && (int64_t)(id >> FRAME_ID_BITS) == l->generation &&
	       id <= l->last_id;
}

void
frontlink_reply(struct frontlink *l, uint64_t id, int status, const char *json)
{
	json_t *frame;

	if (!frontlink_asked(l, id) || l->replies_bytes > FRONTLINK_REPLIES_MAX)
		return;
	if (strlen(json) > FRAME_REPLY_MAX) {
		status = 500;
		json = "{\"error\":\"too-long\"}";
	}
	frame = json_object();
	json_put_u64(frame, "reply", id);
	json_put_i64(frame, "status", status);
	json_put_string(frame, "body", json);
	frontlink_queue(&l->replies, &l->replies_bytes, frame);
	frontlink_flush(l);
}

static bool
frontlink_node(const struct frontlink *l, const char *name)
{
	int i;

	for (i = 0; i < l->conf->node_count; i++)
		if (strcmp(l->conf->node[i].name, name) == 0)
			return true;
	return false;
}

/* Who a certificate may name depends on what is asked. */
static bool
frontlink_known(const struct frontlink *l, const char *path, const char *name)
{
	int i;

	if (strcmp(path, FRAME_CONTROL) != 0)
		return frontlink_node(l, name);
	for (i = 0; i < l->conf->operator_count; i++)
		if (strcmp(l->conf->operator[i].name, name) == 0)
			return true;
	return false;
}

static int
frontlink_request(struct frontlink *l, const json_t *frame, struct error *err)
{
	const json_t *body = json_object_get(frame, "body");
	char peer[NODE_NAME_MAX], path[64];
	struct front_request req = { .peer = peer, .path = path };

	if (json_want_u64(frame, "req", &req.id, err) == -1 ||
	    json_want_string(frame, "peer", peer, sizeof(peer), err) == -1 ||
	    json_want_string(frame, "path", path, sizeof(path), err) == -1)
		return -1;
	req.body = json_string_value(body);
	req.len = json_string_length(body);
	if (req.body == NULL || req.len > FRAME_BODY_MAX ||
	    !frame_path_ok(path, strlen(path)) ||
	    !frontlink_known(l, path, peer))
		return error_set(err, ERR_PROTOCOL, "request of a bad form");
	if (req.id <= l->last_id ||
	    (int64_t)(req.id >> FRAME_ID_BITS) != l->generation)
		return error_set(err, ERR_PROTOCOL, "request id used again");
	l->last_id = req.id;
	l->fn(l->arg, &req);
	return 0;
}

/* A front that somebody took over must not fill the log. */
static int
frontlink_log(struct frontlink *l, const json_t *o, struct error *err)
{
	usec_t now = clock_now().raw;
	char what[32], text[80], address[64], reason[160];
	int64_t count;

	if (json_want_string(o, "what", what, sizeof(what), err) == -1 ||
	    json_want_string(o, "text", text, sizeof(text), err) == -1 ||
	    json_want_string(o, "address", address, sizeof(address), err) ==
		-1 ||
	    json_want_string(o, "reason", reason, sizeof(reason), err) == -1 ||
	    json_want_i64(o, "count", 0, INT64_MAX, &count, err) == -1)
		return -1;
	if (now - l->log_from >= USEC_SEC) {
		l->log_from = now;
		l->log_count = 0;
	}
	if (l->log_count++ < FRONTLINK_LOGS)
		EMIT(front_refused, kv_s("what", what), kv_s("text", text),
		    kv_s("address", address), kv_s("reason", reason),
		    kv_i("count", count));
	return 0;
}

static int
frontlink_frame(struct frontlink *l, const json_t *frame, struct error *err)
{
	if (!l->ready) {
		if (json_want_string(
			frame, "fail", l->why, sizeof(l->why), err) == 0)
			return 0;
		if (json_object_get(frame, "ready") == NULL)
			return error_set(err, ERR_PROTOCOL, "not ready");
		l->ready = true;
		l->said[0] = '\0';
		timer_disarm(l->stall);
		EMIT(front_start, kv_i("pid", l->proc.pid),
		    kv_i("generation", l->generation));
		frontlink_flush(l);
		return 0;
	}
	if (json_object_get(frame, "req") != NULL)
		return frontlink_request(l, frame, err);
	if (json_object_get(frame, "log") != NULL)
		return frontlink_log(l, json_object_get(frame, "log"), err);
	return error_set(err, ERR_PROTOCOL, "a frame of no known kind");
}

bool
frontlink_read(struct frontlink *l)
{
	struct error err;
	json_t *frame;
	int rc = frame_in_read(&l->in, l->proc.fd, &err), more;

	if (rc == 0)
		return false;
	while (rc == 1 && l->link != NULL &&
	       (more = frame_in_next(&l->in, &frame, &err)) != 0) {
		if (more == -1) {
			rc = -1;
			break;
		}
		if (frontlink_frame(l, frame, &err) == -1)
			rc = -1;
		json_decref(frame);
	}
	if (rc == -1 && err.code == ERR_NONE) {
		/* Killed in case it only closed the link; if it has ended,
		 * its own status and last words are the reason. */
		watch_free(l->link);
		l->link = NULL;
		companion_kill(&l->proc);
		return false;
	}
	if (rc == -1)
		frontlink_fail(l, err.msg);
	return rc == 1;
}
