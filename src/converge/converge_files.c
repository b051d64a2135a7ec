/*
 * The lines of a run, in rounds: all that are to be tried are rendered, then
 * the restarts they cause are put on disk, then the files are renamed. What
 * could not be rendered is in a later round, until its time is over. The
 * services do not wait for it.
 */
#include <stdlib.h>

#include "converge/converge_i.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"

static void
files_back_cb(void *arg)
{
	struct run *r = arg;

	r->files =
	    r->files == FILES_PREPARING ? FILES_PREPARED : FILES_COMMITTED;
	run_kick(r);
}

static bool
files_wanted(const struct run *r, const struct item *item, usec_t now)
{
	return run_has(r, item) && item->ops == NULL &&
	       (item->step == STEP_WAIT ||
		   (item->step == STEP_BACK_OFF && item->again_at <= now));
}

/* Before a promotion nothing is renamed without what is required. */
static bool
files_held(const struct run *r, usec_t now)
{
	const struct converge *c = r->c;
	const struct item *item;

	if (r->when != ITEM_BEFORE)
		return false;
	for (item = c->item; item < c->item + c->count; item++)
		if (run_has(r, item) && item->ops == NULL &&
		    item->conf->required && item->step == STEP_BACK_OFF &&
		    item->again_at > now)
			return true;
	return false;
}

static void
files_prepare(struct run *r, usec_t now)
{
	struct converge *c = r->c;
	struct cfile_sig none = { .valid = false };
	struct item *item;

	if (files_held(r, now))
		return;
	for (item = c->item; item < c->item + c->count; item++) {
		if (!files_wanted(r, item, now))
			continue;
		item->undo = 0;
		if (r->batch == NULL)
			r->batch = batch_new(&c->lane[r->when], r->epoch);
		batch_add(r->batch, item->index, item->conf->file,
		    item->conf->match, item_text(item, r->primary),
		    item->conf->many, &none);
		item->step = STEP_UNDER_WAY;
	}
	if (r->batch == NULL)
		return;
	r->files = FILES_PREPARING;
	batch_start(r->batch, BATCH_PREPARE, files_back_cb, r);
}

/* The item of a line, if this run still has it and waits for it. */
static struct item *
files_item(struct run *r, const struct cfile_line *line)
{
	struct item *item = &r->c->item[line->id];

	return run_has(r, item) && item->step == STEP_UNDER_WAY ? item : NULL;
}

/* Nothing of this round is made: what failed by itself waits, the others are
 * in the next one. */
static void
files_abandon(struct run *r)
{
	struct cfile_line *line;
	struct item *item;
	int i;

	for (i = 0; (line = batch_line(r->batch, i)) != NULL; i++) {
		item = files_item(r, line);
		if (item == NULL)
			continue;
		pending_undo(item);
		item->step = STEP_WAIT;
	}
	batch_drop(r->batch);
	r->batch = NULL;
	r->files = FILES_IDLE;
}

/* A run that began later took one of these items: its files may be on their
 * way to another role. */
static bool
files_taken(struct run *r)
{
	struct cfile_line *line;
	int i;

	for (i = 0; (line = batch_line(r->batch, i)) != NULL; i++)
		if (!run_has(r, &r->c->item[line->id]))
			return true;
	return false;
}

static bool
files_refused(struct run *r)
{
	struct cfile_line *line;
	int i;

	if (r->when != ITEM_BEFORE)
		return false;
	for (i = 0; (line = batch_line(r->batch, i)) != NULL; i++)
		if (!line->ok && r->c->item[line->id].conf->required)
			return true;
	return false;
}

static void
files_end(struct run *r)
{
	batch_drop(r->batch);
	r->batch = NULL;
	r->files = FILES_IDLE;
}

static void
files_prepared(struct run *r)
{
	struct cfile_line *line;
	struct item *item;
	bool refused = files_refused(r), change = false;
	int i;

	r->mark = 0;
	for (i = 0; (line = batch_line(r->batch, i)) != NULL; i++) {
		item = files_item(r, line);
		if (item == NULL)
			continue;
		if (!line->ok) {
			item->misfit = !line->fits;
			run_failed(item, line->reason);
		} else if (!line->changed) {
			/* A person mended it; who reads it may not know. */
			if (item_given_up(item, r->epoch))
				(void)pending_cause(item, r->primary, r->epoch);
			run_ok(item);
		} else if (!refused) {
			change = true;
			r->mark = pending_cause(item, r->primary, r->epoch);
		}
	}
	if (refused || files_taken(r)) {
		files_abandon(r);
	} else if (!change) {
		files_end(r);
	} else {
		r->files = FILES_SAVING;
	}
}

/* A list that cannot be saved stops nothing: a restart is lost only if the
 * engine ends, too, before it is made, and without the change the applications
 * stay at a database that is gone. */
static void
files_saving(struct run *r)
{
	if (pending_saved(r->c->pending, r->mark) == ANS_UNKNOWN)
		return;
	if (files_taken(r)) {
		files_abandon(r);
		return;
	}
	r->files = FILES_COMMITTING;
	batch_start(r->batch, BATCH_COMMIT, files_back_cb, r);
}

static void
files_committed(struct run *r)
{
	struct cfile_line *line;
	struct item *item;
	int i;

	for (i = 0; (line = batch_line(r->batch, i)) != NULL; i++) {
		item = &r->c->item[line->id];
		if (line->ok && line->changed) {
			EMIT(converge_change, kv_i("epoch", r->epoch),
			    kv_s("item", item->conf->name));
			item_changed(item);
		}
		item = files_item(r, line);
		if (item == NULL)
			continue;
		if (line->ok) {
			run_ok(item);
		} else {
			pending_undo(item);
			run_failed(item, line->reason);
		}
	}
	files_end(r);
}

void
files_step(struct run *r, usec_t now)
{
	if (r->files == FILES_PREPARED)
		files_prepared(r);
	if (r->files == FILES_SAVING)
		files_saving(r);
	if (r->files == FILES_COMMITTED)
		files_committed(r);
	if (r->files == FILES_IDLE)
		files_prepare(r, now);
}

void
files_cancel(struct run *r)
{
	batch_drop(r->batch);
	r->batch = NULL;
	r->files = FILES_IDLE;
}
