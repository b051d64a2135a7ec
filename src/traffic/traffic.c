/*
 * The balancers that this node steers: which of them a run asks, all endpoints
 * side by side, each balancer within its time; what came of it, and the events
 * of a change. How a balancer is spoken to is its provider's.
 */
#include "hawatch/traffic.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "traffic/provider.h"

struct balancer {
	struct traffic *traffic;
	const struct conf_traffic *conf;
	const struct traffic_ops *ops;
	struct timer *deadline;
	int part_count;
	struct traffic_part part[CONF_LIST_MAX];
	bool running;
	bool failed; /* said, and not yet well again */
	enum answer ok;
	char reason[TRAFFIC_REASON_MAX + 128]; /* "SOCKET: why" */
	usec_t seen_at;
	nodeset_t in, out;
};

struct traffic {
	struct loop *loop;
	const struct conf *conf;
	int count;
	struct balancer balancer[CONF_TRAFFIC_MAX];
	struct timer *end; /* done is called from a turn of its own */
	void (*done)(void *arg, enum answer ans, const char *reason);
	void *arg;
};

static const struct traffic_ops *const traffic_providers[] = {
	&traffic_haproxy,
};

static const struct traffic_ops *traffic_provider(const char *type);
static void balancer_init(
    struct balancer *b, struct traffic *t, const struct conf_traffic *conf);
static void balancer_fini(struct balancer *b);
static void balancer_start(struct balancer *b, const struct traffic_goal *goal);
static void balancer_cancel(struct balancer *b);
static void balancer_late_cb(void *arg);
static void balancer_step(struct balancer *b);
static void balancer_result(struct balancer *b);
static void balancer_say(struct balancer *b);
static void traffic_end_cb(void *arg);

struct traffic *
traffic_new(struct loop *loop, const struct conf *conf)
{
	struct traffic *t = xcalloc(1, sizeof(*t));
	int i;

	t->loop = loop;
	t->conf = conf;
	t->end = timer_new(loop, traffic_end_cb, t);
	/* A witness holds nothing and has no balancer of its own. */
	if (conf->node[conf->self].role != ROLE_DATA)
		return t;
	for (i = 0; i < conf->traffic_count; i++)
		balancer_init(&t->balancer[i], t, &conf->traffic[i]);
	t->count = conf->traffic_count;
	return t;
}

void
traffic_free(struct traffic *t)
{
	int i;

	if (t == NULL)
		return;
	traffic_cancel(t);
	for (i = 0; i < t->count; i++)
		balancer_fini(&t->balancer[i]);
	timer_free(t->end);
	free(t);
}

void
traffic_run(struct traffic *t, const struct traffic_goal *goal,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	int i;

	traffic_cancel(t);
	t->done = done;
	t->arg = arg;
	for (i = 0; i < t->count; i++)
		balancer_start(&t->balancer[i], goal);
	timer_arm(t->end, 0);
}

void
traffic_cancel(struct traffic *t)
{
	int i;

	for (i = 0; i < t->count; i++)
		balancer_cancel(&t->balancer[i]);
	timer_disarm(t->end);
}

int
traffic_count(const struct traffic *t)
{
	return t->count;
}

void
traffic_state(const struct traffic *t, int i, struct traffic_state *out)
{
	const struct balancer *b;

	assert(i >= 0 && i < t->count);
	b = &t->balancer[i];
	out->name = b->conf->name;
	out->ok = b->ok;
	out->reason = b->reason;
	out->seen_at = b->seen_at;
	out->in = b->in;
	out->out = b->out;
}

void
traffic_part_done(struct traffic_part *p, enum answer ans, const char *reason)
{
	assert(p->running);
	p->running = false;
	p->ans = ans;
	str_cut(p->reason, sizeof(p->reason), ans == ANS_YES ? "" : reason);
	balancer_step(p->balancer);
}

void
traffic_part_changed(struct traffic_part *p, const char *what)
{
	char text[TRAFFIC_REASON_MAX + 128];

	(void)snprintf(text, sizeof(text), "%s: %s", p->endpoint, what);
	EMIT(traffic_change, kv_s("name", p->lb->name), kv_s("what", text));
}

static const struct traffic_ops *
traffic_provider(const char *type)
{
	size_t i;

	for (i = 0;
	     i < sizeof(traffic_providers) / sizeof(traffic_providers[0]); i++)
		if (strcmp(traffic_providers[i]->name, type) == 0)
			return traffic_providers[i];
	/* The schema knows the same words. */
	abort();
}

static void
balancer_init(
    struct balancer *b, struct traffic *t, const struct conf_traffic *conf)
{
	struct traffic_part *p;

	b->traffic = t;
	b->conf = conf;
	b->ops = traffic_provider(conf->type);
	b->deadline = timer_new(t->loop, balancer_late_cb, b);
	while (conf->sockets[b->part_count] != NULL) {
		p = &b->part[b->part_count];
		p->loop = t->loop;
		p->conf = t->conf;
		p->lb = conf;
		p->endpoint = conf->sockets[b->part_count];
		p->priv = xcalloc(1, b->ops->priv_size);
		p->balancer = b;
		b->part_count++;
	}
}

static void
balancer_fini(struct balancer *b)
{
	int i;

	for (i = 0; i < b->part_count; i++)
		free(b->part[i].priv);
	timer_free(b->deadline);
}

static void
balancer_start(struct balancer *b, const struct traffic_goal *goal)
{
	struct traffic_part *p;
	struct error err;
	int i;

	if (b->conf->from == FROM_HOLDER && !goal->holder) {
		/* Another node's business: what was seen here grows old. */
		b->ok = ANS_UNKNOWN;
		b->reason[0] = '\0';
		b->failed = false;
		return;
	}
	b->running = true;
	timer_arm(b->deadline, b->conf->timeout);
	/* All run before the first can end, so that none ends the balancer. */
	for (i = 0; i < b->part_count; i++) {
		p = &b->part[i];
		p->goal = *goal;
		p->look = b->traffic->conf->mode == MODE_OBSERVE;
		p->doing = "connect";
		p->in = p->out = 0;
		p->seen = false;
		p->running = true;
	}
	for (i = 0; i < b->part_count; i++)
		if (b->ops->start(&b->part[i], &err) == -1)
			traffic_part_done(&b->part[i], ANS_UNKNOWN, err.msg);
}

static void
balancer_cancel(struct balancer *b)
{
	int i;

	for (i = 0; i < b->part_count; i++)
		if (b->part[i].running) {
			b->ops->cancel(&b->part[i]);
			b->part[i].running = false;
		}
	timer_disarm(b->deadline);
	b->running = false;
}

static void
balancer_late_cb(void *arg)
{
	struct balancer *b = arg;
	char limit[USEC_STR_MAX];
	struct traffic_part *p;
	int i;

	for (i = 0; i < b->part_count; i++) {
		p = &b->part[i];
		if (!p->running)
			continue;
		b->ops->cancel(p);
		p->running = false;
		p->ans = ANS_UNKNOWN;
		(void)snprintf(p->reason, sizeof(p->reason),
		    "no answer within %s to: %s",
		    usec_str(b->conf->timeout, limit), p->doing);
	}
	balancer_step(b);
}

static void
balancer_step(struct balancer *b)
{
	int i;

	for (i = 0; i < b->part_count; i++)
		if (b->part[i].running)
			return;
	timer_disarm(b->deadline);
	b->running = false;
	balancer_result(b);
	balancer_say(b);
	timer_arm(b->traffic->end, 0);
}

/* Several sockets are one balancer of several processes: a node that is in at
 * one of them still gets something. */
static void
balancer_result(struct balancer *b)
{
	const struct traffic_part *p, *wrong = NULL;
	nodeset_t in = 0, out = 0;
	bool seen = false;
	int i;

	b->ok = ANS_YES;
	b->reason[0] = '\0';
	for (i = 0; i < b->part_count; i++) {
		p = &b->part[i];
		seen = seen || p->seen;
		in |= p->in;
		out |= p->out;
		if (p->ans == ANS_YES)
			continue;
		if (wrong == NULL)
			wrong = p;
		if (b->ok != ANS_NO)
			b->ok = p->ans;
	}
	if (wrong != NULL)
		(void)snprintf(b->reason, sizeof(b->reason), "%s: %s",
		    wrong->endpoint, wrong->reason);
	if (!seen)
		return;
	b->in = in;
	b->out = out & ~in;
	b->seen_at = clock_now().raw;
}

static void
balancer_say(struct balancer *b)
{
	bool failed = b->ok != ANS_YES;

	if (failed == b->failed)
		return;
	b->failed = failed;
	if (failed)
		EMIT(traffic_failed, kv_s("name", b->conf->name),
		    kv_s("reason", b->reason));
	else
		EMIT(traffic_change, kv_s("name", b->conf->name),
		    kv_s("what", "as wanted again"));
}

static void
traffic_end_cb(void *arg)
{
	struct traffic *t = arg;
	const struct balancer *wrong = NULL, *b;
	char reason[TRAFFIC_REASON_MAX + 256] = "";
	int i;

	for (i = 0; i < t->count; i++) {
		b = &t->balancer[i];
		/* The last to end arms the timer again. */
		if (b->running)
			return;
		if (wrong == NULL && b->reason[0] != '\0')
			wrong = b;
	}
	if (wrong != NULL)
		(void)snprintf(reason, sizeof(reason), "traffic %s: %s",
		    wrong->conf->name, wrong->reason);
	t->done(t->arg, wrong == NULL ? ANS_YES : ANS_UNKNOWN, reason);
}
