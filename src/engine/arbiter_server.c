/*
 * The arbiter's rules on what is served of it: a write, a report, the word of
 * a person. reg_serve.c does the serving.
 */
#include "engine/arbiter_server.h"

#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_file.h"
#include "engine/engine.h"
#include "engine/reg_serve.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/random.h"

#define WALL_GAP (60 * USEC_SEC) /* longer without a write: cold */

struct arb_change {
	struct reg_change head;
	enum { CHANGE_CAS, CHANGE_REPORT, CHANGE_ADOPT } kind;
	node_t node;
	struct do_cas cas;
	char instance[ID_MAX];
	uint64_t epoch, seq;
};

struct arbiter_server {
	struct reg_serve serve;
	struct arbiter now, next;
};

static void
arb_show(const void *server, struct reg_value *v)
{
	const struct arbiter_server *s = server;

	*v = s->now.value;
}

static void
arb_ended(void *server, struct reg_change *change, const struct error *err)
{
	struct arbiter_server *s = server;
	const struct arb_change *c = (const struct arb_change *)change;
	const struct reg_value *v = &s->now.value;
	bool was_cold = v->cold;

	if (err != NULL) {
		serve_refuse(&s->serve, change->id, 503, err->msg);
		return;
	}
	s->now = s->next;
	if (c->kind == CHANGE_ADOPT)
		EMIT(register_adopt,
		    kv_s("by", s->serve.e->conf->names.node[c->node]));
	if (was_cold && !v->cold)
		EMIT(register_warm, kv_s("instance", v->instance));
	serve_reply(&s->serve, change->id, 200,
	    c->kind == CHANGE_CAS ?
		wire_result_str(CAS_CONFIRMED, v->revision, v->instance) :
		wire_value_str(v, &s->serve.e->conf->names));
}

/* Applies one change to a copy; true when it has to be written. */
static bool
arb_apply(void *server, struct reg_change *change, struct arbiter *image)
{
	struct arbiter_server *s = server;
	const struct arb_change *c = (const struct arb_change *)change;
	nodeset_t data = conf_data_nodes(s->serve.e->conf);
	const struct reg_value *v = &s->now.value;
	enum cas_result res = CAS_REFUSED;
	bool changed = false;

	switch (c->kind) {
	case CHANGE_CAS:
		res = arbiter_cas(&s->now, &c->cas, data, &s->next, &changed);
		break;
	case CHANGE_REPORT:
		changed = arbiter_report(&s->now, c->node, c->instance,
		    c->epoch, c->seq, data, &s->next);
		break;
	case CHANGE_ADOPT:
		changed = arbiter_adopt(&s->now, &s->next);
		break;
	}
	*image = s->next;
	if (changed)
		return true;
	if (c->kind == CHANGE_CAS)
		serve_reply(&s->serve, change->id, 200,
		    wire_result_str(res, v->revision, v->instance));
	else
		serve_refuse(&s->serve, change->id, 409,
		    c->kind == CHANGE_ADOPT ?
			"the register is not cold" :
			"the register is not cold, or will take another "
			"instance than the one reported to");
	return false;
}

static const struct reg_rules arb_rules = {
	.show = arb_show,
	.apply = arb_apply,
	.ended = arb_ended,
};

static int
arb_parse_report(
    struct arb_change *c, const struct front_request *req, struct error *err)
{
	json_t *obj = json_read(req->body, req->len, err);
	int rc = -1;

	if (obj != NULL &&
	    json_want_string(
		obj, "instance", c->instance, sizeof(c->instance), err) == 0 &&
	    json_want_count(obj, "epoch", &c->epoch, err) == 0 &&
	    json_want_count(obj, "seq", &c->seq, err) == 0)
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

	c->head.id = req->id;
	c->node = from;
	if (strcmp(req->path, "/v1/cas") == 0) {
		c->kind = CHANGE_CAS;
		rc = serve_parse(&s->serve, &c->cas, from, req, &err);
	} else if (strcmp(req->path, "/v1/report") == 0) {
		c->kind = CHANGE_REPORT;
		rc = arb_parse_report(c, req, &err);
	} else {
		c->kind = CHANGE_ADOPT;
	}
	if (rc != 0) {
		serve_reject(&s->serve, req, &err);
		free(c);
		return;
	}
	serve_request(&s->serve, &c->head);
}

bool
arbiter_server_request(
    struct arbiter_server *s, node_t from, const struct front_request *req)
{
	if (strcmp(req->path, "/v1/read") == 0)
		serve_read(&s->serve, req);
	else if (strcmp(req->path, "/v1/cas") == 0 ||
		 strcmp(req->path, "/v1/report") == 0 ||
		 strcmp(req->path, "/v1/adopt") == 0)
		arb_change(s, from, req);
	else
		return false;
	return true;
}

const struct record *
arbiter_server_record(const struct arbiter_server *s)
{
	return &s->now.value.rec;
}

usec_t
arbiter_server_turn(struct arbiter_server *s, usec_t now)
{
	return serve_turn(&s->serve, now);
}

/* Before the first reader: nothing is lost by waiting for the disk. */
static int
arb_start(
    struct arbiter_server *s, struct arbiter_origin *origin, struct error *err)
{
	char instance[33], next[33], *text;
	int rc;

	random_hex(instance, sizeof(instance));
	random_hex(next, sizeof(next));
	if (!arbiter_start(&s->now, origin, instance, next, WALL_GAP))
		return 0;
	s->now.written_at = origin->wall;
	text = arbiter_file_str(&s->now, &s->serve.e->conf->names);
	rc = arbiter_file_save(s->serve.path, text, err);
	free(text);
	return rc;
}

struct arbiter_server *
arbiter_server_new(struct engine *e, struct error *err)
{
	struct arbiter_server *s = xcalloc(1, sizeof(*s));
	struct arbiter_origin origin;

	serve_init(&s->serve, e, &arb_rules, s);
	if (arbiter_file_load(
		s->serve.path, &e->conf->names, &s->now, &origin, err) != 0 ||
	    arb_start(s, &origin, err) != 0) {
		arbiter_server_free(s);
		return NULL;
	}
	EMIT(register_start, kv_s("cold", s->now.value.cold ? "yes" : "no"),
	    kv_s("instance", s->now.value.instance),
	    kv_i("revision", s->now.value.revision));
	return s;
}

void
arbiter_server_free(struct arbiter_server *s)
{
	if (s == NULL)
		return;
	serve_fini(&s->serve);
	free(s);
}
