/*
 * Whether PostgreSQL has room to write: on the file systems of its data
 * directory, its WAL and its tablespaces. A small commit does not tell: it
 * needs WAL alone, and WAL goes for hours into segments that are there already,
 * while each INSERT that needs a new block fails.
 *
 * Looked at in a thread, since who asks a file system of a server that is gone
 * is held. One look at a time; none is begun while one is out, so that no more
 * than one thread ever hangs.
 *
 * What a look can end with, and what follows:
 *  - too little left: no room.
 *  - nothing for longer than the limit: no room either. The counters are in
 *    memory for a local file system, and the limit is many times what a busy
 *    disk needs to read three directories: who does not answer by then does
 *    not let PostgreSQL write there. The commit would hang with it where the
 *    WAL lies on the same disk; this is for the disks where it does not. It
 *    ends by itself when the look comes back.
 *  - an error (not permitted, a link to nowhere), or a file system that has no
 *    sizes: that is no word on the room. It is told once and counts as room,
 *    for what cannot be seen must not stop a primary that commits.
 *  - not begun, for want of threads: the answer before stands for as long as
 * the limit, then nobody knows. A server that does not run is looked at like
 * any other, for a full disk may be what ended it; but its errors are not told:
 * it may be being rebuilt.
 */
#include "check/pg_room.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "hawatch/aside.h"
#include "hawatch/emit.h"
#include "hawatch/file.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

/* What is left to PostgreSQL's user. From version 16 on a busy table grows by
 * up to 64 blocks, 512 KiB, at once, and its indexes beside it: with less than
 * twice that the next INSERT may fail, though a file system that counts in
 * larger pieces never gets down to nothing. */
#define PG_ROOM_MIN ((uint64_t)1024 * 1024)
/* Room again only then: what hovers at the bound must not open and close. */
#define PG_ROOM_AGAIN (4 * PG_ROOM_MIN)
#define PG_ROOM_DEVICES 16 /* of more, some are looked at twice */

struct pg_room_found {
	bool full;
	uint64_t left;
	char where[256]; /* of full */
	int error;
	char at[256]; /* of error */
};

/* The thread's, while it looks. */
struct pg_room_data {
	char directory[PATH_MAX];
	uint64_t min;
	int devices;
	dev_t device[PG_ROOM_DEVICES];
	struct pg_room_found found;
};

struct pg_room {
	struct aside *aside;
	struct pg_room_data *data;
	usec_t limit, started;
	bool runs; /* the server, when the look began */
	void (*news)(void *arg);
	void *arg;
	enum reason why;
	char where[256];
	int told; /* the error that was told last, */
	char told_at[256];
};

struct pg_room *
pg_room_new(struct loop *loop, const char *directory, usec_t limit,
    void (*news)(void *arg), void *arg)
{
	struct pg_room *r = xcalloc(1, sizeof(*r));

	r->data = xcalloc(1, sizeof(*r->data));
	str_cut(r->data->directory, sizeof(r->data->directory), directory);
	r->aside = aside_new(loop, free, r->data);
	r->limit = limit;
	r->news = news;
	r->arg = arg;
	r->why = REASON_ok;
	return r;
}

void
pg_room_free(struct pg_room *r)
{
	if (r == NULL)
		return;
	aside_free(r->aside);
	free(r);
}

const char *
pg_room_why(const struct pg_room *r, const char **where)
{
	*where = r->where;
	return r->why == REASON_ok ? "" : reason_str(r->why);
}

static bool
pg_room_seen(struct pg_room_data *d, dev_t device)
{
	int i;

	for (i = 0; i < d->devices; i++)
		if (d->device[i] == device)
			return true;
	if (d->devices < PG_ROOM_DEVICES)
		d->device[d->devices++] = device;
	return false;
}

static void
pg_room_error(struct pg_room_data *d, const char *path)
{
	if (d->found.error != 0)
		return;
	d->found.error = errno;
	str_cut(d->found.at, sizeof(d->found.at), path);
}

/* One of its directories, or what the link of that name leads to. */
static void
pg_room_at(struct pg_room_data *d, const char *path)
{
	struct statvfs v;
	struct stat st;
	uint64_t left;

	if (stat(path, &st) == -1) {
		pg_room_error(d, path);
		return;
	}
	if (pg_room_seen(d, st.st_dev))
		return;
	if (statvfs(path, &v) == -1) {
		pg_room_error(d, path);
		return;
	}
	left = (uint64_t)v.f_bavail * v.f_frsize;
	if (v.f_blocks == 0 || left >= d->min ||
	    (d->found.full && left >= d->found.left))
		return;
	d->found.full = true;
	d->found.left = left;
	str_cut(d->found.where, sizeof(d->found.where), path);
}

static void
pg_room_work(void *data)
{
	struct pg_room_data *d = data;
	char path[PATH_MAX + NAME_MAX + 16];
	struct dirent *entry;
	struct error err;
	int base, more;
	DIR *dir;

	memset(&d->found, 0, sizeof(d->found));
	d->devices = 0;
	pg_room_at(d, d->directory);
	snprintf(path, sizeof(path), "%s/pg_wal", d->directory);
	pg_room_at(d, path);
	base = snprintf(path, sizeof(path), "%s/pg_tblspc", d->directory);
	dir = opendir(path);
	if (dir == NULL) {
		pg_room_error(d, path);
		return;
	}
	while ((more = file_next(dir, path, &entry, &err)) == 1) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path + base, sizeof(path) - (size_t)base, "/%s",
		    entry->d_name);
		pg_room_at(d, path);
	}
	closedir(dir);
	if (more == -1) {
		errno = err.sys;
		path[base] = '\0';
		pg_room_error(d, path);
	}
}

static void
pg_room_set(
    struct pg_room *r, enum reason why, const char *where, uint64_t left)
{
	if (why == r->why)
		return;
	if (why == REASON_ok)
		EMIT(pg_room, kv_s("where", r->where));
	else
		EMIT(pg_no_room, kv_s("reason", reason_str(why)),
		    kv_s("where", where), kv_i("left_kb", left / 1024));
	r->why = why;
	str_cut(r->where, sizeof(r->where), where);
	r->news(r->arg);
}

static void
pg_room_done_cb(void *arg)
{
	struct pg_room *r = arg;
	const struct pg_room_found *f = &r->data->found;

	if (f->error != 0 && r->runs &&
	    (f->error != r->told || strcmp(f->at, r->told_at) != 0)) {
		r->told = f->error;
		str_cut(r->told_at, sizeof(r->told_at), f->at);
		EMIT(pg_room_unknown, kv_s("where", f->at),
		    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the loop only */
		    kv_s("reason", strerror(f->error)));
	}
	if (f->full)
		pg_room_set(r, REASON_disk_full, f->where, f->left);
	else
		pg_room_set(r, REASON_ok, "", 0);
}

void
pg_room_look(struct pg_room *r, bool runs)
{
	usec_t now = clock_now().raw;

	if (aside_busy(r->aside)) {
		if (now - r->started > r->limit)
			pg_room_set(r, REASON_disk_busy, r->data->directory, 0);
		return;
	}
	r->data->min = r->why == REASON_disk_full ? PG_ROOM_AGAIN : PG_ROOM_MIN;
	if (aside_start(r->aside, pg_room_work, pg_room_done_cb, r)) {
		r->started = now;
		r->runs = runs;
	} else if (now - r->started > r->limit) {
		pg_room_set(r, REASON_ok, "", 0);
	}
}
