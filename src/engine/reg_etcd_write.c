/*
 * Writes of the key. One is sent again, the identical one, to the next member,
 * until one of them says what became of it or the core's own rhythm takes over;
 * a time-out, an error and an answer of another cluster are the same: unknown.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/crash.h"
#include "engine/reg_etcd.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

static void etcd_write_send(struct reg_etcd *r);
static void etcd_write_cb(void *arg, const struct etcd_reply *reply);
static void etcd_write_again(struct reg_etcd *r);

void
etcd_write_free(struct reg_etcd *r)
{
	etcd_net_cancel(r->write.call);
	free(r->write.body);
	free(r->write.text);
}

/* The core's, for as long as the read is fresh by which it gave it. */
usec_t
etcd_write_until(const struct reg_etcd *r, enum write_kind kind)
{
	return kind == WRITE_CAS ? r->read_at + CAS_FRESH :
				   clock_now().raw + etcd_deadline(r);
}

void
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
	w->until = etcd_write_until(r, kind);
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

void
etcd_write_due_cb(void *arg)
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
	if (!reply->ok) {
		etcd_write_again(r);
		return;
	}
	if (etcd_put_parse(&v, &taken, r->key, reply->body, reply->len,
		&r->env.conf->names, &err) != 0) {
		etcd_net_refuse(r->net, reply->member);
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
	if (!etcd_is_ours(r, reply->member, &v)) {
		etcd_view_fini(&v);
		etcd_write_again(r);
		return;
	}
	etcd_take(r, &v, reply->sent);
	etcd_write_end(r, CAS_CONFLICT, 0, "");
}

void
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
