/*
 * The three steps of a file: prepare writes the new one beside the old one,
 * commit renames, sync makes that last. Between the first two the caller puts
 * on disk what must not be forgotten. Items and roles are not known here.
 */
#include "converge/converge_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "converge/converge_disk.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

/* A file that was written so shortly ago may be written again without that
 * any of its times changes. */
#define CFILE_FRESH (2 * USEC_SEC)

static struct cfile_sig
cfile_sig(const struct stat *st)
{
	return (struct cfile_sig){ .valid = true,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim };
}

static bool
cfile_sig_same(const struct cfile_sig *a, const struct cfile_sig *b)
{
	return a->valid && b->valid && a->dev == b->dev && a->ino == b->ino &&
	       a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec &&
	       a->ctime.tv_sec == b->ctime.tv_sec &&
	       a->ctime.tv_nsec == b->ctime.tv_nsec;
}

static bool
cfile_sig_fresh(const struct cfile_sig *sig)
{
	usec_t changed = (usec_t)sig->ctime.tv_sec * USEC_SEC;
	usec_t wall = clock_now().wall;

	return wall < changed + CFILE_FRESH;
}

static void
cfile_fail(struct cfile *f, const struct error *err)
{
	struct cfile_line *line;

	for (line = f->line; line < f->line + f->count; line++) {
		line->ok = line->changed = false;
		str_cut(line->reason, sizeof(line->reason), err->msg);
	}
}

static void
cfile_look_lines(
    struct cfile *f, const char *data, size_t len, struct cfile_sig sig)
{
	struct cfile_line *line;
	struct text_out out;
	struct error err;

	for (line = f->line; line < f->line + f->count; line++) {
		line->sig = sig;
		if (text_render(data, len, &line->rule, &out, &err) == -1) {
			str_cut(line->reason, sizeof(line->reason), err.msg);
			continue;
		}
		line->fits = true;
		line->ok = !out.changed;
		if (out.changed)
			(void)snprintf(line->reason, sizeof(line->reason),
			    "line %d differs", out.line);
		free(out.data);
	}
}

static bool
cfile_known(struct cfile *f)
{
	struct cfile_line *line;
	struct stat st;
	struct cfile_sig sig;
	bool known;

	if (stat(f->path, &st) == -1)
		return false;
	sig = cfile_sig(&st);
	known = true;
	for (line = f->line; line < f->line + f->count; line++)
		known = known && cfile_sig_same(&line->sig, &sig);
	for (line = f->line; line < f->line + f->count; line++)
		line->known = known;
	return known;
}

void
cfile_look(struct cfile *f)
{
	struct cfile_sig sig;
	struct stat st;
	struct error err;
	char base[NAME_MAX + 1];
	char *data;
	size_t len;
	int fd, dir;

	if (cfile_known(f))
		return;
	fd = cdisk_open(f->path, &dir, base, &st, &err);
	if (fd == -1) {
		cfile_fail(f, &err);
		return;
	}
	data = cdisk_read(fd, TEXT_MAX, &len, &err);
	close(fd);
	close(dir);
	if (data == NULL) {
		cfile_fail(f, &err);
		return;
	}
	sig = cfile_sig(&st);
	sig.valid = !cfile_sig_fresh(&sig);
	cfile_look_lines(f, data, len, sig);
	free(data);
}

/* Each line on top of the one before; true: something differs. */
static bool
cfile_render(struct cfile *f, char **data, size_t *len)
{
	struct cfile_line *line;
	struct text_out out;
	struct error err;
	bool changed = false;

	for (line = f->line; line < f->line + f->count; line++) {
		line->ok = line->changed = false;
		if (text_render(*data, *len, &line->rule, &out, &err) == -1) {
			str_cut(line->reason, sizeof(line->reason), err.msg);
			continue;
		}
		line->ok = line->fits = true;
		line->reason[0] = '\0';
		line->changed = out.changed;
		changed = changed || out.changed;
		free(*data);
		*data = out.data;
		*len = out.len;
	}
	return changed;
}

/* The old content as it is now, kept once for an epoch. */
static int
cfile_backup(struct cfile *f, int fd, const struct stat *st, uint64_t epoch,
    const char *data, size_t len, struct error *err)
{
	char name[NAME_MAX + 1];

	if (cdisk_backup_name(name, f->base, epoch, err) == -1)
		return -1;
	if (cdisk_create(f->dir, name, fd, st, data, len, err) == 0 ||
	    err->code == ERR_REFUSED)
		return 0;
	return error_wrap(err, "keep the old content");
}

static int
cfile_write(struct cfile *f, const char *tag, int fd, const struct stat *st,
    const char *data, size_t len, struct error *err)
{
	char name[NAME_MAX + 1];

	if (cdisk_name(name, f->base, tag, err) == -1)
		return -1;
	if (unlinkat(f->dir, name, 0) == -1 && errno != ENOENT)
		return error_sys(err, "remove what a crash left");
	if (cdisk_create(f->dir, name, fd, st, data, len, err) == -1)
		return error_wrap(err, "write the new content");
	f->ready = true;
	return 0;
}

static int
cfile_make(struct cfile *f, const char *tag, uint64_t epoch, int fd,
    const struct stat *st, struct error *err)
{
	char *old, *new;
	size_t old_len, new_len;
	int rc = 0;

	old = cdisk_read(fd, TEXT_MAX, &old_len, err);
	if (old == NULL)
		return -1;
	new_len = old_len;
	new = xmemdup(old, old_len + 1);
	if (cfile_render(f, &new, &new_len) &&
	    (cfile_backup(f, fd, st, epoch, old, old_len, err) == -1 ||
		cfile_write(f, tag, fd, st, new, new_len, err) == -1))
		rc = -1;
	free(old);
	free(new);
	return rc;
}

void
cfile_prepare(struct cfile *f, const char *tag, uint64_t epoch)
{
	struct stat st;
	struct error err;
	int fd, rc;

	f->ready = false;
	f->dir = -1;
	fd = cdisk_open(f->path, &f->dir, f->base, &st, &err);
	if (fd == -1) {
		cfile_fail(f, &err);
		return;
	}
	f->seen = cfile_sig(&st);
	rc = cfile_make(f, tag, epoch, fd, &st, &err);
	close(fd);
	if (rc == -1)
		cfile_fail(f, &err);
	if (f->ready)
		return;
	close(f->dir);
	f->dir = -1;
}

static int
cfile_rename(struct cfile *f, const char *tag, struct error *err)
{
	char name[NAME_MAX + 1];
	struct cfile_sig now;
	struct stat st;

	if (fstatat(f->dir, f->base, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return error_sys(err, "stat");
	now = cfile_sig(&st);
	if (!cfile_sig_same(&now, &f->seen))
		return error_set(err, ERR_REFUSED,
		    "somebody else changed it at the same time");
	if (cdisk_name(name, f->base, tag, err) == -1)
		return -1;
	if (renameat(f->dir, name, f->dir, f->base) == -1)
		return error_sys(err, "rename");
	return 0;
}

void
cfile_commit(struct cfile *f, const char *tag)
{
	struct error err;

	if (!f->ready || cfile_rename(f, tag, &err) == 0)
		return;
	cfile_fail(f, &err);
	cfile_drop(f, tag);
}

void
cfile_sync(struct cfile *f)
{
	struct error err;

	if (!f->ready)
		return;
	if (fsync(f->dir) == -1) {
		error_sys(&err, "fsync its directory");
		cfile_fail(f, &err);
	}
	cdisk_prune(f->dir, f->base, CFILE_BACKUPS);
	close(f->dir);
	f->dir = -1;
	f->ready = false;
}

void
cfile_drop(struct cfile *f, const char *tag)
{
	char name[NAME_MAX + 1];
	struct error err;

	if (!f->ready)
		return;
	if (cdisk_name(name, f->base, tag, &err) == 0)
		unlinkat(f->dir, name, 0);
	close(f->dir);
	f->dir = -1;
	f->ready = false;
}

void
cfile_tidy(const char *path, const char *tag)
{
	char base[NAME_MAX + 1];
	struct stat st;
	struct error err;
	int fd, dir;

	fd = cdisk_open(path, &dir, base, &st, &err);
	if (fd == -1)
		return;
	close(fd);
	cdisk_tidy(dir, base, tag);
	close(dir);
}
