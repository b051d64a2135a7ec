/*
 * Between the loop, which decides, and the worker, which waits for the disk.
 * While a batch is with the worker the loop touches nothing of it but the
 * list; one that is dropped meanwhile cleans up after itself when it is back.
 */
#include "converge/converge_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

struct batch {
	LIST_ENTRY(batch) entry;
	struct lane *lane;
	char tag[48];
	uint64_t epoch;
	int count;
	struct cfile *file;
	enum batch_step step;
	bool busy, dropped;
	void (*done)(void *arg);
	void *arg;
};

static void batch_done_cb(void *arg);
static void batch_free(struct batch *b);

void
lane_init(struct lane *lane, struct loop *loop, const char *tag,
    void (*point)(const char *place))
{
	*lane = (struct lane){ .loop = loop, .tag = tag, .point = point };
	LIST_INIT(&lane->batches);
}

void
lane_fini(struct lane *lane)
{
	struct batch *b;
	int i;

	worker_free(lane->worker);
	lane->worker = NULL;
	while ((b = LIST_FIRST(&lane->batches)) != NULL) {
		for (i = 0; i < b->count; i++)
			cfile_drop(&b->file[i], b->tag);
		batch_free(b);
	}
}

static void
batch_point(const struct batch *b, const char *place)
{
	if (b->lane->point != NULL)
		b->lane->point(place);
}

struct batch *
batch_new(struct lane *lane, uint64_t epoch)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->lane = lane;
	b->epoch = epoch;
	(void)snprintf(
	    b->tag, sizeof(b->tag), "%s%u", lane->tag, ++lane->serial);
	LIST_INSERT_HEAD(&lane->batches, b, entry);
	return b;
}

static struct cfile *
batch_file(struct batch *b, const char *path)
{
	struct cfile *f;

	for (f = b->file; f < b->file + b->count; f++)
		if (strcmp(f->path, path) == 0)
			return f;
	b->file = xrealloc(b->file, (size_t)b->count + 1, sizeof(*b->file));
	f = &b->file[b->count++];
	*f = (struct cfile){ .path = path, .dir = -1 };
	return f;
}

void
batch_add(struct batch *b, int id, const char *path, const char *match,
    char *text, enum conf_item_many many, const struct cfile_sig *sig)
{
	struct cfile *f = batch_file(b, path);
	struct cfile_line *line;

	f->line = xrealloc(f->line, (size_t)f->count + 1, sizeof(*f->line));
	line = &f->line[f->count++];
	*line = (struct cfile_line){ .id = id, .sig = *sig, .text = text };
	line->rule = (struct text_rule){ match, text, many };
}

struct cfile_line *
batch_line(struct batch *b, int i)
{
	struct cfile *f;

	for (f = b->file; f < b->file + b->count; f++) {
		if (i < f->count)
			return &f->line[i];
		i -= f->count;
	}
	return NULL;
}

static void
batch_commit(struct batch *b)
{
	struct cfile *f;

	for (f = b->file; f < b->file + b->count; f++) {
		cfile_commit(f, b->tag);
		batch_point(b, "renamed");
	}
	for (f = b->file; f < b->file + b->count; f++)
		cfile_sync(f);
	batch_point(b, "synced");
}

/* In the worker. */
static void
batch_work(void *arg)
{
	struct batch *b = arg;
	struct cfile *f;

	if (b->step == BATCH_COMMIT)
		batch_commit(b);
	for (f = b->file; f < b->file + b->count; f++) {
		if (b->step == BATCH_LOOK)
			cfile_look(f);
		else if (b->step == BATCH_PREPARE)
			cfile_prepare(f, b->tag, b->epoch);
		else if (b->step == BATCH_DROP)
			cfile_drop(f, b->tag);
		else if (b->step == BATCH_TIDY)
			cfile_tidy(f->path, b->lane->tag);
	}
	if (b->step == BATCH_PREPARE)
		batch_point(b, "prepared");
}

void
batch_start(
    struct batch *b, enum batch_step step, void (*done)(void *arg), void *arg)
{
	if (b->lane->worker == NULL)
		b->lane->worker = worker_new(b->lane->loop);
	b->step = step;
	b->busy = true;
	b->done = done;
	b->arg = arg;
	worker_submit(b->lane->worker, batch_work, batch_done_cb, b);
}

bool
batch_busy(const struct batch *b)
{
	return b->busy;
}

static void
batch_done_cb(void *arg)
{
	struct batch *b = arg;

	b->busy = false;
	if (b->dropped)
		batch_drop(b);
	else
		b->done(b->arg);
}

void
batch_drop(struct batch *b)
{
	int i;

	if (b == NULL)
		return;
	b->dropped = true;
	if (b->busy)
		return;
	for (i = 0; i < b->count; i++)
		if (b->file[i].ready) {
			batch_start(b, BATCH_DROP, NULL, NULL);
			return;
		}
	batch_free(b);
}

static void
batch_free(struct batch *b)
{
	struct cfile *f;
	int i;

	LIST_REMOVE(b, entry);
	for (f = b->file; f < b->file + b->count; f++) {
		for (i = 0; i < f->count; i++)
			free(f->line[i].text);
		free(f->line);
	}
	free(b->file);
	free(b);
}
