/*
 * The register in a cluster of etcd: one key, read linearizably, written by a
 * transaction that replaces exactly what was seen.
 *
 * A read comes every T/5 and with each hint of the watch. A write is sent
 * again, the identical one, to the next member, until one of them says what
 * became of it or the core's own rhythm takes over; a time-out, an error and
 * an answer of another cluster are the same: unknown.
 *
 * When the cluster is another one than the record was written to (it was put
 * back from a copy) or there is no key, the register is cold. What a cold
 * register demands is arbiter.c's matter here, too: whoever reports, adopts or
 * writes anew applies it to what was seen, and writes the result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/crash.h"
#include "engine/etcd_net.h"
#include "engine/etcd_show.h"
#include "engine/etcd_text.h"
#include "engine/etcd_watch.h"
#include "engine/register.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ETCD_RETRY (100 * USEC_MSEC)
#define ETCD_REQUEST_MIN (150 * USEC_MSEC)
#define ETCD_REQUEST_MAX (400 * USEC_MSEC)

enum write_kind { WRITE_NONE, WRITE_CAS, WRITE_REPORT, WRITE_ADOPT };

/* The one write under way. */
struct etcd_write {
	enum write_kind kind;
	struct etcd_call *call;
	usec_t until; /* after that the core may say again what it wants */
	struct do_cas cas;
	struct arbiter next;  /* what it makes of the register */
	char *body, *text;    /* of the request; of the key */
	char cluster[ID_MAX]; /* that it is meant for */
	register_shown done;  /* adopt */
	void *done_arg;
};

struct reg_etcd {
	struct register_env env;
	nodeset_t data;
	char *key;
	struct etcd_net *net;
	struct etcd_watch *watch;
	struct etcd_show *show;
	struct timer *poll, *retry; /* reads; the write */
	struct etcd_call *reading;
	bool again; /* a read was wanted while one was under way */
	bool seen;
	struct etcd_view view; /* what was seen last */
	int failures;	       /* one after another */
	uint64_t hint;	       /* the watch told of that revision */
	int deaf;	       /* reads in a row that it had not told of */
	struct etcd_write write;
};

static void etcd_poll_cb(void *arg);
static void etcd_retry_cb(void *arg);
static void etcd_changed_cb(void *arg, uint64_t head);
static void etcd_read_cb(void *arg, const struct etcd_reply *reply);
static void etcd_read_failed(struct reg_etcd *r, const char *why);
static void etcd_take(struct reg_etcd *r, struct etcd_view *v, usec_t sent);
static void etcd_write_begin(
    struct reg_etcd *r, enum write_kind kind, const struct arbiter *next);
static void etcd_write_send(struct reg_etcd *r);
static void etcd_write_cb(void *arg, const struct etcd_reply *reply);
static void etcd_write_again(struct reg_etcd *r);
static void etcd_write_end(struct reg_etcd *r, enum cas_result res,
    uint64_t revision, const char *instance);

static void *
etcd_new(const struct register_env *env, struct error *err)
{
	const struct conf *conf = env->conf;
	struct etcd_net *net =
	    etcd_net_new(env->loop, env->http, &conf->reg, err);
	struct reg_etcd *r;

	if (net == NULL)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->env = *env;
	r->data = conf_data_nodes(conf);
	r->key = xasprintf("%s%s", conf->reg.prefix, conf->cluster);
	r->net = net;
	r->watch = etcd_watch_new(env->loop, net, r->key, etcd_changed_cb, r);
	r->show = etcd_show_new(net, r->key, &conf->names);
	r->poll = timer_new(env->loop, etcd_poll_cb, r);
	r->retry = timer_new(env->loop, etcd_retry_cb, r);
	return r;
}

static void
etcd_free(void *reg)
{
	struct reg_etcd *r = reg;

	etcd_show_free(r->show);
	etcd_watch_free(r->watch);
	etcd_net_cancel(r->reading);
	etcd_net_cancel(r->write.call);
	free(r->write.body);
	free(r->write.text);
	etcd_net_free(r->net);
	etcd_view_fini(&r->view);
	timer_free(r->poll);
	timer_free(r->retry);
	free(r->key);
	free(r);
}

/* For one request to one member. */
static usec_t
etcd_deadline(const struct reg_etcd *r)
{
	usec_t d = r->env.conf->ttl / 8;

	return d < ETCD_REQUEST_MIN ? ETCD_REQUEST_MIN :
	       d > ETCD_REQUEST_MAX ? ETCD_REQUEST_MAX :
				      d;
}

static void
etcd_read(void *reg)
{
	struct reg_etcd *r = reg;
	struct etcd_request req = { .member = ETCD_GOOD,
		.path = "/v3/kv/range",
		.deadline = etcd_deadline(r) };
	char *body;

	if (r->reading != NULL) {
		r->again = true;
		return;
	}
	body = etcd_range_str(r->key);
	req.body = body;
	r->reading = etcd_net_post(r->net, &req, etcd_read_cb, r);
	free(body);
	if (r->reading == NULL)
		etcd_read_failed(r, etcd_net_why(r->net));
}

static void
etcd_start(void *reg)
{
	struct reg_etcd *r = reg;

	etcd_watch_start(r->watch);
	etcd_read(r);
}

static void
etcd_poll_cb(void *arg)
{
	etcd_read(arg);
}

static void
etcd_changed_cb(void *arg, uint64_t head)
{
	struct reg_etcd *r = arg;

	r->deaf = 0;
	r->hint = head;
	if (head == 0 || head > r->view.head)
		etcd_read(r);
}

static void
etcd_read_cb(void *arg, const struct etcd_reply *reply)
{
	struct reg_etcd *r = arg;
	struct etcd_view v;
	struct error err;

	r->reading = NULL;
	if (!reply->ok) {
		etcd_read_failed(r, reply->why);
		return;
	}
	if (etcd_range_parse(&v, r->key, reply->body, reply->len,
		&r->env.conf->names, &err) != 0) {
		error_wrap(&err, "%s", r->key);
		etcd_read_failed(r, err.msg);
		return;
	}
	r->failures = 0;
	/* A watch that told nothing of it is of a member that is cut off. */
	if (v.revision > r->view.revision && r->hint < v.revision) {
		if (r->seen && ++r->deaf > 1) {
			r->deaf = 0;
			etcd_watch_start(r->watch);
		}
	}
	timer_arm(r->poll, r->env.conf->ttl / 5);
	etcd_take(r, &v, reply->sent);
	if (r->again) {
		r->again = false;
		etcd_read(r);
	}
}

/* One member that does not answer is not the register's loss. */
static void
etcd_read_failed(struct reg_etcd *r, const char *why)
{
	const struct register_calls *calls = &r->env.calls;
	int members = etcd_net_members(r->net);

	r->again = false;
	if (++r->failures < members) {
		timer_arm(r->poll, 0);
		return;
	}
	timer_arm(r->poll, ETCD_RETRY);
	calls->failed(calls->arg, why);
}

/* Takes v. */
static void
etcd_take(struct reg_etcd *r, struct etcd_view *v, usec_t sent)
{
	const struct register_calls *calls = &r->env.calls;

	/* What was asked for before a write that has been confirmed since may
	 * be older than it; the core says which it believes. */
	if (strcmp(v->cluster, r->view.cluster) != 0 ||
	    v->head >= r->view.head || v->revision >= r->view.revision) {
		etcd_view_fini(&r->view);
		r->view = *v;
		r->seen = true;
		calls->value(calls->arg, sent, &r->view.image.value);
		return;
	}
	calls->value(calls->arg, sent, &v->image.value);
	etcd_view_fini(v);
}

static void
etcd_cas(void *reg, const struct do_cas *cas)
{
	struct reg_etcd *r = reg;
	const struct register_calls *calls = &r->env.calls;
	struct arbiter next;
	enum cas_result res = CAS_UNKNOWN;
	bool changed = false;

	crash_point("cas-before");
	if (r->write.kind == WRITE_CAS && r->write.cas.id == cas->id) {
		r->write.until = clock_now().raw + etcd_deadline(r);
		return;
	}
	/* It is a report, or a person's: what became of it, a read tells. */
	if (r->write.kind != WRITE_NONE && r->write.kind != WRITE_CAS) {
		etcd_net_cancel(r->write.call);
		etcd_write_end(r, CAS_UNKNOWN, 0, "");
	}
	/* From behind a silence nobody writes: the cluster may have been put
	 * back in it, and is read first. */
	if (r->seen && r->failures < etcd_net_members(r->net))
		res =
		    arbiter_cas(&r->view.image, cas, r->data, &next, &changed);
	if (!changed) {
		calls->written(calls->arg, cas->id, res, r->view.revision,
		    r->view.cluster);
		return;
	}
	r->write.cas = *cas;
	etcd_write_begin(r, WRITE_CAS, &next);
	crash_point("cas-sent");
}

static void
etcd_report(void *reg, const char *instance, uint64_t epoch, uint64_t seq)
{
	struct reg_etcd *r = reg;
	const struct register_calls *calls = &r->env.calls;
	struct arbiter next;

	if (!r->seen || r->write.kind != WRITE_NONE ||
	    !arbiter_report(&r->view.image, r->env.conf->self, instance, epoch,
		seq, r->data, &next)) {
		calls->reported(calls->arg, false);
		return;
	}
	etcd_write_begin(r, WRITE_REPORT, &next);
}

static void
etcd_show(void *reg, register_shown done, void *arg)
{
	struct reg_etcd *r = reg;

	etcd_show_start(r->show, done, arg);
}

static void
etcd_adopt(void *reg, register_shown done, void *arg)
{
	struct reg_etcd *r = reg;
	struct arbiter next;

	if (!r->seen || r->failures > 0) {
		done(arg, NULL, etcd_net_why(r->net));
		return;
	}
	if (!arbiter_adopt(&r->view.image, &next)) {
		done(arg, NULL,
		    "{\"error\": \"it is warm: there is nothing to adopt\"}");
		return;
	}
	if (r->write.kind != WRITE_NONE) {
		done(arg, NULL, "{\"error\": \"a write is under way\"}");
		return;
	}
	r->write.done = done;
	r->write.done_arg = arg;
	etcd_write_begin(r, WRITE_ADOPT, &next);
}

/* next in the place of what was seen. An earlier write of the core's is left to
 * itself: it has given it up. */
static void
etcd_write_begin(
    struct reg_etcd *r, enum write_kind kind, const struct arbiter *next)
{
	struct etcd_write *w = &r->write;

	etcd_net_cancel(w->call);
	free(w->body);
	free(w->text);
	w->kind = kind;
	w->next = *next;
	w->text = etcd_image_str(next, &r->env.conf->names);
	w->body = etcd_put_str(r->key, &r->view, w->text);
	str_cut(w->cluster, sizeof(w->cluster), r->view.cluster);
	w->until = clock_now().raw + etcd_deadline(r);
	etcd_write_send(r);
}

static void
etcd_write_send(struct reg_etcd *r)
{
	struct etcd_write *w = &r->write;
	const struct etcd_request req = { .member = ETCD_GOOD,
		.path = "/v3/kv/txn",
		.body = w->body,
		.deadline = etcd_deadline(r) };

	w->call = etcd_net_post(r->net, &req, etcd_write_cb, r);
	if (w->call == NULL)
		timer_arm(r->retry, ETCD_RETRY / 2);
}

static void
etcd_retry_cb(void *arg)
{
	struct reg_etcd *r = arg;

	if (r->write.kind == WRITE_NONE || r->write.call != NULL)
		return;
	if (clock_now().raw < r->write.until)
		etcd_write_send(r);
	else
		etcd_write_end(r, CAS_UNKNOWN, 0, "");
}

static void
etcd_write_again(struct reg_etcd *r)
{
	timer_arm(r->retry, ETCD_RETRY / 2);
}

/* The write stands; what it was sent for is the view now. */
static void
etcd_written(struct reg_etcd *r, const struct etcd_view *v)
{
	struct etcd_write *w = &r->write;
	struct etcd_view now = *v;

	now.text = xstrdup(w->text);
	now.image = w->next;
	now.image.value.revision = v->revision;
	now.image.value.head = v->head;
	etcd_view_fini(&r->view);
	r->view = now;
	etcd_write_end(r, CAS_CONFIRMED, v->revision, v->cluster);
}

static void
etcd_write_cb(void *arg, const struct etcd_reply *reply)
{
	struct reg_etcd *r = arg;
	struct etcd_write *w = &r->write;
	struct etcd_view v;
	struct error err;
	bool taken = false, ours;

	if (w->kind == WRITE_CAS)
		crash_point("cas-reply");
	w->call = NULL;
	if (!reply->ok || etcd_put_parse(&v, &taken, r->key, reply->body,
			      reply->len, &r->env.conf->names, &err) != 0) {
		etcd_write_again(r);
		return;
	}
	ours = strcmp(v.cluster, w->cluster) == 0;
	if (taken && ours) {
		etcd_written(r, &v);
		return;
	}
	if (taken) {
		/* It landed where it was not meant to. */
		etcd_write_end(r, CAS_UNKNOWN, 0, "");
		etcd_read(r);
		return;
	}
	/* An earlier copy of it, whose answer was lost? */
	ours = ours && v.text != NULL && strcmp(v.text, w->text) == 0;
	if (ours) {
		etcd_written(r, &v);
		etcd_view_fini(&v);
		return;
	}
	etcd_take(r, &v, reply->sent);
	etcd_write_end(r, CAS_CONFLICT, 0, "");
}

static void
etcd_write_end(struct reg_etcd *r, enum cas_result res, uint64_t revision,
    const char *instance)
{
	const struct register_calls *calls = &r->env.calls;
	enum write_kind kind = r->write.kind;
	register_shown done = r->write.done;
	void *arg = r->write.done_arg;
	uint64_t id = r->write.cas.id;
	bool ok = res == CAS_CONFIRMED;

	free(r->write.body);
	free(r->write.text);
	r->write = (struct etcd_write){ 0 };
	switch (kind) {
	case WRITE_CAS:
		calls->written(calls->arg, id, res, revision, instance);
		break;
	case WRITE_REPORT:
		calls->reported(calls->arg, ok);
		break;
	case WRITE_ADOPT:
		if (ok)
			etcd_show_start(r->show, done, arg);
		else
			done(arg, NULL,
			    res == CAS_CONFLICT ?
				"{\"error\": \"it changed meanwhile\"}" :
				etcd_net_why(r->net));
		break;
	case WRITE_NONE:
		break;
	}
}

const struct register_ops register_etcd = {
	.new = etcd_new,
	.free = etcd_free,
	.start = etcd_start,
	.read = etcd_read,
	.cas = etcd_cas,
	.report = etcd_report,
	.show = etcd_show,
	.adopt = etcd_adopt,
};
