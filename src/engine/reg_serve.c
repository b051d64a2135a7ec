/*
 * What the servers of a register share: the queue of changes to the worker, the
 * long polls, the answers. It knows no rule of a register.
 */
#include "engine/reg_serve.h"

#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_file.h"
#include "engine/engine.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

#define WAIT_MAX (2 * USEC_SEC)
#define QUEUE_MAX 32
#define HIDE USEC_SEC /* of a disk; then the asker has to ask again */

/* A reader who waits. */
struct reg_wait {
	TAILQ_ENTRY(reg_wait) entry;
	uint64_t id;
	usec_t until;
};

static void serve_next(struct reg_serve *s);

void
serve_init(struct reg_serve *s, struct engine *e, const struct reg_rules *rules,
    void *server)
{
	s->e = e;
	s->rules = rules;
	s->server = server;
	s->path = xasprintf("%s/register", e->conf->state_dir);
	TAILQ_INIT(&s->queue);
	TAILQ_INIT(&s->waits);
}

void
serve_fini(struct reg_serve *s)
{
	struct reg_change *c;
	struct reg_wait *w;

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
}

void
serve_reply(struct reg_serve *s, uint64_t id, int status, char *body)
{
	frontlink_reply(s->e->front, id, status, body);
	free(body);
}

void
serve_refuse(struct reg_serve *s, uint64_t id, int status, const char *why)
{
	json_t *obj = json_object();
	char *body;

	json_put_string(obj, "error", why);
	body = json_text(obj);
	json_decref(obj);
	serve_reply(s, id, status, body);
}

void
serve_reject(struct reg_serve *s, const struct front_request *req,
    const struct error *err)
{
	EMIT(peer_refused, kv_s("peer", req->peer), kv_s("reason", err->msg));
	serve_refuse(s, req->id, 400, err->msg);
}

static void
serve_show(struct reg_serve *s, uint64_t id)
{
	struct reg_value v;

	s->rules->show(s->server, &v);
	serve_reply(s, id, 200, wire_value_str(&v, &s->e->conf->names));
}

static bool
serve_hides(const struct reg_serve *s)
{
	const struct reg_change *c;

	if (s->current != NULL && s->current->hides)
		return true;
	TAILQ_FOREACH(c, &s->queue, entry)
		if (c->hides)
			return true;
	return false;
}

static void
serve_answer(struct reg_serve *s, uint64_t id)
{
	if (serve_hides(s))
		serve_refuse(s, id, 503, "a write is on its way to the disk");
	else
		serve_show(s, id);
}

static void
serve_wait_end(struct reg_serve *s, struct reg_wait *w)
{
	TAILQ_REMOVE(&s->waits, w, entry);
	s->waiting--;
	serve_answer(s, w->id);
	free(w);
}

static void
serve_work(void *arg)
{
	struct reg_serve *s = arg;

	s->result = arbiter_file_save(s->path, s->text, &s->err);
}

static void
serve_written_cb(void *arg)
{
	struct reg_serve *s = arg;
	struct reg_change *c = s->current;
	const struct error err = s->err;
	bool ok = s->result == 0;

	if (!ok) {
		EMIT(register_unsaved, kv_s("reason", err.msg));
		if (err.code == ERR_FSYNC)
			abort();
	}
	s->current = NULL;
	free(s->text);
	s->text = NULL;
	/* It may bring the next change, which is then the worker's. */
	s->rules->ended(s->server, c, ok ? NULL : &err);
	free(c);
	s->wake = s->wake || ok;
	serve_next(s);
}

static void
serve_write(struct reg_serve *s, struct reg_change *c, struct arbiter *image)
{
	image->written_at = clock_now().wall;
	s->current = c;
	s->text = arbiter_file_str(image, &s->e->conf->names);
	worker_submit(s->e->worker, serve_work, serve_written_cb, s);
}

static void
serve_next(struct reg_serve *s)
{
	struct arbiter image;
	struct reg_change *c;
	struct reg_wait *w, *n;

	while (s->current == NULL && (c = TAILQ_FIRST(&s->queue)) != NULL) {
		TAILQ_REMOVE(&s->queue, c, entry);
		s->queued--;
		memset(&image, 0, sizeof(image));
		if (s->rules->apply(s->server, c, &image))
			serve_write(s, c, &image);
		else
			free(c);
	}
	if (!s->wake || serve_hides(s))
		return;
	s->wake = false;
	TAILQ_FOREACH_SAFE(w, &s->waits, entry, n)
		serve_wait_end(s, w);
}

void
serve_change(struct reg_serve *s, struct reg_change *c)
{
	TAILQ_INSERT_TAIL(&s->queue, c, entry);
	s->queued++;
	serve_next(s);
}

void
serve_request(struct reg_serve *s, struct reg_change *c)
{
	if (s->queued < QUEUE_MAX) {
		serve_change(s, c);
		return;
	}
	serve_refuse(s, c->id, 503, "too many writes at once");
	free(c);
}

int
serve_parse(const struct reg_serve *s, struct do_cas *cas, node_t from,
    const struct front_request *req, struct error *err)
{
	if (wire_cas_parse(cas, req->body, req->len, &s->e->conf->names, err) !=
	    0)
		return -1;
	if (cas->rec.written_by != from || cas->rec.holder != from)
		return error_set(err, ERR_PROTOCOL,
		    "%s may not write a record of another node", req->peer);
	return 0;
}

/* Is the value still what the reader knows? Who names no reports does not look
 * at them. */
static bool
serve_same(const struct reg_serve *s, const json_t *obj)
{
	char instance[ID_MAX];
	uint64_t revision, reported;
	struct reg_value v;
	struct error err;
	bool cold;

	s->rules->show(s->server, &v);
	reported = v.reported;
	if (json_has(obj, "reported") &&
	    json_want_u64(obj, "reported", &reported, &err) != 0)
		return false;
	return json_want_string(
		   obj, "instance", instance, sizeof(instance), &err) == 0 &&
	       json_want_u64(obj, "revision", &revision, &err) == 0 &&
	       json_want_bool(obj, "cold", &cold, &err) == 0 &&
	       strcmp(instance, v.instance) == 0 && revision == v.revision &&
	       cold == v.cold && reported == v.reported;
}

void
serve_read(struct reg_serve *s, const struct front_request *req)
{
	bool hides = serve_hides(s);
	struct error err;
	json_t *obj = json_read(req->body, req->len, &err);
	struct reg_wait *w;
	int64_t ms = 0;

	if (obj == NULL || json_want_i64(obj, "wait_ms", 0,
			       WAIT_MAX / USEC_MSEC, &ms, &err) != 0) {
		serve_refuse(s, req->id, 400, err.msg);
	} else if (s->waiting < QUEUE_MAX &&
		   (hides || (ms > 0 && serve_same(s, obj)))) {
		w = xcalloc(1, sizeof(*w));
		w->id = req->id;
		w->until = clock_now().raw + (hides ? HIDE : ms * USEC_MSEC);
		s->wake = s->wake || hides;
		TAILQ_INSERT_TAIL(&s->waits, w, entry);
		s->waiting++;
	} else {
		serve_answer(s, req->id);
	}
	json_decref(obj);
}

usec_t
serve_turn(struct reg_serve *s, usec_t now)
{
	struct reg_wait *w, *n;
	usec_t next = USEC_NEVER;

	TAILQ_FOREACH_SAFE(w, &s->waits, entry, n) {
		if (w->until <= now)
			serve_wait_end(s, w);
		else if (w->until < next)
			next = w->until;
	}
	return next;
}
