/*
 * Serves the register. One change at a time: the new image goes to the worker,
 * and only when it is on disk does it become what readers see and is the
 * writer told. A full disk refuses writes; an fsync that fails ends the
 * process, since then nobody knows what the disk holds.
 */
#include "engine/arbiter_server.h"

#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_file.h"
#include "engine/engine.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/random.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define WALL_GAP (60 * USEC_SEC) /* longer without a write: cold */
#define WAIT_MAX (2 * USEC_SEC)
#define QUEUE_MAX 32

/* A long poll: answered when the value is another, or at its time. */
struct arb_wait {
	TAILQ_ENTRY(arb_wait) entry;
	uint64_t id;
	usec_t until;
};

/* A change that waits for the one before it. */
struct arb_change {
	TAILQ_ENTRY(arb_change) entry;
	enum { CHANGE_CAS, CHANGE_REPORT, CHANGE_ADOPT } kind;
	uint64_t id;
	node_t node;
	struct do_cas cas;
	char instance[ID_MAX];
	uint64_t epoch, seq;
};

struct arbiter_server {
	struct engine *e;
	char *path;
	struct arbiter now, next;
	bool writing;
	char *text;	  /* the worker's */
	struct error err; /* the worker's */
	int result;
	struct arb_change *current;
	int queued, waiting;
	TAILQ_HEAD(, arb_change) queue;
	TAILQ_HEAD(, arb_wait) waits;
};

static void arb_next(struct arbiter_server *s);

static const struct names *
arb_names(const struct arbiter_server *s)
{
	return &s->e->conf->names;
}

static void
arb_reply(struct arbiter_server *s, uint64_t id, int status, char *body)
{
	frontlink_reply(s->e->front, id, status, body);
	free(body);
}

static void
arb_refuse(struct arbiter_server *s, uint64_t id, int status, const char *why)
{
	json_t *obj = json_object();
	char *body;

	json_put_string(obj, "error", why);
	body = json_text(obj);
	json_decref(obj);
	arb_reply(s, id, status, body);
}

static void
arb_wake(struct arbiter_server *s)
{
	struct arb_wait *w;

	while ((w = TAILQ_FIRST(&s->waits)) != NULL) {
		TAILQ_REMOVE(&s->waits, w, entry);
		arb_reply(
		    s, w->id, 200, wire_value_str(&s->now.value, arb_names(s)));
		free(w);
		s->waiting--;
	}
}

/* What the asker of the change that has just ended is told. */
static void
arb_tell(struct arbiter_server *s, const struct arb_change *c, bool ok)
{
	const struct reg_value *v = &s->now.value;

	if (!ok)
		arb_refuse(s, c->id, 503, s->err.msg);
	else if (c->kind == CHANGE_CAS)
		arb_reply(s, c->id, 200,
		    wire_result_str(CAS_CONFIRMED, v->revision, v->instance));
	else
		arb_reply(s, c->id, 200, wire_value_str(v, arb_names(s)));
}

static void
arb_work(void *arg)
{
	struct arbiter_server *s = arg;

	s->result = arbiter_file_save(s->path, s->text, &s->err);
}

static void
arb_written_cb(void *arg)
{
	struct arbiter_server *s = arg;
	struct arb_change *c = s->current;
	bool was_cold = s->now.value.cold;

	if (s->result != 0 && s->err.code == ERR_FSYNC) {
		EMIT(register_unsaved, kv_s("reason", s->err.msg));
		abort();
	}
	s->writing = false;
	s->current = NULL;
	free(s->text);
	s->text = NULL;
	if (s->result == 0) {
		s->now = s->next;
		if (was_cold && !s->now.value.cold)
			EMIT(register_warm,
			    kv_s("instance", s->now.value.instance));
	} else {
		EMIT(register_unsaved, kv_s("reason", s->err.msg));
	}
	if (c != NULL)
		arb_tell(s, c, s->result == 0);
	free(c);
	if (s->result == 0)
		arb_wake(s);
	arb_next(s);
}

static void
arb_write(struct arbiter_server *s, struct arb_change *c)
{
	s->next.written_at = clock_now().wall;
	s->writing = true;
	s->current = c;
	s->text = arbiter_file_str(&s->next, arb_names(s));
	worker_submit(s->e->worker, arb_work, arb_written_cb, s);
}

/* Applies one change to a copy; true when it has to be written. */
static bool
arb_apply(struct arbiter_server *s, struct arb_change *c)
{
	nodeset_t data = conf_data_nodes(s->e->conf);
	const struct reg_value *v = &s->now.value;
	enum cas_result res;
	bool changed = false;

	switch (c->kind) {
	case CHANGE_CAS:
		res = arbiter_cas(&s->now, &c->cas, data, &s->next, &changed);
		if (!changed)
			arb_reply(s, c->id, 200,
			    wire_result_str(res, v->revision, v->instance));
		return changed;
	case CHANGE_REPORT:
		if (arbiter_report(&s->now, c->node, c->instance, c->epoch,
			c->seq, data, &s->next))
			return true;
		break;
	case CHANGE_ADOPT:
		if (arbiter_adopt(&s->now, &s->next))
			return true;
		break;
	}
	arb_refuse(s, c->id, 409,
	    c->kind == CHANGE_ADOPT ?
		"the register is not cold" :
		"the register is not cold, or will "
		"take another instance than the one reported to");
	return false;
}

static void
arb_next(struct arbiter_server *s)
{
	struct arb_change *c;

	while (!s->writing && (c = TAILQ_FIRST(&s->queue)) != NULL) {
		TAILQ_REMOVE(&s->queue, c, entry);
		s->queued--;
		if (arb_apply(s, c))
			arb_write(s, c);
		else
			free(c);
	}
}

static void
arb_queue(struct arbiter_server *s, struct arb_change *c)
{
	if (s->queued == QUEUE_MAX) {
		arb_refuse(s, c->id, 503, "too many writes at once");
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&s->queue, c, entry);
	s->queued++;
	arb_next(s);
}

/* Is the value that the reader knows still the value? */
static bool
arb_same(const struct arbiter_server *s, const json_t *obj)
{
	const struct reg_value *v = &s->now.value;
	char instance[ID_MAX];
	uint64_t revision, reported;
	struct error err;
	bool cold;

	return json_want_string(
		   obj, "instance", instance, sizeof(instance), &err) == 0 &&
	       json_want_u64(obj, "revision", &revision, &err) == 0 &&
	       json_want_bool(obj, "cold", &cold, &err) == 0 &&
	       json_want_u64(obj, "reported", &reported, &err) == 0 &&
	       strcmp(instance, v->instance) == 0 && revision == v->revision &&
	       cold == v->cold && reported == v->reported;
}

static void
arb_read(struct arbiter_server *s, const struct front_request *req)
{
	struct error err;
	json_t *obj = json_read(req->body, req->len, &err);
	struct arb_wait *w;
	int64_t ms = 0;

	if (obj == NULL || json_want_i64(obj, "wait_ms", 0,
			       WAIT_MAX / USEC_MSEC, &ms, &err) != 0) {
		arb_refuse(s, req->id, 400, err.msg);
	} else if (ms > 0 && s->waiting < QUEUE_MAX && arb_same(s, obj)) {
		w = xcalloc(1, sizeof(*w));
		w->id = req->id;
		w->until = clock_now().raw + ms * USEC_MSEC;
		TAILQ_INSERT_TAIL(&s->waits, w, entry);
		s->waiting++;
	} else {
		arb_reply(s, req->id, 200,
		    wire_value_str(&s->now.value, arb_names(s)));
	}
	json_decref(obj);
}

/* A node may write only what it is itself the author of. */
static int
arb_parse_cas(struct arbiter_server *s, struct arb_change *c, node_t from,
    const struct front_request *req, struct error *err)
{
	if (wire_cas_parse(&c->cas, req->body, req->len, arb_names(s), err) !=
	    0)
		return -1;
	if (c->cas.rec.written_by != from || c->cas.rec.holder != from)
		return error_set(err, ERR_PROTOCOL,
		    "%s may not write a record "
		    "of another node",
		    req->peer);
	return 0;
}

static int
arb_parse_report(
    struct arb_change *c, const struct front_request *req, struct error *err)
{
	json_t *obj = json_read(req->body, req->len, err);
	int rc = -1;

	if (obj != NULL &&
	    json_want_string(
		obj, "instance", c->instance, sizeof(c->instance), err) == 0 &&
	    json_want_u64(obj, "epoch", &c->epoch, err) == 0 &&
	    json_want_u64(obj, "seq", &c->seq, err) == 0)
		rc = 0;
	json_decref(obj);
	return rc;
}

static void
arb_change(
    struct arbiter_server *s, node_t from, const struct front_request *req)
{
	struct arb_change *c = xcalloc(1, sizeof(*c));
	struct error err;
	int rc = 0;

	c->id = req->id;
	c->node = from;
	if (strcmp(req->path, "/v1/cas") == 0) {
		c->kind = CHANGE_CAS;
		rc = arb_parse_cas(s, c, from, req, &err);
	} else if (strcmp(req->path, "/v1/report") == 0) {
		c->kind = CHANGE_REPORT;
		rc = arb_parse_report(c, req, &err);
	} else {
		c->kind = CHANGE_ADOPT;
		EMIT(register_adopt, kv_s("by", req->peer));
	}
	if (rc != 0) {
		EMIT(peer_refused, kv_s("peer", req->peer),
		    kv_s("reason", err.msg));
		arb_refuse(s, req->id, 400, err.msg);
		free(c);
		return;
	}
	arb_queue(s, c);
}

bool
arbiter_server_request(
    struct arbiter_server *s, node_t from, const struct front_request *req)
{
	if (strcmp(req->path, "/v1/read") == 0)
		arb_read(s, req);
	else if (strcmp(req->path, "/v1/cas") == 0 ||
		 strcmp(req->path, "/v1/report") == 0 ||
		 strcmp(req->path, "/v1/adopt") == 0)
		arb_change(s, from, req);
	else
		return false;
	return true;
}

usec_t
arbiter_server_turn(struct arbiter_server *s, usec_t now)
{
	struct arb_wait *w, *n;
	usec_t next = USEC_NEVER;

	TAILQ_FOREACH_SAFE(w, &s->waits, entry, n) {
		if (w->until > now) {
			if (w->until < next)
				next = w->until;
			continue;
		}
		TAILQ_REMOVE(&s->waits, w, entry);
		s->waiting--;
		arb_reply(
		    s, w->id, 200, wire_value_str(&s->now.value, arb_names(s)));
		free(w);
	}
	return next;
}

struct arbiter_server *
arbiter_server_new(struct engine *e, struct error *err)
{
	struct arbiter_server *s = xcalloc(1, sizeof(*s));
	struct arbiter_origin origin;
	char instance[33], next[33];

	s->e = e;
	TAILQ_INIT(&s->queue);
	TAILQ_INIT(&s->waits);
	s->path = xasprintf("%s/register", e->conf->state_dir);
	if (arbiter_file_load(
		s->path, &e->conf->names, &s->now, &origin, err) != 0) {
		arbiter_server_free(s);
		return NULL;
	}
	random_hex(instance, sizeof(instance));
	random_hex(next, sizeof(next));
	s->next = s->now;
	/* Before the first reader: nothing is lost by waiting for the disk. */
	if (arbiter_start(&s->next, &origin, instance, next, WALL_GAP)) {
		s->next.written_at = origin.wall;
		s->text = arbiter_file_str(&s->next, &e->conf->names);
		if (arbiter_file_save(s->path, s->text, err) != 0) {
			arbiter_server_free(s);
			return NULL;
		}
		free(s->text);
		s->text = NULL;
		s->now = s->next;
	}
	EMIT(register_start, kv_s("cold", s->now.value.cold ? "yes" : "no"),
	    kv_s("instance", s->now.value.instance),
	    kv_i("revision", s->now.value.revision));
	return s;
}

void
arbiter_server_free(struct arbiter_server *s)
{
	struct arb_change *c;
	struct arb_wait *w;

	if (s == NULL)
		return;
	while ((c = TAILQ_FIRST(&s->queue)) != NULL) {
		TAILQ_REMOVE(&s->queue, c, entry);
		free(c);
	}
	while ((w = TAILQ_FIRST(&s->waits)) != NULL) {
		TAILQ_REMOVE(&s->waits, w, entry);
		free(w);
	}
	free(s->current);
	free(s->text);
	free(s->path);
	free(s);
}
