/*
 * Steps that each leave something whole: a crash between any two of them is
 * gone on from. Own files of the configuration that lie in the data directory
 * stay this host's own.
 */
#include "act/clone_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "act/auto_conf.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define WHOLE "hawatch.whole"
#define ROOM ((uint64_t)256 << 20) /* that is left free */
#define OPEN_DIRS 16
#define OWN_MAX ((size_t)1 << 20)

static int
clone_path(char *out, const char *dir, const char *name, struct error *err)
{
	if (snprintf(out, PATH_MAX, "%s%s", dir, name) >= PATH_MAX)
		return error_set(err, ERR_LIMIT, "%s: too long a path", dir);
	return 0;
}

static int
clone_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int
clone_remove(const char *dir, struct error *err)
{
	if (nftw(dir, clone_unlink, OPEN_DIRS,
		FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == -1 &&
	    errno != ENOENT)
		return error_sys(err, "remove %s", dir);
	return 0;
}

/* Two directories of one file system change their names, and nothing in them
 * lies elsewhere. */
static int
clone_layout(const char *data, struct error *err)
{
	char path[PATH_MAX];
	struct stat own, above;

	if (clone_path(path, data, "/..", err) == -1)
		return -1;
	if (lstat(data, &own) == -1 || stat(path, &above) == -1)
		return error_sys(err, "stat %s", data);
	if (!S_ISDIR(own.st_mode) || own.st_dev != above.st_dev)
		return error_set(err, ERR_REFUSED,
		    "%s is a mount point or a link: clone it by hand", data);
	if (clone_path(path, data, "/pg_wal", err) == -1)
		return -1;
	if (lstat(path, &own) == -1 || !S_ISDIR(own.st_mode))
		return error_set(err, ERR_REFUSED,
		    "%s lies elsewhere: clone it by hand", path);
	return 0;
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

static int
clone_names(struct clone_dir *dir, struct error *err)
{
	time_t t = (time_t)(dir->wall / USEC_SEC);
	char stamp[64];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), ".old-%Y%m%dT%H%M%SZ", &tm);
	if (clone_path(dir->made, dir->data, ".new", err) == -1)
		return -1;
	return clone_path(dir->old, dir->data, stamp, err);
}

int
clone_dir_begin(struct clone_dir *dir, bool *whole, struct error *err)
{
	char path[PATH_MAX];

	*whole = false;
	if (clone_names(dir, err) == -1 ||
	    clone_path(path, dir->data, "/" WHOLE, err) == -1)
		return -1;
	*whole = access(path, F_OK) == 0;
	if (*whole)
		return 0;
	if (clone_layout(dir->data, err) == -1 ||
	    clone_remove(dir->made, err) == -1)
		return -1;
	return clone_room(dir, err);
}

static int
clone_touch(const char *dir, const char *name, struct error *err)
{
	char path[PATH_MAX];
	struct stat st;
	int fd, rc = -1;

	if (clone_path(path, dir, name, err) == -1)
		return -1;
	if (stat(dir, &st) == -1)
		return error_sys(err, "stat %s", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_sys(err, "create %s", path);
	if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1)
		error_sys(err, "chown %s", path);
	else if (fsync(fd) == -1)
		error_sys(err, "fsync %s", path);
	else
		rc = file_sync_dir(path, err);
	close(fd);
	return rc;
}

/* This host's own, where it has one there. */
static int
clone_own(const struct clone_dir *dir, const char *name, struct error *err)
{
	char from[PATH_MAX], to[PATH_MAX], *text;
	struct stat st;
	size_t len;
	int rc;

	if (clone_path(from, dir->data, name, err) == -1 ||
	    clone_path(to, dir->made, name, err) == -1)
		return -1;
	if (lstat(from, &st) == -1)
		return errno == ENOENT ? 0 : error_sys(err, "stat %s", from);
	text = file_read(from, OWN_MAX, &len, err);
	if (text == NULL)
		return -1;
	rc = file_replace(to, text, len, st.st_mode & 07777, err);
	free(text);
	if (rc == 0 && geteuid() == 0 && chown(to, st.st_uid, st.st_gid) == -1)
		rc = error_sys(err, "chown %s", to);
	return rc;
}

static int
clone_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*b)->d_name, (*a)->d_name);
}

/* Older ones than those that are kept. */
static void
clone_prune(const struct clone_dir *dir)
{
	char copy[PATH_MAX], again[PATH_MAX], path[PATH_MAX], prefix[PATH_MAX];
	struct dirent **list;
	struct error ignored;
	const char *top;
	int i, n, seen = 0;

	str_cut(copy, sizeof(copy), dir->data);
	str_cut(again, sizeof(again), dir->data);
	top = dirname(copy);
	if (snprintf(prefix, sizeof(prefix), "%s.old-", basename(again)) >=
	    (int)sizeof(prefix))
		return;
	n = scandir(top, &list, NULL, clone_by_name);
	for (i = 0; i < n; i++) {
		if (str_starts(list[i]->d_name, prefix) &&
		    seen++ > CLONE_OLD_KEEP &&
		    snprintf(path, sizeof(path), "%s/%s", top,
			list[i]->d_name) < (int)sizeof(path) &&
		    clone_remove(path, &ignored) == -1)
			seen++;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* The old data under its new name, the mark gone. */
static int
clone_finish(const struct clone_dir *dir, struct error *err)
{
	char path[PATH_MAX];

	if (rename(dir->made, dir->old) == -1 && errno != ENOENT)
		return error_sys(err, "rename %s", dir->made);
	if (file_sync_dir(dir->data, err) == -1 ||
	    clone_path(path, dir->data, "/" WHOLE, err) == -1)
		return -1;
	if (unlink(path) == -1 && errno != ENOENT)
		return error_sys(err, "remove %s", path);
	if (file_sync_dir(path, err) == -1)
		return -1;
	clone_prune(dir);
	return 0;
}

int
clone_dir_place(struct clone_dir *dir, const char *conninfo, struct error *err)
{
	static const char *const own[] = { "/postgresql.conf", "/pg_hba.conf",
		"/pg_ident.conf" };
	char path[PATH_MAX];
	size_t i;

	if (clone_names(dir, err) == -1 ||
	    clone_path(path, dir->data, "/" WHOLE, err) == -1)
		return -1;
	if (access(path, F_OK) == 0) {
		/* A start since then may have been set aside again. */
		if (auto_conf_follow(dir->data, conninfo, err) == -1)
			return -1;
		return clone_finish(dir, err);
	}
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (clone_own(dir, own[i], err) == -1)
			return -1;
	if (auto_conf_follow(dir->made, conninfo, err) == -1 ||
	    clone_touch(dir->made, "/standby.signal", err) == -1 ||
	    clone_touch(dir->made, "/" WHOLE, err) == -1)
		return -1;
	if (renameat2(AT_FDCWD, dir->made, AT_FDCWD, dir->data,
		RENAME_EXCHANGE) == -1)
		return error_sys(
		    err, "exchange %s and %s", dir->made, dir->data);
	return clone_finish(dir, err);
}
