/*
 * Steps that each leave something whole: a crash between any two of them is
 * gone on from. Own files of the configuration that lie in the data directory
 * stay this host's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "act/auto_conf.h"
#include "act/clone_dir_i.h"
#include "act/disk_work.h"
#include "act/saved.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define MARK "/" CLONE_MARK
#define MARK_MAX ((size_t)500)
/* Of versions before: whose copy, it did not say. */
#define OLD_MARK "/hawatch.whole"
#define ROOM ((uint64_t)256 << 20) /* that is left free */

int
clone_path(char *out, const char *dir, const char *name, struct error *err)
{
	if (snprintf(out, PATH_MAX, "%s%s", dir, name) >= PATH_MAX)
		return error_set(err, ERR_LIMIT, "%s: too long a path", dir);
	return 0;
}

static int
clone_unlink(FTSENT *at, struct error *err)
{
	switch (at->fts_info) {
	case FTS_D:
		return 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		errno = at->fts_errno;
		break;
	default:
		if (remove(at->fts_path) == 0)
			return 0;
	}
	return errno == ENOENT ? 0 : error_sys(err, "remove %s", at->fts_path);
}

int
clone_remove(const struct clone_dir *dir, char *path, struct error *err)
{
	char *const paths[] = { path, NULL };
	FTSENT *at;
	int rc = 0;
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);

	if (fts == NULL)
		return error_sys(err, "open %s", path);
	while (rc == 0 && (errno = 0, at = fts_read(fts)) != NULL) {
		rc = disk_work_goes_on(dir->work, err);
		if (rc == 0)
			rc = clone_unlink(at, err);
	}
	if (rc == 0 && errno != 0)
		rc = error_sys(err, "read %s", path);
	(void)fts_close(fts);
	return rc;
}

static int
clone_room(const struct clone_dir *dir, struct error *err)
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(dir->data, &fs) == -1)
		return error_sys(err, "statvfs %s", dir->data);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left >= dir->bytes + ROOM)
		return 0;
	return error_set(err, ERR_LIMIT,
	    "beside %s are %llu MB left, a copy takes %llu MB", dir->data,
	    (unsigned long long)left >> 20,
	    (unsigned long long)dir->bytes >> 20);
}

int
clone_kept(const struct clone_dir *dir, char *top, char *prefix,
    struct kept_list *kept, struct error *err)
{
	char path[PATH_MAX];

	str_cut(path, sizeof(path), dir->data);
	snprintf(prefix, NAME_MAX + 1, "%s.old-", basename(path));
	str_cut(path, sizeof(path), dir->data);
	str_cut(top, PATH_MAX, dirname(path));
	return kept_read(kept, top, prefix, err);
}

int
clone_entry(char *out, const char *top, const char *name, struct error *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", top, name) >= PATH_MAX)
		return error_set(err, ERR_LIMIT, "%s: too long a path", top);
	return 0;
}

static int
clone_names(struct clone_dir *dir, struct error *err)
{
	char top[PATH_MAX], prefix[NAME_MAX + 1], name[NAME_MAX + 1];
	struct kept_list kept;

	if (clone_path(dir->made, dir->data, ".new", err) == -1 ||
	    clone_kept(dir, top, prefix, &kept, err) == -1)
		return -1;
	kept_next(&kept, prefix, dir->wall, dir->epoch, name, sizeof(name));
	kept_free(&kept);
	return clone_entry(dir->old, top, name, err);
}

static void
clone_mark(const struct clone_dir *dir, char *text)
{
	snprintf(text, MARK_MAX, "copy of %s in epoch %llu\n", dir->source,
	    (unsigned long long)dir->epoch);
}

static bool
clone_has(const struct clone_dir *dir, const char *name)
{
	char path[PATH_MAX];
	struct error ignored;
	struct stat st;

	return clone_path(path, dir->data, name, &ignored) == 0 &&
	       lstat(path, &st) == 0;
}

/* The data directory is this copy, and of this epoch. */
static bool
clone_marked(const struct clone_dir *dir)
{
	char path[PATH_MAX], own[MARK_MAX], *text = NULL;
	struct error ignored;
	bool same;

	clone_mark(dir, own);
	if (clone_path(path, dir->data, MARK, &ignored) == 0)
		text = file_read(path, MARK_MAX, NULL, &ignored);
	same = text != NULL && strcmp(text, own) == 0;
	free(text);
	return same;
}

static int
clone_fill(int fd, const char *dir, const char *path, const char *text,
    struct error *err)
{
	struct stat st;

	if (stat(dir, &st) == -1)
		return error_sys(err, "stat %s", dir);
	if (file_write(fd, text, strlen(text)) == -1)
		return error_sys(err, "write %s", path);
	if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1)
		return error_sys(err, "chown %s", path);
	if (fsync(fd) == -1)
		return error_sys(err, "fsync %s", path);
	return 0;
}

int
clone_put(
    const char *dir, const char *name, const char *text, struct error *err)
{
	char path[PATH_MAX], part[PATH_MAX];
	int fd, rc;

	if (clone_path(path, dir, name, err) == -1 ||
	    clone_path(part, path, ".part", err) == -1)
		return -1;
	fd = open(
	    part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_sys(err, "create %s", part);
	rc = clone_fill(fd, dir, part, text, err);
	close(fd);
	if (rc == 0 && rename(part, path) == -1)
		rc = error_sys(err, "rename %s", part);
	if (rc == -1)
		unlink(part);
	return rc == -1 ? -1 : file_sync_dir(path, err);
}

/* It had its new name before: the newest of these. */
static int
clone_renamed(struct clone_dir *dir, struct error *err)
{
	char top[PATH_MAX], prefix[NAME_MAX + 1];
	struct kept_list kept;
	int rc = 0;

	if (clone_kept(dir, top, prefix, &kept, err) == -1)
		return -1;
	if (kept.count > 0)
		rc = clone_entry(
		    dir->old, top, kept.list[kept.count - 1].name, err);
	kept_free(&kept);
	return rc;
}

static int
clone_unmark(const struct clone_dir *dir, const char *name, struct error *err)
{
	char path[PATH_MAX];

	if (clone_path(path, dir->data, name, err) == -1)
		return -1;
	if (unlink(path) == -1 && errno != ENOENT)
		return error_sys(err, "remove %s", path);
	return file_sync_dir(path, err);
}

/* The old data under its new name, the mark gone; and this host's own settings
 * are in the data directory. */
static int
clone_finish(struct clone_dir *dir, struct error *err)
{
	if (rename(dir->made, dir->old) == -1) {
		if (errno != ENOENT)
			return error_sys(err, "rename %s", dir->made);
		if (clone_renamed(dir, err) == -1)
			return -1;
	}
	if (file_sync_dir(dir->data, err) == -1 ||
	    (dir->state_dir != NULL && saved_paid(dir->state_dir, err) == -1) ||
	    clone_unmark(dir, OLD_MARK, err) == -1 ||
	    clone_unmark(dir, MARK, err) == -1)
		return -1;
	return 0;
}

int
clone_dir_tidy(struct clone_dir *dir, struct error *err)
{
	if (clone_names(dir, err) == -1)
		return -1;
	if (!clone_has(dir, MARK) && !clone_has(dir, OLD_MARK))
		return 0;
	return clone_finish(dir, err);
}

int
clone_dir_begin(struct clone_dir *dir, bool *whole, struct error *err)
{
	*whole = clone_marked(dir);
	if (*whole)
		return clone_names(dir, err);
	if (clone_dir_tidy(dir, err) == -1 ||
	    clone_layout(dir->data, err) == -1 ||
	    clone_trial(dir->data, err) == -1 ||
	    clone_remove(dir, dir->made, err) == -1)
		return -1;
	return clone_room(dir, err);
}

int
clone_dir_place(struct clone_dir *dir, const char *conninfo, struct error *err)
{
	char text[MARK_MAX];

	if (clone_names(dir, err) == -1)
		return -1;
	if (clone_marked(dir)) {
		/* A start since then may have been set aside again. */
		if (auto_conf_follow(dir->data, conninfo, err) == -1)
			return -1;
		return clone_finish(dir, err);
	}
	clone_mark(dir, text);
	if (clone_layout(dir->data, err) == -1 ||
	    clone_settings(dir, err) == -1 ||
	    auto_conf_follow(dir->made, conninfo, err) == -1 ||
	    clone_put(dir->made, "/standby.signal", "", err) == -1 ||
	    clone_put(dir->made, MARK, text, err) == -1)
		return -1;
	if (clone_exchange(dir->made, dir->data, err) == -1)
		return -1;
	return clone_finish(dir, err);
}
