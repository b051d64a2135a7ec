/*
 * The register in a cluster of etcd: one key, read linearizably, written by a
 * transaction that replaces exactly what was seen.
 *
 * A read comes every T/5 and with each hint of the watch. What becomes of a
 * write is reg_etcd_write.c's.
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
#include "engine/reg_etcd.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define ETCD_REQUEST_MIN (150 * USEC_MSEC)
#define ETCD_REQUEST_MAX (250 * USEC_MSEC) /* shorter than CAS_FRESH */

static void etcd_poll_cb(void *arg);
static void etcd_changed_cb(void *arg, uint64_t head);
static void etcd_read_cb(void *arg, const struct etcd_reply *reply);
static void etcd_read_failed(struct reg_etcd *r, const char *why);

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
	etcd_which_init(&r->which, net, env->known);
	r->watch = etcd_watch_new(env->loop, net, r->key, etcd_changed_cb, r);
	r->show = etcd_show_new(net, r->key, &conf->names);
	r->poll = timer_new(env->loop, etcd_poll_cb, r);
	r->retry = timer_new(env->loop, etcd_write_due_cb, r);
	return r;
}

static void
etcd_free(void *reg)
{
	struct reg_etcd *r = reg;

	etcd_show_free(r->show);
	etcd_watch_free(r->watch);
	etcd_net_cancel(r->reading);
	etcd_write_free(r);
	etcd_net_free(r->net);
	etcd_view_fini(&r->view);
	timer_free(r->poll);
	timer_free(r->retry);
	free(r->key);
	free(r);
}

/* For one request to one member. */
usec_t
etcd_deadline(const struct reg_etcd *r)
{
	usec_t d = r->env.conf->ttl / 8;

	return d < ETCD_REQUEST_MIN ? ETCD_REQUEST_MIN :
	       d > ETCD_REQUEST_MAX ? ETCD_REQUEST_MAX :
				      d;
}

void
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

bool
etcd_is_ours(struct reg_etcd *r, int member, const struct etcd_view *v)
{
	if (etcd_which_is(&r->which, member, v->cluster))
		return true;
	/* The watch may be there, too, and count otherwise. */
	r->hint = 0;
	etcd_net_refuse(r->net, member);
	return false;
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
		etcd_net_refuse(r->net, reply->member);
		error_wrap(&err, "%s: %s",
		    etcd_net_member(r->net, reply->member), r->key);
		etcd_read_failed(r, err.msg);
		return;
	}
	if (!etcd_is_ours(r, reply->member, &v)) {
		error_set(&err, ERR_REFUSED,
		    "%s is of cluster %s, and the register is in %s: is it a "
		    "member that was begun anew?",
		    etcd_net_member(r->net, reply->member), v.cluster,
		    r->which.cluster);
		etcd_view_fini(&v);
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
void
etcd_take(struct reg_etcd *r, struct etcd_view *v, usec_t sent)
{
	const struct register_calls *calls = &r->env.calls;

	if (sent > r->read_at)
		r->read_at = sent;
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
		r->write.until = etcd_write_until(r, WRITE_CAS);
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
