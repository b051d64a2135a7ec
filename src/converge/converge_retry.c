/*
 * What a run gave up: it is tried again each minute in the same epoch, and as
 * long as applications of this host depend on it, the host is stale. The names
 * are on disk, since a new engine could not tell them from what merely differs
 * because somebody edits a file.
 */
#include "converge/converge_i.h"

/* Tried for half a second in vain: it will hardly be better at the end. */
#define RETRY_HOPELESS (500 * USEC_MSEC)

bool
item_given_up(const struct item *item, uint64_t epoch)
{
	const struct converge *c = item->c;

	return c->retry_epoch == epoch &&
	       (c->retry & ITEM_BIT(item->index)) != 0;
}

void
item_give_up(struct item *item, uint64_t epoch)
{
	struct converge *c = item->c;

	if (item_given_up(item, epoch))
		return;
	if (c->retry_epoch != epoch)
		c->retry = 0;
	c->retry_epoch = epoch;
	c->retry |= ITEM_BIT(item->index);
	(void)pending_save(c);
}

void
item_take_up(struct item *item)
{
	struct converge *c = item->c;

	if ((c->retry & ITEM_BIT(item->index)) == 0)
		return;
	c->retry &= ~ITEM_BIT(item->index);
	(void)pending_save(c);
}

uint64_t
retry_items(const struct converge *c)
{
	const struct item *item;
	uint64_t bits = c->retry;

	if (bits == 0 || c->retry_epoch != c->epoch ||
	    c->primary == NODE_NONE || c->env.conf->mode == MODE_OBSERVE)
		return 0;
	/* What stopped for a handover would be started in its midst. */
	if (c->quiet_epoch == c->epoch)
		return 0;
	for (item = c->item; item < c->item + c->count; item++)
		if ((item->restart_on & bits) != 0)
			bits |= ITEM_BIT(item->index);
	return bits;
}

bool
retry_mended(const struct converge *c)
{
	const struct item *item;

	if (retry_items(c) == 0)
		return false;
	for (item = c->item; item < c->item + c->count; item++)
		if (item->mended && item->run == NULL &&
		    item_given_up(item, c->epoch))
			return true;
	return false;
}

static bool
item_stale(const struct item *item)
{
	const struct converge *c = item->c;
	/* A new engine that has not yet heard of any believes its predecessor.
	 */
	uint64_t epoch = c->epoch == 0 ? c->retry_epoch : c->epoch;

	if (item->ops != NULL && !item->due.on)
		return false;
	if (item_given_up(item, epoch))
		/* Nothing but a person brings it about in this mode. */
		return c->env.conf->mode != MODE_OBSERVE ||
		       item->holds != ANS_YES;
	return item->ops == NULL && item->run != NULL &&
	       item->run->epoch == c->epoch && item->step != STEP_OK &&
	       item->backoff >= RETRY_HOPELESS;
}

bool
converge_stale(const struct converge *c)
{
	const struct item *item;

	for (item = c->item; item < c->item + c->count; item++)
		if (item_stale(item))
			return true;
	return false;
}
