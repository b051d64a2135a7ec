/*
 * The list of restarts that are due, as a crash or a disk left it. A list that
 * cannot be read makes every restart due that it could have named; one that can
 * be, saved and read again, is the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converge/converge_i.h"
#include "fuzz.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

static const struct conf_item items[] = {
	{ .name = "hosts", .type = ITEM_LINE },
	{ .name = "pgbouncer",
	    .type = ITEM_SERVICE,
	    .restart_on = { "hosts" } },
	{ .name = "app",
	    .type = ITEM_SERVICE,
	    .restart_on = { "hosts", "db" } },
	{ .name = "db", .type = ITEM_LINE },
	{ .name = "celery", .type = ITEM_SERVICE },
};
#define ITEMS (sizeof(items) / sizeof(items[0]))

/* In the place of the worker and of the other files of converge. */

void
worker_submit_own(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void (*drop)(void *arg), void *arg)
{
	work(arg);
	done(arg);
}

void
run_kick(struct run *r)
{
}

void
converge_point(struct converge *c, const char *place)
{
}

const char *
item_want(const struct item *item, node_t primary)
{
	return "running";
}

static void
load(struct converge *c, struct item *item, const struct conf *conf)
{
	size_t i;

	memset(c, 0, sizeof(*c));
	memset(item, 0, ITEMS * sizeof(*item));
	c->env.conf = conf;
	c->count = (int)ITEMS;
	c->item = item;
	for (i = 0; i < ITEMS; i++) {
		item[i].conf = &items[i];
		item[i].c = c;
		item[i].index = (int)i;
	}
	c->pending = pending_new(c);
}

static void
same(const struct converge *a, const struct converge *b)
{
	const struct due *x, *y;
	size_t i;

	FUZZ_CHECK(a->retry == b->retry);
	FUZZ_CHECK(a->retry == 0 || a->retry_epoch == b->retry_epoch);
	for (i = 0; i < ITEMS; i++) {
		x = &a->item[i].due;
		y = &b->item[i].due;
		FUZZ_CHECK(x->on == y->on && x->items == y->items);
		FUZZ_CHECK(x->epoch == y->epoch && x->pid == y->pid);
		FUZZ_CHECK(x->items >> ITEMS == 0 && x->pid >= -1);
		FUZZ_CHECK(!x->on || items[i].type == ITEM_SERVICE);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf conf = *fuzz_conf();
	struct item item[ITEMS], again[ITEMS];
	struct converge c, b;
	char dir[64], *path;
	FILE *f;

	(void)snprintf(
	    dir, sizeof(dir), "/dev/shm/hawatch-fuzz-%ld.d", (long)getpid());
	(void)mkdir(dir, 0700);
	conf.state_dir = dir;
	path = xasprintf("%s/converge", dir);
	f = fopen(path, "w");
	FUZZ_CHECK(f != NULL);
	FUZZ_CHECK(size == 0 || fwrite(data, 1, size, f) == size);
	(void)fclose(f);
	load(&c, item, &conf);
	FUZZ_CHECK(pending_saved(c.pending, pending_save(&c)) == ANS_YES);
	load(&b, again, &conf);
	same(&c, &b);
	pending_free(c.pending);
	pending_free(b.pending);
	(void)unlink(path);
	(void)rmdir(dir);
	free(path);
	return 0;
}
