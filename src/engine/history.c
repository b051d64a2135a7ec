/*
 * The lines on their way to the disk, and questions about those that are there.
 * One thing at a time is done in the thread; what comes meanwhile waits here.
 * Lines of a second go together, so that a takeover is not made slower by its
 * own story.
 */
#include "engine/history.h"

#include <stdlib.h>
#include <string.h>

#include "engine/history_limit.h"
#include "engine/history_line.h"
#include "hawatch/aside.h"
#include "hawatch/chain.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define HISTORY_WAIT USEC_SEC
#define HISTORY_REST (10 * USEC_SEC) /* after a failure */
#define HISTORY_PENDING 1024
#define HISTORY_STEPS 256 /* of which so many may be taken by steps */
#define HISTORY_LEFT_OUT (10 * USEC_SEC)

struct history_line {
	char *text;
	int kind;
};

/* The thread's, while it works. */
struct history_disk {
	struct chain *chain;
	char *path;
	struct history_line line[HISTORY_PENDING];
	char *text[HISTORY_PENDING]; /* of the same lines */
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
	usec_t asked; /* wall */
};

struct history {
	char node[NODE_NAME_MAX];
	struct aside *aside;
	struct history_disk *disk;
	struct history_line line[HISTORY_PENDING];
	size_t n;
	long long epoch; /* that of the last line */
	usec_t due;	 /* raw; 0: nothing waits */
	bool told;	 /* that it cannot be written */
	struct history_limit limit;
	TAILQ_HEAD(, history_question) questions;
};

static void
history_release(void *data)
{
	struct history_disk *d = data;
	size_t i;

	for (i = 0; i < d->n; i++)
		free(d->line[i].text);
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
	TAILQ_INIT(&h->questions);
	return h;
}

/* Room in memory for what cannot be written yet. */
static bool
history_put(struct history *h, const struct now *now, int kind, char *text)
{
	size_t full = history_rank(kind) == HISTORY_STEP ? HISTORY_STEPS :
							   HISTORY_PENDING;

	if (h->n >= full)
		return false;
	h->line[h->n++] = (struct history_line){ .text = text, .kind = kind };
	if (h->due == 0)
		h->due = now->raw + HISTORY_WAIT;
	return true;
}

/* What is missing is said in a line of its own, so that a gap is seen where it
 * is; when that finds no room, it goes on counting. */
static void
history_left_out(struct history *h, const struct now *now)
{
	enum history_rank worst;
	json_t *line, *told;
	char *text;

	if (h->n == HISTORY_PENDING) {
		h->limit.since = now->raw;
		return;
	}
	told = history_limit_told(&h->limit, &worst);
	line = history_line(
	    h->node, now, worst != HISTORY_STEP, HISTORY_NAME ".left-out");
	json_put_i64(line, "epoch", h->epoch);
	json_object_update_missing(line, told);
	json_decref(told);
	text = json_take_text(line);
	(void)history_put(h, now, HISTORY_OTHER, text);
}

/* What is missing of one epoch is told within it. */
static void
history_epoch(struct history *h, const struct now *now, const json_t *line)
{
	long long epoch = json_integer_value(json_object_get(line, "epoch"));

	if (epoch == 0 || epoch == h->epoch)
		return;
	if (h->limit.since != 0)
		history_left_out(h, now);
	h->epoch = epoch;
}

/* Takes obj and more. */
static void
history_add(struct history *h, const struct now *now, int kind,
    const char *what, json_t *obj, json_t *more)
{
	json_t *line = history_line(
	    h->node, now, history_rank(kind) == HISTORY_CHANGE, what);
	char *text;

	if (obj != NULL)
		json_object_update_missing(line, obj);
	if (more != NULL)
		json_object_update_missing(line, more);
	json_decref(obj);
	json_decref(more);
	history_epoch(h, now, line);
	text = json_text(line);
	if (strlen(text) > CHAIN_LINE_MAX) {
		free(text);
		history_line_cut(line);
		text = json_text(line);
	}
	json_decref(line);
	if (strlen(text) <= CHAIN_LINE_MAX &&
	    history_limit_take(&h->limit, kind, strlen(text), now->raw) &&
	    history_put(h, now, kind, text))
		return;
	history_limit_out(&h->limit, kind, now->raw);
	free(text);
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
	json_t *obj;
	size_t i;

	if (history_rank((int)ev) == HISTORY_NOT) {
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
	history_add(h, now, (int)ev, emit_name(ev), obj, more);
}

void
history_detail(
    struct history *h, const struct now *now, const char *what, json_t *more)
{
	history_add(h, now, HISTORY_OTHER, what, NULL, more);
}

static void
history_work_write(void *data)
{
	struct history_disk *d = data;

	d->failed =
	    chain_append_all(d->chain, d->text, d->n, &d->done, &d->err) == -1;
}

/* To the thread, or to what does its work when there is none any more. */
static void
history_give(struct history *h)
{
	struct history_disk *d = h->disk;

	for (d->n = 0; d->n < h->n; d->n++) {
		d->line[d->n] = h->line[d->n];
		d->text[d->n] = d->line[d->n].text;
	}
	d->done = 0;
	h->n = 0;
}

void
history_free(struct history *h)
{
	const struct now now = clock_now();
	struct history_question *q;
	size_t i;

	if (h == NULL)
		return;
	if (h->limit.since != 0)
		history_left_out(h, &now);
	for (i = 0; i < h->n && aside_busy(h->aside); i++)
		free(h->line[i].text);
	if (h->n > 0 && !aside_busy(h->aside)) {
		history_give(h);
		history_work_write(h->disk);
	}
	while ((q = TAILQ_FIRST(&h->questions)) != NULL) {
		TAILQ_REMOVE(&h->questions, q, entry);
		free(q);
	}
	aside_free(h->aside);
	free(h);
}

/* What is not in waits for the next time, before what came since. */
static void
history_done_write(void *arg)
{
	struct history *h = arg;
	struct history_disk *d = h->disk;
	size_t i, left = d->n - d->done;
	usec_t raw = clock_now().raw;

	for (i = 0; i < d->done; i++)
		free(d->line[i].text);
	while (h->n + left > HISTORY_PENDING) {
		h->n--;
		history_limit_out(&h->limit, h->line[h->n].kind, raw);
		free(h->line[h->n].text);
	}
	memmove(h->line + left, h->line, h->n * sizeof(*h->line));
	memcpy(h->line, d->line + d->done, left * sizeof(*h->line));
	h->n += left;
	d->n = 0;
	h->due =
	    h->n == 0 ? 0 : raw + (d->failed ? HISTORY_REST : HISTORY_WAIT);
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
	json_put_i64(found, "asked_ms", q->asked / USEC_MSEC);
	TAILQ_REMOVE(&h->questions, q, entry);
	q->done(q->arg, q->id, found);
	json_decref(found);
	free(q);
}

usec_t
history_turn(struct history *h, const struct now *now)
{
	struct history_question *q = TAILQ_FIRST(&h->questions);
	usec_t told = h->limit.since + HISTORY_LEFT_OUT, next = USEC_NEVER;
	bool write;

	if (h->limit.since != 0 && told <= now->raw) {
		history_left_out(h, now);
		told = h->limit.since + HISTORY_LEFT_OUT;
	}
	write = h->n > 0 && (h->due <= now->raw || q != NULL);
	/* Who asks sees what waits, unless it cannot be written. */
	if (write && h->told && h->due > now->raw)
		write = false;
	if (!aside_busy(h->aside) && write) {
		history_give(h);
		if (!aside_start(
			h->aside, history_work_write, history_done_write, h)) {
			h->n = h->disk->n;
			h->disk->n = 0;
		}
	} else if (!aside_busy(h->aside) && q != NULL) {
		h->disk->query = q->query;
		(void)!aside_start(
		    h->aside, history_work_read, history_done_read, h);
	}
	if (h->limit.since != 0)
		next = told;
	if (aside_busy(h->aside) || h->n == 0)
		return next; /* its end wakes the loop */
	return h->due < next ? h->due : next;
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
	q->asked = clock_now().wall;
	TAILQ_INSERT_TAIL(&h->questions, q, entry);
}
