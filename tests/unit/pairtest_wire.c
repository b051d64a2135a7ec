/*
 * What is between the two hosts of the tests of their register, and between a
 * host and its core: HTTP without a network, a front without a process.
 */
#include "pairtest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/wire.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define CALLS ((uint64_t)1 << 32) /* numbers of what comes by the wire */

static uint64_t calls;
static TAILQ_HEAD(, http_call) wire = TAILQ_HEAD_INITIALIZER(wire);

/* A request on the wire. */
struct http_call {
	TAILQ_ENTRY(http_call) entry;
	struct pairhost *from, *to;
	uint64_t id;
	char *path, *body, *answer;
	usec_t deadline;
	enum { CALL_NEW, CALL_SENT, CALL_OVER } state;
	int status;
	struct timer *timer;
	void (*done)(void *arg, const struct http_answer *ans);
	void *arg;
};

void
http_cancel(struct http_call *call)
{
	TAILQ_REMOVE(&wire, call, entry);
	timer_free(call->timer);
	free(call->path);
	free(call->body);
	free(call->answer);
	free(call);
}

static void
call_end(struct http_call *call)
{
	const struct http_answer ans = { .status = call->status,
		.reason = call->status == 0 ? "timeout" : "ok",
		.message = "",
		.sent = call->state != CALL_NEW,
		.body = call->answer == NULL ? "" : call->answer,
		.len = call->answer == NULL ? 0 : strlen(call->answer) };
	void (*done)(void *arg, const struct http_answer *) = call->done;
	void *arg = call->arg;
	char *body = call->answer;

	call->answer = NULL;
	http_cancel(call);
	done(arg, &ans);
	free(body);
}

static void
call_cb(void *arg)
{
	struct http_call *call = arg;
	const struct front_request req = { .id = call->id,
		.peer = call->from->conf.node[call->from->self].name,
		.path = call->path,
		.body = call->body,
		.len = strlen(call->body) };

	if (call->state != CALL_NEW || call->to->wire == WIRE_DOWN ||
	    call->to->e.copy == NULL) {
		call_end(call);
		return;
	}
	call->state = CALL_SENT;
	timer_arm(call->timer, call->deadline);
	assert_true(
	    pair_server_request(call->to->e.copy, call->from->self, &req));
}

struct http_call *
http_post(struct http *h, const struct http_request *req,
    void (*done)(void *arg, const struct http_answer *ans), void *arg,
    struct error *err)
{
	struct pairhost *from = (struct pairhost *)h;
	struct http_call *call;

	if (from->no_calls) {
		(void)error_set(err, ERR_LIMIT, "no calls");
		return NULL;
	}
	call = xcalloc(1, sizeof(*call));
	call->from = from;
	call->to = &pt.host[!from->self];
	assert_string_equal(req->name, call->to->conf.node[!from->self].name);
	if (strstr(req->body, "\"revision\"") != NULL &&
	    strcmp(req->path, "/v1/read") == 0)
		str_cut(from->polled, sizeof(from->polled), req->body);
	call->id = CALLS + ++calls;
	call->path = xstrdup(req->path);
	call->body = xstrdup(req->body);
	call->deadline = req->deadline;
	call->done = done;
	call->arg = arg;
	call->timer = timer_new(pt.loop, call_cb, call);
	timer_arm(call->timer, 0);
	TAILQ_INSERT_TAIL(&wire, call, entry);
	return call;
}

static void
answer(uint64_t id, int status, const char *json)
{
	struct pairanswer *a;
	struct names *names = &pt.host[0].conf.names;
	char instance[ID_MAX];
	uint64_t revision;
	struct error err;

	assert_true(id < (uint64_t)pt.asked);
	a = &pt.answer[id];
	assert_int_equal(a->status, 0);
	a->status = status;
	str_cut(a->json, sizeof(a->json), json);
	if (status != 200)
		assert_non_null(strstr(json, "\"error\""));
	else if (strstr(json, "\"result\"") != NULL)
		assert_int_equal(wire_result_parse(&a->res, &revision, instance,
				     json, strlen(json), &err),
		    0);
	else
		assert_int_equal(wire_value_parse(&a->value, json, strlen(json),
				     names, &err),
		    0);
}

void
frontlink_reply(struct frontlink *l, uint64_t id, int status, const char *json)
{
	const struct pairhost *h = (const struct pairhost *)l;
	struct http_call *call;

	if (id < CALLS) {
		answer(id, status, json);
		return;
	}
	TAILQ_FOREACH(call, &wire, entry) {
		if (call->id != id || h->wire == WIRE_MUTE)
			continue;
		assert_ptr_equal(call->to, h);
		assert_int_equal(call->state, CALL_SENT);
		call->state = CALL_OVER;
		call->status = status;
		call->answer = xstrdup(json);
		timer_arm(call->timer, 0);
	}
}

/* What the copy asks of the core. */
void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	const struct pairhost *h = (const struct pairhost *)c;

	memset(st, 0, sizeof(*st));
	st->durable = h->has_seen ? &h->seen : NULL;
}

void
core_on_heard(struct core *c, const struct now *now, node_t node)
{
	struct pairhost *h = (struct pairhost *)c;

	assert_int_equal(node, !h->self);
	h->heard++;
}

void
pairtest_wire(struct pairhost *h, enum wire how)
{
	struct http_call *call;

	h->wire = how;
	TAILQ_FOREACH(call, &wire, entry) {
		if (call->to != h || call->state != CALL_SENT)
			continue;
		call->state = CALL_OVER;
		timer_arm(call->timer, 0);
	}
}

void
pairtest_wire_end(void)
{
	while (!TAILQ_EMPTY(&wire))
		http_cancel(TAILQ_FIRST(&wire));
}

int
pairtest_calls(const struct pairhost *h)
{
	struct http_call *call;
	int n = 0;

	TAILQ_FOREACH(call, &wire, entry)
		n += call->from == h;
	return n;
}
