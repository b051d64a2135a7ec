/*
 * The items of this host, what is known of each, and when they are compared.
 * How they are brought about is in converge_run.c.
 */
#include "hawatch/converge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "converge/converge_op.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/template.h"

#define CONVERGE_EVERY (60 * USEC_SEC)
/* What differs may be on its way, as programs are after a boot. */
#define CONVERGE_SOON (5 * USEC_SEC)

static void converge_items(struct converge *c);
static void converge_minute_cb(void *arg);
static void converge_tidied_cb(void *arg);

struct converge *
converge_new(const struct converge_env *env)
{
	struct converge *c = xcalloc(1, sizeof(*c));

	c->env = *env;
	c->primary = NODE_NONE;
	converge_items(c);
	lane_init(&c->lane[ITEM_BEFORE], env->loop, "new-before-", env->point);
	lane_init(&c->lane[ITEM_AFTER], env->loop, "new-after-", env->point);
	run_init(&c->run[ITEM_BEFORE], c, ITEM_BEFORE);
	run_init(&c->run[ITEM_AFTER], c, ITEM_AFTER);
	run_init(&c->run[ITEM_HANDOVER], c, ITEM_HANDOVER);
	c->pending = pending_new(c);
	c->minute = timer_new(env->loop, converge_minute_cb, c);
	return c;
}

static const struct op_ops *
converge_ops(const struct conf_item *conf)
{
	switch (conf->type) {
	case ITEM_LINE:
		break;
	case ITEM_SERVICE:
		return conf->program[0] != '\0' ? &op_program : &op_service;
	case ITEM_COMMAND:
		return &op_command;
	case ITEM_CACHE:
		return &op_cache;
	}
	return NULL;
}

static uint64_t
converge_bits(const struct converge *c, const char *const *names)
{
	const struct item *item;
	uint64_t bits = 0;
	int i;

	for (i = 0; names[i] != NULL; i++)
		for (item = c->item; item < c->item + c->count; item++)
			if (strcmp(item->conf->name, names[i]) == 0)
				bits |= ITEM_BIT(item->index);
	return bits;
}

static void
converge_items(struct converge *c)
{
	const struct conf *conf = c->env.conf;
	struct item *item, *service;
	int i;

	c->item = xcalloc((size_t)conf->item_count + 1, sizeof(*c->item));
	for (i = 0; i < conf->item_count; i++) {
		if (!conf_on(conf, conf->item[i].on, conf->self))
			continue;
		item = &c->item[c->count];
		item->c = c;
		item->index = c->count++;
		item->conf = &conf->item[i];
		item->ops = converge_ops(item->conf);
		str_cut(item->reason, sizeof(item->reason), "not seen yet");
	}
	for (service = c->item; service < c->item + c->count; service++) {
		service->restart_on =
		    converge_bits(c, service->conf->restart_on);
		for (item = c->item; item < c->item + c->count; item++)
			if (service->restart_on & ITEM_BIT(item->index))
				item->causes = true;
	}
}

void
converge_free(struct converge *c)
{
	struct item *item;

	if (c == NULL)
		return;
	look_cancel(c);
	run_fini(&c->run[ITEM_BEFORE]);
	run_fini(&c->run[ITEM_AFTER]);
	run_fini(&c->run[ITEM_HANDOVER]);
	lane_fini(&c->lane[ITEM_BEFORE]);
	lane_fini(&c->lane[ITEM_AFTER]);
	timer_free(c->minute);
	pending_free(c->pending);
	for (item = c->item; item < c->item + c->count; item++)
		free(item->sig_text);
	free(c->item);
	free(c);
}

static void
converge_tidy_lane(struct converge *c, enum conf_item_when when)
{
	struct cfile_sig none = { .valid = false };
	struct lane *lane = &c->lane[when];
	struct batch *b = NULL;
	struct item *item;

	if (lane->serial > 0)
		return;
	for (item = c->item; item < c->item + c->count; item++) {
		if (item->ops != NULL ||
		    (when == ITEM_BEFORE && item->conf->when != ITEM_BEFORE))
			continue;
		if (b == NULL)
			b = batch_new(lane, 0);
		batch_add(b, item->index, item->conf->file, item->conf->match,
		    xstrdup(""), item->conf->many, &none);
	}
	if (b == NULL)
		return;
	batch_start(b, BATCH_TIDY, converge_tidied_cb, b);
}

static void
converge_tidied_cb(void *arg)
{
	batch_drop(arg);
}

/* What a crash left beside the files, before anything new is put there. */
static void
converge_tidy(struct converge *c)
{
	converge_tidy_lane(c, ITEM_BEFORE);
	converge_tidy_lane(c, ITEM_AFTER);
}

void
converge_expect(struct converge *c, node_t primary, uint64_t epoch)
{
	struct item *item;

	if (primary == c->primary && epoch == c->epoch)
		return;
	for (item = c->item; item < c->item + c->count; item++) {
		if (epoch != c->epoch)
			item->told[0] = '\0';
		if (primary == NODE_NONE && item->run == NULL)
			item_mark(item, ANS_UNKNOWN,
			    "where the primary is, is not known");
	}
	c->primary = primary;
	c->epoch = epoch;
	converge_look(c);
}

/* A look that is under way may have been made for another role. */
void
converge_look(struct converge *c)
{
	look_cancel(c);
	c->again_at = 0;
	timer_arm(c->minute, 0);
}

static void
converge_minute_cb(void *arg)
{
	struct converge *c = arg;
	uint64_t again = retry_items(c);
	usec_t now = clock_now().raw;

	timer_arm(c->minute, CONVERGE_EVERY);
	converge_tidy(c);
	if (c->pending->wanted > c->pending->saved && c->pending->write == NULL)
		(void)pending_save(c);
	if (again != 0 && !c->run[ITEM_AFTER].active &&
	    !c->run[ITEM_HANDOVER].active && now >= c->again_at) {
		c->again_at = now + CONVERGE_EVERY;
		run_start(&c->run[ITEM_AFTER], c->primary, c->epoch, again,
		    NULL, NULL);
	}
	look_start(c);
}

void
converge_run(struct converge *c, enum conf_item_when when, node_t primary,
    uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	converge_tidy(c);
	if (when == ITEM_AFTER)
		c->quiet_epoch = 0;
	run_start(&c->run[when], primary, epoch, UINT64_MAX, done, arg);
}

void
converge_cancel(struct converge *c, enum conf_item_when when)
{
	run_cancel(&c->run[when]);
}

void
converge_quiet(struct converge *c, uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	c->quiet_epoch = epoch;
	run_start(
	    &c->run[ITEM_HANDOVER], NODE_LEAVES, epoch, UINT64_MAX, done, arg);
}

void
converge_quiet_cancel(struct converge *c)
{
	run_cancel(&c->run[ITEM_HANDOVER]);
}

int
converge_count(const struct converge *c)
{
	return c->count;
}

void
converge_state(const struct converge *c, int i, struct converge_state *out)
{
	const struct item *item = &c->item[i];

	*out = (struct converge_state){ .name = item->conf->name,
		.type = item->conf->type,
		.holds = item->holds,
		.reason = item->reason,
		.required = item->conf->required,
		.seen_at = item->seen_at,
		.changed_at = item->changed_at };
}

void
converge_looked(struct converge *c)
{
	const struct item *item;

	converge_tell_drift(c);
	if (retry_mended(c)) {
		c->again_at = 0;
		timer_arm(c->minute, 0);
		return;
	}
	for (item = c->item; item < c->item + c->count; item++)
		if (item->holds != ANS_YES) {
			timer_arm(c->minute, CONVERGE_SOON);
			return;
		}
}

int
converge_drift(const struct converge *c)
{
	const struct item *item;
	int n = 0;

	for (item = c->item; item < c->item + c->count; item++)
		n += item->holds == ANS_NO;
	return n;
}

const char *
converge_doing(const struct converge *c, usec_t *since)
{
	const struct item *item, *first = NULL;

	for (item = c->item; item < c->item + c->count; item++)
		if (item->run != NULL && item->step == STEP_UNDER_WAY &&
		    (first == NULL || item->began < first->began))
			first = item;
	if (first == NULL)
		return NULL;
	*since = first->began;
	return first->conf->name;
}

bool
converge_idle(const struct converge *c)
{
	return !c->look.active && !c->run[ITEM_BEFORE].active &&
	       !c->run[ITEM_AFTER].active && c->pending->write == NULL &&
	       LIST_EMPTY(&c->lane[ITEM_BEFORE].batches) &&
	       LIST_EMPTY(&c->lane[ITEM_AFTER].batches);
}

const char *
item_want(const struct item *item, node_t primary)
{
	if (primary == NODE_LEAVES)
		return item->conf->handover;
	return primary == item->c->env.conf->self ? item->conf->primary :
						    item->conf->standby;
}

char *
item_text(const struct item *item, node_t primary)
{
	return template_expand(
	    item->c->env.conf, item_want(item, primary), primary);
}

void
item_mark(struct item *item, enum answer holds, const char *reason)
{
	char copy[ITEM_REASON];

	str_cut(copy, sizeof(copy), reason);
	item->holds = holds;
	item->seen_at = clock_now().raw;
	str_cut(item->reason, sizeof(item->reason), copy);
}

void
item_changed(struct item *item)
{
	item->changed_at = clock_now().raw;
}

/* One event for each change of what differs, not one for each look. */
void
converge_tell_drift(struct converge *c)
{
	const struct item *item;
	uint64_t now = 0;
	char names[400] = "";
	size_t len = 0;
	int n = 0;

	if (c->run[ITEM_BEFORE].active || c->run[ITEM_AFTER].active ||
	    c->run[ITEM_HANDOVER].active)
		return;
	for (item = c->item; item < c->item + c->count; item++) {
		if (item->holds != ANS_NO)
			continue;
		now |= ITEM_BIT(item->index);
		if (len < sizeof(names))
			len +=
			    (size_t)snprintf(names + len, sizeof(names) - len,
				"%s%s", n == 0 ? "" : " ", item->conf->name);
		n++;
	}
	if (now == c->drift)
		return;
	c->drift = now;
	EMIT(converge_drift, kv_i("epoch", c->epoch), kv_i("count", n),
	    kv_s("items", names));
}

void
converge_point(struct converge *c, const char *place)
{
	if (c->env.point != NULL)
		c->env.point(place);
}
