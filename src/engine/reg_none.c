/*
 * The register of two lone hosts: a copy here (pair_server.c) and one on the
 * other host, whose engine is asked through its front. What they mean together
 * is core/pair.c's to say, and whether one is enough, the core's.
 *
 * A read is a long poll of the other copy; when it is silent, or this one has
 * changed, what is here is shown.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/reg_none.h"
#include "engine/wire.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ANSWER_MAX 16384
#define WAIT_MAX (2 * USEC_SEC)
#define RETRY (200 * USEC_MSEC)

static void none_poll(void *arg);
static void none_look(
    struct reg_none *r, const struct reg_value *other, usec_t sent);

static void *
none_new(const struct register_env *env, struct error *err)
{
	struct reg_none *r = xcalloc(1, sizeof(*r));
	node_t n;

	r->env = *env;
	r->other = NODE_NONE;
	for (n = 0; n < env->conf->node_count; n++)
		if (n != env->conf->self)
			r->other = n;
	r->node = &env->conf->node[r->other];
	r->again = timer_new(env->loop, none_poll, r);
	r->ready = timer_new(env->loop, none_ready_cb, r);
	return r;
}

static void
none_free(void *reg)
{
	struct reg_none *r = reg;

	if (r->env.copy != NULL)
		pair_server_forget(r->env.copy, r);
	if (r->poll != NULL)
		http_cancel(r->poll);
	if (r->read != NULL)
		http_cancel(r->read);
	if (r->show != NULL)
		http_cancel(r->show);
	if (r->write.call != NULL)
		http_cancel(r->write.call);
	timer_free(r->again);
	timer_free(r->ready);
	free(r);
}

/* Takes body. NULL when it could not even be begun. */
struct http_call *
none_post(struct reg_none *r, const char *path, char *body, usec_t deadline,
    void (*done)(void *, const struct http_answer *))
{
	struct http_request req = { .name = r->node->name,
		.address = r->node->address,
		.port = r->env.conf->peer_port,
		.path = path,
		.body = body,
		.body_len = strlen(body),
		.deadline = deadline,
		.answer_max = ANSWER_MAX };
	struct http_call *call;
	struct error err;

	call = http_post(r->env.http, &req, done, r, &err);
	free(body);
	return call;
}

/* What the other copy says; false: nothing that can be read. */
static bool
none_value(
    struct reg_none *r, const struct http_answer *ans, struct reg_value *v)
{
	struct error err;

	if (ans->status == 200 && wire_value_parse(v, ans->body, ans->len,
				      &r->env.conf->names, &err) == 0) {
		r->silent = false;
		r->env.calls.heard(r->env.calls.arg, r->other);
		return true;
	}
	r->silent = true;
	return false;
}

static void
none_took_cb(void *arg, uint64_t id, enum cas_result res)
{
	struct reg_none *r = arg;

	if (res == CAS_CONFIRMED)
		none_look(r, &r->seen, r->seen_sent);
}

/* other NULL: it is silent, or was not asked. */
static void
none_look(struct reg_none *r, const struct reg_value *other, usec_t sent)
{
	const struct register_calls *calls = &r->env.calls;
	struct pair_copy next;
	struct reg_value out;
	char why[160];

	switch (pair_look(pair_server_copy(r->env.copy), other, &out, &next)) {
	case PAIR_SHOW:
		calls->value(calls->arg, sent, &out);
		break;
	case PAIR_TAKE:
		assert(other != NULL);
		r->seen = *other;
		r->seen_sent = sent;
		pair_server_take(r->env.copy, &r->seen, 0, none_took_cb, r);
		break;
	case PAIR_NONE:
		(void)snprintf(why, sizeof(why),
		    "the copy on this host is empty, and %s does not answer",
		    r->node->name);
		calls->failed(calls->arg, why);
		break;
	}
}

/* The other host has written here. */
static void
none_changed(void *arg)
{
	none_look(arg, NULL, clock_now().raw);
}

static void
none_poll_cb(void *arg, const struct http_answer *ans)
{
	struct reg_none *r = arg;
	struct reg_value v;

	r->poll = NULL;
	if (!none_value(r, ans, &v)) {
		none_look(r, NULL, clock_now().raw);
		timer_arm(r->again, RETRY);
		return;
	}
	r->seen = v;
	r->seen_sent = r->poll_sent;
	none_look(r, &v, r->poll_sent);
	none_poll(r);
}

/* Answered at once when the other copy is another than the one named here. */
static void
none_poll(void *arg)
{
	struct reg_none *r = arg;
	usec_t wait = r->silent ? 0 : r->env.conf->ttl / 5;
	json_t *obj = json_object();
	char *body;

	if (wait > WAIT_MAX)
		wait = WAIT_MAX;
	json_put_string(obj, "instance", r->seen.instance);
	json_put_u64(obj, "revision", r->seen.revision);
	json_put_bool(obj, "cold", r->seen.cold);
	json_put_i64(obj, "wait_ms", wait / USEC_MSEC);
	body = json_text(obj);
	json_decref(obj);
	r->poll_sent = clock_now().raw;
	r->poll = none_post(
	    r, "/v1/read", body, wait + r->env.conf->ttl / 4, none_poll_cb);
	if (r->poll == NULL)
		timer_arm(r->again, RETRY);
}

static void
none_start(void *reg)
{
	struct reg_none *r = reg;

	pair_server_watch(r->env.copy, none_changed, r);
	none_poll(r);
}

static void
none_read_cb(void *arg, const struct http_answer *ans)
{
	struct reg_none *r = arg;
	struct reg_value v;
	bool there = none_value(r, ans, &v);

	r->read = NULL;
	none_look(r, there ? &v : NULL, there ? r->read_sent : clock_now().raw);
}

void
none_read(void *reg)
{
	struct reg_none *r = reg;

	if (r->silent)
		none_look(r, NULL, clock_now().raw);
	if (r->read != NULL)
		return;
	r->read_sent = clock_now().raw;
	r->read = none_post(r, "/v1/read", xstrdup("{\"wait_ms\":0}"),
	    r->env.conf->ttl / 4, none_read_cb);
}

/* Nobody reports to it: a copy that is lost is what the other one says. */
static void
none_report(void *reg, const char *instance, uint64_t epoch, uint64_t seq)
{
	struct reg_none *r = reg;

	r->env.calls.reported(r->env.calls.arg, false);
}

/* other NULL: it is silent, or was not asked. */
static void
none_tell(struct reg_none *r, const struct reg_value *other,
    register_shown shown, void *arg)
{
	struct reg_value v;
	struct error err;
	json_t *obj;
	char *text;

	pair_tell(pair_server_copy(r->env.copy), &v);
	text = wire_value_str(&v, &r->env.conf->names);
	obj = json_read(text, strlen(text), &err);
	free(text);
	json_put_string(obj, "type", "none");
	json_put_string(obj, "other", r->node->name);
	json_put_bool(obj, "other_answers", other != NULL);
	if (other != NULL) {
		json_put_u64(obj, "other_epoch", other->rec.epoch);
		json_put_u64(obj, "other_revision", other->revision);
		json_put_bool(obj, "other_cold", other->cold);
	}
	text = json_text(obj);
	json_decref(obj);
	shown(arg, text, NULL);
	free(text);
}

static void
none_told(struct reg_none *r, const struct reg_value *other)
{
	register_shown shown = r->shown;

	r->shown = NULL;
	none_tell(r, other, shown, r->shown_arg);
}

static void
none_adopted_cb(void *arg, uint64_t id, enum cas_result res)
{
	struct reg_none *r = arg;
	register_shown shown = r->shown;

	if (res == CAS_CONFIRMED) {
		none_look(r, NULL, clock_now().raw);
		none_told(r, NULL);
		return;
	}
	r->shown = NULL;
	shown(r->shown_arg, NULL,
	    res == CAS_REFUSED ?
		"{\"error\":\"both copies are believed as they are, or "
		"nothing is here\"}" :
		"{\"error\":\"it could not be written\"}");
}

static void
none_show_cb(void *arg, const struct http_answer *ans)
{
	struct reg_none *r = arg;
	struct reg_value v;
	bool there = none_value(r, ans, &v);

	r->show = NULL;
	if (r->adopting)
		pair_server_adopt(
		    r->env.copy, there ? &v : NULL, 0, none_adopted_cb, r);
	else
		none_told(r, there ? &v : NULL);
}

static void
none_ask(struct reg_none *r, bool adopt, register_shown done, void *arg)
{
	if (r->shown != NULL && adopt) {
		done(arg, NULL, "somebody asks already");
		return;
	}
	if (r->shown != NULL) {
		none_tell(r, NULL, done, arg);
		return;
	}
	r->shown = done;
	r->shown_arg = arg;
	r->adopting = adopt;
	r->show = none_post(r, "/v1/read", xstrdup("{\"wait_ms\":0}"),
	    USEC_SEC / 2, none_show_cb);
	if (r->show == NULL) {
		r->shown = NULL;
		done(arg, NULL, "internal");
	}
}

static void
none_show(void *reg, register_shown done, void *arg)
{
	none_ask(reg, false, done, arg);
}

static void
none_adopt(void *reg, register_shown done, void *arg)
{
	none_ask(reg, true, done, arg);
}

const struct register_ops register_none = {
	.new = none_new,
	.free = none_free,
	.start = none_start,
	.read = none_read,
	.cas = none_cas,
	.report = none_report,
	.show = none_show,
	.adopt = none_adopt,
};
