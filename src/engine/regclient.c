/*
 * Requests to the arbiter's engine, through its front. A reply that does not
 * come, or cannot be read, is an unknown outcome: never a "no".
 */
#include "engine/regclient.h"

#include <stdlib.h>
#include <string.h>

#include "engine/crash.h"
#include "engine/engine.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/http.h"
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
	struct regclient *r;
	struct http_call *http;
	usec_t sent;
	uint64_t id; /* of the CAS */
	bool poll;
	void (*show)(void *arg, const char *json, const char *why);
	void *show_arg;
};

struct regclient {
	struct engine *e;
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

struct regclient *
regclient_new(struct engine *e)
{
	struct regclient *r = xcalloc(1, sizeof(*r));

	r->e = e;
	TAILQ_INIT(&r->calls);
	r->again = timer_new(e->loop, reg_poll, r);
	return r;
}

static void
reg_call_free(struct reg_call *c)
{
	TAILQ_REMOVE(&c->r->calls, c, entry);
	free(c);
}

void
regclient_free(struct regclient *r)
{
	struct reg_call *c;

	if (r == NULL)
		return;
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
reg_post(struct regclient *r, const char *path, char *body, usec_t deadline,
    void (*done)(void *, const struct http_answer *))
{
	const struct conf *conf = r->e->conf;
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
	c->http = http_post(r->e->http, &req, done, c, &err);
	free(body);
	if (c->http == NULL) {
		reg_call_free(c);
		return NULL;
	}
	return c;
}

static void
reg_state(struct regclient *r, bool failing, const char *why)
{
	if (failing != r->failing) {
		r->failing = failing;
		if (failing)
			EMIT(register_lost, kv_s("reason", why));
		else
			EMIT(register_found, kv_s("instance", r->seen));
	}
}

/* A value, or a reason why there is none. */
static void
reg_value(struct regclient *r, usec_t sent, const struct http_answer *ans)
{
	struct now now = clock_now();
	struct reg_value v;
	struct error err;

	if (ans->status != 200 || wire_value_parse(&v, ans->body, ans->len,
				      &r->e->conf->names, &err) != 0) {
		if (ans->status == 200)
			error_wrap(&err, "what %s says",
			    r->e->conf->node[r->e->conf->arbiter].name);
		reg_state(r, true, ans->status == 200 ? err.msg : ans->reason);
		if (r->e->core != NULL)
			core_on_read_failed(r->e->core, &now);
		return;
	}
	str_cut(r->seen, sizeof(r->seen), v.instance);
	r->revision = v.revision;
	r->cold = v.cold;
	r->reported = v.reported;
	reg_state(r, false, "");
	if (r->e->core != NULL)
		core_on_read(r->e->core, &now, sent, &v);
}

static void
reg_poll_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct regclient *r = c->r;
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
	struct regclient *r = arg;
	usec_t wait = r->e->conf->ttl / 5;
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
	    r, "/v1/read", body, wait + r->e->conf->ttl / 4, reg_poll_cb);
	if (c == NULL)
		timer_arm(r->again, RETRY);
}

void
regclient_start(struct regclient *r)
{
	reg_poll(r);
}

static void
reg_read_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct regclient *r = c->r;
	usec_t sent = c->sent;

	reg_call_free(c);
	r->reading = false;
	reg_value(r, sent, ans);
}

void
regclient_read(struct regclient *r)
{
	if (r->reading)
		return;
	r->reading = reg_post(r, "/v1/read", xstrdup("{\"wait_ms\":0}"),
			 r->e->conf->ttl / 4, reg_read_cb) != NULL;
}

static void
reg_cas_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct regclient *r = c->r;
	struct now now;
	uint64_t id = c->id, revision = 0;
	char instance[ID_MAX] = "";
	enum cas_result res = CAS_UNKNOWN;
	struct error err;

	crash_point("cas-reply");
	now = clock_now();
	reg_call_free(c);
	if (ans->status == 200 && wire_result_parse(&res, &revision, instance,
				      ans->body, ans->len, &err) != 0)
		res = CAS_UNKNOWN;
	core_on_cas(r->e->core, &now, id, res, revision, instance);
}

void
regclient_cas(struct regclient *r, const struct do_cas *cas)
{
	struct reg_call *c;

	crash_point("cas-before");
	c = reg_post(r, "/v1/cas", wire_cas_str(cas, &r->e->conf->names),
	    r->e->conf->ttl / 2, reg_cas_cb);
	if (c != NULL)
		c->id = cas->id;
	crash_point("cas-sent");
}

static void
reg_report_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	struct regclient *r = c->r;
	struct now now = clock_now();

	reg_call_free(c);
	core_on_reported(r->e->core, &now, ans->status == 200);
}

void
regclient_report(
    struct regclient *r, const char *instance, uint64_t epoch, uint64_t seq)
{
	struct now now = clock_now();
	json_t *obj = json_object();
	char *body;

	json_put_string(obj, "instance", instance);
	json_put_u64(obj, "epoch", epoch);
	json_put_u64(obj, "seq", seq);
	body = json_text(obj);
	json_decref(obj);
	if (reg_post(r, "/v1/report", body, r->e->conf->ttl / 4,
		reg_report_cb) == NULL)
		core_on_reported(r->e->core, &now, false);
}

static void
reg_show_cb(void *arg, const struct http_answer *ans)
{
	struct reg_call *c = arg;
	void (*show)(void *, const char *, const char *) = c->show;
	void *show_arg = c->show_arg;

	reg_call_free(c);
	if (ans->status == 200)
		show(show_arg, ans->body, NULL);
	else
		show(
		    show_arg, NULL, ans->status == 0 ? ans->reason : ans->body);
}

static void
reg_show(struct regclient *r, const char *path, const char *body,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
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

void
regclient_show(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	reg_show(r, "/v1/read", "{\"wait_ms\":0}", done, arg);
}

void
regclient_adopt(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	reg_show(r, "/v1/adopt", "{}", done, arg);
}
