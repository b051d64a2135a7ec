/*
 * One stream of JSON lines from one member, begun anew when it ends.
 */
#include "engine/etcd_watch.h"

#include <stdlib.h>
#include <string.h>

#include "engine/etcd_text.h"
#include "hawatch/mem.h"

#define WATCH_LINE_MAX ((size_t)64 * 1024)
#define WATCH_LIFE (10 * 60 * USEC_SEC)
#define WATCH_AGAIN (200 * USEC_MSEC)

struct etcd_watch {
	struct etcd_net *net;
	const char *key;
	struct etcd_call *call;
	struct timer *timer; /* to begin anew, or to tell */
	char *line;
	size_t len;
	bool told, broken;
	bool fresh, unsure; /* since when it has heard all */
	uint64_t head;
	void (*changed)(void *arg, uint64_t head);
	void *arg;
};

static void watch_due_cb(void *arg);
static void watch_part_cb(void *arg, const char *data, size_t len);
static void watch_done_cb(void *arg, const struct etcd_reply *reply);

struct etcd_watch *
etcd_watch_new(struct loop *loop, struct etcd_net *net, const char *key,
    void (*changed)(void *arg, uint64_t head), void *arg)
{
	struct etcd_watch *w = xcalloc(1, sizeof(*w));

	w->net = net;
	w->key = key;
	w->changed = changed;
	w->arg = arg;
	w->timer = timer_new(loop, watch_due_cb, w);
	w->line = xcalloc(1, WATCH_LINE_MAX);
	return w;
}

void
etcd_watch_free(struct etcd_watch *w)
{
	if (w == NULL)
		return;
	etcd_net_cancel(w->call);
	timer_free(w->timer);
	free(w->line);
	free(w);
}

void
etcd_watch_start(struct etcd_watch *w)
{
	struct etcd_request req = { .member = ETCD_GOOD,
		.path = "/v3/watch",
		.deadline = WATCH_LIFE,
		.part = watch_part_cb };
	char *body = etcd_watch_str(w->key);

	etcd_net_cancel(w->call);
	w->len = 0;
	w->broken = false;
	w->fresh = true;
	req.body = body;
	w->call = etcd_net_post(w->net, &req, watch_done_cb, w);
	free(body);
	if (w->call == NULL)
		timer_arm(w->timer, WATCH_AGAIN);
}

/* What came in pieces is looked at when libcurl has returned: nothing may be
 * asked or cancelled while it is at it. */
static void
watch_part_cb(void *arg, const char *data, size_t len)
{
	struct etcd_watch *w = arg;
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] != '\n') {
			if (w->len == WATCH_LINE_MAX) {
				w->broken = true;
				break;
			}
			w->line[w->len++] = data[i];
			continue;
		}
		w->told = true;
		if (!etcd_watch_parse(w->line, w->len, &w->head))
			w->broken = true;
		/* What came before it began is known to nobody. */
		if (w->broken || w->fresh)
			w->unsure = true;
		w->fresh = false;
		w->len = 0;
	}
	if (w->told || w->broken)
		timer_arm(w->timer, w->broken ? WATCH_AGAIN : 0);
}

static void
watch_due_cb(void *arg)
{
	struct etcd_watch *w = arg;
	bool told = w->told, unsure = w->unsure;

	w->told = w->unsure = false;
	if (w->call == NULL || w->broken)
		etcd_watch_start(w);
	if (told)
		w->changed(w->arg, unsure ? 0 : w->head);
}

static void
watch_done_cb(void *arg, const struct etcd_reply *reply)
{
	struct etcd_watch *w = arg;

	w->call = NULL;
	timer_arm(w->timer, WATCH_AGAIN);
}
