/*
 * This host's copy of the register: what core/pair.c says of it, asked for by
 * the engine here and by the other host's. reg_serve.c does the serving.
 */
#include "engine/pair_server.h"

#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_file.h"
#include "engine/engine.h"
#include "engine/reg_serve.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/mem.h"
#include "hawatch/random.h"

enum pair_kind { PAIR_CAS, PAIR_TAKEN, PAIR_ADOPT };

struct pair_change {
	struct reg_change head;
	enum pair_kind kind;
	struct do_cas cas;
	struct pair_write by;
	struct reg_value other; /* of PAIR_TAKEN, PAIR_ADOPT */
	pair_done done; /* NULL: who asked is gone, or the other host; */
	void *arg;	/* NULL: the other host */
};

struct pair_server {
	struct reg_serve serve;
	struct pair_copy now, next;
	void (*changed)(void *arg);
	void *arg;
};

static void
copy_show(const void *server, struct reg_value *v)
{
	const struct pair_server *s = server;

	pair_tell(&s->now, v);
}

static void
copy_reply(
    struct pair_server *s, const struct pair_change *c, enum cas_result res)
{
	const struct reg_value *v = &s->now.value;

	if (c->done != NULL)
		c->done(c->arg, c->head.id, res);
	else if (c->arg == NULL)
		serve_reply(&s->serve, c->head.id, 200,
		    wire_result_str(res, v->revision, v->instance));
}

static void
copy_ended(void *server, struct reg_change *change, const struct error *err)
{
	struct pair_server *s = server;
	const struct pair_change *c = (const struct pair_change *)change;
	bool was_lost = s->now.lost;

	if (err != NULL) {
		copy_reply(s, c, CAS_UNKNOWN);
		return;
	}
	s->now = s->next;
	if (was_lost && !s->now.lost)
		EMIT(register_warm, kv_s("instance", s->now.value.instance));
	copy_reply(s, c, CAS_CONFIRMED);
	if (c->done == NULL && s->changed != NULL)
		s->changed(s->arg);
}

/* Applies one change to a copy of the copy; true when it has to be written. */
static bool
copy_apply(void *server, struct reg_change *change, struct arbiter *image)
{
	struct pair_server *s = server;
	const struct pair_change *c = (const struct pair_change *)change;
	enum cas_result res = CAS_CONFIRMED;
	struct reg_value out;
	bool changed = false;

	switch (c->kind) {
	case PAIR_CAS:
		res = pair_cas(&s->now, &c->cas, c->by,
		    conf_data_nodes(s->serve.e->conf), &s->next, &changed);
		if (res == CAS_CONFIRMED && !changed)
			s->now.sure = s->next.sure;
		break;
	case PAIR_TAKEN:
		changed =
		    pair_look(&s->now, &c->other, &out, &s->next) == PAIR_TAKE;
		break;
	case PAIR_ADOPT:
		changed = pair_adopt(&s->now,
		    c->other.instance[0] == '\0' ? NULL : &c->other, &s->next);
		res = CAS_REFUSED;
		break;
	}
	if (!changed)
		copy_reply(s, c, res);
	image->value = s->next.value;
	return changed;
}

static const struct reg_rules copy_rules = {
	.show = copy_show,
	.apply = copy_apply,
	.ended = copy_ended,
};

static struct pair_change *
change_new(enum pair_kind kind, uint64_t id, pair_done done, void *arg)
{
	struct pair_change *c = xcalloc(1, sizeof(*c));

	c->kind = kind;
	c->head.id = id;
	c->done = done;
	c->arg = arg;
	return c;
}

/*
 * While a write by the proof that the other host is off is on its way to the
 * disk, nobody is shown what is there now: whoever saw it would take what is
 * written behind it for impossible. He waits for its end.
 */
void
pair_server_cas(struct pair_server *s, const struct do_cas *cas, bool alone,
    uint64_t id, pair_done done, void *arg)
{
	struct pair_change *c = change_new(PAIR_CAS, id, done, arg);

	c->cas = *cas;
	c->by.own = true;
	c->by.alone = alone;
	c->head.hides = alone;
	serve_change(&s->serve, &c->head);
}

void
pair_server_take(struct pair_server *s, const struct reg_value *other,
    uint64_t id, pair_done done, void *arg)
{
	struct pair_change *c = change_new(PAIR_TAKEN, id, done, arg);

	c->other = *other;
	serve_change(&s->serve, &c->head);
}

void
pair_server_adopt(struct pair_server *s, const struct reg_value *other,
    uint64_t id, pair_done done, void *arg)
{
	struct pair_change *c = change_new(PAIR_ADOPT, id, done, arg);

	if (other != NULL)
		c->other = *other;
	serve_change(&s->serve, &c->head);
}

static void
change_forget(struct reg_change *change, const void *arg)
{
	struct pair_change *c = (struct pair_change *)change;

	if (c != NULL && c->arg == arg)
		c->done = NULL;
}

void
pair_server_forget(struct pair_server *s, void *arg)
{
	struct reg_change *c;

	s->changed = NULL;
	change_forget(s->serve.current, arg);
	TAILQ_FOREACH(c, &s->serve.queue, entry)
		change_forget(c, arg);
}

static void
copy_request(
    struct pair_server *s, node_t from, const struct front_request *req)
{
	struct pair_change *c = change_new(PAIR_CAS, req->id, NULL, NULL);
	struct error err;
	int rc = serve_parse(&s->serve, &c->cas, from, req, &err);

	if (rc == 0 && c->cas.reseed)
		rc = error_set(
		    &err, ERR_PROTOCOL, "a copy of two takes no reseeding");
	if (rc == 0) {
		serve_request(&s->serve, &c->head);
		return;
	}
	serve_reject(&s->serve, req, &err);
	free(c);
}

bool
pair_server_request(
    struct pair_server *s, node_t from, const struct front_request *req)
{
	bool read = strcmp(req->path, "/v1/read") == 0;
	const struct now now = clock_now();

	if (!read && strcmp(req->path, "/v1/cas") != 0)
		return false;
	core_on_heard(s->serve.e->core, &now, from);
	if (read)
		serve_read(&s->serve, req);
	else
		copy_request(s, from, req);
	return true;
}

usec_t
pair_server_turn(struct pair_server *s, usec_t now)
{
	return serve_turn(&s->serve, now);
}

struct pair_copy *
pair_server_copy(struct pair_server *s)
{
	return &s->now;
}

void
pair_server_watch(struct pair_server *s, void (*changed)(void *arg), void *arg)
{
	s->changed = changed;
	s->arg = arg;
}

/* The lower of the two is written first. */
static bool
copy_first(const struct conf *conf)
{
	return (conf_data_nodes(conf) & (NODE_BIT(conf->self) - 1)) == 0;
}

struct pair_server *
pair_server_new(struct engine *e, struct error *err)
{
	struct pair_server *s = xcalloc(1, sizeof(*s));
	const struct now now = clock_now();
	struct arbiter_origin origin;
	struct core_status st;
	struct arbiter image;
	char instance[33];

	serve_init(&s->serve, e, &copy_rules, s);
	if (arbiter_file_load(
		s->serve.path, &e->conf->names, &image, &origin, err) != 0) {
		pair_server_free(s);
		return NULL;
	}
	random_hex(instance, sizeof(instance));
	core_status(e->core, &now, &st);
	s->now.value = image.value;
	pair_start(&s->now, copy_first(e->conf), origin.found, origin.same_file,
	    st.durable, instance);
	EMIT(register_start, kv_s("cold", s->now.lost ? "yes" : "no"),
	    kv_s("instance", s->now.value.instance),
	    kv_i("revision", s->now.value.revision));
	return s;
}

void
pair_server_free(struct pair_server *s)
{
	if (s == NULL)
		return;
	serve_fini(&s->serve);
	free(s);
}
