/*
 * The lines on their way to the disk, and questions about those that are there.
 * One thing at a time is done in the thread; what comes meanwhile waits here.
 * Lines of a second go together, so that a takeover is not made slower by its
 * own story.
 */
#include "engine/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hawatch/aside.h"
#include "hawatch/chain.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define HISTORY_WAIT USEC_SEC
#define HISTORY_REST (10 * USEC_SEC) /* after a failure */
#define HISTORY_PENDING 256
/* What repeats itself must not push out what matters. */
#define HISTORY_BURST 240
#define HISTORY_EVERY (10 * USEC_SEC)

/* The thread's, while it works. */
struct history_disk {
	struct chain *chain;
	char *path;
	char *text[HISTORY_PENDING];
	size_t n, done;
	bool failed;
	struct error err;
	struct history_query query;
	json_t *found;
};

struct history_question {
	TAILQ_ENTRY(history_question) entry;
	struct history_query query;
	void (*done)(void *arg, uint64_t id, const json_t *found);
	void *arg;
	uint64_t id;
};

/* So many, and one more from time to time. */
struct history_budget {
	unsigned left;
	usec_t at;
};

struct history {
	char node[NODE_NAME_MAX];
	struct aside *aside;
	struct history_disk *disk;
	char *text[HISTORY_PENDING];
	size_t n;
	unsigned dropped;
	usec_t due; /* raw; 0: nothing waits */
	bool told;  /* that it cannot be written */
	struct history_budget change, detail;
	TAILQ_HEAD(, history_question) questions;
};

/* What is in the history, and what only in the report of a takeover. Events of
 * the log that are not here are in neither. */
static const struct history_row {
	enum event_name ev;
	bool change;
} history_rows[] = {
	{ EMIT_order_taken, true },
	{ EMIT_node_latched, true },
	{ EMIT_plan_end, true },
	{ EMIT_takeover_loss, true },
	{ EMIT_standby_added, true },
	{ EMIT_standby_removed, true },
	{ EMIT_rogue_primary, true },
	{ EMIT_register_adopt, true },
	{ EMIT_fence_open, true },
	{ EMIT_fence_closed, true },
	{ EMIT_lease_lost, true },
	{ EMIT_postmaster_gone, true },
	{ EMIT_daemon_stop, true },
	{ EMIT_register_start, true },
	{ EMIT_register_warm, true },
	{ EMIT_failover_paused, true },
	{ EMIT_failover_resumed, true },
	{ EMIT_rejoin_compared, true },
	{ EMIT_rejoin_saved, true },
	{ EMIT_rejoin_kept, true },
	{ EMIT_rejoin_tool, false },
	{ EMIT_rejoin_stuck, false },
	{ EMIT_order_refused, false },
	{ EMIT_order_over, false },
	{ EMIT_record_written, false },
	{ EMIT_plan_start, false },
	{ EMIT_plan_row, false },
	{ EMIT_plan_late, false },
	{ EMIT_act_refused, false },
	{ EMIT_act_done, false },
	{ EMIT_duty_change, false },
	{ EMIT_claim_gives_way, false },
	{ EMIT_standby_not_added, false },
	{ EMIT_standby_follow, false },
	{ EMIT_register_lost, false },
	{ EMIT_register_found, false },
	{ EMIT_register_cold, false },
	{ EMIT_register_amnesiac, false },
	{ EMIT_peer_lost, false },
	{ EMIT_peer_found, false },
	{ EMIT_site_reached, false },
	{ EMIT_traffic_out, false },
	{ EMIT_traffic_change, false },
	{ EMIT_traffic_failed, false },
	{ EMIT_converge_change, false },
	{ EMIT_converge_failed, false },
	{ EMIT_health_change, false },
	{ EMIT_armed_change, false },
	{ EMIT_clock_suspend, false },
	{ EMIT_fence_lost, false },
	{ EMIT_fence_error, false },
	{ EMIT_fence_turn, false },
	{ EMIT_pg_no_room, false },
	{ EMIT_pg_room, false },
	{ EMIT_state_unsaved, false },
};

static void
history_release(void *data)
{
	struct history_disk *d = data;
	size_t i;

	for (i = 0; i < d->n; i++)
		free(d->text[i]);
	json_decref(d->found);
	chain_free(d->chain);
	free(d->path);
	free(d);
}

struct history *
history_new(struct loop *loop, const char *dir, const char *node)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->disk = xcalloc(1, sizeof(*h->disk));
	h->disk->path = xasprintf("%s/%s", dir, HISTORY_NAME);
	h->disk->chain = chain_new(h->disk->path, HISTORY_FULL, HISTORY_FILES);
	h->aside = aside_new(loop, history_release, h->disk);
	str_cut(h->node, sizeof(h->node), node);
	h->change.left = h->detail.left = HISTORY_BURST;
	TAILQ_INIT(&h->questions);
	return h;
}

void
history_free(struct history *h)
{
	struct history_question *q;
	struct error err;
	size_t i, done;

	if (h == NULL)
		return;
	if (h->n > 0 && !aside_busy(h->aside))
		(void)!chain_append_all(
		    h->disk->chain, h->text, h->n, &done, &err);
	for (i = 0; i < h->n; i++)
		free(h->text[i]);
	while ((q = TAILQ_FIRST(&h->questions)) != NULL) {
		TAILQ_REMOVE(&h->questions, q, entry);
		free(q);
	}
	aside_free(h->aside);
	free(h);
}

static bool
budget_take(struct history_budget *b, usec_t raw)
{
	usec_t more = b->at == 0 ? 0 : (raw - b->at) / HISTORY_EVERY;

	if (more > HISTORY_BURST - b->left)
		more = HISTORY_BURST - b->left;
	b->left += (unsigned)more;
	if (b->at == 0 || b->left == HISTORY_BURST)
		b->at = raw;
	else
		b->at += more * HISTORY_EVERY;
	if (b->left == 0)
		return false;
	b->left--;
	return true;
}

static void
history_at(json_t *obj, usec_t wall)
{
	time_t sec = (time_t)(wall / USEC_SEC);
	char day[32], text[48];
	struct tm tm;

	if (gmtime_r(&sec, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s.%03dZ", day,
	    (int)(wall % USEC_SEC / USEC_MSEC));
	json_put_string(obj, "at", text);
}

/* Takes obj and more. */
static void
history_add(struct history *h, const struct now *now, bool change,
    const char *what, json_t *obj, json_t *more)
{
	struct history_budget *b = change ? &h->change : &h->detail;
	json_t *line = json_object();
	char *text;

	history_at(line, now->wall);
	json_put_i64(line, "at_ms", now->wall / USEC_MSEC);
	json_put_string(line, "node", h->node);
	json_put_string(line, "ev", what);
	if (change)
		json_put_bool(line, "change", true);
	if (h->dropped > 0)
		json_put_i64(line, "dropped", h->dropped);
	if (obj != NULL)
		json_object_update_missing(line, obj);
	if (more != NULL)
		json_object_update_missing(line, more);
	json_decref(obj);
	json_decref(more);
	text = json_text(line);
	json_decref(line);
	if (h->n == HISTORY_PENDING || strlen(text) > CHAIN_LINE_MAX ||
	    !budget_take(b, now->raw)) {
		h->dropped++;
		free(text);
		return;
	}
	h->dropped = 0;
	h->text[h->n++] = text;
	if (h->due == 0)
		h->due = now->raw + HISTORY_WAIT;
}

void
history_event(struct history *h, const struct now *now, enum event_name ev,
    const struct kv *kv, size_t n, json_t *more)
{
	static const char *const levels[] = { [L_DEBUG] = "debug",
		[L_INFO] = "info",
		[L_NOTICE] = "notice",
		[L_WARN] = "warn",
		[L_ERROR] = "error" };
	const struct history_row *row = NULL;
	json_t *obj;
	size_t i;

	for (i = 0; i < sizeof(history_rows) / sizeof(*history_rows); i++) {
		if (history_rows[i].ev == ev)
			row = &history_rows[i];
	}
	if (row == NULL) {
		json_decref(more);
		return;
	}
	obj = json_object();
	json_put_string(obj, "level", levels[emit_level(ev)]);
	for (i = 0; i < n; i++) {
		if (kv[i].str != NULL)
			json_put_string(obj, kv[i].key, kv[i].str);
		else
			json_put_i64(obj, kv[i].key, kv[i].num);
	}
	history_add(h, now, row->change, emit_name(ev), obj, more);
}

void
history_detail(
    struct history *h, const struct now *now, const char *what, json_t *more)
{
	history_add(h, now, false, what, NULL, more);
}

static void
history_work_write(void *data)
{
	struct history_disk *d = data;

	d->failed =
	    chain_append_all(d->chain, d->text, d->n, &d->done, &d->err) == -1;
}

/* What is not in waits for the next time, before what came since. */
static void
history_done_write(void *arg)
{
	struct history *h = arg;
	struct history_disk *d = h->disk;
	size_t i, left = d->n - d->done;

	for (i = 0; i < d->done; i++)
		free(d->text[i]);
	while (h->n + left > HISTORY_PENDING) {
		free(h->text[--h->n]);
		h->dropped++;
	}
	memmove(h->text + left, h->text, h->n * sizeof(*h->text));
	memcpy(h->text, d->text + d->done, left * sizeof(*h->text));
	h->n += left;
	d->n = 0;
	h->due = h->n == 0 ? 0 :
			     clock_now().raw +
				 (d->failed ? HISTORY_REST : HISTORY_WAIT);
	if (d->failed && !h->told)
		EMIT(history_failed, kv_s("reason", d->err.msg));
	h->told = d->failed;
}

static void
history_work_read(void *data)
{
	struct history_disk *d = data;

	d->found = history_find(d->path, &d->query);
}

static void
history_done_read(void *arg)
{
	struct history *h = arg;
	struct history_question *q = TAILQ_FIRST(&h->questions);
	json_t *found = h->disk->found;

	h->disk->found = NULL;
	TAILQ_REMOVE(&h->questions, q, entry);
	q->done(q->arg, q->id, found);
	json_decref(found);
	free(q);
}

usec_t
history_turn(struct history *h, const struct now *now)
{
	struct history_question *q = TAILQ_FIRST(&h->questions);
	bool write = h->n > 0 && (h->due <= now->raw || q != NULL);

	/* Who asks sees what waits, unless it cannot be written. */
	if (write && h->told && h->due > now->raw)
		write = false;
	if (!aside_busy(h->aside) && write) {
		memcpy(h->disk->text, h->text, h->n * sizeof(*h->text));
		h->disk->n = h->n;
		h->disk->done = 0;
		if (aside_start(
			h->aside, history_work_write, history_done_write, h))
			h->n = 0;
		else
			h->disk->n = 0;
	} else if (!aside_busy(h->aside) && q != NULL) {
		h->disk->query = q->query;
		(void)!aside_start(
		    h->aside, history_work_read, history_done_read, h);
	}
	if (aside_busy(h->aside) || h->n == 0)
		return USEC_NEVER; /* its end wakes the loop */
	return h->due;
}

void
history_read(struct history *h, const struct history_query *query,
    void (*done)(void *arg, uint64_t id, const json_t *found), void *arg,
    uint64_t id)
{
	struct history_question *q = xcalloc(1, sizeof(*q));

	q->query = *query;
	q->done = done;
	q->arg = arg;
	q->id = id;
	TAILQ_INSERT_TAIL(&h->questions, q, entry);
}
