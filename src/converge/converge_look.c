/*
 * Looking: each item is compared with what is demanded, nothing is changed.
 * Items that a run has are the run's, and are left out.
 */
#include <stdlib.h>
#include <string.h>

#include "converge/converge_op.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

#define LOOK_LIMIT (10 * USEC_SEC)

static void
look_one_less(struct converge *c)
{
	if (--c->look.left > 0)
		return;
	c->look.active = false;
	converge_looked(c);
}

static void
look_op_done(struct item *item, enum answer ans, const char *reason)
{
	item->look = NULL;
	item->looking = false;
	item_mark(item, ans, reason);
	look_one_less(item->c);
}

static void
look_line(struct item *item, struct cfile_line *line)
{
	if (line->known) {
		item_mark(item, item->holds, item->reason);
		return;
	}
	item->mended = line->ok || (item->misfit && line->fits);
	item_mark(item, line->ok ? ANS_YES : ANS_NO, line->reason);
	item->sig = line->sig;
	free(item->sig_text);
	item->sig_text = line->text;
	line->text = NULL;
}

static void
look_files_cb(void *arg)
{
	struct converge *c = arg;
	struct batch *b = c->look.batch;
	struct cfile_line *line;
	struct item *item;
	int i;

	c->look.batch = NULL;
	c->look.left++;
	for (i = 0; (line = batch_line(b, i)) != NULL; i++) {
		item = &c->item[line->id];
		if (!item->looking)
			continue;
		item->looking = false;
		look_line(item, line);
		c->look.left--;
	}
	batch_drop(b);
	look_one_less(c);
}

static void
look_add(struct converge *c, struct item *item)
{
	char *text = item_text(item, c->primary);
	struct cfile_sig sig = item->sig;

	if (item->sig_text == NULL || strcmp(item->sig_text, text) != 0 ||
	    item->holds == ANS_UNKNOWN)
		sig.valid = false;
	if (c->look.batch == NULL)
		c->look.batch = batch_new(&c->lane[ITEM_AFTER], c->epoch);
	batch_add(c->look.batch, item->index, item->conf->file,
	    item->conf->match, text, item->conf->many, &sig);
}

static void
look_hangs(struct item *item)
{
	item_mark(item, ANS_NO, "the disk does not answer");
}

static void
look_item(struct converge *c, struct item *item)
{
	if (item->run != NULL)
		return;
	if (item_want(item, c->primary)[0] == '\0') {
		item_mark(item, ANS_YES, "");
		return;
	}
	if (item->ops == NULL && c->look.batch != NULL &&
	    batch_busy(c->look.batch)) {
		look_hangs(item);
		return;
	}
	item->looking = true;
	c->look.left++;
	if (item->ops == NULL)
		look_add(c, item);
	else
		item->look = op_start(item, false, c->primary, c->epoch,
		    clock_now().raw + LOOK_LIMIT, look_op_done);
}

/* The last look is not over. What hangs is told, and the others are looked at
 * without it. */
static void
look_late(struct converge *c)
{
	struct item *item;

	for (item = c->item; item < c->item + c->count; item++) {
		if (!item->looking || item->ops != NULL)
			continue;
		item->looking = false;
		look_hangs(item);
		look_one_less(c);
	}
}

void
look_start(struct converge *c)
{
	struct item *item;

	if (c->primary == NODE_NONE)
		return;
	if (c->look.active)
		look_late(c);
	if (c->look.active)
		return;
	c->look.active = true;
	c->look.left = 1;
	for (item = c->item; item < c->item + c->count; item++)
		look_item(c, item);
	if (c->look.batch != NULL && !batch_busy(c->look.batch))
		batch_start(c->look.batch, BATCH_LOOK, look_files_cb, c);
	look_one_less(c);
}

void
look_leave(struct item *item)
{
	if (!item->looking)
		return;
	op_cancel(item->look);
	item->look = NULL;
	item->looking = false;
	look_one_less(item->c);
}

void
look_cancel(struct converge *c)
{
	struct item *item;

	for (item = c->item; item < c->item + c->count; item++) {
		op_cancel(item->look);
		item->look = NULL;
		item->looking = false;
	}
	batch_drop(c->look.batch);
	c->look.batch = NULL;
	c->look.active = false;
}
