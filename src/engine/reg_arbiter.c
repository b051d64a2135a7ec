/*
 * Requests to the arbiter's engine, through its front. A reply that does not
 * come, or cannot be read, is an unknown outcome: never a "no".
 */
#include <stdlib.h>
#include <string.h>

#include "engine/crash.h"
#include "engine/register.h"
#include "engine/wire.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define ANSWER_MAX 16384
#define WAIT_MAX (2 * USEC_SEC) /* the arbiter allows no longer poll */
#define RETRY (100 * USEC_MSEC)

/* One request under way. */
struct reg_call {
	TAILQ_ENTRY(reg_call) entry;
	struct reg_arbiter *r;
	struct http_call *http;
	usec_t sent;
	uint64_t id; /* of the CAS */
	bool poll;
	register_shown show;
	void *show_arg;
};

struct reg_arbiter {
	struct register_env env;
	struct timer *again; /* the long poll, after a failure */
	TAILQ_HEAD(, reg_call) calls;
	bool reading; /* a read on demand is under way */
	bool failing;
	char seen[ID_MAX]; /* instance and revision, for the long poll */
	uint64_t revision;
	bool cold;
	nodeset_t reported;
};

static void reg_poll(void *arg);

static void *
reg_new(const struct register_env *env, struct error *err)
{
	struct reg_arbiter *r = xcalloc(1, sizeof(*r));

	r->env = *env;
	TAILQ_INIT(&r->calls);
	r->again = timer_new(env->loop, reg_poll, r);
	return r;
}

static void
reg_call_free(struct reg_call *c)
{
	TAILQ_REMOVE(&c->r->calls, c, entry);
	free(c);
}

static void
reg_free(void *reg)
{
	struct reg_arbiter *r = reg;
	struct reg_call *c;

	while ((c = TAILQ_FIRST(&r->calls)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
		http_cancel(c->http);
		reg_call_free(c);
	}
	timer_free(r->again);
	free(r);
}

/* Sends; NULL when it could not even be begun. Takes body. */
static struct reg_call *
reg_post(struct reg_arbiter *r, const char *path, char *body, usec_t deadline,
    void (*done)(void *, const struct http_answer *))
{
	const struct conf *conf = r->env.conf;
	const struct conf_node *node = &conf->node[conf->arbiter];
	struct reg_call *c = xcalloc(1, sizeof(*c));
	struct http_request req = { .name = node->name,
		.address = node->address,
		.port = conf->peer_port,
		.path = path,
		.body = body,
		.body_len = strlen(body),
		.deadline = deadline,
		.answer_max = ANSWER_MAX };
	struct error err;

	c->r = r;
	c->sent = clock_now().raw;
	TAILQ_INSERT_TAIL(&r->calls, c, entry);
	c->http = http_post(r->env.http, &req, done, c, &err);
	free(body);
	if (c->http == NULL) {
		reg_call_free(c);
		return NULL;
	}
	return c;
}

/* A value, or a reason why there is none. */
static void
reg_value(struct reg_arbiter *r, usec_t sent, const struct http_answer *ans)
{
	const struct register_calls *calls = &r->env.calls;
	struct reg_value v;
	struct error err;

	if (ans->status != 200 || wire_value_parse(&v, ans->body, ans->len,
				      &r->env.conf->names, &err) != 0) {
		if (ans->status == 200)
			error_wrap(&err, "what %s says",
			    r->env.conf->node[r->env.conf->arbiter].name);
		r->failing = true;
		calls->failed(
		    calls->arg, ans->status == 200 ? err.msg : ans->reason);
		return;
	}
	str_cut(r->seen, sizeof(r->seen), v.instance);
	r->revision = v.revision;
	r->cold = v.cold;
	r->reported = v.reported;
	r->failing = false;
	calls->value(calls->arg, sent, &v);
}

static void
reg_poll_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct reg_arbiter *r = c->r;
	bool ok = ans->status == 200;
	usec_t sent = c->sent;

	reg_call_free(c);
	reg_value(r, sent, ans);
	if (r->failing || !ok)
		timer_arm(r->again, RETRY);
	else
		reg_poll(r);
}

/* Answered at once when the value is another than the one named here. */
static void
reg_poll(void *arg)
{
	struct reg_arbiter *r = arg;
	usec_t wait = r->env.conf->ttl / 5;
	json_t *obj = json_object();
	struct reg_call *c;
	char *body;

	if (r->failing)
		wait = 0;
	if (wait > WAIT_MAX)
		wait = WAIT_MAX;
	json_put_string(obj, "instance", r->seen);
	json_put_u64(obj, "revision", r->revision);
	json_put_bool(obj, "cold", r->cold);
	json_put_u64(obj, "reported", r->reported);
	json_put_i64(obj, "wait_ms", wait / USEC_MSEC);
	body = json_text(obj);
	json_decref(obj);
	c = reg_post(
	    r, "/v1/read", body, wait + r->env.conf->ttl / 4, reg_poll_cb);
	if (c == NULL)
		timer_arm(r->again, RETRY);
}

static void
reg_start(void *reg)
{
	reg_poll(reg);
}

static void
reg_read_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct reg_arbiter *r = c->r;
	usec_t sent = c->sent;

	reg_call_free(c);
	r->reading = false;
	reg_value(r, sent, ans);
}

static void
reg_read(void *reg)
{
	struct reg_arbiter *r = reg;

	if (r->reading)
		return;
	r->reading = reg_post(r, "/v1/read", xstrdup("{\"wait_ms\":0}"),
			 r->env.conf->ttl / 4, reg_read_cb) != NULL;
}

static void
reg_cas_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct reg_arbiter *r = c->r;
	uint64_t id = c->id, revision = 0;
	char instance[ID_MAX] = "";
	enum cas_result res = CAS_UNKNOWN;
	struct error err;

	crash_point("cas-reply");
	reg_call_free(c);
	if (ans->status == 200 && wire_result_parse(&res, &revision, instance,
				      ans->body, ans->len, &err) != 0)
		res = CAS_UNKNOWN;
	r->env.calls.written(r->env.calls.arg, id, res, revision, instance);
}

static void
reg_cas(void *reg, const struct do_cas *cas)
{
	struct reg_arbiter *r = reg;
	struct reg_call *c;

	crash_point("cas-before");
	c = reg_post(r, "/v1/cas", wire_cas_str(cas, &r->env.conf->names),
	    r->env.conf->ttl / 2, reg_cas_cb);
	if (c != NULL)
		c->id = cas->id;
	crash_point("cas-sent");
}

static void
reg_report_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct reg_arbiter *r = c->r;

	reg_call_free(c);
	r->env.calls.reported(r->env.calls.arg, ans->status == 200);
}

static void
reg_report(void *reg, const char *instance, uint64_t epoch, uint64_t seq)
{
	struct reg_arbiter *r = reg;
	json_t *obj = json_object();
	char *body;

	json_put_string(obj, "instance", instance);
	json_put_u64(obj, "epoch", epoch);
	json_put_u64(obj, "seq", seq);
	body = json_text(obj);
	json_decref(obj);
	if (reg_post(r, "/v1/report", body, r->env.conf->ttl / 4,
		reg_report_cb) == NULL)
		r->env.calls.reported(r->env.calls.arg, false);
}

static void
reg_show_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	register_shown show = c->show;
	void *show_arg = c->show_arg;

	reg_call_free(c);
	if (ans->status == 200)
		show(show_arg, ans->body, NULL);
	else
		show(
		    show_arg, NULL, ans->status == 0 ? ans->reason : ans->body);
}

static void
reg_ask(struct reg_arbiter *r, const char *path, const char *body,
    register_shown done, void *arg)
{
	struct reg_call *c =
	    reg_post(r, path, xstrdup(body), USEC_SEC, reg_show_cb);

	if (c == NULL) {
		done(arg, NULL, "internal");
		return;
	}
	c->show = done;
	c->show_arg = arg;
}

static void
reg_show(void *reg, register_shown done, void *arg)
{
	reg_ask(reg, "/v1/read", "{\"wait_ms\":0}", done, arg);
}

static void
reg_adopt(void *reg, register_shown done, void *arg)
{
	reg_ask(reg, "/v1/adopt", "{}", done, arg);
}

const struct register_ops register_arbiter = {
	.new = reg_new,
	.free = reg_free,
	.start = reg_start,
	.read = reg_read,
	.cas = reg_cas,
	.report = reg_report,
	.show = reg_show,
	.adopt = reg_adopt,
};
