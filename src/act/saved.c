/*
 * Copies of a few files, each on the disk before the next step begins. They
 * are copies and not links: a file of the log is written to in place.
 */
#include "act/saved_i.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "act/kept.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SEGMENT_NAME 24
#define HEX "0123456789ABCDEF"
#define ROOM ((uint64_t)64 << 20) /* that is left free */

/* A file of the log, and the position after its end. */
static bool
saved_segment(const char *name, uint64_t size, uint32_t *timeline, lsn_t *end)
{
	unsigned tl, high, low;

	if (strlen(name) != SEGMENT_NAME || strspn(name, HEX) != SEGMENT_NAME ||
	    sscanf(name, "%8X%8X%8X", &tl, &high, &low) != 3 || size == 0)
		return false;
	*timeline = tl;
	*end = ((uint64_t)high << 32) + ((uint64_t)low + 1) * size;
	return true;
}

/* Files of the log are made before they are written to, from old ones or from
 * nothing: the first page says of which place it is, 16 bytes into it. */
static bool
saved_written(const char *path, lsn_t begins)
{
	unsigned char head[16];
	uint64_t address;
	bool whole;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return true; /* to be told of when it is copied */
	whole = pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head);
	close(fd);
	memcpy(&address, head + 8, sizeof(address));
	return !whole || address == begins;
}

static bool
saved_wanted(const char *path, const char *name, uint64_t size, lsn_t from,
    uint32_t *timeline)
{
	size_t len = strlen(name);
	lsn_t end;

	if (len > 8 && strcmp(name + len - 8, ".history") == 0)
		return true;
	return saved_segment(name, size, timeline, &end) && end > from &&
	       saved_written(path, end - size);
}

/* Copies a file of the log, or with to NULL counts it, when it is wanted. */
static int
saved_one(const char *dir, const char *name, const char *to,
    const struct saved_goal *goal, struct saved *out, struct error *err)
{
	char a[SAVED_MAX], b[SAVED_MAX];
	uint32_t timeline = 0;
	struct stat st;
	int rc;

	if (saved_path(a, dir, name, err) == -1)
		return -1;
	if (lstat(a, &st) == -1)
		return errno == ENOENT ? 0 : error_sys(err, "stat %s", a);
	if (!S_ISREG(st.st_mode) ||
	    !saved_wanted(a, name, (uint64_t)st.st_size, goal->from, &timeline))
		return 0;
	if (to == NULL) {
		out->bytes += (uint64_t)st.st_size;
		if (goal->told != NULL)
			goal->told->all = out->bytes;
		if (out->timeline < timeline)
			out->timeline = timeline;
		return 0;
	}
	if (saved_path(b, to, name, err) == -1)
		return -1;
	rc = saved_copy(a, b, (uid_t)-1, (gid_t)-1, goal->work, err);
	if (goal->told != NULL)
		goal->told->done += (uint64_t)st.st_size;
	return rc;
}

/* All of it or none: what is left out here is lost with the rewind. */
static int
saved_log(const char *dir, const char *to, const struct saved_goal *goal,
    struct saved *out, struct error *err)
{
	struct dirent *entry;
	int rc = 0, more = 1;
	DIR *d = opendir(dir);

	if (d == NULL)
		return error_sys(err, "open %s", dir);
	while (rc == 0 && (more = file_next(d, dir, &entry, err)) == 1)
		rc = saved_one(dir, entry->d_name, to, goal, out, err);
	closedir(d);
	return rc == -1 || more == -1 ? -1 : 0;
}

static int
saved_mkdir(const char *dir, struct error *err)
{
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return error_sys(err, "mkdir %s", dir);
	return 0;
}

static int
saved_room(const char *dir, const struct saved *out, struct error *err)
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(dir, &fs) == -1)
		return error_sys(err, "statvfs %s", dir);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left >= out->bytes + ROOM)
		return 0;
	return error_set(err, ERR_LIMIT,
	    "%s has %llu MB left, the log to be kept takes %llu MB", dir,
	    (unsigned long long)left >> 20,
	    (unsigned long long)out->bytes >> 20);
}

static int
saved_name(const struct saved_goal *goal, const char *top, struct saved *out,
    struct error *err)
{
	struct kept_list kept;
	char name[NAME_MAX + 1];

	if (kept_read(&kept, top, "", err) == -1)
		return -1;
	kept_next(&kept, "", goal->wall, goal->epoch, name, sizeof(name));
	kept_free(&kept);
	return saved_path(out->dir, top, name, err);
}

/* Whatever is in it, one level of directories deep. */
static void
saved_remove(const char *dir, int depth)
{
	char path[SAVED_MAX];
	struct dirent *entry;
	struct error ignored;
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while (file_next(d, dir, &entry, &ignored) == 1) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    saved_path(path, dir, entry->d_name, &ignored) == -1)
			continue;
		if (unlink(path) == -1 && depth > 0)
			saved_remove(path, depth - 1);
	}
	closedir(d);
	rmdir(dir);
}

/* What never became complete: no rewind began with it. */
static void
saved_tidy(const char *top)
{
	char path[SAVED_MAX];
	struct kept_list kept;
	struct error ignored;
	size_t i;

	if (kept_read(&kept, top, "", &ignored) == -1)
		return;
	for (i = 0; i < kept.count; i++)
		if (saved_path(path, top, kept.list[i].name, &ignored) == 0 &&
		    !saved_has(path, "complete"))
			saved_remove(path, 1);
	kept_free(&kept);
}

static int
saved_fill(const struct saved_goal *goal, const char *log, struct saved *out,
    struct error *err)
{
	char to[SAVED_MAX], from[SAVED_MAX];

	if (saved_path(to, out->dir, "pg_wal", err) == -1 ||
	    saved_mkdir(to, err) == -1 ||
	    saved_log(log, to, goal, out, err) == -1 ||
	    saved_path(from, goal->data_directory, "global/pg_control", err) ==
		-1 ||
	    saved_path(to, out->dir, "pg_control", err) == -1 ||
	    saved_each(goal->data_directory, out->dir, (uid_t)-1, (gid_t)-1,
		err) == -1)
		return -1;
	return saved_copy(from, to, (uid_t)-1, (gid_t)-1, goal->work, err);
}

int
saved_make(const struct saved_goal *goal, struct saved *out, struct error *err)
{
	char log[SAVED_MAX], top[SAVED_MAX];

	memset(out, 0, sizeof(*out));
	if (saved_path(log, goal->data_directory, "pg_wal", err) == -1 ||
	    saved_log(log, NULL, goal, out, err) == -1 ||
	    saved_path(top, goal->state_dir, "saved", err) == -1 ||
	    saved_mkdir(top, err) == -1)
		return -1;
	saved_tidy(top);
	if (saved_room(top, out, err) == -1 ||
	    saved_name(goal, top, out, err) == -1 ||
	    saved_mkdir(out->dir, err) == -1)
		return -1;
	if (saved_fill(goal, log, out, err) == 0)
		return 0;
	saved_remove(out->dir, 1);
	return -1;
}

/* All but the newest few that are complete, and this one, which need not be the
 * newest where epochs began anew. */
static void
saved_prune(const char *dir)
{
	char top[SAVED_MAX], path[SAVED_MAX], *slash;
	struct kept_list kept;
	struct error ignored;
	size_t i, seen = 0;

	str_cut(top, sizeof(top), dir);
	slash = strrchr(top, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	if (kept_read(&kept, top, "", &ignored) == -1)
		return;
	for (i = kept.count; i-- > 0;)
		if (saved_path(path, top, kept.list[i].name, &ignored) == 0 &&
		    saved_has(path, "complete") && seen++ >= SAVED_KEEP &&
		    strcmp(kept.list[i].name, slash + 1) != 0)
			saved_remove(path, 1);
	kept_free(&kept);
}

int
saved_complete(
    const char *dir, const char *listing, size_t len, struct error *err)
{
	static const char about[] =
	    "What PostgreSQL here had written and the primary had not, saved "
	    "before it was\nrewound: pg_wal, the control file, and what "
	    "pg_waldump reads in them (listing).\nMore of it: pg_waldump "
	    "--path=pg_wal FIRST-FILE\n";
	char path[SAVED_MAX];

	if (saved_path(path, dir, "listing", err) == -1 ||
	    file_replace(path, listing, len, 0600, err) == -1 ||
	    saved_path(path, dir, "README", err) == -1 ||
	    file_replace(path, about, sizeof(about) - 1, 0600, err) == -1 ||
	    file_sync_dir(dir, err) == -1 ||
	    saved_path(path, dir, "pg_wal/.", err) == -1 ||
	    file_sync_dir(path, err) == -1 ||
	    saved_path(path, dir, "complete", err) == -1 ||
	    file_replace(path, "", 0, 0600, err) == -1)
		return -1;
	saved_prune(dir);
	return 0;
}
