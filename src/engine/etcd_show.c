/*
 * One question a member, all at once, and one answer when all have ended.
 */
#include "engine/etcd_show.h"

#include <stdlib.h>
#include <string.h>

#include "engine/etcd_text.h"
#include "engine/wire.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define SHOW_DEADLINE (700 * USEC_MSEC)

struct show_member {
	struct show_one *one;
	int number;
	struct etcd_call *call;
	struct etcd_view view;
	char why[200];
};

struct show_one {
	TAILQ_ENTRY(show_one) entry;
	struct etcd_show *show;
	int waiting;
	register_shown done;
	void *arg;
	struct show_member member[CONF_LIST_MAX];
};

struct etcd_show {
	struct etcd_net *net;
	const char *key;
	const struct names *names;
	TAILQ_HEAD(, show_one) ones;
};

static void show_cb(void *arg, const struct etcd_reply *reply);
static void show_end(struct show_one *one);
static void show_free(struct show_one *one);
static char *show_text(struct show_one *one, const struct etcd_view *best);

struct etcd_show *
etcd_show_new(struct etcd_net *net, const char *key, const struct names *names)
{
	struct etcd_show *s = xcalloc(1, sizeof(*s));

	s->net = net;
	s->key = key;
	s->names = names;
	TAILQ_INIT(&s->ones);
	return s;
}

void
etcd_show_free(struct etcd_show *s)
{
	struct show_one *one;
	int i;

	while ((one = TAILQ_FIRST(&s->ones)) != NULL) {
		for (i = 0; i < etcd_net_members(s->net); i++)
			etcd_net_cancel(one->member[i].call);
		show_free(one);
	}
	free(s);
}

void
etcd_show_start(struct etcd_show *s, register_shown done, void *arg)
{
	struct show_one *one = xcalloc(1, sizeof(*one));
	struct etcd_request req = { .path = "/v3/kv/range",
		.deadline = SHOW_DEADLINE };
	char *body = etcd_range_str(s->key);
	struct show_member *m;
	int i;

	one->show = s;
	one->done = done;
	one->arg = arg;
	TAILQ_INSERT_TAIL(&s->ones, one, entry);
	req.body = body;
	for (i = 0; i < etcd_net_members(s->net); i++) {
		m = &one->member[i];
		m->one = one;
		m->number = i;
		req.member = i;
		m->call = etcd_net_post(s->net, &req, show_cb, m);
		if (m->call == NULL)
			str_cut(m->why, sizeof(m->why), etcd_net_why(s->net));
		else
			one->waiting++;
	}
	free(body);
	if (one->waiting == 0)
		show_end(one);
}

static void
show_cb(void *arg, const struct etcd_reply *reply)
{
	struct show_member *m = arg;
	struct etcd_show *s = m->one->show;
	struct error err;

	m->call = NULL;
	if (!reply->ok)
		str_cut(m->why, sizeof(m->why), reply->why);
	else if (etcd_range_parse(&m->view, s->key, reply->body, reply->len,
		     s->names, &err) != 0)
		str_cut(m->why, sizeof(m->why), err.msg);
	if (--m->one->waiting == 0)
		show_end(m->one);
}

/* The newest view of the cluster that the first one to answer is of. */
static void
show_end(struct show_one *one)
{
	const struct etcd_view *best = NULL, *view;
	register_shown done = one->done;
	void *arg = one->arg;
	char *text = NULL, *why;
	int i;

	for (i = 0; i < etcd_net_members(one->show->net); i++) {
		view = &one->member[i].view;
		if (one->member[i].why[0] == '\0' &&
		    (best == NULL || view->revision > best->revision))
			best = view;
	}
	if (best != NULL)
		text = show_text(one, best);
	why = xstrdup(one->member[0].why);
	show_free(one);
	done(arg, text, text == NULL ? why : NULL);
	free(text);
	free(why);
}

static void
show_free(struct show_one *one)
{
	int i;

	for (i = 0; i < CONF_LIST_MAX; i++)
		etcd_view_fini(&one->member[i].view);
	TAILQ_REMOVE(&one->show->ones, one, entry);
	free(one);
}

static char *
show_text(struct show_one *one, const struct etcd_view *best)
{
	struct etcd_show *s = one->show;
	char *text = wire_value_str(&best->image.value, s->names);
	struct error err;
	json_t *obj = json_read(text, strlen(text), &err);
	json_t *list = json_array(), *item;
	const struct show_member *m;
	int i;

	free(text);
	json_put_string(obj, "type", "etcd");
	json_put_string(obj, "key", s->key);
	for (i = 0; i < etcd_net_members(s->net); i++) {
		m = &one->member[i];
		item = json_object();
		json_put_string(item, "member", etcd_net_member(s->net, i));
		json_put_bool(item, "answers", m->why[0] == '\0');
		json_put_string(item, "why", m->why);
		json_put_string(item, "cluster", m->view.cluster);
		json_put_u64(item, "revision", m->view.revision);
		json_put_u64(item, "head", m->view.head);
		json_array_append_new(list, item);
	}
	json_put(obj, "members", list);
	return json_take_text(obj);
}
