/*
 * The restarts that are due, in a file of the state directory: written before
 * the change that causes them, cleared when they are proven. So an end of the
 * engine at any point loses none. Beside them is what was given up. One write
 * is under way at a time; a save counts when a write that began after it has
 * ended well.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converge/converge_i.h"
#include "hawatch/emit.h"
#include "hawatch/file.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

#define PENDING_MAX ((size_t)256 * 1024)
#define PENDING_FORMAT 1

struct pending_write {
	struct pending *p;
	struct converge *c; /* NULL: it has been freed */
	char *path, *text;
	int rc;
	struct error err;
};

static void pending_load(struct converge *c, const char *path);
static void pending_write(struct converge *c);

struct pending *
pending_new(struct converge *c)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	p->path = xasprintf("%s/converge", c->env.conf->state_dir);
	pending_load(c, p->path);
	return p;
}

void
pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	if (p->write != NULL)
		p->write->c = NULL;
	free(p->path);
	free(p);
}

/* A list that cannot be read could have named any of them. */
static void
pending_lost(struct converge *c, const char *reason)
{
	struct item *item;

	EMIT(converge_failed, kv_i("epoch", 0), kv_s("item", ""),
	    kv_s("reason", reason));
	for (item = c->item; item < c->item + c->count; item++)
		if (item->conf->restart_on[0] != NULL)
			item->due = (struct due){ .on = true, .pid = -1 };
}

static uint64_t
pending_load_items(struct converge *c, const json_t *names)
{
	struct item *item;
	const json_t *name;
	uint64_t bits = 0;
	size_t i;

	json_array_foreach(names, i, name)
		for (item = c->item; item < c->item + c->count; item++)
			if (json_is_string(name) &&
			    strcmp(json_string_value(name), item->conf->name) ==
				0)
				bits |= ITEM_BIT(item->index);
	return bits;
}

static int
pending_load_one(struct converge *c, const json_t *obj, struct error *err)
{
	struct item *item;
	char service[64];
	int64_t pid;
	uint64_t epoch;
	const json_t *names;

	if (json_want_string(obj, "service", service, sizeof(service), err) !=
		0 ||
	    json_want_u64(obj, "epoch", &epoch, err) != 0 ||
	    json_want_i64(obj, "pid", -1, INT32_MAX, &pid, err) != 0)
		return -1;
	names = json_want_array(obj, "items", err);
	if (names == NULL)
		return -1;
	/* A service that the configuration no longer has is nobody's. */
	for (item = c->item; item < c->item + c->count; item++)
		if (item->conf->type == ITEM_SERVICE &&
		    strcmp(item->conf->name, service) == 0)
			item->due = (struct due){ .on = true,
				.items = pending_load_items(c, names),
				.epoch = epoch,
				.pid = (pid_t)pid };
	return 0;
}

/* An older engine did not write it. */
static int
pending_load_given_up(struct converge *c, const json_t *obj, struct error *err)
{
	const json_t *names;

	if (!json_has(obj, "given_up"))
		return 0;
	names = json_want_array(obj, "given_up", err);
	if (names == NULL ||
	    json_want_u64(obj, "epoch", &c->retry_epoch, err) != 0)
		return -1;
	c->retry = pending_load_items(c, names);
	return 0;
}

static int
pending_parse(
    struct converge *c, const char *text, size_t len, struct error *err)
{
	json_t *obj = json_read(text, len, err), *list, *one;
	int format, rc = -1;
	size_t i;

	if (obj == NULL)
		return -1;
	if (json_want_int(obj, "format", PENDING_FORMAT, PENDING_FORMAT,
		&format, err) != 0)
		goto out;
	list = json_want_array(obj, "restart", err);
	if (list == NULL)
		goto out;
	rc = 0;
	json_array_foreach(list, i, one)
		if (rc == 0)
			rc = pending_load_one(c, one, err);
	if (rc == 0)
		rc = pending_load_given_up(c, obj, err);
out:
	json_decref(obj);
	return rc;
}

static void
pending_load(struct converge *c, const char *path)
{
	struct error err;
	size_t len;
	char *text;

	if (access(path, F_OK) == -1)
		return;
	text = file_read(path, PENDING_MAX, &len, &err);
	if (text == NULL || pending_parse(c, text, len, &err) == -1) {
		error_wrap(&err, "the list of restarts that are due");
		pending_lost(c, err.msg);
	}
	free(text);
}

static json_t *
pending_names(const struct converge *c, uint64_t items)
{
	json_t *names = json_array();
	const struct item *item;

	for (item = c->item; item < c->item + c->count; item++)
		if ((items & ITEM_BIT(item->index)) != 0)
			json_array_append_new(
			    names, json_string(item->conf->name));
	return names;
}

static char *
pending_text(const struct converge *c)
{
	json_t *obj = json_object(), *list = json_array(), *one;
	const struct item *item;

	for (item = c->item; item < c->item + c->count; item++) {
		if (!item->due.on)
			continue;
		one = json_object();
		json_put_string(one, "service", item->conf->name);
		json_put_u64(one, "epoch", item->due.epoch);
		json_put_i64(one, "pid", item->due.pid);
		json_put(one, "items", pending_names(c, item->due.items));
		json_array_append_new(list, one);
	}
	json_put_i64(obj, "format", PENDING_FORMAT);
	json_put(obj, "restart", list);
	if (c->retry != 0) {
		json_put_u64(obj, "epoch", c->retry_epoch);
		json_put(obj, "given_up", pending_names(c, c->retry));
	}
	return json_take_text(obj);
}

/* In the worker. */
static void
pending_work(void *arg)
{
	struct pending_write *w = arg;

	w->rc = file_replace(w->path, w->text, strlen(w->text), 0600, &w->err);
}

static void
pending_write_free(struct pending_write *w)
{
	free(w->path);
	free(w->text);
	free(w);
}

static void
pending_done_cb(void *arg)
{
	struct pending_write *w = arg;
	struct converge *c = w->c;
	struct pending *p = w->p;

	if (c != NULL) {
		p->write = NULL;
		if (w->rc != 0 && p->failed == 0)
			EMIT(converge_unsaved, kv_s("reason", w->err.msg));
		p->failed = w->rc == 0 ? 0 : p->written;
		if (w->rc == 0)
			p->saved = p->written;
		p->err = w->err;
		converge_point(c, w->rc == 0 ? "listed" : "not-listed");
		if (p->written < p->wanted)
			pending_write(c);
		run_kick(&c->run[ITEM_BEFORE]);
		run_kick(&c->run[ITEM_AFTER]);
		run_kick(&c->run[ITEM_HANDOVER]);
	}
	pending_write_free(w);
}

/* The worker has ended, and nobody will say what became of it. */
static void
pending_drop_cb(void *arg)
{
	struct pending_write *w = arg;

	if (w->c != NULL)
		w->p->write = NULL;
	pending_write_free(w);
}

static void
pending_write(struct converge *c)
{
	struct pending *p = c->pending;
	struct pending_write *w = xcalloc(1, sizeof(*w));

	w->p = p;
	w->c = c;
	w->path = xstrdup(p->path);
	w->text = pending_text(c);
	p->write = w;
	p->written = p->wanted;
	worker_submit_own(
	    c->env.worker, pending_work, pending_done_cb, pending_drop_cb, w);
}

uint64_t
pending_save(struct converge *c)
{
	struct pending *p = c->pending;

	p->wanted++;
	if (p->write == NULL)
		pending_write(c);
	return p->wanted;
}

enum answer
pending_saved(const struct pending *p, uint64_t mark)
{
	if (p->saved >= mark)
		return ANS_YES;
	return p->failed >= mark ? ANS_NO : ANS_UNKNOWN;
}

uint64_t
pending_cause(struct item *item, node_t primary, uint64_t epoch)
{
	struct converge *c = item->c;
	struct item *service;
	bool any = false;

	item->undo = 0;
	for (service = c->item; service < c->item + c->count; service++) {
		if (!(service->restart_on & ITEM_BIT(item->index)) ||
		    item_want(service, primary)[0] == '\0')
			continue;
		any = true;
		if (!(service->due.items & ITEM_BIT(item->index)))
			item->undo |= ITEM_BIT(service->index);
		service->due.on = true;
		service->due.items |= ITEM_BIT(item->index);
		service->due.epoch = epoch;
		service->due.pid = -1;
		service->due.serial++;
	}
	return any ? pending_save(c) : c->pending->saved;
}

void
pending_undo(struct item *item)
{
	struct converge *c = item->c;
	struct item *service;

	for (service = c->item; service < c->item + c->count; service++) {
		if (!(item->undo & ITEM_BIT(service->index)))
			continue;
		service->due.items &= ~ITEM_BIT(item->index);
		if (service->due.items == 0)
			pending_clear(service);
	}
	item->undo = 0;
}

void
pending_clear(struct item *service)
{
	unsigned serial = service->due.serial;

	if (!service->due.on)
		return;
	service->due = (struct due){ .serial = serial + 1 };
	(void)pending_save(service->c);
}
